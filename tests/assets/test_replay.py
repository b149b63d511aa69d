"""What a past list differs in from the one as known now: persons by list and movement, points by cause."""

from __future__ import annotations

from pathlib import Path

import duckdb

from assets.replay import differences


def test_what_moved_is_counted_by_list_and_by_cause_and_written_down(tmp_path: Path) -> None:
    """Two left the list of the nation though one of them is still eligible; a crime that was cancelled is why."""
    warehouse = tmp_path / "vawg.duckdb"
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create schema marts")
        connection.execute(
            """
            create table marts.ranked_perpetrator_movers as
            select * from (values
                ('P1', 'left', 'left', 'left'), ('P2', 'left', 'down', 'down'), ('P3', 'up', 'up', 'up')
            ) as t(person_id, national_list_movement, force_list_movement, movement)
            """
        )
        connection.execute(
            """
            create table marts.ranked_perpetrator_move_causes as
            select * from (values
                ('P1', 2, 'an outcome or the record', -30.0), ('P2', 2, 'an outcome or the record', -4.5), ('P3', 1, 'decay', -0.2)
            ) as t(person_id, cause_no, cause_label, points)
            """
        )
    movements, causes = differences(warehouse, tmp_path / "as-known-now")
    assert movements.rows() == [
        ("nation", "left", 2),
        ("nation", "up", 1),
        ("force or region", "down", 1),
        ("force or region", "left", 1),
        ("force or region", "up", 1),
        ("eligible", "down", 1),
        ("eligible", "left", 1),
        ("eligible", "up", 1),
    ]
    assert [(label, n, float(points)) for label, n, points in causes.rows()] == [
        ("decay", 1, -0.2),
        ("an outcome or the record", 2, -34.5),
    ]
    written = sorted(p.name for p in (tmp_path / "as-known-now").iterdir())
    assert written == ["ranked_perpetrator_move_causes.parquet", "ranked_perpetrator_movers.parquet"]
