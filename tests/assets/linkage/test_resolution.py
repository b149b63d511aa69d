"""Joining pairs into people: what a threshold joins, and what the guards keep apart."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from assets.linkage.resolution import Groups, Pair


def people_of(pairs: list[Pair], threshold: float = 16.0, floor: float = 4.0) -> set[frozenset[int]]:
    groups = Groups(pairs).join(threshold, floor).groups
    return {frozenset(record for record in groups if groups[record] == person) for person in groups.values()}


def test_a_strong_pair_is_one_person() -> None:
    assert people_of([Pair(1, 2, 16.0, False)]) == {frozenset({1, 2})}


def test_a_pair_just_below_the_threshold_is_two() -> None:
    assert people_of([Pair(1, 2, 15.99, False)]) == {frozenset({1}), frozenset({2})}


def test_a_hard_veto_is_not_bridged_by_a_third_record() -> None:
    pairs = [Pair(1, 2, 25.0, False), Pair(2, 3, 20.0, False), Pair(1, 3, -14.0, True)]
    assert people_of(pairs) == {frozenset({1, 2}), frozenset({3})}
    assert Groups(pairs).join(16.0, 4.0).contested == {1, 3}


def test_a_hard_veto_holds_even_where_the_score_is_high() -> None:
    assert people_of([Pair(1, 2, 40.0, True)]) == {frozenset({1}), frozenset({2})}


def test_one_strong_link_does_not_carry_a_cluster_over() -> None:
    family = [Pair(1, 2, 30.0, False), Pair(3, 4, 30.0, False), Pair(2, 3, 17.0, False)]
    strangers = [Pair(1, 3, -8.0, False), Pair(1, 4, -8.0, False), Pair(2, 4, -8.0, False)]
    assert people_of(family + strangers) == {frozenset({1, 2}), frozenset({3, 4})}


def test_a_chain_whose_pairs_agree_on_the_whole_is_joined() -> None:
    family = [Pair(1, 2, 30.0, False), Pair(3, 4, 30.0, False), Pair(2, 3, 17.0, False)]
    kin = [Pair(1, 3, 6.0, False), Pair(1, 4, 5.0, False), Pair(2, 4, 9.0, False)]
    assert people_of(family + kin) == {frozenset({1, 2, 3, 4})}


def test_the_wider_join_goes_on_from_the_strict_one() -> None:
    groups = Groups([Pair(1, 2, 20.0, False), Pair(2, 3, 13.0, False), Pair(1, 3, 9.0, False)])
    assert groups.join(16.0, 4.0).groups == {1: 1, 2: 1, 3: 3}
    assert groups.join(12.0, 4.0).groups == {1: 1, 2: 1, 3: 1}


@st.composite
def scored_component(draw: st.DrawFn) -> list[Pair]:
    n_records = draw(st.integers(2, 7))
    pairs = [(left, right) for left in range(n_records) for right in range(left + 1, n_records)]
    # Few distinct weights, so that ties occur.
    weights = st.sampled_from([-14.0, -3.0, 4.0, 13.0, 16.0, 17.5, 30.0])
    return [Pair(left, right, draw(weights), draw(st.integers(0, 9)) == 0) for left, right in pairs]


@given(scored_component(), st.integers(0, 1000))
def test_the_order_of_the_pairs_changes_nothing(pairs: list[Pair], seed: int) -> None:
    shuffled = random.Random(seed).sample(pairs, len(pairs))
    assert Groups(pairs).join(16.0, 4.0) == Groups(shuffled).join(16.0, 4.0)


@given(scored_component())
def test_no_person_holds_a_hard_veto_and_groups_hold_whole_persons(pairs: list[Pair]) -> None:
    joining = Groups(pairs)
    persons = joining.join(16.0, 4.0).groups
    person_groups = joining.join(12.0, 4.0).groups
    for pair in pairs:
        if pair.hard_veto:
            assert person_groups[pair.left] != person_groups[pair.right]
        if persons[pair.left] == persons[pair.right]:
            assert person_groups[pair.left] == person_groups[pair.right]
