"""Review: what is refused and leaves nothing, four eyes, deadlines, removals and the facts they hold on, disputes."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from decisions import audit, identity, review
from decisions.access import accesses, log_access
from decisions.refusals import NeedsAnother, NoSuchEntry, NotAllowed, NotViewed, OutOfOrder, Refused
from decisions.review_codes import months_after, parameters, reasons
from decisions.review_entries import RULES, Subject
from decisions.store import Store, open_store, sqlite_url
from decisions.tables import METADATA, SCHEMA_VERSION, audit_log, schema_versions
from tests.decisions.reviewing import HOUR, NOON, SUBJECT, Desk


def n_log(store: Store) -> int:
    with store.reading() as connection:
        return connection.execute(select(func.count()).select_from(audit_log)).scalar_one()


def with_facts(*offence_ids: str) -> Subject:
    return replace(SUBJECT, offence_ids=offence_ids)


def test_an_entry_as_two_people_made_it(store: Store) -> None:
    entry = Desk(store).active().now()
    assert (entry.entry_id, entry.state, entry.reason_code) == ("R000001", "active", "grave_harm")
    assert entry.opening.origin == "listed" and entry.opening.release_id == "2026-02_abc"
    assert entry.record_ids == ("E23000026|n2", "E23000036|n1")
    assert entry.proportionality == "p" and entry.request is None
    assert [act.name for act in entry.acts] == [
        *("view", "triage", "confirm", "view", "approve", "check_safety", "activate")
    ]


# --- refused, and nothing written


@pytest.mark.parametrize(
    ("name", "said", "says"),
    [
        ("confirm", {"why": " "}, "say why"),
        ("confirm", {"agrees": None}, "whether you agree"),
        ("confirm", {"proportionality": " "}, "proportionate"),
        ("confirm", {"proportionality": " ", "role": "drove"}, "proportionate"),
        ("confirm", {"shared_offence_ids": ["A|1"], "role": " "}, "own role"),
        ("confirm", {"reason": "link_wrong"}, "no reason to confirm; choose one of repeated_harm"),
        ("confirm", {"by": "\t"}, "say who"),
        ("defer", {"until": NOON.replace(tzinfo=UTC)}, "time zone"),
        ("defer", {"until": NOON}, "until when"),
        ("defer", {"until": NOON + timedelta(days=100)}, "ends by 2026-06-05"),
        ("check_safety", {"result": "fine"}, "choose one of no_added_risk, risk_managed, risk_too_high"),
    ],
)
def test_what_is_missing_is_asked_for(store: Store, name: str, said: dict[str, object], says: str) -> None:
    desk = Desk(store).triaged()
    before = n_log(store)
    with pytest.raises(Refused, match=says):
        desk.take(name, **({"by": "A"} | said))  # type: ignore[arg-type]
    assert n_log(store) == before and desk.now().state == "triaged"


@pytest.mark.parametrize(
    "subject",
    [replace(SUBJECT, person_id=" "), replace(SUBJECT, record_ids=()), replace(SUBJECT, record_ids=("",))],
)
def test_an_entry_is_about_somebody(store: Store, subject: Subject) -> None:
    with pytest.raises(Refused):
        Desk(store, subject).proposed()
    assert n_log(store) == 0


def test_an_entry_that_is_not_there(store: Store) -> None:
    with pytest.raises(NoSuchEntry, match="R000009"):
        review.triage(store, "R000009", by="A", at=NOON, reason="evidence_as_listed", why="w", agrees=True)
    desk = Desk(store).proposed()
    with pytest.raises(NoSuchEntry, match="not begun by then"):
        review.entry_of(store, desk.entry_id, NOON - HOUR)


def test_the_past_is_closed_and_time_zones_are_not_known(store: Store) -> None:
    desk = Desk(store).proposed()
    for name in ("view", "triage", "propose", "defer"):
        with pytest.raises(Refused, match="time zone"):
            Desk(store, at=NOON.replace(tzinfo=UTC)).take(name, "A")
    with pytest.raises(OutOfOrder):
        desk.on(NOON - HOUR).take("triage", "A")


# --- evidence before rank, and four eyes


def test_nobody_judges_what_they_have_not_viewed(store: Store) -> None:
    desk = Desk(store).proposed()
    with pytest.raises(NotViewed, match="B has not viewed"):
        desk.take("triage", "B")
    desk.take("triage", "A").take("confirm", "A")
    for name in ("approve", "refuse"):
        with pytest.raises(NotViewed):
            desk.take(name, "B")


def test_the_rank_is_for_those_who_have_viewed_the_evidence(store: Store) -> None:
    def may(by: str, at: datetime) -> bool:
        return review.may_see_rank(store, SUBJECT.record_ids[:1], by=by, as_of=at)

    desk = Desk(store).proposed()
    assert may("A", NOON) and may(" a", NOON)
    assert not may("B", NOON) and not may("A", NOON - HOUR)
    # An entry that is looked at from the start is looked at from the start.
    desk.take("triage", "A").take("dispute", "C").take("record_check", "F", result="corrected")
    assert may("A", desk.at)
    desk.take("close_dispute", "A")
    assert not may("A", desk.at)


@pytest.mark.parametrize("asked", ["confirm", "remove"])
@pytest.mark.parametrize("by", ["A", " a ", "A\u00a0"])
def test_who_asked_neither_approves_nor_refuses(store: Store, asked: str, by: str) -> None:
    desk = Desk(store).triaged().take(asked, "A")
    for name in ("approve", "refuse"):
        with pytest.raises(NeedsAnother, match="somebody else"):
            desk.take(name, by)


def test_a_renewal_takes_two_people_again(store: Store) -> None:
    desk = Desk(store).active().take("renew", "B")
    with pytest.raises(NeedsAnother):
        desk.take("approve", "B")
    assert desk.take("approve", "A").now().state == "active"


def test_a_refusal_leaves_the_entry_as_it_was_and_says_why(store: Store) -> None:
    entry = Desk(store).active().take("remove", "A").second("B", "refuse").now()
    assert (entry.state, entry.request, entry.acts[-1].reason_code) == ("active", None, "more_needed")


# --- deadlines


@pytest.mark.parametrize(
    ("at", "months", "on"),
    [
        (datetime(2026, 3, 5, 12), 3, datetime(2026, 6, 5, 12)),
        (datetime(2026, 11, 30), 3, datetime(2027, 2, 28)),
        (datetime(2027, 11, 30), 3, datetime(2028, 2, 29)),
        (datetime(2026, 1, 31), 3, datetime(2026, 4, 30)),
        (datetime(2028, 2, 29), 12, datetime(2029, 2, 28)),
    ],
)
def test_months_are_those_of_the_calendar(at: datetime, months: int, on: datetime) -> None:
    assert months_after(at, months) == on


@pytest.mark.parametrize("situation", ["proposed", "triaged", "confirmed", "active"])
def test_three_months_after_what_was_agreed_it_lapses(store: Store, situation: str) -> None:
    desk = getattr(Desk(store), situation)()
    set_by = {"proposed": "view", "triaged": "triage"}.get(situation, "approve")
    at = next(act.at for act in desk.now().acts if act.name == set_by)
    lapses = months_after(at, 3)
    for moment, state in ((lapses - HOUR / 60, situation), (lapses, "expired")):
        assert review.entry_of(store, desk.entry_id, moment).state == state
    # To be reviewed once more it takes another entry.
    other = desk.on(lapses).proposed()
    assert other.entry_id == "R000002" and other.now().state == "proposed"


def test_a_renewal_adds_three_months_until_a_full_review_is_due(store: Store) -> None:
    desk = Desk(store).active()
    confirmed_at = next(act.at for act in desk.now().acts if act.name == "approve")
    lapses = []
    for months in (2, 4, 6, 8, 10, 11):
        desk.on(months_after(confirmed_at, months)).take("check_safety", "A").take("renew", "A")
        lapses.append(desk.take("approve", "B").now().lapses_at)
    assert lapses[0] == months_after(confirmed_at, 5) + 2 * HOUR
    assert lapses[-2:] == [months_after(confirmed_at, 12)] * 2
    entry = review.entry_of(store, desk.entry_id, months_after(confirmed_at, 12))
    assert entry.state == "expired"


def test_a_live_plan_is_renewed_on_a_safety_check_of_its_own(store: Store) -> None:
    desk = Desk(store).active().take("renew", "A").take("approve", "B")
    with pytest.raises(NotAllowed, match="safety of the victims"):
        desk.take("renew", "A")
    desk.take("check_safety", "A").take("renew", "A")
    assert desk.take("approve", "B").now().state == "active"


def test_too_high_a_risk_stops_a_live_plan_and_gains_no_time(store: Store) -> None:
    desk = Desk(store).active()
    before = desk.now().lapses_at
    entry = desk.take("check_safety", "A", result="risk_too_high").now()
    assert (entry.state, entry.lapses_at) == ("confirmed", before)
    entry = desk.take("check_safety", "A").take("activate", "A").now()
    assert (entry.state, entry.lapses_at) == ("active", before)


def test_a_deferral_ends_by_itself(store: Store) -> None:
    desk = Desk(store).triaged().take("defer", "A", until=datetime(2026, 3, 20))
    states = [
        review.entry_of(store, desk.entry_id, datetime(2026, *day)).state
        for day in ((3, 19, 23, 59), (3, 20), (6, 19), (6, 20))
    ]
    assert states == ["deferred", "triaged", "triaged", "expired"]


# --- removals


def test_a_removal_keeps_what_it_was_about(store: Store) -> None:
    entry = Desk(store).removed().now()
    assert entry.removal and entry.removal.offence_ids == ("A|1", "A|2")
    assert entry.removal.reason_code == "link_wrong" and len(entry.removal.fingerprint) == 64
    assert entry.is_overridden


@pytest.mark.parametrize("facts", [("A|1", "A|2"), ("A|2",), ()], ids=["the same", "fewer", "none"])
@pytest.mark.parametrize("name", ["view", "propose"])
def test_nobody_comes_back_on_the_same_facts(store: Store, facts: tuple[str, ...], name: str) -> None:
    desk = Desk(store).removed()
    again = Desk(store, with_facts(*facts), desk.at)
    with pytest.raises(NotAllowed, match="R000001 removed the person on these allegations"):
        again.take(name, "C")


def test_a_new_allegation_lets_a_person_back_in(store: Store) -> None:
    desk = Desk(store).removed()
    again = Desk(store, with_facts("A|1", "A|3"), desk.at).removed()
    assert again.entry_id == "R000002"
    # Both removals hold together.
    with pytest.raises(NotAllowed, match="R000002"):
        Desk(store, with_facts("A|1", "A|2", "A|3"), again.at).proposed()


def test_a_removal_is_found_by_any_nominal_the_person_had(store: Store) -> None:
    desk = Desk(store).removed()
    merged = replace(SUBJECT, person_id="P9", record_ids=("E23000001|other", "E23000026|n2"))
    with pytest.raises(NotAllowed):
        Desk(store, merged, desk.at).proposed()
    stranger = replace(SUBJECT, record_ids=("E23000001|other",))
    assert Desk(store, stranger, desk.at).proposed().entry_id == "R000002"


def test_the_status_of_a_removal_is_shown_for_a_year_and_what_it_keeps_off_stays(store: Store) -> None:
    desk = Desk(store).removed()
    at = desk.now().since
    before = review.entry_of(store, desk.entry_id, months_after(at, 12) - HOUR)
    later = review.entry_of(store, desk.entry_id, months_after(at, 12))
    assert before.reason_code == "link_wrong" and not before.status_withheld
    assert later.status_withheld and later.acts == () and later.reason_code is None
    assert later.opening.release_id == "" and later.removal
    assert later.removal.reason_code == "" and later.removal.offence_ids == ("A|1", "A|2")
    with pytest.raises(NotAllowed, match="kept until 2027-03-05"):
        desk.take("dispose", "C")
    desk.on(months_after(at, 12)).take("dispose", "C")
    assert desk.now().disposed


def test_an_add_in_is_marked_and_reviewed_like_any_other(store: Store) -> None:
    desk = Desk(store, with_facts()).take("propose", "O")
    entry = desk.now()
    assert (entry.state, entry.opening.origin, entry.is_overridden) == ("proposed", "added_by_officer", True)
    assert entry.acts[0].agrees is False
    with pytest.raises(NotViewed):
        desk.take("triage", "O")
    with pytest.raises(NotAllowed, match="already there"):
        desk.take("propose", "P")
    entry = desk.triaged().take("confirm", "A").second("O").now()
    assert entry.state == "confirmed" and entry.opening.origin == "added_by_officer"


# --- disputes and appeals


def test_a_dispute_freezes_whatever_the_state_and_however_long(store: Store) -> None:
    desk = Desk(store).active().take("dispute", "C")
    assert desk.now().is_frozen and desk.now().state == "active"
    late = review.entry_of(store, desk.entry_id, datetime(2027, 12, 1))
    assert late.is_frozen and late.state == "expired" and late.is_live and not late.status_withheld


def test_of_a_person_nobody_has_looked_at_a_dispute_begins_the_entry(store: Store) -> None:
    entry = Desk(store).take("dispute", "C").now()
    assert (entry.state, entry.is_frozen, entry.viewed_by) == ("proposed", True, frozenset())


def test_who_recorded_the_check_does_not_close_the_dispute(store: Store) -> None:
    desk = Desk(store).triaged().take("dispute", "C").take("view", "F").take("record_check", "F")
    with pytest.raises(NeedsAnother):
        desk.take("close_dispute", "f")


def test_after_a_correction_nothing_that_was_agreed_or_checked_holds(store: Store) -> None:
    desk = Desk(store).active().take("dispute", "C").take("record_check", "F", result="corrected")
    entry = desk.take("close_dispute", "A").now()
    assert (entry.state, entry.viewed_by, entry.proportionality) == ("proposed", frozenset(), None)
    with pytest.raises(NotAllowed, match="check the safety"):
        desk.confirmed().take("activate", "B")


def test_sealed_releases_are_annotated_not_changed(store: Store) -> None:
    desk = Desk(store).triaged().take("dispute", "C")
    desk.take("record_check", "F", result="corrected", release_ids=["2026-02_abc", "2026-01_xyz"])
    (note,) = review.annotations_of(store, "2026-02_abc", desk.at)
    assert (note.person_id, note.entry_id, note.found) == ("P1", "R000001", "corrected")
    assert review.annotations_of(store, "2026-02_abc", NOON) == []
    assert review.annotations_of(store, "2025-12_abc", desk.at) == []


@pytest.mark.parametrize("by", ["A", "B", "C", " a"])
def test_an_appeal_is_not_decided_by_anybody_who_had_a_hand_in_it(store: Store, by: str) -> None:
    desk = Desk(store).active().take("appeal", "C").take("view", by, purpose="appeal")
    with pytest.raises(NeedsAnother, match="outside the unit"):
        desk.take("decide_appeal", by)


def test_who_looked_as_a_reviewer_does_not_decide_the_appeal(store: Store) -> None:
    desk = Desk(store).active().take("view", "X").take("appeal", "C")
    with pytest.raises(NeedsAnother):
        desk.take("decide_appeal", "X")


def test_an_appeal_allowed_removes_on_the_facts_of_the_day(store: Store) -> None:
    desk = Desk(store).active().take("appeal", "C").take("view", "X", purpose="appeal")
    entry = desk.take("decide_appeal", "X", result="allowed").now()
    assert entry.state == "removed" and entry.removal and entry.removal.reason_code == "appeal_allowed"
    assert entry.removal.offence_ids == ("A|1", "A|2")


# --- access


def test_accesses_are_kept_in_the_log(store: Store) -> None:
    log_access(store, who="A", at=NOON, kind="search", subject="P1,P2", purpose="oversight")
    end = NOON + timedelta(days=7)
    no = log_access(
        store,
        who="A",
        at=NOON,
        kind="export",
        subject="ranked_perpetrators",
        purpose="oversight",
        expires_on=end,
    )
    with store.reading() as connection:
        found = accesses(connection)
    assert [(a.no, a.kind, a.subject, a.expires_on) for a in found] == [
        (1, "search", "P1,P2", None),
        (no, "export", "ranked_perpetrators", end),
    ]
    assert review.verify(store) is None and identity.verify(store) is None


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"purpose": "curiosity"}, "is no purpose"),
        ({"purpose": ""}, "is no purpose"),
        ({"subject": "Ann O'Brien 1990"}, "never what was searched for"),
        ({"kind": "peek"}, "an access is one of"),
        ({"kind": "export"}, "destroyed"),
        ({"kind": "export", "expires_on": NOON}, "destroyed after"),
        ({"expires_on": NOON + HOUR}, "an export, and nothing else"),
        ({"who": " "}, "say who"),
    ],
)
def test_an_access_without_purpose_or_about_words_is_refused(
    store: Store, said: dict[str, object], says: str
) -> None:
    plain = {"who": "A", "at": NOON, "kind": "view", "subject": "P1", "purpose": "oversight"}
    with pytest.raises(Refused, match=says) as refused:
        log_access(store, **(plain | said))  # type: ignore[arg-type]
    assert "Brien" not in str(refused.value) and n_log(store) == 0


# --- data


def test_every_act_has_its_reasons() -> None:
    assert all(reasons(name) for name in RULES)
    wanted = "not_suspect link_wrong disproved child dead custody victim_safety_risk duplicates_live_plan disproportionate"
    assert list(reasons("remove")) == wanted.split()


def test_the_months_are_those_of_the_day() -> None:
    found = parameters(NOON.date())
    assert (found.lapse_months, found.full_review_months) == (3, 12)
    with pytest.raises(LookupError):
        parameters(datetime(1999, 1, 1).date())


# --- tampering

REVIEW_TABLES = [t for t in METADATA.sorted_tables if t.name.startswith("review_")]


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Path, bytes]:
    """A store with rows in every table of review, its file, and the file's content without triggers."""
    path = tmp_path_factory.mktemp("whole") / "d.sqlite"
    store = open_store(sqlite_url(path))
    desk = Desk(store).removed()
    other = Desk(store, replace(SUBJECT, record_ids=("E23000001|z",)), desk.at).active()
    other.take("dispute", "C").take("record_check", "F", release_ids=["2026-02_abc"])
    with sqlite3.connect(path, isolation_level=None) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
    connection.close()
    return store, path, path.read_bytes()


