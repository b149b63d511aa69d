"""Queries of analysts: one SELECT over the marts that a scope sees, in a DuckDB that can reach nothing else.

Each query has a database of its own, in memory. What the scope sees only in part is copied into it; what it sees whole, or
whole but for scores that nobody is shown, is read from a file, and those files are all that the database may open. Then the settings are locked, before the query is looked at.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from hub.access import Scope, literal
from hub.parameters import number, whole
from hub.releases import Release

_AT_ONCE = threading.BoundedSemaphore(whole("sql_at_once"))

# As few as DuckDB makes at once: what is too large is met early.
_BATCH_ROWS = 2048


class QueryRefused(Exception):
    """The query was not run, or was stopped; the message says why."""


@dataclass(frozen=True)
class Answer:
    """What a query gave. `marts`: those it names. `is_cut`: there were more rows than are given out."""

    table: pa.Table
    marts: tuple[str, ...]
    is_cut: bool


def marts_named(release: Release, scope: Scope, query: str) -> tuple[str, ...]:
    """The marts of the scope whose name stands in the query, which may be more than it reads."""
    words = {word.lower() for word in re.findall(r"\w+", query)}
    return tuple(sorted(words & set(release.selects(scope))))


# What tells where the release lies, or runs a text as a query, which nobody could look at.
_TELLING = re.compile(r"duckdb_\w+|pragma_\w+|sqlite_\w+|pg_views|views|current_setting|query|query_table")


def _require_of_marts(query: str) -> None:
    """Raises QueryRefused where a query asks DuckDB of itself. What does not parse is left to DuckDB to name."""
    with duckdb.connect() as parser:
        row = parser.execute("SELECT json_serialize_sql(?)", [query]).fetchone()
    for name in _names(json.loads(row[0]) if row else {}):
        if _TELLING.fullmatch(name.lower()):
            raise QueryRefused(f"{name} is about the database and not about the release; read its marts")


def _names(parsed: Any) -> Iterator[str]:
    """The functions and tables that a parsed query names, however deep."""
    if isinstance(parsed, dict):
        for key, value in parsed.items():
            if key in ("function_name", "table_name") and isinstance(value, str):
                yield value
            else:
                yield from _names(value)
    elif isinstance(parsed, list):
        for value in parsed:
            yield from _names(value)


def run(release: Release, scope: Scope, query: str, *, seconds: float | None = None) -> Answer:
    """Run one SELECT. Raises QueryRefused: not one SELECT, wrong SQL, out of time or memory, or too many at once."""
    marts = marts_named(release, scope, query)
    _require_of_marts(query)
    if not _AT_ONCE.acquire(timeout=number("sql_seconds")):
        raise QueryRefused("too many queries are running; try again in a moment")
    try:
        connection = release.open_connection()
        timer = threading.Timer(seconds or number("sql_seconds"), connection.interrupt)
        timer.start()
        try:
            _prepare(connection, release, scope, marts)
            table, is_cut = _fetched(connection, query)
        finally:
            timer.cancel()
            connection.close()
    except duckdb.InterruptException:
        raise QueryRefused(f"stopped after {seconds or number('sql_seconds'):g} seconds") from None
    except (duckdb.OutOfMemoryException, pa.ArrowMemoryError, MemoryError):
        raise QueryRefused(f"it needs more than {whole('sql_megabytes')} MB of memory") from None
    except duckdb.Error as error:
        raise QueryRefused(_said(error, release)) from None
    finally:
        _AT_ONCE.release()
    return Answer(table, marts, is_cut)


def _prepare(
    connection: duckdb.DuckDBPyConnection, release: Release, scope: Scope, marts: tuple[str, ...]
) -> None:
    selects, files = release.selects(scope), []
    connection.execute(f"SET memory_limit = '{whole('sql_megabytes')}MB'")
    for mart in marts:
        blanked = release.blanked(mart, selects[mart]) if selects[mart].is_blanked else None
        if blanked:
            files.append(str(blanked))
            connection.execute(f'CREATE VIEW "{mart}" AS SELECT * FROM {release.read_blanked(blanked)}')
        elif selects[mart].is_whole:
            files.append(str(release.folder / release.marts[mart]["file"]))
            connection.execute(f'CREATE VIEW "{mart}" AS {selects[mart].sql}')
        else:
            connection.execute(f'CREATE TABLE "{mart}" AS {selects[mart].sql}')
    connection.execute(f"SET allowed_paths = [{', '.join(literal(f) for f in files)}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _fetched(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[pa.Table, bool]:
    statements = connection.extract_statements(query)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise QueryRefused("write one SELECT; nothing else is run here")
    most = whole("sql_rows")
    batches: list[pa.RecordBatch] = []
    reader = connection.execute(statements[0]).to_arrow_reader(_BATCH_ROWS)
    n_rows = n_bytes = 0
    for batch in reader:
        batches.append(batch)
        n_rows += batch.num_rows
        # The answer lies outside DuckDB's own limit.
        n_bytes += batch.nbytes
        if n_bytes > whole("sql_answer_megabytes") << 20:
            raise QueryRefused(
                f"its answer is more than {whole('sql_answer_megabytes')} MB; ask for fewer rows or shorter texts"
            )
        if n_rows > most:
            break
    table = pa.Table.from_batches(batches, schema=reader.schema)
    return table.slice(0, most), n_rows > most


def _said(error: duckdb.Error, release: Release) -> str:
    """What DuckDB says, without the rows it may quote or where the release lies."""
    first = str(error).split("\n", 1)[0]
    if isinstance(
        error, (duckdb.ConversionException, duckdb.InvalidInputException, duckdb.OutOfRangeException)
    ):
        return f"{type(error).__name__}: a value does not fit what the query does with it"
    if isinstance(error, duckdb.PermissionException):
        return "Permission Error: this reads or changes something outside the release, which no query may"
    return first.replace(str(release.folder), "").replace(str(release.folder.parent), "")[:400]


def as_json(table: pa.Table) -> list[dict[str, Any]]:
    """Rows as JSON takes them: dates, moments and decimals as text."""
    return [{name: plain(value) for name, value in row.items()} for row in table.to_pylist()]


def plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    return str(value)
