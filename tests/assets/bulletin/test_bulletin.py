"""The bulletin: what its tables hold and in what order, what a page says where a figure is withheld, and its CSV."""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from assets.bulletin.bulletin import Edition, number, write_bulletin
from assets.bulletin.tables import PLAN, tables
from assets.bulletin.words import words
from assets.forecasts.forecast import NO_OUTLOOK
from tests.assets.bulletin.figures import AVON, DYFED, YEAR_BEFORE, figure, published
from tests.assets.html_pages import Page

EDITION = Edition(
    "2026-03_abc", "england_wales", date(2026, 3, 31), "2026-04-12 09:00:00", ("Rounded to 5.",)
)
OUTLOOK = pl.DataFrame(
    [
        {"force_code": "national", "threat": "all", "n_offences_last_year": 1_187, "n_offences_next_year": 1_312.4, "lower": 1_160.0,
         "upper": 1_460.0, "lower_wide": 1_000.0, "upper_wide": 1_600.0, "probability_of_more": 0.86, "in_words": "highly likely",
         "method": "exponential smoothing"},
    ],
    schema=NO_OUTLOOK.schema,
)  # fmt: skip


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release")
    n = write_bulletin(folder / "pages", folder / "publishable" / "tables", published(), OUTLOOK, EDITION)
    assert n == 3
    return folder


def page(written: Path, name: str = "bulletin.html") -> str:
    return (written / "pages" / name).read_text(encoding="utf-8")


def test_the_whole_comes_first_then_the_largest_and_what_is_withheld_last() -> None:
    (threats,) = [t for t in tables(published(), words()) if t.table_id == "threats"]
    assert threats.rows.select("value_id", "offences").rows() == [
        ("all", 1_205),
        ("stalking_and_harassment", 500),
        ("domestic_abuse", 400),
        ("spiking", None),
    ]
    assert threats.measures == ("offences", "threat_share", "offences_per_1000_women")


def test_ages_are_in_order_of_age() -> None:
    (ages,) = [t for t in tables(published(), words()) if t.table_id == "victims_by_age"]
    assert ages.rows["value_id"].to_list() == ["0-9", "10-15", "unknown"]
    assert ages.rows["label"].to_list()[-1] == "Not known"


def test_a_table_nobody_published_a_figure_of_says_why() -> None:
    for place, full in {
        "national": {"threats", "definitions", "victims_by_age", "forces"},
        DYFED: {"threats", "definitions"},
    }.items():
        made = tables(published(), words(), place)
        assert {t.table_id for t in made if not t.why_empty} == full
        assert all(bool(t.why_empty) != bool(t.measures) for t in made)
    withheld = figure(None, breakdown="location_type", breakdown_value="DWL")
    why = {t.table_id: t.why_empty for t in tables(published(withheld), words())}
    assert "withheld" in why["places"] and "no year of April to March" in why["trend"]
    assert "No figure of this is published" in why["suspects_by_sex"]


def test_a_measure_withheld_as_a_whole_is_named(tmp_path: Path) -> None:
    figures = published(*(figure(None, threat=t, measure="charged_share") for t in ("all", "spiking")))
    write_bulletin(tmp_path / "pages", tmp_path / "tables", figures, NO_OUTLOOK, EDITION)
    label = words().measures["charged_share"].lower()
    assert f"Withheld as a whole: {label}." in (tmp_path / "pages" / "bulletin.html").read_text()


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.0, "0.0"), (0.0098, "0.0098"), (0.00055, "0.00055"), (0.04, "0.04"), (0.1, "0.1"), (2.54, "2.5")],
)
def test_a_small_rate_is_not_said_as_nought(value: float, said: str) -> None:
    assert number(value, "rate") == said


def test_a_year_from_april_bears_both_its_numbers() -> None:
    assert (
        words().row("period", "2019-04-01") == "2019/20" and words().row("period", "2099-04-01") == "2099/00"
    )


def test_every_planned_measure_has_a_label() -> None:
    planned = pl.read_csv(PLAN, infer_schema=False)
    measures = {m for row in planned["measures"] for m in row.split("|")}
    assert measures <= words().measures.keys()


def test_the_page_says_what_happened_and_against_what(written: Path) -> None:
    text = page(written)
    assert "<strong>1,205 crimes</strong>" in text and "+21% against the year before" in text
    assert "withheld" in text and "Rounded to 5." in text
    assert "highly likely" in text and "1,300" in text and "1,312" not in text


