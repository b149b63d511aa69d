"""The synthetic nation as a whole: repeatable, clean where it should be, found out where it is not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from data_contracts.code_lists import code_list
from data_contracts.earlier import Before, Earlier
from data_contracts.extracts.catalogue import EXTRACTS
from data_contracts.rules.catalogue import rules
from data_contracts.rules.statistics import no_measures
from data_contracts.submission import Opened, content_hash, open_submission
from data_contracts.synthetic import faults, wording
from data_contracts.synthetic.nation import TRUTHS, write_nation
from data_contracts.synthetic.profile import forces
from data_contracts.validation import check
from tests.data_contracts.synthetic.conftest import CLEAN_SEED, FIRST, FORCES

Read = Callable[[Path, str], pl.DataFrame]
RECEIVED = date(2026, 6, 1)
CRIME = ["force_code", "crime_ref"]


def once_a_month(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows of each force's last submission for a month."""
    return rows.filter(pl.col("sequence") == pl.col("sequence").max().over("force_code", "period"))


def findings_of(folder: Path) -> pl.DataFrame:
    opened = [open_submission(path) for path in sorted((folder / "submissions").iterdir())]
    return pl.concat(check(o, received_on=RECEIVED).findings for o in opened)


SMALL: dict[str, Any] = {
    "seed": 5,
    "scale": 0.004,
    "first_period": FIRST,
    "n_months": 2,
    "forces": FORCES[1:3],
}


def small(folder: Path, **changes: Any) -> Path:
    write_nation(folder, **(SMALL | changes))
    return folder


