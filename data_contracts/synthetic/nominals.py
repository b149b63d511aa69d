"""A nation of nominals for examining the linkage: as many as wanted, hard on purpose, with the truth.

Belongs here: people with one to some forty records over all forces, what makes them alike (twins, father
and son, namesakes, somebody else's details given at arrest), and what makes their records differ. No
crimes: the nation of `nation.py` has those. Every share is in `profile/nominal_errors.csv`, the common
names with their spellings in `nominal_names.csv`, who bears them in `nominal_namings.csv`.

Names and dates are numbers until the last step: names are places in one vocabulary, days count from
1970-01-01.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

from data_contracts.rules.reference import placeholders
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
from data_contracts.synthetic.people import (
    ALPHABET,
    CHECK_LETTERS,
    ETHNICITIES,
    IC_OF,
    MAN,
    N_DECADES,
    WOMAN,
    draw_people,
    names,
    outcodes,
)
from data_contracts.synthetic.profile import AGE_BANDS, forces, table

REFERENCE = date(2026, 1, 1)
YOUNGEST_BAND = AGE_BANDS.index("age_13_15")
PLANTED = (
    None,
    "twin",
    "father_son",
    "sibling",
    "namesake_same_dob",
    "shared_details_at_arrest",
    "wrong_pnc",
)
MOST_MOVES = 5
MOST_PHONES = 5
MOST_REMEMBERED = 3
# How often another forename is drawn before one that is not quite as wanted will do.
N_TRIES = 12
# Homes fall on this many postcodes a district, so that about as many people share one as in life.
POSTCODES_A_DISTRICT = 700
PLACEHOLDER_PHONES = ("07000000000", "00000000000", "07777777777")


@dataclass(frozen=True)
class NominalsSummary:
    """What was written: `n_records` over `n_people`, the largest person's records, people by planted group."""

    n_records: int
    n_people: int
    largest_person: int
    n_planted: dict[str, int]
    records: tuple[Path, ...]
    truth: Path


def write_nominals(folder: Path, *, n_nominals: int, seed: int, n_months: int = 1) -> NominalsSummary:
    """Write `n_nominals` nominals and `truth.parquet` (one row a nominal each) into `folder`.

    Nominals are the fields of the `persons` extract with `record_id` (force_code|person_ref), `force_code`,
    `aliases` (full names joined by `|`) and `postcode_history` (earlier postcodes joined by `|`), in one
    `persons.parquet`, or one `persons_<month>.parquet` a month from 0 where `n_months` is over 1. Month 0
    holds most; what each later month adds falls on the prolific, as they have the most records. Truth has
    true_person_id, planted_group (see `PLANTED`), planted_group_no, true_ethnicity, true_sex and
    true_date_of_birth. Same arguments, same bytes. Raises ValueError below 1,000 nominals or one month.
    """
    if n_nominals < 1_000 or n_months < 1:
        raise ValueError("a nation needs 1,000 nominals and a month at least")
    folder.mkdir(parents=True, exist_ok=True)
    people = _draw_people(seed, n_nominals)
    records = _draw_records(seed, people)
    frame = _written(seed, people, records).with_columns(month=_months(records, n_months))
    frame = frame.sort("record_id")
    paths = []
    for month in range(n_months):
        path = folder / (f"persons_{month}.parquet" if n_months > 1 else "persons.parquet")
        frame.filter(pl.col("month") == month).drop("month", "person").write_parquet(path)
        paths.append(path)
    truth = folder / "truth.parquet"
    _truth(people, frame.select("record_id", "person")).write_parquet(truth)
    planted = np.bincount(people.group, minlength=len(PLANTED))
    return NominalsSummary(
        n_records=frame.height,
        n_people=len(people.n_records),
        largest_person=int(people.n_records.max()),
        n_planted={name: int(n) for name, n in zip(PLANTED, planted, strict=True) if name},
        records=tuple(paths),
        truth=truth,
    )


@cache
def _shares() -> dict[str, float]:
    return dict(table("nominal_errors").select("name", "share").iter_rows())


def _share(name: str) -> float:
    """A row of `nominal_errors.csv`. Raises KeyError on an unknown name."""
    return _shares()[name]


@dataclass(frozen=True)
class _Others:
    """Other forms of a name: those of name `i` are `forms[first[i]:first[i] + n[i]]`."""

    n: Ints
    first: Ints
    forms: Ints

    def pick(self, name: Ints, which: Ints) -> Ints:
        """One form of each name, chosen by `which`; the name itself where it has none."""
        n = self.n[name]
        at = np.minimum(self.first[name] + which % np.maximum(n, 1), len(self.forms) - 1)
        return np.where(n > 0, self.forms[at], name)


@dataclass(frozen=True)
class _Vocabulary:
    """Every name in any form, by its place; and where the common names of each naming lie.

    `common`, `strata` and `common_share` are by part (forename, surname), their strata naming x sex; the
    share is how many bear one of these rather than one of the profile's long list.
    """

    texts: pl.Series
    forename_of: Ints
    surname_of: Ints
    nicknames: _Others
    spellings: _Others
    namings: tuple[str, ...]
    common: dict[str, Ints]
    strata: dict[str, Strata]
    common_share: dict[str, Floats]


