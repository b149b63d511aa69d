"""How much two lists have in common: what stays on, and rank-biased overlap."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

import numpy as np
from numpy.typing import ArrayLike


def retention(before: ArrayLike, now: ArrayLike) -> float:
    """Share of the earlier list that is still on the later one, 0..1. NaN where the earlier list is empty."""
    earlier = np.unique(np.asarray(before))
    return float(np.isin(earlier, np.asarray(now)).mean()) if len(earlier) else float("nan")


def overlap(one: ArrayLike, other: ArrayLike) -> float:
    """Share of the shorter list that both have, 0..1. NaN where one is empty."""
    first, second = np.unique(np.asarray(one)), np.unique(np.asarray(other))
    shorter = min(len(first), len(second))
    return float(np.isin(first, second).sum() / shorter) if shorter else float("nan")


def rbo_ext(one: Iterable[Hashable], other: Iterable[Hashable], p: float = 0.98) -> float:
    """Rank-biased overlap of two rankings, extrapolated beyond their ends (Webber, Moffat and Zobel 2010, equation 32).

    Lists may differ in length, and hold no member twice: ValueError. 1: the same; 0: nothing in common. The mean weight of a
    place falls by `p`: with .98 the first 50 places carry about 86%. Truncating instead of extrapolating would give two equal
    lists less than 1.
    """
    short, long = sorted((np.asarray(list(ranking)) for ranking in (one, other)), key=len)
    if not 0 < p < 1:
        raise ValueError("p lies between 0 and 1")
    if any(len(np.unique(ranking)) < len(ranking) for ranking in (short, long)):
        raise ValueError("a ranking holds a member twice")
    s, n = len(short), len(long)
    if s == 0:
        return float("nan") if n == 0 else 0.0
    _, place_short, place_long = np.intersect1d(short, long, assume_unique=True, return_indices=True)
    met = np.bincount(np.maximum(place_short, place_long), minlength=n)[:n]
    shared = np.cumsum(met).astype(float)
    depth = np.arange(1, n + 1)
    weight = p**depth
    x_s, x_n = shared[s - 1], shared[n - 1]
    agreement = shared / depth * weight
    beyond = depth > s
    extrapolated = x_s * (depth - s) / (s * depth) * weight
    total = (1 - p) / p * (agreement.sum() + extrapolated[beyond].sum())
    return float(total + ((x_n - x_s) / n + x_s / s) * p**n)