@pytest.fixture
def two_systems(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every force runs one record system until February 2026, and another one from then on."""
    monkeypatch.setattr(
        wording, "record_system", lambda _, on: "rms_d" if on >= date(2026, 2, 1) else "rms_a"
    )
    wording.habits.cache_clear()
    yield
    # What was kept meanwhile is of no other test.
    wording.habits.cache_clear()


@pytest.mark.usefixtures("two_systems")
def test_a_force_that_changes_its_record_system_writes_the_new_ones_words_from_then_on(
    tmp_path: Path, read: Read
) -> None:
    folder = small(tmp_path, forces=FORCES[1:2], first_period=date(2026, 1, 1), scale=0.02, fault_share=0.0)
    sent = read(folder, "relationships").filter(pl.col("sequence") == "1")
    mapped = code_list("code_mappings").filter(pl.col("field") == "relationship")
    words = {of[0]: set(rows["raw_value"]) for of, rows in mapped.group_by("record_system")}
    for month, system, other in (("2026-01", "rms_a", "rms_d"), ("2026-02", "rms_d", "rms_a")):
        said = set(sent.filter(pl.col("period") == month)["relationship"])
        assert said & words[system]
        assert not said & (words[other] - words[system])


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    first, second = small(tmp_path / "a", fault_share=0.2), small(tmp_path / "b", fault_share=0.2)
    assert content_hash(first) == content_hash(second)


def test_another_seed_writes_another_nation(tmp_path: Path) -> None:
    assert content_hash(small(tmp_path / "a")) != content_hash(small(tmp_path / "b", seed=6))


def test_a_force_is_the_same_alone_as_among_others(tmp_path: Path) -> None:
    together, alone = small(tmp_path / "a"), small(tmp_path / "b", forces=FORCES[2:3])
    submissions = sorted(p.name for p in (alone / "submissions").iterdir())
    assert {f"{FORCES[2]}_2026-01_1", f"{FORCES[2]}_2026-02_1"} <= set(submissions)
    assert submissions == sorted(p.name for p in (together / "submissions").glob(f"{FORCES[2]}*"))
    for name in submissions:
        assert content_hash(together / "submissions" / name) == content_hash(alone / "submissions" / name)


@pytest.mark.heavy  # each process imports everything anew
def test_two_processes_write_what_one_writes(tmp_path: Path) -> None:
    assert content_hash(small(tmp_path / "a")) == content_hash(small(tmp_path / "b", workers=2))


def test_another_nation_in_the_same_folder_leaves_nothing_behind(tmp_path: Path) -> None:
    again, alone = tmp_path / "again", tmp_path / "alone"
    small(again, seed=CLEAN_SEED, scale=0.001)
    assert (again / "submissions" / f"{FORCES[1]}_2026-01_2").is_dir()
    summary = write_nation(again, **SMALL)
    assert content_hash(again) == content_hash(small(alone))
    assert summary.n_submissions == len(list((alone / "submissions").iterdir()))


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


def test_a_clean_nation_has_no_finding_beside_its_own_past(clean: Path) -> None:
    """Month by month, as forces send: earlier submissions, own months and peers are known."""
    submissions = sorted((open_submission(p) for p in sorted((clean / "submissions").iterdir())), key=_when)
    known = {o.manifest.force_code: Before(()) for o in submissions if o.manifest}
    found, months = [], dict[date, list[pl.DataFrame]]()
    for opened in submissions:
        m = opened.manifest
        assert m is not None
        last = max((p for p in months if p < m.period), default=None)
        peers = pl.concat([no_measures(), *(months[last] if last else [])]).filter(
            pl.col("force_code") != m.force_code
        )
        before = replace(known[m.force_code], peers=peers)
        checked = check(opened, received_on=RECEIVED, before=before)
        found.append(checked.findings)
        sent = Earlier(m.period, m.sequence, {n: r.lazy() for n, r in checked.accepted.items()})
        known[m.force_code] = Before((*before.earlier, sent), pl.concat([before.past, checked.measures]))
        months.setdefault(m.period, []).append(checked.measures)
    assert max(len(b.earlier) for b in known.values()) > 3
    told = pl.concat(found)
    assert set(told["severity"]) <= {"warning"}
    # In the truth too nominals change (a birth date is corrected, a surname taken on), and now and then a crime comes late.
    assert set(told["rule"]) <= {"nominal_changed", "crime_arrives_late"}
    assert told.filter(pl.col("rule") == "crime_arrives_late").height <= 2


def _when(opened: Opened) -> tuple[date, str, int]:
    assert opened.manifest is not None
    return opened.manifest.period, opened.manifest.force_code, opened.manifest.sequence


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
    found = findings_of(faulty).select(identity).unique()
    missed = planted.join(found, on=identity, how="anti", nulls_equal=True)
    assert missed.group_by("rule").len().rows() == []
    assert planted.select(identity).is_duplicated().sum() == 0
    assert set(faults.planted_rules()) - set(planted["rule"]) == set(), (
        "the fixture shows every kind of fault"
    )


def test_every_rule_is_planted_or_says_why_not() -> None:
    planted, not_planted = set(faults.planted_rules()), set(faults.NOT_PLANTED)
    assert planted & not_planted == set()
    assert planted | not_planted == set(rules())
    assert all(len(reason) > 20 for reason in faults.NOT_PLANTED.values())
    assert len(planted) >= 80


def test_no_england_and_wales_force_can_write_the_rules_that_want_a_word() -> None:
    """The reason `NOT_PLANTED` gives for the rules on spouses; a mapping for them makes it untrue."""
    systems = code_list("force_record_systems").filter(pl.col("force_code").is_in([f.code for f in forces()]))
    words = code_list("code_mappings").join(systems, on="record_system", how="semi")
    assert words.filter(pl.col("national_code").is_in(["SPO", "EXS"])).height == 0


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
    offences = once_a_month(read(clean, "offences"))
    again = offences.filter(pl.len().over(CRIME) > 1)
    assert 0.05 < again.height / offences.height < 0.5
    last = (
        again.sort("period")
        .group_by(CRIME, maintain_order=True)
        .agg(pl.first("outcome_code"), b=pl.last("outcome_code"))
    )
    assert last.filter(pl.col("outcome_code").is_null() & pl.col("b").is_not_null()).height > 10
    for extract in ("victims", "suspects", "flags"):
        per_version = once_a_month(read(clean, extract)).group_by(*CRIME, "period").len()
        resent = again.select(*CRIME, "period").join(per_version, on=[*CRIME, "period"], how="left")
        counts = resent.group_by(CRIME).agg(pl.col("len").fill_null(0).n_unique().alias("n"))
        assert counts["n"].max() == 1, extract


def test_a_reclassified_crime_is_sent_first_as_one_offence_and_then_as_another(
    clean: Path, read: Read
) -> None:
    sent = read(clean, "offences").sort("period", "sequence")
    first, last = (
        sent.unique(CRIME, keep=k, maintain_order=True).select(*CRIME, code="offence_code")
        for k in ("first", "last")
    )
    truth = pl.read_parquet(clean / "truth" / "offence_truth.parquet")
    known = truth.join(first, on=CRIME).join(last, on=CRIME, suffix="_last")
    assert known.height == truth.height
    moved = known.filter(pl.col("code") != pl.col("code_last"))
    assert moved.height >= 5
    assert moved.select((pl.col("code") == pl.col("first_offence_code")).all()).item()
    assert moved.select((pl.col("code_last") == pl.col("true_offence_code")).all()).item()
    never = known.filter(pl.col("first_offence_code").is_null())
    assert never.select((pl.col("code") == pl.col("true_offence_code")).all()).item()


def test_some_crimes_come_late_are_cancelled_transferred_or_taken_back(clean: Path, read: Read) -> None:
    offences = read(clean, "offences")
    first = offences.sort("period", "sequence").unique(CRIME, keep="first", maintain_order=True)
    late = first.filter(pl.col("recorded_at").str.slice(0, 7) < pl.col("period"))
    assert 0.005 < late.height / first.height < 0.03
    assert {"live", "cancelled", "transferred"} == set(offences["status"])


@pytest.mark.parametrize("extract", ["offences", "incidents", "protective_orders", "persons"])
def test_what_is_deleted_was_sent_before_and_is_not_sent_again(clean: Path, read: Read, extract: str) -> None:
    deletions = read(clean, "deletions").filter(pl.col("extract") == extract)
    key = EXTRACTS[extract].root_key
    sent = read(clean, extract).select("force_code", record_ref=key, sent_in="period")
    taken = deletions.join(sent, on=["force_code", "record_ref"], how="left")
    assert taken.height > 0
    assert (taken["sent_in"] < taken["period"]).fill_null(False).all()


def test_nothing_is_known_before_it_happens(clean: Path, read: Read) -> None:
    drawn = {}
    for path in (clean / "submissions").iterdir():
        manifest = json.loads((path / "submission.json").read_text())
        of = (manifest["force_code"], manifest["period"], str(manifest["sequence"]))
        drawn[of] = manifest["extracted_at"][:10]
    one = ["force_code", "period", "sequence"]
    cut = pl.DataFrame([(*k, v) for k, v in drawn.items()], schema=[*one, "cut"], orient="row")
    for extract, columns in {"offences": ["outcome_date"], "suspects": ["arrested_on", "charged_on"]}.items():
        dated = read(clean, extract).join(cut, on=one)
        for column in columns:
            assert dated[column].drop_nulls().len() > 50
            assert (dated[column] < dated["cut"]).fill_null(True).all()


def manifests(folder: Path) -> pl.DataFrame:
    """One row a submission: force_code, period, sequence, extracted_at, nil_return, submission (folder's name)."""
    said = [
        json.loads(p.read_text()) | {"submission": p.parent.name}
        for p in sorted(folder.glob("submissions/*/submission.json"))
    ]
    return pl.DataFrame(said).drop("files").with_columns(pl.col("extracted_at").str.to_datetime())


def test_a_month_sent_again_holds_the_month_whole_and_mended(faulty: Path) -> None:
    again = manifests(faulty).filter(pl.col("sequence") == 2)
    assert again.height > 0
    planted = pl.read_parquet(faulty / "truth" / "planted_faults.parquet")
    for row in again.iter_rows(named=True):
        paths = [
            faulty / "submissions" / f"{row['force_code']}_{row['period']}_{sequence}" for sequence in (1, 2)
        ]
        first, second = (check(open_submission(p), received_on=RECEIVED, last_sequence=None) for p in paths)
        assert first.status == "accepted_in_part"
        assert second.status == "accepted"
        for extract in ("offences", "incidents"):
            key = EXTRACTS[extract].root_key
            before, after = set(first.accepted[extract][key]), set(second.accepted[extract][key])
            # Copies of crimes that were planted in the first are not there.
            assert {ref for ref in before if not ref.endswith("X")} < after
    assert planted.join(again, on=["force_code", "sequence"], how="semi").height == 0


def test_sequences_are_drawn_in_order_and_the_last_month_once(clean: Path) -> None:
    said = manifests(clean).sort("force_code", "period", "sequence")
    drawn = said.select(pl.col("extracted_at").diff().over("force_code")).to_series()
    assert (drawn.drop_nulls().dt.total_days() > 0).all()
    last = said.filter(pl.col("period") == said["period"].max())
    assert last["sequence"].to_list() == [1] * len(FORCES)
    assert not last["nil_return"].any()


def test_a_nil_return_sent_in_error_is_followed_by_the_month(clean: Path) -> None:
    nil = manifests(clean).filter("nil_return")
    assert nil["sequence"].to_list() == [1]
    name = nil["submission"][0]
    assert check(open_submission(clean / "submissions" / name), received_on=RECEIVED).status == "nil"
    second = check(
        open_submission(clean / "submissions" / f"{name[:-1]}2"), received_on=RECEIVED, last_sequence=1
    )
    assert second.status == "accepted"
    assert second.accepted["offences"].height > 50


def test_some_months_are_drawn_late_but_not_the_last(clean: Path) -> None:
    said = manifests(clean).filter(pl.col("sequence") == 1)
    end = said["period"].str.to_date("%Y-%m").dt.month_end()
    days = (said["extracted_at"].dt.date() - end).dt.total_days()
    assert days.min() >= 3
    late = said.filter(days > 9)
    assert 0 < late.height < 5
    assert said["period"].max() not in late["period"]


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
    assert list(dict.fromkeys(told)) == [(f, p) for f in FORCES[1:3] for p in (FIRST, date(2026, 2, 1))]
    assert len(told) == len(list((tmp_path / "submissions").iterdir()))
