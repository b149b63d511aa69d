"""The people of the synthetic nation and how each force's system knows them.

Belongs here: drawing true persons (residents of a force, and travellers whom several forces know), the
hard cases among them (twins, father and son, siblings, namesakes), and the nominals that forces keep
of them, with the ways a nominal differs from the person. Days are counted from 1970-01-01.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date
from functools import cache

import numpy as np
import polars as pl

from data_contracts.code_lists import code_list
from data_contracts.synthetic.draw import (
    Bools,
    Floats,
    Generator,
    Ints,
    Strata,
    bounds_of,
    chance,
    choose,
    generator,
)
from data_contracts.synthetic.profile import BAND_FROM, BAND_TO, N_BANDS, Force, calibrated, forces, table

ALPHABET = np.array(list("ABDEFGHJLNPQRSTUWXYZ"))
CHECK_LETTERS = "ZABCDEFGHJKLMNPQRTUVWXY"
HERITAGES = (
    "british",
    "irish",
    "east_european",
    "south_european",
    "turkish",
    "indian",
    "pakistani",
    "african",
    "chinese",
)
N_DECADES = 9
N_CLASSES = 2 * N_BANDS
MINIMUM_POOL = 700
N_PNC_SERIALS = 8_900_000
GROUPS = ("", "twin", "father_son", "sibling", "namesake")
VARIANTS = tuple(table("variants")["variant"])
MAN, WOMAN = 1, 0

# Which heritage's names an ethnic group mostly bears: judgement, good enough to spread the names.
_HERITAGE_OF = {
    "W1": [("british", 1.0)],
    "W2": [("irish", 1.0)],
    "W3": [("irish", 0.5), ("british", 0.5)],
    "W9": [("east_european", 0.6), ("south_european", 0.2), ("turkish", 0.2)],
    "M1": [("british", 1.0)],
    "M2": [("british", 0.6), ("african", 0.4)],
    "M3": [("british", 0.5), ("indian", 0.5)],
    "M9": [("british", 0.7), ("south_european", 0.3)],
    "A1": [("indian", 1.0)],
    "A2": [("pakistani", 1.0)],
    "A3": [("pakistani", 1.0)],
    "A4": [("chinese", 1.0)],
    "A9": [("indian", 0.7), ("pakistani", 0.3)],
    "B1": [("british", 1.0)],
    "B2": [("african", 0.75), ("pakistani", 0.25)],
    "B9": [("british", 0.5), ("african", 0.5)],
    "O2": [("pakistani", 1.0)],
    "O9": [("pakistani", 0.3), ("british", 0.4), ("turkish", 0.3)],
}
ETHNICITIES = tuple(_HERITAGE_OF)
IC_OF = {
    "W1": "IC1",
    "W2": "IC1",
    "W3": "IC1",
    "W9": "IC2",
    "M1": "IC3",
    "M2": "IC3",
    "M3": "IC4",
    "M9": "IC9",
    "A1": "IC4",
    "A2": "IC4",
    "A3": "IC4",
    "A4": "IC5",
    "A9": "IC4",
    "B1": "IC3",
    "B2": "IC3",
    "B9": "IC3",
    "O2": "IC6",
    "O9": "IC9",
}


@dataclass
class People:
    """True persons, one an entry of every column, sorted by class (sex, then age band).

    `key`: number that identifies the person in the nation. `sex`: index into profile.SEXES. `born`: day.
    `pnc`: serial number, 0 without one. `group`: index into `GROUPS`, `group_no` the planted group.
    """

    key: Ints
    home: Ints
    sex: Ints
    band: Ints
    born: Ints
    ethnicity: Ints
    heritage: Ints
    forename: Ints
    middle: Ints
    surname: Ints
    outcode: Ints
    inward: Ints
    phone: Ints
    pnc: Ints
    pnc_year: Ints
    cro: Ints
    victim_weight: Floats
    suspect_weight: Floats
    group: Ints
    group_no: Ints

    def __len__(self) -> int:
        return len(self.key)

    def take(self, rows: Ints | Bools) -> People:
        return People(*(getattr(self, f.name)[rows] for f in fields(self)))

    @staticmethod
    def joined(parts: list[People]) -> People:
        return People(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(People)))

    @property
    def person_class(self) -> Ints:
        return self.sex * N_BANDS + self.band


@dataclass(frozen=True)
class Names:
    """Every forename and surname there is, and where each stratum of them lies."""

    forenames: pl.Series
    forename_strata: Strata
    surnames: pl.Series
    surname_strata: Strata
    nicknames: tuple[Ints, Ints, pl.Series]
    spellings: dict[str, list[str]]


@cache
def names() -> Names:
    """The names of the profile, sorted by stratum (heritage, sex, decade of birth; heritage)."""
    order = {h: i for i, h in enumerate(HERITAGES)}
    given = table("forenames").filter(pl.col("heritage").is_in(HERITAGES))
    decade = ((pl.col("born_decade") - 1924) // 10).fill_null(-1)
    given = given.with_columns(
        h=pl.col("heritage").replace_strict(order), s=(pl.col("sex") == "M").cast(pl.Int64), d=decade
    )
    # Names without a decade serve every decade.
    timeless = (
        given.filter(pl.col("d") < 0).drop("d").join(pl.DataFrame({"d": list(range(N_DECADES))}), how="cross")
    )
    given = (
        pl.concat([given.filter(pl.col("d") >= 0), timeless], how="diagonal_relaxed")
        .with_columns(stratum=(pl.col("h") * 2 + pl.col("s")) * N_DECADES + pl.col("d"))
        .sort("stratum", "weight", "name", descending=[False, True, False])
    )
    family = (
        _surnames()
        .with_columns(h=pl.col("heritage").replace_strict(order))
        .sort("h", "weight", "name", descending=[False, True, False])
    )
    nick = table("nicknames").group_by("name").agg(pl.col("nickname").sort()).sort("name")
    per_name = given.select("name").join(nick, on="name", how="left", maintain_order="left")["nickname"]
    lengths = per_name.list.len().fill_null(0).to_numpy().astype(np.int64)
    spelling = table("spelling_variants").group_by("name").agg(pl.col("variant").sort()).sort("name")
    return Names(
        forenames=given["name"],
        forename_strata=Strata(
            bounds_of(given["stratum"].to_numpy(), len(HERITAGES) * 2 * N_DECADES), given["weight"].to_numpy()
        ),
        surnames=family["name"],
        surname_strata=Strata(bounds_of(family["h"].to_numpy(), len(HERITAGES)), family["weight"].to_numpy()),
        nicknames=(lengths, np.cumsum(lengths) - lengths, per_name.drop_nulls().explode(empty_as_null=False)),
        spellings=dict(spelling.iter_rows()),
    )


def _surnames() -> pl.DataFrame:
    """The listed surnames, and a long tail of compound English ones for what the list leaves out."""
    listed = (
        table("surnames").filter(pl.col("heritage").is_in(HERITAGES)).select("heritage", "name", "weight")
    )
    parts = table("surname_parts")
    first, last = (
        parts.filter(pl.col("part") == p).select(pl.col("text").alias(p)) for p in ("first", "last")
    )
    left_out = 100 - listed.filter(pl.col("heritage") == "british")["weight"].sum()
    tail = first.join(last, how="cross").select(
        heritage=pl.lit("british"), name=pl.col("first") + pl.col("last"), weight=left_out / pl.len()
    )
    return pl.concat([listed, tail.filter(~pl.col("name").is_in(listed["name"].implode()))])


@cache
def _ethnicity_shares() -> Floats:
    """[force, ethnicity]"""
    census = table("ethnicity")
    wide = pl.DataFrame({"force_code": [f.code for f in forces()]}).join(
        census.pivot("ethnicity", index="force_code", values="population"),
        on="force_code",
        maintain_order="left",
    )
    return wide.select(ETHNICITIES).fill_null(0).cast(pl.Float64).to_numpy()


@cache
def _heritage_shares() -> Floats:
    """[ethnicity, heritage]"""
    shares = np.zeros((len(ETHNICITIES), len(HERITAGES)))
    for row, ethnicity in enumerate(ETHNICITIES):
        for heritage, share in _HERITAGE_OF[ethnicity]:
            shares[row, HERITAGES.index(heritage)] = share
    return shares


@cache
def _adult_ages() -> tuple[Floats, Ints, Ints]:
    """[force x sex, age group] population of adults, and the first and last age of each group."""
    people = (
        table("population")
        .with_columns(
            low=pl.col("age_band").str.extract(r"^(\d+)").cast(pl.Int64),
            high=pl.col("age_band").str.extract(r"(\d+)$").cast(pl.Int64).fill_null(94),
        )
        .filter(pl.col("low") >= 18)
    )
    groups = people.select("low", "high").unique().sort("low")
    cells = [
        people.filter((pl.col("force_code") == f.code) & (pl.col("sex") == s))
        .sort("low")["population"]
        .to_numpy()
        for f in forces()
        for s in ("F", "M")
    ]
    low, high = groups["low"].to_numpy(), groups["high"].to_numpy()
    # Crime falls with age; the tilt brings mean ages of victims and suspects to V20.
    return np.array(cells) * np.exp(-(low - 18) / 24.0), low, high


@cache
def outcodes() -> tuple[pl.Series, Strata]:
    """Outward codes in force order, one stratum a force."""
    number = {f.code: f.number for f in forces()}
    rows = table("outcodes").with_columns(n=pl.col("force_code").replace_strict(number)).sort("n", "outcode")
    return rows["outcode"], Strata(bounds_of(rows["n"].to_numpy(), len(number)), np.ones(rows.height))


def draw_people(rng: Generator, home: Ints, sex: Ints, band: Ints, reference: date, first_key: int) -> People:
    """Draw persons of the given home force, sex and age band (age on the reference day)."""
    n = len(home)
    age = BAND_FROM[band] + rng.random(n) * (BAND_TO[band] + 1 - BAND_FROM[band])
    shares, low, high = _adult_ages()
    grown = np.flatnonzero(band >= 4)
    young = shares * (low < 30)
    older = shares * (low >= 30)
    which = choose(
        rng, np.vstack([young, older]), (home[grown] * 2 + sex[grown]) + (band[grown] == 5) * len(shares)
    )
    age[grown] = low[which] + rng.random(len(grown)) * (high[which] + 1 - low[which])
    today = (reference - date(1970, 1, 1)).days
    # No one is so young as to be unborn when an earlier crime was committed.
    born = _no_day_zero(today - np.floor(np.maximum(age, 1.2) * 365.25).astype(np.int64))
    ethnicity = choose(rng, _ethnicity_shares(), home)
    heritage = choose(rng, _heritage_shares(), ethnicity)
    decade = np.clip((reference.year - age - 1919) // 10, 0, N_DECADES - 1).astype(np.int64)
    given = (heritage * 2 + sex) * N_DECADES + decade
    known = names()
    middle = known.forename_strata.pick(rng, given)
    pnc_share = 0.15 + 0.7 * (rng.random(n) ** 2)
    weight = np.minimum(
        1 + rng.pareto(calibrated("suspect_weight_tail"), n), calibrated("suspect_weight_cap")
    )
    has_pnc = (age >= 12) & (rng.random(n) < np.maximum(pnc_share * 0.6, 1 - 1.3 / weight))
    since = np.clip(13 + rng.gamma(2.0, 5.0, n), 12, np.maximum(age, 12.1))
    return People(
        key=first_key + np.arange(n),
        home=home,
        sex=sex,
        band=band,
        born=born,
        ethnicity=ethnicity,
        heritage=heritage,
        forename=known.forename_strata.pick(rng, given),
        middle=np.where(chance(rng, 0.62, n), middle, -1),
        surname=known.surname_strata.pick(rng, heritage),
        outcode=outcodes()[1].pick(rng, home),
        inward=rng.integers(0, 10 * 20 * 20, n),
        phone=rng.integers(0, 1_000_000, n),
        pnc=has_pnc.astype(np.int64),
        pnc_year=(reference.year - age + since).astype(np.int64),
        cro=has_pnc & chance(rng, 0.55, n),
        victim_weight=rng.lognormal(0, calibrated("victim_weight_sigma"), n),
        suspect_weight=np.where(sex == MAN, weight, np.minimum(weight, 20)),
        group=np.zeros(n, dtype=np.int64),
        group_no=np.zeros(n, dtype=np.int64),
    )


def pool_size(force: Force, scale: float) -> int:
    """How many persons a force draws on; never so few that an age class is empty."""
    people = calibrated("pool_per_annual_offence") * force.pool_factor * force.annual.sum() * scale
    return max(MINIMUM_POOL, round(people))


def _class_counts(n: int) -> Ints:
    shares = table("pool_classes")["share"].to_numpy()
    return np.maximum(8, np.round(n * shares / shares.sum())).astype(np.int64)


@dataclass(frozen=True)
class Travellers:
    """Persons whom several forces know: `knows[i, f]` says whether force `f` knows traveller `i`."""

    people: People
    knows: Bools


def draw_travellers(seed: int, scale: float, reference: date) -> Travellers:
    """The same for every force, whichever forces are asked for: drawn for the nation as a whole."""
    rng = generator(seed, "travellers")
    size = np.array([pool_size(f, scale) for f in forces()], dtype=float)
    n = max(40, round(size.sum() * calibrated("traveller_share")))
    home = rng.choice(len(size), n, p=size / size.sum())
    sex = chance(rng, 0.8, n).astype(np.int64)
    band = choose(rng, np.array([[0.05, 0.07, 0.4, 0.48]]), np.zeros(n, dtype=np.int64)) + 2
    people = draw_people(rng, home, sex, band, reference, first_key=1)
    people.suspect_weight = people.suspect_weight * 2
    people.pnc = np.where(people.pnc > 0, _pnc_serial(np.arange(n), 0, 400_000), 0)
    region = np.array([f.region for f in forces()])
    near = (region[:, None] == region[None, :]) * 6.0 * size[None, :] + 0.6 * size[None, :]
    np.fill_diagonal(near, 0)
    knows = np.zeros((n, len(size)), dtype=bool)
    knows[np.arange(n), home] = True
    for extra_share in (1.0, 0.3, 0.1):
        go = np.flatnonzero(chance(rng, extra_share, n))
        knows[go, choose(rng, near, home[go])] = True
    return Travellers(people, knows)


def _pnc_serial(index: Ints, first: int, size: int) -> Ints:
    """Distinct seven-figure serials within a force's own stretch, in no visible order."""
    return 1_000_000 + first + (index * 7919) % max(size, 1)


