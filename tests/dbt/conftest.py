"""The handmade nation, built once for all tests of the dbt project."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.dbt import handmade, nation

PROJECT = Path(__file__).parents[2] / "dbt_project"
Query = Callable[..., list[Any]]


def dbt(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run dbt in a process of its own, so that the warehouse is let go of when it ends."""
    return subprocess.run(
        [
            str(Path(sys.executable).with_name("dbt")),
            *arguments,
            *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)),
            *("--target-path", str(root / "target"), "--log-level-file", "none", "--quiet"),
        ],
        env={**os.environ, "VAWG_DATA": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data root with the handmade nation built, all of dbt's own tests passed."""
    root = nation.write(
        tmp_path_factory.mktemp("handmade"),
        handmade.submissions(),
        period=handmade.JUNE,
        period_end=handmade.JUNE_END,
        links=handmade.LINKS,
        review_pairs=handmade.REVIEW_PAIRS,
        decisions=handmade.DECISIONS,
        review_decisions=handmade.REVIEW_DECISIONS,
        review_removals=handmade.REVIEW_REMOVALS,
        clerical_flags=handmade.CLERICAL_FLAGS,
    )
    built = dbt(root, "build")
    assert built.returncode == 0, built.stdout[-6000:]
    return root


@pytest.fixture(scope="session")
def query(warehouse: Path) -> Iterator[Query]:
    """Run SQL on the built warehouse."""
    with duckdb.connect(str(warehouse / "warehouse" / "vawg.duckdb"), read_only=True) as connection:
        yield lambda sql, *parameters: connection.execute(sql, parameters).fetchall()
