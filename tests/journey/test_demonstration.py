"""README's first command: the demonstration, as anybody would make it, against what is true of its people."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from tests.journey.conftest import Root, only

REPOSITORY = Path(__file__).parents[2]
LAST_DAY = date(2026, 3, 31)
pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Root:
    root = Root(tmp_path_factory.mktemp("demonstration"))
    # What a `make` around the tests says to its own children is not for this one.
    environment = {k: v for k, v in root.environment().items() if not k.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(
        ["make", "demo"], cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=1800
    )
    assert done.returncode == os.EX_OK, f"{done.stdout}\n{done.stderr}"
    return root


@pytest.fixture(scope="module")
def truth(demonstration: Root) -> pl.DataFrame:
    """One row a nominal: who it is in truth."""
    return pl.read_parquet(demonstration.path / "synthetic" / "truth" / "person_truth.parquet")


def test_every_force_is_in_and_nothing_is_lost(demonstration: Root) -> None:
    coverage = json.loads((demonstration.current / "manifest.json").read_text())["coverage"]
    assert coverage["forces_in"] == 43 and coverage["forces_out"] == []
    assert coverage["rows_accepted"] + coverage["rows_quarantined"] == coverage["rows_received"]


def test_nobody_on_a_list_carries_what_another_did(demonstration: Root, truth: pl.DataFrame) -> None:
    """The allegations counted for a person are all of one person in truth, across nominals and forces."""
    counted = (
        only(demonstration.mart("ranked_perpetrator_offences"), is_counted=True)
        .join(demonstration.mart("perpetrator_lists"), on="person_id", how="semi")
        .join(truth.select("record_id", "true_person_id"), on="record_id", how="left")
    )
    assert counted["true_person_id"].null_count() == 0
    persons = counted.group_by("person_id").agg(
        pl.col("true_person_id", "record_id", "force_code").n_unique()
    )
    assert persons.height > 300
    assert persons.filter(pl.col("record_id") > 1).height > 100, "many are known under several nominals"
    assert persons.filter(pl.col("force_code") > 1).height > 50, "many are known to several forces"
    assert persons.filter(pl.col("true_person_id") > 1).height == 0


def test_no_child_named_as_suspect_is_on_a_list(demonstration: Root, truth: pl.DataFrame) -> None:
    """Whoever was under 18 on the day of the list, whatever date of birth a force holds."""
    named = pl.read_parquet(demonstration.path / "extracts" / "suspects" / "*.parquet")
    children = truth.filter(pl.col("true_date_of_birth") > LAST_DAY.replace(year=LAST_DAY.year - 18)).join(
        named, on=["force_code", "person_ref"], how="semi"
    )
    assert children.height > 100
    listed = demonstration.mart("suspect_nominals").join(
        demonstration.mart("perpetrator_lists"), on="person_id", how="semi"
    )
    assert children.join(listed, on="record_id", how="semi").height == 0
