"""One small nation for all tests of the generator: written once, never changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from data_contracts.synthetic.nation import write_nation

# Four record systems, both file formats, and neighbours that share travellers.
FORCES = ("E23000036", "E23000033", "E23000037", "E23000006", "E23000005")
FIRST = date(2026, 1, 1)
# Seeds under which forces send a month late, twice, and as a nil return in error.
CLEAN_SEED, FAULTY_SEED = 8, 8


@pytest.fixture(scope="session")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three months of five forces without planted faults and with every marker set."""
    folder = tmp_path_factory.mktemp("clean")
    write_nation(
        folder,
        seed=CLEAN_SEED,
        scale=0.06,
        first_period=FIRST,
        n_months=3,
        fault_share=0,
        flag_error_share=0,
        forces=FORCES,
    )
    return folder


@pytest.fixture(scope="session")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two months of three forces with very many planted faults and the usual missed markers."""
    folder = tmp_path_factory.mktemp("faulty")
    write_nation(
        folder,
        seed=FAULTY_SEED,
        scale=0.06,
        first_period=FIRST,
        n_months=2,
        fault_share=0.4,
        forces=[FORCES[0], FORCES[1], FORCES[3]],
    )
    return folder


@pytest.fixture(scope="session")
def read() -> Callable[[Path, str], pl.DataFrame]:
    """Every sent row of one extract as text, with `force_code`, `period` (YYYY-MM) and `sequence` of its submission.

    In order of force, period and sequence, which is the order of extraction within a force.
    """

    def rows(folder: Path, extract: str) -> pl.DataFrame:
        parts = []
        for file in sorted(folder.glob(f"submissions/*/{extract}.*")):
            frame = (
                pl.read_parquet(file) if file.suffix == ".parquet" else pl.read_csv(file, infer_schema=False)
            )
            force, period, sequence = file.parent.name.split("_")
            stamps = [c for c, t in frame.schema.items() if isinstance(t, pl.Datetime)]
            parts.append(
                frame.with_columns(pl.col(stamps).dt.strftime("%Y-%m-%dT%H:%M:%S"))
                .cast(pl.String)
                .with_columns(force_code=pl.lit(force), period=pl.lit(period), sequence=pl.lit(sequence))
            )
        return pl.concat(parts)

    return rows
