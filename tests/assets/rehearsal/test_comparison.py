"""What comes and goes between a release and its rehearsal, on tables small enough to be compared by eye."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from assets.publication.cells import FIGURE
from assets.rehearsal.comparison import Comparison, compare
from assets.rehearsal.report import write_rehearsal
from assets.storage import Layout, write_json
from data_contracts.findings import FINDINGS_SCHEMA


def figure(measure: str, value: float, force: str = "E1") -> dict[str, Any]:
    known = dict.fromkeys(FIGURE, "all") | {"force_code": force, "measure": measure, "breakdown": "none"}
    return known | {"value": value, "numerator": value, "denominator": 100.0}


def on_list(person: str, place: int, kind: str = "national_top") -> dict[str, Any]:
    return {
        "list_kind": kind,
        "lens": "likely_harm",
        "list_scope_code": "national",
        "person_id": person,
        "place": place,
        "reason": None,
    }


def considered(
    person: str, score: float, status: str = "listed", reason: str | None = None
) -> dict[str, Any]:
    return {"person_id": person, "list_status": status, "status_reason": reason, "score": score}


def table(rows: list[dict[str, Any]]) -> pl.DataFrame:
    texts = {name: pl.String for name in ("reason", "status_reason") if name in rows[0]}
    return pl.DataFrame(rows, schema_overrides=texts, infer_schema_length=None)


MOVERS = {
    "person_id": pl.String,
    "movement": pl.String,
    "reason_in_words": pl.String,
    "status_reason": pl.String,
    "previous_status_reason": pl.String,
    "causes_in_words": pl.String,
    "score_change": pl.Float64,
}
BEFORE = {
    "national_statistics": [figure("offences", 10), figure("charged", 0.5), figure("victims", 3)],
    "perpetrator_lists": [on_list("P1", 1), on_list("P2", 2), on_list("P3", 3)],
    "ranked_perpetrators": [considered("P1", 9), considered("P2", 8), considered("P3", 7)],
    "flag_agreement": [{"flag": "DA", "n": 1}],
}
AFTER = {
    "national_statistics": [figure("offences", 14), figure("charged", 0.5), figure("suspects", 1)],
    "perpetrator_lists": [on_list("P2", 1), on_list("P3", 2), on_list("P4", 3)],
    "ranked_perpetrators": [
        considered("P1", 9, "held", "outcome_unknown"),
        considered("P2", 8),
        considered("P3", 7),
        considered("P4", 5),
    ],
    "flag_agreement": [{"flag": "DA", "n": 2}],
}
MOVED = [("P4", "entered", None, None, "too_few_incidents", "Parameters and weights +5.0", 5.0)]


def finding(record: str, rule: str, severity: str = "error") -> dict[str, Any]:
    known = {"submission_id": "S1", "force_code": "E1", "extract": "offences", "row_number": 1}
    return known | {
        "finding_key": f"{rule}{record}",
        "record_ref": record,
        "rule": rule,
        "severity": severity,
    }


def side(root: Path, findings: list[dict[str, Any]], refused: int) -> Layout:
    layout = Layout(root).prepare()
    full = [{name: row.get(name) for name in FINDINGS_SCHEMA} for row in findings]
    pl.DataFrame(full, schema=FINDINGS_SCHEMA, orient="row").write_parquet(layout.findings / "S1.parquet")
    receipt = dict.fromkeys(
        ("name", "content_hash", "extracted_at", "contract_version", "n_errors", "n_warnings")
    ) | {"submission_id": "S1", "force_code": "E1", "period": "2026-02", "sequence": 1}
    counts = {"offences": {"received": 9, "accepted": 9 - refused, "quarantined": refused}}
    write_json(
        receipt | {"status": "accepted", "received_at": "2026-03-01", "counts": counts},
        layout.receipts / "S1.json",
    )
    return layout


def compared(
    tmp_path: Path,
    after: dict[str, list[dict[str, Any]]],
    findings: tuple[list[dict[str, Any]], list[dict[str, Any]]] = ([], []),
    moved: list[tuple[Any, ...]] | None = None,
) -> Comparison:
    release = tmp_path / "release"
    release.mkdir()
    marts = {}
    for name, rows in BEFORE.items():
        table(rows).write_parquet(release / f"{name}.parquet")
        marts[name] = {"file": f"{name}.parquet", "encrypted": False}
    (release / "manifest.json").write_text(json.dumps({"marts": marts}))
    before = side(tmp_path / "before", findings[0], len(findings[0]))
    layout = side(tmp_path / "after", findings[1], len(findings[1]))
    with duckdb.connect(str(layout.warehouse)) as connection:
        connection.execute("create schema marts")
        tables = {name: table(rows) for name, rows in after.items()}
        tables["ranked_perpetrator_movers"] = pl.DataFrame(moved or [], schema=MOVERS, orient="row")
        for name, frame in tables.items():
            connection.register("frame", frame)
            connection.execute(f"create table marts.{name} as from frame")
    return compare(release, before, layout)


def test_nothing_changes(tmp_path: Path) -> None:
    same = [finding("C1", "r")]
    found = compared(tmp_path, BEFORE, (same, same))
    assert found.is_empty and found.refused.is_empty()
    said = write_rehearsal(found, tmp_path / "out", release="R", changes={"a.csv": tmp_path})
    assert "**Nothing changes**" in said


def test_figures_that_change_come_and_go_the_most_first(tmp_path: Path) -> None:
    found = compared(tmp_path, AFTER).statistics
    assert found.select("measure", "change", "difference", "difference_share").rows() == [
        ("offences", "changed", 4.0, pytest.approx(0.4)),
        ("victims", "gone", None, None),
        ("suspects", "new", None, None),
    ]


def test_who_enters_leaves_and_moves_and_why(tmp_path: Path) -> None:
    found = compared(tmp_path, AFTER, moved=MOVED).lists
    rows = (
        found.select("person_id", "movement", "place_before", "place_after", "cause").sort("person_id").rows()
    )
    assert rows == [
        ("P1", "left", 1, None, "status listed -> outcome_unknown"),
        ("P2", "moved", 2, 1, "others moved"),
        ("P3", "moved", 3, 2, "others moved"),
        ("P4", "entered", None, 3, "too_few_incidents (Parameters and weights +5.0)"),
    ]


def test_records_newly_refused_by_force_and_rule(tmp_path: Path) -> None:
    """C1 was refused for r and is now for r and s: not newly. C2 is newly refused, by s; C3's warning becomes an error."""
    then = [finding("C1", "r"), finding("C3", "s", "warning")]
    now = [finding("C1", "r"), finding("C1", "s"), finding("C2", "s"), finding("C3", "s")]
    found = compared(tmp_path, BEFORE, (then, now))
    columns = ["rule", "severity", "n_findings_new", "n_findings_gone", "n_records_newly_rejected"]
    assert found.rejected.select(columns).rows() == [("s", "error", 3, 0, 2), ("s", "warning", 0, 1, 0)]
    assert found.refused.select("force_code", "rows", "rows_after").rows() == [("E1", 2, 4)]
    assert not found.is_empty


def test_another_mart_that_changes_is_named(tmp_path: Path) -> None:
    found = compared(tmp_path, BEFORE | {"flag_agreement": AFTER["flag_agreement"]})
    assert found.other_marts == ("flag_agreement",) and not found.is_empty


def test_the_report_tells_what_the_tables_hold(tmp_path: Path) -> None:
    found = compared(tmp_path, AFTER, ([], [finding("C1", "r")]), MOVED)
    said = write_rehearsal(found, tmp_path / "out", release="R", changes={"a.csv": tmp_path})
    assert "1 records newly refused" in said and "3 figures change" in said
    assert "| national_top | likely_harm | 1 | 1 | 2 |" in said
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "lists.csv",
        "rehearsal.md",
        "rejected.csv",
        "statistics.csv",
    ]
