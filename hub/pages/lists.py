"""The lists of the month, who moved, and the work list of allegations closed without an order."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from decisions.alerts import act, standing
from hub.access import ALERTS
from hub.bands import bands
from hub.lookups import VICTIM_ALERTS, WORK_LIST
from hub.parameters import whole
from hub.releases import NoSuchMart
from hub.statements import statements
from hub.web import PageNo, V, Visit, redirect

router = APIRouter()
LENSES = {"likely_harm": "Likely harm", "gravest_harm": "Gravest harm", "rfg": "Recency, frequency, gravity"}
KINDS = {
    "force_top": "First list of a force or region",
    "force_next": "Next of a force or region",
    "national_top": "First list of the nation",
    "national_next": "Next of the nation",
    "national_quota": "Nation, given out force by force",
    "serious_single": "One grave report",
    "held": "Held",
    "added_by_officer": "Proposed by an officer",
}
# Of what a movement is told: its column, what it is called, and the places now and before.
MOVED_ON = {
    "national": (
        "national_list_movement",
        "The first list of the nation",
        "national_rank",
        "previous_national_rank",
    ),
    "force": (
        "force_list_movement",
        "The first lists of forces and regions",
        "list_place",
        "previous_list_place",
    ),
    "eligible": ("movement", "Everybody eligible", "national_rank", "previous_national_rank"),
}
MOVEMENTS = {
    "entered": "entered",
    "left": "left",
    "other_list": "to another force's or region's list",
    "up": "up",
    "down": "down",
    "unchanged": "unchanged",
}
ALERT_KINDS = {
    "order": "An order granted, varied, rescinded or breached",
    "elsewhere": "A new allegation in another force",
    "new_suspect": "A victim with a new suspect",
}
# Lists that no lens orders.
_NO_LENS = frozenset({"serious_single", "held", "added_by_officer"})


@router.get("/lists")
def lists(
    visit: V,
    kind: str = "national_top",
    lens: str = "likely_harm",
    scope: str = "",
    band: str = "",
    force: str = "",
    page: PageNo = 1,
) -> Response:
    kind, lens = kind if kind in KINDS else "national_top", lens if lens in LENSES else "likely_harm"
    visit.about_persons(f"perpetrator_lists:{kind}:{lens}")
    release_scope = visit.scope
    values: dict[str, Any] = {
        "kind": kind,
        "lens": "none" if kind in _NO_LENS else lens,
        "scope": scope,
        "band": band,
        "force": force,
    }
    has_rank = release_scope.rank
    where = (
        "list_kind = $kind AND lens = $lens AND ($scope = '' OR list_scope_code = $scope) "
        "AND ($force = '' OR owner_force_code = $force) "
        f"AND ($band = '' OR {'certainty_band = $band' if has_rank else '$band <> $band'})"
    )
    if not has_rank:
        values["band"] = ""
    total = visit.kept(f"SELECT count(*) AS n FROM perpetrator_lists WHERE {where}", values)[0]["n"]
    size = whole("page_rows")
    # Who judges evidence is given an order that tells no rank.
    order = "l.shown_order, l.person_id" if has_rank else "l.person_id"
    rows = visit.kept(
        f"""
        SELECT l.*, r.review_state, r.n_forces, r.n_allegations, r.n_counted, r.n_victims, r.latest_reported_at
            {", r.rank_band" if has_rank else ""}
        FROM (
            SELECT * FROM perpetrator_lists AS l WHERE {where} ORDER BY {order} LIMIT {size} OFFSET {(page - 1) * size}
        ) AS l
        LEFT JOIN ranked_perpetrators AS r ON l.person_id = r.person_id
        ORDER BY {order}
        """,
        values,
    )
    scopes = visit.kept("SELECT DISTINCT list_scope, list_scope_code FROM perpetrator_lists ORDER BY 1, 2")
    chosen = {"kind": kind, "lens": lens, "scope": scope, "band": band, "force": force}
    return visit.page(
        "lists.html",
        rows=rows,
        total=total,
        pages=max(1, -(-total // size)),
        number=page,
        chosen=chosen,
        kinds=KINDS,
        lenses=LENSES,
        scopes=scopes,
        has_rank=has_rank,
        bands=bands(visit) if has_rank else {},
        statements=statements(visit, "perpetrator_lists", "ranked_perpetrators"),
    )


@router.get("/movers")
def movers(visit: V, of: str = "national", movement: str = "", page: PageNo = 1) -> Response:
    """Who entered and left a list, and who moved on it. `of`: the nation's list, those of forces, or all eligible persons."""
    visit.about_persons("ranked_perpetrator_movers")
    of, size = of if of in MOVED_ON else "national", whole("page_rows")
    shown: dict[str, Any] = {
        "of": of,
        "lists": MOVED_ON,
        "movement": movement,
        "movements": MOVEMENTS,
        "number": page,
    }
    if not visit.has("ranked_perpetrator_movers"):
        return visit.page(
            "movers.html",
            rows=[],
            total=0,
            pages=1,
            is_hidden=True,
            statements=_list_statements(visit),
            **shown,
        )
    column, (place, place_before) = MOVED_ON[of][0], MOVED_ON[of][2:]
    table = (
        f"FROM (SELECT *, {column} AS moved, {place} AS place_now, {place_before} AS place_before "
        "FROM ranked_perpetrator_movers) WHERE moved IS NOT NULL AND ($movement = '' OR moved = $movement)"
    )
    values = {"movement": movement}
    total = visit.kept(f"SELECT count(*) AS n {table}", values)[0]["n"]
    rows = visit.kept(
        f"SELECT * {table} ORDER BY list_position(['entered', 'left', 'other_list', 'up', 'down', 'unchanged'], moved), "
        f"coalesce(place_now, place_before), person_id LIMIT {size} OFFSET {(page - 1) * size}",
        values,
    )
    return visit.page(
        "movers.html",
        rows=rows,
        total=total,
        pages=max(1, -(-total // size)),
        is_hidden=False,
        statements=_list_statements(visit),
        **shown,
    )


@router.get("/closed-without-order")
def closed(visit: V, force: str = "", page: PageNo = 1) -> Response:
    visit.about_persons("allegations_closed_without_action")
    where, values, size = "$force = '' OR force_code = $force", {"force": force}, whole("page_rows")
    total = visit.kept(f"SELECT count(*) AS n FROM {WORK_LIST} WHERE {where}", values)[0]["n"]
    rows = visit.kept(
        f"SELECT * FROM {WORK_LIST} WHERE {where} ORDER BY row_no LIMIT {size} OFFSET {(page - 1) * size}",
        values,
    )
    return visit.page(
        "closed.html",
        rows=rows,
        total=total,
        number=page,
        pages=max(1, -(-total // size)),
        force=force,
    )


@router.get("/alerts")
def alerts(visit: V, kind: str = "", state: str = "", page: PageNo = 1) -> Response:
    """What happened in the release's month to persons on its lists, and to victims where the role includes them."""
    visit.about_persons("perpetrator_timelines:alerts")
    size = whole("page_rows")
    known = standing(visit.hub.store, visit.at)
    where = "($kind = '' OR kind = $kind)"
    values: dict[str, Any] = {"kind": kind}
    if state:
        where += f" AND {'NOT ' if state == 'open' else ''}list_contains($touched, alert_id)"
        values["touched"] = [a for a, s in known.items() if state in ("open", s.state) and s.state != "open"]
    union = f"FROM ({_alerts(visit)}) WHERE {where}"
    count = f"SELECT count(*) AS n {union}"
    shown = f"SELECT * {union} ORDER BY event_on DESC, kind, person_id, says LIMIT {size} OFFSET {(page - 1) * size}"
    if state:
        # What somebody does about an alert changes under a release that does not.
        total, rows = visit.read(count, values).rows[0]["n"], visit.read(shown, values).rows
    else:
        total, rows = visit.kept(count, values)[0]["n"], visit.kept(shown, values)
    return visit.page(
        "alerts.html",
        rows=rows,
        total=total,
        number=page,
        pages=max(1, -(-total // size)),
        kind=kind,
        kinds=ALERT_KINDS,
        state=state,
        standing=known,
        may_act=visit.user.may("alerts"),
        statements=_list_statements(visit),
    )


@router.post("/alerts/{alert_id}")
def act_on_alert(visit: V, alert_id: str) -> Response:
    """Take an alert up, close it or open it again: one that the reader sees, and no other."""
    visit.user.require("alerts")
    visit.user.require("identifiable")
    if not visit.read(f"SELECT 1 FROM ({_alerts(visit)}) WHERE alert_id = ?", [alert_id]).rows:
        raise NoSuchMart("there is no such alert among those you may see")
    take_alert(visit, alert_id)
    return redirect("/alerts")


def take_alert(visit: Visit, alert_id: str) -> None:
    """One act on an alert, as the form says it, by whoever is signed in."""
    name, why = visit.said("act"), visit.said("why", 400)
    visit.act(lambda at: act(visit.hub.store, alert_id, name, by=visit.user.user_id, at=at, why=why))


def _alerts(visit: Visit) -> str:
    """The SQL of the alerts that a reader sees."""
    victims = f" UNION ALL SELECT * FROM {VICTIM_ALERTS}" if visit.user.may("victims") else ""
    return f"SELECT * FROM {ALERTS}{victims}"


def _list_statements(visit: Visit) -> list[str]:
    return statements(visit, "perpetrator_lists", "ranked_perpetrators")
