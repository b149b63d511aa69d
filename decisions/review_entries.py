"""An entry of the list under review: its states, the acts that move it, and who may take which of them when.

Belongs here: the state machine, as functions of an entry and an act alone. Nothing reads a clock or a database, so the
same acts always make the same entry. Keeping the acts is `review.py`.

    proposed -> triaged -> confirmed -> active -> (renewed) -> expired
                   |  \\
                   |   deferred until a day, then triaged again
                   removed, from there or later

Confirming, removing and renewing are asked for by one person and approved by another. A dispute freezes an entry in
whatever state it is; an appeal is decided by somebody who had no hand in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal

from decisions.refusals import NeedsAnother, NotAllowed, NotViewed, Refused

State = Literal["proposed", "triaged", "deferred", "confirmed", "active", "expired", "removed"]
Origin = Literal["listed", "added_by_officer"]
ActName = Literal[
    "view",
    "propose",
    "triage",
    "confirm",
    "remove",
    "defer",
    "renew",
    "approve",
    "refuse",
    "check_safety",
    "activate",
    "dispute",
    "record_check",
    "close_dispute",
    "appeal",
    "decide_appeal",
    "dispose",
]

LIVE: frozenset[State] = frozenset({"proposed", "triaged", "deferred", "confirmed", "active"})
ENDED: frozenset[State] = frozenset({"expired", "removed"})
ALL = LIVE | ENDED
# After these checks a plan may be made known.
SAFE = frozenset({"no_added_risk", "risk_managed"})


@dataclass(frozen=True)
class Subject:
    """Whom an act is about, as known when it is taken: today's person, their nominals, their counted allegations.

    `release_id` and `period` (`YYYY-MM`): the list it was read from.
    """

    person_id: str
    record_ids: tuple[str, ...]
    offence_ids: tuple[str, ...] = ()
    release_id: str = ""
    period: str = ""


def shared_offences(allegations: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Ids of the allegations that count and of which others are suspected too; rows of ranked_perpetrator_offences."""
    return tuple(
        sorted(str(a["offence_id"]) for a in allegations if a["is_counted"] and (a["n_co_suspects"] or 0) > 0)
    )


@dataclass(frozen=True)
class Act:
    """One act on one entry; `no` is its entry in the audit log, and so the order.

    `agrees`: with the list. `note`: what the act asks for beyond its reason (proportionality, plan, who disputes what,
    which unit decides). `until`: the end of a deferral. `lapses_at`, `retained_until`, `full_review_at`: the deadlines
    it set, by the parameters of its day, kept so that other parameters never change what was decided.
    """

    no: int
    entry_id: str
    name: ActName
    at: datetime
    by: str
    reason_code: str
    why: str = ""
    agrees: bool | None = None
    note: str | None = None
    until: datetime | None = None
    lapses_at: datetime | None = None
    retained_until: datetime | None = None
    full_review_at: datetime | None = None
    record_ids: tuple[str, ...] = ()
    offence_ids: tuple[str, ...] = ()
    release_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Opening:
    """How an entry began: whom it is about, and the cycle of the list it belongs to."""

    person_id: str
    origin: Origin
    release_id: str
    period: str


@dataclass(frozen=True)
class Removal:
    """Off the list on these facts. `fingerprint`: SHA-256 of the sorted ids of the allegations that counted then."""

    at: datetime
    reason_code: str
    offence_ids: tuple[str, ...]
    retained_until: datetime

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.offence_ids)


