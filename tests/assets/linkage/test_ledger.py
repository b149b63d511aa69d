"""Questions to the ledger: of merges, of what changed for a force, of records that never had an id."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from assets.linkage.ledger import Change, NotInLedger, changes_for_force, merged, never_linked
from tests.assets.linkage.ledgers import APRIL, FEBRUARY, MARCH, write_ledger


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return write_ledger(tmp_path / "linkage" / "person_ledger.parquet")


def test_a_merge_has_the_records_that_moved_and_those_that_were_there_after_it(ledger: Path) -> None:
    merge = merged(ledger, "P1", "P2")
    assert (merge.run_no, merge.as_of, merge.cause) == (2, MARCH, "new_evidence")
    # Not E23000026|late, which joined afterwards; with P3's, which came in the same run.
    assert merge.moved == ("E23000026|b1", "E23000026|b2")
    assert merge.others == ("E23000026|c1", "E23000036|a1", "E23000036|a2")
    assert merge.still_together


def test_a_merge_that_was_taken_apart_is_told(ledger: Path) -> None:
    assert not merged(ledger, "P4", "P5").still_together


@pytest.mark.parametrize(
    ("person", "retired", "says"),
    [
        ("P4", "P2", "P2 went into P1, not into P4: vawg identity undo P1 P2"),
        ("P1", "P4", "P4 was never merged"),
        ("P1", "P99", "no person ever had the id P99"),
        ("P99", "P2", "no person ever had the id P99"),
        ("P1", "' OR '' = '", "no person ever had the id ' OR"),
    ],
)
def test_of_no_such_merge_it_says_what_there_is(ledger: Path, person: str, retired: str, says: str) -> None:
    with pytest.raises(NotInLedger) as told:
        merged(ledger, person, retired)
    assert str(told.value).startswith(says)


def test_what_changed_for_a_force(ledger: Path) -> None:
    changes = changes_for_force(ledger, "E23000026")
    assert [(c.record_id, c.event) for c in changes] == [
        ("E23000026|b1", "merge"),
        ("E23000026|b2", "merge"),
        ("E23000026|c1", "merge"),
        ("E23000026|e1", "merge"),
        ("E23000026|e1", "split"),
    ]
    assert changes[-1] == Change("E23000026|e1", "split", "decision", "P4", "P6", APRIL, "I000001")


def test_what_changed_since(ledger: Path) -> None:
    assert len(changes_for_force(ledger, "E23000026", APRIL)) == 1
    assert changes_for_force(ledger, "E23000026", datetime(2026, 4, 5, 0, 0, 1)) == []
    assert changes_for_force(ledger, "E23000036", FEBRUARY) == []
    assert changes_for_force(ledger, "E2300002") == []


def test_records_that_never_had_an_id(ledger: Path) -> None:
    assert never_linked(ledger, ["E23000036|a1", "z", "E23000026|late", "y"]) == ["y", "z"]


def test_without_a_ledger_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotInLedger, match="vawg run"):
        merged(tmp_path / "none.parquet", "P1", "P2")
