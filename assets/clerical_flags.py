"""Flags that people judged by reading the record: the sample that markers and rules are measured against.

Belongs here: reading the table that people supply, `clerical_flags.csv` under the data root. What is measured is dbt's.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from assets.storage import Layout
from data_contracts.code_lists import codes

SCHEMA: dict[str, pl.DataType] = {
    "force_code": pl.String(),
    "crime_ref": pl.String(),
    "flag": pl.String(),
    "value": pl.String(),
    "labelled_on": pl.Date(),
}
_KEY = ["force_code", "crime_ref", "flag"]


class ClericalFlagsUnreadable(ValueError):
    """The table of clerical flags is not one; the message says which rows and what to do."""


def clerical_flags(layout: Layout, known_by: date) -> pl.DataFrame:
    """One row a crime and flag judged by `known_by`, sorted; none where nobody supplied a table.

    Columns of SCHEMA: flag is the national code, value Y or N. Raises ClericalFlagsUnreadable.
    """
    path = layout.clerical_flags
    if not path.is_file():
        return pl.DataFrame(schema=SCHEMA)
    text = pl.read_csv(path, infer_schema=False)
    if missing := sorted(SCHEMA.keys() - set(text.columns)):
        raise ClericalFlagsUnreadable(
            f"{path.name} has no column {', '.join(missing)}; add it, or take the file away"
        )
    table = text.select(
        *(pl.col(name) for name in [*_KEY, "value"]), pl.col("labelled_on").str.to_date(strict=False)
    )
    wrong = (
        table.with_row_index("line", offset=2)
        .filter(
            pl.any_horizontal(pl.col(name).is_null() for name in SCHEMA)
            | ~pl.col("flag").is_in(codes("flag_types").implode())
            | ~pl.col("value").is_in(["Y", "N"])
            | pl.struct(_KEY).is_duplicated()
        )["line"]
        .to_list()
    )
    if wrong:
        raise ClericalFlagsUnreadable(
            f"{path.name}, lines {', '.join(map(str, wrong[:10]))}: every line needs force_code, crime_ref, a national flag, "
            "Y or N, and the day it was judged (YYYY-MM-DD), and a crime and flag stand there once"
        )
    return table.filter(pl.col("labelled_on") <= known_by).sort(_KEY)
