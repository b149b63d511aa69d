"""Statistics and scorecards: tables, charts and downloads; and any mart that the reader sees, as a file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain
from typing import Any
from urllib.parse import urlencode

import pyarrow as pa
from fastapi import APIRouter
from fastapi.responses import FileResponse, JSONResponse, Response, StreamingResponse

from hub.access import is_of_persons, sensitivity
from hub.charts import lines
from hub.downloads import MEDIA, csv_by_batch, packed, parquet_by_batch, with_columns
from hub.parameters import whole
from hub.releases import NoSuchMart
from hub.statements import statements
from hub.web import STATISTICS, BadForm, PageNo, Taken, V, Visit, forces, share

router = APIRouter()
MART = "national_statistics"
# What a reader may choose by; each is a column of the mart.
FILTERS = ("definition_id", "threat", "force_code", "period_kind", "measure", "breakdown")
_MOST_GIVEN = 40
# From which period on, and up to which; all where it is left out.
BOUNDS = ("since", "until")
_FIRST = {
    "definition_id": "npcc_policing_scope",
    "threat": "all",
    "force_code": "national",
    "period_kind": "month",
    "measure": "offences",
    "breakdown": "none",
}


@router.get("/statistics")
def statistics(visit: V, page: PageNo = 1) -> Response:
    chosen = _chosen(visit)
    rows, size = visit.kept(_selected(), chosen), whole("page_rows")
    pages = max(1, -(-len(rows) // size))
    page = min(page, pages)
    options = {
        name: [
            r["v"]
            for r in visit.kept(f"SELECT DISTINCT {name} AS v FROM {MART} ORDER BY 1")
            if r["v"] is not None
        ]
        for name in FILTERS
    }
    of_kind = {"period_kind": chosen["period_kind"]}
    periods = visit.kept(
        f"SELECT DISTINCT period FROM {MART} WHERE period_kind = $period_kind ORDER BY 1", of_kind
    )
    series: dict[str, list[tuple[Any, float | None]]] = {}
    for row in rows:
        name = str(row["breakdown_value"] or chosen["measure"]).replace("_", " ")
        series.setdefault(name, []).append((row["period"], row["value"]))
    shown = dict(sorted(series.items(), key=lambda s: -max((v or 0) for _, v in s[1]))[:6])
    return visit.page(
        "statistics.html",
        rows=rows[(page - 1) * size : page * size],
        total=len(rows),
        number=page,
        pages=pages,
        has_bounds=any(row["upper"] is not None for row in rows),
        has_denominator=any(row["denominator"] is not None for row in rows),
        chosen=chosen,
        options=options,
        periods=[row["period"] for row in periods],
        given=[] if rows else _given(visit, chosen),
        chart=lines(shown, "The figures of the table below, by period"),
        n_series=len(series),
        query=urlencode(chosen),
    )


@router.get("/statistics/download.{kind}")
def download(visit: V, kind: str) -> Response:
    _require_kind(kind)
    chosen = _chosen(visit)
    visit.log("export", MART, STATISTICS)
    with visit.release.cursor(visit.scope) as cursor:
        table = cursor.execute(_selected(), chosen).to_arrow_table()
    about = _about(visit, MART) | {"chosen": chosen}
    return _file(visit, table, kind, MART, about)


@router.get("/marts/{mart}.{kind}")
def mart(visit: V, mart: str, kind: str) -> Response:
    """A whole mart, as the reader's role sees it. Of persons: logged as taken away, and every row says by whom and until when."""
    _require_kind(kind)
    select = visit.release.require(visit.scope, mart)
    held = visit.release.marts[mart]
    taken = visit.taken(mart) if is_of_persons(held) else None
    if not taken:
        visit.log("export", mart, STATISTICS)
    if kind == "parquet" and taken is None and select.is_whole and not held["encrypted"]:
        # As it lies: no memory of ours, whatever its size.
        name = f"{mart}_{visit.release.release_id}.parquet"
        return FileResponse(visit.release.folder / held["file"], filename=name, media_type=MEDIA["parquet"])
    about = _about(visit, mart) | (taken.about if taken else {})
    if kind in ("csv", "parquet"):
        headers = _headers(visit, mart, kind, taken)
        return StreamingResponse(
            _streamed(visit, mart, kind, about, taken), media_type=MEDIA[kind], headers=headers
        )
    with visit.release.cursor(visit.scope) as cursor:
        table = cursor.execute(f'SELECT * FROM "{mart}"').to_arrow_table()
    return _file(visit, with_columns(table, taken.columns if taken else {}), kind, mart, about, taken)


@router.get("/marts/{mart}/metadata.json")
def metadata(visit: V, mart: str) -> Response:
    visit.release.require(visit.scope, mart)
    return JSONResponse(json.loads(json.dumps(_about(visit, mart), default=str)))