def test_a_forecast_goes_on_from_the_published_figure_and_is_withheld_with_it(tmp_path: Path) -> None:
    """The year of the statistics is on no page: 1,187 crimes to the nearest hundred would be 1,200."""
    of_spiking = OUTLOOK.with_columns(pl.lit("spiking").alias("threat"), n_offences_next_year=pl.lit(7_700.0))
    both = pl.concat([OUTLOOK.with_columns(n_offences_last_year=pl.lit(601, pl.Int64)), of_spiking])
    write_bulletin(tmp_path / "pages", tmp_path / "tables", published(), both, EDITION)
    text = page(tmp_path)
    outlook = text[text.index('id="outlook"') : text.index('id="definitions_in_words"')]
    # 1,312.4 of 601, of 1,205 published.
    assert "1,205" in outlook and "2,600" in outlook and "600<" not in outlook
    assert "7,700" not in outlook and "1 forecast is withheld" in outlook


def test_an_interval_is_spoken_of_where_there_is_one(written: Path, tmp_path: Path) -> None:
    without = published().with_columns(pl.lit(None, pl.Float64).alias(end) for end in ("lower", "upper"))
    write_bulletin(tmp_path / "pages", tmp_path / "tables", without, NO_OUTLOOK, EDITION)
    for name in ("bulletin.html", f"forces/{AVON}.html"):
        assert "with 95% interval" in page(written, name)
        assert "with 95% interval" not in page(tmp_path, name)


def test_definitions_are_dated_where_a_dated_document_is_known(written: Path) -> None:
    text = page(written)
    assert "Stated 2023-05. Source: national strategic threat" in text
    assert text.count("Stated 20") == 4


def test_years_of_other_forces_are_not_compared(tmp_path: Path) -> None:
    figures = published().filter(pl.col("period") != YEAR_BEFORE)
    with_one_force = pl.concat([figures, published(figure(500.0, period=YEAR_BEFORE, n_forces=1)).tail(1)])
    write_bulletin(tmp_path / "pages", tmp_path / "tables", with_one_force, NO_OUTLOOK, EDITION)
    text = (tmp_path / "pages" / "bulletin.html").read_text(encoding="utf-8")
    assert "against the year before" not in text and "Nothing is forecast yet" in text


def test_nothing_is_fetched_and_everything_linked_is_there(written: Path) -> None:
    for path in [written / "pages" / "bulletin.html", *(written / "pages" / "forces").iterdir()]:
        read = Page(path.read_text(encoding="utf-8"))
        assert read.fetched == [] and read.n["h1"] == 1
        assert read.n["table"] == read.n["caption"] > 1 and read.unlabelled == 0
        gone = [link for link in read.links if not (path.parent / link).resolve().is_file()]
        assert gone == []
    assert Page(page(written)).n["figure"] == 3


def test_a_force_whose_number_is_withheld_says_so(tmp_path: Path) -> None:
    figures = published().filter(~((pl.col("force_code") == AVON) & (pl.col("measure") == "offences")))
    figures = pl.concat([figures, published(figure(None, force_code=AVON)).tail(1).cast(figures.schema)])
    write_bulletin(tmp_path / "pages", tmp_path / "tables", figures, NO_OUTLOOK, EDITION)
    assert "The number of crimes is withheld" in (tmp_path / "pages" / "forces" / f"{AVON}.html").read_text()


def test_a_table_is_csv_with_what_its_columns_mean(written: Path) -> None:
    folder = written / "publishable" / "tables"
    rows = list(csv.DictReader((folder / "threats.csv").open(encoding="utf-8")))
    one = next(r for r in rows if (r["place_code"], r["row_id"]) == ("national", "domestic_abuse"))
    assert (one["offences"], one["threat_share"], one["threat_share_lower"]) == ("400.0", "0.33", "0.31")
    assert [r["offences"] for r in rows if r["row_id"] == "spiking"] == [""]
    described = json.loads((folder / "threats.csv-metadata.json").read_text(encoding="utf-8"))
    assert [c["name"] for c in described["tableSchema"]["columns"]] == list(rows[0])
    keys = [tuple(r[k] for k in described["tableSchema"]["primaryKey"]) for r in rows]
    assert len(keys) == len(set(keys))


def test_the_same_figures_give_the_same_bytes(written: Path, tmp_path: Path) -> None:
    shuffled = published().sample(fraction=1, shuffle=True, seed=2)
    write_bulletin(tmp_path / "pages", tmp_path / "publishable" / "tables", shuffled, OUTLOOK, EDITION)
    files = {p.relative_to(tmp_path): p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    assert files == {p.relative_to(written): p.read_bytes() for p in written.rglob("*") if p.is_file()}
