"""Rules on suspects: that they fit the outcome, the offence, the nominal and the crime's victims."""

from __future__ import annotations

import polars as pl

from data_contracts.code_lists import lookup
from data_contracts.rules.common import (
    CRIME,
    IDENTIFIED,
    SEX_GIVEN,
    extraction_day,
    live_crimes,
    orphans,
    outcome_is,
)
from data_contracts.rules.nominals import born_after_the_offence, not_the_nominal
from data_contracts.rules.reference import offences_with, threshold
from data_contracts.rules.rule import Context, Tables, cross_rule, record_rule

_DESCRIBED = pl.any_horizontal(
    pl.col("person_ref", "age", "arrested_on", "charged_on").is_not_null(), SEX_GIVEN
)
_PROCEEDED_AGAINST = (
    pl.col("status").is_in(["charged", "cautioned", "convicted"]) | pl.col("charged_on").is_not_null()
)


@cross_rule(
    "suspects",
    fields=("crime_ref",),
    message="The suspect's crime is not in the submission.",
    remedy="Send a crime whole: with its victims, suspects, relationships and flags.",
    source="checks X02",
)
def suspect_without_crime(tables: Tables, context: Context) -> pl.LazyFrame:
    return orphans(tables["suspects"], tables["offences"], [CRIME])


@cross_rule(
    "offences",
    fields=("outcome_code",),
    message="The outcome presumes a suspect, but the crime has none.",
    remedy="Send the suspect with the crime, or correct outcome_code.",
    source="checks X04",
)
def outcome_needs_a_suspect(tables: Tables, context: Context) -> pl.LazyFrame:
    # An unreadable status may have been that of an identified suspect.
    identified = tables["suspects"].filter(IDENTIFIED.fill_null(True))
    return orphans(live_crimes(tables).filter(outcome_is("presumes_suspect")), identified, [CRIME])


@cross_rule(
    "offences",
    fields=("outcome_code",),
    message="The outcome says that no suspect was identified, but the crime has one.",
    remedy="Correct outcome_code, or set the suspect's status to eliminated if that is what happened.",
    source="checks X05",
)
def outcome_denies_the_suspect(tables: Tables, context: Context) -> pl.LazyFrame:
    stands = lookup("status", "suspect_statuses", "allegation_stands") == "true"
    suspected = tables["suspects"].filter(IDENTIFIED & stands)
    return live_crimes(tables).filter(outcome_is("presumes_no_suspect")).join(suspected, on=CRIME, how="semi")


@cross_rule(
    "suspects",
    fields=("status",),
    message="A suspect that is not identified stands beside other suspects.",
    remedy="Send the unidentified suspect only where nobody is known; otherwise leave it out.",
    source="checks X06",
)
def unidentified_suspect_not_alone(tables: Tables, context: Context) -> pl.LazyFrame:
    several = pl.len().over(CRIME) > 1
    return tables["suspects"].drop_nulls(CRIME).filter(several).filter(~IDENTIFIED)


@record_rule(
    "suspects",
    fields=("status", "person_ref", "age", "sex", "arrested_on", "charged_on"),
    message="A suspect that is not identified has a nominal, an age, a sex, an arrest or a charge.",
    remedy="Set status to named or beyond, or leave what is filled blank.",
    source="checks X06",
)
def unidentified_suspect_described(context: Context) -> pl.Expr:
    return ~IDENTIFIED & _DESCRIBED


@record_rule(
    "suspects",
    fields=("status", "person_ref", "age", "sex"),
    message="Nothing is known of this suspect, yet the status is not unidentified.",
    remedy="Set status to unidentified, or fill what is known.",
    source="checks X07",
)
def suspect_wholly_unknown(context: Context) -> pl.Expr:
    return IDENTIFIED & ~_DESCRIBED


@cross_rule(
    "suspects",
    fields=("age",),
    message="A child below the age of criminal responsibility was charged or cautioned.",
    remedy="Correct the suspect's age, or the status: nobody under 10 can be proceeded against.",
    source="checks R17",
)
def proceeded_against_under_ten(tables: Tables, context: Context) -> pl.LazyFrame:
    child = pl.col("age") < threshold("criminal_responsibility_age")
    sole = (pl.len().over(CRIME) == 1) & outcome_is("is_positive")
    crimes = live_crimes(tables).select(CRIME, "outcome_code")
    return (
        tables["suspects"]
        .join(crimes, on=CRIME, how="left")
        .filter(child & (_PROCEEDED_AGAINST | sole.fill_null(False)))
    )


@record_rule(
    "suspects",
    fields=("age",),
    message="The suspect's age is 98 or more, or 3 or less, which systems often fill in.",
    remedy="Leave age blank where it is not known.",
    source="checks F09",
)
def suspect_age_implausible(context: Context) -> pl.Expr:
    high = pl.col("age") >= threshold("age_confused_with_unknown")
    return high | (pl.col("age") <= threshold("suspect_age_implausible_max"))


