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

# One line of a summary: what is wrong, where, and what to do.
SUMMARISED_BY = ["severity", "rule", "extract", "field", "message", "remedy"]
N_EXAMPLES = 10
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


def summarised(findings: pl.DataFrame, others: Iterable[pl.DataFrame] = ()) -> pl.DataFrame:
    """One row per severity, rule and place, errors and the most frequent first: `n_findings` and the first `examples`.

    `others`: what this gave for other findings of the same submission, to be added up.
    """
    own = findings.group_by(SUMMARISED_BY).agg(
        pl.len().cast(pl.Int64).alias("n_findings"),
        pl.struct(FINDINGS_SCHEMA.keys()).sort_by("row_number").head(N_EXAMPLES).alias("examples"),
    )
    together = pl.concat([own, *others])
    added = together.group_by(SUMMARISED_BY).agg(pl.col("n_findings").sum(), pl.col("examples").explode())
    first = pl.element().sort_by(pl.element().struct.field("row_number")).head(N_EXAMPLES)
    return added.with_columns(pl.col("examples").list.eval(first)).sort(
        "severity",
        "n_findings",
        "rule",
        "extract",
        "field",
        "message",
        descending=[False, True, *[False] * 4],
    )


def examples_of(summary: pl.DataFrame) -> pl.DataFrame:
    """The examples that `summarised` kept, one row each."""
    return summary.select("examples").explode("examples").unnest("examples").drop_nulls("finding_key")


def for_spreadsheets(findings: pl.DataFrame) -> pl.DataFrame:
    """The findings with text made harmless: a spreadsheet must not run what a force's value begins with."""
    return findings.with_columns(
        pl.col("value", "record_ref", "message").str.replace(r"^([=+\-@\t\r])", "'$1")
    )
