"""Sign-off is of figures: it stands while they stay, gives way to a newer one, and is in the audit log."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from sqlalchemy import text

from decisions import sign_off
from decisions.refusals import AlreadyRevoked, NoSuchDecision, OutOfOrder, Refused
from decisions.store import Store

FORCE, PERIOD = "E23000036", "2026-02"
MAY, JUNE, JULY = (datetime(2026, m, 1, 9) for m in (5, 6, 7))


def give(store: Store, figures: str, at: datetime, by: str = "A. Analyst") -> str:
    return sign_off.sign(
        store,
        force_code=FORCE,
        period=PERIOD,
        release_id="2026-02_abc",
        figures=figures * 64,
        by=by,
        note="against our return",
        at=at,
    )


def standing(store: Store, as_of: datetime = JULY) -> str | None:
    found = sign_off.in_force(store, as_of).get((FORCE, PERIOD))
    return found.figures[0] if found else None


def test_the_newest_is_in_force_and_the_past_stays_as_it_was(store: Store) -> None:
    assert standing(store) is None
    assert give(store, "a", MAY) == "S000001"
    assert give(store, "b", JUNE) == "S000002"
    assert [standing(store, at) for at in (datetime(2026, 4, 1), MAY, JUNE)] == [None, "a", "b"]
    assert sign_off.verify(store) is None


def test_the_same_figures_are_signed_off_once_and_again_after_others(store: Store) -> None:
    give(store, "a", MAY)
    with pytest.raises(Refused, match="S000001, in force, signs off the same figures"):
        give(store, "a", JUNE)
    give(store, "b", JUNE)
    assert give(store, "a", JULY) == "S000003"


def test_what_is_withdrawn_is_not_in_force(store: Store) -> None:
    given = give(store, "a", MAY)
    sign_off.withdraw(store, given, by="A. Analyst", reason="a return was missing", at=JUNE)
    assert (standing(store, MAY), standing(store)) == ("a", None)
    with pytest.raises(AlreadyRevoked):
        sign_off.withdraw(store, given, by="A. Analyst", reason="again", at=JULY)
    with pytest.raises(NoSuchDecision):
        sign_off.withdraw(store, "S000009", by="A. Analyst", reason="none", at=JULY)
    assert sign_off.verify(store) is None


def test_nobody_and_no_reason_are_refused_and_nothing_is_written(store: Store) -> None:
    with pytest.raises(Refused, match="say who"):
        give(store, "a", MAY, by=" ")
    given = give(store, "a", JUNE)
    with pytest.raises(Refused, match="say why"):
        sign_off.withdraw(store, given, by="A. Analyst", reason=" ", at=JULY)
    with pytest.raises(OutOfOrder):
        give(store, "b", MAY)
    assert standing(store) == "a"


def test_a_row_that_is_not_what_was_logged_is_found(store: Store) -> None:
    give(store, "a", MAY)
    if store.engine.dialect.name == "postgresql":
        pytest.skip("the trigger that is dropped here is SQLite's")
    with store.writing() as connection:
        # Who owns the file can drop what guards it.
        connection.execute(text("DROP TRIGGER figure_sign_offs_no_update"))
        connection.execute(text("UPDATE figure_sign_offs SET period = '2026-03'"))
    broken = sign_off.verify(store)
    assert broken is not None and broken.no == 1


def test_the_parameter_is_of_a_day() -> None:
    assert sign_off.is_needed(date(2026, 2, 1)) is False
    with pytest.raises(LookupError):
        sign_off.is_needed(date(2012, 1, 1))
