"""The page of the threat assessment: what it says of a threat, what of a force is withheld, and why nothing is forecast."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from assets.forecasts.forecast import NO_FORECASTS
from assets.pages import Edition
from assets.threat_assessment.page import write_threat_assessment
from tests.assets.html_pages import Page
from tests.assets.threat_assessment.assessed import AVON, DYFED, assessment, found, recorded

EDITION = Edition("2026-03_abc", "england_wales", date(2026, 3, 31), "2026-04-12 09:00:00")
PLAIN = re.compile(r"<[^>]+>")


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("pages")
    write_threat_assessment(folder, assessment(), found(), recorded(), EDITION)
    return (folder / "threat_assessment.html").read_text(encoding="utf-8")


def rows_of(text: str, anchor: str) -> list[str]:
    """The rows of the first table after an anchor, as words."""
    part = text[text.index(f'id="{anchor}"') :]
    body = part[part.index("<tbody>") : part.index("</tbody>")]
    return [" ".join(PLAIN.sub(" ", row).split()) for row in body.split("</tr>") if row.strip()]


def test_the_whole_comes_first_then_the_high_harm_threats(text: str) -> None:
    whole, stalking, spiking = rows_of(text, "nation")
    assert whole.startswith("All violence against women and girls 30,001 rising +12% (+8% to +16%) 100.0%")
    assert stalking.startswith("Stalking and harassment (high harm) 14,317")
    assert "moderate forces differ more than crime alone explains" in stalking
    assert "needs 20 crimes a month; there are 4.0" in spiking


def test_a_forecast_stands_with_its_intervals_its_words_and_its_method(text: str) -> None:
    outlook = found().outlook.row(by_predicate=pl.col("force_code") == AVON, named=True)
    said = [
        f"{outlook[c]:,.0f}" for c in ("n_offences_next_year", "lower", "upper", "lower_wide", "upper_wide")
    ]
    stalking, _ = rows_of(text, AVON)
    assert "{} {} to {}; {} to {} ".format(*said) in stalking
    assert stalking.endswith(f"{outlook['in_words']} by {outlook['method']}")
    tested = found().backtest.row(by_predicate=pl.col("scope") == "force", named=True)
    assert any(
        f"1 of forces {tested['relative_error_smoothed']:.1%} {tested['relative_error_naive']:.1%}" in row
        for row in rows_of(text, "backtest")
    )
    assert Page(text).n["figure"] == 2


def test_of_a_force_a_small_number_is_withheld_with_all_that_tells_it(text: str) -> None:
    spiking = rows_of(text, DYFED)[1]
    assert spiking.count("withheld") == 4
    for told in ("3 ", "6,543", "65.4%", "+99%", "crimes a month"):
        assert told not in spiking
    assert rows_of(text, DYFED)[2].startswith("Violence against people who sell sex 0 ")
    # Of the year before alone, the change would tell.
    assert "41 withheld" in rows_of(text, AVON)[1] and "+1,950%" not in text and "+1950%" not in text


def test_what_is_not_forecast_says_why(text: str) -> None:
    stalking = rows_of(text, DYFED)[0]
    assert "none needs 48 months without a gap; there are 40" in stalking
    assert "not known no year before to compare with" in stalking
    assert rows_of(text, "left_out") == [
        "no series 2",
        "needs 20 crimes a month 1",
        "needs 48 months without a gap 1",
        "too few crimes to be shown 1",
    ]


def test_a_young_platform_has_a_page_as_well(tmp_path: Path) -> None:
    nation = assessment().filter(force_code="national").with_columns(n_months=pl.lit(3))
    why = "needs 48 months without a gap; there are 3"
    short = NO_FORECASTS.left_out.clear().vstack(nation.select("force_code", "threat", why=pl.lit(why)))
    nothing = type(NO_FORECASTS)(NO_FORECASTS.months, NO_FORECASTS.outlook, NO_FORECASTS.backtest, short)
    write_threat_assessment(tmp_path, nation, nothing, recorded().clear(), EDITION)
    text = (tmp_path / "threat_assessment.html").read_text(encoding="utf-8")
    assert "They are no whole year" in text and rows_of(text, "left_out") == [
        "needs 48 months without a gap 3"
    ]
    assert 'id="backtest"' not in text and Page(text).n["figure"] == 0


def test_only_known_breaks_between_the_years_are_named(text: str) -> None:
    assert "Domestic abuse marker collected from every force (2015-04-01)." in text


def test_the_page_stands_alone_and_can_be_read_aloud(text: str) -> None:
    read = Page(text)
    assert read.fetched == [] and read.n["h1"] == 1 and read.unlabelled == 0
    assert read.n["table"] == read.n["caption"]
    assert {link for link in read.links if not link.startswith("#")} == {"index.html"}


def test_the_same_tables_give_the_same_bytes(text: str, tmp_path: Path) -> None:
    shuffled = assessment().sample(fraction=1, shuffle=True, seed=3)
    write_threat_assessment(tmp_path, shuffled, found(), recorded(), EDITION)
    assert (tmp_path / "threat_assessment.html").read_text(encoding="utf-8") == text
