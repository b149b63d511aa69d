"""Figures and lists of a scenario, worked out by hand: two forces, four people, a list of two places."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

import assets

SQL = Path(assets.__path__[0]) / "consequences" / "sql"
A, B = "E1", "E2"


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """P1 to P4 are listed in this order; P1 and P2 belong to A, P3 and P4 to B. Of 100 crimes A has 60, of 40 charged 30."""
    with duckdb.connect() as con:
        con.execute("attach ':memory:' as now")
        for schema in ("repository", "ranking", "codes", "marts"):
            con.execute(f"create schema now.{schema}")
        con.execute("""
            create table now.repository.national_run as
            select date '2026-06-01' as period, 'key' as snapshot_key;
            create table now.codes.ranking_parameters as
            select * from (values ('top_national', 2), ('top_force', 1)) as t (parameter, number)
            cross join (select date '2020-01-01' as valid_from, null::date as valid_to);
            create table now.codes.statistics_measures as
            from (values ('offences', 'count', 1, true), ('charged_share', 'share', 1, false), ('median', 'median', 1, false))
                as t (measure, kind, per, is_headline);
            create table now.ranking.list_scopes as
            from (values ('E1', 'E1'), ('E2', 'E2')) as t (force_code, list_scope_code);
            create table now.ranking.scored_persons as
            select *, 'listed' as list_status, timestamp '2026-06-01' as latest_reported_at, 10.0 as max_severity_days,
                1 as n_victims, 2 as n_incidents
            from (values ('P1', 'E1', 40.0), ('P2', 'E1', 30.0), ('P3', 'E2', 20.0), ('P4', 'E2', 10.0))
                as t (person_id, owner_force_code, score);
            create table now.ranking.person_places as
            from (values ('P1', 1, 1, 'E1'), ('P2', 2, 2, 'E1'), ('P3', 3, 1, 'E2'), ('P4', 4, 2, 'E2'))
                as t (person_id, national_rank, list_place, list_scope_code);
            create table now.marts.national_statistics as
            select 'month' as period_kind, date '2026-06-01' as period, 'd' as definition_id, 'all' as threat,
                'none' as breakdown, *
            from (values
                ('national', 'offences', 100.0, 100, null), ('E1', 'offences', 60.0, 60, null),
                ('E2', 'offences', 40.0, 40, null), ('national', 'charged_share', 0.5, 40, 80),
                ('E1', 'charged_share', 0.6, 30, 50), ('E2', 'charged_share', 1 / 3, 10, 30),
                ('national', 'median', 5.0, 5, null), ('E1', 'median', 5.0, 5, null)
            ) as t (force_code, measure, value, numerator, denominator);
        """)
        yield con


def run(con: duckdb.DuckDBPyConnection, name: str) -> list[tuple[object, ...]]:
    return con.execute((SQL / f"{name}.sql").read_text(encoding="utf-8")).fetchall()


def scenario(con: duckdb.DuckDBPyConnection, touched: str, alternatives: str = "") -> set[tuple[object, ...]]:
    """The changes of lists where `touched` (force, person) would be `alternatives` (force, person, owner, status, score)."""
    con.execute(f"create table touched as from (values {touched}) as t (force_code, person_id)")
    con.execute(f"""
        create table alternatives as
        select *, timestamp '2026-06-01' as latest_reported_at, 10.0 as max_severity_days, 1 as n_victims, 2 as n_incidents
        from (values {alternatives or "(null::varchar, null::varchar, null::varchar, null::varchar, 0.0)"})
            as t (force_code, person_id, owner_force_code, list_status, score)
        where person_id is not null
    """)
    run(con, "lists")
    rows = con.execute(
        "select force_code, list_kind, list_scope_code, person_id, movement, is_own_record from list_changes"
    )
    return set(rows.fetchall())


def test_leaving_out_a_force_brings_up_those_of_others(connection: duckdb.DuckDBPyConnection) -> None:
    """Without A its P1 and P2 are gone; P3 and P4 take their places, and A's own list is empty."""
    assert scenario(connection, "('E1', 'P1'), ('E1', 'P2')") == {
        (A, "national", "national", "P1", "leaves", True),
        (A, "national", "national", "P2", "leaves", True),
        (A, "national", "national", "P3", "enters", False),
        (A, "national", "national", "P4", "enters", False),
        (A, "scope", A, "P1", "leaves", True),
        (A, "eligible", "national", "P1", "leaves", True),
        (A, "eligible", "national", "P2", "leaves", True),
    }


def test_who_rises_pushes_out_somebody_else(connection: duckdb.DuckDBPyConnection) -> None:
    """Mended, P4 has 35 points: he enters the nation's list in the place of P2, and B's in the place of P3."""
    assert scenario(connection, "('E2', 'P4')", "('E2', 'P4', 'E2', 'listed', 35.0)") == {
        (B, "national", "national", "P4", "enters", True),
        (B, "national", "national", "P2", "leaves", False),
        (B, "scope", B, "P4", "enters", True),
        (B, "scope", B, "P3", "leaves", False),
    }


def test_each_force_is_a_scenario_of_its_own(connection: duckdb.DuckDBPyConnection) -> None:
    """A's record takes P1 off, B's lifts P4 to 15: with A's alone P3 enters, with B's alone nobody moves."""
    found = scenario(connection, "('E1', 'P1'), ('E2', 'P4')", "('E2', 'P4', 'E2', 'listed', 15.0)")
    assert {row for row in found if row[1] == "national"} == {
        (A, "national", "national", "P1", "leaves", True),
        (A, "national", "national", "P3", "enters", False),
    }
    assert {row[0] for row in found} == {A}


def test_somebody_new_becomes_eligible(connection: duckdb.DuckDBPyConnection) -> None:
    found = scenario(connection, "('E2', 'P9')", "('E2', 'P9', 'E2', 'listed', 1.0)")
    assert found == {(B, "eligible", "national", "P9", "enters", True)}


def figures(con: duckdb.DuckDBPyConnection) -> set[tuple[object, ...]]:
    run(con, "figures")
    rows = con.execute(
        "select force_code, of_whom, measure, round(value_now, 9), round(value_mended, 9) from changed_figures"
    )
    return set(rows.fetchall())


def test_the_nation_changes_by_what_the_force_changes(connection: duckdb.DuckDBPyConnection) -> None:
    """B has five crimes more, and two more of its closed ones charged: 105 crimes; 42 of 80 charged."""
    connection.execute("""
        create table figures_mended as select * replace (
            case measure when 'offences' then 45 when 'charged_share' then 0.4 end as value,
            case measure when 'offences' then 45 when 'charged_share' then 12 end as numerator
        ) from now.marts.national_statistics where force_code = 'E2'
        union all from now.marts.national_statistics where force_code = 'E1'
    """)
    assert figures(connection) == {
        (B, "force", "offences", 40.0, 45.0),
        (B, "force", "charged_share", round(1 / 3, 9), 0.4),
        (B, "nation", "offences", 100.0, 105.0),
        (B, "nation", "charged_share", 0.5, 0.525),
    }


def test_without_a_force_the_nation_is_what_is_left(connection: duckdb.DuckDBPyConnection) -> None:
    """A median cannot be told from those of the forces: nothing is said of it."""
    connection.execute("create table figures_mended as from now.marts.national_statistics where false")
    assert figures(connection) == {
        (A, "nation", "offences", 100.0, 40.0),
        (A, "nation", "charged_share", 0.5, round(10 / 30, 9)),
        (B, "nation", "offences", 100.0, 60.0),
        (B, "nation", "charged_share", 0.5, 0.6),
    }
