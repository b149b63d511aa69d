"""The list of the month before: which release it is, and that it is read whole or refused."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from assets.encryption import add_key
from assets.previous_release import (
    LIST_MARTS,
    PREVIOUS_MARTS,
    RELEASE_FILE,
    RELEASE_SCHEMA,
    PreviousReleaseUnreadable,
    find_previous,
    find_publication,
    write_previous,
)
from data_contracts.submission import sha256_of

KEY = "0123456789abcdef"
MARCH, AS_OF = date(2026, 3, 1), datetime(2026, 4, 5)


def publish(
    releases: Path,
    release_id: str,
    *,
    as_of: datetime = datetime(2026, 3, 5),
    key: str | None = None,
    marts: tuple[str, ...] = tuple(PREVIOUS_MARTS),
    **says: Any,
) -> Path:
    """Write a release of one person with one allegation, by a code that knew fewer columns than today's."""
    folder = releases / release_id
    (folder / "identifiable").mkdir(parents=True)
    held = {}
    with duckdb.connect() as connection:
        if key:
            add_key(connection, key)
        for mart in marts:
            path = folder / "identifiable" / f"{mart}.parquet"
            options = ", encryption_config {footer_key: 'release'}" if key else ""
            connection.execute(
                f"copy (select 'P' as person_id, 'O' as offence_id, 'C' as check_id, 4.5 as score) to '{path}' (format parquet{options})"
            )
            held[mart] = {
                "file": f"identifiable/{mart}.parquet",
                "encrypted": bool(key),
                "sha256": sha256_of(path),
            }
    known = {"release_id": release_id, "programme": "england_wales", "period": "2026-02", "as_of": as_of}
    (folder / "manifest.json").write_text(json.dumps(known | {"marts": held} | says, default=str))
    return folder


def found(releases: Path, **where: Any) -> str | None:
    asked = {"programme": "england_wales", "period": MARCH, "as_of": AS_OF} | where
    release = find_previous(releases, **asked)
    return release.release_id if release else None


def test_it_is_the_release_of_the_month_before_that_knew_most_by_then(tmp_path: Path) -> None:
    publish(tmp_path, "2026-02_a", as_of=datetime(2026, 3, 5))
    publish(tmp_path, "2026-02_b", as_of=datetime(2026, 4, 5))
    publish(tmp_path, "2026-02_c", as_of=datetime(2026, 4, 5, 0, 0, 1))
    publish(tmp_path, "2026-01_a", period="2026-01")
    publish(tmp_path, "2026-02_other", programme="nibrs_mn2018")
    publish(tmp_path, "2026-02_without", as_of=AS_OF, marts=("ranked_perpetrators",))
    publish(tmp_path, ".2026-02_z.partial", as_of=AS_OF)
    (tmp_path / "current").symlink_to("2026-02_c", target_is_directory=True)
    assert found(tmp_path) == "2026-02_b"
    assert found(tmp_path, as_of=datetime(2026, 4, 1)) == "2026-02_a"
    assert found(tmp_path, period=date(2026, 2, 1)) == "2026-01_a"
    assert found(tmp_path, period=date(2026, 4, 1)) is None
    assert found(tmp_path, as_of=datetime(2026, 1, 1)) is None
    assert found(tmp_path / "no such folder") is None


def test_of_two_that_knew_the_same_it_is_always_the_same_one(tmp_path: Path) -> None:
    for release_id in ("2026-02_b", "2026-02_c", "2026-02_a"):
        publish(tmp_path, release_id)
    assert found(tmp_path) == "2026-02_c"


