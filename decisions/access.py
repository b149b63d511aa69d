"""Who looked at, searched or took away what the platform holds, in the audit log beside the decisions.

The log is append-only, so nothing of a person goes into it: subjects are ids and names of marts, never what was typed
into a search.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection

from decisions import audit
from decisions.audit import written
from decisions.refusals import Refused
from decisions.review_codes import reasons
from decisions.store import Store

AccessKind = Literal["view", "search", "query", "export", "upload", "refused"]
PREFIX = "access_"
_KINDS = ("view", "search", "query", "export", "upload", "refused")
# An id, or several parted by commas; no blanks, so that no name or address fits.
_SUBJECT = re.compile(r"[A-Za-z0-9_.:|/,-]{1,400}")


@dataclass(frozen=True)
class Access:
    """One look, search, query, export or upload, or one that was refused. `expires_on`: the moment by which an export is to be destroyed."""

    no: int
    at: datetime
    who: str
    kind: AccessKind
    subject: str
    purpose: str
    expires_on: datetime | None


def log_access(
    store: Store,
    *,
    who: str,
    at: datetime,
    kind: AccessKind,
    subject: str,
    purpose: str,
    expires_on: datetime | None = None,
) -> int:
    """Write an access and return its number in the log. `purpose`: one of `purposes`, or one that the page itself says.

    Raises, with nothing written: Refused where who or purpose is missing, the subject is no id, or an export has no end
    after the moment it is taken; OutOfOrder.
    """
    if kind not in _KINDS:
        raise Refused(f"an access is one of {', '.join(_KINDS)}")
    if purpose not in {**purposes(kind), **reasons("page")}:
        raise Refused(f"{purpose!r} is no purpose; choose one of {', '.join(purposes(kind))}")
    if not _SUBJECT.fullmatch(subject):
        raise Refused("a subject is an id or the name of a mart, without blanks; never what was searched for")
    if (expires_on is not None) != (kind == "export"):
        raise Refused("an export, and nothing else, has a moment by which it is destroyed")
    if expires_on and expires_on <= at:
        raise Refused("an export is destroyed after it is taken, not before")
    detail = {"purpose": purpose, "expires_on": written(expires_on) if expires_on else None}
    with store.writing() as connection:
        return audit.append(
            connection, at=at, who=who, action=PREFIX + kind, subject=subject, detail=detail
        ).no


def purposes(kind: AccessKind = "view") -> dict[str, str]:
    """Code to label of what somebody may be here for, in the order of `codes/review_reasons.csv`; an upload has its own."""
    return dict(reasons("upload")) if kind == "upload" else {**reasons("view"), **reasons("search")}


def accesses(connection: Connection) -> list[Access]:
    """Every access, in order."""
    return [
        Access(
            entry.no,
            entry.at,
            entry.who,
            entry.action.removeprefix(PREFIX),  # type: ignore[arg-type]
            entry.subject,
            entry.detail["purpose"],
            datetime.fromisoformat(entry.detail["expires_on"]) if entry.detail["expires_on"] else None,
        )
        for entry in audit.entries(connection)
        if entry.action.startswith(PREFIX)
    ]
