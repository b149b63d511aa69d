"""`vawg review`: from the first look to removal, what is refused, and what is shown before a rank."""

from __future__ import annotations

import csv
import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner, Result

from assets.storage import Layout, write_parquet
from cli.main import main
from cli.review import review as group
from decisions import review
from decisions.review_entries import Entry
from decisions.store import open_store, sqlite_url
from tests.assets.linkage.ledgers import write_ledger

# Of the ledger: P1 has four nominals of two forces and a late one; P2 went into P1; P4 and P6 were one.
AT, LATER = "2026-05-01T09:00:00", "2026-05-02T09:00:00"
ALLEGATIONS: list[dict[str, Any]] = [
    {
        "person_id": person_id,
        "offence_id": offence_id,
        "is_counted": counted,
        "not_counted_reason": why,
        "explanation": f"What {offence_id} adds.",
    }
    for person_id, offence_id, counted, why in (
        ("P1", "E23000036|c1", True, None),
        ("P1", "E23000036|c2", False, "the crime was cancelled"),
        ("P4", "E23000036|c4", True, None),
        ("P6", "E23000026|c6", True, None),
    )
]
FACTS = {
    "force_code": "E23000036",
    "offence_code": "8N",
    "reported_at": datetime(2026, 3, 20),
    "outcome_code": "16",
    "suspect_status": "named",
    "n_co_suspects": 0,
}
# P9 is eligible and on no first list; P7 and P8 stand on lists that ask for no rank.
AVON, BEDS = "E23000036", "E23000026"
LISTS = [
    ("P1", "force_top", "likely_harm", AVON),
    ("P1", "national_top", "likely_harm", AVON),
    ("P4", "force_top", "gravest_harm", AVON),
    ("P6", "held", "none", BEDS),
    ("P7", "serious_single", "none", BEDS),
    ("P8", "added_by_officer", "none", BEDS),
    ("P9", "national_next", "likely_harm", AVON),
    ("P9", "force_top", "rfg", AVON),
]


