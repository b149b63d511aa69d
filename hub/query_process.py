"""What `hub.sql` starts for each query: a process that runs one SELECT and ends.

DuckDB's own limits hold neither for the texts that a query makes up nor within one call of a function, so an analyst could take down
what runs the query, or hold it for hours. Here that is a process of its own, with a limit of the system on its memory, without the hub's
secrets in its environment, and killed when its time is over. It takes a job as JSON on its input and gives the answer as an Arrow
stream on its output, or ends with `REFUSED` and says why.
"""

from __future__ import annotations

import json
import os
import re
import resource
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TypedDict

import duckdb
import pyarrow as pa

from hub.connections import literal, open_connection

REFUSED, OUT_OF_MEMORY = 3, 4
IS_CUT = b"is_cut"
# As few as DuckDB makes at once: what is too large is met early.
_BATCH_ROWS = 2048
_NO_FIT = "a value does not fit what the query does with it"
# What tells where the release lies, or runs a text as a query, which nobody could look at.
_TELLING = re.compile(r"duckdb_\w+|pragma_\w+|sqlite_\w+|pg_views|views|current_setting|query|query_table")


class Job(TypedDict):
    """A query and what holds it. `setup`: what is run first, the marts and the locks. `hidden`: what no message may tell."""

    query: str
    key: str | None
    setup: list[str]
    hidden: list[str]
    rows: int
    answer_megabytes: int
    process_megabytes: int
    seconds: int
    niceness: int


class Refused(Exception):
    """The query is not run or is stopped; the message is for whoever asked."""


def answer(job: Job) -> tuple[pa.Table, bool]:
    """The rows of a query, and whether there were more. Raises Refused; on lack of memory MemoryError or its kin."""
    connection = open_connection(job["key"])
    _limit(job)
    try:
        _require_of_marts(connection, job["query"])
        for statement in job["setup"]:
            connection.execute(statement)
        return _fetched(connection, job)
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        raise Refused(_said(error, job["hidden"])) from None
    except RecursionError:
        raise Refused("the query is nested too deep") from None


def _limit(job: Job) -> None:
    """From here on the system holds the process: memory, processor time should nobody be left to kill it, and no file written.

    Where the machine itself runs out of memory, the query goes first and not the hub.
    """
    os.nice(job["niceness"])
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    for what, most in (
        (resource.RLIMIT_DATA, job["process_megabytes"] << 20),
        (resource.RLIMIT_CPU, 2 * job["seconds"] + 1),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def _require_of_marts(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    """Raises Refused where a query asks DuckDB of itself. What does not parse is left to DuckDB to name."""
    # As a literal: for a parameter DuckDB imports pandas, which takes longer than most queries.
    row = connection.execute(f"SELECT json_serialize_sql({literal(query)})").fetchone()
    for name in _names(json.loads(row[0]) if row else {}):
        if _TELLING.fullmatch(name.lower()):
            raise Refused(f"{name} is about the database and not about the release; read its marts")


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


def _fetched(connection: duckdb.DuckDBPyConnection, job: Job) -> tuple[pa.Table, bool]:
    statements = connection.extract_statements(job["query"])
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise Refused("write one SELECT; nothing else is run here")
    batches: list[pa.RecordBatch] = []
    reader = connection.execute(statements[0]).to_arrow_reader(_BATCH_ROWS)
    n_rows = n_bytes = 0
    for batch in _streamed(reader):
        batches.append(batch)
        n_rows += batch.num_rows
        # The answer lies outside DuckDB's own limit.
        n_bytes += batch.nbytes
        if n_bytes > job["answer_megabytes"] << 20:
            raise Refused(
                f"its answer is more than {job['answer_megabytes']} MB; ask for fewer rows or shorter texts"
            )
        if n_rows > job["rows"]:
            break
    table = pa.Table.from_batches(batches, schema=reader.schema)
    return table.slice(0, job["rows"]), n_rows > job["rows"]


def _streamed(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """The batches of a reader. What DuckDB says while it streams comes as an error of Arrow."""
    try:
        yield from reader
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, MemoryError) or "Out of Memory" in str(error):
            raise MemoryError from None
        raise Refused(_NO_FIT) from None


def _said(error: duckdb.Error, hidden: list[str]) -> str:
    """What DuckDB says, without the rows it may quote or where the release lies."""
    if isinstance(
        error, (duckdb.ConversionException, duckdb.InvalidInputException, duckdb.OutOfRangeException)
    ):
        return f"{type(error).__name__}: {_NO_FIT}"
    if isinstance(error, duckdb.PermissionException):
        return "Permission Error: this reads or changes something outside the release, which no query may"
    said = str(error).split("\n", 1)[0]
    for text in hidden:
        said = said.replace(text, "")
    return said[:400]


def main() -> int:
    try:
        table, is_cut = answer(json.load(sys.stdin.buffer))
        marked = table.replace_schema_metadata({IS_CUT: str(is_cut).lower()})
        with pa.ipc.new_stream(sys.stdout.buffer, marked.schema) as stream:
            stream.write_table(marked)
    except Refused as refused:
        sys.stderr.buffer.write(str(refused).encode())
        return REFUSED
    except (duckdb.OutOfMemoryException, pa.ArrowMemoryError, MemoryError):
        return OUT_OF_MEMORY
    return 0


if __name__ == "__main__":
    sys.exit(main())
