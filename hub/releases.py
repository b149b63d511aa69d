"""Reading a release: its manifest, and its marts as one scope sees them.

A release never changes, so what is opened of it is kept; `current` is asked anew on every request, and who began on one
release goes on reading that one. A release that was just published is laid out for looking up (`hub.lookups`) beside the readers, by a
process that yields to them; they go on with the last one until it is.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import duckdb

from hub import lookups
from hub.access import CROSSWALK, Scope, Select, contributions, of_unknown_age, selects
from hub.connections import KEY_NAME, literal, open_connection
from hub.parameters import number, whole

# Scopes whose selects are kept; a role, a force and the lists that are stopped make one.
_SCOPES = 200


class NoRelease(Exception):
    """There is no release, or it cannot be read; the message says what to do."""


class NoSuchMart(Exception):
    """The release has no such mart, or the reader's role does not see it."""


@dataclass(frozen=True)
class Table:
    """A result: names of columns, and rows as mappings."""

    columns: tuple[str, ...]
    rows: list[dict[str, Any]]


@dataclass
class Release:
    """One release, opened. Safe to share between threads. `types`: of each mart, column -> its type in SQL.

    `laid_out`: its file of `hub.lookups`; without it pages read the Parquet.
    """

    folder: Path
    manifest: dict[str, Any]
    key: str | None = None
    types: dict[str, dict[str, str]] = field(default_factory=dict)
    laid_out: Path | None = None
    _dictionary: dict[str, dict[str, Any]] | None = None
    _connection: duckdb.DuckDBPyConnection | None = None
    _schemas: dict[Scope, str] = field(default_factory=dict)
    _selects: dict[Scope, dict[str, Select]] = field(default_factory=dict)
    _tables: dict[tuple[Scope, str, tuple[Any, ...] | None], Table] = field(default_factory=dict)
    _idle: dict[str, list[duckdb.DuckDBPyConnection]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def release_id(self) -> str:
        return str(self.manifest["release_id"])

    @property
    def marts(self) -> dict[str, dict[str, Any]]:
        return self.manifest["marts"]  # type: ignore[no-any-return]

    @property
    def dictionary(self) -> dict[str, dict[str, Any]]:
        """Mart -> description and columns, as the release says; empty of one that says nothing."""
        if self._dictionary is None:
            file = self.folder / "dictionary.json"
            self._dictionary = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        return self._dictionary

    @property
    def columns(self) -> dict[str, tuple[str, ...]]:
        return {mart: tuple(types) for mart, types in self.types.items()}

    def source(self, mart: str) -> str:
        """The SQL that reads a mart's file."""
        held = self.marts[mart]
        options = f", encryption_config = {{footer_key: '{KEY_NAME}'}}" if held["encrypted"] else ""
        return f"read_parquet({literal(str(self.folder / held['file']))}{options})"

    def selects(self, scope: Scope) -> dict[str, Select]:
        """Mart -> how the scope sees it; worked out once a scope."""
        found = self._selects.get(scope)
        if found is None:
            self._trim(self._selects, _SCOPES)
            found = self._selects[scope] = selects(scope, self.marts, self.columns, self.source)
        return found

    def require(self, scope: Scope, mart: str) -> Select:
        """Raises NoSuchMart."""
        found = self.selects(scope).get(mart)
        if found is None:
            raise NoSuchMart(f"this release has no {mart} for your role")
        return found

    def has(self, scope: Scope, mart: str) -> bool:
        return mart in self.selects(scope)

    def lay_out(self, folder: Path) -> Path:
        """Lay the release out for looking up, in a file under `folder`, unless it is there. Raises duckdb.Error, OSError."""
        file = folder / lookups.file_name(self.release_id)
        with open_connection(self.key) as connection:
            connection.execute("SET threads = 1")
            connection.execute("SET enable_progress_bar = false")
            sources = {mart: self.source(mart) for mart in self.marts}
            lookups.lay_out(connection, file, sources, period=str(self.manifest["period"]), key=self.key)
        self.laid_out = file
        return file

    def blanked(self, mart: str, select: Select) -> Path | None:
        """The file of a mart without the scores of persons of unknown age, made when it is first asked for; None where
        there is no folder for it. Encrypted as the release is."""
        if self.laid_out is None:
            return None
        file = self.laid_out.with_name(f"{self.laid_out.name}.{mart}.parquet")
        if not file.is_file():
            partial = file.with_name(f".{file.name}.{os.getpid()}.{threading.get_ident()}.partial")
            with open_connection(self.key) as connection:
                options = f", ENCRYPTION_CONFIG {{footer_key: '{KEY_NAME}'}}" if self.key else ""
                partial.touch(0o600)
                connection.execute(
                    f"COPY ({select.sql}) TO {literal(str(partial))} (FORMAT parquet, COMPRESSION zstd{options})"
                )
            partial.replace(file)
        return file

    def read_blanked(self, file: Path) -> str:
        """The SQL that reads what `blanked` made."""
        options = f", encryption_config = {{footer_key: '{KEY_NAME}'}}" if self.key else ""
        return f"read_parquet({literal(str(file))}{options})"

    def read(self, scope: Scope, query: str, values: Sequence[Any] | dict[str, Any] = ()) -> Table:
        """Run a query of the hub's own over the views of a scope. Values go in as parameters, never as text."""
        with self.cursor(scope) as cursor:
            done = cursor.execute(query, values)
            names = tuple(column[0] for column in done.description)
            return Table(names, [dict(zip(names, row, strict=True)) for row in done.fetchall()])

    def read_kept(
        self, scope: Scope, query: str, values: tuple[Any, ...] | dict[str, Any] | None = None
    ) -> Table:
        """`read`, kept: a release never changes, and what a scope is shown of it neither. What was asked last is kept.

        For what is small and asked again and again. `values` by name are a choice that anybody makes, by position the ids of somebody.
        Who shares the table does not change it.
        """
        key = (scope, query, tuple(values.items()) if isinstance(values, dict) else values)
        found = self._tables.pop(key, None)
        if found is None:
            found = self.read(scope, query, values or ())
        self._trim(self._tables, whole("kept_results"))
        self._tables[key] = found
        return found

    def warm(self, before: Release) -> None:
        """Ask what readers asked of the release before this one, but for single persons, so that the first of them does not wait."""
        for scope, query, values in list(before._tables):
            is_choice = values and isinstance(values[0], tuple)
            if values and not is_choice:
                continue
            # A mart of the last release that this one has not got is no longer asked for.
            with suppress(duckdb.Error):
                self.read_kept(scope, query, dict(values) if values else None)

    @contextmanager
    def cursor(self, scope: Scope) -> Iterator[duckdb.DuckDBPyConnection]:
        schema = self._schema(scope)
        idle = self._idle.setdefault(schema, [])
        try:
            cursor = idle.pop()
        except IndexError:
            cursor = self._connected().cursor()
            cursor.execute(f"SET schema = {literal(schema)}")
        try:
            yield cursor
        except BaseException:
            cursor.close()
            raise
        idle.append(cursor)

    def _schema(self, scope: Scope) -> str:
        with self._lock:
            return self._schemas.get(scope) or self._open_schema(self._connected(), scope)

    def _connected(self) -> duckdb.DuckDBPyConnection:
        if self._connection is None:
            self._connection = open_connection(self.key)
            if self.laid_out:
                lookups.attach(self._connection, self.laid_out, self.key, read_only=True)
        return self._connection

    def _open_schema(self, connection: duckdb.DuckDBPyConnection, scope: Scope) -> str:
        """A schema that holds the marts as a scope sees them, and no other name."""
        schema = f"scope_{len(self._schemas)}"
        connection.execute(f"CREATE SCHEMA {schema}")
        source: Callable[[str], str] = self._laid_out_table if self.laid_out else self.source
        held: dict[str, Mapping[str, Any]] = dict(self.marts)
        columns: dict[str, Sequence[str]] = dict(self.columns)
        contributed = None
        # Asked by every query of persons, and worked out once.
        ageless = f"{schema}.of_unknown_age"
        persons = of_unknown_age(self.marts, self.columns, source)
        connection.execute(f"CREATE TABLE {ageless} AS {persons}")
        if self.laid_out:
            for name, told in lookups.derived(self.marts).items():
                described = connection.execute(f"DESCRIBE {self._laid_out_table(name)}").fetchall()
                held[name], columns[name] = told, [row[0] for row in described]
            if scope.force_code and CROSSWALK in self.marts:
                # Asked by every query of the force, and worked out once.
                contributed = f"{schema}.of_the_force"
                persons = contributions(scope.force_code, source)
                connection.execute(
                    f"CREATE TABLE {contributed} AS SELECT DISTINCT person_id FROM ({persons})"
                )
        for mart, select in selects(scope, held, columns, source, contributed, ageless).items():
            connection.execute(f'CREATE VIEW {schema}."{mart}" AS {select.sql}')
        self._schemas[scope] = schema
        return schema

    @staticmethod
    def _laid_out_table(mart: str) -> str:
        return f'{lookups.NAME}.main."{mart}"'

    @staticmethod
    def _trim(kept: dict[Any, Any], most: int) -> None:
        """Let go of what lies longest, until one more goes in. Another request may do so at the same time."""
        while len(kept) >= most:
            with suppress(StopIteration, RuntimeError):
                kept.pop(next(iter(kept)), None)


class Releases:
    """The releases under one folder. Keeps those that were opened last.

    `lookups`: where they are laid out; if left out, they are read as they lie. `patience`: seconds that one request waits for a release
    that was just published.
    """

    def __init__(
        self,
        folder: Path,
        key: str | None = None,
        lookups: Path | None = None,
        patience: float | None = None,
    ) -> None:
        self._folder = folder
        self._key = key
        self._lookups = lookups
        self._patience = number("prepare_seconds") if patience is None else patience
        self._opened: dict[str, Release] = {}
        self._earlier: dict[str, Release] = {}
        self._served: Release | None = None
        self._preparing: dict[str, threading.Thread] = {}
        self._failed: dict[str, NoRelease] = {}
        self._lock = threading.Lock()

    def current(self) -> Release:
        """The release that is current now, or the one before while it is being laid out. Raises NoRelease."""
        folder = (self._folder / "current").resolve()
        thread = None
        with self._lock:
            found = self._opened.get(folder.name)
            if found is None and self._served is None:
                found = self._keep(self._prepared(folder))
            elif found is None and folder.name not in self._preparing:
                thread = threading.Thread(target=self._prepare, args=(folder,), daemon=True)
                self._preparing[folder.name] = thread
                thread.start()
        if thread:
            thread.join(self._patience)
        with self._lock:
            if failed := self._failed.pop(folder.name, None):
                raise failed
            found = found or self._opened.get(folder.name) or self._served
            assert found
            self._served = found
        return found

    def months(self, most: int = 12) -> list[Release]:
        """The newest release of each of the last months, oldest first, the current one for its own month."""
        current = self.current()
        newest = {str(current.manifest["period"]): current.folder}
        folders = [
            p for p in self._folder.iterdir() if p.is_dir() and not p.is_symlink() and p.name[0] != "."
        ]
        for folder in sorted(folders, key=lambda p: (p / "manifest.json").stat().st_mtime, reverse=True):
            newest.setdefault(folder.name[:7], folder)
        before = sorted(month for month in newest if month <= current.manifest["period"])[-most:]
        return [
            current if newest[month] == current.folder else self._as_it_lies(newest[month])
            for month in before
        ]

    def _as_it_lies(self, folder: Path) -> Release:
        with self._lock:
            found = self._earlier.get(folder.name)
            if found is None:
                found = self._earlier[folder.name] = _opened(folder, self._key)
        return found

    def _prepared(self, folder: Path, *, beside: bool = False) -> Release:
        """Open a release and lay it out; `beside` readers of another one, who come first. Raises NoRelease."""
        release = _opened(folder, self._key)
        if self._lookups:
            try:
                if beside:
                    _lay_out_beside(folder, self._key, self._lookups)
                # Where that was done, this finds the file there.
                release.lay_out(self._lookups)
            except (duckdb.Error, OSError) as error:
                raise NoRelease(
                    f"the release could not be laid out for looking up ({type(error).__name__}); is there room on the disk?"
                ) from None
        return release

    def _prepare(self, folder: Path) -> None:
        try:
            release = self._prepared(folder, beside=True)
            if self._served:
                release.warm(self._served)
        except NoRelease as failed:
            with self._lock:
                self._failed[folder.name] = failed
                self._preparing.pop(folder.name, None)
        else:
            with self._lock:
                self._keep(release)
                self._preparing.pop(folder.name, None)

    def _keep(self, release: Release) -> Release:
        # One before stays open for those who began on it.
        self._opened = {r.folder.name: r for r in [*self._opened.values(), release][-2:]}
        if self._lookups:
            lookups.clear(self._lookups, [r.laid_out for r in self._opened.values() if r.laid_out])
        return release


def _lay_out_beside(folder: Path, key: str | None, target: Path) -> None:
    """Lay a release out in a process of its own that yields to the readers of this one, and ends with it. Raises OSError."""
    # A fresh one: a copy of this would hold locks that other threads had at the time.
    aside = get_context("spawn").Process(target=_yielding_lay_out, args=(folder, key, target), daemon=True)
    aside.start()
    aside.join()
    if aside.exitcode:
        raise ChildProcessError(f"it ended with {aside.exitcode}")


def _yielding_lay_out(folder: Path, key: str | None, target: Path) -> None:
    os.nice(whole("niceness"))
    try:
        _opened(folder, key).lay_out(target)
    except (NoRelease, duckdb.Error, OSError):
        # Not the error itself: it may tell of the key or quote a value.
        sys.exit(1)


def _opened(folder: Path, key: str | None) -> Release:
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NoRelease("there is no release yet; make one with: vawg run") from None
    if not key and any(mart["encrypted"] for mart in manifest["marts"].values()):
        raise NoRelease("the release is encrypted; its key belongs in VAWG_RELEASE_KEY")
    release = Release(folder, manifest, key)
    try:
        with open_connection(release.key) as connection:
            for mart in manifest["marts"]:
                rows = connection.execute(f"DESCRIBE SELECT * FROM {release.source(mart)}").fetchall()
                release.types[mart] = {row[0]: row[1] for row in rows}
    except duckdb.Error:
        # Not the error itself: it may tell of the key.
        raise NoRelease("the release cannot be read with the key in VAWG_RELEASE_KEY") from None
    return release
