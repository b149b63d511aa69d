"""The figures a force signs off: its rows of a release's statistics, and the digest they are known by.

Light to import: who signs reads a release by this alone.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import polars as pl

FIGURES = "statistical/national_statistics.parquet"


def figures_of(release: Path, force_code: str) -> pl.DataFrame:
    """A force's figures in a release, in the order of all their columns. Raises FileNotFoundError."""
    path = release / FIGURES
    if not path.is_file():
        raise FileNotFoundError(f"{release.name} holds no {FIGURES}")
    rows = pl.scan_parquet(path).filter(pl.col("force_code") == force_code).collect()
    return rows.sort(rows.columns)


def digest(figures: pl.DataFrame) -> str:
    """SHA-256 of figures as text."""
    return hashlib.sha256(figures.write_csv().encode()).hexdigest()