@dataclass
class Pool:
    """Everybody a force knows, and its nominals.

    Nominal `i < len(people)` is person `i`'s first; later ones are further nominals of `person_of[i]`.
    `main` and `second` are the nominals in use of each person, `second` -1 where there is none.
    `variants[:, v]` says whether a nominal differs in the way `VARIANTS[v]`; `noise` is the nominal's own
    random number. `victims` and `suspects` pick persons by class. `moves` counts changes of address; a
    nominal that was `sent` and has `changed` is sent again. `fated` are the nominals that the force will
    delete or find to be somebody it knows already; `removed` those of them that it has.
    """

    force: Force
    people: People
    person_of: Ints
    main: Ints
    second: Ints
    variants: Bools
    noise: Ints
    victims: Strata
    suspects: Strata
    moves: Ints
    died_on: Ints
    in_custody: Bools
    sent: Bools
    changed: Bools
    fated: Bools
    removed: Bools

    def nominal(self, rng: Generator, person: Ints) -> Ints:
        """The nominal a crime is recorded against: mostly the person's main one, else the duplicate."""
        other = self.second[person]
        return np.where((other >= 0) & chance(rng, 0.4, len(person)), other, self.main[person])

    def resurrect(self) -> None:
        """Nobody of the pool has died."""
        self.died_on[:] = np.iinfo(np.int64).max
        self.changed[:] = False

    def renew(self, rng: Generator, person: Ints) -> None:
        """Give these persons a new main nominal, for when they come to notice again."""
        n, first = len(person), len(self.person_of)
        self.main[person] = first + np.arange(n)
        self.variants = np.concatenate([self.variants, self.variants[person]])
        self.person_of = np.concatenate([self.person_of, person])
        self.noise = np.concatenate([self.noise, rng.integers(0, 1 << 40, n)])
        self.moves = np.concatenate([self.moves, np.zeros(n, dtype=np.int64)])
        for column in ("in_custody", "sent", "changed", "fated", "removed"):
            setattr(self, column, np.concatenate([getattr(self, column), np.zeros(n, dtype=bool)]))