@record_rule(
    "suspects",
    fields=("arrested_on", "charged_on"),
    message="The suspect was arrested or charged after the extract was drawn.",
    remedy="Correct arrested_on or charged_on, or extracted_at in submission.json.",
    source="checks F04",
)
def suspect_dealt_with_after_extraction(context: Context) -> pl.Expr:
    return pl.max_horizontal("arrested_on", "charged_on") > extraction_day(context)


@cross_rule(
    "suspects",
    fields=("arrested_on", "charged_on"),
    message="The suspect was arrested or charged before the offence began.",
    remedy="Correct arrested_on or charged_on, or the date of the offence.",
    source="checks R01, for suspects",
)
def suspect_dealt_with_before_offence(tables: Tables, context: Context) -> pl.LazyFrame:
    crimes = tables["offences"].select(CRIME, pl.col("committed_from").dt.date().alias("committed_on"))
    first = pl.min_horizontal("arrested_on", "charged_on")
    return tables["suspects"].join(crimes, on=CRIME).filter(first < pl.col("committed_on"))


@record_rule(
    "suspects",
    fields=("status", "arrested_on", "charged_on"),
    message="The status is behind the dates: the suspect has been arrested or charged.",
    remedy="Bring status up to date.",
    source="checks R05, for suspects",
)
def suspect_status_behind_dates(context: Context) -> pl.Expr:
    named = (pl.col("status") == "named") & pl.any_horizontal(
        pl.col("arrested_on", "charged_on").is_not_null()
    )
    uncharged = pl.col("status").is_in(["arrested", "bailed"]) & pl.col("charged_on").is_not_null()
    return named | uncharged


@cross_rule(
    "suspects",
    fields=("person_ref",),
    message="The same person is victim and suspect of the crime.",
    remedy="Correct person_ref of the victim or of the suspect.",
    source="checks X08",
)
def suspect_is_the_victim(tables: Tables, context: Context) -> pl.LazyFrame:
    return tables["suspects"].join(tables["victims"], on=[CRIME, "person_ref"], how="semi")


@cross_rule(
    "suspects",
    fields=("person_ref",),
    message="The suspect was born after the offence, by the birth date of the nominal.",
    remedy="Correct the nominal's date_of_birth, the date of the offence, or the suspect's person_ref.",
    source="checks F10",
)
def suspect_born_after_offence(tables: Tables, context: Context) -> pl.LazyFrame:
    return born_after_the_offence(tables, "suspects")


@cross_rule(
    "suspects",
    fields=("person_ref",),
    message="The suspect's sex and age are both not those of the nominal named.",
    remedy="Correct person_ref: a nominal reference must not stand for two people.",
    source="checks X15",
)
def suspect_is_not_the_nominal(tables: Tables, context: Context) -> pl.LazyFrame:
    return not_the_nominal(tables, "suspects")


@cross_rule(
    "offences",
    fields=("offence_code",),
    message="All suspects are female, but the offence can be committed by a man only as principal.",
    remedy="Check the suspects' sex, send the male principal, or correct offence_code.",
    source="checks X12",
)
def suspects_of_impossible_sex(tables: Tables, context: Context) -> pl.LazyFrame:
    suspects = (
        tables["suspects"]
        .group_by(CRIME)
        .agg((pl.col("sex") == "F").fill_null(False).all().alias("all_female"))
    )
    crimes = live_crimes(tables).filter(pl.col("offence_code").is_in(offences_with("male_principal")))
    return crimes.join(suspects.filter(pl.col("all_female")), on=CRIME, how="semi")


def _pairs(tables: Tables) -> pl.LazyFrame:
    """Victim and suspect nominals of each live crime, with the day and code of the offence."""
    crimes = live_crimes(tables).select(
        CRIME, "row_number", "offence_code", pl.col("committed_from").dt.date().alias("committed_on")
    )
    victims = tables["victims"].select(CRIME, pl.col("person_ref").alias("victim")).drop_nulls()
    suspects = tables["suspects"].select(CRIME, pl.col("person_ref").alias("suspect")).drop_nulls()
    return crimes.join(victims, on=CRIME).join(suspects, on=CRIME)


@cross_rule(
    "offences",
    fields=("crime_ref",),
    message="Another crime has the same victim, suspect, day and offence.",
    remedy="Cancel the duplicate if it is one event; nothing need be done where there were two.",
    source="checks X13",
    across_crimes=True,
)
def crime_recorded_twice(tables: Tables, context: Context) -> pl.LazyFrame:
    event = ["victim", "suspect", "committed_on", "offence_code"]
    return _pairs(tables).drop_nulls(event).filter(pl.col(CRIME).n_unique().over(event) > 1)


@cross_rule(
    "offences",
    fields=("crime_ref",),
    message="Another crime of the same day has this victim as suspect and this suspect as victim.",
    remedy="Check which of the two is the victim; nothing need be done for a real counter-allegation.",
    source="checks X08",
    across_crimes=True,
)
def mirrored_crimes(tables: Tables, context: Context) -> pl.LazyFrame:
    pairs = _pairs(tables).filter(pl.col("victim") != pl.col("suspect"))
    turned = pairs.select(
        pl.col("victim").alias("suspect"), pl.col("suspect").alias("victim"), "committed_on"
    )
    return pairs.join(turned, on=["victim", "suspect", "committed_on"], how="semi")
