"""The catalogue of rules is the same however it is reached."""

from __future__ import annotations

import subprocess
import sys

from data_contracts.rules.catalogue import rules


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
