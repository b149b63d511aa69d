"""Features: spellings that meet, names that stay apart, and keys that do not depend on order."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from assets.linkage.features import NICKNAMES, create_person_features
from assets.linkage.splink_session import open_connection
from tests.assets.linkage.conftest import WriteRecords


def features_of(
    write_records: WriteRecords, rows: list[dict[str, Any]], *columns: str
) -> list[tuple[Any, ...]]:
    connection = open_connection()
    create_person_features(connection, write_records(rows))
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
    sounds = features_of(write_records, [{"forename_1": name} for name in names], "forename_sound")
    assert len(set(sounds)) == len(names)


def test_a_nickname_has_the_key_of_its_name(write_records: WriteRecords) -> None:
    rows = [{"forename_1": "BILL"}, {"forename_1": "WILLIAM"}, {"forename_1": "OONAGH"}]
    assert features_of(write_records, rows, "forename_key") == [("WILLIAM",), ("WILLIAM",), ("OONAGH",)]


def test_middle_names_are_what_follows_the_first(write_records: WriteRecords) -> None:
    rows = [{"forename_1": "ANNA", "forenames": "ANNA MARIE JO"}, {"forename_1": "ANNA", "forenames": "ANNA"}]
    assert features_of(write_records, rows, "middle_names") == [("MARIE JO",), (None,)]


def test_aliases_stand_beside_the_name(write_records: WriteRecords) -> None:
    rows = [{"alias_full_names": ["GAZ OTHER"], "alias_surnames": ["OTHER"]}]
    assert features_of(write_records, rows, "list_sort(full_names)", "list_sort(surnames)") == [
        (["GARETH PELLOWSKI", "GAZ OTHER"], ["OTHER", "PELLOWSKI"])
    ]


def test_blank_is_unknown(write_records: WriteRecords) -> None:
    rows = [
        {"forename_1": "", "surname": "", "phone": "", "postcode": "", "postcode_district": "", "sex": "U"}
    ]
    columns = ("full_name", "phone", "postcode", "postcode_area", "sex")
    assert features_of(write_records, rows, *columns) == [(None,) * 5]


def test_a_repeated_record_is_refused(write_records: WriteRecords) -> None:
    records = write_records([{"record_id": "F|1"}, {"record_id": "F|1"}])
    with pytest.raises(ValueError, match="1 person records share a record_id"):
        create_person_features(open_connection(), records)


def test_a_record_without_id_is_refused(write_records: WriteRecords) -> None:
    with pytest.raises(ValueError, match="1 person records have no record_id"):
        create_person_features(open_connection(), write_records([{"record_id": None}, {}]))


def test_a_nickname_leads_to_one_name_and_no_further() -> None:
    nicknames = pl.read_csv(NICKNAMES)
    assert nicknames["nickname"].is_unique().all()
    assert not set(nicknames["canonical"]) & set(nicknames["nickname"])
