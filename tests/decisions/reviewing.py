"""Ways into each situation an entry can be in, for the tests of review."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from decisions import review
from decisions.review_entries import Entry, Subject
from decisions.store import Store

NOON = datetime(2026, 3, 5, 12)
HOUR = timedelta(hours=1)
SUBJECT = Subject("P1", ("E23000036|n1", "E23000026|n2"), ("A|1", "A|2"), "2026-02_abc", "2026-02")
AGREED = {"why": "w", "agrees": True}


class Desk:
    """Takes acts on one entry, an hour after each other unless told otherwise."""

    def __init__(self, store: Store, subject: Subject = SUBJECT, at: datetime = NOON) -> None:
        self.store, self.subject, self.at, self.entry_id = store, subject, at, ""

    def on(self, at: datetime) -> Desk:
        self.at = at
        return self

    def take(self, name: str, by: str, **said: Any) -> Desk:
        """One act with the plainest arguments, but for those given."""
        first, rest = DEFAULTS[name](self)
        result = getattr(review, name)(self.store, *first, by=by, at=self.at, **(rest | said))
        self.entry_id = result or self.entry_id
        self.at += HOUR
        return self

    def now(self) -> Entry:
        return review.entry_of(self.store, self.entry_id, self.at)

    # The situations, each from the one before.
    def proposed(self) -> Desk:
        return self.take("view", "A")

    def triaged(self) -> Desk:
        return self.proposed().take("triage", "A")

    def confirmed(self) -> Desk:
        return self.triaged().take("confirm", "A").second("B")

    def active(self) -> Desk:
        return self.confirmed().take("check_safety", "B").take("activate", "B")

    def removed(self) -> Desk:
        return self.triaged().take("remove", "A").second("B")

    def second(self, by: str, name: str = "approve") -> Desk:
        return self.take("view", by, purpose="second_look").take(name, by)


Arguments = tuple[tuple[Any, ...], dict[str, Any]]
DEFAULTS: dict[str, Callable[[Desk], Arguments]] = {
    "view": lambda d: ((d.subject,), {"purpose": "monthly_review"}),
    "propose": lambda d: ((d.subject,), {"reason": "partner_referral", "why": "w"}),
    "triage": lambda d: ((d.entry_id,), {"reason": "evidence_as_listed", **AGREED}),
    "defer": lambda d: (
        (d.entry_id,),
        {"reason": "victim_contact", **AGREED, "until": d.at + timedelta(days=10)},
    ),
    "confirm": lambda d: ((d.entry_id,), {"reason": "grave_harm", **AGREED, "proportionality": "p"}),
    "remove": lambda d: ((d.entry_id, d.subject), {"reason": "link_wrong", "why": "w", "agrees": False}),
    "renew": lambda d: ((d.entry_id,), {"reason": "harm_goes_on", **AGREED}),
    "approve": lambda d: ((d.entry_id,), {"reason": "agreed_on_own_view", **AGREED}),
    "refuse": lambda d: ((d.entry_id,), {"reason": "more_needed", **AGREED}),
    "check_safety": lambda d: ((d.entry_id,), {"result": "no_added_risk", "why": "w"}),
    "activate": lambda d: ((d.entry_id,), {"reason": "plan_agreed", "why": "w", "plan": "plan 7, owner Z"}),
    "dispute": lambda d: (
        (d.subject,),
        {"ground": "identity_wrong", "why": "w", "disputed_by": "the person"},
    ),
    "record_check": lambda d: ((d.entry_id,), {"result": "upheld", "why": "w"}),
    "close_dispute": lambda d: ((d.entry_id,), {"reason": "all_told", "why": "w"}),
    "appeal": lambda d: ((d.entry_id,), {"ground": "merits", "why": "w", "appellant": "the person"}),
    "decide_appeal": lambda d: (
        (d.entry_id, d.subject),
        {"result": "dismissed", "why": "w", "unit": "standards"},
    ),
    "dispose": lambda d: ((d.entry_id,), {"why": "w"}),
}

# Situation -> how it is come to, and every act that somebody may then take, the right person taking it.
ALWAYS = {"view", "dispute", "appeal"}
SITUATIONS: dict[str, tuple[Callable[[Desk], Desk], set[str]]] = {
    "proposed": (lambda d: d.proposed(), {"triage"} | ALWAYS),
    "added": (lambda d: d.take("propose", "O").take("view", "A"), {"triage"} | ALWAYS),
    "triaged": (
        lambda d: d.triaged(),
        {"confirm", "remove", "defer", "check_safety"} | ALWAYS,
    ),
    "confirmation asked for": (
        lambda d: d.triaged().take("confirm", "A"),
        {"approve", "refuse", "check_safety"} | ALWAYS,
    ),
    "confirmation refused": (
        lambda d: d.triaged().take("confirm", "A").second("B", "refuse"),
        {"confirm", "remove", "defer", "check_safety"} | ALWAYS,
    ),
    "deferred": (lambda d: d.triaged().take("defer", "A"), {"remove", "check_safety"} | ALWAYS),
    "deferral over": (
        lambda d: d.triaged().take("defer", "A").on(NOON + timedelta(days=30)),
        {"confirm", "remove", "defer", "check_safety"} | ALWAYS,
    ),
    "confirmed, safety unchecked": (
        lambda d: d.confirmed(),
        {"remove", "renew", "check_safety"} | ALWAYS,
    ),
    "confirmed, safe": (
        lambda d: d.confirmed().take("check_safety", "B"),
        {"remove", "renew", "check_safety", "activate"} | ALWAYS,
    ),
    "confirmed, unsafe": (
        lambda d: d.confirmed().take("check_safety", "B", result="risk_too_high"),
        {"remove", "renew", "check_safety"} | ALWAYS,
    ),
    "active": (lambda d: d.active(), {"remove", "renew", "check_safety"} | ALWAYS),
    "active, unsafe": (
        lambda d: d.active().take("check_safety", "B", result="risk_too_high"),
        {"remove", "renew", "check_safety"} | ALWAYS,
    ),
    "active, renewed": (
        # The check of before does for this renewal, and not for the next.
        lambda d: d.active().take("renew", "A").second("B"),
        {"remove", "check_safety"} | ALWAYS,
    ),
    "removal asked for": (
        lambda d: d.active().take("remove", "A"),
        {"approve", "refuse", "check_safety"} | ALWAYS,
    ),
    "removed": (lambda d: d.removed(), {"view"}),
    "removed, retention over": (
        lambda d: d.removed().on(datetime(2027, 3, 5, 17)),
        {"view", "dispose"},
    ),
    "disposed of": (
        lambda d: d.removed().on(datetime(2027, 3, 5, 17)).take("dispose", "C"),
        {"view"},
    ),
    "expired": (lambda d: d.active().on(datetime(2026, 9, 1)), {"view", "appeal"}),
    "frozen": (
        lambda d: d.triaged().take("dispute", "C"),
        {"view", "remove", "record_check", "appeal"},
    ),
    "frozen, removal asked for": (
        lambda d: d.triaged().take("remove", "A").take("dispute", "C"),
        {"view", "approve", "refuse", "record_check", "appeal"},
    ),
    "frozen, checked": (
        lambda d: d.triaged().take("dispute", "C").take("record_check", "F"),
        {"view", "remove", "close_dispute", "appeal"},
    ),
    "frozen while confirmation was asked for": (
        lambda d: d.triaged().take("confirm", "A").take("dispute", "C"),
        {"view", "remove", "record_check", "appeal"},
    ),
    "upheld": (
        lambda d: d.confirmed().take("dispute", "C").take("record_check", "F").take("close_dispute", "A"),
        {"remove", "renew", "check_safety"} | ALWAYS,
    ),
    "corrected": (
        lambda d: (
            d.active()
            .take("dispute", "C")
            .take("record_check", "F", result="corrected")
            .take("close_dispute", "A")
            .take("view", "A")
        ),
        {"triage"} | ALWAYS,
    ),
    "appealed": (
        lambda d: d.active().take("appeal", "C"),
        {"view", "dispute", "remove", "renew", "check_safety", "decide_appeal"},
    ),
    "appeal allowed": (
        lambda d: (
            d.active()
            .take("appeal", "C")
            .take("view", "X", purpose="appeal")
            .take("decide_appeal", "X", result="allowed")
        ),
        {"view"},
    ),
}
