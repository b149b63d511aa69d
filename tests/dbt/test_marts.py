"""The marts on the handmade nation: known answers, worked out by hand from `handmade.py`."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.dbt.conftest import Query
from tests.dbt.handmade import A, B, C


def ranked(query: Query, columns: str) -> dict[str, tuple[object, ...]]:
    rows = query(f"select person_id, {columns} from marts.ranked_perpetrators")
    return {r[0]: r[1:] for r in rows}


def test_who_is_listed_held_or_ineligible_and_why(query: Query) -> None:
    assert ranked(query, "list_status, status_reason, national_rank, force_rank") == {
        "P1": ("listed", None, 1, 1),
        f"P-{B}|S10": ("listed", None, 2, 1),
        f"P-{A}|S4": ("held", "in_custody", None, None),
        "P5": ("held", "identity_under_review", None, None),
        f"P-{B}|S11": ("held", "age_unknown", None, None),
        f"P-{A}|S6": ("ineligible", "too_few_incidents", None, None),
        f"P-{A}|S7": ("ineligible", "too_few_incidents", None, None),
        f"P-{A}|S9": ("ineligible", "too_few_incidents", None, None),
        "P8": ("ineligible", "link_too_uncertain", None, None),
    }


def test_the_score_of_the_first_by_hand(query: Query) -> None:
    """19 days at 180 d, 1,825 at 0 d, 84 at 360 d; links .98; three incidents, one known and one unknown victim."""
    multiplier = (3 * 2) ** 0.5
    expected = {
        "A1": multiplier * 19**0.5 * 0.5 * 0.98,
        "A2": multiplier * 1825**0.5 * 1.0 * 0.98,
        "B1": multiplier * 84**0.5 * 0.25 * 0.98,
    }
    found = dict(
        query("select crime_ref, contribution from marts.ranked_perpetrator_offences where person_id = 'P1'")
    )
    assert {k: float(v) for k, v in found.items()} == pytest.approx(expected, abs=1e-9)
    (score, owner, n_forces) = ranked(query, "score, owner_force_code, n_forces")["P1"]
    assert score == sum(found.values(), Decimal(0))
    assert (owner, n_forces) == (A, 2)


def test_what_does_not_count_stays_visible_with_its_reason(query: Query) -> None:
    rows = query(
        "select crime_ref, contribution, not_counted_reason from marts.ranked_perpetrator_offences where not is_counted"
    )
    assert {r[0]: r[1:] for r in rows} == {
        "A62": (0, "the crime was cancelled"),
        "A63": (0, "the suspect was eliminated"),
        "A64": (0, "another force holds this crime"),
        "A71": (0, "the suspect was under 18"),
    }


def test_the_victims_of_each_crime_are_named_by_their_ids(query: Query) -> None:
    rows = query(
        "select crime_ref, victim_ids from marts.ranked_perpetrator_offences where person_id = 'P1' order by 1"
    )
    assert rows == [("A1", [f"P-{A}|V1"]), ("A2", [f"P-{A}|V1"]), ("B1", [])]


def test_a_single_grave_allegation_is_caught_apart(query: Query) -> None:
    assert query("select person_id from marts.ranked_perpetrators where is_on_serious_single_list") == [
        (f"P-{A}|S9",)
    ]


def test_a_child_and_a_dead_person_are_nowhere(query: Query) -> None:
    for table in (
        "ranked_perpetrators",
        "ranked_perpetrator_offences",
        "ranked_perpetrator_uncertainty",
        "perpetrator_lists",
        "suspect_nominals",
    ):
        found = query(
            f"select count(*) from marts.{table} where person_id in (?, ?)", f"P-{A}|S2", f"P-{A}|S3"
        )
        assert found == [(0,)]


def test_the_sentences_stand_beside_every_row(query: Query) -> None:
    statements = query("select distinct statement from marts.ranked_perpetrators")
    assert len(statements) == 1
    assert "not evidence of guilt" in statements[0][0]


def figure(query: Query, **where: str) -> tuple[object, ...]:
    known = {
        "definition_id": "npcc_policing_scope",
        "threat": "all",
        "measure": "offences",
        "breakdown": "none",
        "breakdown_value": "all",
        "force_code": "national",
        "period_kind": "month",
        "period": "2026-06-01",
    } | where
    condition = " and ".join(f"cast({c} as varchar) = ?" for c in known)
    rows = query(
        f"select value, numerator, denominator from marts.national_statistics where {condition}",
        *known.values(),
    )
    assert len(rows) == 1, known
    return rows[0]


def test_offences_are_counted_in_the_month_of_recording_where_the_force_sent_a_return(query: Query) -> None:
    """June: the crimes reported up to 29 days before T that stand. May: VE2, VE4, A71, BR1; VE1 was cancelled, VE3
    deleted. A1 and B1 were recorded in months nobody sent a return for."""
    june_a = [
        "A2",
        "AS21",
        "AS22",
        "AS31",
        "AS32",
        "AS41",
        "AS42",
        "AS51",
        "AS52",
        "A61",
        "A63",
        "A72",
        "A81",
        "A91",
    ]
    june_a += [f"SC{i}" for i in range(1, 9)]
    june_b = ["B81", "B101", "B102", "B111", "B112"] + [f"FL{i}" for i in range(1, 10)]
    may_a = ["A71", "VE2", "VE4", "BR1"]
    everything = {"definition_id": "all_recorded_crime"}
    assert figure(query, force_code=A, **everything)[0] == len(june_a)
    assert figure(query, force_code=B, **everything)[0] == len(june_b)
    assert figure(query, **everything)[0] == len(june_a) + len(june_b)
    assert figure(query, period="2026-05-01", force_code=A, **everything)[0] == len(may_a)
    assert figure(query, period="2026-05-01", force_code=B, **everything)[0] == 0
    whole = len(june_a) + len(june_b) + len(may_a)
    assert figure(query, period_kind="quarter", period="2026-04-01", **everything)[0] == whole
    assert figure(query, period_kind="financial_year", period="2026-04-01", **everything)[0] == whole
    assert figure(query, period_kind="rolling_year", period="2025-07-01", **everything)[0] == whole


def test_the_definitions_differ_as_they_say(query: Query) -> None:
    """June, all 36 crimes: the NPCC scope leaves out SC1 (a man), SC2 (a girl of 9), SC5 (a constable), SC6 and SC7
    (a shop, a theft) and FL8 (a theft); the wide scope takes SC2 back."""
    assert figure(query)[0] == 30
    assert figure(query, definition_id="female_victims_wide")[0] == 31
    # A2, A91, FL9 sexual; FL1, FL3, FL4 domestic.
    assert figure(query, definition_id="hmicfrs_2021")[0] == 6
    assert figure(query, measure="share_of_recorded_crime") == (30 / 36, 30, 36)


def test_threats(query: Query) -> None:
    threats = dict(
        query(
            "select threat, value from marts.national_statistics where definition_id = 'npcc_policing_scope' "
            "and measure = 'offences' and breakdown = 'none' and force_code = 'national' and period_kind = 'month' "
            "and period = date '2026-06-01' and value > 0"
        )
    )
    assert threats == {
        "all": 30,
        "domestic_abuse": 3,
        "rape_and_serious_sexual_offences": 3,
        "child_sexual_abuse_and_exploitation": 1,
        "online_and_technology_enabled": 1,
    }


def test_victims_are_counted_once_each(query: Query) -> None:
    """SC8 has a woman and a man: one crime, two victims."""
    assert figure(query, measure="victims")[0] == 31
    assert figure(query, measure="victims", breakdown="sex", breakdown_value="F")[0] == 30
    assert figure(query, measure="victims_female_share")[1:] == (30, 31)


def test_a_few_people_of_one_force_are_withheld_but_not_in_the_nation(query: Query) -> None:
    year = {"period_kind": "rolling_year", "period": "2025-07-01"}
    cell = {"measure": "victims", "breakdown": "relationship", "breakdown_value": "INT", **year}
    assert figure(query, force_code=B, **cell) == (None, None, None)
    assert figure(query, **cell)[0] == 2


def test_words_not_known_are_counted_not_guessed(query: Query) -> None:
    assert figure(query, breakdown="location_type", breakdown_value="unmapped")[0] == 1


def test_orders_in_force(query: Query) -> None:
    rows = query(
        "select order_ref, respondent_person_id, n_breaches, days_left from marts.protective_orders_in_force order by 1"
    )
    assert rows == [("PO1", "P1", 0, 0), ("PO4", "P1", 2, None)]


def test_the_queue_asks_first_what_would_change_the_list(query: Query) -> None:
    """P5 would be listed with two crimes of 19 days, ten days ago, by links of .95. S10 is listed; S11, held for his age,
    scores as much as P5 by links of 1, and more than S10, who has two common assaults of a day, 20 days ago. S12 brings
    nothing to anybody; S6 is a suspect of June. That S1 and S10 are two was decided."""
    rows = query(
        "select queue_rank, person_id, other_person_id, reason, consequence, withheld, n_record_pairs, record_id_l, record_id_r "
        "from marts.identity_review_queue order by 1"
    )
    s6, s10, s11, s12, v1 = (
        f"P-{f}|{r}" for f, r in ((A, "S6"), (B, "S10"), (B, "S11"), (A, "S12"), (A, "V1"))
    )
    assert rows == [
        (1, "P5", None, "two_sexes", "listed", True, 1, f"{B}|S5", f"{A}|S5"),
        (2, s10, s11, "birth_date_unknown", "listed", False, 1, f"{B}|S10", f"{B}|S11"),
        (3, s12, "P1", "pnc_differs", "listed", False, 2, f"{A}|S1", f"{A}|S12"),
        (4, s12, s6, "band", "live_suspect", False, 1, f"{A}|S12", f"{A}|S6"),
        (5, s12, v1, "band", "recorded", False, 1, f"{A}|S12", f"{A}|V1"),
    ]
    stakes = dict(query("select queue_rank, score_at_stake from marts.identity_review_queue"))
    expected = dict(query("select queue_rank, expected_change from marts.identity_review_queue"))
    scores = dict(query("select person_id, score from marts.ranked_perpetrators"))
    assert [stakes[n] for n in range(1, 6)] == [scores["P5"], scores[s10], 0, 0, 0]
    assert [expected[n] for n in range(1, 6)] == [scores["P5"], scores[s10] / 2, 0, 0, 0]


def test_every_force_that_used_an_id_that_changed_can_be_told(query: Query) -> None:
    rows = query(
        "select event, from_person_id, to_person_id, force_code, record_id, is_own_record, cause, decision_id "
        "from marts.person_identity_changes order by event, is_own_record desc"
    )
    joined, parted = ("merge", "P1-of-B", "P1"), ("split", "P1", f"P-{B}|S10")
    assert rows == [
        (*joined, B, f"{B}|S1", True, "new_evidence", None),
        (*joined, A, f"{A}|S1", False, "new_evidence", None),
        (*parted, B, f"{B}|S10", True, "decision", "I000001"),
        (*parted, A, f"{A}|S1", False, "decision", "I000001"),
    ]


def test_what_holds_a_person_together(query: Query) -> None:
    rows = query(
        "select person_id, record_id_l, record_id_r, is_weakest from marts.person_link_evidence order by 1"
    )
    assert rows == [(p, f"{B}|{s}", f"{A}|{s}", True) for p, s in (("P1", "S1"), ("P5", "S5"), ("P8", "S8"))]


def test_a_search_looks_through_every_force_s_nominal_of_a_suspect(query: Query) -> None:
    rows = query("select record_id, force_code from marts.suspect_nominals where person_id = 'P1' order by 1")
    assert rows == sorted([(f"{A}|S1", A), (f"{B}|S1", B)])
    strangers = query(
        "select count(*) from marts.suspect_nominals where person_id not in "
        "(select person_id from marts.ranked_perpetrators union select person_id from marts.perpetrator_profiles)"
    )
    assert strangers == [(0,)]


def test_who_is_held_for_nothing_but_a_doubt_about_who_they_are(query: Query) -> None:
    assert query("select person_id from marts.ranked_perpetrators where is_held_for_identity_alone") == [
        ("P5",)
    ]


def test_a_force_that_sent_nothing_has_its_scorecard(query: Query) -> None:
    rows = dict(
        query(
            "select force_code, list(distinct status order by status) from marts.data_quality_scorecards group by 1"
        )
    )
    assert len(rows) == 43
    assert rows[C] == ["held"]
    assert sorted(rows[A]) != ["not_submitted"]
    assert [f for f, statuses in rows.items() if statuses == ["not_submitted"]].__len__() == 40


@pytest.mark.parametrize(
    ("force", "check", "n_passed", "n_checked", "status"),
    [
        (A, "submission_on_time", 1, 1, "pass"),
        (B, "submission_on_time", 0, 1, "fail"),
        (B, "location_mapped", 1, 2, "fail"),
        (B, "relationship_mapped", 4, 4, "pass"),
        (B, "flag_mapped", 3, 4, "fail"),
        # FL1 (said no), FL9 twice (said nothing): rules settle three flags, the force set none.
        (B, "flag_agreement", 0, 3, "fail"),
        (A, "flag_mapped", 0, 0, "not_applicable"),
        (C, "rows_accepted", None, None, "held"),
    ],
)
def test_scorecard(query: Query, force: str, check: str, n_passed: int, n_checked: int, status: str) -> None:
    rows = query(
        "select n_passed, n_checked, status from marts.data_quality_scorecards where force_code = ? and check_id = ?",
        force,
        check,
    )
    assert rows == [(n_passed, n_checked, status)]


def test_a_rule_that_found_something_is_scored_for_every_force(query: Query) -> None:
    rows = query(
        "select force_code, n_checked - n_passed from marts.data_quality_scorecards "
        "where check_id = 'rule:offences:recorded_late' and n_checked > 0 order by 1"
    )
    assert rows == [(B, 0), (A, 1)]


def test_every_force_has_its_gates_and_who_sent_nothing_is_told_apart(query: Query) -> None:
    rows = query("select force_code, months_behind, has_caveat, caveat from marts.ranking_data_gates")
    found = {force: rest for force, *rest in rows}
    assert len(found) == 43
    assert found[A] == [0, False, None]
    # C's only return was held.
    assert found[C] == [None, True, "This force has no return in the run."]


def test_the_shares_of_the_gates_by_hand(query: Query) -> None:
    """Of B's 14 crimes in scope 9 name somebody who is identified; 5 of the 6 nominals named hold by a link of .9 or more."""
    rows = query(
        "select n_crimes, named_suspect_share, n_suspect_records, sure_link_share, lowest_link_probability "
        "from marts.ranking_data_gates where force_code = ?",
        B,
    )
    assert rows == [(14, pytest.approx(9 / 14), 6, pytest.approx(5 / 6), 0.85)]
