"""The key of the marts about persons: asked for once, checked, and given to DuckDB."""

import dagster as dg
import duckdb
from duckdb_extensions import import_extension

# What the key is called inside a connection.
KEY_NAME = "release"


class ReleaseKey(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Key for the marts about persons, `identifiable/` and `victims/`; without one they lie unencrypted."""

    key: str | None = None


def add_key(connection: duckdb.DuckDBPyConnection, key: str) -> None:
    """Let a connection read and write Parquet files encrypted with `key`. Raises ValueError on a bad one."""
    checked = _checked(key)
    import_extension("httpfs", con=connection)
    connection.execute("load httpfs")
    connection.execute(f"pragma add_parquet_key('{KEY_NAME}', '{checked}')")


def read_options(*, encrypted: bool) -> str:
    """What follows the path in `read_parquet` for a file that is encrypted, or not."""
    return f", encryption_config = {{footer_key: '{KEY_NAME}'}}" if encrypted else ""


def copy_options(*, encrypted: bool) -> str:
    """What follows the other options of `copy ... to` for a file that is to be encrypted, or not."""
    return f", encryption_config {{footer_key: '{KEY_NAME}'}}" if encrypted else ""


def _checked(key: str) -> str:
    if len(key) not in (16, 24, 32) or not key.isalnum():
        raise ValueError("the release key must be 16, 24 or 32 letters and digits")
    return key
