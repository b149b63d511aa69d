"""Runs of the platform in a data root of their own, with code of their own: what `replay` and `rehearse` both need."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from assets.linkage.states import Moment
from assets.paths import Paths
from assets.replay import NotReplayable
from decisions.store import sqlite_url
from orchestration.environment import DECISIONS_URL, LINKAGE_MODEL, decisions_url


def environment(paths: Paths, root: Path) -> dict[str, str]:
    """That of a run in `root` which reads the decisions of the platform itself."""
    return os.environ | {
        "VAWG_DATA": str(root),
        "DAGSTER_HOME": str(root / "dagster"),
        DECISIONS_URL: decisions_url() or sqlite_url(paths.decisions),
    }


def environment_of(paths: Paths, root: Path, model: Path | None) -> dict[str, str]:
    """That of a run in `root` with the linkage model of a release, or with the one that is shipped, whatever is set here."""
    its = environment(paths, root)
    its.pop(LINKAGE_MODEL, None)
    return its | ({LINKAGE_MODEL: str(model)} if model else {})


def month_again(moment: Moment) -> list[str]:
    """The command that makes the month of a release, as known on that day."""
    return [*month_of(moment), "--as-of", moment.as_of.isoformat()]


def month_of(moment: Moment) -> list[str]:
    """The command that makes the month of a release, with all that is known."""
    choices = ["--period", f"{moment.period:%Y-%m}", "--programme", moment.programme]
    return ["python", "-m", "cli.main", "run", *choices]


def run_in(folder: Path, command: list[str], its_environment: dict[str, str]) -> None:
    """Run one of our own programs in `folder`, whose packages come first. Raises NotReplayable where it fails."""
    program = str(Path(sys.executable).with_name(command[0]))
    done = subprocess.run(  # noqa: S603 - our own programs, by their path
        [program, *command[1:]],
        cwd=folder,
        env=its_environment,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NotReplayable(f"the run in {folder} failed; what it printed stands above")


def parse_project(code: Path, its_environment: dict[str, str]) -> None:
    """Let dbt read the project under `code`. Into its own folder, whatever DBT_TARGET_PATH says where we are called."""
    parse = ["dbt", "--quiet", "parse", "--profiles-dir", ".", "--target-path", "target"]
    run_in(code / "dbt_project", parse, its_environment)
