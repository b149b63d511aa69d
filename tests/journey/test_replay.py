"""A past release made again from what was in force that day, after the world has moved on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from tests.assets.test_intake import tree
from tests.journey.conftest import Root
from tests.submissions import crimes, send


@pytest.mark.heavy
def test_a_past_release_is_made_again_byte_for_byte(
    released: Root, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DBT_TARGET_PATH", str(tmp_path / "of_another_run"))
    done = released.vawg("replay", released.current.resolve().name, "--seed", "3")
    assert "Identical, byte for byte" in done.stdout and "DIFFERS" not in done.stdout
    assert not list((released.path / "replays").glob("*")), "what was made for the comparison is cleared away"


@pytest.mark.heavy
def test_a_replay_notices_an_input_that_was_changed(released: Root) -> None:
    """One offence fewer in what was accepted: the release made again is another, and the command says so."""
    extract = max(
        (released.path / "extracts" / "offences").glob("*_2026-02_*.parquet"), key=lambda p: p.stat().st_size
    )
    kept = extract.read_bytes()
    try:
        extract.unlink()
        pl.read_parquet(kept).head(-1).write_parquet(extract)
        done = released.vawg("replay", released.current.resolve().name, "--keep", code=1)
    finally:
        extract.unlink()
        extract.write_bytes(kept)
    assert "DIFFERS    national_statistics" in done.stdout


def _month(folder: Path, *, sequence: int, cancelled: bool) -> Path:
    """A month of one force: one man suspected of three crimes, another of two, of which the first may have been cancelled since."""
    tables = crimes(5)
    suspected = {"01": "S0001", "02": "S0001", "03": "S0003", "04": "S0003", "05": "S0003"}
    of_crime = pl.col("crime_ref").str.slice(-2).replace_strict(suspected)
    tables["suspects"] = tables["suspects"].with_columns(person_ref=of_crime)
    said = {"status": "cancelled", "cancellation_reason": "c", "cancellation_authorised_by": "FCR"}
    return send(folder, sequence=sequence, extracts=tables, change={"offences": said} if cancelled else None)


@pytest.mark.heavy
def test_a_later_correction_is_a_difference_with_its_cause_and_the_past_list_stays(
    new_root: Callable[[], Root], tmp_path: Path
) -> None:
    root = new_root()
    root.land_and_run([_month(tmp_path, sequence=1, cancelled=False)])
    sealed, before = root.current.resolve(), root.release_bytes()
    listed = root.mart("ranked_perpetrators").filter(list_status="listed")
    two_crimes = listed.filter(n_counted=2)["person_id"].item()
    assert listed.height == 2
    # The force cancels one of the two crimes and sends its month again.
    root.vawg("land", str(_month(tmp_path, sequence=2, cancelled=True)))
    root.vawg("run", "--received-at", "2026-05-12T09:00:00")
    assert root.current.resolve() != sealed

    done = root.vawg("replay", sealed.name, "--as-known-now", "--keep")
    assert "Identical, byte for byte" in done.stdout and "DIFFERS" not in done.stdout
    again = (root.path / "replays" / sealed.name / "data" / "releases" / "current").resolve()
    assert again.name == sealed.name and tree(again) == tree(sealed) == before

    now = root.path / "replays" / sealed.name / "as_known_now"
    movers = pl.read_parquet(now / "ranked_perpetrator_movers.parquet")
    moved = dict(movers.select("person_id", "movement").iter_rows())
    assert moved[two_crimes] == "left" and sorted(moved.values()) == ["left", "unchanged"]
    causes = pl.read_parquet(now / "ranked_perpetrator_move_causes.parquet")
    of_him = causes.filter(pl.col("points") != 0).select("person_id", "cause").unique()
    assert of_him.rows() == [(two_crimes, "outcome")]
    (label,) = causes.filter(cause="outcome")["cause_label"].unique().to_list()
    assert f"{label:<44}" in done.stdout
    change = movers.filter(person_id=two_crimes).select("score_change").item()
    assert causes.filter(person_id=two_crimes)["points"].sum() == change < 0
