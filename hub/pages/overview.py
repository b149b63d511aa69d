"""The first page: what the current release is made of, and what the reader may do with it."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from hub.access import sensitivity
from hub.web import V

router = APIRouter()


@router.get("/")
def overview(visit: V) -> Response:
    release = visit.release
    seen = release.selects(visit.scope)
    marts = [
        {"name": name, "rows": held["rows"], "folder": sensitivity(held), "is_whole": seen[name].is_whole}
        for name, held in release.marts.items()
        if name in seen
    ]
    return visit.page("overview.html", release=release.manifest, marts=marts)
