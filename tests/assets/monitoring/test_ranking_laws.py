"""Laws of the score, on ten thousand random persons at each run: what cannot raise it, and what cannot change it."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.monitoring.events import allegations_of, seconds
from assets.monitoring.parameters import score_parameters
from assets.monitoring.rankers import formula

T = np.datetime64("2026-06-30T23:59:59", "s")
PARAMETERS = score_parameters()
N_EXAMPLES, N_PERSONS = 20, 500
DAY = 86_400
# To the second on the ends of the windows as often as chance would not: now, two years, six years.
EDGES = [T, np.datetime64("2024-06-30T23:59:59", "s"), np.datetime64("2020-06-30T23:59:59", "s")]
SEEDS = st.integers(0, 2**32 - 1)


def drawn(seed: int) -> pl.DataFrame:
    """Rows of person, event and victim: one to eight allegations a person, one to three victims each."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(N_PERSONS), rng.integers(1, 9, N_PERSONS))
    n = len(person)
    ago = T - rng.integers(0, 2600 * DAY, n)
    edge = np.asarray(EDGES)[rng.integers(0, len(EDGES), n)] + rng.integers(-1, 2, n)
    events = pl.DataFrame(
        {
            "person": [f"P{p}" for p in person],
            "event": [f"E{i}" for i in range(n)],
            "reported_at": np.where(rng.random(n) < 0.2, edge, ago).astype("datetime64[us]"),
            "severity": rng.choice([1.0, 10.0, 84.0, 1825.0, 5475.0], n),
            "weight": rng.choice([0.0, 1.0], n, p=[0.3, 0.7]),
            "link": 1 - rng.random(n),
            "n_victims": rng.integers(1, 4, n),
        }
    )
    rows = events.select(pl.all().repeat_by("n_victims")).explode(events.columns).drop("n_victims")
    who = pl.Series([f"V{v}" if v < 5 else None for v in rng.integers(0, 6, rows.height)], dtype=pl.String)
    return rows.with_columns(victim=who)


def scores(rows: pl.DataFrame) -> pl.DataFrame:
    """person -> score, of everybody in `rows`."""
    found, persons = allegations_of(
        rows["person"].to_list(),
        rows["reported_at"].to_numpy(),
        rows["severity"].to_numpy(),
        rows["weight"].to_numpy(),
        rows["link"].to_numpy(),
        rows["event"].to_list(),
        rows["victim"].to_list(),
    )
    return pl.DataFrame({"person": persons, "score": formula(found, int(seconds(T)), PARAMETERS)})


def change(before: pl.DataFrame, after: pl.DataFrame) -> pl.Series:
    """By how much each person's score grew; who is gone fell to 0."""
    both = scores(before).join(scores(after), on="person", how="left", suffix="_after")
    return both["score_after"].fill_null(0) - both["score"]


def some(rows: pl.DataFrame, seed: int, share: float = 0.3) -> pl.Expr:
    """Whether a row's event is among a random share of all."""
    events = rows["event"].unique(maintain_order=True)
    chosen = events.filter(pl.Series(np.random.default_rng(seed + 1).random(events.len()) < share))
    return pl.col("event").is_in(chosen.implode())


law = settings(max_examples=N_EXAMPLES, deadline=None)


@law
@given(SEEDS)
def test_what_does_not_count_changes_no_bit_of_any_score(seed: int) -> None:
    rows = drawn(seed)
    counted = rows.filter(pl.col("weight") > 0)
    assert counted.height < rows.height
    assert (change(counted, rows) == 0).all()


@law
@given(SEEDS)
def test_an_allegation_less_raises_no_score(seed: int) -> None:
    rows = drawn(seed)
    grown = change(rows, rows.filter(~some(rows, seed)))
    assert grown.max() <= 1e-9  # type: ignore[operator]
    assert (grown < 0).any()


@law
@given(SEEDS, st.integers(1, 900 * DAY))
def test_an_older_report_raises_no_score(seed: int, earlier: int) -> None:
    """By a second or by years, over the ends of the windows. What was not yet reported by T stays so."""
    rows = drawn(seed).filter(pl.col("reported_at") <= pl.lit(T).cast(pl.Datetime("us")))
    older = pl.col("reported_at") - pl.duration(seconds=earlier)
    amended = rows.with_columns(reported_at=pl.when(some(rows, seed)).then(older).otherwise("reported_at"))
    assert change(rows, amended).max() <= 1e-9  # type: ignore[operator]


@law
@given(SEEDS, st.floats(0, 1))
def test_a_weaker_link_a_lighter_class_or_a_fallen_allegation_raises_no_score(
    seed: int, factor: float
) -> None:
    rows = drawn(seed)
    for column in ("link", "severity", "weight"):
        amended = rows.with_columns(
            pl.when(some(rows, seed))
            .then(pl.col(column) * (0.0 if column == "weight" else factor))
            .otherwise(column)
        )
        assert change(rows, amended).max() <= 1e-9, column  # type: ignore[operator]


@law
@given(SEEDS)
def test_a_later_amendment_that_is_sent_beside_the_report_raises_no_score(seed: int) -> None:
    """Of two rows of one allegation the first report stands: an amendment refreshes nothing."""
    rows = drawn(seed)
    again = rows.filter(some(rows, seed)).with_columns(
        reported_at=pl.col("reported_at") + pl.duration(days=200)
    )
    assert change(rows, pl.concat([rows, again])).to_list() == pytest.approx([0.0] * N_PERSONS, abs=1e-9)


@law
@given(SEEDS)
def test_the_order_of_rows_changes_no_score(seed: int) -> None:
    rows = drawn(seed)
    shuffled = rows.sample(fraction=1, shuffle=True, seed=seed % 1000)
    assert change(rows, shuffled).abs().max() <= 1e-9  # type: ignore[operator]
