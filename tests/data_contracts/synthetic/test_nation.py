"""The synthetic nation as a whole: repeatable, clean where it should be, found out where it is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from data_contracts.extracts.catalogue import EXTRACTS
from data_contracts.rules.catalogue import rules
from data_contracts.submission import content_hash, open_submission
from data_contracts.synthetic import faults
from data_contracts.synthetic.nation import TRUTHS, write_nation
from data_contracts.validation import check
from tests.data_contracts.synthetic.conftest import FIRST, FORCES

Read = Callable[[Path, str], pl.DataFrame]
RECEIVED = date(2026, 6, 1)
CRIME = ["force_code", "crime_ref"]


def findings_of(folder: Path) -> pl.DataFrame:
    opened = [open_submission(path) for path in sorted((folder / "submissions").iterdir())]
    return pl.concat(check(o, received_on=RECEIVED).findings for o in opened)


def small(folder: Path, **changes: object) -> Path:
    arguments = {"seed": 5, "scale": 0.004, "first_period": FIRST, "n_months": 2, "forces": FORCES[1:3]}
    write_nation(folder, **(arguments | changes))  # type: ignore[arg-type]
    return folder


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    first, second = small(tmp_path / "a", fault_share=0.2), small(tmp_path / "b", fault_share=0.2)
    assert content_hash(first) == content_hash(second)


def test_another_seed_writes_another_nation(tmp_path: Path) -> None:
    assert content_hash(small(tmp_path / "a")) != content_hash(small(tmp_path / "b", seed=6))


def test_a_force_is_the_same_alone_as_among_others(tmp_path: Path) -> None:
    together, alone = small(tmp_path / "a"), small(tmp_path / "b", forces=FORCES[2:3])
    submissions = [f"{FORCES[2]}_2026-01_1", f"{FORCES[2]}_2026-02_1"]
    assert sorted(p.name for p in (alone / "submissions").iterdir()) == submissions
    for name in submissions:
        assert content_hash(together / "submissions" / name) == content_hash(alone / "submissions" / name)


@pytest.mark.heavy  # each process imports everything anew
def test_two_processes_write_what_one_writes(tmp_path: Path) -> None:
    assert content_hash(small(tmp_path / "a")) == content_hash(small(tmp_path / "b", workers=2))


def test_scale_is_a_share_of_the_national_year(tmp_path: Path) -> None:
    smaller, larger = (
        write_nation(
            tmp_path / str(scale), seed=1, scale=scale, first_period=FIRST, n_months=1, forces=FORCES[-1:]
        )
        for scale in (0.02, 0.08)
    )
    # A month of Greater Manchester is about 27,000 crimes.
    assert smaller.n_offences == pytest.approx(27_000 * 0.02, rel=0.2)
    assert larger.n_offences / smaller.n_offences == pytest.approx(4, rel=0.2)


def test_a_clean_nation_has_no_finding(clean: Path) -> None:
    found = findings_of(clean)
    assert found.group_by("severity", "rule").len().rows() == []


def test_missed_markers_are_warnings_and_nothing_else(tmp_path: Path) -> None:
    found = findings_of(small(tmp_path, scale=0.03, fault_share=0, flag_error_share=0.5))
    assert set(found["severity"]) == {"warning"}
    assert set(found["rule"]) <= {
        "domestic_crime_not_flagged",
        "domestic_flag_on_strangers",
        "domestic_flag_under_16",
        "coercive_control_not_flagged",
        "child_sexual_offence_not_flagged",
        "online_flag_contradicts_offence",
    }


def test_every_planted_fault_is_found(faulty: Path) -> None:
    planted = pl.read_parquet(faulty / "truth" / "planted_faults.parquet")
    identity = ["force_code", "period", "sequence", "extract", "record_ref", "rule"]
    missed = planted.join(findings_of(faulty).select(identity).unique(), on=identity, how="anti")
    assert missed.group_by("rule").len().rows() == []
    assert planted["rule"].n_unique() >= 30
    assert planted.select(identity).is_duplicated().sum() == 0


def test_faults_are_of_rules_in_force() -> None:
    assert {f.rule for f in faults.FAULTS} <= set(rules())


def test_the_truth_lies_beside_the_submissions_never_inside(clean: Path) -> None:
    assert sorted(p.name for p in clean.iterdir()) == ["submissions", "truth"]
    assert sorted(p.stem for p in (clean / "truth").iterdir()) == sorted(TRUTHS)
    for path in (clean / "submissions").iterdir():
        names = {p.stem for p in path.iterdir()}
        assert names <= {*EXTRACTS, "submission"}
        assert open_submission(path).undeclared == ()
    assert not any(b"true_" in p.read_bytes() for p in clean.glob("submissions/*/*"))


def test_the_truth_knows_every_nominal_that_was_sent(clean: Path, read: Read) -> None:
    sent = read(clean, "persons").select(pl.format("{}|{}", "force_code", "person_ref")).to_series()
    truth = pl.read_parquet(clean / "truth" / "person_truth.parquet")
    assert truth["record_id"].is_unique().all()
    assert set(truth["record_id"]) == set(sent)


def test_every_person_in_a_role_was_sent_by_then(clean: Path, read: Read) -> None:
    persons = read(clean, "persons").group_by("force_code", "person_ref").agg(sent_in=pl.min("period"))
    for extract in ("victims", "suspects", "offender_management"):
        roles = read(clean, extract).drop_nulls("person_ref")
        met = roles.join(persons, on=["force_code", "person_ref"], how="left")
        assert (met["sent_in"] <= met["period"]).fill_null(False).all(), extract


def test_a_changed_crime_is_sent_again_whole(clean: Path, read: Read) -> None:
    offences = read(clean, "offences")
    again = offences.filter(pl.len().over(CRIME) > 1)
    assert 0.05 < again.height / offences.height < 0.5
    last = (
        again.sort("period")
        .group_by(CRIME, maintain_order=True)
        .agg(pl.first("outcome_code"), b=pl.last("outcome_code"))
    )
    assert last.filter(pl.col("outcome_code").is_null() & pl.col("b").is_not_null()).height > 10
    for extract in ("victims", "suspects", "flags"):
        per_version = read(clean, extract).group_by(*CRIME, "period").len()
        resent = again.select(*CRIME, "period").join(per_version, on=[*CRIME, "period"], how="left")
        counts = resent.group_by(CRIME).agg(pl.col("len").fill_null(0).n_unique().alias("n"))
        assert counts["n"].max() == 1, extract


def test_some_crimes_come_late_are_cancelled_transferred_or_taken_back(clean: Path, read: Read) -> None:
    offences = read(clean, "offences")
    first = offences.sort("period").unique(CRIME, keep="first", maintain_order=True)
    late = first.filter(pl.col("recorded_at").str.slice(0, 7) < pl.col("period"))
    assert 0.005 < late.height / first.height < 0.03
    assert {"live", "cancelled", "transferred"} == set(offences["status"])
    deletions = read(clean, "deletions")
    sent = first.rename({"crime_ref": "record_ref", "period": "sent_in"})
    taken = deletions.join(sent, on=["force_code", "record_ref"], how="left")
    assert taken.height > 0
    assert (taken["sent_in"] < taken["period"]).fill_null(False).all()
    later = offences.rename({"crime_ref": "record_ref", "period": "sent_in"}).join(
        deletions, on=["force_code", "record_ref"]
    )
    assert (later["sent_in"] < later["period"]).all()


def test_nothing_is_known_before_it_happens(clean: Path, read: Read) -> None:
    drawn = {}
    for path in (clean / "submissions").iterdir():
        manifest = json.loads((path / "submission.json").read_text())
        drawn[manifest["force_code"], manifest["period"]] = manifest["extracted_at"][:10]
    cut = pl.DataFrame(
        [(*k, v) for k, v in drawn.items()], schema=["force_code", "period", "cut"], orient="row"
    )
    for extract, columns in {"offences": ["outcome_date"], "suspects": ["arrested_on", "charged_on"]}.items():
        dated = read(clean, extract).join(cut, on=["force_code", "period"])
        for column in columns:
            assert dated[column].drop_nulls().len() > 50
            assert (dated[column] < dated["cut"]).fill_null(True).all()


def test_forces_write_in_their_own_words_and_formats(clean: Path, read: Read) -> None:
    relationships = read(clean, "relationships")
    words = {
        force: set(rows["relationship"].str.strip_chars().str.to_uppercase())
        for (force,), rows in relationships.group_by("force_code")
    }
    assert not words["E23000036"] & words["E23000033"] - {
        "STRANGER",
        "1. STRANGER",
        "SEE OEL",
        "FRIEND OF FRIEND",
        "EX FLATMATE",
    }
    assert relationships["relationship"].str.strip_chars().ne(relationships["relationship"]).any()
    suffixes = {p.suffix for p in clean.glob("submissions/*/offences.*")}
    assert suffixes == {".csv", ".parquet"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"forces": ["E99999999"]},
        {"first_period": date(2026, 1, 2)},
        {"n_months": 0},
        {"scale": 0.0},
        {"fault_share": 1.5},
    ],
)
def test_impossible_wishes_are_refused(tmp_path: Path, wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        small(tmp_path, **wrong)


def test_progress_is_told_of_each_submission(tmp_path: Path) -> None:
    told: list[tuple[str, date]] = []
    small(tmp_path, progress=lambda force, period, rows: told.append((force, period)) if rows else None)
    assert told == [(f, p) for f in FORCES[1:3] for p in (FIRST, date(2026, 2, 1))]
