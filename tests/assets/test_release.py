"""The release: whole or not there, the same for the same inputs, and never half."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from assets import release as station
from assets.forecasts.station import RUN
from assets.intake import receipts as intake_receipts
from assets.monitoring.month_report import checks_table
from assets.monitoring.monthly import CHECKS, REPORT
from assets.monitoring.thresholds import Thresholds
from assets.previous_release import RELEASE_FILE, RELEASE_SCHEMA
from assets.release import (
    IDENTITY_DECISIONS,
    REVIEW_DECISIONS,
    REVIEW_REMOVALS,
    ReleaseDiffers,
    sensitivity,
    write_release,
)
from assets.run_inputs import RunInputs, identity_decision_pairs, review_decisions, write
from assets.sign_offs import NotSignedOff
from assets.storage import Layout, write_json, write_parquet
from assets.warehouse import PROJECT_FOLDER
from data_contracts.submission import sha256_of
from decisions import audit, identity, review
from decisions.store import Store, open_store, sqlite_url
from tests.assets.test_intake import take, tree
from tests.assets.threat_assessment import assessed
from tests.decisions.reviewing import SUBJECT, Desk
from tests.submissions import send


def mart(name: str, release: str | None) -> dict[str, Any]:
    meta = {"release": release} if release else {}
    return {"relation_name": f"marts.{name}", "columns": {"key": {}, "value": {}}, "config": {"meta": meta}}


CATALOGUE = {
    "national_statistics": mart("national_statistics", "statistical"),
    "ranked_perpetrators": mart("ranked_perpetrators", "identifiable"),
}


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path / "root").prepare()
    receipts = tuple(take(layout, send(tmp_path / "out")))
    write(RunInputs("england_wales", date(2026, 2, 1), AS_OF, receipts), layout)
    write_parquet(LINKS, layout.person_links)
    write_parquet(LEDGER, layout.person_ledger)
    fill(layout, "(2, 20), (1, 10)")
    return layout


def entry(run_no: int, as_of: datetime, event: str, record_id: str) -> dict[str, Any]:
    return {"run_no": run_no, "as_of": as_of, "event": event, "record_id": record_id}


AS_OF = datetime(2026, 3, 6)
# Two nominals of one person that waits, one of another that waits for two reasons, one alone.
LINKS = pl.DataFrame(
    {
        "record_id": ["a", "b", "c", "d"],
        "person_id": ["P1", "P1", "P2", "P3"],
        "withheld": [True, True, True, False],
        "withheld_reasons": [["two_sexes"], ["two_sexes"], ["too_many_records", "two_sexes"], []],
        "model_version": ["v1"] * 4,
    }
)
LEDGER = pl.DataFrame(
    [
        *(entry(1, datetime(2026, 2, 6), "create", record_id) for record_id in "abc"),
        entry(2, AS_OF, "merge", "b"),
        entry(2, AS_OF, "create", "d"),
    ]
)


def fill(layout: Layout, values: str, ranked: str = "(1, 1)") -> None:
    layout.warehouse.unlink(missing_ok=True)
    with duckdb.connect(str(layout.warehouse)) as connection:
        connection.execute("create schema marts; create schema codes")
        for table, rows in (("national_statistics", values), ("ranked_perpetrators", ranked)):
            connection.execute(f"create table marts.{table} as select * from (values {rows}) t(key, value)")
        for seed in ("vawg_definitions", "harm_weights", "flag_rules"):
            connection.execute(f"create table codes.{seed} as select '1.0' as version")
        for seed in ("ranking_parameters", "ranking_statements"):
            connection.execute(f"create table codes.{seed} as from '{PROJECT_FOLDER}/seeds/{seed}.csv'")


def test_a_release_holds_what_its_manifest_says(layout: Layout) -> None:
    folder = write_release(layout, CATALOGUE)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert layout.current_release.resolve() == folder.resolve()
    assert set(manifest["marts"]) == {*CATALOGUE, "decision_log_extract"}
    for entry in manifest["marts"].values():
        assert sha256_of(folder / entry["file"]) == entry["sha256"]
    assert pl.read_parquet(folder / "statistical" / "national_statistics.parquet")["key"].to_list() == [1, 2]
    assert manifest["tables"]["harm_weights"] == sha256_of(
        PROJECT_FOLDER.parent / "data_contracts" / "codes" / "harm_weights.csv"
    )
    assert {"ranking_parameters", "outcome_treatment", "vawg_definitions"} < set(manifest["tables"])
    assert manifest["coverage"]["forces_in"] == 1 and len(manifest["coverage"]["forces_out"]) == 42
    assert (folder / "pages" / "index.html").read_text().count("national_statistics") == 2


def test_another_parameter_in_the_warehouse_is_another_transparency_record(layout: Layout) -> None:
    def said() -> str:
        return (write_release(layout, CATALOGUE) / "pages" / "transparency_record.json").read_text()

    assert "2^(-age/180 days)" in said()
    shutil.rmtree(layout.releases)
    with duckdb.connect(str(layout.warehouse)) as connection:
        connection.execute(
            "update codes.ranking_parameters set number = 90 where parameter = 'half_life_days'"
        )
    assert "2^(-age/90 days)" in said()


def test_no_path_of_the_machine_is_in_a_release(layout: Layout) -> None:
    folder = write_release(layout, CATALOGUE)
    assert not [name for name, content in tree(folder).items() if str(layout.root).encode() in content]


def test_the_same_inputs_give_the_same_bytes_even_in_another_order(layout: Layout) -> None:
    folder = write_release(layout, CATALOGUE)
    before = tree(folder)
    fill(layout, "(1, 10), (2, 20)")
    assert write_release(layout, CATALOGUE) == folder
    assert tree(folder) == before


def test_other_content_from_the_same_inputs_is_refused_and_the_current_release_stays(layout: Layout) -> None:
    folder = write_release(layout, CATALOGUE)
    before = tree(folder)
    fill(layout, "(1, 10), (2, 21)")
    with pytest.raises(ReleaseDiffers, match=r"national_statistics\.parquet"):
        write_release(layout, CATALOGUE)
    assert tree(folder) == before and layout.current_release.resolve() == folder.resolve()


def test_a_failure_half_way_leaves_the_last_release_current(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = write_release(layout, CATALOGUE)
    monkeypatch.setattr(station, "code_digest", lambda: "other code")

    def fails(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(station, "write_pages", fails)
    with pytest.raises(OSError):
        write_release(layout, CATALOGUE)
    assert layout.current_release.resolve() == first.resolve()
    visible = {p.name for p in layout.releases.iterdir() if not p.name.startswith(".")}
    assert visible == {first.name, "current"}


def test_other_code_is_another_release(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    first = write_release(layout, CATALOGUE)
    monkeypatch.setattr(station, "code_digest", lambda: "other code")
    second = write_release(layout, CATALOGUE)
    assert first != second and first.exists() and layout.current_release.resolve() == second.resolve()


def test_the_manifest_says_who_is_who(layout: Layout) -> None:
    manifest = json.loads((write_release(layout, CATALOGUE) / "manifest.json").read_text())
    assert manifest["identity"] == {
        "records": 4,
        "persons": 3,
        "persons_withheld": 2,
        "model_version": "v1",
        "withheld_by_reason": {"too_many_records": 1, "two_sexes": 2},
        "events": {"create": 1, "merge": 1},
        "decisions": [],
        "audit_head": None,
    }


def test_a_run_in_which_nothing_happened_to_anybody_does_not_tell_of_the_one_before(layout: Layout) -> None:
    write_parquet(LEDGER.filter(pl.col("run_no") == 1), layout.person_ledger)
    manifest = json.loads((write_release(layout, CATALOGUE) / "manifest.json").read_text())
    assert manifest["identity"]["events"] == {}


def test_another_history_of_ids_is_another_release(layout: Layout) -> None:
    first = write_release(layout, CATALOGUE)
    write_parquet(LEDGER.with_columns(pl.lit("split").alias("event")), layout.person_ledger)
    assert write_release(layout, CATALOGUE) != first


def decide(store: Store, kind: str, day: int) -> None:
    identity.decide(
        store,
        kind,  # type: ignore[arg-type]
        [f"a{day}"],
        [f"b{day}"],
        decided_by="a clerk",
        reason="seen",
        decided_at=datetime(2026, 3, day),
    )


def test_a_decision_of_the_run_makes_another_release_and_a_later_one_does_not(
    layout: Layout, tmp_path: Path
) -> None:
    store = open_store(sqlite_url(tmp_path / "decisions.sqlite"))
    undecided = write_release(layout, CATALOGUE, decisions=store)
    decide(store, "cannot_link", 5)
    with store.reading() as connection:
        in_force, head = identity.history(connection), str(audit.head(connection))
    write_parquet(identity_decision_pairs(in_force), layout.run / IDENTITY_DECISIONS)
    decided = write_release(layout, CATALOGUE, decisions=store)
    said = json.loads((decided / "manifest.json").read_text())["identity"]
    assert decided != undecided
    assert (said["decisions"], said["audit_head"]) == (["I000001"], head)
    decide(store, "must_link", 7)
    assert write_release(layout, CATALOGUE, decisions=store) == decided


def test_a_review_makes_another_release_and_its_manifest_counts_it(layout: Layout, tmp_path: Path) -> None:
    store = open_store(sqlite_url(tmp_path / "decisions.sqlite"))
    without = write_release(layout, CATALOGUE)
    assert json.loads((without / "manifest.json").read_text())["review"] == {
        "entries": 0,
        "frozen": 0,
        "added_by_officer": 0,
        "by_state": {},
    }
    desk = Desk(store).removed()
    Desk(store, replace(SUBJECT, record_ids=("E23000001|x",)), desk.at).take("propose", "O").take(
        "dispute", "C"
    )
    write_parquet(review_decisions(review.in_force(store, AS_OF)), layout.run / REVIEW_DECISIONS)
    reviewed = write_release(layout, CATALOGUE)
    assert reviewed != without
    assert json.loads((reviewed / "manifest.json").read_text())["review"] == {
        "entries": 2,
        "frozen": 1,
        "added_by_officer": 1,
        "by_state": {"proposed": 1, "removed": 1},
    }
    facts = pl.DataFrame([{"entry_id": "R000001", "offence_id": "other"}])
    write_parquet(facts, layout.run / REVIEW_REMOVALS)
    assert write_release(layout, CATALOGUE) not in (without, reviewed)


def test_the_page_says_who_is_not_listed_and_why(layout: Layout) -> None:
    with duckdb.connect(str(layout.warehouse)) as connection:
        connection.execute("""
            create or replace table marts.ranked_perpetrators as select * from (values
                ('P2', 'held', 'identity_under_review'), ('P1', 'held', 'identity_under_review'),
                ('P4', 'ineligible', 'too_few_incidents'), ('P3', 'listed', null)
            ) t(person_id, list_status, status_reason)
        """)
    columns = {c: {} for c in ("person_id", "list_status", "status_reason")}
    catalogue = CATALOGUE | {"ranked_perpetrators": {**CATALOGUE["ranked_perpetrators"], "columns": columns}}
    folder = write_release(layout, catalogue)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert [tuple(row.values()) for row in manifest["ranked_list"]] == [
        ("listed", None, 1),
        ("held", "identity_under_review", 2),
        ("ineligible", "too_few_incidents", 1),
    ]
    page = (folder / "pages" / "index.html").read_text()
    assert "identity under review" in page and "two sexes" in page
    assert "P1" not in page


def monitor(layout: Layout, as_of: datetime = AS_OF) -> None:
    """The month's monitoring as the station leaves it: one check that raised an alert, one that could not be computed."""
    thresholds = Thresholds()
    verdicts = [thresholds.judge("drift_psi", 0.4, "harm_days"), thresholds.judge("null_programme", None)]
    write_parquet(checks_table(verdicts, date(2026, 2, 1), as_of), layout.monitoring / CHECKS)
    write_parquet(pl.DataFrame({"n": [1]}), layout.monitoring / "volume.parquet")
    (layout.monitoring / REPORT).write_text("<p>the month</p>")


