"""Rules on nominals and their aliases: birth dates, names, identifiers."""

from __future__ import annotations

import polars as pl

from data_contracts.rules.common import area_unknown, extraction_day, orphans
from data_contracts.rules.nominals import is_placeholder_birth_date
from data_contracts.rules.reference import placeholders, threshold
from data_contracts.rules.rule import Context, Tables, cross_rule, record_rule

# MoJ's Bichard 7 checks arrest summons numbers with this alphabet; that PNC ids use it too is from memory.
PNC_CHECK_LETTERS = "ZABCDEFGHJKLMNPQRTUVWXY"


def pnc_check_letter(pnc_id: pl.Expr) -> pl.Expr:
    """The letter a PNC id (YYYY/NNNNNNNX) should end with: two digits of year and seven of serial, modulo 23."""
    year, serial = pnc_id.str.slice(2, 2), pnc_id.str.extract(r"/([0-9]{1,7})", 1).str.zfill(7)
    remainder = (year + serial).cast(pl.Int64, strict=False) % len(PNC_CHECK_LETTERS)
    return remainder.replace_strict(dict(enumerate(PNC_CHECK_LETTERS)), default=None, return_dtype=pl.String)


@record_rule(
    "persons",
    fields=("date_of_birth",),
    message="The date of birth lies after the extract, or makes the person older than 115.",
    remedy="Correct date_of_birth, or leave it blank where it is not known.",
    source="checks F10",
)
def birth_date_impossible(context: Context) -> pl.Expr:
    day = extraction_day(context)
    oldest = pl.lit(day).dt.offset_by(f"-{threshold('age_max') + 1}y")
    impossible = (pl.col("date_of_birth") > day) | (pl.col("date_of_birth") <= oldest)
    return impossible & ~is_placeholder_birth_date()


@record_rule(
    "persons",
    fields=("date_of_birth",),
    message="The date of birth is one that systems fill in.",
    remedy="Leave date_of_birth blank where it is not known.",
    source="checks F11",
)
def birth_date_is_a_placeholder(context: Context) -> pl.Expr:
    return is_placeholder_birth_date()


@record_rule(
    "persons",
    fields=("surname", "forenames"),
    message="A name is a placeholder, a single letter, or holds digits.",
    remedy="Write the name as known, and leave it blank where it is not.",
    source="checks F12",
)
def name_is_a_placeholder(context: Context) -> pl.Expr:
    words = placeholders("name")

    def odd(column: str) -> pl.Expr:
        name = pl.col(column).str.to_uppercase()
        return name.is_in(words) | (name.str.len_chars() == 1) | name.str.contains(r"[0-9]")

    return odd("surname").fill_null(False) | odd("forenames").fill_null(False)


@record_rule(
    "persons",
    fields=("postcode",),
    message="No postcode begins with these letters.",
    remedy="Correct postcode, or leave it blank where it is not known.",
    source="checks F13",
)
def postcode_area_unknown(context: Context) -> pl.Expr:
    return area_unknown("postcode")


@record_rule(
    "persons",
    fields=("pnc_id",),
    message="The check letter of the PNC id is wrong.",
    remedy="Correct pnc_id, or leave it blank where it is not known.",
    source="checks F15",
)
def pnc_check_letter_wrong(context: Context) -> pl.Expr:
    return pl.col("pnc_id").str.slice(-1) != pnc_check_letter(pl.col("pnc_id"))


@record_rule(
    "persons",
    fields=("deceased_on", "date_of_birth"),
    message="The date of death lies before the birth or after the extract.",
    remedy="Correct deceased_on or date_of_birth.",
    source="checks F04, F10",
)
def death_date_impossible(context: Context) -> pl.Expr:
    before_birth = (pl.col("deceased_on") < pl.col("date_of_birth")).fill_null(False)
    return before_birth | (pl.col("deceased_on") > extraction_day(context))


@cross_rule(
    "persons",
    fields=("pnc_id",),
    message="Another nominal has the same PNC id but another sex, or a birth year more than 2 years away.",
    remedy="Correct pnc_id, sex or date_of_birth of one of the two.",
    source="checks X16",
)
def pnc_id_of_two_people(tables: Tables, context: Context) -> pl.LazyFrame:
    persons = tables["persons"].drop_nulls("pnc_id")
    known_sex = pl.when(pl.col("sex").is_in(["M", "F"])).then(pl.col("sex"))
    year = pl.when(~is_placeholder_birth_date()).then(pl.col("date_of_birth").dt.year())
    two_sexes = known_sex.drop_nulls().n_unique().over("pnc_id") > 1
    apart = year.max().over("pnc_id") - year.min().over("pnc_id") > threshold("birth_year_tolerance")
    return persons.filter(two_sexes | apart.fill_null(False))


@cross_rule(
    "person_aliases",
    fields=("person_ref",),
    message="The alias's nominal is not in the submission.",
    remedy="Send a nominal whole: with all its aliases.",
    source="checks X02",
)
def alias_without_person(tables: Tables, context: Context) -> pl.LazyFrame:
    return orphans(tables["person_aliases"], tables["persons"], ["person_ref"])


@record_rule(
    "person_aliases",
    fields=("surname", "forenames", "date_of_birth"),
    message="The alias holds neither a name nor a birth date.",
    remedy="Leave the alias out.",
    source="checks F01",
)
def alias_is_empty(context: Context) -> pl.Expr:
    return pl.all_horizontal(pl.col("forenames", "surname", "date_of_birth").is_null())
