"""Users, sessions, sign-ons, tokens, uploads and saved queries."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "hub_users",
        sa.Column("user_id", sa.String(60), primary_key=True),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("role", sa.String(30), nullable=False),
        sa.Column("force_code", sa.String(20)),
        sa.Column("password_hash", sa.Text),
        sa.Column("sign_on_subject", sa.Text, unique=True),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("n_failed", sa.Integer, nullable=False),
        sa.Column("locked_until", sa.String(26)),
    )
    op.create_table(
        "hub_sessions",
        sa.Column("session_hash", sa.String(64), primary_key=True),
        sa.Column("user_id", sa.String(60), sa.ForeignKey("hub_users.user_id"), nullable=False, index=True),
        sa.Column("form_token", sa.String(64), nullable=False),
        sa.Column("purpose", sa.String(40)),
        sa.Column("began_at", sa.String(26), nullable=False),
        sa.Column("seen_at", sa.String(26), nullable=False),
    )
    op.create_table(
        "hub_sign_ons",
        sa.Column("state_hash", sa.String(64), primary_key=True),
        sa.Column("nonce", sa.String(64), nullable=False),
        sa.Column("verifier", sa.String(128), nullable=False),
        sa.Column("began_at", sa.String(26), nullable=False),
    )
    op.create_table(
        "hub_tokens",
        sa.Column("token_hash", sa.String(64), primary_key=True),
        sa.Column("user_id", sa.String(60), sa.ForeignKey("hub_users.user_id"), nullable=False, index=True),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("made_at", sa.String(26), nullable=False),
        sa.Column("expires_at", sa.String(26), nullable=False),
    )
    op.create_table(
        "hub_uploads",
        sa.Column("content_hash", sa.String(64), primary_key=True),
        sa.Column("force_code", sa.String(20), nullable=False, index=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("bytes", sa.Integer, nullable=False),
        sa.Column("uploaded_at", sa.String(26), nullable=False),
        sa.Column("uploaded_by", sa.String(60), nullable=False),
    )
    op.create_table(
        "hub_saved_queries",
        sa.Column("user_id", sa.String(60), sa.ForeignKey("hub_users.user_id"), primary_key=True),
        sa.Column("name", sa.String(80), primary_key=True),
        sa.Column("sql", sa.Text, nullable=False),
    )


def downgrade() -> None:
    for table in ("saved_queries", "uploads", "tokens", "sign_ons", "sessions", "users"):
        op.drop_table(f"hub_{table}")
