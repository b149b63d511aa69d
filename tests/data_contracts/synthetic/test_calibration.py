"""A calibrated nation: the targets are met, those that cannot be are refused, and what is sent is still clean."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.submission import content_hash
from data_contracts.synthetic.calibration import (
    TARGET_SCHEMA,
    Calibration,
    TargetsContradict,
    choose,
    managed,
)
from data_contracts.synthetic.draw import generator
from data_contracts.synthetic.nation import write_nation
from tests.data_contracts.synthetic.conftest import FIRST, FORCES
from tests.data_contracts.synthetic.test_nation import findings_of

SPAN = (date(2026, 1, 1), date(2026, 12, 31))


def targets(*rows: tuple[str, str, str, str, str, float]) -> pl.DataFrame:
    """Targets of the whole span and all forces: target, kind, per, what, among, value."""
    return pl.DataFrame(
        [(t, kind, per, None, *SPAN, what, among, value) for t, kind, per, what, among, value in rows],
        schema=TARGET_SCHEMA,
        orient="row",
    )


def crimes(n: int = 4_000) -> pl.DataFrame:
    """Made-up features: a quarter sexual, a third online, ages 10 to 69, a suspect for every four crimes."""
    number = np.arange(n)
    return pl.DataFrame(
        {
            "crime": number,
            "force_code": "E1",
            "recorded_on": date(2026, 3, 1),
            "counted": True,
            "sexual": number % 4 == 0,
            "onl": number % 3 == 0,
            "victim_age": 10 + (number * 7) % 60,
            "suspect": (number * 13) % (n // 4),
            "suspect_named": True,
            "in_series": False,
        }
    )


def chosen(rows: pl.DataFrame, wanted: pl.DataFrame) -> pl.DataFrame:
    sent = choose(generator(3, "test"), rows, Calibration(wanted, oversampling=2.0))
    return rows.filter(pl.Series(sent))


@given(share=st.floats(0.2, 0.5), count=st.integers(350, 650), mean=st.floats(34, 45))
@settings(max_examples=15, deadline=None)
def test_counts_shares_and_means_are_met_together(share: float, count: int, mean: float) -> None:
    wanted = targets(
        ("sexual", "count", "crime", "sexual", "", count),
        ("online", "share", "crime", "onl", "sexual or victim_age < 40", share),
        ("age", "mean", "crime", "victim_age", "sexual", mean),
        ("all", "count", "crime", "true", "", 2_000),
    )
    sent = chosen(crimes(), wanted)
    sexual = sent.filter("sexual")
    assert sent.height == pytest.approx(2_000, abs=2)
    assert sexual.height == pytest.approx(count, abs=2)
    assert sexual["victim_age"].mean() == pytest.approx(mean, rel=0.005)
    among = sent.filter(pl.col("sexual") | (pl.col("victim_age") < 40))
    assert among["onl"].mean() == pytest.approx(share, abs=0.005)


def test_targets_that_contradict_each_other_are_named() -> None:
    wanted = targets(
        ("everything", "count", "crime", "true", "", 1_000),
        ("more of it", "count", "crime", "sexual or not sexual", "", 1_500),
    )
    with pytest.raises(TargetsContradict, match="more of it"):
        chosen(crimes(), wanted)


def test_suspects_are_sent_whole_where_a_target_speaks_of_them() -> None:
    wanted = targets(("several", "share", "suspect", "n_crimes > 4", "n_crimes > 0", 0.4))
    rows = crimes().filter(pl.col("crime") % 7 != 0)
    rows = pl.concat([rows, crimes().filter(pl.col("suspect") < 300).with_columns(pl.col("crime") + 10_000)])
    sent = chosen(rows, wanted)
    before, after = (r.group_by("suspect").len().sort("suspect") for r in (rows, sent))
    assert after.join(before, on=["suspect", "len"], how="anti").height == 0
    assert (after["len"] > 4).mean() == pytest.approx(0.4, abs=0.005)
    assert (before["len"] > 4).mean() != pytest.approx(0.4, abs=0.05)


def test_a_settled_share_of_suspects_is_managed() -> None:
    calibration = Calibration(targets(), managed_among="sexual", managed_share=0.1)
    people = managed(generator(1, "test"), crimes(), calibration)
    assert people.select("force_code", "suspect").is_unique().all()
    assert people["is_managed"].sum() == pytest.approx(people.height * 0.1, abs=1)


NATION: dict[str, Any] = {
    "seed": 5,
    "scale": 0.02,
    "first_period": FIRST,
    "n_months": 2,
    "forces": FORCES[1:3],
    "fault_share": 0,
    "flag_error_share": 0,
}


def calibration() -> Calibration:
    return Calibration(
        targets(
            ("vawg", "count", "crime", "vawg", "", 150),
            ("domestic", "share", "crime", "da", "vawg", 0.5),
            ("recorded", "count", "crime", "true", "", 700),
        ),
        pool_factors={FORCES[1]: 0.8},
    )


def test_a_calibrated_nation_is_clean_and_the_same_every_time(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    summary = write_nation(first, **NATION, calibration=calibration())
    write_nation(second, **NATION, calibration=calibration())
    assert findings_of(first).height == 0
    hashes = [
        [content_hash(p) for p in sorted((folder / "submissions").iterdir())] for folder in (first, second)
    ]
    assert hashes[0] == hashes[1]
    truth = pl.read_parquet(first / "truth" / "offence_truth.parquet")
    assert summary.n_offences == truth.height
    # Cancelled and transferred crimes are drawn beside those that the targets count.
    assert truth.height == pytest.approx(700 * 1.02, rel=0.03)


def test_a_calibrated_nation_has_one_worker(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="one worker"):
        write_nation(tmp_path, **NATION, calibration=calibration(), workers=2)
