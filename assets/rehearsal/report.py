"""The rehearsal in words and tables: rehearsal.md, rejected.csv, statistics.csv, lists.csv. No personal value but person ids."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from assets.publication.cells import FIGURE
from assets.rehearsal.comparison import Comparison
from assets.storage import write_folder

N_SHOWN = 10


def write_rehearsal(
    comparison: Comparison, folder: Path, *, release: str, changes: Mapping[str, Path]
) -> str:
    """Write the rehearsal into `folder`, in place of what was there; the summary that is shown."""
    said = _summary(comparison, release, list(changes))

    def write(into: Path) -> None:
        (into / "rehearsal.md").write_text(said, encoding="utf-8")
        comparison.rejected.write_csv(into / "rejected.csv")
        comparison.statistics.write_csv(into / "statistics.csv")
        comparison.lists.write_csv(into / "lists.csv")

    folder.parent.mkdir(parents=True, exist_ok=True)
    write_folder(folder, write)
    return said


def _summary(found: Comparison, release: str, places: list[str]) -> str:
    head = [
        f"# Rehearsal against {release}",
        "",
        "Nothing here is in force. What would change if these files were:",
        "",
        *(f"- `{place}`" for place in places),
    ]
    if found.is_empty:
        return "\n".join(
            [*head, "", "**Nothing changes**: no finding, no figure, no list, no other mart.", ""]
        )
    sections = [_rejections(found), _figures(found.statistics), _lists(found.lists)]
    if found.other_marts:
        sections.append(["## Other tables whose rows differ", "", ", ".join(found.other_marts)])
    return "\n".join([*head, *(line for section in sections for line in ("", *section)), ""])


def _rejections(found: Comparison) -> list[str]:
    table = found.rejected
    if table.is_empty():
        return ["## Records refused", "", "None more, none fewer, and the same findings."]
    new, gone = table["n_records_newly_rejected"].sum(), table["n_records_no_longer_rejected"].sum()
    by_rule = table.group_by("rule", "severity").agg(
        pl.col("force_code").n_unique().alias("forces"),
        pl.col(
            "n_findings_new", "n_findings_gone", "n_records_newly_rejected", "n_records_no_longer_rejected"
        ).sum(),
    )
    order = ["n_records_newly_rejected", "n_findings_new", "rule", "severity"]
    lines = [
        "## Records refused",
        "",
        f"{new:,} records newly refused, {gone:,} no longer; {found.refused.height} forces have other rows refused.",
        "",
        *_table(by_rule.sort(order, descending=[True, True, False, False])),
    ]
    return [*lines, "", *_table(found.refused)] if found.refused.height else lines


def _figures(table: pl.DataFrame) -> list[str]:
    if table.is_empty():
        return ["## Statistics", "", "No figure changes."]
    columns = [*(c for c in FIGURE if not c.startswith("breakdown")), "value_before", "value_after"]
    plain = table.filter(pl.col("breakdown") == "none")
    shown = (
        f"{table.height:,} figures change, of {table['measure'].n_unique()} measures, "
        f"{table['definition_id'].n_unique()} definitions and {table['force_code'].n_unique()} forces or the nation. "
        "The largest without a breakdown:"
    )
    return ["## Statistics", "", shown, "", *_table(plain.select(columns))]


def _lists(table: pl.DataFrame) -> list[str]:
    if table.is_empty():
        return ["## Lists", "", "Nobody enters, leaves or moves."]
    by_list = (
        table.group_by("list_kind", "lens")
        .agg(*((pl.col("movement") == m).sum().alias(m) for m in ("entered", "left", "moved")))
        .sort("list_kind", "lens")
    )
    shown = table.filter(pl.col("movement") != "moved").select(
        "list_kind",
        "lens",
        "list_scope_code",
        "person_id",
        "movement",
        "place_before",
        "place_after",
        "cause",
    )
    return ["## Lists", "", *_table(by_list, by_list.height), "", *_table(shown)]


def _table(frame: pl.DataFrame, n: int = N_SHOWN) -> list[str]:
    """The first `n` rows as Markdown, and how many more there are."""
    if frame.is_empty():
        return []
    rows = [frame.columns, ["---"] * frame.width, *frame.head(n).rows()]
    lines = ["| " + " | ".join(_cell(value) for value in row) + " |" for row in rows]
    return [*lines, "", f"... and {frame.height - n:,} more"] if frame.height > n else lines


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:,.4g}" if isinstance(value, float) else str(value)
