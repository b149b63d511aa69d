"""The scorecards on the handmade nation: measures by hand, grading as a reading of stored counts, shadow, trend, peers, waivers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest

from data_contracts.rules.catalogue import rules
from tests.dbt.conftest import PROJECT, Query
from tests.dbt.handmade import A, B, C

SEEDS = PROJECT / "seeds"


@pytest.fixture
def scratch(warehouse: Path, tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A copy of the warehouse to change things in."""
    shutil.copyfile(warehouse / "warehouse" / "vawg.duckdb", tmp_path / "vawg.duckdb")
    with duckdb.connect(str(tmp_path / "vawg.duckdb")) as connection:
        yield connection


def compiled(model: str, warehouse: Path) -> str:
    """The query of a model, as dbt compiled it."""
    manifest = json.loads((warehouse / "target" / "manifest.json").read_text(encoding="utf-8"))
    return str(manifest["nodes"][f"model.vawg.{model}"]["compiled_code"])


def graded(connection: duckdb.DuckDBPyConnection, check: str, force: str = B) -> tuple[object, ...]:
    sql = (
        "select check_status, status, trend from marts.data_quality_scorecards "
        "where check_id = ? and force_code = ?"
    )
    return connection.execute(sql, [check, force]).fetchall()[0]


def test_every_rule_has_a_dimension_and_every_dimension_is_named() -> None:
    placed = pl.read_csv(SEEDS / "scorecard_rules.csv", infer_schema=False)
    checks = pl.read_csv(SEEDS / "scorecard_checks.csv", infer_schema=False)
    named = set(pl.read_csv(SEEDS / "scorecard_dimensions.csv", infer_schema=False)["dimension"])
    assert placed["rule"].to_list() == list(rules())
    assert set(placed["dimension"]) | set(checks["dimension"]) == named
    assert set(placed["counts_into"].drop_nulls()) <= set(checks["check_id"])
    at_submission = placed.filter(unit="submission")["rule"].to_list()
    assert set(at_submission) == {n for n, r in rules().items() if r.shape in ("submission", "statistics")}


def test_thresholds_change_without_anything_being_counted_again(
    scratch: duckdb.DuckDBPyConnection, warehouse: Path
) -> None:
    """B's kinds of place: one of two is mapped."""
    before = scratch.execute("select * from marts.data_quality_counts order by all").fetchall()
    assert graded(scratch, "location_mapped") == ("live", "fail", None)
    scratch.execute("update codes.scorecard_checks set attention_at = 0.5 where check_id = 'location_mapped'")
    assert graded(scratch, "location_mapped") == ("live", "attention", None)
    scratch.execute("update codes.scorecard_checks set pass_at = 0.5 where check_id = 'location_mapped'")
    assert graded(scratch, "location_mapped") == ("live", "pass", None)
    assert scratch.execute("select * from marts.data_quality_counts order by all").fetchall() == before


def test_the_thresholds_of_the_month_hold(scratch: duckdb.DuckDBPyConnection) -> None:
    """A row of the register that begins after the run's month says nothing of it."""
    scratch.execute(
        "insert into codes.scorecard_checks select * replace (date '2026-07-01' as valid_from, 0 as pass_at) "
        "from codes.scorecard_checks where check_id = 'location_mapped'"
    )
    assert graded(scratch, "location_mapped") == ("live", "fail", None)
    scratch.execute(
        "update codes.scorecard_checks set valid_from = date '2026-06-30' where pass_at = 0;"
        "update codes.scorecard_checks set valid_to = date '2026-06-29' where check_id = 'location_mapped' and pass_at > 0"
    )
    assert graded(scratch, "location_mapped") == ("live", "pass", None)


def test_a_check_in_shadow_is_counted_and_not_graded(scratch: duckdb.DuckDBPyConnection) -> None:
    assert graded(scratch, "flags_found") == ("shadow", "not_graded", None)
    shown = scratch.execute(
        "select n_checked, n_passed, share from marts.data_quality_scorecards "
        "where check_id = 'flags_found' and force_code = ?",
        [B],
    ).fetchall()[0]
    assert shown[0] > 0 and shown[2] == shown[1] / shown[0]
    scratch.execute(
        "update codes.scorecard_checks set live_from = date '2026-06-30' where check_id = 'flags_found'"
    )
    assert graded(scratch, "flags_found")[0] == "live" and graded(scratch, "flags_found")[1] != "not_graded"


