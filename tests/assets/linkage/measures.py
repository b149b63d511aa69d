"""Pairwise precision and recall of a clustering against the truth."""

from __future__ import annotations

from typing import NamedTuple

import polars as pl


class PairQuality(NamedTuple):
    """Shares 0..1 over pairs of records; precision is 1.0 where nothing was joined."""

    precision: float
    recall: float
    f1: float


def pair_quality(people: pl.DataFrame, *, found: str, truth: str) -> PairQuality:
    """Compare two labellings of the same records, columns `found` and `truth` of `people`."""

    def n_pairs(*labels: str) -> int:
        size = people.group_by(labels).len()["len"].cast(pl.Int64)
        return int((size * (size - 1) // 2).sum())

    n_right, n_found, n_true = n_pairs(found, truth), n_pairs(found), n_pairs(truth)
    return PairQuality(
        precision=n_right / n_found if n_found else 1.0,
        recall=n_right / n_true,
        f1=2 * n_right / (n_found + n_true),
    )
