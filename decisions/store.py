"""The store of decisions: SQLite by default, PostgreSQL by URL; many read, one writes at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, func, insert, inspect, make_url, select
from sqlalchemy.pool import NullPool

from decisions.tables import METADATA, SCHEMA_VERSION, schema_versions

# SQLite: how long a writer waits for another, in seconds.
PATIENCE = 30
# Connections that a standing process keeps; as many more for a moment.
POOL = 20
# PostgreSQL: any number that nothing else in the database locks by.
_WRITER = 0x76617767


class OtherSchema(Exception):
    """The store was made by a newer version of the platform."""


@dataclass(frozen=True)
class Store:
    """An open store. What is read within one `reading` is of one moment, whoever writes meanwhile."""

    engine: Engine

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        options = {} if self._is_sqlite else {"isolation_level": "REPEATABLE READ"}
        with self.engine.connect().execution_options(**options) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """The only writer: what is read in here stays so until it ends. All is written at its end, or nothing."""
        with self.engine.connect().execution_options(writes=True) as connection, connection.begin():
            if not self._is_sqlite:
                connection.execute(select(func.pg_advisory_xact_lock(_WRITER)))
            yield connection

    @property
    def _is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"


def sqlite_url(path: Path) -> str:
    return f"sqlite:///{path}"


def open_store(url: str, *, is_standing: bool = False) -> Store:
    """Open the store at an SQLAlchemy URL (`sqlite:///FILE` or `postgresql://...`), making what it lacks.

    `is_standing`: for one process that asks it many times a second; connections stay open, and readers and the writer of SQLite do not
    wait for each other.

    Raises OtherSchema; ValueError where the URL is of neither database, or of one that ends with the process.
    """
    address = make_url(url)
    backend = address.get_backend_name()
    if backend not in ("sqlite", "postgresql"):
        raise ValueError(f"decisions are kept in SQLite or PostgreSQL, not in {backend}")
    if backend == "sqlite":
        if address.database in (None, "", ":memory:"):
            raise ValueError("decisions are kept in a file or a server, never in memory alone")
        Path(str(address.database)).parent.mkdir(parents=True, exist_ok=True)
    store = Store(_engine(url, backend, is_standing=is_standing))
    with store.reading() as connection:
        version = _version(connection)
    if version < SCHEMA_VERSION:
        _prepare(store)
    elif version > SCHEMA_VERSION:
        raise OtherSchema(
            f"the decisions are kept in version {version} of their tables and this platform knows {SCHEMA_VERSION}; update it"
        )
    return store


def _version(connection: Connection) -> int:
    if not inspect(connection).has_table(schema_versions.name):
        return 0
    return connection.execute(select(func.coalesce(func.max(schema_versions.c.version), 0))).scalar_one()


def _prepare(store: Store) -> None:
    with store.writing() as connection:
        METADATA.create_all(connection)
        for table in METADATA.sorted_tables:
            for index in sorted(table.indexes, key=lambda i: str(i.name)):
                # Tables that were there before have not got it.
                index.create(connection, checkfirst=True)
        # Another process may have been first.
        if _version(connection) < SCHEMA_VERSION:
            connection.execute(insert(schema_versions).values(version=SCHEMA_VERSION))


def _engine(url: str, backend: str, *, is_standing: bool) -> Engine:
    # Else no pool: a store is opened for a moment, also in processes that fork. Values stay out of messages.
    options: dict[str, Any] = (
        {"pool_size": POOL, "max_overflow": POOL} if is_standing else {"poolclass": NullPool}
    )
    if backend == "postgresql":
        return create_engine(url, hide_parameters=True, **options)
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": PATIENCE}, **options)

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _: Any) -> None:
        # The driver would begin a transaction only at the first write, after what the write rests on was read.
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = ON")
        if is_standing:
            connection.execute("PRAGMA journal_mode = WAL")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
