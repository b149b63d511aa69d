"""A planted twofold bias is found; where none is planted hardly any month raises an alert; few people are not shown."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from fairlearn.metrics import MetricFrame, selection_rate

from assets.monitoring.disparity import MISSING, Disparity, disparity, judge, missing_by
from assets.monitoring.parameters import monitoring

MONITORED = monitoring()
GROUPS = np.array(["A", "B", "C", "D", None], dtype=object)


def month(
    seed: int,
    *,
    n: int = 12_000,
    factor: float = 1.0,
    harmful: float = 1.0,
    n_boot: int = 60,
    missing: float = 0.08,
) -> list[tuple[str, Disparity]]:
    """Two lists (1% and 5%) of one pool: chance of selection by band of harm, for group B times `factor`. Group C has
    `harmful` times as many in the highest bands."""
    rng = np.random.default_rng(seed)
    group = rng.choice(5, n, p=[0.62 - missing, 0.12, 0.12, 0.14, missing])
    weight = np.ones((n, 10))
    weight[group == 2, 7:] *= harmful
    band = (rng.random((n, 1)) < np.cumsum(weight / weight.sum(axis=1, keepdims=True), axis=1)).argmax(axis=1)
    found = []
    for top, base in (("1%", 0.01), ("5%", 0.05)):
        chance = base * np.exp(0.35 * (band - 6)) * np.where(group == 1, factor, 1.0)
        chosen = rng.random(n) < np.minimum(chance, 1)
        found.append(
            (
                top,
                disparity(
                    "ethnicity", GROUPS[group].tolist(), chosen, band, MONITORED, n_boot=n_boot, seed=seed
                ),
            )
        )
    return found


def alerts(found: list[tuple[str, Disparity]], basis: str) -> set[str]:
    table = judge(found, MONITORED).filter(pl.col("is_alert") & (pl.col("basis") == basis))
    return set(table["group"].to_list())


def test_a_planted_twofold_bias_is_found_raw_and_conditional() -> None:
    for seed in range(10):
        found = month(seed, factor=2)
        assert "B" in alerts(found, "raw") and "B" in alerts(found, "conditional"), seed


def test_half_the_chance_is_found_too() -> None:
    assert all("B" in alerts(month(seed, factor=0.4), "conditional") for seed in range(5))


def test_with_none_planted_at_most_one_month_in_twenty_raises_an_alert() -> None:
    """200 months, 16 tests each: 4 groups, 2 lists, raw and conditional."""
    false = [bool(judge(month(1000 + seed), MONITORED)["is_alert"].any()) for seed in range(200)]
    assert np.mean(false) <= 0.05


def test_more_recorded_harm_is_a_raw_difference_and_no_conditional_one() -> None:
    raw, conditional = zip(
        *((alerts(found, "raw"), alerts(found, "conditional")) for found in (month(50 + s, harmful=6, n=25_000) for s in range(10))),
        strict=True,
    )  # fmt: skip
    assert np.mean(["C" in found for found in raw]) > 0.8
    assert np.mean([bool(found) for found in conditional]) <= 0.05


def test_nobody_selected_of_a_large_group_is_an_alert() -> None:
    group = ["A"] * 4000 + ["B"] * 2000
    chosen = np.zeros(6000, dtype=bool)
    chosen[:300] = True
    found = disparity("g", group, chosen, np.zeros(6000, dtype=np.int64), MONITORED, n_boot=50)
    table = judge([("5%", found)], MONITORED).filter(group="B", basis="raw")
    assert table["ratio"][0] == 0 and table["is_alert"][0]
    # The other way round there is no ratio: everybody else has a rate of nought.
    assert found.ratios.filter(group="A", basis="raw")["ratio"][0] is None


def test_rates_and_their_bootstrap_are_those_of_fairlearn() -> None:
    rng = np.random.default_rng(2)
    group = rng.choice(["A", "B"], 2000, p=[0.7, 0.3])
    chosen = rng.random(2000) < np.where(group == "A", 0.1, 0.15)
    found = disparity("g", group.tolist(), chosen, np.zeros(2000, dtype=np.int64), MONITORED, n_boot=400)
    frame = MetricFrame(
        metrics=selection_rate, y_true=np.zeros(2000), y_pred=chosen.astype(int), sensitive_features=pd.Series(group),
        n_boot=60, ci_quantiles=[0.025, 0.975], random_state=1,
    )  # fmt: skip
    rates = dict(found.rates.select("group", "rate").iter_rows())
    assert rates == pytest.approx(frame.by_group.to_dict(), abs=1e-6)
    ratio = found.ratios.filter(group="A", basis="raw").row(0, named=True)
    assert ratio["ratio"] == pytest.approx(rates["A"] / rates["B"], abs=1e-5)
    # fairlearn's ratio is the least group over the greatest: here A over B.
    lower, upper = frame.ratio_ci()
    assert (ratio["lower"], ratio["upper"]) == pytest.approx((lower, upper), abs=0.08)


def test_mantel_haenszel_worked_by_hand() -> None:
    # Band 0: A 2 of 20, B 1 of 20. Band 1: A 10 of 20, B 5 of 20. Within both bands twice: (1 + 5) / (.5 + 2.5) = 2.
    group = ["A"] * 20 + ["B"] * 20 + ["A"] * 20 + ["B"] * 20
    band = np.array([0] * 40 + [1] * 40)
    chosen = np.zeros(80, dtype=bool)
    chosen[[0, 1, 20, *range(40, 50), *range(60, 65)]] = True
    found = disparity("g", group, chosen, band, MONITORED, n_boot=20)
    assert found.ratios.filter(group="A", basis="conditional")["ratio"][0] == pytest.approx(2)


def test_missing_is_a_category_of_its_own_with_bounds() -> None:
    group: list[str | None] = ["A"] * 100 + ["B"] * 100 + [None] * 40
    chosen = np.zeros(240, dtype=bool)
    chosen[[*range(20), *range(100, 110), *range(200, 210)]] = True
    found = disparity("g", group, chosen, np.zeros(240, dtype=np.int64), MONITORED, n_boot=20)
    assert found.rates["group"].to_list() == ["A", "B", MISSING]
    assert found.missing_share == pytest.approx(40 / 240, abs=1e-6)
    a = found.ratios.filter(group="A", basis="raw").row(0, named=True)
    # Lowest: the 30 who were not selected are of A, the 10 selected of B. Highest: the other way round.
    assert a["ratio"] == pytest.approx(2)
    assert a["bound_low"] == pytest.approx((20 / 130) / (20 / 110), abs=1e-6)
    assert a["bound_high"] == pytest.approx((30 / 110) / (10 / 130), abs=1e-6)
    assert MISSING not in found.ratios["group"].to_list()


def test_too_many_missing_leaves_the_bounds_only() -> None:
    ((_, found), _) = month(3, factor=3, missing=0.3)
    assert found.shows_bounds_only
    assert found.ratios["ratio"].null_count() == found.ratios.height
    assert found.ratios.filter(basis="raw")["bound_low"].null_count() == 0
    assert not judge([("1%", found)], MONITORED)["is_alert"].any()


def test_few_people_are_not_shown() -> None:
    group = ["A"] * 500 + ["B"] * 9 + ["C"] * 300
    chosen = np.zeros(809, dtype=bool)
    chosen[[*range(40), 500, *range(509, 514)]] = True
    found = disparity(
        "g", group, chosen, np.zeros(809, dtype=np.int64), MONITORED, hit=chosen.astype(float), n_boot=20
    )
    rows = {row["group"]: row for row in found.rates.iter_rows(named=True)}
    assert rows["A"]["n_selected"] == 40 and rows["A"]["hit_rate"] == 1
    assert rows["B"]["is_suppressed"] and rows["B"]["n"] is None and rows["B"]["rate"] is None
    assert rows["C"]["n"] == 300 and rows["C"]["n_selected"] is None and rows["C"]["rate_lower"] is None
    assert found.ratios.filter(group="B")["ratio"].null_count() == 2
    assert found.by_band.filter(group="B")["rate"][0] is None


def test_of_a_list_of_today_nobody_knows_who_came_again() -> None:
    """Not known is not nought: a rate of nought would say that no group's persons ever come again."""
    group, chosen = ["A"] * 500 + ["B"] * 300, np.zeros(800, dtype=bool)
    chosen[[*range(40), *range(500, 530)]] = True
    found = disparity("g", group, chosen, np.zeros(800, dtype=np.int64), MONITORED, n_boot=20)
    hits = found.rates.select("hit_rate", "hit_lower", "hit_upper")
    assert not found.is_followed and hits.null_count().row(0) == (2, 2, 2)
    assert found.rates["rate"].null_count() == 0
    nobody = np.zeros(800)
    known = disparity("g", group, chosen, np.zeros(800, dtype=np.int64), MONITORED, hit=nobody, n_boot=20)
    assert known.is_followed and known.rates["hit_rate"].to_list() == [0, 0]
    assert known.rates["hit_lower"].to_list() == [0, 0]


def test_missing_by_force() -> None:
    found = missing_by(["F1", "F1", "F2"], [None, "A", "B"])
    assert found.rows() == [("F1", 2, 0.5), ("F2", 1, 0.0)]
