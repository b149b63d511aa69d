"""Whom a review is about, read from the current release and the ledger of person ids: evidence first, the rank apart.

Reads alone. What people then decide is kept in `decisions`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
from duckdb_extensions import import_extension

from assets.linkage.identities import crosswalk_sql, resolution_sql
from assets.linkage.splink_session import open_connection, text_list, text_literal
from assets.paths import Paths
from decisions.review_codes import reviewed_lists
from decisions.review_entries import Subject, shared_offences


class NoSuchSubject(Exception):
    """There is no such person, release or ledger, or it cannot be read; the message says what to do."""


@dataclass(frozen=True)
class Evidence:
    """A person as the current release has them. `allegations`: one mapping a crime, newest first, without any score.

    `listing`: what the lists say, rank and band among it; empty where no list considered the person. `band`: how often people in
    that band come again, or that it is not yet known. Neither is to be shown before a view is recorded.
    """

    subject: Subject
    allegations: tuple[dict[str, Any], ...]
    listing: dict[str, Any]
    band: str = ""

    @property
    def shared_offence_ids(self) -> tuple[str, ...]:
        """Counted crimes of which others are suspected too."""
        return shared_offences(self.allegations)


def evidence_on(paths: Paths, person_id: str, key: str | None = None) -> Evidence:
    """What the current release and the ledger hold of a person, by an id that was ever issued. Raises NoSuchSubject."""
    with _open(paths, key) as (connection, manifest):
        current = resolved(connection, person_id)
        records = connection.execute(
            f"SELECT record_id FROM ({crosswalk_sql('ledger')}) WHERE person_id = {text_literal(current)} ORDER BY 1"
        ).fetchall()
        of_person = f"WHERE person_id = {text_literal(current)}"
        allegations = _rows(
            connection, f"SELECT * FROM offences {of_person} ORDER BY reported_at DESC, offence_id"
        )
        listing = _rows(connection, f"SELECT * FROM listed {of_person} LIMIT 1")
        band = _band(connection, listing[0].get("rank_band") if listing else None)
    counted = tuple(sorted(row["offence_id"] for row in allegations if row["is_counted"]))
    subject = Subject(
        current, tuple(r for (r,) in records), counted, manifest["release_id"], manifest["period"]
    )
    return Evidence(subject, tuple(allegations), listing[0] if listing else {}, band)


def _band(connection: duckdb.DuckDBPyConnection, band: str | None) -> str:
    if band is None:
        return ""
    found = connection.execute("SELECT in_words FROM bands WHERE band = ?", [band]).fetchall()
    return str(found[0][0]) if found else "not yet known: this release was not monitored"


def listed(paths: Paths, force: str | None = None, key: str | None = None) -> dict[str, str]:
    """Person id to owner force of everybody on a list that is reviewed, by id: an order that tells no rank.

    Which lists are: `decisions/codes/review_lists.csv`. Raises NoSuchSubject.
    """
    of_force = f"AND owner_force_code = {text_literal(force)}" if force else ""
    with _open(paths, key) as (connection, manifest):
        reviewed = ", ".join(
            f"({text_literal(kind)}, {text_literal(lens)})"
            for kind, lens in sorted(reviewed_lists(date.fromisoformat(f"{manifest['period']}-01")))
        )
        return dict(
            connection.execute(
                "SELECT DISTINCT person_id, owner_force_code FROM lists "
                f"WHERE (list_kind, lens) IN ({reviewed}) {of_force} ORDER BY person_id"
            ).fetchall()
        )


def persons_of(paths: Paths, record_ids: Iterable[str]) -> dict[str, str]:
    """Nominal to the person who has it today, for those that anybody has. Raises NoSuchSubject."""
    with _ledger(paths) as connection:
        return dict(
            connection.execute(
                f"SELECT record_id, person_id FROM ({crosswalk_sql('ledger')}) "
                f"WHERE record_id IN ({text_list(record_ids) or 'NULL'}) ORDER BY record_id"
            ).fetchall()
        )


def resolved(connection: duckdb.DuckDBPyConnection, person_id: str) -> str:
    """The id of today that an id stands for. Raises NoSuchSubject."""
    found = connection.execute(
        f"SELECT person_id FROM ({resolution_sql('ledger')}) WHERE issued_id = {text_literal(person_id)}"
    ).fetchall()
    if not found:
        raise NoSuchSubject(f"no person ever had the id {person_id}")
    if found[0][0] is None:
        raise NoSuchSubject(f"every record of {person_id} was withdrawn")
    return str(found[0][0])


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    done = connection.execute(query)
    names = [column[0] for column in done.description]
    return [dict(zip(names, row, strict=True)) for row in done.fetchall()]


@contextmanager
def _ledger(paths: Paths) -> Iterator[duckdb.DuckDBPyConnection]:
    if not paths.person_ledger.exists():
        raise NoSuchSubject("no person has an id yet; make a release first with: vawg run")
    with open_connection() as connection:
        connection.execute(f"CREATE VIEW ledger AS FROM read_parquet({text_literal(paths.person_ledger)})")
        yield connection


@contextmanager
def _open(paths: Paths, key: str | None) -> Iterator[tuple[duckdb.DuckDBPyConnection, dict[str, Any]]]:
    """The views `ledger`, `offences`, `listed`, `lists` and `bands`, and the manifest, of the release that is current now."""
    folder = paths.current_release.resolve()
    if not (folder / "manifest.json").exists():
        raise NoSuchSubject("there is no release; make one with: vawg run")
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    with _ledger(paths) as connection:
        if key:
            import_extension("httpfs", con=connection)
            connection.execute("LOAD httpfs")
            connection.execute(f"PRAGMA add_parquet_key('release', {text_literal(key)})")
        marts = {
            "offences": "ranked_perpetrator_offences",
            "listed": "ranked_perpetrators",
            "lists": "perpetrator_lists",
        }
        for view, mart in marts.items():
            held = manifest["marts"][mart]
            if held["encrypted"] and not key:
                raise NoSuchSubject("the release is encrypted; its key belongs in VAWG_RELEASE_KEY")
            _view(connection, view, folder / held["file"], encrypted=held["encrypted"])
        if bands := manifest["marts"].get("monitoring_band_probability"):
            _view(connection, "bands", folder / bands["file"], encrypted=False)
        else:
            connection.execute("CREATE TABLE bands (band VARCHAR, in_words VARCHAR)")
        yield connection, manifest


def _view(connection: duckdb.DuckDBPyConnection, name: str, file: Path, *, encrypted: bool) -> None:
    options = ", encryption_config = {footer_key: 'release'}" if encrypted else ""
    try:
        connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet({text_literal(file)}{options})")
    except duckdb.Error:
        # Not the error itself: it may tell of the key.
        raise NoSuchSubject("the release cannot be read with the key in VAWG_RELEASE_KEY") from None
