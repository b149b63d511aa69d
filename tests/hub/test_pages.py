"""What each role finds on the pages, and that nothing is shown before its time."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow.parquet as pq
import pytest
from fastapi import FastAPI
from openpyxl import load_workbook
from sqlalchemy import text

from decisions import access, audit
from hub.access import roles
from hub.parameters import rows as rows_of
from hub.releases import Releases
from tests.hub.conftest import Browser
from tests.hub.releases import AGELESS, OLD, P1, P2, P3, ROWS, A, B, contract, write_release

# The score that nobody may be shown, as a number of its own: the token of a form has any digits in it.
_SCORE = re.compile(r"\b333\b")
PAGES = {
    "/": None,
    "/lists": "identifiable",
    "/movers": "identifiable",
    "/reviews": "identifiable",
    "/closed-without-order": "identifiable",
    "/alerts": "identifiable",
    "/sign-off": "returns",
    "/oversight/cases": "audit",
    "/search": "identifiable",
    "/affected": "identifiable",
    f"/persons/{P1}": "identifiable",
    "/identities": "identity",
    "/identities/pair?one=x&other=y": "identity",
    f"/identities/pair?one={A}|N1&other={B}|N8": "identity",
    "/statistics": None,
    "/publication": None,
    "/scorecards?force=all": None,
    "/returns": "returns",
    "/sql": "sql",
    "/sql/open": None,
    "/oversight": None,
    "/log": "audit",
    "/users": "users",
    "/account": None,
}


@pytest.mark.parametrize(
    "role",
    [
        "force_submitter",
        "force_analyst",
        "national_analyst",
        "reviewer",
        "second_reviewer",
        "oversight",
        "administrator",
    ],
)
def test_every_page_opens_for_the_roles_that_include_it_and_for_no_other(
    browser: Callable[..., Browser], role: str
) -> None:
    visitor = browser(role)
    for path, permission in PAGES.items():
        expected = 200 if permission is None or permission in roles()[role].may else 403
        answer = visitor.get(path)
        assert answer.status_code == expected, (path, answer.text[-300:])
        assert answer.headers["cache-control"] == "no-store"
        assert "script-src 'self'" in answer.headers["content-security-policy"]


# Pages that speak of no person: the release, figures, one's own account, what a query or search begins with.
_NOT_LOGGED = {
    "/",
    "/search",
    "/statistics",
    "/publication",
    "/scorecards",
    "/returns",
    "/sign-off",
    "/sql",
    "/sql/open",
    "/oversight",
    "/account",
}


def test_every_look_is_in_the_log_but_at_pages_that_speak_of_nobody(
    browser: Callable[..., Browser], app: FastAPI
) -> None:
    """A page that is added is looked at here, and has to be logged or named above."""

    def logged() -> int:
        with app.state.hub.store.reading() as connection:
            return audit.head(connection).no

    visitors = {role: browser(role) for role in ("reviewer", "oversight", "administrator")}
    for path, permission in PAGES.items():
        role = next(r for r in visitors if permission is None or permission in roles()[r].may)
        before = logged()
        assert visitors[role].get(path).status_code == 200, path
        assert (logged() > before) is (urlsplit(path).path not in _NOT_LOGGED), path


@pytest.mark.parametrize("role", ["force_analyst", "national_analyst", "oversight"])
def test_the_threat_assessment_opens_where_true_counts_do_and_is_shut_in(
    browser: Callable[..., Browser], role: str
) -> None:
    visitor, without = browser(role), browser("force_submitter")
    assert 'href="/oversight/pages/threat_assessment"' in visitor.get("/oversight").text
    answer = visitor.get("/oversight/pages/threat_assessment")
    assert answer.status_code == 200 and "Threat assessment" in answer.text
    assert "sandbox" in answer.headers["content-security-policy"]
    # This release was not monitored.
    assert visitor.get("/oversight/pages/monitoring").status_code == 404
    assert "/oversight/pages/threat_assessment" not in without.get("/oversight").text
    assert without.get("/oversight/pages/threat_assessment").status_code == 403


@pytest.mark.parametrize("role", ["force_submitter", "administrator"])
def test_what_is_published_opens_for_everybody_under_its_own_paths_and_nothing_else_does(
    browser: Callable[..., Browser], app: FastAPI, role: str
) -> None:
    visitor = browser(role)
    assert 'href="/publication/pages/bulletin.html"' in visitor.get("/publication").text
    bulletin = visitor.get("/publication/pages/bulletin.html")
    assert "Bulletin" in bulletin.text and "sandbox" in bulletin.headers["content-security-policy"]
    assert visitor.get(f"/publication/pages/forces/{A}.html").status_code == 200
    table = visitor.get("/publication/publishable/tables/crimes.csv")
    assert table.text.startswith("place,crimes") and "attachment" in table.headers["content-disposition"]
    with app.state.hub.store.reading() as connection:
        logged = [(a.kind, a.subject) for a in access.accesses(connection)]
    assert logged == [("export", "publication/publishable/tables/crimes.csv")]
    for path in (
        "manifest.json",
        "pages/threat_assessment.html",
        "statistical/national_statistics.parquet",
        "publishable/../manifest.json",
        "publishable/..%2f..%2fcurrent/manifest.json",
        "%2fetc%2fpasswd",
    ):
        assert visitor.get(f"/publication/{path}").status_code == 404, path


def test_statistics_are_chosen_by_period_and_turned_page_by_page_and_taken_away_as_chosen(
    browser: Callable[..., Browser], app: FastAPI, tmp_path: Path
) -> None:
    figures = [
        {
            "definition_id": "npcc_policing_scope",
            "threat": "all",
            "force_code": "national",
            "period_kind": "month",
            "period": f"{2020 + n // 12}-{n % 12 + 1:02}-01",
            "measure": "offences",
            "breakdown": "none",
            "breakdown_value": "all",
            "value": 100 + n,
            "numerator": 100 + n,
            "n_forces": 43,
            "n_months": 1,
            "suppressed": False,
        }
        for n in range(60)
    ]
    write_release(tmp_path / "long", national_statistics=figures)
    app.state.hub.releases = Releases(tmp_path / "long" / "releases")
    visitor = browser("national_analyst")
    first, second = visitor.get("/statistics").text, visitor.get("/statistics?page=2").text
    assert "60 figures" in first and "Page 1 of 2" in first and "Page 2 of 2" in second
    assert ">149<" in first and ">150<" not in first and ">150<" in second
    chosen = visitor.get("/statistics?since=2024-01-01&until=2024-03-01&page=9").text
    assert "3 figures" in chosen and ">148<" in chosen and ">147<" not in chosen and ">151<" not in chosen
    taken = visitor.get("/statistics/download.csv?since=2024-01-01&until=2024-03-01").text
    assert len(taken.splitlines()) == 4
    assert "60 figures" in visitor.get("/statistics?since=' OR 1=1 --&until=soon").text
    none = visitor.get("/statistics?period_kind=quarter").text
    assert "There is no figure" in none and "period_kind=month&amp;" in none


def test_pages_about_persons_open_once_a_purpose_is_stated_and_every_look_is_logged(
    browser: Callable[..., Browser], app: FastAPI
) -> None:
    visitor = browser("national_analyst", purpose=None)
    for path in ("/lists", f"/persons/{P1}", "/closed-without-order", "/marts/perpetrator_lists.csv"):
        assert visitor.get(path).headers["location"].startswith("/purpose?next=%2F"), path
    visitor.submit("/purpose", purpose="oversight", next=f"/persons/{P1}")
    visitor.get(f"/persons/{P1}")
    visitor.get("/marts/perpetrator_lists.csv")
    store = app.state.hub.store
    with store.reading() as connection:
        logged = [(a.kind, a.subject, a.purpose, a.who) for a in access.accesses(connection)]
        exports = [a.expires_on for a in access.accesses(connection) if a.kind == "export"]
    assert logged == [
        ("view", P1, "oversight", "national-analyst"),
        ("export", "perpetrator_lists", "oversight", "national-analyst"),
    ]
    assert exports[0] is not None
    assert audit.verify(store) is None


def test_a_reviewer_sees_the_evidence_first_and_the_rank_after_a_recorded_view(
    browser: Callable[..., Browser],
) -> None:
    visitor = browser("reviewer")
    ranks = ("4711", "77.1", "8100")
    for path in (
        "/lists",
        f"/persons/{P1}",
        "/identities",
        "/marts/perpetrator_lists.csv",
        "/marts/ranked_perpetrators.csv",
    ):
        page = visitor.get(path).text
        assert P1 in page, path
        assert not [rank for rank in ranks if rank in page], path
    page = visitor.get("/lists").text
    assert page.index(P1) < page.index(P2)
    assert visitor.submit("/sql", sql="SELECT place FROM perpetrator_lists").status_code == 400
    assert visitor.submit(f"/persons/{P1}/acts/view", reason="monthly_review").status_code == 303
    seen = visitor.get(f"/persons/{P1}").text
    assert "4,711" in seen and "Sum: 77.1 points" in seen and "77.12" not in seen
    # One person's rank is no other's.
    assert "4,712" not in visitor.get(f"/persons/{P2}").text


def test_a_person_s_page_shows_what_counts_what_does_not_and_what_holds_the_identity(
    browser: Callable[..., Browser],
) -> None:
    page = browser("oversight").get(f"/persons/{P1}").text
    for said in (
        "This list is not evidence of guilt.",
        "eliminated",
        "(weakest)",
        "Avon and Somerset",
        "Bedfordshire",
        "<svg",
    ):
        assert said in page, said
    # What forces write is text, never markup.
    assert "Order breached &lt;b&gt;" in page


@pytest.fixture
def with_ageless(app: FastAPI, tmp_path: Path) -> None:
    """The handmade release with P3, of unknown age, in every mart that has scores."""
    root = tmp_path / "ageless"
    write_release(root, **{mart: [*ROWS.get(mart, []), *more] for mart, more in AGELESS.items()})
    app.state.hub.releases = Releases(root / "releases", lookups=root / "lookups", patience=60)


@pytest.mark.usefixtures("with_ageless")
@pytest.mark.parametrize("role", ["national_analyst", "oversight", "force_analyst"])
def test_nobody_is_shown_the_score_of_a_person_who_may_be_a_child(
    browser: Callable[..., Browser], role: str
) -> None:
    visitor = browser(role)
    page = visitor.get(f"/persons/{P3}").text
    assert "there is no score" in page and "What each allegation adds" not in page
    paths = {f"/persons/{P3}", "/lists?kind=held", "/movers"}
    paths |= {f"/marts/{m}.{kind}" for m in AGELESS for kind in ("csv", "json")}
    for path in sorted(paths):
        answer = visitor.get(path)
        if role == "force_analyst" and "identity_review_queue" in path:
            assert answer.status_code == 404
            continue
        assert P3 in answer.text, path
        assert not _SCORE.search(answer.text), path
    assert not _SCORE.search(visitor.submit(f"/persons/{P3}/pack").text)
    query = "SELECT person_id, score, score_shown FROM ranked_perpetrators"
    for kind in ("page", "csv"):
        told = visitor.submit("/sql", sql=query, kind=kind).text
        assert P3 in told and "77.1" in told and not _SCORE.search(told)


def test_whoever_is_held_for_something_else_and_may_be_a_child_has_no_score_either(
    browser: Callable[..., Browser], app: FastAPI, tmp_path: Path
) -> None:
    disputed = AGELESS["ranked_perpetrators"][0] | {"status_reason": "disputed"}
    profile = ROWS["perpetrator_profiles"][0] | {"person_id": P3, "is_age_unknown": True}
    write_release(tmp_path / "held", ranked_perpetrators=[disputed], perpetrator_profiles=[profile])
    app.state.hub.releases = Releases(tmp_path / "held" / "releases")
    page = browser("oversight").get(f"/persons/{P3}").text
    assert "disputed" in page and "there is no score" in page and not _SCORE.search(page)


@pytest.mark.usefixtures("with_ageless")
def test_a_query_cannot_open_the_file_that_has_the_score(
    browser: Callable[..., Browser], app: FastAPI
) -> None:
    raw = app.state.hub.releases.current().source("ranked_perpetrators")
    query = f"SELECT score FROM {raw} -- ranked_perpetrators"
    answer = browser("national_analyst").submit("/sql", sql=query)
    assert answer.status_code == 400 and not _SCORE.search(answer.text)


def test_points_on_a_page_sum_to_the_score_shown_or_are_said_to_be_parts(
    browser: Callable[..., Browser],
) -> None:
    visitor = browser("oversight")
    listed = visitor.get(f"/persons/{P1}").text
    assert '<td class="n">77.1</td>' in listed and "Sum: 77.1 points" in listed
    unlisted = visitor.get(f"/persons/{P2}").text
    assert "5.500000" in unlisted and "not rounded to a sum" in unlisted and "Sum:" not in unlisted


def test_movers_tell_who_entered_and_left_a_list_apart_from_who_became_eligible(
    browser: Callable[..., Browser], app: FastAPI, tmp_path: Path
) -> None:
    movers = [
        {"person_id": P1, "movement": "down", "national_list_movement": "left"}
        | {"previous_national_rank": 900, "national_rank": 1200},
        {"person_id": P2, "movement": "entered", "force_list_movement": "other_list"}
        | {"previous_list_place": 8, "list_place": 9, "list_scope_code": B},
    ]
    write_release(tmp_path / "moved", ranked_perpetrator_movers=movers)
    app.state.hub.releases = Releases(tmp_path / "moved" / "releases")
    visitor = browser("national_analyst")
    nation = visitor.get("/movers").text
    assert P1 in nation and ">left<" in nation and "1,200" in nation and P2 not in nation
    assert P1 not in visitor.get("/movers?movement=entered").text
    force = visitor.get("/movers?of=force").text
    assert P2 in force and "Bedfordshire" in force and P1 not in force
    everybody = visitor.get("/movers?of=eligible").text
    assert P1 in everybody and P2 in everybody and ">down<" in everybody


def test_an_id_that_was_merged_away_leads_to_the_person_of_today(browser: Callable[..., Browser]) -> None:
    assert browser("national_analyst").get(f"/persons/{OLD}").headers["location"] == f"/persons/{P1}"


def test_victims_are_seen_by_the_roles_that_include_them(browser: Callable[..., Browser]) -> None:
    assert "For the safeguarding of the victim" in browser("reviewer").get(f"/persons/{P1}").text
    analyst = browser("national_analyst")
    assert "For the safeguarding of the victim" not in analyst.get(f"/persons/{P1}").text
    assert analyst.get("/marts/victim_profiles.csv").status_code == 404


def test_a_suppressed_figure_is_said_to_be_one(browser: Callable[..., Browser]) -> None:
    visitor = browser("administrator")
    page = visitor.get("/statistics").text
    assert "1,235" in page and "1,234" not in page and "not shown" in page
    for path in ("/statistics/download.csv", "/marts/national_statistics.csv"):
        assert len(visitor.get(path).text.splitlines()) == 3, path
    assert visitor.get("/marts/perpetrator_lists.csv").status_code == 404


def test_search_allows_for_slips_and_logs_who_was_found_never_what_was_typed(
    browser: Callable[..., Browser], app: FastAPI
) -> None:
    visitor = browser("national_analyst")
    asked = [
        {"name": "jonathon oashworth"},
        {"name": "Ashworth, John"},
        {"name": "jack ashford"},
        {"born": "1984-07-03"} | {"name": "John Ashworth"},
        {"postcode": "bs99zz"},
        {"identifier": "84/123456x"},
        {"postcode": "BS1 4TS"},
        {"postcode": "B51 4ST"},
        {"identifier": "84/132456X"},
        {"identifier": "84/12346X"},
    ]
    for fields in asked:
        page = visitor.submit("/search", purpose="right_to_ask", **fields).text
        assert f"/persons/{P1}" in page and f"/persons/{P2}" not in page, fields
    assert (
        "Nobody was found"
        in visitor.submit("/search", purpose="right_to_ask", name="Quentin Maltravers").text
    )
    assert visitor.submit("/search", purpose="curiosity", name="Ashworth").status_code == 400
    with app.state.hub.store.reading() as connection:
        logged = audit.entries(connection)
    searches = [e.subject for e in logged if e.action == "access_search"]
    assert searches == [P1] * len(asked) + ["nobody"]
    assert not [e for e in logged if "ashworth" in str(e).lower()]


def test_a_search_says_what_agrees_and_what_but_for_a_slip_and_takes_two_slips_for_another(
    browser: Callable[..., Browser],
) -> None:
    visitor = browser("national_analyst")

    def agreeing(**fields: str) -> str:
        page = visitor.submit("/search", purpose="right_to_ask", **fields).text
        return page[page.index('<section id="results">') :]

    assert '"What agrees">postcode, but for a slip</td>' in agreeing(postcode="BS14TS")
    assert '"What agrees">postcode</td>' in agreeing(postcode="BS14ST")
    assert '"What agrees">identifier, but for a slip</td>' in agreeing(identifier="84/123465X")
    assert '"What agrees">identifier</td>' in agreeing(identifier="84/123456X")
    # Two slips, and a term so short that one slip makes it another's.
    for fields in ({"postcode": "BS1 4TT9"}, {"identifier": "48/123465X"}, {"identifier": "N2"}):
        assert "Nobody was found" in agreeing(**fields), fields


def test_a_result_to_print_says_for_whom_from_what_and_why_each_was_found_and_is_logged_as_taken_away(
    browser: Callable[..., Browser], app: FastAPI
) -> None:
    visitor = browser("national_analyst")
    page = visitor.submit("/search/pack", purpose="right_to_ask", postcode="BS14TS").text
    for said in (
        "Copy of national-analyst",
        "29\u00a0Apr\u00a02026",
        "2026-02_handmade",
        "Having no record is not being cleared",
        "This list is not evidence of guilt.",
        "postcode, but for a slip",
        "BS14TS",
    ):
        assert said in page, said
    assert visitor.submit("/search/pack", postcode="BS14TS").status_code == 400
    assert browser("administrator").submit("/search/pack", purpose="right_to_ask").status_code == 403
    with app.state.hub.store.reading() as connection:
        taken = [(a.kind, a.subject, a.purpose) for a in access.accesses(connection)]
        logged = audit.entries(connection)
    assert taken == [
        ("export", P1, "right_to_ask"),
        ("refused", "/search/pack", "administration"),
    ]
    assert not [e for e in logged if "BS1" in str(e)]


def test_alerts_tell_what_happened_in_the_month_and_of_victims_to_the_roles_that_include_them(
    browser: Callable[..., Browser],
) -> None:
    reviewer, analyst = browser("reviewer"), browser("national_analyst")
    for visitor, n_alerts in ((reviewer, 3), (analyst, 2)):
        page = visitor.get("/alerts").text
        assert f"{n_alerts} alerts" in page
        assert ("New suspect of victim" in page) == (visitor is reviewer)
    page = analyst.get("/alerts?kind=elsewhere").text
    assert "1 alert," in page and "Suspect of: Assault" in page and "Harassment" not in page
    assert P2 not in browser("force_analyst").get("/alerts").text


def test_a_pack_names_its_sources_and_is_logged_as_taken_away(
    browser: Callable[..., Browser], app: FastAPI
) -> None:
    page = browser("force_analyst").submit(f"/persons/{P1}/pack").text
    assert "2026-02_handmade" in page and "Having no record is not being cleared" in page
    with app.state.hub.store.reading() as connection:
        assert [a.kind for a in access.accesses(connection)] == ["export"]


def test_what_is_taken_away_says_by_whom_and_when_it_is_to_be_destroyed(
    browser: Callable[..., Browser], app: FastAPI
) -> None:
    visitor, marks = browser("national_analyst"), ("national-analyst", date(2026, 4, 29))
    for kind in ("csv", "xlsx", "parquet", "json"):
        answer = visitor.get(f"/marts/perpetrator_lists.{kind}")
        assert "_national-analyst_destroy_by_2026-04-29" in answer.headers["content-disposition"], kind
        assert answer.headers["x-destroy-by"] == "2026-04-29" and answer.headers["x-taken-by"] == marks[0]
        rows, about = _told(answer.content, kind)
        assert len(rows) == 2, kind
        assert {(r["taken_by"], str(r["destroy_by_on"])[:10]) for r in rows} == {(marks[0], str(marks[1]))}
        if about:
            assert about["taken_by"] == marks[0] and about["destroy_by_on"] == "2026-04-29", kind
            assert about["taken_at"].startswith("2026-04-01T09:00"), kind
    with app.state.hub.store.reading() as connection:
        assert {a.expires_on.date() for a in access.accesses(connection) if a.expires_on} == {marks[1]}
    query = "SELECT person_id FROM perpetrator_lists"
    assert "destroy_by_on" in visitor.submit("/sql", sql=query, kind="csv").text.splitlines()[0]
    figures = visitor.get("/marts/national_statistics.csv")
    assert "taken_by" not in figures.text and "x-taken-by" not in figures.headers


def test_what_must_accompany_a_list_goes_with_whatever_tells_a_rank(browser: Callable[..., Browser]) -> None:
    """On every page that shows places or scores or who is under review, and in the account of what is taken away."""
    visitor, sentence = browser("oversight"), ROWS["list_statements"][0]["statement"]
    for path in ("/lists", "/movers", f"/persons/{P1}", "/alerts", "/reviews", "/oversight/cases"):
        assert sentence in visitor.get(path).text, path
    assert sentence in visitor.submit("/sql", sql="SELECT * FROM ranked_perpetrators").text
    assert sentence not in visitor.submit("/sql", sql="SELECT * FROM forces_of_nobody").text
    for row in rows_of("mart_rules"):
        if row["rank_columns"] and row["mart"] in contract():
            about = visitor.get(f"/marts/{row['mart']}/metadata.json").json()
            assert sentence in about["statements"], row["mart"]
    assert visitor.get("/marts/national_statistics/metadata.json").json()["statements"] == []


def test_a_mart_without_rows_is_a_file_all_the_same(browser: Callable[..., Browser]) -> None:
    visitor = browser("national_analyst")
    for kind in ("csv", "xlsx", "parquet", "json"):
        rows, _ = _told(visitor.get(f"/marts/perpetrator_features.{kind}").content, kind)
        assert rows == [], kind


def _told(content: bytes, kind: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Rows of a file, and what it says of itself."""
    if kind == "csv":
        return list(csv.DictReader(content.decode().splitlines())), {}
    if kind == "json":
        said = json.loads(content)
        return said["rows"], said["about"]
    if kind == "parquet":
        table = pq.read_table(io.BytesIO(content))
        return table.to_pylist(), json.loads(table.schema.metadata[b"vawg"])
    book = load_workbook(io.BytesIO(content))
    names, *rows = book["data"].iter_rows(values_only=True)
    told = {str(row[0]): row[1] for row in book["about"].iter_rows(values_only=True)}
    return [dict(zip(map(str, names), row, strict=True)) for row in rows], told


def test_oversight_finds_a_log_that_was_changed(browser: Callable[..., Browser], app: FastAPI) -> None:
    visitor = browser("oversight")
    assert "follows from the one before" in visitor.get("/log?verify=yes").text
    with app.state.hub.store.engine.connect() as connection, connection.begin():
        connection.execute(text("DROP TRIGGER audit_log_no_update"))
        connection.execute(text("UPDATE audit_log SET who = 'somebody else' WHERE no = 1"))
    assert "entry 1: its hash is not that of what it says" in visitor.get("/log?verify=yes").text


def test_a_page_that_does_not_go_has_the_menu_of_whoever_is_signed_in(
    browser: Callable[..., Browser],
) -> None:
    visitor = browser("force_submitter")
    for path, status in (("/nowhere", 404), ("/lists", 403)):
        answer = visitor.get(path)
        assert answer.status_code == status
        assert 'href="/returns"' in answer.text and 'href="/lists"' not in answer.text
    visitor.cookies.clear()
    assert "<nav" not in visitor.get("/nowhere").text
