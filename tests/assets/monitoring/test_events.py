"""Reading a table of events: what is refused and why, what is left out and counted, and that the order does not matter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from assets.monitoring.events import NotEvents, read_events
from assets.monitoring.parameters import NoParameters

ROWS = pl.DataFrame(
    {
        "person_id": ["p2", "p1", "p1", "p1", None],
        "event_id": ["e1", "e1", "e2", "e2", "e9"],
        "victim_id": ["v1", "v1", "v1", "v2", "v7"],
        "reported_on": [
            "2026-01-02",
            "2026-01-02",
            "2026-02-01 10:00:00",
            "2026-02-01 10:00:00",
            "2026-01-05",
        ],
        "occurred_on": ["2026-01-01", "2026-01-01", None, None, "2026-01-05"],
        "harm_days": ["10", "10", "20.5", "20.5", "3"],
    }
)


def write(folder: Path, rows: pl.DataFrame, name: str = "events.csv") -> Path:
    rows.write_csv(folder / name) if name.endswith(".csv") else rows.write_parquet(folder / name)
    return folder / name


def changed(column: str, value: str | None, row: int = 0) -> pl.DataFrame:
    values = ROWS[column].to_list()
    values[row] = value
    return ROWS.with_columns(pl.Series(column, values))


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("reported_on", "31/01/2026", "reported_on cannot be read as a date"),
        ("reported_on", None, "reported_on is blank"),
        ("occurred_on", "yesterday", "occurred_on cannot be read as a date"),
        ("occurred_on", "2026-01-03", "it occurred after it was reported"),
        ("harm_days", "many", "harm_days is no number"),
        ("harm_days", "inf", "harm_days is no number"),
        ("harm_days", "-1", "harm_days is negative"),
        ("event_id", "", "event_id is blank"),
    ],
)
def test_a_fault_is_refused_with_its_line_and_without_its_value(
    tmp_path: Path, column: str, value: str | None, says: str
) -> None:
    path = write(tmp_path, changed(column, value))
    with pytest.raises(NotEvents) as refused:
        read_events(path)
    assert f"1 rows where {says}" in str(refused.value) and "first: line 2" in str(refused.value)
    assert "--leave-out-faulty" in str(refused.value)
    if value:
        assert value not in str(refused.value)
    left = read_events(path, leave_out_faulty=True)
    assert sum(left.left_out.values()) == 2 and len(left.allegations.person) == 2


def test_the_same_person_event_and_victim_twice_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, pl.concat([ROWS, ROWS[:1]]))
    with pytest.raises(NotEvents, match="2 rows where person_id, event_id, victim_id stand twice"):
        read_events(path)


def test_occurring_on_the_day_of_report_is_no_fault(tmp_path: Path) -> None:
    assert read_events(write(tmp_path, changed("occurred_on", "2026-01-02"))).n_rows == 5


@pytest.mark.parametrize("column", ["person_id", "event_id", "reported_on", "occurred_on", "harm_days"])
def test_a_missing_column_is_named(tmp_path: Path, column: str) -> None:
    with pytest.raises(NotEvents, match=f"no column {column}"):
        read_events(write(tmp_path, ROWS.drop(column)))


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "e.parquet").write_text("hello")
    for path, says in (
        (tmp_path / "e.parquet", "cannot be read"),
        (tmp_path / "none.csv", "no file"),
        (write(tmp_path, ROWS[:0]), "no rows"),
        (write(tmp_path, ROWS.with_columns(person_id=pl.lit("")), "u.csv"), "nothing to rank"),
    ):
        with pytest.raises(NotEvents, match=says):
            read_events(path)


def test_rows_without_person_or_harm_are_left_out_and_counted(tmp_path: Path) -> None:
    events = read_events(write(tmp_path, changed("harm_days", None)))
    assert events.n_rows == 5
    assert events.left_out == {
        "no person_id: nobody is named": 1,
        "no harm_days: the offence has no weight": 1,
    }
    assert len(events.allegations.person) == 2


def test_victims_of_one_event_are_one_allegation(tmp_path: Path) -> None:
    events = read_events(write(tmp_path, ROWS))
    one = events.allegations
    assert events.persons["person_id"].to_list() == ["p1", "p2"]
    assert one.person.tolist() == [0, 1, 0] and one.severity.tolist() == [10.0, 10.0, 20.5]
    assert one.victim_of.tolist() == [0, 1, 2, 2] and one.victim_person.tolist() == [0, 0, 1]
    # A time is kept; a blank day of the offence is the day of report, and is said.
    assert one.reported_at[2] - one.reported_at[0] == 30 * 86400 + 36000
    assert events.occurred_at[2] == one.reported_at[2]
    assert any("2 rows have no occurred_on" in note for note in events.notes)


def test_rows_of_one_allegation_that_differ_are_said(tmp_path: Path) -> None:
    events = read_events(write(tmp_path, changed("harm_days", "40", row=3)))
    assert events.allegations.severity.tolist() == [10.0, 10.0, 40.0]
    assert any(note.startswith("1 allegations have rows that differ") for note in events.notes)


def test_the_order_of_rows_and_the_kind_of_file_do_not_matter(tmp_path: Path) -> None:
    typed = ROWS.with_columns(
        pl.col("harm_days").cast(pl.Float64),
        pl.col("occurred_on").str.to_date(),
        reported_on=pl.coalesce(
            pl.col("reported_on").str.to_datetime("%Y-%m-%d", strict=False),
            pl.col("reported_on").str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False),
        ),
    )
    first = read_events(write(tmp_path, ROWS))
    for path in (write(tmp_path, ROWS.reverse(), "r.csv"), write(tmp_path, typed, "t.parquet")):
        other = read_events(path)
        for name in vars(first.allegations):
            assert np.array_equal(getattr(first.allegations, name), getattr(other.allegations, name)), name


def test_outcomes_weigh_by_the_seed_or_by_a_file_and_from_when_they_were_known(tmp_path: Path) -> None:
    rows = ROWS.with_columns(
        outcome=pl.Series(["acquitted", "16", "no such", "no such", None]),
        outcome_on=pl.Series(["2026-03-01", None, None, None, None]),
    )
    events = read_events(write(tmp_path, rows))
    # In order of report and person: e1 of p1 (16), e1 of p2 (acquitted), e2 of p1 (in no list: counts).
    assert events.allegations.outcome_weight.tolist() == [1, 0, 1]
    assert any("2 rows have an outcome that is in no list" in note for note in events.notes)
    known = int(np.datetime64("2026-03-01", "s").astype(int))
    assert events.allegations.weights_at(known - 1).tolist() == [1, 1, 1]
    assert events.allegations.weights_at(known).tolist() == [1, 0, 1]
    without = read_events(write(tmp_path, rows.drop("outcome_on"), "w.csv"))
    assert any("flatters" in note for note in without.notes)

    (tmp_path / "o.csv").write_text("outcome,outcome_weight\nno such,0\n")
    own = read_events(write(tmp_path, rows), outcomes=tmp_path / "o.csv")
    assert own.allegations.outcome_weight.tolist() == [1, 1, 0]
    (tmp_path / "o.csv").write_text("outcome,outcome_weight\nx,2\n")
    with pytest.raises(NoParameters, match="0 to 1"):
        read_events(write(tmp_path, rows), outcomes=tmp_path / "o.csv")


def test_a_persons_group_is_the_one_reported_last(tmp_path: Path) -> None:
    rows = ROWS.with_columns(group=pl.Series(["a", "b", "c", "c", "z"]))
    assert read_events(write(tmp_path, rows)).persons["group"].to_list() == ["c", "a"]
    with pytest.raises(NotEvents, match="no column sex"):
        read_events(write(tmp_path, rows), groups=("sex",))


def test_events_for_which_nobody_is_named_are_counted_by_force(tmp_path: Path) -> None:
    rows = ROWS.with_columns(force_code=pl.Series(["A", "A", "B", "B", "A"]))
    events = read_events(write(tmp_path, rows))
    assert events.unnamed.rows() == [("A", 1, 1), ("B", 1, 0)]
    assert events.forces == ["A", "B"] and events.force.tolist() == [0, 0, 1]
