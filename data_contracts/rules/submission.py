"""Rules on the submission as a whole: may it be let in at all? An error here holds the submission.

A check is given what was opened and gives back, for each breach, the extract it is about (or None)
and what was seen, in words without personal values.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from data_contracts.code_lists import code_list
from data_contracts.extracts.catalogue import EXTRACTS
from data_contracts.rules.rule import submission_rule
from data_contracts.submission import Opened

Breaches = list[tuple[str | None, str]]


def _register_entry(force_code: str) -> dict[str, Any] | None:
    rows = code_list("forces").filter(code_list("forces")["code"] == force_code)
    return rows.row(0, named=True) if rows.height else None


def _file_faults(opened: Opened, fault: str) -> Breaches:
    """Breaches of one kind that were met while reading the files, or on opening."""
    whole: Breaches = [(None, opened.detail)] if opened.fault == fault else []
    return whole + [(f.extract, f.detail) for f in opened.files.values() if f.fault == fault]


@submission_rule(
    message="The archive cannot be opened.",
    remedy="Send a plain zip (no password, no multi-part), or a folder.",
    source="checks S07",
)
def archive_unreadable(opened: Opened, **_: Any) -> Breaches:
    return _file_faults(opened, "archive_unreadable")


@submission_rule(
    message="The submission names a file outside itself.",
    remedy="Pack the files at the top of the zip, without '..', drive letters, absolute paths or links.",
    source="checks S07",
)
def archive_entry_escapes(opened: Opened, **_: Any) -> Breaches:
    return _file_faults(opened, "archive_entry_escapes")


@submission_rule(
    message="The archive unpacks to more than a submission can hold.",
    remedy="Send the extracts only; ask the national team if your month is really this large.",
    source="checks S07",
)
def archive_too_large(opened: Opened, **_: Any) -> Breaches:
    return _file_faults(opened, "archive_too_large")


@submission_rule(
    message="There is no submission.json.",
    remedy="Put submission.json beside the extract files.",
    source="checks S05",
)
def manifest_missing(opened: Opened, **_: Any) -> Breaches:
    return _file_faults(opened, "manifest_missing")


@submission_rule(
    message="submission.json cannot be read.",
    remedy="Correct submission.json: UTF-8 JSON with the fields of the submission specification.",
    source="checks S05",
)
def manifest_unreadable(opened: Opened, **_: Any) -> Breaches:
    return _file_faults(opened, "manifest_unreadable")


@submission_rule(
    message="The force is not in the national register.",
    remedy="Use your force's code from the forces list.",
    source="checks S01",
)
def force_unknown(opened: Opened, **_: Any) -> Breaches:
    if opened.manifest and _register_entry(opened.manifest.force_code) is None:
        return [(None, "")]
    return []


@submission_rule(
    message="The force was not active in this month.",
    remedy="Check force and period in submission.json.",
    source="checks S01",
)
def force_not_active(opened: Opened, **_: Any) -> Breaches:
    m = opened.manifest
    entry = _register_entry(m.force_code) if m else None
    if m is None or entry is None:
        return []
    began, ended = date.fromisoformat(entry["active_from"]), entry["active_to"]
    if m.period < began.replace(day=1) or (ended and m.period > date.fromisoformat(ended)):
        return [(None, f"period {m.period:%Y-%m}")]
    return []


@submission_rule(
    message="The month has not begun.",
    remedy="Correct the period in submission.json.",
    source="checks S03",
)
def period_in_future(opened: Opened, *, received_on: date, **_: Any) -> Breaches:
    m = opened.manifest
    return [(None, f"period {m.period:%Y-%m}")] if m and m.period > received_on else []


@submission_rule(
    message="The extracts were drawn after they were received, or before the month began.",
    remedy="Correct extracted_at in submission.json; it is when the data was drawn from your system.",
    source="checks S03, F04",
)
def extraction_time_impossible(opened: Opened, *, received_on: date, **_: Any) -> Breaches:
    m = opened.manifest
    if m and not m.period <= m.extracted_at.date() <= received_on:
        return [(None, "")]
    return []


@submission_rule(
    message="The contract version is not supported.",
    remedy="Build the extracts to a supported contract version and name it in submission.json.",
    source="checks S04",
)
def contract_version_unsupported(opened: Opened, *, received_on: date, **_: Any) -> Breaches:
    if opened.manifest is None:
        return []
    for row in code_list("contract_versions").iter_rows(named=True):
        ended = row["supported_to"]
        if row["code"] == opened.manifest.contract_version and (
            not ended or received_on <= date.fromisoformat(ended)
        ):
            return []
    return [(None, "")]


@submission_rule(
    message="The sequence number is not higher than the last one accepted for this month.",
    remedy="Raise sequence in submission.json when you send a month again.",
    source="checks S08",
)
def sequence_not_higher(opened: Opened, *, last_sequence: int | None, **_: Any) -> Breaches:
    m = opened.manifest
    if m and last_sequence is not None and m.sequence <= last_sequence:
        return [(None, f"sequence {m.sequence}, last accepted {last_sequence}")]
    return []


@submission_rule(
    message="A nil return carries rows.",
    remedy="Set nil_return to false, or send no files.",
    source="checks S09",
)
def nil_return_with_rows(opened: Opened, **_: Any) -> Breaches:
    m = opened.manifest
    return [(None, "")] if m and m.nil_return and sum(f.n_rows for f in opened.files.values()) else []


@submission_rule(
    message="There are no offences and no nil return marker: this counts as not submitted.",
    remedy="Send the offences extract, or set nil_return to true.",
    source="checks S10",
)
def nothing_submitted(opened: Opened, **_: Any) -> Breaches:
    m = opened.manifest
    if m is None or m.nil_return or sum(f.n_rows for f in opened.files.values()):
        return []
    return [(None, "")]


@submission_rule(
    message="The manifest names an extract the contract does not have.",
    remedy="Use the extract names of the submission specification.",
    source="checks S06",
)
def extract_unknown(opened: Opened, **_: Any) -> Breaches:
    m = opened.manifest
    return [(None, "") for d in (m.files if m else ()) if d.extract not in EXTRACTS]


@submission_rule(
    message="The manifest names an extract twice.",
    remedy="Send one file per extract.",
    source="checks S06",
)
def extract_declared_twice(opened: Opened, **_: Any) -> Breaches:
    names = [d.extract for d in opened.manifest.files] if opened.manifest else []
    return [(n, "") for n in sorted({n for n in names if names.count(n) > 1})]


@submission_rule(
    message="A file the manifest names is not there.",
    remedy="Send the file, or take it out of submission.json.",
    source="checks S05",
)
def file_missing(opened: Opened, **_: Any) -> Breaches:
    return _file_faults(opened, "file_missing")


@submission_rule(
    message="A file is not the one the manifest describes: its SHA-256 differs.",
    remedy="Write submission.json after the files are final, and send them again unchanged.",
    source="checks S05",
)
def hash_differs(opened: Opened, **_: Any) -> Breaches:
    return _file_faults(opened, "hash_differs")


@submission_rule(
    message="A file does not have the number of rows the manifest gives.",
    remedy="Write submission.json after the files are final; rows counts data lines, not the header.",
    source="checks S05",
)
def row_count_differs(opened: Opened, **_: Any) -> Breaches:
    declared = {d.extract: d.rows for d in reversed(opened.manifest.files)} if opened.manifest else {}
    return _file_faults(opened, "row_count_differs") + [
        (f.extract, f"{f.n_rows} arrived, {declared[f.extract]} declared")
        for f in opened.files.values()
        if f.rows is not None and f.n_rows != declared[f.extract]
    ]


@submission_rule(
    message="A file is not UTF-8 text.",
    remedy="Export as CSV in UTF-8; do not rename a spreadsheet to .csv.",
    source="checks S07",
)
def file_not_utf8(opened: Opened, **_: Any) -> Breaches:
    return _file_faults(opened, "file_not_utf8")


@submission_rule(
    message="A file holds control characters.",
    remedy="Strip control characters from free text before export.",
    source="checks S07",
)
def file_has_control_characters(opened: Opened, **_: Any) -> Breaches:
    return _file_faults(opened, "file_has_control_characters")


@submission_rule(
    message="A file cannot be read as comma-separated rows (or Parquet) of one width.",
    remedy="Send a header line and every line whole, separated by commas; quote fields that hold commas, quotes or line breaks.",
    source="checks S07",
)
def file_unreadable(opened: Opened, **_: Any) -> Breaches:
    return _file_faults(opened, "file_unreadable")


@submission_rule(
    message="A file has two columns of the same name.",
    remedy="Send every column once.",
    source="checks S06",
)
def columns_duplicated(opened: Opened, **_: Any) -> Breaches:
    return _file_faults(opened, "columns_duplicated")


@submission_rule(
    message="A file lacks columns of the contract.",
    remedy="Send every required column of the extract, under the contract's name; optional ones may be left out.",
    source="checks S06",
)
def columns_missing(opened: Opened, **_: Any) -> Breaches:
    found: Breaches = []
    for f in opened.files.values():
        required = [x.name for x in EXTRACTS[f.extract].fields if x.required]
        if f.rows is not None and (absent := [n for n in required if n not in f.rows.columns]):
            found.append((f.extract, ", ".join(absent)))
    return found


@submission_rule(
    message="A file has columns the contract does not know; they were not read.",
    remedy="Leave them out: nothing that was not asked for should be sent.",
    source="checks S06",
)
def columns_unexpected(opened: Opened, **_: Any) -> Breaches:
    found: Breaches = []
    for f in opened.files.values():
        if f.rows is not None and (extra := set(f.rows.columns) - set(EXTRACTS[f.extract].schema)):
            found.append((f.extract, f"{len(extra)} of them"))
    return found


@submission_rule(
    message="The submission holds files the manifest does not name; they were not read.",
    remedy="Name every file in submission.json, or leave it out.",
    source="checks S05",
)
def file_undeclared(opened: Opened, **_: Any) -> Breaches:
    return [(None, f"{len(opened.undeclared)} files")] if opened.undeclared else []
