"""A national month, from what forces sent to what readers see, against answers worked out another way."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from data_contracts.code_lists import code_list, codes
from tests.journey.conftest import Root, only

FIRST_MONTH = datetime(2026, 1, 1)


@pytest.fixture(scope="module")
def accepted(released: Root) -> dict[str, pl.DataFrame]:
    """The newest version of every crime and its children, straight from the accepted extracts."""
    tables = {
        name: pl.concat(
            pl.read_parquet(p) for p in sorted((released.path / "extracts" / name).glob("*.parquet"))
        )
        for name in ("offences", "victims", "suspects", "deletions")
    }
    newest = (
        tables["offences"]
        .sort("extracted_at", "period", "sequence")
        .unique(["force_code", "crime_ref"], keep="last", maintain_order=True)
    )
    gone = (
        tables["deletions"]
        .filter(pl.col("extract") == "offences")
        .select(
            "force_code", pl.col("record_ref").alias("crime_ref"), pl.col("extracted_at").alias("gone_at")
        )
        .group_by("force_code", "crime_ref")
        .agg(pl.col("gone_at").max())
    )
    standing = newest.join(gone, on=["force_code", "crime_ref"], how="left").filter(
        pl.col("gone_at").is_null() | (pl.col("gone_at") <= pl.col("extracted_at"))
    )
    # A figure is given for months with a return; a crime recorded before the first of them has no month to be in.
    live = standing.filter((pl.col("status") == "live") & (pl.col("recorded_at") >= FIRST_MONTH))
    key = ["force_code", "crime_ref", "submission_id"]
    return {"offences": live, "victims": tables["victims"].join(live.select(key), on=key, how="semi")}


def test_nothing_is_lost_on_the_way(released: Root) -> None:
    coverage = json.loads((released.current / "manifest.json").read_text())["coverage"]
    assert coverage["rows_accepted"] + coverage["rows_quarantined"] == coverage["rows_received"]
    assert coverage["rows_quarantined"] > 0, "the nation has planted faults"
    assert coverage["forces_in"] == 6 and len(coverage["forces_out"]) == 37


def test_recorded_offences_by_force_and_month_are_those_accepted(
    released: Root, accepted: dict[str, pl.DataFrame]
) -> None:
    statistics = only(
        released.mart("national_statistics"),
        definition_id="all_recorded_crime",
        threat="all",
        measure="offences",
        breakdown="none",
        period_kind="month",
    )
    counted = {
        (r["force_code"], r["period"]): r["value"]
        for r in statistics.filter(pl.col("force_code") != "national").iter_rows(named=True)
        if r["value"]
    }
    month = pl.col("recorded_at").dt.truncate("1mo").dt.date().alias("month")
    expected = accepted["offences"].group_by("force_code", month).len()
    assert counted == {(r["force_code"], r["month"]): r["len"] for r in expected.iter_rows(named=True)}


def test_vawg_offences_are_those_of_the_stated_scope_counted_once(
    released: Root, accepted: dict[str, pl.DataFrame]
) -> None:
    """NPCC scope: a female victim aged 10 or over of violence against the person or a sexual offence, less exclusions."""
    excluded = ["4.10", "4.4", "4.6", "4.8", "4.9", "37.1", "8S", "8T", "104"]
    in_groups = code_list("offence_codes").filter(
        pl.col("offence_group").is_in(["Violence against the person", "Sexual offences"])
        & ~pl.col("code").is_in(excluded)
    )
    women = accepted["victims"].filter(
        (pl.col("sex") == "F") & ((pl.col("age") >= 10) | pl.col("age").is_null())
    )
    vawg = (
        accepted["offences"]
        .filter(pl.col("offence_code").is_in(in_groups["code"].implode()))
        .join(women, on=["force_code", "crime_ref", "submission_id"], how="semi")
    )
    national = only(
        released.mart("national_statistics"),
        definition_id="npcc_policing_scope",
        threat="all",
        measure="offences",
        breakdown="none",
        period_kind="month",
        force_code="national",
    )
    assert national["value"].sum() == vawg.height > 100


def test_every_force_of_the_register_has_a_scorecard_even_without_a_return(released: Root) -> None:
    scorecards = released.mart("data_quality_scorecards")
    register = code_list("forces").filter(pl.col("programme") == "england_wales")["code"]
    per_force = scorecards.group_by("force_code").len()
    assert sorted(per_force["force_code"]) == sorted(register)
    assert per_force["len"].n_unique() == 1, "every force has the same checks"
    silent = scorecards.filter(pl.col("force_code") == "E23000001")
    assert silent["status"].unique().to_list() == ["not_submitted"]


def test_contributions_sum_to_the_score_and_what_is_not_counted_adds_nothing(released: Root) -> None:
    people, offences = released.mart("ranked_perpetrators"), released.mart("ranked_perpetrator_offences")
    assert people.height > 0
    sums = offences.group_by("person_id").agg(pl.col("contribution").sum().alias("total"))
    both = people.join(sums, on="person_id", how="left")
    assert both.filter((pl.col("score") - pl.col("total")).abs() > 1e-9).height == 0
    assert both["total"].null_count() == 0
    listed = people.filter(pl.col("list_status") == "listed").sort("national_rank")
    assert listed["national_rank"].to_list() == list(range(1, listed.height + 1))
    assert listed["score"].to_list() == sorted(listed["score"], reverse=True)


def test_the_planted_faults_were_all_told(released: Root, nation: Path) -> None:
    planted = pl.read_parquet(nation / "truth" / "planted_faults.parquet")
    told = pl.read_parquet(released.path / "findings" / "*.parquet")
    assert planted.height > 20
    untold = planted.filter(
        ~pl.struct("force_code", "rule").is_in(
            told.select(pl.struct("force_code", "rule")).to_series().implode()
        )
    )
    assert untold.height == 0


@pytest.mark.heavy
def test_the_same_submissions_give_the_same_release(released: Root, nation: Path, new_root) -> None:  # type: ignore[no-untyped-def]
    other = new_root()
    other.land_and_run(sorted((nation / "submissions").iterdir(), reverse=True))
    assert other.release_bytes() == released.release_bytes()


def test_no_name_is_in_a_log_a_receipt_or_a_manifest(released: Root) -> None:
    persons = pl.read_parquet(released.path / "extracts" / "persons" / "*.parquet")
    rare = (
        persons.select(pl.concat_str("forenames", pl.lit(" "), "surname").alias("name"))
        .drop_nulls()
        .filter(pl.col("name").str.len_chars() > 10)["name"]
        .unique()
        .sort()
        .to_list()[:2000]
    )
    shown = [
        *(released.path / "receipts").glob("*"),
        *(released.path / "returns").rglob("*.*"),
        *(released.path / "dagster").rglob("*.out"),
        *(released.path / "dagster").rglob("*.err"),
        *(released.path / "dagster").rglob("*.db"),
        released.current / "manifest.json",
        *(released.current / "pages").rglob("*.html"),
    ]
    text = b"\n".join(p.read_bytes() for p in shown if p.is_file()).upper()
    assert len(text) > 100_000
    assert [n for n in rare if n.upper().encode() in text] == []


def test_only_the_codes_of_the_register_are_in_the_statistics(released: Root) -> None:
    """But for the lists of pooled forces, which are a region's."""
    places = released.mart("national_statistics").select("force_code", "measure").unique()
    others = places.filter(~pl.col("force_code").is_in([*codes("forces"), "national"]))
    assert set(others["measure"]) <= {"persons_listed"}
    assert set(others["force_code"]) <= set(code_list("forces")["region"])
