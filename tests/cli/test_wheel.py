"""The package as a force's analyst installs it: the wheel and what it says it needs, nothing else, outside the repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.heavy

REPOSITORY = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


def uv(*arguments: object, folder: Path) -> None:
    done = subprocess.run(
        [BIN / "uv", *map(str, arguments), "--quiet"],
        cwd=folder,
        env=os.environ | {"UV_SYSTEM_CERTS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with the wheel; beside it `examples`, to work on."""
    folder = tmp_path_factory.mktemp("wheel")
    # From a copy: the build leaves a folder of its own beside the sources.
    source = folder / "source"
    for package in ("assets", "cli", "data_contracts", "decisions", "hub", "orchestration"):
        shutil.copytree(REPOSITORY / package, source / package, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "README.md"):
        shutil.copyfile(REPOSITORY / file, source / file)
    shutil.copytree(REPOSITORY / "examples", folder / "examples")
    uv(
        "build",
        "--wheel",
        "--no-build-isolation",
        "--python",
        BIN / "python",
        "--out-dir",
        folder,
        source,
        folder=folder,
    )
    (wheel,) = folder.glob("*.whl")
    uv("venv", "--python", BIN / "python", folder / "venv", folder=folder)
    locked = ("--constraints", REPOSITORY / "requirements.lock")
    uv("pip", "install", "--python", folder / "venv/bin/python", *locked, wheel, folder=folder)
    return folder


def vawg(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command with an empty environment."""
    return subprocess.run(
        [folder / "venv/bin/vawg", *arguments], cwd=folder, env={}, capture_output=True, text=True
    )


def test_the_manual_page(installed: Path) -> None:
    done = vawg(installed, "--help")
    assert done.returncode == 0 and "check" in done.stdout


@pytest.mark.parametrize(("example", "code"), [("MN0030000_2018-02_1", 0), ("E23000034_2026-02_1", 1)])
def test_check(installed: Path, example: str, code: int) -> None:
    done = vawg(installed, "check", f"examples/{example}", "--report", f"report/{example}")
    assert done.returncode == code, done.stderr
    assert {p.name for p in (installed / "report" / example).iterdir()} == {
        "findings.csv",
        "report.html",
        "summary.json",
    }


def test_adapt(installed: Path) -> None:
    done = vawg(installed, "adapt", "nibrs", "--out", "nibrs")
    assert done.returncode == 0 and len(list((installed / "nibrs").iterdir())) > 600, done.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("synthesise", "--out", "nation"),
        ("land", "examples/MN0030000_2018-02_1"),
        ("run",),
        ("releases",),
        ("replay", "r"),
        ("link", "persons.csv", "--out", "links.csv"),
        ("backtest", "events.csv", "--out", "out"),
        ("explain", "p"),
        ("identity", "list"),
        ("identity", "revoke", "I000001", "--by", "A", "--why", "w"),
        ("identity", "affected", "E23000036"),
        ("audit", "verify"),
    ],
    ids=lambda c: " ".join(c[:2]),
)
def test_what_it_cannot_do_it_says_in_one_sentence(installed: Path, command: tuple[str, ...]) -> None:
    done = vawg(installed, *command)
    assert done.returncode == 2
    assert done.stderr.startswith("vawg: ") and done.stderr.count("\n") == 1
