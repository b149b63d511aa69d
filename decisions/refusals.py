"""Why a decision is refused: the exceptions, and finding where decisions contradict each other.

Nothing but the standard library here: linkage makes the same check of what a run is given.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from typing import Literal, NamedTuple

Kind = Literal["must_link", "cannot_link"]


class Refused(Exception):
    """A decision was not taken, and nothing was written; the message says why and names record ids at most."""


class NoSuchDecision(Refused):
    """There is no decision with that id."""


class AlreadyRevoked(Refused):
    """The decision is no longer in force."""


class OutOfOrder(Refused):
    """A moment before the last entry of the audit log: what was in force on a past day would change after the fact."""


class NoSuchEntry(Refused):
    """There is no entry of the list with that id."""


class NotAllowed(Refused):
    """The entry is not in a state from which the act leads anywhere."""


class NotViewed(Refused):
    """Who would judge an entry has not looked at its evidence."""


class NeedsAnother(Refused):
    """The act takes a person who had no part in what it is about."""


class Contradiction(Refused):
    """Two nominals would have to be one person, and cannot be."""

    def __init__(self, apart: str, together: tuple[str, ...], record_ids: tuple[str, str]) -> None:
        one, other = record_ids
        make = "makes" if len(together) == 1 else "make"
        super().__init__(
            f"{apart} keeps {one} and {other} apart, but {', '.join(together)} {make} them one person; "
            "revoke what no longer holds"
        )
        self.apart = apart
        self.together = together
        self.record_ids = record_ids


class DecidedPair(NamedTuple):
    """What one decision says of two nominals, by their record ids."""

    decision_id: str
    kind: Kind
    record_id_l: str
    record_id_r: str


def check_consistent(pairs: Iterable[DecidedPair]) -> None:
    """Raises Contradiction on the first pair, in the order given, kept apart though others make it one person."""
    pairs = list(pairs)
    persons = _Persons()
    for pair in pairs:
        if pair.kind == "must_link":
            persons.unite(pair.record_id_l, pair.record_id_r)
    for decision_id, kind, one, other in pairs:
        if kind == "cannot_link" and persons.first(one) == persons.first(other):
            together = _between(one, other, [p for p in pairs if p.kind == "must_link"])
            raise Contradiction(decision_id, together, (one, other))


class _Persons:
    """Union-find over record ids."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def first(self, record_id: str) -> str:
        while (parent := self._parent.get(record_id, record_id)) != record_id:
            # Halving the path on the way keeps long chains of decisions short.
            self._parent[record_id] = self._parent.get(parent, parent)
            record_id = parent
        return record_id

    def unite(self, one: str, other: str) -> None:
        self._parent[self.first(one)] = self.first(other)


def _between(one: str, other: str, musts: list[DecidedPair]) -> tuple[str, ...]:
    """The decisions on the shortest way of must links from one record to another, each once."""
    ways: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for decision_id, _, left, right in musts:
        ways[left].append((right, decision_id))
        ways[right].append((left, decision_id))
    reached: dict[str, tuple[str, ...]] = {one: ()}
    waiting = deque([one])
    while other not in reached:
        record_id = waiting.popleft()
        for neighbour, decision_id in ways[record_id]:
            if neighbour not in reached:
                reached[neighbour] = (*reached[record_id], decision_id)
                waiting.append(neighbour)
    return tuple(dict.fromkeys(reached[other]))
