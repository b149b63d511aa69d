"""What share of a band came again stands beside the band, for who may see a place and for nobody else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from fastapi import FastAPI

from assets.monitoring.calibration import BAND_PROBABILITIES, no_band_probabilities
from assets.monitoring.parameters import rank_bands
from assets.storage import write_parquet
from hub.releases import Releases
from tests.hub.conftest import Browser
from tests.hub.releases import P1, ROWS, write_release

SAID = "about 4 in 10 people in this band had a new recorded allegation within 12 months (40%"


@pytest.fixture
def banded(tmp_path: Path, app: FastAPI) -> Path:
    """A release whose first person stands in the band 1-25, and in which nothing was monitored."""
    first, *others = ROWS["ranked_perpetrators"]
    folder = write_release(tmp_path / "banded", ranked_perpetrators=[first | {"rank_band": "1-25"}, *others])
    app.state.hub.releases = Releases(tmp_path / "banded" / "releases")
    return folder


def monitored(folder: Path) -> None:
    bands = no_band_probabilities(rank_bands(), "no window has closed").to_dicts()
    bands[0] |= {"in_short": "about 4 in 10 people (30% to 50%; 50 places)", "in_words": SAID}
    file = "statistical/monitoring_band_probability.parquet"
    table = pl.DataFrame(bands, schema=BAND_PROBABILITIES)
    write_parquet(table, folder / file)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["marts"]["monitoring_band_probability"] = {"file": file, "rows": 7, "encrypted": False}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_the_sentence_stands_beside_the_band_on_the_page_and_in_the_list(
    browser: Callable[..., Browser], banded: Path
) -> None:
    monitored(banded)
    visitor = browser("national_analyst")
    page, listed = visitor.get(f"/persons/{P1}").text, visitor.get("/lists").text
    assert "<strong>1-25</strong>" in page and SAID in page
    assert "about 4 in 10 people (30% to 50%; 50 places)" in listed and "no window has closed" in listed


def test_of_a_release_that_was_not_monitored_it_says_not_yet_known(
    browser: Callable[..., Browser], banded: Path
) -> None:
    visitor = browser("national_analyst")
    assert "not yet known: this release was not monitored" in visitor.get(f"/persons/{P1}").text
    assert "not yet known" in visitor.get("/lists").text


def test_who_sees_evidence_first_sees_no_band_before_it(
    browser: Callable[..., Browser], banded: Path
) -> None:
    monitored(banded)
    visitor = browser("reviewer")
    for path in (f"/persons/{P1}", "/lists"):
        assert "1-25" not in visitor.get(path).text, path
    assert visitor.submit(f"/persons/{P1}/acts/view", reason="monthly_review").status_code == 303
    assert SAID in visitor.get(f"/persons/{P1}").text
