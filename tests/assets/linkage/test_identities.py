"""Laws of the ledger of ids, over lives in which everything happens: nothing is rewritten, lost or used twice."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path

import duckdb
import polars as pl
import pytest

from assets.linkage.identities import LEDGER_COLUMNS, crosswalk_sql, resolution_sql
from tests.assets.linkage.histories import History, Outcome, pnc, strangers

PHONE = {"phone": "07700900001"}


def query(run: Outcome, sql: str) -> dict[str, str | None]:
    ledger = run.ledger  # noqa: F841 (read by name)
    return dict(duckdb.sql(sql).fetchall())


def records_by_person(crosswalk: dict[str, str]) -> dict[str, set[str]]:
    found = defaultdict(set)
    for record_id, person_id in crosswalk.items():
        found[person_id].add(record_id)
    return found


def months(history: History) -> Iterator[tuple[dict[str, str], dict[str, str], pl.DataFrame]]:
    """Each month's crosswalk before and after it, and what the ledger says of it."""
    crosswalks: list[dict[str, str]] = [{}, *(run.crosswalk() for run in history.runs)]
    for number, (before, after) in enumerate(pairwise(crosswalks), start=1):
        yield before, after, history.last.ledger.filter(pl.col("as_of") == history.moment(number))


def test_the_ledger_only_grows(lived: History) -> None:
    for before, after in pairwise(lived.runs):
        assert after.ledger.head(before.ledger.height).equals(before.ledger)
        assert after.ledger.height > before.ledger.height
    assert lived.last.ledger.columns == list(LEDGER_COLUMNS)


def test_the_crosswalk_of_any_past_day_can_be_rebuilt(lived: History) -> None:
    for number, run in enumerate(lived.runs, start=1):
        assert query(lived.last, crosswalk_sql("ledger", lived.moment(number))) == run.crosswalk()
    assert query(lived.last, crosswalk_sql("ledger", lived.moment(0))) == {}
    assert query(lived.last, crosswalk_sql("ledger")) == lived.last.crosswalk()


def test_an_id_is_never_used_again(lived: History) -> None:
    retired: set[str] = set()
    for before, after, _ in months(lived):
        retired |= set(before.values()) - set(after.values())
        assert not retired & set(after.values())
    assert retired


def test_an_id_follows_most_of_its_records(lived: History) -> None:
    for before, after, _ in months(lived):
        brought = Counter((before[r], after[r]) for r in before.keys() & after.keys())
        for was, records in records_by_person(before).items():
            went = {to: n for (of, to), n in brought.items() if of == was}
            if was in after.values():
                assert went[was] == max(went.values())
            elif went:
                # It gave way to an id that brought as many of its own to where most of these went.
                to = max(went, key=lambda person: (went[person], brought[person, person]))
                assert brought[to, to] >= went[to] or len(set(went.values())) < len(went), (was, records)


def test_every_id_ever_issued_stands_for_somebody_of_today(lived: History) -> None:
    found = query(lived.last, resolution_sql("ledger"))
    runs = [run.crosswalk() for run in lived.runs]
    today = runs[-1]
    assert found.keys() == {person for run in runs for person in run.values()}
    for person_id, stands_for in found.items():
        if person_id in today.values():
            assert stands_for == person_id
            continue
        had = next(
            people[person_id] for run in reversed(runs) if person_id in (people := records_by_person(run))
        )
        now = Counter(today[record_id] for record_id in had if record_id in today)
        if not now:
            assert stands_for is None
        else:
            assert stands_for is not None and now[stands_for] == max(now.values())


def test_every_event_is_named_for_what_happened(lived: History) -> None:
    for before, after, said in months(lived):
        assert said["record_id"].is_unique().all()
        moved = {r for r in before.keys() | after.keys() if before.get(r) != after.get(r)}
        assert moved <= set(said["record_id"])
        for row in said.iter_rows(named=True):
            was, to, event = row["from_person_id"], row["to_person_id"], row["event"]
            assert (was, to) == (before.get(row["record_id"]), after.get(row["record_id"]))
            assert event in _possible(was, to, before, after)
            if event == "retire":
                assert row["cause"] == "withdrawal"
            if event in ("create", "join"):
                assert row["cause"] == "new_evidence"
            if event == "correct":
                assert row["cause"] == "correction"
            # A decision is named where it is the cause, and only there.
            assert (row["decision_id"] is not None) >= (row["cause"] == "decision")


def _possible(was: str | None, to: str | None, before: dict[str, str], after: dict[str, str]) -> set[str]:
    if to is None:
        return {"retire"}
    if was is None:
        return {"join" if to in before.values() else "create"}
    if was == to:
        return {"correct"}
    # An id that is still in use lost a record; one that is not went where most of its records did.
    return {"split"} if was in after.values() else {"merge", "split"}


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path)


def events(history: History, *columns: str) -> set[tuple[object, ...]]:
    """What the ledger says of the last run."""
    last = history.last.ledger.filter(pl.col("as_of") == history.as_of)
    return set(last.select("record_id", "event", "cause", *columns).rows())


def test_the_events_of_one_life(history: History) -> None:
    # Beside it, two ids that are to meet: two records with a telephone, and one with a number and a nickname only.
    met = {"date_of_birth": date(1975, 5, 17), "surname": "IVERMOSS"}
    number = {"postcode": "SA15AA", "postcode_district": "SA1", "pnc_id": pnc(9), "forenames": "GAZ"}
    history.month(
        [
            *strangers(10),
            {"record_id": "E|1", **PHONE},
            *({"record_id": f"M|{n}", **met, "phone": "07700900002"} for n in (1, 2)),
            {"record_id": "A|3", **met, **number},
        ]
    )
    first = history.last
    assert ("E|1", "create", "new_evidence") in events(history)
    person = first.person_of("E|1")
    assert first.one_person("M|1", "M|2") and not first.one_person("M|1", "A|3")

    both = {**met, "phone": "07700900002", "pnc_id": pnc(9), "alias_full_names": ["GAZ IVERMOSS"]}
    history.month([{"record_id": "E|2", **PHONE}, {"record_id": "M|4", **both}])
    kept, retired = first.person_of("M|1"), first.person_of("A|3")
    assert events(history, "from_person_id", "to_person_id") == {
        ("E|2", "join", "new_evidence", None, person),
        # The id that brings most records stays.
        ("A|3", "merge", "new_evidence", retired, kept),
        ("M|4", "join", "new_evidence", None, kept),
    }
    assert query(history.last, resolution_sql("ledger"))[retired] == kept

    history.month([{"record_id": "E|2", **PHONE, "forenames": "GARETH JOHN"}])
    assert events(history, "from_person_id", "to_person_id") == {
        ("E|2", "correct", "correction", person, person)
    }

    history.month([{"record_id": "E|2", "forenames": "OLIVER", "surname": "OTHERWISE"}])
    other = history.last.person_of("E|2")
    assert events(history, "from_person_id", "to_person_id") == {
        ("E|2", "split", "correction", person, other)
    }

    history.month(withdrawn=["E|2"])
    assert events(history, "from_person_id", "to_person_id") == {("E|2", "retire", "withdrawal", other, None)}
    assert query(history.last, resolution_sql("ledger"))[other] is None

    # It founded an id of its own, and founds another now.
    history.month([{"record_id": "E|2", "forenames": "OLIVER", "surname": "OTHERWISE"}])
    another = history.last.person_of("E|2")
    assert another not in (person, other)
    assert events(history, "from_person_id", "to_person_id") == {
        ("E|2", "create", "new_evidence", None, another)
    }
