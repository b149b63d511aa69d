"""The review workflow in the browser: four eyes by who is signed in, and a list that is stopped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi import FastAPI

from decisions import identity, review
from hub.releases import Releases
from tests.hub.conftest import Browser
from tests.hub.releases import OLD, P1, ROWS, A, B, write_release

WORDS = {"why": "two reports in a year", "agrees": "yes"}


def _act(visitor: Browser, act: str, **fields: str) -> int:
    return visitor.submit(f"/persons/{P1}/acts/{act}", **fields).status_code


def test_what_one_asks_for_another_approves_whatever_name_the_form_claims(
    browser: Callable[..., Browser], app: FastAPI
) -> None:
    one, second = browser("second_reviewer", "ann"), browser("second_reviewer", "ben")
    assert _act(one, "triage", reason="evidence_as_listed", **WORDS) == 409, "nobody has looked yet"
    assert _act(one, "view", reason="monthly_review") == 303
    assert _act(one, "triage", reason="evidence_as_listed", **WORDS) == 303
    assert _act(one, "confirm", reason="repeated_harm", note="nothing less was enough", **WORDS) == 303
    approval = {"reason": "agreed_on_own_view", **WORDS}
    assert _act(one, "approve", **approval, by="ben", user_id="ben") == 409
    assert _act(second, "approve", **approval) == 409, "ben has not looked"
    assert _act(second, "view", reason="second_look") == 303
    assert _act(second, "approve", **approval) == 303
    hub = app.state.hub
    entry = review.in_force(hub.store, hub.settings.now())[0]
    assert entry.state == "confirmed"
    assert [(act.name, act.by) for act in entry.acts] == [
        ("view", "ann"),
        ("triage", "ann"),
        ("confirm", "ann"),
        ("view", "ben"),
        ("approve", "ben"),
    ]
    assert "R000001" in one.get("/reviews").text


def test_who_is_suspected_beside_others_is_confirmed_by_what_they_did(
    browser: Callable[..., Browser], app: FastAPI, tmp_path: Path
) -> None:
    first, *others = ROWS["ranked_perpetrator_offences"]
    write_release(tmp_path / "shared", ranked_perpetrator_offences=[first | {"n_co_suspects": 2}, *others])
    app.state.hub.releases = Releases(tmp_path / "shared" / "releases")
    one = browser("second_reviewer", "ann")
    assert _act(one, "view", reason="monthly_review") == 303
    assert _act(one, "triage", reason="evidence_as_listed", **WORDS) == 303
    assert 'name="role" required' in one.get(f"/persons/{P1}").text
    asked = {"reason": "repeated_harm", "note": "nothing less was enough", **WORDS}
    assert _act(one, "confirm", **asked) == 409
    assert _act(one, "confirm", **asked, role="held the door") == 303
    assert "role beside other suspects: held the door" in one.get(f"/persons/{P1}").text


def test_acts_of_review_are_for_the_roles_that_include_them(
    browser: Callable[..., Browser], app: FastAPI
) -> None:
    for role in ("force_analyst", "national_analyst", "oversight", "administrator", "force_submitter"):
        assert _act(browser(role), "view", reason="monthly_review") == 403, role
    reviewer = browser("reviewer")
    assert _act(reviewer, "approve", reason="agreed_on_own_view", **WORDS) == 403
    assert _act(reviewer, "history", reason="x") == 403, "a function of the module that is no act"
    assert not review.in_force(app.state.hub.store, app.state.hub.settings.now())


def test_identities_are_decided_undone_and_revoked(browser: Callable[..., Browser], app: FastAPI) -> None:
    visitor, hub = browser("reviewer"), app.state.hub
    pair = {"one": f"{A}|N1", "other": f"{B}|N8", "why": "another birthplace"}
    assert visitor.submit("/identities/decide", kind="cannot_link", **pair).status_code == 303
    assert visitor.submit("/identities/decide", kind="must_link", **pair).status_code == 409
    assert visitor.submit("/identities/undo", person_id=P1, retired=OLD, why="wrong").status_code == 303
    first, undone = identity.in_force(hub.store, hub.settings.now())
    assert (undone.kind, undone.records, undone.other_records) == ("cannot_link", (f"{A}|N1",), (f"{B}|N7",))
    assert undone.decided_by == "reviewer"
    assert (
        visitor.submit(f"/identities/{first.decision_id}/revoke", why="birthplace mended").status_code == 303
    )
    assert len(identity.in_force(hub.store, hub.settings.now())) == 1


def test_nothing_is_decided_about_a_record_that_the_decider_may_not_see(
    browser: Callable[..., Browser], app: FastAPI
) -> None:
    """The page offers no form for it; a form made by hand is refused as well."""
    unseen = {"kind": "must_link", "one": f"{A}|N1", "other": f"{B}|N0", "why": "same address"}
    refused = browser("reviewer").submit("/identities/decide", **unseen)
    assert refused.status_code == 400 and "1 of the 2 nominals" in refused.text
    assert not identity.in_force(app.state.hub.store, app.state.hub.settings.now())


@pytest.mark.parametrize(
    ("stopped", "column", "value"),
    [("national", "national_rank", "4711"), (A, "list_place", "4242")],
)
def test_places_on_a_suspended_list_are_shown_nowhere_else(
    browser: Callable[..., Browser], stopped: str, column: str, value: str
) -> None:
    oversight, analyst = browser("oversight"), browser("national_analyst")
    query = f"SELECT {column} AS n FROM ranked_perpetrators WHERE person_id = '{P1}'"
    doors = (
        lambda who: who.submit("/sql", sql=query).text,
        lambda who: who.get("/marts/ranked_perpetrators.csv").text,
        lambda who: who.get("/marts/ranked_perpetrators.csv?columns=" + column).text,
    )
    assert all(value in door(analyst) for door in doors)
    stop = {"scope": stopped, "reason": "unequal_treatment", "why": "ratio under two thirds"}
    assert oversight.submit("/oversight/suspend", **stop).status_code == 303
    assert not any(value in door(analyst) for door in doors)
    assert all(value in door(oversight) for door in doors)
    page = analyst.get(f"/persons/{P1}").text
    assert "ratio under two thirds" in page and value not in page
    # The places of another list stand.
    other = {"national": "4242", A: "4711"}[stopped]
    assert other in analyst.get("/marts/ranked_perpetrators.csv").text


def test_a_suspended_list_is_shown_nowhere_and_every_page_of_it_says_why(
    browser: Callable[..., Browser],
) -> None:
    oversight, analyst = browser("oversight"), browser("national_analyst")
    stop = {"scope": "all", "reason": "unequal_treatment", "why": "ratio under two thirds"}
    assert analyst.submit("/oversight/suspend", **stop).status_code == 403
    assert P1 in analyst.get("/lists").text
    assert oversight.submit("/oversight/suspend", **stop).status_code == 303
    assert oversight.submit("/oversight/suspend", **stop).status_code == 409
    page = analyst.get("/lists").text
    assert "ratio under two thirds" in page and P1 not in page
    assert analyst.get("/marts/perpetrator_lists.csv").text.count("\n") == 1
    query = "SELECT count(*) AS n FROM perpetrator_lists"
    assert "<td>0</td>" in analyst.submit("/sql", sql=query).text
    for path in ("/movers", f"/persons/{P1}", "/reviews"):
        assert "ratio under two thirds" in analyst.get(path).text, path
    assert (
        oversight.submit("/oversight/resume", scope="all", reason="mended", why="mended").status_code == 303
    )
    assert P1 in analyst.get("/lists").text
