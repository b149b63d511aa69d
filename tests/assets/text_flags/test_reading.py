"""Signs in free text: what is said is found, what is denied, supposed or said of others is not."""

from __future__ import annotations

import pytest

from assets.text_flags.evaluation import labelled, read_flags, scores
from assets.text_flags.reading import signs, version


def found(text: str) -> list[str]:
    return sorted(sign.sign for sign in signs([text]))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The suspect is her ex-partner.", ["partner"]),
        ("The suspect is known to her but is not her ex-partner.", []),
        ("Not a stranger, the suspect is her ex-partner.", ["partner"]),
        ("Denies following her.", []),
        ("No weapon was used but he strangled her.", ["strangulation"]),
        ("Her drink was spiked. No social media contact.", ["spiking"]),
        ("She is worried he might follow her.", []),
        ("To establish whether the suspect is her partner.", []),
        ("She was with her boyfriend when a stranger shouted at her.", []),
        ("Business partner pushed him in the office.", []),
        ("", []),
    ],
)
def test_a_sign_is_what_is_said_of_this_crime(text: str, expected: list[str]) -> None:
    assert found(text) == expected


def test_a_sign_stands_once_a_text_and_names_its_words() -> None:
    both = list(signs(["Nothing.", "He strangled her. She was strangled."]))
    assert [(s.text_no, s.sign, s.words) for s in both] == [(1, "strangulation", "strangled")]


def test_what_is_read_of_a_text_does_not_depend_on_its_neighbours() -> None:
    texts = labelled("held_out")["text"].to_list()
    together = [(texts[s.text_no], s.sign) for s in signs(texts)]
    reverse = [(texts[::-1][s.text_no], s.sign) for s in signs(texts[::-1])]
    assert sorted(together) == sorted(reverse)


def test_held_out_texts_are_read_as_well_as_the_page_says() -> None:
    """Below these a change of signs or cues has made reading worse; docs/text_flags.md has the table."""
    held_out = labelled("held_out")
    table = {row["flag"]: row for row in scores(held_out, read_flags(held_out)).iter_rows(named=True)}
    assert table["all"]["precision"] >= 0.9 and table["all"]["recall"] >= 0.95
    assert min(row["f1"] for row in table.values()) >= 0.88


def test_the_version_changes_with_what_reads() -> None:
    assert version().startswith("text_signs_v1_")
