"""A run's facts: which submissions it knows, and what it says when there are none."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest

from assets.intake import landed, place, take_in
from assets.run_inputs import NothingToRun, gather, write
from assets.storage import Layout
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
