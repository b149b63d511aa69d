"""Components and trees: the few edges that are walked through give what the library gives for many."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.linkage.graphs import first_connected, strongest_tree

Edges = list[tuple[int, int]]
N = 12
# No edge twice, nor from a node to itself.
EDGES = st.lists(
    st.tuples(st.integers(0, N - 1), st.integers(0, N - 1)).filter(lambda edge: edge[0] < edge[1]),
    unique=True,
)


def places(edges: Edges) -> tuple[np.ndarray, np.ndarray]:
    both = np.array(edges, np.int64).reshape(-1, 2)
    return both[:, 0], both[:, 1]


@settings(deadline=None)
@given(EDGES)
def test_few_edges_give_what_many_do(edges: Edges) -> None:
    left, right = places(edges)
    few, many = (first_connected(N, left, right, n_few=n_few) for n_few in (N * N, -1))
    assert few.tolist() == many.tolist()
    few, many = (strongest_tree(N, left, right, n_few=n_few) for n_few in (N * N, -1))
    assert few.tolist() == many.tolist()


@settings(deadline=None)
@given(EDGES)
def test_a_tree_holds_together_what_all_edges_do_and_no_edge_is_spare(edges: Edges) -> None:
    left, right = places(edges)
    kept = strongest_tree(N, left, right)
    whole = first_connected(N, left, right)
    assert first_connected(N, left[kept], right[kept]).tolist() == whole.tolist()
    assert len(kept) == N - len(set(whole.tolist()))


@pytest.mark.parametrize("n_few", [100, -1])
def test_the_weakest_edge_of_a_ring_is_left_out(n_few: int) -> None:
    left, right = places([(2, 3), (0, 1), (1, 2), (0, 3)])
    assert strongest_tree(5, left, right, n_few=n_few).tolist() == [0, 1, 2]
    assert first_connected(5, left, right, n_few=n_few).tolist() == [0, 0, 0, 0, 4]
