"""Each rule on rows trips on its planted violation, and on nothing a hair away from it.

All violations go into one submission and all near misses into another, each in a copy of the clean
crimes and people under references of its own: so none may touch, or hide, what happens in another.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from data_contracts import mappings
from data_contracts.rules.catalogue import rules
from tests.data_contracts.clean import Tables, check_tables, clean_tables
from tests.data_contracts.rules.pairs import PAIRS, Step

ROW_RULES = {name for name, rule in rules().items() if rule.shape in ("field", "record", "cross")}
REFERENCES = ("crime_ref", "person_ref", "incident_ref", "order_ref", "record_ref")

Broken = dict[str, set[str]]


@pytest.fixture(scope="module", autouse=True)
def a_word_for_spouses() -> Iterator[None]:
    """No record system of England and Wales here tells spouses from partners; rules on spouses need one that does."""
    known = mappings.mapping

    def with_spouses(force_code: str, field: str, on: object) -> dict[str, str]:
        words = known(force_code, field, on)  # type: ignore[arg-type]
        return words | {"SPOUSE": "SPO"} if field == "relationship" else words

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mappings, "mapping", with_spouses)
        yield


def copy_of(number: int, steps: list[Step]) -> Tables:
    """The clean rows after the steps, all references and PNC ids this copy's own."""
    tables = clean_tables()
    for step in steps:
        step(tables)
    for rows in tables.values():
        for row in rows:
            for name, value in row.items():
                if name.endswith(REFERENCES) and value:
                    row[name] = f"{number:03}-{value}"
                if name == "pnc_id" and value:
                    year, serial, letter = value[:4], int(value[5:-1]), value[-1]
                    # A multiple of 23 keeps the check letter.
                    row[name] = f"{year}/{serial + 23 * number}{letter}"
    return tables


def _broken(folder: Path, mutations: dict[str, list[Step]]) -> Broken:
    """The rules broken in each copy."""
    together: Tables = {}
    for number, steps in enumerate(mutations.values()):
        for extract, rows in copy_of(number, steps).items():
            together.setdefault(extract, []).extend(rows)
    findings = check_tables(folder, together).findings
    broken: Broken = {name: set() for name in mutations}
    for record_ref, rule in findings.select("record_ref", "rule").iter_rows():
        broken[list(mutations)[int(record_ref[:3])]].add(rule)
    return broken


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Broken:
    return _broken(tmp_path_factory.mktemp("planted"), {rule: pair.plant for rule, pair in PAIRS.items()})


@pytest.fixture(scope="module")
def nearly(tmp_path_factory: pytest.TempPathFactory) -> Broken:
    return _broken(tmp_path_factory.mktemp("nearly"), {rule: pair.near for rule, pair in PAIRS.items()})


def test_every_row_rule_has_its_pair() -> None:
    assert set(PAIRS) == ROW_RULES


def test_the_clean_submission_has_no_finding(tmp_path: Path) -> None:
    checked = check_tables(tmp_path, clean_tables())
    assert checked.findings.height == 0
    assert checked.status == "accepted"
    assert checked.counts["n_quarantined"].sum() == 0


@pytest.mark.parametrize("rule", sorted(PAIRS))
def test_a_planted_violation_trips_its_rule_and_no_other(rule: str, planted: Broken) -> None:
    assert rule in planted[rule]
    assert planted[rule] - PAIRS[rule].also == {rule}


@pytest.mark.parametrize("rule", sorted(PAIRS))
def test_a_near_miss_does_not_trip_the_rule(rule: str, nearly: Broken) -> None:
    assert nearly[rule] - (PAIRS[rule].also - {rule}) == set()


def test_rules_that_cannot_be_told_apart_are_few() -> None:
    assert sum(bool(pair.also) for pair in PAIRS.values()) <= 5
