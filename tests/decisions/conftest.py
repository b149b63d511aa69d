"""A store of decisions that a test may write to, in SQLite and in PostgreSQL where one is to be had."""

from __future__ import annotations

from pathlib import Path

import pytest

from decisions.store import Store, open_store, sqlite_url
from tests.postgresql import empty_database


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.heavy)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return sqlite_url(tmp_path / "decisions.sqlite") if request.param == "sqlite" else empty_database()


@pytest.fixture
def store(url: str) -> Store:
    return open_store(url)
