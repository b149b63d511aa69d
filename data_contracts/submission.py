"""Open what a force sent: a folder or zip with `submission.json` and one file per extract.

Opening never trusts and never raises on bad input: every fault is kept as a fact for the submission
rules to judge, and rows are handed on as text exactly as they came.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path, PurePosixPath
from typing import Any

import polars as pl

from data_contracts.extracts.catalogue import EXTRACTS

MANIFEST = "submission.json"
_CHUNK = 1 << 20
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_QUOTED = re.compile(rb'"[^"]*"')
_MAGIC = {
    b"PK\x03\x04": "a zip or Excel workbook",
    b"\xd0\xcf\x11\xe0": "an Excel or Office file (perhaps encrypted)",
    b"%PDF": "a PDF",
    b"\x1f\x8b": "a gzip file",
    b"\xff\xfe": "a UTF-16 text",
    b"\xfe\xff": "a UTF-16 text",
}


@dataclass(frozen=True)
class Limits:
    """What an archive may unpack to before it is refused as a bomb."""

    members: int = 200
    bytes_unpacked: int = 8 << 30
    ratio: int = 200
    ratio_from_bytes: int = 64 << 20


LIMITS = Limits()


@dataclass(frozen=True)
class DeclaredFile:
    """One file as the manifest declares it."""

    extract: str
    file: str
    rows: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """`submission.json`, read."""

    force_code: str
    period: date
    sequence: int
    contract_version: str
    extracted_at: datetime
    nil_return: bool
    contact: str
    files: tuple[DeclaredFile, ...]


@dataclass(frozen=True)
class ReceivedFile:
    """One extract file as it arrived. `rows` is None where it could not be read; `fault` says why."""

    extract: str
    file: str
    sha256: str
    n_rows: int
    rows: pl.DataFrame | None
    fault: str | None = None
    detail: str = ""


@dataclass(frozen=True)
class Opened:
    """A submission, opened. `fault` is set where not even the manifest could be read."""

    content_hash: str
    name: str
    manifest: Manifest | None
    files: dict[str, ReceivedFile] = field(default_factory=dict)
    undeclared: tuple[str, ...] = ()
    fault: str | None = None
    detail: str = ""

    @property
    def submission_id(self) -> str:
        """`<force>_<period>_<sequence>_<hash>`, or `unreadable_<hash>`; holds no personal value."""
        if self.manifest is None:
            return f"unreadable_{self.content_hash[:12]}"
        m = self.manifest
        return f"{m.force_code}_{m.period:%Y-%m}_{m.sequence}_{self.content_hash[:12]}"


def sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def content_hash(path: Path) -> str:
    """Hash of a zip's bytes, or of a folder's files with their relative names."""
    if path.is_file():
        return sha256_of(path)
    digest = hashlib.sha256()
    for member in sorted(p for p in path.rglob("*") if p.is_file() and not p.is_symlink()):
        digest.update(f"{member.relative_to(path).as_posix()}\0{sha256_of(member)}\n".encode())
    return digest.hexdigest()


class _Refused(Exception):
    """Why an archive or a manifest was refused: a submission rule's name and what was seen."""

    def __init__(self, fault: str, detail: str = "") -> None:
        super().__init__(fault)
        self.fault = fault
        self.detail = detail


def open_submission(path: Path, *, limits: Limits = LIMITS) -> Opened:
    """Open a folder or zip. Raises FileNotFoundError if `path` is not there, nothing else."""
    if not path.exists():
        raise FileNotFoundError(f"there is no submission at {path}")
    digest = content_hash(path)
    try:
        with _as_folder(path, limits) as folder:
            return _open_folder(folder, path.name, digest)
    except _Refused as refusal:
        return Opened(digest, path.name, None, fault=refusal.fault, detail=refusal.detail)


@contextmanager
def _as_folder(path: Path, limits: Limits) -> Iterator[Path]:
    if path.is_dir():
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="vawg-") as temporary:
        target = Path(temporary)
        try:
            with zipfile.ZipFile(path) as archive:
                _unpack(archive, target, limits)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, OSError) as error:
            raise _Refused("archive_unreadable", type(error).__name__) from None
        yield _manifest_folder(target)


