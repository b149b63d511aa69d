"""Take submissions in: keep them whole, check them, write accepted rows and findings, give a receipt.

The order of the steps is what makes a crash harmless. A submission is first kept under its content
hash; everything after that is worked out from the kept copy and overwrites itself; the receipt comes
last and is what makes a submission taken in; only then is it cleared from the landing folder.
"""

from __future__ import annotations

import json
import re
import shutil
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
from filelock import FileLock

from assets.storage import EMPTY, PROVENANCE, Layout, write_json, write_parquet, write_whole
from data_contracts.answers import (
    Crimes,
    acceptance,
    follow,
    no_ledger,
    return_lines,
    sent_records,
    state_sentence,
)
from data_contracts.code_lists import attribute
from data_contracts.earlier import Before, Earlier
from data_contracts.extracts.catalogue import EXTRACTS
from data_contracts.findings import examples_of, for_spreadsheets, summarised
from data_contracts.report import check_report
from data_contracts.rules.statistics import no_measures
from data_contracts.submission import Manifest, content_hash, open_submission
from data_contracts.validation import Checked, check


@dataclass(frozen=True)
class Receipt:
    """What a force is told at once. `counts`: extract -> received, accepted, quarantined."""

    submission_id: str
    name: str
    content_hash: str
    force_code: str | None
    period: str | None
    sequence: int | None
    status: str
    received_at: str
    extracted_at: str | None
    contract_version: str | None
    n_errors: int
    n_warnings: int
    counts: dict[str, dict[str, int]]

    @classmethod
    def read(cls, path: Path) -> Receipt:
        return cls(**json.loads(path.read_text(encoding="utf-8")))

    @property
    def month(self) -> date | None:
        """First day of the month it is for."""
        return date.fromisoformat(f"{self.period}-01") if self.period else None

    @property
    def crimes(self) -> Crimes:
        """Raises ValueError where no month was read."""
        if self.month is None:
            raise ValueError(f"{self.submission_id} names no month")
        offences = self.counts["offences"]
        return Crimes(offences["received"], offences["quarantined"], self.month, self.status == "held")

    def total(self, kind: str) -> int:
        """Rows over all extracts; `kind` is received, accepted or quarantined."""
        return sum(c[kind] for c in self.counts.values())


class IntakeFailed(Exception):
    """Our system failed on some submissions (never: their data is wrong). The others were taken in."""


def receipts(layout: Layout) -> list[Receipt]:
    """Every receipt given so far, in order of receipt."""
    found = [Receipt.read(p) for p in layout.receipts.glob("*.json")]
    return sorted(found, key=lambda r: (r.received_at, r.submission_id))


def landed(layout: Layout) -> list[Path]:
    """What lies in the landing folder, in natural order of names; half-made things start with a dot."""
    return sorted((p for p in layout.landing.iterdir() if not p.name.startswith(".")), key=_natural)


def place(paths: Iterable[Path], layout: Layout) -> list[Path]:
    """Copy submissions into the landing folder, each appearing whole. Raises FileNotFoundError."""
    placed = []
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(f"there is no submission at {path}")
        target = layout.landing / path.name
        _copy_whole(path, target)
        placed.append(target)
    return placed


def take_in(paths: Iterable[Path], layout: Layout, *, received_at: datetime) -> Iterator[Receipt]:
    """Take submissions in, one after the other, yielding each receipt as it is given.

    A submission that was taken in before gets its first receipt again. Raises IntakeFailed at the
    end if our own code failed on any; those stay where they are and can be tried again.
    """
    failures = []
    with FileLock(layout.root / "intake.lock"):
        known = {r.content_hash: r for r in receipts(layout)}
        for path in sorted(paths, key=_natural):
            try:
                digest = content_hash(path)
                receipt = known.get(digest) or _take_in_one(path, digest, layout, received_at, known)
            except Exception as error:
                failures.append(f"{path.name}: {_without_values(error)}")
                continue
            known[digest] = receipt
            if path.parent == layout.landing:
                _remove(path)
            yield receipt
    if failures:
        raise IntakeFailed(f"{len(failures)} submissions could not be taken in: " + "; ".join(failures))


