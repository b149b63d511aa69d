"""The pages of the scorecards: what a force is told first, what is counted where, and that they can be read by anybody."""

from __future__ import annotations

import re
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from markupsafe import Markup
from playwright.sync_api import Browser as Chromium

from assets.pages import Edition
from assets.scorecards import pages as scorecard_pages
from assets.scorecards.charts import league, shares
from assets.scorecards.pages import write_scorecards
from tests.assets.html_pages import Page
from tests.hub.test_accessibility import violations

AVON, DYFED, GWENT = "E23000036", "W15000004", "W15000002"
EDITION = Edition("2026-03_abc", "england_wales", date(2026, 3, 1), "2026-04-12 09:00:00")
_PLAIN: dict[str, Any] = {
    "period": date(2026, 3, 1),
    "rule": None,
    "severity": None,
    "median_days": None,
    "pass_at": 0.9,
    "attention_at": 0.75,
    "check_status": "live",
    "not_applicable_reason": None,
    "previous_share": None,
    "trend": None,
    "peer_rank": None,
    "n_peers": None,
    "peer_median_share": None,
    "waived_by": None,
    "waived_until": None,
    "waiver_reason": None,
}


def check(force: str, check_id: str, n_passed: int, n_checked: int, status: str, **of: Any) -> dict[str, Any]:
    share = n_passed / n_checked if n_checked else None
    named = {"force_code": force, "check_id": check_id, "title": check_id.replace("_", " ")}
    counted = {"n_checked": n_checked, "n_passed": n_passed, "share": share, "status": status}
    return {**_PLAIN, **named, "dimension": "completeness", "unit": "crime", **counted, **of}


def scorecards() -> pl.DataFrame:
    late = {"dimension": "timeliness", "rule": "recorded_late", "severity": "warning"}
    refused = {"dimension": "consistency", "rule": "recorded_before_reported", "severity": "error"}
    missing = {"not_applicable_reason": "Nothing was sent for the month."}
    rows = [
        check(AVON, "location_known", 95, 100, "pass", trend="better", previous_share=0.8, peer_rank=1, n_peers=2,
              peer_median_share=0.9),
        check(AVON, "relationship_known", 80, 100, "attention", trend="worse", previous_share=0.95),
        check(AVON, "custody_known", 10, 100, "fail", trend="level", previous_share=0.1),
        check(AVON, "domestic_risk_known", 3, 100, "not_graded", check_status="shadow"),
        check(AVON, "rule:offences:recorded_late", 900, 1000, "fail", **late),
        check(AVON, "rule:offences:recorded_before_reported", 999, 1000, "pass", **refused,
              waived_by="Head of data <A>", waived_until=date(2026, 6, 30)),
        check(DYFED, "location_known", 85, 100, "attention", peer_rank=2, n_peers=2, peer_median_share=0.9),
        check(DYFED, "rule:offences:recorded_late", 999, 1000, "pass", **late),
        check(GWENT, "location_known", 0, 0, "not_submitted", **missing) | {"n_checked": None, "n_passed": None},
    ]  # fmt: skip
    return pl.DataFrame(rows, infer_schema_length=None)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    (folder / "index.html").write_text("the release", encoding="utf-8")
    assert write_scorecards(folder, scorecards(), EDITION) == 4
    return folder / "scorecards"


def text(written: Path, name: str) -> str:
    return (written / f"{name}.html").read_text(encoding="utf-8")


def row_of(page: str, start: str) -> str:
    """The row of a table that begins with these words, without marks."""
    found = next(r for r in re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL) if start in r)
    return " ".join(re.sub(r"<[^>]+>", " ", found).split())


def test_a_rule_is_no_check_of_its_own_in_the_league(written: Path) -> None:
    """Avon: one passed, one wants attention, one failed; the two rules are in none of them."""
    page = text(written, "index")
    assert row_of(page, f'"{AVON}.html"') == "Avon and Somerset over 1.5 million people 1 1 1 33.3% 1 1"
    assert row_of(page, f'"{DYFED}.html"') == "Dyfed-Powys under 700,000 people 0 1 0 0% – –"


def test_who_sent_nothing_comes_last_and_has_a_page(written: Path) -> None:
    page = text(written, "index")
    assert page.index(f'"{AVON}.html"') < page.index(f'"{DYFED}.html"') < page.index(f'"{GWENT}.html"')
    assert "nothing came in" in row_of(page, f'"{GWENT}.html"')
    assert "Nothing was sent for the month." in text(written, GWENT)


def test_failures_come_first_then_attention_then_refused_records(written: Path) -> None:
    page = text(written, AVON)
    first = page[page.index('id="first"') : page.index('id="bands"')]
    titles = re.findall(r'<th scope="row">(.*?)<p>', first)
    assert titles == [
        "rule:offences:recorded late",
        "custody known",
        "relationship known",
        "rule:offences:recorded before reported",
    ]
    assert "domestic risk known" not in first


