"""The forces' side: sending a return, what became of it, what to mend, and whose id moved."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, BinaryIO

from fastapi import APIRouter, Depends, Request
from fastapi.responses import FileResponse, Response
from sqlalchemy import insert, select
from starlette.datastructures import FormData, UploadFile

from data_contracts.submission import LIMITS, MANIFEST
from hub.accounts import Session
from hub.parameters import whole
from hub.releases import NoSuchMart
from hub.tables import uploads
from hub.web import (
    RETURNS,
    BadForm,
    PageNo,
    V,
    Visit,
    forces,
    hub_of,
    redirect,
    require,
    require_token,
    session_of,
    written_page,
)

router = APIRouter()
UPLOAD_PATH = "/returns/upload"
PURPOSE = "monthly_return"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}\.zip")
_SUBMISSION = re.compile(r"[A-Za-z0-9_-]{1,120}")
# `vawg consequences` writes them: a release, or a month and a knowledge cut.
_CONSEQUENCES = re.compile(r"[A-Za-z0-9_-]{1,120}\.(html|csv)")
_CHUNK = 1 << 20


async def _uploaded(request: Request, session: Annotated[Session, Depends(session_of)]) -> FormData:
    """The form with its file, for who may send one: of anybody else not a byte is kept."""
    session.user.require("upload")
    form = await request.form(max_files=1, max_fields=5)
    require_token(request, form, session)
    return form


@router.get("/returns")
def returns(visit: V, force: str = "") -> Response:
    visit.user.require("returns")
    force = visit.user.force_code or force
    receipts = _receipts(visit, force) if force else []
    sent = {r["content_hash"] for r in receipts}
    with visit.hub.engine.connect() as connection:
        query = select(uploads).where(uploads.c.force_code == force).order_by(uploads.c.uploaded_at.desc())
        waiting = [dict(r._mapping) for r in connection.execute(query) if r.content_hash not in sent]
    return visit.page(
        "returns.html",
        force=force,
        forces=forces(),
        receipts=receipts,
        waiting=waiting,
        consequences=_consequences(visit, force) if force else [],
        most=whole("upload_megabytes"),
        may_upload=visit.user.may("upload"),
    )


@router.post(UPLOAD_PATH, max_body_size=whole("upload_megabytes") << 20)
def upload(
    request: Request,
    session: Annotated[Session, Depends(session_of)],
    form: Annotated[FormData, Depends(_uploaded)],
) -> Response:
    """Take a zip for the landing folder: whole or not at all, and only the uploader's own force's."""
    visit = Visit(hub_of(request), request, session, session.user, form)
    file = form.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        raise BadForm("choose the zip of the submission")
    name = file.filename
    if not _NAME.fullmatch(name):
        raise BadForm("a submission is one zip, named with letters, digits, _ and - alone")
    _require_own(file.file, str(session.user.force_code))
    file.file.seek(0)
    digest, size = _land(visit, file.file, name)
    with visit.hub.engine.begin() as connection:
        known = connection.execute(select(uploads).where(uploads.c.content_hash == digest)).first()
        if not known:
            row = {
                "content_hash": digest,
                "force_code": session.user.force_code,
                "name": name,
                "bytes": size,
                "uploaded_at": visit.at.isoformat(),
                "uploaded_by": session.user.user_id,
            }
            connection.execute(insert(uploads).values(row))
    visit.log("upload", f"{session.user.force_code}:{digest}", PURPOSE)
    return redirect("/returns")


@router.get("/returns/{force}/{submission}")
def receipt(visit: V, force: str, submission: str, rule: str = "", page: PageNo = 1) -> Response:
    folder = _folder(visit, force, submission)
    visit.log("view", f"returns:{submission}", RETURNS)
    found = json.loads((folder / "receipt.json").read_text(encoding="utf-8"))
    counts: Counter[tuple[str, str, str, str, str]] = Counter()
    shown, size, seen = [], whole("page_rows"), 0
    for row in _findings(folder):
        counts[row["severity"], row["extract"], row["rule"], row["message"], row["remedy"]] += 1
        if rule and row["rule"] == rule:
            seen += 1
            if (page - 1) * size < seen <= page * size:
                shown.append(row)
    names = ("severity", "extract", "rule", "message", "remedy")
    by_weight = sorted(counts.items(), key=lambda c: (c[0][0], -c[1], c[0]))
    rules = [{**dict(zip(names, said, strict=True)), "n": n} for said, n in by_weight]
    return visit.page(
        "receipt.html",
        force=force,
        receipt=found,
        rules=rules,
        rule=rule,
        rows=shown,
        number=page,
        pages=max(1, -(-seen // size)),
    )


@router.get("/returns/{force}/{submission}/findings.csv")
def findings(visit: V, force: str, submission: str) -> Response:
    folder = _folder(visit, force, submission)
    visit.log("export", f"returns:{submission}:findings", RETURNS)
    return FileResponse(folder / "findings.csv", filename=f"findings_{submission}.csv", media_type="text/csv")


@router.get("/returns/{force}/consequences/{name}")
def consequences(visit: V, force: str, name: str) -> Response:
    """What each kind of error of the force did to figures and lists, as a page or its rows. Counts; no person is named."""
    folder = _of_force(visit, force, "consequences")
    if not _CONSEQUENCES.fullmatch(name) or not (folder / name).is_file():
        raise NoSuchMart("there is no such page")
    visit.log("export" if name.endswith(".csv") else "view", f"returns:{force}:consequences:{name}", RETURNS)
    if name.endswith(".csv"):
        return FileResponse(folder / name, filename=f"consequences_{force}_{name}", media_type="text/csv")
    return written_page(folder / name)


@router.get("/affected")
def affected(visit: V, force: str = "", page: PageNo = 1) -> Response:
    """Nominals whose person id moved: what a force has to look at in its own system."""
    visit.user.require("identifiable")
    visit.about_persons("person_identity_changes")
    size = whole("page_rows")
    where = "$force = '' OR force_code = $force"
    total = visit.read(
        f"SELECT count(*) AS n FROM person_identity_changes WHERE {where}", {"force": force}
    ).rows[0]["n"]
    rows = visit.read(
        f"SELECT * FROM person_identity_changes WHERE {where} "
        f"ORDER BY run_no DESC, to_person_id, record_id LIMIT {size} OFFSET {(page - 1) * size}",
        {"force": force},
    ).rows
    return visit.page(
        "affected.html",
        rows=rows,
        total=total,
        force=force,
        number=page,
        pages=max(1, -(-total // size)),
    )


def _require_own(stream: BinaryIO, force_code: str) -> None:
    """Look into the zip for its manifest alone; whether the rest is any good is for intake to say. Raises BadForm, Denied."""
    try:
        with zipfile.ZipFile(stream) as archive:
            inside = [m for m in archive.infolist() if m.filename.rpartition("/")[2] == MANIFEST]
            if len(inside) != 1 or inside[0].file_size > LIMITS.manifest_bytes:
                raise BadForm(f"the zip does not hold one {MANIFEST}")
            with archive.open(inside[0]) as manifest:
                said = json.loads(manifest.read(LIMITS.manifest_bytes + 1))
    except (
        zipfile.BadZipFile,
        ValueError,
        RecursionError,
        OSError,
        NotImplementedError,
        RuntimeError,
        EOFError,
    ):
        raise BadForm(f"that is not a zip whose {MANIFEST} can be read") from None
    named = said.get("force_code") if isinstance(said, dict) else None
    require(named == force_code, f"its {MANIFEST} does not name your force")


def _land(visit: Visit, stream: BinaryIO, name: str) -> tuple[str, int]:
    """Copy into the landing folder, where it appears whole; its SHA-256 and size. Raises BadForm where the name is taken."""
    landing = visit.hub.settings.landing
    landing.mkdir(parents=True, exist_ok=True)
    target, digest, size = landing / name, hashlib.sha256(), 0
    if target.exists():
        raise BadForm(f"{name} was sent and waits to be taken in")
    partial = landing / f".{name}.{visit.user.user_id}.partial"
    with partial.open("wb") as sink:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            sink.write(chunk)
    try:
        # Refuses where somebody was faster.
        target.hardlink_to(partial)
    except FileExistsError:
        raise BadForm(f"{name} was sent and waits to be taken in") from None
    finally:
        partial.unlink()
    return digest.hexdigest(), size


def _of_force(visit: Visit, force: str, name: str) -> Path:
    """A folder of the force's. Raises Denied, NoSuchMart. Names are names: nothing in them leads out of the folder of returns."""
    visit.user.require_force(force)
    root = visit.hub.settings.returns.resolve()
    folder = root / force / name
    if force not in forces() or not _SUBMISSION.fullmatch(name) or root not in folder.resolve().parents:
        raise NoSuchMart("there is no such return")
    return folder


def _folder(visit: Visit, force: str, submission: str) -> Path:
    """The folder of a return. Raises Denied, NoSuchMart."""
    folder = _of_force(visit, force, submission)
    if not (folder / "receipt.json").is_file():
        raise NoSuchMart("there is no such return")
    return folder


def _consequences(visit: Visit, force: str) -> list[str]:
    """Releases or runs that the force's errors were followed through, the latest name first."""
    if force not in forces():
        return []
    pages = _of_force(visit, force, "consequences").glob("*.html")
    return sorted((p.stem for p in pages if _CONSEQUENCES.fullmatch(p.name)), reverse=True)


def _receipts(visit: Visit, force: str) -> list[dict[str, Any]]:
    if force not in forces():
        return []
    visit.user.require_force(force)
    found = [
        json.loads(p.read_text(encoding="utf-8"))
        for p in (visit.hub.settings.returns / force).glob("*/receipt.json")
    ]
    return sorted(found, key=lambda r: (r["received_at"], r["submission_id"]), reverse=True)


def _findings(folder: Path) -> Iterator[dict[str, str]]:
    with (folder / "findings.csv").open(encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)
