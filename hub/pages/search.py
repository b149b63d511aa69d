"""Disclosure search: one search across forces by name, birth date, address or identifier, with typos allowed for.

What is typed comes by POST and goes nowhere: no address, no log. The log has who was found.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from decisions.access import AccessKind, purposes
from hub.lookups import PLAIN, TERMS, TIGHT
from hub.parameters import number, whole
from hub.statements import statements
from hub.web import BadForm, V, Visit

router = APIRouter()
# How many subjects an entry of the log names.
_NAMED = 15
# Years in which somebody on record can be born.
_BORN_FROM, _BORN_BEFORE = 1800, 2200
_ASKED = ("name", "born", "postcode", "identifier")


@router.get("/search")
def form(visit: V) -> Response:
    visit.user.require("identifiable")
    said = dict.fromkeys(_ASKED, "") | {"purpose": (visit.session and visit.session.purpose) or ""}
    return visit.page("search.html", purposes=purposes(), said=said, rows=None, statements=[])


@router.post("/search")
def search(visit: V) -> Response:
    said, rows = _asked(visit, "search")
    return visit.page(
        "search.html",
        purposes=purposes(),
        said=said,
        rows=rows,
        statements=statements(visit, "ranked_perpetrators"),
    )


@router.post("/search/pack")
def pack(visit: V) -> Response:
    """The same search as a page to print, logged as taken away: who asked, what for, what agrees, and what it does not say."""
    said, rows = _asked(visit, "export")
    return visit.page(
        "search_pack.html",
        said=said,
        purpose=purposes()[said["purpose"]],
        rows=rows,
        made_at=visit.at,
        destroy_by=visit.destroy_by(visit.at),
        release=visit.release.manifest,
        statements=statements(visit, "ranked_perpetrators"),
    )


def _asked(visit: Visit, kind: AccessKind) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """What the form asks, and whom it finds, with the entry in the log. Raises Denied, BadForm."""
    visit.user.require("identifiable")
    said = {name: visit.said(name, 200) for name in ("purpose", *_ASKED)}
    if said["purpose"] not in purposes():
        raise BadForm("say what the search is for")
    if visit.session:
        visit.hub.accounts.state_purpose(visit.session, said["purpose"])
    if not any(said[name] for name in _ASKED):
        raise BadForm("give a name, a birth date, a postcode or an identifier")
    rows = found(visit, said)
    persons = list(dict.fromkeys(row["person_id"] for row in rows))
    for first in range(0, max(1, len(persons)), _NAMED):
        visit.log(kind, ",".join(persons[first : first + _NAMED]) or "nobody", said["purpose"])
    return said, rows


def found(visit: Visit, said: dict[str, str]) -> list[dict[str, Any]]:
    """Nominals that agree with what was asked, best first: what agrees of each is in `agrees`."""
    born = _birth_dates(said["born"])
    values = {
        "name": said["name"],
        "like": number("search_similarity"),
        "born": [d.isoformat() for d in born],
        "exact": born[0].isoformat() if born else "",
        "postcode": said["postcode"],
        "identifier": said["identifier"],
    }
    return visit.read(_QUERY, values).rows


def _birth_dates(text: str) -> list[date]:
    """The day that was typed, and those that slips make of it: day and month changed over, a day or a year beside it."""
    if not text:
        return []
    try:
        day = date.fromisoformat(text)
        if not _BORN_FROM <= day.year < _BORN_BEFORE:
            raise ValueError
    except ValueError:
        raise BadForm("a birth date is written as 1990-05-31") from None
    near = [day, day - timedelta(days=1), day + timedelta(days=1)]
    if day.day <= 12:
        near.append(date(day.year, day.day, day.month))
    if (day.month, day.day) != (2, 29):
        near += [day.replace(year=day.year + y) for y in (-1, 1)]
    return list(dict.fromkeys(near))


_NAME = PLAIN.format("$name")
# One character wrong, missing, too many or changed over with its neighbour; of a short term that is another term, not a slip.
_SLIP = (
    f"(t.term = a.{{0}} OR (length(a.{{0}}) >= {whole('search_slip_from')} "
    f"AND abs(length(t.term) - length(a.{{0}})) <= 1 AND damerau_levenshtein(t.term, a.{{0}}) <= 1))"
)
_QUERY = f"""
    WITH asked AS (
        SELECT {_NAME} AS name, {TIGHT.format("$postcode")} AS postcode, {TIGHT.format("$identifier")} AS identifier
    ),
    agreeing AS (
        SELECT
            t.record_id,
            max(CASE WHEN t.kind = 'name' AND a.name <> '' THEN jaro_winkler_similarity(a.name, t.term) ELSE 0 END) AS name_similarity,
            bool_or(t.kind = 'postcode' AND t.term = a.postcode) AS postcode_agrees,
            bool_or(t.kind = 'postcode' AND {_SLIP.format("postcode")}) AS postcode_near,
            bool_or(t.kind = 'identifier' AND t.term = a.identifier) AS identifier_agrees,
            bool_or(t.kind = 'identifier' AND {_SLIP.format("identifier")}) AS identifier_near
        FROM {TERMS} AS t, asked AS a
        GROUP BY t.record_id
    ),
    compared AS (
        SELECT
            n.*,
            g.name_similarity,
            coalesce(list_contains($born, n.date_of_birth::varchar), false)
                OR coalesce(len(list_filter(n.alias_dates_of_birth, lambda d: list_contains($born, d::varchar))) > 0, false)
                AS born_near,
            coalesce(n.date_of_birth::varchar = $exact, false) AS born_exactly,
            g.postcode_agrees,
            g.postcode_near,
            g.identifier_agrees,
            g.identifier_near
        FROM suspect_nominals AS n JOIN agreeing AS g ON n.record_id = g.record_id
    )
    SELECT
        * EXCLUDE (born_near, born_exactly),
        list_filter([
            CASE WHEN identifier_agrees THEN 'identifier' WHEN identifier_near THEN 'identifier, but for a slip' END,
            CASE WHEN name_similarity >= $like THEN 'name' END,
            CASE WHEN born_exactly THEN 'birth date' WHEN born_near THEN 'birth date, nearly' END,
            CASE WHEN postcode_agrees THEN 'postcode' WHEN postcode_near THEN 'postcode, but for a slip' END
        ], lambda w: w IS NOT NULL) AS agrees
    FROM compared
    WHERE identifier_near OR name_similarity >= $like
        OR ($name = '' AND (born_exactly OR postcode_near))
    ORDER BY
        identifier_agrees DESC,
        (name_similarity >= $like)::integer + born_near::integer + born_exactly::integer
            + postcode_agrees::integer + postcode_near::integer + identifier_near::integer DESC,
        name_similarity DESC,
        person_id,
        record_id
    LIMIT {whole("search_results")}
"""
