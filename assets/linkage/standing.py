"""The standing index: every nominal known so far, every pair that was scored, and who is who. A month is applied to it.

It is one DuckDB file, attached as `standing`. What a month does to it: nominals that are new or say something else are
scored against the index, pairs of those that changed or went are withdrawn, and only the components that any of this
touches are built again, by search over their pairs. So the cost follows the month, and the result is what linking
everything from nothing would give.

    person_features  one row a nominal                    pairs    one row a scored pair (`scoring.PAIR_COLUMNS`)
    members          record -> component, person, group   links    the pairs that hold a person together, as a tree
    reviews          person, reason for withholding       ledger   `identities.py`
    decisions        the human decisions last applied     facts    model version and size step last used, layout
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import duckdb

from assets.linkage.blocking import keys_sql, pairs_between_sql, pairs_within_sql
from assets.linkage.cleaning import read_records
from assets.linkage.decided import Decided
from assets.linkage.features import create_person_features
from assets.linkage.identities import IDENTITY_COLUMNS, LEDGER_COLUMNS, assign
from assets.linkage.model import LinkageModel, size_step
from assets.linkage.rebuilding import (
    empty_pairs_sql,
    find_components,
    find_persons,
    find_withheld,
    gather_scope,
    is_edge_sql,
    replace_members,
    score_inside,
    weighed_pairs_sql,
    write_tree,
)
from assets.linkage.scoring import PAIR_COLUMNS, features_of_pairs, score
from assets.linkage.splink_session import open_connection, text_list, text_literal

MEMBER_COLUMNS = {
    "record_key": "BIGINT",
    "component": "BIGINT",
    "person": "BIGINT",
    "person_group": "BIGINT",
    "strongest_weight": "DOUBLE",
    "person_id": "VARCHAR",
}
LINK_COLUMNS = {"record_key_l": "BIGINT", "record_key_r": "BIGINT", "person": "BIGINT", "weight": "DOUBLE"}
_TABLES = {
    "pairs": PAIR_COLUMNS,
    "members": MEMBER_COLUMNS,
    "links": LINK_COLUMNS,
    "reviews": {"person": "BIGINT", "reason": "VARCHAR"},
    "ledger": LEDGER_COLUMNS,
    "identities": IDENTITY_COLUMNS,
    "decisions": {
        "decision_id": "VARCHAR",
        "kind": "VARCHAR",
        "record_key_l": "BIGINT",
        "record_key_r": "BIGINT",
    },
    "facts": {"model_version": "VARCHAR", "size_step": "INTEGER", "layout": "INTEGER"},
}

# What tables and columns the index has, and what the digest `content` of a record is made of. An index of another layout
# cannot go on; who everybody is can be taken over from it.
LAYOUT = 2


class OtherModel(Exception):
    """The index was made with another model; the message says what to do."""


class OtherLayout(Exception):
    """The index was made by another version of this program; the message says what to do."""


@contextmanager
def standing_index(
    start: Path | None, end: Path | None, *, anew: bool = False
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the index attached as `standing`: a copy of `start`, or an empty one. On leaving without an
    error it is whole at `end`; before that, nothing is there, or what was. Where both are one file, it is changed in one
    transaction. Without `end` it is not kept.

    `anew`: nothing of `start` goes on but who everybody was, and the history of that: everything is scored again.
    Raises OtherLayout.
    """
    in_place = start is not None and start == end and not anew
    at = _start_file(start, end, in_place=in_place, anew=anew)
    connection = open_connection()
    try:
        connection.execute(f"ATTACH {text_literal(at or ':memory:')} AS standing")
        if anew or not start:
            _create(connection)
        elif not end:
            connection.execute(f"ATTACH {text_literal(start)} AS kept (READ_ONLY)")
            connection.execute("COPY FROM DATABASE kept TO standing; DETACH kept")
        require_layout(connection)
        _remember_former(connection, start if anew else None)
        if in_place:
            connection.execute("BEGIN")
        yield connection
        if in_place:
            connection.execute("COMMIT")
        connection.execute("DETACH standing")
    finally:
        connection.close()
    if end and at != end and at:
        at.replace(end)


