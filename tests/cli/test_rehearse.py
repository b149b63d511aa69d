"""`vawg rehearse` and `vawg consequences` refuse what they cannot use; what they find is a journey."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from assets.storage import Layout
from cli.exits import UNUSABLE
from cli.main import main


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VAWG_DATA", str(tmp_path / "root"))
    Layout(tmp_path / "root").prepare()
    return tmp_path


def refusal(*arguments: str) -> str:
    done = CliRunner().invoke(main, [*arguments])
    assert done.exit_code == UNUSABLE, done.output
    return done.output


def test_an_empty_change_is_refused(root: Path) -> None:
    (root / "with").mkdir()
    assert "nothing in" in refusal("rehearse", "--with", str(root / "with"))


def test_a_change_without_a_release_is_refused(root: Path) -> None:
    (root / "with").mkdir()
    (root / "with" / "harm_weights.csv").write_text("another\n")
    assert "there is no release" in refusal("rehearse", "--with", str(root / "with"))
    assert not list((root / "root").glob("rehearsals/*"))


def test_an_unknown_defect_is_refused(root: Path) -> None:
    assert "there is no defect laziness; choose among relationship_unmapped" in refusal(
        "consequences", "--defect", "laziness"
    )


def test_without_a_run_there_is_no_consequence(root: Path) -> None:
    assert "make one with `vawg run`" in refusal("consequences")
