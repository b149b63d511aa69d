"""SQL for analysts: a page, and an endpoint for programs; both over the same locked-down database and the same rules."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlalchemy import delete, insert, select
from starlette.datastructures import FormData

from hub.access import is_of_persons, sensitivity
from hub.downloads import MEDIA, NoPlace, or_no_place, packed, with_columns
from hub.sql import Answer, QueryRefused, as_json, marts_named, run
from hub.statements import statements
from hub.tables import saved_queries
from hub.web import STATISTICS, BadForm, Hub, NeedsSignIn, Taken, V, Visit, hub_of, redirect

router = APIRouter()
# What an answer is given as: the name in a request, by what a browser or program asks for.
FORMATS = ("arrow", "csv", "json", "parquet")
_SHOWN = 500
_LONGEST = 20_000


async def _asked(request: Request) -> dict[str, Any]:
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            said = await request.json()
        except ValueError:
            raise BadForm("that is not JSON") from None
        if not isinstance(said, dict):
            raise BadForm('send {"sql": "...", "format": "csv"}')
        return said
    return {"sql": (await request.body()).decode("utf-8", "replace"), **dict(request.query_params)}


def _visit_by_token(request: Request) -> Visit:
    """A program comes with a token, never with a cookie: no other site can make a browser send it. Raises NeedsSignIn."""
    hub: Hub = hub_of(request)
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    user = hub.accounts.by_token(token.strip(), hub.settings.now()) if kind.lower() == "bearer" else None
    if user is None:
        raise NeedsSignIn
    request.state.by_token = visit = Visit(hub, request, None, user, FormData())
    return visit


@router.get("/sql")
def page(visit: V) -> Response:
    visit.user.require("sql")
    return _page(visit, "", None)


@router.post("/sql")
def ask(visit: V) -> Response:
    visit.user.require("sql")
    query, kind = visit.said("sql", _LONGEST), visit.said("kind") or "page"
    if visit.said("save"):
        _save(visit, visit.said("save", 80), query)
    if kind not in ("page", *FORMATS, "xlsx"):
        raise BadForm("an answer is a page, csv, json, parquet, arrow or xlsx")
    try:
        answer, taken = _answer(visit, query, is_file=kind != "page")
        if kind == "page":
            return _page(visit, query, answer)
        return _as_file(visit, answer, kind, query, taken)
    except (QueryRefused, NoPlace) as refused:
        return _page(visit, query, None, str(refused), 400)


@router.post("/sql/saved/forget")
def forget(visit: V) -> Response:
    visit.user.require("sql")
    with visit.hub.engine.begin() as connection:
        connection.execute(
            delete(saved_queries).where(
                saved_queries.c.user_id == visit.user.user_id, saved_queries.c.name == visit.said("name")
            )
        )
    return redirect("/sql")


@router.get("/sql/open")
def how_to_open(visit: V) -> Response:
    return visit.page("open.html", base=str(visit.request.base_url).rstrip("/"), marts=_marts(visit))


@router.post("/api/sql")
def endpoint(
    visit: Annotated[Visit, Depends(_visit_by_token)], asked: Annotated[dict[str, Any], Depends(_asked)]
) -> Response:
    """One SELECT as the body, or JSON with sql and format. Answers Arrow, CSV, JSON or Parquet."""
    visit.user.require("sql")
    query, kind = str(asked.get("sql", ""))[:_LONGEST], str(asked.get("format", "json"))
    if kind not in FORMATS:
        raise BadForm(f"format is one of {', '.join(FORMATS)}")
    answer, taken = _answer(visit, query, is_file=True)
    return _as_file(visit, answer, kind, query, taken)


@router.get("/api/marts")
def marts(visit: Annotated[Visit, Depends(_visit_by_token)]) -> dict[str, Any]:
    """The release, and the marts that the token's owner sees, with their columns."""
    visit.user.require("sql")
    return {"release_id": visit.release.release_id, "marts": _marts(visit)}


