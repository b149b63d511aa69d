"""Made-up events with a planted signal: each person has a rate of their own, so that the past tells of the future."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

START = date(2019, 1, 1)
GROUPS = ("Asian", "Black", "White", None)


@dataclass(frozen=True)
class Nature:
    """How people are made: rates gamma distributed with this shape (small: few hold most), per year, on and off over time."""

    n_persons: int = 1500
    years: float = 6
    events_per_year: float = 0.5
    shape: float = 0.25
    signal: bool = True


def events(seed: int = 1, nature: Nature = Nature(), path: Path | None = None) -> pl.DataFrame:
    """A table of events as `vawg backtest` takes it, and written to `path` if given."""
    rng = np.random.default_rng(seed)
    n, days = nature.n_persons, int(nature.years * 365.25)
    rate = rng.gamma(nature.shape, nature.events_per_year / nature.shape, n)
    if not nature.signal:
        rate[:] = nature.events_per_year
    # Active for a spell of some years: recent events tell more than old ones.
    starts = rng.uniform(-2 * 365, days, n)
    lasts = rng.exponential(900, n) if nature.signal else np.full(n, 1e9)
    starts = starts if nature.signal else np.full(n, -1.0)
    per_person = rng.poisson(rate * nature.years * (2.2 if nature.signal else 1))
    person = np.repeat(np.arange(n), per_person)
    occurred = rng.uniform(0, days, len(person))
    active = (occurred >= starts[person]) & (occurred <= starts[person] + lasts[person])
    person, occurred = person[active], occurred[active]
    reported = occurred + rng.exponential(6, len(occurred))
    kept = reported < days
    person, occurred, reported = person[kept], occurred[kept], reported[kept]
    m = len(person)
    grave = rng.uniform(0, 1, n)[person]
    harm = np.where(
        rng.uniform(0, 1, m) < 0.04 + 0.05 * grave, 1825.0, rng.choice([2, 10, 20, 84, 182, 365], m)
    )
    origin = np.datetime64(START)
    table = pl.DataFrame(
        {
            "person_id": [f"P{p:06d}" for p in person],
            "event_id": [f"E{i:07d}" for i in range(m)],
            "victim_id": [
                f"V{p}-{v}" if v < 5 else None for p, v in zip(person, rng.integers(0, 6, m), strict=True)
            ],
            "reported_on": (origin + reported.astype("timedelta64[D]")).astype("datetime64[D]"),
            "occurred_on": (origin + occurred.astype("timedelta64[D]")).astype("datetime64[D]"),
            "harm_days": harm,
            "outcome": rng.choice(["charged", "16", "acquitted", "15"], m, p=[0.2, 0.5, 0.03, 0.27]),
            "group": [GROUPS[g] for g in rng.choice(4, n, p=[0.1, 0.1, 0.7, 0.1])[person]],
            "force_code": [f"F{p % 5}" for p in person],
        }
    )
    if path is not None:
        table.write_csv(path) if path.suffix == ".csv" else table.write_parquet(path)
    return table
