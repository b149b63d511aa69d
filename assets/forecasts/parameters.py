"""What forecasts are made with and said in, read from the seeds."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from assets.seeds import SEEDS


@dataclass(frozen=True)
class Forecasting:
    """The numbers of the seed `forecast_parameters`; months but where the name says otherwise."""

    horizon: int
    learn_from: int
    n_forecasts: int
    months_between: int
    min_monthly_offences: int
    narrow_level: int
    wide_level: int

    @property
    def min_history(self) -> int:
        """Months a series needs for every forecast of the back-test to have learnt from enough and to have a year after it."""
        return self.learn_from + self.horizon + self.months_between * (self.n_forecasts - 1)


def forecasting() -> Forecasting:
    """Raises KeyError where a parameter has no row."""
    rows = pl.read_csv(SEEDS / "forecast_parameters.csv")
    numbers = dict(rows.select("parameter", "number").iter_rows())
    months = ("horizon", "learn_from", "n_forecasts", "months_between", "narrow_level", "wide_level")
    return Forecasting(
        min_monthly_offences=int(numbers["min_monthly_offences"]),
        **{name: int(numbers[name]) for name in months},
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