def _answer(visit: Visit, query: str, *, is_file: bool) -> tuple[Answer, Taken | None]:
    """The answer, and who takes it away where it is a file about persons.

    Raises QueryRefused, NeedsPurpose where it names a mart about persons and nobody said what for.
    """
    taken = None
    if not query.strip():
        raise QueryRefused("write one SELECT")
    named = marts_named(visit.release, visit.scope, query)
    of_persons = [m for m in named if is_of_persons(visit.release.marts[m])]
    # What was asked stays out of the log; its digest shows whether a query was this one.
    digest = hashlib.sha256(query.encode()).hexdigest()[:16]
    subject = f"sql:{digest}:{','.join(of_persons or named)}"
    if not of_persons:
        visit.log("export" if is_file else "query", subject, STATISTICS)
    else:
        if is_file:
            taken = visit.taken(subject)
        else:
            visit.about_persons(subject, "query")
    return run(visit.release, visit.scope, query), taken


def _as_file(visit: Visit, answer: Answer, kind: str, query: str, taken: Taken | None) -> Response:
    about = {
        "release_id": visit.release.release_id,
        "marts": list(answer.marts),
        "sql": query,
        "is_cut": answer.is_cut,
        "notes": visit.release.manifest["notes"],
        "statements": statements(visit, *answer.marts),
        **(taken.about if taken else {}),
    }
    headers = {"X-Release": visit.release.release_id, "X-Cut": str(answer.is_cut).lower()}
    headers |= taken.headers if taken else {}
    table = answer.table
    if visit.session:
        mark = taken.in_name if taken else ""
        headers["Content-Disposition"] = (
            f'attachment; filename="query_{visit.release.release_id}{mark}.{kind}"'
        )
        table = with_columns(table, taken.columns if taken else {})
    return Response(packed(table, kind, about), media_type=MEDIA[kind], headers=headers)


def _page(
    visit: Visit, query: str, answer: Answer | None, refused: str | None = None, status: int = 200
) -> Response:
    with or_no_place("a page"):
        rows = as_json(answer.table.slice(0, _SHOWN)) if answer else []
    return visit.page(
        "sql.html",
        status,
        query=query,
        answer=answer,
        rows=rows,
        shown=_SHOWN,
        refused=refused,
        statements=statements(visit, *answer.marts) if answer else [],
        marts=_marts(visit),
        saved=_saved(visit),
    )


def _marts(visit: Visit) -> list[dict[str, Any]]:
    """The marts that the reader sees, and of each the columns that they see, with what the release's dictionary says."""
    release, found = visit.release, []
    for mart, seen in release.selects(visit.scope).items():
        said = release.dictionary.get(mart, {})
        meant = said.get("columns", {})
        columns = [
            {
                "name": column,
                "type": release.types[mart][column],
                "description": meant.get(column, {}).get("description", ""),
            }
            for column in seen.columns
        ]
        found.append(
            {
                "name": mart,
                "folder": sensitivity(release.marts[mart]),
                "rows": release.marts[mart]["rows"],
                "description": said.get("description", ""),
                "columns": columns,
            }
        )
    return found


def _saved(visit: Visit) -> list[dict[str, str]]:
    query = select(saved_queries).where(saved_queries.c.user_id == visit.user.user_id)
    with visit.hub.engine.connect() as connection:
        return [
            {"name": r.name, "sql": r.sql} for r in connection.execute(query.order_by(saved_queries.c.name))
        ]


def _save(visit: Visit, name: str, query: str) -> None:
    key = (saved_queries.c.user_id == visit.user.user_id, saved_queries.c.name == name)
    with visit.hub.engine.begin() as connection:
        connection.execute(delete(saved_queries).where(*key))
        connection.execute(insert(saved_queries).values(user_id=visit.user.user_id, name=name, sql=query))
