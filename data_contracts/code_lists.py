"""Code lists, read from `data_contracts/codes/*.csv`: the one place that opens them in Python.

Every list has `code` and `label`; further columns are facts about the code. Where a list or a fact
has no published source its `source` says `from memory` and stays so until somebody confirms it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

import polars as pl

FOLDER = Path(__file__).parent / "codes"


@cache
def code_list(name: str) -> pl.DataFrame:
    """One row per code, every column text, blank as null. Raises FileNotFoundError on an unknown list."""
    return pl.read_csv(FOLDER / f"{name}.csv", infer_schema=False)


@cache
def codes(name: str) -> pl.Series:
    """The codes of a list, in file order."""
    return code_list(name)["code"]


@cache
def attribute(list_name: str, column: str) -> Mapping[str, str]:
    """Code to the value of one further column, without the codes that leave it blank."""
    rows = code_list(list_name).select("code", column).drop_nulls()
    return MappingProxyType(dict(rows.iter_rows()))


@cache
def lookup(
    field: str, list_name: str, column: str, dtype: pl.DataType | type[pl.DataType] = pl.String
) -> pl.Expr:
    """The `column` of `list_name` for the code in `field`; null where the code or the fact is absent."""
    found = attribute(list_name, column)
    if not found:
        return pl.lit(None, dtype=dtype)
    return (
        pl.col(field)
        .replace_strict(list(found), list(found.values()), default=None, return_dtype=pl.String)
        .cast(dtype)
    )