@dataclass(frozen=True)
class Entry:
    """A person on one cycle of the list, as the acts up to some moment made it.

    `since`: when the state began. `until`: the end of a deferral. `lapses_at`: when the state ends unless somebody acts.
    `request`: the act that waits for a second person. `viewed_by`: who has seen the evidence since the entry was last
    looked at from the start. `status_withheld`: it ended, and its retention too: only that and what it keeps off remain.
    """

    entry_id: str
    opening: Opening
    state: State
    since: datetime
    lapses_at: datetime
    retained_until: datetime
    acts: tuple[Act, ...] = ()
    until: datetime | None = None
    reason_code: str | None = None
    request: Act | None = None
    viewed_by: frozenset[str] = frozenset()
    proportionality: str | None = None
    safety: Act | None = None
    agreed_no: int = 0
    full_review_at: datetime | None = None
    dispute: Act | None = None
    check: Act | None = None
    appeal: Act | None = None
    removal: Removal | None = None
    disposed: bool = False
    status_withheld: bool = False
    record_ids: tuple[str, ...] = field(default=())

    @property
    def is_frozen(self) -> bool:
        return self.dispute is not None

    @property
    def is_live(self) -> bool:
        """Whether acts go to this entry, rather than to a new one."""
        return self.state in LIVE or self.is_frozen or self.appeal is not None

    @property
    def holds_until(self) -> datetime | None:
        """When what is in force ends by itself; none where only an act ends it, or it has ended."""
        if self.is_frozen or self.state in ENDED:
            return None
        return self.until or self.lapses_at

    @property
    def is_overridden(self) -> bool:
        """Whether people went against the list, by adding somebody or by taking somebody off."""
        return self.opening.origin == "added_by_officer" or self.state == "removed"

    @property
    def moments(self) -> tuple[datetime, ...]:
        """When it changed what is in force: looking at it does not."""
        return tuple(act.at for act in self.acts if act.name != "view")

    def known(self, as_of: datetime) -> Entry | None:
        """The entry as it was in force at a moment, or none where it was not begun."""
        known = [act for act in self.acts if act.at <= as_of]
        if not known:
            return None
        entry = lapsed(fold(self.opening, known), as_of)
        if not entry.is_live and (entry.disposed or entry.retained_until <= as_of):
            return _without_status(entry)
        return entry


def same_person(one: str, other: str) -> bool:
    """Whether two entries of `by` name one person: case and blanks do not make two people of one."""
    return _key(one) == _key(other)


def fingerprint(offence_ids: Iterable[str]) -> str:
    """SHA-256 of the sorted, distinct ids, one a line."""
    return hashlib.sha256("\n".join(sorted(set(offence_ids))).encode()).hexdigest()


@dataclass(frozen=True)
class _Rule:
    """When an act may be taken. `pending`: whether a request waits; `frozen`: whether a dispute is open."""

    states: frozenset[State]
    view: bool = True
    agreement: bool = False
    pending: bool | None = False
    frozen: bool | None = False
    note: str | None = None


RULES: Mapping[str, _Rule] = MappingProxyType(
    {
        "view": _Rule(ALL, view=False, pending=None, frozen=None),
        "propose": _Rule(frozenset({"proposed"}), view=False),
        "triage": _Rule(frozenset({"proposed"}), agreement=True),
        "defer": _Rule(frozenset({"triaged"}), agreement=True),
        "confirm": _Rule(frozenset({"triaged"}), agreement=True, note="say why it is proportionate"),
        "remove": _Rule(
            frozenset({"triaged", "deferred", "confirmed", "active"}), agreement=True, frozen=None
        ),
        "renew": _Rule(frozenset({"confirmed", "active"}), agreement=True),
        "approve": _Rule(LIVE, agreement=True, pending=True, frozen=None),
        "refuse": _Rule(LIVE, agreement=True, pending=True, frozen=None),
        "check_safety": _Rule(frozenset({"triaged", "deferred", "confirmed", "active"}), pending=None),
        "activate": _Rule(frozenset({"confirmed"}), note="name the plan and who owns it"),
        "dispute": _Rule(LIVE, view=False, pending=None, note="say who disputes what"),
        "record_check": _Rule(ALL, view=False, pending=None, frozen=True),
        "close_dispute": _Rule(ALL, view=False, pending=None, frozen=True),
        "appeal": _Rule(LIVE | {"expired"}, view=False, pending=None, frozen=None, note="say who appeals"),
        "decide_appeal": _Rule(ALL, pending=None, frozen=None, note="say which unit decides"),
        "dispose": _Rule(ENDED, view=False, pending=None),
    }
)
# Acts that may begin an entry: of a person whom a release lists, but for `propose`.
OPENING = frozenset({"view", "propose", "dispute"})


