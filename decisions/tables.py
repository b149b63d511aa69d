"""What is kept of decisions, as tables that only grow: a row is never changed and never deleted.

Belongs here: the tables, and the triggers by which SQLite and PostgreSQL refuse whatever is not an INSERT of a new
row. Who owns the database can drop a trigger; the audit log's hashes are what shows it afterwards.

Moments are texts, ISO 8601 to the microsecond without time zone as receipts have them, so that they are kept, hashed
and compared as they were written, on either database.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import DDL, Column, ForeignKey, Index, Integer, MetaData, String, Table, Text, event

# Raised with every table or index added; `open_store` adds what an older store lacks.
SCHEMA_VERSION = 4

METADATA = MetaData()

_REFUSE = """
    CREATE OR REPLACE FUNCTION vawg_only_grows() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION '%% only grows', TG_TABLE_NAME; END $$
"""


def _on(target: MetaData | Table, moment: str, dialect: str, statement: str) -> None:
    ddl = DDL(statement)  # type: ignore[no-untyped-call]
    event.listen(target, moment, ddl.execute_if(dialect=dialect))


_on(METADATA, "before_create", "postgresql", _REFUSE)


def _only_grows(table: Table) -> Table:
    """Let the database refuse to update, delete, replace or truncate rows of `table`."""
    name = table.name
    same_key = " AND ".join(f"{column.name} = NEW.{column.name}" for column in table.primary_key)
    sqlite = {
        f"{name}_no_update": f"BEFORE UPDATE ON {name}",
        f"{name}_no_delete": f"BEFORE DELETE ON {name}",
        # INSERT OR REPLACE deletes without asking the trigger above.
        f"{name}_no_replace": f"BEFORE INSERT ON {name} WHEN EXISTS (SELECT 1 FROM {name} WHERE {same_key})",
    }
    for trigger, when in sqlite.items():
        statement = f"CREATE TRIGGER {trigger} {when} BEGIN SELECT RAISE(ABORT, '{name} only grows'); END"
        _on(table, "after_create", "sqlite", statement)
    postgresql = {
        f"{name}_no_change": f"BEFORE UPDATE OR DELETE ON {name} FOR EACH ROW",
        f"{name}_no_truncate": f"BEFORE TRUNCATE ON {name} FOR EACH STATEMENT",
    }
    for trigger, when in postgresql.items():
        statement = f"CREATE TRIGGER {trigger} {when} EXECUTE FUNCTION vawg_only_grows()"
        _on(table, "after_create", "postgresql", statement)
    return table


def _table(name: str, *columns: Column[Any]) -> Table:
    return _only_grows(Table(name, METADATA, *columns))


def _moment(name: str) -> Column[str]:
    return Column(name, String(26), nullable=False)


# One row a version of this schema that the store has had; the highest is what it has now.
schema_versions = _table("schema_versions", Column("version", Integer, primary_key=True, autoincrement=False))

# One row an act. `no` counts from 1 without a gap; `detail` is canonical JSON; `hash` is the SHA-256 of all before it.
audit_log = _table(
    "audit_log",
    Column("no", Integer, primary_key=True, autoincrement=False),
    _moment("at"),
    Column("who", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
)
# What stands now (which lists are suspended, say) is asked of the log on every page.
Index("audit_log_action", audit_log.c.action, audit_log.c.at)

# One row a decision about who is who; `log_no` is the entry of the audit log written with it.
identity_decisions = _table(
    "identity_decisions",
    Column("decision_id", String(20), primary_key=True),
    Column("kind", String(11), nullable=False),
    _moment("decided_at"),
    Column("decided_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("log_no", Integer, ForeignKey("audit_log.no"), nullable=False, unique=True),
)

# One row a record of a decision; `side` 1 or 2 is the set it is in.
identity_decision_records = _table(
    "identity_decision_records",
    Column("decision_id", String(20), ForeignKey("identity_decisions.decision_id"), primary_key=True),
    Column("record_id", Text, primary_key=True),
    Column("side", Integer, nullable=False),
)

# One row a decision that is no longer in force.
identity_revocations = _table(
    "identity_revocations",
    Column("decision_id", String(20), ForeignKey("identity_decisions.decision_id"), primary_key=True),
    _moment("revoked_at"),
    Column("revoked_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("log_no", Integer, ForeignKey("audit_log.no"), nullable=False, unique=True),
)

# One row an entry of the list under review: a person on one cycle of it. `log_no` is the act that began it.
review_entries = _table(
    "review_entries",
    Column("entry_id", String(20), primary_key=True),
    Column("person_id", Text, nullable=False),
    Column("origin", String(20), nullable=False),
    Column("release_id", Text, nullable=False),
    Column("period", String(7), nullable=False),
    Column("log_no", Integer, ForeignKey("audit_log.no"), nullable=False, unique=True),
)

# One row an act on an entry; `agrees` (with the list) is 1 or 0, or null where it is not asked.
review_acts = _table(
    "review_acts",
    Column("log_no", Integer, ForeignKey("audit_log.no"), primary_key=True, autoincrement=False),
    Column("entry_id", String(20), ForeignKey("review_entries.entry_id"), nullable=False, index=True),
    Column("act", String(20), nullable=False),
    _moment("at"),
    Column("by", Text, nullable=False),
    Column("reason_code", String(40), nullable=False),
    Column("why", Text, nullable=False),
    Column("agrees", Integer),
    Column("note", Text),
    Column("until", String(26)),
    Column("lapses_at", String(26)),
    Column("retained_until", String(26)),
    Column("full_review_at", String(26)),
)

# One row a nominal that the person had when the act was taken: what a decision is resolved by in later runs.
review_act_records = _table(
    "review_act_records",
    Column("log_no", Integer, ForeignKey("review_acts.log_no"), primary_key=True, autoincrement=False),
    Column("record_id", Text, primary_key=True, index=True),
)

# One row an allegation that counted when a removal was asked for, or an appeal decided: the facts it is about.
review_removal_allegations = _table(
    "review_removal_allegations",
    Column("log_no", Integer, ForeignKey("review_acts.log_no"), primary_key=True, autoincrement=False),
    Column("offence_id", Text, primary_key=True),
)

# One row a sealed release that names the person of a force's check of what was disputed; the release stays as it is.
review_annotations = _table(
    "review_annotations",
    Column("log_no", Integer, ForeignKey("review_acts.log_no"), primary_key=True, autoincrement=False),
    Column("release_id", Text, primary_key=True),
)

# One row a force that signed off its figures of a release, by the digest of those figures.
figure_sign_offs = _table(
    "figure_sign_offs",
    Column("sign_off_id", String(20), primary_key=True),
    Column("force_code", String(20), nullable=False),
    Column("period", String(7), nullable=False),
    Column("release_id", Text, nullable=False),
    Column("figures", String(64), nullable=False),
    _moment("signed_at"),
    Column("signed_by", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("log_no", Integer, ForeignKey("audit_log.no"), nullable=False, unique=True),
)

# One row a sign-off that was taken back.
figure_sign_off_withdrawals = _table(
    "figure_sign_off_withdrawals",
    Column("sign_off_id", String(20), ForeignKey("figure_sign_offs.sign_off_id"), primary_key=True),
    _moment("withdrawn_at"),
    Column("withdrawn_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("log_no", Integer, ForeignKey("audit_log.no"), nullable=False, unique=True),
)