def draw_pool(seed: int, force: Force, scale: float, reference: date, travellers: Travellers) -> Pool:
    """Draw a force's pool. Depends on seed, scale, force and reference day only."""
    rng = generator(seed, "pool", force.code)
    counts = _class_counts(pool_size(force, scale))
    n = int(counts.sum())
    person_class = np.repeat(np.arange(N_CLASSES), counts)
    home = np.full(n, force.number)
    own = draw_people(
        rng,
        home,
        person_class // N_BANDS,
        person_class % N_BANDS,
        reference,
        (force.number + 1) * 100_000_000,
    )
    size = np.array([pool_size(f, scale) for f in forces()], dtype=float)
    stretch = np.concatenate([[0], np.cumsum(size) / size.sum()])[force.number : force.number + 2]
    first = 400_000 + int(stretch[0] * (N_PNC_SERIALS - 400_000))
    room = int((stretch[1] - stretch[0]) * (N_PNC_SERIALS - 400_000))
    own.pnc = np.where(own.pnc > 0, _pnc_serial(np.arange(n), first, room), 0)
    _plant_groups(rng, own)
    people = People.joined([own, travellers.people.take(travellers.knows[:, force.number])])
    people = people.take(np.argsort(people.person_class, kind="stable"))
    return _with_nominals(rng, force, people)


