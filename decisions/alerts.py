"""What became of alerts: who took one up, and why it was closed or opened again.

An alert is worked out of a release and has an id that holds from run to run; here is only what people did about it. The audit log alone
keeps it: an alert stands as its last act left it, and one that nobody touched is open. Nothing of a person goes in but that id.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection

from decisions import audit
from decisions.refusals import NotAllowed, Refused
from decisions.store import Store

State = Literal["open", "acknowledged", "closed"]
PREFIX = "alert_"
# Act -> the states it leads from, and the one it leads to.
ACTS: dict[str, tuple[frozenset[str], State]] = {
    "acknowledge": (frozenset({"open", "acknowledged"}), "acknowledged"),
    "close": (frozenset({"open", "acknowledged"}), "closed"),
    "reopen": (frozenset({"closed"}), "open"),
}
_ID = re.compile(r"[A-Za-z0-9_.:-]{1,100}")


@dataclass(frozen=True)
class Standing:
    """How an alert stands. `owner`: who took it up last, none while it is open; `at`, `by` and `why` are of the last act."""

    alert_id: str
    state: State
    owner: str | None
    at: datetime
    by: str
    why: str


def act(store: Store, alert_id: str, name: str, *, by: str, at: datetime, why: str) -> None:
    """Acknowledge an alert, which makes `by` its owner, close it, or open it again.

    Raises, with nothing written: NotAllowed in a state from which the act leads nowhere; Refused without why, or on an unknown act or
    id; OutOfOrder.
    """
    if name not in ACTS:
        raise Refused(f"an act on an alert is one of {', '.join(ACTS)}")
    if not _ID.fullmatch(alert_id):
        raise Refused("that is no id of an alert")
    if not why.strip():
        raise Refused("say why")
    leads_from, _ = ACTS[name]
    with store.writing() as connection:
        standing = _standing(connection, at).get(alert_id)
        state = standing.state if standing else "open"
        if state not in leads_from:
            raise NotAllowed(f"the alert is {state}; {name} leads nowhere from there")
        audit.append(
            connection, at=at, who=by, action=PREFIX + name, subject=alert_id, detail={"why": why.strip()}
        )


def standing(store: Store, as_of: datetime) -> dict[str, Standing]:
    """The alerts that somebody did something about by a moment, by their ids."""
    with store.reading() as connection:
        return _standing(connection, as_of)


def _standing(connection: Connection, as_of: datetime) -> dict[str, Standing]:
    found: dict[str, Standing] = {}
    for entry in audit.acts(connection, [PREFIX + name for name in ACTS], as_of):
        state = ACTS[entry.action.removeprefix(PREFIX)][1]
        before = found.get(entry.subject)
        owner = {"acknowledged": entry.who, "open": None}.get(state, before.owner if before else None)
        found[entry.subject] = Standing(entry.subject, state, owner, entry.at, entry.who, entry.detail["why"])
    return found
