"""Overlap, concentration, calibration, drift, sensitivity, recording practice, the null programme and thresholds."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.monitoring.calibration import (
    Closed,
    Standings,
    band_probabilities,
    calibrate,
    no_band_probabilities,
)
from assets.monitoring.concentration import coverage, gini, lorenz, top_shares
from assets.monitoring.drift import drift, psi
from assets.monitoring.events import allegations_of, seconds
from assets.monitoring.null_programme import Compared, null_programme
from assets.monitoring.parameters import (
    NoParameters,
    list_conditions,
    monitoring,
    rank_bands,
    score_parameters,
)
from assets.monitoring.rankers import Snapshot, meets
from assets.monitoring.recording import equalise, named_shares
from assets.monitoring.resampling import multiplicities
from assets.monitoring.sensitivity import sensitivity
from assets.monitoring.stability import overlap, rbo_ext, retention
from assets.monitoring.thresholds import Thresholds

AT = int(seconds("2026-06-30T23:59:59"))


def test_rbo_of_a_list_shifted_by_one() -> None:
    """A hundred, the first gone and a new last: agreement (d - 1) / d at depth d, .920 at p = .98."""
    assert rbo_ext(range(100), range(1, 101), 0.98) == pytest.approx(0.920, abs=0.0005)
    p, depth = 0.98, np.arange(1, 101)
    worked = 0.99 * p**100 + (1 - p) / p * ((depth - 1) / depth * p**depth).sum()
    assert rbo_ext(range(100), range(1, 101), p) == pytest.approx(worked)


def test_rbo_worked_by_hand() -> None:
    # Agreement: 0, 1 of 2 twice over, 1: 2/2. With p = .5: (.5/.5)(0 * .5 + 1 * .25) + 1 * .25 = .5.
    assert rbo_ext("ab", "ba", 0.5) == pytest.approx(0.5)
    assert rbo_ext("abc", "abc") == pytest.approx(1) and rbo_ext("abc", "xyz") == 0
    # Of different length, the shorter a head of the longer: nothing speaks against it.
    assert rbo_ext("ab", "abcd") == pytest.approx(1)
    assert rbo_ext("", "abc") == 0 and np.isnan(rbo_ext("", ""))
    with pytest.raises(ValueError, match="twice"):
        rbo_ext("aa", "ab")


@given(st.permutations(range(12)), st.permutations(range(15)), st.integers(1, 12))
def test_rbo_is_symmetric_and_within_0_and_1(one: list[int], other: list[int], length: int) -> None:
    found = rbo_ext(one[:length], other)
    assert -1e-9 <= found <= 1 + 1e-9
    assert found == pytest.approx(rbo_ext(other, one[:length]))
    assert rbo_ext(other, other) == pytest.approx(1)


def test_retention_and_overlap() -> None:
    assert retention([1, 2, 3, 4], [4, 3, 9]) == 0.5
    assert overlap([1, 2, 3, 4], [4, 3]) == 1
    assert np.isnan(retention([], [1])) and np.isnan(overlap([], [1]))


def test_lorenz_and_gini_worked_by_hand() -> None:
    assert gini(np.array([1.0, 1, 1, 1])) == pytest.approx(0)
    assert gini(np.array([0.0, 0, 0, 8])) == pytest.approx(0.75)
    assert lorenz(np.array([3.0, 1])).rows() == [(0, 0), (0.5, 0.25), (1, 1)]
    assert top_shares(np.array([3.0, 1]), [0.5, 0.25]) == pytest.approx({0.5: 0.75, 0.25: 0.375})
    assert np.isnan(gini(np.zeros(3))) and np.isnan(top_shares(np.zeros(3), [0.1])[0.1])


def test_what_no_list_can_reach() -> None:
    when = np.array(["2026-05-01", "2026-08-01", "2026-08-01"], "datetime64[s]")
    found, _ = allegations_of(["a", "a", "b"], when, [1, 10, 30], [1, 1, 1], [1, 1, 1], ["1", "2", "3"])
    held = coverage(found, found.reported_at, AT, AT + 90 * 86400, np.array([0]))
    assert (held.harm_by_known, held.harm_by_unknown, held.ceiling) == (10, 30, 0.25)


def _standings(rng: np.random.Generator, n: int, months: int, off: float = 0.0) -> Standings:
    parts = []
    for _ in range(months):
        rank = np.arange(1, n + 1)
        chance = np.clip(0.8 - 0.1 * np.log(rank) + off, 0.01, 0.99)
        parts.append(Standings(rng.permutation(n), rank, (rng.random(n) < chance).astype(float)))
    return Standings.join(parts)


def test_a_calibrated_list_is_not_outside_and_one_that_changed_is() -> None:
    rng = np.random.default_rng(4)
    drawn = multiplicities(600, 200, 1)
    older = _standings(rng, 600, 12)
    good = calibrate(older, _standings(rng, 600, 12), rank_bands(), drawn)
    assert good.n_outside_top == 0 and good.brier < good.brier_base and good.ece < 0.03
    assert good.bands["n"].sum() == 7200 and good.bands["band"][0] == "1-25"
    assert good.bands["predicted"].to_list() == sorted(good.bands["predicted"], reverse=True)
    changed = calibrate(older, _standings(rng, 600, 12, off=-0.2), rank_bands(), drawn)
    assert changed.n_outside_top == 3 and changed.ece > 0.1


def test_psi_and_ks() -> None:
    rng = np.random.default_rng(5)
    same, moved = rng.normal(size=5000), rng.normal(0.8, size=5000)
    found = drift({"x": same, "const": np.ones(50)}, {"x": moved, "const": np.ones(70)})
    assert found["psi"][0] > 0.2 and found["ks"][0] == pytest.approx(0.31, abs=0.03)
    assert found["psi"][1] == 0
    assert psi(same, rng.normal(size=5000)) < 0.02
    # Half the values at one point, then a quarter: (.5 - .25) ln 2 + (.5 - .75) ln(2/3), two bins.
    worked = 0.25 * np.log(2) - 0.25 * np.log(0.5 / 0.75)
    assert psi(np.repeat([0.0, 1], 500), np.repeat([0.0, 1], [250, 750]), 2) == pytest.approx(worked)


def _people(seed: int, n: int = 900, n_forces: int = 3):  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(seed)
    person = rng.integers(0, n, n * 3)
    days = rng.integers(1, 700, len(person))
    when = np.datetime64("2026-06-30T23:59:59") - days * np.timedelta64(86400, "s")
    harm = rng.choice([2.0, 20, 84, 365, 1825], len(person), p=[0.3, 0.3, 0.2, 0.15, 0.05])
    found, ids = allegations_of(
        [f"p{p:04d}" for p in person], when, harm, np.ones(len(person)), np.ones(len(person)),
        [f"e{i}" for i in range(len(person))],
    )  # fmt: skip
    force = np.array([int(ids[p][1:]) % n_forces for p in found.person])
    return found, force


def test_perturbed_weights_move_the_list_the_more_the_wider() -> None:
    found, _ = _people(1)
    table = sensitivity(found, AT, score_parameters(), monitoring().but(list_top=50, weights_draws=5))
    weights = dict(table.filter(variation="weights_ln_sd").select("setting", "rbo").iter_rows())
    assert 1 > weights["0.25"] > weights["0.5"] > 0.3
    still = sensitivity(
        found, AT, score_parameters(), monitoring().but(list_top=50, weights_draws=2, weights_ln_sd=0)
    )
    assert still.filter(variation="weights_ln_sd")["rbo"][0] == pytest.approx(1)


def test_equal_recording_leaves_the_list_and_unequal_moves_it() -> None:
    found, force = _people(2)
    names = ["A", "B", "C"]
    equal = equalise(
        found,
        AT,
        score_parameters(),
        force,
        names,
        dict.fromkeys(names, 0.5),
        top=45,
        n_draws=5,
        p=0.98,
        seed=1,
        min_listed=3,
    )
    assert equal.summary["overlap"].to_list() == [1, 1] and equal.summary[
        "largest_force_shift"
    ].to_list() == [0, 0]
    rates = {"A": 0.9, "B": 0.5, "C": 0.3}
    settings = {"top": 45, "n_draws": 10, "p": 0.98, "seed": 1, "min_listed": 3}
    moved = equalise(found, AT, score_parameters(), force, names, rates, **settings)
    shift = {
        (method, name): value
        for name, method, value in moved.forces.select("force_code", "method", "relative_shift").iter_rows()
    }
    # The force that names suspects most often loses places, the one that names them least gains.
    assert all(shift[m, "A"] < 0 < shift[m, "C"] for m in ("inverse_weights", "down_sampling"))
    assert moved.summary["overlap"].max() < 1  # type: ignore[operator]
    with pytest.raises(ValueError, match="above 0"):
        equalise(found, AT, score_parameters(), force, names, {"A": 0.0}, **settings)


def test_named_shares() -> None:
    table = pl.DataFrame({"force_code": ["A", "B"], "n_named": [3, 0], "n_unnamed": [1, 5]})
    assert named_shares(table) == {"A": 0.75}


def _compared(seed: int, effect: float = 1.0, place: int = 300) -> tuple[Compared, int]:
    """People selected for what a year happened to hold: regression to the mean, and for the selected `effect` on top."""
    rng = np.random.default_rng(seed)
    n = 6000
    rate = rng.gamma(0.4, 5, n)
    earlier, before, after = (rng.poisson(rate) * 100.0 for _ in range(3))
    order = np.argsort(-(before + rng.random(n)), kind="stable")[: 2 * place]
    kept = rng.poisson(rate * effect) * 100.0
    after[order[:place]] = kept[order[:place]]
    return Compared(order, np.arange(1, 2 * place + 1), earlier[order], before[order], after[order]), n


def test_with_no_programme_no_effect_is_reported_though_harm_falls() -> None:
    found = []
    for seed in range(100):
        compared, n = _compared(seed)
        found.append(null_programme(compared, 300, multiplicities(n, 100, seed), harm_cap=1825))
    assert np.mean([f.fall_selected for f in found]) > 0.1  # type: ignore[arg-type]
    assert np.mean([f.says_effect for f in found]) <= 0.05


def test_a_planted_effect_is_reported() -> None:
    found = []
    for seed in range(10):
        compared, n = _compared(seed, effect=0.4)
        found.append(null_programme(compared, 300, multiplicities(n, 100, seed), harm_cap=1825).says_effect)
    assert np.mean(found) >= 0.9


@pytest.mark.parametrize(
    ("check", "value", "is_alert"),
    [
        ("backtest_beats_counts", 0.0, True),
        ("backtest_beats_counts", 0.01, False),
        ("sensitivity_weights", 0.85, False),
        ("sensitivity_weights", 0.84, True),
        ("stability_retention", 0.96, True),
        ("stability_retention", 0.8, False),
        ("drift_psi", None, False),
        ("drift_psi", float("nan"), False),
    ],
)
def test_thresholds(check: str, value: float | None, is_alert: bool) -> None:
    verdict = Thresholds().judge(check, value)
    assert verdict.is_alert == is_alert and verdict.owner
    assert verdict.detail == ("could not be computed" if verdict.value is None else "")


def test_a_check_or_parameter_that_is_in_no_seed_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NoParameters, match="add its row"):
        Thresholds().judge("no_such", 1)
    with pytest.raises(NoParameters, match="takes one"):
        monitoring().one("window_months")
    (tmp_path / "p.csv").write_text("version,parameter,number\n1,half_life_days,x\n")
    with pytest.raises(NoParameters, match="half_life_days cannot be read"):
        score_parameters(tmp_path / "p.csv")
    (tmp_path / "p.csv").write_text("version,parameter,number\n1,half_life_days,180\n")
    with pytest.raises(NoParameters, match="lack severity_exponent"):
        score_parameters(tmp_path / "p.csv")


def test_the_probability_of_a_band_worked_by_hand() -> None:
    """Two lists of 60: of the first 25 places of each ten came again, of 26 to 50 four, of the rest nobody is shown: ten."""
    hit = np.array(([1.0] * 10 + [0.0] * 15) + ([1.0] * 4 + [0.0] * 21) + [0.0] * 9)
    once = Standings(np.arange(59), np.arange(1, 60), hit)
    drawn = multiplicities(59, 50, 1)
    closed = Closed(12, date(2025, 1, 31), date(2025, 2, 28))
    found = band_probabilities(Standings.join([once, once]), rank_bands(), drawn, closed, least=10)
    assert found["probability"].to_list() == [0.4, 0.16, None, None, None, None, None]
    assert found["n_places"].to_list()[:3] == [50, 50, None] and found["n_persons"].to_list()[:2] == [25, 25]
    said = found["in_words"][0]
    assert said.startswith(
        "about 4 in 10 people in this band had a new recorded allegation within 12 months (40%, 95%"
    )
    assert said.endswith("50 places of 25 people on lists of 31 January 2025 to 28 February 2025)")
    unknown = no_band_probabilities(rank_bands(), "no window has closed")
    assert unknown.schema == found.schema and set(unknown["in_words"]) == {
        "not yet known: no window has closed"
    }


def test_who_met_the_conditions_of_the_list_then() -> None:
    """A has two within the year; B one; C two, neither recent; D two, both acquitted; E two, by links too weak."""
    rows = {
        "A": ("2026-01-05", "2026-02-01"),
        "B": ("2026-01-05",),
        "C": ("2024-08-01", "2025-01-05"),
        "D": ("2026-01-05", "2026-02-01"),
        "E": ("2026-01-05", "2026-02-01"),
    }
    flat = [(who, day) for who, days in rows.items() for day in days]
    found, _ = allegations_of(
        [who for who, _ in flat],
        [f"{day}T12:00:00" for _, day in flat],
        [10.0] * len(flat),
        [0.0 if who == "D" else 1.0 for who, _ in flat],
        [0.8 if who == "E" else 0.95 for who, _ in flat],
        [f"{who}{day}" for who, day in flat],
    )
    at = Snapshot(found, AT)
    assert meets(at, score_parameters(), list_conditions()).tolist() == [True, False, False, False, False]