@cache
def _vocabulary() -> _Vocabulary:
    known = names()
    common = table("nominal_names")
    spelt = (
        common.select("name", variant=pl.col("spellings").str.split("|"))
        .explode("variant", empty_as_null=False)
        .drop_nulls()
    )
    other = pl.concat([table("spelling_variants").select("name", "variant"), spelt])
    # Whichever of two spellings is somebody's own, the other is how it gets written.
    other = pl.concat([other, other.select(name="variant", variant="name")]).unique().sort("name", "variant")
    nick = table("nicknames").select("name", variant="nickname").drop_nulls().unique().sort("name", "variant")
    nick = nick.filter(pl.col("variant").str.contains("^[A-Z' -]+$"))
    texts = pl.concat(
        [
            known.forenames,
            known.surnames,
            common["name"],
            other["name"],
            nick["name"],
            nick["variant"],
        ]
    ).unique(maintain_order=True)

    def places(column: pl.Series) -> Ints:
        return column.replace_strict(texts, np.arange(len(texts)), return_dtype=pl.Int64).to_numpy()

    def others(pairs: pl.DataFrame) -> _Others:
        name, form = places(pairs["name"]), places(pairs["variant"])
        order = np.argsort(name, kind="stable")
        bounds = bounds_of(name[order], len(texts))
        return _Others(n=np.diff(bounds), first=bounds[:-1], forms=form[order])

    namings = tuple(common["naming"].unique(maintain_order=True))
    # A name without a sex is borne by both.
    of_sex = common.with_columns(
        place=places(common["name"]),
        number=pl.col("naming").replace_strict(namings, range(len(namings)), return_dtype=pl.Int64) * 2,
        sex=pl.when(pl.col("sex").is_null()).then(pl.lit("F,M")).otherwise("sex").str.split(","),
    ).explode("sex", empty_as_null=False)
    of_sex = of_sex.with_columns(
        stratum=pl.col("number") + (pl.col("sex") == "M").cast(pl.Int64),
        percent=pl.col("percent").cast(pl.Float64),
    ).sort("stratum", maintain_order=True)
    per_part = {part: of_sex.filter(pl.col("part") == part) for part in ("forename", "surname")}
    n_strata = 2 * len(namings)
    strata = {
        part: Strata(bounds_of(rows["stratum"].to_numpy(), n_strata), rows["percent"].to_numpy())
        for part, rows in per_part.items()
    }
    return _Vocabulary(
        texts=texts,
        forename_of=places(known.forenames),
        surname_of=places(known.surnames),
        nicknames=others(nick),
        spellings=others(other),
        namings=namings,
        common={part: rows["place"].to_numpy() for part, rows in per_part.items()},
        strata=strata,
        common_share={
            part: rows.group_by("stratum").agg(pl.col("percent").sum()).sort("stratum")["percent"].to_numpy()
            / 100
            for part, rows in per_part.items()
        },
    )


@dataclass
class _People:
    """True persons, one an entry; `homes` and `n_moves` in the order they lived there."""

    n_records: Ints
    sex: Ints
    born: Ints
    ethnicity: Ints
    heritage: Ints
    naming: Ints
    forename: Ints
    middle: Ints
    surname: Ints
    second_surname: Ints
    married_surname: Ints
    married_from: Floats
    homes: Ints
    n_moves: Ints
    phones: Ints
    n_phones: Ints
    pnc_serial: Ints
    pnc_year: Ints
    has_cro: Bools
    habit: Floats
    group: Ints
    group_no: Ints
    other: Ints


def _records_a_person(rng: Generator, n_nominals: int) -> Ints:
    """How many records each person has, heavy-tailed, adding up to `n_nominals`."""
    sizes = np.arange(1, int(_share("n_records_cap")) + 1)
    odds = sizes ** -_share("n_records_power")
    odds /= odds.sum()
    enough = int(n_nominals / (odds @ sizes) * 1.05) + 300
    drawn = rng.choice(sizes, enough, p=odds)
    n_people = int(np.searchsorted(np.cumsum(drawn), n_nominals)) + 1
    drawn = drawn[:n_people]
    drawn[-1] -= drawn.sum() - n_nominals
    return drawn.astype(np.int64)


def _draw_people(seed: int, n_nominals: int) -> _People:
    def rng(purpose: str) -> Generator:
        return generator(seed, "nominals", purpose)

    n_records = _records_a_person(rng("records"), n_nominals)
    n, log_records = len(n_records), np.log(n_records)
    size = np.array([f.annual.sum() for f in forces()])
    home = rng("home").choice(len(size), n, p=size / size.sum())
    is_man = chance(
        rng("sex"),
        np.minimum(_share("male_share") + _share("male_share_by_log_records") * log_records, 0.97),
        n,
    )
    sex = np.where(is_man, MAN, WOMAN).astype(np.int64)
    bands = np.array([[_share(band) for band in AGE_BANDS[YOUNGEST_BAND:]]])
    band = choose(rng("band"), bands, np.zeros(n, dtype=np.int64)) + YOUNGEST_BAND
    drawn = draw_people(rng("people"), home, sex, band, REFERENCE, 0)
    naming, first_january = _namings(rng("naming"), drawn.ethnicity)
    born = np.where(first_january, _first_of_january(drawn.born), drawn.born)
    forename, middle, surname = _own_names(
        rng("names"), naming, sex, drawn.forename, drawn.middle, drawn.surname
    )
    known, words = names(), _vocabulary()
    draw = rng("second")
    second = words.surname_of[known.surname_strata.pick(draw, drawn.heritage)]
    marries = (sex == WOMAN) & chance(draw, _share("married_name_share"), n)
    married = words.surname_of[known.surname_strata.pick(draw, drawn.heritage)]
    n_moves = _count(
        rng("moves"), _share("moves") + _share("moves_by_log_records") * log_records, MOST_MOVES - 1
    )
    n_phones = 1 + _count(
        rng("phones"),
        _share("phone_changes") + _share("phone_changes_by_log_records") * log_records,
        MOST_PHONES - 1,
    )
    draw = rng("ids")
    holds = chance(
        draw, 1 - _share("pnc_without_share") * n_records.astype(float) ** -_share("pnc_without_power"), n
    )
    serial = _scattered(np.cumsum(holds), 8_999_983) + 1_000_000
    people = _People(
        n_records=n_records,
        sex=sex,
        born=_never_day_zero(born),
        ethnicity=drawn.ethnicity,
        heritage=drawn.heritage,
        naming=naming,
        forename=forename,
        middle=middle,
        surname=surname,
        second_surname=np.where(chance(draw, _share("double_surname_share"), n), second, -1),
        married_surname=np.where(marries, married, -1),
        married_from=draw.random(n),
        homes=_homes(rng("homes"), home, drawn.outcode),
        n_moves=n_moves,
        phones=(np.cumsum(n_phones) - n_phones)[:, None] + np.arange(MOST_PHONES),
        n_phones=n_phones,
        pnc_serial=np.where(holds, serial, 0),
        pnc_year=np.maximum(drawn.pnc_year, 1960),
        has_cro=holds & chance(draw, _share("cro_share"), n),
        habit=draw.random((n, 4)),
        group=np.zeros(n, dtype=np.int64),
        group_no=np.zeros(n, dtype=np.int64),
        other=np.full(n, -1, dtype=np.int64),
    )
    _plant(rng("planted"), people)
    return people