def _take_in_one(
    path: Path, digest: str, layout: Layout, received_at: datetime, known: dict[str, Receipt]
) -> Receipt:
    kept = layout.submissions / digest
    if not (kept / "received.json").exists():
        _copy_whole(path, kept / path.name)
        write_json({"name": path.name, "received_at": received_at.isoformat()}, kept / "received.json")
    # A second try after a crash keeps the moment of the first.
    first = json.loads((kept / "received.json").read_text(encoding="utf-8"))
    received_at = datetime.fromisoformat(first["received_at"])
    opened = open_submission(kept / first["name"])
    manifest = opened.manifest
    of_force = [r for r in known.values() if manifest and r.force_code == manifest.force_code]
    last_sequence = max(
        (r.sequence or 0 for r in of_force if manifest and r.status != "held" and r.month == manifest.period),
        default=None,
    )
    checked = check(
        opened,
        received_on=received_at.date(),
        last_sequence=last_sequence,
        before=known_before(manifest, known.values(), layout) if manifest else None,
    )
    _write_tables(checked, layout)
    receipt = _receipt(checked, first["name"], received_at)
    _write_return(receipt, checked, layout, of_force)
    write_json(vars(receipt), layout.receipts / f"{receipt.submission_id}.json")
    return receipt


def known_before(manifest: Manifest, known: Iterable[Receipt], layout: Layout) -> Before:
    """What a submission is compared with: earlier months of its force, and the month before of the others."""
    accepted = [r for r in known if r.status != "held" and r.month and r.sequence is not None]
    mine = [r for r in accepted if r.force_code == manifest.force_code]
    earlier = [r for r in mine if (r.month, r.sequence) < (manifest.period, manifest.sequence)]
    programme = attribute("forces", "programme")
    others = [
        r
        for r in accepted
        if r.force_code != manifest.force_code
        and programme.get(str(r.force_code)) == programme.get(manifest.force_code)
        and str(r.period) < f"{manifest.period:%Y-%m}"
    ]
    latest = max((str(r.period) for r in others), default=None)
    return Before(
        tuple(
            Earlier(
                r.month or manifest.period,
                r.sequence or 0,
                {n: pl.scan_parquet(layout.extracts / n / f"{r.submission_id}.parquet") for n in EXTRACTS},
            )
            for r in earlier
        ),
        _measured(earlier, layout),
        _measured([r for r in others if r.period == latest], layout),
    )


def _measured(sent: Iterable[Receipt], layout: Layout) -> pl.DataFrame:
    """The measures of these submissions. Those taken in before there were measures have none."""
    files = [p for r in sent if (p := layout.measures / f"{r.submission_id}.parquet").is_file()]
    return pl.read_parquet(files) if files else no_measures()


def _write_tables(checked: Checked, layout: Layout) -> None:
    opened, file_name = checked.opened, f"{checked.opened.submission_id}.parquet"
    if manifest := opened.manifest:
        provenance = {
            "submission_id": opened.submission_id,
            "force_code": manifest.force_code,
            "period": manifest.period,
            "sequence": manifest.sequence,
            "extracted_at": manifest.extracted_at,
        }
        stamps = [pl.lit(v, dtype=PROVENANCE[k]).alias(k) for k, v in provenance.items()]
        for name, rows in checked.accepted.items():
            folder = layout.extracts / name
            if rows.height:
                columns = [*PROVENANCE, *EXTRACTS[name].schema]
                write_parquet(rows.with_columns(stamps).select(columns), folder / file_name)
            else:
                write_whole(folder / file_name, partial(shutil.copyfile, folder / EMPTY))
    for name, rows in checked.quarantined.items():
        if rows.height:
            write_parquet(rows, layout.quarantine / name / file_name)
    if checked.measures.height:
        write_parquet(checked.measures, layout.measures / file_name)
    write_parquet(checked.findings, layout.findings / file_name)


