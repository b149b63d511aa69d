"""What the tests of linkage share: a nation of nominals, linked once with the shipped model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from assets.linkage.linker import LinkSummary, link
from tests.assets.linkage.nominals import write_nominals

RECORD_SCHEMA: dict[str, Any] = {
    "record_id": pl.String,
    "force_code": pl.String,
    "person_ref": pl.String,
    "forename_1": pl.String,
    "forenames": pl.String,
    "surname": pl.String,
    "date_of_birth": pl.Date,
    "sex": pl.String,
    "postcode": pl.String,
    "postcode_district": pl.String,
    "pnc_id": pl.String,
    "cro_number": pl.String,
    "phone": pl.String,
    "alias_full_names": pl.List(pl.String),
    "alias_surnames": pl.List(pl.String),
    "alias_dates_of_birth": pl.List(pl.Date),
}

WriteRecords = Callable[[list[dict[str, Any]]], Path]


@dataclass(frozen=True)
class LinkedNation:
    """Records, the truth about them, and what linking them gave."""

    records: Path
    links: Path
    pairs: Path
    summary: LinkSummary
    people: pl.DataFrame


@pytest.fixture(scope="session")
def nation(tmp_path_factory: pytest.TempPathFactory) -> LinkedNation:
    folder = tmp_path_factory.mktemp("nation")
    records, truth = write_nominals(folder, n_persons=2500, seed=7)
    links = folder / "person_links.parquet"
    summary = link(records, links)
    people = pl.read_parquet(links).join(pl.read_parquet(truth), on="record_id")
    return LinkedNation(records, links, folder / "person_pairs.parquet", summary, people)


@pytest.fixture
def write_records(tmp_path: Path) -> WriteRecords:
    """Write records of which only what matters is said; the rest is that of one ordinary man."""

    def write(rows: list[dict[str, Any]]) -> Path:
        ordinary = {
            "forename_1": "GARETH",
            "surname": "PELLOWSKI",
            "date_of_birth": date(1984, 3, 27),
            "sex": "M",
            "postcode": "NE219QD",
            "postcode_district": "NE21",
            "alias_full_names": [],
            "alias_surnames": [],
            "alias_dates_of_birth": [],
        }
        filled = [{"record_id": f"F|{number}", **ordinary, **row} for number, row in enumerate(rows)]
        for row in filled:
            row.setdefault("forenames", row["forename_1"])
        path = tmp_path / "std_person_records.parquet"
        pl.DataFrame(filled, schema=RECORD_SCHEMA).write_parquet(path)
        return path

    return write