def test_the_months_monitoring_is_part_of_the_release_and_its_alerts_are_on_the_first_page(
    layout: Layout,
) -> None:
    monitor(layout)
    folder = write_release(layout, CATALOGUE)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert {"monitoring_checks", "monitoring_volume"} <= set(manifest["marts"])
    assert (folder / "statistical" / "monitoring_checks.parquet").is_file()
    assert (folder / "pages" / "monitoring.html").read_text() == "<p>the month</p>"
    (alert,) = manifest["monitoring"]["alerts"]
    assert (alert["check_id"], alert["owner"]) == ("drift_psi", "Data quality team")
    assert (manifest["monitoring"]["checks"], manifest["monitoring"]["computed"]) == (2, 1)
    page = (folder / "pages" / "index.html").read_text()
    assert 'href="monitoring.html"' in page and "Data quality team" in page
    record = (folder / "pages" / "transparency_record.html").read_text()
    assert "Ethics committee" in record


def test_the_monitoring_of_another_run_is_not_taken_in(layout: Layout) -> None:
    monitor(layout, as_of=datetime(2026, 3, 5))
    folder = write_release(layout, CATALOGUE)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["monitoring"] is None and not (folder / "pages" / "monitoring.html").exists()
    assert "How the list is monitored" not in (folder / "pages" / "index.html").read_text()


