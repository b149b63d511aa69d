"""Resampling of persons: one set of resamples for everything that is compared, so that differences are paired.

A person is drawn with all their cut-offs at once. Whoever ties with the last place of a list is on it in part: no ranker
gains or loses by the order that equals happen to stand in.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from assets.monitoring.events import Floats, Ints

Multiplicities = NDArray[np.uint8]
LEVEL = 0.95


def multiplicities(n_persons: int, n_boot: int, seed: int) -> Multiplicities:
    """How often each person is in each resample (Poisson bootstrap): persons x (1 + n_boot). Column 0 is the data."""
    drawn = np.random.default_rng(seed).poisson(1.0, (n_persons, n_boot)).astype(np.uint8)
    return np.hstack([np.ones((n_persons, 1), dtype=np.uint8), drawn])


def interval(draws: Floats, axis: int = -1) -> tuple[Floats, Floats]:
    """The 95% percentile interval of resampled values; NaN where nothing was resampled."""
    if draws.shape[axis] == 0:
        empty = np.full(np.delete(np.array(draws.shape), axis), np.nan)
        return empty, empty
    tail = (1 - LEVEL) / 2
    with warnings.catch_warnings():
        # Nothing but NaN gives NaN, which is what is meant.
        warnings.filterwarnings("ignore", "All-NaN slice")
        lower, upper = np.nanquantile(draws, (tail, 1 - tail), axis=axis)
    return lower, upper


def captured(
    scores: Floats, persons: Ints, values: Floats, places: list[Floats], drawn: Multiplicities
) -> Floats:
    """Sums of `values` over the top places by score, in every resample: tops x measures x resamples.

    `scores` and `values` (persons x measures): of the pool, whose numbers are `persons`. `places`: for each top the size of
    the list in each resample.
    """
    order = np.argsort(-scores, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(scores[order]) != 0])
    ends = np.r_[starts[1:], len(order)]
    most = max(float(p.max()) for p in places)
    # Resamples differ in who is on top: some more than the list, and all that tie with the last of them.
    needed = int(most * 1.1 + 4 * np.sqrt(most) + 50)
    while True:
        n_blocks = int(np.searchsorted(ends, min(needed, len(order)))) + 1
        limit = int(ends[n_blocks - 1])
        rows = order[:limit]
        weights = drawn[persons[rows]]
        of_block = (
            np.add.reduceat(weights, starts[:n_blocks], axis=0, dtype=np.int32)
            if n_blocks < limit
            else weights
        )
        through = np.cumsum(of_block, axis=0, dtype=np.int32)
        if limit == len(order) or all((through[-1] >= p).all() for p in places):
            break
        needed *= 2
    block = np.repeat(np.arange(n_blocks), ends[:n_blocks] - starts[:n_blocks])
    some = np.flatnonzero(values[rows].any(axis=1))
    mass, weight = of_block[block[some]].astype(float), weights[some].astype(float)
    above = through[block[some]] - mass
    found = np.empty((len(places), values.shape[1], drawn.shape[1]))
    for i, place in enumerate(places):
        share = np.clip((place - above) / np.maximum(mass, 1), 0, 1)
        found[i] = values[rows[some]].T @ (weight * share)
    return found


def places_of(tops: list[float], n_pool: Floats) -> list[Floats]:
    """Sizes of the lists in resamples with pools of `n_pool`: a top below 1 is a share, another a number of persons."""
    return [np.maximum(1.0, np.round(top * n_pool)) if top < 1 else np.minimum(top, n_pool) for top in tops]


def captured_share(scores: Floats, values: Floats, top: float) -> float:
    """Share of the values that the top by score holds, without resampling. NaN where there is nothing to hold."""
    total = values.sum()
    if total == 0:
        return float("nan")
    everyone = np.arange(len(scores))
    one = np.ones((len(scores), 1), dtype=np.uint8)
    places = places_of([top], np.array([float(len(scores))]))
    return float(captured(scores, everyone, values[:, None], places, one)[0, 0, 0] / total)


def top_persons(scores: Floats, persons: Ints, place: int) -> Ints:
    """Numbers of the persons on top, first first. Equals in a fixed order that has nothing to do with who they are."""
    key = np.random.default_rng(0).permutation(int(persons.max()) + 1)[persons] if len(persons) else persons
    return persons[np.lexsort((key, -scores))][:place]
