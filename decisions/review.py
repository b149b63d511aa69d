"""Review of the list: the acts by which people take persons onto a plan, off the list, or out of dispute.

One function an act. Each is given who, when (never the clock's now), a reason from `codes/review_reasons.csv` and
words, is checked against the state machine (`review_entries.py`) and is written, with its entry of the audit log, in
one transaction or not at all. Nothing here writes to another system, and no score moves an entry: an entry becomes
active by two people who have seen the evidence and a check of the victims' safety, or never.

All of them raise, with nothing written: NotAllowed in the wrong state, NotViewed, NeedsAnother (four eyes),
NoSuchEntry, OutOfOrder, and Refused for what is blank or no reason.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select

from decisions import audit
from decisions.audit import Broken, Head, written
from decisions.refusals import NoSuchEntry, NotAllowed, Refused
from decisions.review_codes import Parameters, months_after, parameters, require_reason
from decisions.review_entries import (
    Act,
    ActName,
    Entry,
    Opening,
    Origin,
    Subject,
    begun,
    fold,
    lapsed,
    require_allowed,
    same_person,
)
from decisions.store import Store
from decisions.tables import (
    review_act_records,
    review_acts,
    review_annotations,
    review_entries,
    review_removal_allegations,
)

# Before the name of the act in the audit log.
PREFIX = "review_"
_MOMENTS = ("until", "lapses_at", "retained_until", "full_review_at")
_LISTS = ("record_ids", "offence_ids", "release_ids")


@dataclass(frozen=True)
class Annotation:
    """What a reader of a sealed release is told about one person in it: what a force's check of a dispute found."""

    release_id: str
    person_id: str
    entry_id: str
    at: datetime
    found: str


def view(store: Store, subject: Subject, *, by: str, at: datetime, purpose: str) -> str:
    """Record that somebody looked at the evidence on a person, before any rank is shown. Returns the entry's id.

    Begins an entry, `proposed`, where none is live; not for a person who was removed and of whom nothing new counts.
    """
    return _begin_or_act(store, subject, "listed", "view", by=by, at=at, reason=purpose, why="")


def propose(store: Store, subject: Subject, *, by: str, at: datetime, reason: str, why: str) -> str:
    """Propose a person whom the list does not name. Returns the id of the entry, marked as added by an officer."""
    written(at)
    with store.writing() as connection:
        if live := live_entries(connection, subject.record_ids, at):
            raise NotAllowed(f"{live[0].entry_id} is already there for these nominals, {live[0].state}")
        return _begin(connection, subject, "added_by_officer", "propose", by, at, reason, why, agrees=False)


def triage(
    store: Store, entry_id: str, *, by: str, at: datetime, reason: str, why: str, agrees: bool | None
) -> None:
    """Take up a proposed entry after having viewed it; `agrees`: whether the evidence bears out the list."""
    _act(store, entry_id, "triage", by, at, reason, why, agrees=agrees)


def defer(
    store: Store,
    entry_id: str,
    *,
    by: str,
    at: datetime,
    reason: str,
    why: str,
    agrees: bool | None,
    until: datetime,
) -> None:
    """Put a triaged entry off until a moment, no later than the parameters allow; it is triaged again from then."""
    written(until)
    written(at)
    latest = months_after(at, parameters(at.date()).deferral_months)
    if until > latest:
        raise Refused(f"a deferral ends by {latest:%Y-%m-%d}; to take the person off, ask for a removal")
    _act(store, entry_id, "defer", by, at, reason, why, agrees=agrees, until=until)


def confirm(
    store: Store,
    entry_id: str,
    *,
    by: str,
    at: datetime,
    reason: str,
    why: str,
    agrees: bool | None,
    proportionality: str,
    shared_offence_ids: Collection[str] = (),
    role: str | None = None,
) -> None:
    """Ask for a triaged entry to be confirmed; somebody else approves. `proportionality`: why no less would do.

    `shared_offence_ids`: counted crimes of which others are suspected too. Where there are any, `role` is what this person
    is said to have done in them, apart from the others; it is kept with the note.
    """
    role = (role or "").strip()
    if shared_offence_ids and not role:
        raise Refused(
            f"others are suspected of {len(set(shared_offence_ids))} of the crimes that count: say what this person's "
            "own role was, naming nobody"
        )
    note = proportionality
    if role and proportionality.strip():
        note = f"{proportionality.strip()}; role beside other suspects: {role}"
    _act(store, entry_id, "confirm", by, at, reason, why, agrees=agrees, note=note)


