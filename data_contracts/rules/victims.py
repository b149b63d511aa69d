"""Rules on victims: that a crime has one, and that it fits the offence and the nominal."""

from __future__ import annotations

import polars as pl

from data_contracts.rules.common import (
    CRIME,
    PERSON_VICTIM,
    SEX_GIVEN,
    fact,
    is_against_a_person,
    live_crimes,
    orphans,
)
from data_contracts.rules.nominals import born_after_the_offence, not_the_nominal
from data_contracts.rules.reference import threshold
from data_contracts.rules.rule import Context, Tables, cross_rule, record_rule


def _with_offence(tables: Tables) -> pl.LazyFrame:
    """Victims who are persons, with the code of their live crime."""
    crimes = live_crimes(tables).select(CRIME, "offence_code")
    return tables["victims"].filter(PERSON_VICTIM).join(crimes, on=CRIME)


@cross_rule(
    "offences",
    fields=("crime_ref",),
    message="A crime against a person has no victim.",
    remedy="Send the victims of the crime with it.",
    source="checks X01",
)
def crime_without_victim(tables: Tables, context: Context) -> pl.LazyFrame:
    return orphans(live_crimes(tables).filter(is_against_a_person()), tables["victims"], [CRIME])


@cross_rule(
    "victims",
    fields=("crime_ref",),
    message="The victim's crime is not in the submission.",
    remedy="Send a crime whole: with its victims, suspects, relationships and flags.",
    source="checks X02",
)
def victim_without_crime(tables: Tables, context: Context) -> pl.LazyFrame:
    return orphans(tables["victims"], tables["offences"], [CRIME])


@cross_rule(
    "victims",
    fields=("age",),
    message="No victim of the crime is of an age the offence allows.",
    remedy="Correct the victim's age, or use the code of the offence for this age.",
    source="checks R09",
)
def victim_age_contradicts_offence(tables: Tables, context: Context) -> pl.LazyFrame:
    # One victim of a fitting age is enough: the code is that of the principal offence.
    low, high = fact("victim_age_min", pl.Int64), fact("victim_age_max", pl.Int64)
    fits = pl.col("age").is_null() | (
        (pl.col("age") >= low).fill_null(True) & (pl.col("age") <= high).fill_null(True)
    )
    return _with_offence(tables).filter(~fits.any().over(CRIME))


@cross_rule(
    "victims",
    fields=("sex",),
    message="No victim of the crime is of the sex the offence names.",
    remedy="Correct the victim's sex, or use the code of the offence for this sex.",
    source="checks R09, for sex",
)
def victim_sex_contradicts_offence(tables: Tables, context: Context) -> pl.LazyFrame:
    fits = ~pl.col("sex").is_in(["M", "F"]).fill_null(False) | (
        pl.col("sex") == fact("victim_sex")
    ).fill_null(True)
    return _with_offence(tables).filter(~fits.any().over(CRIME))


@cross_rule(
    "victims",
    fields=("age", "sex", "ethnicity"),
    message="Age, sex and ethnicity of the victim are all unknown.",
    remedy="Fill what is known of the victim.",
    source="checks R19",
)
def victim_wholly_unknown(tables: Tables, context: Context) -> pl.LazyFrame:
    no_sex = pl.col("sex").fill_null("U") == "U"
    no_ethnicity = pl.col("ethnicity").fill_null("NS") == "NS"
    known_crimes = _with_offence(tables).filter(is_against_a_person())
    return known_crimes.filter(pl.col("age").is_null() & no_sex & no_ethnicity)


@cross_rule(
    "victims",
    fields=("victim_type",),
    message="A crime against a person has an organisation or the public as its only victim.",
    remedy="Send the person as victim, or correct the offence code.",
    source="checks R19",
)
def personal_offence_against_no_person(tables: Tables, context: Context) -> pl.LazyFrame:
    crimes = live_crimes(tables).filter(is_against_a_person()).select(CRIME)
    # An unreadable victim type may have been a person.
    maybe_person = PERSON_VICTIM.fill_null(True)
    return tables["victims"].join(crimes, on=CRIME, how="semi").filter(~maybe_person.any().over(CRIME))


@record_rule(
    "victims",
    fields=("victim_type", "age", "sex"),
    message="A victim that is not a person has an age or a sex.",
    remedy="Leave age and sex blank for an organisation, or correct victim_type.",
    source="checks R19",
)
def organisation_with_age_or_sex(context: Context) -> pl.Expr:
    return ~PERSON_VICTIM & (pl.col("age").is_not_null() | SEX_GIVEN)


@record_rule(
    "victims",
    fields=("age",),
    message="The victim's age is 98 or more, which systems often write for unknown.",
    remedy="Leave age blank where it is not known.",
    source="checks F09",
)
def victim_age_implausible(context: Context) -> pl.Expr:
    return pl.col("age") >= threshold("age_confused_with_unknown")


@cross_rule(
    "victims",
    fields=("person_ref",),
    message="The victim was born after the offence, by the birth date of the nominal.",
    remedy="Correct the nominal's date_of_birth, the date of the offence, or the victim's person_ref.",
    source="checks F10",
)
def victim_born_after_offence(tables: Tables, context: Context) -> pl.LazyFrame:
    return born_after_the_offence(tables, "victims")


@cross_rule(
    "victims",
    fields=("person_ref",),
    message="The victim's sex and age are both not those of the nominal named.",
    remedy="Correct person_ref: a nominal reference must not stand for two people.",
    source="checks X15",
)
def victim_is_not_the_nominal(tables: Tables, context: Context) -> pl.LazyFrame:
    return not_the_nominal(tables, "victims")
