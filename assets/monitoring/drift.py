"""Whether what goes into the score is still what it was: population stability index and Kolmogorov-Smirnov."""

from __future__ import annotations

import numpy as np
import polars as pl
from scipy.special import rel_entr
from scipy.stats import ks_2samp

from assets.monitoring.events import DAY, Floats
from assets.monitoring.rankers import Snapshot

_LEAST = 1e-4


def psi(expected: Floats, observed: Floats, bins: int = 10) -> float:
    """Population stability index over bins with equal numbers of the expected values; a value that many share is one bin.

    Sum of (p - q) ln(p / q), with empty bins held at 1 in 10,000. NaN where one side is empty.
    """
    if not len(expected) or not len(observed):
        return float("nan")
    edges = np.unique(np.quantile(expected, np.linspace(0, 1, bins + 1)[1:-1]))
    # A value stands in the bin above the edge it equals, so that a frequent value has its own bins on both sides.
    p, q = (
        np.bincount(
            np.searchsorted(edges, values, side="left") + np.searchsorted(edges, values, side="right"),
            minlength=2 * len(edges) + 1,
        )
        / len(values)
        for values in (expected, observed)
    )
    p, q = np.maximum(p, _LEAST), np.maximum(q, _LEAST)
    return float(rel_entr(p, q).sum() + rel_entr(q, p).sum())


def drift(before: dict[str, Floats], now: dict[str, Floats]) -> pl.DataFrame:
    """A row an input: input, psi, ks (largest distance of the distributions, 0..1), n_before, n_now."""
    rows = [
        {
            "input": name,
            "psi": psi(before[name], now[name]),
            "ks": float(ks_2samp(before[name], now[name]).statistic)
            if len(before[name]) and len(now[name])
            else float("nan"),
            "n_before": len(before[name]),
            "n_now": len(now[name]),
        }
        for name in before
    ]
    return pl.DataFrame(rows).with_columns(pl.col("psi", "ks").round(6))


def inputs(snapshot: Snapshot, months: int) -> dict[str, Floats]:
    """What went into the score over the last months: of allegations harm_days, age_days, link_probability and the weight of
    the outcome; of persons n_incidents and n_victims."""
    first = snapshot.since(months)
    full = snapshot.allegations
    part = slice(first, snapshot.n)
    incidents = snapshot.n_incidents(first)
    active = incidents > 0
    return {
        "harm_days": full.severity[part],
        "age_days": (snapshot.at - full.reported_at[part]) / DAY,
        "outcome_weight": snapshot.weights[first:],
        "link_probability": full.link_probability[part],
        "n_incidents": incidents[active],
        "n_victims": snapshot.n_victims(first)[active],
    }
