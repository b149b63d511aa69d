"""Drawing by weight and stratum."""

from __future__ import annotations

import numpy as np
import pytest

from data_contracts.synthetic.draw import Strata, bounds_of, choose, generator


def test_a_pick_stays_in_its_stratum_and_follows_the_weights() -> None:
    strata = Strata(np.array([0, 3, 3, 5]), np.array([1.0, 0.0, 3.0, 2.0, 2.0]))
    picked = strata.pick(generator(1, "t"), np.zeros(4000, dtype=np.int64))
    share = np.bincount(picked, minlength=5) / 4000
    assert share[1] == 0
    assert share[3:].sum() == 0
    assert share[2] == pytest.approx(0.75, abs=0.03)
    assert set(strata.pick(generator(1, "t"), np.full(200, 2))) == {3, 4}


def test_an_empty_stratum_gives_minus_one() -> None:
    strata = Strata(np.array([0, 3, 3, 5]), np.ones(5))
    assert strata.pick(generator(1, "t"), np.array([1, 1])).tolist() == [-1, -1]


def test_choices_follow_the_shares_of_their_row() -> None:
    shares = np.array([[0.0, 1.0, 1.0], [2.0, 0.0, 0.0]])
    chosen = choose(generator(2, "t"), shares, np.repeat([0, 1], 3000))
    assert set(chosen[3000:]) == {0}
    assert np.bincount(chosen[:3000], minlength=3).tolist()[0] == 0
    assert np.mean(chosen[:3000] == 1) == pytest.approx(0.5, abs=0.04)


def test_purposes_have_generators_of_their_own() -> None:
    assert generator(1, "a").random() == generator(1, "a").random()
    assert generator(1, "a").random() != generator(1, "b").random()
    assert generator(1, "a").random() != generator(2, "a").random()


def test_bounds_of_a_sorted_column() -> None:
    assert bounds_of(np.array([0, 0, 2]), 4).tolist() == [0, 2, 2, 3, 3]
