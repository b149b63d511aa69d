"""Joining cores into people: what a threshold joins, what the guards and people keep apart, whom an undated record is."""

from __future__ import annotations

import random
from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from assets.linkage.model import Thresholds
from assets.linkage.resolution import Edge, Resolution, resolve

THRESHOLDS = Thresholds(person=16.0, person_group=12.0, mean_floor=4.0, claimant_n_records=2)


def edge(left: int, right: int, best: float, **more: object) -> Edge:
    return Edge(1, left, right, best, **{"total": best, "n_pairs": 1, "hard_veto": False, **more})  # type: ignore[arg-type]


def claim(left: int, right: int, weight: float) -> Edge:
    """Of a dated and an undated core, or of two undated ones."""
    return edge(left, right, 3.0, claim=weight)


def resolved(edges: list[Edge], n_dated: dict[int, int] | None = None) -> Resolution:
    cores = {core for e in edges for core in (e.left, e.right)}
    return resolve(edges, dict.fromkeys(cores, 1) | (n_dated or {}), THRESHOLDS)


def sets(labels: dict[int, int]) -> set[frozenset[int]]:
    found = defaultdict(set)
    for core, label in labels.items():
        found[label].add(core)
    return {frozenset(cores) for cores in found.values()}


def people(edges: list[Edge], n_dated: dict[int, int] | None = None) -> set[frozenset[int]]:
    return sets(resolved(edges, n_dated).persons)


def apart(*cores: int) -> set[frozenset[int]]:
    return {frozenset({core}) for core in cores}


def test_a_strong_pair_is_one_person() -> None:
    assert people([edge(1, 2, 16.0)]) == {frozenset({1, 2})}


def test_a_pair_just_below_the_threshold_is_two_in_one_group() -> None:
    found = resolved([edge(1, 2, 15.99)])
    assert sets(found.persons) == apart(1, 2)
    assert sets(found.person_groups) == {frozenset({1, 2})}
    assert not found.contested


def test_a_person_and_a_group_are_named_by_their_least_core() -> None:
    found = resolved([edge(3, 7, 20.0), edge(1, 7, 13.0), edge(1, 3, 13.0)])
    assert found.persons == {1: 1, 3: 3, 7: 3}
    assert found.person_groups == {1: 1, 3: 1, 7: 1}


def test_a_hard_veto_is_not_bridged_by_a_third_record() -> None:
    edges = [edge(1, 2, 25.0), edge(2, 3, 20.0), edge(1, 3, -14.0, hard_veto=True)]
    found = resolved(edges)
    assert sets(found.persons) == {frozenset({1, 2}), frozenset({3})} == sets(found.person_groups)
    assert found.contested == {1, 3}


def test_a_hard_veto_holds_even_where_the_score_is_high() -> None:
    assert people([edge(1, 2, 40.0, hard_veto=True)]) == apart(1, 2)


def test_one_strong_link_does_not_carry_a_cluster_over() -> None:
    family = [edge(1, 2, 30.0), edge(3, 4, 30.0), edge(2, 3, 17.0)]
    strangers = [edge(1, 3, -8.0), edge(1, 4, -8.0), edge(2, 4, -8.0)]
    assert people(family + strangers) == {frozenset({1, 2}), frozenset({3, 4})}


def test_a_chain_whose_pairs_agree_on_the_whole_is_joined() -> None:
    family = [edge(1, 2, 30.0), edge(3, 4, 30.0), edge(2, 3, 17.0)]
    kin = [edge(1, 3, 6.0), edge(1, 4, 5.0), edge(2, 4, 9.0)]
    assert people(family + kin) == {frozenset({1, 2, 3, 4})}


def test_the_mean_is_that_of_all_pairs_between_two_cores() -> None:
    assert people([edge(1, 2, 20.0, total=20.0 - 4.5, n_pairs=4)]) == apart(1, 2)
    assert people([edge(1, 2, 20.0, total=20.0 - 4.0, n_pairs=4)]) == {frozenset({1, 2})}


def test_a_must_link_joins_whatever_was_scored() -> None:
    edges = [edge(1, 2, -20.0, hard_veto=True, decision="must_link")]
    assert people(edges) == {frozenset({1, 2})}


def test_a_cannot_link_parts_and_is_not_bridged() -> None:
    edges = [edge(1, 2, 40.0, decision="cannot_link"), edge(2, 3, 30.0), edge(1, 3, 20.0)]
    found = resolved(edges)
    assert sets(found.persons) == {frozenset({2, 3}), frozenset({1})} == sets(found.person_groups)
    # Between 1 and 2 somebody decided; what is left to look at is 1 and 3.
    assert found.contested == {1, 2}
    assert not resolved([edge(1, 2, 40.0, decision="cannot_link")]).contested


