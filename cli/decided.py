"""What the commands about decisions share: the store, the clock, and what they say when either is missing.

Light to import; what is needed is imported where it runs.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from cli.exits import fail

if TYPE_CHECKING:
    from assets.paths import Paths
    from decisions.store import Store


def now() -> datetime:
    """The clock of receipts, to the second as they are."""
    return datetime.now().replace(microsecond=0)


def data_paths() -> Paths:
    with platform():
        from assets.paths import Paths
        from orchestration.environment import data_root_path
    return Paths(data_root_path())


def counted(n: int, one: str, many: str | None = None) -> str:
    return f"{n:,} {one if n == 1 else many or one + 's'}"


@contextlib.contextmanager
def decisions_store() -> Iterator[Store]:
    """The store of decisions; what it refuses ends the command with its reason."""
    with platform():
        from sqlalchemy.exc import ArgumentError, DatabaseError

        from decisions.refusals import Refused
        from decisions.store import OtherSchema, open_store, sqlite_url
        from orchestration.environment import decisions_url
    try:
        yield open_store(decisions_url() or sqlite_url(data_paths().decisions))
    except (Refused, OtherSchema) as error:
        fail(str(error))
    except (ArgumentError, ValueError, DatabaseError) as error:
        # Not the message: it may hold the address with its password, or values.
        fail(f"the decisions cannot be read or written: {type(error).__name__}")
    except ModuleNotFoundError as driver:
        fail(f"{driver.name} is not installed; PostgreSQL needs it: pip install 'psycopg[binary]'")


@contextlib.contextmanager
def platform() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as missing:
        fail(f"{missing.name} is not installed; this command needs the platform: pip install '.[platform]'")
