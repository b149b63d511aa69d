"""Every figure in a sentence that must stand beside a list is traced: the sentence says where it was measured, the page how."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
PAGE = REPOSITORY / "docs" / "evidence.md"
SEEDS = ("ranking_statements", "monitoring_statements")
# What tells of a measurement: a share, a fraction in words, an edge between ranks.
FIGURE = re.compile(r"\d+%|two thirds|ranks? below about \d+|places below about \d+", re.IGNORECASE)


def sentences() -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    for seed in SEEDS:
        with (REPOSITORY / "dbt_project" / "seeds" / f"{seed}.csv").open(
            encoding="utf-8", newline=""
        ) as stream:
            found += csv.DictReader(stream)
    return found


def headings() -> dict[str, str]:
    """Heading -> what stands below it."""
    parts = re.split(r"^## (.+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def claims() -> list[str]:
    return [row["statement_id"] for row in sentences() if FIGURE.search(row["statement"])]


@pytest.mark.parametrize("statement_id", claims())
def test_a_figure_names_where_it_was_measured(statement_id: str) -> None:
    (row,) = [r for r in sentences() if r["statement_id"] == statement_id]
    page, _, heading = row["source"].partition("#")
    assert page == "docs/evidence.md" and heading in headings()
    assert "US county" in row["statement"] or "United States records" in row["statement"]


def test_the_figures_of_a_sentence_stand_under_its_heading() -> None:
    told = headings()
    traced = [row for row in sentences() if row["source"].startswith("docs/evidence.md#")]
    assert len(traced) >= len(claims()) > 5
    for row in traced:
        below = told[row["source"].partition("#")[2]].lower()
        for figure in FIGURE.findall(row["statement"]):
            number = re.search(r"\d+%?|two thirds", figure.lower())
            assert number and number.group() in below, (row["statement_id"], figure)


def test_readers_are_led_to_the_page() -> None:
    for page in ("README.md", "docs/ranking.md", "docs/monitoring.md"):
        assert "evidence.md" in (REPOSITORY / page).read_text(encoding="utf-8"), page