def require_allowed(entry: Entry, act: Act) -> None:
    """Raises Refused (NotAllowed, NotViewed, NeedsAnother) where the act may not be taken on the entry at its moment."""
    rule, entry = RULES[act.name], lapsed(entry, act.at)
    _require_place(entry, act, rule)
    _require_said(act, rule)
    if rule.view and _key(act.by) not in entry.viewed_by:
        raise NotViewed(f"{act.by} has not viewed the evidence on {entry.entry_id}; view it first")
    for refused in _GUARDS.get(act.name, _no_guard)(entry, act):
        raise refused


def _require_place(entry: Entry, act: Act, rule: _Rule) -> None:
    name, verb = entry.entry_id, act.name.replace("_", " ")
    if rule.frozen is not None and rule.frozen != entry.is_frozen:
        state = "is frozen by a dispute" if entry.is_frozen else "has no open dispute"
        raise NotAllowed(f"{name} {state}: {verb} has to wait" if entry.is_frozen else f"{name} {state}")
    if entry.state not in rule.states:
        raise NotAllowed(
            f"{name} is {entry.state}; to {verb} it, it must be {' or '.join(sorted(rule.states))}"
        )
    if rule.pending is not None and rule.pending != (entry.request is not None):
        waits = (
            f"waits for a second person to approve or refuse: {entry.request.name}" if entry.request else ""
        )
        raise NotAllowed(f"{name} {waits}" if waits else f"nobody asked for anything on {name}")


def _require_said(act: Act, rule: _Rule) -> None:
    if act.name != "view" and not act.why.strip():
        raise Refused("say why")
    if rule.agreement and act.agrees is None:
        raise Refused("say whether you agree with the list")
    if rule.note and not (act.note or "").strip():
        raise Refused(rule.note)


def _guard_propose(entry: Entry, act: Act) -> Iterator[Refused]:
    if entry.acts:
        yield NotAllowed(f"{entry.entry_id} is already there; to propose begins an entry")


def _guard_second(entry: Entry, act: Act) -> Iterator[Refused]:
    request = entry.request
    if request and same_person(request.by, act.by):
        yield NeedsAnother(f"{act.by} asked for it; somebody else approves or refuses it")
    if request and request.name == "renew" and act.name == "approve":
        yield from _guard_renew(entry, act)


def _guard_renew(entry: Entry, act: Act) -> Iterator[Refused]:
    if entry.full_review_at and act.at >= entry.full_review_at:
        yield NotAllowed(f"{entry.entry_id} needs a full review: it is renewed no further")
    fresh = entry.safety is not None and entry.safety.no > entry.agreed_no
    if entry.state == "active" and not (fresh and entry.safety and entry.safety.reason_code in SAFE):
        yield NotAllowed(
            f"check the safety of the victims of {entry.entry_id} again before a live plan is renewed"
        )


def _guard_activate(entry: Entry, act: Act) -> Iterator[Refused]:
    if entry.safety is None:
        yield NotAllowed(f"check the safety of the victims of {entry.entry_id} first")
    elif entry.safety.reason_code not in SAFE:
        yield NotAllowed(f"the last safety check of {entry.entry_id} says that the risk is too high")


def _guard_defer(entry: Entry, act: Act) -> Iterator[Refused]:
    if act.until is None or act.until <= act.at:
        yield Refused("say until when, after the moment of the act")


def _guard_check(entry: Entry, act: Act) -> Iterator[Refused]:
    if entry.check:
        yield NotAllowed(f"the force's check on {entry.entry_id} is recorded; close the dispute")


