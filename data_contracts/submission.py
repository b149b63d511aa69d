"""Open what a force sent: a folder or zip with `submission.json` and one file per extract.

Opening never trusts and never raises on bad input: every fault is kept as a fact for the submission
rules to judge, and rows are handed on as text exactly as they came.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import lzma
import re
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, TypeVar

import polars as pl

from data_contracts.extracts.catalogue import EXTRACTS

MANIFEST = "submission.json"
_CHUNK = 1 << 20
_LONGEST_RECORD = 1 << 28
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_CONTROL_TEXT = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x7F]"
_QUOTED = re.compile(rb'"[^"]*"')
_WITHIN_ONE_NAME = re.compile(r"[A-Za-z0-9_-]{1,20}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MAGIC = {
    b"PK\x03\x04": "a zip or Excel workbook",
    b"\xd0\xcf\x11\xe0": "an Excel or Office file (perhaps encrypted)",
    b"%PDF": "a PDF",
    b"\x1f\x8b": "a gzip file",
    b"\xff\xfe": "a UTF-16 text",
    b"\xfe\xff": "a UTF-16 text",
}


_SEPARATOR = re.compile("[;|\t]")
_ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, lzma.LZMAError)


@dataclass(frozen=True)
class Limits:
    """What an archive may unpack to before it is refused as a bomb."""

    members: int = 200
    bytes_unpacked: int = 8 << 30
    ratio: int = 200
    ratio_from_bytes: int = 64 << 20
    rows: int = 50_000_000
    manifest_bytes: int = 1 << 20


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
    """One extract file as it arrived. `rows` is None where it could not be read; `fault` says why.

    Where the submission was opened in slices, `rows` has the columns and no row: the rows lie in `parts`.
    """

    extract: str
    file: str
    sha256: str
    n_rows: int
    rows: pl.DataFrame | None
    fault: str | None = None
    detail: str = ""
    parts: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Slices:
    """Open a submission without holding it in memory: text tables of about `size` bytes of file, in `folder`.

    `tell` is told, file by file, how many bytes of how many have been read.
    """

    folder: Path
    size: int = 32 << 20
    tell: Callable[[str, int, int], None] = lambda extract, done, total: None


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
        return f"{m.force_code}_{m.period.isoformat()[:7]}_{m.sequence}_{self.content_hash[:12]}"


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


def open_submission(path: Path, *, limits: Limits = LIMITS, slices: Slices | None = None) -> Opened:
    """Open a folder or zip, whole or in `slices`. Raises FileNotFoundError if `path` is not there, nothing else."""
    if not path.exists():
        raise FileNotFoundError(f"there is no submission at {path}")
    digest = content_hash(path)
    try:
        with _as_folder(path, limits) as folder:
            return _open_folder(folder, path.name, digest, slices)
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
        except (*_ZIP_ERRORS, RuntimeError, NotImplementedError, EOFError, OSError, ValueError) as error:
            is_zip = path.suffix.lower() == ".zip"
            what = (
                type(error).__name__
                if is_zip
                else f"this is one file; name the folder that {MANIFEST} lies in, or a zip of it"
            )
            raise _Refused("archive_unreadable", what) from None
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
    if len({m.filename for m in members}) < len(members):
        raise _Refused("archive_unreadable", "two entries have the same name")
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


def _open_folder(folder: Path, name: str, digest: str, slices: Slices | None) -> Opened:
    manifest = _read_manifest(folder / MANIFEST)
    files: dict[str, ReceivedFile] = {}
    for declared in manifest.files:
        if declared.extract in EXTRACTS and declared.extract not in files:
            files[declared.extract] = _read_file(folder, declared, slices)
    names = {MANIFEST} | {d.file for d in manifest.files}
    present = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    return Opened(digest, name, manifest, files, tuple(sorted(present - names)))


def _read_manifest(path: Path) -> Manifest:
    if not path.is_file() or path.is_symlink():
        raise _Refused("manifest_missing")
    try:
        if path.stat().st_size > LIMITS.manifest_bytes:
            raise ValueError("submission.json is far too long")
        return _manifest(json.loads(path.read_text(encoding="utf-8")))
    except json.JSONDecodeError as error:
        raise _Refused("manifest_unreadable", f"not JSON at line {error.lineno}") from None
    except UnicodeDecodeError:
        raise _Refused("manifest_unreadable", "it is not UTF-8") from None
    except RecursionError:
        raise _Refused("manifest_unreadable", "it is nested too deeply") from None
    except (ValueError, OSError) as error:
        raise _Refused(
            "manifest_unreadable", str(error) if type(error) is ValueError else type(error).__name__
        ) from None


def _manifest(raw: Any) -> Manifest:
    """Raises ValueError, in words without values, where a field is absent or of the wrong form."""
    if not isinstance(raw, dict):
        raise ValueError("it is not an object")
    force_code = _said(raw, "force_code", str)
    # The code becomes part of file names.
    if not _WITHIN_ONE_NAME.fullmatch(force_code):
        raise ValueError("force_code is not a code")
    files = _said(raw, "files", list, [])
    return Manifest(
        force_code=force_code,
        period=_period(_said(raw, "period", str)),
        sequence=_number(raw, "sequence", 1, 999_999),
        contract_version=_said(raw, "contract_version", str),
        extracted_at=_local_time(_said(raw, "extracted_at", str)),
        nil_return=_said(raw, "nil_return", bool, False),
        contact=_said(raw, "contact", str, ""),
        files=tuple(_declared_file(f) for f in files),
    )


_T = TypeVar("_T")


def _said(raw: dict[str, Any], name: str, kind: type[_T], otherwise: _T | None = None) -> _T:
    """The manifest's field, of exactly this JSON type."""
    value = raw.get(name, otherwise)
    if value is None and name not in raw:
        raise ValueError(f"{name} is not there")
    if type(value) is not kind:
        raise ValueError(f"{name} is not a {_JSON_NAMES[kind]}")
    return value


