"""What a force is told of a defect, in words."""

from __future__ import annotations

from typing import Any

from assets.consequences.defects import known_defects
from assets.consequences.sentences import sentence

FLAG = next(d for d in known_defects() if d.defect_id == "flag_missing")
NOTHING: dict[str, Any] = dict.fromkeys(
    (
        "n_figures",
        "n_national_figures",
        "n_enter_national",
        "n_leave_national",
        "n_enter_scope",
        "n_leave_scope",
        "n_become_eligible",
        "n_no_longer_eligible",
    ),
    0,
) | {"n_records": 12, "n_mended": 12, "n_rows": 1200, "largest_measure": None, "largest_of_whom": None}


def test_a_force_without_the_defect_is_told_so() -> None:
    assert sentence(FLAG, NOTHING | {"n_records": 0}).endswith("none in this run.")


def test_a_defect_that_moves_nothing_says_that_it_moves_nothing() -> None:
    said = sentence(FLAG, NOTHING)
    assert "12 of 1,200. No figure of the force or of the nation would change. Nobody would enter" in said
    assert said.endswith(f"{FLAG.may_not_claim[1:]}.")


def test_figures_and_lists_are_told_apart() -> None:
    row = NOTHING | {"n_mended": 10, "n_national_figures": 3, "n_leave_national": 2}
    said = sentence(FLAG, row)
    assert "10 of them mended. 3 figures of the nation would change." in said
    assert "Of persons, 2 would leave the national list." in said


def test_what_cannot_be_mended_is_not_guessed_at() -> None:
    assert "None of them can be mended by rule" in sentence(FLAG, NOTHING | {"n_mended": 0})
