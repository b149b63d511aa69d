"""Connections that read a release's files, encrypted or not."""

from __future__ import annotations

import duckdb
from duckdb_extensions import import_extension

# What the key is called inside a connection; as the release wrote it.
KEY_NAME = "release"


def literal(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def open_connection(key: str | None) -> duckdb.DuckDBPyConnection:
    """A database of its own, in memory. Raises duckdb.Error."""
    connection = duckdb.connect(
        config={
            "threads": 2,
            "autoinstall_known_extensions": False,
            # A table in a query is a mart, never a variable of this program.
            "python_enable_replacements": False,
            # Nothing spills to a disk that nobody watches.
            "temp_directory": "",
        }
    )
    # The same files are read again and again. DuckDB 1.5.5 cannot read an encrypted file by what it kept of it.
    connection.execute(f"SET parquet_metadata_cache = {not key}")
    if key:
        import_extension("httpfs", con=connection)
        connection.execute("LOAD httpfs")
        connection.execute(f"PRAGMA add_parquet_key('{KEY_NAME}', {literal(key)})")
    return connection
