"""Names of the folders and files under the data root. Imports nothing heavy: commands that run no job read by these alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Paths:
    """Where each station's files lie under one data root."""

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
    def measures(self) -> Path:
        return self.root / "measures"

    @property
    def ledgers(self) -> Path:
        return self.root / "ledgers"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def text_signs(self) -> Path:
        return self.root / "text_signs" / "text_signs.parquet"

    @property
    def person_records(self) -> Path:
        return self.root / "standardised" / "std_person_records.parquet"

    @property
    def linkage(self) -> Path:
        return self.root / "linkage"

    @property
    def person_links(self) -> Path:
        return self.linkage / "person_links.parquet"

    @property
    def person_relink(self) -> Path:
        return self.linkage / "relink" / "person_links.parquet"

    @property
    def person_ledger(self) -> Path:
        return self.linkage / "person_ledger.parquet"

    @property
    def decisions(self) -> Path:
        return self.root / "decisions.sqlite"

    @property
    def clerical_flags(self) -> Path:
        return self.root / "clerical_flags.csv"

    @property
    def seals(self) -> Path:
        return self.root / "seals"

    @property
    def warehouse(self) -> Path:
        return self.root / "warehouse" / "vawg.duckdb"

    @property
    def dbt_target(self) -> Path:
        return self.root / "dbt"

    @property
    def monitoring(self) -> Path:
        return self.root / "monitoring"

    @property
    def forecasts(self) -> Path:
        return self.root / "forecasts"

    @property
    def releases(self) -> Path:
        return self.root / "releases"

    @property
    def current_release(self) -> Path:
        return self.releases / "current"
