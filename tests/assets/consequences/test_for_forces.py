"""What a force is given of the consequences: its own, the weightiest first, and nothing of another force."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

from assets.consequences.consequences import RUN_PARAMETERS, Consequences
from assets.consequences.for_forces import write_for_forces
from assets.storage import Layout, write_parquet
from cli import consequences as command
from cli.main import main
from tests.assets.html_pages import Page
from tests.hub.test_accessibility import violations

AVON, GWENT = "E23000036", "W15000002"
RUN = "2026-03_as_of_20260412T090000"


def row(force: str, defect: str, sentence: str, **counts: int) -> dict[str, Any]:
    moves = [f"n_{m}_{of}" for of in ("national", "scope") for m in ("enter", "leave")]
    named = [
        *moves,
        "n_records",
        "n_figures",
        "n_national_figures",
        "n_become_eligible",
        "n_no_longer_eligible",
    ]
    counted = {name: counts.get(name, 0) for name in named}
    return {"defect_id": defect, "defects_version": "1", "force_code": force, **counted, "sentence": sentence}


FOUND = Consequences(
    pl.DataFrame(
        [
            row(AVON, "many_records", "Many figures <moved>.", n_records=90, n_figures=40),
            row(AVON, "one_person", "One person entered.", n_records=2, n_figures=1, n_enter_scope=1),
            row(AVON, "harmless", "Nothing would change.", n_records=5),
            row(AVON, "force_left_out", "Without Avon.", n_records=500, n_leave_national=3),
            row(GWENT, "many_records", "Gwent alone.", n_records=1, n_no_longer_eligible=1),
        ]
    ),
    pl.DataFrame({"force_code": [AVON]}),
    pl.DataFrame({"force_code": [AVON]}),
)


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    monkeypatch.setenv("VAWG_DATA", str(tmp_path / "root"))
    layout = Layout(tmp_path / "root").prepare()
    run = pl.DataFrame({"period": [date(2026, 3, 1)], "as_of": [datetime(2026, 4, 12, 9)]})
    write_parquet(run, layout.run / RUN_PARAMETERS)
    return layout


def page(layout: Layout, force: str) -> str:
    return (layout.returns / force / "consequences" / f"{RUN}.html").read_text(encoding="utf-8")


def test_a_force_reads_its_own_sentences_those_that_move_people_first(layout: Layout) -> None:
    assert write_for_forces(FOUND, layout) == 2
    said = page(layout, AVON)
    order = ["One person entered.", "Many figures &lt;moved&gt;.", "Without Avon.", "Nothing would change."]
    places = [said.index(sentence) for sentence in order]
    assert places == sorted(places)
    assert "Gwent" not in said and "March 2026" in said
    # To be eligible no longer is an effect, though no list shows it.
    assert "<ol>" in page(layout, GWENT) and 'id="nothing"' not in page(layout, GWENT)
    own = pl.read_csv(layout.returns / AVON / "consequences" / f"{RUN}.csv")
    assert own["force_code"].unique().to_list() == [AVON] and own.height == 4
    read = Page(said)
    assert read.fetched == [] and read.links == [f"{RUN}.csv"] and read.n["h1"] == 1


def test_the_command_tells_the_forces_the_whole_or_nothing(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "find_consequences", lambda *_: FOUND)
    monkeypatch.setattr(command, "_shown", lambda *_: "")
    for part in (["--defect", "flag_missing"], ["--out", str(tmp_path / "out")]):
        done = CliRunner().invoke(main, ["consequences", *part])
        assert done.exit_code == 0 and not list(layout.returns.rglob("*.html")), done.output
    done = CliRunner().invoke(main, ["consequences"])
    assert done.exit_code == 0 and "For each of 2 forces" in done.output
    assert sorted(p.parent.parent.name for p in layout.returns.rglob("*.html")) == [AVON, GWENT]


@pytest.mark.heavy
def test_the_page_breaks_no_rule_of_accessibility(layout: Layout, tmp_path: Path) -> None:
    write_for_forces(FOUND, layout)
    assert violations(page(layout, AVON), tmp_path, of_the_hub=False) == []
