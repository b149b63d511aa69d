"""A month's recorded crimes of one force, with their victims, suspects, relationships and flags.

Belongs here: what truly happened and will happen to each crime (`draw_crimes`), and what the force
knows of it on a day (`as_known_on`). Minutes and days are counted from 1970-01-01.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache

import numpy as np
import polars as pl

from data_contracts.code_lists import code_list, codes
from data_contracts.rules.reference import offences_with
from data_contracts.synthetic.cases import (
    IS_DOMESTIC,
    IS_INTIMATE,
    RELATIONSHIP_NO,
    Cases,
    male_share,
    stratum_of,
)
from data_contracts.synthetic.draw import Bools, Floats, Generator, Ints, chance, choose
from data_contracts.synthetic.people import MAN, Pool, age_on, outcodes
from data_contracts.synthetic.profile import (
    FAMILY,
    INTIMATE,
    KNOWN,
    N_BANDS,
    STRANGER,
    UNKNOWN,
    Behaviour,
    behaviour,
    calibrated,
    table,
)

DAY = 24 * 60
NEVER = np.iinfo(np.int64).max
OUTCOMES: tuple[str, ...] = tuple(codes("outcome_codes"))
LOCATIONS: tuple[str, ...] = tuple(codes("location_types"))
FLAGS: tuple[str, ...] = tuple(codes("flag_types"))
INJURIES = ("none", "minor", "serious", "fatal", "unknown")
WEAPONS = tuple(codes("weapons"))
STATUSES = ("named", "arrested", "bailed")
_POSITIVE = np.array([x == "true" for x in code_list("outcome_codes")["is_positive"]])
_FATAL = INJURIES.index("fatal")
NO_OUTCOME = -1


@dataclass(frozen=True)
class Month:
    """One month of one force: `number` counts from the first; days from 1970-01-01, `cut` the day drawn."""

    number: int
    first: date
    first_day: int
    last_day: int
    cut: int


@dataclass(frozen=True)
class Crimes:
    """The truth of some crimes, as frames joined by `crime`; days that never come are null.

    offences: one row a crime. victims, suspects: one a person in a role, `nominal` null without one.
    relationships: victim x suspect. flags: the markers that are true of the crime.
    """

    offences: pl.DataFrame
    victims: pl.DataFrame
    suspects: pl.DataFrame
    relationships: pl.DataFrame
    flags: pl.DataFrame

    def only(self, crimes: pl.DataFrame) -> Crimes:
        """The crimes in the column `crime` of another frame."""
        return Crimes(
            *(
                frame.join(crimes, on="crime", how="semi", maintain_order="left")
                for frame in (self.offences, self.victims, self.suspects, self.relationships, self.flags)
            )
        )

    def without(self, crimes: pl.DataFrame) -> Crimes:
        """All but the crimes in the column `crime` of another frame."""
        if not (crimes.height and self.offences.height):
            return self
        return self.only(self.offences.select("crime").join(crimes, on="crime", how="anti"))

    @staticmethod
    def joined(parts: list[Crimes]) -> Crimes:
        return Crimes(
            *(
                pl.concat([getattr(p, name) for p in parts])
                for name in ("offences", "victims", "suspects", "relationships", "flags")
            )
        )


def draw_crimes(
    rng: Generator, pool: Pool, cases: Cases, month: Month, scale: float, first_serial: int
) -> Crimes:
    """Draw the crimes first sent in this month. `first_serial`: number of the first of them.

    Victims of the fatal ones are alive in the pool until `bury`.
    """
    b = behaviour()
    n_days = month.last_day - month.first_day + 1
    code = np.repeat(np.arange(len(b.codes)), rng.poisson(pool.force.annual * scale * n_days / 365.25))
    rng.shuffle(code)
    who = _draw_roles(rng, pool, cases, b, code)
    when = _draw_times(rng, b, code, month, len(code))
    who, when = _make_non_recent(rng, pool, b, who, when)
    born = pool.people.born
    day = when.committed_from // DAY
    victim_age = np.where(who.victim >= 0, age_on(born[who.victim], day), -1)
    suspect_age = np.where(who.suspect >= 0, age_on(born[who.suspect], day), -1)
    victim_age = np.where(
        (who.victim < 0) & (who.victim_type < 2), rng.integers(22, 58, len(code)), victim_age
    )
    domestic = (
        IS_DOMESTIC[who.relationship] & (victim_age >= 16) & (suspect_age >= 16) & (who.victim_type == 0)
    )
    who.code = _fitting_code(pool, b, who, victim_age, domestic)
    keep = _keep(pool, who, day)
    return _as_frames(rng, pool, b, who, when, victim_age, suspect_age, domestic, keep, first_serial)


@dataclass
class _Roles:
    """Per crime: persons of the pool (-1 for none), and how the suspect stands to the victim."""

    code: Ints
    family: Ints
    victim_type: Ints
    victim_sex: Ints
    victim_band: Ints
    relation: Ints
    identified: Bools
    victim: Ints
    suspect: Ints
    relationship: Ints
    in_series: Bools

    def take(self, rows: Bools) -> _Roles:
        return _Roles(*(getattr(self, f)[rows] for f in self.__dataclass_fields__))


def _draw_roles(rng: Generator, pool: Pool, cases: Cases, b: Behaviour, code: Ints) -> _Roles:
    n = len(code)
    family = b.family[code]
    victim_type = choose(rng, b.victim_type, family)
    sex = (rng.random(n) >= b.female_share[code]).astype(np.int64)
    band = choose(rng, b.victim_bands.reshape(-1, N_BANDS), code * 2 + sex)
    relation = choose(rng, b.relations.reshape(-1, b.relations.shape[2]), family * 2 + sex)
    is_person = victim_type == 0
    # Children have no partners here; what the tables call intimate becomes family or acquaintance.
    child = is_person & (band < 3) & (relation == INTIMATE)
    relation = np.where(child, np.where(chance(rng, 0.5, n), FAMILY, KNOWN), relation)
    relation = np.where(~is_person & (relation <= KNOWN), STRANGER, relation)
    known_share = np.select(
        [relation == INTIMATE, relation == FAMILY, relation == KNOWN, relation == STRANGER],
        [np.full(n, 0.985), np.full(n, 0.97), np.full(n, 0.92), b.numbers["identified_stranger"][family]],
        b.numbers["identified_unknown"][family],
    )
    always = b.is_family("coercive_control")[family]
    identified = chance(rng, known_share, n) | always
    victim, suspect = np.full(n, -1), np.full(n, -1)
    relationship = np.full(n, RELATIONSHIP_NO["UNK"])
    from_case = is_person & (relation <= KNOWN) & identified
    of = np.flatnonzero(from_case)
    suspect_sex = (rng.random(len(of)) < male_share(b, family[of], sex[of], relation[of])).astype(np.int64)
    case = cases.strata.pick(rng, stratum_of(sex[of], band[of], relation[of], suspect_sex))
    of, case = of[case >= 0], case[case >= 0]
    victim[of], suspect[of], relationship[of] = (
        cases.victim[case],
        cases.suspect[case],
        cases.relationship[case],
    )
    others = np.flatnonzero(is_person & (victim < 0))
    victim[others] = pool.victims.pick(rng, sex[others] * N_BANDS + band[others])
    alone = np.flatnonzero(identified & (suspect < 0))
    alone_sex = chance(rng, b.numbers["male_suspect"][family[alone]], len(alone)).astype(np.int64)
    alone_band = choose(rng, b.suspect_bands, family[alone]) + 1
    suspect[alone] = pool.suspects.pick(rng, alone_sex * N_BANDS + alone_band)
    in_series = np.zeros(n, dtype=bool)
    if pool.force.series_share:
        in_series = _draw_series(rng, pool, b, family, relation == STRANGER, suspect)
    suspect = np.where(suspect == victim, -1, suspect)
    identified = suspect >= 0
    by_message = b.is_family("communications", "grooming", "child_sexual")[family]
    stranger = (relation == STRANGER) & (relationship == RELATIONSHIP_NO["UNK"])
    online = stranger & by_message & chance(rng, 0.6, n)
    relationship = np.where(stranger, RELATIONSHIP_NO["STR"], relationship)
    relationship = np.where(online, RELATIONSHIP_NO["ONL"], relationship)
    in_series &= identified
    return _Roles(
        code, family, victim_type, sex, band, relation, identified, victim, suspect, relationship, in_series
    )


def _draw_series(
    rng: Generator, pool: Pool, b: Behaviour, family: Ints, stranger: Bools, suspect: Ints
) -> Bools:
    """Give one man his part of the sexual offences by strangers, and say which they are."""
    grown = np.flatnonzero((pool.people.sex == MAN) & (pool.people.band == N_BANDS - 1))
    found = b.is_family("sexual_assault", "exposure")[family] & stranger
    found &= chance(rng, pool.force.series_share, len(family))
    suspect[found] = grown[pool.people.suspect_weight[grown].argmax()]
    return found


@dataclass
class _Times:
    """Per crime, minutes since 1970; `committed_to` is -1 where there is none."""

    committed_from: Ints
    committed_to: Ints
    time_known: Bools
    reported: Ints
    recorded: Ints

    def take(self, rows: Bools) -> _Times:
        return _Times(*(getattr(self, f)[rows] for f in self.__dataclass_fields__))


_HOURLY = np.array([3, 2, 2, 1, 1, 1, 2, 4, 6, 7, 7, 7, 6, 7, 7, 7, 7, 7, 7, 6, 6, 5, 5, 4], dtype=float)


def _draw_times(rng: Generator, b: Behaviour, code: Ints, month: Month, n: int) -> _Times:
    day = rng.integers(month.first_day, month.last_day + 1, n)
    hour = choose(rng, _HOURLY[None, :], np.zeros(n, dtype=np.int64))
    recorded = np.sort(day * DAY + hour * 60 + rng.integers(0, 60, n))
    late = chance(rng, calibrated("late_share"), n)
    recorded = np.where(late, recorded - rng.integers(25, 62, n) * DAY, recorded)
    reported = recorded - np.minimum(rng.exponential(200, n), 23 * 60).astype(np.int64) - 1
    kind = rng.random(n)
    lag = np.where(kind < 0.55, rng.exponential(180, n), rng.exponential(3 * DAY, n))
    lag = np.where(kind > 0.87, rng.exponential(35 * DAY, n), lag)
    committed = reported - np.minimum(lag, 300 * DAY).astype(np.int64) - 2
    long_family = b.is_family("harassment", "stalking", "coercive_control", "communications")[b.family[code]]
    unseen = b.is_family("burglary", "business_burglary", "vehicle", "damage")[b.family[code]]
    committed = np.where(
        long_family & (kind > 0.4), committed - (rng.random(n) * 60 * DAY).astype(np.int64), committed
    )
    has_end = chance(rng, np.where(long_family, 0.6, np.where(unseen, 0.65, 0.12)), n)
    end = committed + ((reported - committed) * rng.random(n)).astype(np.int64)
    known = ~chance(rng, calibrated("time_unknown_share"), n)
    on_the_mark = known & (committed % (DAY // 2) == 0)
    committed = np.where(known, committed - on_the_mark, committed // DAY * DAY)
    return _Times(committed, np.where(has_end & known, end, -1), known, reported, recorded)


def _make_non_recent(
    rng: Generator, pool: Pool, b: Behaviour, who: _Roles, when: _Times
) -> tuple[_Roles, _Times]:
    """Send part of the sexual offences against adults back by years, as far as both ages allow."""
    sexual = b.is_family("rape", "sexual_assault")[who.family]
    rows = np.flatnonzero(
        sexual
        & (who.victim_band >= 4)
        & (who.victim >= 0)
        & chance(rng, calibrated("non_recent_share"), len(who.code))
    )
    born, day = pool.people.born, when.committed_from[rows] // DAY
    room = age_on(born[who.victim[rows]], day) - 19
    of_suspect = np.where(who.suspect[rows] >= 0, age_on(born[who.suspect[rows]], day) - 19, room)
    years = (1 + rng.random(len(rows)) * np.minimum(np.minimum(room, of_suspect), 20)).astype(np.int64)
    rows, years = rows[years >= 2], years[years >= 2]
    back = years * 366 * DAY
    when.committed_from[rows] -= back
    when.committed_to[rows] = -1
    when.time_known[rows] = False
    when.committed_from[rows] = when.committed_from[rows] // DAY * DAY
    return who, when


def _fitting_code(pool: Pool, b: Behaviour, who: _Roles, victim_age: Ints, domestic: Bools) -> Ints:
    """The offence code that ages, suspect's sex and relationship allow; nearly always the one drawn."""
    at = {c: i for i, c in enumerate(b.codes)}
    limits = code_list("offence_codes").select("code", "victim_age_min", "victim_age_max")
    low = dict(limits.select("code", "victim_age_min").drop_nulls().iter_rows())
    high = dict(limits.select("code", "victim_age_max").drop_nulls().iter_rows())
    lowest = np.array([int(low.get(c, 0)) for c in b.codes])
    highest = np.array([int(high.get(c, 200)) for c in b.codes])
    age, female = victim_age, who.victim_sex == 0
    wrong = (age >= 0) & ((age < lowest[who.code]) | (age > highest[who.code]))
    rape = b.is_family("rape")[who.family]
    woman_suspect = rape & (who.suspect >= 0) & (pool.people.sex[who.suspect] != MAN)

    def by(*pairs: tuple[Bools, str], otherwise: str) -> Ints:
        return np.select([c for c, _ in pairs], [np.full(len(age), at[x]) for _, x in pairs], at[otherwise])

    rapes = by(
        (female & (age < 13), "19E"),
        (female & (age < 16), "19D"),
        (female, "19C"),
        (age < 13, "19H"),
        (age < 16, "19G"),
        otherwise="19F",
    )
    assaults = by((female & (age < 13), "20B"), (female, "20A"), (age < 13, "17B"), otherwise="17A")
    children = by((age < 13, "21"), (age < 16, "22B"), otherwise="22A")
    neglect = by((age < 18, "11A"), otherwise="105A")
    assault = b.is_family("sexual_assault")[who.family]
    child = b.is_family("child_sexual")[who.family]
    changed = np.where(rape, rapes, np.where(assault, assaults, np.where(child, children, neglect)))
    code = np.where(wrong, changed, who.code)
    # Controlling or coercive behaviour is an offence between partners or within a family only.
    code = np.where(b.is_family("coercive_control")[who.family] & ~domestic, at["8L"], code)
    return np.where(woman_suspect, assaults, code)


