"""What a run changed, written alone; and an index that is changed in place, as a decision taken on a nation is."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from assets.linkage.decided import Decided
from assets.linkage.linker import link
from assets.linkage.outputs import CROSSWALK_COLUMNS
from assets.linkage.standing import OtherModel
from decisions.refusals import DecidedPair
from tests.assets.linkage.conftest import LinkedNation
from tests.assets.linkage.histories import History, Outcome, assert_same, other_model


def laid_over(before: pl.DataFrame, changes: pl.DataFrame) -> pl.DataFrame:
    """The crosswalk of before, with what changed in the place of what was said."""
    now = changes.filter(pl.col("change") != "withdrawn").select("record_id", *CROSSWALK_COLUMNS)
    return pl.concat([before.join(changes, on="record_id", how="anti"), now]).sort("record_id")


def test_the_changes_of_every_month_lead_from_one_crosswalk_to_the_next(lived: History) -> None:
    kinds = set()
    for before, after in pairwise(lived.runs):
        changes = pl.read_parquet(after.folder / "changes.parquet")
        kinds |= set(changes["change"])
        assert changes["record_id"].is_sorted() and changes["record_id"].is_unique().all()
        assert_frame_equal(laid_over(before.links, changes), after.links, check_exact=True)
    assert kinds == {"new", "changed", "withdrawn"}


def test_only_what_is_said_otherwise_is_a_change(lived: History) -> None:
    for before, after in pairwise(lived.runs):
        changes = pl.read_parquet(after.folder / "changes.parquet")
        changed = changes.filter(pl.col("change") == "changed").select("record_id")
        rows = (
            frame.join(changed, on="record_id").sort("record_id").rows()
            for frame in (before.links, after.links)
        )
        assert all(was != now for was, now in zip(*rows, strict=True))
        # What the ledger tells of the run, it tells of these records, but for a correction that changed nothing.
        told = after.ledger.filter(pl.col("as_of") == after.ledger["as_of"].max())
        untold = told.join(changes, on="record_id", how="anti")
        assert set(untold["event"]) <= {"correct"}
        events = changes.drop_nulls("event").join(told, on="record_id", validate="1:1")
        assert (events["event"] == events["event_right"]).all()
        assert (events["former_person_id"].eq_missing(events["from_person_id"])).all()


@dataclass(frozen=True)
class Undone:
    """One decision applied to a nation twice: to a copy with all files written, and in place with the changes alone."""

    before: Outcome
    whole: Outcome
    in_place: Outcome
    changes: pl.DataFrame
    decision: DecidedPair


@pytest.fixture(scope="module")
def undone(nation: LinkedNation, tmp_path_factory: pytest.TempPathFactory) -> Undone:
    folder = tmp_path_factory.mktemp("undone")
    [one, other] = (
        nation.people.filter(pl.len().over("person_id") == 2)
        .sort("person_id", "record_id")["record_id"]
        .head(2)
    )
    decision = DecidedPair("I000001", "cannot_link", one, other)
    outcomes = [Outcome(folder / name) for name in ("whole", "in_place")]
    whole, in_place = outcomes
    whole.folder.mkdir()
    in_place.folder.mkdir()
    link(
        None,
        whole.folder / "person_links.parquet",
        standing=nation.index,
        keep=whole.index,
        decided=Decided.of([decision]),
    )
    shutil.copy(nation.index, in_place.index)
    link(
        None,
        None,
        standing=in_place.index,
        keep=in_place.index,
        decided=Decided.of([decision]),
        changes=in_place.folder / "changes.parquet",
    )
    assert [path.name for path in sorted(in_place.folder.iterdir())] == ["changes.parquet", "index.duckdb"]
    changes = pl.read_parquet(in_place.folder / "changes.parquet")
    # The files a later run writes of it: nothing more happens in it.
    link(
        None,
        in_place.folder / "person_links.parquet",
        standing=in_place.index,
        keep=in_place.index,
        decided=Decided.of([decision]),
    )
    return Undone(Outcome(nation.links.parent), whole, in_place, changes, decision)


def test_in_place_gives_what_a_copy_gives(undone: Undone) -> None:
    assert_same(undone.in_place, undone.whole)
    assert undone.in_place.links.equals(undone.whole.links)
    assert undone.in_place.ledger.equals(undone.whole.ledger)


def test_a_decision_moves_whom_it_is_about_and_nobody_else(undone: Undone) -> None:
    one, other = undone.decision.record_id_l, undone.decision.record_id_r
    assert undone.before.one_person(one, other) and not undone.in_place.one_person(one, other)
    assert set(undone.changes["record_id"]) == {one, other}
    assert undone.changes.filter(pl.col("event") == "split").select("cause", "decision_id").rows() == [
        ("decision", "I000001")
    ]
    assert_frame_equal(
        laid_over(undone.before.links, undone.changes), undone.in_place.links, check_exact=True
    )


def test_a_run_that_fails_leaves_an_index_as_it_was(nation: LinkedNation, tmp_path: Path) -> None:
    index = tmp_path / "index.duckdb"
    shutil.copy(nation.index, index)
    gone = nation.people["record_id"][0]
    with pytest.raises(OtherModel):
        link(
            None,
            None,
            standing=index,
            keep=index,
            withdrawn=[gone],
            model=other_model(tmp_path, thresholds={"person": 19.0}),
            changes=tmp_path / "changes.parquet",
        )
    assert index.read_bytes() == nation.index.read_bytes()
    assert sorted(path.name for path in tmp_path.glob("index*")) == ["index.duckdb"]
    assert not (tmp_path / "changes.parquet").exists()


def test_linked_anew_there_are_no_changes(nation: LinkedNation, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no changes to write"):
        link(nation.records, None, standing=nation.index, anew=True, changes=tmp_path / "changes.parquet")
