"""Reading a release: its manifest, and its marts as one scope sees them.

A release never changes, so what is opened of it is kept; `current` is asked anew on every request, and who began on one
release goes on reading that one.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
from duckdb_extensions import import_extension

from hub.access import Scope, Select, literal, selects

# What the key is called inside a connection; as the release wrote it.
KEY_NAME = "release"
# Scopes that stay open, and tables that are kept.
_KEPT = 60


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
    """One release, opened. Safe to share between threads."""

    folder: Path
    manifest: dict[str, Any]
    key: str | None = None
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _connections: dict[Scope, duckdb.DuckDBPyConnection] = field(default_factory=dict)
    _selects: dict[Scope, dict[str, Select]] = field(default_factory=dict)
    _tables: dict[tuple[Scope, str], Table] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def release_id(self) -> str:
        return str(self.manifest["release_id"])

    @property
    def marts(self) -> dict[str, dict[str, Any]]:
        return self.manifest["marts"]  # type: ignore[no-any-return]

    def source(self, mart: str) -> str:
        """The SQL that reads a mart's file."""
        held = self.marts[mart]
        options = f", encryption_config = {{footer_key: '{KEY_NAME}'}}" if held["encrypted"] else ""
        return f"read_parquet({literal(str(self.folder / held['file']))}{options})"

    def selects(self, scope: Scope) -> dict[str, Select]:
        """Mart -> how the scope sees it; worked out once a scope."""
        found = self._selects.get(scope)
        if found is None:
            self._trim(self._selects)
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

    def read(self, scope: Scope, query: str, values: Sequence[Any] | dict[str, Any] = ()) -> Table:
        """Run a query of the hub's own over the views of a scope. Values go in as parameters, never as text."""
        with self.cursor(scope) as cursor:
            done = cursor.execute(query, values)
            names = tuple(column[0] for column in done.description)
            return Table(names, [dict(zip(names, row, strict=True)) for row in done.fetchall()])

    def read_kept(self, scope: Scope, query: str) -> Table:
        """`read` of a query without values, kept: a release never changes. For what is small and on many pages."""
        found = self._tables.get((scope, query))
        if found is None:
            self._trim(self._tables)
            found = self._tables[scope, query] = self.read(scope, query)
        return found

    @contextmanager
    def cursor(self, scope: Scope) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._lock:
            connection = self._connections.get(scope) or self._connect(scope)
        cursor = connection.cursor()
        try:
            yield cursor
        finally:
            cursor.close()

    def open_connection(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own that can read the release's files, encrypted or not."""
        connection = duckdb.connect(
            config={
                "threads": 2,
                "autoinstall_known_extensions": False,
                # A table in a query is a mart, never a variable of this program.
                "python_enable_replacements": False,
            }
        )
        # The same files are read again and again.
        connection.execute("SET parquet_metadata_cache = true")
        if self.key:
            import_extension("httpfs", con=connection)
            connection.execute("LOAD httpfs")
            connection.execute(f"PRAGMA add_parquet_key('{KEY_NAME}', {literal(self.key)})")
        return connection

    def _connect(self, scope: Scope) -> duckdb.DuckDBPyConnection:
        self._trim(self._connections)
        connection = self.open_connection()
        for mart, select in self.selects(scope).items():
            connection.execute(f'CREATE VIEW "{mart}" AS {select.sql}')
        self._connections[scope] = connection
        return connection

    @staticmethod
    def _trim(kept: dict[Any, Any]) -> None:
        while len(kept) >= _KEPT:
            kept.pop(next(iter(kept)), None)


class Releases:
    """The releases under one folder. Keeps those that were opened last."""

    def __init__(self, folder: Path, key: str | None = None) -> None:
        self._folder = folder
        self._key = key
        self._opened: dict[str, Release] = {}
        self._lock = threading.Lock()

    def current(self) -> Release:
        """The release that is current now. Raises NoRelease."""
        folder = (self._folder / "current").resolve()
        with self._lock:
            found = self._opened.get(folder.name)
            if found is None:
                found = _opened(folder, self._key)
                # One before stays open for those who began on it.
                self._opened = {r.folder.name: r for r in [*self._opened.values(), found][-2:]}
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
            current if newest[month] == current.folder else _opened(newest[month], self._key)
            for month in before
        ]


def _opened(folder: Path, key: str | None) -> Release:
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NoRelease("there is no release yet; make one with: vawg run") from None
    if not key and any(mart["encrypted"] for mart in manifest["marts"].values()):
        raise NoRelease("the release is encrypted; its key belongs in VAWG_RELEASE_KEY")
    release = Release(folder, manifest, key)
    try:
        with release.open_connection() as connection:
            for mart in manifest["marts"]:
                rows = connection.execute(f"DESCRIBE SELECT * FROM {release.source(mart)}").fetchall()
                release.columns[mart] = tuple(row[0] for row in rows)
    except duckdb.Error:
        # Not the error itself: it may tell of the key.
        raise NoRelease("the release cannot be read with the key in VAWG_RELEASE_KEY") from None
    return release
