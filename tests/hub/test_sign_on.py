"""Single sign-on against a provider of the tests' own: who it vouches for comes in, and nobody else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi.testclient import TestClient
from sqlalchemy import update

from hub import accounts
from hub.accounts import BadAccount
from hub.app import create_app
from hub.releases import Releases
from hub.settings import RoleClaim, Settings, SingleSignOn
from hub.sign_on import SignOnFailed, _standing, role_claims
from hub.tables import users
from tests.hub.conftest import PASSWORD, Browser, Clock
from tests.hub.provider import CLIENT, ISSUER, SECRET, Provider


@pytest.fixture(scope="module")
def key() -> Any:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def browser(root: Path, clock: Clock, provider: Provider, releases: Releases) -> Callable[[], Browser]:
    sign_on = SingleSignOn(ISSUER, CLIENT, SECRET, "http://testserver/sign-on/back")
    app = create_app(Settings(root, clock, single_sign_on=sign_on), TestClient(provider.app, base_url=ISSUER))
    app.state.hub.releases = releases
    app.state.hub.accounts.add(
        "ann",
        label="Ann",
        role="oversight",
        force_code=None,
        password=None,
        sign_on_subject=f"{ISSUER}|ann",
        by="test",
        at=clock(),
    )
    return lambda: Browser(app, follow_redirects=False)


def _back(visitor: Browser, code: str, state: str) -> int:
    return visitor.get("/sign-on/back", params={"code": code, "state": state}).status_code


def test_who_the_provider_vouches_for_comes_in(browser: Callable[[], Browser], provider: Provider) -> None:
    visitor = browser()
    code, state = provider.agree(visitor.get("/sign-on").headers["location"])
    assert _back(visitor, code, state) == 200
    assert "Ann" in visitor.get("/").text


def test_a_way_back_is_good_once_and_for_the_browser_that_began_it(
    browser: Callable[[], Browser], provider: Provider
) -> None:
    visitor, thief = browser(), browser()
    code, state = provider.agree(visitor.get("/sign-on").headers["location"])
    assert _back(thief, code, state) == 401
    assert _back(visitor, code, "x" * 43) == 401
    assert _back(visitor, code, state) == 200
    visitor.cookies.delete("vawg_session")
    visitor.cookies.set("vawg_sign_on", state)
    assert _back(visitor, code, state) == 401
    # An account of single sign-on has no password that could be guessed.
    assert thief.post("/sign-in", data={"user_id": "ann", "password": ""}).status_code == 401


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": "somebody else"},
        {"aud": "another client"},
        {"iss": "https://evil.test"},
        {"exp": 1},
        {"nonce": "of another sign-on"},
    ],
)
def test_a_token_that_says_something_else_lets_nobody_in(
    browser: Callable[[], Browser], provider: Provider, claims: dict[str, Any]
) -> None:
    provider.claims, visitor = claims, browser()
    code, state = provider.agree(visitor.get("/sign-on").headers["location"])
    assert _back(visitor, code, state) == 401
    assert "vawg_session" not in visitor.cookies


def test_a_token_signed_with_another_key_or_with_the_client_s_secret_lets_nobody_in(
    browser: Callable[[], Browser], provider: Provider, key: Any
) -> None:
    for signing_key, algorithm in ((key, "RS256"), (SECRET * 4, "HS256")):
        provider.signing_key, provider.algorithm, visitor = signing_key, algorithm, browser()
        code, state = provider.agree(visitor.get("/sign-on").headers["location"])
        assert _back(visitor, code, state) == 401


def test_an_account_has_one_door_and_a_password_of_before_opens_no_second(
    browser: Callable[[], Browser], clock: Clock
) -> None:
    visitor = browser()
    held = visitor.app.state.hub.accounts
    with pytest.raises(BadAccount, match="single sign-on"):
        held.set_password("ann", PASSWORD, by="test", at=clock())
    both = {"password": PASSWORD, "sign_on_subject": f"{ISSUER}|bea"}
    with pytest.raises(BadAccount, match="either"):
        held.add("bea", label="Bea", role="oversight", force_code=None, by="test", at=clock(), **both)
    with pytest.raises(BadAccount, match="of that subject"):
        one = {"password": None, "sign_on_subject": f"{ISSUER}|ann"}
        held.add("bea", label="Bea", role="oversight", force_code=None, by="test", at=clock(), **one)
    # As an administrator's page made it before.
    with held.engine.begin() as connection:
        connection.execute(update(users).values(password_hash=accounts._HASHER.hash(PASSWORD)))
    assert visitor.post("/sign-in", data={"user_id": "ann", "password": PASSWORD}).status_code == 401


def test_a_group_whose_name_stands_in_another_s_is_not_that_group() -> None:
    table = (RoleClaim("groups", "oversight", "oversight"), RoleClaim("groups", "users", "administrator"))
    assert _standing(table, {"groups": ["oversight", "oversight-canteen"]}) == ("oversight", None)
    assert _standing(table, {"groups": "users"}) == ("administrator", None)
    assert _standing((), {"groups": "users"}) is None
    for given in ("oversight-canteen", ["oversight", "users"], None, [], {"oversight": 1}):
        with pytest.raises(SignOnFailed):
            _standing(table, {"groups": given})


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("claim,value,role\ngroups,x,oversight\n", "columns"),
        ("claim,value,role,force_code\n", "at least"),
        ("claim,value,role,force_code\ngroups,,oversight,\n", "at least"),
        ("claim,value,role,force_code\ngroups,x,emperor,\n", "a role is one of"),
        ("claim,value,role,force_code\ngroups,x,force_analyst,\n", "force's code"),
    ],
)
def test_a_table_of_claims_that_cannot_hold_is_refused_at_the_start(
    tmp_path: Path, rows: str, says: str
) -> None:
    table = tmp_path / "roles.csv"
    table.write_text(rows, encoding="utf-8")
    with pytest.raises(BadAccount, match=says):
        role_claims(table)
