"""Every guard on a pair: one pair it must stop, one near miss it must let through."""

from __future__ import annotations

from datetime import date

import pytest

from assets.linkage.cleaning import read_records
from assets.linkage.features import create_person_features
from assets.linkage.splink_session import open_connection
from assets.linkage.vetoes import HARD_VETOES, VETOES, guarded_weight_sql, veto_sql
from tests.assets.linkage.histories import Row, cro, pnc, write_rows

FAR = {"postcode": "SA15AA", "postcode_district": "SA1"}
UNKNOWN = dict.fromkeys(("forenames", "date_of_birth", "sex", "postcode", "postcode_district"))
UNSOUND = pnc(12345)[:-1] + "I"

# guard: (a pair it stops, near misses)
CASES: dict[str, tuple[tuple[Row, Row], list[tuple[Row, Row]]]] = {
    "pnc_differs": (
        ({"pnc_id": pnc(12345)}, {"pnc_id": pnc(12354)}),
        [
            ({"pnc_id": pnc(12345), "cro_number": cro(55)}, {"pnc_id": pnc(12354), "cro_number": cro(55)}),
            ({"pnc_id": UNSOUND}, {"pnc_id": pnc(12354)}),
            ({"pnc_id": pnc(12345)}, {"pnc_id": None}),
        ],
    ),
    "cro_differs": (
        ({"cro_number": cro(55)}, {"cro_number": cro(56)}),
        [
            ({"cro_number": cro(55), "pnc_id": pnc(1)}, {"cro_number": cro(56), "pnc_id": pnc(1)}),
            ({"cro_number": cro(55)[:-1] + "I"}, {"cro_number": cro(56)}),
        ],
    ),
    "number_alone_agrees": (
        ({"pnc_id": pnc(1)}, {"pnc_id": pnc(1), "forenames": "OLIVER", "date_of_birth": date(1961, 12, 8)}),
        [
            ({"pnc_id": pnc(1)}, {"pnc_id": pnc(1), "date_of_birth": date(1961, 12, 8)}),
            ({"pnc_id": pnc(1)}, {"pnc_id": pnc(1), "forenames": "OLIVER"}),
        ],
    ),
    "forename_differs": (
        ({"phone": "07700900001"}, {"phone": "07700900001", "forenames": "OLIVER"}),
        [
            ({}, {"forenames": "OLIVER GARETH"}),
            ({}, {"forenames": "G"}),
            ({"forenames": "WILLIAM"}, {"forenames": "BILL"}),
            ({"alias_full_names": ["OLIVER PELLOWSKI"]}, {"forenames": "OLIVER"}),
            ({"forenames": "PELLOWSKI", "surname": "GARETH"}, {}),
            ({"pnc_id": pnc(1)}, {"pnc_id": pnc(1), "forenames": "OLIVER"}),
        ],
    ),
    "like_named_twin": (
        ({"forenames": "JASON"}, {"forenames": "JAXTON"}),
        [
            ({"forenames": "MOHAMMED"}, {"forenames": "MUHAMMAD"}),
            ({"forenames": "JASON", "pnc_id": pnc(1)}, {"forenames": "JAXTON", "pnc_id": pnc(1)}),
        ],
    ),
    "birth_date_differs": (
        ({}, {"date_of_birth": date(1958, 9, 2)}),
        [
            ({"date_of_birth": date(1984, 3, 7)}, {"date_of_birth": date(1984, 7, 3)}),
            ({}, {"date_of_birth": date(1994, 3, 27)}),
            ({}, {"date_of_birth": date(1984, 3, 26)}),
            ({"alias_dates_of_birth": [date(1958, 9, 2)]}, {"date_of_birth": date(1958, 9, 2)}),
        ],
    ),
    "sex_and_forename_differ": (
        ({"forenames": "FRANCIS", "date_of_birth": date(1984, 3, 7)},
         {"forenames": "FRANCES", "sex": "F", "date_of_birth": date(1984, 7, 3)}),
        [({"forenames": "FRANCIS"}, {"forenames": "FRANCIS", "sex": "F"}),
         ({"forenames": "FRANCIS"}, {"forenames": "FRANCES", "sex": None})],
    ),
    "birth_date_unknown": (
        ({"phone": "07700900001"}, {"date_of_birth": None, "phone": "07700900001"}),
        [({"pnc_id": pnc(1)}, {"date_of_birth": None, "pnc_id": pnc(1)})],
    ),
    "name_and_birth_date_alone": (
        ({}, FAR),
        [
            ({}, {"postcode": "NE215AA"}),
            ({"phone": "07700900001"}, {**FAR, "phone": "07700900001"}),
            ({"cro_number": cro(55)}, {**FAR, "cro_number": cro(55)}),
        ],
    ),
}  # fmt: skip


