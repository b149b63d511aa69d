"""One place that opens DuckDB and Splink for linkage: in memory, quiet, offline, on a fixed number of threads."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import duckdb
from numpy.typing import NDArray

if TYPE_CHECKING:
    from splink import Linker, SettingsCreator

N_THREADS = 2


def open_connection(n_threads: int = N_THREADS) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:")
    connection.execute(f"SET threads = {n_threads}")
    connection.execute("SET enable_progress_bar = false")
    # Whatever leaves here is put in order by name; on the way, order costs memory and a thread.
    connection.execute("SET preserve_insertion_order = false")
    # Splink's queries hold no personal values, but an error message of its backend may.
    logging.getLogger("splink").setLevel(logging.ERROR)
    return connection


def columns_of(connection: duckdb.DuckDBPyConnection, query: str) -> dict[str, NDArray[Any]]:
    """The columns of a query's result."""
    return dict(connection.execute(query).fetchnumpy())  # type: ignore[arg-type]


def text_literal(value: object) -> str:
    """`value` as SQL text. Query parameters would do, but the first one makes DuckDB import pandas: seconds."""
    return "'" + str(value).replace("'", "''") + "'"


def text_list(values: Iterable[str]) -> str:
    """`values` as a comma-separated list of SQL texts."""
    return ", ".join(text_literal(value) for value in values)


def open_linker(connection: duckdb.DuckDBPyConnection, settings: SettingsCreator | dict[str, Any]) -> Linker:
    """A Splink linker over the table `person_features` of `connection`."""
    from splink import Linker
    from splink.internals.duckdb.database_api import DuckDBAPI

    features = DuckDBAPI(connection).register("person_features", dataset_display_name="nominals")
    return Linker(features, settings, log_level=logging.ERROR, validate_settings=False)
