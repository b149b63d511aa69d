"""What is said of alerts and figures in the browser: by whom, how it stands, and what is nobody's to say."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from fastapi import FastAPI

from decisions import access, sign_off
from hub.releases import Releases
from tests.hub.conftest import Browser
from tests.hub.releases import P1, ROWS, A, B, write_release


def _alert_ids(page: str) -> list[str]:
    return re.findall(r'action="/alerts/([0-9a-f]{32})"', page)


def test_an_alert_is_taken_up_closed_and_opened_again_by_who_sees_it(browser: Callable[..., Browser]) -> None:
    analyst, reviewer = browser("national_analyst"), browser("reviewer")
    seen, more = _alert_ids(analyst.get("/alerts").text), _alert_ids(reviewer.get("/alerts").text)
    assert seen and set(seen) < set(more), "a new suspect of a victim is for who sees victims"
    assert analyst.submit(f"/alerts/{seen[0]}", act="acknowledge", why="mine").status_code == 303
    assert "acknowledged, national-analyst" in reviewer.get("/alerts").text
    assert f"/alerts/{seen[0]}" in analyst.get("/alerts?state=acknowledged").text
    assert f"/alerts/{seen[0]}" not in analyst.get("/alerts?state=open").text
    assert reviewer.submit(f"/alerts/{seen[0]}", act="close", why="served").status_code == 303
    assert reviewer.submit(f"/alerts/{seen[0]}", act="close", why="served").status_code == 409
    of_victims = (set(more) - set(seen)).pop()
    assert analyst.submit(f"/alerts/{of_victims}", act="close", why="x").status_code == 404
    oversight = browser("oversight")
    assert not _alert_ids(oversight.get("/alerts").text)
    assert oversight.submit(f"/alerts/{seen[0]}", act="reopen", why="x").status_code == 403


def test_what_no_page_asks_a_purpose_for_is_in_the_log_too(
    browser: Callable[..., Browser], app: FastAPI, root: Path
) -> None:
    pages = root / "returns" / A / "consequences"
    pages.mkdir(parents=True)
    (pages / "2026-02_abc.html").write_text("<p>errors</p>")
    submitter, oversight = browser("force_submitter"), browser("oversight")
    administrator, analyst = browser("administrator"), browser("national_analyst")
    submitter.get(f"/returns/{A}/consequences/2026-02_abc.html")
    assert submitter.get("/log").status_code == 403
    assert submitter.get(f"/returns/{B}/consequences/2026-02_abc.html").status_code == 403
    analyst.get("/statistics/download.csv")
    analyst.get("/marts/data_quality_scorecards.csv")
    analyst.submit("/sql", sql="SELECT count(*) FROM national_statistics")
    oversight.get("/log")
    administrator.get("/users")
    with app.state.hub.store.reading() as connection:
        said = [
            (a.who, a.kind, re.sub("sql:[0-9a-f]{16}:", "sql:", a.subject))
            for a in access.accesses(connection)
        ]
    assert said == [
        ("force-submitter", "view", f"returns:{A}:consequences:2026-02_abc.html"),
        ("force-submitter", "refused", "/log"),
        ("force-submitter", "refused", f"/returns/{B}/consequences/2026-02_abc.html"),
        ("national-analyst", "export", "national_statistics"),
        ("national-analyst", "export", "data_quality_scorecards"),
        ("national-analyst", "query", "sql:national_statistics"),
        ("oversight", "view", "log"),
        ("administrator", "view", "users"),
    ]


def test_a_force_signs_refuses_and_withdraws_its_own_figures_alone(
    browser: Callable[..., Browser], app: FastAPI, tmp_path: Path
) -> None:
    figure = ROWS["national_statistics"][0] | {"force_code": A, "period": "2026-02-01"}
    write_release(tmp_path / "own", national_statistics=[figure])
    app.state.hub.releases = Releases(tmp_path / "own" / "releases")
    submitter, analyst = browser("force_submitter"), browser("national_analyst")
    page = submitter.get("/sign-off").text
    figures = re.findall(r'name="figures" value="([0-9a-f]{64})"', page)[0]
    assert submitter.submit("/sign-off/sign", figures="0" * 64).status_code == 400
    assert analyst.submit("/sign-off/sign", figures=figures).status_code == 403
    said = {"figures": figures, "why": "two months are one"}
    assert submitter.submit("/sign-off/refuse", **said).status_code == 303
    assert "two months are one" in analyst.get(f"/sign-off?force={A}").text
    assert submitter.submit("/sign-off/sign", figures=figures, force=B).status_code == 303
    hub = app.state.hub
    assert list(sign_off.in_force(hub.store, hub.settings.now())) == [(A, "2026-02")]
    assert submitter.submit("/sign-off/refuse", **said).status_code == 409, "it is signed off"
    assert "Signed off" in submitter.get(f"/sign-off?force={B}").text, "always the own force's page"
    assert submitter.submit("/sign-off/withdraw", figures=figures, why="late return").status_code == 303
    assert sign_off.in_force(hub.store, hub.settings.now()) == {}
    assert sign_off.verify(hub.store) is None


def test_the_sample_of_case_files_is_told_by_the_release_and_logged(
    browser: Callable[..., Browser], app: FastAPI
) -> None:
    oversight = browser("oversight")
    page = oversight.get("/oversight/cases").text
    assert P1 in page and page == oversight.get("/oversight/cases").text
    assert browser("national_analyst").get("/oversight/cases").status_code == 403
    assert oversight.submit(f"/persons/{P1}/pack").status_code == 200
    with app.state.hub.store.reading() as connection:
        said = [(a.kind, a.subject) for a in access.accesses(connection) if a.who == "oversight"]
    assert said == [("view", "perpetrator_lists:sample")] * 2 + [("export", P1)]
