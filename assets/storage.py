"""Where each station's files lie under the data root.

Belongs here: names of folders and files, and writing a file so that it is whole or not there. Does
not belong here: what is in the files.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from data_contracts.extracts.catalogue import EXTRACTS
from data_contracts.findings import no_findings

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


@dataclass(frozen=True)
class Layout:
    """The folders of one data root."""

    root: Path

    @property
    def landing(self) -> Path:
        return self.root / "landing"

    @property
    def submissions(self) -> Path:
        return self.root / "submissions"

    @property
    def receipts(self) -> Path:
        return self.root / "receipts"

    @property
    def returns(self) -> Path:
        return self.root / "returns"

    @property
    def extracts(self) -> Path:
        return self.root / "extracts"

    @property
    def quarantine(self) -> Path:
        return self.root / "quarantine"

    @property
    def findings(self) -> Path:
        return self.root / "findings"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def person_records(self) -> Path:
        return self.root / "standardised" / "std_person_records.parquet"

    @property
    def person_links(self) -> Path:
        return self.root / "linkage" / "person_links.parquet"

    @property
    def warehouse(self) -> Path:
        return self.root / "warehouse" / "vawg.duckdb"

    @property
    def dbt_target(self) -> Path:
        return self.root / "dbt"

    @property
    def releases(self) -> Path:
        return self.root / "releases"

    @property
    def current_release(self) -> Path:
        return self.releases / "current"

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
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / EMPTY).exists():
            write_parquet(empty, folder / EMPTY)


class DataRoot(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The data root as Dagster resource: everything the platform keeps lies under `path`."""

    path: str

    def layout(self) -> Layout:
        return Layout(Path(self.path)).prepare()


def write_whole(path: Path, write: Callable[[Path], Any]) -> Path:
    """Write beside `path` and move there: a reader, or a run after a crash, never meets half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    write(partial)
    partial.replace(path)
    return path


def write_parquet(frame: pl.DataFrame, path: Path) -> Path:
    return write_whole(path, lambda p: frame.write_parquet(p, compression="zstd", statistics=True))


def write_json(content: Any, path: Path) -> Path:
    text = json.dumps(content, indent=2, ensure_ascii=False, default=str) + "\n"
    return write_whole(path, lambda p: p.write_text(text, encoding="utf-8"))