@pytest.fixture(autouse=True)
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    monkeypatch.setenv("VAWG_DATA", str(tmp_path))
    for name in ("VAWG_DECISIONS_URL", "VAWG_RELEASE_KEY"):
        monkeypatch.delenv(name, raising=False)
    layout = Layout(tmp_path)
    write_ledger(layout.person_ledger)
    folder = layout.releases / "2026-03_abc"
    offences = pl.DataFrame(
        [{**FACTS, **row, "crime_ref": row["offence_id"].split("|")[1]} for row in ALLEGATIONS],
        infer_schema_length=None,
    )
    listed = pl.DataFrame(
        {
            "person_id": ["P4", "P1", "P6"],
            "owner_force_code": ["E23000036", "E23000036", "E23000026"],
            "list_status": ["listed", "listed", "held"],
            "national_rank": [1, 777, None],
            "rank_band": ["1-25", "501-1000", None],
            "status_reason": [None, None, "age_unknown"],
            "score": [Decimal("2110.25"), Decimal("12.5"), Decimal(9)],
            "statement": "Not evidence of guilt.",
            "n_offences_as_victim": [0, 2, 0],
        }
    )
    lists = pl.DataFrame(LISTS, schema=["person_id", "list_kind", "lens", "owner_force_code"], orient="row")
    marts = {
        "ranked_perpetrator_offences": offences,
        "ranked_perpetrators": listed,
        "perpetrator_lists": lists,
    }
    for name, frame in marts.items():
        write_parquet(frame, folder / "identifiable" / f"{name}.parquet")
    bands = pl.DataFrame({"band": ["1-25"], "in_words": ["about 4 in 10 people in this band"]})
    write_parquet(bands, folder / "statistical" / "monitoring_band_probability.parquet")
    files = {name: f"identifiable/{name}.parquet" for name in marts}
    files["monitoring_band_probability"] = "statistical/monitoring_band_probability.parquet"
    manifest = {
        "release_id": folder.name,
        "period": "2026-03",
        "marts": {name: {"file": file, "encrypted": False} for name, file in files.items()},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    layout.current_release.symlink_to(folder.name, target_is_directory=True)
    return layout


def vawg(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["review", *(str(a) for a in arguments)])


def act(name: str, who: str, subject: str = "P1", *more: str, at: str = AT) -> Result:
    return vawg(name, subject, "--by", who, "--at", at, *more)


def said(reason: str, agree: str | None = "--agree") -> tuple[str, ...]:
    return ("--reason", reason, "--why", "w", *((agree,) if agree else ()))


def entry(layout: Layout, entry_id: str = "R000001") -> Entry:
    return review.entry_of(open_store(sqlite_url(layout.decisions)), entry_id, datetime(2026, 5, 10))


def triaged() -> None:
    assert act("view", "Ann").exit_code == 0
    assert act("triage", "Ann", "P1", *said("evidence_as_listed")).exit_code == 0


def test_the_evidence_comes_before_the_rank() -> None:
    first = act("view", "Ann").output
    assert "c1  reported 2026-03-20" in first and "not counted: the crime was cancelled" in first
    assert "Also recorded as a victim, of 2 offences" in first and "not a finding of guilt" in first
    assert "R000001 is proposed until 2026-08-01" in first and "777" not in first
    assert "adds" not in first and "points" not in first
    second = act("view", "Ann").output
    assert "On the list: listed, rank 777, band 501-1000, 12.5 points." in second
    assert "this band come again: not yet known: this release was not monitored." in second
    act("view", "Ann", "P4")
    assert "come again: about 4 in 10 people in this band." in act("view", "Ann", "P4").output
    assert "What E23000036|c1 adds." in second and "What E23000036|c2 adds." in second
    assert second.endswith("Not evidence of guilt.\n")
    assert "777" not in act("view", "Bob").output


def test_who_may_be_a_child_is_shown_no_points() -> None:
    act("view", "Ann", "P6")
    second = act("view", "Ann", "P6").output
    assert "held (age unknown), rank none, band none.\n" in second and "What E23000026|c6 adds." not in second


def test_the_queue_tells_whom_to_look_at_and_no_rank() -> None:
    triaged()
    act("propose", "Off", "P6", *said("partner_referral", None))
    done = vawg("queue", "--as-of", LATER)
    assert [line.split("\t") for line in done.stdout.splitlines()[1:]] == [
        ["P1", "E23000036", "R000001", "triaged", "2026-08-01", "confirm, defer or remove"],
        ["P4", "E23000036", "", "proposed", "", "view"],
        ["P6", "", "R000002", "proposed", "2026-08-01", "triage"],
        ["P7", BEDS, "", "proposed", "", "view"],
        ["P8", BEDS, "", "proposed", "", "view"],
    ]
    of_force = vawg("queue", "--force", BEDS).stdout.splitlines()
    assert [line.split("\t")[0] for line in of_force[1:]] == ["P7", "P8"]


def test_from_a_proposal_to_a_live_plan(layout: Layout) -> None:
    triaged()
    asked = act("confirm", "Ann", "P1", *said("grave_harm"), "--proportionality", "no less would do")
    assert asked.output == "R000001 is triaged until 2026-08-01. Next: a second person on: confirm.\n"
    act("view", "Bob", "P1", "--purpose", "second_look", at=LATER)
    assert (
        "is confirmed until 2026-08-02"
        in act("approve", "Bob", "P1", *said("agreed_on_own_view"), at=LATER).output
    )
    refused = act("activate", "Bob", "P1", *said("plan_agreed", None), "--plan", "7", at=LATER)
    assert refused.exit_code == 2 and "check the safety" in refused.output
    act("check-safety", "Bob", "P1", *said("risk_managed", None), at=LATER)
    done = act("activate", "Bob", "R000001", *said("plan_agreed", None), "--plan", "7, owner Z", at=LATER)
    assert done.output == "R000001 is active until 2026-08-02. Next: renew or lapse.\n"
    assert entry(layout).state == "active"


def test_who_is_suspected_beside_others_is_confirmed_by_what_they_did(layout: Layout) -> None:
    path = layout.current_release / "identifiable" / "ranked_perpetrator_offences.parquet"
    shared = pl.read_parquet(path).with_columns(n_co_suspects=pl.lit(2, pl.Int64))
    write_parquet(shared, path)
    triaged()
    asked = ("P1", *said("grave_harm"), "--proportionality", "no less would do")
    refused = act("confirm", "Ann", *asked)
    assert refused.exit_code == 2 and "suspected of 1 of the crimes that count" in refused.output
    assert act("confirm", "Ann", *asked, "--role", "held the door").exit_code == 0
    request = entry(layout).request
    assert request and request.note == "no less would do; role beside other suspects: held the door"


def test_a_removal_holds_on_what_counts_today_by_either_id_of_the_person(layout: Layout) -> None:
    triaged()
    # P2 went into P1; an entry is named as well as a person.
    assert act("remove", "Ann", "P2", *said("not_suspect", "--disagree")).exit_code == 0
    act("view", "Bob", "P2", at=LATER)
    assert act("approve", "Bob", "R000001", *said("agreed_on_own_view"), at=LATER).exit_code == 0
    removal = entry(layout).removal
    assert removal and removal.offence_ids == ("E23000036|c1",)
    again = act("view", "Ann", at=LATER)
    assert again.exit_code == 2 and "none is new" in again.output
    shown = vawg("status", "P1", "--as-of", "2026-06-01")
    assert "R000001  removed  listed  2026-03" in shown.output and "holds on 1 allegation" in shown.output


def test_a_dispute_from_freeze_to_annotation(layout: Layout) -> None:
    triaged()
    frozen = act("dispute", "Clerk", "P1", *said("identity_wrong", None), "--disputed-by", "the person")
    assert frozen.output == "R000001 is frozen (triaged). Next: the force's check.\n"
    act("record-check", "Force", "P1", *said("corrected", None))
    assert act("close-dispute", "Force", "P1", *said("all_told", None)).exit_code == 2
    closed = act("close-dispute", "Clerk", "P1", *said("all_told", None))
    assert "R000001 is proposed" in closed.output
    store = open_store(sqlite_url(layout.decisions))
    (note,) = review.annotations_of(store, "2026-03_abc", datetime.max)
    assert (note.person_id, note.found) == ("P1", "corrected")


def test_an_appeal_is_decided_by_an_outsider(layout: Layout) -> None:
    triaged()
    act("appeal", "Clerk", "P1", *said("merits", None), "--appellant", "the person")
    decided = ("P1", *said("allowed", None), "--unit", "standards")
    assert "had a hand in" in act("decide-appeal", "Ann", *decided).output
    act("view", "Xi", "P1", "--purpose", "appeal")
    assert "is removed" in act("decide-appeal", "Xi", *decided).output
    assert entry(layout).removal


def test_a_deferral_and_its_end(layout: Layout) -> None:
    triaged()
    done = act("defer", "Ann", "P1", *said("victim_contact"), "--until", "2026-05-20")
    assert "R000001 is deferred until 2026-05-20" in done.output
    late = act("defer", "Ann", "P1", *said("victim_contact"), "--until", "2027-05-20")
    assert late.exit_code == 2 and "a deferral ends by 2026-08-01" in late.output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("view", "P99", "--by", "Ann"), "no person ever had the id P99"),
        (("triage", "P4", "--by", "Ann", *said("evidence_as_listed")), "P4 has no live entry"),
        (("triage", "R000007", "--by", "Ann", *said("evidence_as_listed")), "there is no entry R000007"),
        (("triage", "P1", "--by", "Bob", *said("evidence_as_listed")), "Bob has not viewed"),
        (("triage", "P1", "--by", "Ann", *said("evidence_as_listed", None)), "whether you agree"),
        (("triage", "P1", "--by", "Ann", *said("gut_feeling")), "choose one of evidence_as_listed"),
        (("approve", "P1", "--by", "Ann", *said("agreed_on_own_view")), "nobody asked"),
        (("view", "P4", "--by", "Ann", "--purpose", "curiosity"), "choose one of monthly_review"),
        (("dispose", "R000001", "--by", "Ann", "--why", "w"), "it must be expired or removed"),
    ],
)
def test_what_is_refused_says_why_with_2(layout: Layout, arguments: tuple[str, ...], says: str) -> None:
    act("view", "Ann")
    done = vawg(*arguments, "--at", LATER)
    assert done.exit_code == 2 and says in done.output and "Traceback" not in done.output
    assert len(entry(layout).acts) == 1