def tamper(everything: tuple[Store, Path, bytes], statement: str) -> Store:
    """As somebody who owns the file does."""
    store, path, content = everything
    path.write_bytes(content)
    with sqlite3.connect(path, isolation_level=None) as connection:
        connection.execute(statement)
    connection.close()
    return store


@pytest.mark.parametrize(
    ("table", "column"), [(t.name, c.name) for t in (*REVIEW_TABLES, audit_log) for c in t.columns]
)
def test_a_changed_value_is_found(everything: tuple[Store, Path, bytes], table: str, column: str) -> None:
    change = f"UPDATE {table} SET {column} = 99 WHERE rowid = (SELECT max(rowid) FROM {table})"
    assert review.verify(tamper(everything, change)) is not None


@pytest.mark.parametrize("table", [t.name for t in (*REVIEW_TABLES, audit_log)])
def test_a_deleted_row_is_found(everything: tuple[Store, Path, bytes], table: str) -> None:
    change = f"DELETE FROM {table} WHERE rowid = (SELECT min(rowid) FROM {table})"
    assert review.verify(tamper(everything, change)) is not None


def test_a_row_put_in_is_found(everything: tuple[Store, Path, bytes]) -> None:
    assert review.verify(tamper(everything, "SELECT 1")) is None
    store = tamper(everything, "INSERT INTO review_removal_allegations VALUES (3, 'A|9')")
    assert str(review.verify(store)) == "review_removal_allegations holds a row of 3 that is in no entry"


