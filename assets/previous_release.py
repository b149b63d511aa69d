"""The release of the month before as it was published: found, and laid beside the run's other inputs.

Movers on the list, revisions of the statistics and trends of the scorecards are measured against what was released and not against what would be
computed for that month today. Does not belong here: what moved and why (dbt).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from assets.encryption import add_key, read_options
from assets.storage import write_parquet, write_whole
from data_contracts.submission import sha256_of

RELEASE_FILE = "previous_release.parquet"
RELEASE_SCHEMA: dict[str, pl.DataType] = {
    "release_id": pl.String(),
    "period": pl.Date(),
    "as_of": pl.Datetime("us"),
    "ranked_at": pl.Datetime("us"),
}
# What movers, revisions and trends need of each mart, by its type. A column that a release of older code does not have is null.
PREVIOUS_MARTS: dict[str, dict[str, str]] = {
    "ranked_perpetrators": {
        "person_id": "varchar",
        "list_status": "varchar",
        "status_reason": "varchar",
        "national_rank": "bigint",
        "owner_force_code": "varchar",
        "force_rank": "bigint",
        "list_scope_code": "varchar",
        "list_place": "bigint",
        "score": "decimal(28, 12)",
        "n_incidents": "bigint",
        "n_non_crime_incidents": "bigint",
        "n_victims": "bigint",
        "parameters_version": "varchar",
        "weights_version": "varchar",
    },
    "ranked_perpetrator_offences": {
        "person_id": "varchar",
        "offence_id": "varchar",
        "record_id": "varchar",
        "offence_code": "varchar",
        "reported_at": "timestamp",
        "age_days": "double",
        "severity_days": "double",
        "decay": "double",
        "outcome_weight": "bigint",
        "link_probability": "double",
        "is_in_window": "boolean",
        "is_counted": "boolean",
        "victim_ids": "varchar[]",
    },
    "offence_scope_states": {
        "offence_id": "varchar",
        "force_code": "varchar",
        "recorded_month": "date",
        "offence_code": "varchar",
        "is_counted": "boolean",
        "definitions": "varchar",
        "threats": "varchar",
        "definition_versions": "varchar",
    },
    "data_quality_counts": {
        "force_code": "varchar",
        "period": "date",
        "check_id": "varchar",
        "n_checked": "bigint",
        "n_passed": "bigint",
    },
}
# Without these a release has no list to compare with. Of the others it may have none: then there are no rows.
LIST_MARTS = frozenset({"ranked_perpetrators", "ranked_perpetrator_offences"})


class PreviousReleaseUnreadable(Exception):
    """The release of the month before is there and cannot be read; the message says what to do."""


@dataclass(frozen=True)
class PreviousRelease:
    """A release of the month before a run's: its folder and what its manifest says of it."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def release_id(self) -> str:
        return str(self.manifest["release_id"])

    @property
    def period(self) -> date:
        return date.fromisoformat(f"{self.manifest['period']}-01")

    @property
    def as_of(self) -> datetime:
        return datetime.fromisoformat(self.manifest["as_of"])

    @property
    def ranked_at(self) -> datetime:
        """Last instant of its month, to which it counted the age of allegations."""
        following = (self.period.replace(day=28) + timedelta(days=7)).replace(day=1)
        return datetime.combine(following, time()) - timedelta(seconds=1)


def find_previous(releases: Path, *, programme: str, period: date, as_of: datetime) -> PreviousRelease | None:
    """The release of the month before `period` that knew most by `as_of`; None where there is none.

    Of several with one knowledge cut (made by other code), the one with the last release_id: an order that does not
    depend on when they were written.
    """
    before = f"{period.replace(day=1) - timedelta(days=1):%Y-%m}"
    found = [
        release
        for release in _published(releases)
        if release.manifest["programme"] == programme
        and release.manifest["period"] == before
        and release.as_of <= as_of
        and release.manifest["marts"].keys() >= LIST_MARTS
    ]
    return max(found, key=lambda r: (r.as_of, r.release_id), default=None)


