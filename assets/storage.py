"""The data root: making its folders (named in `paths.py`), and writing a file so that it is whole or not there.

Does not belong here: what is in the files.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from assets.linkage.model import MODEL
from assets.paths import Paths
from data_contracts.extracts.catalogue import EXTRACTS
from data_contracts.findings import no_findings
from decisions.store import Store, open_store, sqlite_url

# What intake puts before the contract's columns in every accepted extract.
PROVENANCE: dict[str, pl.DataType] = {
    "submission_id": pl.String(),
    "force_code": pl.String(),
    "period": pl.Date(),
    "sequence": pl.Int64(),
    "extracted_at": pl.Datetime("us"),
    "row_number": pl.Int64(),
}

# In every folder of tables: the same columns and no row.
EMPTY = "_empty.parquet"


class Layout(Paths):
    """The folders of one data root, and making them."""

    def prepare(self) -> Layout:
        """Make the folders, and an empty file per table so that a month without rows is still a table."""
        for folder in (
            self.landing,
            self.submissions,
            self.receipts,
            self.returns,
            self.quarantine,
            self.run,
            self.dbt_target,
        ):
            folder.mkdir(parents=True, exist_ok=True)
        for folder in (self.person_records, self.person_links, self.warehouse):
            folder.parent.mkdir(parents=True, exist_ok=True)
        for name, spec in EXTRACTS.items():
            self._prepare_table(self.extracts / name, pl.DataFrame(schema=PROVENANCE | spec.schema))
        self._prepare_table(self.findings, no_findings())
        return self

    @staticmethod
    def _prepare_table(folder: Path, empty: pl.DataFrame) -> None:
        """A table without rows, so that every column is there from the first: made anew when the contract got another one."""
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / EMPTY).exists() or pl.read_parquet_schema(folder / EMPTY) != empty.schema:
            write_parquet(empty, folder / EMPTY)


class DataRoot(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The data root as Dagster resource: everything the platform keeps lies under `path`, but for the decisions where
    `decisions_url` (SQLAlchemy's form) names a database of their own. `linkage_model`: the file of the model in force.
    """

    path: str
    decisions_url: str | None = None
    linkage_model: str | None = None

    def layout(self) -> Layout:
        return Layout(Path(self.path)).prepare()

    def model(self) -> Path:
        """The linkage model in force: the shipped one where none is named."""
        return Path(self.linkage_model) if self.linkage_model else MODEL

    def decisions(self) -> Store:
        """The store of decisions. Raises as `open_store`."""
        return open_store(self.decisions_url or sqlite_url(Layout(Path(self.path)).decisions))


def write_whole(path: Path, write: Callable[[Path], Any]) -> Path:
    """Write beside `path` and move there: a reader, or a run after a crash, never meets half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    write(partial)
    partial.replace(path)
    return path


def write_folder(folder: Path, write: Callable[[Path], Any]) -> Path:
    """Write a folder beside `folder` and put it in its place: a file of the last month never stands among those of this one."""
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    write(partial)
    shutil.rmtree(folder, ignore_errors=True)
    return partial.rename(folder)


def write_parquet(frame: pl.DataFrame, path: Path) -> Path:
    return write_whole(path, lambda p: frame.write_parquet(p, compression="zstd", statistics=True))


def write_json(content: Any, path: Path) -> Path:
    text = json.dumps(content, indent=2, ensure_ascii=False, default=str) + "\n"
    return write_whole(path, lambda p: p.write_text(text, encoding="utf-8"))
