"""Decisions about who is who: what is refused, what is in force when, and that tampering with any row is found."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Table, func, select, text

from decisions import audit, identity
from decisions.identity import IdentityDecision, decide, in_force, revoke
from decisions.refusals import AlreadyRevoked, Contradiction, Kind, NoSuchDecision, OutOfOrder, Refused
from decisions.store import Store, open_store, sqlite_url
from decisions.tables import METADATA, audit_log, schema_versions
from tests.decisions.stores import new_store

NOON = datetime(2026, 3, 5, 12)
HOUR = timedelta(hours=1)


def take(
    store: Store, kind: Kind, one: str, other: str, at: datetime = NOON, by: str = "A", why: str = "w"
) -> str:
    return decide(store, kind, one.split(), other.split(), decided_by=by, reason=why, decided_at=at)


def n_log(store: Store) -> int:
    with store.reading() as connection:
        return connection.execute(select(func.count()).select_from(audit_log)).scalar_one()


def test_a_decision_as_it_was_taken(store: Store) -> None:
    assert take(store, "cannot_link", "b a b", "c", by=" A. Reviewer ", why=" twins ") == "I000001"
    (found,) = in_force(store, NOON)
    assert found == IdentityDecision(
        "I000001", "cannot_link", ("a", "b"), ("c",), NOON, "A. Reviewer", "twins"
    )


def test_pairs_are_a_star_or_everyone_with_everyone(store: Store) -> None:
    take(store, "must_link", "d", "c a")
    take(store, "cannot_link", "z y", "b")
    must, cannot = in_force(store, NOON)
    assert [(p.record_id_l, p.record_id_r) for p in must.pairs()] == [("a", "c"), ("a", "d")]
    assert [(p.record_id_l, p.record_id_r) for p in cannot.pairs()] == [("b", "y"), ("b", "z")]


def test_in_force_from_the_decision_to_its_revocation(store: Store) -> None:
    take(store, "must_link", "a", "b", NOON)
    revoke(store, "I000001", revoked_by="B", reason="was wrong", revoked_at=NOON + 2 * HOUR)
    by_hour = [len(in_force(store, NOON + n * HOUR)) for n in (-1, 0, 1, 2, 3)]
    assert by_hour == [0, 1, 1, 0, 0]
    assert in_force(store, NOON)[0].revocation is None


@pytest.mark.parametrize(
    ("one", "other", "by", "why", "says"),
    [
        ("a", "b", " ", "w", "say who"),
        ("a", "b", "A", "\t", "say why"),
        ("", "b", "A", "w", "is empty"),
        ("a", "", "A", "w", "is empty"),
        ("a c", "b c", "A", "w", "c is on both sides"),
    ],
)
def test_what_is_no_decision_is_refused(
    store: Store, one: str, other: str, by: str, why: str, says: str
) -> None:
    with pytest.raises(Refused, match=says):
        take(store, "must_link", one, other, by=by, why=why)
    assert n_log(store) == 0 and in_force(store, NOON) == []


@pytest.mark.parametrize(
    "bad", [("merge", ["a"], ["b"]), ("must_link", [" "], ["b"]), ("must_link", "a", "b")]
)
def test_what_the_types_forbid_is_refused_too(store: Store, bad: tuple[Any, Any, Any]) -> None:
    with pytest.raises(Refused):
        decide(store, *bad, decided_by="A", reason="w", decided_at=NOON)
    assert n_log(store) == 0


def test_the_same_twice_is_refused_until_revoked(store: Store) -> None:
    take(store, "must_link", "a", "b c")
    take(store, "cannot_link", "x", "y z")
    for kind, one, other in (("must_link", "c", "a b"), ("cannot_link", "z y", "x")):
        with pytest.raises(Refused, match="says the same"):
            take(store, kind, one, other)
    revoke(store, "I000001", revoked_by="B", reason="w", revoked_at=NOON)
    assert take(store, "must_link", "c", "a b") == "I000003"


def test_a_contradiction_is_refused_whichever_comes_last(store: Store) -> None:
    take(store, "must_link", "a", "b")
    take(store, "cannot_link", "b", "c")
    with pytest.raises(
        Contradiction, match="I000002 keeps b and c apart, but I000001, this decision make them"
    ):
        take(store, "must_link", "c", "a")
    with pytest.raises(Contradiction, match="this decision keeps a and b apart, but I000001 makes them"):
        take(store, "cannot_link", "a", "b")
    assert n_log(store) == 2
    revoke(store, "I000002", revoked_by="B", reason="w", revoked_at=NOON)
    assert take(store, "must_link", "c", "a") == "I000003"


def test_a_revocation_is_refused_where_there_is_nothing_to_revoke(store: Store) -> None:
    take(store, "must_link", "a", "b")
    with pytest.raises(NoSuchDecision, match="I000002"):
        revoke(store, "I000002", revoked_by="B", reason="w", revoked_at=NOON)
    for by, why in (("", "w"), ("B", " ")):
        with pytest.raises(Refused, match="say wh"):
            revoke(store, "I000001", revoked_by=by, reason=why, revoked_at=NOON)
    assert n_log(store) == 1
    revoke(store, "I000001", revoked_by="B", reason="w", revoked_at=NOON)
    with pytest.raises(AlreadyRevoked, match="2026-03-05T12:00:00"):
        revoke(store, "I000001", revoked_by="B", reason="w", revoked_at=NOON)
    assert n_log(store) == 2


def test_the_past_is_closed(store: Store) -> None:
    take(store, "must_link", "a", "b", NOON)
    with pytest.raises(OutOfOrder):
        take(store, "must_link", "c", "d", NOON - timedelta(microseconds=1))
    with pytest.raises(OutOfOrder):
        revoke(store, "I000001", revoked_by="B", reason="w", revoked_at=NOON - HOUR)
    with pytest.raises(Refused, match="time zone"):
        take(store, "must_link", "c", "d", NOON.replace(tzinfo=UTC))
    assert n_log(store) == 1


# What a sequence of acts is made of: decisions between few records, so that they meet; revocations of what may be.
RECORD_SETS = st.sets(st.sampled_from("abcdef"), max_size=3).map(sorted)
ACTS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["must_link", "cannot_link"]), RECORD_SETS, RECORD_SETS),
        st.tuples(st.just("revoke"), st.integers(1, 8), st.none()),
    ),
    max_size=14,
)
STEPS = st.lists(st.integers(0, 2), min_size=14, max_size=14)
FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


@contextmanager
def after(acts: list[tuple[Any, Any, Any]], steps: list[int]) -> Iterator[tuple[Store, list[datetime]]]:
    """A store after some acts, refused ones among them, each 0, 1 or 2 hours after the one before; and the hours."""
    with tempfile.TemporaryDirectory() as folder:
        store = new_store(folder)
        at, moments = NOON, [NOON - HOUR]
        for (kind, one, other), step in zip(acts, steps, strict=False):
            at += step * HOUR
            moments.append(at)
            before = n_log(store)
            try:
                if kind == "revoke":
                    revoke(store, f"I{one:06d}", revoked_by="B", reason="w", revoked_at=at)
                else:
                    decide(store, kind, one, other, decided_by="A", reason="w", decided_at=at)
                assert n_log(store) == before + 1
            except Refused:
                assert n_log(store) == before
        yield store, moments


@FEW
@given(ACTS, STEPS)
def test_in_force_at_any_moment_is_what_the_log_says_up_to_it(
    acts: list[tuple[Any, Any, Any]], steps: list[int]
) -> None:
    with after(acts, steps) as (store, moments):
        with store.reading() as connection:
            log = audit.entries(connection)
        for moment in moments:
            replayed: dict[str, tuple[str, list[str], list[str]]] = {}
            for entry in log:
                if entry.at > moment:
                    break
                if entry.action == identity.DECIDED:
                    detail = entry.detail
                    replayed[entry.subject] = (detail["kind"], detail["records"], detail["other_records"])
                else:
                    del replayed[entry.subject]
            found = in_force(store, moment)
            assert {d.decision_id: (d.kind, [*d.records], [*d.other_records]) for d in found} == replayed
            assert [d.decision_id for d in found] == sorted(replayed)
            # What is in force never contradicts itself.
            identity.check_consistent(p for d in found for p in d.pairs())
        assert identity.verify(store) is None


def tamper(store: Store, statement: str, **values: Any) -> int:
    """As somebody who owns the file does: without triggers. Returns how many rows it touched."""
    with sqlite3.connect(str(store.engine.url.database), isolation_level=None) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        n = connection.execute(statement, values).rowcount
    connection.close()
    return n


TABLES = [table for table in METADATA.sorted_tables if table is not schema_versions]
COLUMNS = [(table, column.name) for table in TABLES for column in table.columns]


@FEW
@given(
    ACTS, STEPS, st.sampled_from(COLUMNS), st.integers(0, 20), st.sampled_from(["7", "x", b"\x00", "", 99])
)
def test_a_changed_value_is_found(
    acts: list[tuple[Any, Any, Any]], steps: list[int], what: tuple[Table, str], row: int, value: Any
) -> None:
    table, column = what
    with after(acts, steps) as (store, _):
        if table is audit_log and column == "no" and not isinstance(value, int):
            value = 99
        n = tamper(
            store,
            f"UPDATE {table.name} SET {column} = :value WHERE rowid = "
            f"(SELECT rowid FROM {table.name} ORDER BY rowid LIMIT 1 OFFSET :row) AND {column} IS NOT :value",
            value=value,
            row=row,
        )
        assert (identity.verify(store) is not None) == (n > 0)


@FEW
@given(ACTS, STEPS, st.sampled_from(TABLES), st.integers(0, 20))
def test_a_deleted_row_is_found(
    acts: list[tuple[Any, Any, Any]], steps: list[int], table: Table, row: int
) -> None:
    with after(acts, steps) as (store, _):
        n = tamper(
            store,
            f"DELETE FROM {table.name} WHERE rowid = "
            f"(SELECT rowid FROM {table.name} ORDER BY rowid LIMIT 1 OFFSET :row)",
            row=row,
        )
        assert (identity.verify(store) is not None) == (n > 0)


def test_a_row_put_in_beside_the_log_is_found(tmp_path: Path) -> None:
    store = open_store(sqlite_url(tmp_path / "d.sqlite"))
    take(store, "must_link", "a", "b")
    tamper(store, "INSERT INTO identity_decision_records VALUES ('I000001', 'c', 2)")
    assert (
        str(identity.verify(store)) == "identity_decision_records holds a row of I000001 that is in no entry"
    )


def test_the_first_entry_that_does_not_follow_is_named(tmp_path: Path) -> None:
    store = open_store(sqlite_url(tmp_path / "d.sqlite"))
    for one in "abcd":
        take(store, "must_link", one, f"{one}2")
    tamper(store, "UPDATE audit_log SET who = 'X' WHERE no IN (2, 3)")
    assert str(identity.verify(store)) == "entry 2: its hash is not that of what it says"


def test_a_table_that_says_otherwise_than_the_log_is_named_by_the_entry(tmp_path: Path) -> None:
    store = open_store(sqlite_url(tmp_path / "d.sqlite"))
    take(store, "must_link", "a", "b")
    take(store, "must_link", "c", "d")
    tamper(store, "UPDATE identity_decisions SET kind = 'cannot_link' WHERE decision_id = 'I000002'")
    assert str(identity.verify(store)) == "entry 2: identity_decisions does not hold what it says of I000002"


def test_a_tail_cut_off_with_all_its_rows_is_found_by_a_kept_head(tmp_path: Path) -> None:
    store = open_store(sqlite_url(tmp_path / "d.sqlite"))
    take(store, "must_link", "a", "b")
    take(store, "must_link", "c", "d")
    with store.reading() as connection:
        kept = audit.head(connection)
    assert identity.verify(store, audit.Head.parse(str(kept))) is None
    for table, key in (
        ("identity_decision_records", "decision_id = 'I000002'"),
        ("identity_decisions", "decision_id = 'I000002'"),
        ("audit_log", "no = 2"),
    ):
        assert tamper(store, f"DELETE FROM {table} WHERE {key}") > 0
    assert identity.verify(store) is None
    broken = identity.verify(store, kept)
    assert broken is not None and broken.no == 2


def test_two_stores_of_the_same_acts_are_the_same(tmp_path: Path) -> None:
    heads = []
    for name in ("one", "two"):
        store = open_store(sqlite_url(tmp_path / name))
        take(store, "must_link", "b a", "c")
        revoke(store, "I000001", revoked_by="B", reason="w", revoked_at=NOON)
        with store.reading() as connection:
            heads.append(audit.head(connection))
    assert heads[0] == heads[1]


def test_the_database_keeps_what_was_said_in_any_script(store: Store) -> None:
    take(store, "must_link", "a", "b", by="Siân Ó Briain", why="γραφή 'quoted' \"twice\" \\ %s")
    assert in_force(store, NOON)[0].reason == "γραφή 'quoted' \"twice\" \\ %s"
    assert identity.verify(store) is None
    with store.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM audit_log")).scalar_one() == 1
