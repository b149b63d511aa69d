"""The hub's database: the migrations make what the code takes it to be, and go on from what is there."""

from __future__ import annotations

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import insert, select

from hub.tables import METADATA, open_state, tokens, users


def test_the_migrations_make_the_tables_that_the_code_names(tmp_path: Path) -> None:
    engine = open_state(f"sqlite:///{tmp_path}/hub.sqlite")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "hub_schema_version"})
        assert compare_metadata(context, METADATA) == []
    with engine.begin() as connection:
        row = {"user_id": "ann", "label": "Ann", "role": "oversight", "is_active": True, "n_failed": 0}
        connection.execute(insert(users).values(row))
    with open_state(f"sqlite:///{tmp_path}/hub.sqlite").connect() as connection:
        assert connection.execute(select(users.c.user_id)).scalars().all() == ["ann"]
        assert connection.execute(select(tokens)).all() == []
