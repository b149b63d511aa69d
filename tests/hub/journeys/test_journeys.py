"""The main ways through the hub, in a real browser: send a return, review, search, query, stop a list."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi import FastAPI
from playwright.sync_api import Page, expect

from decisions import access, review
from tests.hub.releases import P1, A

pytestmark = pytest.mark.heavy
SignIn = Callable[..., Page]


def _state_purpose(page: Page) -> None:
    page.locator("#p-monthly_review").check()
    page.get_by_role("button", name="Go on").click()


def _menu(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name=name, exact=True).click()


def _zip(path: Path, force: str) -> Path:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("submission.json", json.dumps({"force_code": force}))
    path.write_bytes(sink.getvalue())
    return path


def test_a_force_submits_its_return(sign_in: SignIn, root: Path, tmp_path: Path) -> None:
    page = sign_in("force_submitter")
    _menu(page, "Returns")
    page.get_by_label("One zip").set_input_files(_zip(tmp_path / "of_another_force.zip", "E23000026"))
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("does not name your force")).to_be_visible()
    page.goto("/returns")
    page.get_by_label("One zip").set_input_files(_zip(tmp_path / "avon_2026-03_1.zip", A))
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", name="Waiting to be taken in")).to_be_visible()
    expect(page.get_by_text("avon_2026-03_1.zip")).to_be_visible()
    assert [f.name for f in (root / "landing").iterdir()] == ["avon_2026-03_1.zip"]


def test_a_review_takes_the_evidence_first_and_two_people(sign_in: SignIn, app: FastAPI) -> None:
    first, second = sign_in("reviewer", "ann"), sign_in("second_reviewer", "ben")

    def open_person(page: Page) -> None:
        page.goto("/lists")
        _state_purpose(page)
        page.get_by_role("link", name=P1).first.click()
        expect(page.get_by_text("The evidence comes first")).to_be_visible()
        page.get_by_role("button", name="Record my view").click()
        expect(page.get_by_text("The evidence comes first")).to_have_count(0)

    def take(page: Page, act: str, reason: str, note: str | None = None) -> None:
        acts = page.locator(".acts details").filter(has=page.locator(f'form[action$="/acts/{act}"]'))
        acts.locator("summary").click()
        acts.get_by_label("Reason").select_option(reason)
        acts.get_by_label("In words").fill("two reports in a year")
        acts.get_by_label("Yes").check()
        if note:
            acts.locator('input[name="note"]').fill(note)
        acts.get_by_role("button").click()

    open_person(first)
    take(first, "triage", "evidence_as_listed")
    take(first, "confirm", "repeated_harm", "nothing less was enough")
    expect(first.get_by_text("ann asked to confirm")).to_be_visible()
    open_person(second)
    take(second, "approve", "agreed_on_own_view")
    expect(second.get_by_text("is confirmed")).to_be_visible()
    hub = app.state.hub
    assert [a.by for a in review.in_force(hub.store, hub.settings.now())[0].acts][-1] == "ben"


def test_a_search_finds_a_person_by_a_name_with_a_slip(sign_in: SignIn, app: FastAPI) -> None:
    page = sign_in("national_analyst")
    _menu(page, "Search")
    page.get_by_label("What for").select_option(index=1)
    page.get_by_label("Name").fill("Jonathon Ashworth")
    page.get_by_role("button", name="Search").click()
    found = page.get_by_role("region", name="Found")
    expect(found.get_by_role("link", name=P1).first).to_be_visible()
    found.get_by_role("link", name=P1).first.click()
    expect(page.get_by_role("heading", name=f"Person {P1}")).to_be_visible()
    with app.state.hub.store.reading() as connection:
        kinds = [a.kind for a in access.accesses(connection)]
    assert kinds[0] == "search" and kinds[-1] == "view"


def test_a_query_answers_and_nothing_but_a_select_is_run(sign_in: SignIn) -> None:
    page = sign_in("national_analyst")
    _menu(page, "SQL")
    page.get_by_label("Query").fill("SELECT count(*) AS n FROM national_statistics")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_role("region", name="Answer").get_by_role("cell")).to_have_text("2")
    page.get_by_label("Query").fill("DROP TABLE national_statistics")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("one SELECT")
    page.get_by_label("Query").fill("SELECT 1 AS one")
    page.get_by_label("Answer as").select_option("csv")
    with page.expect_download() as taken:
        page.get_by_role("button", name="Run", exact=True).click()
    assert Path(taken.value.path()).read_text(encoding="utf-8").split() == ['"one"', "1"]


def test_a_stopped_list_is_seen_by_nobody_and_says_why(sign_in: SignIn) -> None:
    oversight, analyst = sign_in("oversight"), sign_in("national_analyst", width=390)
    analyst.goto("/lists")
    _state_purpose(analyst)
    expect(analyst.get_by_role("link", name=P1).first).to_be_visible()
    _menu(oversight, "Oversight")
    oversight.get_by_label("List", exact=True).select_option("all")
    oversight.get_by_label("Reason", exact=True).select_option("unequal_treatment")
    oversight.get_by_label("In words that name no person").fill("ratio under two thirds")
    oversight.get_by_role("button", name="Suspend").click()
    expect(oversight.get_by_role("alert")).to_contain_text("ratio under two thirds")
    analyst.reload()
    expect(analyst.get_by_role("alert")).to_contain_text("ratio under two thirds")
    expect(analyst.get_by_role("link", name=P1)).to_have_count(0)
    oversight.get_by_label("In words", exact=True).fill("mended")
    oversight.get_by_role("button", name="Show it again").click()
    analyst.reload()
    expect(analyst.get_by_role("link", name=P1).first).to_be_visible()
