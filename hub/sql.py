"""Queries of analysts: one SELECT over the marts that a scope sees, in a DuckDB that can reach nothing else.

Each query has a database of its own, in the memory of a process of its own (`hub.query_process`). What the scope sees only in part is
copied into it; what it sees whole, or whole but for scores that nobody is shown, is read from a file, and those files are all that the
database may open. Then the settings are locked, before the query is looked at.
"""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from hub.access import Scope
from hub.connections import literal
from hub.parameters import number, whole
from hub.query_process import IS_CUT, OUT_OF_MEMORY, REFUSED, Job
from hub.releases import Release

_AT_ONCE = threading.BoundedSemaphore(whole("sql_at_once"))


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


def run(release: Release, scope: Scope, query: str, *, seconds: float | None = None) -> Answer:
    """Run one SELECT. Raises QueryRefused: not one SELECT, wrong SQL, out of time or memory, or too many at once."""
    marts, seconds = marts_named(release, scope, query), seconds or number("sql_seconds")
    job = Job(
        query=query,
        key=release.key,
        setup=_setup(release, scope, marts),
        hidden=[str(release.folder), str(release.folder.parent)],
        rows=whole("sql_rows"),
        answer_megabytes=whole("sql_answer_megabytes"),
        process_megabytes=whole("sql_process_megabytes"),
        seconds=math.ceil(seconds),
        niceness=whole("niceness"),
    )
    if not _AT_ONCE.acquire(timeout=number("sql_seconds")):
        raise QueryRefused("too many queries are running; try again in a moment")
    try:
        stream = _run(job, seconds)
    finally:
        _AT_ONCE.release()
    table = pa.ipc.open_stream(stream).read_all()
    is_cut = table.schema.metadata[IS_CUT] == b"true"
    return Answer(table.replace_schema_metadata(None), marts, is_cut)


def _setup(release: Release, scope: Scope, marts: tuple[str, ...]) -> list[str]:
    """The statements that give a database those marts as the scope sees them, and then lock it."""
    selects, files, statements = release.selects(scope), [], []
    for mart in marts:
        blanked = release.blanked(mart, selects[mart]) if selects[mart].is_blanked else None
        if blanked:
            files.append(str(blanked))
            statements.append(f'CREATE VIEW "{mart}" AS SELECT * FROM {release.read_blanked(blanked)}')
        elif selects[mart].is_whole:
            files.append(str(release.folder / release.marts[mart]["file"]))
            statements.append(f'CREATE VIEW "{mart}" AS {selects[mart].sql}')
        else:
            statements.append(f'CREATE TABLE "{mart}" AS {selects[mart].sql}')
    return [
        f"SET memory_limit = '{whole('sql_megabytes')}MB'",
        *statements,
        f"SET allowed_paths = [{', '.join(literal(f) for f in files)}]",
        "SET enable_external_access = false",
        "SET lock_configuration = true",
    ]


def _run(job: Job, seconds: float) -> bytes:
    """The Arrow stream that the process of a job gives. Raises QueryRefused; RuntimeError where it failed otherwise."""
    try:
        done = subprocess.run(
            # Whatever lies in the folder that the hub was started in is not imported.
            [sys.executable, "-P", "-m", "hub.query_process"],
            input=json.dumps(job).encode(),
            capture_output=True,
            timeout=seconds,
            env={k: v for k, v in os.environ.items() if not k.startswith("VAWG_")},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise QueryRefused(f"stopped after {seconds:g} seconds") from None
    if done.returncode == REFUSED:
        raise QueryRefused(done.stderr.decode())
    if done.returncode == OUT_OF_MEMORY:
        raise QueryRefused("it needs more memory than a query may use")
    if done.returncode < 0:
        # A library that gets no memory may abort, or the system kill; or DuckDB has a fault.
        raise QueryRefused("its process ended: most likely it needs more memory than a query may use")
    if done.returncode:
        # Not what it printed: that may quote a value.
        raise RuntimeError(f"the process of a query ended with {done.returncode}")
    return done.stdout


def as_json(table: pa.Table) -> list[dict[str, Any]]:
    """Rows as JSON takes them: dates, moments, decimals and what is no number as text."""
    return [{name: plain(value) for name, value in row.items()} for row in table.to_pylist()]


def plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    return str(value)
