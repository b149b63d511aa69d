"""Suspension of a list: nobody is shown it until it is resumed, and every page that would show it says why.

The audit log alone keeps it: a suspension is the last act on its list, and there are few.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from decisions import audit
from decisions.refusals import NotAllowed, Refused
from decisions.review_codes import require_reason
from decisions.store import Store

SUSPENDED, RESUMED = "list_suspended", "list_resumed"
# Every list of every scope.
ALL_LISTS = "all"


@dataclass(frozen=True)
class Suspension:
    """A list that is suspended. `scope`: a force, region or `national` as `perpetrator_lists` has it, or ALL_LISTS."""

    scope: str
    suspended_at: datetime
    suspended_by: str
    reason: str
    why: str


def suspend(store: Store, scope: str, *, by: str, at: datetime, reason: str, why: str) -> None:
    """Suspend a list. Raises, with nothing written: NotAllowed where it is suspended; Refused; OutOfOrder."""
    _append(store, SUSPENDED, scope, by=by, at=at, reason=reason, why=why)


def resume(store: Store, scope: str, *, by: str, at: datetime, reason: str, why: str) -> None:
    """Show a suspended list again. Raises, with nothing written: NotAllowed where it is not; Refused; OutOfOrder."""
    _append(store, RESUMED, scope, by=by, at=at, reason=reason, why=why)


def in_force(store: Store, as_of: datetime) -> list[Suspension]:
    """The lists that are suspended at a moment, by scope."""
    with store.reading() as connection:
        return _in_force(connection, as_of)


def _append(store: Store, action: str, scope: str, *, by: str, at: datetime, reason: str, why: str) -> None:
    require_reason("suspend" if action == SUSPENDED else "resume", reason)
    if not scope.strip() or not why.strip():
        raise Refused("say which list, and why")
    with store.writing() as connection:
        is_suspended = any(s.scope == scope for s in _in_force(connection, at))
        if is_suspended == (action == SUSPENDED):
            raise NotAllowed(f"the list {scope} is {'already' if is_suspended else 'not'} suspended")
        audit.append(
            connection,
            at=at,
            who=by,
            action=action,
            subject=scope,
            detail={"reason": reason, "why": why.strip()},
        )


def _in_force(connection: Connection, as_of: datetime) -> list[Suspension]:
    last = {entry.subject: entry for entry in audit.acts(connection, (SUSPENDED, RESUMED), as_of)}
    return [
        Suspension(scope, act.at, act.who, act.detail["reason"], act.detail["why"])
        for scope, act in sorted(last.items())
        if act.action == SUSPENDED
    ]
