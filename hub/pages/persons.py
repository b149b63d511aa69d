"""A person's page, evidence before rank, and the acts of review. Who acts is who is signed in, never what was typed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from decisions import review
from decisions.refusals import Refused
from decisions.review_codes import reasons
from decisions.review_entries import OPENING, RULES, Entry, Subject, shared_offences
from hub.access import Denied
from hub.charts import Event, timeline
from hub.pages.lists import KINDS, LENSES
from hub.people import Evidence, NoSuchPerson, evidence_on, resolved, standing_of
from hub.releases import NoSuchMart
from hub.statements import statements
from hub.web import BadForm, V, Visit, forces, redirect

router = APIRouter()
# What an act is given beyond reason and words: the field of the form and what it asks for.
NOTES = {
    "confirm": ("proportionality", "Why no less would do"),
    "activate": ("plan", "The plan's reference and owner"),
    "dispute": ("disputed_by", "In what capacity it is disputed; no name"),
    "appeal": ("appellant", "In what capacity; no name"),
    "decide_appeal": ("unit", "The unit that decides"),
}
# What the API calls the reason of an act, where it has a name of its own.
_REASON = {
    "check_safety": "result",
    "dispute": "ground",
    "record_check": "result",
    "appeal": "ground",
    "decide_appeal": "result",
}
_WITH_SUBJECT = frozenset({"remove", "decide_appeal"})


@router.get("/persons/{person_id}")
def person(visit: V, person_id: str) -> Response:
    evidence = _evidence(visit, person_id)
    if evidence.subject.person_id != person_id:
        return redirect(f"/persons/{evidence.subject.person_id}")
    visit.about_persons(person_id)
    entries = _entries(visit, evidence.subject)
    live = next((entry for entry in entries if entry.is_live), None)
    may_see = _may_see_rank(visit, evidence.subject)
    return visit.page(
        "person.html",
        person_id=person_id,
        evidence=evidence,
        chart=_chart(evidence),
        entry=live,
        entries=entries,
        acts=_acts(visit, live),
        notes=NOTES,
        n_shared=len(shared_offences(evidence.allegations)),
        view_reasons=reasons("view"),
        standing=standing_of(visit, person_id) if may_see else {},
        may_see=may_see,
        kinds=KINDS,
        lenses=LENSES,
        statements=statements(visit, "ranked_perpetrators", "ranked_perpetrator_offences"),
    )


@router.post("/persons/{person_id}/pack")
def pack(visit: V, person_id: str) -> Response:
    """The person's records as a page to print, logged as taken away."""
    evidence = _evidence(visit, person_id)
    visit.about_persons(evidence.subject.person_id, "export")
    return visit.page(
        "pack.html",
        person_id=evidence.subject.person_id,
        evidence=evidence,
        made_at=visit.at,
        destroy_by=visit.destroy_by(visit.at),
        purpose=visit.purpose,
        release=visit.release.manifest,
        statements=statements(visit, "ranked_perpetrators", "ranked_perpetrator_offences"),
    )


@router.post("/persons/{person_id}/acts/{act}")
def act(visit: V, person_id: str, act: str) -> Response:
    visit.user.require_act(act)
    visit.user.require("identifiable")
    evidence = _evidence(visit, person_id)
    _take(visit, act, evidence)
    return redirect(f"/persons/{evidence.subject.person_id}#review")


@router.get("/reviews")
def reviews(visit: V, state: str = "") -> Response:
    """Every live entry, in the order they began, which tells no rank."""
    visit.user.require("identifiable")
    visit.about_persons("review_entries")
    entries = [e for e in review.in_force(visit.hub.store, visit.at) if e.is_live]
    known = {
        row["person_id"]: row["owner_force_code"]
        for row in visit.read(
            "SELECT person_id, owner_force_code FROM ranked_perpetrators WHERE list_contains(?, person_id)",
            [[e.opening.person_id for e in entries]],
        ).rows
    }
    rows = [e for e in entries if (not state or e.state == state) and e.opening.person_id in known]
    return visit.page(
        "reviews.html",
        rows=rows,
        forces_of=known,
        state=state,
        statements=statements(visit, "ranked_perpetrators"),
    )


