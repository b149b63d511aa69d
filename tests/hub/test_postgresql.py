"""The hub with its own tables and the decisions in PostgreSQL."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from fastapi import FastAPI

from decisions import alerts, audit, review
from hub.app import create_app
from hub.releases import Releases
from hub.settings import Settings
from tests.hub.conftest import PASSWORD, Browser, Clock
from tests.hub.releases import P1
from tests.postgresql import empty_database

pytestmark = pytest.mark.heavy


@pytest.fixture
def app(root: Path, clock: Clock, releases: Releases) -> FastAPI:
    url = empty_database()
    made = create_app(Settings(root, clock, hub_url=url, decisions_url=url))
    made.state.hub.releases = releases
    return made


def test_a_hub_over_postgresql_lets_in_logs_reviews_and_takes_up_alerts(app: FastAPI) -> None:
    hub = app.state.hub
    hub.accounts.add(
        "ann",
        label="Ann",
        role="reviewer",
        force_code=None,
        password=PASSWORD,
        by="test",
        at=hub.settings.now(),
    )
    visitor = Browser(app, follow_redirects=False)
    wrong = visitor.post("/sign-in", data={"user_id": "ann", "password": "wrong"})
    right = visitor.post("/sign-in", data={"user_id": "ann", "password": PASSWORD})
    assert (wrong.status_code, right.status_code) == (401, 303)
    assert visitor.submit("/purpose", purpose="monthly_review").status_code == 303
    assert visitor.submit(f"/persons/{P1}/acts/view", reason="monthly_review").status_code == 303
    assert visitor.submit("/sql", sql="SELECT 1 AS one", save="one").status_code == 200
    alerts.act(hub.store, "0" * 32, "close", by="ann", at=hub.settings.now(), why="seen")
    # Those who look at once queue for the log, and nobody is lost.
    looks = [threading.Thread(target=visitor.get, args=("/lists",)) for _ in range(8)]
    for look in looks:
        look.start()
    for look in looks:
        look.join()
    with hub.store.reading() as connection:
        actions = [entry.action for entry in audit.entries(connection)]
    assert actions.count("access_view") == 8 and "review_view" in actions
    assert audit.verify(hub.store) is None and review.verify(hub.store) is None
    hub.store.engine.dispose()
    hub.engine.dispose()
