"""The harness as a whole: a bias planted in the scoring of one group is found by the monthly checks, and without it none is."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from assets.monitoring.events import read_events
from assets.monitoring.harness import Harness, run
from assets.monitoring.parameters import monitoring, score_parameters
from tests.assets.monitoring.made_up_events import Nature, events

QUICK = monitoring().but(window_months=12, pooled_cutoffs=2, weights_draws=2, recording_draws=2)


def harness(folder: Path, rows: pl.DataFrame) -> Harness:
    rows.write_parquet(folder / "e.parquet")
    return run(read_events(folder / "e.parquet"), score_parameters(), QUICK, groups=("group",), n_boot=50)


def alerts(found: Harness) -> dict[str, str]:
    return {v.check_id: v.detail for v in found.alerts}


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    return events(11, Nature(n_persons=30_000, years=5))


def test_weighing_one_group_twice_as_much_is_found_among_people_of_the_same_harm(
    rows: pl.DataFrame, tmp_path: Path
) -> None:
    biased = rows.with_columns(link_probability=pl.when(pl.col("group") == "Black").then(1.0).otherwise(0.5))
    fair = rows.with_columns(link_probability=pl.lit(0.5))
    assert "group Black" in alerts(harness(tmp_path, biased))["disparity_conditional"]
    assert not {"disparity_raw", "disparity_conditional"} & set(alerts(harness(tmp_path, fair)))


def test_what_a_table_does_not_allow_is_said(rows: pl.DataFrame, tmp_path: Path) -> None:
    few = rows.filter(pl.col("person_id") < "P000600").drop("force_code")
    found = harness(tmp_path, few)
    assert found.recording is None and found.null_programme is None
    assert any("Recording practice: needs" in note for note in found.notes)
    assert any("null programme needs 200" in note for note in found.notes)
    assert {v.check_id: v.detail for v in found.verdicts}["null_programme"] == "could not be computed"
