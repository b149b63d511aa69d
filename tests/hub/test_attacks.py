"""What somebody would try who wants more than their role gives. Nothing here gets in, and nothing of it is an error of ours."""

from __future__ import annotations

import hashlib
import io
import json
import re
import threading
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from inspect import signature
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from decisions import access
from hub.access import User, roles
from hub.accounts import NotLetIn
from hub.pages.statistics import BOUNDS, FILTERS
from hub.tables import sessions, users
from tests.hub.conftest import PASSWORD, Browser, Clock, routes_to_get
from tests.hub.releases import P1, P2, A, B


def _zip(force: str = A, **members: bytes) -> bytes:
    sink = io.BytesIO()
    told = {"submission.json": json.dumps({"force_code": force, "period": "2026-02"}).encode()}
    with zipfile.ZipFile(sink, "w") as archive:
        for name, content in (told | members).items():
            # A day of its own, so that the same members are the same bytes a moment later.
            archive.writestr(zipfile.ZipInfo(name), content)
    return sink.getvalue()


def _upload(visitor: Browser, content: bytes, name: str = "E23000036_2026-02_1.zip", **fields: str) -> int:
    form = {"form_token": visitor.token(), **fields}
    return visitor.post("/returns/upload", data=form, files={"file": (name, content)}).status_code


def test_another_force_s_person_is_as_if_nobody(browser: Callable[..., Browser]) -> None:
    analyst = browser("force_analyst")
    assert analyst.get(f"/persons/{P1}").status_code == 200
    theirs, nobody = analyst.get(f"/persons/{P2}"), analyst.get("/persons/P999")
    assert theirs.status_code == nobody.status_code == 404
    # But for the way back that each page offers to itself.
    assert theirs.text.replace(P2, "P999") == nobody.text
    for path in (
        "/lists",
        "/marts/ranked_perpetrators.csv",
        "/marts/suspect_nominals.json",
        "/affected",
        "/reviews",
    ):
        assert P2 not in analyst.get(path).text, path
    assert f"{B}|N7" not in analyst.get("/marts/suspect_nominals.csv").text
    assert P2 not in analyst.submit("/search", purpose="analysis", name="Zebedee").text
    assert analyst.submit(f"/persons/{P2}/pack").status_code == 404


def test_another_force_s_returns_are_not_shown(browser: Callable[..., Browser], root: Path) -> None:
    for force in (A, B):
        folder = root / "returns" / force / f"{force}_2026-02_1_abc"
        folder.mkdir(parents=True)
        (folder / "findings.csv").write_text(
            "rule,severity,extract,message,remedy,row_number,record_ref,field,value\n"
        )
        receipt = {
            "submission_id": folder.name,
            "received_at": "2026-03-01T09:00:00",
            "status": "accepted",
            "contract_version": "1.0",
            "content_hash": "x",
            "period": "2026-02",
            "sequence": 1,
            "n_errors": 0,
            "n_warnings": 0,
            "counts": {},
        }
        (folder / "receipt.json").write_text(json.dumps(receipt))
    submitter = browser("force_submitter")
    assert submitter.get(f"/returns/{A}/{A}_2026-02_1_abc").status_code == 200
    assert submitter.get(f"/returns/{B}/{B}_2026-02_1_abc").status_code == 403
    assert submitter.get(f"/returns/{B}/{B}_2026-02_1_abc/findings.csv").status_code == 403
    assert B not in submitter.get(f"/returns?force={B}").text
    assert browser("national_analyst").get(f"/returns/{B}/{B}_2026-02_1_abc").status_code == 200


def test_what_errors_change_is_shown_to_the_force_alone(browser: Callable[..., Browser], root: Path) -> None:
    for force in (A, B):
        folder = root / "returns" / force / "consequences"
        folder.mkdir(parents=True)
        (folder / "2026-02_abc.html").write_text("<p>which error matters</p>")
        (folder / "2026-02_abc.csv").write_text("defect_id\n")
    submitter = browser("force_submitter")
    assert f"/returns/{A}/consequences/2026-02_abc.html" in submitter.get("/returns").text
    page = submitter.get(f"/returns/{A}/consequences/2026-02_abc.html")
    assert page.status_code == 200 and "sandbox" in page.headers["content-security-policy"]
    assert submitter.get(f"/returns/{A}/consequences/2026-02_abc.csv").text == "defect_id\n"
    analyst = browser("national_analyst")
    for path in (f"/returns/{B}/consequences/2026-02_abc.html", f"/returns/{B}/consequences/2026-02_abc.csv"):
        assert (submitter.get(path).status_code, analyst.get(path).status_code) == (403, 200)