def remove(
    store: Store,
    entry_id: str,
    subject: Subject,
    *,
    by: str,
    at: datetime,
    reason: str,
    why: str,
    agrees: bool | None,
) -> None:
    """Ask for a person to be taken off the list on the allegations that `subject` counts today; somebody else approves.

    Once approved the person does not come back on these allegations. One that is not among them lets them back in.
    """
    facts = {"record_ids": subject.record_ids, "offence_ids": subject.offence_ids}
    _act(store, entry_id, "remove", by, at, reason, why, agrees=agrees, **facts)


def renew(
    store: Store, entry_id: str, *, by: str, at: datetime, reason: str, why: str, agrees: bool | None
) -> None:
    """Ask for a confirmed or active entry to run on; somebody else approves. Never past its full review."""
    _act(store, entry_id, "renew", by, at, reason, why, agrees=agrees)


def approve(
    store: Store, entry_id: str, *, by: str, at: datetime, reason: str, why: str, agrees: bool | None
) -> None:
    """Grant what somebody else asked for, having viewed the evidence oneself."""
    _act(store, entry_id, "approve", by, at, reason, why, agrees=agrees)


def refuse(
    store: Store, entry_id: str, *, by: str, at: datetime, reason: str, why: str, agrees: bool | None
) -> None:
    """Refuse what somebody else asked for; the entry stays as it was."""
    _act(store, entry_id, "refuse", by, at, reason, why, agrees=agrees)


def check_safety(store: Store, entry_id: str, *, by: str, at: datetime, result: str, why: str) -> None:
    """Record what a check of the victims' safety found, before any overt step. `risk_too_high` stops a live plan."""
    _act(store, entry_id, "check_safety", by, at, result, why)


def activate(store: Store, entry_id: str, *, by: str, at: datetime, reason: str, why: str, plan: str) -> None:
    """Record that a plan for a confirmed entry is live. `plan`: its reference and owner. The months agreed to run on."""
    _act(store, entry_id, "activate", by, at, reason, why, note=plan)


def dispute(
    store: Store, subject: Subject, *, by: str, at: datetime, ground: str, why: str, disputed_by: str
) -> str:
    """Record that what is held of a person is disputed; from the next run no list names them. Returns the entry's id."""
    return _begin_or_act(
        store, subject, "listed", "dispute", by=by, at=at, reason=ground, why=why, note=disputed_by
    )


def record_check(
    store: Store,
    entry_id: str,
    *,
    by: str,
    at: datetime,
    result: str,
    why: str,
    release_ids: Collection[str] = (),
) -> None:
    """Record what the force's check found. Each of `release_ids`, sealed as they are, gets an annotation on the person."""
    _act(store, entry_id, "record_check", by, at, result, why, release_ids=tuple(sorted(set(release_ids))))


def close_dispute(store: Store, entry_id: str, *, by: str, at: datetime, reason: str, why: str) -> None:
    """End a dispute that the force has checked. Upheld, the entry goes on; corrected, it is proposed anew."""
    _act(store, entry_id, "close_dispute", by, at, reason, why)


def appeal(
    store: Store, entry_id: str, *, by: str, at: datetime, ground: str, why: str, appellant: str
) -> None:
    """Record an appeal against an entry."""
    _act(store, entry_id, "appeal", by, at, ground, why, note=appellant)


def decide_appeal(
    store: Store,
    entry_id: str,
    subject: Subject,
    *,
    by: str,
    at: datetime,
    result: str,
    why: str,
    unit: str,
) -> None:
    """Decide an appeal, as somebody who had no hand in the entry. Allowed, it removes the person on today's facts."""
    facts = {"record_ids": subject.record_ids, "offence_ids": subject.offence_ids}
    _act(store, entry_id, "decide_appeal", by, at, result, why, note=unit, **facts)


def dispose(store: Store, entry_id: str, *, by: str, at: datetime, why: str) -> None:
    """Certify that the status of an ended entry is shown no more; refused before its retention has ended."""
    _act(store, entry_id, "dispose", by, at, "retention_ended", why)


