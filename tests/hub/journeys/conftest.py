"""A hub that really listens, and pages of a real browser in it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page

from hub.access import roles
from tests.hub.conftest import PASSWORD
from tests.hub.releases import A


@pytest.fixture
def address(app: FastAPI) -> Iterator[str]:
    """Where the hub listens: this machine alone, on a port that was free."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.02)
    assert server.started
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def sign_in(window: Chromium, app: FastAPI, address: str) -> Iterator[Callable[..., Page]]:
    """`sign_in(role)` comes in by the form, as somebody of that role, of `force` where the role is of a force.

    Whatever a page writes to the browser's console as an error, or asks of another host, fails the test.
    """
    said: list[str] = []
    contexts = []

    def come(role: str, name: str | None = None, width: int = 1280, force: str | None = A) -> Page:
        name, hub = name or role.replace("_", "-"), app.state.hub
        force = force if roles()[role].is_of_a_force else None
        hub.accounts.add(
            name,
            label=name,
            role=role,
            force_code=force,
            password=PASSWORD,
            by="test",
            at=hub.settings.now(),
        )
        context = window.new_context(base_url=address, viewport={"width": width, "height": 900})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda r: None if r.url.startswith(address) else said.append(r.url))
        page.goto("/sign-in")
        page.get_by_label("Name").fill(name)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("button", name="Sign out").wait_for()
        return page

    yield come
    for context in contexts:
        context.close()
    assert said == []
