"""A run's facts: which submissions it knows, and what it says when there are none."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from assets.encryption import ReleaseKey
from assets.intake import landed, place, take_in
from assets.run_inputs import (
    IDENTITY_DECISIONS_SCHEMA,
    REVIEW_DECISIONS_SCHEMA,
    REVIEW_REMOVALS_SCHEMA,
    NothingToRun,
    gather,
    run_inputs,
    write,
)
from assets.storage import DataRoot, Layout
from decisions.identity import decide, revoke
from decisions.store import Store, sqlite_url
from tests.decisions.reviewing import HOUR, SUBJECT, Desk
from tests.submissions import send

JANUARY, FEBRUARY = date(2026, 1, 1), date(2026, 2, 1)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path / "root").prepare()
    for received_at, period, sequence in (
        (datetime(2026, 2, 5), JANUARY, 1),
        (datetime(2026, 3, 5), FEBRUARY, 1),
        (datetime(2026, 4, 5), JANUARY, 2),
    ):
        place(
            [send(tmp_path / f"{received_at:%m}", period=period, sequence=sequence, n_crimes=sequence)],
            layout,
        )
        list(take_in(landed(layout), layout, received_at=received_at))
    return layout


def known(layout: Layout, period: date, as_of: datetime | None = None) -> list[tuple[str | None, int | None]]:
    inputs = gather(layout, programme="england_wales", period=period, as_of=as_of)
    return [(r.period, r.sequence) for r in inputs.submissions]


def test_a_run_knows_its_month_and_those_before_as_of_a_moment(layout: Layout) -> None:
    assert known(layout, JANUARY) == [("2026-01", 1), ("2026-01", 2)]
    assert known(layout, JANUARY, datetime(2026, 3, 31)) == [("2026-01", 1)]
    assert known(layout, FEBRUARY, datetime(2026, 3, 31)) == [("2026-01", 1), ("2026-02", 1)]


def test_left_out_the_knowledge_cut_is_the_latest_receipt_not_the_clock(layout: Layout) -> None:
    assert gather(layout, programme="england_wales", period=FEBRUARY).as_of == datetime(2026, 4, 5)


def test_nothing_received_says_what_to_do(layout: Layout) -> None:
    with pytest.raises(NothingToRun, match="vawg land PATH"):
        gather(layout, programme="nibrs_mn2018", period=FEBRUARY)
    with pytest.raises(NothingToRun):
        gather(layout, programme="england_wales", period=FEBRUARY, as_of=datetime(2026, 1, 1))


def test_a_month_that_nobody_sent_is_no_run(layout: Layout) -> None:
    with pytest.raises(NothingToRun, match="for 2026-03"):
        gather(layout, programme="england_wales", period=date(2026, 3, 1))


def test_an_unknown_programme_names_the_known_ones(layout: Layout) -> None:
    with pytest.raises(ValueError, match="england_wales, nibrs_mn2018"):
        gather(layout, programme="scotland", period=FEBRUARY)


def test_what_dbt_is_given(layout: Layout) -> None:
    write(gather(layout, programme="england_wales", period=FEBRUARY), layout)
    parameters = pl.read_parquet(layout.run / "run_parameters.parquet")
    rows = pl.read_parquet(layout.run / "run_submission_rows.parquet")
    assert parameters.row(0, named=True)["period_end"] == date(2026, 2, 28)
    assert parameters.row(0, named=True)["ranked_at"] == datetime(2026, 2, 28, 23, 59, 59)
    assert rows.filter(pl.col("extract") == "offences")["n_accepted"].sum() == 1 + 1 + 2
    assert (rows["n_accepted"] + rows["n_quarantined"] == rows["n_received"]).all()


def decisions(layout: Layout) -> Store:
    return DataRoot(path=str(layout.root)).decisions()


@pytest.fixture
def decided(layout: Layout) -> Store:
    """Two decisions of England and Wales, the first revoked in June; a later one of another programme."""
    store = decisions(layout)
    for kind, one, other, at in (
        ("must_link", ["E23000036|c", "E23000026|b"], ["E23000036|a"], datetime(2026, 4, 20)),
        ("cannot_link", ["E23000036|x"], ["E23000026|z", "E23000026|y"], datetime(2026, 5, 20, 8, 30)),
        ("must_link", ["MN0030000|a"], ["MN0030100|b"], datetime(2026, 7, 1)),
    ):
        decide(store, kind, one, other, decided_by="A", reason="w", decided_at=at)
    return store


def pairs(layout: Layout, store: Store, as_of: datetime | None = None) -> list[tuple[str, ...]]:
    write(gather(layout, programme="england_wales", period=FEBRUARY, as_of=as_of, decisions=store), layout)
    return pl.read_parquet(layout.run / "run_identity_decisions.parquet").rows()


def test_linkage_is_given_the_pairs_of_decisions_in_force(layout: Layout, decided: Store) -> None:
    assert pairs(layout, decided) == [
        ("I000001", "must_link", "E23000026|b", "E23000036|a"),
        ("I000001", "must_link", "E23000026|b", "E23000036|c"),
        ("I000002", "cannot_link", "E23000026|y", "E23000036|x"),
        ("I000002", "cannot_link", "E23000026|z", "E23000036|x"),
    ]
    assert {row[0] for row in pairs(layout, decided, datetime(2026, 5, 20, 8, 29))} == {"I000001"}
    assert pairs(layout, decided, datetime(2026, 4, 19)) == []


def test_a_pair_decided_twice_is_one_pair_by_the_first_decision_in_force(
    layout: Layout, decided: Store
) -> None:
    at = datetime(2026, 8, 1)
    decide(
        decided,
        "must_link",
        ["E23000036|a"],
        ["E23000026|b"],
        decided_by="A",
        reason="w",
        decided_at=at,
    )
    assert {row[0] for row in pairs(layout, decided)} == {"I000001", "I000002"}
    revoke(decided, "I000001", revoked_by="B", reason="w", revoked_at=at)
    assert pairs(layout, decided)[-1] == ("I000004", "must_link", "E23000026|b", "E23000036|a")


def test_a_decision_moves_the_knowledge_cut_and_so_does_its_end(layout: Layout, decided: Store) -> None:
    def cut() -> datetime:
        return gather(layout, programme="england_wales", period=FEBRUARY, decisions=decided).as_of

    # Not July: that decision is of another programme.
    assert cut() == datetime(2026, 5, 20, 8, 30)
    revoke(decided, "I000001", revoked_by="B", reason="w", revoked_at=datetime(2026, 8, 1))
    assert cut() == datetime(2026, 8, 1)
    known = gather(layout, programme="england_wales", period=FEBRUARY, decisions=decided)
    assert [d.decision_id for d in known.identity_decisions] == ["I000002"]


def test_a_past_cut_knows_what_was_in_force_then(layout: Layout, decided: Store) -> None:
    before = pairs(layout, decided, datetime(2026, 6, 1))
    revoke(decided, "I000001", revoked_by="B", reason="w", revoked_at=datetime(2026, 8, 1))
    assert pairs(layout, decided, datetime(2026, 6, 1)) == before != pairs(layout, decided)


def test_decisions_alone_are_no_run(layout: Layout, decided: Store) -> None:
    with pytest.raises(NothingToRun):
        gather(layout, programme="nibrs_mn2018", period=FEBRUARY, decisions=decided)


def test_without_decisions_linkage_is_given_an_empty_table(layout: Layout) -> None:
    assert pairs(layout, decisions(layout)) == []
    assert pl.read_parquet_schema(layout.run / "run_identity_decisions.parquet") == IDENTITY_DECISIONS_SCHEMA


def reviewed(
    layout: Layout, store: Store, as_of: datetime | None = None
) -> dict[str, tuple[str, datetime | None]]:
    """State and end of the entries that the run is given, by entry and nominal."""
    write(gather(layout, programme="england_wales", period=FEBRUARY, as_of=as_of, decisions=store), layout)
    frame = pl.read_parquet(layout.run / "run_review_decisions.parquet")
    return {
        f"{entry_id} {record_id}": (state, until)
        for entry_id, record_id, state, until in frame.select(
            "entry_id", "record_id", "state", "valid_until"
        ).iter_rows()
    }


MAY = datetime(2026, 5, 1, 9)


def test_the_lists_are_given_what_was_in_force(layout: Layout) -> None:
    store = decisions(layout)
    desk = Desk(store, at=MAY).active()
    lapses = datetime(2026, 8, 1, 13)
    assert reviewed(layout, store) == {
        f"R000001 {record_id}": ("active", lapses) for record_id in sorted(SUBJECT.record_ids)
    }
    assert {s for s, _ in reviewed(layout, store, MAY + HOUR).values()} == {"triaged"}
    assert {s for s, _ in reviewed(layout, store, lapses).values()} == {"expired"}
    # Retention over: nobody is told any more.
    assert reviewed(layout, store, datetime(2028, 1, 1)) == {}
    assert desk.now().state == "active"


def test_that_somebody_looked_is_no_part_of_a_run(layout: Layout) -> None:
    store = decisions(layout)
    Desk(store, at=MAY).proposed()
    assert reviewed(layout, store) == {}
    cut = gather(layout, programme="england_wales", period=FEBRUARY, decisions=store).as_of
    assert cut == datetime(2026, 4, 5)
    Desk(store, replace(SUBJECT, record_ids=("E23000001|x",)), MAY + HOUR).take("propose", "O")
    assert list(reviewed(layout, store)) == ["R000002 E23000001|x"]
    assert gather(layout, programme="england_wales", period=FEBRUARY, decisions=store).as_of == MAY + HOUR


def test_a_removal_tells_its_facts_even_past_its_retention(layout: Layout) -> None:
    store = decisions(layout)
    Desk(store, at=MAY).removed()
    for as_of, reason in ((None, "link_wrong"), (datetime(2028, 1, 1), None)):
        assert set(reviewed(layout, store, as_of).values()) == {("removed", None)}
        told = pl.read_parquet(layout.run / "run_review_decisions.parquet")["reason_code"].unique().to_list()
        assert told == [reason]
        assert pl.read_parquet(layout.run / "run_review_removals.parquet").rows() == [
            ("R000001", "A|1"),
            ("R000001", "A|2"),
        ]


def test_a_freeze_is_told_with_what_is_disputed_whatever_the_state(layout: Layout) -> None:
    store = decisions(layout)
    desk = Desk(store, at=MAY).take("dispute", "C")
    write(gather(layout, programme="england_wales", period=FEBRUARY, decisions=store), layout)
    row = pl.read_parquet(layout.run / "run_review_decisions.parquet").row(0, named=True)
    assert (row["state"], row["is_frozen"], row["reason_code"]) == ("proposed", True, "identity_wrong")
    assert (row["decided_at"], row["valid_until"]) == (MAY, None)
    assert desk.now().is_frozen


def test_review_of_another_programme_is_none_of_this_run(layout: Layout) -> None:
    store = decisions(layout)
    Desk(store, replace(SUBJECT, record_ids=("MN0030000|a",)), MAY).take("propose", "O")
    assert reviewed(layout, store) == {}
    assert gather(layout, programme="england_wales", period=FEBRUARY, decisions=store).as_of < MAY


def test_without_review_the_lists_are_given_empty_tables(layout: Layout) -> None:
    assert reviewed(layout, decisions(layout)) == {}
    for name, schema in (("decisions", REVIEW_DECISIONS_SCHEMA), ("removals", REVIEW_REMOVALS_SCHEMA)):
        assert pl.read_parquet_schema(layout.run / f"run_review_{name}.parquet") == schema


@pytest.mark.parametrize("elsewhere", [False, True])
def test_the_station_reads_the_decisions_of_its_data_root(
    layout: Layout, decided: Store, elsewhere: bool, tmp_path: Path
) -> None:
    url = sqlite_url(tmp_path / "elsewhere.sqlite") if elsewhere else None
    done = dg.materialize(
        [run_inputs],
        partition_key="2026-02",
        resources={
            "data_root": DataRoot(path=str(layout.root), decisions_url=url),
            "release_key": ReleaseKey(),
        },
        selection=[run_inputs],
    )
    metadata = done.asset_materializations_for_node("run_inputs")[0].metadata
    assert metadata["identity_decisions"].value == (0 if elsewhere else 2)
