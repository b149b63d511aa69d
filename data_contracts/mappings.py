"""From a force's own words to national codes, by the record system it runs.

The mapping is data: `codes/force_record_systems.csv` says which record system a force runs and since
when, `codes/code_mappings.csv` what that system's words mean. Words are compared in capitals without
surrounding blanks; a word without a mapping is null here, never guessed.
"""

from __future__ import annotations

from datetime import date
from functools import cache

import polars as pl

from data_contracts.code_lists import code_list


@cache
def record_system(force_code: str, on: date) -> str | None:
    """The record system the force runs on that day; None where none is known."""
    day = on.isoformat()
    running = code_list("force_record_systems").filter(
        (pl.col("force_code") == force_code)
        & (pl.col("valid_from") <= day)
        & (pl.col("valid_to").is_null() | (pl.col("valid_to") >= day))
    )
    return running["record_system"][0] if running.height else None


@cache
def mapping(force_code: str, field: str, on: date) -> dict[str, str]:
    """Raw word, in capitals, to national code for `relationship`, `location_type` or `flag`."""
    rows = code_list("code_mappings").filter(
        (pl.col("record_system") == record_system(force_code, on)) & (pl.col("field") == field)
    )
    return dict(
        rows.select(pl.col("raw_value").str.strip_chars().str.to_uppercase(), "national_code").iter_rows()
    )


def national_code(column: str, *, field: str, force_code: str, on: date) -> pl.Expr:
    """The national code for a raw word; null where the word is unmapped."""
    known = mapping(force_code, field, on)
    if not known:
        return pl.lit(None, dtype=pl.String)
    word = pl.col(column).str.strip_chars().str.to_uppercase()
    return word.replace_strict(list(known), list(known.values()), default=None, return_dtype=pl.String)
