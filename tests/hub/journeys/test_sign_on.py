"""Single sign-on through a provider that is not ours, in a real browser: by its own pages, and on another site than the hub."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect

from decisions import audit
from hub.settings import RoleClaim, SingleSignOn
from tests.hub.journeys.organisation import CLIENT, OTHER, PASSWORD, SECRET, Organisation, organisation
from tests.hub.releases import A

pytestmark = pytest.mark.heavy
ROLES = (
    RoleClaim("groups", "vawg-oversight", "oversight"),
    RoleClaim("groups", "vawg-analysts", "force_analyst", A),
)


@pytest.fixture(scope="module")
def provider() -> Iterator[Organisation]:
    with organisation() as found:
        found.has("ann", ["vawg-oversight", "canteen"])
        found.has("ben", ["vawg-analysts"])
        found.has("cal", ["vawg-oversight", "vawg-analysts"])
        found.has("dan", ["canteen"])
        found.has("eve", ["vawg-oversight"])
        yield found


@pytest.fixture
def site(address: str, app: FastAPI, provider: Organisation) -> str:
    """The hub, told of the provider. Browsers take localhost and 127.0.0.1 for two sites, so cookies are held as between two hosts."""
    found, hub = address.replace("127.0.0.1", "localhost"), app.state.hub
    sign_on = SingleSignOn(provider.issuer, CLIENT, SECRET, f"{found}/sign-on/back", "openid groups", ROLES)
    hub.settings = replace(hub.settings, single_sign_on=sign_on)
    provider.serves(found)
    for name in ("ann", "ben", "cal", "dan"):
        hub.accounts.add(
            name,
            label=name.title(),
            role="administrator",
            force_code=None,
            password=None,
            sign_on_subject=f"{provider.issuer}|{name}",
            by="test",
            at=hub.settings.now(),
        )
    return found


@pytest.fixture
def come(window: Chromium, site: str) -> Iterator[Callable[[str], Page]]:
    """`come(name)` goes to the provider from the hub's door, signs in there and comes back."""
    contexts = []

    def sign_on(name: str) -> Page:
        contexts.append(window.new_context(base_url=site))
        page = contexts[-1].new_page()
        page.set_default_timeout(20_000)
        page.goto("/sign-in")
        page.get_by_role("link", name="Sign in with your organisation").click()
        page.locator("#login").fill(name)
        page.get_by_role("button", name="Continue").click()
        page.locator("#password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.wait_for_url(f"{site}/sign-on/back?**")
        return page

    yield sign_on
    for context in contexts:
        context.close()


def _is_out(page: Page) -> bool:
    page.goto("/account")
    return urlsplit(page.url).path == "/sign-in"


def test_who_signs_on_has_the_role_of_the_claim_and_signs_off_here_and_there(
    come: Callable[[str], Page], app: FastAPI, provider: Organisation
) -> None:
    page = come("ann")
    page.get_by_role("link", name="Go on to the hub").click()
    expect(page.locator(".role")).to_have_text("Oversight")
    page.goto("/account")
    expect(page.get_by_text("there is no password here")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Signed out")).to_be_visible()
    assert _is_out(page)
    # Out of the hub alone: the provider asks for no password.
    page.get_by_role("link", name="Sign in with your organisation").click()
    page.get_by_role("link", name="Go on to the hub").click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("link", name="Sign out at your organisation too").click()
    page.get_by_role("button", name="Logout").click()
    page.goto("/sign-on")
    expect(page.locator("#login")).to_be_visible()
    with app.state.hub.store.reading() as connection:
        logged = [(e.action, e.who) for e in audit.entries(connection) if e.subject == "ann"]
    assert logged[1:] == [
        ("hub_user_changed", "single-sign-on:claims"),
        *([("hub_signed_on", "ann"), ("hub_signed_out", "ann")] * 2),
    ]


def test_a_role_of_a_force_comes_with_the_force(come: Callable[[str], Page]) -> None:
    page = come("ben")
    page.get_by_role("link", name="Go on to the hub").click()
    expect(page.locator(".role")).to_have_text("Force analyst, Avon and Somerset")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("eve", id="no account, whatever the claims say"),
        pytest.param("cal", id="two roles"),
        pytest.param("dan", id="no role"),
    ],
)
def test_somebody_whom_the_hub_cannot_place_is_not_let_in(come: Callable[[str], Page], name: str) -> None:
    page = come(name)
    expect(page.get_by_role("alert")).to_contain_text("let nobody in here")
    assert _is_out(page)


def _with(address: str, **changed: str) -> str:
    said = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    return f"{address.partition('?')[0]}?{urlencode(said | changed)}"


@pytest.mark.parametrize(
    ("there", "back"),
    [
        pytest.param({}, {"state": "x" * 43}, id="another state"),
        pytest.param({"nonce": "x" * 43}, {}, id="another nonce"),
        pytest.param({"code_challenge": "x" * 43}, {}, id="another challenge"),
    ],
)
def test_a_way_that_was_meddled_with_lets_nobody_in(
    come: Callable[[str], Page], provider: Organisation, there: dict[str, str], back: dict[str, str]
) -> None:
    page = come("ann")
    page.context.clear_cookies(name="vawg_session")

    def go(there: dict[str, str], back: dict[str, str]) -> None:
        # Step by step, as the browser that is signed in at the provider would go by itself.
        asked = page.request.get("/sign-on", max_redirects=0).headers["location"]
        answer = page.request.get(_with(asked, **there), max_redirects=0).headers["location"]
        page.goto(_with(answer, **back))

    go(there, back)
    expect(page.get_by_role("alert")).to_contain_text("let nobody in here")
    assert _is_out(page)
    provider.forgets_codes()
    go({}, {})
    assert not _is_out(page)


def test_a_token_for_another_audience_lets_nobody_in(
    come: Callable[[str], Page], site: str, provider: Organisation
) -> None:
    provider.serves(site, audience=OTHER)
    page = come("ann")
    expect(page.get_by_role("alert")).to_contain_text("let nobody in here")
    assert _is_out(page)
