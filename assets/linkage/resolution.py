"""From scored pairs to people: which records become one, and which of those need a person to look.

Two groups become one when their best pair reaches the threshold, the mean over all pairs between them stays above
the floor, and no hard veto stands between any two of their records. The mean is what stops a chain: one strong
link does not carry a whole cluster over.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Pair(NamedTuple):
    """A scored pair inside one component; `weight` is in bits, after the caps of `vetoes.py`."""

    left: int
    right: int
    weight: float
    hard_veto: bool


class Resolution(NamedTuple):
    """`groups` maps each record to the least record of its group; `contested` holds the groups, by that least
    record, that a pair above the threshold ties to another group the guards kept apart.
    """

    groups: dict[int, int]
    contested: frozenset[int]


class Groups:
    """Groups of records that grow together, with the sum, number and vetoes of the pairs between any two."""

    def __init__(self, pairs: Iterable[Pair]) -> None:
        # Strongest first; ties by record, so that the same pairs in any order give the same people.
        self.pairs = sorted(pairs, key=lambda pair: (-pair.weight, pair.left, pair.right))
        self.group_of: dict[int, int] = {}
        self.members: dict[int, list[int]] = {}
        self.between: dict[int, dict[int, tuple[float, int, bool]]] = {}
        for pair in self.pairs:
            for record in (pair.left, pair.right):
                self.group_of.setdefault(record, record)
                self.members.setdefault(record, [record])
                self.between.setdefault(record, {})
            value = (pair.weight, 1, pair.hard_veto)
            self.between[pair.left][pair.right] = self.between[pair.right][pair.left] = value

    def join(self, threshold: float, floor: float) -> Resolution:
        """Join all that may be joined at `threshold`, on top of what an earlier, stricter call joined."""
        strong = [pair for pair in self.pairs if pair.weight >= threshold]
        joined = True
        # A join can lift the mean between two groups that were kept apart, so go round until nothing moves.
        while joined:
            joined = False
            for pair in strong:
                one, other = self.group_of[pair.left], self.group_of[pair.right]
                if one != other and self._may_join(one, other, floor):
                    self._join(one, other)
                    joined = True
        contested = {
            group
            for pair in strong
            for group in (self.group_of[pair.left], self.group_of[pair.right])
            if self.group_of[pair.left] != self.group_of[pair.right]
        }
        least = {group: min(records) for group, records in self.members.items()}
        return Resolution(
            groups={record: least[group] for record, group in self.group_of.items()},
            contested=frozenset(least[group] for group in contested),
        )

    def _may_join(self, one: int, other: int, floor: float) -> bool:
        total, n_pairs, hard_veto = self.between[one][other]
        return not hard_veto and total / n_pairs >= floor

    def _join(self, one: int, other: int) -> None:
        kept, gone = min(one, other), max(one, other)
        for record in self.members.pop(gone):
            self.group_of[record] = kept
            self.members[kept].append(record)
        for third, (total, n_pairs, hard_veto) in self.between.pop(gone).items():
            del self.between[third][gone]
            if third == kept:
                continue
            other_total, other_n, other_veto = self.between[kept].get(third, (0.0, 0, False))
            merged = (total + other_total, n_pairs + other_n, hard_veto or other_veto)
            self.between[kept][third] = self.between[third][kept] = merged
