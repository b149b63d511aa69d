"""The store: what it is made of, that it only grows, and that one writes at a time."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Table, insert, select, text
from sqlalchemy.exc import DBAPIError

from decisions import identity, sign_off
from decisions.store import OtherSchema, Store, open_store, sqlite_url
from decisions.tables import METADATA, SCHEMA_VERSION, schema_versions
from tests.decisions.reviewing import SUBJECT, Desk

NOON = datetime(2026, 3, 5, 12)


@pytest.fixture
def filled(store: Store) -> Store:
    """A store with a row in every table."""
    first = identity.decide(
        store, "must_link", ["a"], ["b"], decided_by="reviewer", reason="r", decided_at=NOON
    )
    identity.revoke(store, first, revoked_by="reviewer", reason="r", revoked_at=NOON)
    desk = Desk(store).removed()
    Desk(store, replace(SUBJECT, record_ids=("E23000036|n3",)), desk.at).take("dispute", "A").take(
        "record_check", "F", release_ids=["2026-02_abc"]
    )
    figures = {
        "force_code": "E23000036",
        "period": "2026-02",
        "release_id": "2026-02_abc",
        "figures": "a" * 64,
    }
    given = sign_off.sign(store, **figures, by="F", note="", at=datetime(2027, 1, 1))
    sign_off.withdraw(store, given, by="F", reason="r", at=datetime(2027, 1, 1))
    return store


@pytest.mark.parametrize("table", METADATA.sorted_tables, ids=lambda t: t.name)
@pytest.mark.parametrize("act", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}"], ids=["update", "delete"])
def test_no_row_is_ever_changed_or_deleted(filled: Store, table: Table, act: str) -> None:
    with pytest.raises(DBAPIError, match="only grows"), filled.writing() as connection:
        connection.execute(text(act.format(table.name, next(iter(table.columns)).name)))


@pytest.mark.parametrize("table", METADATA.sorted_tables, ids=lambda t: t.name)
def test_no_row_is_ever_replaced(filled: Store, table: Table) -> None:
    with filled.reading() as connection:
        row = connection.execute(select(table)).first()
    assert row is not None
    sqlite = filled.engine.dialect.name == "sqlite"
    replace = insert(table).prefix_with("OR REPLACE") if sqlite else insert(table)
    with pytest.raises(DBAPIError), filled.writing() as connection:
        connection.execute(replace.values(tuple(row)))


def test_opening_again_finds_the_same(filled: Store, url: str) -> None:
    again = open_store(url)
    with filled.reading() as one, again.reading() as other:
        assert identity.history(one) == identity.history(other) != []
        assert other.execute(select(schema_versions.c.version)).scalars().all() == [SCHEMA_VERSION]


def test_a_store_of_a_newer_version_is_left_alone(store: Store, url: str) -> None:
    with store.writing() as connection:
        connection.execute(insert(schema_versions).values(version=SCHEMA_VERSION + 1))
    with pytest.raises(OtherSchema, match="update it"):
        open_store(url)


@pytest.mark.parametrize("bad", ["mysql://host/name", "sqlite://", "sqlite:///:memory:"])
def test_only_what_lasts_holds_decisions(bad: str) -> None:
    with pytest.raises(ValueError, match="decisions are kept in"):
        open_store(bad)


def test_the_folder_is_made(tmp_path: Path) -> None:
    open_store(sqlite_url(tmp_path / "not" / "there" / "decisions.sqlite"))
    assert (tmp_path / "not" / "there" / "decisions.sqlite").exists()


def test_what_fails_half_way_leaves_nothing(store: Store) -> None:
    with pytest.raises(RuntimeError), store.writing() as connection:
        connection.execute(insert(schema_versions).values(version=0))
        raise RuntimeError
    with store.reading() as connection:
        assert connection.execute(select(schema_versions.c.version)).scalars().all() == [SCHEMA_VERSION]


def test_writers_at_once_take_turns(store: Store) -> None:
    """Each rests on what the one before wrote: ids and log numbers without a gap, none lost, the chain whole."""
    refused: list[Exception] = []

    def work(worker: int) -> None:
        try:
            for i in range(5):
                identity.decide(
                    store,
                    "must_link",
                    [f"{worker}-{i}"],
                    [f"{worker}+{i}"],
                    decided_by=f"reviewer {worker}",
                    reason="r",
                    decided_at=NOON,
                )
        except Exception as error:
            refused.append(error)

    workers = [threading.Thread(target=work, args=(n,)) for n in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert refused == []
    ids = [d.decision_id for d in identity.in_force(store, NOON)]
    assert ids == [f"I{n:06d}" for n in range(1, 16)]
    assert identity.verify(store) is None