def test_a_row_says_counts_trend_place_and_peers(written: Path) -> None:
    page = text(written, AVON)
    of_checks = page[page.index('id="completeness"') :]
    assert row_of(of_checks, "location known").endswith("pass 95 100 95% 90% ▲ better from 80% 1 of 2 90%")
    assert row_of(of_checks, "domestic risk known").endswith("not graded 3 100 3% – – – –")
    assert "level" in row_of(of_checks, "custody known")


def test_a_waiver_is_named_with_its_last_day_and_is_text(written: Path) -> None:
    page = text(written, AVON)
    assert "Waived by Head of data &lt;A&gt; until 30 June 2026." in page


def test_waivers_are_shown_whether_or_not_the_rule_found_anything(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    waiver = {
        "force_code": DYFED, "rule": "postcode_area_unknown", "field": None, "owner": "Head of data", "reason": "new system",
        "valid_from": date(2026, 1, 1), "valid_to": date(2026, 3, 31),
    }  # fmt: skip
    over = {**waiver, "rule": "alias_is_empty", "valid_to": date(2026, 2, 28)}
    monkeypatch.setattr(scorecard_pages, "waivers", lambda: pl.DataFrame([waiver, over]))
    write_scorecards(tmp_path, scorecards(), EDITION)
    page = (tmp_path / "scorecards" / f"{DYFED}.html").read_text(encoding="utf-8")
    assert "31 March 2026" in row_of(page, "postcode_area_unknown") and "alias_is_empty" not in page
    assert "no waiver" in (tmp_path / "scorecards" / f"{AVON}.html").read_text(encoding="utf-8")


def test_nothing_is_fetched_everything_linked_is_there_and_headings_are_in_order(written: Path) -> None:
    for path in written.iterdir():
        page = path.read_text(encoding="utf-8")
        read = Page(page)
        assert read.fetched == [] and read.n["h1"] == 1
        assert read.n["table"] == read.n["caption"] > 1 and read.unlabelled == 0
        files = [link.split("#")[0] for link in read.links if not link.startswith("#")]
        assert [f for f in files if not (path.parent / f).resolve().is_file()] == []
        anchors = {link[1:] for link in read.links if link.startswith("#")}
        assert "main" in anchors and anchors <= set(re.findall(r'id="([^"]+)"', page))
        levels = [int(level) for level in re.findall(r"<h([1-6])", page)]
        assert all(after <= before + 1 for before, after in pairwise(levels))


def test_the_same_scorecards_give_the_same_bytes(written: Path, tmp_path: Path) -> None:
    write_scorecards(tmp_path, scorecards().sample(fraction=1, shuffle=True, seed=3), EDITION)
    files = {p.name: p.read_bytes() for p in (tmp_path / "scorecards").iterdir()}
    assert files == {p.name: p.read_bytes() for p in written.iterdir()}


def test_a_band_has_a_shape_and_a_bar_is_as_long_as_its_checks() -> None:
    rows = [r for r in scorecards().to_dicts() if r["status"] in ("pass", "attention", "fail")]
    drawn = shares(rows)
    assert drawn.count("<circle") == 3 + 1  # three rows that pass, and the legend
    assert shares([]) == "" and league([]) == ""
    counted = {"label": "A & B", "n_pass": 3, "n_attention": 1, "n_fail": 0}
    widths = [float(w) for w in re.findall(r'y="-8" width="([\d.]+)"', league([counted]))]
    assert widths == [pytest.approx(3 * widths[1], abs=0.3), widths[1]] and "A &amp; B" in league([counted])


def test_every_number_of_a_page_carries_the_heading_of_its_column(written: Path) -> None:
    """Where rows are stacked, on a phone, the heading beside a cell is all that says what it is."""
    for path in written.iterdir():
        for table in re.findall(r"<thead>.*?</tbody>", path.read_text(encoding="utf-8"), re.DOTALL):
            head, body = table.split("</thead>")
            headings = [Markup(h).striptags() for h in re.findall(r"<th [^>]*>(.*?)</th>", head)]
            for row in re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL):
                cells = re.findall(r'<t[hd][^>]*?(scope="row"|data-label="([^"]*)"|colspan)[^>]*>', row)
                named = [
                    heading if kind != 'scope="row"' else headings[no]
                    for no, (kind, heading) in enumerate(cells)
                ]
                assert named == headings or "nothing came in" in row
                assert row.count("<td") + row.count("<th ") == len(cells)


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["index", AVON])
def test_nothing_of_a_page_lies_beside_a_phone(written: Path, window: Chromium, name: str) -> None:
    """Nothing scrolls sideways at 390 px, neither the page nor a table or chart in it: what fails is in sight."""
    page = window.new_page(viewport={"width": 390, "height": 844})
    page.goto((written / f"{name}.html").as_uri())
    beside = page.evaluate(
        """[...document.querySelectorAll("html, .table, figure")]
           .filter(e => e.scrollWidth > Math.min(e.clientWidth, 390)).map(e => e.outerHTML.slice(0, 90))"""
    )
    assert beside == []
    assert page.locator("figure svg:visible").count() == 1
    page.close()


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["index", AVON])
def test_no_page_breaks_a_rule_of_accessibility(written: Path, tmp_path: Path, name: str) -> None:
    assert violations(text(written, name), tmp_path, of_the_hub=False) == []
