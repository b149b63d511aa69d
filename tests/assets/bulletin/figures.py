"""Published figures of two forces and the nation, made by hand."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

YEAR, YEAR_BEFORE = date(2025, 4, 1), date(2024, 4, 1)
AVON, DYFED = "E23000036", "W15000004"
SCOPE = "npcc_policing_scope"
_PLAIN = {
    "period": YEAR,
    "period_kind": "rolling_year",
    "force_code": "national",
    "definition_id": SCOPE,
    "threat": "all",
    "measure": "offences",
    "breakdown": "none",
    "breakdown_value": "all",
    "n_forces": 2,
    "n_months": 12,
}


def figure(value: float | None, **of: Any) -> dict[str, Any]:
    """One figure; what is not said is that of the nation's crimes in the latest year. None: withheld."""
    bounds = {"lower": None, "upper": None} | ({k: of.pop(k) for k in ("lower", "upper") if k in of})
    count = None if value is None or value < 1 else int(value)
    return (
        _PLAIN
        | of
        | {"value": value, "numerator": count, "denominator": None, "suppressed": value is None}
        | bounds
    )


def published(*more: dict[str, Any]) -> pl.DataFrame:
    rows = [
        figure(1_205.0),
        figure(1_000.0, period=YEAR_BEFORE),
        figure(2.5, measure="offences_per_1000_women", lower=2.4, upper=2.6),
        figure(905.0, force_code=AVON),
        figure(300.0, force_code=DYFED),
        figure(3.0, force_code=AVON, measure="offences_per_1000_women", lower=2.8, upper=3.2),
        figure(1.5, force_code=DYFED, measure="offences_per_1000_women", lower=1.3, upper=1.7),
        figure(400.0, threat="domestic_abuse"),
        figure(500.0, threat="stalking_and_harassment"),
        figure(None, threat="spiking"),
        figure(0.33, threat="domestic_abuse", measure="threat_share", lower=0.31, upper=0.36),
        figure(4_000.0, definition_id="all_recorded_crime"),
        figure(200.0, measure="victims", breakdown="age_band", breakdown_value="10-15"),
        figure(100.0, measure="victims", breakdown="age_band", breakdown_value="0-9"),
        figure(30.0, measure="victims", breakdown="age_band", breakdown_value="unknown"),
        figure(30.0, force_code=AVON, measure="victims", breakdown="age_band", breakdown_value="10-15"),
        *(figure(90.0 + n, period=date(2025, n, 1), period_kind="month") for n in range(4, 13)),
        *more,
    ]
    return pl.DataFrame(rows, infer_schema_length=None)
