"""The force's own way of writing: references, codes in its record system's words, free text, untidiness.

Belongs here: turning what is known of a month (numbers) into the columns of the extracts (words).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

import numpy as np
import polars as pl

from data_contracts.code_lists import code_list, codes
from data_contracts.mappings import record_system
from data_contracts.synthetic.cases import RELATIONSHIPS
from data_contracts.synthetic.crimes import FLAGS, INJURIES, LOCATIONS, OUTCOMES, WEAPONS, Crimes
from data_contracts.synthetic.draw import Generator, Ints, chance
from data_contracts.synthetic.people import ETHNICITIES, MAN, outcodes
from data_contracts.synthetic.profile import (
    RELATION_GROUPS,
    VICTIM_TYPES,
    Force,
    behaviour,
    calibrated,
    forces,
    table,
)

SERIALS_A_YEAR = 10_000_000
_WIDER = {
    "intimate": "INT",
    "family": "FAM",
    "acquaintance_friend": "KNO",
    "stranger": "STR",
    "unknown": "UNK",
    "other": "OTH",
}
_WORDS_OF_A_SEX = {"Boyfriend": MAN, "Girlfriend": 1 - MAN}
_DASH = tuple(codes("dash_risks"))


@dataclass(frozen=True)
class Habits:
    """How one force writes, from `profile/force_habits.csv`."""

    force: Force
    record_system: str
    file_format: str
    crime_ref_form: str
    person_ref_prefix: str
    name_case: str
    sends_explicit_no: bool
    missed_flags_factor: float
    modus_operandi_factor: float

    def crime_ref(self, column: str = "crime") -> pl.Expr:
        """A crime's number (two figures of the year, then the serial) as the force writes it."""
        year = (pl.col(column) // SERIALS_A_YEAR).cast(pl.String).str.zfill(2)
        serial = pl.col(column) % SERIALS_A_YEAR
        if self.crime_ref_form == "slashes":
            return pl.format("{}/{}/{}", pl.lit(self.force.home_office_number), serial, year)
        if self.crime_ref_form == "dashes":
            return pl.format("CR{}-{}", year, serial.cast(pl.String).str.zfill(7))
        return pl.format("{}{}", year, serial.cast(pl.String).str.zfill(8))

    def person_ref(self, column: str = "nominal") -> pl.Expr:
        """A nominal's number as the force writes it."""
        return pl.lit(self.person_ref_prefix) + (pl.col(column) + 1).cast(pl.String).str.zfill(8)


@cache
def habits(force: Force, on: date) -> Habits:
    """How the force writes on that day. Raises KeyError for a force whose record system is not known."""
    row = table("force_habits").filter(pl.col("force_code") == force.code).row(0, named=True)
    system = record_system(force.code, on)
    if system is None:
        raise KeyError(force.code)
    return Habits(
        force=force,
        record_system=system,
        file_format=row["file_format"],
        crime_ref_form=row["crime_ref_form"],
        person_ref_prefix=row["person_ref_prefix"],
        name_case=row["name_case"],
        sends_explicit_no=row["sends_explicit_no"] == "Y",
        missed_flags_factor=row["missed_flags_factor"],
        modus_operandi_factor=row["modus_operandi_factor"],
    )


@dataclass(frozen=True)
class _Words:
    """For each national code (and sex) the words a record system has for it, one run of rows each."""

    words: pl.Series
    first: Ints
    count: Ints

    def write(self, row: Ints, noise: Ints) -> pl.Series:
        return self.words.gather(self.first[row] + noise % self.count[row])


@cache
def _words(system: str, field: str) -> _Words:
    mapped = code_list("code_mappings").filter(
        (pl.col("record_system") == system) & (pl.col("field") == field)
    )
    of: dict[str, list[str]] = {}
    per_code: Sequence[Sequence[str | None]]
    no_word: list[str | None] = [None]
    for raw, code in mapped.select("raw_value", "national_code").iter_rows():
        of.setdefault(code, []).append(raw)
    if field == "relationship":
        groups = dict(code_list("relationship_types").select("code", "relationship_group").iter_rows())
        per_code = [
            [w for w in _nearest(of, code, groups[code]) if _WORDS_OF_A_SEX.get(w, sex) == sex]
            for code in RELATIONSHIPS
            for sex in (0, 1)
        ]
    elif field == "location_type":
        per_code = [_first_of(of, code, "OTH", "UNK") for code in LOCATIONS]
    else:
        # A system without a word for a flag has no field for it: nothing is written.
        per_code = [of.get(code, no_word) for code in FLAGS]
    count = np.array([len(w) for w in per_code])
    return _Words(pl.Series([w for ws in per_code for w in ws]), np.cumsum(count) - count, count)


def _nearest(of: dict[str, list[str]], code: str, group: str) -> list[str]:
    """Words for the code; where the system has none, for the wider term of its group, or for not known."""
    return _first_of(of, code, _WIDER[group], "ACQ" if group == "acquaintance_friend" else "UNK", "UNK")


def _first_of(of: dict[str, list[str]], *codes: str) -> list[str]:
    """Words for the first of the codes that has any. Raises ValueError where none has."""
    for code in codes:
        if code in of:
            return of[code]
    raise ValueError(
        f"code_mappings.csv has no word for {' nor '.join(dict.fromkeys(codes))}; add one to the record system"
    )


def _untidy(rng: Generator, words: pl.Series) -> pl.Series:
    """A few words in other case or with blanks around them; matching must not mind."""
    u = pl.Series(rng.random(len(words)))
    share = calibrated("untidy_word_share")
    return (
        pl.DataFrame({"w": words, "u": u})
        .select(
            pl.when(pl.col("u") < share / 3)
            .then(pl.col("w").str.to_lowercase())
            .when(pl.col("u") < share * 2 / 3)
            .then(pl.col("w").str.to_uppercase())
            .when(pl.col("u") < share)
            .then(pl.col("w") + " ")
            .otherwise("w")
        )
        .to_series()
    )


def _with_unmapped(rng: Generator, field: str, words: pl.Series, may: pl.Series | None = None) -> pl.Series:
    """A few words that the mapping tables do not know."""
    unknown = table("unmapped_words").filter(pl.col("field") == field)["raw_value"]
    hit = chance(rng, calibrated("unmapped_word_share"), len(words))
    if may is not None:
        hit &= may.to_numpy()
    return pl.Series(words).zip_with(
        pl.Series(~hit), unknown.gather(rng.integers(0, len(unknown), len(words)))
    )


def _of(column: str, words: tuple[str, ...] | list[str]) -> pl.Expr:
    return pl.col(column).replace_strict(
        list(range(len(words))), list(words), default=None, return_dtype=pl.String
    )


def offence_code(column: str = "code") -> pl.Expr:
    """An offence as its Home Office code."""
    return _of(column, behaviour().codes)


def _stamp(column: str) -> pl.Expr:
    return (pl.col(column) * 60_000_000).cast(pl.Datetime("us"))


def _date(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.Int32).cast(pl.Date)


def write_crimes(rng: Generator, h: Habits, crimes: Crimes) -> dict[str, pl.DataFrame]:
    """The five extracts that travel with a crime, from `as_known_on`."""
    o = crimes.offences
    ref = h.crime_ref()
    location = _words(h.record_system, "location_type").write(o["location"].to_numpy(), o["crime"].to_numpy())
    location = _with_unmapped(rng, "location_type", _untidy(rng, location))
    places = outcodes()[0].gather(o["outcode"])
    offences = o.with_columns(location_word=location, place=places, mo=_free_text(h, o)).select(
        crime_ref=ref,
        offence_code=offence_code(),
        committed_from=_stamp("committed_from"),
        committed_to=_stamp("committed_to"),
        committed_time_known=pl.when("time_known").then(pl.lit("Y")).otherwise(pl.lit("N")),
        reported_at=_stamp("reported"),
        recorded_at=_stamp("recorded"),
        location_type="location_word",
        postcode_sector=pl.when(pl.col("sector") >= 0).then(pl.format("{} {}", "place", "sector")),
        outcome_code=_of("outcome", OUTCOMES),
        outcome_date=_date("outcome_day"),
        status=pl.when("cancelled")
        .then(pl.lit("cancelled"))
        .when("transferred")
        .then(pl.lit("transferred"))
        .otherwise(pl.lit("live")),
        cancellation_reason=pl.when("cancelled").then(_of("cancel_reason", ["a", "b", "c", "d"])),
        cancellation_authorised_by=pl.when("cancelled").then(_of("cancel_by", ["FCR", "DDM"])),
        transferred_to_force=pl.when("transferred").then(_of("transfer_to", [f.code for f in forces()])),
        injury=_of("injury", INJURIES),
        weapon=_of("weapon", WEAPONS),
        modus_operandi="mo",
    )
    victims = crimes.victims.select(
        crime_ref=ref,
        victim_no="victim_no",
        victim_type=_of("kind", VICTIM_TYPES),
        person_ref=h.person_ref(),
        age="age",
        sex=_of("sex", ["F", "M"]),
        ethnicity=_of("ethnicity", ETHNICITIES),
        dash_risk=_of("dash", _DASH),
        supports_prosecution=_of("supports", ["N", "Y"]),
    )
    suspects = crimes.suspects.select(
        crime_ref=ref,
        suspect_no="suspect_no",
        person_ref=h.person_ref(),
        age="age",
        sex=_of("sex", ["F", "M"]),
        status="status",
        arrested_on=_date("arrest_day"),
        charged_on=_date("charge_day"),
    )
    r = crimes.relationships
    said = _words(h.record_system, "relationship").write(
        (r["relationship"] * 2 + r["suspect_sex"]).to_numpy(), r["noise"].to_numpy()
    )
    distant = r["relationship"].is_in([RELATIONSHIPS.index(x) for x in ("ACQ", "NBR", "STR", "UNK", "FRD")])
    said = _with_unmapped(rng, "relationship", _untidy(rng, said), distant)
    relationships = r.with_columns(said=said).select(
        crime_ref=ref, victim_no="victim_no", suspect_no="suspect_no", relationship="said"
    )
    f = crimes.flags.drop_nulls("value")
    marker = _words(h.record_system, "flag").write(f["flag"].to_numpy(), np.zeros(f.height, dtype=np.int64))
    flags = (
        f.with_columns(marker=marker)
        .filter(pl.col("marker").is_not_null())
        .select(crime_ref=ref, flag="marker", value=_of("value", ["N", "Y", "U"]))
    )
    return {
        "offences": offences,
        "victims": victims,
        "suspects": suspects,
        "relationships": relationships,
        "flags": flags,
    }


@cache
def _text_runs() -> tuple[pl.Series, dict[str, tuple[Ints, Ints]]]:
    """Every sentence, and for each slot the first row and count by (family or relation group, victim's sex)."""
    rows = table("modus_operandi").fill_null("")
    b = behaviour()
    runs: dict[str, tuple[Ints, Ints]] = {}
    sentences: list[str] = []
    for slot, keys in (("act", b.families), ("tie", list(RELATION_GROUPS)), ("end", [""])):
        column = {"act": "family", "tie": "relation_group", "end": "family"}[slot]
        of_slot = rows.filter(pl.col("slot") == slot)
        first, count = [], []
        for key in keys:
            for sex in ("F", "M"):
                fitting = of_slot.filter((pl.col(column) == key) & pl.col("victim_sex").is_in([sex, ""]))[
                    "text"
                ]
                found = fitting if len(fitting) else of_slot.filter(pl.col(column) == "")["text"]
                first.append(len(sentences))
                count.append(len(found))
                sentences += found.to_list()
        runs[slot] = (np.array(first), np.array(count))
    return pl.Series(sentences), runs


@cache
def _relation_of() -> Ints:
    """The relation group of each relationship, as the free text tells it."""
    group = dict(code_list("relationship_types").select("code", "relationship_group").iter_rows())
    name = {
        "intimate": "intimate",
        "family": "family_member",
        "acquaintance_friend": "known",
        "stranger": "stranger",
    }
    return np.array([RELATION_GROUPS.index(name.get(group[r], "unknown")) for r in RELATIONSHIPS])


def _free_text(h: Habits, offences: pl.DataFrame) -> pl.Series:
    """Three sentences: what happened, who it was, what was done. Null where no text is sent."""
    sentences, runs = _text_runs()
    noise = offences["text"].to_numpy()
    sex = np.where(offences["victim_sex"].to_numpy() == MAN, 1, 0)
    rows = {
        "act": offences["family"].to_numpy() * 2 + sex,
        "tie": _relation_of()[offences["relationship"].to_numpy()] * 2 + sex,
        "end": np.zeros(len(noise), dtype=np.int64),
    }
    parts = {}
    for place, (slot, row) in enumerate(rows.items()):
        first, count = runs[slot]
        parts[slot] = sentences.gather(first[row] + (noise // 1009**place) % count[row])
    there = (noise > 0) & (noise % 1000 < 650 * h.modus_operandi_factor)
    return (
        pl.DataFrame(parts)
        .select(pl.when(pl.Series(there)).then(pl.concat_str("act", "tie", "end", separator=" ")))
        .to_series()
    )


def in_name_case(h: Habits, persons: pl.DataFrame) -> pl.DataFrame:
    """Names in capitals, or in title case where the force writes them so."""
    if h.name_case != "title":
        return persons
    return persons.with_columns(pl.col("forenames", "surname").str.to_titlecase())
