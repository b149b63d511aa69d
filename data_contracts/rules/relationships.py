"""Rules on what a suspect is to a victim: ages, sex, and whose crime it is."""

from __future__ import annotations

import polars as pl

from data_contracts.rules.common import (
    CRIME,
    crimes_with_flag,
    if_flags_are_sent,
    is_against_a_person,
    live_crimes,
    orphans,
    related_pairs,
)
from data_contracts.rules.reference import generations_pattern, threshold, word_pattern
from data_contracts.rules.rule import Context, Tables, cross_rule

_YOUNGER = pl.min_horizontal("victim_age", "suspect_age")
_SPOUSES = pl.col("relationship_type").is_in(["SPO", "EXS"])


@cross_rule(
    "relationships",
    fields=("crime_ref",),
    message="The relationship's crime is not in the submission.",
    remedy="Send a crime whole: with its victims, suspects, relationships and flags.",
    source="checks X02",
)
def relationship_without_crime(tables: Tables, context: Context) -> pl.LazyFrame:
    return orphans(tables["relationships"], tables["offences"], [CRIME])


@cross_rule(
    "relationships",
    fields=("victim_no",),
    message="The relationship names a victim the crime does not have.",
    remedy="Correct victim_no, or send the victim.",
    source="checks X02",
)
def relationship_without_victim(tables: Tables, context: Context) -> pl.LazyFrame:
    known_crimes = tables["relationships"].join(tables["offences"], on=CRIME, how="semi")
    return orphans(known_crimes, tables["victims"], [CRIME, "victim_no"])


@cross_rule(
    "relationships",
    fields=("suspect_no",),
    message="The relationship names a suspect the crime does not have.",
    remedy="Correct suspect_no, or send the suspect.",
    source="checks X02",
)
def relationship_without_suspect(tables: Tables, context: Context) -> pl.LazyFrame:
    known_crimes = tables["relationships"].join(tables["offences"], on=CRIME, how="semi")
    return orphans(known_crimes, tables["suspects"], [CRIME, "suspect_no"])


@cross_rule(
    "relationships",
    fields=("relationship",),
    message="Parent and child are less than 12 years apart.",
    remedy="Correct the ages or the relationship.",
    source="checks X09",
)
def parent_and_child_too_close_in_age(tables: Tables, context: Context) -> pl.LazyFrame:
    older = pl.when(pl.col("relationship_type") == "PNT").then(pl.col("suspect_age") - pl.col("victim_age"))
    gap = older.when(pl.col("relationship_type") == "CHD").then(pl.col("victim_age") - pl.col("suspect_age"))
    return related_pairs(tables, context).filter(gap < threshold("parent_child_gap"))


@cross_rule(
    "relationships",
    fields=("relationship",),
    message="Grandparent and grandchild are less than 24 years apart.",
    remedy="Correct the ages or the relationship.",
    source="checks X09",
)
def grandparent_and_grandchild_too_close_in_age(tables: Tables, context: Context) -> pl.LazyFrame:
    # By the force's own word: the national code is that of other family. Which of the two is older, words do not agree on.
    of_two = pl.col("relationship").str.to_uppercase().str.contains(generations_pattern(2))
    gap = (pl.col("suspect_age") - pl.col("victim_age")).abs()
    return related_pairs(tables, context).filter(of_two & (gap < threshold("grandparent_grandchild_gap")))


@cross_rule(
    "relationships",
    fields=("relationship",),
    message="A spouse or former spouse is under 16.",
    remedy="Correct the ages or the relationship.",
    source="checks X10",
)
def spouse_under_16(tables: Tables, context: Context) -> pl.LazyFrame:
    return related_pairs(tables, context).filter(_SPOUSES & (threshold("marriage_age_impossible") > _YOUNGER))


@cross_rule(
    "relationships",
    fields=("relationship",),
    message="A spouse or former spouse is 16 or 17.",
    remedy="Check the ages and the relationship; nothing need be done where the marriage is real.",
    source="checks X10",
)
def spouse_under_18(tables: Tables, context: Context) -> pl.LazyFrame:
    doubtful = _YOUNGER.is_between(
        threshold("marriage_age_impossible"), threshold("marriage_age_doubtful"), closed="left"
    )
    return related_pairs(tables, context).filter(_SPOUSES & doubtful)


@cross_rule(
    "relationships",
    fields=("relationship",),
    message="The word for the relationship is of the other sex than the suspect.",
    remedy="Check the direction (the suspect is the victim's ...) and the suspect's sex.",
    source="checks X11",
)
def relationship_word_contradicts_sex(tables: Tables, context: Context) -> pl.LazyFrame:
    word = pl.col("relationship").str.to_uppercase()
    says_male, says_female = word.str.contains(word_pattern("M")), word.str.contains(word_pattern("F"))
    # A word that says both sexes ("boyfriend/girlfriend") says neither.
    wrong = ((pl.col("sex") == "M") & says_female & ~says_male) | (
        (pl.col("sex") == "F") & says_male & ~says_female
    )
    suspects = tables["suspects"].select(CRIME, "suspect_no", "sex")
    return tables["relationships"].join(suspects, on=[CRIME, "suspect_no"]).filter(wrong)


@cross_rule(
    "relationships",
    fields=("relationship",),
    message="Partners, former partners or family, both 16 or over, but no domestic abuse flag.",
    remedy="Set the domestic abuse flag, or correct the relationship.",
    source="checks R11",
)
def domestic_crime_not_flagged(tables: Tables, context: Context) -> pl.LazyFrame:
    crimes = live_crimes(tables).filter(is_against_a_person())
    domestic = (
        related_pairs(tables, context)
        .filter(
            pl.col("relationship_group").is_in(["intimate", "family"]) & (threshold("da_age_min") <= _YOUNGER)
        )
        # A minimum over one known age would take the other for granted.
        .drop_nulls(["victim_age", "suspect_age"])
        .join(crimes, on=CRIME, how="semi")
        .join(crimes_with_flag(tables, context, "DA"), on=CRIME, how="anti")
    )
    return if_flags_are_sent(domestic, tables, context)
