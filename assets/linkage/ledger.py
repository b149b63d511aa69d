"""Questions to the ledger of person ids, as the linkage station wrote it: which records a merge moved, whose id changed.

The ledger itself, and what its events mean, is in `identities.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from assets.linkage.identities import crosswalk_sql
from assets.linkage.splink_session import open_connection, text_list, text_literal


class NotInLedger(Exception):
    """The ledger, or what was asked for, is not there; the message says what there is instead."""


@dataclass(frozen=True)
class Merge:
    """One merge. `moved`: the records that went over; `others`: those the person had beside them after that run."""

    run_no: int
    as_of: datetime
    cause: str
    moved: tuple[str, ...]
    others: tuple[str, ...]
    still_together: bool
    """Whether any of `moved` and any of `others` bear one id today."""


@dataclass(frozen=True)
class Change:
    """A record whose id changed. `event`: merge or split; `decision_id` where people caused it."""

    record_id: str
    event: str
    cause: str
    from_person_id: str
    to_person_id: str
    as_of: datetime
    decision_id: str | None


def merged(ledger: Path, person_id: str, retired_id: str) -> Merge:
    """The merge by which `retired_id` went into `person_id`. Raises NotInLedger."""
    with _open(ledger) as connection:
        went = connection.execute(f"""
            SELECT to_person_id, run_no, any_value(as_of), any_value(cause), list(record_id ORDER BY record_id)
            FROM ledger
            WHERE event = 'merge' AND from_person_id = {text_literal(retired_id)}
            GROUP BY to_person_id, run_no
        """).fetchall()
        into = [row for row in went if row[0] == person_id]
        if not into:
            raise NotInLedger(_where_else(connection, person_id, retired_id, [row[0] for row in went]))
        # An id is retired once and never used again.
        [(_, run_no, as_of, cause, moved)] = into
        then = crosswalk_sql(f"(SELECT * FROM ledger WHERE run_no <= {run_no})")
        others = connection.execute(f"""
            SELECT record_id FROM ({then})
            WHERE person_id = {text_literal(person_id)} AND record_id NOT IN ({text_list(moved)})
            ORDER BY record_id
        """).fetchall()
        [(n_shared,)] = connection.execute(f"""
            WITH today AS ({crosswalk_sql("ledger")})
            SELECT count(*) FROM (
                SELECT person_id FROM today WHERE record_id IN ({text_list(moved)})
                INTERSECT
                SELECT person_id FROM today WHERE record_id IN ({text_list(r for (r,) in others) or "NULL"})
            )
        """).fetchall()
    return Merge(
        run_no, as_of, cause, tuple(moved), tuple(record_id for (record_id,) in others), n_shared > 0
    )


def changes_for_force(ledger: Path, force: str, since: datetime | None = None) -> list[Change]:
    """The records of a force whose id was changed by a merge or split at `since` or later, oldest first.

    Raises NotInLedger where there is no ledger.
    """
    from_then = f"AND as_of >= {text_literal(since.isoformat())}" if since else ""
    with _open(ledger) as connection:
        rows = connection.execute(f"""
            SELECT record_id, event, cause, from_person_id, to_person_id, as_of, decision_id
            FROM ledger
            WHERE event IN ('merge', 'split') AND starts_with(record_id, {text_literal(force + "|")}) {from_then}
            ORDER BY run_no, record_id
        """).fetchall()
    return [Change(*row) for row in rows]


def never_linked(ledger: Path, record_ids: Iterable[str]) -> list[str]:
    """Those of `record_ids` that never had a person id, sorted. Raises NotInLedger where there is no ledger."""
    asked = text_list(record_ids)
    with _open(ledger) as connection:
        rows = connection.execute(f"""
            SELECT record_id FROM (SELECT unnest([{asked}]::VARCHAR[]) AS record_id)
            EXCEPT SELECT record_id FROM ledger
            ORDER BY record_id
        """).fetchall()
    return [record_id for (record_id,) in rows]


def _open(ledger: Path) -> duckdb.DuckDBPyConnection:
    if not ledger.exists():
        raise NotInLedger("no person has an id yet; make a release first with: vawg run")
    connection = open_connection()
    connection.execute(f"CREATE VIEW ledger AS FROM read_parquet({text_literal(ledger)})")
    return connection


def _where_else(
    connection: duckdb.DuckDBPyConnection, person_id: str, retired_id: str, went_into: list[str]
) -> str:
    issued = {
        person
        for (person,) in connection.execute(f"""
            SELECT DISTINCT to_person_id FROM ledger WHERE to_person_id IN ({text_list([person_id, retired_id])})
        """).fetchall()
    }
    for asked in (person_id, retired_id):
        if asked not in issued:
            return f"no person ever had the id {asked}"
    if went_into:
        return f"{retired_id} went into {went_into[0]}, not into {person_id}: vawg identity undo {went_into[0]} {retired_id}"
    return f"{retired_id} was never merged into another person"