def test_the_threat_assessment_is_a_page_of_the_release(layout: Layout) -> None:
    """With the months that the statistics hold and the forecasts of this run."""
    months = assessed.recorded().with_columns(
        period_kind=pl.lit("month"),
        force_code=pl.lit("national"),
        definition_id=pl.lit("npcc_policing_scope"),
        threat=pl.lit("all"),
        measure=pl.lit("offences"),
        breakdown=pl.lit("none"),
    )
    catalogue = dict(CATALOGUE)
    with duckdb.connect(str(layout.warehouse)) as connection:
        for name, frame in (("threat_assessment", assessed.assessment()), ("national_statistics", months)):
            connection.register("given", frame)
            connection.execute(f"create or replace table marts.{name} as from given")
            catalogue[name] = {**mart(name, "statistical"), "columns": {c: {} for c in frame.columns}}
    without = write_release(layout, catalogue)
    assert "0 of 0 series are forecast" in (without / "pages" / "threat_assessment.html").read_text()
    shutil.rmtree(without)
    found = assessed.found()
    tables = {
        "threat_forecasts": found.months,
        "threat_outlook": found.outlook,
        "threat_forecast_backtest": found.backtest,
        "threat_forecasts_left_out": found.left_out,
    }
    layout.forecasts.mkdir()
    for name, table in tables.items():
        write_parquet(table, layout.forecasts / f"{name}.parquet")
    write_json({"period": "2026-02-01", "as_of": f"{AS_OF}"}, layout.forecasts / RUN)
    folder = write_release(layout, catalogue)
    page = (folder / "pages" / "threat_assessment.html").read_text()
    assert "3 of 6 series are forecast" in page and page.count("<figure") == 2
    assert 'href="threat_assessment.html"' in (folder / "pages" / "index.html").read_text()


