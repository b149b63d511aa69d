"""Files that broke other readers, sent as an extract: a clear finding, never an exception."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from data_contracts.submission import open_submission
from data_contracts.validation import check
from tests.data_contracts.clean import RECEIVED_ON, as_frame, check_tables, clean_tables, write_tables
from tests.data_contracts.rules.submission_pairs import swap_file

MESSY = Path(__file__).parents[1] / "data" / "messy_files"
FILES = sorted(
    p
    for p in MESSY.rglob("*")
    if p.is_file() and p.name not in {"SOURCES.md", "LICENSE", "blns.json", ".gitattributes"}
)
NAUGHTY: list[str] = json.loads((MESSY / "blns" / "blns.json").read_text(encoding="utf-8"))

# What a file that is not ours can be told: that it is not a table of ours, or not a table.
EXPECTED = {
    "columns_duplicated",
    "columns_missing",
    "file_has_control_characters",
    "file_not_utf8",
    "file_unreadable",
}


def test_the_messy_files_are_there() -> None:
    assert len(FILES) > 45
    assert len(NAUGHTY) > 500


@pytest.mark.parametrize("file", FILES, ids=lambda p: p.relative_to(MESSY).as_posix())
def test_a_messy_file_for_an_extract_is_held(file: Path, tmp_path: Path) -> None:
    path = write_tables(tmp_path / "submission", clean_tables())
    swap_file(path, "offences", file.read_bytes())
    checked = check(open_submission(path), received_on=RECEIVED_ON)
    assert checked.status == "held"
    assert set(checked.findings["rule"]) & EXPECTED
    assert checked.counts["n_accepted"].sum() == 0


@pytest.mark.parametrize("file", FILES[::4], ids=lambda p: p.relative_to(MESSY).as_posix())
def test_a_messy_file_called_parquet_is_held(file: Path, tmp_path: Path) -> None:
    path = write_tables(tmp_path / "submission", clean_tables())
    swap_file(path, "offences", file.read_bytes(), name="offences.parquet")
    checked = check(open_submission(path), received_on=RECEIVED_ON)
    assert (checked.status, checked.findings["rule"].to_list()) == ("held", ["file_unreadable"])


@pytest.mark.parametrize("file", FILES, ids=lambda p: p.relative_to(MESSY).as_posix())
def test_a_messy_file_for_a_submission_is_held(file: Path) -> None:
    checked = check(open_submission(file), received_on=RECEIVED_ON)
    assert checked.status == "held"
    assert set(checked.findings["rule"]) <= {"archive_unreadable", "manifest_missing"}


def test_the_encrypted_workbook_under_a_csv_name_is_recognised(tmp_path: Path) -> None:
    path = write_tables(tmp_path / "submission", clean_tables())
    swap_file(path, "offences", (MESSY / "messytables" / "encrypted_no_password.xls").read_bytes())
    checked = check(open_submission(path), received_on=RECEIVED_ON)
    assert "Excel" in checked.findings["message"][0]


def _criminal_damages(texts: list[str]) -> list[dict[str, str]]:
    """A crime without victim or suspect for each text."""
    return [
        {
            "crime_ref": f"42/{number}/26",
            "offence_code": "58A",
            "committed_from": "2026-01-10T08:10:00",
            "reported_at": "2026-01-10T09:00:00",
            "recorded_at": "2026-01-10T09:30:00",
            "status": "live",
            "location_type": "Public: park",
            "modus_operandi": text,
        }
        for number, text in enumerate(texts, start=10)
    ]


def _without_control_characters(texts: list[str]) -> list[str]:
    import re

    return [t for t in texts if not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", t)]


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_naughty_strings_in_free_text_come_through_byte_for_byte(file_format: str, tmp_path: Path) -> None:
    texts = _without_control_characters(NAUGHTY)
    tables = {"offences": _criminal_damages(texts)}
    path = write_tables(tmp_path / "submission", tables, file_format=file_format)
    checked = check(open_submission(path), received_on=RECEIVED_ON)
    assert (checked.status, checked.findings.height) == ("accepted", 0)
    sent = pl.Series(texts).str.strip_chars()
    kept = checked.accepted["offences"]["modus_operandi"]
    assert kept.fill_null("").to_list() == sent.to_list()


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_control_characters_in_free_text_hold_the_file(file_format: str, tmp_path: Path) -> None:
    texts = [t for t in NAUGHTY if t not in _without_control_characters(NAUGHTY)]
    assert texts
    path = write_tables(
        tmp_path / "submission", {"offences": _criminal_damages(texts)}, file_format=file_format
    )
    checked = check(open_submission(path), received_on=RECEIVED_ON)
    assert checked.findings["rule"].to_list() == ["file_has_control_characters"]


def test_naughty_strings_in_every_cell_quarantine_the_row_and_show_no_personal_value(tmp_path: Path) -> None:
    texts = _without_control_characters(NAUGHTY)
    tables = clean_tables()
    columns = as_frame("persons", tables["persons"]).columns
    for number, text in enumerate(texts):
        tables["persons"].append(dict.fromkeys(columns, text) | {"person_ref": f"Q{number}"})
    checked = check_tables(tmp_path, tables)
    assert checked.accepted["persons"]["person_ref"].str.starts_with("N").all()
    assert checked.quarantined["persons"].height == len(texts)
    # Every field of a nominal is personal: no cell may come back in a finding.
    shown = set(checked.findings["value"].drop_nulls())
    assert shown == {"(withheld)"}


def test_quarantined_cells_are_kept_as_they_came(tmp_path: Path) -> None:
    tables = clean_tables()
    tables["offences"][1] |= {"outcome_date": " 31/01/2026 ", "modus_operandi": "  two blanks before"}
    checked = check_tables(tmp_path, tables)
    row = checked.quarantined["offences"].row(0, named=True)
    assert (row["outcome_date"], row["modus_operandi"]) == (" 31/01/2026 ", "  two blanks before")


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_another_separator_is_named(separator: str, tmp_path: Path) -> None:
    path = write_tables(tmp_path / "submission", clean_tables())
    swap_file(path, "offences", (path / "offences.csv").read_bytes().replace(b",", separator.encode()))
    opened = open_submission(path)
    assert opened.files["offences"].fault == "file_unreadable"
    assert repr(separator) in opened.files["offences"].detail


def test_a_table_in_the_place_of_a_submission_is_told_what_to_name() -> None:
    opened = open_submission(next(f for f in FILES if f.suffix == ".csv"))
    assert opened.fault == "archive_unreadable" and "name the folder that submission.json" in opened.detail