def _receipt(checked: Checked, name: str, received_at: datetime) -> Receipt:
    opened, manifest = checked.opened, checked.opened.manifest
    severities = checked.findings["severity"].to_list()
    return Receipt(
        submission_id=opened.submission_id,
        name=name,
        content_hash=opened.content_hash,
        force_code=manifest.force_code if manifest else None,
        period=f"{manifest.period:%Y-%m}" if manifest else None,
        sequence=manifest.sequence if manifest else None,
        status=checked.status,
        received_at=received_at.isoformat(),
        extracted_at=manifest.extracted_at.isoformat() if manifest else None,
        contract_version=manifest.contract_version if manifest else None,
        n_errors=severities.count("error"),
        n_warnings=severities.count("warning"),
        counts={
            row["extract"]: {kind: row[f"n_{kind}"] for kind in ("received", "accepted", "quarantined")}
            for row in checked.counts.iter_rows(named=True)
        },
    )


def _write_return(receipt: Receipt, checked: Checked, layout: Layout, of_force: list[Receipt]) -> None:
    """What goes back to the force, personal values withheld: receipt, findings, the return file and the page to read."""
    folder = layout.returns / (receipt.force_code or "unreadable") / receipt.submission_id
    write_json(vars(receipt), folder / "receipt.json")
    write_whole(folder / "findings.csv", for_spreadsheets(checked.findings).write_csv)
    if receipt.month is None:
        return
    before = sorted(of_force, key=lambda r: (r.received_at, r.submission_id))
    standing = acceptance([*(r.crimes for r in before), receipt.crimes])
    ledger = follow(
        _ledger(before[-1].submission_id, layout) if before else no_ledger(),
        checked.findings,
        sent_records(checked.accepted, checked.quarantined),
        period=receipt.month,
        held=receipt.status == "held",
    )
    write_parquet(ledger, layout.ledgers / f"{receipt.submission_id}.parquet")
    said = f"{receipt.submission_id}: {receipt.status}, received at {receipt.received_at}; " + " ".join(
        [*standing.sentences, state_sentence(ledger)]
    )
    write_json(standing.as_json(), folder / "acceptance.json")
    write_whole(folder / "return.csv", return_lines(ledger, said).write_csv)
    page = check_report(
        name=receipt.name,
        status=receipt.status,
        counts=checked.counts,
        by_rule=(summary := summarised(checked.findings)).drop("examples"),
        examples=examples_of(summary),
        sentences=[*standing.sentences, state_sentence(ledger)],
    )
    write_whole(folder / "report.html", lambda p: p.write_text(page, encoding="utf-8"))


def _ledger(submission_id: str, layout: Layout) -> pl.DataFrame:
    """What was open after a submission. One that was taken in before there were ledgers left none."""
    path = layout.ledgers / f"{submission_id}.parquet"
    return pl.read_parquet(path) if path.is_file() else no_ledger()


def _copy_whole(source: Path, target: Path) -> None:
    """Copy a file or folder so that `target` appears whole; links are not followed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial_copy = target.with_name(f".{target.name}.partial")
    _remove(partial_copy)
    copy = partial(shutil.copytree, symlinks=True) if source.is_dir() else shutil.copyfile
    copy(source, partial_copy)
    _remove(target)
    partial_copy.rename(target)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _natural(path: Path) -> list[Any]:
    return [(int(t), "") if t.isdigit() else (-1, t) for t in re.split(r"(\d+)", path.name)]


def _without_values(error: Exception) -> str:
    """Where our code failed, without the message: it may quote a row."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(frame.filename).name}:{frame.lineno}"
