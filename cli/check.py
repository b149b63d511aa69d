"""`vawg check`: the rules of the platform on a laptop. Needs nothing but the base install."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import click
import polars as pl

from cli.exits import CLEAN, ERRORS, UNUSABLE, fail
from data_contracts.answers import Crimes, acceptance, follow, state_sentence, without_past
from data_contracts.findings import for_spreadsheets, no_findings
from data_contracts.past_submissions import NotOfThisForce, Past, past_of
from data_contracts.report import check_report
from data_contracts.slices import Judged, check_in_slices
from data_contracts.submission import Opened, Slices, open_submission

# Below this, a check is over before anybody would look for how far it is.
_TELL_FROM = 200_000


def check_submission(
    path: Path, report: Path | None, received_on: date, previous: Sequence[Path] = ()
) -> int:
    """Check one submission, beside the force's `previous` ones, print what was found, return the exit code."""
    with tempfile.TemporaryDirectory(prefix="vawg-check-") as temporary:
        folder = Path(temporary)
        try:
            opened = open_submission(path, slices=Slices(folder / "received", tell=_tell_reading))
        except FileNotFoundError as error:
            fail(str(error))
        past = _past(previous, opened, folder) if previous and opened.manifest else None
        judged = check_in_slices(
            opened,
            folder,
            received_on=received_on,
            last_sequence=past.last_sequence if past else None,
            before=past.before if past else None,
            tell=_tell,
        )
        _print(judged)
        sentences = _sentences(judged, past)
        click.echo("\n" + "\n".join(sentences) if sentences else "", nl=bool(sentences))
        if report:
            try:
                _write_report(judged, report, sentences)
            except OSError as error:
                fail(
                    f"the report cannot be written to {report} ({error.strerror}); name a folder of your own, or one to be made"
                )
        if opened.manifest is None:
            return UNUSABLE
        return ERRORS if (judged.by_rule["severity"] == "error").any() else CLEAN


def _past(previous: Sequence[Path], opened: Opened, folder: Path) -> Past:
    try:
        return past_of(previous, opened, folder / "previous")
    except (FileNotFoundError, NotOfThisForce) as error:
        fail(str(error))


def _sentences(judged: Judged, past: Past | None) -> list[str]:
    """How the submission stands to the agreed error rates and, beside earlier ones, what is new and what was mended."""
    if judged.opened.manifest is None:
        return []
    offences = judged.counts.row(by_predicate=pl.col("extract") == "offences", named=True)
    month, held = judged.opened.manifest.period, judged.status == "held"
    crimes = Crimes(offences["n_received"], offences["n_quarantined"], month, held)
    if past is None:
        return [without_past(crimes)] if crimes.n_received else []
    ledger = follow(
        past.ledger,
        pl.concat([no_findings(), *judged.all_findings()]),
        judged.sent,
        period=month,
        held=held,
    )
    return [*acceptance([*past.crimes, crimes]).sentences, state_sentence(ledger)]


def _tell(step: str, done: int, total: int) -> None:
    """How far it is, on standard error, for what takes long."""
    if total >= _TELL_FROM or (step.startswith("records") and total > 1):
        click.echo(f"  {step}: {done:,} of {total:,}", err=True)


def _tell_reading(extract: str, done: int, total: int) -> None:
    if total >= _TELL_FROM * 100:
        click.echo(f"  reading {extract}: {done / total:.0%}", err=True)


def _write_report(judged: Judged, folder: Path, sentences: list[str]) -> None:
    """`findings.csv`, `summary.json` and `report.html`."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "findings.csv").open("wb") as out:
        no_findings().write_csv(out)
        for some in judged.all_findings():
            for_spreadsheets(some).write_csv(out, include_header=False)
    summary = {
        "submission_id": judged.opened.submission_id,
        "status": judged.status,
        "counts": judged.counts.to_dicts(),
        "findings": [row | {"first_rows": _first_rows(judged, row)} for row in judged.by_rule.to_dicts()],
    }
    (folder / "summary.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    page = check_report(
        name=judged.opened.name,
        status=judged.status,
        counts=judged.counts,
        by_rule=judged.by_rule,
        examples=judged.examples,
        sentences=sentences,
    )
    (folder / "report.html").write_text(page, encoding="utf-8")
    click.echo(f"\nTo read: {folder / 'report.html'}\nRow by row: {folder / 'findings.csv'}")


def _first_rows(judged: Judged, group: dict[str, object]) -> list[int]:
    same = pl.lit(True)
    for column in ("rule", "extract", "field"):
        same &= pl.col(column).eq_missing(pl.lit(group[column], dtype=pl.String))
    return judged.examples.filter(same)["row_number"].drop_nulls().sort().head(3).to_list()


def _print(judged: Judged) -> None:
    click.echo(f"{judged.opened.name}: {judged.status.replace('_', ' ')}")
    if judged.counts["n_received"].sum():
        click.echo(f"\n{'extract':<22}{'received':>12}{'accepted':>12}{'quarantined':>13}")
    for row in judged.counts.iter_rows(named=True):
        if row["n_received"]:
            click.echo(
                f"{row['extract']:<22}{row['n_received']:>12,}{row['n_accepted']:>12,}{row['n_quarantined']:>13,}"
            )
    if judged.by_rule.height == 0:
        click.echo("\nNo findings.")
        return
    for row in judged.by_rule.iter_rows(named=True):
        where = ".".join(p for p in (row["extract"], row["field"]) if p)
        first = _first_rows(judged, row)
        rows = (
            f" (rows {', '.join(map(str, first))}{' ...' if row['n_findings'] > 3 else ''})" if first else ""
        )
        click.echo(
            f"\n{row['severity'].upper()} {row['rule']}, {row['n_findings']:,} x {where or 'submission'}{rows}"
        )
        click.echo(f"  {row['message']}\n  What to do: {row['remedy']}")
