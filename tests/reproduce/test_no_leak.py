"""The calibration stays out of the statistics: nothing of the product reads the published figures or the targets.

That the product imports nothing of the synthetic nation is a contract of import-linter (pyproject.toml).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Whatever counts, whatever it counts by, and whatever runs it.
PRODUCT = ("assets", "dbt_project", "decisions", "hub", "orchestration", "data_contracts")
READ = (".py", ".sql", ".yml", ".yaml", ".toml", ".csv", ".json", ".html")
_BUILT = ("target", "logs", "dbt_packages", "__pycache__")
OF_THE_REPRODUCTION = re.compile(r"published_figures|tests[./]reproduce|\w+_targets\.csv|nations\.toml")


def product(room: str) -> Iterator[Path]:
    for path in sorted((ROOT / room).rglob("*")):
        if path.suffix in READ and not set(_BUILT) & set(path.relative_to(ROOT).parts):
            yield path


@pytest.mark.parametrize("room", PRODUCT)
def test_nothing_of_the_product_names_a_published_figure_or_a_target(room: str) -> None:
    files = list(product(room))
    assert len(files) > 5
    naming = [
        path.relative_to(ROOT).as_posix()
        for path in files
        if OF_THE_REPRODUCTION.search(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert naming == []


def test_what_is_looked_for_is_what_there_is() -> None:
    """A file of the reproduction that the pattern does not know would be free to be read."""
    data = [p for p in Path(__file__).parent.iterdir() if p.suffix in (".csv", ".toml")]
    assert len(data) > 3
    assert [p.name for p in data if not OF_THE_REPRODUCTION.search(p.name)] == []


def test_published_crime_tables_are_read_by_the_reconciliation_alone() -> None:
    reading = [
        path.name
        for path in product("dbt_project")
        if path.suffix == ".sql" and "ref('recorded_crime_published')" in path.read_text(encoding="utf-8")
    ]
    assert reading == ["recorded_crime_reconciliation.sql"]
