"""Stores for tests that need many: making the tables anew for each costs more than what the test does."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from sqlalchemy import event

from decisions.store import Store, open_store, sqlite_url


def new_store(folder: str | Path) -> Store:
    """An empty SQLite store in a folder."""
    path = Path(folder) / "decisions.sqlite"
    path.write_bytes(_empty())
    store = open_store(sqlite_url(path))
    # A test does not outlive the power cut that waiting for the disk is for.
    event.listen(
        store.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = OFF")
    )
    return store


@cache
def _empty() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.sqlite"
        open_store(sqlite_url(path))
        return path.read_bytes()