@router.get("/scorecards")
def scorecards(visit: V, force: str = "") -> Response:
    """Every force by every check; of one force, each check beside what its peers reach, and month by month."""
    force = force or (visit.user.force_code or "")
    rows = visit.kept("SELECT * FROM data_quality_scorecards ORDER BY dimension, check_id, force_code")
    checks = list(dict.fromkeys((r["check_id"], r["title"]) for r in rows))
    if force not in forces():
        # A cell is its status and its text: thousands of them make the page.
        by_force: dict[str, dict[str, tuple[str, str]]] = {}
        for row in rows:
            cells = by_force.setdefault(row["force_code"], {})
            if row["share"] is not None:
                cells[row["check_id"]] = (row["status"], share(row["share"]))
        return visit.page("scorecards.html", by_force=by_force, checks=checks)
    own = visit.kept(
        """
        WITH peers AS (
            SELECT check_id, median(share) AS median_share, count(share) AS n_peers
            FROM data_quality_scorecards GROUP BY check_id
        )
        SELECT s.*, p.median_share, p.n_peers FROM data_quality_scorecards AS s
        JOIN peers AS p USING (check_id) WHERE force_code = $force ORDER BY dimension, check_id
        """,
        {"force": force},
    )
    trend = _trend(visit, force)
    return visit.page(
        "scorecard.html", force=force, rows=own, trend=trend, chart=lines(trend, "Shares by month")
    )


def _trend(visit: Visit, force: str) -> dict[str, list[tuple[Any, float | None]]]:
    """Check -> its share by month, over the last releases of each month."""
    series: dict[str, list[tuple[Any, float | None]]] = {}
    for release in visit.hub.releases.months():
        if not release.has(visit.scope, "data_quality_scorecards"):
            continue
        found = release.read_kept(
            visit.scope,
            "SELECT period, title, share FROM data_quality_scorecards WHERE force_code = $force ORDER BY title",
            {"force": force},
        )
        for row in found.rows:
            series.setdefault(row["title"], []).append((row["period"], row["share"]))
    return series


def _chosen(visit: Visit) -> dict[str, str]:
    asked = visit.request.query_params
    return {name: asked.get(name, _FIRST.get(name, ""))[:80] for name in (*FILTERS, *BOUNDS)}


def _given(visit: Visit, chosen: dict[str, str]) -> list[dict[str, str]]:
    """By which kinds of period and breakdowns the measure that was asked for is given: text, and query of the page."""
    names = ("definition_id", "threat", "force_code", "measure")
    where = " AND ".join(f"{name} = ${name}" for name in names)
    found = visit.kept(
        f"SELECT DISTINCT period_kind, breakdown FROM {MART} WHERE {where} ORDER BY ALL LIMIT {_MOST_GIVEN}",
        {name: chosen[name] for name in names},
    )
    return [
        {
            "text": row["period_kind"] + ("" if row["breakdown"] == "none" else f", by {row['breakdown']}"),
            "query": urlencode({**chosen, **row, "since": "", "until": ""}),
        }
        for row in found
    ]


def _selected() -> str:
    where = " AND ".join(f"{name} = ${name}" for name in FILTERS)
    # What is no date bounds nothing.
    bounds = "coalesce(period >= TRY_CAST($since AS DATE), true) AND coalesce(period <= TRY_CAST($until AS DATE), true)"
    return f"SELECT * FROM {MART} WHERE {where} AND {bounds} ORDER BY period, breakdown_value"


_LICENCES = {
    "publishable": "Open Government Licence v3.0",
    "statistical": "none: true counts, not to be published; what may be published is the release's publishable folder",
}


def _about(visit: Visit, mart: str) -> dict[str, Any]:
    manifest = visit.release.manifest
    return {
        "mart": mart,
        "release_id": manifest["release_id"],
        "period": manifest["period"],
        "as_of": manifest["as_of"],
        "versions": manifest["versions"],
        "columns": list(visit.release.columns[mart]),
        "is_whole": visit.release.selects(visit.scope)[mart].is_whole,
        "notes": manifest["notes"],
        "statements": statements(visit, mart),
        "licence": _LICENCES.get(sensitivity(visit.release.marts[mart]), "none: not to be passed on"),
    }


def _require_kind(kind: str) -> None:
    if kind not in ("csv", "xlsx", "parquet", "json"):
        raise NoSuchMart("a download is csv, xlsx, parquet or json")


def _file(
    visit: Visit, table: pa.Table, kind: str, name: str, about: dict[str, Any], taken: Taken | None = None
) -> Response:
    if table.num_rows > whole("sql_rows") * 50:
        raise BadForm(
            "that is too much for one file of this kind; take the Parquet, or ask the SQL page for less"
        )
    headers = _headers(visit, name, kind, taken)
    return Response(packed(table, kind, about), media_type=MEDIA[kind], headers=headers)


def _headers(visit: Visit, name: str, kind: str, taken: Taken | None = None) -> dict[str, str]:
    mark = taken.in_name if taken else ""
    return {
        "Content-Disposition": f'attachment; filename="{name}_{visit.release.release_id}{mark}.{kind}"',
        # A CSV says nothing of itself.
        "Link": f'</marts/{name}/metadata.json>; rel="describedby"',
        **(taken.headers if taken else {}),
    }


def _streamed(
    visit: Visit, mart: str, kind: str, about: dict[str, Any], taken: Taken | None
) -> Iterator[bytes]:
    marks = ", ? AS taken_by, ?::DATE AS destroy_by_on" if taken else ""
    values = list(taken.columns.values()) if taken else []
    with visit.release.cursor(visit.scope) as cursor:
        reader = cursor.execute(f'SELECT *{marks} FROM "{mart}"', values).to_arrow_reader(20_000)
        if kind == "parquet":
            yield from parquet_by_batch(reader, reader.schema, about)
        elif (first := next(iter(reader), None)) is None:
            yield (",".join(f'"{name}"' for name in reader.schema.names) + "\n").encode()
        else:
            yield from csv_by_batch(chain([first], reader))