@pytest.mark.parametrize(
    "path",
    [
        "/returns/..%2f..%2fdecisions.sqlite/x/findings.csv",
        f"/returns/{A}/..%2f..%2f..%2fdecisions.sqlite",
        f"/returns/{A}/../../decisions.sqlite",
        f"/returns/{A}/consequences/..%2f..%2f..%2fdecisions.sqlite",
        f"/returns/{A}/consequences/none.html",
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/marts/..%2f..%2fmanifest.csv",
        "/oversight/pages/..%2f..%2fmanifest.json",
        "/marts/national_statistics.csv%00.parquet",
    ],
)
def test_no_path_leads_out_of_where_it_belongs(browser: Callable[..., Browser], path: str) -> None:
    answer = browser("oversight").get(path)
    assert answer.status_code in (403, 404), answer.text[:200]
    assert "SQLite" not in answer.text


def test_a_cookie_that_was_made_up_or_of_before_signing_out_opens_nothing(
    app: FastAPI, browser: Callable[..., Browser]
) -> None:
    visitor = browser("national_analyst")
    cookie = visitor.cookies["vawg_session"]
    forged = Browser(app, follow_redirects=False)
    with app.state.hub.engine.connect() as connection:
        kept = connection.execute(select(sessions.c.session_hash)).scalar_one()
    assert kept == hashlib.sha256(cookie.encode()).hexdigest()
    for value in ("", "x" * 43, cookie[:-1], cookie + "x", kept, "national-analyst", "' OR 1=1 --"):
        forged.cookies.set("vawg_session", value)
        assert forged.get("/lists").headers.get("location", "").startswith("/sign-in"), value
    assert visitor.submit("/sign-out").status_code == 303
    forged.cookies.set("vawg_session", cookie)
    assert forged.get("/lists").headers["location"].startswith("/sign-in")


def test_a_session_ends_by_itself(browser: Callable[..., Browser], clock: Clock) -> None:
    visitor = browser("national_analyst")
    clock.at += timedelta(minutes=29)
    assert visitor.get("/").status_code == 200
    clock.at += timedelta(minutes=31)
    assert visitor.get("/").status_code == 303
    steady = browser("oversight", "steady")
    for _ in range(21):
        clock.at += timedelta(minutes=29)
        answer = steady.get("/")
    assert answer.status_code == 303, "ten hours are the end of any session"


def test_an_account_is_locked_after_wrong_passwords_and_nobody_learns_which_names_exist(
    app: FastAPI, browser: Callable[..., Browser], clock: Clock
) -> None:
    browser("oversight", "olive")
    guesser = Browser(app, follow_redirects=False)

    def try_in(name: str, password: str) -> tuple[int, str]:
        answer = guesser.post("/sign-in", data={"user_id": name, "password": password})
        return answer.status_code, answer.text

    assert try_in("olive", "wrong") == try_in("nobody", "wrong")
    for _ in range(4):
        try_in("olive", "wrong")
    assert try_in("olive", PASSWORD)[0] == 401, "right, but locked"
    clock.at += timedelta(minutes=16)
    assert try_in("olive", PASSWORD)[0] == 303
    with app.state.hub.engine.connect() as connection:
        assert PASSWORD not in str(connection.execute(select(users)).fetchall())


def test_many_guesses_at_once_are_no_more_than_many_in_a_row(
    app: FastAPI, browser: Callable[..., Browser]
) -> None:
    """Each is counted before its password is looked at: the account is locked though none has been refused yet."""
    browser("oversight", "olive")
    hub = app.state.hub
    at, looking = hub.settings.now(), threading.Barrier(12, timeout=20)

    def guess(_: int) -> None:
        looking.wait()
        with pytest.raises(NotLetIn):
            hub.accounts.sign_in("olive", "wrong", at)

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(guess, range(12)))
    with hub.engine.connect() as connection:
        row = connection.execute(select(users).where(users.c.user_id == "olive")).one()
    assert row.locked_until is not None
    with pytest.raises(NotLetIn):
        hub.accounts.sign_in("olive", PASSWORD, at)


