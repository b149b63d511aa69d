"""The report of a check as one HTML page: what is wrong, what it means, how to mend it, and some examples.

The page needs no network and holds no personal value: references are masked, and a finding withholds the values of
personal fields itself. It is text and tables first; nothing is said by colour alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
import polars as pl

from data_contracts.findings import ORDER
from data_contracts.rules.catalogue import rules

_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_STATUSES = {
    "accepted": "Everything would be taken in",
    "accepted_in_part": "Taken in, but for the records with errors",
    "held": "Held as a whole: nothing would be taken in",
    "nil": "A nil return",
}
MEANS = {
    "submission": {
        "error": "The whole submission is held until this is mended.",
        "warning": "Nothing is held back; it counts in your scorecard.",
    },
    "row": {
        "error": "The record stays out, with what travels with it, until it is mended and sent again. "
        "What was accepted of it before stays in force.",
        "warning": "The record is taken in; the doubt counts in your scorecard.",
    },
}


def check_report(
    *,
    name: str,
    status: str,
    counts: pl.DataFrame,
    by_rule: pl.DataFrame,
    examples: pl.DataFrame,
    sentences: Sequence[str] = (),
) -> str:
    """The page. `by_rule` and `examples` as of `slices.Judged`; `sentences`: what `answers` says beside."""
    shown = examples.with_columns(masked("record_ref")).sort(ORDER, nulls_last=True)
    groups = [
        {
            **row,
            "title": row["rule"].replace("_", " ").capitalize(),
            "means": MEANS["row" if _is_of_rows(row["rule"]) else "submission"][row["severity"]],
            "source": rules()[row["rule"]].source if row["rule"] in rules() else "",
            "examples": _examples(shown, row),
        }
        for row in by_rule.iter_rows(named=True)
    ]
    return _TEMPLATES.get_template("check_report.html").render(
        name=name,
        status=_STATUSES[status],
        is_held=status == "held",
        counts=counts.filter(pl.col("n_received") > 0).to_dicts(),
        groups=groups,
        n_errors=sum(g["n_findings"] for g in groups if g["severity"] == "error"),
        n_warnings=sum(g["n_findings"] for g in groups if g["severity"] == "warning"),
        sentences=list(sentences),
    )


def masked(column: str) -> pl.Expr:
    """A reference of which only the ends can be read; what follows a bar (a row's number within the record) stays."""
    parts = pl.col(column).str.split_exact("|", 1)
    reference, within = parts.struct.field("field_0"), pl.col(column).str.extract(r"(\|.*)$", 1).fill_null("")
    length = reference.str.len_chars()
    ends = pl.concat_str(reference.str.slice(0, 2), pl.lit("•••"), reference.str.slice(-2))
    return pl.when(length >= 7).then(ends).when(length > 0).then(pl.lit("•••")).alias(column) + within


def _is_of_rows(rule: str) -> bool:
    return rule in rules() and rules()[rule].shape not in ("submission", "statistics")


def _examples(examples: pl.DataFrame, group: dict[str, Any]) -> list[dict[str, Any]]:
    same = pl.lit(True)
    for column in ("rule", "extract", "field", "message"):
        same &= pl.col(column).eq_missing(pl.lit(group[column], dtype=pl.String))
    return examples.filter(same & pl.col("row_number").is_not_null()).to_dicts()
