"""The pairs of the tests in words, for the rule catalogue: `python -m tests.data_contracts.rules.exemplars` writes them."""

from __future__ import annotations

import csv
import io

import polars as pl

from data_contracts.rules.catalogue import rules
from data_contracts.rules.reference import FOLDER
from tests.data_contracts.clean import Tables, clean_tables
from tests.data_contracts.rules.history_pairs import HISTORY_PAIRS, STATISTICS_PAIRS
from tests.data_contracts.rules.pairs import PAIRS, Step

FILE = FOLDER / "exemplars.csv"


def exemplars() -> str:
    """One row per rule on rows, changes and figures: what breaks it, what only nearly does."""
    said: dict[str, tuple[str, str]] = {}
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


def _figures(figures: pl.DataFrame) -> str:
    return "; ".join(
        f"{measure} of {item}: {numerator:,} of {denominator:,}"
        for measure, item, numerator, denominator in figures.select(
            "measure", "item", "numerator", "denominator"
        ).iter_rows()
    )


if __name__ == "__main__":
    FILE.write_text(exemplars(), encoding="utf-8")