def _keep(pool: Pool, who: _Roles, day: Ints) -> Bools:
    """Leave out crimes of the dead, and the same pair, day and code a second time."""
    alive = np.ones(len(day), dtype=bool)
    for person in (who.victim, who.suspect):
        alive &= (person < 0) | (day < pool.died_on[person])
    paired = (who.victim >= 0) & (who.suspect >= 0)
    same = np.stack([who.victim, who.suspect, day, who.code], axis=1)
    same[~paired, 0] = -2 - np.flatnonzero(~paired)
    first = np.zeros(len(day), dtype=bool)
    first[np.unique(same, axis=0, return_index=True)[1]] = True
    return alive & first


def _or_null(values: Ints, is_there: Bools) -> pl.Series:
    return pl.Series(values).set(pl.Series(~is_there), None)


def _as_frames(
    rng: Generator,
    pool: Pool,
    b: Behaviour,
    who: _Roles,
    when: _Times,
    victim_age: Ints,
    suspect_age: Ints,
    domestic: Bools,
    keep: Bools,
    first_serial: int,
) -> Crimes:
    who, when, domestic = who.take(keep), when.take(keep), domestic[keep]
    victim_age, suspect_age = victim_age[keep], suspect_age[keep]
    n = len(who.code)
    crime = first_serial + np.arange(n)
    recorded_day = when.recorded // DAY
    too_young = who.identified & (suspect_age < 10)
    outcome, outcome_day = _draw_outcomes(rng, b, who, recorded_day, suspect_age, too_young)
    cancelled = chance(rng, calibrated("cancelled_share"), n)
    cancel_day = recorded_day + 1 + rng.exponential(25, n).astype(np.int64)
    transferred = ~cancelled & chance(rng, calibrated("transferred_share"), n)
    transfer_day = recorded_day + 1 + rng.exponential(10, n).astype(np.int64)
    stands = ~(cancelled | transferred)
    outcome = np.where(stands, outcome, NO_OUTCOME)
    outcome_day = np.where(outcome >= 0, outcome_day, NEVER)
    charged = outcome == OUTCOMES.index("1")
    court = charged & chance(rng, 0.8, n)
    court_day = np.where(court, outcome_day + 30 + rng.exponential(90, n).astype(np.int64), NEVER)
    arrested = (
        who.identified & ~too_young & chance(rng, np.where(charged, 0.85, calibrated("arrest_share")), n)
    )
    arrest_day = np.minimum(recorded_day + rng.geometric(0.25, n) - 1, outcome_day)
    injury, weapon = _draw_injury(rng, b, who)
    online = _is_online(rng, b, who)
    location, outcode, sector = _draw_places(rng, pool, b, who, online)
    offences = pl.DataFrame(
        {
            "crime": crime,
            "code": who.code,
            "first_code": _or_null(who.code, np.zeros(n, dtype=bool)),
            "reclassified_day": _or_null(recorded_day, np.zeros(n, dtype=bool)),
            "committed_from": when.committed_from,
            "committed_to": _or_null(when.committed_to, when.committed_to >= 0),
            "time_known": when.time_known,
            "reported": when.reported,
            "recorded": when.recorded,
            "location": location,
            "outcode": outcode,
            "sector": sector,
            "outcome": _or_null(outcome, outcome >= 0),
            "outcome_day": _or_null(outcome_day, outcome >= 0),
            "cancel_day": _or_null(cancel_day, cancelled),
            "cancel_reason": rng.choice(np.array([1, 2, 2, 2, 3]), n),
            "cancel_by": rng.choice(np.array([0, 1, 1]), n),
            "transfer_day": _or_null(transfer_day, transferred),
            "transfer_to": (pool.force.number + rng.integers(1, 43, n)) % 43,
            "court_day": _or_null(court_day, court),
            "injury": injury,
            "weapon": weapon,
            "relationship": who.relationship,
            "victim_sex": np.where(who.victim_type == 0, who.victim_sex, -1),
            "family": b.family[who.code],
            "domestic": domestic,
            "online": online,
            "in_series": who.in_series,
            "text": np.where(
                chance(rng, b.numbers["modus_operandi"][who.family], n), rng.integers(1, 1 << 40, n), 0
            ),
        }
    )
    victims, suspects, relationships = _draw_parts(
        rng,
        pool,
        b,
        who,
        crime,
        victim_age,
        suspect_age,
        domestic,
        outcome,
        np.where(arrested, arrest_day, NEVER),
        too_young,
        when,
    )
    flags = _draw_flags(rng, b, who, crime, domestic, online, victim_age, suspect_age, weapon)
    return Crimes(offences, victims, suspects, relationships, flags)