class TestUndated:
    """2 has no birth date; claimants have."""

    def test_it_joins_the_one_person_that_claims_it(self) -> None:
        assert people([claim(1, 2, 20.0)], {1: 2, 2: 0}) == {frozenset({1, 2})}

    def test_not_a_person_hardly_known(self) -> None:
        found = resolved([claim(1, 2, 20.0)], {1: 1, 2: 0})
        assert sets(found.persons) == apart(1, 2)
        assert sets(found.person_groups) == {frozenset({1, 2})}

    def test_not_at_less_than_the_threshold(self) -> None:
        found = resolved([claim(1, 2, 15.9)], {1: 2, 2: 0})
        assert sets(found.persons) == apart(1, 2)
        assert sets(found.person_groups) == {frozenset({1, 2})}

    def test_it_joins_nobody_where_two_claim_it(self) -> None:
        found = resolved([claim(1, 2, 30.0), claim(2, 3, 12.0)], {1: 5, 2: 0, 3: 5})
        assert sets(found.persons) == apart(1, 2, 3) == sets(found.person_groups)

    def test_a_claim_below_that_of_a_rival_does_not_count(self) -> None:
        assert people([claim(1, 2, 30.0), claim(2, 3, 11.9)], {1: 5, 2: 0, 3: 5}) == {
            frozenset({1, 2}),
            frozenset({3}),
        }

    def test_two_that_become_one_are_one_claimant(self) -> None:
        edges = [edge(1, 3, 20.0), claim(1, 2, 30.0), claim(2, 3, 25.0)]
        assert people(edges, {1: 1, 2: 0, 3: 1}) == {frozenset({1, 2, 3})}

    def test_father_and_son_stay_apart_though_both_claim_one_record(self) -> None:
        edges = [edge(1, 3, -8.0), claim(1, 2, 30.0), claim(2, 3, 30.0)]
        assert people(edges, {1: 3, 2: 0, 3: 3}) == apart(1, 2, 3)

    def test_a_hard_veto_is_against_a_claim_too(self) -> None:
        edges = [edge(1, 2, -14.0, hard_veto=True, claim=30.0)]
        assert people(edges, {1: 5, 2: 0}) == apart(1, 2)


def test_components_do_not_touch_each_other() -> None:
    edges = [edge(1, 2, 20.0), edge(3, 4, 20.0)._replace(component=3)]
    assert people(edges) == {frozenset({1, 2}), frozenset({3, 4})}


@st.composite
def component(draw: st.DrawFn) -> tuple[list[Edge], dict[int, int]]:
    n_cores = draw(st.integers(2, 6))
    n_dated = {core: draw(st.sampled_from([0, 1, 1, 4])) for core in range(n_cores)}
    # Few distinct weights, so that ties occur.
    weights = st.sampled_from([-14.0, -3.0, 4.0, 13.0, 16.0, 17.5, 30.0])
    edges = []
    for left in range(n_cores):
        for right in range(left + 1, n_cores):
            best, is_undated = draw(weights), not (n_dated[left] and n_dated[right])
            more = {
                "hard_veto": draw(st.integers(0, 9)) == 0,
                "claim": best if is_undated else None,
                "decision": "cannot_link" if draw(st.integers(0, 9)) == 0 else None,
            }
            edges.append(edge(left, right, min(best, 3.0) if is_undated else best, **more))
    return edges, n_dated


@given(component(), st.integers(0, 1000))
def test_the_order_of_the_edges_changes_nothing(drawn: tuple[list[Edge], dict[int, int]], seed: int) -> None:
    edges, n_dated = drawn
    shuffled = random.Random(seed).sample(edges, len(edges))
    assert resolve(edges, n_dated, THRESHOLDS) == resolve(shuffled, n_dated, THRESHOLDS)


@given(component())
def test_laws_of_every_resolution(drawn: tuple[list[Edge], dict[int, int]]) -> None:
    edges, n_dated = drawn
    found = resolve(edges, n_dated, THRESHOLDS)
    for e in edges:
        if e.hard_veto or e.decision == "cannot_link":
            assert found.person_groups[e.left] != found.person_groups[e.right]
        # A group holds whole persons.
        if found.persons[e.left] == found.persons[e.right]:
            assert found.person_groups[e.left] == found.person_groups[e.right]
    for core, person in found.persons.items():
        assert person <= core
        assert found.persons[person] == person
    for cores in sets(found.persons):
        assert len(cores) == 1 or sum(n_dated[core] for core in cores)
    assert found.contested <= set(found.persons.values())