def _evidence(visit: Visit, person_id: str) -> Evidence:
    visit.user.require("identifiable")
    try:
        return evidence_on(visit, resolved(visit, person_id))
    except NoSuchPerson:
        # The same for a person of another force as for nobody: an answer must not tell who is known elsewhere.
        raise NoSuchMart("there is no such person among those you may see") from None


def _entries(visit: Visit, subject: Subject) -> list[Entry]:
    return review.entries_of(visit.hub.store, subject.record_ids, visit.at) if subject.record_ids else []


def _may_see_rank(visit: Visit, subject: Subject) -> bool:
    """A role that judges sees it after its view is recorded; for others the look at this page is the record."""
    if visit.user.role.rank == "never" or not visit.scope.after_view().rank:
        return False
    if visit.user.role.rank == "always":
        return True
    return review.may_see_rank(visit.hub.store, subject.record_ids, by=visit.user.user_id, as_of=visit.at)


def _acts(visit: Visit, live: Entry | None) -> list[dict[str, Any]]:
    """The acts that the entry's state leaves open and the role includes; a refusal says what else stands in the way."""
    offered = []
    for name, rule in RULES.items():
        try:
            visit.user.require_act(name)
        except Denied:
            continue
        if live is None:
            is_open = name in OPENING
        else:
            is_open = live.state in rule.states and name != "propose"
            is_open = is_open and rule.pending in (None, live.request is not None)
            is_open = is_open and rule.frozen in (None, live.is_frozen)
        if is_open and name != "view":
            offered.append({"name": name, "reasons": reasons(name), "agreement": rule.agreement})
    return offered


def _take(visit: Visit, act: str, evidence: Evidence) -> None:
    """Raises Refused with nothing written, BadForm."""
    subject = evidence.subject
    if not subject.record_ids:
        raise Refused("no nominal of this person is in the release: nothing can be decided about them")
    take: Callable[..., Any] = getattr(review, act)
    given = _given(visit, act)
    if act == "confirm":
        given |= {"shared_offence_ids": shared_offences(evidence.allegations), "role": visit.said("role")}
    if act == "view":
        visit.act(lambda at: review.view(visit.hub.store, subject, at=at, **given))
    elif act in OPENING:
        visit.act(lambda at: take(visit.hub.store, subject, at=at, **given))
    else:
        live = next((e for e in _entries(visit, subject) if e.is_live or act in ("dispose", "appeal")), None)
        if live is None:
            raise Refused("nobody has begun to review this person; look at the evidence first")
        about = (live.entry_id, subject) if act in _WITH_SUBJECT else (live.entry_id,)
        visit.act(lambda at: take(visit.hub.store, *about, at=at, **given))


def _given(visit: Visit, act: str) -> dict[str, Any]:
    given: dict[str, Any] = {"by": visit.user.user_id}
    if act == "view":
        return given | {"purpose": visit.said("reason")}
    given["why"] = visit.said("why")
    if act != "dispose":
        given[_REASON.get(act, "reason")] = visit.said("reason")
    if RULES[act].agreement:
        given["agrees"] = {"yes": True, "no": False}.get(visit.said("agrees"))
    if act in NOTES:
        given[NOTES[act][0]] = visit.said("note")
    if act == "defer":
        given["until"] = _moment(visit.said("until"))
    if act == "record_check":
        given["release_ids"] = (visit.release.release_id,)
    return given


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadForm("say until which day, as 2026-05-01") from None
    if moment.tzinfo is not None:
        raise BadForm("say until which day, without a time zone")
    return moment


def _chart(evidence: Evidence) -> Any:
    marks = [
        Event(
            e["event_on"],
            _lane(e["force_code"]),
            f"{e['event_kind']} {e['role'].replace(' ', '-')}",
            f"{e['event_on']:%d %b %Y}: {e['event_in_words']}",
        )
        for e in evidence.timeline
        if e["event_on"]
    ]
    return timeline(marks, "What is recorded of this person, by day and force; the table below says the same")


def _lane(force_code: str | None) -> str:
    return forces().get(str(force_code), str(force_code or "no force"))
