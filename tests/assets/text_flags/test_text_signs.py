"""The station: a text is read once, whenever and with whom it comes."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from assets.storage import Layout, write_parquet
from assets.text_flags import text_signs
from assets.text_flags.text_signs import write_text_signs

SAID, DENIED = "He strangled her.", "She was not strangled."


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path).prepare()
    for name, texts in (("S1", [SAID, DENIED, None, SAID]), ("S2", [SAID, "Threats by WhatsApp."])):
        write_parquet(
            pl.DataFrame({"modus_operandi": texts}), layout.extracts / "offences" / f"{name}.parquet"
        )
    return layout


def test_a_month_reads_what_is_new(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    assert write_text_signs(layout, ["S1"]) == {"n_new_texts": 2, "n_signs": 1}
    assert write_text_signs(layout, ["S1", "S2"]) == {"n_new_texts": 1, "n_signs": 2}
    monkeypatch.setattr(text_signs, "signs", lambda _: pytest.fail("a text was read twice"))
    assert write_text_signs(layout, ["S1", "S2"]) == {"n_new_texts": 0, "n_signs": 2}


def test_the_order_of_months_does_not_matter(layout: Layout, tmp_path: Path) -> None:
    write_text_signs(layout, ["S2"])
    write_text_signs(layout, ["S1", "S2"])
    first = pl.read_parquet(layout.text_signs)
    other = Layout(tmp_path / "other").prepare()
    for path in (layout.extracts / "offences").glob("S*.parquet"):
        write_parquet(pl.read_parquet(path), other.extracts / "offences" / path.name)
    write_text_signs(other, ["S1", "S2"])
    assert pl.read_parquet(other.text_signs).equals(first)


def test_no_text_is_written_anywhere(layout: Layout) -> None:
    write_text_signs(layout, ["S1"])
    for path in layout.text_signs.parent.rglob("*.parquet"):
        assert (
            not pl.read_parquet(path)
            .select(pl.col(pl.String).str.contains("her|She").any())
            .row(0)
            .count(True)
        )


def test_without_texts_there_is_a_table(layout: Layout) -> None:
    assert write_text_signs(layout, []) == {"n_new_texts": 0, "n_signs": 0}
    assert pl.read_parquet(layout.text_signs).columns == ["text_hash", "sign", "words", "model_version"]
