"""Alerts: who took one up, and that it stands as its last act left it."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from decisions import alerts
from decisions.refusals import NotAllowed, Refused
from decisions.store import Store
from tests.decisions.stores import new_store

AT = datetime(2026, 4, 1, 9)
ALERT = "0f" * 16


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return new_store(tmp_path)


def _take(store: Store, name: str, by: str, hours: int, why: str = "seen") -> None:
    alerts.act(store, ALERT, name, by=by, at=AT + timedelta(hours=hours), why=why)


def test_an_alert_stands_as_its_last_act_left_it(store: Store) -> None:
    _take(store, "acknowledge", "ann", 1)
    _take(store, "acknowledge", "ben", 2, "ann is away")
    _take(store, "close", "cat", 3, "order served")

    def at(hours: int) -> tuple[str, str | None, str] | None:
        found = alerts.standing(store, AT + timedelta(hours=hours)).get(ALERT)
        return (found.state, found.owner, found.why) if found else None

    assert at(0) is None
    assert at(1) == ("acknowledged", "ann", "seen")
    assert at(2) == ("acknowledged", "ben", "ann is away")
    assert at(3) == ("closed", "ben", "order served")
    _take(store, "reopen", "ann", 4, "breached again")
    assert at(4) == ("open", None, "breached again")


def test_what_leads_nowhere_or_says_nothing_is_refused_and_not_written(store: Store) -> None:
    with pytest.raises(NotAllowed, match="open"):
        _take(store, "reopen", "ann", 1)
    with pytest.raises(Refused, match="why"):
        _take(store, "close", "ann", 1, " ")
    with pytest.raises(Refused, match="one of"):
        _take(store, "forget", "ann", 1)
    with pytest.raises(Refused, match="id"):
        alerts.act(store, "John Smith", "close", by="ann", at=AT, why="seen")
    _take(store, "close", "ann", 2)
    with pytest.raises(NotAllowed, match="closed"):
        _take(store, "close", "ann", 3)
    assert len(alerts.standing(store, AT + timedelta(days=1))) == 1
