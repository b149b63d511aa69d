"""Twelve months ahead for every threat and force: exponential smoothing against last year's same month.

The models, their intervals and the rolling forecasts of the back-test are those of the library statsforecast (AutoETS:
Hyndman and Khandakar 2008; SeasonalNaive). Which of the two a series is forecast by is decided by what each would have been
worth on the months that are known.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import polars as pl
from scipy.stats import norm

from assets.forecasts.parameters import Forecasting, in_words

SMOOTHED, NAIVE = "AutoETS", "SeasonalNaive"
METHODS = {SMOOTHED: "exponential smoothing", NAIVE: "same month of the year before"}
YEAR = 12
_SERIES = ["force_code", "threat"]
_SCOPE = pl.when(pl.col("force_code") == "national").then(pl.lit("nation")).otherwise(pl.lit("force"))


@dataclass(frozen=True)
class Forecasts:
    """`months`: force_code, threat, month, n_offences (forecast), lower and upper at both levels.

    `outlook`: a row a series: the last twelve months, the twelve to come with bounds, the probability that they are more, in
    words, and the method. `backtest`: a row a scope (nation, force) x threat: how far either method was off. `left_out`: a row
    a series that is not forecast: why.
    """

    months: pl.DataFrame
    outlook: pl.DataFrame
    backtest: pl.DataFrame
    left_out: pl.DataFrame


def forecasts(series: pl.DataFrame, using: Forecasting) -> Forecasts:
    """Forecast every series that is long, whole and large enough.

    `series`: force_code (or `national`), threat, month, n_offences; a row a month. A month that is missing makes a series
    start after it.
    """
    whole = _since_the_last_gap(series)
    judged = _judged(whole, using)
    left_out = judged.filter(pl.col("why").is_not_null()).select(*_SERIES, "why").sort(_SERIES)
    taken = whole.join(judged.filter(pl.col("why").is_null()).select(_SERIES), on=_SERIES, how="semi")
    if taken.is_empty():
        return replace(NO_FORECASTS, left_out=left_out)
    ahead, tested = _run(taken, using)
    compared = _compared(tested, using)
    best = _method(compared)
    months = _chosen(ahead, best)
    return Forecasts(months, _outlook(taken, months, best, using), compared, left_out)


_BOUNDS = dict.fromkeys(("lower", "upper", "lower_wide", "upper_wide"), pl.Float64)
_MONTHS = {
    "force_code": pl.String,
    "threat": pl.String,
    "month": pl.Date,
    "n_offences": pl.Float64,
    **_BOUNDS,
}
_OUTLOOK = {
    "force_code": pl.String,
    "threat": pl.String,
    "n_offences_last_year": pl.Int64,
    "n_offences_next_year": pl.Float64,
    **_BOUNDS,
    "probability_of_more": pl.Float64,
    "in_words": pl.String,
    "method": pl.String,
}
NO_OUTLOOK = pl.DataFrame(schema=_OUTLOOK)
_BACKTEST = {
    "scope": pl.String,
    "threat": pl.String,
    "n_series": pl.Int64,
    "n_months": pl.Int64,
    "relative_error_smoothed": pl.Float64,
    "relative_error_naive": pl.Float64,
    "error_ratio": pl.Float64,
    "covered_share": pl.Float64,
    "covered_wide_share": pl.Float64,
    "year_relative_error_smoothed": pl.Float64,
    "year_relative_error_naive": pl.Float64,
    "method": pl.String,
}

_LEFT_OUT = {"force_code": pl.String, "threat": pl.String, "why": pl.String}
NO_FORECASTS = Forecasts(
    *(pl.DataFrame(schema=s) for s in (_MONTHS, _OUTLOOK, _BACKTEST, _LEFT_OUT))  # type: ignore[arg-type]
)


def _since_the_last_gap(series: pl.DataFrame) -> pl.DataFrame:
    """Of each series the months after its last missing one, up to the latest month of all."""
    number = pl.col("month").dt.year().cast(pl.Int64) * YEAR + pl.col("month").dt.month()
    back = series.with_columns(months_back=number.max() - number).sort(*_SERIES, "months_back")
    place = pl.int_range(pl.len()).over(_SERIES)
    return back.filter(pl.col("months_back") == place).drop("months_back").sort(*_SERIES, "month")


def _judged(series: pl.DataFrame, using: Forecasting) -> pl.DataFrame:
    """Every series with the reason why it is not forecast, or null."""
    recent = pl.col("n_offences").tail(YEAR).mean()
    return series.group_by(_SERIES).agg(
        why=pl.when(pl.len() < using.min_history)
        .then(pl.format("needs {} months without a gap; there are {}", using.min_history, pl.len()))
        .when(recent < using.min_monthly_offences)
        .then(pl.format("needs {} crimes a month; there are {}", using.min_monthly_offences, recent.round(1)))
    )


def _run(taken: pl.DataFrame, using: Forecasting) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What both methods say of the months to come, and said of months that are known by now."""
    # Slow to import, and a young platform has nothing to forecast.
    from statsforecast import StatsForecast
    from statsforecast.models import AutoETS, SeasonalNaive

    models = [AutoETS(season_length=YEAR), SeasonalNaive(season_length=YEAR)]
    library = StatsForecast(models=models, freq="1mo", n_jobs=1)
    frame = taken.select(
        pl.concat_str(_SERIES, separator="|").alias("unique_id"),
        pl.col("month").alias("ds"),
        pl.col("n_offences").cast(pl.Float64).alias("y"),
    ).sort("unique_id", "ds")
    levels = [using.narrow_level, using.wide_level]
    ahead = library.forecast(df=frame, h=using.horizon, level=levels)
    tested = library.cross_validation(
        df=frame,
        h=using.horizon,
        n_windows=using.n_forecasts,
        step_size=using.months_between,
        level=levels,
    )
    return _plain(ahead, using), _plain(tested, using)


