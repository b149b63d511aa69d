"""Findings: what a force is told about its submission.

One row per rule x row x field. `finding_key` identifies the same fault on the same record between
months (rule x force x record x field), so that a finding can be followed as new, persisting or
resolved. Values of personal fields are withheld here: a finding travels by post and by log.
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

FINDINGS_SCHEMA: dict[str, pl.DataType] = {
    "finding_key": pl.String(),
    "force_code": pl.String(),
    "period": pl.Date(),
    "sequence": pl.Int64(),
    "submission_id": pl.String(),
    "extract": pl.String(),
    "row_number": pl.Int64(),
    "record_ref": pl.String(),
    "field": pl.String(),
    "rule": pl.String(),
    "severity": pl.String(),
    "message": pl.String(),
    "remedy": pl.String(),
    "value": pl.String(),
}

ORDER = ["severity", "extract", "rule", "row_number", "field"]


def no_findings() -> pl.DataFrame:
    return pl.DataFrame(schema=FINDINGS_SCHEMA)


def with_keys(findings: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Join partial findings into one table in the fixed schema and order, and give each its key."""
    joined = pl.concat([no_findings(), *(f for f in findings)], how="diagonal")
    identity = ["rule", "force_code", "extract", "record_ref", "field"]
    return (
        joined.with_columns(
            finding_key=pl.concat_str(
                [pl.col(c).fill_null("") for c in identity], separator="\x1f"
            ).map_batches(_digests, return_dtype=pl.String)
        )
        .select(FINDINGS_SCHEMA.keys())
        .sort(ORDER, nulls_last=True)
    )


def _digests(values: pl.Series) -> pl.Series:
    import hashlib

    return pl.Series(
        values.name, [hashlib.sha256(v.encode()).hexdigest()[:20] for v in values], dtype=pl.String
    )


def for_spreadsheets(findings: pl.DataFrame) -> pl.DataFrame:
    """The findings with text made harmless: a spreadsheet must not run what a force's value begins with."""
    return findings.with_columns(
        pl.col("value", "record_ref", "message").str.replace(r"^([=+\-@\t\r])", "'$1")
    )