def _with_nominals(rng: Generator, force: Force, people: People) -> Pool:
    n = len(people)
    likely = np.minimum(calibrated("second_nominal_share") * (0.6 + 0.25 * people.suspect_weight), 0.5)
    doubled = np.flatnonzero(chance(rng, likely, n))
    second = np.full(n, -1)
    second[doubled] = n + np.arange(len(doubled))
    person_of = np.concatenate([np.arange(n), doubled])
    shares = table("variants").select("first_nominal", "further_nominal").to_numpy()
    away = np.concatenate([people.home != force.number, np.ones(len(doubled), dtype=bool)])
    variants = rng.random((len(person_of), len(VARIANTS))) < shares[:, away.astype(int)].T
    bounds = bounds_of(people.person_class, N_CLASSES)
    m = len(person_of)
    # Its own generator: what becomes of nominals shifts nobody's name.
    fate = rng.spawn(1)[0].random(m)
    fated = np.concatenate(
        [
            (fate[:n] < calibrated("deleted_nominal_share")) & (second < 0),
            fate[n:] < calibrated("reidentified_share"),
        ]
    )
    return Pool(
        force=force,
        people=people,
        person_of=person_of,
        main=np.arange(n),
        second=second,
        variants=variants,
        noise=rng.integers(0, 1 << 40, m),
        victims=Strata(bounds, people.victim_weight),
        suspects=Strata(bounds, people.suspect_weight),
        moves=np.zeros(m, dtype=np.int64),
        died_on=np.full(n, np.iinfo(np.int64).max),
        in_custody=np.zeros(m, dtype=bool),
        sent=np.zeros(m, dtype=bool),
        changed=np.zeros(m, dtype=bool),
        fated=fated,
        removed=np.zeros(m, dtype=bool),
    )


