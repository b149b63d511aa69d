"""Profiles of suspects and of victims on the handmade nation: known answers, worked out by hand from `handmade.py`."""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path

import pytest

from tests.dbt.conftest import PROJECT, Query
from tests.dbt.handmade import A, B

CODES = PROJECT.parent / "data_contracts" / "codes"
PROFILE_MARTS = {
    "perpetrator_profiles",
    "perpetrator_features",
    "perpetrator_timelines",
    "allegations_closed_without_action",
    "victim_profiles",
    "victim_timelines",
}
V1 = f"P-{A}|V1"


def one(query: Query, mart: str, person_id: str, columns: str) -> tuple[object, ...]:
    rows = query(f"select {columns} from marts.{mart} where person_id = ?", person_id)
    assert len(rows) == 1
    return tuple(rows[0])


def manifest() -> dict[str, dict[str, object]]:
    nodes = json.loads((PROJECT / "target" / "manifest.json").read_text(encoding="utf-8"))["nodes"]
    return {n["name"]: n for n in nodes.values() if n["resource_type"] == "model"}


def upstream(models: dict[str, dict[str, object]], name: str) -> set[str]:
    """Every model that a model is made from, near and far."""
    parents = {n.split(".")[-1] for n in models[name]["depends_on"]["nodes"]} & models.keys()  # type: ignore[index]
    return parents.union(*(upstream(models, p) for p in parents)) if parents else set()


def test_who_has_a_profile(query: Query) -> None:
    """Everybody ranked or held has an allegation that counts. S2 is 16 and S3 has died."""
    found = {r[0] for r in query("select person_id from marts.perpetrator_profiles")}
    assert found == {"P1", "P5", "P8"} | {f"P-{A}|{s}" for s in ("S4", "S6", "S7", "S9")} | {
        f"P-{B}|{s}" for s in ("S10", "S11")
    }


def test_the_profile_of_the_first_by_hand(query: Query) -> None:
    """A1 and A2 are against V1, B1 against a woman without a nominal; all are open. B1 is stalking, the rest has no sign.
    Orders: PO1 and PO4 in force; PO4 was breached by BR1, 40 days before the end of June, and by A1."""
    columns = (
        "n_allegations, n_forces, force_codes, n_victims, n_repeat_victims, n_victims_not_linked, mo_in_words, "
        "n_open_investigations, n_orders, n_orders_in_force, n_order_breaches, latest_order_breach_on, management_in_words, "
        "n_domestic_incidents_with_children, n_counter_allegations, custody_status"
    )
    assert one(query, "perpetrator_profiles", "P1", columns) == (
        *(3, 2, [B, A], 1, 1, 1, "Stalking (1 of 3)", 3, 4, 2, 2, date(2026, 5, 21)),
        *("Integrated offender management", 1, 0, "not in custody"),
    )


def test_what_is_not_recorded_is_said(query: Query) -> None:
    columns = "is_managed, management_in_words, n_orders_in_force, orders_in_words, mo_in_words"
    none = "none recorded"
    assert one(query, "perpetrator_profiles", f"P-{A}|S9", columns) == (False, none, 0, none, none)


def test_what_does_not_count_is_no_part_of_a_profile(query: Query) -> None:
    """S6: one crime counts; one cancelled, one he was eliminated from, one another force holds do not."""
    columns = "n_allegations, n_not_counted, n_open_investigations"
    assert one(query, "perpetrator_profiles", f"P-{A}|S6", columns) == (1, 3, 1)
    standings = query(
        "select source_ref, standing from marts.perpetrator_timelines where person_id = ? order by source_ref",
        f"P-{A}|S6",
    )
    assert standings == [("A61", "open"), ("A62", "cancelled"), ("A63", "eliminated"), ("A64", "transferred")]


