"""A hub over the handmade release, and browsers of every role."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from httpx import Response

from hub import accounts
from hub.access import roles
from hub.app import create_app
from hub.releases import Releases
from hub.settings import Settings
from tests.hub.releases import A, write_release

PASSWORD = "correct horse battery staple"


def routes_to_get(app: FastAPI) -> Iterator[APIRoute]:
    """Every route of a hub that answers GET, also in the routers that it includes."""
    for route in app.routes:
        for inner in getattr(getattr(route, "original_router", None), "routes", [route]):
            if isinstance(inner, APIRoute) and "GET" in inner.methods:
                yield inner


class Clock:
    """Stands still but for a millisecond a look, so that no two acts are at one moment."""

    def __init__(self) -> None:
        self.at = datetime(2026, 4, 1, 9, 0, 0)

    def __call__(self) -> datetime:
        self.at += timedelta(milliseconds=1)
        return self.at


class Browser(TestClient):
    """A signed-in browser that follows no redirect by itself."""

    def token(self) -> str:
        return re.findall(r'name="form_token" value="([0-9a-f]{64})"', self.get("/account").text)[0]

    def submit(self, path: str, **fields: str) -> Response:
        return self.post(path, data={"form_token": self.token(), **fields})


@pytest.fixture(scope="session", autouse=True)
def _cheap_hashes() -> Iterator[None]:
    """What makes a password slow to guess would make every test slow."""
    slow, accounts._HASHER = accounts._HASHER, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    yield
    accounts._HASHER = slow


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with the handmade release: to be read, never written to."""
    root = tmp_path_factory.mktemp("released")
    write_release(root)
    return root


@pytest.fixture(scope="session")
def releases(released: Path) -> Releases:
    """What is opened of the handmade release, for every hub of the tests."""
    return Releases(released / "releases", lookups=released / "hub" / "lookups", patience=60)


@pytest.fixture
def root(tmp_path: Path, released: Path) -> Path:
    (tmp_path / "releases").symlink_to(released / "releases", target_is_directory=True)
    return tmp_path


@pytest.fixture
def app(root: Path, clock: Clock, releases: Releases) -> FastAPI:
    made = create_app(Settings(root, clock))
    made.state.hub.releases = releases
    return made


@pytest.fixture
def browser(app: FastAPI) -> Callable[..., Browser]:
    """`browser(role)` signs in somebody of a role, of force A where the role is of a force, with a purpose stated."""

    def sign_in(
        role: str, name: str | None = None, force: str = A, purpose: str | None = "monthly_review"
    ) -> Browser:
        name = name or role.replace("_", "-")
        hub = app.state.hub
        hub.accounts.add(
            name,
            label=name,
            role=role,
            force_code=force if roles()[role].is_of_a_force else None,
            password=PASSWORD,
            by="test",
            at=hub.settings.now(),
        )
        found = Browser(app, follow_redirects=False)
        assert found.post("/sign-in", data={"user_id": name, "password": PASSWORD}).status_code == 303
        if purpose and roles()[role].code not in ("force_submitter", "administrator"):
            assert found.submit("/purpose", purpose=purpose).status_code == 303
        return found

    return sign_in
