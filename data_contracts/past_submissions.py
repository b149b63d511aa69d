"""What a force can say offline of its own past: its last submissions, checked again in their order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from data_contracts.answers import Crimes, follow, no_ledger, sent_records
from data_contracts.earlier import Before, Earlier
from data_contracts.rules.statistics import no_measures
from data_contracts.submission import Opened, open_submission
from data_contracts.validation import check


class NotOfThisForce(ValueError):
    """A submission that cannot stand before another one; the message says which and why."""


@dataclass(frozen=True)
class Past:
    """`before` to check a submission with, what was open after the last one, the crimes of each, in order."""

    before: Before
    ledger: pl.DataFrame
    crimes: tuple[Crimes, ...]
    last_sequence: int | None


def past_of(paths: Iterable[Path], opened: Opened, folder: Path) -> Past:
    """Check earlier submissions of the same force in order of month and sequence; accepted rows lie in `folder`.

    Each is held in memory whole, one after the other. Raises FileNotFoundError; NotOfThisForce where one cannot be
    read, is of another force, or is not before `opened`.
    """
    before, ledger, crimes, last_sequence = Before(()), no_ledger(), [], None
    for past in sorted((open_submission(p) for p in paths), key=_when):
        manifest = past.manifest
        if manifest is None or opened.manifest is None:
            raise NotOfThisForce(f"{past.name} cannot be read as a submission; check it by itself first")
        when = (manifest.period, manifest.sequence)
        if manifest.force_code != opened.manifest.force_code:
            raise NotOfThisForce(f"{past.name} is of another force")
        if when >= (opened.manifest.period, opened.manifest.sequence):
            raise NotOfThisForce(f"{past.name} is not before {opened.name}: name earlier submissions only")
        checked = check(past, received_on=manifest.extracted_at.date(), before=before)
        held = checked.status == "held"
        ledger = follow(
            ledger,
            checked.findings,
            sent_records(checked.accepted, checked.quarantined),
            period=manifest.period,
            held=held,
        )
        offences = checked.counts.row(by_predicate=pl.col("extract") == "offences", named=True)
        crimes.append(Crimes(offences["n_received"], offences["n_quarantined"], manifest.period, held))
        if held:
            continue
        if manifest.period == opened.manifest.period:
            last_sequence = manifest.sequence
        tables = {}
        for name, rows in checked.accepted.items():
            place = folder / f"{len(crimes):03}_{name}.parquet"
            place.parent.mkdir(parents=True, exist_ok=True)
            rows.write_parquet(place, compression="lz4")
            tables[name] = pl.scan_parquet(place)
        earlier = (*before.earlier, Earlier(manifest.period, manifest.sequence, tables))
        before = Before(earlier, pl.concat([no_measures(), before.past, checked.measures]))
    return Past(before, ledger, tuple(crimes), last_sequence)


def _when(found: Opened) -> tuple[str, int]:
    manifest = found.manifest
    return (manifest.period.isoformat(), manifest.sequence) if manifest else ("", 0)