def bury(pool: Pool, crimes: Crimes) -> None:
    """The victims of fatal crimes die, and are in no later crime."""
    dead = (
        crimes.victims.filter(pl.col("victim_no") == 1)
        .join(crimes.offences.filter(pl.col("injury") == _FATAL), on="crime", maintain_order="left")
        .filter(pl.col("person") >= 0)
    )
    person = dead["person"].to_numpy()
    pool.died_on[person] = dead.select(pl.max_horizontal("committed_from", "committed_to") // DAY).to_series()
    pool.changed[person] = True


def dying_once(crimes: Crimes) -> Crimes:
    """The crimes less those in which somebody dies who dies in an earlier row."""
    fatal = (
        crimes.victims.filter((pl.col("victim_no") == 1) & (pl.col("person") >= 0))
        .join(
            crimes.offences.filter(pl.col("injury") == _FATAL), on="crime", how="semi", maintain_order="left"
        )
        .filter(~pl.col("person").is_first_distinct())
    )
    return crimes.without(fatal)


def without_the_dead(pool: Pool, crimes: Crimes) -> Crimes:
    """The crimes less those in which somebody has a part who had died by then."""
    roles = pl.concat([crimes.victims.select("crime", "person"), crimes.suspects.select("crime", "person")])
    roles = roles.filter(pl.col("person") >= 0).join(
        crimes.offences.select("crime", day=pl.col("committed_from") // DAY),
        on="crime",
        maintain_order="left",
    )
    gone = roles["day"].to_numpy() >= pool.died_on[roles["person"].to_numpy()]
    return crimes.without(roles.filter(pl.Series(gone)))


def _draw_outcomes(
    rng: Generator, b: Behaviour, who: _Roles, recorded_day: Ints, suspect_age: Ints, too_young: Bools
) -> tuple[Ints, Ints]:
    """Outcome (-1 for none in sight) and the day it is assigned."""
    shares, delay = _outcome_shares()
    row = b.outcome_mix[who.family] * 2 + who.identified
    column = choose(rng, shares, row)
    outcome = column - 1
    days = (delay[row, column] * rng.lognormal(0, 0.8, len(row))).astype(np.int64)
    caution, youth = OUTCOMES.index("3"), OUTCOMES.index("2")
    outcome = np.where((outcome == caution) & (suspect_age < 18), youth, outcome)
    positive = (outcome >= 0) & _POSITIVE[np.maximum(outcome, 0)]
    outcome = np.where(too_young & positive, NO_OUTCOME, outcome)
    return outcome, recorded_day + days


@cache
def _outcome_shares() -> tuple[Floats, Floats]:
    """[outcome mix x identified, outcome + 1] shares and median days; the first column is no outcome."""
    b = behaviour()
    rows = table("outcomes").with_columns(pl.col("outcome_code").cast(pl.String))
    shares = np.zeros((len(b.outcome_mixes) * 2, len(OUTCOMES) + 1))
    delay = np.zeros_like(shares)
    for mix, identified, code, share, median, _ in rows.iter_rows():
        at = (
            b.outcome_mixes.index(mix) * 2 + (identified == "Y"),
            0 if code is None else OUTCOMES.index(code) + 1,
        )
        shares[at], delay[at] = share, median
    return shares, delay


def _draw_injury(rng: Generator, b: Behaviour, who: _Roles) -> tuple[Ints, Ints]:
    """Worst injury and weapon."""
    injuries, weapons = _injury_shares()
    return choose(rng, injuries, who.code), choose(rng, weapons, b.family[who.code])


@cache
def _injury_shares() -> tuple[Floats, Floats]:
    """[code, injury] and [family, weapon]. An offence code's own line goes before its family's."""
    b = behaviour()
    injuries = np.zeros((len(b.codes), len(INJURIES)))
    rows = table("injuries").with_columns(pl.col("offence_code").cast(pl.String))
    for number, code in enumerate(b.codes):
        of_family = rows.filter(pl.col("family") == b.families[b.family[number]])
        own = of_family.filter(pl.col("offence_code") == code)
        found = own if own.height else of_family.filter(pl.col("offence_code").is_null())
        for injury, share in found.select("injury", "share").iter_rows():
            injuries[number, INJURIES.index(injury)] = share
    injuries[injuries.sum(axis=1) == 0, INJURIES.index("none")] = 1
    weapons = np.zeros((len(b.families), len(WEAPONS)))
    for family, weapon, share, _ in table("weapons").iter_rows():
        weapons[b.families.index(family), WEAPONS.index(weapon)] = share
    weapons[weapons.sum(axis=1) == 0, WEAPONS.index("none")] = 1
    return injuries, weapons


def _is_online(rng: Generator, b: Behaviour, who: _Roles) -> Bools:
    return chance(rng, _online_shares()[who.code], len(who.code))


@cache
def _online_shares() -> Floats:
    """[code]. An offence code's own line goes before its family's."""
    b = behaviour()
    rows = table("online_shares").with_columns(pl.col("offence_code").cast(pl.String))
    of_family = dict(rows.drop_nulls("family").select("family", "share").iter_rows())
    of_code = dict(rows.drop_nulls("offence_code").select("offence_code", "share").iter_rows())
    family = [b.families[f] for f in b.family]
    return np.array([of_code.get(c, of_family.get(f, 0.0)) for c, f in zip(b.codes, family, strict=True)])


def _draw_places(
    rng: Generator, pool: Pool, b: Behaviour, who: _Roles, online: Bools
) -> tuple[Ints, Ints, Ints]:
    mixes = (
        table("locations").group_by("location_mix", maintain_order=True).agg(pl.col("location_type", "share"))
    )
    order = mixes["location_mix"].to_list()
    shares = np.zeros((len(order), len(LOCATIONS)))
    for row, (_, types, share) in enumerate(mixes.iter_rows()):
        shares[row, [LOCATIONS.index(t) for t in types]] = share
    family, n = who.family, len(who.code)
    mix = np.select(
        [
            online,
            b.is_family("burglary")[family],
            b.is_family("shoplifting", "business_burglary", "business_robbery")[family],
            b.is_family(
                "vehicle", "driving", "robbery", "drugs", "weapons", "theft_person", "police_assault"
            )[family],
            who.relation <= FAMILY,
            who.relation == KNOWN,
        ],
        [order.index(x) for x in ("online", "dwelling", "shop", "street", "domestic", "known")],
        order.index("stranger"),
    )
    location = choose(rng, shares, mix)
    at_home = (
        (location == LOCATIONS.index("DWL"))
        & (who.victim >= 0)
        & (pool.people.home[who.victim] == pool.force.number)
    )
    elsewhere = outcodes()[1].pick(rng, np.full(n, pool.force.number))
    outcode = np.where(at_home, pool.people.outcode[who.victim], elsewhere)
    sector = np.where(at_home, pool.people.inward[who.victim] // 400, rng.integers(0, 10, n))
    return location, outcode, np.where(chance(rng, 0.05, n), -1, sector)


def _draw_parts(
    rng: Generator,
    pool: Pool,
    b: Behaviour,
    who: _Roles,
    crime: Ints,
    victim_age: Ints,
    suspect_age: Ints,
    domestic: Bools,
    outcome: Ints,
    arrest_day: Ints,
    too_young: Bools,
    when: _Times,
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Victims, suspects and relationships, with second victims and suspects where no home is involved."""
    n, people, family, day = len(crime), pool.people, who.family, when.committed_from // DAY
    codes_ = code_list("offence_codes").select("code", "victim_age_min", "victim_age_max")
    bound = set(
        codes_.filter(pl.any_horizontal(pl.col("victim_age_min", "victim_age_max").is_not_null()))["code"]
    )
    is_bound = np.array([c in bound for c in b.codes])
    plain = (who.relation >= KNOWN) & (who.victim_type == 0) & ~is_bound[who.code]
    # A second victim of an offence with age limits would need limits of their own.
    v2 = np.flatnonzero(plain & chance(rng, b.numbers["second_victim"][family], n))
    second_victim = pool.victims.pick(rng, who.victim_sex[v2] * N_BANDS + who.victim_band[v2])
    ok = (
        (second_victim != who.victim[v2])
        & (second_victim != who.suspect[v2])
        & (day[v2] < pool.died_on[second_victim])
    )
    v2, second_victim = v2[ok], second_victim[ok]
    s2 = np.flatnonzero(
        (who.relation >= KNOWN) & who.identified & chance(rng, b.numbers["second_suspect"][family], n)
    )
    second_band = choose(rng, b.suspect_bands, family[s2]) + 1
    second_suspect = pool.suspects.pick(rng, np.full(len(s2), MAN) * N_BANDS + second_band)
    ok = (
        (second_suspect != who.suspect[s2])
        & (second_suspect != who.victim[s2])
        & (day[s2] < pool.died_on[second_suspect])
    )
    ok &= age_on(people.born[second_suspect], day[s2]) >= 10
    s2, second_suspect = s2[ok], second_suspect[ok]
    partner = np.full(n, -1)
    partner[v2] = second_victim
    ok = partner[s2] != second_suspect
    s2, second_suspect = s2[ok], second_suspect[ok]

    row = np.concatenate([np.arange(n), v2])
    person = np.concatenate([who.victim, second_victim])
    kind = np.concatenate([who.victim_type, np.zeros(len(v2), dtype=np.int64)])
    age = np.concatenate([victim_age, age_on(people.born[second_victim], day[v2])])
    is_human = kind < 2
    named = (person >= 0) & chance(rng, b.numbers["victim_nominal"][family[row]], len(row))
    named |= domestic[row] & (person >= 0)
    supports = np.array([1.0] * len(row)) * 0.62
    given_up = np.isin(outcome[row], [OUTCOMES.index("16"), OUTCOMES.index("14")])
    stood_by = np.isin(outcome[row], [OUTCOMES.index("15"), OUTCOMES.index("1")])
    supports = np.where(given_up, 0.0, np.where(stood_by, 1.0, supports))
    victims = pl.DataFrame(
        {
            "crime": crime[row],
            "victim_no": np.concatenate([np.ones(n, dtype=np.int64), np.full(len(v2), 2)]),
            "kind": kind,
            "person": person,
            "nominal": _or_null(pool.nominal(rng, np.maximum(person, 0)), named),
            "age": _or_null(age, is_human),
            "sex": _or_null(np.where(person >= 0, people.sex[person], who.victim_sex[row]), is_human),
            "ethnicity": _or_null(people.ethnicity[person], (person >= 0) & chance(rng, 0.78, len(row))),
            "dash": _or_null(
                choose(rng, np.array([[0.52, 0.33, 0.15]]), np.zeros(len(row), dtype=np.int64)),
                domestic[row] & chance(rng, 0.93, len(row)),
            ),
            "supports": _or_null(
                (rng.random(len(row)) < supports).astype(np.int64), is_human & chance(rng, 0.8, len(row))
            ),
        }
    ).sort("crime", "victim_no")

    unknown = np.flatnonzero(~who.identified & (who.victim_type < 3) & chance(rng, 0.6, n))
    known = np.flatnonzero(who.identified)
    row = np.concatenate([known, unknown, s2])
    person = np.concatenate([who.suspect[known], np.full(len(unknown), -1), second_suspect])
    is_named = person >= 0
    second_no = np.concatenate([np.ones(len(known) + len(unknown), dtype=np.int64), np.full(len(s2), 2)])
    age = age_on(people.born[np.maximum(person, 0)], day[row])
    status = choose(rng, np.array([[0.25, 0.35, 0.4]]), np.zeros(len(row), dtype=np.int64))
    let_go = (second_no == 2) & chance(rng, 0.12, len(row))
    suspects = pl.DataFrame(
        {
            "crime": crime[row],
            "suspect_no": second_no,
            "person": person,
            "nominal": _or_null(pool.nominal(rng, np.maximum(person, 0)), is_named),
            "age": _or_null(age, is_named),
            "sex": _or_null(people.sex[person], is_named),
            "status": status,
            "arrest_day": _or_null(arrest_day[row], is_named & (arrest_day[row] < NEVER)),
            "let_go": let_go,
            "convicted": chance(rng, calibrated("convicted_share"), len(row)),
        }
    ).sort("crime", "suspect_no")

    first_two = pl.DataFrame(
        {
            "crime": crime,
            "relationship": who.relationship,
            "relation": who.relation,
            "unidentified": ~who.identified,
        }
    )
    pairs = (
        victims.filter(pl.col("kind") == 0)
        .select("crime", "victim_no")
        .join(suspects.select("crime", "suspect_no", "sex"), on="crime", maintain_order="left_right")
    )
    further = (pl.col("victim_no") > 1) | (pl.col("suspect_no") > 1)
    other = (
        pl.when(pl.col("relation") == KNOWN)
        .then(RELATIONSHIP_NO["ACQ"])
        .otherwise(
            pl.when(pl.col("relation") == UNKNOWN)
            .then(RELATIONSHIP_NO["UNK"])
            .otherwise(RELATIONSHIP_NO["STR"])
        )
    )
    relationships = pairs.join(first_two, on="crime", maintain_order="left").select(
        "crime",
        "victim_no",
        "suspect_no",
        pl.when(further).then(other).otherwise("relationship").cast(pl.Int64).alias("relationship"),
        suspect_sex=pl.col("sex").fill_null(MAN),
    )
    relationships = relationships.with_columns(noise=rng.integers(0, 1 << 40, relationships.height))
    return victims, suspects, relationships


def _draw_flags(
    rng: Generator,
    b: Behaviour,
    who: _Roles,
    crime: Ints,
    domestic: Bools,
    online: Bools,
    victim_age: Ints,
    suspect_age: Ints,
    weapon: Ints,
) -> pl.DataFrame:
    """The markers that are true of each crime: crime, flag (index into FLAGS)."""
    n, family, code = len(crime), b.family[who.code], np.array(b.codes)[who.code]
    group = np.array(b.group)[who.code]
    child = (victim_age >= 0) & (victim_age < 18)
    sexual = group == "Sexual offences"
    images = b.is_family("indecent_images")[family]
    violent = b.is_family("serious_injury", "injury", "no_injury", "public_order", "police_assault")[family]
    exploitation = np.isin(code, ["71", "72"]) | (sexual & child & chance(rng, 0.12, n))
    partner = domestic & IS_INTIMATE[who.relationship]
    honour = domestic & chance(rng, calibrated("honour_share"), n)
    hold: dict[str, Bools | tuple[Bools, float]] = {
        "DA": domestic,
        "HBA": honour,
        "FGM": (honour, 0.02),
        "FM": (honour, 0.1),
        "CSA": (sexual | images) & child,
        "CSE": exploitation & child,
        "ONL": online,
        "MS": np.isin(code, ["106", "72"]),
        "HC": (np.isin(code, ["8M", "8P", "9B", "105B", "58J"]), 0.95),
        "ALC": (violent | domestic, 0.18),
        "DRG": (violent | domestic, 0.05),
        "KNF": weapon == WEAPONS.index("knife"),
        "COR": weapon == WEAPONS.index("corrosive"),
        "SW": (sexual & (victim_age >= 18), 0.008),
        "MH": (violent | domestic, 0.07),
        "NFS": (partner & np.isin(code, ["5D", "8N"]), 0.09),
        "SPK": (b.is_family("rape", "sexual_assault", "serious_injury")[family] & (victim_age >= 16), 0.012),
        "STK": (b.is_family("stalking")[family], 0.97),
    }
    rows, numbers = [], []
    for flag, true in hold.items():
        condition, share = true if isinstance(true, tuple) else (true, 1.0)
        found = np.flatnonzero(condition if share == 1.0 else condition & chance(rng, share, n))
        rows.append(found)
        numbers.append(np.full(len(found), FLAGS.index(flag)))
    return pl.DataFrame({"crime": crime[np.concatenate(rows)], "flag": np.concatenate(numbers)}).sort(
        "crime", "flag"
    )


def reclassified(rng: Generator, crimes: Crimes) -> Crimes:
    """Some crimes as they were first recorded under another code: `first_code`, until `reclassified_day`.

    Nobody is reclassified into a contradiction: the injury fits both codes, and no other crime sent at the
    same time has the same victim and suspect.
    """
    b, rows = behaviour(), table("reclassifications")
    at = {code: number for number, code in enumerate(b.codes)}
    pairs = crimes.victims.join(crimes.suspects, on="crime", maintain_order="left").select(
        "crime", clash=pl.len().over("nominal", "nominal_right") > 1
    )
    clashing = pairs.filter("clash")["crime"].unique().to_numpy()
    code, injury = crimes.offences["code"].to_numpy(), crimes.offences["injury"].to_numpy()
    alone = ~np.isin(crimes.offences["crime"].to_numpy(), clashing)
    u, first = rng.random(len(code)), np.full(len(code), -1)
    needs, bars = (np.isin(b.codes, offences_with(t)) for t in ("injury_present", "injury_absent"))
    for before, after, weight, _ in rows.iter_rows():
        share = calibrated("reclassified_share") * weight
        fits = ~(needs[at[before]] & (injury == INJURIES.index("none")))
        fits &= ~(bars[at[before]] & np.isin(injury, [INJURIES.index("serious"), _FATAL]))
        # Codes with two predecessors share the draw.
        hit = (code == at[after]) & fits & alone & (u < share)
        first = np.where(hit & (first < 0), at[before], first)
    day = crimes.offences["recorded"].to_numpy() // DAY + 1 + rng.exponential(25, len(code)).astype(np.int64)
    offences = crimes.offences.with_columns(
        first_code=_or_null(first, first >= 0), reclassified_day=_or_null(day, first >= 0)
    )
    return Crimes(offences, crimes.victims, crimes.suspects, crimes.relationships, crimes.flags)


def change_months(crimes: Crimes, cuts: list[int]) -> pl.DataFrame:
    """The months in which something new is known of a crime: crime, month. Months past the last are left out.

    `cuts`: the day each month's extract is drawn; what happens up to the day before is in it.
    """
    days = crimes.offences.select(
        "crime", "outcome_day", "cancel_day", "transfer_day", "court_day", "reclassified_day"
    ).unpivot(index="crime", value_name="day")
    known = days.drop_nulls("day")
    month = np.searchsorted(np.array(cuts), known["day"].to_numpy(), side="right")
    return (
        known.select("crime")
        .with_columns(month=pl.Series(month))
        .filter(pl.col("month") < len(cuts))
        .unique(maintain_order=True)
    )


_CAUTIONS = [OUTCOMES.index(c) for c in ("2", "3", "6", "7", "8", "22")]
_PENDING = [OUTCOMES.index(c) for c in ("18", "14", "20")]


def as_known_on(crimes: Crimes, cut: int) -> Crimes:
    """The same crimes with what lies on or after the day `cut` taken away, and each suspect's status then."""
    seen = pl.col("outcome_day") < cut
    offences = crimes.offences.with_columns(
        code=pl.when(pl.col("reclassified_day") >= cut).then("first_code").otherwise("code"),
        outcome=pl.when(seen).then("outcome"),
        outcome_day=pl.when(seen).then("outcome_day"),
        cancelled=(pl.col("cancel_day") < cut).fill_null(False),
        transferred=(pl.col("transfer_day") < cut).fill_null(False),
        tried=(pl.col("court_day") < cut).fill_null(False),
    )
    state = offences.select("crime", "outcome", "outcome_day", "tried")
    arrested = pl.col("arrest_day") < cut
    status = (
        pl.when(pl.col("nominal").is_null())
        .then(pl.lit("unidentified"))
        .when("let_go")
        .then(pl.lit("eliminated"))
        .when(pl.col("tried") & pl.col("convicted"))
        .then(pl.lit("convicted"))
        .when("tried")
        .then(pl.lit("acquitted"))
        .when(pl.col("outcome") == OUTCOMES.index("1"))
        .then(pl.lit("charged"))
        .when(pl.col("outcome").is_in(_CAUTIONS))
        .then(pl.lit("cautioned"))
        .when(pl.col("outcome").is_not_null() & ~pl.col("outcome").is_in(_PENDING))
        .then(pl.lit("no_further_action"))
        .when(arrested & (pl.col("status") < 2))
        .then(pl.lit("arrested"))
        .when(arrested)
        .then(pl.lit("bailed"))
        .otherwise(pl.lit("named"))
    )
    charged = pl.col("outcome") == OUTCOMES.index("1")
    suspects = crimes.suspects.join(state, on="crime", maintain_order="left").select(
        "crime",
        "suspect_no",
        "person",
        "nominal",
        "age",
        "sex",
        status=status,
        arrest_day=pl.when(arrested).then("arrest_day"),
        charge_day=pl.when(charged & ~pl.col("let_go") & pl.col("nominal").is_not_null()).then("outcome_day"),
    )
    return Crimes(offences, crimes.victims, suspects, crimes.relationships, crimes.flags)
