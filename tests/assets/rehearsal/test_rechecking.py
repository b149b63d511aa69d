"""Submissions that were taken in are checked anew: the same rules say the same, in the order and on the day of then."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from assets.intake import receipts, take_in
from assets.rehearsal.overlay import NotRehearsable
from assets.rehearsal.rechecking import lay_out_again, recheck
from assets.replay import bring
from assets.storage import Layout

EXAMPLES = Path(__file__).parents[3] / "examples"
MINNESOTA = ("MN0030000_2018-02_1", "MN0030100_2018-04_1")


@pytest.fixture
def taken_in(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path / "root").prepare()
    paths = [EXAMPLES / name for name in MINNESOTA]
    list(take_in(paths, layout, received_at=datetime(2019, 11, 20, 9)))
    return layout


def laid_out(layout: Layout, root: Path) -> Layout:
    for part in (layout.receipts, layout.extracts, layout.findings):
        bring(part, root / part.name)
    return Layout(root)


def rows(layout: Layout) -> dict[str, bytes]:
    folders = [*sorted(layout.extracts.iterdir()), layout.findings, layout.receipts]
    return {f"{f.name}/{p.name}": p.read_bytes() for f in folders for p in sorted(f.iterdir())}


def test_the_same_rules_say_the_same(taken_in: Layout, tmp_path: Path) -> None:
    again = laid_out(taken_in, tmp_path / "again")
    assert lay_out_again(taken_in, again.root, None) == 2
    assert receipts(again) == [] and not list(again.findings.glob("MN*"))
    recheck(again.root)
    assert rows(again) == rows(taken_in)


def test_only_the_months_asked_for_are_checked_anew(taken_in: Layout, tmp_path: Path) -> None:
    again = laid_out(taken_in, tmp_path / "again")
    assert lay_out_again(taken_in, again.root, ["2018-04"]) == 1
    assert [r.period for r in receipts(again)] == ["2018-02"]
    recheck(again.root)
    assert pl.read_parquet(again.findings / "*.parquet").equals(
        pl.read_parquet(taken_in.findings / "*.parquet")
    )


def test_a_submission_that_was_not_kept_is_refused(taken_in: Layout, tmp_path: Path) -> None:
    again = laid_out(taken_in, tmp_path / "again")
    receipt = receipts(again)[0]
    (taken_in.submissions / receipt.content_hash).rename(tmp_path / "gone")
    with pytest.raises(NotRehearsable, match="was not kept"):
        lay_out_again(taken_in, again.root, None)
