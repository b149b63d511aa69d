"""What several cross rules ask of the extracts: live crimes, national words, facts about the offence."""

from __future__ import annotations

from datetime import date

import polars as pl

from data_contracts.code_lists import lookup
from data_contracts.mappings import national_code
from data_contracts.rules.reference import postcode_areas
from data_contracts.rules.rule import Context, Tables

CRIME = "crime_ref"
PERSON_VICTIM = pl.col("victim_type").is_in(["person", "police"])
SEX_GIVEN = pl.col("sex").is_in(["M", "F", "X"]).fill_null(False)
IDENTIFIED = pl.col("status") != "unidentified"


def fact(column: str, dtype: type[pl.DataType] = pl.String) -> pl.Expr:
    """A fact about the offence code of this row, from the offence code list."""
    return lookup("offence_code", "offence_codes", column, dtype)


def is_against_a_person() -> pl.Expr:
    """Whether the offence is one against a person."""
    return fact("is_against_a_person") == "true"


def outcome_is(column: str) -> pl.Expr:
    """A true-or-false fact about the outcome code of this row, from the outcome code list."""
    return lookup("outcome_code", "outcome_codes", column) == "true"


def committed_until() -> pl.Expr:
    """The last moment of the offence."""
    return pl.coalesce("committed_to", "committed_from")


def live_crimes(tables: Tables) -> pl.LazyFrame:
    """Crimes that stand. A cancelled or transferred one counts nowhere and need not be complete."""
    return tables["offences"].filter(pl.col("status") == "live")


def orphans(child: pl.LazyFrame, parent: pl.LazyFrame, on: list[str]) -> pl.LazyFrame:
    """Rows of `child` without a row in `parent`. A blank key is reported as blank, not as an orphan."""
    return child.drop_nulls(on).join(parent.select(on), on=on, how="anti")


def national_flags(tables: Tables, context: Context) -> pl.LazyFrame:
    """The flags with their national code in `flag_type`; unmapped words have null."""
    code = national_code("flag", field="flag", force_code=context.force_code, on=context.period)
    return tables["flags"].with_columns(code.alias("flag_type"))


def crimes_with_flag(tables: Tables, context: Context, *flag_types: str, value: str = "Y") -> pl.LazyFrame:
    """`crime_ref` of crimes that carry one of these national flags with this value."""
    flags = national_flags(tables, context)
    return (
        flags.filter(pl.col("flag_type").is_in(flag_types) & (pl.col("value") == value))
        .select(CRIME)
        .unique()
    )


def if_flags_are_sent(rows: pl.LazyFrame, tables: Tables, context: Context) -> pl.LazyFrame:
    """These rows, or none where the submission holds no flag at all: the system does not send them."""
    if context.sends_flags is not None:
        return rows if context.sends_flags else rows.clear()
    sent = tables["flags"].select(pl.len().alias("n_flags"))
    return rows.join(sent, how="cross").filter(pl.col("n_flags") > 0)


def related_pairs(tables: Tables, context: Context) -> pl.LazyFrame:
    """One row per relationship with `relationship_type`, its group, and age and sex of both sides.

    `row_number` is that of the relationships extract.
    """
    code = national_code(
        "relationship", field="relationship", force_code=context.force_code, on=context.period
    )
    victims = tables["victims"].select(
        CRIME, "victim_no", pl.col("age").alias("victim_age"), pl.col("sex").alias("victim_sex")
    )
    suspects = tables["suspects"].select(
        CRIME, "suspect_no", pl.col("age").alias("suspect_age"), pl.col("sex").alias("suspect_sex")
    )
    return (
        tables["relationships"]
        .with_columns(code.alias("relationship_type"))
        .with_columns(
            lookup("relationship_type", "relationship_types", "relationship_group").alias(
                "relationship_group"
            )
        )
        .join(victims, on=[CRIME, "victim_no"])
        .join(suspects, on=[CRIME, "suspect_no"])
    )


def area_unknown(postcode: str) -> pl.Expr:
    """The letters the postcode begins with are those of no area."""
    return ~pl.col(postcode).str.extract(r"^([A-Z]+)", 1).is_in(postcode_areas())


def extraction_day(context: Context) -> date:
    """The last day the extract can know about."""
    return context.extracted_at.date()
