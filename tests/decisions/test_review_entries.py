"""The state machine: from every situation every act, allowed or refused; and what no sequence of acts can bring about."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from decisions import audit, review
from decisions.refusals import Refused
from decisions.review_codes import reasons
from decisions.review_entries import (
    OPENING,
    RULES,
    SAFE,
    Act,
    Entry,
    Opening,
    after,
    begun,
    fingerprint,
    fold,
    lapsed,
    require_allowed,
    same_person,
)
from decisions.store import Store
from tests.decisions.reviewing import DEFAULTS, NOON, SITUATIONS, Desk
from tests.decisions.stores import new_store


@pytest.fixture(scope="module")
def entries(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Entry, datetime]]:
    """Every situation once, with the moment it is looked at."""
    found = {}
    for situation, (reach, _) in SITUATIONS.items():
        store = new_store(tmp_path_factory.mktemp("review"))
        desk = reach(Desk(store))
        with store.reading() as connection:
            (entry,) = review.history(connection)
        assert audit.verify(store) is None and review.verify(store) is None
        found[situation] = (entry, desk.at)
    return found


def act(name: str, entry: Entry, at: datetime, by: str) -> Act:
    """The act, with all it asks for."""
    until = at + timedelta(days=3)
    return Act(
        2**62,
        entry.entry_id,
        name,
        at,
        by,
        "code",
        "w",
        agrees=True,
        note="n",
        until=until,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("name", sorted(RULES))
@pytest.mark.parametrize("situation", SITUATIONS)
def test_every_act_in_every_situation(
    entries: dict[str, tuple[Entry, datetime]], situation: str, name: str
) -> None:
    entry, at = entries[situation]
    # The person is the right one: has viewed, and is neither who asked, nor who checked, nor, for an appeal, known.
    viewed = [*("B", "A") * (name != "decide_appeal"), "Y"]
    errors = []
    for by in viewed:
        seen = fold(entry.opening, [*entry.acts, *_view(entry, by)]) if by == "Y" else entry
        try:
            require_allowed(seen, act(name, entry, at, by))
            errors.append(None)
        except Refused as refused:
            errors.append(refused)
    allowed = None in errors
    assert allowed == (name in SITUATIONS[situation][1]), errors


def _view(entry: Entry, by: str) -> list[Act]:
    last = entry.acts[-1]
    return [Act(last.no + 1, entry.entry_id, "view", last.at, by, "appeal", "")]


def test_the_table_is_of_every_act() -> None:
    assert set(DEFAULTS) == set(RULES)
    reached = {name for _, names in SITUATIONS.values() for name in names}
    # Proposing begins an entry and does nothing else; that it does is in test_review.
    assert reached == set(RULES) - {"propose"}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("A. Smith", " a.  smith", True), ("STRASSE", "straße", True), ("A. Smith", "A Smith", False)],
)
def test_one_person_is_not_two_by_writing_the_name_otherwise(one: str, other: str, same: bool) -> None:
    assert same_person(one, other) == same


def test_a_fingerprint_is_of_the_set() -> None:
    assert fingerprint(["b", "a", "b"]) == fingerprint(("a", "b")) != fingerprint(["a"])
    # What `printf 'a\nb' | sha256sum` says.
    assert fingerprint(["a", "b"]).startswith("7e18f737311b2dc3")


# Random histories: the way to a live plan with acts left out, taken by others, or put in between.
STRAIGHT = [
    ("view", "A"),
    ("triage", "A"),
    ("confirm", "A"),
    ("view", "B"),
    ("approve", "B"),
    ("check_safety", "B"),
    ("activate", "B"),
    ("renew", "A"),
    ("approve", "B"),
]
PEOPLE = st.sampled_from(["A", "B", "a ", "C"])
ANY_ACT = st.tuples(st.sampled_from(sorted(RULES)), PEOPLE)
Step = tuple[str, str, int, int]


@st.composite
def histories(draw: st.DrawFn) -> list[Step]:
    steps = list(STRAIGHT)
    for _ in range(draw(st.integers(0, 4))):
        where = draw(st.integers(0, len(steps) - 1))
        match draw(st.sampled_from(["by another", "by another", "left out", "put in"])):
            case "by another":
                steps[where] = (steps[where][0], draw(PEOPLE))
            case "left out" if len(steps) > 1:
                del steps[where]
            case _:
                steps.insert(where, draw(ANY_ACT))
    days = st.sampled_from([0, 0, 0, 0, 0, 0, 1, 20, 100])
    return [(*step, draw(days), draw(st.integers(0, 2))) for step in steps]


CHOICES: dict[str, tuple[str, list[str]]] = {
    "check_safety": ("result", ["no_added_risk", "risk_too_high", "risk_managed"]),
    "record_check": ("result", ["upheld", "corrected", "corrected"]),
    "decide_appeal": ("result", ["allowed", "dismissed", "dismissed"]),
    "view": ("purpose", ["monthly_review", "appeal", "oversight"]),
}


def lawful(acts: tuple[Act, ...]) -> bool:
    """Whether acts up to an active state hold what it takes, told from the acts and not from the state machine."""
    viewed_by: set[str] = set()
    agreed, asked, safety, found = False, "", "", ""
    for done in acts:
        who = done.by.strip().casefold()
        match done.name:
            case "view":
                viewed_by.add(who)
            case "confirm":
                asked = who
            case "approve" if asked and who != asked and {who, asked} <= viewed_by:
                agreed = True
            case "check_safety":
                safety = done.reason_code
            case "record_check":
                found = done.reason_code
            case "close_dispute" if found == "corrected":
                viewed_by, agreed, asked, safety = set(), False, "", ""
    return agreed and safety in SAFE


def walk(steps: list[Step]) -> Iterator[Entry]:
    """The entry after every act of a history that was allowed, without a store."""
    opening = Opening("P1", "listed", "", "")
    entry, at = None, NOON
    for no, (name, by, days, choice) in enumerate(steps, start=1):
        at += timedelta(days=days, hours=1)
        codes = CHOICES[name][1] if name in CHOICES else list(reasons(name))
        until = at + timedelta(days=5) if name == "defer" else None
        now = lapsed(entry, at) if entry else None
        act = review._made(
            now,
            "R1",
            name,
            by,
            at,
            codes[choice % len(codes)],
            "w",
            agrees=True,
            note="n",
            until=until,  # type: ignore[arg-type]
        )
        if now is None and name not in OPENING:
            continue
        with contextlib.suppress(Refused):
            require_allowed(now or begun(opening, act), act)
            entry = after(now or begun(opening, act), replace(act, no=no))
            yield entry


@settings(max_examples=1500, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(histories())
def test_nobody_is_active_without_two_people_a_view_and_a_safety_check(steps: list[Step]) -> None:
    for entry in walk(steps):
        event(f"came to {entry.state}")
        assert entry.state != "active" or lawful(entry.acts)
        assert entry.request is None or entry.state not in ("expired", "removed")
        assert entry.state != "removed" or entry.removal is not None


def test_the_straight_way_is_one_of_those_histories() -> None:
    *_, last = walk([(*step, 0, 0) for step in STRAIGHT[:7]])
    assert last.state == "active" and lawful(last.acts)


def run(store: Store, steps: list[Step]) -> list[datetime]:
    desk, moments = Desk(store), []
    for name, by, days, choice in steps:
        desk.on(desk.at + timedelta(days=days))
        said: dict[str, Any] = {}
        if name in CHOICES:
            field, values = CHOICES[name]
            said[field] = values[choice]
        moments.append(desk.at)
        try:
            desk.take(name, by, **said)
        except Refused:
            desk.on(desk.at + timedelta(minutes=1))
    return [*moments, desk.at]


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(histories())
def test_the_log_alone_tells_the_same_at_every_moment(steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = new_store(folder)
        moments = run(store, steps)
        with store.reading() as connection:
            log, history = audit.entries(connection), review.history(connection)
        assert review.replay(log) == history and review.verify(store) is None
        assert review.in_force(store, moments[-1]) == [e.known(moments[-1]) for e in history]
        for moment in moments:
            told = [e for e in log if e.at <= moment]
            in_force = [known for e in history if (known := e.known(moment))]
            assert [e.known(moment) for e in review.replay(told)] == in_force


def test_moments_move_with_what_is_in_force_and_not_with_looking(store: Store) -> None:
    desk = Desk(store).triaged().take("view", "B")
    assert [m - NOON for m in desk.now().moments] == [timedelta(hours=1)]
