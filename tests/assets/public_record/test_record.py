"""The public record says what the release, its parameters and the log say, and names nobody."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from assets.linkage.model import MODEL
from assets.public_record.record import Facts, decision_log_extract, transparency_record
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
    "identity": {"records": 500, "persons": 400, "persons_withheld": 3},
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


def record(**changed: Any) -> dict[str, str]:
    facts = {
        "manifest": MANIFEST,
        "parameters": PARAMETERS,
        "statements": ["Not guilt."],
        "owners": ["Ranking board"],
        "model": json.loads(MODEL.read_text()),
        "log": LOG,
    }
    made = transparency_record(Facts(**{**facts, **changed}))
    return {field["number"]: field["answer"] for section in made["sections"] for field in section["fields"]}


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
