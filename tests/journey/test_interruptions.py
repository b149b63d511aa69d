"""A run that is killed, or that fails in one station: run again, it ends as if nothing had happened."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.journey.conftest import RECEIVED_AT, VAWG, Root

pytestmark = pytest.mark.heavy


def kill_at(root: Root, station: str) -> None:
    """Start a run and kill it, hard, as soon as it says that the station has begun."""
    process = subprocess.Popen(
        [VAWG, "run", "--received-at", RECEIVED_AT],
        env=root.environment(),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.strip() == f"{station} ...":
            os.killpg(process.pid, signal.SIGKILL)
            break
    else:
        pytest.fail(f"the run never reached {station}")
    process.wait()


@pytest.mark.parametrize(
    "station", ["submissions", "standardised_extracts", "person_links", "national_repository", "release"]
)
def test_killed_in_a_station_and_run_again(
    station: str, released: Root, nation: Path, new_root: Callable[[], Root]
) -> None:
    root = new_root()
    root.vawg("land", *map(str, sorted((nation / "submissions").iterdir())))
    kill_at(root, station)
    root.vawg("run", "--received-at", RECEIVED_AT)
    assert root.release_bytes() == released.release_bytes()


def test_a_failed_station_is_resumed_from_there(
    released: Root, nation: Path, new_root: Callable[[], Root]
) -> None:
    root = new_root()
    root.vawg("land", *map(str, sorted((nation / "submissions").iterdir())))
    # A folder where linkage wants to write its file: a fault of the machine, not of the data.
    obstacle = root.path / "linkage" / "person_links.parquet"
    (obstacle / "in the way").mkdir(parents=True)
    failed = root.vawg("run", "--received-at", RECEIVED_AT, code=1)
    assert "person_links FAILED" in failed.stderr and "vawg run --resume" in failed.stderr
    assert not root.current.exists()
    (obstacle / "in the way").rmdir()
    obstacle.rmdir()
    resumed = root.vawg("run", "--resume")
    assert "standardised_extracts" not in resumed.stderr and "person_links done" in resumed.stderr
    assert root.release_bytes() == released.release_bytes()
