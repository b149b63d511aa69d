"""Drawing at random, the same every time: generators by name, and weighted picks over whole columns.

Belongs here: what every part of the nation uses to draw. Nothing here knows of crimes or people.
"""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Generator = np.random.Generator


def generator(seed: int, *purpose: str | int) -> Generator:
    """A generator of its own for each purpose, so that one part's draws never shift another's."""
    words = [zlib.crc32(str(p).encode()) for p in purpose]
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence([seed, *words])))


class Strata:
    """Weighted picks from rows that lie together by stratum.

    `bounds[s]:bounds[s + 1]` are the rows of stratum `s`; `weights` one a row.
    """

    def __init__(self, bounds: Ints, weights: Floats) -> None:
        self.first = bounds[:-1]
        self.last = bounds[1:] - 1
        self.weights = weights
        self._below = np.concatenate([[0.0], np.cumsum(weights)])

    def pick(self, rng: Generator, stratum: Ints) -> Ints:
        """One row for each wanted stratum; -1 where the stratum holds none."""
        low = self._below[self.first[stratum]]
        high = self._below[self.last[stratum] + 1]
        at = np.searchsorted(self._below, low + rng.random(len(stratum)) * (high - low), side="right") - 1
        picked = np.clip(at, self.first[stratum], np.maximum(self.last[stratum], self.first[stratum]))
        return np.where(self.last[stratum] >= self.first[stratum], picked, -1)


def choose(rng: Generator, shares: Floats, row: Ints) -> Ints:
    """For each entry of `row`, a column of `shares[row]` drawn by its share. Rows need not add to one."""
    cumulated = np.cumsum(shares, axis=1)
    cumulated /= cumulated[:, -1:]
    u = rng.random(len(row))
    chosen = np.zeros(len(row), dtype=np.int64)
    for column in range(shares.shape[1] - 1):
        chosen += u >= cumulated[row, column]
    return chosen


def chance(rng: Generator, share: float | Floats, n: int) -> Bools:
    """True with the given share."""
    return rng.random(n) < share


def bounds_of(stratum: Ints, n_strata: int) -> Ints:
    """Bounds of each stratum in a sorted column."""
    return np.searchsorted(stratum, np.arange(n_strata + 1)).astype(np.int64)