def in_force(store: Store, as_of: datetime) -> list[Entry]:
    """Every entry as it was at a moment, in the order they began; of those past their retention, without status."""
    with store.reading() as connection:
        return [known for entry in history(connection) if (known := entry.known(as_of))]


def entry_of(store: Store, entry_id: str, as_of: datetime) -> Entry:
    """One entry as it was at a moment. Raises NoSuchEntry."""
    with store.reading() as connection:
        known = _one(connection, entry_id).known(as_of)
    if known is None:
        raise NoSuchEntry(f"{entry_id} was not begun by then")
    return known


def entries_of(store: Store, record_ids: Collection[str], as_of: datetime) -> list[Entry]:
    """The entries about any of these nominals, as they were at a moment, in the order they began."""
    with store.reading() as connection:
        return _known(connection, record_ids, as_of)


def may_see_rank(store: Store, record_ids: Collection[str], *, by: str, as_of: datetime) -> bool:
    """Whether somebody has viewed the evidence on the person with these nominals, on the entry that is live."""
    with store.reading() as connection:
        live = live_entries(connection, record_ids, as_of)
    return any(same_person(by, viewer) for entry in live for viewer in entry.viewed_by)


def annotations_of(store: Store, release_id: str, as_of: datetime) -> list[Annotation]:
    """What readers of a sealed release are to be told, by person and moment."""
    query = (
        select(
            review_annotations.c.release_id,
            review_entries.c.person_id,
            review_entries.c.entry_id,
            review_acts.c.at,
            review_acts.c.reason_code,
        )
        .join(review_acts, review_acts.c.log_no == review_annotations.c.log_no)
        .join(review_entries, review_entries.c.entry_id == review_acts.c.entry_id)
        .where(review_annotations.c.release_id == release_id, review_acts.c.at <= written(as_of))
        .order_by(review_entries.c.person_id, review_annotations.c.log_no)
    )
    with store.reading() as connection:
        return [
            Annotation(
                row.release_id, row.person_id, row.entry_id, datetime.fromisoformat(row.at), row.reason_code
            )
            for row in connection.execute(query)
        ]


def live_entries(connection: Connection, record_ids: Collection[str], as_of: datetime) -> list[Entry]:
    """Those of `entries_of` that acts go to. More than one only where persons were merged since."""
    return [entry for entry in _known(connection, record_ids, as_of) if entry.is_live]


def history(connection: Connection, entry_ids: Collection[str] | None = None) -> list[Entry]:
    """Every entry with all its acts, after the last of them, in the order they began; or of `entry_ids` only."""
    opened, acts = select(review_entries), select(review_acts)
    if entry_ids is not None:
        opened = opened.where(review_entries.c.entry_id.in_(entry_ids))
        acts = acts.where(review_acts.c.entry_id.in_(entry_ids))
    by_entry = defaultdict(list)
    for act in _acts(connection, acts):
        by_entry[act.entry_id].append(act)
    return [
        fold(Opening(row.person_id, row.origin, row.release_id, row.period), by_entry[row.entry_id])
        for row in connection.execute(opened.order_by(review_entries.c.log_no))
    ]


def verify(store: Store, kept_head: Head | None = None) -> Broken | None:
    """The first entry of the audit log that does not follow, or whose act is not kept as it says; then a kept row that
    is in no entry. None where all is as it was written.
    """
    with store.reading() as connection:
        if broken := audit.verify_chain(connection, kept_head):
            return broken
        tables = (
            review_entries,
            review_acts,
            review_act_records,
            review_removal_allegations,
            review_annotations,
        )
        return audit.kept_as_logged(connection, tables, _rows)


def replay(log: Iterable[audit.Entry]) -> list[Entry]:
    """The entries that an audit log alone tells of, as `history` has them."""
    openings: dict[str, Opening] = {}
    acts: dict[str, list[Act]] = defaultdict(list)
    for entry in log:
        if not entry.action.startswith(PREFIX):
            continue
        if opening := entry.detail["opening"]:
            openings[entry.subject] = Opening(**opening)
        acts[entry.subject].append(_act_of(entry))
    return [fold(opening, acts[entry_id]) for entry_id, opening in openings.items()]