def test_the_timeline_of_the_first_by_hand(query: Query) -> None:
    """T is 30 June; a crime is committed two hours before its report. PO5 is granted in July; PO1 ends on the last day."""
    rows = query(
        "select event_on, event_kind, role, source_ref from marts.perpetrator_timelines where person_id = 'P1' order by event_no"
    )
    assert rows == [
        (date(2025, 7, 5), "crime", "suspect", "B1"),
        (date(2026, 1, 1), "crime", "suspect", "A1"),
        (date(2026, 1, 1), "order_breached", "respondent", "PO4"),
        *((date(2026, 5, 1), "order_granted", "respondent", ref) for ref in ("PO2", "PO3", "PO4")),
        (date(2026, 5, 5), "management_started", "managed", "IOM"),
        (date(2026, 5, 21), "order_breached", "respondent", "PO4"),
        (date(2026, 6, 1), "order_granted", "respondent", "PO1"),
        (date(2026, 6, 2), "order_rescinded", "respondent", "PO3"),
        (date(2026, 6, 27), "domestic_incident", "suspect", "IN1"),
        (date(2026, 6, 29), "order_expired", "respondent", "PO2"),
        (date(2026, 6, 30), "crime", "suspect", "A2"),
        (date(2026, 6, 30), "order_expired", "respondent", "PO1"),
    ]


def test_who_is_in_custody_is_on_their_timeline_without_a_beginning(query: Query) -> None:
    """S4's nominal came with the return for May, drawn on 4 June, and with none since."""
    rows = query(
        "select event_on, role, event_in_words from marts.perpetrator_timelines where event_kind = 'custody_recorded'"
    )
    assert [r[:2] for r in rows] == [(date(2026, 6, 4), "held")]
    assert "since when is not known" in rows[0][2]


def test_the_profile_of_a_victim_by_hand(query: Query) -> None:
    """V1: A1 and A2, both laid to P1, half a year apart; the incident was graded high, with children there."""
    columns = (
        "n_offences, n_repeats, is_repeat_victim, n_suspects, n_suspects_again, suspect_person_ids, n_orders_in_force, "
        "next_order_expires_on, n_order_breaches, highest_dash_risk, highest_dash_risk_on, n_domestic_incidents_with_children"
    )
    assert one(query, "victim_profiles", V1, columns) == (
        *(2, 1, True, 1, 1, ["P1"], 2, date(2026, 6, 30), 2, "high", date(2026, 6, 27), 1),
    )
    assert query("select count(*) from marts.victim_profiles") == [(1,)]


def test_a_victims_timeline_holds_what_was_done_to_her_and_for_her(query: Query) -> None:
    roles = dict(query("select role, count(*) from marts.victim_timelines group by role"))
    assert roles == {"victim": 3, "protected person": 9}


def test_no_profile_holds_ethnicity_or_a_victims_place(query: Query) -> None:
    columns = query(
        "select table_name, column_name from information_schema.columns where table_schema = 'marts'"
    )
    of = {(table, column) for table, column in columns if table in PROFILE_MARTS}
    assert {table for table, _ in of} == PROFILE_MARTS
    assert not {c for _, c in of if any(word in c for word in ("ethnic", "nationality", "religio"))}
    assert not {
        c for t, c in of if t.startswith("victim") and any(w in c for w in ("score", "rank", "place"))
    }


def test_nothing_about_victims_enters_a_score() -> None:
    """Profiles are read by people; no ranked list is made from one, at whatever distance."""
    models = manifest()
    ranked = [name for name in models if name.startswith(("ranked_", "scored_", "perpetrator_list"))]
    assert ranked
    assert {n: upstream(models, n) & PROFILE_MARTS for n in ranked} == {n: set() for n in ranked}


@pytest.mark.parametrize(
    ("kind", "codes"),
    [("suspect_status", "suspect_statuses"), ("outcome_code", "outcome_codes")],
)
def test_every_code_has_a_standing_in_words(kind: str, codes: str) -> None:
    def read(path: Path) -> list[dict[str, str]]:
        with path.open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))

    standings = read(PROJECT / "seeds" / "allegation_standings.csv")
    assert {s["code"] for s in standings if s["kind"] == kind} == {
        c["code"] for c in read(CODES / f"{codes}.csv")
    }


def test_the_sentences_stand_beside_every_profile(query: Query) -> None:
    for mart, sentence in (
        ("perpetrator_profiles", "A suspect is not an offender"),
        ("victim_profiles", "nobody here is ranked or scored"),
    ):
        assert [sentence in s for (s,) in query(f"select distinct statement from marts.{mart}")] == [True]
