"""Cleaning: what a record says once the ways of writing it are gone, from any file, and what is no file of persons."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from assets.linkage.cleaning import NotPersons, cleaned_sql, read_records
from assets.linkage.splink_session import open_connection
from data_contracts.rules.reference import placeholders
from tests.assets.linkage.conftest import WriteRecords
from tests.assets.linkage.histories import cro, pnc


def cleaned(path: Path, *columns: str) -> list[tuple[Any, ...]]:
    connection = open_connection()
    read_records(connection, path)
    query = f"SELECT {', '.join(columns)} FROM ({cleaned_sql('records')}) ORDER BY record_id"
    return connection.execute(query).fetchall()


def write_csv(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("PELLOWSKI", "PELLOWSKI"),
        ("Pellowski", "PELLOWSKI"),
        ("O'Neill", "ONEILL"),
        ("O’NEILL", "ONEILL"),
        ("Müller", "MULLER"),
        ("Siân", "SIAN"),
        ("SMITH-JONES", "SMITH-JONES"),
        ("VAN  DER   BERG", "VAN DER BERG"),
        (" TRAILING ", "TRAILING"),
        ("SMITH (JNR)", "SMITH JNR"),
        ("", None),
        ("   ", None),
        ("--", "--"),
        (None, None),
    ],
)
def test_names_in_one_alphabet(write_records: WriteRecords, written: str | None, plain: str | None) -> None:
    assert cleaned(write_records([{"surname": written}]), "surname") == [(plain,)]


@pytest.mark.parametrize("written", ["UNKNOWN", "Unknown", "N/K", "JOHN DOE"])
def test_what_stands_for_no_name_is_none(write_records: WriteRecords, written: str) -> None:
    rows = [{"surname": written, "forenames": written, "alias_full_names": [written, "GAZ OTHER"]}]
    assert cleaned(write_records(rows), "surname", "nullif(forename_1, '')", "alias_full_names") == [
        (None, None, ["GAZ OTHER"])
    ]


@pytest.mark.parametrize(
    ("written", "postcode", "district"),
    [
        ("NE21 9QD", "NE219QD", "NE21"),
        ("ne219qd", "NE219QD", "NE21"),
        ("M1 1AE", "M11AE", "M1"),
        ("ZZ99 3VZ", None, None),
        ("zz993vz", None, None),
        ("", None, None),
    ],
)
def test_postcodes_in_one_form(
    write_records: WriteRecords, written: str, postcode: str | None, district: str | None
) -> None:
    rows = [{"postcode": written, "postcode_district": None, "earlier_postcodes": [written, "SA1 5AA"]}]
    assert cleaned(write_records(rows), "postcode", "postcode_district", "earlier_postcodes") == [
        (postcode, district, [postcode, "SA15AA"] if postcode else ["SA15AA"])
    ]


@pytest.mark.parametrize(
    "written", ["07700900123", "07700 900 123", "+447700900123", "+44 7700 900123", "00447700900123"]
)
def test_telephone_numbers_in_one_form(write_records: WriteRecords, written: str) -> None:
    assert cleaned(write_records([{"phone": written}]), "phone") == [("07700900123",)]


@pytest.mark.parametrize("written", ["07000000000", "07000 000000", "+44 7000000000", "", "none"])
def test_no_telephone_number_is_none(write_records: WriteRecords, written: str) -> None:
    assert cleaned(write_records([{"phone": written}]), "phone") == [(None,)]


def test_every_placeholder_is_none(write_records: WriteRecords) -> None:
    kinds = {"surname": "name", "date_of_birth": "date_of_birth", "postcode": "postcode", "phone": "phone"}
    for column, kind in kinds.items():
        values = [date.fromisoformat(v) if kind == "date_of_birth" else v for v in placeholders(kind)]
        assert values
        known = cleaned(write_records([{column: value} for value in values]), column)
        assert known == [(None,)] * len(values)


@pytest.mark.parametrize(
    ("pnc_id", "cro_number", "sound"),
    [
        (pnc(1234), cro(1234), (True, True)),
        (pnc(1234)[:-1] + "I", cro(1234)[:-1] + "I", (False, False)),
        ("2004/1234", "1234/04", (False, False)),
        (None, None, (False, False)),
        ("UNKNOWN", "UNKNOWN", (False, False)),
    ],
)
def test_check_letters(
    write_records: WriteRecords, pnc_id: str | None, cro_number: str | None, sound: tuple[bool, bool]
) -> None:
    rows = [{"pnc_id": pnc_id, "cro_number": cro_number}]
    assert cleaned(write_records(rows), "pnc_is_sound", "cro_is_sound") == [sound]


def test_a_check_letter_reckoned_by_hand(write_records: WriteRecords) -> None:
    # 990012345 is 43044015 times 23: the first of ZABCDEFGHJKLMNPQRTUVWXY. 9912345 is 430971 times 23 and 12: the thirteenth.
    rows = [{"pnc_id": "1999/0012345Z", "cro_number": "12345/99M"}]
    assert cleaned(write_records(rows), "pnc_is_sound", "cro_is_sound") == [(True, True)]


@pytest.mark.parametrize(("sex", "known"), [("M", "M"), ("f", "F"), ("U", None), ("", None), (None, None)])
def test_sex_is_known_or_not(write_records: WriteRecords, sex: str | None, known: str | None) -> None:
    assert cleaned(write_records([{"sex": sex}]), "sex") == [(known,)]


@pytest.mark.parametrize("written", ["1984-03-27", "27/03/1984", "19840327", " 1984-03-27 "])
def test_dates_in_three_formats(tmp_path: Path, written: str) -> None:
    path = write_csv(tmp_path / "p.csv", [{"record_id": "1", "surname": "A", "date_of_birth": written}])
    assert cleaned(path, "date_of_birth") == [(date(1984, 3, 27),)]


@pytest.mark.parametrize("written", ["", "1984", "31/02/1984", "27th March", "1900-01-01", "01/01/1970"])
def test_what_is_no_date_is_unknown(tmp_path: Path, written: str) -> None:
    path = write_csv(tmp_path / "p.csv", [{"record_id": "1", "surname": "A", "date_of_birth": written}])
    assert cleaned(path, "date_of_birth") == [(None,)]


PERSONS = [
    {
        "record_id": "E23000001|N1", "force_code": "E23000001", "forenames": "Anna Maria", "surname": "O'Neill",
        "date_of_birth": "1984-03-27", "sex": "F", "postcode": "NE21 9QD", "pnc_id": "2004/0001234X",
        "cro_number": "", "phone": "+44 7700 900123", "aliases": "ANNA OTHER|Hannah de Souza",
        "postcode_history": "SA1 5AA|ZZ99 3VZ", "custody_note": "not read",
    },
    {
        "record_id": "E23000002|N1", "force_code": "E23000002", "forenames": "", "surname": "UNKNOWN",
        "date_of_birth": "", "sex": "", "postcode": "", "pnc_id": "", "cro_number": "", "phone": "",
        "aliases": "", "postcode_history": "", "custody_note": "",
    },
]  # fmt: skip
CLEANED = (
    "record_id", "force_code", "forename_1", "middle_names", "surname", "date_of_birth", "sex", "postcode", "postcode_district",
    "earlier_postcodes", "pnc_id", "cro_number", "phone", "alias_full_names", "alias_surnames", "alias_dates_of_birth",
)  # fmt: skip


def test_a_file_of_the_persons_extract(tmp_path: Path) -> None:
    one, other = cleaned(write_csv(tmp_path / "p.csv", PERSONS), *CLEANED)
    assert one == (
        "E23000001|N1", "E23000001", "ANNA", "MARIA", "ONEILL", date(1984, 3, 27), "F", "NE219QD", "NE21",
        ["SA15AA"], "2004/0001234X", None, "07700900123", ["ANNA OTHER", "HANNAH DE SOUZA"], ["OTHER", "SOUZA"], [],
    )  # fmt: skip
    assert [value for value in other[2:] if value] == []


def test_csv_and_parquet_say_the_same(tmp_path: Path) -> None:
    text = write_csv(tmp_path / "p.csv", PERSONS)
    columns = (pl.when(pl.col(name) != "").then(name).alias(name) for name in PERSONS[0])
    frame = pl.DataFrame(PERSONS).with_columns(columns).with_columns(pl.col("date_of_birth").str.to_date())
    frame.write_parquet(tmp_path / "p.parquet")
    assert cleaned(text, *CLEANED) == cleaned(tmp_path / "p.parquet", *CLEANED)


def test_content_is_the_same_where_all_that_is_read_is(tmp_path: Path) -> None:
    connection = open_connection()

    def contents(**said: str) -> Any:
        read_records(connection, write_csv(tmp_path / "p.csv", [{**PERSONS[0], **said}]))
        return connection.execute("SELECT record_key, content FROM records").fetchall()

    first = contents()
    assert first == contents(custody_note="something else")
    for column in set(PERSONS[0]) - {"custody_note", "record_id"}:
        changed = contents(**{column: "1984-03-28" if column == "date_of_birth" else "X"})
        assert changed[0][0] == first[0][0]
        assert changed != first, column


@pytest.mark.parametrize("missing", ["record_id", "surname", "date_of_birth"])
def test_a_file_without_what_makes_a_person_is_refused(tmp_path: Path, missing: str) -> None:
    rows = [{name: value for name, value in row.items() if name != missing} for row in PERSONS]
    with pytest.raises(NotPersons, match=f"p.csv has no column {missing}; see `vawg link --help`"):
        read_records(open_connection(), write_csv(tmp_path / "p.csv", rows))


def test_a_repeated_record_is_refused(write_records: WriteRecords) -> None:
    records = write_records([{"record_id": "F|1"}, {"record_id": "F|1"}, {"record_id": "F|2"}])
    with pytest.raises(ValueError, match="1 person records share a record_id"):
        read_records(open_connection(), records)


def test_a_record_without_id_is_refused(write_records: WriteRecords) -> None:
    with pytest.raises(ValueError, match="1 person records have no record_id"):
        read_records(open_connection(), write_records([{"record_id": None}, {}]))


def test_a_pnc_id_with_and_without_leading_zeros_is_one(write_records: WriteRecords) -> None:
    [(one,), (other,)] = cleaned(
        write_records([{"pnc_id": "1999/0012345Z"}, {"pnc_id": "1999/12345Z"}]), "pnc_id"
    )
    assert one == other


def test_a_telephone_number_with_a_nought_in_brackets(write_records: WriteRecords) -> None:
    assert cleaned(write_records([{"phone": "+44 (0)7700 900123"}]), "phone") == [("07700900123",)]


def test_a_placeholder_with_blanks_around_it_is_none(write_records: WriteRecords) -> None:
    assert cleaned(write_records([{"surname": " UNKNOWN "}]), "surname") == [(None,)]
