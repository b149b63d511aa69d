"""Every page that a role can open: by WCAG 2.2 AA as far as axe can tell, no wider than a phone, and by the keyboard alone."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI
from playwright.sync_api import Page, expect

from hub.access import roles
from tests.hub.conftest import routes_to_get
from tests.hub.journeys.rules import broken_on
from tests.hub.releases import P1, A
from tests.hub.test_pages import PAGES

pytestmark = pytest.mark.heavy
# What is no page of its own: a file, an answer to a program, a step that leads on, or a page with a test of its own.
NO_PAGE = {
    "/marts/{mart}.{kind}",
    "/marts/{mart}/metadata.json",
    "/statistics/download.{kind}",
    "/api/marts",
    "/sign-on",
    "/sign-on/back",
    "/sign-on/out",
    "/oversight/pages/{name}",
    "/publication/{path:path}",
    "/returns/{force}/{submission}",
    "/returns/{force}/{submission}/findings.csv",
    "/returns/{force}/consequences/{name}",
}
# Opened by whoever is not signed in, by everybody, or with something wrong.
MORE = {"/sign-in", "/signed-out", "/purpose", "/nowhere", "/marts/no_such_mart.csv", f"/persons/{A}"}


def test_no_page_is_left_out(app: FastAPI) -> None:
    known = {urlsplit(path).path.replace(P1, "{person_id}") for path in (*PAGES, *MORE)}
    found = {route.path for route in routes_to_get(app)}
    assert len(found) > 20
    assert found - known - NO_PAGE == set()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("role", list(roles()))
def test_every_page_of_a_role_breaks_no_rule_and_fits(
    sign_in: Callable[..., Page], role: str, width: int
) -> None:
    page, found = sign_in(role, width=width), []
    if "identifiable" in roles()[role].may:
        page.goto("/purpose")
        found += broken_on(page, "/purpose")
        page.locator("#p-monthly_review").check()
        page.get_by_role("button", name="Go on").click()
    for path, permission in PAGES.items():
        if permission is None or permission in roles()[role].may:
            page.goto(path)
            found += broken_on(page, path)
    for path in sorted(MORE - {"/purpose"}):
        page.goto(path)
        found += broken_on(page, path)
    if "identifiable" in roles()[role].may:
        for name in ("Ashworth", "Nobody Whatever"):
            page.goto("/search")
            page.get_by_label("What for").select_option("right_to_ask")
            page.get_by_label("Name").fill(name)
            page.get_by_role("button", name="Search").click()
            found += broken_on(page, f"search for {name}")
        page.get_by_role("button", name="Result to print").click()
        found += broken_on(page, "a result to print")
        page.goto(f"/persons/{P1}")
        page.get_by_role("button", name="print").click()
        found += broken_on(page, "a pack")
    if "sql" in roles()[role].may:
        for query in ("SELECT * FROM national_statistics", "SELECT nothing FROM nowhere"):
            page.goto("/sql")
            page.get_by_label("Query").fill(query)
            page.get_by_role("button", name="Run", exact=True).click()
            found += broken_on(page, query)
    page.goto("/account")
    page.locator("#old").fill("wrong")
    page.locator("#new").fill("another horse, another battery")
    page.locator("#again").fill("another horse, another battery")
    page.get_by_role("button", name="Change password").click()
    found += broken_on(page, "a password refused")
    assert found == []


def test_a_search_goes_by_the_keyboard_alone(sign_in: Callable[..., Page]) -> None:
    page = sign_in("national_analyst")
    page.goto("/search")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    met = []

    def on_to(name: str) -> None:
        for _ in range(15):
            page.keyboard.press("Tab")
            told = page.evaluate(
                """() => { const e = document.activeElement, s = getComputedStyle(e);
                return [e.id || e.innerText, s.outlineStyle, parseFloat(s.outlineWidth)]; }"""
            )
            met.append(told[0])
            # Whoever sees the page sees where they are.
            assert told[1] != "none" and told[2] >= 2, told
            if told[0] == name:
                return
        raise AssertionError(f"no way to {name}: {met}")

    on_to("f-purpose")
    page.keyboard.type("R")
    on_to("name")
    page.keyboard.type("Jonathon Ashworth")
    on_to("Search")
    page.keyboard.press("Enter")
    page.get_by_role("region", name="Found").wait_for()
    page.get_by_role("link", name="Skip to the content").focus()
    page.keyboard.press("Enter")
    met.clear()
    on_to(P1)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=f"Person {P1}")).to_be_visible()
    # No trap: the keyboard comes round to where it began.
    seen = set()
    for _ in range(200):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("() => document.activeElement.className + document.activeElement.innerText"))
        if page.evaluate("() => document.activeElement === document.body") and len(seen) > 5:
            break
    else:
        raise AssertionError("two hundred steps and no end")
