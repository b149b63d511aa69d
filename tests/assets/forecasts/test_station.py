"""The forecast station: which months and forces make a series, and what the release takes in."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest

from assets.forecasts.station import RUN, write_forecasts
from assets.storage import Layout, write_parquet
from tests.assets.forecasts.test_forecast import months, rising

THREAT = "domestic_abuse"
N = 50


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """A sent every month; B all but the first three of the history; A had no spiking but in the last month."""
    layout = Layout(tmp_path_factory.mktemp("root")).prepare()
    sent = pl.concat(
        [
            pl.DataFrame({"force_code": "A", "period": months(N)}),
            pl.DataFrame({"force_code": "B", "period": months(45)}),
        ]
    ).with_columns(period_kind=pl.lit("month"))
    counts = pl.concat(
        [
            pl.DataFrame({"force_code": "A", "recorded_month": months(N), "numerator": rising(N, 1)}),
            pl.DataFrame({"force_code": "B", "recorded_month": months(45), "numerator": rising(45, 2)}),
            pl.DataFrame({"force_code": "A", "recorded_month": months(1), "numerator": [1]}),
        ]
    ).with_columns(
        definition_id=pl.lit("npcc_policing_scope"),
        measure=pl.lit("offences"),
        breakdown=pl.lit("none"),
        threat=pl.when(pl.col("numerator") == 1).then(pl.lit("spiking")).otherwise(pl.lit(THREAT)),
    )
    run = pl.DataFrame({"period": [date(2026, 3, 1)], "as_of": [datetime(2026, 4, 12, 9)]})
    write_parquet(run, layout.run / "run_parameters.parquet")
    layout.warehouse.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(layout.warehouse)) as connection:
        for name, frame in {
            "statistics.statistics_coverage": sent,
            "statistics.national_monthly_counts": counts,
            "repository.national_run": run,
        }.items():
            connection.execute(f"create schema if not exists {name.split('.')[0]}")
            connection.register("given", frame)
            connection.execute(f"create table {name} as from given")
    write_forecasts(layout)
    return layout


def table(layout: Layout, name: str) -> pl.DataFrame:
    return pl.read_parquet(layout.forecasts / f"{name}.parquet")


def test_the_nation_is_the_forces_that_sent_all_of_the_history(layout: Layout) -> None:
    outlook = table(layout, "threat_outlook")
    assert outlook.select("force_code", "threat").rows() == [("A", THREAT), ("national", THREAT)]
    # B has 45 months: no part of the nation's series, which is A's then.
    assert outlook["n_offences_last_year"].n_unique() == 1


def test_a_month_with_a_return_and_no_crime_is_a_nought_and_not_a_gap(layout: Layout) -> None:
    left_out = {(f, t): why for f, t, why in table(layout, "threat_forecasts_left_out").iter_rows()}
    assert left_out["B", THREAT] == "needs 48 months without a gap; there are 45"
    assert left_out["A", "spiking"] == "needs 20 crimes a month; there are 0.1"


def test_what_is_written_again_is_the_same_and_nothing_else_stays(layout: Layout) -> None:
    stray = layout.forecasts / "of_last_month.parquet"
    before = {p.name: p.read_bytes() for p in layout.forecasts.iterdir()}
    stray.write_bytes(b"")
    write_forecasts(layout)
    assert {p.name: p.read_bytes() for p in layout.forecasts.iterdir()} == before
    assert RUN in before and not list(Path(layout.root).glob(".forecasts*"))