def test_identity_and_review_share_one_log_and_vouch_for_their_own(store: Store) -> None:
    identity.decide(store, "must_link", ["a"], ["b"], decided_by="A", reason="w", decided_at=NOON)
    Desk(store).triaged()
    assert identity.verify(store) is None and review.verify(store) is None
    with store.reading() as connection:
        assert [e.action for e in audit.entries(connection)] == [
            "identity_decided",
            "review_view",
            "review_triage",
        ]


def test_a_store_of_the_version_before_gets_the_tables_of_review(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "d.sqlite")
    identity.decide(open_store(url), "must_link", ["a"], ["b"], decided_by="A", reason="w", decided_at=NOON)
    with sqlite3.connect(tmp_path / "d.sqlite", isolation_level=None) as connection:
        connection.execute("DROP TRIGGER schema_versions_no_update")
        connection.execute("UPDATE schema_versions SET version = 1")
        for table in reversed(REVIEW_TABLES):
            connection.execute(f"DROP TABLE {table.name}")
    connection.close()
    store = open_store(url)
    assert Desk(store).triaged().now().state == "triaged" and identity.verify(store) is None
    with store.reading() as connection:
        assert connection.execute(select(schema_versions.c.version)).scalars().all() == [1, SCHEMA_VERSION]


def test_the_role_beside_other_suspects_is_kept_with_the_confirmation(store: Store) -> None:
    desk = Desk(store).triaged().take("confirm", "A", shared_offence_ids=["A|1"], role="struck her alone")
    assert desk.second("B").now().proportionality == "p; role beside other suspects: struck her alone"
