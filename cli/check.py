"""`vawg check`: the rules of the platform on a laptop. Needs nothing but the base install."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import click
import polars as pl

from cli.exits import CLEAN, ERRORS, UNUSABLE, fail
from data_contracts.findings import for_spreadsheets
from data_contracts.submission import open_submission
from data_contracts.validation import Checked
from data_contracts.validation import check as check_opened


def check_submission(path: Path, report: Path | None, received_on: date) -> int:
    """Check one submission, print what was found, return the exit code."""
    try:
        opened = open_submission(path)
    except FileNotFoundError as error:
        fail(str(error))
    checked = check_opened(opened, received_on=received_on)
    _print(checked)
    if report:
        report.mkdir(parents=True, exist_ok=True)
        for_spreadsheets(checked.findings).write_csv(report / "findings.csv")
        summary = {
            "submission_id": opened.submission_id,
            "status": checked.status,
            "counts": checked.counts.to_dicts(),
            "findings": _by_rule(checked).to_dicts(),
        }
        (report / "summary.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
        click.echo(f"\nFindings, row by row: {report / 'findings.csv'}")
    if opened.manifest is None:
        return UNUSABLE
    return ERRORS if "error" in checked.findings["severity"] else CLEAN


def _by_rule(checked: Checked) -> pl.DataFrame:
    return (
        checked.findings.group_by("severity", "rule", "extract", "field", "message", "remedy")
        .agg(
            pl.len().alias("n_findings"), pl.col("row_number").drop_nulls().sort().head(3).alias("first_rows")
        )
        .sort(
            "severity",
            "n_findings",
            "rule",
            "extract",
            "field",
            descending=[False, True, False, False, False],
        )
    )


def _print(checked: Checked) -> None:
    click.echo(f"{checked.opened.name}: {checked.status.replace('_', ' ')}\n")
    if checked.counts["n_received"].sum():
        click.echo(f"{'extract':<22}{'received':>12}{'accepted':>12}{'quarantined':>13}")
    for row in checked.counts.iter_rows(named=True):
        if row["n_received"]:
            click.echo(
                f"{row['extract']:<22}{row['n_received']:>12,}{row['n_accepted']:>12,}{row['n_quarantined']:>13,}"
            )
    if checked.findings.height == 0:
        click.echo("\nNo findings.")
        return
    for row in _by_rule(checked).iter_rows(named=True):
        where = ".".join(p for p in (row["extract"], row["field"]) if p)
        rows = (
            f" (rows {', '.join(map(str, row['first_rows']))}{' ...' if row['n_findings'] > 3 else ''})"
            if row["first_rows"]
            else ""
        )
        click.echo(
            f"\n{row['severity'].upper()} {row['rule']}, {row['n_findings']:,} x {where or 'submission'}{rows}"
        )
        click.echo(f"  {row['message']}\n  What to do: {row['remedy']}")