@pytest.mark.parametrize(
    ("n_passed", "n_checked", "trend"),
    [
        # Now 1 of 2. Before, all of 2: as likely as not chance.
        (2, 2, "level"),
        (1000, 1000, "worse"),
        (0, 1000, "better"),
        (500, 1000, "level"),
        (0, 0, None),
    ],
)
def test_a_trend_is_what_chance_seldom_makes(
    scratch: duckdb.DuckDBPyConnection, n_passed: int, n_checked: int, trend: str | None
) -> None:
    scratch.execute(
        "update marts.data_quality_counts set previous_n_passed = ?, previous_n_checked = ? "
        "where check_id = 'location_mapped' and force_code = ?",
        [n_passed, n_checked, B],
    )
    assert graded(scratch, "location_mapped")[2] == trend


def test_the_release_before_and_waivers_come_to_the_counts(
    scratch: duckdb.DuckDBPyConnection, warehouse: Path
) -> None:
    scratch.execute(
        "create or replace view staging.stg_run__previous_data_quality_counts as select "
        f"'{B}' as force_code, date '2026-05-01' as period, 'location_mapped' as check_id, 40 as n_checked, 30 as n_passed"
    )
    scratch.execute(
        "insert into codes.waivers (waiver_id, rule, force_code, valid_from, valid_to, owner, reason, source) values "
        f"('W1', 'recorded_late', '{A}', date '2026-06-01', date '2026-06-30', 'first', 'r', 's'), "
        f"('W2', 'recorded_late', '{A}', date '2026-01-01', date '2026-12-31', 'longest', 'r', 's'), "
        f"('W3', 'recorded_late', '{B}', date '2026-07-01', date '2026-12-31', 'later', 'r', 's')"
    )
    sql = (
        f"select force_code, check_id, previous_n_checked, previous_n_passed, waived_by from ({compiled('data_quality_counts', warehouse)}) "
        "where previous_period is not null or waived_by is not null order by check_id"
    )
    assert scratch.execute(sql).fetchall() == [
        (B, "location_mapped", 40, 30, None),
        (A, "rule:offences:recorded_late", None, None, "longest"),
    ]


def test_a_body_of_an_unknown_number_of_people_is_not_measured_by_its_size(
    scratch: duckdb.DuckDBPyConnection, warehouse: Path
) -> None:
    scratch.execute("delete from codes.population_by_force where force_code = ?", [B])
    sql = (
        f"select force_code, n_checked > 0, n_checked = n_passed from ({compiled('scorecard_crimes', warehouse)}) "
        "where check_id = 'volume_of_size' order by force_code"
    )
    assert scratch.execute(sql).fetchall() == [(B, False, True), (A, True, True)]


def test_places_are_among_forces_alike(scratch: duckdb.DuckDBPyConnection) -> None:
    """A is of over 1.5 million people, B of under 700,000: put together, B's half is second to A's whole."""
    sql = (
        "select force_code, peer_rank, n_peers, peer_median_share from marts.data_quality_scorecards "
        "where check_id = 'submission_on_time' and share is not null order by force_code = ?"
    )
    assert scratch.execute(sql, [B]).fetchall() == [(A, 1, 1, 1.0), (B, 1, 1, 0.0)]
    scratch.execute("update codes.force_peer_groups set peer_group = 'all'")
    assert scratch.execute(sql, [B]).fetchall() == [(A, 1, 2, 0.5), (B, 2, 2, 0.5)]


@pytest.mark.parametrize(
    ("force", "check", "n_passed", "n_checked", "status"),
    [
        (A, "months_received", 2, 2, "pass"),
        # C's first return is the one that is held.
        (C, "months_received", 0, 1, "held"),
        (A, "volume_of_own_months", 0, 0, "not_applicable"),
        (A, "agrees_with_published", 0, 0, "not_applicable"),
        # `recorded_late` is about time: none of the kinds of rule that rows are counted by.
        (A, "fields_agree", None, None, "pass"),
    ],
)
def test_measures_by_hand(
    query: Query, force: str, check: str, n_passed: int | None, n_checked: int | None, status: str
) -> None:
    rows = query(
        "select n_passed, n_checked, status from marts.data_quality_scorecards where force_code = ? and check_id = ?",
        force,
        check,
    )
    assert rows[0][2] == status
    assert (n_checked is None and rows[0][0] == rows[0][1]) or rows[0][:2] == (n_passed, n_checked)


def test_why_a_check_does_not_apply_is_said(query: Query) -> None:
    untold = query(
        "select check_id from marts.data_quality_scorecards "
        "where (share is null) <> (not_applicable_reason is not null) and status not in ('held', 'not_submitted')"
    )
    assert untold == []
    assert dict(
        query(
            "select distinct status, not_applicable_reason from marts.data_quality_scorecards where force_code = ?",
            C,
        )
    ) == {"held": "What was sent for the month is held."}