def _manifest_folder(folder: Path) -> Path:
    """A zip may hold its files at the top or in one folder of its own."""
    inside = list(folder.iterdir())
    if not (folder / MANIFEST).exists() and len(inside) == 1 and inside[0].is_dir():
        return inside[0]
    return folder


def _unpack(archive: zipfile.ZipFile, target: Path, limits: Limits) -> None:
    members = [m for m in archive.infolist() if not m.is_dir()]
    declared = sum(m.file_size for m in members)
    packed = sum(m.compress_size for m in members)
    if len(members) > limits.members:
        raise _Refused("archive_too_large", f"{len(members)} files, at most {limits.members}")
    for member in members:
        parts = PurePosixPath(member.filename.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or ":" in member.filename:
            raise _Refused("archive_entry_escapes", "an entry's path leaves the archive")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise _Refused("archive_entry_escapes", "an entry is a link")
    bomb = declared > limits.ratio_from_bytes and declared > limits.ratio * max(packed, 1)
    if declared > limits.bytes_unpacked or bomb:
        raise _Refused("archive_too_large", f"{declared:,} bytes unpacked from {packed:,}")
    written = 0
    for member in members:
        destination = target / PurePosixPath(member.filename.replace("\\", "/"))
        destination.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(member) as source, destination.open("wb") as sink:
            # The directory's sizes are the sender's word; what is written is counted.
            while chunk := source.read(_CHUNK):
                written += len(chunk)
                if written > min(declared, limits.bytes_unpacked):
                    raise _Refused("archive_too_large", "an entry is larger than it says")
                sink.write(chunk)


def _open_folder(folder: Path, name: str, digest: str) -> Opened:
    manifest = _read_manifest(folder / MANIFEST)
    files: dict[str, ReceivedFile] = {}
    for declared in manifest.files:
        if declared.extract in EXTRACTS and declared.extract not in files:
            files[declared.extract] = _read_file(folder, declared)
    names = {MANIFEST} | {d.file for d in manifest.files}
    present = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    return Opened(digest, name, manifest, files, tuple(sorted(present - names)))


def _read_manifest(path: Path) -> Manifest:
    if not path.is_file() or path.is_symlink():
        raise _Refused("manifest_missing")
    try:
        raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return Manifest(
            force_code=str(raw["force_code"]),
            period=datetime.strptime(raw["period"], "%Y-%m").date(),
            sequence=int(raw["sequence"]),
            contract_version=str(raw["contract_version"]),
            extracted_at=datetime.fromisoformat(raw["extracted_at"]).replace(tzinfo=None),
            nil_return=bool(raw.get("nil_return", False)),
            contact=str(raw.get("contact", "")),
            files=tuple(
                DeclaredFile(str(f["extract"]), str(f["file"]), int(f["rows"]), str(f["sha256"]).lower())
                for f in raw.get("files", [])
            ),
        )
    except KeyError as missing:
        raise _Refused("manifest_unreadable", f"{missing.args[0]} is not there") from None
    except (ValueError, TypeError, AttributeError) as error:
        raise _Refused("manifest_unreadable", type(error).__name__) from None


def _read_file(folder: Path, declared: DeclaredFile) -> ReceivedFile:
    """Read one extract as text; every fault becomes a submission rule's name."""

    def refuse(fault: str, detail: str = "", sha256: str = "") -> ReceivedFile:
        return ReceivedFile(declared.extract, declared.file, sha256, max(declared.rows, 0), None, fault, detail)

    path = folder / declared.file
    if ".." in PurePosixPath(declared.file).parts or not path.resolve().is_relative_to(folder.resolve()):
        return refuse("archive_entry_escapes", "the manifest names a file outside the submission")
    if not path.is_file() or path.is_symlink():
        return refuse("file_missing")
    sha256 = sha256_of(path)
    if sha256 != declared.sha256:
        return refuse("hash_differs", "", sha256)
    try:
        rows = _read_parquet(path) if path.suffix.lower() == ".parquet" else _read_csv(path)
    except _Refused as refusal:
        return refuse(refusal.fault, refusal.detail, sha256)
    return ReceivedFile(declared.extract, declared.file, sha256, rows.height, rows)


def _read_parquet(path: Path) -> pl.DataFrame:
    try:
        rows = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _Refused("file_unreadable", type(error).__name__) from None
    dates = [c for c, t in rows.schema.items() if t == pl.Date]
    stamps = [c for c, t in rows.schema.items() if isinstance(t, pl.Datetime)]
    flags = [c for c, t in rows.schema.items() if t == pl.Boolean]
    return rows.with_columns(
        pl.col(dates).dt.strftime("%Y-%m-%d"),
        pl.col(stamps).dt.strftime("%Y-%m-%dT%H:%M:%S"),
        *(pl.when(pl.col(c)).then(pl.lit("Y")).when(~pl.col(c)).then(pl.lit("N")).alias(c) for c in flags),
    ).cast(pl.String)


def _read_csv(path: Path) -> pl.DataFrame:
    data = path.read_bytes()
    for magic, kind in _MAGIC.items():
        if data.startswith(magic):
            raise _Refused("file_not_utf8", f"it looks like {kind}")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _Refused("file_not_utf8", f"first at line {line}") from None
    if found := _CONTROL.search(data):
        line = data.count(b"\n", 0, found.start()) + 1
        raise _Refused("file_has_control_characters", f"first at line {line}")
    data = data.removeprefix(b"\xef\xbb\xbf")
    if not data.strip():
        raise _Refused("file_unreadable", "it is empty: not even a header line")
    try:
        rows = pl.read_csv(data, infer_schema=False)
    except (pl.exceptions.PolarsError, OSError):
        raise _Refused("file_unreadable", _first_ragged_line(data)) from None
    # The reader pads short lines with blanks; counting separators outside quotes finds them.
    bare = _QUOTED.sub(b"", data) if b'"' in data else data
    if bare.count(b",") != (rows.width - 1) * (rows.height + 1):
        raise _Refused("file_unreadable", _first_ragged_line(data))
    return rows


def _first_ragged_line(data: bytes) -> str:
    import csv
    import io

    reader = csv.reader(io.StringIO(data.decode("utf-8"), newline=""))
    try:
        width = len(next(reader))
        for cells in reader:
            if cells and len(cells) != width:
                return f"line {reader.line_num} has {len(cells)} fields, the header {width}"
    except csv.Error:
        return f"line {reader.line_num} breaks the quoting"
    return "its quoting or line ends are broken"


def write_submission(
    folder: Path,
    *,
    force_code: str,
    period: date,
    sequence: int,
    extracted_at: datetime,
    contact: str,
    extracts: dict[str, pl.DataFrame],
    contract_version: str,
    file_format: str = "csv",
) -> Path:
    """Write a submission folder with its manifest; extracts without rows are left out.

    No extract with rows makes it a nil return. Returns the folder. The folder appears whole or not
    at all: it is written beside its place and moved there.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    files = []
    for name, rows in extracts.items():
        if rows.height == 0:
            continue
        path = partial / f"{name}.{file_format}"
        if file_format == "parquet":
            rows.write_parquet(path)
        else:
            rows.write_csv(path, datetime_format="%Y-%m-%dT%H:%M:%S", date_format="%Y-%m-%d")
        files.append({"extract": name, "file": path.name, "rows": rows.height, "sha256": sha256_of(path)})
    manifest = {
        "force_code": force_code,
        "period": f"{period:%Y-%m}",
        "sequence": sequence,
        "contract_version": contract_version,
        "extracted_at": extracted_at.isoformat(timespec="seconds"),
        "nil_return": not files,
        "contact": contact,
        "files": files,
    }
    (partial / MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)
    return folder
