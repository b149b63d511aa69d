"""Ids that outlive the month: which id each person bears, and the ledger of everything that ever happened to one.

An id is founded on one record, is never given to anybody else and is never used again once it is retired. It follows
most of its records; where two ids meet in one person, the one that brings most records stays, then the older. The
ledger only grows: one row a record moved, so that the crosswalk of any day is the last row of each record up to it.

    create   records that nobody knew found a new id          join    a new record comes to a known id
    merge    an id is retired, its records go to another      split   records leave an id that their fellows keep
    correct  a nominal was corrected and stayed who it is     retire  a nominal was withdrawn
"""

from __future__ import annotations

from datetime import datetime

import duckdb

from assets.linkage.splink_session import text_literal

LEDGER_COLUMNS = {
    "run_no": "INTEGER",
    "as_of": "TIMESTAMP",
    "event": "VARCHAR",
    "cause": "VARCHAR",
    "record_id": "VARCHAR",
    "from_person_id": "VARCHAR",
    "to_person_id": "VARCHAR",
    "decision_id": "VARCHAR",
    "model_version": "VARCHAR",
}
# One row an id that was ever issued.
IDENTITY_COLUMNS = {
    "person_id": "VARCHAR",
    "founder_id": "VARCHAR",
    "generation": "INTEGER",
    "issued_run": "INTEGER",
    "retired_run": "INTEGER",
}