def test_without_a_release_there_is_nobody_to_review(layout: Layout) -> None:
    layout.current_release.unlink()
    for command in (("queue",), ("view", "P1", "--by", "Ann")):
        done = vawg(*command)
        assert done.exit_code == 2 and "vawg run" in done.output


def test_an_encrypted_release_asks_for_its_key(layout: Layout) -> None:
    path = layout.current_release / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["marts"]["ranked_perpetrators"]["encrypted"] = True
    path.write_text(json.dumps(manifest))
    done = vawg("queue")
    assert done.exit_code == 2 and "VAWG_RELEASE_KEY" in done.output


def test_the_extract_of_the_log_holds_nobodys_words_and_is_in_the_log(tmp_path: Path) -> None:
    act("view", "Ann")
    act("triage", "Ann", "P1", "--reason", "evidence_as_listed", "--why", "SECRET", "--agree")
    out = tmp_path / "log.csv"
    done = vawg(
        *("log-extract", "--out", out, "--purpose", "oversight", "--by", "Eve", "--at", LATER),
        *("--expires-on", "2026-06-01"),
    )
    assert done.exit_code == 0 and "destroy it by 2026-06-01" in done.output
    text = out.read_text()
    rows = list(csv.DictReader(text.splitlines()))
    assert [r["action"] for r in rows] == ["review_view", "review_triage", "access_export"]
    assert {(r["exported_by"], r["destroy_by"]) for r in rows} == {("Eve", "2026-06-01")}
    assert rows[1]["agrees"] == "True" and "SECRET" not in text


def test_the_words_are_shown_when_asked_for() -> None:
    triaged()
    assert "\n        w\n" not in vawg("status", "R000001", "--as-of", LATER).output
    assert "\n        w\n" in vawg("status", "R000001", "--as-of", LATER, "--reasons").output
    assert "Nobody has looked at P4" in vawg("status", "P4").output


def test_the_audit_vouches_for_review_too(layout: Layout) -> None:
    import sqlite3

    triaged()
    assert "ok: 2 entries" in CliRunner().invoke(main, ["audit", "verify"]).output
    connection = sqlite3.connect(layout.decisions, isolation_level=None)
    connection.execute("DROP TRIGGER review_acts_no_update")
    connection.execute("UPDATE review_acts SET agrees = 0 WHERE log_no = 2")
    connection.close()
    done = CliRunner().invoke(main, ["audit", "verify"])
    assert done.exit_code == 1 and "review_acts does not hold what it says of R000001" in done.output


@pytest.mark.parametrize("command", list(group.commands))
def test_every_command_has_a_manual_page(command: str) -> None:
    done = vawg(command, "--help")
    assert done.exit_code == 0 and len(done.output) > 250
