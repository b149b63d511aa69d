"""A past release made again from what was in force that day, after the world has moved on."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tests.journey.conftest import Root


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
