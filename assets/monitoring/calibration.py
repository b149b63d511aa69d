"""Whether "about 1 in 3 people in this band" is true: band probabilities fitted on older cut-offs, tested on newer ones.

And the probabilities themselves, as they stand beside a band: what share of those who stood in it came again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import brier_score_loss

from assets.monitoring.events import Floats, Ints
from assets.monitoring.names import day_in_words
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
    key = np.random.default_rng(0).permutation(int(pool.max(initial=0)) + 1)[pool]
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
    table = _observed(_band(newer, bands), newer, predicted, drawn).join(
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


@dataclass(frozen=True)
class Closed:
    """The window that an answer about the past is of: so many months after each of the month ends from `first` to `last`."""

    window_months: int
    first: date
    last: date

    def __str__(self) -> str:
        if self.first == self.last:
            return f"the list of {day_in_words(self.last)}"
        return f"lists of {day_in_words(self.first)} to {day_in_words(self.last)}"


BAND_PROBABILITIES = {
    "band": pl.String,
    "rank_from": pl.Int64,
    "rank_to": pl.Int64,
    "window_months": pl.Int64,
    "first_cutoff_on": pl.Date,
    "last_cutoff_on": pl.Date,
    **dict.fromkeys(("n_places", "n_persons"), pl.Int64),
    **dict.fromkeys(("probability", "lower", "upper"), pl.Float64),
    **dict.fromkeys(("in_short", "in_words"), pl.String),
}
UNKNOWN = "not yet known"


def band_probabilities(
    found: Standings, bands: pl.DataFrame, drawn: Multiplicities, closed: Closed, *, least: int
) -> pl.DataFrame:
    """A row a band: the share of those who stood in it and had a new allegation within the window, 95% interval over
    resampled persons, and what stands beside the band, short and as a sentence.

    `n_places`: persons x month ends; `n_persons`: different ones. With fewer than `least` persons there is no figure.
    """
    band = _band(found, bands)
    observed = _observed(band, found, np.zeros(len(band)), drawn)
    share = {cell: (n, p, low, high) for cell, n, p, low, high in observed.select("cell", "n", "observed", "lower", "upper").iter_rows()}  # fmt: skip
    rows: list[tuple[object, ...]] = []
    for cell, (name, rank_from, rank_to) in enumerate(bands.iter_rows()):
        n_persons = len(np.unique(found.person[band == cell]))
        asked = (name, rank_from, rank_to, closed.window_months, closed.first, closed.last)
        if n_persons < least:
            rows.append(
                (*asked, *[None] * 5, UNKNOWN, f"{UNKNOWN}: fewer than {least} people stood in this band")
            )
            continue
        n, probability, lower, upper = share[cell]
        said = (
            f"{_of_people(probability)} in this band had a new recorded allegation within {closed.window_months} months "
            f"({probability:.0%}, 95% interval {lower:.0%} to {upper:.0%}; {n:,} places of {n_persons:,} people on {closed})"
        )
        short = f"{_of_people(probability)} ({lower:.0%} to {upper:.0%}; {n:,} places)"
        rows.append((*asked, n, n_persons, probability, lower, upper, short, said))
    return pl.DataFrame(rows, schema=BAND_PROBABILITIES, orient="row")


def no_band_probabilities(bands: pl.DataFrame, why: str) -> pl.DataFrame:
    """The same where nothing is known, with the reason in every row."""
    words = {"in_short": UNKNOWN, "in_words": f"{UNKNOWN}: {why}"}
    return bands.select("band", "rank_from", "rank_to").select(
        pl.col(name) if name in bands.columns
        else pl.lit(words.get(name), dtype=kind).alias(name)
        for name, kind in BAND_PROBABILITIES.items()
    )  # fmt: skip


def _of_people(probability: float) -> str:
    """As a natural frequency, in tens; in hundreds near the ends."""
    of = 10 if 0.1 <= probability <= 0.9 else 100
    return f"about {probability * of:.0f} in {of} people"


def _band(found: Standings, bands: pl.DataFrame) -> Ints:
    """Number of the band each place is in."""
    return np.searchsorted(bands["rank_from"].to_numpy(), found.rank, side="right") - 1


def _observed(cell: Ints, found: Standings, predicted: Floats, drawn: Multiplicities) -> pl.DataFrame:
    """A row a cell: n, mean predicted, share observed with its interval over resampled persons."""
    rows: list[dict[str, float | int | bool]] = []
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
    return pl.DataFrame(rows, schema=_OBSERVED)


_OBSERVED = {
    **dict.fromkeys(("cell", "n"), pl.Int64),
    **dict.fromkeys(("predicted", "observed", "lower", "upper"), pl.Float64),
    "is_outside": pl.Boolean,
}
