"""The rules' own data: known codes, stated sources, nothing asked for that is not there."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from data_contracts import code_lists
from data_contracts.code_lists import codes
from data_contracts.rules import reference
from data_contracts.rules.persons import pnc_check_letter

TABLES = sorted([*reference.FOLDER.glob("*.csv"), *code_lists.FOLDER.glob("*.csv")])


@pytest.mark.parametrize("table", TABLES, ids=lambda p: p.stem)
def test_every_line_states_its_source(table: Path) -> None:
    rows = pl.read_csv(table, infer_schema=False)
    # Nothing need be waived.
    assert (rows.height or table.stem == "waivers") and rows["source"].null_count() == 0
    assert rows.select(rows.columns[: 3 if table.stem == "code_mappings" else 2]).is_duplicated().sum() == 0


def test_traits_are_of_offences_that_exist() -> None:
    rows = pl.read_csv(reference.FOLDER / "offence_traits.csv", infer_schema=False)
    assert set(rows["offence_code"]) <= set(codes("offence_codes"))


def test_placeholder_birth_dates_are_dates() -> None:
    assert all(date.fromisoformat(d) for d in reference.placeholders("date_of_birth"))


def test_what_is_not_there_cannot_be_asked_for() -> None:
    with pytest.raises(KeyError):
        reference.threshold("no such limit")
    with pytest.raises(KeyError):
        reference.offences_with("no such trait")


@pytest.mark.parametrize(
    ("words", "male", "female"),
    [
        ("STEP-FATHER", True, False),
        ("PERSON OF TRUST", False, False),
        ("EX WIFE", False, True),
        ("MUMBLE", False, False),
    ],
)
def test_words_are_found_whole(words: str, male: bool, female: bool) -> None:
    found = pl.Series([words])
    assert found.str.contains(reference.word_pattern("M"))[0] is male
    assert found.str.contains(reference.word_pattern("F"))[0] is female


@pytest.mark.parametrize(
    ("pnc_id", "letter"),
    # Worked by hand: two digits of year and seven of serial as one number, remainder by 23, nth letter.
    [("2000/1A", "A"), ("2000/0000023Z", "Z"), ("2000/22Y", "Y"), ("2001/7X", "X")],
)
def test_the_check_letter_is_the_remainder_by_23(pnc_id: str, letter: str) -> None:
    assert pl.select(pnc_check_letter(pl.lit(pnc_id))).item() == letter


def test_an_id_of_another_form_has_no_check_letter() -> None:
    assert pl.select(pnc_check_letter(pl.lit("no id"))).item() is None
