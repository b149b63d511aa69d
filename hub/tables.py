"""What the hub keeps of its own: users, sessions, tokens, uploads, saved queries. Decisions and the log lie in `decisions`.

The schema is made and brought up to date by the migrations in `hub/migrations`; a test holds both to be the same.
Moments are texts, ISO 8601 without time zone, as in `decisions`. Of passwords and tokens only hashes are kept.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import (
    Boolean,
    Column,
    Engine,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    make_url,
)

from decisions.store import PATIENCE, POOL

METADATA = MetaData()

# One row somebody who may come in. `user_id` is the name that acts are logged under.
users = Table(
    "hub_users",
    METADATA,
    Column("user_id", String(60), primary_key=True),
    Column("label", Text, nullable=False),
    Column("role", String(30), nullable=False),
    Column("force_code", String(20)),
    Column("password_hash", Text),
    Column("sign_on_subject", Text, unique=True),
    Column("is_active", Boolean, nullable=False),
    Column("n_failed", Integer, nullable=False),
    Column("locked_until", String(26)),
)

# One row a session that has begun and was not ended; `session_hash` is the SHA-256 of the cookie.
sessions = Table(
    "hub_sessions",
    METADATA,
    Column("session_hash", String(64), primary_key=True),
    Column("user_id", String(60), ForeignKey("hub_users.user_id"), nullable=False, index=True),
    Column("form_token", String(64), nullable=False),
    Column("purpose", String(40)),
    Column("began_at", String(26), nullable=False),
    Column("seen_at", String(26), nullable=False),
)

# One row a sign-on that has been sent to the provider and has not come back.
sign_ons = Table(
    "hub_sign_ons",
    METADATA,
    Column("state_hash", String(64), primary_key=True),
    Column("nonce", String(64), nullable=False),
    Column("verifier", String(128), nullable=False),
    Column("began_at", String(26), nullable=False),
)

# One row a token by which a program of a user asks.
tokens = Table(
    "hub_tokens",
    METADATA,
    Column("token_hash", String(64), primary_key=True),
    Column("user_id", String(60), ForeignKey("hub_users.user_id"), nullable=False, index=True),
    Column("label", Text, nullable=False),
    Column("made_at", String(26), nullable=False),
    Column("expires_at", String(26), nullable=False),
)

# One row a submission that came through the hub.
uploads = Table(
    "hub_uploads",
    METADATA,
    Column("content_hash", String(64), primary_key=True),
    Column("force_code", String(20), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("uploaded_at", String(26), nullable=False),
    Column("uploaded_by", String(60), nullable=False),
)

# One row a query that somebody keeps.
saved_queries = Table(
    "hub_saved_queries",
    METADATA,
    Column("user_id", String(60), ForeignKey("hub_users.user_id"), primary_key=True),
    Column("name", String(80), primary_key=True),
    Column("sql", Text, nullable=False),
)


def open_state(url: str) -> Engine:
    """The hub's database, its schema brought up to date. Values stay out of messages."""
    options: dict[str, Any] = {"pool_size": POOL, "max_overflow": POOL, "hide_parameters": True}
    is_sqlite = make_url(url).get_backend_name() == "sqlite"
    if is_sqlite:
        options["connect_args"] = {"timeout": PATIENCE}
    engine = create_engine(url, **options)
    if is_sqlite:

        @event.listens_for(engine, "connect")
        def _connect(connection: Any, _: Any) -> None:
            # Readers and the writer do not wait for each other.
            connection.execute("PRAGMA journal_mode = WAL")

    if is_sqlite and engine.url.database:
        Path(engine.url.database).parent.mkdir(parents=True, exist_ok=True)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["engine"] = engine
    command.upgrade(config, "head")
    return engine
