"""Decisions about who is who: two sets of nominals that must be one person, or that no person may hold some of both.

A decision is in force from the moment it was taken until it is revoked. The tables are what the audit log says, laid
out to be read: `verify` lays it out again and compares.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, insert, select

from decisions import audit
from decisions.audit import Broken, Entry, Head, written
from decisions.refusals import AlreadyRevoked, DecidedPair, Kind, NoSuchDecision, Refused, check_consistent
from decisions.store import Store
from decisions.tables import identity_decision_records, identity_decisions, identity_revocations

DECIDED, REVOKED = "identity_decided", "identity_revoked"
# What a decision is called in a message while it is not taken.
_THIS = "this decision"


@dataclass(frozen=True)
class Revocation:
    revoked_at: datetime
    revoked_by: str
    reason: str


@dataclass(frozen=True)
class IdentityDecision:
    """One decision. `must_link`: all of `records` and `other_records` are one person. `cannot_link`: no person has
    one of `records` and one of `other_records`. Both are sorted, not empty, and share nothing.
    """

    decision_id: str
    kind: Kind
    records: tuple[str, ...]
    other_records: tuple[str, ...]
    decided_at: datetime
    decided_by: str
    reason: str
    revocation: Revocation | None = None

    @property
    def record_ids(self) -> tuple[str, ...]:
        return self.records + self.other_records

    @property
    def moments(self) -> tuple[datetime, ...]:
        """When it changed what is in force."""
        return (self.decided_at, self.revocation.revoked_at) if self.revocation else (self.decided_at,)

    def known(self, as_of: datetime) -> IdentityDecision | None:
        """The decision as it was in force at a moment, or none where it was not."""
        if self.decided_at > as_of or (self.revocation and self.revocation.revoked_at <= as_of):
            return None
        return replace(self, revocation=None)

    def pairs(self) -> Iterator[DecidedPair]:
        """What it says two by two, the lesser id on the left: of must links as few as say it all."""
        if self.kind == "must_link":
            first, *others = sorted(self.record_ids)
            two_by_two: Iterable[tuple[str, str]] = ((first, other) for other in others)
        else:
            two_by_two = ((one, other) for one in self.records for other in self.other_records)
        for one, other in two_by_two:
            yield DecidedPair(self.decision_id, self.kind, min(one, other), max(one, other))

    def says_the_same_as(self, other: IdentityDecision) -> bool:
        def said(decision: IdentityDecision) -> frozenset[Any]:
            if decision.kind == "must_link":
                return frozenset(decision.record_ids)
            return frozenset({decision.records, decision.other_records})

        return self.kind == other.kind and said(self) == said(other)


def decide(
    store: Store,
    kind: Kind,
    records: Collection[str],
    other_records: Collection[str],
    *,
    decided_by: str,
    reason: str,
    decided_at: datetime,
) -> str:
    """Take a decision and return its id, `I000001` and on.

    Raises, with nothing written: Refused where who or why is blank, a set is empty, has a blank id or shares one with
    the other, or a decision in force says the same; Contradiction with those in force; OutOfOrder.
    """
    one, other = _sets(kind, records, other_records)
    _require_reason(reason)
    with store.writing() as connection:
        earlier = history(connection)
        in_force_now = [d for d in earlier if not d.revocation]
        decision = IdentityDecision(_THIS, kind, one, other, decided_at, decided_by.strip(), reason.strip())
        for same in (d for d in in_force_now if d.says_the_same_as(decision)):
            raise Refused(f"{same.decision_id}, in force, says the same")
        check_consistent(pair for d in (*in_force_now, decision) for pair in d.pairs())
        decision_id = f"I{len(earlier) + 1:06d}"
        _write(
            connection,
            audit.append(
                connection,
                at=decided_at,
                who=decided_by,
                action=DECIDED,
                subject=decision_id,
                detail={"kind": kind, "records": one, "other_records": other, "reason": decision.reason},
            ),
        )
    return decision_id


def revoke(store: Store, decision_id: str, *, revoked_by: str, reason: str, revoked_at: datetime) -> None:
    """End a decision. Raises, with nothing written: Refused where who or why is blank, NoSuchDecision, AlreadyRevoked,
    OutOfOrder.
    """
    _require_reason(reason)
    with store.writing() as connection:
        decision = next((d for d in history(connection) if d.decision_id == decision_id), None)
        if decision is None:
            raise NoSuchDecision(f"there is no identity decision {decision_id}")
        if decision.revocation:
            raise AlreadyRevoked(f"{decision_id} was revoked at {decision.revocation.revoked_at.isoformat()}")
        _write(
            connection,
            audit.append(
                connection,
                at=revoked_at,
                who=revoked_by,
                action=REVOKED,
                subject=decision_id,
                detail={"reason": reason.strip()},
            ),
        )


def in_force(store: Store, as_of: datetime) -> list[IdentityDecision]:
    """The decisions in force at a moment, as they were then, in the order they were taken."""
    with store.reading() as connection:
        return [known for decision in history(connection) if (known := decision.known(as_of))]


def history(connection: Connection) -> list[IdentityDecision]:
    """Every decision ever taken with what became of it, in the order they were taken."""
    sides: dict[tuple[str, int], list[str]] = defaultdict(list)
    for row in connection.execute(select(identity_decision_records)):
        sides[row.decision_id, row.side].append(row.record_id)
    revocations = {
        row.decision_id: Revocation(datetime.fromisoformat(row.revoked_at), row.revoked_by, row.reason)
        for row in connection.execute(select(identity_revocations))
    }
    return [
        IdentityDecision(
            row.decision_id,
            row.kind,
            tuple(sorted(sides[row.decision_id, 1])),
            tuple(sorted(sides[row.decision_id, 2])),
            datetime.fromisoformat(row.decided_at),
            row.decided_by,
            row.reason,
            revocations.get(row.decision_id),
        )
        for row in connection.execute(select(identity_decisions).order_by(identity_decisions.c.log_no))
    ]


def verify(store: Store, kept_head: Head | None = None) -> Broken | None:
    """The first entry of the audit log that does not follow, or whose decision is not kept as the entry says; then a
    kept row that is in no entry. None where all is as it was written.
    """
    with store.reading() as connection:
        if broken := audit.verify_chain(connection, kept_head):
            return broken
        tables = (identity_decisions, identity_decision_records, identity_revocations)
        return audit.kept_as_logged(connection, tables, _rows)


def _rows(entry: Entry) -> Iterator[tuple[Table, Mapping[str, Any]]]:
    """The rows that an entry of the log puts into the tables; none where it is not about identities."""
    said = {"decision_id": entry.subject, "reason": entry.detail.get("reason"), "log_no": entry.no}
    if entry.action == DECIDED:
        yield (
            identity_decisions,
            {**said, "kind": entry.detail["kind"], "decided_at": written(entry.at), "decided_by": entry.who},
        )
        for side, name in ((1, "records"), (2, "other_records")):
            for record_id in entry.detail[name]:
                yield (
                    identity_decision_records,
                    {"decision_id": entry.subject, "record_id": record_id, "side": side},
                )
    elif entry.action == REVOKED:
        yield identity_revocations, {**said, "revoked_at": written(entry.at), "revoked_by": entry.who}


def _write(connection: Connection, entry: Entry) -> None:
    for table, values in _rows(entry):
        connection.execute(insert(table).values(values))


def _sets(
    kind: Kind, records: Collection[str], other_records: Collection[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if kind not in ("must_link", "cannot_link"):
        raise Refused("a decision is must_link or cannot_link")
    if isinstance(records, str) or isinstance(other_records, str):
        raise Refused("give two sets of record ids")
    one, other = set(records), set(other_records)
    if not one or not other:
        raise Refused("a decision is about two sets of records, and one is empty")
    if any(not record_id.strip() for record_id in one | other):
        raise Refused("a record id is blank")
    if shared := sorted(one & other):
        raise Refused(f"{shared[0]} is on both sides")
    return tuple(sorted(one)), tuple(sorted(other))


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise Refused("say why")
