"""`vawg explain`: what it prints, and how it refuses."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

from assets.linkage.linker import link
from cli.main import main

ONE, SAME, OTHER = "E23000001|A1", "E23000002|B2", "E23000003|C3"


def vawg(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["explain", *(str(a) for a in arguments)])


@pytest.fixture(scope="module")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root whose index holds three records: two of one man, and his brother."""
    root = tmp_path_factory.mktemp("data")
    records = root / "records.parquet"
    pl.DataFrame(
        {
            "record_id": [ONE, SAME, OTHER],
            "force_code": ["E23000001", "E23000002", "E23000003"],
            "forenames": ["GARETH", "GARETH", "OLIVER"],
            "surname": ["PELLOWSKI"] * 3,
            "date_of_birth": [date(1984, 3, 27), date(1984, 3, 27), date(1986, 9, 2)],
            "sex": ["M"] * 3,
            "postcode": ["NE219QD"] * 3,
            "phone": ["07700900123"] * 3,
        }
    ).write_parquet(records)
    link(records, root / "linkage" / "person_links.parquet", keep=root / "linkage" / "index.duckdb")
    return root


@pytest.fixture
def here(data_root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VAWG_DATA", str(data_root))
    return data_root


def test_a_person_is_explained_from_the_index_of_the_data_root(here: Path) -> None:
    [person_id] = (
        pl.read_parquet(here / "linkage" / "person_links.parquet")
        .filter(pl.col("record_id").is_in([ONE, SAME]))["person_id"]
        .unique()
        .to_list()
    )
    done = vawg(person_id)
    assert done.exit_code == 0
    assert f"Person {person_id} of group" in done.output and f"{ONE} - {SAME}:" in done.output
    assert "PELLOWSKI" not in done.output
    # A record stands for its person.
    assert f"{SAME} is {person_id}" in vawg(SAME).output


def test_a_pair_is_explained_and_drawn(here: Path, tmp_path: Path) -> None:
    page = tmp_path / "pages" / "pair.html"
    done = vawg(ONE, SAME, "--html", page)
    assert done.exit_code == 0 and "Today they are one person." in done.output
    assert "same full name" in done.output and f"Next: open {page}" in done.output
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert "PELLOWSKI" not in done.output + page.read_text(encoding="utf-8")


def test_why_two_are_two(here: Path) -> None:
    done = vawg(ONE, OTHER)
    assert done.exit_code == 0 and "Today they are two persons." in done.output
    assert "Guard: The forenames differ" in done.output


def test_values_are_shown_where_asked(here: Path) -> None:
    done = vawg(ONE, SAME, "--values")
    assert done.exit_code == 0 and done.output.count("PELLOWSKI") == 2 and "(personal)" in done.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((ONE, "E23000001|NOBODY"), "the index knows no record"),
        (("P00000000000000000000",), "no person ever bore the id"),
        ((ONE, ONE), "two different records"),
        ((ONE, SAME, OTHER), "one person, or two different records"),
        ((ONE, "--html", "pair.html"), "--html draws a pair"),
        ((ONE, SAME, "--index", "none.duckdb"), "there is no standing index at none.duckdb"),
        ((ONE, SAME, "--model", "none.json"), "there is no model at none.json"),
    ],
)
def test_what_cannot_be_explained_is_2(here: Path, arguments: tuple[str, ...], message: str) -> None:
    done = vawg(*arguments)
    assert done.exit_code == 2 and message in done.output and "Traceback" not in done.output


def test_a_file_that_is_no_model_is_2(here: Path, tmp_path: Path) -> None:
    model = tmp_path / "model.json"
    for content in ("not json", "{}"):
        model.write_text(content, encoding="utf-8")
        done = vawg(ONE, SAME, "--model", model)
        assert done.exit_code == 2 and "is not a linkage model" in done.output


def test_a_data_root_without_an_index_is_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAWG_DATA", str(tmp_path))
    done = vawg(ONE)
    assert done.exit_code == 2 and "`vawg run` makes one" in done.output