def _start_file(start: Path | None, end: Path | None, *, in_place: bool, anew: bool) -> Path | None:
    """The file to work on: that which is changed in place, or a copy or nothing yet beside where it will be; None: memory."""
    if end is None or in_place:
        return end
    beside = end.with_name(f".{end.name}.part")
    beside.parent.mkdir(parents=True, exist_ok=True)
    beside.unlink(missing_ok=True)
    if start and not anew:
        shutil.copyfile(start, beside)
    return beside


def layout_of(index: Path) -> int | None:
    """The layout of an index, None where it was made before layouts had numbers. Raises duckdb.Error where it is none."""
    with open_connection() as connection:
        connection.execute(f"ATTACH {text_literal(index)} AS standing (READ_ONLY)")
        return _layout(connection)


def require_layout(connection: duckdb.DuckDBPyConnection) -> None:
    """Raises OtherLayout where the index that is attached as `standing` has another."""
    if _layout(connection) != LAYOUT:
        raise OtherLayout(
            "the standing index was made by another version of this program; link everything anew instead"
        )


def _layout(connection: duckdb.DuckDBPyConnection) -> int | None:
    connection.execute("FROM standing.facts LIMIT 1")
    columns = [column[0] for column in connection.description or ()]
    row = connection.fetchone()
    # An index of nothing has no facts yet.
    return (row[columns.index("layout")] if row else LAYOUT) if "layout" in columns else None


def _create(connection: duckdb.DuckDBPyConnection) -> None:
    for name, columns in {"person_features": _feature_columns(), **_TABLES}.items():
        connection.execute(
            f"CREATE TABLE standing.{name} ({', '.join(f'{c} {t}' for c, t in columns.items())})"
        )


@lru_cache(maxsize=1)
def _feature_columns() -> dict[str, str]:
    """The columns of `person_features` with their types, as the queries that make it give them."""
    with open_connection() as connection:
        read_records(connection, None)
        create_person_features(connection)
        columns = connection.execute("DESCRIBE person_features").fetchall()
    return {column[0]: column[1] for column in columns}


