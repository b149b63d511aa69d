"""What the tests of linkage share: writing a few records, and a nation linked once with the shipped model."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from assets.linkage.linker import LinkSummary, link
from data_contracts.synthetic.nominals import write_nominals
from tests.assets.linkage.histories import History, Row, dense_rows, life, live, write_rows

WriteRecords = Callable[[Iterable[Row]], Path]


@dataclass(frozen=True)
class LinkedNation:
    """Records, and what linking them gave; `people` are the links with the truth (true_person_id, planted_group, ...)."""

    records: Path
    links: Path
    index: Path
    summary: LinkSummary
    people: pl.DataFrame


@pytest.fixture(scope="session")
def nation(tmp_path_factory: pytest.TempPathFactory) -> LinkedNation:
    folder = tmp_path_factory.mktemp("nation")
    written = write_nominals(folder, n_nominals=3000, seed=7)
    [records] = written.records
    links, index = folder / "linked" / "person_links.parquet", folder / "index.duckdb"
    summary = link(records, links, keep=index)
    people = pl.read_parquet(links).join(pl.read_parquet(written.truth), on="record_id")
    return LinkedNation(records, links, index, summary, people)


@pytest.fixture(
    scope="session",
    params=[11, pytest.param(12, marks=pytest.mark.heavy), pytest.param(13, marks=pytest.mark.heavy)],
)
def lived(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> History:
    """A dense little nation after four months in which everything happened."""
    folder = tmp_path_factory.mktemp("lived")
    pool = dense_rows(folder, seed=request.param, n_records=120)
    return live(History(folder), pool, life(request.param))


@pytest.fixture
def write_records(tmp_path: Path) -> WriteRecords:
    """Write records of which only what matters is said; the rest is that of one ordinary man."""
    return lambda rows: write_rows(rows, tmp_path / "records.parquet")
