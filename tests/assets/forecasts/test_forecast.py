"""Forecasts: what is forecast and what is not, that a season is found, and that words and bounds say what they should."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from assets.forecasts.forecast import Forecasts, forecasts
from assets.forecasts.parameters import forecasting, in_words, yardstick

USING = forecasting()
LONG = "stalking_and_harassment"


def months(n: int, last: date = date(2026, 3, 1)) -> pl.Series:
    end = last.year * 12 + last.month - 1
    return pl.Series([date(k // 12, k % 12 + 1, 1) for k in range(end - n + 1, end + 1)])


def series(force_code: str, threat: str, values: np.ndarray) -> pl.DataFrame:
    return pl.DataFrame({"month": months(len(values)), "n_offences": values.astype(np.int64)}).with_columns(
        force_code=pl.lit(force_code), threat=pl.lit(threat)
    )


def rising(n: int, seed: int, level: float = 900, growth: float = 0.012) -> np.ndarray:
    """Crimes a month that rise steadily, with a season and chance."""
    rng, t = np.random.default_rng(seed), np.arange(n)
    return rng.poisson(level * (1 + growth) ** t * (1 + 0.15 * np.sin(2 * np.pi * t / 12)))


@pytest.fixture(scope="module")
def given() -> pl.DataFrame:
    short, few = rising(47, 3), np.full(60, 4)
    gap = series("D", LONG, rising(60, 5)).filter(pl.col("month") != date(2025, 12, 1))
    return pl.concat(
        [
            series("national", LONG, rising(60, 1)),
            series("A", LONG, rising(60, 2)),
            series("B", LONG, short),
            series("C", "spiking", few),
            gap.select("month", "n_offences", "force_code", "threat"),
        ]
    )


@pytest.fixture(scope="module")
def found(given: pl.DataFrame) -> Forecasts:
    return forecasts(given, USING)


def test_what_is_too_short_too_small_or_broken_is_left_out_with_the_reason(found: Forecasts) -> None:
    assert dict(found.left_out.select("force_code", "why").iter_rows()) == {
        "B": "needs 48 months without a gap; there are 47",
        "C": "needs 20 crimes a month; there are 4.0",
        "D": "needs 48 months without a gap; there are 3",
    }
    assert set(found.outlook["force_code"]) == {"national", "A"}


def test_twelve_months_follow_the_last_that_is_known(found: Forecasts) -> None:
    assert found.months.filter(force_code="A")["month"].to_list() == months(12, date(2027, 3, 1)).to_list()
    bounds = found.months.select(
        inside=(pl.col("lower") < pl.col("n_offences")) & (pl.col("n_offences") < pl.col("upper")),
        nested=(pl.col("lower_wide") <= pl.col("lower")) & (pl.col("upper") <= pl.col("upper_wide")),
    )
    assert bounds["inside"].all() and bounds["nested"].all()


def test_what_rises_is_forecast_by_smoothing_and_said_to_be_more(found: Forecasts) -> None:
    tested = found.backtest.row(by_predicate=pl.col("scope") == "nation", named=True)
    assert tested["method"] == "exponential smoothing" and tested["error_ratio"] < 1
    assert tested["n_months"] == USING.n_forecasts * USING.horizon
    one = found.outlook.row(by_predicate=pl.col("force_code") == "national", named=True)
    assert one["n_offences_next_year"] > 1.05 * one["n_offences_last_year"]
    assert one["in_words"] in ("likely", "highly likely", "almost certain")


def test_a_backtest_learns_from_the_months_before_it_alone(given: pl.DataFrame, found: Forecasts) -> None:
    """Another last month changes what is forecast, and of the back-test only what that month is held against."""
    at_last = pl.col("month") == date(2026, 3, 1)
    other = forecasts(
        given.with_columns(pl.when(at_last).then(0).otherwise("n_offences").alias("n_offences")), USING
    )
    before, now = (f.backtest.filter(scope="nation")["relative_error_naive"][0] for f in (found, other))
    assert before != now
    assert not found.months.equals(other.months)


def test_nothing_to_forecast_is_no_error(given: pl.DataFrame) -> None:
    nothing = forecasts(given.filter(pl.col("threat") == "spiking"), USING)
    assert nothing.months.is_empty() and nothing.outlook.is_empty() and nothing.left_out.height == 1


def test_the_same_series_give_the_same_forecast_in_any_order(given: pl.DataFrame, found: Forecasts) -> None:
    again = forecasts(given.sample(fraction=1, shuffle=True, seed=4), USING)
    assert again.months.equals(found.months) and again.outlook.equals(found.outlook)


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (0.0, "remote chance"),
        (0.05, "remote chance"),
        (0.15, "highly unlikely"),
        (0.30, "unlikely"),
        (0.45, "realistic possibility"),
        (0.55, "likely"),
        (0.75, "likely"),
        (0.85, "highly likely"),
        (0.95, "almost certain"),
        (1.0, "almost certain"),
        (None, None),
    ],
)
def test_the_words_of_the_yardstick(probability: float | None, words: str | None) -> None:
    said = pl.select(in_words(pl.lit(probability, dtype=pl.Float64))).item()
    assert said == words


def test_the_yardstick_has_no_gap() -> None:
    steps = yardstick()
    assert steps["probability_below"][:-1].to_list() == steps["probability_from"][1:].to_list()
