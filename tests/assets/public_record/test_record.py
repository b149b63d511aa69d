"""The public record says what the release, its parameters and the log say, and names nobody."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from datetime import date, datetime
from typing import Any

import polars as pl
import pytest

from assets.linkage.model import MODEL
from assets.monitoring.calibration import no_band_probabilities
from assets.monitoring.month_report import checks_table
from assets.monitoring.parameters import rank_bands
from assets.monitoring.thresholds import Thresholds
from assets.public_record import record as module
from assets.public_record.record import CHECKLIST, Facts, decision_log_extract, measured, transparency_record
from data_contracts.extracts.catalogue import EXTRACTS
from decisions.audit import NOTHING, Entry, Logged

MANIFEST: dict[str, Any] = {
    "release_id": "2026-03_0123456789ab",
    "programme": "england_wales",
    "period": "2026-03",
    "as_of": "2026-04-12 09:00:00",
    "versions": {
        "code": "c0de" * 16,
        "contract": "1.2",
        "weights": ["2020"],
        "definitions": ["1"],
        "linkage_model": ["v2"],
    },
    "tables": {"harm_weights": "abcdef0123456789"},
    "coverage": {
        "forces_in": 42,
        "forces_expected": 43,
        "forces_out": ["E23000001"],
        "months": ["2026-01", "2026-03"],
        "submissions": 129,
        "rows_received": 1_000,
        "rows_accepted": 990,
        "rows_quarantined": 10,
    },
    "identity": {"records": 500, "persons": 400, "persons_withheld": 3, "audit_head": "3:h3"},
    "review": {"entries": 4, "frozen": 1, "added_by_officer": 0, "by_state": {"active": 3, "expired": 1}},
    "ranked_list": [{"list_status": "held", "status_reason": "in_custody", "persons": 16}],
}
PARAMETERS = {
    "parameters_version": "2026.1",
    "severity_exponent": 0.5,
    "half_life_days": 180.0,
    "multiplier_exponent": 1.0,
    "multiplier_cap": 10.0,
    "window_months": 24.0,
    "cut_months": 72.0,
    "adult_age": 18.0,
    "min_incidents": 2.0,
    "recent_months": 12.0,
    "min_link_probability": 0.9,
    "n_largest_explained": 3.0,
}


def logged(no: int, who: str, action: str, subject: str) -> Logged:
    return Logged(
        Entry(no, datetime(2026, 4, no), who, action, subject, {"why": "secret"}), NOTHING, f"h{no}"
    )


LOG = [
    logged(1, "Ann Other", "review_view", "R000001"),
    logged(2, "Bob Nother", "review_approve", "R000001"),
    logged(3, "Ann Other", "must_link", "I000001"),
]


CHECK_IDS = Thresholds().ids
SHARE = {"window_months": 12, "top": "5%", "measure": "harm_share"}


def back_tested(difference: float, lower: float, upper: float) -> dict[str, pl.DataFrame]:
    """The monitoring of a release whose score held so much more of the later harm than its best count."""
    thresholds = Thresholds()
    rows = {"formula": 0.25, "random": 0.05, "count_offences": 0.25 - difference, "count_offences_12m": 0.01}
    return {
        "checks": checks_table(
            [thresholds.judge(name, 1.0) for name in CHECK_IDS], date(2026, 3, 1), datetime(2026, 4, 12)
        ),
        "backtest": pl.DataFrame(
            [
                {
                    **SHARE,
                    "cutoff_on": on,
                    "ranker": name,
                    "value": value,
                    "lower": value - 0.01,
                    "upper": value + 0.01,
                }
                for name, value in rows.items()
                for on in (date(2025, 2, 28), None)
            ]
        ),
        "differences": pl.DataFrame(
            [
                {**SHARE, "ranker": "count_offences", "value": difference, "lower": lower, "upper": upper},
                {**SHARE, "ranker": "count_offences_12m", "value": 0.24, "lower": 0.2, "upper": 0.3},
            ]
        ),
        "band_probability": no_band_probabilities(rank_bands(), "x"),
    }


def record(**changed: Any) -> dict[str, str]:
    made = everything(**changed)
    return {field["number"]: field["answer"] for section in made["sections"] for field in section["fields"]}


def checklist(**changed: Any) -> dict[str, str]:
    return {each["name"]: each["answer"] for each in everything(**changed)["checklist"]["principles"]}


def everything(**changed: Any) -> dict[str, Any]:
    facts = {
        "manifest": MANIFEST,
        "parameters": PARAMETERS,
        "statements": ["Not guilt."],
        "owners": ["Ranking board"],
        "model": json.loads(MODEL.read_text()),
        "log": LOG,
    }
    return transparency_record(Facts(**{**facts, **changed}))


def test_the_formula_is_that_of_the_parameters_in_force() -> None:
    assert "s^0.5 x 2^(-age/180 days)" in record()["2.1"]
    assert "s^0.75" in record(parameters=PARAMETERS | {"severity_exponent": 0.75})["2.1"]


def test_counts_are_those_of_the_release() -> None:
    answers = record()
    assert "42 of 43 forces" in answers["2.2"] and "16 held (in custody)." in answers["3.3"]
    assert "1,000 rows received, 990 accepted, 10 refused" in " ".join(answers["4.3.4"].split())
    assert "Forces without a return: E23000001" in answers["4.3.6"]


def test_the_sentences_of_the_list_are_in_it_and_acts_are_counted() -> None:
    assert "Not guilt." in record()["3.2"]
    assert "must link 1; review approve 1; review view 1." in record()["3.4"]
    assert "none yet" in record(log=[])["3.4"]


def test_a_figure_that_is_not_there_is_no_record() -> None:
    with pytest.raises(Exception, match="half_life_days"):
        record(parameters={k: v for k, v in PARAMETERS.items() if k != "half_life_days"})


def test_the_extract_counts_people_instead_of_naming_them() -> None:
    extract = decision_log_extract(LOG)
    assert extract["actor_no"].to_list() == [1, 2, 1]
    assert extract["subject_no"].to_list() == [1, 1, 2]
    assert extract["entry_hash"].to_list() == ["h1", "h2", "h3"]
    said = extract.write_csv() + json.dumps(record())
    assert not [word for word in ("Ann", "Bob", "secret", "R000001") if word in said]


def test_an_empty_log_is_a_table_without_rows() -> None:
    assert decision_log_extract([]).height == 0
    assert decision_log_extract([]).schema == decision_log_extract(LOG).schema


def test_what_only_the_owner_can_say_is_not_invented() -> None:
    answers = record()
    for number in ("3", "4", "1.1", "1.3", "3.5"):
        assert answers[number] == "To be given by the owning organisation before publication."


def test_no_field_of_the_standard_is_missing_or_empty() -> None:
    answers = record()
    wanted = [str(n) for n in range(1, 5)]
    for section, last in (
        ("1", 4),
        ("1.4", 5),
        ("2", 5),
        ("3", 6),
        ("4.1", 4),
        ("4.2", 9),
        ("4.3", 11),
        ("5", 2),
    ):
        wanted += [f"{section}.{n}" for n in range(1, last + 1)]
    assert sorted(answers) == sorted(wanted)
    assert all(answers.values())


def _changed(of: Any, path: str, value: Any) -> Any:
    found = deepcopy(of)
    *way, last = path.split("/")
    at = found
    for step in way:
        at = at[int(step)] if step.isdigit() else at[step]
    at[last] = value
    return found


@pytest.mark.parametrize(
    ("changed", "fields"),
    [
        ({"parameters": PARAMETERS | {"half_life_days": 90.0}}, {"2.1"}),
        ({"parameters": PARAMETERS | {"min_incidents": 3.0}}, {"2.1"}),
        ({"parameters": PARAMETERS | {"adult_age": 19.0}}, {"2.1", "2.2"}),
        ({"manifest": _changed(MANIFEST, "versions/weights", ["2023"])}, {"4.1.4"}),
        ({"manifest": _changed(MANIFEST, "tables/harm_weights", "0" * 64)}, {"4.1.4"}),
        ({"manifest": _changed(MANIFEST, "versions/contract", "1.3")}, {"4.3.1"}),
        ({"manifest": _changed(MANIFEST, "versions/linkage_model", ["v3"])}, {"4.1.4", "4.2.2"}),
        ({"manifest": _changed(MANIFEST, "coverage/forces_expected", 44)}, {"2.2", "4.3.10"}),
        ({"manifest": _changed(MANIFEST, "coverage/submissions", 130)}, {"4.3.4", "4.3.8"}),
        ({"model": _changed(json.loads(MODEL.read_text()), "version", "v9")}, {"4.2.2"}),
        ({"model": _changed(json.loads(MODEL.read_text()), "settings/comparisons/0/output_column_name", "shoes")}, {"4.2.4"}),
        ({"model": _changed(json.loads(MODEL.read_text()), "training/n_records", 7)}, {"4.2.9"}),
        ({"owners": ["Nobody in particular"]}, {"1.2"}),
        ({"statements": ["Another sentence."]}, {"3.2"}),
        ({"log": LOG[:1]}, {"3.4"}),
        ({"measured": measured(back_tested(0.05, 0.02, 0.08))}, {"2.5"}),
    ],
    ids=lambda value: ", ".join(sorted(value)) if isinstance(value, set) else None,
)  # fmt: skip
def test_what_is_configured_is_what_the_record_says(changed: dict[str, Any], fields: set[str]) -> None:
    before, after = record(), record(**changed)
    assert {number for number in before if before[number] != after[number]} == fields


def test_another_contract_is_another_record(monkeypatch: pytest.MonkeyPatch) -> None:
    before = record()
    monkeypatch.setattr(
        module, "EXTRACTS", {name: spec for name, spec in EXTRACTS.items() if name != "persons"}
    )
    after = record()
    assert {n for n in before if before[n] != after[n]} == {"4.3.1", "4.3.2", "4.3.3", "4.3.5"}
    assert "persons.ethnicity_self_defined" in before["4.3.5"] and "persons.ethnicity" not in after["4.3.5"]


def test_what_the_score_is_worth_is_what_the_back_test_shows() -> None:
    unknown = record()["2.5"]
    assert "not shown here, and not claimed" in unknown and "it was not monitored" in unknown
    better = record(measured=measured(back_tested(0.05, 0.02, 0.08)))["2.5"]
    assert "formula 25.0% (24.0% to 26.0%), count of offences, all history 20.0%" in better
    assert (
        "(count of offences, all history): +5.0 points (95% interval +2.0 points to +8.0 points): it held more than"
        in better
    )
    assert "lists up to 28 February 2025, each held against the 12 months" in better
    assert (
        "no difference from a plain count is shown"
        in record(measured=measured(back_tested(0.01, -0.02, 0.03)))["2.5"]
    )
    worse = record(measured=measured(back_tested(-0.05, -0.08, -0.02)))["2.5"]
    assert "would have been the better list" in worse and "it held more" not in worse
    short = measured(
        {
            "checks": back_tested(0, 0, 0)["checks"],
            "notes": pl.DataFrame({"section": ["4.1", "4.8"], "note": ["It needs 36 months.", "Drift."]}),
        }
    )
    assert "This release holds none: It needs 36 months. That the score" in record(measured=short)["2.5"]


def test_the_checklist_is_answered_by_the_release() -> None:
    principles = ["Advisory", "Lawful", "Granularity", "Ownership", "Challengeable", "Accuracy", "Responsible", "Explainable"]  # fmt: skip
    plain = checklist()
    assert list(plain) == principles and all(plain.values())
    assert "Entries known to this release: 4; active 3, expired 1." in plain["Advisory"]
    assert "its head is 3:h3" in plain["Lawful"] and "3 acts" in plain["Lawful"]
    assert "Not known of this release" in plain["Accuracy"] and "not computed raw" in plain["Responsible"]
    disputed = [*LOG, logged(4, "Ann Other", "review_dispute", "R000001")]
    assert "Disputes 1," in checklist(log=disputed)["Challengeable"]
    found = checklist(measured=measured(back_tested(0.05, 0.02, 0.08)))
    assert "+5.0 points" in found["Accuracy"] and "1-25: not yet known" in found["Accuracy"]
    assert "Alerts on unequal selection: 1 raw, 1 among" in found["Responsible"]
    assert "disparity_raw (Ethics committee)" in found["Responsible"]


def test_the_checklist_asks_for_checks_that_there_are() -> None:
    asked = re.findall(r'measured\.value\("(\w+)"\)', CHECKLIST.read_text(encoding="utf-8"))
    assert len(asked) > 5 and set(asked) <= set(CHECK_IDS)