_JSON_NAMES: dict[type, str] = {str: "text", int: "whole number", bool: "true or false", list: "list"}


def _number(raw: dict[str, Any], name: str, low: int, high: int) -> int:
    number = _said(raw, name, int)
    if not low <= number <= high:
        raise ValueError(f"{name} is not between {low} and {high}")
    return number


def _period(text: str) -> date:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}", text):
        raise ValueError("period is not a month, YYYY-MM")
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        raise ValueError("period is not a month, YYYY-MM") from None


def _local_time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or "T" not in text or moment.tzinfo is not None:
        raise ValueError("extracted_at is not a local time, YYYY-MM-DDTHH:MM:SS")
    return moment


def _declared_file(raw: Any) -> DeclaredFile:
    if not isinstance(raw, dict):
        raise ValueError("an entry of files is not an object")
    sha256 = _said(raw, "sha256", str).lower()
    if not _SHA256.fullmatch(sha256):
        raise ValueError("sha256 is not 64 hexadecimal digits")
    return DeclaredFile(
        _said(raw, "extract", str), _said(raw, "file", str), _number(raw, "rows", 0, LIMITS.rows), sha256
    )


def _read_file(folder: Path, declared: DeclaredFile, slices: Slices | None) -> ReceivedFile:
    """Read one extract as text; every fault becomes a submission rule's name."""
    sha256 = ""
    try:
        path = _inside(folder, declared.file)
        sha256 = sha256_of(path)
        if sha256 != declared.sha256:
            raise _Refused("hash_differs")
        is_parquet = path.suffix.lower() == ".parquet"
        if slices:
            tables = (
                _parquet_slices(path, declared.rows, slices)
                if is_parquet
                else _csv_slices(path, slices, declared)
            )
            return _sliced_file(declared, sha256, tables, slices)
        rows = _read_parquet(path, declared.rows) if is_parquet else _read_csv(path.read_bytes())
    except _Refused as refusal:
        fault, detail = refusal.fault, refusal.detail
    except (OSError, ValueError) as error:
        fault, detail = "file_unreadable", type(error).__name__
    else:
        return ReceivedFile(declared.extract, declared.file, sha256, rows.height, rows)
    return ReceivedFile(declared.extract, declared.file, sha256, declared.rows, None, fault, detail)


