"""What the UI is shown of the warehouse."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from assets.release import marts, sensitivity
from assets.warehouse import PREVIEWED, looked_at


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    path = tmp_path / "vawg.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.national_statistics as "
            "select 'national' as force_code, i as value from range(30, 0, -1) t(i)"
        )
        connection.execute("create table marts.ranked_perpetrators as select 'P1' as person_id")
        connection.execute("create view marts.readers as from marts.national_statistics")
    return path


def test_rows_of_every_table(warehouse: Path) -> None:
    seen = looked_at(warehouse)
    assert {n: s["dagster/row_count"] for n, s in seen.items()} == {
        "national_statistics": 30,
        "ranked_perpetrators": 1,
    }


def test_the_first_rows_are_a_table_in_markdown(warehouse: Path) -> None:
    lines = looked_at(warehouse)["national_statistics"]["preview"].value.splitlines()
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in lines]
    assert cells[0] == ["force_code", "value"] and set(cells[1][0]) == {"-"}
    assert cells[2:] == [["national", str(n)] for n in range(1, 11)]


def test_nothing_of_a_person_is_shown(warehouse: Path) -> None:
    assert "preview" not in looked_at(warehouse)["ranked_perpetrators"]
    assert {sensitivity(marts()[name]) for name in PREVIEWED} == {"statistical"}
