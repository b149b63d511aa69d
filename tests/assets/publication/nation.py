"""A small nation of records, and national_statistics counted from them by hand: nested definitions, overlapping threats, flags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import polars as pl

FORCES = ("F1", "F2", "F3", "F4", "F5", "F6")
MONTHS = tuple(date(2025 + (3 + i) // 12, (3 + i) % 12 + 1, 1) for i in range(14))
THREATS = {"all": pl.lit(value=True), "stalking": pl.col("stalking"), "domestic": pl.col("domestic")}
# The one that is broken down, and one within it.
WIDE = "npcc_policing_scope"
DEFINITIONS = {WIDE: pl.lit(value=True), "narrow": pl.col("narrow")}
FLAGS = {"DA": pl.col("domestic"), "ONL": pl.col("online")}
# Fewer people of one force than this the statistics themselves withhold.
GUARDED_BELOW = 5
MEDIAN = "days_to_charge_median"
BREAKDOWNS = {"none": pl.lit("all"), "location": pl.col("location")}
# Coarser classes of the same.
AREAS = {"home": "indoors", "shop": "indoors", "street": "outdoors", "ship": "outdoors"}
NESTED = BREAKDOWNS | {"area": pl.col("location").replace_strict(AREAS, return_dtype=pl.String)}

BY_SEX = {
    "none": pl.lit("all"),
    "who": pl.when(pl.col("is_woman")).then(pl.lit("woman")).otherwise(pl.lit("man")),
}


def records(seed: int, n: int) -> pl.DataFrame:
    """One row a crime with one victim. Forces and places are very unequal, so that small counts are many."""
    rng = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "force_code": rng.choice(FORCES, n, p=[0.4, 0.25, 0.15, 0.1, 0.07, 0.03]),
            "month": rng.choice(np.array(MONTHS, dtype="datetime64[D]"), n),
            "location": rng.choice(["home", "street", "shop", "ship"], n, p=[0.55, 0.3, 0.135, 0.015]),
            "stalking": rng.random(n) < 0.3,
            "narrow": rng.random(n) < 0.97,
            "is_woman": rng.random(n) < 0.9,
            # Of two crimes in five that are charged: from the report to that day.
            "charge_days": np.where(rng.random(n) < 0.4, rng.integers(0, 200, n), -1),
            # So few that no single force's are shown.
            "is_killed": rng.random(n) < 0.01,
            # Half of those stalked too: neither within the other.
            "domestic": rng.random(n) < 0.25,
            "online": rng.random(n) < 0.1,
        }
    ).with_columns(
        pl.when(pl.col("charge_days") >= 0).then("charge_days"),
        domestic=pl.col("domestic") | (pl.col("stalking") & (pl.col("location") == "home")),
    )


def statistics(
    crimes: pl.DataFrame, months: Sequence[date], breakdowns: Mapping[str, pl.Expr] = BREAKDOWNS
) -> pl.DataFrame:
    """`national_statistics` of the months, the last of which is the run's: only rows that somebody is in, and every total."""
    spans = [("month", m, [m]) for m in months]
    spans += [("quarter", m, _from(months, m, 3)) for m in months if m.month in (1, 4, 7, 10)]
    spans += [("financial_year", m, _from(months, m, 12)) for m in months if m.month == 4]
    spans += [("rolling_year", months[-12], list(months[-12:]))]
    parts = []
    for kind, period, inside in spans:
        there = crimes.filter(pl.col("month").is_in(inside))
        for definition, is_in in DEFINITIONS.items():
            whole = there.filter(is_in)
            for threat, meets in THREATS.items():
                chosen = whole.filter(meets)
                for breakdown, value in breakdowns.items():
                    figures = _figures(chosen, breakdown, value)
                    if breakdown == "none":
                        figures = pl.concat(
                            [figures, _flagged(chosen), _of_all(chosen, whole)], how="diagonal"
                        )
                    parts.append(
                        figures.with_columns(
                            period=pl.lit(period),
                            period_kind=pl.lit(kind),
                            definition_id=pl.lit(definition),
                            threat=pl.lit(threat),
                            n_months=pl.lit(len(inside), pl.Int64),
                        )
                    )
    return pl.concat(parts).with_columns(
        value=pl.when(pl.col("measure") == MEDIAN)
        .then("value")
        .when(pl.col("denominator") > 0)
        .then(pl.col("numerator") / pl.col("denominator"))
        .when(pl.col("denominator").is_null())
        .then(pl.col("numerator").cast(pl.Float64)),
        lower=pl.lit(None, pl.Float64),
        upper=pl.lit(None, pl.Float64),
        suppressed=pl.lit(value=False),
        n_forces=pl.lit(1, pl.Int64),
    )


