"""What may be published of the release, as it was written: the bulletin with its page for each force, and the tables."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse, Response

from hub.releases import NoSuchMart
from hub.web import STATISTICS, V, Visit, written_page

router = APIRouter()
BULLETIN = "pages/bulletin.html"
# Of a release, what its publication is made of: nothing else of it is given out here.
_PARTS = (BULLETIN, "pages/forces/*.html", "publishable/**/*")


@router.get("/publication")
def publication(visit: V) -> Response:
    found = _files(visit)
    return visit.page(
        "publication.html",
        release=visit.release.manifest,
        bulletin=BULLETIN if BULLETIN in found else None,
        forces=[(Path(p).stem, p) for p in found if p.startswith("pages/forces/")],
        tables=[(Path(p).name, p) for p in found if p.startswith("publishable/")],
    )


@router.get("/publication/{path:path}")
def part(visit: V, path: str) -> Response:
    """A page of the bulletin, or a file that it leads to: under the paths they have in the release, so that links hold."""
    file = _files(visit).get(path)
    if file is None:
        raise NoSuchMart("this release publishes no such page or table")
    if file.suffix == ".html":
        return written_page(file)
    visit.log("export", f"publication/{path}", STATISTICS)
    return FileResponse(file, filename=f"{file.stem}_{visit.release.release_id}{file.suffix}")


def _files(visit: Visit) -> dict[str, Path]:
    """What may be published, by its path in the release: what is asked for is looked up, never put together."""
    folder = visit.release.folder
    found = (file for part in _PARTS for file in sorted(folder.glob(part)) if file.is_file())
    return {file.relative_to(folder).as_posix(): file for file in found}
