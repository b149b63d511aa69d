"""Rules on markers: that they agree with the offence, the ages and the relationships."""

from __future__ import annotations

import polars as pl

from data_contracts.rules.common import (
    CRIME,
    IDENTIFIED,
    PERSON_VICTIM,
    crimes_with_flag,
    fact,
    if_flags_are_sent,
    live_crimes,
    national_flags,
    orphans,
    related_pairs,
)
from data_contracts.rules.reference import offences_with, threshold
from data_contracts.rules.rule import Context, Tables, cross_rule

_SEXUAL_ABUSE_OF_CHILDREN = ("CSA", "CSE")


def _flags_set(tables: Tables, context: Context, *flag_types: str) -> pl.LazyFrame:
    """Rows of flags that set one of these national flags."""
    return national_flags(tables, context).filter(
        pl.col("flag_type").is_in(flag_types) & (pl.col("value") == "Y")
    )


@cross_rule(
    "flags",
    fields=("crime_ref",),
    message="The flag's crime is not in the submission.",
    remedy="Send a crime whole: with its victims, suspects, relationships and flags.",
    source="checks X02",
)
def flag_without_crime(tables: Tables, context: Context) -> pl.LazyFrame:
    return orphans(tables["flags"], tables["offences"], [CRIME])


@cross_rule(
    "flags",
    fields=("value", "flag"),
    message="Two flags of one crime mean the same and say different things.",
    remedy="Send one value per flag and crime.",
    source="checks F08",
)
def flag_contradicts_itself(tables: Tables, context: Context) -> pl.LazyFrame:
    flags = national_flags(tables, context).drop_nulls([CRIME, "flag_type", "value"])
    return flags.filter(pl.col("value").n_unique().over(CRIME, "flag_type") > 1)


@cross_rule(
    "flags",
    fields=("flag",),
    message="The crime is flagged as domestic abuse, but the suspects are strangers to the victims.",
    remedy="Correct the flag or the relationship.",
    source="checks R10",
)
def domestic_flag_on_strangers(tables: Tables, context: Context) -> pl.LazyFrame:
    stranger = (pl.col("relationship_group") == "stranger").fill_null(False)
    strangers = (
        related_pairs(tables, context).group_by(CRIME).agg(stranger.all()).filter("relationship_group")
    )
    return _flags_set(tables, context, "DA").join(strangers, on=CRIME, how="semi")


@cross_rule(
    "flags",
    fields=("flag",),
    message="The crime is flagged as domestic abuse, but every victim or every suspect is under 16.",
    remedy="Correct the flag or the ages: domestic abuse is between people of 16 or over.",
    source="checks R12",
)
def domestic_flag_under_16(tables: Tables, context: Context) -> pl.LazyFrame:
    limit = threshold("da_age_min")
    young = (pl.col("age") < limit).fill_null(False).all()
    victims = (
        tables["victims"].filter(PERSON_VICTIM).group_by(CRIME).agg(young.alias("young")).filter("young")
    )
    suspects = tables["suspects"].filter(IDENTIFIED).group_by(CRIME).agg(young.alias("young")).filter("young")
    return _flags_set(tables, context, "DA").join(
        pl.concat([victims.select(CRIME), suspects.select(CRIME)]), on=CRIME, how="semi"
    )


@cross_rule(
    "offences",
    fields=("offence_code",),
    message="Controlling or coercive behaviour is not flagged as domestic abuse.",
    remedy="Set the domestic abuse flag, or correct offence_code.",
    source="checks R13",
)
def coercive_control_not_flagged(tables: Tables, context: Context) -> pl.LazyFrame:
    crimes = live_crimes(tables).filter(pl.col("offence_code").is_in(offences_with("coercive_control")))
    return if_flags_are_sent(
        crimes.join(crimes_with_flag(tables, context, "DA"), on=CRIME, how="anti"), tables, context
    )


@cross_rule(
    "offences",
    fields=("offence_code",),
    message="A sexual offence against a child is flagged neither as child sexual abuse nor as exploitation.",
    remedy="Set the flag, or correct the victim's age.",
    source="checks R14",
)
def child_sexual_offence_not_flagged(tables: Tables, context: Context) -> pl.LazyFrame:
    children = tables["victims"].filter(pl.col("age") <= threshold("child_age_max"))
    crimes = live_crimes(tables).filter(fact("offence_group") == "Sexual offences")
    unflagged = crimes.join(children, on=CRIME, how="semi").join(
        crimes_with_flag(tables, context, *_SEXUAL_ABUSE_OF_CHILDREN), on=CRIME, how="anti"
    )
    return if_flags_are_sent(unflagged, tables, context)


@cross_rule(
    "flags",
    fields=("flag",),
    message="The crime is flagged as child sexual abuse or exploitation, but every victim is an adult.",
    remedy="Correct the flag or the victim's age.",
    source="checks R14",
)
def child_flag_on_adults(tables: Tables, context: Context) -> pl.LazyFrame:
    adult = (pl.col("age") > threshold("child_age_max")).fill_null(False).all()
    adults = (
        tables["victims"].filter(PERSON_VICTIM).group_by(CRIME).agg(adult.alias("adults")).filter("adults")
    )
    return _flags_set(tables, context, *_SEXUAL_ABUSE_OF_CHILDREN).join(adults, on=CRIME, how="semi")


@cross_rule(
    "flags",
    fields=("value", "flag"),
    message="The online flag contradicts the offence.",
    remedy="Set the online flag on an offence of messages, and not on one that needs presence; or correct the code.",
    source="checks R15",
)
def online_flag_contradicts_offence(tables: Tables, context: Context) -> pl.LazyFrame:
    denied = pl.col("offence_code").is_in(offences_with("by_communication")) & (pl.col("value") == "N")
    impossible = pl.col("offence_code").is_in(offences_with("in_person")) & (pl.col("value") == "Y")
    crimes = live_crimes(tables).select(CRIME, "offence_code")
    online = national_flags(tables, context).filter(pl.col("flag_type") == "ONL")
    return online.join(crimes, on=CRIME).filter(denied | impossible)