def test_an_empty_list_says_why(layout: Layout) -> None:
    layout.warehouse.unlink()
    fill(layout, "(1, 1)", ranked="(1, 1)")
    with duckdb.connect(str(layout.warehouse)) as connection:
        connection.execute("delete from marts.ranked_perpetrators")
    manifest = json.loads((write_release(layout, CATALOGUE) / "manifest.json").read_text())
    assert any("ranked_perpetrators is empty" in note for note in manifest["notes"])


@pytest.mark.parametrize(
    ("says", "lies_in"),
    [
        ("statistical", "statistical"),
        ("identifiable", "identifiable"),
        ("victims", "victims"),
        (None, "identifiable"),
        ("typo", "identifiable"),
    ],
)
def test_a_mart_lies_where_it_says_or_else_is_identifiable(says: str | None, lies_in: str) -> None:
    assert sensitivity(mart("any", says)) == lies_in


def test_with_a_key_the_identifiable_marts_cannot_be_read_without_it(layout: Layout) -> None:
    key = "0123456789abcdef"
    folder = write_release(layout, CATALOGUE, key)
    secret = folder / "identifiable" / "ranked_perpetrators.parquet"
    assert pl.read_parquet(folder / "statistical" / "national_statistics.parquet").height == 2
    with pytest.raises(duckdb.InvalidInputException, match="encrypted"):
        duckdb.sql(f"select * from '{secret}'").fetchall()
    with duckdb.connect() as reader:
        reader.execute(f"pragma add_parquet_key('release', '{key}')")
        read = f"select * from read_parquet('{secret}', encryption_config={{footer_key: 'release'}})"
        assert reader.execute(read).fetchall() == [(1, 1)]
    assert write_release(layout, CATALOGUE, key) == folder


def test_what_is_about_victims_lies_apart_and_is_encrypted_too(layout: Layout) -> None:
    catalogue = CATALOGUE | {"victim_profiles": mart("victim_profiles", "victims")}
    with duckdb.connect(str(layout.warehouse)) as connection:
        connection.execute("create table marts.victim_profiles as select 1 as key, 1 as value")
    folder = write_release(layout, catalogue, "0123456789abcdef")
    entry = json.loads((folder / "manifest.json").read_text())["marts"]["victim_profiles"]
    assert (entry["file"], entry["encrypted"]) == ("victims/victim_profiles.parquet", True)
    assert [p.name for p in (folder / "identifiable").iterdir()] == ["ranked_perpetrators.parquet"]
    with pytest.raises(duckdb.InvalidInputException, match="encrypted"):
        duckdb.sql(f"select * from '{folder / entry['file']}'").fetchall()


