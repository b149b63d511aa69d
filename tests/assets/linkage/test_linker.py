"""Linking files: the shape of what is written, small and empty files, the same bytes twice, and how well it links."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from assets.linkage.linker import link
from assets.linkage.model import read_model
from tests.assets.linkage.conftest import LinkedNation, WriteRecords
from tests.assets.linkage.measures import pair_quality

LINKS_SCHEMA = {
    "record_id": pl.String,
    "person_id": pl.String,
    "person_group_id": pl.String,
    "link_probability": pl.Float64,
    "n_records": pl.Int64,
    "withheld": pl.Boolean,
    "model_version": pl.String,
}


def linked(records: Path) -> pl.DataFrame:
    out = records.with_name("person_links.parquet")
    link(records, out)
    return pl.read_parquet(out)


def test_no_records_give_a_file_with_no_links(write_records: WriteRecords, tmp_path: Path) -> None:
    summary = link(write_records([]), tmp_path / "person_links.parquet")
    assert pl.read_parquet_schema(tmp_path / "person_links.parquet") == LINKS_SCHEMA
    assert pl.read_parquet(tmp_path / "person_pairs.parquet").height == 0
    assert (summary.n_records, summary.n_pairs, summary.n_persons, summary.n_withheld) == (0, 0, 0, 0)


def test_one_record_certainly_belongs_to_itself(write_records: WriteRecords) -> None:
    [row] = linked(write_records([{"record_id": "E23000001|N1"}])).iter_rows(named=True)
    assert row["link_probability"] == 1.0
    assert (row["n_records"], row["withheld"], row["model_version"]) == (1, False, read_model().version)
    # 'P' and the first twenty digits of md5('E23000001|N1').
    assert row["person_id"] == "P99f12a72cfd30fe9bdfd"


def test_strangers_stay_alone(write_records: WriteRecords) -> None:
    rows = [
        {"forename_1": f"NAME{'ABCDEFGHIJ'[number]}", "surname": f"{'KLMNOPQRST'[number]}OTHER",
         "date_of_birth": date(1950 + number, 1 + number, 1), "postcode": None, "postcode_district": None}
        for number in range(10)
    ]  # fmt: skip
    assert linked(write_records(rows))["person_id"].n_unique() == 10


def test_two_forces_know_one_man(write_records: WriteRecords) -> None:
    number = {"pnc_id": "2003/1234567X"}
    links = linked(write_records([{**number, "forename_1": "GARY"}, {**number, "forename_1": "GARRY"}, {"forename_1": "OLAF",
                                  "surname": "STRANGE", "date_of_birth": date(1960, 1, 2)}]))  # fmt: skip
    assert links["n_records"].to_list() == [2, 2, 1]
    assert links["link_probability"][0] == links["link_probability"][1] > 0.9999


def test_two_pnc_ids_are_two_people_and_the_bridge_is_withheld(write_records: WriteRecords) -> None:
    full = {"phone": "07700900001", "cro_number": None}
    rows = [{**full, "pnc_id": "2003/1A"}, {**full}, {**full, "pnc_id": "2009/2B"}]
    links = linked(write_records(rows))
    assert links["person_id"][0] != links["person_id"][2]
    assert links["person_group_id"][0] != links["person_group_id"][2]
    assert links["withheld"].to_list() == [True, True, True]


def test_a_person_of_two_sexes_is_withheld(write_records: WriteRecords) -> None:
    number = {"pnc_id": "2003/1A", "phone": "07700900001"}
    links = linked(write_records([{**number}, {**number, "sex": "F"}]))
    assert links["person_id"].n_unique() == 1
    assert links["withheld"].all()


def test_twins_at_one_address_are_two_people(write_records: WriteRecords) -> None:
    home = {"phone": "07700900001"}
    links = linked(write_records([{**home, "forename_1": "JASON"}, {**home, "forename_1": "JAXTON"}]))
    assert links["person_group_id"].n_unique() == 2


def test_father_and_son_of_one_name_are_two_people(write_records: WriteRecords) -> None:
    home = {"phone": "07700900001"}
    links = linked(write_records([{**home}, {**home, "date_of_birth": date(1956, 8, 14)}]))
    assert links["person_group_id"].n_unique() == 2


def test_the_order_of_the_records_changes_no_byte(nation: LinkedNation, tmp_path: Path) -> None:
    shuffled = tmp_path / "std_person_records.parquet"
    pl.read_parquet(nation.records).sample(fraction=1.0, shuffle=True, seed=3).write_parquet(shuffled)
    link(shuffled, tmp_path / "person_links.parquet")
    assert (tmp_path / "person_links.parquet").read_bytes() == nation.links.read_bytes()
    assert (tmp_path / "person_pairs.parquet").read_bytes() == nation.pairs.read_bytes()


def test_every_record_has_one_person_within_one_group(nation: LinkedNation) -> None:
    links = pl.read_parquet(nation.links)
    assert links.schema == LINKS_SCHEMA
    assert links["record_id"].to_list() == sorted(pl.read_parquet(nation.records)["record_id"])
    assert links.group_by("person_id").agg(pl.col("person_group_id").n_unique())["person_group_id"].max() == 1
    sizes = links.join(links.group_by("person_id").len("n"), on="person_id")
    assert (sizes["n"] == sizes["n_records"]).all()
    assert links["link_probability"].is_between(0.0, 1.0).all()
    assert links.filter(pl.col("n_records") > 1)["link_probability"].min() > 0.999  # type: ignore[operator]


def test_the_summary_counts_what_was_written(nation: LinkedNation) -> None:
    links, summary = pl.read_parquet(nation.links), nation.summary
    assert summary.n_records == links.height
    assert summary.n_persons == links["person_id"].n_unique()
    assert summary.n_withheld == links.filter("withheld")["person_id"].n_unique()
    assert summary.n_pairs == pl.read_parquet(nation.pairs).height
    assert summary.model_version == read_model().version


def test_pairs_are_written_once_with_their_levels(nation: LinkedNation) -> None:
    pairs = pl.read_parquet(nation.pairs)
    assert (pairs["record_id_l"] < pairs["record_id_r"]).all()
    assert pairs.select("record_id_l", "record_id_r").is_unique().all()
    assert {"gamma_name", "gamma_date_of_birth", "gamma_identifiers", "veto"} <= set(pairs.columns)


def test_strict_persons_are_right_and_most_are_found(nation: LinkedNation) -> None:
    strict = pair_quality(nation.people, found="person_id", truth="person")
    wide = pair_quality(nation.people, found="person_group_id", truth="person")
    assert strict.precision >= 0.999
    assert wide.precision >= 0.995
    assert strict.recall >= 0.58
    assert wide.recall >= 0.72


@pytest.mark.parametrize("kind", ["twin", "father", "namesake"])
def test_planted_relatives_share_no_strict_id(nation: LinkedNation, kind: str) -> None:
    shared = nation.people.group_by("person_id").agg(
        pl.col("person").n_unique().alias("n_people"), (pl.col("kind") == kind).any().alias("planted")
    )
    assert nation.people.filter(pl.col("kind") == kind).height > 10
    assert shared.filter(pl.col("planted") & (pl.col("n_people") > 1)).height == 0


def test_linking_says_nothing(write_records: WriteRecords, capfd: pytest.CaptureFixture[str]) -> None:
    linked(write_records([{"phone": "07700900001"}, {"phone": "07700900001"}]))
    assert capfd.readouterr() == ("", "")
