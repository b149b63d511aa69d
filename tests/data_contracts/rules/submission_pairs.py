"""For each rule on the submission as a whole, one submission that breaks it and one that nearly does.

Each maker writes a submission under a folder and gives its path, with what the check should be told.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data_contracts.submission import MANIFEST, Limits
from tests.data_contracts.clean import RECEIVED_ON, clean_tables, write_tables

Maker = Callable[[Path], Path]


@dataclass(frozen=True)
class SubmissionPair:
    """A breaking and a nearly breaking submission; `also` names rules the first cannot but break too."""

    plant: Maker
    near: Maker
    also: set[str] = field(default_factory=set)
    near_trips: set[str] = field(default_factory=set)
    told: dict[str, Any] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)


def said(**fields: Any) -> Maker:
    """The clean submission with other manifest fields."""

    def make(folder: Path) -> Path:
        path = write_tables(folder / "submission", clean_tables())
        return edit_manifest(path, lambda m: m.update(fields))

    return make


def edit_manifest(path: Path, edit: Callable[[dict[str, Any]], object]) -> Path:
    """Change the manifest in place."""
    manifest = json.loads((path / MANIFEST).read_text())
    edit(manifest)
    (path / MANIFEST).write_text(json.dumps(manifest))
    return path


def raw_manifest(text: str) -> Maker:
    """The clean submission with this for a manifest."""

    def make(folder: Path) -> Path:
        path = write_tables(folder / "submission", clean_tables())
        (path / MANIFEST).write_text(text, encoding="utf-8")
        return path

    return make


def entry(extract: str = "offences", /, **fields: Any) -> Maker:
    """The clean submission with other facts in the manifest's entry of one extract."""

    def make(folder: Path) -> Path:
        path = write_tables(folder / "submission", clean_tables())
        return edit_manifest(path, lambda m: _entry_of(m, extract).update(fields))

    return make


def _entry_of(manifest: dict[str, Any], extract: str) -> dict[str, Any]:
    return next(f for f in manifest["files"] if f["extract"] == extract)


def swap_file(
    path: Path, extract: str, data: bytes, *, name: str | None = None, rows: int | None = None
) -> Path:
    """Put other bytes in the place of an extract's file, declared truthfully."""
    manifest = json.loads((path / MANIFEST).read_text())
    said_of_it = _entry_of(manifest, extract)
    (path / said_of_it["file"]).unlink()
    said_of_it["file"] = name or said_of_it["file"]
    (path / said_of_it["file"]).write_bytes(data)
    said_of_it["sha256"] = hashlib.sha256(data).hexdigest()
    if rows is not None:
        said_of_it["rows"] = rows
    (path / MANIFEST).write_text(json.dumps(manifest))
    return path


def rewritten(edit: Callable[[bytes], bytes], extract: str = "offences") -> Maker:
    """The clean submission with one file edited, and declared as edited."""

    def make(folder: Path) -> Path:
        path = write_tables(folder / "submission", clean_tables())
        return swap_file(path, extract, edit((path / f"{extract}.csv").read_bytes()))

    return make


def replaced(old: bytes, new: bytes) -> Maker:
    """The clean submission with some bytes of the offences file exchanged."""

    def edit(data: bytes) -> bytes:
        assert old in data
        return data.replace(old, new, 1)

    return rewritten(edit)


def in_header(edit: Callable[[bytes], bytes]) -> Maker:
    """The clean submission with the header line of the offences file edited."""

    def whole(data: bytes) -> bytes:
        head, body = data.split(b"\n", 1)
        return edit(head) + b"\n" + body

    return rewritten(whole)


def zipped(*more: tuple[str, bytes], top: str = "") -> Maker:
    """The clean submission as a zip, with further entries."""

    def make(folder: Path) -> Path:
        source = write_tables(folder / "source", clean_tables())
        path = folder / "submission.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(source.iterdir()):
                archive.write(file, f"{top}{file.name}")
            for name, data in more:
                archive.writestr(name, data)
        return path

    return make


def damaged(make: Maker, damage: Callable[[bytes], bytes]) -> Maker:
    """A zip whose bytes were damaged on the way."""

    def made(folder: Path) -> Path:
        path = make(folder)
        path.write_bytes(damage(path.read_bytes()))
        return path

    return made


def without(name: str) -> Maker:
    """The clean submission with one file taken away."""

    def make(folder: Path) -> Path:
        path = write_tables(folder / "submission", clean_tables())
        (path / name).unlink()
        return path

    return make


def beside(name: str) -> Maker:
    """The clean submission with one more file that nobody declared."""

    def make(folder: Path) -> Path:
        path = write_tables(folder / "submission", clean_tables())
        (path / name).write_text("x")
        return path

    return make


def nil(rows: bool, marker: bool) -> Maker:
    """A submission with or without rows, with or without the nil marker."""

    def make(folder: Path) -> Path:
        path = write_tables(folder / "submission", clean_tables() if rows else {})
        return edit_manifest(path, lambda m: m.update(nil_return=marker))

    return make


