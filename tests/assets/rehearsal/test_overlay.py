"""Which files of the project a change replaces, and whether submissions are to be checked anew because of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from assets.rehearsal.overlay import NotRehearsable, changed_files, changes_the_check, lay_over
from assets.seals import CODE

SETTINGS = "data_contracts/rules/rule_settings.csv"
WEIGHTS = "data_contracts/codes/harm_weights.csv"


def changed(folder: Path, place: str, to: str = "another\n") -> Path:
    path = folder / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(to)
    return path


def test_a_bare_name_finds_its_place(tmp_path: Path) -> None:
    path = changed(tmp_path, "rule_settings.csv")
    assert changed_files(tmp_path) == {SETTINGS: path}


def test_a_file_at_its_place_may_be_new(tmp_path: Path) -> None:
    path = changed(tmp_path, "dbt_project/models/marts/a_new_mart.sql")
    assert changed_files(tmp_path) == {"dbt_project/models/marts/a_new_mart.sql": path}


def test_what_is_as_it_was_is_no_change(tmp_path: Path) -> None:
    changed(tmp_path, "harm_weights.csv", (CODE / WEIGHTS).read_text())
    with pytest.raises(NotRehearsable, match="nothing in"):
        changed_files(tmp_path)


def test_a_name_that_fits_no_file_or_several_is_refused(tmp_path: Path) -> None:
    changed(tmp_path, "harm_wieghts.csv")
    with pytest.raises(NotRehearsable, match=r"harm_wieghts\.csv: no file is there"):
        changed_files(tmp_path)
    (tmp_path / "harm_wieghts.csv").unlink()
    changed(tmp_path, "__init__.py")
    with pytest.raises(NotRehearsable, match="several files are called so"):
        changed_files(tmp_path)


def test_of_a_checkout_only_what_decides_is_taken(tmp_path: Path) -> None:
    changed(tmp_path, "pyproject.toml")
    changed(tmp_path, "docs/benchmarks.md")
    path = changed(tmp_path, WEIGHTS)
    assert changed_files(tmp_path) == {WEIGHTS: path}


def test_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotRehearsable, match="there is no folder"):
        changed_files(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (SETTINGS, True),
        ("data_contracts/codes/code_mappings.csv", True),
        ("data_contracts/synthetic/nation.py", False),
        # A rule compares the harm of two classes.
        (WEIGHTS, True),
        ("dbt_project/seeds/ranking_parameters.csv", False),
    ],
)
def test_submissions_are_checked_anew_for_what_the_check_reads(place: str, expected: bool) -> None:
    assert changes_the_check({place: Path(place)}) is expected


def test_changes_are_laid_over_a_copy(tmp_path: Path) -> None:
    changes = changed_files(changed(tmp_path / "with", "harm_weights.csv").parent)
    lay_over(changes, tmp_path / "code")
    assert (tmp_path / "code" / WEIGHTS).read_text() == "another\n"