def _plain(found: pl.DataFrame, using: Forecasting) -> pl.DataFrame:
    """The library's columns by our names: a row a series, month and method (and cutoff); nothing below nought."""
    keys = [c for c in ("unique_id", "ds", "cutoff", "y") if c in found.columns]
    bounds = {
        "lower": f"-lo-{using.narrow_level}",
        "upper": f"-hi-{using.narrow_level}",
        "lower_wide": f"-lo-{using.wide_level}",
        "upper_wide": f"-hi-{using.wide_level}",
    }
    parts = [
        found.select(
            *keys,
            pl.lit(method).alias("method"),
            pl.col(method).clip(lower_bound=0).alias("n_offences"),
            *(pl.col(method + end).clip(lower_bound=0).alias(name) for name, end in bounds.items()),
        )
        for method in METHODS
    ]
    return (
        pl.concat(parts)
        .with_columns(
            pl.col("unique_id").cast(pl.String).str.split_exact("|", 1).struct.rename_fields(_SERIES)
        )
        .unnest("unique_id")
        .rename({"ds": "month"})
        .with_columns(pl.col("month").cast(pl.Date))
        .sort(*_SERIES, "method", *(["cutoff"] if "cutoff" in found.columns else []), "month")
    )


def _compared(tested: pl.DataFrame, using: Forecasting) -> pl.DataFrame:
    """Scope x threat: mean error relative to what happened, a month and a year ahead, and how often the bounds held."""
    rows = tested.with_columns(scope=_SCOPE, off=(pl.col("n_offences") - pl.col("y")).abs())
    held = pl.col("y").is_between("lower", "upper")
    held_wide = pl.col("y").is_between("lower_wide", "upper_wide")
    by_method = rows.group_by("scope", "threat", "method").agg(
        n_series=pl.col("force_code").n_unique().cast(pl.Int64),
        n_months=pl.len().cast(pl.Int64),
        error=pl.col("off").sum() / pl.col("y").sum(),
        covered=held.mean(),
        covered_wide=held_wide.mean(),
    )
    years = (
        rows.group_by("scope", *_SERIES, "method", "cutoff")
        .agg(pl.col("n_offences", "y").sum())
        .group_by("scope", "threat", "method")
        .agg(year_error=(pl.col("n_offences") - pl.col("y")).abs().sum() / pl.col("y").sum())
    )
    both = by_method.join(years, on=["scope", "threat", "method"])
    smoothed, naive = (both.filter(method=m).drop("method") for m in METHODS)
    return (
        smoothed.join(naive, on=["scope", "threat"], suffix="_naive")
        .select(
            "scope",
            "threat",
            "n_series",
            "n_months",
            pl.col("error").alias("relative_error_smoothed"),
            pl.col("error_naive").alias("relative_error_naive"),
            (pl.col("error") / pl.col("error_naive")).alias("error_ratio"),
            pl.col("covered").alias("covered_share"),
            pl.col("covered_wide").alias("covered_wide_share"),
            pl.col("year_error").alias("year_relative_error_smoothed"),
            pl.col("year_error_naive").alias("year_relative_error_naive"),
            pl.when(pl.col("year_error") < pl.col("year_error_naive"))
            .then(pl.lit(METHODS[SMOOTHED]))
            .otherwise(pl.lit(METHODS[NAIVE]))
            .alias("method"),
        )
        .with_columns(pl.selectors.float().round(6))
        .sort("scope", "threat")
        .cast(_BACKTEST)  # type: ignore[arg-type]
    )


