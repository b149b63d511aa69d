"""Each rule on the submission trips on its planted violation only; hostile input ends in a clear finding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from data_contracts.rules.catalogue import rules
from data_contracts.submission import Limits, open_submission
from data_contracts.validation import Checked, check
from tests.data_contracts.rules.submission_pairs import (
    BAD_MANIFESTS,
    HARMLESS,
    HOSTILE,
    SUBMISSION_PAIRS,
    TOLD,
    Maker,
)

SUBMISSION_RULES = {name: rule for name, rule in rules().items() if rule.shape == "submission"}


def _checked(maker: Maker, folder: Path, limits: Limits | None = None, **told: Any) -> Checked:
    path = maker(folder)
    opened = open_submission(path, limits=limits or Limits())
    checked = check(opened, **(TOLD | told))
    held = checked.counts["n_accepted"] + checked.counts["n_quarantined"]
    assert (held == checked.counts["n_received"]).all()
    assert not (folder.parent / "escaped.csv").exists()
    return checked


def test_every_submission_rule_has_its_pair() -> None:
    assert set(SUBMISSION_PAIRS) == set(SUBMISSION_RULES)


@pytest.mark.parametrize("rule", sorted(SUBMISSION_PAIRS))
def test_a_planted_violation_trips_its_rule_and_no_other(rule: str, tmp_path: Path) -> None:
    pair = SUBMISSION_PAIRS[rule]
    checked = _checked(pair.plant, tmp_path, pair.limits, **pair.told)
    assert set(checked.findings["rule"]) - pair.also == {rule}
    assert (checked.status == "held") == (SUBMISSION_RULES[rule].severity == "error")


@pytest.mark.parametrize("rule", sorted(SUBMISSION_PAIRS))
def test_a_near_miss_does_not_trip_the_rule(rule: str, tmp_path: Path) -> None:
    pair = SUBMISSION_PAIRS[rule]
    checked = _checked(pair.near, tmp_path, pair.limits, **pair.told)
    assert checked.status != "held"
    assert set(checked.findings["rule"]) == pair.near_trips


@pytest.mark.parametrize("fault", sorted(BAD_MANIFESTS))
def test_a_bad_manifest_is_one_clear_finding(fault: str, tmp_path: Path) -> None:
    checked = _checked(BAD_MANIFESTS[fault], tmp_path)
    assert checked.findings["rule"].to_list() == ["manifest_unreadable"]
    assert checked.opened.submission_id.startswith("unreadable_")
    # What is wrong stands in brackets behind the sentence.
    assert checked.findings["message"][0].endswith(")")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("fault", sorted(HOSTILE))
def test_hostile_input_is_held_with_a_clear_finding(fault: str, tmp_path: Path) -> None:
    maker, rule = HOSTILE[fault]
    checked = _checked(maker, tmp_path)
    assert checked.status == "held"
    assert rule in set(checked.findings["rule"])
    assert sum(rows.height for rows in checked.accepted.values()) == 0


@pytest.mark.parametrize("oddity", sorted(HARMLESS))
def test_odd_but_right_input_is_accepted(oddity: str, tmp_path: Path) -> None:
    checked = _checked(HARMLESS[oddity], tmp_path)
    assert (checked.status, checked.findings.height) == ("accepted", 0)
