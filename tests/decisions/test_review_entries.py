"""The state machine: from every situation every act, allowed or refused; and what no sequence of acts can bring about."""

from __future__ import annotations

import tempfile
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from decisions import audit, review
from decisions.refusals import Refused
from decisions.review_entries import RULES, SAFE, Act, Entry, fingerprint, fold, require_allowed, same_person
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


# Random histories: the way to a live plan with acts left out, doubled, taken by others, or put in between.
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


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[str, str, int, int]]:
    steps: list[tuple[str, str]] = []
    for step in STRAIGHT:
        fate = draw(st.integers(0, 9))
        steps += [step] if fate < 8 else [(step[0], draw(PEOPLE))] if fate < 9 else []
        if draw(st.integers(0, 4)) == 0:
            steps.append(draw(ANY_ACT))
    days = st.sampled_from([0, 0, 0, 0, 0, 0, 1, 20, 100])
    return [(*step, draw(days), draw(st.integers(0, 2))) for step in steps]


CHOICES: dict[str, tuple[str, list[str]]] = {
    "check_safety": ("result", ["no_added_risk", "risk_too_high", "risk_managed"]),
    "record_check": ("result", ["upheld", "corrected", "corrected"]),
    "decide_appeal": ("result", ["allowed", "dismissed", "dismissed"]),
    "view": ("purpose", ["monthly_review", "appeal", "oversight"]),
}
N_ACTIVE: list[int] = []


def run(store: Store, steps: list[tuple[str, str, int, int]]) -> list[datetime]:
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


def lawful(log: list[audit.Entry]) -> bool:
    """Whether a log up to an active state has what it takes, told from the log and not from the state machine."""

    def who(entry: audit.Entry) -> str:
        return entry.who.strip().casefold()

    names = [entry.action.removeprefix(review.PREFIX) for entry in log]
    start = max((i for i, n in enumerate(names) if n == "close_dispute"), default=-1) + 1
    if start and "corrected" not in [
        e.detail["reason_code"] for e in log if e.action.endswith("record_check")
    ]:
        start = 0
    viewed_by: set[str] = set()
    agreed, asked = False, None
    for entry, name in list(zip(log, names, strict=True))[start:]:
        if name == "view":
            viewed_by.add(who(entry))
        if name == "confirm":
            asked = entry
        if name == "approve" and asked:
            two = {who(entry), who(asked)}
            agreed = agreed or (len(two) == 2 and two <= viewed_by)
    safety = [entry.detail["reason_code"] for entry, n in zip(log, names, strict=True) if n == "check_safety"]
    return agreed and bool(safety) and safety[-1] in SAFE


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(histories())
def test_nobody_is_active_without_two_people_a_view_and_a_safety_check(
    steps: list[tuple[str, str, int, int]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = new_store(folder)
        moments = run(store, steps)
        with store.reading() as connection:
            log, history = audit.entries(connection), review.history(connection)
        # What is kept is what the log tells, and any past moment is what the log told up to it.
        assert review.replay(log) == history and review.verify(store) is None
        assert review.in_force(store, moments[-1]) == [e.known(moments[-1]) for e in history]
        for moment in moments:
            told = [e for e in log if e.at <= moment]
            in_force = [known for e in history if (known := e.known(moment))]
            assert [e.known(moment) for e in review.replay(told)] == in_force
            for entry in in_force:
                if entry.state == "active":
                    N_ACTIVE.append(1)
                    assert lawful([e for e in told if e.subject == entry.entry_id])
                assert entry.request is None or entry.state not in ("expired", "removed")
                assert entry.state != "removed" or entry.removal is not None


def test_the_histories_above_do_come_to_live_plans() -> None:
    assert len(N_ACTIVE) > 30, len(N_ACTIVE)


def test_moments_move_with_what_is_in_force_and_not_with_looking(store: Store) -> None:
    desk = Desk(store).triaged().take("view", "B")
    assert [m - NOON for m in desk.now().moments] == [timedelta(hours=1)]
