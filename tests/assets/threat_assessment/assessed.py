"""A threat assessment of the nation and two forces with 51 months of history behind it, made up."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import polars as pl

from assets.forecasts.forecast import Forecasts, forecasts
from assets.forecasts.parameters import forecasting
from tests.assets.forecasts.test_forecast import rising, series

AVON, DYFED = "E23000036", "W15000004"
STALKING, SPIKING = "stalking_and_harassment", "spiking"
_PLAIN: dict[str, Any] = {
    "period": date(2025, 4, 1),
    "n_forces": 2,
    "n_months": 12,
    "n_offences_year_before": 1_000,
    "change_share": 0.12,
    "change_share_lower": 0.08,
    "change_share_upper": 0.16,
    "trend": "rising",
    "break_ids": None,
    "harm_days": 7_321,
    "harm_share": 0.204,
    "confidence": "moderate",
    "confidence_reasons": "forces differ more than crime alone explains",
}


def row(force_code: str, threat: str, n_offences: int, **of: Any) -> dict[str, Any]:
    return {"force_code": force_code, "threat": threat, **_PLAIN, "n_offences": n_offences, **of}


def assessment() -> pl.DataFrame:
    """Of Dyfed-Powys three spikings, of which nothing may be told; of Avon two the year before."""
    rows = [
        row("national", SPIKING, 44, harm_share=0.002, break_ids="domestic_abuse_flag, no_such_break"),
        row("national", STALKING, 14_317),
        row("national", "all", 30_001, harm_share=1.0, confidence="high", confidence_reasons=None),
        row(AVON, STALKING, 9_113),
        row(AVON, SPIKING, 41, n_offences_year_before=2, change_share=19.5, trend="rising"),
        row(DYFED, STALKING, 77, trend=None, change_share=None, n_offences_year_before=None),
        row(DYFED, "sex_work", 0, harm_days=None, harm_share=None, change_share=None),
        row(DYFED, SPIKING, 3, harm_days=6_543, harm_share=0.654, change_share=0.987),
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def series_of_51_months() -> pl.DataFrame:
    return pl.concat(
        [
            series("national", "all", rising(51, 1, level=2_000)),
            series("national", STALKING, rising(51, 2)),
            series("national", SPIKING, np.full(51, 4)),
            series(AVON, STALKING, rising(51, 3, level=500)),
            series(DYFED, STALKING, rising(40, 4, level=30)),
            series(DYFED, SPIKING, np.full(51, 1)),
        ]
    )


def found() -> Forecasts:
    return forecasts(series_of_51_months(), forecasting())


def recorded() -> pl.DataFrame:
    return (
        series_of_51_months()
        .filter(force_code="national", threat="all")
        .select(pl.col("month").alias("period"), pl.col("n_offences").alias("value"))
    )
