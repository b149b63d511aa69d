"""A ledger by hand: three runs, in which two persons went into a third, and a merge was taken apart again."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import polars as pl

from assets.linkage.identities import LEDGER_COLUMNS
from assets.storage import write_parquet

FEBRUARY, MARCH, APRIL = datetime(2026, 2, 5), datetime(2026, 3, 5), datetime(2026, 4, 5)

_ROWS: list[tuple[int, datetime, str, str, str, str | None, str | None, str | None]] = [
    (1, FEBRUARY, "create", "new_evidence", "E23000036|a1", None, "P1", None),
    (1, FEBRUARY, "create", "new_evidence", "E23000036|a2", None, "P1", None),
    (1, FEBRUARY, "create", "new_evidence", "E23000026|b1", None, "P2", None),
    (1, FEBRUARY, "create", "new_evidence", "E23000026|b2", None, "P2", None),
    (1, FEBRUARY, "create", "new_evidence", "E23000026|c1", None, "P3", None),
    (1, FEBRUARY, "create", "new_evidence", "E23000036|d1", None, "P4", None),
    (1, FEBRUARY, "create", "new_evidence", "E23000026|e1", None, "P5", None),
    (2, MARCH, "merge", "new_evidence", "E23000026|b1", "P2", "P1", None),
    (2, MARCH, "merge", "new_evidence", "E23000026|b2", "P2", "P1", None),
    (2, MARCH, "merge", "new_evidence", "E23000026|c1", "P3", "P1", None),
    (2, MARCH, "merge", "new_evidence", "E23000026|e1", "P5", "P4", None),
    (3, APRIL, "join", "new_evidence", "E23000026|late", None, "P1", None),
    (3, APRIL, "split", "decision", "E23000026|e1", "P4", "P6", "I000001"),
]


def write_ledger(path: Path) -> Path:
    names = [name for name in LEDGER_COLUMNS if name != "model_version"]
    frame = pl.DataFrame(
        _ROWS,
        schema=dict.fromkeys(names, pl.String()) | {"run_no": pl.Int32(), "as_of": pl.Datetime("us")},
        orient="row",
    )
    return write_parquet(frame.with_columns(model_version=pl.lit("v1")), path)
