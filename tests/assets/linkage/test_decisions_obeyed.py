"""What people decided about identities is done, stays done in later months, and can be taken back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from assets.linkage.decided import Decided
from decisions.refusals import Contradiction, DecidedPair
from tests.assets.linkage.histories import History, Outcome, Row, assert_same, family, pnc, strangers

MOVED, REST = ("moved|1", "moved|2"), ("rest|1", "rest|2")
CASES: dict[str, Row] = {
    "must|1": family(0),
    "must|2": family(1),
    # One number each, both right: a hard veto.
    "overruled|1": family(2, pnc_id=pnc(21)),
    "overruled|2": family(2, pnc_id=pnc(22)),
    "cannot|1": family(3),
    "cannot|2": family(3),
    # Four records taken for one woman that are two of a name.
    **dict.fromkeys((*MOVED, *REST), family(4)),
    "twice|1": family(5),
    "twice|2": family(6),
    "mixed|1": family(7, pnc_id=pnc(71)),
    "mixed|2": family(7, pnc_id=pnc(71)),
    "mixed|3": family(8),
    "neighbour|1": family(9),
    "neighbour|2": family(9),
}
WRONG_MERGE = tuple(DecidedPair("I000003", "cannot_link", one, other) for one in MOVED for other in REST)
DECISIONS = (
    DecidedPair("I000001", "must_link", "must|1", "must|2"),
    DecidedPair("I000002", "cannot_link", "cannot|1", "cannot|2"),
    *WRONG_MERGE,
    DecidedPair("I000004", "must_link", "overruled|1", "overruled|2"),
    DecidedPair("I000005", "must_link", "twice|1", "twice|2"),
    DecidedPair("I000006", "must_link", "twice|1", "twice|2"),
    DecidedPair("I000007", "must_link", "mixed|1", "mixed|3"),
    DecidedPair("I000008", "cannot_link", "mixed|2", "mixed|3"),
)


def send(history: History, cases: dict[str, Row], decided: Sequence[DecidedPair] | None = None) -> Outcome:
    return history.month(
        [{**row, "record_id": record_id} for record_id, row in cases.items()], decided=decided
    )


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    """Four months: without decisions, with them, with later evidence against them, and with all of them revoked."""
    history = History(tmp_path_factory.mktemp("decided"))
    send(history, {row["record_id"]: row for row in strangers(40)} | CASES)
    history.month(decided=DECISIONS)
    # Records that agree in everything with those kept apart.
    send(history, {"cannot|3": family(3), "moved|3": family(4), "must|3": family(0)})
    assert_same(history.last, history.full())
    history.month(decided=())
    return history


def test_before_anybody_decided(history: History) -> None:
    first = history.runs[0]
    assert not first.one_person("must|1", "must|2") and not first.one_person("overruled|1", "overruled|2")
    assert first.one_person("cannot|1", "cannot|2") and first.one_person(*MOVED, *REST)


def test_a_must_link_joins(history: History) -> None:
    first, second, *_ = history.runs
    assert second.one_person("must|1", "must|2")
    # Whoever looked outweighs every guard.
    assert second.one_person("overruled|1", "overruled|2")
    assert {second.person_of("must|1")} <= {first.person_of("must|1"), first.person_of("must|2")}


def test_a_cannot_link_parts_person_and_group(history: History) -> None:
    links = history.runs[1].links.filter(pl.col("record_id").str.starts_with("cannot|"))
    assert links["person_id"].n_unique() == links["person_group_id"].n_unique() == 2
    # Nothing is left to look at.
    assert not links["withheld"].any()


def test_a_cannot_link_holds_beside_a_must_link(history: History) -> None:
    """1 and 2 are alike, 3 is said to be 1 and not 2: then 1 and 2 are two."""
    first, second, *_ = history.runs
    assert first.one_person("mixed|1", "mixed|2")
    assert second.one_person("mixed|1", "mixed|3") and not second.one_person("mixed|2", "mixed|3")


def test_undoing_a_wrong_merge_moves_those_that_were_moved_and_nobody_else(history: History) -> None:
    first, second, *_ = history.runs
    assert second.one_person(*MOVED) and second.one_person(*REST)
    assert not second.one_person("moved|1", "rest|1")
    before, after = first.crosswalk(), second.crosswalk()
    about = {r for pair in DECISIONS for r in (pair.record_id_l, pair.record_id_r)}
    assert {r: before[r] for r in before if r not in about} == {r: after[r] for r in after if r not in about}
    # One of the two keeps the id.
    assert first.person_of("moved|1") in (second.person_of("moved|1"), second.person_of("rest|1"))


def test_the_ledger_names_the_decision(history: History) -> None:
    said = history.runs[1].ledger.filter(pl.col("as_of") == history.moment(2))
    assert set(said["cause"]) == {"decision"}
    decision_of = {r: p.decision_id for p in DECISIONS for r in (p.record_id_l, p.record_id_r)}
    rows = said.filter(~pl.col("record_id").str.contains("twice|mixed")).rows(named=True)
    assert len(rows) >= 4
    for row in rows:
        assert row["decision_id"] == decision_of[row["record_id"]]
    assert {(row["record_id"].split("|")[0], row["event"]) for row in rows} >= {
        ("cannot", "split"),
        ("must", "merge"),
    }


def test_later_months_obey(history: History) -> None:
    third = history.runs[2]
    assert third.one_person("must|1", "must|2", "must|3") and third.one_person("overruled|1", "overruled|2")
    assert not third.one_person("cannot|1", "cannot|2") and not third.one_person("moved|1", "rest|1")
    # Who agrees with both of two that are kept apart is tied to one of them or to neither, and somebody is to look.
    links = third.links.filter(pl.col("record_id").str.starts_with("cannot|"))
    assert links["person_group_id"].n_unique() >= 2 and links["withheld"].any()


def test_later_months_change_no_id_of_the_others(history: History) -> None:
    second, third = history.runs[1].crosswalk(), history.runs[2].crosswalk()
    assert {r: third[r] for r in second} == second


def test_revoked_it_is_as_if_nobody_had_decided(history: History) -> None:
    first, last = history.runs[0], history.runs[3]
    assert last.one_person("cannot|1", "cannot|2", "cannot|3") and last.one_person(*MOVED, *REST)
    assert not last.one_person("must|1", "must|2") and not last.one_person("overruled|1", "overruled|2")
    were, are = first.said()["links"], last.said()["links"]
    unmet = pl.col("record_id").str.contains("neighbour|twice|mixed|overruled")
    columns = ["record_id", "link_weight", "withheld_reasons"]
    assert are.filter(unmet).select(columns).equals(were.filter(unmet).select(columns))
    said = last.ledger.filter(pl.col("as_of") == history.moment(4))
    assert set(said["cause"]) == {"decision"}


def test_decisions_that_contradict_each_other_are_refused() -> None:
    pairs = [
        DecidedPair("I1", "must_link", "a", "b"),
        DecidedPair("I2", "must_link", "b", "c"),
        DecidedPair("I3", "cannot_link", "a", "c"),
    ]
    with pytest.raises(Contradiction, match="I3 keeps a and c apart, but I1, I2 make them one person"):
        Decided.of(pairs)


def test_decisions_are_read_from_the_run_inputs(tmp_path: Path) -> None:
    rows = [(*pair, "who", date(2026, 1, 1)) for pair in DECISIONS]
    names = [*DecidedPair._fields, "decided_by", "decided_on"]
    pl.DataFrame(rows, schema=names, orient="row").write_parquet(tmp_path / "decisions.parquet")
    assert set(Decided.read(tmp_path / "decisions.parquet").pairs) == set(DECISIONS)


def test_a_decision_waits_for_a_record_that_comes_later(tmp_path: Path) -> None:
    history = History(tmp_path)
    must = DecidedPair("I000001", "must_link", "must|1", "must|2")
    send(history, {row["record_id"]: row for row in strangers(9)} | {"must|1": family(0)}, [must])
    assert send(history, {"must|2": family(1)}).one_person("must|1", "must|2")


def test_a_pair_two_decisions_are_about_is_one_link(history: History) -> None:
    evidence = history.runs[1].said()["evidence"]
    assert evidence.filter(pl.col("record_id_l") == "twice|1").height == 1