def test_a_form_without_this_session_s_token_changes_nothing(
    app: FastAPI, browser: Callable[..., Browser]
) -> None:
    one, other = browser("oversight", "one"), browser("oversight", "other")
    stop = {"scope": "all", "reason": "data_fault", "why": "x"}
    for token in ({}, {"form_token": ""}, {"form_token": "0" * 64}, {"form_token": other.token()}):
        assert one.post("/oversight/suspend", data={**stop, **token}).status_code == 400
    assert one.get("/oversight/suspend").status_code == 405
    assert "Suspended" not in one.get("/oversight").text


def test_nobody_gives_themselves_a_role(app: FastAPI, browser: Callable[..., Browser]) -> None:
    analyst, administrator = browser("force_analyst"), browser("administrator")
    role = {"role": "national_analyst", "force_code": "", "is_active": "yes"}
    assert analyst.submit("/users/force-analyst", **role).status_code == 403
    assert analyst.submit("/users", user_id="mine", label="x", **role).status_code == 403
    analyst.submit("/purpose", purpose="oversight", **role)
    analyst.submit("/account/tokens", label="x", **role)
    assert administrator.submit("/users/administrator", **role).status_code == 400
    assert (
        administrator.submit("/users/force-analyst", role="god", force_code=A, is_active="yes").status_code
        == 400
    )
    assert (
        administrator.submit(
            "/users/force-analyst", role="force_analyst", force_code="", is_active="yes"
        ).status_code
        == 400
    )
    kept = {u["user_id"]: u["role"] for u in app.state.hub.accounts.everybody()}
    assert kept == {"force-analyst": "force_analyst", "administrator": "administrator"}
    # A change that is made ends what the account had open.
    assert (
        administrator.submit(
            "/users/force-analyst", role="force_analyst", force_code=B, is_active="yes"
        ).status_code
        == 303
    )
    assert analyst.get("/").status_code == 303


def test_what_looks_like_sql_in_a_filter_is_a_value(browser: Callable[..., Browser]) -> None:
    visitor = browser("force_analyst")
    for evil in ("' OR 1=1 --", "x' UNION SELECT * FROM suspect_nominals --", "$force", "%", "\x00"):
        for path in ("/lists", "/statistics", "/closed-without-order", "/affected", "/scorecards"):
            params = dict.fromkeys(("scope", "force", "band", "threat", "measure", "force_code"), evil)
            answer = visitor.get(path, params=params)
            assert answer.status_code == 200 and P2 not in answer.text, (path, evil)
        assert visitor.get("/persons/" + "P1' OR '1'='1").status_code == 404
        assert P2 not in visitor.submit("/search", purpose="analysis", name=evil, identifier=evil).text


_ODD = ("9" * 30, "-1", "1e309", "nan", "0001-01-01", "9999-12-31", "\x00", "\U0001f642", "x" * 5000, "[]")


@pytest.mark.parametrize("odd", _ODD, ids=range(len(_ODD)))
def test_what_is_asked_in_an_odd_way_is_no_error_of_ours(
    browser: Callable[..., Browser], app: FastAPI, odd: str
) -> None:
    """Every page, with each number it takes and then every text it takes being odd. The browser raises what a page does."""
    visitor, n_asked = browser("reviewer"), 0
    for route in routes_to_get(app):
        takes = signature(route.endpoint).parameters
        path = re.sub(r"\{\w+(:\w+)?\}", P1, route.path.replace("{kind}", "csv"))
        texts = [name for name, p in takes.items() if p.default == "" and name not in route.param_convertors]
        asked = [dict.fromkeys([*texts, *FILTERS, *BOUNDS, "next"], odd)]
        asked += [{name: odd} for name, p in takes.items() if isinstance(p.default, int)]
        for params in asked:
            assert visitor.get(path, params=params).status_code < 500, (path, list(params))
            n_asked += 1
    assert n_asked > 40


@pytest.mark.parametrize(
    "born", ["0001-01-01", "9999-12-31", "1799-12-31", "31/05/1990", "1990-05-32", "1990"]
)
def test_a_birth_date_that_nobody_has_is_refused_and_a_leap_day_is_not(
    browser: Callable[..., Browser], born: str
) -> None:
    visitor = browser("reviewer")
    assert visitor.submit("/search", purpose="monthly_review", born=born).status_code == 400
    assert visitor.submit("/search", purpose="monthly_review", born="1984-02-29").status_code == 200


def test_what_a_page_is_sent_on_to_is_of_this_hub(browser: Callable[..., Browser]) -> None:
    visitor = browser("national_analyst")
    for evil in (
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "\\\\evil",
    ):
        assert visitor.submit("/purpose", purpose="oversight", next=evil).headers["location"] == "/"


