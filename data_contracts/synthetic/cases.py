"""Cases: one victim and one suspect who know each other, to whom offences keep happening.

Belongs here: who is what to whom in a force's pool. Repeat victims and repeat perpetrators come from
drawing offences from cases by weight.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data_contracts.code_lists import code_list
from data_contracts.synthetic.draw import (
    Floats,
    Generator,
    Ints,
    Strata,
    bounds_of,
    chance,
    choose,
    generator,
)
from data_contracts.synthetic.people import MAN, Pool, age_on
from data_contracts.synthetic.profile import (
    AGE_BANDS,
    FAMILY,
    INTIMATE,
    KNOWN,
    N_BANDS,
    RELATION_GROUPS,
    Behaviour,
    behaviour,
    calibrated,
    table,
)

RELATIONSHIPS: tuple[str, ...] = tuple(code_list("relationship_types")["code"])
RELATIONSHIP_NO = {code: number for number, code in enumerate(RELATIONSHIPS)}
_GROUPS = dict(code_list("relationship_types").select("code", "relationship_group").iter_rows())
IS_DOMESTIC = np.array([_GROUPS[r] in ("intimate", "family") for r in RELATIONSHIPS])
IS_INTIMATE = np.array([_GROUPS[r] == "intimate" for r in RELATIONSHIPS])
N_KNOWN_GROUPS = 3
N_STRATA = 2 * N_BANDS * N_KNOWN_GROUPS * 2
_PARTNERS = ("SPO", "EXS", "PAR", "EXP")
_ACQUAINTANCES = ("ACQ", "FRD", "NBR", "COL", "CAR")
SMALLEST_PARENT_GAP = 15


def stratum_of(victim_sex: Ints, victim_band: Ints, relation_group: Ints, suspect_sex: Ints) -> Ints:
    """The stratum a case lies in: victim's sex and band, group of relation, suspect's sex."""
    return ((victim_sex * N_BANDS + victim_band) * N_KNOWN_GROUPS + relation_group) * 2 + suspect_sex


def male_share(b: Behaviour, family: Ints, victim_sex: Ints, relation_group: Ints) -> Floats:
    """Share of male suspects; partners are mostly of the other sex whatever the offence."""
    other_sex = np.where(
        victim_sex == MAN, calibrated("minority_partner_sex"), 1 - calibrated("minority_partner_sex")
    )
    return np.where(relation_group == INTIMATE, other_sex, b.numbers["male_suspect"][family])


@dataclass(frozen=True)
class Cases:
    """One entry a case, sorted by stratum: persons of the pool and what the suspect is to the victim."""

    victim: Ints
    suspect: Ints
    relationship: Ints
    strata: Strata

    def __len__(self) -> int:
        return len(self.victim)


def draw_cases(seed: int, pool: Pool, scale: float, reference_day: int) -> Cases:
    """Draw a force's cases, as many in each stratum as a year's offences there need."""
    rng = generator(seed, "cases", pool.force.code)
    per_offence = calibrated("case_per_annual_offence") * pool.force.case_factor
    wanted = np.maximum(4, np.ceil(_expected(pool) * scale * per_offence)).astype(np.int64)
    stratum = np.repeat(np.arange(N_STRATA), wanted)
    suspect_sex = stratum % 2
    group = stratum // 2 % N_KNOWN_GROUPS
    victim_class = stratum // 2 // N_KNOWN_GROUPS
    victim_band = victim_class % N_BANDS
    usable = ~((group == INTIMATE) & (victim_band < 3))
    stratum, suspect_sex, group = stratum[usable], suspect_sex[usable], group[usable]
    victim_class, victim_band = victim_class[usable], victim_band[usable]
    relationship = choose(rng, _relationship_shares(), group * N_BANDS + victim_band)
    suspect_band = choose(rng, _suspect_band_shares(), relationship * N_BANDS + victim_band) + 1
    victim = pool.victims.pick(rng, victim_class)
    suspect = pool.suspects.pick(rng, suspect_sex * N_BANDS + suspect_band)
    relationship = _made_possible(pool, victim, suspect, relationship, reference_day)
    apart = victim != suspect
    stratum, victim, suspect, relationship = (
        stratum[apart],
        victim[apart],
        suspect[apart],
        relationship[apart],
    )
    _share_homes(rng, pool, victim, suspect, relationship)
    weight = rng.lognormal(0, calibrated("case_weight_sigma"), len(stratum))
    return Cases(victim, suspect, relationship, Strata(bounds_of(stratum, N_STRATA), weight))


def _expected(pool: Pool) -> Floats:
    """Offences a year in each stratum, in order of the strata."""
    b = behaviour()
    female = np.stack([b.female_share, 1 - b.female_share], axis=1)
    people = pool.force.annual * b.victim_type[b.family, 0]
    bands = b.victim_bands / np.maximum(b.victim_bands.sum(axis=2, keepdims=True), 1e-12)
    relations = b.relations[b.family][:, :, :N_KNOWN_GROUPS]
    sex, group = np.arange(2), np.arange(N_KNOWN_GROUPS)
    male = male_share(b, b.family[:, None, None], sex[None, :, None], group[None, None, :])
    suspects = np.stack([1 - male, male], axis=-1)
    return np.einsum("c,cs,csb,csg,csgx->sbgx", people, female, bands, relations, suspects).reshape(-1)


def _relationship_shares() -> Floats:
    """[group x victim's band, relationship]"""
    shares = np.zeros((N_KNOWN_GROUPS * N_BANDS, len(RELATIONSHIPS)))
    for group, band, relationship, share, _ in table("relationship_mix").iter_rows():
        row = RELATION_GROUPS.index(group) * N_BANDS + AGE_BANDS.index(band)
        shares[row, RELATIONSHIP_NO[relationship]] = share
    shares[shares.sum(axis=1) == 0, RELATIONSHIP_NO["ACQ"]] = 1
    return shares


def _suspect_band_shares() -> Floats:
    """[relationship x victim's band, suspect's band from 10]"""
    shares = np.ones((len(RELATIONSHIPS) * N_BANDS, N_BANDS - 1))
    kinds = {"partner": _PARTNERS, "acquaintance": _ACQUAINTANCES}
    for row in table("case_suspect_ages").iter_rows(named=True):
        for relationship in kinds.get(row["relationship"], (row["relationship"],)):
            at = RELATIONSHIP_NO[relationship] * N_BANDS + AGE_BANDS.index(row["victim_age_band"])
            shares[at] = [row[band] for band in AGE_BANDS[1:]]
    return shares


def _made_possible(pool: Pool, victim: Ints, suspect: Ints, relationship: Ints, day: int) -> Ints:
    """Relationships that the two ages allow: parents are older, spouses grown up."""
    born = pool.people.born
    today = np.full(len(victim), day)
    victim_age, suspect_age = age_on(born[victim], today), age_on(born[suspect], today)
    number = RELATIONSHIP_NO
    too_near = (relationship == number["PNT"]) & (suspect_age - victim_age < SMALLEST_PARENT_GAP)
    too_near |= (relationship == number["CHD"]) & (victim_age - suspect_age < SMALLEST_PARENT_GAP)
    relationship = np.where(too_near, number["OFM"], relationship)
    # Two years of room, as offences may lie before the reference day.
    young = np.minimum(victim_age, suspect_age) < 20
    relationship = np.where(young & (relationship == number["SPO"]), number["PAR"], relationship)
    return np.where(young & (relationship == number["EXS"]), number["EXP"], relationship)


def _share_homes(rng: Generator, pool: Pool, victim: Ints, suspect: Ints, relationship: Ints) -> None:
    """Couples and families mostly live together and bear one name, which makes linkage no easier."""
    people, number = pool.people, RELATIONSHIP_NO
    live_together = np.isin(
        relationship, [number["SPO"], number["PAR"], number["PNT"], number["CHD"], number["SIB"]]
    )
    one_name = np.isin(relationship, [number["SPO"], number["PNT"], number["CHD"], number["SIB"]])
    plain = (people.group[victim] == 0) & (people.key[victim] > 100_000_000)
    move = np.flatnonzero(live_together & plain & chance(rng, 0.7, len(victim)))
    for column in ("outcode", "inward"):
        getattr(people, column)[victim[move]] = getattr(people, column)[suspect[move]]
    renamed = np.flatnonzero(one_name & plain & chance(rng, 0.75, len(victim)))
    for column in ("surname", "heritage"):
        getattr(people, column)[victim[renamed]] = getattr(people, column)[suspect[renamed]]


assert set(_PARTNERS + _ACQUAINTANCES) < set(RELATIONSHIPS)
assert (INTIMATE, FAMILY, KNOWN) == (0, 1, 2)
