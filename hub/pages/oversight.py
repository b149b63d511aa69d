"""Oversight: the month's monitoring, what is reviewed, the transparency record, the log, and stopping a list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from decisions import alerts, audit, suspension
from decisions.review_codes import reasons
from decisions.suspension import ALL_LISTS
from hub.connections import literal
from hub.pages.lists import KINDS, take_alert
from hub.parameters import whole
from hub.releases import NoSuchMart
from hub.statements import statements
from hub.web import ADMINISTRATION, PageNo, V, Visit, redirect, require, written_page

router = APIRouter()
# Pages of the release: the file, and what it takes to read it. Those that show true counts are for who may see persons.
_PAGES: dict[str, tuple[str, str | None]] = {
    "monitoring": ("monitoring.html", "identifiable"),
    "transparency": ("transparency_record.html", None),
    "threat_assessment": ("threat_assessment.html", "identifiable"),
}


@router.get("/oversight")
def oversight(visit: V) -> Response:
    checks = []
    if visit.has("monitoring_checks"):
        checks = visit.kept("SELECT * FROM monitoring_checks ORDER BY is_alert DESC, section, check_id")
    scopes: list[dict[str, Any]] = []
    if visit.has("perpetrator_list_pools"):
        scopes = visit.kept(
            "SELECT DISTINCT list_scope, list_scope_code FROM perpetrator_list_pools "
            "WHERE list_scope_code IS NOT NULL ORDER BY 1, 2"
        )
    return visit.page(
        "oversight.html",
        checks=checks,
        scopes=scopes,
        all_lists=ALL_LISTS,
        suspend_reasons=reasons("suspend"),
        resume_reasons=reasons("resume"),
        release=visit.release.manifest,
        standing=alerts.standing(visit.hub.store, visit.at),
        may_act=_may_act(visit),
        pages=[
            name
            for name, (file, permission) in _PAGES.items()
            if (visit.release.folder / "pages" / file).is_file()
            and (permission is None or visit.user.may(permission))
        ],
    )


@router.post("/oversight/alerts/{check_id}")
def act_on_check(visit: V, check_id: str) -> Response:
    """Take up an alert of the month's monitoring, close it or open it again."""
    visit.user.require("alerts")
    require(_may_act(visit), "the checks of the nation are for the national team to act on")
    known = visit.has("monitoring_checks") and visit.read(
        "SELECT 1 FROM monitoring_checks WHERE check_id = ? AND is_alert", [check_id]
    )
    if not known or not known.rows:
        raise NoSuchMart("there is no such alert this month")
    take_alert(visit, f"check:{visit.release.manifest['period']}:{check_id}")
    return redirect("/oversight")


@router.get("/oversight/cases")
def cases(visit: V) -> Response:
    """A sample of the persons on lists, the same for whoever looks: the release's own id is its seed."""
    visit.user.require("audit")
    visit.about_persons("perpetrator_lists:sample")
    seed = literal(visit.release.release_id)
    rows = visit.kept(
        f"""
        SELECT l.person_id, l.lists, r.owner_force_code, r.n_allegations, r.n_counted, r.review_state
        FROM (
            SELECT person_id, list_sort(list_distinct(list(list_kind))) AS lists FROM perpetrator_lists
            GROUP BY person_id ORDER BY md5({seed} || '|' || person_id) LIMIT {whole("case_files")}
        ) AS l
        LEFT JOIN ranked_perpetrators AS r ON l.person_id = r.person_id
        ORDER BY l.person_id
        """
    )
    return visit.page(
        "cases.html",
        rows=rows,
        kinds=KINDS,
        release=visit.release.manifest,
        statements=statements(visit, "perpetrator_lists", "ranked_perpetrators"),
    )


def _may_act(visit: Visit) -> bool:
    return visit.user.may("alerts") and not visit.user.role.is_of_a_force


@router.get("/oversight/pages/{name}")
def release_page(visit: V, name: str) -> Response:
    """A page of the release, as it was published."""
    if name not in _PAGES:
        raise NoSuchMart("this release has no such page")
    file_name, permission = _PAGES[name]
    if permission:
        visit.user.require(permission)
    file = visit.release.folder / "pages" / file_name
    if not file.is_file():
        raise NoSuchMart("this release has no such page")
    return written_page(file)


@router.post("/oversight/suspend")
def suspend(visit: V) -> Response:
    return _done(visit, suspension.suspend)


@router.post("/oversight/resume")
def resume(visit: V) -> Response:
    return _done(visit, suspension.resume)


def _done(visit: V, act: Callable[..., Any]) -> Response:
    """One act on a list, as it was said, by whoever has signed in."""
    visit.user.require("suspend")
    said = {name: visit.said(name) for name in ("reason", "why")}
    visit.act(lambda at: act(visit.hub.store, visit.said("scope"), by=visit.user.user_id, at=at, **said))
    return redirect("/oversight#suspension")


@router.get("/log")
def log(visit: V, page: PageNo = 1, verify: str = "") -> Response:
    """The log, newest first, without anybody's words; and, where it is asked, whether its whole chain holds."""
    visit.user.require("audit")
    visit.log("view", "log", ADMINISTRATION)
    size = whole("page_rows")
    with visit.hub.store.reading() as connection:
        entries = audit.newest(connection, size, (page - 1) * size)
        head = audit.head(connection)
    return visit.page(
        "log.html",
        entries=entries,
        total=head.no,
        number=page,
        pages=max(1, -(-head.no // size)),
        is_verified=bool(verify),
        broken=audit.verify(visit.hub.store) if verify else None,
        head=head,
    )
