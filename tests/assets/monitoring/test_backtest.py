"""The back-test on made-up people: what must be best and worst, that ties are fair, and that only the past is learnt from."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.monitoring.backtest import Backtest, TooShort, backtest, lead_over_counts, plan, pooled_value
from assets.monitoring.events import Events, read_events
from assets.monitoring.parameters import Monitoring, monitoring, score_parameters
from assets.monitoring.resampling import captured, multiplicities, places_of, top_persons
from tests.assets.monitoring.made_up_events import Nature, events

PARAMETERS = score_parameters()
# Twenty persons instead of a hundred, few rounds: the same code on a small table.
SMALL: Monitoring = monitoring().but(top_persons=20, pooled_cutoffs=4, challenger_cutoffs=2, refit_cutoffs=2)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("events") / "events.parquet"
    events(1, Nature(n_persons=4000), path)
    return path


@pytest.fixture(scope="module")
def result(table: Path) -> Backtest:
    return backtest(read_events(table), PARAMETERS, SMALL, refit=True, n_boot=50)


def pooled(result: Backtest, ranker: str, measure: str = "harm_share", top: str = "5%") -> float:
    found = pooled_value(result, ranker, top, measure, 12)
    assert found is not None
    return found


def test_the_oracle_is_best_and_the_formula_beats_chance_and_old_counts(result: Backtest) -> None:
    rankers = result.table["ranker"].unique()
    assert {"challenger", "formula_refitted", "count_offences_12m", "v100_like", "rfg"} <= set(rankers)
    best = pooled(result, "oracle")
    assert all(pooled(result, name) <= best + 1e-9 for name in rankers)
    assert pooled(result, "random") == pytest.approx(0.05, abs=0.001)
    assert pooled(result, "formula") > 3 * pooled(result, "random")
    assert pooled(result, "formula") > pooled(result, "count_offences")
    beaten = result.differences.filter(ranker="random", top="5%", measure="harm_share", window_months=12)
    assert beaten["lower"][0] > 0.05


def test_shares_are_shares_and_intervals_hold_them(result: Backtest) -> None:
    table = result.table.drop_nulls("value")
    assert table["value"].is_between(0, 1).all()
    assert (table["lower"] <= table["upper"]).all()
    # A percentile interval may miss a value at its edge; hardly ever.
    inside = (table["lower"] <= table["value"] + 1e-9) & (table["value"] <= table["upper"] + 1e-9)
    assert inside.mean() > 0.95  # type: ignore[operator]


def test_a_longer_list_holds_more(result: Backtest) -> None:
    wide = result.table.filter(pl.col("measure") != "hit_share").pivot(
        on="top", index=["cutoff_on", "window_months", "ranker", "measure"], values="value"
    )
    assert (wide["5%"].fill_null(0) >= wide["1%"].fill_null(0) - 1e-9).all()


def test_differences_are_those_of_the_pooled_table(result: Backtest) -> None:
    for ranker in ("random", "oracle", "count_offences"):
        found = result.differences.filter(ranker=ranker, top="5%", measure="harm_share", window_months=12)
        assert found["value"][0] == pytest.approx(
            pooled(result, "formula") - pooled(result, ranker), abs=1e-8
        )
    counts = [n for n in result.table["ranker"].unique() if n.startswith("count_")]
    assert lead_over_counts(result, 12) == pytest.approx(
        pooled(result, "formula") - max(pooled(result, n) for n in counts), abs=1e-8
    )


def test_with_no_signal_the_formula_is_no_better_than_chance(tmp_path: Path) -> None:
    path = tmp_path / "e.parquet"
    events(3, Nature(n_persons=1500, years=5, signal=False), path)
    found = backtest(
        read_events(path), PARAMETERS, SMALL.but(window_months=12), n_boot=100, with_challenger=False
    )
    row = found.differences.filter(ranker="random", top="5%", measure="harm_share")
    assert row["lower"][0] < 0 < row["upper"][0]


def _until(rows: pl.DataFrame, day: date) -> pl.DataFrame:
    return rows.filter(pl.col("reported_on") <= day)


def test_nothing_is_learnt_from_windows_that_have_not_closed(table: Path, tmp_path: Path) -> None:
    """What was reported after the first cut-off is turned upside down: its scores, challenger and refit included, stay."""
    rows = pl.read_parquet(table)
    first = backtest(
        read_events(table), PARAMETERS, SMALL.but(window_months=12), refit=True, n_boot=20
    ).cutoffs[0]
    turned = rows.with_columns(
        harm_days=pl.when(pl.col("reported_on") > first.on)
        .then(3650 - pl.col("harm_days").clip(0, 3000))
        .otherwise("harm_days"),
    )
    turned.write_parquet(tmp_path / "turned.parquet")
    again = backtest(
        read_events(tmp_path / "turned.parquet"),
        PARAMETERS,
        SMALL.but(window_months=12),
        refit=True,
        n_boot=20,
    ).cutoffs[0]
    assert again.on == first.on and again.after.harm.sum() != first.after.harm.sum()
    for name in first.scores:
        same = first.scores[name].tobytes() == again.scores[name].tobytes()
        assert same == (name != "oracle"), name


def test_the_range_is_kept_within_what_the_table_allows(table: Path) -> None:
    found = read_events(table)
    everything = plan(found, SMALL, 12, date(2000, 1, 1), date(2040, 1, 1))
    assert str(everything.months[0]) == "2020-12" and str(everything.months[-1]) == "2023-12"
    assert "kept within 2020-12 to 2023-12" in everything.notes[0]
    assert [str(m) for m in plan(found, SMALL, 12).months] == ["2023-09", "2023-10", "2023-11", "2023-12"]
    with pytest.raises(TooShort, match="24 months of history"):
        plan(found, SMALL, 60)


def test_the_same_table_in_another_order_gives_the_same_table(table: Path, tmp_path: Path) -> None:
    rows = pl.read_parquet(table)
    rows.sample(fraction=1, shuffle=True, seed=5).write_parquet(tmp_path / "e.parquet")
    quick = SMALL.but(window_months=12, pooled_cutoffs=2)

    def run(events_: Events) -> pl.DataFrame:
        return backtest(events_, PARAMETERS, quick, n_boot=20).table

    assert run(read_events(table)).equals(run(read_events(tmp_path / "e.parquet")))


def _by_hand(scores: list[int], values: list[float], times: list[int], place: float) -> float:
    """Everybody as often as drawn, best first; of those who tie with the last place the average of all orders."""
    people = [(s, v) for s, v, n in zip(scores, values, times, strict=True) for _ in range(n)]
    total = 0.0
    for level in sorted({s for s, _ in people}, reverse=True):
        tied = [v for s, v in people if s == level]
        taken = min(place, len(tied))
        total += sum(tied) / len(tied) * taken
        place -= taken
    return total


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_ties_count_in_part_in_every_resample(data: st.DataObject) -> None:
    n = data.draw(st.integers(3, 40))
    scores = data.draw(st.lists(st.integers(0, 4), min_size=n, max_size=n))
    values = data.draw(st.lists(st.sampled_from([0.0, 0.0, 1.0, 10.0]), min_size=n, max_size=n))
    top = data.draw(st.sampled_from([1.0, 2.0, 0.1, 0.5]))
    drawn = multiplicities(n, 3, data.draw(st.integers(0, 99)))
    places = places_of([top], drawn.sum(axis=0).astype(float))
    found = captured(np.array(scores, float), np.arange(n), np.array(values)[:, None], places, drawn)[0, 0]
    expected = [_by_hand(scores, values, drawn[:, b].tolist(), places[0][b]) for b in range(4)]
    assert found == pytest.approx(expected, abs=1e-9)


def test_a_resampled_person_brings_all_their_months(result: Backtest) -> None:
    assert result.drawn.shape == (result.cutoffs[0].snapshot.allegations.n_persons, 51)
    assert (result.drawn[:, 0] == 1).all()
    assert result.drawn[:, 1:].mean() == pytest.approx(1, abs=0.02)


def test_the_top_is_the_same_whatever_the_order_of_those_who_tie() -> None:
    scores, persons = np.array([1.0, 2.0, 1.0, 1.0]), np.array([3, 5, 8, 9])
    order = np.array([2, 0, 3, 1])
    assert top_persons(scores, persons, 3).tolist() == top_persons(scores[order], persons[order], 3).tolist()
    assert top_persons(scores, persons, 3)[0] == 5