def guarded(really: pl.DataFrame) -> pl.DataFrame:
    """As the mart has them: the numbers of a figure about fewer than five of one force are null, and nobody is no row."""
    few = (pl.col("force_code") != "national") & (
        pl.min_horizontal("numerator", "denominator") < GUARDED_BELOW
    )
    numbers = ["numerator", "denominator", "value"]
    nobody = (pl.col("numerator").fill_null(1) == 0) & (pl.col("denominator").fill_null(0) == 0)
    is_told = (pl.col("measure") == "offences") & (pl.col("breakdown") == "none")
    return really.filter(~nobody | is_told).with_columns(
        suppressed=few, **{n: pl.when(~few).then(n) for n in numbers}
    )


def _from(months: Sequence[date], first: date, n: int) -> list[date]:
    return [m for m in months if 0 <= (m.year - first.year) * 12 + m.month - first.month < n]


def _figures(chosen: pl.DataFrame, breakdown: str, value: pl.Expr) -> pl.DataFrame:
    marked = chosen.with_columns(breakdown_value=value)
    both = pl.concat([marked, marked.with_columns(force_code=pl.lit("national"))])
    if breakdown == "none":
        places = pl.DataFrame({"force_code": [*FORCES, "national"], "breakdown_value": "all"})
    else:
        places = both.select("force_code", "breakdown_value").unique()
    counted = places.join(
        both.group_by("force_code", "breakdown_value").agg(
            n=pl.len().cast(pl.Int64),
            women=pl.col("is_woman").sum().cast(pl.Int64),
            killed=pl.col("is_killed").sum().cast(pl.Int64),
        ),
        on=["force_code", "breakdown_value"],
        how="left",
    ).with_columns(pl.col("n", "women", "killed").fill_null(0))
    count = pl.concat(
        counted.select(
            "force_code",
            "breakdown_value",
            breakdown=pl.lit(breakdown),
            measure=pl.lit(measure),
            numerator="n",
            denominator=pl.lit(None, pl.Int64),
            value=pl.lit(None, pl.Float64),
        )
        for measure in ("offences", "victims")
    )
    share = counted.select(
        "force_code",
        "breakdown_value",
        breakdown=pl.lit(breakdown),
        measure=pl.lit("victims_female_share"),
        numerator="women",
        denominator="n",
    )
    if breakdown != "none":
        return pl.concat([count, share], how="diagonal")
    rare = share.drop("numerator", "denominator").with_columns(
        measure=pl.lit("victims_killed_share"), numerator=counted["killed"], denominator=counted["n"]
    )
    median = (
        both.group_by("force_code")
        .agg(
            denominator=pl.col("charge_days").count().cast(pl.Int64),
            value=pl.col("charge_days").median(),
        )
        .filter(pl.col("denominator") > 0)
        .select(
            "force_code",
            breakdown_value=pl.lit("all"),
            breakdown=pl.lit("none"),
            measure=pl.lit(MEDIAN),
            numerator=pl.lit(None, pl.Int64),
            denominator="denominator",
            value="value",
        )
    )
    return pl.concat([count, share, rare, median], how="diagonal")


def _counts(crimes: pl.DataFrame) -> pl.DataFrame:
    both = pl.concat([crimes, crimes.with_columns(force_code=pl.lit("national"))])
    found = both.group_by("force_code").agg(
        n=pl.len().cast(pl.Int64), **{flag: is_it.sum().cast(pl.Int64) for flag, is_it in FLAGS.items()}
    )
    places = pl.DataFrame({"force_code": [*FORCES, "national"]})
    return places.join(found, on="force_code", how="left").with_columns(pl.exclude("force_code").fill_null(0))


def _flagged(chosen: pl.DataFrame) -> pl.DataFrame:
    """Crimes that bear each flag, of all crimes: a crime may bear both."""
    return (
        _counts(chosen)
        .unpivot(
            list(FLAGS), index=["force_code", "n"], variable_name="breakdown_value", value_name="numerator"
        )
        .rename({"n": "denominator"})
        .with_columns(breakdown=pl.lit("flag"), measure=pl.lit("force_flag_share"))
    )


def _of_all(chosen: pl.DataFrame, whole: pl.DataFrame) -> pl.DataFrame:
    """Crimes of the threat, of those of the definition."""
    return (
        _counts(chosen)
        .select("force_code", numerator="n")
        .join(_counts(whole).select("force_code", denominator="n"), on="force_code")
        .with_columns(breakdown=pl.lit("none"), breakdown_value=pl.lit("all"), measure=pl.lit("threat_share"))
    )