def _count(rng: Generator, mean: Floats, most: int) -> Ints:
    return np.minimum(rng.poisson(mean), most).astype(np.int64)


def _scattered(number: Ints, prime: int) -> Ints:
    """A different place below `prime` for each number below it, in no visible order."""
    return (number * 1_299_709 + 15_485_863) % prime


def _never_day_zero(day: Ints) -> Ints:
    """1 January 1970 is what systems write for want of a date: nobody here was born on it."""
    return np.where(day == 0, 365, day)


def _first_of_january(day: Ints) -> Ints:
    return day.astype("datetime64[D]").astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64)


def _namings(rng: Generator, ethnicity: Ints) -> tuple[Ints, Bools]:
    """Which common names people bear (-1: only the profile's), and whose birthday is 1 January for want of a date."""
    namings = _vocabulary().namings
    shares = np.zeros((len(ETHNICITIES), len(namings) + 1))
    first_january = np.zeros_like(shares)
    for row in table("nominal_namings").iter_rows(named=True):
        cell = ETHNICITIES.index(row["ethnicity"]), namings.index(row["naming"])
        shares[cell], first_january[cell] = row["share"], row["first_january_share"]
    shares[:, -1] = 1 - shares.sum(axis=1)
    naming = choose(rng, shares, ethnicity)
    dated = chance(rng, first_january[ethnicity, naming], len(ethnicity))
    return np.where(naming == len(namings), -1, naming), dated


def _own_names(
    rng: Generator, naming: Ints, sex: Ints, forename: Ints, middle: Ints, surname: Ints
) -> tuple[Ints, Ints, Ints]:
    """Places in the vocabulary of forename, middle name (-1: none) and surname."""
    words = _vocabulary()
    middles = _or_common(rng, "forename", naming, sex, words.forename_of[np.maximum(middle, 0)])
    return (
        _or_common(rng, "forename", naming, sex, words.forename_of[forename]),
        np.where(middle >= 0, middles, -1),
        _or_common(rng, "surname", naming, sex, words.surname_of[surname]),
    )


def _or_common(rng: Generator, part: str, naming: Ints, sex: Ints, name: Ints) -> Ints:
    """These names, or for as many as bear one a common name of their naming."""
    words = _vocabulary()
    stratum = np.maximum(naming, 0) * 2 + sex
    common = (naming >= 0) & chance(rng, words.common_share[part][stratum], len(naming))
    return np.where(common, words.common[part][words.strata[part].pick(rng, stratum)], name)


def _homes(rng: Generator, force: Ints, outcode: Ints) -> Ints:
    """[person, home] postcodes as numbers: where each lives one after the other, mostly not far."""
    strata = outcodes()[1]
    n = len(force)
    homes = np.empty((n, MOST_MOVES), dtype=np.int64)
    size = np.array([f.annual.sum() for f in forces()])
    near, same_force = _share("move_same_district_share"), _share("move_same_force_share")
    for turn in range(MOST_MOVES):
        if turn:
            how = rng.random(n)
            force = np.where(how < near + same_force, force, rng.choice(len(size), n, p=size / size.sum()))
            outcode = np.where(how < near, outcode, strata.pick(rng, force))
        homes[:, turn] = outcode * POSTCODES_A_DISTRICT + rng.integers(0, POSTCODES_A_DISTRICT, n)
    return homes


_FAMILY = ("ethnicity", "heritage", "naming", "surname", "second_surname")


class _Planter:
    """Makes people alike on purpose, in pairs, nobody twice; draws them in an order of its own."""

    def __init__(self, rng: Generator, people: _People) -> None:
        self.rng, self.people = rng, people
        self.queue = rng.permutation(len(people.sex))
        self.n_pairs = 0

    def pairs(self, share: float, of: Bools | None = None, both: bool = False) -> tuple[Ints, Ints]:
        """Two persons each, `share` of all people; the first (or both) of the kind asked for."""
        wanted = max(2, round(len(self.people.sex) * share / 2))
        first, second = self._take(wanted, of), self._take(wanted, of if both else None)
        paired = min(len(first), len(second))
        return first[:paired], second[:paired]

    def _take(self, wanted: int, of: Bools | None) -> Ints:
        taken = (self.queue if of is None else self.queue[of[self.queue]])[:wanted]
        self.queue = self.queue[~np.isin(self.queue, taken)]
        return taken

    def copy(self, first: Ints, second: Ints, *columns: str) -> None:
        if "sex" in columns:
            # Whoever changes sex leaves their middle name behind.
            self.people.middle[second[self.people.sex[second] != self.people.sex[first]]] = -1
        for column in columns:
            getattr(self.people, column)[second] = getattr(self.people, column)[first]

    def household(self, first: Ints, second: Ints) -> None:
        """One first home for both, and in most of them one telephone."""
        self.people.homes[second, 0] = self.people.homes[first, 0]
        shared = chance(self.rng, _share("shared_phone_share"), len(first))
        self.people.phones[second[shared], 0] = self.people.phones[first[shared], 0]

    def label(self, first: Ints, second: Ints, group: str) -> None:
        people = self.people
        for rows, opposite in ((first, second), (second, first)):
            people.group[rows] = PLANTED.index(group)
            people.group_no[rows] = self.n_pairs + np.arange(len(rows)) + 1
            people.other[rows] = opposite
        self.n_pairs += len(first)


