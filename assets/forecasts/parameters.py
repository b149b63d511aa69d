"""What forecasts are made with and said in, read from the seeds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

SEEDS = Path(__file__).parents[2] / "dbt_project" / "seeds"


@dataclass(frozen=True)
class Forecasting:
    """The numbers of the seed `forecast_parameters`; months but where the name says otherwise."""

    horizon: int
    min_history: int
    learn_from: int
    n_forecasts: int
    months_between: int
    min_monthly_offences: float
    narrow_level: int
    wide_level: int


def forecasting() -> Forecasting:
    """Raises KeyError where a parameter has no row."""
    rows = pl.read_csv(SEEDS / "forecast_parameters.csv")
    numbers = dict(rows.select("parameter", "number").iter_rows())
    return Forecasting(
        **{
            name: kind(numbers[name])
            for name, kind in (
                ("horizon", int),
                ("min_history", int),
                ("learn_from", int),
                ("n_forecasts", int),
                ("months_between", int),
                ("min_monthly_offences", float),
                ("narrow_level", int),
                ("wide_level", int),
            )
        }
    )


def yardstick() -> pl.DataFrame:
    """The seed `probability_yardstick` in order: words, probability_from, probability_below."""
    return pl.read_csv(SEEDS / "probability_yardstick.csv").sort("order_no")


def in_words(probability: pl.Expr) -> pl.Expr:
    """A probability in the words of the yardstick; null where there is none."""
    said = pl.lit(None, dtype=pl.String)
    for words, start, end in yardstick().select("words", "probability_from", "probability_below").iter_rows():
        said = pl.when((probability >= start) & (probability < end)).then(pl.lit(words)).otherwise(said)
    return said
