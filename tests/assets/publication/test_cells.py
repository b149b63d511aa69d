"""Figures as cells: which counts are one, whatever they are called, and which lie within which."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from assets.publication.cells import Cells, cells_of
from assets.publication.rules import Rules, rules
from tests.assets.publication.nation import MONTHS, WIDE, guarded, records, statistics


@pytest.fixture(scope="module")
def in_force() -> Rules:
    return rules(date(2026, 5, 31))


@pytest.fixture(scope="module")
def figures() -> pl.DataFrame:
    return statistics(records(5, 800), MONTHS)


@pytest.fixture(scope="module")
def cells(figures: pl.DataFrame, in_force: Rules) -> Cells:
    return cells_of(guarded(figures), in_force)


def series(cells: Cells, measure: str, part: str, breakdown: str = "none") -> set[str]:
    return set(cells.figures.filter(measure=measure, breakdown=breakdown)[f"{part}_series"])


def test_a_count_is_one_cell_where_some_of_its_rows_are_withheld_or_missing(cells: Cells) -> None:
    assert cells.figures["numerator"].null_count() > 0
    for breakdown in ("none", "location"):
        (victims,) = series(cells, "victims", "with", breakdown)
        assert series(cells, "victims_female_share", "of", breakdown) == {victims}
        assert series(cells, "victims_female_share", "with", breakdown) != {victims}


def test_counts_that_differ_anywhere_are_two(figures: pl.DataFrame, in_force: Rules) -> None:
    of_nation = (pl.col("force_code") == "national") & (pl.col("period_kind") == "rolling_year")
    one = (pl.col("measure") == "victims") & (pl.col("breakdown") == "none") & of_nation
    one = one & (pl.col("definition_id") == WIDE) & (pl.col("threat") == "all")
    other = figures.with_columns(numerator=pl.col("numerator") + one.cast(pl.Int64)).with_columns(
        value=pl.when(pl.col("measure") == "victims").then("numerator").otherwise("value")
    )
    found = cells_of(guarded(other), in_force)
    assert series(found, "victims", "with") != series(found, "offences", "with")


def test_a_denominator_of_another_threat_or_breakdown_is_that_cell(cells: Cells) -> None:
    """Seed publication_bases: the crimes of the definition behind a threat's share, all crimes behind a flag's."""
    (crimes,) = series(cells, "offences", "with")
    shares = cells.figures.filter(measure="threat_share")
    assert set(shares.select("of_series", "of_threat").iter_rows()) == {(crimes, "all")}
    flags = cells.figures.filter(measure="force_flag_share")
    assert set(flags.select("of_series", "of_breakdown").iter_rows()) == {(crimes, "none")}
    assert flags["of_threat"].equals(flags["threat"], null_equal=True)


def test_a_denominator_that_differs_stays_its_own(figures: pl.DataFrame, in_force: Rules) -> None:
    flags = (pl.col("measure") == "force_flag_share") & (pl.col("denominator") > 50)
    other = figures.with_columns(denominator=pl.col("denominator") + flags.cast(pl.Int64)).with_columns(
        value=pl.when(pl.col("measure") == "force_flag_share")
        .then(pl.col("numerator") / pl.col("denominator"))
        .otherwise("value")
    )
    found = cells_of(guarded(other), in_force)
    assert set(found.figures.filter(measure="force_flag_share")["of_breakdown"]) == {"flag"}


def test_threats_lie_within_all_and_definitions_within_wider_ones(cells: Cells) -> None:
    (crimes,) = series(cells, "offences", "with")
    of_crimes = set(cells.within.filter(series=crimes).drop("series").iter_rows())
    for definition in (WIDE, "narrow"):
        for threat in ("stalking", "domestic"):
            assert (definition, threat, definition, "all") in of_crimes
            assert ("narrow", threat, WIDE, threat) in of_crimes
    assert not [pair for pair in of_crimes if pair[1] == "all" and pair[3] != "all"]
    assert (WIDE, "all", "narrow", "all") not in of_crimes


def test_breakdowns_are_of_one_definition_and_all_threats(cells: Cells) -> None:
    """Others overlap them: a place of one threat is a part of the place of all."""
    broken_down = cells.figures.filter(pl.col("breakdown") != "none")
    assert set(broken_down.select("definition_id", "threat").iter_rows()) == {(WIDE, "all")}
    assert cells.figures.filter(breakdown="none").select("definition_id", "threat").n_unique() == 6