def _method(compared: pl.DataFrame) -> pl.DataFrame:
    """Scope x threat: the library's name of the method that was less off a year ahead."""
    named = {words: name for name, words in METHODS.items()}
    return compared.select("scope", "threat", pl.col("method").replace_strict(named))


def _chosen(ahead: pl.DataFrame, best: pl.DataFrame) -> pl.DataFrame:
    return (
        ahead.with_columns(scope=_SCOPE)
        .join(best, on=["scope", "threat", "method"], how="semi")
        .select(list(_MONTHS))
        .with_columns(pl.selectors.float().round(3))
        .sort(*_SERIES, "month")
    )


def _outlook(
    taken: pl.DataFrame, months: pl.DataFrame, best: pl.DataFrame, using: Forecasting
) -> pl.DataFrame:
    """The year to come against the year that was.

    Months of a year are taken to be off in the same direction: the bounds of the year are then the sums of those of its
    months, which is the widest they can be, and probabilities lean to even.
    """
    last = taken.group_by(_SERIES).agg(
        n_offences_last_year=pl.col("n_offences").tail(YEAR).sum().cast(pl.Int64)
    )
    year = months.group_by(_SERIES).agg(
        pl.col("n_offences").sum().alias("n_offences_next_year"), *(pl.col(c).sum() for c in _BOUNDS)
    )
    z = float(norm.ppf(0.5 + using.narrow_level / 200))
    spread = (pl.col("upper") - pl.col("n_offences_next_year")) / z
    more = (pl.col("n_offences_next_year") - pl.col("n_offences_last_year")) / spread
    return (
        last.join(year, on=_SERIES)
        .with_columns(more=more, scope=_SCOPE)
        .with_columns(
            probability_of_more=pl.col("more").map_batches(
                lambda s: pl.Series(norm.cdf(s.to_numpy())), return_dtype=pl.Float64
            )
        )
        .with_columns(in_words=in_words(pl.col("probability_of_more")))
        .join(best, on=["scope", "threat"])
        .with_columns(pl.col("method").replace_strict(METHODS))
        .select(list(_OUTLOOK))
        .with_columns(pl.selectors.float().round(6))
        .sort(_SERIES)
    )
