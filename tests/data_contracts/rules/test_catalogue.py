"""The catalogue of rules is the same however it is reached."""

from __future__ import annotations

import re
import subprocess
import sys

import polars as pl

from data_contracts.rules import reference
from data_contracts.rules.catalogue import rules
from tests.data_contracts.rules.exemplars import FILE, exemplars


def test_the_order_does_not_depend_on_what_was_imported_first() -> None:
    script = (
        "import data_contracts.rules.persons, data_contracts.rules.flags\n"
        "from data_contracts.rules.catalogue import rules\n"
        "print(*rules())"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert said.split() == list(rules())


def test_there_are_enough_rules_of_every_kind() -> None:
    shapes = [rule.shape for rule in rules().values()]
    assert {shape: shapes.count(shape) >= 6 for shape in shapes} == dict.fromkeys(shapes, True)
    assert len(rules()) >= 100


def test_the_exemplars_are_those_of_the_tests() -> None:
    assert FILE.read_text(encoding="utf-8") == exemplars(), "python -m tests.data_contracts.rules.exemplars"


def test_every_rule_has_an_exemplar_in_which_the_sides_differ() -> None:
    said = reference.exemplars()
    assert set(said) == set(rules())
    assert all(violation and near and violation != near for violation, near in said.values())


def test_every_check_has_a_rule_or_says_why_not() -> None:
    rows = reference.checks()
    assert len(rows) == 86
    named = {c for r in rules().values() for c in re.findall(r"[SFRXT]\d\d", r.source)}
    assert named <= {check for check, *_ in rows}
    assert [check for check, _, note in rows if check not in named and not note] == []


def test_every_rule_has_one_severity_in_force() -> None:
    rows = pl.read_csv(reference.FOLDER / "rule_settings.csv", infer_schema=False)
    standing = rows.filter(pl.col("valid_to").is_null())
    assert sorted(standing["rule"]) == sorted(rules())
    assert set(rows["severity"]) == {"error", "warning"}
