"""Connected components and strongest trees over records, by place: node 0 to n - 1, edges as two arrays of places.

A month is worked out by SciPy. For the handful of records of one decision that takes longer to import than to do, so
few edges are walked through here; both ways give the same (tests/assets/linkage/test_graphs.py).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.int64]

# Edges up to which they are walked through; a thousand take a millisecond, the import half a second.
N_FEW = 1000


def first_connected(n: int, left: Places, right: Places, *, n_few: int = N_FEW) -> Places:
    """Of each of `n` nodes, the least node that it is connected with."""
    if len(left) <= n_few:
        forest = _Forest(n)
        for one, other in zip(left.tolist(), right.tolist(), strict=True):
            forest.join(one, other)
        return np.array([forest.root(node) for node in range(n)], np.int64)
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(left), np.int8), (left, right)), shape=(n, n))
    n_labels, labels = connected_components(graph, directed=False)
    # The first node that bears a label is the last to be written here.
    first = np.empty(n_labels, np.int64)
    first[labels[::-1]] = np.arange(n)[::-1]
    return np.asarray(first[labels])


def strongest_tree(n: int, left: Places, right: Places, *, n_few: int = N_FEW) -> Places:
    """Which edges, given strongest first, hold all together that is connected: as few as do so, and of those the strongest.
    Ascending.
    """
    if len(left) <= n_few:
        forest = _Forest(n)
        edges = zip(left.tolist(), right.tolist(), strict=True)
        return np.array([at for at, (one, other) in enumerate(edges) if forest.join(one, other)], np.int64)
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import minimum_spanning_tree

    # The library looks for the least tree. By rank no two edges cost the same, so that which of two equally strong ones
    # is kept does not depend on what else is in the graph.
    rank = np.arange(1, len(left) + 1, dtype=np.float64)
    # Some versions of the library take indices of 32 bits only.
    graph = coo_array((rank, (left.astype(np.int32), right.astype(np.int32))), shape=(n, n))
    kept = minimum_spanning_tree(graph.tocsr()).data
    return np.sort(kept.astype(np.int64)) - 1


class _Forest:
    """Nodes that grow together into trees, each named by its least node."""

    def __init__(self, n: int) -> None:
        self.above = list(range(n))

    def root(self, node: int) -> int:
        while self.above[node] != node:
            self.above[node] = node = self.above[self.above[node]]
        return node

    def join(self, one: int, other: int) -> bool:
        """Whether the two were apart until now."""
        least, greatest = sorted((self.root(one), self.root(other)))
        self.above[greatest] = least
        return least != greatest