def _plant(rng: Generator, people: _People) -> None:
    """Twins, fathers and sons, siblings, liars, namesakes, partners, and numbers under the wrong person."""
    planter = _Planter(rng, people)
    repeated = people.n_records > 1

    twins = planter.pairs(_share("twin_share"))
    planter.copy(*twins, *_FAMILY, "born")
    planter.household(*twins)
    like = chance(rng, _share("like_sounding_twin_share"), len(twins[0]))
    planter.copy(twins[0][like], twins[1][like], "sex")
    _other_forename(rng, people, *twins, like)
    planter.label(*twins, "twin")

    young = (people.sex == MAN) & (people.born > _day(date(1975, 1, 1)))
    sons, fathers = planter.pairs(_share("father_son_share"), young)
    planter.copy(sons, fathers, *_FAMILY, "sex", "forename")
    planter.household(sons, fathers)
    older = rng.integers(18 * 365, 38 * 365, len(sons))
    people.born[fathers] = _never_day_zero(people.born[sons] - older)
    planter.label(sons, fathers, "father_son")

    # An arrest under somebody else's name shows only where both have further records.
    lies = 2 * _share("false_details_share") * people.n_records.mean()
    for siblings, group in (
        (planter.pairs(_share("sibling_share")), "sibling"),
        (planter.pairs(lies, repeated, both=True), "shared_details_at_arrest"),
    ):
        planter.copy(*siblings, *_FAMILY)
        planter.household(*siblings)
        if group != "sibling":
            planter.copy(*siblings, "sex")
        older = rng.integers(300, 3000, len(siblings[0]))
        people.born[siblings[1]] = _never_day_zero(people.born[siblings[0]] - older)
        _other_forename(rng, people, *siblings)
        planter.label(*siblings, group)

    namesakes = planter.pairs(_share("namesake_share"), repeated, both=True)
    planter.copy(*namesakes, *_FAMILY, "sex", "forename", "born")
    planter.label(*namesakes, "namesake_same_dob")

    # Partners are nobody's planted group: one home, one telephone, and half the time one surname.
    partners = planter.pairs(_share("partner_share"))
    planter.household(*partners)
    same = chance(rng, _share("partner_surname_share"), len(partners[0]))
    planter.copy(partners[0][same], partners[1][same], "surname")

    _plant_wrong_numbers(planter)
    people.married_surname[people.sex == MAN] = -1
    # Nobody is in the national computer as a child, whatever their birth date was changed to.
    ten = (people.born / 365.25 + 1970 + 10).astype(np.int64)
    people.pnc_year = np.clip(people.pnc_year, np.minimum(ten, REFERENCE.year - 1), REFERENCE.year - 1)


def _plant_wrong_numbers(planter: _Planter) -> None:
    """A number written under the wrong person joins two who have nothing to do with each other."""
    people = planter.people
    holders = np.flatnonzero((people.group == 0) & (people.pnc_serial > 0))
    n_records = people.n_records[holders]
    n_written = people.n_records[people.pnc_serial > 0].sum() * _share("pnc_written_share")
    n_pairs = max(2, round(n_written * _share("pnc_of_another_share")))
    chosen = planter.rng.choice(holders, 2 * n_pairs, replace=False, p=n_records / n_records.sum())
    planter.label(chosen[:n_pairs], chosen[n_pairs:], "wrong_pnc")


def _day(on: date) -> int:
    return (on - date(1970, 1, 1)).days


