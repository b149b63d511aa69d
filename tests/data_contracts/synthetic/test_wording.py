"""The words of record systems: a system that has no word for something still writes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
import pytest

from data_contracts.code_lists import code_list
from data_contracts.synthetic import profile, wording
from data_contracts.synthetic.crimes import FLAGS, LOCATIONS


@pytest.fixture
def scant(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A record system with one word for a place, one for a flag and one for a relationship."""
    mappings = code_list("code_mappings")
    rows = [
        {"record_system": "scant", "field": field, "raw_value": f"their {code}", "national_code": code}
        for field, code in (("location_type", "OTH"), ("flag", "DA"), ("relationship", "UNK"))
    ]
    with_scant = pl.concat([mappings, pl.DataFrame(rows)], how="diagonal")
    monkeypatch.setattr(wording, "code_list", lambda n: with_scant if n == "code_mappings" else code_list(n))
    yield "scant"
    wording._words.cache_clear()


def test_a_place_without_a_word_is_another_place_and_a_flag_without_one_is_not_written(scant: str) -> None:
    every = np.arange(len(LOCATIONS))
    assert set(wording._words(scant, "location_type").write(every, every)) == {"their OTH"}
    flags = wording._words(scant, "flag").write(np.arange(len(FLAGS)), np.zeros(len(FLAGS), dtype=np.int64))
    assert [f for f, word in zip(FLAGS, flags, strict=True) if word is not None] == ["DA"]
    assert set(wording._words(scant, "relationship").words) == {"their UNK"}


def test_a_system_without_any_word_says_which_to_add() -> None:
    with pytest.raises(ValueError, match="add one to the record system"):
        wording._words("nobody's", "location_type")


def test_a_force_without_habits_is_not_in_the_nation(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new force can send returns before anybody described how it writes."""
    known = code_list("forces")
    new = known.filter(programme="england_wales").head(1).with_columns(code=pl.lit("E23009999"))
    monkeypatch.setattr(
        profile, "code_list", lambda n: pl.concat([known, new]) if n == "forces" else code_list(n)
    )
    profile.forces.cache_clear()
    try:
        assert len(profile.forces()) == 43
    finally:
        profile.forces.cache_clear()
