"""Real returns, the whole way: the release agrees with counts of the raw tables taken with nothing of ours."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from data_contracts.adapters.nibrs import write_submissions
from tests.journey.conftest import Root, only
from tests.journey.nibrs_counts import RawCounts, raw_counts

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def raw() -> RawCounts:
    return raw_counts()


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Root:
    folder = tmp_path_factory.mktemp("nibrs")
    sent = write_submissions(None, folder / "submissions")
    root = Root(folder / "root")
    root.vawg("land", *map(str, sent))
    root.vawg("run", "--programme", "nibrs_mn2018", "--received-at", "2019-11-20T09:00:00")
    return root


@pytest.fixture(scope="module")
def year(released: Root) -> pl.DataFrame:
    """The rolling year to December 2018 of all recorded crime, national."""
    return only(
        released.mart("national_statistics"),
        period_kind="rolling_year",
        force_code="national",
        definition_id="all_recorded_crime",
        threat="all",
    )


def figure(rows: pl.DataFrame, **conditions: str) -> dict[str, float]:
    (row,) = only(rows, **conditions).iter_rows(named=True)
    return row


def test_nothing_of_the_return_was_refused(released: Root) -> None:
    coverage = json.loads((released.current / "manifest.json").read_text())["coverage"]
    assert (coverage["errors"], coverage["rows_quarantined"], coverage["submissions_held"]) == (0, 0, 0)
    assert coverage["months"] == [f"2018-{m:02}" for m in range(1, 13)]


def test_incidents(year: pl.DataFrame, raw: RawCounts) -> None:
    assert raw.incidents == 18_779
    assert figure(year, measure="offences", breakdown="none")["value"] == raw.incidents


def test_offences_of_every_agency_and_month(released: Root, raw: RawCounts) -> None:
    months = only(
        released.mart("national_statistics"),
        period_kind="month",
        definition_id="all_recorded_crime",
        threat="all",
        measure="offences",
        breakdown="none",
    ).filter(pl.col("force_code") != "national")
    counted = {
        (r["force_code"], f"{r['period']:%Y-%m}"): r["value"]
        for r in months.iter_rows(named=True)
        if r["value"]
    }
    assert counted == dict(raw.incidents_by_agency_and_month)


def test_victims_by_sex(year: pl.DataFrame, raw: RawCounts) -> None:
    by_sex = {
        r["breakdown_value"]: r["value"]
        for r in only(year, measure="victims", breakdown="sex").iter_rows(named=True)
    }
    assert by_sex == dict(raw.person_victims_by_sex)


@pytest.mark.parametrize(
    ("relationship", "raw_name", "female", "both"),
    [("PAR", "Victim Was Boyfriend/Girlfriend", 703, 911), ("SPO", "Victim Was Spouse", 225, 295)],
)
def test_victims_by_relationship(
    year: pl.DataFrame, raw: RawCounts, relationship: str, raw_name: str, female: int, both: int
) -> None:
    assert raw.relationships_by_name[raw_name] == both
    assert raw.relationships_by_name_and_sex[(raw_name, "F")] == female
    shown = figure(
        year, measure="victims_female_share", breakdown="relationship", breakdown_value=relationship
    )
    assert (shown["numerator"], shown["denominator"]) == (female, both)


def test_every_stated_relationship_has_a_national_meaning(year: pl.DataFrame, raw: RawCounts) -> None:
    shown = only(year, measure="victims", breakdown="relationship")
    assert "unmapped" not in shown["breakdown_value"].to_list()
    assert shown["value"].sum() == raw.relationships


def test_the_list_is_empty_and_says_why(released: Root) -> None:
    manifest = json.loads((released.current / "manifest.json").read_text())
    assert released.mart("ranked_perpetrators").height == 0
    assert released.mart("ranked_perpetrator_offences").height == 0
    assert any("ranked_perpetrators is empty" in note for note in manifest["notes"])


def test_every_agency_has_a_scorecard(released: Root) -> None:
    scorecards = released.mart("data_quality_scorecards")
    assert scorecards["force_code"].n_unique() == 70
    assert Counter(scorecards["period"].unique().to_list()) == Counter([date(2018, 12, 1)])


def test_no_path_of_this_machine_is_in_the_release(released: Root) -> None:
    here = str(Path(released.path)).encode()
    assert [n for n, content in released.release_bytes().items() if here in content] == []
