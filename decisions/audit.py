"""The audit log: who did what, when, in a chain of hashes in which every entry vouches for all before it.

An entry is written in the transaction of the act it tells of. What the chain cannot show by itself is that its last
entries were cut off, with the rows they tell of: for that, keep its `head` elsewhere and have `verify` look for it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, insert, select

from decisions.refusals import OutOfOrder, Refused
from decisions.store import Store
from decisions.tables import audit_log

# What stands before the first entry.
NOTHING = "0" * 64


@dataclass(frozen=True)
class Entry:
    """One act: `action` on `subject` (an id). `detail` holds what the act consists of, as JSON values."""

    no: int
    at: datetime
    who: str
    action: str
    subject: str
    detail: Mapping[str, Any]


@dataclass(frozen=True)
class Logged:
    """An entry with its place in the chain."""

    entry: Entry
    previous_hash: str
    hash: str


@dataclass(frozen=True)
class Head:
    """The last entry of a log as it was at some time, to be kept elsewhere; as text `12:<hash>`."""

    no: int
    hash: str

    def __str__(self) -> str:
        return f"{self.no}:{self.hash}"

    @classmethod
    def parse(cls, shown: str) -> Head:
        """Raises ValueError."""
        no, _, digest = shown.partition(":")
        if not no.isdecimal() or len(digest) != len(NOTHING):
            raise ValueError("the head of a log looks like 12:<64 hexadecimal digits>")
        return cls(int(no), digest)


@dataclass(frozen=True)
class Broken:
    """The first thing that does not follow; `no` is the entry, none where a row is in no entry."""

    no: int | None
    why: str

    def __str__(self) -> str:
        return self.why if self.no is None else f"entry {self.no}: {self.why}"


def written(moment: datetime) -> str:
    """A moment as it is kept. Raises Refused where it has a time zone: receipts have none, and neither compares."""
    if moment.tzinfo is not None:
        raise Refused("a moment is given without time zone, as receipts are")
    return moment.isoformat(timespec="microseconds")


def append(
    connection: Connection, *, at: datetime, who: str, action: str, subject: str, detail: Mapping[str, Any]
) -> Entry:
    """Write the next entry, within `Store.writing`. Raises Refused without `who`, OutOfOrder before the last entry."""
    if not who.strip():
        raise Refused("say who decides")
    last = connection.execute(
        select(audit_log.c.no, audit_log.c.at, audit_log.c.hash).order_by(audit_log.c.no.desc()).limit(1)
    ).one_or_none()
    no, last_at, previous = (last.no, last.at, last.hash) if last else (0, "", NOTHING)
    if written(at) < last_at:
        raise OutOfOrder(f"{written(at)} is before the last entry of the audit log, of {last_at}")
    row = {
        "no": no + 1,
        "at": written(at),
        "who": who.strip(),
        "action": action,
        "subject": subject,
        "detail": detail,
        "previous_hash": previous,
    }
    connection.execute(insert(audit_log).values({**row, "detail": _canonical(detail), "hash": _digest(row)}))
    return Entry(no + 1, at, who.strip(), action, subject, detail)


def entries(connection: Connection) -> list[Entry]:
    """The log in its order. Of a log that does not `verify`, what it seems to say. Raises ValueError on no JSON."""
    return [logged.entry for logged in chain(connection)]


def chain(connection: Connection, as_of: datetime | None = None) -> list[Logged]:
    """The log in its order with its hashes, up to `as_of` where it is given. As `entries` of what does not `verify`."""
    query = select(audit_log).order_by(audit_log.c.no)
    if as_of:
        query = query.where(audit_log.c.at <= written(as_of))
    return [Logged(_entry(row), row.previous_hash, row.hash) for row in connection.execute(query)]


def acts(
    connection: Connection, actions: Iterable[str], as_of: datetime, subject: str | None = None
) -> list[Entry]:
    """The entries of some actions up to a moment, on one subject where it is given, in their order."""
    query = select(audit_log).where(audit_log.c.action.in_([*actions]), audit_log.c.at <= written(as_of))
    if subject is not None:
        query = query.where(audit_log.c.subject == subject)
    return [_entry(row) for row in connection.execute(query.order_by(audit_log.c.no))]


def newest(connection: Connection, most: int, skipped: int = 0) -> list[Entry]:
    """The last entries, newest first, after as many as are skipped."""
    query = select(audit_log).order_by(audit_log.c.no.desc()).limit(most).offset(skipped)
    return [_entry(row) for row in connection.execute(query)]


def _entry(row: Row[Any]) -> Entry:
    at = datetime.fromisoformat(row.at)
    return Entry(row.no, at, row.who, row.action, row.subject, json.loads(row.detail))


def head(connection: Connection) -> Head:
    """The last entry; of an empty log, what stands before the first."""
    query = select(audit_log.c.no, audit_log.c.hash).order_by(audit_log.c.no.desc()).limit(1)
    last = connection.execute(query).one_or_none()
    return Head(last.no, last.hash) if last else Head(0, NOTHING)


def verify(store: Store, kept_head: Head | None = None) -> Broken | None:
    """The first entry that does not follow from the one before it, or none. `kept_head` must be in the chain."""
    with store.reading() as connection:
        return verify_chain(connection, kept_head)


def verify_chain(connection: Connection, kept_head: Head | None = None) -> Broken | None:
    """`verify` of what one connection sees."""
    found, last = Head(0, NOTHING) == kept_head, Head(0, NOTHING)
    for row in connection.execute(select(audit_log).order_by(audit_log.c.no)).mappings():
        if row["no"] != last.no + 1:
            return Broken(last.no + 1, "it is missing")
        if row["previous_hash"] != last.hash:
            return Broken(row["no"], "it does not name the hash of the entry before it")
        if not _is_own_hash(row):
            return Broken(row["no"], "its hash is not that of what it says")
        last = Head(row["no"], row["hash"])
        found = found or last == kept_head
    if kept_head and not found:
        return Broken(kept_head.no, "the log no longer holds it as it was when its head was kept")
    return None


def kept_as_logged(
    connection: Connection,
    tables: Iterable[Table],
    rows_of: Callable[[Entry], Iterable[tuple[Table, Mapping[str, Any]]]],
) -> Broken | None:
    """The first entry whose rows (`rows_of`) the tables do not hold as it says, then a row of theirs in no entry."""
    kept = {(table.name, *row) for table in tables for row in connection.execute(select(table))}
    for entry in entries(connection):
        rows = {
            (table.name, *(values.get(c.name) for c in table.columns)) for table, values in rows_of(entry)
        }
        if missing := sorted(str(name) for name, *_ in rows - kept):
            return Broken(entry.no, f"{missing[0]} does not hold what it says of {entry.subject}")
        kept -= rows
    if kept:
        table, key, *_ = min(kept, key=repr)
        return Broken(None, f"{table} holds a row of {key} that is in no entry")
    return None


def _is_own_hash(row: Mapping[Any, Any]) -> bool:
    says = {str(name): value for name, value in row.items() if name != "hash"}
    try:
        says["detail"] = json.loads(row["detail"])
        return _canonical(says["detail"]) == row["detail"] and _digest(says) == row["hash"]
    except (TypeError, ValueError):
        return False


def _digest(says: Mapping[str, Any]) -> str:
    return hashlib.sha256(_canonical(says).encode()).hexdigest()


def _canonical(value: Any) -> str:
    """JSON that is the same text for the same value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
