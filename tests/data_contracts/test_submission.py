"""Opening what was sent: typed Parquet reads as a CSV would, and writing leaves a whole submission or none."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from data_contracts.submission import ReceivedFile, content_hash, open_submission, write_submission
from data_contracts.validation import check
from tests.data_contracts.clean import RECEIVED_ON, clean_tables, write_tables
from tests.data_contracts.rules.submission_pairs import swap_file


def _parquet_in_place_of_victims(
    folder: Path, rows: pl.DataFrame, declared: int | None = None
) -> ReceivedFile:
    path = write_tables(folder / "submission", clean_tables())
    rows.write_parquet(folder / "victims.parquet")
    data = (folder / "victims.parquet").read_bytes()
    swap_file(
        path, "victims", data, name="victims.parquet", rows=rows.height if declared is None else declared
    )
    return open_submission(path).files["victims"]


@pytest.mark.parametrize(
    ("column", "text"),
    [
        (pl.Series([date(2026, 1, 30), None]), "2026-01-30"),
        (pl.Series([datetime(2026, 1, 30, 8, 5), None]), "2026-01-30T08:05:00"),
        (pl.Series([True, None]), "Y"),
        (pl.Series([False, None]), "N"),
        (pl.Series([34.0, None]), "34"),
        (pl.Series([34.5, None]), "34.5"),
        (pl.Series([34, None]), "34"),
        (pl.Series(["x", None], dtype=pl.Categorical), "x"),
    ],
    ids=["date", "timestamp", "true", "false", "whole float", "float", "integer", "categorical"],
)
def test_typed_parquet_columns_read_as_a_csv_would_write_them(
    column: pl.Series, text: str, tmp_path: Path
) -> None:
    received = _parquet_in_place_of_victims(tmp_path, pl.DataFrame({"age": column}))
    assert received.rows is not None
    assert received.rows["age"].to_list() == [text, None]


@pytest.mark.parametrize(
    ("rows", "declared", "fault"),
    [
        (pl.DataFrame({"age": [[1, 2]]}), 1, "file_unreadable"),
        (pl.DataFrame({"age": [b"\xff"]}), 1, "file_unreadable"),
        (pl.DataFrame({"age": ["a\0b"]}), 1, "file_has_control_characters"),
        (pl.DataFrame({"age": pl.repeat("1", 1_000_000, eager=True)}), 2, "row_count_differs"),
    ],
    ids=["nested", "bytes", "control characters", "many more rows than declared"],
)
def test_parquet_that_is_no_table_of_text_is_refused(
    rows: pl.DataFrame, declared: int, fault: str, tmp_path: Path
) -> None:
    received = _parquet_in_place_of_victims(tmp_path, rows, declared)
    assert (received.rows, received.fault, received.n_rows) == (None, fault, declared)


def test_a_submission_that_is_not_there_is_an_error_of_the_caller(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_submission(tmp_path / "nothing")


def test_csv_and_parquet_of_the_same_rows_are_accepted_alike(tmp_path: Path) -> None:
    accepted = []
    for file_format in ("csv", "parquet"):
        path = write_tables(tmp_path / file_format, clean_tables(), file_format=file_format)
        accepted.append(check(open_submission(path), received_on=RECEIVED_ON).accepted)
    for extract, rows in accepted[0].items():
        assert rows.equals(accepted[1][extract]), extract


def test_the_content_hash_is_that_of_names_and_bytes(tmp_path: Path) -> None:
    one, two = (write_tables(tmp_path / name, clean_tables()) for name in ("one", "two"))
    assert content_hash(one) == content_hash(two)
    (two / "flags.csv").rename(two / "marks.csv")
    assert content_hash(one) != content_hash(two)


def test_writing_twice_leaves_the_second_whole_and_nothing_beside_it(tmp_path: Path) -> None:
    facts: dict[str, Any] = {
        "force_code": "E23000012",
        "period": date(2026, 1, 1),
        "sequence": 1,
        "extracted_at": datetime(2026, 2, 3),
        "contact": "data team",
        "contract_version": "1.0",
    }
    flags = pl.DataFrame({"crime_ref": ["42/1/26"], "flag": ["Domestic"], "value": ["Y"]})
    write_submission(tmp_path / "s", extracts={"flags": flags}, **facts)
    write_submission(tmp_path / "s", extracts={"flags": flags.clear()}, **facts)
    assert [p.name for p in tmp_path.iterdir()] == ["s"]
    assert [p.name for p in (tmp_path / "s").iterdir()] == ["submission.json"]
    opened = open_submission(tmp_path / "s")
    assert opened.manifest is not None and opened.manifest.nil_return
