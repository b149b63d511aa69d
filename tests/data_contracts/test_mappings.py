"""Force words reach national codes, and every mapping leads to a code that exists."""

from __future__ import annotations

from datetime import date

import polars as pl

from data_contracts.code_lists import code_list, codes
from data_contracts.mappings import mapping, national_code, record_system
from tests.data_contracts.clean import FORCE

TARGETS = {"relationship": "relationship_types", "location_type": "location_types", "flag": "flag_types"}
DAY = date(2026, 1, 1)


def test_every_mapping_leads_to_a_code_of_its_list() -> None:
    rows = code_list("code_mappings")
    assert set(rows["field"]) == set(TARGETS)
    for field, name in TARGETS.items():
        assert set(rows.filter(field=field)["national_code"]) <= set(codes(name)), field


def test_no_word_of_a_record_system_means_two_things() -> None:
    word = pl.col("raw_value").str.strip_chars().str.to_uppercase()
    twice = (
        code_list("code_mappings").with_columns(word=word).group_by("record_system", "field", "word").len()
    )
    assert twice.filter(pl.col("len") > 1).height == 0


def test_every_reporting_body_has_a_record_system_while_it_is_active() -> None:
    for force, began in code_list("forces").select("code", "active_from").iter_rows():
        assert record_system(force, date.fromisoformat(began)), force


def test_words_are_compared_in_capitals_without_surrounding_blanks() -> None:
    words = pl.DataFrame({"relationship": ["Ex partner", " EX PARTNER ", "ex-partner", None]})
    mapped = words.select(national_code("relationship", field="relationship", force_code=FORCE, on=DAY))
    assert mapped.to_series().to_list() == ["EXP", "EXP", None, None]


def test_an_unknown_force_maps_nothing() -> None:
    assert record_system("E23000099", DAY) is None
    assert mapping("E23000099", "flag", DAY) == {}
    words = pl.DataFrame({"flag": ["Domestic"]})
    code = national_code("flag", field="flag", force_code="E23000099", on=DAY)
    assert words.select(code.alias("code"))["code"].to_list() == [None]
