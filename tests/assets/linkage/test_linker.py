"""Linking files: the shape of what is written, small and empty files, the same bytes twice, and who is one person."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from assets.linkage.linker import link
from assets.linkage.model import read_model
from assets.linkage.outputs import probability_sql
from assets.linkage.scoring import EVIDENCE
from assets.linkage.splink_session import open_connection
from tests.assets.linkage.conftest import LinkedNation, WriteRecords
from tests.assets.linkage.histories import Outcome, Row, family, pnc, write_rows

LINKS_SCHEMA = {
    "record_id": pl.String,
    "person_id": pl.String,
    "person_group_id": pl.String,
    "link_probability": pl.Float64,
    "link_weight": pl.Float64,
    "n_records": pl.Int64,
    "withheld": pl.Boolean,
    "withheld_reasons": pl.List(pl.String),
    "model_version": pl.String,
}
OUTPUTS = ("person_links", "person_evidence", "person_review_pairs", "person_ledger")

# A woman found in each case is another than in every other.
CASES: dict[str, Row] = {
    "spelt|1": family(0, pnc_id=pnc(1), forenames="GARY"),
    "spelt|2": family(0, pnc_id=pnc(1), forenames="GARRY"),
    "numbers|1": family(1, pnc_id=pnc(11)),
    "numbers|2": family(1),
    "numbers|3": family(1, pnc_id=pnc(12)),
    "sexes|1": family(2, pnc_id=pnc(21)),
    "sexes|2": family(2, pnc_id=pnc(21), sex="M"),
    "twins|1": family(3, forenames="JASON", sex="M"),
    "twins|2": family(3, forenames="JAXTON", sex="M"),
    "father|1": family(4, sex="M", date_of_birth=date(1941, 8, 14)),
    "father|2": family(4, sex="M", date_of_birth=date(1971, 2, 3)),
    "namesakes|1": family(5, phone=None, forenames="DAVID", surname="JONES"),
    "namesakes|2": family(5, phone=None, forenames="DAVID", surname="JONES", postcode="TR11AA", postcode_district="TR1"),
    "keyed|1": family(6, pnc_id=pnc(61)),
    "keyed|2": family(8, pnc_id=pnc(61), sex="M"),
    "swapped|1": family(9, date_of_birth=date(1980, 3, 7)),
    "swapped|2": family(9, date_of_birth=date(1980, 7, 3)),
    "married|1": family(10, pnc_id=pnc(101)),
    "married|2": family(10, surname="HOLLOWMERE", pnc_id=pnc(101), phone=None, postcode="TR12AA", postcode_district="TR1"),
    "moved|1": family(11),
    "moved|2": family(11, phone=None, postcode="SA15AA", postcode_district="SA1", earlier_postcodes=[family(11)["postcode"]]),
    "decade|1": family(12, pnc_id=pnc(121), date_of_birth=date(1961, 5, 2)),
    "decade|2": family(12, pnc_id=pnc(121), date_of_birth=date(1985, 5, 2)),
}  # fmt: skip


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    folder = tmp_path_factory.mktemp("cases")
    rows = [{**row, "record_id": record_id} for record_id, row in CASES.items()]
    link(write_rows(rows, folder / "records.parquet"), folder / "person_links.parquet")
    return Outcome(folder)


@pytest.mark.parametrize("case", ["spelt", "sexes", "swapped", "married", "moved", "decade"])
def test_one_person(cases: Outcome, case: str) -> None:
    assert cases.one_person(f"{case}|1", f"{case}|2")


@pytest.mark.parametrize("case", ["twins", "father", "namesakes", "keyed"])
def test_two_people(cases: Outcome, case: str) -> None:
    links = cases.links.filter(pl.col("record_id").str.starts_with(case))
    assert links["person_id"].n_unique() == links["person_group_id"].n_unique() == 2


def test_two_pnc_ids_are_two_people_and_the_bridge_is_withheld(cases: Outcome) -> None:
    links = cases.links.filter(pl.col("record_id").str.starts_with("numbers"))
    first, _, last = links.iter_rows(named=True)
    assert first["person_id"] != last["person_id"]
    assert first["person_group_id"] != last["person_group_id"]
    assert links["withheld_reasons"].to_list() == [["tied_to_another_person"]] * 3
    assert links["withheld"].all()


@pytest.mark.parametrize(
    ("case", "reason"), [("sexes", "two_sexes"), ("decade", "birth_dates_far_apart"), ("spelt", None)]
)
def test_a_stretched_person_is_withheld_and_it_is_said_why(
    cases: Outcome, case: str, reason: str | None
) -> None:
    links = cases.links.filter(pl.col("record_id").str.starts_with(case))
    assert links["withheld_reasons"].to_list() == [[reason] if reason else []] * 2
    assert links["withheld"].to_list() == [reason is not None] * 2


def test_a_person_of_too_many_records_is_withheld(tmp_path: Path) -> None:
    rows = [{"record_id": f"E|{number:02}", "pnc_id": pnc(1)} for number in range(51)]
    out = tmp_path / "person_links.parquet"
    link(write_rows(rows, tmp_path / "records.parquet"), out)
    links = pl.read_parquet(out)
    assert set(links["n_records"]) == {51}
    assert links["withheld_reasons"].to_list() == [["too_many_records"]] * 51


def test_no_records_give_files_without_rows(write_records: WriteRecords, tmp_path: Path) -> None:
    summary = link(write_records([]), tmp_path / "person_links.parquet")
    assert pl.read_parquet_schema(tmp_path / "person_links.parquet") == LINKS_SCHEMA
    assert [pl.read_parquet(tmp_path / f"{name}.parquet").height for name in OUTPUTS] == [0] * 4
    assert (summary.n_records, summary.n_pairs, summary.n_persons, summary.n_withheld) == (0, 0, 0, 0)


def test_one_record_certainly_belongs_to_itself(write_records: WriteRecords, tmp_path: Path) -> None:
    link(write_records([{"record_id": "E23000001|N1"}]), tmp_path / "person_links.parquet")
    [row] = pl.read_parquet(tmp_path / "person_links.parquet").iter_rows(named=True)
    assert (row["link_probability"], row["link_weight"]) == (1.0, None)
    assert (row["n_records"], row["withheld"], row["model_version"]) == (1, False, read_model().version)
    # The first twenty digits of md5('E23000001|N1').
    assert row["person_id"] == "P99f12a72cfd30fe9bdfd"
    assert row["person_group_id"] == "G99f12a72cfd30fe9bdfd"


def test_linking_says_nothing(
    write_records: WriteRecords, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    link(write_records([{}, {}]), tmp_path / "person_links.parquet")
    assert capfd.readouterr() == ("", "")


def test_the_order_of_the_records_changes_no_byte(nation: LinkedNation, tmp_path: Path) -> None:
    shuffled = tmp_path / "records.parquet"
    pl.read_parquet(nation.records).sample(fraction=1.0, shuffle=True, seed=3).write_parquet(shuffled)
    link(shuffled, tmp_path / "person_links.parquet")
    for name in OUTPUTS:
        written = (tmp_path / f"{name}.parquet").read_bytes()
        assert written == nation.links.with_name(f"{name}.parquet").read_bytes(), name


def test_every_record_has_one_person_within_one_group(nation: LinkedNation) -> None:
    links = pl.read_parquet(nation.links)
    assert links.schema == LINKS_SCHEMA
    assert links["record_id"].to_list() == sorted(pl.read_parquet(nation.records)["record_id"])
    assert links.group_by("person_id").agg(pl.col("person_group_id").n_unique())["person_group_id"].max() == 1
    sizes = links.join(links.group_by("person_id").len("n"), on="person_id")
    assert (sizes["n"] == sizes["n_records"]).all()
    assert links["link_probability"].is_between(0.0, 1.0).all()
    # A record is alone where it has no link, and only there.
    assert (links["link_weight"].is_null() == (links["n_records"] == 1)).all()
    assert (links["withheld"] == (links["withheld_reasons"].list.len() > 0)).all()
    assert links["withheld"].any() and not links["withheld"].all()


def test_evidence_is_a_tree_that_holds_each_person(nation: LinkedNation) -> None:
    evidence = pl.read_parquet(nation.links.with_name("person_evidence.parquet"))
    links = pl.read_parquet(nation.links)
    n_links = evidence.group_by("person_id").agg(
        n=pl.len() + 1, records=pl.concat_list("record_id_l", "record_id_r").explode().n_unique()
    )
    sizes = links.group_by("person_id").len("size").filter(pl.col("size") > 1)
    held = sizes.join(n_links, on="person_id", how="full")
    assert (held["size"] == held["n"]).all() and (held["size"] == held["records"]).all()
    weakest = evidence.group_by("person_id").agg(pl.col("is_weakest").sum(), pl.col("link_weight").min())
    assert (weakest["is_weakest"] == 1).all()
    assert (
        evidence.filter("is_weakest")
        .select("person_id", "link_weight")
        .sort("person_id")
        .equals(weakest.select("person_id", "link_weight").sort("person_id"))
    )


def test_what_the_comparisons_add_is_the_weight(nation: LinkedNation) -> None:
    evidence = pl.read_parquet(nation.links.with_name("person_evidence.parquet")).filter(
        pl.col("veto").is_null()
    )
    prior = read_model().prior_weight(nation.summary.n_records)
    adds = evidence.select(pl.sum_horizontal(pl.col(EVIDENCE).cast(pl.Float64)) + prior).to_series()
    assert evidence.height > 500
    assert (adds - evidence["link_weight"]).abs().max() < 1e-3  # type: ignore[operator]


def test_pairs_to_review_are_of_two_people(nation: LinkedNation) -> None:
    pairs = pl.read_parquet(nation.links.with_name("person_review_pairs.parquet"))
    person_of = dict(pl.read_parquet(nation.links).select("record_id", "person_id").iter_rows())
    thresholds = read_model().thresholds
    assert pairs.height > 10
    assert all(
        person_of[one] != person_of[other] for one, other in pairs.select("record_id_l", "record_id_r").rows()
    )
    assert pairs.select("record_id_l", "record_id_r").is_unique().all()
    assert (pairs["record_id_l"] < pairs["record_id_r"]).all()
    in_band = pairs["guarded_weight"] >= thresholds.review
    assert (in_band | (pairs["match_weight"] >= thresholds.person_group)).all()
    assert pairs["probability"].is_between(0.0, 1.0).all()


def test_the_summary_counts_what_was_written(nation: LinkedNation) -> None:
    links, summary = pl.read_parquet(nation.links), nation.summary
    assert summary.n_records == summary.n_changed == summary.n_built_again == links.height
    assert summary.n_persons == links["person_id"].n_unique()
    assert summary.n_withheld == links.filter("withheld")["person_id"].n_unique()
    by_reason = links.explode("withheld_reasons").drop_nulls("withheld_reasons")
    reasons = by_reason.group_by("withheld_reasons").agg(pl.col("person_id").n_unique())
    assert summary.n_withheld_by_reason == dict(reasons.iter_rows())
    assert summary.n_events == {"create": links.height}
    assert summary.model_version == read_model().version
    assert {"clean", "score", "resolve", "write"} <= summary.seconds.keys()


def test_probability_runs_along_the_calibrated_line() -> None:
    def at(weight: float, *points: list[float]) -> float:
        [(found,)] = open_connection().execute(f"SELECT {probability_sql(f'({weight})', points)}").fetchall()
        return float(found)

    line = [0.0, 0.2], [10.0, 0.6], [20.0, 0.9]
    assert [at(weight, *line) for weight in (-5, 0, 10, 15, 20, 99)] == pytest.approx(
        [0.2, 0.2, 0.6, 0.75, 0.9, 0.9]
    )
    # Without one, as the model claims: even odds at no bits.
    assert [at(weight) for weight in (0, 1)] == pytest.approx([0.5, 2 / 3])