def _inside(folder: Path, name: str) -> Path:
    """The regular file of this name within the submission."""
    if "\0" in name or len(name) > 255:
        raise _Refused("file_missing", "no file can have the name the manifest gives")
    path = folder / name
    if ".." in PurePosixPath(name).parts or not path.resolve().is_relative_to(folder.resolve()):
        raise _Refused("archive_entry_escapes", "the manifest names a file outside the submission")
    if not path.is_file() or path.is_symlink():
        raise _Refused("file_missing")
    return path


def _read_parquet(path: Path, declared_rows: int) -> pl.DataFrame:
    _counted(path, declared_rows)
    return _parquet_rows(pl.scan_parquet(path))


def _counted(path: Path, declared_rows: int) -> int:
    """The rows of a Parquet file. A small file can claim any number of rows: it is counted before reading."""
    try:
        n_rows = pl.scan_parquet(path).select(pl.len()).collect().item()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise _Refused("file_unreadable", type(error).__name__) from None
    if n_rows != declared_rows:
        raise _Refused("row_count_differs", f"{n_rows} arrived, {declared_rows} declared")
    return int(n_rows)


def _parquet_rows(found: pl.LazyFrame) -> pl.DataFrame:
    try:
        rows = _as_text(found.collect())
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise _Refused("file_unreadable", type(error).__name__) from None
    control = (
        rows.select(pl.any_horizontal(pl.all().str.contains(_CONTROL_TEXT).any())).item()
        if rows.width
        else False
    )
    if control:
        raise _Refused("file_has_control_characters")
    return rows


def _as_text(rows: pl.DataFrame) -> pl.DataFrame:
    """Typed columns as a CSV would write them. Raises PolarsError on a column that has no text form."""

    def written(name: str, dtype: pl.DataType) -> pl.Expr:
        cell = pl.col(name)
        if dtype == pl.Date:
            return cell.dt.strftime("%Y-%m-%d")
        if isinstance(dtype, pl.Datetime):
            return cell.dt.strftime("%Y-%m-%dT%H:%M:%S")
        if dtype == pl.Boolean:
            return pl.when(cell).then(pl.lit("Y")).when(~cell).then(pl.lit("N")).alias(name)
        if dtype.is_float():
            # A column of whole numbers with blanks is often stored as floating point.
            whole = cell.cast(pl.Int64, strict=False)
            return (
                pl.when(whole == cell).then(whole.cast(pl.String)).otherwise(cell.cast(pl.String)).alias(name)
            )
        return cell.cast(pl.String)

    if nested := [n for n, t in rows.schema.items() if t.is_nested() or t == pl.Binary]:
        raise pl.exceptions.SchemaError(f"{len(nested)} columns have no text form")
    return rows.select(written(n, t) for n, t in rows.schema.items())


def _sliced_file(
    declared: DeclaredFile, sha256: str, tables: Iterable[pl.DataFrame], slices: Slices
) -> ReceivedFile:
    """Put the slices of one file into the folder. Raises _Refused, OSError as reading them does."""
    folder = slices.folder / declared.extract
    folder.mkdir(parents=True)
    parts, columns, n_rows = [], pl.DataFrame(), 0
    for number, rows in enumerate(tables):
        parts.append(folder / f"{number:06}.parquet")
        rows.write_parquet(parts[-1], compression="lz4")
        columns, n_rows = rows.clear(), n_rows + rows.height
    return ReceivedFile(declared.extract, declared.file, sha256, n_rows, columns, parts=tuple(parts))


