"""A change of a rule and of a parameter, rehearsed on a release: told in full, and nothing of it in force."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from data_contracts.rules.reference import FOLDER
from tests.journey.conftest import Root

RULE = "domestic_crime_not_flagged"


@pytest.mark.heavy
def test_a_rule_that_becomes_an_error_refuses_records(released: Root, tmp_path: Path) -> None:
    before = released.current.resolve(), released.release_bytes()
    settings = (FOLDER / "rule_settings.csv").read_text(encoding="utf-8")
    changed = settings.replace(f"{RULE},1,warning,", f"{RULE},1,error,")
    assert changed != settings
    (tmp_path / "with").mkdir()
    (tmp_path / "with" / "rule_settings.csv").write_text(changed, encoding="utf-8")
    done = released.vawg("rehearse", "--with", str(tmp_path / "with"), "--out", str(tmp_path / "out"), code=1)
    assert "records newly refused" in done.stdout
    rejected = pl.read_csv(tmp_path / "out" / "rejected.csv")
    assert set(rejected["rule"]) == {RULE}
    month = pl.read_parquet(released.path / "findings" / "*.parquet").filter(
        (pl.col("rule") == RULE) & (pl.col("period") == pl.date(2026, 2, 1))
    )
    assert rejected.filter(pl.col("severity") == "error")["n_findings_new"].sum() == month.height
    offences = pl.read_csv(tmp_path / "out" / "statistics.csv").filter(
        # Of a breakdown some rise: where a crime's last version is refused, the one before, still open, stands again.
        (pl.col("measure") == "offences")
        & (pl.col("breakdown") == "none")
        & (pl.col("force_code") == "national")
        & (pl.col("change") == "changed")
    )
    assert offences.height and (offences["difference"] < 0).all()
    assert (released.current.resolve(), released.release_bytes()) == before
    assert not list((released.path / "rehearsals").glob(".*")), "what was made for it is cleared away"
