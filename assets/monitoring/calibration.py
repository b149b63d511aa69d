"""Whether "about 1 in 3 people in this band" is true: band probabilities fitted on older cut-offs, tested on newer ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import brier_score_loss

from assets.monitoring.events import Floats, Ints
from assets.monitoring.resampling import Multiplicities, interval


@dataclass(frozen=True)
class Standings:
    """Places of persons on lists of one or several cut-offs: person number, rank (from 1), and whether they came again."""

    person: Ints
    rank: Ints
    hit: Floats

    @staticmethod
    def join(parts: list[Standings]) -> Standings:
        """Several as one."""
        return Standings(
            np.concatenate([p.person for p in parts]),
            np.concatenate([p.rank for p in parts]),
            np.concatenate([p.hit for p in parts]),
        )


def standings(scores: Floats, pool: Ints, hit: Floats) -> Standings:
    """Ranks over a pool by score; equals in a fixed order that has nothing to do with who they are."""
    key = np.random.default_rng(0).permutation(int(pool.max()) + 1)[pool]
    order = np.lexsort((key, -scores))
    return Standings(pool[order], np.arange(1, len(order) + 1), hit[order])


@dataclass(frozen=True)
class Calibration:
    """`bands`: a row a band that anybody is in: band, n (person x cut-off), predicted, observed, lower, upper,
    is_outside. `reliability`: the same over tenths of predicted probability. brier and ece (expected calibration error): 0 is
    best; brier_base: of always predicting the average of the older cut-offs."""

    bands: pl.DataFrame
    reliability: pl.DataFrame
    brier: float
    brier_base: float
    ece: float
    n_outside_top: int


def calibrate(
    older: Standings, newer: Standings, bands: pl.DataFrame, drawn: Multiplicities, *, top_rank: int = 100
) -> Calibration:
    """Fit the probability of a later allegation by rank (it may only fall), and test it on the newer standings.

    `bands`: band, rank_from, rank_to. Intervals resample persons (`drawn`: persons x resamples, column 0 the data). A band is
    outside when its interval excludes the prediction; `n_outside_top` counts those up to `top_rank`.
    """
    line = IsotonicRegression(y_min=0, y_max=1, increasing=False, out_of_bounds="clip")
    line.fit(np.log(older.rank), older.hit)
    predicted = line.predict(np.log(newer.rank))
    band = np.searchsorted(bands["rank_from"].to_numpy(), newer.rank, side="right") - 1
    table = _observed(band, newer, predicted, drawn).join(
        bands.with_row_index("cell").with_columns(pl.col("cell").cast(pl.Int64)), on="cell", how="left"
    )
    tenth = np.minimum((predicted * 10).astype(np.int64), 9)
    reliability = _observed(tenth, newer, predicted, drawn)
    n = len(newer.hit)
    return Calibration(
        bands=table.select("band", "rank_from", "n", "predicted", "observed", "lower", "upper", "is_outside"),
        reliability=reliability.drop("cell"),
        brier=float(brier_score_loss(newer.hit, predicted)),
        brier_base=float(brier_score_loss(newer.hit, np.full(n, older.hit.mean()))),
        ece=float((reliability["n"] / n * (reliability["observed"] - reliability["predicted"]).abs()).sum()),
        n_outside_top=int(table.filter(pl.col("is_outside") & (pl.col("rank_to") <= top_rank)).height),
    )


def _observed(cell: Ints, found: Standings, predicted: Floats, drawn: Multiplicities) -> pl.DataFrame:
    """A row a cell: n, mean predicted, share observed with its interval over resampled persons."""
    rows = []
    for c in np.unique(cell):
        is_in = cell == c
        weights = drawn[found.person[is_in]].astype(float)
        mass = weights.sum(axis=0)
        observed = (found.hit[is_in] @ weights) / np.where(mass > 0, mass, np.nan)
        lower, upper = interval(observed[1:])
        claimed = float(predicted[is_in].mean())
        rows.append(
            {
                "cell": int(c),
                "n": int(is_in.sum()),
                "predicted": round(claimed, 6),
                "observed": round(float(observed[0]), 6),
                "lower": round(float(lower), 6),
                "upper": round(float(upper), 6),
                "is_outside": bool(claimed < lower or claimed > upper),
            }
        )
    return pl.DataFrame(rows)