@pytest.mark.parametrize("key", [None, KEY])
def test_what_dbt_reads_is_laid_out_whatever_the_release_knew(tmp_path: Path, key: str | None) -> None:
    publish(tmp_path / "releases", "2026-02_a", key=key)
    previous = find_previous(tmp_path / "releases", programme="england_wales", period=MARCH, as_of=AS_OF)
    write_previous(previous, tmp_path / "run", key)
    for mart, columns in PREVIOUS_MARTS.items():
        rows = pl.read_parquet(tmp_path / "run" / f"previous_{mart}.parquet")
        assert rows.columns == list(columns)
        key_column = next(c for c in ("offence_id", "person_id", "check_id") if c in columns)
        assert rows[key_column].to_list()[0] in ("P", "O", "C")
    release = pl.read_parquet(tmp_path / "run" / RELEASE_FILE)
    assert release.schema == RELEASE_SCHEMA
    assert release["ranked_at"].to_list() == [datetime(2026, 2, 28, 23, 59, 59)]


def test_a_release_of_before_states_were_kept_is_still_a_list_to_compare_with(tmp_path: Path) -> None:
    publish(tmp_path / "releases", "2026-02_a", marts=tuple(sorted(LIST_MARTS)))
    previous = find_previous(tmp_path / "releases", programme="england_wales", period=MARCH, as_of=AS_OF)
    write_previous(previous, tmp_path / "run")
    assert pl.read_parquet(tmp_path / "run" / "previous_ranked_perpetrators.parquet").height == 1
    assert pl.read_parquet(tmp_path / "run" / "previous_offence_scope_states.parquet").height == 0


def test_without_one_there_are_tables_without_rows(tmp_path: Path) -> None:
    write_previous(None, tmp_path)
    assert pl.read_parquet(tmp_path / RELEASE_FILE).schema == RELEASE_SCHEMA
    for mart, columns in PREVIOUS_MARTS.items():
        rows = pl.read_parquet(tmp_path / f"previous_{mart}.parquet")
        assert (rows.columns, rows.height) == (list(columns), 0)


@pytest.mark.parametrize("key", [None, "fedcba9876543210"])
def test_another_key_is_told_apart_from_a_list_that_is_not_there(tmp_path: Path, key: str | None) -> None:
    publish(tmp_path / "releases", "2026-02_a", key=KEY)
    previous = find_previous(tmp_path / "releases", programme="england_wales", period=MARCH, as_of=AS_OF)
    with pytest.raises(PreviousReleaseUnreadable, match="VAWG_RELEASE_KEY"):
        write_previous(previous, tmp_path / "run", key)


def test_a_release_that_was_changed_is_refused(tmp_path: Path) -> None:
    folder = publish(tmp_path / "releases", "2026-02_a")
    duckdb.sql(
        f"copy (select 'Q' as person_id) to '{folder / 'identifiable' / 'ranked_perpetrators.parquet'}'"
    )
    previous = find_previous(tmp_path / "releases", programme="england_wales", period=MARCH, as_of=AS_OF)
    with pytest.raises(PreviousReleaseUnreadable, match="restore the release"):
        write_previous(previous, tmp_path / "run")


def test_publications_are_measured_against_the_latest_whatever_its_month(tmp_path: Path) -> None:
    """A month without a release breaks no chain; what is known later, or published nothing, is none of it."""

    def against(**where: Any) -> str | None:
        asked = {"programme": "england_wales", "period": MARCH, "as_of": AS_OF, "basis": "publication_basis"}
        release = find_publication(tmp_path, **(asked | where))
        return release.release_id if release else None

    assert against() is None
    basis = ("publication_basis",)
    publish(tmp_path, "2025-11_a", period="2025-11", marts=basis)
    publish(tmp_path, "2025-12_a", period="2025-12", marts=basis)
    publish(tmp_path, "2026-01_a", period="2026-01", marts=("ranked_perpetrators",))
    publish(tmp_path, "2026-02_a", as_of=datetime(2026, 4, 6), marts=basis)
    publish(tmp_path, "2026-03_a", period="2026-03", marts=basis)
    publish(tmp_path, "2026-01_b", period="2026-01", marts=basis, programme="us_nibrs")
    assert against() == "2025-12_a"
    assert against(as_of=datetime(2026, 4, 6)) == "2026-02_a"