def _other_forename(
    rng: Generator, people: _People, first: Ints, second: Ints, like: Bools | None = None
) -> None:
    """Give the second of each pair a forename of their own; `like`: with the same initial as the first's."""
    words, known = _vocabulary(), names()
    naming, sex = people.naming[second], people.sex[second]
    # Decades of birth as the forenames are kept, from 1919.
    decade = np.clip((people.born[second] // 365.25 + 51) // 10, 0, N_DECADES - 1).astype(np.int64)
    stratum = (people.heritage[second] * 2 + sex) * N_DECADES + decade
    taken = people.forename[first]
    initial = words.texts.str.slice(0, 1).cast(pl.Categorical).to_physical().to_numpy()
    like = np.zeros(len(first), dtype=bool) if like is None else like
    chosen, open_ = taken.copy(), np.ones(len(first), dtype=bool)
    for _ in range(N_TRIES):
        drawn = words.forename_of[known.forename_strata.pick(rng, stratum)]
        drawn = _or_common(rng, "forename", naming, sex, drawn)
        better = open_ & (drawn != taken)
        chosen = np.where(better, drawn, chosen)
        open_ &= ~better | (like & (initial[drawn] != initial[taken]))
    people.forename[second] = chosen


@dataclass
class _Records:
    """One entry a nominal: whose it is, when in that person's time (0..1) it was made, and what it says."""

    person: Ints
    when: Floats
    force: Ints
    forename: Ints
    middle: Ints
    surname: Ints
    second_surname: Ints
    born: Ints
    sex: Ints
    home: Ints
    tells_other: Bools


def _draw_records(seed: int, people: _People) -> _Records:
    def rng(purpose: str) -> Generator:
        return generator(seed, "nominals", "record", purpose)

    person = np.repeat(np.arange(len(people.sex)), people.n_records)
    n = len(person)
    when = rng("when").random(n)
    home = np.floor(when * people.n_moves[person] + people.habit[person, 0]).astype(np.int64)
    home = np.minimum(home, people.n_moves[person])
    tells_other = _one_record_of(rng("lies"), people, person, "shared_details_at_arrest")
    said = np.where(tells_other, people.other[person], person)
    forename, middle = _given_names(rng("given"), people, person, said)
    surname, second = _family_names(rng("family"), people, said, when)
    return _Records(
        person=person,
        when=when,
        force=_forces(rng("force"), people, person, home),
        forename=forename,
        middle=np.where(tells_other, -1, middle),
        surname=surname,
        second_surname=second,
        born=_birth_dates(rng("born"), people, person, said),
        sex=people.sex[person],
        home=home,
        tells_other=tells_other,
    )


def _one_record_of(rng: Generator, people: _People, person: Ints, group: str) -> Bools:
    """One record of the first of each pair of a planted group."""
    first = np.flatnonzero(people.group == PLANTED.index(group))
    first = first[np.unique(people.group_no[first], return_index=True)[1]]
    # Liars need a record of their own as well.
    opposite = people.other[first]
    first = np.where(people.n_records[opposite] > people.n_records[first], opposite, first)
    start = np.cumsum(people.n_records) - people.n_records
    at = start[first] + (rng.random(len(first)) * people.n_records[first]).astype(np.int64)
    chosen = np.zeros(len(person), dtype=bool)
    chosen[at] = True
    return chosen


def _given_names(rng: Generator, people: _People, person: Ints, said: Ints) -> tuple[Ints, Ints]:
    """Forename and middle name (-1: not written) of each record, in the form it is written there."""
    words, n = _vocabulary(), len(person)
    forename, middle = people.forename[said], people.middle[said]

    def habit(column: int, kind: str, otherwise: str) -> Bools:
        goes_by = people.habit[said, column] < _share(f"{kind}_person_share")
        return chance(rng, np.where(goes_by, _share(f"{kind}_habit_share"), _share(otherwise)), n)

    by_middle = habit(1, "middle", "middle_used_share") & (middle >= 0)
    forename, middle = (
        np.where(by_middle, middle, forename),
        np.where(
            by_middle, np.where(rng.random(n) < _share("middle_keeps_first_share"), forename, -1), middle
        ),
    )
    by_nickname = habit(2, "nickname", "nickname_share")
    # A nickname stays with the person: which one is drawn once.
    which = (people.habit[said, 3] * 1_000).astype(np.int64)
    forename = np.where(by_nickname, words.nicknames.pick(forename, which), forename)
    forename = _respelt(rng, people, said, forename)
    written = (middle >= 0) & chance(rng, _share("middle_written_share"), n)
    return forename, np.where(written, middle, -1)


def _respelt(rng: Generator, people: _People, said: Ints, name: Ints) -> Ints:
    n = len(name)
    share = np.where(people.naming[said] >= 0, _share("transliterated_share"), _share("respelt_share"))
    other = _vocabulary().spellings.pick(name, rng.integers(0, 60, n))
    return np.where(chance(rng, share, n), other, name)


def _family_names(rng: Generator, people: _People, said: Ints, when: Floats) -> tuple[Ints, Ints]:
    """Surname and second surname (-1: none) of each record. The second is -2 less the place where a blank joins them."""
    n = len(said)
    surname, second = people.surname[said], people.second_surname[said]
    married = (people.married_surname[said] >= 0) & (when > people.married_from[said])
    adds = people.habit[said, 1] > 1 - _share("married_double_share")
    second = np.where(married, np.where(adds, people.married_surname[said], -1), second)
    surname = np.where(married & ~adds, people.married_surname[said], surname)
    surname = _respelt(rng, people, said, surname)
    how = rng.random(n)
    blank, first, last = np.cumsum(
        [_share(f"double_surname_{form}_share") for form in ("blank", "first", "last")]
    )
    double = second >= 0
    only_first, only_last = double & (how >= blank) & (how < first), double & (how >= first) & (how < last)
    surname = np.where(only_last, second, surname)
    second = np.where(only_first | only_last, -1, second)
    return surname, np.where((second >= 0) & (how < blank), -2 - second, second)


def _birth_dates(rng: Generator, people: _People, person: Ints, said: Ints) -> Ints:
    """The birth date of each record, as a day, with the ways dates go wrong."""
    n = len(said)
    born = people.born[said]
    gives_other = (people.habit[person, 3] < _share("other_birth_person_share")) & chance(
        rng, _share("other_birth_habit_share"), n
    )
    shift = (people.habit[person, 0] * 3_000).astype(np.int64) - 1_500
    born = np.where(gives_other, born + shift, born)
    kind = rng.random(n)
    limit = np.cumsum([_share(f"birth_{k}_share") for k in ("swapped", "slip", "year")])
    wrong = np.flatnonzero(kind < limit[-1])
    months = born[wrong].astype("datetime64[D]").astype("datetime64[M]")
    year, month = np.divmod(months.astype(np.int64), 12)
    day = born[wrong] - months.astype("datetime64[D]").astype(np.int64)
    kind, figure = kind[wrong], rng.integers(0, 5, len(wrong))
    step = rng.integers(1, 9, len(wrong)) * np.where(rng.random(len(wrong)) < 0.5, 1, -1)
    swapped = (kind < limit[0]) & (day < 12)
    slip = (kind >= limit[0]) & (kind < limit[1])
    near = kind >= limit[1]
    old_day, old_month = day, month
    day = np.where(swapped, old_month, np.where(slip & (figure == 0), (day + step) % 28, day))
    day = np.where(slip & (figure == 1), (day + 10) % 28, day)
    month = np.where(swapped, old_day, np.where(slip & (figure == 2), (month + step) % 12, month))
    year = year + np.where(near, np.sign(step), 0)
    # The last figure of the year, or the one before it.
    ones = (year + 1970) % 10
    year = np.where(slip & (figure == 3), year - ones + (ones + step) % 10, year)
    year = year + np.where(slip & (figure == 4), np.where(year > 10, -10, 10), 0)
    moved = (year * 12 + month).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) + np.minimum(
        day, 27 + (day == old_day) * (month == old_month) * 3
    )
    born = born.copy()
    born[wrong] = np.minimum(moved, _day(REFERENCE) - 1)
    return _never_day_zero(born)


def _forces(rng: Generator, people: _People, person: Ints, home: Ints) -> Ints:
    """The force that keeps each record: the one of the home, or another; the prolific cross borders most."""
    strata = outcodes()[1]
    outcode = people.homes[person, home] // POSTCODES_A_DISTRICT
    own = np.searchsorted(strata.first, outcode, side="right") - 1
    region = np.unique([f.region for f in forces()], return_inverse=True)[1]
    order = np.argsort(region, kind="stable")
    size = np.array([f.annual.sum() for f in forces()])
    neighbours = Strata(bounds_of(region[order], region.max() + 1), size[order])
    n = len(person)
    anywhere = rng.choice(len(size), n, p=size / size.sum())
    near = chance(rng, _share("other_force_same_region_share"), n)
    other = np.where(near, order[neighbours.pick(rng, region[own])], anywhere)
    share = _share("other_force_share") + _share("other_force_by_log_records") * np.log(
        people.n_records[person]
    )
    return np.where(chance(rng, share, n), other, own)


def _months(records: _Records, n_months: int) -> pl.Series:
    """The month each record came in: the latest in their persons' time come last."""
    n = len(records.when)
    later = round(n * _share("month_share") / (1 + _share("month_share") * (n_months - 1)))
    month = np.zeros(n, dtype=np.int64)
    order = np.argsort(records.when, kind="stable")
    for back in range(n_months - 1):
        month[order[n - later * (back + 1) : n - later * back]] = n_months - 1 - back
    return pl.Series("month", month)


def _written(seed: int, people: _People, records: _Records) -> pl.DataFrame:
    """The nominals as the forces write them, with `person`, the number of the true person."""

    def rng(purpose: str) -> Generator:
        return generator(seed, "nominals", "written", purpose)

    person, n = records.person, len(records.person)
    refs = pl.DataFrame(
        {
            "person": person,
            "force_code": pl.Series([f.code for f in forces()]).gather(records.force),
            "number": rng("refs").permutation(n),
        }
    ).select(
        "person", "force_code", person_ref=pl.format("N{}", pl.col("number").cast(pl.String).str.zfill(8))
    )
    parts = [
        refs.with_columns(record_id=pl.format("{}|{}", "force_code", "person_ref")),
        _written_names(rng("names"), people, records),
        _written_birth(rng("birth"), records),
        _written_marks(rng("marks"), people, records),
        _written_homes(rng("homes"), people, records),
        _written_ids(rng("ids"), people, records),
        _written_phones(rng("phones"), people, records),
    ]
    return pl.concat(parts, how="horizontal").select(
        "record_id",
        "force_code",
        "person_ref",
        "forenames",
        "surname",
        "date_of_birth",
        "sex",
        "ethnicity_self_defined",
        "ethnicity_officer_defined",
        "disability",
        "postcode",
        "pnc_id",
        "cro_number",
        "phone",
        "deceased_on",
        "in_custody",
        "aliases",
        "postcode_history",
        "person",
    )


def _written_names(rng: Generator, people: _People, records: _Records) -> pl.DataFrame:
    words, n, person = _vocabulary(), len(records.person), records.person
    texts, forename = _misspelt(rng, words.texts, records.forename, _share("typo_forename_share"))
    texts, surname = _misspelt(rng, texts, records.surname, _share("typo_surname_share"))
    second = np.where(records.second_surname < -1, -2 - records.second_surname, records.second_surname)
    own_forename, own_surname = people.forename[person], people.surname[person]
    differs = (forename != own_forename) | (surname != own_surname)
    invented = words.surname_of[names().surname_strata.pick(rng, people.heritage[person])]
    married = (people.married_surname[person] >= 0) & (records.when > people.married_from[person])
    kinds = {
        "own": differs & ~married & chance(rng, _share("alias_own_name_share"), n),
        "earlier": married & chance(rng, _share("alias_earlier_surname_share"), n),
        "invented": chance(rng, _share("alias_invented_share"), n),
    }
    frame = pl.DataFrame(
        {
            "forename": texts.gather(forename),
            "middle": texts.gather(np.maximum(records.middle, 0)),
            "has_middle": records.middle >= 0,
            "middle_initial": chance(rng, _share("middle_initial_share"), n),
            "family": texts.gather(surname),
            "second": texts.gather(np.maximum(second, 0)),
            "has_second": second >= 0,
            "joined_by": pl.Series(np.where(records.second_surname < -1, " ", "-")),
            "initial": chance(rng, _share("initial_share"), n),
            "swapped": chance(rng, _share("swapped_share"), n),
            "unknown": chance(rng, _share("name_unknown_share"), n),
            "own_forename": texts.gather(own_forename),
            "own_surname": texts.gather(own_surname),
            "invented_surname": texts.gather(invented),
            **kinds,
        }
    )
    middle = pl.when("middle_initial").then(pl.col("middle").str.slice(0, 1)).otherwise("middle")
    frame = frame.with_columns(
        forename=pl.when("unknown")
        .then(pl.lit("UNKNOWN"))
        .when("initial")
        .then(pl.col("forename").str.slice(0, 1))
        .otherwise("forename"),
        family=pl.when("has_second")
        .then(pl.col("family") + pl.col("joined_by") + pl.col("second"))
        .otherwise("family"),
        has_middle=pl.col("has_middle") & ~pl.col("unknown"),
    ).with_columns(
        given=pl.when("has_middle").then(pl.col("forename") + " " + middle).otherwise("forename"),
    )
    aliases = pl.concat_str(
        pl.when("own").then(pl.col("own_forename") + " " + pl.col("own_surname")),
        pl.when("earlier").then(pl.col("forename") + " " + pl.col("own_surname")),
        pl.when("invented").then(pl.col("own_forename") + " " + pl.col("invented_surname")),
        separator="|",
        ignore_nulls=True,
    )
    return frame.select(
        forenames=pl.when("swapped").then("family").otherwise("given"),
        surname=pl.when("swapped").then("forename").otherwise("family"),
        aliases=pl.when(aliases != "").then(aliases),
    )


def _misspelt(rng: Generator, texts: pl.Series, name: Ints, share: float) -> tuple[pl.Series, Ints]:
    """Some names with one letter dropped, doubled, replaced or exchanged with the next, as further places of `texts`.

    A slip that makes a word for nobody (DALE, MALE) is no slip of a name and stays away.
    """
    wrong = np.flatnonzero(chance(rng, share, len(name)))
    right = texts.gather(name[wrong])
    length = right.str.len_chars().to_numpy().astype(np.int64)
    # The first letter is seldom wrong, and a short name would become another.
    at = 1 + (rng.random(len(wrong)) * np.maximum(length - 2, 1)).astype(np.int64)
    at = np.where(rng.random(len(wrong)) < _share("typo_first_letter_share"), 0, at)
    frame = pl.DataFrame(
        {
            "name": right,
            "at": at,
            "kind": rng.integers(0, 4, len(wrong)),
            "letter": pl.Series(ALPHABET[rng.integers(0, len(ALPHABET), len(wrong))]),
        }
    )
    before, here, after = (
        pl.col("name").str.slice(0, pl.col("at")),
        pl.col("name").str.slice(pl.col("at"), 1),
        pl.col("name").str.slice(pl.col("at") + 1),
    )
    typed = frame.select(
        pl.when(pl.col("name").str.len_chars() < 4)
        .then("name")
        .when(pl.col("kind") == 0)
        .then(before + after)
        .when(pl.col("kind") == 1)
        .then(before + here + here + after)
        .when(pl.col("kind") == 2)
        .then(before + pl.col("letter") + after)
        .otherwise(before + after.str.slice(0, 1) + here + after.str.slice(1))
    ).to_series()
    typed = right.zip_with(typed.is_in(placeholders("name")), typed)
    name = name.copy()
    name[wrong] = len(texts) + np.arange(len(wrong))
    return pl.concat([texts, typed]), name


def _written_birth(rng: Generator, records: _Records) -> pl.DataFrame:
    n = len(records.born)
    kind = rng.random(n)
    missing = _share("birth_missing_share")
    placeholder = (kind >= missing) & (kind < missing + _share("birth_placeholder_share"))
    day = np.where(placeholder, np.where(rng.random(n) < 0.5, _day(date(1900, 1, 1)), 0), records.born)
    return pl.DataFrame({"born": day, "known": kind >= missing}).select(
        date_of_birth=pl.when("known").then(pl.col("born").cast(pl.Int32).cast(pl.Date))
    )


def _written_marks(rng: Generator, people: _People, records: _Records) -> pl.DataFrame:
    """Sex, ethnicity, disability, death and custody: what says little about who somebody is."""
    person, n = records.person, len(records.person)
    kind = rng.random(n)
    missing, wrong = _share("sex_missing_share"), _share("sex_missing_share") + _share("sex_wrong_share")
    sex = np.where(kind < missing, 2, np.where(kind < wrong, 1 - records.sex, records.sex))
    dead = people.habit[person, 2] > 1 - _share("deceased_share")
    not_stated = chance(rng, _share("ethnicity_not_stated_share"), n)
    disabled, not_said = _share("disabled_share"), _share("disability_not_stated_share")
    disability = rng.choice(3, n, p=[disabled, 1 - disabled - not_said, not_said])
    return pl.DataFrame(
        {
            "sex": pl.Series(np.array(["F", "M", "U"])[sex]),
            "ethnicity_self_defined": _some(
                rng,
                np.append(ETHNICITIES, "NS"),
                np.where(not_stated, len(ETHNICITIES), people.ethnicity[person]),
                _share("ethnicity_self_share"),
            ),
            "ethnicity_officer_defined": _some(
                rng,
                np.array([IC_OF[e] for e in ETHNICITIES]),
                people.ethnicity[person],
                _share("ethnicity_officer_share"),
            ),
            "disability": _some(
                rng, np.array(["Y", "N", "NS"]), disability, _share("disability_known_share")
            ),
            "deceased_on": pl.Series(np.where(dead, _day(REFERENCE) - 30, -1)),
            "in_custody": pl.Series(np.where(chance(rng, _share("in_custody_share"), n), "Y", "N")),
        }
    ).with_columns(
        deceased_on=pl.when(pl.col("deceased_on") >= 0).then(
            pl.col("deceased_on").cast(pl.Int32).cast(pl.Date)
        )
    )


def _some(rng: Generator, words: np.ndarray, which: Ints, share: float) -> pl.Series:
    """The words, each kept with the given share and otherwise null."""
    text = pl.Series(words.astype(str)).gather(which)
    return pl.select(pl.when(pl.Series(chance(rng, share, len(which)))).then(text)).to_series()


def _postcodes(home: Ints) -> pl.Series:
    """Text of the postcodes numbered `home`: a real outward code, a drawn inward one."""
    outcode, unit = np.divmod(home, POSTCODES_A_DISTRICT)
    return outcodes()[0].gather(outcode) + " " + _inward_codes().gather((unit * 37 + outcode * 11) % 4_000)


@cache
def _inward_codes() -> pl.Series:
    number = np.arange(4_000)
    first, second = (pl.Series(ALPHABET[place]) for place in (number // 20 % 20, number % 20))
    return pl.Series(number // 400).cast(pl.String) + first + second


def _written_homes(rng: Generator, people: _People, records: _Records) -> pl.DataFrame:
    person, n = records.person, len(records.person)
    home = people.homes[person, records.home]
    # Another postcode of the same district.
    slip = chance(rng, _share("postcode_slip_share"), n).astype(np.int64)
    home = home // POSTCODES_A_DISTRICT * POSTCODES_A_DISTRICT + (home + slip) % POSTCODES_A_DISTRICT
    kind = rng.random(n)
    missing = _share("postcode_missing_share")
    columns = {
        "postcode": _postcodes(home),
        "known": kind >= missing,
        "no_abode": (kind >= missing) & (kind < missing + _share("postcode_no_abode_share")),
    }
    earlier = []
    for back in range(1, MOST_REMEMBERED + 1):
        kept = (records.home >= back) & chance(rng, _share("postcode_history_share"), n)
        columns[f"home_{back}"] = _postcodes(people.homes[person, np.maximum(records.home - back, 0)])
        columns[f"keeps_{back}"] = kept
        earlier.append(pl.when(f"keeps_{back}").then(f"home_{back}"))
    history = pl.concat_str(earlier, separator="|", ignore_nulls=True)
    return pl.DataFrame(columns).select(
        postcode=pl.when("no_abode").then(pl.lit("ZZ99 3VZ")).when("known").then("postcode"),
        postcode_history=pl.when(history != "").then(history),
    )


def _written_ids(rng: Generator, people: _People, records: _Records) -> pl.DataFrame:
    person, n = records.person, len(records.person)
    written = (people.pnc_serial[person] > 0) & chance(rng, _share("pnc_written_share"), n)
    told = records.tells_other
    written &= ~told | chance(rng, _share("false_details_with_id_share"), n)
    borrowed = _one_record_of(rng, people, person, "wrong_pnc")
    owner = np.where(borrowed, people.other[person], person)
    written |= borrowed
    serial, year = people.pnc_serial[owner], people.pnc_year[owner]
    letter = np.array(list(CHECK_LETTERS))
    pnc_letter = letter[(year % 100 * 10_000_000 + serial) % 23]
    step = 10 ** rng.integers(0, 6, n)
    slip = chance(rng, _share("pnc_slip_share"), n)
    serial = serial + np.where(slip, np.where(serial + step < 10_000_000, step, -step), 0)
    cro_serial, cro_year = (_cro_serials(people)[person], people.pnc_year[person] % 100)
    has_cro = people.has_cro[person] & chance(rng, _share("cro_written_share"), n) & ~told
    return pl.DataFrame(
        {
            "year": year,
            "serial": serial,
            "letter": pl.Series(pnc_letter),
            "written": written,
            "cro_serial": cro_serial,
            "cro_year": cro_year,
            "cro_letter": pl.Series(letter[(cro_year * 1_000_000 + cro_serial) % 23]),
            "has_cro": has_cro,
        }
    ).select(
        pnc_id=pl.when("written").then(pl.format("{}/{}{}", "year", "serial", "letter")),
        cro_number=pl.when("has_cro").then(
            pl.format("{}/{}{}", "cro_serial", pl.col("cro_year").cast(pl.String).str.zfill(2), "cro_letter")
        ),
    )


def _cro_serials(people: _People) -> Ints:
    """A serial number for every person that nobody else of the same PNC year has."""
    order = np.argsort(people.pnc_year, kind="stable")
    ordered = people.pnc_year[order]
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order)) - np.searchsorted(ordered, ordered)
    return 100_000 + _scattered(rank, 899_981)


def _written_phones(rng: Generator, people: _People, records: _Records) -> pl.DataFrame:
    person, n = records.person, len(records.person)
    latest = people.n_phones[person] - 1
    turn = np.minimum(np.floor(records.when * latest + people.habit[person, 3]).astype(np.int64), latest)
    number = _scattered(people.phones[person, turn], 9_999_991)
    kind = rng.random(n)
    placeholder = kind < _share("phone_placeholder_share")
    # No telephone has 15 figures: nobody real can be rung up.
    return pl.DataFrame(
        {
            "number": number,
            "placeholder": placeholder,
            "which": rng.integers(0, len(PLACEHOLDER_PHONES), n),
            "has_phone": kind < _share("phone_placeholder_share") + _share("phone_share"),
        }
    ).select(
        phone=pl.when("placeholder")
        .then(
            pl.col("which").replace_strict(
                list(range(len(PLACEHOLDER_PHONES))), list(PLACEHOLDER_PHONES), return_dtype=pl.String
            )
        )
        .when("has_phone")
        .then(pl.lit("07700900") + pl.col("number").cast(pl.String).str.zfill(7))
    )


def _truth(people: _People, frame: pl.DataFrame) -> pl.DataFrame:
    """Who each nominal really is, one row a nominal in the order of `frame`."""
    person = frame["person"].to_numpy()
    group = people.group[person]
    return pl.DataFrame(
        {
            "record_id": frame["record_id"],
            "true_person_id": person,
            "planted_group": pl.Series([name or "" for name in PLANTED]).gather(group),
            "planted_group_no": people.group_no[person],
            "true_ethnicity": pl.Series(ETHNICITIES).gather(people.ethnicity[person]),
            "true_sex": pl.Series(["F", "M"]).gather(people.sex[person]),
            "true_date_of_birth": people.born[person],
        }
    ).select(
        "record_id",
        pl.format("T{}", pl.col("true_person_id").cast(pl.String).str.zfill(8)),
        pl.col("planted_group").replace("", None),
        pl.when(pl.col("planted_group_no") > 0).then("planted_group_no"),
        "true_ethnicity",
        "true_sex",
        pl.col("true_date_of_birth").cast(pl.Int32).cast(pl.Date),
    )