def _guard_close(entry: Entry, act: Act) -> Iterator[Refused]:
    if entry.check is None:
        yield NotAllowed(f"the force has not checked what is disputed on {entry.entry_id}")
    elif same_person(entry.check.by, act.by):
        yield NeedsAnother(f"{act.by} recorded the check; somebody else closes the dispute")


def _guard_appeal(entry: Entry, act: Act) -> Iterator[Refused]:
    if entry.appeal:
        yield NotAllowed(f"an appeal on {entry.entry_id} is open")


def _guard_outsider(entry: Entry, act: Act) -> Iterator[Refused]:
    if entry.appeal is None:
        yield NotAllowed(f"there is no open appeal on {entry.entry_id}")
    if any(same_person(done.by, act.by) for done in entry.acts if not _is_outsiders(done)):
        yield NeedsAnother(f"{act.by} had a hand in {entry.entry_id}; somebody outside the unit decides")


def _is_outsiders(act: Act) -> bool:
    """Looking at an entry for an appeal is no hand in it."""
    return act.name == "view" and act.reason_code == "appeal"


def _guard_dispose(entry: Entry, act: Act) -> Iterator[Refused]:
    if entry.disposed:
        yield NotAllowed(f"the status of {entry.entry_id} is disposed of")
    if entry.appeal:
        yield NotAllowed(f"an appeal on {entry.entry_id} is open")
    if act.at < entry.retained_until:
        yield NotAllowed(f"the status of {entry.entry_id} is kept until {entry.retained_until:%Y-%m-%d}")


def _no_guard(entry: Entry, act: Act) -> Iterator[Refused]:
    return iter(())


_GUARDS: Mapping[str, Callable[[Entry, Act], Iterator[Refused]]] = MappingProxyType(
    {
        "propose": _guard_propose,
        "approve": _guard_second,
        "refuse": _guard_second,
        "renew": _guard_renew,
        "activate": _guard_activate,
        "defer": _guard_defer,
        "record_check": _guard_check,
        "close_dispute": _guard_close,
        "appeal": _guard_appeal,
        "decide_appeal": _guard_outsider,
        "dispose": _guard_dispose,
    }
)


def begun(opening: Opening, act: Act) -> Entry:
    """The entry that an act begins, before the act."""
    assert act.name in OPENING and act.lapses_at and act.retained_until
    return Entry(act.entry_id, opening, "proposed", act.at, act.lapses_at, act.retained_until)


def fold(opening: Opening, acts: Iterable[Act]) -> Entry:
    """The entry after its acts, in order; the first is one that begins it. States do not lapse after the last act."""
    first, *others = acts
    entry = after(begun(opening, first), first)
    for act in others:
        entry = after(lapsed(entry, act.at), act)
    return entry


def lapsed(entry: Entry, moment: datetime) -> Entry:
    """The entry at a moment with no act since: a deferral has ended, or the entry has lapsed. At the deadline it has."""
    if entry.state == "deferred" and entry.until and entry.until <= moment:
        entry = replace(entry, state="triaged", since=entry.until, until=None, reason_code=None)
    if entry.state in LIVE and entry.lapses_at <= moment:
        return replace(
            entry, state="expired", since=entry.lapses_at, until=None, reason_code=None, request=None
        )
    return entry


def after(entry: Entry, act: Act) -> Entry:
    """The entry with one more act, which was allowed."""
    records = tuple(sorted({*entry.record_ids, *act.record_ids}))
    entry = replace(entry, acts=(*entry.acts, act), record_ids=records)
    return _STEPS[act.name](entry, act)


def _to(entry: Entry, state: State, act: Act) -> Entry:
    """Into a state with the deadlines that the act set; nothing waits any longer."""
    return replace(
        entry,
        state=state,
        since=act.at,
        until=act.until,
        lapses_at=act.lapses_at or entry.lapses_at,
        retained_until=act.retained_until or entry.retained_until,
        reason_code=act.reason_code,
        request=None,
    )


