"""From scored pairs to people: which records become one, and which of those need a person to look.

Two groups become one when their best pair reaches the threshold, the mean over all pairs between them stays above
the floor, and no hard veto stands between any two of their records. The mean is what stops a chain: one strong
link does not carry a whole cluster over. What people decided comes before all of this.

It starts from *cores*, groups of records in which nothing stands against anything (`standing.py` finds them in SQL), so
that only what is in doubt is walked through step by step.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import NamedTuple

from assets.linkage.model import Thresholds


class Edge(NamedTuple):
    """All that was scored between two cores of one component, each named by its least record. `best` and `total` are the
    greatest and the sum of the `n_pairs` weights in bits, after the guards of `vetoes.py`; `decision` is `must_link`,
    `cannot_link` or None. `claim` is the greatest weight before the guards of the pairs where all that stands in the way is
    that a birth date is unknown, else None.
    """

    component: int
    left: int
    right: int
    best: float
    total: float
    n_pairs: int
    hard_veto: bool
    decision: str | None = None
    claim: float | None = None


class Resolution(NamedTuple):
    """The cores of the components that were walked through: to the least record of their person, and of their group.
    `contested` holds the people that a pair above the strict threshold ties to another person the guards kept apart.
    """

    persons: dict[int, int]
    person_groups: dict[int, int]
    contested: frozenset[int]


def resolve(edges: Iterable[Edge], n_dated: Mapping[int, int], thresholds: Thresholds) -> Resolution:
    """Resolve components, whose edges come one after another: each core's person, and its group around that.

    `n_dated`: the records of each core that have a birth date.
    """
    persons: dict[int, int] = {}
    person_groups: dict[int, int] = {}
    contested: set[int] = set()
    for _, of_component in groupby(edges, key=lambda edge: edge.component):
        groups = Groups(of_component, n_dated)
        groups.join(thresholds.person, thresholds.mean_floor)
        persons |= groups.join_claimed(
            thresholds.person, rival=thresholds.person_group, n_known=thresholds.claimant_n_records
        )
        contested |= groups.contested(thresholds.person)
        # The wider join goes on from the strict one, so a group can only ever hold whole persons.
        groups.join(thresholds.person_group, thresholds.mean_floor)
        person_groups |= groups.join_claimed(
            thresholds.person_group, rival=thresholds.person_group, n_known=1
        )
    return Resolution(persons, person_groups, frozenset(contested))


class Groups:
    """Cores that grow together into groups, with the sum, number and vetoes of the pairs between any two groups.

    A group is named by the least core in it.
    """

    def __init__(self, edges: Iterable[Edge], n_dated: Mapping[int, int]) -> None:
        # Strongest first; ties by record, so that the same edges in any order give the same people.
        self.edges = sorted(edges, key=lambda edge: (-edge.best, edge.left, edge.right))
        self.group_of: dict[int, int] = {}
        self.members: dict[int, list[int]] = {}
        self.between: dict[int, dict[int, tuple[float, int, bool]]] = {}
        self.n_dated: dict[int, int] = {}
        for edge in self.edges:
            for core in (edge.left, edge.right):
                if core not in self.group_of:
                    self.group_of[core], self.members[core], self.between[core] = core, [core], {}
                    self.n_dated[core] = n_dated[core]
            value = (edge.total, edge.n_pairs, edge.hard_veto or edge.decision == "cannot_link")
            self.between[edge.left][edge.right] = self.between[edge.right][edge.left] = value
        # Somebody who looked outweighs every score and every guard.
        for edge in self.edges:
            if edge.decision == "must_link":
                self._join(self.group_of[edge.left], self.group_of[edge.right])

    def contested(self, threshold: float) -> set[int]:
        """The groups that an edge at `threshold`, about which nobody decided, ties to another group."""
        return {
            group
            for edge in self.edges
            if edge.best >= threshold and edge.decision is None
            for group in (self.group_of[edge.left], self.group_of[edge.right])
            if self.group_of[edge.left] != self.group_of[edge.right]
        }

    def join(self, threshold: float, floor: float) -> None:
        """Join all that may be joined at `threshold`, on top of what was joined before."""
        strong = [edge for edge in self.edges if edge.best >= threshold]
        joined = True
        # A join can lift the mean between two groups that were kept apart, so go round until nothing moves.
        while joined:
            joined = False
            for edge in strong:
                one, other = self.group_of[edge.left], self.group_of[edge.right]
                if one != other and self._may_join(one, other, floor):
                    self._join(one, other)
                    joined = True

    def join_claimed(self, threshold: float, rival: float, n_known: int) -> dict[int, int]:
        """Join what has no birth date, after `join`; each core's group. It may be a father's as well as his son's: so it
        joins a group that claims it at `threshold`, of `n_known` dated records or more, where no other claims it at `rival`.
        """
        claims: dict[int, dict[int, float]] = {}
        for edge in self.edges:
            if edge.claim is None or edge.claim < rival:
                continue
            for one, other in ((edge.left, edge.right), (edge.right, edge.left)):
                undated, claimant = self.group_of[one], self.group_of[other]
                if self.n_dated[undated] == 0 and self.n_dated[claimant]:
                    found = claims.setdefault(undated, {})
                    found[claimant] = max(edge.claim, found.get(claimant, edge.claim))
        for undated, claimants in sorted(claims.items()):
            [(claimant, weight), *rivals] = claimants.items()
            # A group is named by one of its cores, and earlier joins of this round may have renamed it.
            one, other = self.group_of[undated], self.group_of[claimant]
            is_known = weight >= threshold and self.n_dated[other] >= n_known
            if is_known and not rivals and not self.between[one][other][2]:
                self._join(one, other)
        return dict(self.group_of)

    def _may_join(self, one: int, other: int, floor: float) -> bool:
        total, n_pairs, hard_veto = self.between[one][other]
        return not hard_veto and total / n_pairs >= floor

    def _join(self, one: int, other: int) -> None:
        if one == other:
            return
        kept, gone = min(one, other), max(one, other)
        for core in self.members.pop(gone):
            self.group_of[core] = kept
            self.members[kept].append(core)
        self.n_dated[kept] += self.n_dated.pop(gone)
        for third, (total, n_pairs, hard_veto) in self.between.pop(gone).items():
            del self.between[third][gone]
            if third == kept:
                continue
            other_total, other_n, other_veto = self.between[kept].get(third, (0.0, 0, False))
            merged = (total + other_total, n_pairs + other_n, hard_veto or other_veto)
            self.between[kept][third] = self.between[third][kept] = merged
