"""Journeys: submissions in, a release out, through the command a person would use."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

VAWG = Path(sys.executable).parent / "vawg"
RECEIVED_AT = "2026-04-12T09:00:00"


@dataclass(frozen=True)
class Root:
    """A data root, and the command run on it."""

    path: Path

    def vawg(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run `vawg`; a test fails with what it printed where the exit code is another than `code`."""
        done = subprocess.run(
            [VAWG, *arguments], env=self.environment(), capture_output=True, text=True, timeout=900
        )
        assert done.returncode == code, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def environment(self) -> dict[str, str]:
        return os.environ | {"VAWG_DATA": str(self.path), "DAGSTER_HOME": str(self.path / "dagster")}

    def land_and_run(self, submissions: list[Path], *arguments: str) -> subprocess.CompletedProcess[str]:
        self.vawg("land", *map(str, submissions))
        return self.vawg("run", "--received-at", RECEIVED_AT, *arguments)

    @property
    def current(self) -> Path:
        return self.path / "releases" / "current"

    def mart(self, name: str) -> pl.DataFrame:
        (found,) = (p for p in self.current.glob(f"*/{name}.parquet") if p.parent.name != "publishable")
        return pl.read_parquet(found)

    def release_bytes(self) -> dict[str, bytes]:
        return {
            p.relative_to(self.current).as_posix(): p.read_bytes()
            for p in self.current.rglob("*")
            if p.is_file()
        }


@pytest.fixture(scope="session")
def nation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two months of six forces, with planted faults; a folder with submissions/ and truth/."""
    from data_contracts.synthetic.nation import write_nation

    folder = tmp_path_factory.mktemp("nation")
    write_nation(
        folder,
        seed=7,
        scale=0.01,
        first_period=date(2026, 1, 1),
        n_months=2,
        fault_share=0.02,
        forces=["E23000036", "E23000026", "E23000023", "E23000006", "E23000013", "W15000004"],
    )
    return folder


@pytest.fixture(scope="session")
def released(nation: Path, tmp_path_factory: pytest.TempPathFactory) -> Root:
    """The nation's release, made once by the ordinary command."""
    root = Root(tmp_path_factory.mktemp("root"))
    root.land_and_run(sorted((nation / "submissions").iterdir()))
    return root


@pytest.fixture
def new_root(tmp_path: Path) -> Callable[[], Root]:
    def make(name: str = "root") -> Root:
        return Root(tmp_path / name)

    return make


def only(frame: pl.DataFrame, **conditions: Any) -> pl.DataFrame:
    """Rows where every column has the value given."""
    for column, value in conditions.items():
        frame = frame.filter(pl.col(column) == value)
    return frame
