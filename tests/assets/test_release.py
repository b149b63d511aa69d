"""The release: whole or not there, the same for the same inputs, and never half."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from assets import release as station
from assets.release import ReleaseDiffers, sensitivity, write_release
from assets.run_inputs import RunInputs, write
from assets.storage import Layout, write_parquet
from data_contracts.submission import sha256_of
from tests.assets.test_intake import take, tree
from tests.submissions import send


def mart(name: str, release: str | None) -> dict[str, Any]:
    meta = {"release": release} if release else {}
    return {"relation_name": f"marts.{name}", "columns": {"key": {}, "value": {}}, "config": {"meta": meta}}


CATALOGUE = {
    "national_statistics": mart("national_statistics", "statistical"),
    "ranked_perpetrators": mart("ranked_perpetrators", "identifiable"),
}


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path / "root").prepare()
    receipts = tuple(take(layout, send(tmp_path / "out")))
    write(RunInputs("england_wales", date(2026, 2, 1), datetime(2026, 3, 6), receipts), layout)
    write_parquet(pl.DataFrame({"record_id": ["a"], "model_version": ["v1"]}), layout.person_links)
    fill(layout, "(2, 20), (1, 10)")
    return layout


def fill(layout: Layout, values: str, ranked: str = "(1, 1)") -> None:
    layout.warehouse.unlink(missing_ok=True)
    with duckdb.connect(str(layout.warehouse)) as connection:
        connection.execute("create schema marts; create schema codes")
        for table, rows in (("national_statistics", values), ("ranked_perpetrators", ranked)):
            connection.execute(f"create table marts.{table} as select * from (values {rows}) t(key, value)")
        for seed in ("vawg_definitions", "harm_weights", "ranking_parameters"):
            connection.execute(f"create table codes.{seed} as select '1.0' as version")


def test_a_release_holds_what_its_manifest_says(layout: Layout) -> None:
    folder = write_release(layout, CATALOGUE)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert layout.current_release.resolve() == folder.resolve()
    assert set(manifest["marts"]) == set(CATALOGUE)
    for entry in manifest["marts"].values():
        assert sha256_of(folder / entry["file"]) == entry["sha256"]
    assert pl.read_parquet(folder / "statistical" / "national_statistics.parquet")["key"].to_list() == [1, 2]
    assert manifest["coverage"]["forces_in"] == 1 and len(manifest["coverage"]["forces_out"]) == 42
    assert (folder / "pages" / "index.html").read_text().count("national_statistics") == 2


def test_no_path_of_the_machine_is_in_a_release(layout: Layout) -> None:
    folder = write_release(layout, CATALOGUE)
    assert not [name for name, content in tree(folder).items() if str(layout.root).encode() in content]


def test_the_same_inputs_give_the_same_bytes_even_in_another_order(layout: Layout) -> None:
    folder = write_release(layout, CATALOGUE)
    before = tree(folder)
    fill(layout, "(1, 10), (2, 20)")
    assert write_release(layout, CATALOGUE) == folder
    assert tree(folder) == before


def test_other_content_from_the_same_inputs_is_refused_and_the_current_release_stays(layout: Layout) -> None:
    folder = write_release(layout, CATALOGUE)
    before = tree(folder)
    fill(layout, "(1, 10), (2, 21)")
    with pytest.raises(ReleaseDiffers, match=r"national_statistics\.parquet"):
        write_release(layout, CATALOGUE)
    assert tree(folder) == before and layout.current_release.resolve() == folder.resolve()


def test_a_failure_half_way_leaves_the_last_release_current(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = write_release(layout, CATALOGUE)
    monkeypatch.setattr(station, "code_digest", lambda: "other code")

    def fails(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(station, "write_pages", fails)
    with pytest.raises(OSError):
        write_release(layout, CATALOGUE)
    assert layout.current_release.resolve() == first.resolve()
    visible = {p.name for p in layout.releases.iterdir() if not p.name.startswith(".")}
    assert visible == {first.name, "current"}


def test_other_code_is_another_release(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    first = write_release(layout, CATALOGUE)
    monkeypatch.setattr(station, "code_digest", lambda: "other code")
    second = write_release(layout, CATALOGUE)
    assert first != second and first.exists() and layout.current_release.resolve() == second.resolve()


def test_an_empty_list_says_why(layout: Layout) -> None:
    layout.warehouse.unlink()
    fill(layout, "(1, 1)", ranked="(1, 1)")
    with duckdb.connect(str(layout.warehouse)) as connection:
        connection.execute("delete from marts.ranked_perpetrators")
    manifest = json.loads((write_release(layout, CATALOGUE) / "manifest.json").read_text())
    assert any("ranked_perpetrators is empty" in note for note in manifest["notes"])


@pytest.mark.parametrize(
    ("says", "lies_in"),
    [
        ("statistical", "statistical"),
        ("identifiable", "identifiable"),
        (None, "identifiable"),
        ("typo", "identifiable"),
    ],
)
def test_a_mart_that_does_not_say_it_is_statistical_is_identifiable(says: str | None, lies_in: str) -> None:
    assert sensitivity(mart("any", says)) == lies_in


def test_with_a_key_the_identifiable_marts_cannot_be_read_without_it(layout: Layout) -> None:
    key = "0123456789abcdef"
    folder = write_release(layout, CATALOGUE, key)
    secret = folder / "identifiable" / "ranked_perpetrators.parquet"
    assert pl.read_parquet(folder / "statistical" / "national_statistics.parquet").height == 2
    with pytest.raises(duckdb.InvalidInputException, match="encrypted"):
        duckdb.sql(f"select * from '{secret}'").fetchall()
    with duckdb.connect() as reader:
        reader.execute(f"pragma add_parquet_key('release', '{key}')")
        read = f"select * from read_parquet('{secret}', encryption_config={{footer_key: 'release'}})"
        assert reader.execute(read).fetchall() == [(1, 1)]
    assert write_release(layout, CATALOGUE, key) == folder


@pytest.mark.parametrize("key", ["short", "x" * 15 + "'", "ü" * 16 + "' --"])
def test_a_bad_key_is_refused_without_being_repeated(layout: Layout, key: str) -> None:
    with pytest.raises(ValueError, match="letters and digits") as caught:
        write_release(layout, CATALOGUE, key)
    assert key not in str(caught.value)
