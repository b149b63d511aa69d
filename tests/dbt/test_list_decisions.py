"""What people decided of the list, resolved to today's persons on the handmade nation. Its rules are dbt unit tests."""

from __future__ import annotations

from datetime import datetime

from tests.dbt.conftest import Query
from tests.dbt.handmade import A, B


def test_decisions_follow_the_nominals_to_the_persons_of_the_run(query: Query) -> None:
    rows = query("""
        select person_id, list_decision, decided_person_id, reason_code, valid_until, is_added_by_officer
        from repository.national_list_decisions order by person_id
    """)
    assert rows == [
        (f"P-{B}|S13", "removed_on_these_facts", f"P-{B}|S13", "not_suspect", None, False),
        (f"P-{A}|S12", "deferred", "P-before", "victim_contact", datetime(2026, 8, 1), True),
    ]
