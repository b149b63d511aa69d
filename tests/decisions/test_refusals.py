"""Contradictions: found wherever must links lead, and told by the decisions that make them."""

from __future__ import annotations

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisions.refusals import Contradiction, DecidedPair, Kind, check_consistent

RECORDS = st.sampled_from("abcdefgh")


@st.composite
def pairs(draw: st.DrawFn) -> list[DecidedPair]:
    said = draw(
        st.lists(
            st.tuples(st.sampled_from(["must_link", "cannot_link"]), RECORDS, RECORDS).filter(
                lambda t: t[1] != t[2]
            ),
            max_size=12,
        )
    )
    return [DecidedPair(f"I{i:06d}", kind, one, other) for i, (kind, one, other) in enumerate(said)]


@given(pairs())
def test_contradicted_is_what_a_walk_over_the_must_links_meets(said: list[DecidedPair]) -> None:
    graph = nx.MultiGraph()
    graph.add_nodes_from("abcdefgh")
    graph.add_edges_from((p.record_id_l, p.record_id_r) for p in said if p.kind == "must_link")
    apart = [p for p in said if p.kind == "cannot_link"]
    met = [p for p in apart if nx.has_path(graph, p.record_id_l, p.record_id_r)]
    if not met:
        check_consistent(said)
        return
    with pytest.raises(Contradiction) as refused:
        check_consistent(said)
    first = met[0]
    assert refused.value.apart == first.decision_id
    # Those it names are enough: with them alone, the contradiction stands.
    named = [p for p in said if p.decision_id in {*refused.value.together, first.decision_id}]
    with pytest.raises(Contradiction):
        check_consistent(named)
    assert len(refused.value.together) == nx.shortest_path_length(graph, first.record_id_l, first.record_id_r)


def test_the_message_names_decisions_and_records() -> None:
    said: list[tuple[str, Kind, str, str]] = [
        ("I000001", "must_link", "a", "b"),
        ("I000002", "must_link", "c", "b"),
        ("I000003", "cannot_link", "a", "c"),
    ]
    with pytest.raises(
        Contradiction, match="I000003 keeps a and c apart, but I000001, I000002 make them one person"
    ):
        check_consistent(DecidedPair(*s) for s in said)


def test_a_long_chain_is_no_matter() -> None:
    chain = [DecidedPair(f"I{i}", "must_link", f"r{i}", f"r{i + 1}") for i in range(3_000)]
    check_consistent(chain)
    with pytest.raises(Contradiction):
        check_consistent([*chain, DecidedPair("I9999", "cannot_link", "r0", "r3000")])