def _parquet_slices(path: Path, declared_rows: int, slices: Slices) -> Iterator[pl.DataFrame]:
    n_rows = _counted(path, declared_rows)
    # A row as text takes some 200 bytes.
    step = max(1, slices.size // 200)
    for start in range(0, max(n_rows, 1), step):
        yield _parquet_rows(pl.scan_parquet(path).slice(start, step))


def _csv_slices(path: Path, slices: Slices, declared: DeclaredFile) -> Iterator[pl.DataFrame]:
    """The file a slice of whole records at a time, each read as the file would be."""
    header, n_lines, done, total = b"", 0, 0, path.stat().st_size
    with path.open("rb") as stream:
        for block in _whole_records(stream, slices.size):
            try:
                yield _read_csv(header + block)
            except _Refused as refusal:
                # Lines are counted from the top of the file, and the header is not there twice.
                raise _Refused(refusal.fault, _further_down(refusal.detail, n_lines - bool(header))) from None
            header = header or _header_line(block)
            n_lines, done = n_lines + block.count(b"\n"), done + len(block)
            slices.tell(declared.extract, done, total)


def _further_down(detail: str, n_lines: int) -> str:
    return re.sub(r"line (\d+)", lambda found: f"line {int(found[1]) + n_lines}", detail)


def _whole_records(stream: BinaryIO, size: int) -> Iterator[bytes]:
    """Blocks of about `size` bytes that end where a record ends; at least one, empty for an empty file."""
    rest, some = b"", False
    while block := stream.read(size):
        rest += block
        end = _end_of_record(rest)
        # Where no record ends for long, the quoting is broken: reading says where.
        if end or len(rest) > _LONGEST_RECORD:
            yield rest[: end or len(rest)]
            rest, some = rest[end or len(rest) :], True
    if rest or not some:
        yield rest


def _end_of_record(data: bytes) -> int:
    """The place behind the last line end that lies outside quotes; 0 where there is none."""
    end, quotes = data.rfind(b"\n") + 1, data.count(b'"')
    quotes -= data.count(b'"', end)
    while end and quotes % 2:
        before = data.rfind(b"\n", 0, end - 1) + 1
        quotes -= data.count(b'"', before, end)
        end = before
    return end


def _header_line(data: bytes) -> bytes:
    end = data.find(b"\n") + 1
    while end and data.count(b'"', 0, end) % 2:
        end = data.find(b"\n", end) + 1
    return data[:end].removeprefix(b"\xef\xbb\xbf") if end else data + b"\n"


def _read_csv(data: bytes) -> pl.DataFrame:
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
    bare = _QUOTED.sub(b"", data) if b'"' in data else data
    if b"\r" in bare.replace(b"\r\n", b""):
        raise _Refused("file_unreadable", "its lines end in CR alone; end them in LF or CRLF")
    header = _header(data)
    try:
        rows = pl.read_csv(data, infer_schema=False)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        raise _Refused("file_unreadable", _first_ragged_line(data)) from None
    # The reader pads short lines with blanks; counting separators outside quotes finds them.
    if rows.columns != header or bare.count(b",") != (rows.width - 1) * (rows.height + 1):
        raise _Refused("file_unreadable", _first_ragged_line(data))
    return rows


def _lines(data: bytes) -> Any:
    return csv.reader(io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline=""))


def _header(data: bytes) -> list[str]:
    try:
        header = next(_lines(data))
    except csv.Error:
        raise _Refused("file_unreadable", "its header line breaks the quoting") from None
    if len(header) == 1 and (found := _SEPARATOR.search(header[0])):
        raise _Refused("file_unreadable", f"its columns are separated by {found.group()!r}, not by commas")
    if len(set(header)) < len(header):
        raise _Refused("columns_duplicated", f"{len(header) - len(set(header))} of them")
    return list(header)


def _first_ragged_line(data: bytes) -> str:
    reader = _lines(data)
    try:
        width = len(next(reader))
        for cells in reader:
            if not cells:
                return f"line {reader.line_num} is blank"
            if len(cells) != width:
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
    (partial / MANIFEST).write_text(
        json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)
    return folder