def _plant_groups(rng: Generator, people: People) -> None:
    """Make some people alike on purpose. Partners stay within their class, where rows lie together."""
    n = len(people)
    serial = 0

    def copy(source: Ints, target: Ints, columns: tuple[str, ...], group: str) -> None:
        nonlocal serial
        for column in columns:
            getattr(people, column)[target] = getattr(people, column)[source]
        for rows in (source, target):
            people.group[rows] = GROUPS.index(group)
            people.group_no[rows] = serial + np.arange(len(rows)) + 1
        serial += len(source)

    free = np.ones(n, dtype=bool)

    def pairs(share: float) -> Ints:
        """First of two neighbours of one class, both not yet planted."""
        first = np.sort(rng.choice(n // 2, max(1, round(n * share / 2)), replace=False)) * 2
        same = people.person_class[first] == people.person_class[np.minimum(first + 1, n - 1)]
        first = first[same & free[first] & free[np.minimum(first + 1, n - 1)] & (first + 1 < n)]
        free[first] = free[first + 1] = False
        return first

    household = ("ethnicity", "heritage", "surname", "outcode", "inward")
    twins = pairs(calibrated("twin_share"))
    copy(twins, twins + 1, (*household, "born"), "twin")
    siblings = pairs(calibrated("sibling_share"))
    copy(siblings, siblings + 1, household, "sibling")
    namesakes = pairs(calibrated("namesake_share"))
    copy(namesakes, namesakes + 1, ("ethnicity", "heritage", "forename", "middle", "surname"), "namesake")
    people.born[namesakes[::2] + 1] = people.born[namesakes[::2]]
    n_fathers = max(1, round(n * calibrated("father_son_share") / 2))
    sons, fathers = (
        np.flatnonzero(free & (people.sex == MAN) & (people.band == band))[:n_fathers] for band in (4, 5)
    )
    paired = min(len(sons), len(fathers))
    sons, fathers = sons[:paired], fathers[:paired]
    copy(sons, fathers, (*household, "forename"), "father_son")
    people.born[fathers] = people.born[sons] - rng.integers(19 * 365, 35 * 365, paired)


def _no_day_zero(day: Ints) -> Ints:
    """1 January 1970 is what systems write for want of a date: nobody here was born on it."""
    return day + (day == 0)


def age_on(born: Ints, day: Ints) -> Ints:
    """Full years between two days."""
    return (_calendar(day) - _calendar(born)) // 10_000


_FIRST_YEAR, _LAST_YEAR = 1800, 2199


@cache
def _calendar_table() -> tuple[Ints, int]:
    """yyyymmdd of every day of the years above, and the day the table begins with."""
    dates = np.arange(f"{_FIRST_YEAR}-01-01", f"{_LAST_YEAR + 1}-01-01", dtype="datetime64[D]")
    years = dates.astype("datetime64[Y]").astype(np.int64) + 1970
    months = dates.astype("datetime64[M]").astype(np.int64) % 12 + 1
    days = (dates - dates.astype("datetime64[M]")).astype(np.int64) + 1
    return years * 10_000 + months * 100 + days, int(dates[0].astype(np.int64))


def _calendar(day: Ints) -> Ints:
    """yyyymmdd as a number, looked up: working it out for a million days takes numpy a second."""
    table_, first = _calendar_table()
    return table_[day - first]


def check_letter(year: pl.Expr, serial: pl.Expr) -> pl.Expr:
    """The check letter of a PNC or CRO number: two figures of the year before the serial, modulo 23."""
    number = (year % 100).cast(pl.String).str.zfill(2) + serial.cast(pl.String)
    return (
        number.cast(pl.Int64)
        .mod(23)
        .replace_strict(list(range(23)), list(CHECK_LETTERS), return_dtype=pl.String)
    )


def as_nominals(
    pool: Pool, nominal: Ints, person_ref: pl.Expr, variants: Bools | None = None
) -> pl.DataFrame:
    """The nominals as the force would write them: one row each, the columns of the `persons` extract.

    `person_ref`: an expression over the column `nominal`. `variants`: how each differs from the person, if
    not as the pool says.
    """
    p = pool.people
    person = pool.person_of[nominal]
    noise = pool.noise[nominal]
    differs = pool.variants[nominal] if variants is None else variants
    is_ = {v: differs[:, i] for i, v in enumerate(VARIANTS)}
    known = names()
    forename, surname = _spelt(pool, nominal, person, is_)
    middle = known.forenames.gather(np.maximum(p.middle[person], 0))
    has_middle = (p.middle[person] >= 0) & ~is_["no_middle_name"]
    born, has_birth_date = _written_birth_date(p.born[person], p.band[person] >= 4, is_, noise)
    moved = (pool.moves[nominal] + is_["moved_home"]) > 0
    where = noise + pool.moves[nominal] * 7919
    codes, strata = outcodes()
    local = strata.first[pool.force.number]
    n_local = strata.last[pool.force.number] - local + 1
    outcode = np.where(moved, local + where % n_local, p.outcode[person])
    inward = np.where(moved, (where // 97) % 4000, p.inward[person])
    has_ids = (p.pnc[person] > 0) & ~is_["no_ids"]
    # A wrong id is one nobody else holds: a slip at the keyboard that still has a good check letter.
    serial = np.where(is_["wrong_id"], 1_000_000 + N_PNC_SERIALS + noise % 90_000, p.pnc[person])
    stated = noise % 100
    frame = pl.DataFrame(
        {
            "nominal": nominal,
            "forename": forename,
            "middle": middle,
            "has_middle": has_middle,
            "surname": surname,
            "swapped": is_["names_swapped"],
            "born": born,
            "has_born": has_birth_date,
            "sex": p.sex[person],
            "ethnicity": p.ethnicity[person],
            "stated": stated,
            "outcode": codes.gather(outcode),
            "sector": inward // 400,
            "letter_1": pl.Series(ALPHABET[(inward // 20) % 20]),
            "letter_2": pl.Series(ALPHABET[inward % 20]),
            "has_postcode": (noise // 100) % 100 >= 6,
            "phone": p.phone[person],
            "has_phone": ~is_["no_phone"],
            "pnc": serial,
            "pnc_year": p.pnc_year[person],
            "has_pnc": has_ids,
            "has_cro": has_ids & (p.cro[person] > 0),
            "died_on": np.where(pool.died_on[person] < np.iinfo(np.int64).max, pool.died_on[person], 0),
            "in_custody": pool.in_custody[nominal],
            "key": p.key[person],
        }
    )
    full = pl.when("has_middle").then(pl.col("forename") + " " + pl.col("middle")).otherwise("forename")
    return frame.select(
        person_ref=person_ref,
        forenames=pl.when("swapped").then("surname").otherwise(full),
        surname=pl.when("swapped").then("forename").otherwise("surname"),
        date_of_birth=pl.when("has_born").then(pl.col("born").cast(pl.Int32).cast(pl.Date)),
        sex=_word("sex", ["F", "M"]),
        ethnicity_self_defined=pl.when(pl.col("stated") < 62)
        .then(_word("ethnicity", list(ETHNICITIES)))
        .when(pl.col("stated") < 78)
        .then(pl.lit("NS")),
        ethnicity_officer_defined=pl.when((pl.col("stated") % 10) < 8).then(
            _word("ethnicity", [IC_OF[e] for e in ETHNICITIES])
        ),
        disability=pl.when(pl.col("stated") % 7 == 0)
        .then(pl.lit("Y"))
        .when(pl.col("stated") % 7 < 5)
        .then(pl.lit("N"))
        .when(pl.col("stated") % 7 == 5)
        .then(pl.lit("NS")),
        postcode=pl.when("has_postcode").then(
            pl.format("{} {}{}{}", "outcode", "sector", "letter_1", "letter_2")
        ),
        pnc_id=pl.when("has_pnc").then(
            pl.format("{}/{}{}", "pnc_year", "pnc", check_letter(pl.col("pnc_year"), pl.col("pnc")))
        ),
        cro_number=pl.when("has_cro").then(_cro_number()),
        # No telephone has 14 figures: nobody real can be rung up.
        phone=pl.when("has_phone").then(pl.lit("07700900") + pl.col("phone").cast(pl.String).str.zfill(6)),
        deceased_on=pl.when(pl.col("died_on") > 0).then(pl.col("died_on").cast(pl.Int32).cast(pl.Date)),
        in_custody=pl.when("in_custody").then(pl.lit("Y")).otherwise(pl.lit("N")),
    )


def _cro_number() -> pl.Expr:
    serial = pl.col("key") % 899_999 + 100_000
    year = (pl.col("pnc_year") + 1) % 100
    return pl.format("{}/{}{}", serial, year.cast(pl.String).str.zfill(2), check_letter(year, serial))


def _word(column: str, words: list[str]) -> pl.Expr:
    return pl.col(column).replace_strict(list(range(len(words))), words, return_dtype=pl.String)


def _written_birth_date(born: Ints, adult: Bools, is_: dict[str, Bools], noise: Ints) -> tuple[Ints, Bools]:
    """The birth date as written, and whether one is. Children's dates are kept right, as offences hang on them."""
    calendar = _calendar(born)
    month, day = calendar // 100 % 100, calendar % 100
    swappable = is_["birth_date_swapped"] & adult & (day <= 12) & (day != month)
    swapped = (
        (calendar // 10_000 - 1970).astype("datetime64[Y]").astype("datetime64[M]") + (day - 1)
    ).astype("datetime64[D]") + (month - 1)
    slip = np.array([1, -1, 10, -10, 30, -30, 365, -365])[noise % 8]
    written = np.where(swappable, swapped.astype(np.int64), born)
    written = np.where(is_["birth_date_slip"] & adult & ~swappable, born + slip, written)
    return _no_day_zero(written), ~is_["birth_date_missing"]


def _spelt(pool: Pool, nominal: Ints, person: Ints, is_: dict[str, Bools]) -> tuple[pl.Series, pl.Series]:
    """Forename and surname as written on each nominal."""
    p, noise, known = pool.people, pool.noise[nominal], names()
    forename = known.forenames.gather(p.forename[person])
    lengths, starts, nicknames = known.nicknames
    n_nick = lengths[p.forename[person]]
    nick = nicknames.gather(
        np.minimum(starts[p.forename[person]] + noise % np.maximum(n_nick, 1), len(nicknames) - 1)
    )
    # A surname taken on marriage comes from the same heritage.
    strata = known.surname_strata
    heritage = p.heritage[person]
    other = strata.first[heritage] + noise % (strata.last[heritage] - strata.first[heritage] + 1)
    changed = is_["surname_changed"] & (p.sex[person] == WOMAN)
    surname = known.surnames.gather(np.where(changed, other, p.surname[person]))
    frame = pl.DataFrame(
        {
            "forename": forename,
            "nick": nick,
            "is_nick": is_["nickname"] & (n_nick > 0),
            "surname": surname,
            "noise": noise,
            "other_spelling": is_["other_spelling"],
            "typo_forename": is_["typo_forename"],
            "typo_surname": is_["typo_surname"],
        }
    ).with_columns(forename=pl.when("is_nick").then("nick").otherwise("forename"))
    frame = frame.with_columns(
        pl.when("other_spelling").then(_other_spelling(c)).otherwise(c).alias(c)
        for c in ("forename", "surname")
    ).with_columns(pl.when(f"typo_{c}").then(_typo(c)).otherwise(c).alias(c) for c in ("forename", "surname"))
    return frame["forename"], frame["surname"]


def _other_spelling(column: str) -> pl.Expr:
    known = {name: found[0] for name, found in names().spellings.items()}
    second = {name: found[-1] for name, found in names().spellings.items()}
    return (
        pl.when(pl.col("noise") % 2 == 0)
        .then(pl.col(column).replace(list(known), list(known.values())))
        .otherwise(pl.col(column).replace(list(second), list(second.values())))
    )


def _typo(column: str) -> pl.Expr:
    """One letter dropped, doubled, or exchanged with the next, never the first; short names are left."""
    name, length = pl.col(column), pl.col(column).str.len_chars()
    at = pl.col("noise") // 64 % (length.cast(pl.Int64) - 2).clip(1) + 1
    before, here, after = name.str.slice(0, at), name.str.slice(at, 1), name.str.slice(at + 1)
    kind = pl.col("noise") % 3
    return (
        pl.when(length < 4)
        .then(name)
        .when(kind == 0)
        .then(before + after)
        .when(kind == 1)
        .then(before + here + here + after)
        .otherwise(before + after.str.slice(0, 1) + here + after.str.slice(1))
    )


def as_aliases(pool: Pool, nominal: Ints, person_ref: pl.Expr) -> pl.DataFrame:
    """Other names and birth dates of these nominals, in the columns of `person_aliases`, without repeats."""
    noise = pool.noise[nominal]
    person = pool.person_of[nominal]
    n_aliases = np.where(
        noise // 1000 % 1000 < calibrated("alias_share") * 1000, 1 + (noise // 1_000_000) % 10 // 7, 0
    )
    n_aliases = np.where(
        pool.people.suspect_weight[person] > 2, n_aliases, np.minimum(n_aliases, noise // 7 % 3 // 2)
    )
    rows = np.repeat(np.arange(len(nominal)), n_aliases)
    which = np.arange(len(rows)) - np.repeat(np.cumsum(n_aliases) - n_aliases, n_aliases)
    kind = (noise[rows] // 13 + which) % 3
    known, people, owner = names(), pool.people, person[rows]
    lengths, starts, nicknames = known.nicknames
    n_nick = lengths[people.forename[owner]]
    nick_at = np.minimum(
        starts[people.forename[owner]] + (noise[rows] // 3) % np.maximum(n_nick, 1), len(nicknames) - 1
    )
    heritage = people.heritage[owner]
    strata = known.surname_strata
    other = strata.first[heritage] + (noise[rows] // 11) % (
        strata.last[heritage] - strata.first[heritage] + 1
    )
    grown = pool.people.band[owner] >= 4
    born = people.born[owner] + np.where((kind == 2) & grown, (noise[rows] // 17) % 1500 - 750, 0)
    frame = pl.DataFrame(
        {
            "nominal": nominal[rows],
            "nick": nicknames.gather(nick_at),
            "use_nick": (kind == 0) & (n_nick > 0),
            "forename": known.forenames.gather(people.forename[owner]),
            "surname": known.surnames.gather(np.where(kind == 1, other, people.surname[owner])),
            "born": born,
            "has_born": kind != 0,
        }
    )
    return frame.select(
        person_ref=person_ref,
        forenames=pl.when("use_nick").then("nick").otherwise("forename"),
        surname=pl.col("surname"),
        date_of_birth=pl.when("has_born").then(pl.col("born").cast(pl.Int32).cast(pl.Date)),
    ).unique(maintain_order=True)


def truth_of(pool: Pool, nominal: Ints, person_ref: pl.Expr) -> pl.DataFrame:
    """Who each nominal really is: record_id, force, reference, true_person_id, planted group and variants."""
    person = pool.person_of[nominal]
    p = pool.people
    force = pool.force.code
    labels = [pl.when(pl.Series(pool.variants[nominal, i])).then(pl.lit(v)) for i, v in enumerate(VARIANTS)]
    return (
        pl.DataFrame(
            {
                "nominal": nominal,
                "key": p.key[person],
                "is_traveller": p.key[person] < 100_000_000,
                "is_further": nominal >= len(p),
                "group": p.group[person],
                "group_no": p.group_no[person],
                "ethnicity": p.ethnicity[person],
                "sex": p.sex[person],
                "born": p.born[person],
            }
        )
        .with_columns(person_ref=person_ref)
        .select(
            record_id=pl.lit(force + "|") + pl.col("person_ref"),
            force_code=pl.lit(force),
            person_ref="person_ref",
            true_person_id=pl.lit("T") + pl.col("key").cast(pl.String).str.zfill(11),
            planted_group=_word("group", list(GROUPS)).replace("", None),
            planted_group_no=pl.when(pl.col("group") > 0).then(
                pl.lit(force) + "-" + pl.col("group_no").cast(pl.String)
            ),
            is_cross_border=pl.col("is_traveller"),
            is_further_nominal=pl.col("is_further"),
            variants=pl.concat_str(labels, separator=",", ignore_nulls=True).replace("", None),
            true_sex=_word("sex", ["F", "M"]),
            true_date_of_birth=pl.col("born").cast(pl.Int32).cast(pl.Date),
            true_ethnicity=_word("ethnicity", list(ETHNICITIES)),
        )
    )


assert set(ETHNICITIES) < set(code_list("ethnicity_self_defined")["code"])