Found = dict[tuple[str, int], str | None]

# Pairs beside those of the guards, by name.
BESIDES: dict[str, list[tuple[Row, Row]]] = {
    "agreeing": [({}, {})],
    "unknown": [({"pnc_id": pnc(1)}, {**UNKNOWN, "pnc_id": pnc(1)}), ({"pnc_id": pnc(1)}, UNKNOWN)],
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """The veto of each pair: of a guard's case (0), the same the other way round (1), its near misses (2 and on)."""
    pairs = {
        (name, number): pair
        for name, ((one, other), misses) in CASES.items()
        for number, pair in enumerate([(one, other), (other, one), *misses])
    } | {(name, number): pair for name, pairs in BESIDES.items() for number, pair in enumerate(pairs)}
    rows = [
        {**row, "record_id": f"{name} {number} {side}"}
        for (name, number), pair in pairs.items()
        for side, row in enumerate(pair)
    ]
    connection = open_connection()
    read_records(connection, write_rows(rows, tmp_path_factory.mktemp("vetoes") / "records.parquet"))
    create_person_features(connection)
    connection.execute("""
        CREATE TABLE scored AS
        SELECT l.record_id AS pair, l.record_key AS record_key_l, r.record_key AS record_key_r
        FROM person_features AS l JOIN person_features AS r ON r.record_id = left(l.record_id, -1) || '1'
        WHERE l.record_id LIKE '% 0'
    """)
    vetoes = connection.execute(
        f"SELECT pair, veto FROM ({veto_sql('scored', 'person_features')})"
    ).fetchall()
    return {(pair.split()[0], int(pair.split()[1])): veto for pair, veto in vetoes}


def test_every_guard_has_a_case() -> None:
    assert set(CASES) == {veto.name for veto in VETOES}


@pytest.mark.parametrize("name", CASES)
def test_a_guard_stops_its_pair_whichever_way_round(found: Found, name: str) -> None:
    assert found[name, 0] == found[name, 1] == name


@pytest.mark.parametrize("name", CASES)
def test_a_guard_lets_its_near_misses_through(found: Found, name: str) -> None:
    misses = [found[name, 2 + number] for number in range(len(CASES[name][1]))]
    assert misses and name not in misses


def test_nothing_stands_against_a_pair_that_agrees(found: Found) -> None:
    assert found["agreeing", 0] is None


def test_what_is_unknown_contradicts_nothing(found: Found) -> None:
    assert found["unknown", 0] is None
    assert found["unknown", 1] == "birth_date_unknown"


def test_only_two_pnc_ids_are_a_hard_veto() -> None:
    assert frozenset({"pnc_differs"}) == HARD_VETOES


def test_a_weight_after_the_guards() -> None:
    # In a file where strangers start at -8 bits, of a nation where they start at -17.
    says = guarded_weight_sql("evidence", -8.0, -17.0)
    names: list[str | None] = [None, *(veto.name for veto in VETOES)]
    rows = [(name, evidence) for name in names for evidence in (-30.0, 0.0, 12.0, 40.0)]
    listed = ", ".join(
        f"({'NULL' if name is None else repr(name)}, {evidence}::DOUBLE)" for name, evidence in rows
    )
    query = f"SELECT veto, evidence, {says} FROM (VALUES {listed}) AS pairs (veto, evidence)"
    weight = {
        (veto, evidence): found for veto, evidence, found in open_connection().execute(query).fetchall()
    }
    assert weight[None, 40.0] == 32
    assert weight["pnc_differs", 40.0] == -14
    assert weight["like_named_twin", 40.0] == -8
    assert weight["birth_date_unknown", 40.0] == 3
    # Namesakes exist in the nation, however small the file: its prior, and three bits besides.
    assert weight["name_and_birth_date_alone", 40.0] == 40 - 17 - 3
    # No guard raises a weight.
    assert all(found <= evidence - 8 for (_, evidence), found in weight.items())
