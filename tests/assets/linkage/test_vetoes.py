"""Every guard on a pair: one pair it must stop, one near miss it must let through."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from assets.linkage.features import create_person_features
from assets.linkage.splink_session import open_connection
from assets.linkage.vetoes import VETOES, pair_verdict_sql
from tests.assets.linkage.conftest import WriteRecords

# guard: (a pair it stops, a near miss)
CASES: dict[str, tuple[tuple[dict[str, Any], dict[str, Any]], tuple[dict[str, Any], dict[str, Any]]]] = {
    "pnc_differs": (
        ({"pnc_id": "2001/12345A"}, {"pnc_id": "2001/12354A"}),
        ({"pnc_id": "2001/12345A", "cro_number": "55/01A"}, {"pnc_id": "2001/12354A", "cro_number": "55/01A"}),
    ),
    "cro_differs": (
        ({"cro_number": "55/01A"}, {"cro_number": "56/01A"}),
        ({"cro_number": "55/01A", "pnc_id": "2001/1A"}, {"cro_number": "56/01A", "pnc_id": "2001/1A"}),
    ),
    "number_alone_agrees": (
        (
            {"pnc_id": "2001/1A"},
            {"pnc_id": "2001/1A", "forename_1": "OLIVER", "date_of_birth": date(1961, 12, 8)},
        ),
        ({"pnc_id": "2001/1A"}, {"pnc_id": "2001/1A", "date_of_birth": date(1961, 12, 8)}),
    ),
    "forename_differs": (
        ({"phone": "07700900001"}, {"phone": "07700900001", "forename_1": "OLIVER"}),
        ({}, {"forename_1": "OLIVER", "forenames": "OLIVER GARETH"}),
    ),
    "like_named_twin": (
        ({"forename_1": "JASON"}, {"forename_1": "JAXTON"}),
        ({"forename_1": "MOHAMMED"}, {"forename_1": "MUHAMMAD"}),
    ),
    "birth_date_differs": (
        ({}, {"date_of_birth": date(1958, 9, 2)}),
        ({"date_of_birth": date(1984, 3, 7)}, {"date_of_birth": date(1984, 7, 3)}),
    ),
    "sex_and_forename_differ": (
        ({"forename_1": "FRANCIS", "date_of_birth": date(1984, 3, 7)},
         {"forename_1": "FRANCES", "sex": "F", "date_of_birth": date(1984, 7, 3)}),
        ({"forename_1": "FRANCIS"}, {"forename_1": "FRANCIS", "sex": "F"}),
    ),
    "birth_date_unknown": (
        ({}, {"date_of_birth": None}),
        ({"phone": "07700900001"}, {"date_of_birth": None, "phone": "07700900001"}),
    ),
    "name_and_birth_date_alone": (
        ({}, {"postcode": "SA15AA", "postcode_district": "SA1"}),
        ({}, {"postcode": "NE215AA", "postcode_district": "NE21"}),
    ),
}  # fmt: skip


def verdict(write_records: WriteRecords, pair: tuple[dict[str, Any], dict[str, Any]]) -> tuple[Any, ...]:
    connection = open_connection()
    create_person_features(connection, write_records(list(pair)))
    connection.execute("""
        CREATE TABLE scored AS
        SELECT l.record_key AS record_key_l, r.record_key AS record_key_r, 20.0::DOUBLE AS match_weight
        FROM person_features AS l JOIN person_features AS r ON l.record_id < r.record_id
    """)
    [row] = connection.execute(
        f"SELECT veto, hard_veto, evidence_weight FROM ({pair_verdict_sql('scored')})"
    ).fetchall()
    return row


def test_every_guard_has_a_case() -> None:
    assert set(CASES) == {veto.name for veto in VETOES}


@pytest.mark.parametrize("veto", VETOES, ids=lambda veto: veto.name)
def test_a_guard_stops_its_pair(write_records: WriteRecords, veto: Any) -> None:
    assert verdict(write_records, CASES[veto.name][0]) == (veto.name, veto.hard, veto.cap)


@pytest.mark.parametrize("veto", VETOES, ids=lambda veto: veto.name)
def test_a_guard_lets_the_near_miss_through(write_records: WriteRecords, veto: Any) -> None:
    assert verdict(write_records, CASES[veto.name][1]) == (None, False, 20.0)


def test_a_cap_never_raises_a_weight(write_records: WriteRecords) -> None:
    connection = open_connection()
    create_person_features(connection, write_records([{}, {"date_of_birth": None}]))
    connection.execute("""
        CREATE TABLE scored AS
        SELECT l.record_key AS record_key_l, r.record_key AS record_key_r, -9.0::DOUBLE AS match_weight
        FROM person_features AS l JOIN person_features AS r ON l.record_id < r.record_id
    """)
    query = f"SELECT veto, evidence_weight FROM ({pair_verdict_sql('scored')})"
    assert connection.execute(query).fetchall() == [(None, -9.0)]
