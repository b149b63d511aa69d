"""Comparing a victim or suspect with the nominal it names, where the nominal is in the same submission."""

from __future__ import annotations

import polars as pl

from data_contracts.rules.common import CRIME, committed_until
from data_contracts.rules.reference import placeholders, threshold
from data_contracts.rules.rule import Tables


def is_placeholder_birth_date(column: str = "date_of_birth") -> pl.Expr:
    """Whether a birth date is one that systems fill in."""
    return pl.col(column).dt.strftime("%Y-%m-%d").is_in(placeholders("date_of_birth"))


def _with_nominal(tables: Tables, role: str) -> pl.LazyFrame:
    """Victims or suspects with `committed_on`, `date_of_birth` and `nominal_sex`."""
    crimes = tables["offences"].select(CRIME, committed_until().dt.date().alias("committed_on"))
    nominals = (
        tables["persons"]
        .filter(~is_placeholder_birth_date())
        .select("person_ref", "date_of_birth", pl.col("sex").alias("nominal_sex"))
    )
    return tables[role].join(crimes, on=CRIME).join(nominals, on="person_ref")


def born_after_the_offence(tables: Tables, role: str) -> pl.LazyFrame:
    """Victims or suspects whose nominal was born after the crime ended."""
    return _with_nominal(tables, role).filter(pl.col("date_of_birth") > pl.col("committed_on"))


def not_the_nominal(tables: Tables, role: str) -> pl.LazyFrame:
    """Victims or suspects that differ from their nominal in sex and in year of birth, both known."""
    both_known = pl.col("sex").is_in(["M", "F"]) & pl.col("nominal_sex").is_in(["M", "F"])
    other_sex = both_known & (pl.col("sex") != pl.col("nominal_sex"))
    year = pl.col("committed_on").dt.year() - pl.col("age")
    # An age allows two years of birth: this year less the age, and the one before.
    gap, tolerance = year - pl.col("date_of_birth").dt.year(), threshold("birth_year_tolerance")
    return _with_nominal(tables, role).filter(other_sex & ~gap.is_between(-tolerance, tolerance + 1))