def _view(entry: Entry, act: Act) -> Entry:
    return replace(entry, viewed_by=entry.viewed_by | {_key(act.by)})


def _ask(entry: Entry, act: Act) -> Entry:
    return replace(entry, request=act)


def _approve(entry: Entry, act: Act) -> Entry:
    request = entry.request
    assert request
    if request.name == "remove":
        return _removed(entry, act, request.reason_code, request.offence_ids)
    if request.name == "renew":
        return replace(_to(entry, entry.state, act), reason_code=request.reason_code, agreed_no=act.no)
    return replace(
        _to(entry, "confirmed", act),
        reason_code=request.reason_code,
        proportionality=request.note,
        full_review_at=act.full_review_at,
        agreed_no=act.no,
    )


def _removed(entry: Entry, act: Act, reason_code: str, offence_ids: tuple[str, ...]) -> Entry:
    assert act.retained_until
    removal = Removal(act.at, reason_code, offence_ids, act.retained_until)
    return replace(_to(entry, "removed", act), reason_code=reason_code, removal=removal)


def _check_safety(entry: Entry, act: Act) -> Entry:
    # A plan that would endanger somebody stops; the months that two people agreed to run on.
    unsafe = entry.state == "active" and act.reason_code not in SAFE
    stopped = replace(entry, state="confirmed", since=act.at) if unsafe else entry
    return replace(stopped, safety=act)


def _activate(entry: Entry, act: Act) -> Entry:
    return replace(entry, state="active", since=act.at)


def _dispute(entry: Entry, act: Act) -> Entry:
    # What was asked for on facts that are now disputed is asked for again, but for a removal.
    request = entry.request if entry.request and entry.request.name == "remove" else None
    return replace(entry, dispute=act, check=None, request=request)


def _close_dispute(entry: Entry, act: Act) -> Entry:
    corrected = entry.check is not None and entry.check.reason_code == "corrected"
    entry = replace(entry, dispute=None, check=None)
    if not corrected or entry.state in ENDED:
        return entry
    # Whatever was agreed, was agreed on other facts: from the start.
    entry = replace(entry, viewed_by=frozenset(), safety=None, proportionality=None, full_review_at=None)
    return replace(_to(entry, "proposed", act), reason_code=None)


def _decide_appeal(entry: Entry, act: Act) -> Entry:
    entry = replace(entry, appeal=None)
    if act.reason_code == "allowed" and entry.state != "removed":
        return _removed(entry, act, "appeal_allowed", act.offence_ids)
    return entry


_STEPS: Mapping[str, Callable[[Entry, Act], Entry]] = MappingProxyType(
    {
        "view": _view,
        "propose": lambda entry, act: replace(entry, reason_code=act.reason_code),
        "triage": lambda entry, act: _to(entry, "triaged", act),
        "defer": lambda entry, act: _to(entry, "deferred", act),
        "confirm": _ask,
        "remove": _ask,
        "renew": _ask,
        "approve": _approve,
        "refuse": lambda entry, act: replace(entry, request=None),
        "check_safety": _check_safety,
        "activate": _activate,
        "dispute": _dispute,
        "record_check": lambda entry, act: replace(entry, check=act),
        "close_dispute": _close_dispute,
        "appeal": lambda entry, act: replace(entry, appeal=act),
        "decide_appeal": _decide_appeal,
        "dispose": lambda entry, act: replace(entry, disposed=True),
    }
)


def _without_status(entry: Entry) -> Entry:
    """What may still be told of an entry whose retention has ended: that it ended, and what it keeps off the list."""
    removal = replace(entry.removal, reason_code="") if entry.removal else None
    return Entry(
        entry.entry_id,
        replace(entry.opening, release_id="", period=""),
        entry.state,
        entry.since,
        entry.lapses_at,
        entry.retained_until,
        removal=removal,
        disposed=entry.disposed,
        status_withheld=True,
        record_ids=entry.record_ids,
    )


def _key(by: str) -> str:
    return " ".join(by.split()).casefold()
