"""The pairs of the tests in words, for the rule catalogue: `python -m tests.data_contracts.rules.exemplars` writes them."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from data_contracts.rules.catalogue import rules
from data_contracts.rules.reference import FOLDER
from data_contracts.submission import MANIFEST, Limits
from tests.data_contracts.clean import Tables, clean_tables
from tests.data_contracts.rules.history_pairs import HISTORY_PAIRS, STATISTICS_PAIRS
from tests.data_contracts.rules.pairs import PAIRS, Step
from tests.data_contracts.rules.submission_pairs import SUBMISSION_PAIRS, Maker, clean

FILE = FOLDER / "exemplars.csv"
_UNREADABLE = "zip cut off in the middle"


def exemplars() -> str:
    """One row per rule: what breaks it, what only nearly does."""
    said: dict[str, tuple[str, str]] = {}
    for name, whole in SUBMISSION_PAIRS.items():
        told = "".join(f"; {what} {value}" for what, value in whole.told.items())
        if whole.limits != Limits():
            told += f"; at most {whole.limits.bytes_unpacked:,} bytes unpacked"
        said[name] = (_sent(whole.plant) + told, _sent(whole.near) + told)
    for name, pair in PAIRS.items():
        said[name] = (_in_words([], pair.plant), _in_words([], pair.near))
    for name, two in HISTORY_PAIRS.items():
        said[name] = (_in_words(two.first, two.plant), _in_words(two.first, two.near))
    for name, figures in STATISTICS_PAIRS.items():
        said[name] = (_figures(figures.plant), _figures(figures.near))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("rule", "violation", "near_miss", "source"))
    for name in rules():
        if name in said:
            writer.writerow((name, *said[name], "tests/data_contracts/rules"))
    return out.getvalue()


def _in_words(first: list[Step], steps: list[Step]) -> str:
    before, after = clean_tables(), clean_tables()
    for step in first:
        step(before)
    for step in steps:
        step(after)
    changes = [c for extract in after for c in _changes(extract, before, after)]
    # What is there first, then what is not; long rows of children say nothing more.
    changes.sort(key=lambda change: change.endswith("not sent"))
    return "; ".join(changes[:6]) + (" ..." if len(changes) > 6 else "") or "nothing is changed"


def _changes(extract: str, before: Tables, after: Tables) -> list[str]:
    old, new = before[extract], after[extract]
    if old and not new:
        return [f"{extract}: not sent"]
    gone = [row for row in old if row not in new]
    come = [row for row in new if row not in old]
    if len(old) == len(new):
        return [
            f"{extract}.{name}: {was.get(name) or 'blank'} → {now.get(name) or 'blank'}"
            for was, now in zip(old, new, strict=True)
            for name in dict.fromkeys([*was, *now])
            if (was.get(name) or None) != (now.get(name) or None)
        ]
    if len(new) < len(old):
        return [f"{extract}: without {_row(row)}" for row in gone] or [f"{extract}: one row fewer"]
    return [f"{extract}: one more, {_row(row)}" for row in come] or [f"{extract}: one row twice"]


def _row(row: dict[str, str]) -> str:
    return ", ".join(f"{k} {v}" for k, v in row.items() if v)


def _sent(maker: Maker) -> str:
    """What a submission has other than the clean one, file by file."""
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        was, now = _files(clean(Path(one))), _files(maker(Path(other)))
    if now.keys() == {_UNREADABLE}:
        return f"the {_UNREADABLE}"
    folders = {name.rpartition("/")[0] for name in now}
    if len(folders) == 1 and "" not in folders:
        return f"the files in a folder of the zip, {folders.pop()}"
    gone = [name for name in was if name not in now]
    said = (
        [f"{name}: not sent" for name in gone] if len(gone) < 3 else [f"the {len(gone)} extracts: not sent"]
    )
    come = [f"{name}: one more file of {len(now[name]):,} bytes" for name in now if name not in was]
    changed = [c for name in was if name in now for c in _file_changes(name, was[name], now[name])]
    return "; ".join([*changed, *come, *said[: len(gone)]]) or "nothing is changed"


def _files(path: Path) -> dict[str, bytes]:
    """What lies in a submission by name, folder or zip; a zip that cannot be read is one file."""
    if path.is_dir():
        return {p.name: p.read_bytes() for p in sorted(path.iterdir())}
    try:
        with zipfile.ZipFile(path) as archive:
            return {entry.filename: archive.read(entry) for entry in archive.infolist()}
    except zipfile.BadZipFile:
        return {_UNREADABLE: b""}


def _file_changes(name: str, was: bytes, now: bytes) -> list[str]:
    if was == now:
        return []
    if name == MANIFEST:
        return _manifest_changes("", json.loads(was), json.loads(now))
    lines = (was.split(b"\n"), now.split(b"\n"))
    at = next((n for n, (a, b) in enumerate(zip(*lines, strict=False)) if a != b), None)
    if at is None:
        return [f"{name}: {len(lines[0]) - 1} lines → {len(lines[1]) - 1}"]
    return [f"{name}: {_around(lines[0][at], lines[1][at])}"]


def _manifest_changes(of: str, was: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Fields of the manifest that differ; of each file's entry too. A hash follows its file and is told only where it does not."""
    changes = []
    for field in dict.fromkeys([*was, *now]):
        before, after = was.get(field), now.get(field)
        if field == "files" and isinstance(before, list) and isinstance(after, list):
            for entry, other in zip(before, after, strict=False):
                changes += _manifest_changes(f"{entry['extract']}.", entry, other)
            changes += [f"files: one more, {entry['extract']}" for entry in after[len(before) :]]
        elif before != after and not (field == "sha256" and set(after) != {"0"}):
            told = [json.dumps(v) if v is not None else "not there" for v in (before, after)]
            changes.append(f"{MANIFEST}, {of}{field}: {_clipped(told[0])} → {_clipped(told[1])}")
    return changes


def _around(was: bytes, now: bytes) -> str:
    """The part of a line that differs, with a little beside it."""
    start = next(
        (n for n, (a, b) in enumerate(zip(was, now, strict=False)) if a != b), min(len(was), len(now))
    )
    after = next(
        (n for n, (a, b) in enumerate(zip(was[:start:-1], now[:start:-1], strict=False)) if a != b),
        min(len(was), len(now)) - start - 1,
    )
    first = max(0, start - 10)
    ends = [max(first, len(line) - max(0, after - 10)) for line in (was, now)]
    parts = [
        line[first:end].decode("utf-8", "backslashreplace")
        for line, end in zip((was, now), ends, strict=True)
    ]
    return " → ".join(
        _clipped("".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in part)) for part in parts
    )


def _clipped(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"


def _figures(figures: pl.DataFrame) -> str:
    return "; ".join(
        f"{measure} of {item}: {numerator:,} of {denominator:,}"
        for measure, item, numerator, denominator in figures.select(
            "measure", "item", "numerator", "denominator"
        ).iter_rows()
    )


if __name__ == "__main__":
    FILE.write_text(exemplars(), encoding="utf-8")