@pytest.mark.parametrize("key", ["short", "x" * 15 + "'", "ü" * 16 + "' --"])
def test_a_bad_key_is_refused_without_being_repeated(layout: Layout, key: str) -> None:
    with pytest.raises(ValueError, match="letters and digits") as caught:
        write_release(layout, CATALOGUE, key)
    assert key not in str(caught.value)


def test_what_movers_were_measured_against_is_named(layout: Layout) -> None:
    """Another list of the month before is another release, and none is said."""
    catalogue = CATALOGUE | {"ranked_perpetrator_movers": mart("ranked_perpetrator_movers", "identifiable")}
    with duckdb.connect(str(layout.warehouse)) as connection:
        connection.execute("create table marts.ranked_perpetrator_movers as select 1 as key, 1 as value")
    alone = write_release(layout, catalogue)
    manifest = json.loads((alone / "manifest.json").read_text())
    assert manifest["previous_release"] is None
    assert any("ranked_perpetrator_movers is empty" in note for note in manifest["notes"])
    before = {
        "release_id": "2026-01_0",
        "period": date(2026, 1, 1),
        "as_of": AS_OF,
        "ranked_at": datetime(2026, 1, 31, 23, 59, 59),
    }
    write_parquet(pl.DataFrame([before], schema=RELEASE_SCHEMA), layout.run / RELEASE_FILE)
    compared = write_release(layout, catalogue)
    manifest = json.loads((compared / "manifest.json").read_text())
    assert compared != alone
    assert manifest["previous_release"]["release_id"] == "2026-01_0"
    assert not any("ranked_perpetrator_movers" in note for note in manifest["notes"])


def test_what_may_leave_the_service_lies_apart(layout: Layout) -> None:
    """Rounded, small counts withheld, also as CSV; what it rests on stays inside, for the publication after."""
    columns = {
        "period": "date '2026-02-01'",
        "period_kind": "'month'",
        "force_code": "'national'",
        "definition_id": "'wide'",
        "threat": "threat",
        "measure": "'offences'",
        "breakdown": "'none'",
        "breakdown_value": "'all'",
        "value": "n::double",
        "numerator": "n::bigint",
        "denominator": "null::bigint",
        "n_forces": "1::bigint",
        "n_months": "1::bigint",
    }
    with duckdb.connect(str(layout.warehouse)) as connection:
        chosen = ", ".join(f"{value} as {name}" for name, value in columns.items())
        connection.execute(
            f"create or replace table marts.national_statistics as select {chosen} "
            "from (values ('all', 123), ('stalking', 9), ('online', 0)) t(threat, n)"
        )
    catalogue = CATALOGUE | {
        "national_statistics": {**CATALOGUE["national_statistics"], "columns": {name: {} for name in columns}}
    }
    folder = write_release(layout, catalogue)
    shown = pl.read_parquet(folder / "publishable" / "national_statistics.parquet")
    assert dict(shown.select("threat", "numerator").iter_rows()) == {
        "all": 125,
        "stalking": None,
        "online": None,
    }
    assert pl.read_csv(folder / "publishable" / "national_statistics.csv").height == 3
    basis = pl.read_parquet(folder / "statistical" / "publication_basis.parquet")
    assert dict(basis.select("threat", "count").iter_rows()) == {"all": 123, "stalking": 9, "online": 0}
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["publication"]["measured_against"] is None
    assert any("no earlier publication" in note for note in manifest["notes"])
    assert sorted(p.name for p in (folder / "publishable").iterdir()) == [
        "national_statistics.csv",
        "national_statistics.parquet",
        "tables",
    ]


def test_a_release_waits_for_sign_off_only_where_it_is_needed(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_release(layout, CATALOGUE)
    says = json.loads((folder / "manifest.json").read_text())["sign_off"]
    assert says["is_needed"] is False
    assert [(f["force_code"], f["state"]) for f in says["forces"]] == [("E23000036", "not_signed_off")]
    assert "0 of 1 forces have signed off" in (folder / "pages" / "index.html").read_text()
    monkeypatch.setattr("decisions.sign_off.is_needed", lambda on: True)
    fill(layout, "(2, 30)")
    receipts = tuple(intake_receipts(layout))
    write(RunInputs("england_wales", date(2026, 2, 1), datetime(2026, 3, 7), receipts), layout)
    with pytest.raises(NotSignedOff, match="E23000036"):
        write_release(layout, CATALOGUE)
    assert layout.current_release.resolve() == folder.resolve()
