"""Passwords and tokens: whose they are, and with what they end."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi import FastAPI

from decisions import audit
from tests.hub.conftest import PASSWORD, Browser

NEW = "another horse, another battery"


def _token(visitor: Browser) -> str:
    page = visitor.submit("/account/tokens", label="a notebook").text
    return page.split("Shown this once: <code>")[1].split("<")[0]


def _asks(visitor: Browser, token: str) -> int:
    return visitor.get("/api/marts", headers={"Authorization": f"Bearer {token}"}).status_code


@pytest.mark.parametrize("act", ["a new password", "shut out", "a password of one's own"])
def test_tokens_and_sessions_end_with_the_password_and_with_the_account(
    browser: Callable[..., Browser], act: str
) -> None:
    analyst, administrator = browser("national_analyst"), browser("administrator")
    token = _token(analyst)
    assert _asks(analyst, token) == 200
    if act == "a new password":
        assert administrator.submit("/users/national-analyst/password").status_code == 200
    elif act == "shut out":
        administrator.submit("/users/national-analyst", role="national_analyst")
        # Who is let in again later comes with no key of before.
        administrator.submit("/users/national-analyst", role="national_analyst", is_active="yes")
    else:
        told = {"old": PASSWORD, "new": NEW, "again": NEW}
        assert analyst.submit("/account/password", **told).status_code == 200
    assert _asks(analyst, token) == 401
    assert analyst.get("/account").status_code == (200 if act.endswith("own") else 303)


def test_somebody_changes_their_password_knowing_the_old_one_and_is_signed_out_elsewhere(
    browser: Callable[..., Browser], app: FastAPI
) -> None:
    here = browser("oversight")
    there = Browser(app, follow_redirects=False)
    there.post("/sign-in", data={"user_id": "oversight", "password": PASSWORD})
    for told, says in (
        ({"old": "not this one", "new": NEW, "again": NEW}, "not your password"),
        ({"old": PASSWORD, "new": NEW, "again": NEW + "."}, "the same twice"),
        ({"old": PASSWORD, "new": "short", "again": "short"}, "at least"),
        ({"old": PASSWORD, "new": PASSWORD, "again": PASSWORD}, "the old one"),
    ):
        refused = here.submit("/account/password", **told)
        assert refused.status_code == 400 and says in refused.text
    assert there.get("/account").status_code == 200
    assert "is changed" in here.submit("/account/password", old=PASSWORD, new=NEW, again=NEW).text
    assert here.get("/account").status_code == 200
    assert there.get("/account").status_code == 303
    for password, status in ((PASSWORD, 401), (NEW, 303)):
        assert (
            there.post("/sign-in", data={"user_id": "oversight", "password": password}).status_code == status
        )
    with app.state.hub.store.reading() as connection:
        logged = audit.entries(connection)
    actions = [e.action for e in logged]
    assert "hub_password_change_refused" in actions and "hub_password_changed" in actions
    assert NEW not in str(logged)


def test_a_session_left_open_is_no_place_to_guess_the_password(browser: Callable[..., Browser]) -> None:
    visitor = browser("oversight")
    for _ in range(5):
        visitor.submit("/account/password", old="a guess", new=NEW, again=NEW)
    answer = visitor.submit("/account/password", old=PASSWORD, new=NEW, again=NEW)
    assert answer.status_code == 400 and "locked" in answer.text


def test_whoever_signs_on_gets_no_password_from_an_administrator(
    browser: Callable[..., Browser], app: FastAPI
) -> None:
    administrator = browser("administrator")
    made = administrator.submit(
        "/users", user_id="ann", label="Ann", role="oversight", sign_on_subject="https://issuer.test|ann"
    )
    assert made.status_code == 200 and "shown this once" not in made.text
    assert 'action="/users/ann/password"' not in made.text
    assert administrator.submit("/users/ann/password").status_code == 400