def assign(connection: duckdb.DuckDBPyConnection, *, as_of: datetime, model_version: str) -> None:
    """Give the people of the scope their ids, and write what happened into the ledger.

    Reads `labelled` (record_key, person), `scope_records` (record_key, record_id), `old_members` (record_key, record_id, person_id, cause, decision_id; what the
    scope and the withdrawn records were before) and `gone`; makes `new_ids` (person, person_id) and `this_run` (run_no).
    """
    [(run_no,)] = connection.execute("SELECT coalesce(max(run_no), 0) + 1 FROM standing.ledger").fetchall()
    connection.execute(f"CREATE OR REPLACE TEMP TABLE this_run AS SELECT {run_no} AS run_no")
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE kept_ids AS
        WITH overlap AS (
            SELECT
                old.person_id,
                labelled.person,
                count(*) AS n_records,
                bool_or(old.record_id = founder_id) AS holds_founder,
                any_value(issued_run) AS issued_run
            FROM old_members AS old
            JOIN labelled USING (record_key)
            JOIN (SELECT * FROM standing.identities SEMI JOIN old_members USING (person_id)) USING (person_id)
            GROUP BY ALL
        ),
        followed AS (
            SELECT * FROM overlap
            QUALIFY row_number() OVER (
                PARTITION BY person_id ORDER BY n_records DESC, holds_founder DESC, person
            ) = 1
        )
        SELECT person, person_id FROM followed
        QUALIFY row_number() OVER (PARTITION BY person ORDER BY n_records DESC, issued_run, person_id) = 1
    """)
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE issued AS
        WITH founders AS (
            SELECT person, min(record_id) AS founder_id
            FROM labelled
            JOIN scope_records USING (record_key)
            ANTI JOIN kept_ids USING (person)
            GROUP BY person
        ),
        generations AS (SELECT founder_id, count(*) AS n FROM standing.identities SEMI JOIN founders USING (founder_id) GROUP BY ALL)
        SELECT person, founder_id, coalesce(n, 0) AS generation,
               'P' || left(md5(founder_id || CASE WHEN n > 0 THEN '#' || n ELSE '' END), 20) AS person_id
        FROM founders
        LEFT JOIN generations USING (founder_id)
    """)
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE new_ids AS
        SELECT person, person_id FROM kept_ids UNION ALL SELECT person, person_id FROM issued
    """)
    connection.execute(f"""
        UPDATE standing.identities SET retired_run = {run_no}
        WHERE retired_run IS NULL
          AND person_id IN (SELECT person_id FROM old_members)
          AND person_id NOT IN (SELECT person_id FROM new_ids)
    """)
    connection.execute(f"""
        INSERT INTO standing.identities
        SELECT person_id, founder_id, generation, {run_no}, NULL FROM issued ORDER BY person_id
    """)
    connection.execute(f"""
        INSERT INTO standing.ledger
        WITH moves AS (
            SELECT
                coalesce(named.record_id, old.record_id) AS record_id,
                old.person_id AS from_person_id,
                new_ids.person_id AS to_person_id,
                old.cause,
                old.decision_id,
                gone.kind AS gone_kind,
                -- Whoever had a record before was in use until now.
                old.person_id IS NOT NULL AND still.person_id IS NULL AS is_retired
            FROM labelled
            JOIN scope_records AS named USING (record_key)
            JOIN new_ids USING (person)
            FULL JOIN old_members AS old USING (record_key)
            LEFT JOIN gone USING (record_key)
            LEFT JOIN new_ids AS still ON still.person_id = old.person_id
        ),
        most AS (
            SELECT from_person_id, to_person_id FROM moves WHERE is_retired AND to_person_id IS NOT NULL
            GROUP BY from_person_id, to_person_id QUALIFY row_number() OVER (PARTITION BY from_person_id ORDER BY count(*) DESC, to_person_id) = 1
        )
        SELECT
            {run_no},
            {text_literal(as_of.isoformat())},
            CASE
                WHEN to_person_id IS NULL THEN 'retire'
                WHEN from_person_id = to_person_id THEN 'correct'
                WHEN from_person_id IS NULL AND to_person_id IN (SELECT person_id FROM issued) THEN 'create'
                WHEN from_person_id IS NULL THEN 'join'
                WHEN is_retired AND most.to_person_id IS NOT NULL THEN 'merge'
                ELSE 'split'
            END,
            CASE
                WHEN gone_kind = 'withdrawn' THEN 'withdrawal'
                WHEN gone_kind = 'corrected' THEN 'correction'
                ELSE coalesce(cause, 'new_evidence')
            END,
            record_id,
            from_person_id,
            to_person_id,
            decision_id,
            {text_literal(model_version)}
        FROM moves
        LEFT JOIN most USING (from_person_id, to_person_id)
        WHERE from_person_id IS DISTINCT FROM to_person_id OR gone_kind = 'corrected'
        ORDER BY record_id
    """)


def group_ids_sql(members: str = "standing.members") -> str:
    """A select of every person_group of `members` (shape of `standing.members`, whole groups) and its person_group_id, that
    of its oldest person.
    """
    return f"""
        WITH whose AS (
            SELECT person_group, any_value(person_id) AS person_id, min(person) <> max(person) AS has_several
            FROM {members} GROUP BY person_group
        ),
        oldest AS (
            SELECT person_group, arg_min(person_id, (issued_run, person_id)) AS person_id
            FROM (
                SELECT DISTINCT person_group, person_id FROM {members}
                SEMI JOIN (SELECT person_group FROM whose WHERE has_several) USING (person_group)
            )
            JOIN standing.identities USING (person_id)
            GROUP BY person_group
        )
        SELECT person_group, 'G' || substr(coalesce(oldest.person_id, whose.person_id), 2) AS person_group_id
        FROM whose LEFT JOIN oldest USING (person_group)
    """


def crosswalk_sql(ledger: str, as_of: datetime | None = None) -> str:
    """A select over a ledger: record_id and the person_id it bore on a day, without records withdrawn by then."""
    known = f"WHERE as_of <= {text_literal(as_of.isoformat())}" if as_of else ""
    return f"""
        SELECT record_id, person_id
        FROM (SELECT record_id, arg_max(coalesce(to_person_id, ''), run_no) AS person_id FROM {ledger} {known} GROUP BY record_id)
        WHERE person_id <> ''
    """


def resolution_sql(ledger: str) -> str:
    """A select over a ledger: every id ever issued as `issued_id`, and the `person_id` of today that it stands for.

    An id in use stands for itself. A retired one stands for whoever has most of the records it had at the end; where
    all of those were withdrawn it stands for nobody (null).
    """
    return f"""
        WITH today AS ({crosswalk_sql(ledger)}),
        issued AS (SELECT DISTINCT to_person_id AS issued_id FROM {ledger} WHERE to_person_id IS NOT NULL),
        last_left AS (
            SELECT from_person_id AS issued_id, max(run_no) AS run_no FROM {ledger}
            WHERE from_person_id IS DISTINCT FROM to_person_id GROUP BY ALL
        ),
        followed AS (
            SELECT issued_id, today.person_id, count(*) AS n_records
            FROM last_left
            JOIN {ledger} AS ledger ON ledger.from_person_id = issued_id AND ledger.run_no = last_left.run_no
            JOIN today USING (record_id)
            GROUP BY issued_id, today.person_id
            QUALIFY row_number() OVER (PARTITION BY issued_id ORDER BY count(*) DESC, today.person_id) = 1
        )
        SELECT
            issued_id,
            CASE WHEN issued_id IN (SELECT person_id FROM today) THEN issued_id ELSE followed.person_id END AS person_id
        FROM issued
        LEFT JOIN followed USING (issued_id)
        ORDER BY issued_id
    """
