"""How alembic reaches the hub's database: on the engine that the hub hands over, and on nothing else."""

from alembic import context

from hub.tables import METADATA

with context.config.attributes["engine"].begin() as connection:
    # Its own table of versions: the decisions may lie in the same database.
    context.configure(connection=connection, target_metadata=METADATA, version_table="hub_schema_version")
    with context.begin_transaction():
        context.run_migrations()