def twice(folder: Path) -> Path:
    """The manifest lists the flags two times."""
    path = write_tables(folder / "submission", clean_tables())
    return edit_manifest(path, lambda m: m["files"].append(dict(_entry_of(m, "flags"))))


def shorter_by_one_declared(folder: Path) -> Path:
    """The last row was lost before the manifest was hashed, after it was counted."""
    path = write_tables(folder / "submission", clean_tables())
    data = (path / "deletions.csv").read_bytes()
    return swap_file(path, "deletions", data.split(b"\n")[0] + b"\n")


clean: Maker = said()
_SMALL = Limits(bytes_unpacked=20_000)


SUBMISSION_PAIRS: dict[str, SubmissionPair] = {
    "archive_unreadable": SubmissionPair(damaged(zipped(), lambda b: b[: len(b) // 2]), zipped()),
    "archive_entry_escapes": SubmissionPair(
        zipped(("../escaped.csv", b"some text")),
        zipped(("..escaped.csv", b"some text")),
        near_trips={"file_undeclared"},
    ),
    "archive_too_large": SubmissionPair(
        zipped(("zeros.csv", b"0" * 20_000)),
        zipped(("zeros.csv", b"0" * 9_000)),
        near_trips={"file_undeclared"},
        limits=_SMALL,
    ),
    "manifest_missing": SubmissionPair(without(MANIFEST), zipped(top="E23000012_2026-01_1/")),
    "manifest_unreadable": SubmissionPair(
        said(sequence="1"), said(note="fields we do not know are passed over")
    ),
    "force_unknown": SubmissionPair(said(force_code="E23000099"), clean),
    "force_not_active": SubmissionPair(
        said(period="2013-03", extracted_at="2026-02-03T08:00:00"), said(period="2013-04")
    ),
    "period_in_future": SubmissionPair(
        said(period="2026-03"), said(period="2026-02"), also={"extraction_time_impossible"}
    ),
    "extraction_time_impossible": SubmissionPair(
        said(extracted_at="2026-02-06T00:00:00"), said(extracted_at="2026-02-05T23:59:59")
    ),
    "contract_version_unsupported": SubmissionPair(
        said(contract_version="0.9"), said(contract_version="1.0")
    ),
    "sequence_not_higher": SubmissionPair(said(sequence=3), said(sequence=4), told={"last_sequence": 3}),
    "nil_return_with_rows": SubmissionPair(nil(rows=True, marker=True), nil(rows=False, marker=True)),
    "nothing_submitted": SubmissionPair(nil(rows=False, marker=False), nil(rows=False, marker=True)),
    "extract_unknown": SubmissionPair(entry("flags", extract="markers"), entry("flags", file="flags.csv")),
    "extract_declared_twice": SubmissionPair(twice, clean),
    "file_missing": SubmissionPair(without("flags.csv"), clean),
    "hash_differs": SubmissionPair(entry(sha256="0" * 64), replaced(b"Public: park", b"Public: street")),
    "row_count_differs": SubmissionPair(shorter_by_one_declared, entry(rows=2)),
    "file_not_utf8": SubmissionPair(
        replaced(b"at home", "chez René".encode("latin-1")), replaced(b"at home", "chez René".encode())
    ),
    "file_has_control_characters": SubmissionPair(
        replaced(b"at home", b"at\x00home"), replaced(b"at home", b"at\r\n\thome")
    ),
    "file_unreadable": SubmissionPair(
        replaced(b'against the door."', b"against the door."),
        replaced(b"against the door", b'against the ""door""'),
    ),
    "columns_duplicated": SubmissionPair(
        in_header(lambda h: h.replace(b"weapon", b"injury")),
        in_header(lambda h: h.replace(b"weapon", b"injury_2")),
        near_trips={"columns_unexpected"},
    ),
    "columns_missing": SubmissionPair(
        in_header(lambda h: h.replace(b"reported_at", b"Reported_At")),
        in_header(lambda h: b",".join(b'"' + name + b'"' for name in h.split(b","))),
        also={"columns_unexpected"},
    ),
    "columns_unexpected": SubmissionPair(
        in_header(lambda h: h.replace(b"weapon", b"row_number")), in_header(lambda h: b"\xef\xbb\xbf" + h)
    ),
    "file_undeclared": SubmissionPair(beside("notes.txt"), clean),
}

# Faults a sender may make in the manifest, each of which must end in one clear finding.
BAD_MANIFESTS: dict[str, Maker] = {
    "empty": raw_manifest(""),
    "a byte order mark": raw_manifest("\ufeff{}"),
    "null": raw_manifest("null"),
    "a list": raw_manifest("[]"),
    "a number": raw_manifest("NaN"),
    "nested deeply": raw_manifest("[" * 100_000),
    "far too long": raw_manifest(" " * (2 << 20) + "{}"),
    "no force": raw_manifest("{}"),
    "force is a list": said(force_code=["E23000012"]),
    "force is a path": said(force_code="../../outside"),
    "force is endless": said(force_code="E" * 5_000),
    "period is a number": said(period=202601),
    "period has a day": said(period="2026-01-01"),
    "period has no such month": said(period="2026-13"),
    "sequence is huge": said(sequence=10**30),
    "sequence is below one": said(sequence=0),
    "sequence is a fraction": said(sequence=1.5),
    "sequence is true": said(sequence=True),
    "sequence is not a number": said(sequence=float("nan")),
    "sequence is infinite": said(sequence=float("inf")),
    "extracted at an offset": said(extracted_at="2026-02-03T08:00:00+05:00"),
    "extracted on a day": said(extracted_at="2026-02-03"),
    "nil return is a word": said(nil_return="false"),
    "files is null": said(files=None),
    "files is an object": said(files={"offences": "offences.csv"}),
    "files are names": said(files=["offences.csv"]),
    "rows are negative": entry(rows=-1),
    "rows are huge": entry(rows=10**30),
    "hash is null": entry(sha256=None),
    "file is a list": entry(file=["offences.csv"]),
    "extract is null": entry(extract=None),
}

# Further ways in: what arrives, and the rule that must name it.
HOSTILE: dict[str, tuple[Maker, str]] = {
    "file outside, absolute": (entry(file="/etc/hostname"), "archive_entry_escapes"),
    "file outside, relative": (entry(file="../submission.json"), "archive_entry_escapes"),
    "file name with a null": (entry(file="a\0b"), "file_missing"),
    "file name without end": (entry(file="a" * 5_000), "file_missing"),
    "file is the folder": (entry(file="."), "file_missing"),
    "file is the manifest": (entry(file=MANIFEST), "hash_differs"),
    "zip entry with a drive letter": (zipped(("C:\\outside.csv", b"x")), "archive_entry_escapes"),
    "zip entry with backslashes": (zipped(("..\\outside.csv", b"x")), "archive_entry_escapes"),
    "zip entry from the root": (zipped(("/outside.csv", b"x")), "archive_entry_escapes"),
    "zip entries of one name": (zipped(("flags.csv", b"x")), "archive_unreadable"),
    "zip entry both file and folder": (zipped(("flags.csv/inside", b"x")), "archive_unreadable"),
    "zip with an encrypted entry": (damaged(zipped(), lambda b: _flag_encrypted(b)), "archive_unreadable"),
    "zip with flipped bytes": (
        damaged(zipped(), lambda b: b[:80] + bytes(40) + b[120:]),
        "archive_unreadable",
    ),
    "zip of many files": (zipped(*((f"{n}.txt", b"") for n in range(201))), "archive_too_large"),
    "zip bomb": (zipped(("zeros.csv", bytes(80 << 20))), "archive_too_large"),
    "not a zip": (damaged(zipped(), lambda b: b"hello"), "archive_unreadable"),
    "lines end in CR": (rewritten(lambda b: b.replace(b"\n", b"\r")), "file_unreadable"),
    "blank line": (rewritten(lambda b: b.replace(b"\n", b"\n\n", 1)), "file_unreadable"),
    "separated by semicolons": (rewritten(lambda b: b.replace(b",", b";")), "file_unreadable"),
    "UTF-16": (rewritten(lambda b: b.decode().encode("utf-16")), "file_not_utf8"),
    "UTF-16 without a mark": (
        rewritten(lambda b: b.decode().encode("utf-16-le")),
        "file_has_control_characters",
    ),
    "empty file": (rewritten(lambda b: b""), "file_unreadable"),
    "one byte": (rewritten(lambda b: b"a"), "columns_missing"),
    "only separators": (rewritten(lambda b: b",,"), "columns_duplicated"),
    "header only": (rewritten(lambda b: b.split(b"\n")[0] + b"\n"), "row_count_differs"),
    "truncated in the last line": (rewritten(lambda b: b[:-20]), "file_unreadable"),
}

# Odd but right: these must pass without a finding.
HARMLESS: dict[str, Maker] = {
    "lines end in CRLF": rewritten(lambda b: b.replace(b"\n", b"\r\n")),
    "byte order mark": rewritten(lambda b: b"\xef\xbb\xbf" + b),
    "no line end at the end": rewritten(lambda b: b.rstrip(b"\n")),
    "quoted line breaks": replaced(b"Argument at home", b'Argument\nat ""home""\r\n'),
    "a cell of a million letters": replaced(b"Argument at home", b"x" * 1_000_000),
    "a hash in capitals": lambda folder: edit_manifest(
        clean(folder), lambda m: [f.update(sha256=f["sha256"].upper()) for f in m["files"]]
    ),
}


def _flag_encrypted(data: bytes) -> bytes:
    """Set the encryption bit of the first entry, in its own header and in the directory."""
    directory = data.index(b"PK\x01\x02")
    return (
        data[:6]
        + bytes([data[6] | 1])
        + data[7 : directory + 8]
        + bytes([data[directory + 8] | 1])
        + data[directory + 9 :]
    )


TOLD: dict[str, Any] = {"received_on": RECEIVED_ON}
