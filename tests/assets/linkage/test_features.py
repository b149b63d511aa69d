"""Features: spellings that meet, names that stay apart, and lists that hold all a person was known by."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from assets.linkage.cleaning import read_records
from assets.linkage.features import NICKNAMES, create_person_features
from assets.linkage.splink_session import open_connection
from tests.assets.linkage.conftest import WriteRecords
from tests.assets.linkage.histories import Row


def features_of(write_records: WriteRecords, rows: list[Row], *columns: str) -> list[tuple[Any, ...]]:
    connection = open_connection()
    read_records(connection, write_records(rows))
    create_person_features(connection)
    query = f"SELECT {', '.join(columns)} FROM person_features ORDER BY record_id"
    return connection.execute(query).fetchall()


@pytest.mark.parametrize(
    "spellings",
    [("MOHAMMED", "MUHAMMAD", "MOHAMED"), ("HUSSAIN", "HUSSEIN"), ("PHILIP", "FILIP"), ("SHAUN", "SEAN"), ("KHAN", "KAHN")],
)  # fmt: skip
def test_spellings_of_one_name_sound_alike(write_records: WriteRecords, spellings: tuple[str, ...]) -> None:
    sounds = features_of(write_records, [{"surname": name} for name in spellings], "surname_sound")
    assert len(set(sounds)) == 1


@pytest.mark.parametrize(
    "names", [("LEE", "LEO"), ("MARTIN", "MORGAN"), ("ALI", "ELLA-MAE"), ("JASON", "JAYDEN")]
)
def test_other_names_do_not(write_records: WriteRecords, names: tuple[str, ...]) -> None:
    sounds = features_of(write_records, [{"forenames": name} for name in names], "forename_sound")
    assert len(set(sounds)) == len(names)


def test_a_nickname_has_the_key_of_its_name(write_records: WriteRecords) -> None:
    rows = [{"forenames": "BILL"}, {"forenames": "WILLIAM"}, {"forenames": "OONAGH"}]
    assert features_of(write_records, rows, "forename_key") == [("WILLIAM",), ("WILLIAM",), ("OONAGH",)]


def test_middle_names_are_what_follows_the_first(write_records: WriteRecords) -> None:
    rows = [{"forenames": "ANNA MARIE JO"}, {"forenames": "ANNA"}]
    assert features_of(write_records, rows, "forename_1", "middle_names", "full_name") == [
        ("ANNA", "MARIE JO", "ANNA PELLOWSKI"),
        ("ANNA", None, "ANNA PELLOWSKI"),
    ]


def test_what_was_recorded_otherwise_stands_beside_what_is(write_records: WriteRecords) -> None:
    rows = [{"alias_full_names": ["GAZ OTHER"], "alias_surnames": ["OTHER"], "earlier_postcodes": ["SA15AA"]}]
    assert features_of(write_records, rows, "full_names", "surnames", "postcodes") == [
        (["GARETH PELLOWSKI", "GAZ OTHER"], ["PELLOWSKI", "OTHER"], ["NE219QD", "SA15AA"])
    ]


@pytest.mark.parametrize(
    ("surname", "parts"),
    [("KHAN", ["KHAN"]), ("SMITH-JONES", ["SMITH", "JONES"]), ("VAN DER BERG", ["VAN", "DER", "BERG"]), ("AL BADR", ["BADR"])],
)  # fmt: skip
def test_a_surname_of_several_parts(write_records: WriteRecords, surname: str, parts: list[str]) -> None:
    assert features_of(write_records, [{"surname": surname}], "surname_parts") == [(parts,)]


def test_blank_is_unknown(write_records: WriteRecords) -> None:
    blank = dict.fromkeys(
        ("forenames", "surname", "phone", "postcode", "postcode_district", "pnc_id", "cro_number"), ""
    )
    columns = (
        "forename_1",
        "forename_key",
        "surname_sound",
        "full_name",
        "phone",
        "postcode",
        "postcode_area",
        "pnc_id",
        "sex",
    )
    assert features_of(write_records, [{**blank, "sex": "U"}], *columns) == [(None,) * len(columns)]


def test_every_record_has_its_row_once(write_records: WriteRecords) -> None:
    rows = [{"surname": name} for name in ("KHAN", "KHAN", "KAHN", None)]
    assert features_of(write_records, rows, "record_id") == [("F|0",), ("F|1",), ("F|2",), ("F|3",)]


def test_a_nickname_leads_to_one_name_and_no_further() -> None:
    nicknames = pl.read_csv(NICKNAMES)
    assert nicknames["nickname"].is_unique().all()
    assert not set(nicknames["canonical"]) & set(nicknames["nickname"])
