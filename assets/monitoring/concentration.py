"""How unequally later harm is spread over persons, and how much of it comes from people nobody knew of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.integrate import trapezoid

from assets.monitoring.events import Allegations, Floats, Ints
from assets.monitoring.rankers import Snapshot, later


def lorenz(harm: Floats) -> pl.DataFrame:
    """The Lorenz curve, least harmful first: persons_share, harm_share, both 0..1 from (0, 0) to (1, 1).

    Empty where there is no harm at all.
    """
    ordered = np.sort(harm)
    total = ordered.sum()
    if total <= 0:
        return pl.DataFrame(schema={"persons_share": pl.Float64, "harm_share": pl.Float64})
    return pl.DataFrame(
        {
            "persons_share": np.linspace(0, 1, len(ordered) + 1),
            "harm_share": np.r_[0, np.cumsum(ordered) / total],
        }
    )


def gini(harm: Floats) -> float:
    """Twice the area between the Lorenz curve and equality: 0 all the same, towards 1 all with one. NaN without harm."""
    curve = lorenz(harm)
    if not curve.height:
        return float("nan")
    return float(1 - 2 * trapezoid(curve["harm_share"].to_numpy(), curve["persons_share"].to_numpy()))


def top_shares(harm: Floats, shares: list[float]) -> dict[float, float]:
    """share of persons -> share of harm that the most harmful so many hold; a part of a person counts in part."""
    curve = lorenz(harm)
    if not curve.height:
        return dict.fromkeys(shares, float("nan"))
    at = 1 - np.asarray(shares)
    below = np.interp(at, curve["persons_share"].to_numpy(), curve["harm_share"].to_numpy())
    return dict(zip(shares, (1 - below).tolist(), strict=True))


@dataclass(frozen=True)
class Coverage:
    """Who did the later harm: harm in days by persons known at the cut-off and not; the shares in 0..1."""

    harm_by_known: float
    harm_by_unknown: float

    @property
    def unknown_share(self) -> float:
        total = self.harm_by_known + self.harm_by_unknown
        return self.harm_by_unknown / total if total else float("nan")

    @property
    def ceiling(self) -> float:
        """The share that even a perfect list could hold: that of persons known at the cut-off."""
        return 1 - self.unknown_share


def coverage(allegations: Allegations, occurred_at: Ints, at: int, until: int, pool: Ints) -> Coverage:
    """Later harm by persons of the pool (who could be ranked at the cut-off) and by all others."""
    after = later(allegations, occurred_at, at, until)
    known = np.zeros(allegations.n_persons, dtype=bool)
    known[pool] = True
    return Coverage(float(after.harm[known].sum()), float(after.harm[~known].sum()))


def recorded_harm(snapshot: Snapshot, months: int, pool: Ints) -> Floats:
    """Counted harm reported in the last months, of each person of the pool: what the curve is drawn of."""
    first = snapshot.since(months)
    full = snapshot.allegations
    return snapshot.sum_by_person(full.severity[first : snapshot.n] * snapshot.weights[first:], first)[pool]