def test_an_upload_is_of_one_s_own_force_whole_and_of_a_size(
    browser: Callable[..., Browser], root: Path, app: FastAPI
) -> None:
    submitter, landing = browser("force_submitter"), root / "landing"
    assert _upload(browser("oversight"), _zip()) == 403
    assert _upload(submitter, _zip(B)) == 403
    assert _upload(submitter, b"not a zip") == 400
    assert _upload(submitter, _zip(), form_token="0" * 64) == 400
    for name in ("../../x.zip", "..zip", "a/b.zip", ".hidden.zip", "x.csv", "a b.zip"):
        assert _upload(submitter, _zip(), name) == 400, name
    assert not landing.exists() or not list(landing.iterdir())
    assert _upload(submitter, _zip()) == 303
    assert _upload(submitter, _zip()) == 400, "it waits already"
    assert [p.name for p in landing.iterdir()] == ["E23000036_2026-02_1.zip"]
    assert (landing / "E23000036_2026-02_1.zip").read_bytes() == _zip()
    assert "E23000036_2026-02_1.zip" in submitter.get("/returns").text
    with app.state.hub.store.reading() as connection:
        from decisions import access

        assert [(a.kind, a.who) for a in access.accesses(connection)] == [
            ("refused", "oversight"),
            ("refused", "force-submitter"),
            ("upload", "force-submitter"),
        ]


def test_a_body_that_grows_beyond_the_limit_is_not_read_to_its_end(
    browser: Callable[..., Browser], app: FastAPI
) -> None:
    visitor, sent = browser("national_analyst"), 0

    def endless() -> object:
        nonlocal sent
        for _ in range(200):
            sent += 1 << 16
            yield b"x" * (1 << 16)

    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert visitor.post("/search", content=endless(), headers=headers).status_code == 413
    oversized = {"content-length": str(3 << 30), "content-type": "multipart/form-data; boundary=x"}
    assert (
        browser("force_submitter").post("/returns/upload", content=b"x", headers=oversized).status_code == 413
    )


def test_what_is_refused_to_a_program_is_logged_as_what_is_refused_to_a_person(
    browser: Callable[..., Browser], app: FastAPI, clock: Clock
) -> None:
    browser("administrator")
    # No page gives one out.
    administrator = User("administrator", "administrator", roles()["administrator"])
    token = app.state.hub.accounts.make_token(administrator, "notebook", clock())
    program = Browser(app, follow_redirects=False)
    assert program.get("/api/marts", headers={"Authorization": f"Bearer {token}"}).status_code == 403
    with app.state.hub.store.reading() as connection:
        logged = [(a.kind, a.subject, a.who) for a in access.accesses(connection)]
    assert ("refused", "/api/marts", "administrator") in logged


def test_a_token_is_its_owner_s_for_as_long_as_it_lasts(
    browser: Callable[..., Browser], app: FastAPI, clock: Clock
) -> None:
    analyst, program = browser("force_analyst"), Browser(app, follow_redirects=False)
    page = analyst.submit("/account/tokens", label="notebook").text
    token = page.split("Shown this once: <code>")[1].split("<")[0]
    asked = {"sql": "SELECT person_id FROM ranked_perpetrators ORDER BY 1"}

    def ask(token: str, **headers: str) -> int:
        return program.post(
            "/api/sql", json=asked, headers={"Authorization": f"Bearer {token}", **headers}
        ).status_code

    assert ask(token) == 403, "no purpose"
    assert ask(token, **{"X-Purpose": "curiosity"}) == 403
    answer = program.post(
        "/api/sql", json=asked, headers={"Authorization": f"Bearer {token}", "X-Purpose": "analysis"}
    )
    assert answer.json()["rows"] == [{"person_id": P1}]
    # A cookie opens no endpoint for programs, a token no page.
    assert analyst.post("/api/sql", json=asked).status_code == 401
    assert program.get("/lists", headers={"Authorization": f"Bearer {token}"}).status_code == 303
    for wrong in ("", "x", token[:-1], token.upper()):
        assert ask(wrong, **{"X-Purpose": "analysis"}) == 401
    clock.at += timedelta(days=91)
    assert ask(token, **{"X-Purpose": "analysis"}) == 401, "replayed after its end"


def test_headers_say_tls_where_readers_come_by_it(root: Path, clock: Clock) -> None:
    from hub.app import create_app
    from hub.settings import Settings

    answer = Browser(create_app(Settings(root, clock, is_https=True))).get("/sign-in")
    assert answer.headers["strict-transport-security"].startswith("max-age=")
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
