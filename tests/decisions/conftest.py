"""A store of decisions that a test may write to; PostgreSQL too where VAWG_TEST_POSTGRESQL_URL names an empty database."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from decisions.store import Store, open_store, sqlite_url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "decisions.sqlite")
    server = os.environ.get("VAWG_TEST_POSTGRESQL_URL")
    if not server:
        pytest.skip("VAWG_TEST_POSTGRESQL_URL is not set")
    with create_engine(server).begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    return server


@pytest.fixture
def store(url: str) -> Store:
    return open_store(url)