def _remember_former(connection: duckdb.DuckDBPyConnection, former: Path | None) -> None:
    """Make `former_members`, who everybody was before all was linked anew, and carry the history of ids over."""
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE former_members
        (record_key BIGINT, record_id VARCHAR, person BIGINT, person_id VARCHAR, cause VARCHAR, decision_id VARCHAR)
    """)
    if former is None:
        return
    connection.execute(f"ATTACH {text_literal(former)} AS former (READ_ONLY)")
    for table in ("ledger", "identities"):
        connection.execute(f"INSERT INTO standing.{table} SELECT * FROM former.{table}")
    connection.execute("""
        INSERT INTO former_members
        SELECT record_key, record_id, NULL, person_id, 'linked_anew', NULL
        FROM former.members JOIN former.person_features USING (record_key)
    """)
    connection.execute("DETACH former")


def find_changes(connection: duckdb.DuckDBPyConnection, *, complete: bool) -> None:
    """Make `batch` (the nominals of `records` that are new or say something else than before) and `gone` (record_key,
    kind): those that changed and, where `records` is `complete`, those that are no longer in it.
    """
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE batch AS
        SELECT records.*
        FROM records
        LEFT JOIN standing.person_features AS known USING (record_key)
        WHERE known.content IS DISTINCT FROM records.content
    """)
    withdrawn = """
        UNION ALL
        SELECT record_key, 'withdrawn'
        FROM (SELECT record_key FROM standing.person_features UNION ALL SELECT record_key FROM former_members)
        ANTI JOIN records USING (record_key)
    """
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE gone AS
        SELECT record_key, 'corrected' AS kind FROM batch SEMI JOIN standing.person_features USING (record_key)
        {withdrawn if complete else ""}
    """)


def withdraw(connection: duckdb.DuckDBPyConnection, record_ids: Sequence[str]) -> None:
    """Add records to `gone`, by their ids; those that are not standing are passed over."""
    connection.execute(f"""
        INSERT INTO gone
        SELECT record_key, 'withdrawn'
        FROM standing.person_features
        WHERE record_id IN (SELECT unnest([{text_list(record_ids)}]::VARCHAR[]))
          AND record_key NOT IN (SELECT record_key FROM gone)
    """)


def advance(
    connection: duckdb.DuckDBPyConnection,
    model: LinkageModel,
    decided: Decided,
    *,
    as_of: datetime,
    timed: Callable[[str], AbstractContextManager[None]],
    rows_sql: Callable[[str], str] | None = None,
) -> None:
    """Apply `batch`, `gone` and the decisions to the index, as known at `as_of`; `timed` takes the time of a named step.

    With `rows_sql`, the select of what is said of the records of a table (record_key), `rows_before` is made: what was
    said of all that is built again or withdrawn. Raises OtherModel.
    """
    decided.register(connection)
    _start_scope(connection)
    if rows_sql:
        connection.execute(f"CREATE OR REPLACE TEMP TABLE rows_before AS {rows_sql(_TOUCHED)}")
    _delete_gone(connection)
    connection.execute(empty_pairs_sql())
    [(n_batch,)] = connection.execute("SELECT count(*) FROM batch").fetchall()
    if n_batch:
        with timed("clean"):
            create_person_features(connection, "batch")
    # What the records said is not asked again, and a million of them take half a gigabyte.
    connection.execute("DROP TABLE records")
    connection.execute("CREATE OR REPLACE TEMP TABLE batch AS SELECT record_key FROM batch")
    if n_batch:
        with timed("score"):
            _score_batch(connection, model)
        with timed("index"):
            connection.execute("INSERT INTO standing.pairs BY NAME SELECT * FROM pairs")
    [(n_records,)] = connection.execute("SELECT count(*) FROM standing.person_features").fetchall()
    _note_facts(connection, model, n_records)
    with timed("components"):
        _widen_scope(connection, model, n_records)
        if rows_sql:
            connection.execute(
                f"INSERT INTO rows_before {rows_sql('(FROM scope ANTI JOIN rows_before USING (record_key))')}"
            )
        connection.execute("DROP TABLE pairs")
        gather_scope(connection, model, n_records)
        connection.execute(f"INSERT INTO old_members {_old_members('scope', 'scope_records')}")
        find_components(connection, model.thresholds)
    with timed("score"):
        score_inside(connection, model, n_records)
    with timed("resolve"):
        contested = find_persons(connection, model.thresholds)
    with timed("identify"):
        assign(connection, as_of=as_of, model_version=model.version)
        replace_members(connection)
        write_tree(connection)
        find_withheld(connection, model.thresholds, contested)
        connection.execute(
            "DELETE FROM standing.decisions; INSERT INTO standing.decisions SELECT * FROM decided"
        )


# The records of the components that are touched from the start, those that go among them.
_TOUCHED = "(SELECT record_key FROM standing.members SEMI JOIN touched_components USING (component))"


def _delete_gone(connection: duckdb.DuckDBPyConnection) -> None:
    [(n_gone,)] = connection.execute("SELECT count(*) FROM gone").fetchall()
    if not n_gone:
        return
    for table in ("person_features", "members"):
        connection.execute(f"DELETE FROM standing.{table} WHERE record_key IN (SELECT record_key FROM gone)")
    connection.execute("""
        DELETE FROM standing.pairs
        WHERE record_key_l IN (SELECT record_key FROM gone) OR record_key_r IN (SELECT record_key FROM gone)
    """)


def _start_scope(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `touched_components` (component, cause, decision_id): those that lose a record or about which people decided
    otherwise than before; and `old_members`, who the records that go were.
    """
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE touched_components AS
        WITH other_decisions AS (
            (FROM decided EXCEPT FROM standing.decisions) UNION ALL (FROM standing.decisions EXCEPT FROM decided)
        ),
        touched AS (
            SELECT record_key_l AS record_key, 'decision' AS cause, decision_id FROM other_decisions
            UNION ALL SELECT record_key_r, 'decision', decision_id FROM other_decisions
            UNION ALL SELECT record_key, CASE kind WHEN 'withdrawn' THEN 'withdrawal' ELSE 'correction' END, NULL FROM gone
        )
        SELECT component, arg_min(cause, list_position(['decision', 'withdrawal', 'correction'], cause)) AS cause,
            min(decision_id) AS decision_id
        FROM standing.members
        JOIN touched USING (record_key)
        GROUP BY component
    """)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE old_members AS"
        f" {_old_members('gone', 'standing.person_features')} UNION ALL FROM former_members"
    )


def _old_members(records: str, named: str) -> str:
    """A select of who the records of `records` were; `named` says their record ids."""
    return f"""
        SELECT record_key, record_id, person, person_id, cause, decision_id
        FROM (SELECT * FROM standing.members SEMI JOIN {records} USING (record_key))
        JOIN {named} USING (record_key)
        LEFT JOIN touched_components USING (component)
    """


def _score_batch(connection: duckdb.DuckDBPyConnection, model: LinkageModel) -> None:
    """Add the batch to `standing.person_features`, and fill `pairs` with those inside it and those between it and what stood."""
    [(n_standing,)] = connection.execute("SELECT count(*) FROM standing.person_features").fetchall()
    connection.execute(f"CREATE OR REPLACE TEMP TABLE batch_keys AS {keys_sql('person_features')}")
    found = pairs_within_sql("batch_keys")
    if n_standing:
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE standing_keys AS {keys_sql('standing.person_features')}"
        )
        found += f" UNION ALL {pairs_between_sql('batch_keys', 'standing_keys')}"
    connection.execute(f"CREATE OR REPLACE TEMP TABLE candidates AS {found}")
    connection.execute("DROP TABLE batch_keys; DROP TABLE IF EXISTS standing_keys")
    connection.execute(
        "INSERT INTO standing.person_features FROM person_features; DROP TABLE person_features"
    )
    features_of_pairs(connection, model, "candidates", "met_features")
    score(connection, model, "candidates", "met_features", blocked=True)
    connection.execute("DROP TABLE candidates; DROP TABLE met_features")


def _note_facts(connection: duckdb.DuckDBPyConnection, model: LinkageModel, n_records: int) -> None:
    """Weights moved for all if the file grew by a step: then every component is in scope. Another model cannot go on."""
    known = connection.execute("SELECT model_version, size_step FROM standing.facts").fetchall()
    if known and known[0][0] != model.version:
        raise OtherModel(
            f"the standing index was made with model {known[0][0]}, not {model.version}; link everything anew instead"
        )
    step = size_step(n_records)
    if known and known[0][1] != step:
        connection.execute(
            "INSERT INTO touched_components SELECT DISTINCT component, 'size_of_the_file', NULL FROM standing.members"
            " WHERE component NOT IN (SELECT component FROM touched_components)"
        )
    connection.execute("DELETE FROM standing.facts")
    connection.execute(f"INSERT INTO standing.facts VALUES ({text_literal(model.version)}, {step}, {LAYOUT})")


def _widen_scope(connection: duckdb.DuckDBPyConnection, model: LinkageModel, n_records: int) -> None:
    """Make `scope` (record_key): the batch, and every record of a component that is touched or that the batch meets."""
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE scope AS
        WITH met AS (
            SELECT record_key_l, record_key_r FROM ({weighed_pairs_sql(model, n_records, "pairs")})
            WHERE {is_edge_sql(model.thresholds)}
            UNION ALL
            -- Somebody may have decided about a record before it came.
            SELECT record_key_l, record_key_r FROM decided
            WHERE record_key_l IN (FROM batch) OR record_key_r IN (FROM batch)
        ),
        components AS (
            SELECT component FROM touched_components
            UNION
            SELECT component FROM standing.members
            SEMI JOIN (SELECT record_key_l AS record_key FROM met UNION SELECT record_key_r FROM met) USING (record_key)
        )
        FROM batch
        UNION
        SELECT record_key FROM standing.members SEMI JOIN components USING (component)
    """)