def _begin_or_act(
    store: Store, subject: Subject, origin: Origin, name: ActName, *, by: str, at: datetime, **said: Any
) -> str:
    """Act on the live entry of a person, or begin one with the act."""
    written(at)
    with store.writing() as connection:
        live = live_entries(connection, subject.record_ids, at)
        if not live:
            return _begin(connection, subject, origin, name, by, at, **said)
        for entry in live:
            _write_act(connection, entry, name, by, at, record_ids=subject.record_ids, **said)
        return live[-1].entry_id


def _begin(
    connection: Connection,
    subject: Subject,
    origin: Origin,
    name: ActName,
    by: str,
    at: datetime,
    reason: str,
    why: str,
    **said: Any,
) -> str:
    _require_subject(subject)
    _require_new_facts(connection, subject, at, name)
    n_entries = connection.execute(select(func.count()).select_from(review_entries)).scalar_one()
    opening = Opening(subject.person_id, origin, subject.release_id, subject.period)
    entry_id = f"R{n_entries + 1:06d}"
    act = _made(None, entry_id, name, by, at, reason, why, record_ids=subject.record_ids, **said)
    require_allowed(begun(opening, act), act)
    _write(connection, act, opening)
    return entry_id


def _act(
    store: Store, entry_id: str, name: ActName, by: str, at: datetime, reason: str, why: str, **said: Any
) -> None:
    # A moment with a time zone compares with none that is kept.
    written(at)
    with store.writing() as connection:
        _write_act(connection, _one(connection, entry_id), name, by, at, reason=reason, why=why, **said)


def _write_act(
    connection: Connection,
    entry: Entry,
    name: ActName,
    by: str,
    at: datetime,
    reason: str,
    why: str,
    **said: Any,
) -> None:
    act = _made(lapsed(entry, at), entry.entry_id, name, by, at, reason, why, **said)
    require_allowed(entry, act)
    _write(connection, act, None)


def _made(
    entry: Entry | None,
    entry_id: str,
    name: ActName,
    by: str,
    at: datetime,
    reason: str,
    why: str,
    **said: Any,
) -> Act:
    """The act with the deadlines it sets; not yet numbered, so after all that is written."""
    require_reason(name, reason)
    if not by.strip():
        raise Refused("say who decides")
    note = said.pop("note", None)
    act = Act(_NEXT, entry_id, name, at, by.strip(), reason, why.strip(), note=note and note.strip(), **said)
    return replace(act, **_deadlines(entry, act, parameters(at.date())))


def _deadlines(entry: Entry | None, act: Act, months: Parameters) -> dict[str, Any]:
    """When what the act leads to lapses, when its status is shown no more, when it needs a full review."""
    asked = entry.request.name if entry and entry.request and act.name == "approve" else None
    if act.name == "decide_appeal" or asked == "remove":
        return {"retained_until": months_after(act.at, months.retention_months)}
    if entry and not asked and act.name not in ("triage", "defer", "close_dispute"):
        return {}
    lapses = months_after(act.until or act.at, months.lapse_months)
    full_review = {}
    if entry and asked:
        full = months_after(act.at, months.full_review_months)
        full = entry.full_review_at or full if asked == "renew" else full
        lapses, full_review = min(lapses, full), {"full_review_at": full}
    retained = months_after(lapses, months.retention_months)
    return {"lapses_at": lapses, "retained_until": retained, **full_review}


def _require_subject(subject: Subject) -> None:
    if not subject.person_id.strip():
        raise Refused("say whom it is about")
    if not subject.record_ids or any(not record_id.strip() for record_id in subject.record_ids):
        raise Refused("a person has one nominal or more, and none is blank")


def _require_new_facts(connection: Connection, subject: Subject, at: datetime, name: ActName) -> None:
    """A removal holds on the allegations it was about: nobody begins anew on them, whether the list or an officer."""
    removed = [e for e in _known(connection, subject.record_ids, at) if e.removal]
    if name == "dispute" or not removed:
        return
    held = {offence_id for e in removed if e.removal for offence_id in e.removal.offence_ids}
    if held >= set(subject.offence_ids):
        raise NotAllowed(f"{removed[-1].entry_id} removed the person on these allegations, and none is new")