def find_publication(
    releases: Path, *, programme: str, period: date, as_of: datetime, basis: str
) -> PreviousRelease | None:
    """The release of the latest month before `period` that published figures, that knew most by `as_of`; None where there is
    none. A month without a release breaks no chain. `basis`: the table that says what was published.
    """
    found = [
        release
        for release in _published(releases)
        if release.manifest["programme"] == programme
        and release.period < period.replace(day=1)
        and release.as_of <= as_of
        and basis in release.manifest["marts"]
    ]
    return max(found, key=lambda r: (r.period, r.as_of, r.release_id), default=None)


def named(releases: Path, release_id: str) -> PreviousRelease:
    """The release of that id. Raises PreviousReleaseUnreadable where there is none."""
    for release in _published(releases):
        if release.release_id == release_id:
            return release
    raise PreviousReleaseUnreadable(f"there is no release {release_id} to compare with; see `vawg releases`")


def _published(releases: Path) -> Iterator[PreviousRelease]:
    """Every whole release; `current` is one of them by another name, and a name with a dot is half written."""
    for folder in sorted(releases.glob("[!.]*")):
        manifest = folder / "manifest.json"
        if not folder.is_symlink() and manifest.is_file():
            yield PreviousRelease(folder, json.loads(manifest.read_text(encoding="utf-8")))


def write_previous(previous: PreviousRelease | None, run: Path, key: str | None = None) -> None:
    """Write what dbt reads of it into `run`, unencrypted as the warehouse is: empty tables where there is none.

    Raises PreviousReleaseUnreadable where a file is not what its manifest says, or is encrypted with another key.
    """
    known = [(previous.release_id, previous.period, previous.as_of, previous.ranked_at)] if previous else []
    write_parquet(pl.DataFrame(known, schema=RELEASE_SCHEMA, orient="row"), run / RELEASE_FILE)
    with duckdb.connect() as connection:
        if previous and key:
            add_key(connection, key)
        for mart, columns in PREVIOUS_MARTS.items():
            there = previous is not None and mart in previous.manifest["marts"]
            rows = _rows(connection, previous, mart, columns) if previous and there else _no_rows(columns)
            write_whole(run / f"previous_{mart}.parquet", partial(_copy, connection, rows))


def _copy(connection: duckdb.DuckDBPyConnection, rows: str, path: Path) -> None:
    connection.execute(f"copy ({rows} order by all) to '{path}' (format parquet, compression zstd)")


def _no_rows(columns: dict[str, str]) -> str:
    nulls = ", ".join(f'cast(null as {kind}) as "{name}"' for name, kind in columns.items())
    return f"select {nulls} where false"


def _rows(
    connection: duckdb.DuckDBPyConnection, previous: PreviousRelease, mart: str, columns: dict[str, str]
) -> str:
    entry = previous.manifest["marts"][mart]
    file = previous.folder / entry["file"]
    if not file.is_file() or sha256_of(file) != entry["sha256"]:
        raise PreviousReleaseUnreadable(
            f"{entry['file']} of release {previous.release_id} is not the file that its manifest names; "
            "restore the release, or move its folder away to run without a list to compare with"
        )
    source = f"read_parquet('{file}'{read_options(encrypted=entry['encrypted'])})"
    try:
        described = connection.execute(f"describe select * from {source}").fetchall()
    except duckdb.Error as error:
        raise PreviousReleaseUnreadable(
            f"release {previous.release_id} is encrypted and the key at hand does not open it; set "
            "VAWG_RELEASE_KEY to the key it was written with"
        ) from error
    there = {row[0] for row in described}
    values = ", ".join(
        f'cast({name if name in there else "null"} as {kind}) as "{name}"' for name, kind in columns.items()
    )
    return f"select {values} from {source}"