def _known(connection: Connection, record_ids: Collection[str], as_of: datetime) -> list[Entry]:
    query = (
        select(review_acts.c.entry_id)
        .join(review_act_records, review_act_records.c.log_no == review_acts.c.log_no)
        .where(review_act_records.c.record_id.in_(record_ids))
        .distinct()
    )
    found: list[str] = [row.entry_id for row in connection.execute(query)]
    # Of most persons there is none, and a page of each asks.
    return [known for entry in (history(connection, found) if found else []) if (known := entry.known(as_of))]


def _one(connection: Connection, entry_id: str) -> Entry:
    if not (found := history(connection, [entry_id])):
        raise NoSuchEntry(f"there is no entry {entry_id}")
    return found[0]


def _acts(connection: Connection, query: Any) -> Iterator[Act]:
    """The acts that a query of `review_acts` finds, in order, with what hangs on them."""
    numbers = query.with_only_columns(review_acts.c.log_no)
    hanging: dict[str, dict[int, list[str]]] = {}
    for name, (table, column) in _HANGING.items():
        hanging[name] = defaultdict(list)
        rows = select(table.c.log_no, table.c[column]).where(table.c.log_no.in_(numbers))
        for hung in connection.execute(rows):
            hanging[name][hung.log_no].append(hung[1])
    for row in connection.execute(query.order_by(review_acts.c.log_no)):
        says: dict[str, Any] = {name: _moment(getattr(row, name)) for name in _MOMENTS}
        says |= {name: tuple(sorted(hanging[name][row.log_no])) for name in _LISTS}
        says["agrees"] = None if row.agrees is None else bool(row.agrees)
        at = datetime.fromisoformat(row.at)
        yield Act(
            row.log_no, row.entry_id, row.act, at, row.by, row.reason_code, row.why, note=row.note, **says
        )


def _write(connection: Connection, act: Act, opening: Opening | None) -> None:
    says = {name: value for name, value in asdict(act).items() if name not in _OF_THE_LOG}
    for name in _MOMENTS:
        says[name] = written(says[name]) if says[name] else None
    for name in _LISTS:
        says[name] = sorted(set(says[name]))
    entry = audit.append(
        connection,
        at=act.at,
        who=act.by,
        action=PREFIX + act.name,
        subject=act.entry_id,
        detail={**says, "opening": asdict(opening) if opening else None},
    )
    for table, values in _rows(entry):
        connection.execute(insert(table).values(values))


def _act_of(entry: audit.Entry) -> Act:
    says = {name: value for name, value in entry.detail.items() if name != "opening"}
    for name in _MOMENTS:
        says[name] = _moment(says[name])
    for name in _LISTS:
        says[name] = tuple(says[name])
    name = entry.action.removeprefix(PREFIX)
    return Act(entry.no, entry.subject, name, entry.at, entry.who, **says)  # type: ignore[arg-type]


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _rows(entry: audit.Entry) -> Iterator[tuple[Table, Mapping[str, Any]]]:
    """The rows that an entry of the log puts into the tables of review; none where it is about something else."""
    if not entry.action.startswith(PREFIX):
        return
    says, log_no = entry.detail, entry.no
    if says["opening"]:
        yield review_entries, {**says["opening"], "entry_id": entry.subject, "log_no": log_no}
    yield (
        review_acts,
        {
            **{c.name: says.get(c.name) for c in review_acts.columns},
            "log_no": log_no,
            "entry_id": entry.subject,
            "act": entry.action.removeprefix(PREFIX),
            "at": written(entry.at),
            "by": entry.who,
            "agrees": None if says["agrees"] is None else int(says["agrees"]),
        },
    )
    for name, (table, column) in _HANGING.items():
        for value in says[name]:
            yield table, {"log_no": log_no, column: value}


# A list of an act -> the table and column that hold it.
_HANGING: Mapping[str, tuple[Table, str]] = {
    "record_ids": (review_act_records, "record_id"),
    "offence_ids": (review_removal_allegations, "offence_id"),
    "release_ids": (review_annotations, "release_id"),
}
_OF_THE_LOG = {"no", "entry_id", "name", "at", "by"}
# Greater than any number of the log: an act being judged comes after all that was written.
_NEXT = 2**62
