"""The lists of the month on the handmade nation: who stands where, under which lens, how firmly, and why."""

from __future__ import annotations

import csv
import hashlib
from decimal import Decimal
from pathlib import Path

import pytest

from tests.dbt.conftest import PROJECT, Query
from tests.dbt.handmade import A, B

SOUTH_WEST, EAST = "South West", "East"
S10 = f"P-{B}|S10"


def test_who_stands_on_which_list(query: Query) -> None:
    """P1 and S10 are eligible. P1 has three crimes within 365 days, so he stands under every lens; so does S10. Neither
    force has a pool of 10,000: both stand on their region's list."""
    rows = query(
        "select list_kind, lens, list_scope_code, place, person_id, is_pool_small from marts.perpetrator_lists "
        "where place is not null order by 1, 2, 3, 4"
    )
    lenses = ("gravest_harm", "likely_harm", "rfg")
    assert rows == [
        *(
            ("force_top", lens, *row)
            for lens in lenses
            for row in ((EAST, 1, S10, True), (SOUTH_WEST, 1, "P1", True))
        ),
        ("national_quota", "likely_harm", "national", 1, "P1", False),
        ("national_quota", "likely_harm", "national", 2, S10, False),
        *(
            ("national_top", lens, "national", place, person, False)
            for lens in lenses
            for place, person in ((1, "P1"), (2, S10))
        ),
    ]


def test_how_many_a_list_holds_is_a_statistic_of_the_place_whose_list_it_is(query: Query) -> None:
    """A's and B's regions have one person each, which is withheld; behind a region are those of its forces that sent."""
    rows = query(
        "select force_code, breakdown_value, value, suppressed, n_forces, n_months from marts.national_statistics "
        "where measure = 'persons_listed' order by 1, 2"
    )
    assert rows == [
        (EAST, "force_top", None, True, 1, 1),
        (SOUTH_WEST, "force_top", None, True, 1, 1),
        ("national", "national_quota", 2, False, 2, 1),
        ("national", "national_top", 2, False, 2, 1),
    ]


def test_lists_without_places(query: Query) -> None:
    """One rape and nothing else; custody, a doubt about identity, an age nobody knows: who may be a child has no score."""
    rows = query(
        "select list_kind, person_id, reason, place, score is null from marts.perpetrator_lists where place is null order by 1, 2"
    )
    assert rows == [
        ("held", f"P-{B}|S11", "age_unknown", None, True),
        ("held", f"P-{A}|S4", "in_custody", None, False),
        ("held", "P5", "identity_under_review", None, False),
        ("serious_single", f"P-{A}|S9", "too_few_incidents", None, True),
    ]


def test_the_scores_of_the_other_lenses_by_hand(query: Query) -> None:
    """P1: 19 + 1,825 + 84 days within a year; latest report today (5), three incidents (3), gravest 1,825 (5). S10: two
    common assaults, 20 days ago (5), two incidents (2), gravest under 10 (1)."""
    rows = query(
        "select person_id, score_gravest_harm, score_rfg from marts.ranked_perpetrators where list_status = 'listed' order by 1"
    )
    weight = query("select cchi_days from codes.harm_weights where offence_code = '105A'")[0][0]
    assert rows == [(S10, Decimal(str(2 * weight)), 5 * 2 * 1), ("P1", Decimal("1928"), 5 * 3 * 5)]


def test_every_force_has_its_pool(query: Query) -> None:
    pools = query(
        "select force_code, list_scope, list_scope_code, n_eligible, n_listed, n_on_list, depth_share, cut_off_score "
        "from marts.perpetrator_list_pools where lens = 'likely_harm'"
    )
    assert len(pools) == 43
    by_force = {p[0]: p[1:] for p in pools}
    assert by_force[A] == ("region", SOUTH_WEST, 1, 1, 1, 1.0, None)
    assert by_force["W15000004"][2:] == (0, 0, 0, None, None)


def test_a_child_is_for_the_child_protection_lead(query: Query) -> None:
    """S2 is 16 and has two crimes; S7 was 17 and is a man now."""
    rows = query(
        "select person_id, force_code, routed_to, n_allegations, is_also_victim from marts.safeguarding_children"
    )
    assert rows == [
        (f"P-{A}|S2", A, "Child-protection lead, Avon & Somerset Constabulary", 2, False),
    ]
    columns = {r[0] for r in query("select column_name from (describe marts.safeguarding_children)")}
    assert not {c for c in columns if any(word in c for word in ("score", "rank", "severity", "place"))}


def test_where_the_first_would_stand_without_each_allegation(query: Query) -> None:
    """Without A2, two crimes and two victims (one of them not known) are left: m = 2. Without A1 or B1, (2 * 2)^.5 or
    (2 * 1)^.5. S10 has two crimes: without either he is off the list."""
    base = {"A1": 19**0.5 * 0.5 * 0.98, "A2": 1825**0.5 * 0.98, "B1": 84**0.5 * 0.25 * 0.98}
    left = {"A1": 2.0, "A2": 2.0, "B1": 2**0.5}
    rows = query(
        "select crime_ref, is_listed_without, score_without, rank_without from marts.ranked_perpetrator_offences "
        "where person_id = 'P1'"
    )
    assert {r[0]: (r[1], r[3]) for r in rows} == dict.fromkeys(base, (True, 1))
    assert {r[0]: float(r[2]) for r in rows} == pytest.approx(
        {k: left[k] * sum(v for j, v in base.items() if j != k) for k in base}, abs=1e-9
    )
    of_s10 = query(
        "select distinct is_listed_without, rank_without from marts.ranked_perpetrator_offences where person_id = ?",
        S10,
    )
    assert of_s10 == [(False, None)]


def test_a_row_in_a_sentence(query: Query) -> None:
    rows = query("select crime_ref, explanation, not_counted_reason from marts.ranked_perpetrator_offences")
    told = {crime: (explanation, reason) for crime, explanation, reason in rows}
    assert told["A1"][0] == (
        "Avon and Somerset A1, reported 1 January 2026, s = 19 days (cchi_2020_median_v1), s^0.50 = 4.36, 180 days old "
        "-> x 0.500, link x 0.98, multiplier x 2.45 -> 5.2 of 113.3 points (5%). "
        "Without it the national rank would stay 1."
    )
    # Who stands on no list is shown to nobody: the terms and the reason are there, and no sentence.
    assert told["A62"] == (None, "the crime was cancelled")


def test_the_points_shown_add_up_by_the_largest_remainder(query: Query) -> None:
    rows = query(
        "select crime_ref, contribution, points_shown, contribution_share from marts.ranked_perpetrator_offences "
        "where person_id = 'P1' order by 1"
    )
    score = sum(r[1] for r in rows)
    assert sum(r[2] for r in rows) == round(score, 1)
    assert all(abs(r[2] - r[1]) < Decimal("0.1") for r in rows)
    assert sum(r[3] for r in rows) == pytest.approx(1)


def test_the_draws_are_those_of_the_digests(query: Query) -> None:
    """P1 is off the list in those draws in which his nominal at A, with two of his three crimes, is another man's, or
    or both are; without the one at B two crimes are left, which is enough. One digest serves eight draws, 16 bits each."""
    key = query("select snapshot_key from repository.national_run")[0][0]

    def kept(record_id: str, draw: int) -> bool:
        digest = hashlib.md5(
            f"{key}|P1|{record_id}|{(draw - 1) // 8}".encode(), usedforsecurity=False
        ).hexdigest()
        part = (draw - 1) % 8
        return (int(digest[4 * part : 4 * part + 4], 16) + 0.5) / 65536 < 0.98

    draws = range(1, 201)
    expected = {n: 2 * kept(f"{A}|S1", n) + kept(f"{B}|S1", n) for n in draws}
    assert len(set(expected.values())) > 1
    assert (
        dict(query("select draw_no, n_incidents from ranking.ranking_draws where person_id = 'P1'"))
        == expected
    )
    share = sum(n >= 2 for n in expected.values()) / 200
    rows = query(
        "select p_eligible, p_in_national_top, p_in_force_top, band_national, national_rank_from, median_national_rank "
        "from marts.ranked_perpetrator_uncertainty where person_id = 'P1'"
    )
    assert rows == [(pytest.approx(share), pytest.approx(share), pytest.approx(share), "clear", 1, 1)]


def test_victims_are_lost_with_their_last_nominal(query: Query) -> None:
    """V1 is known by A's crimes alone, the victim without a nominal by B's: each goes with that nominal."""
    rows = query(
        "select distinct n_incidents, n_victims from ranking.ranking_draws where person_id = 'P1' order by 1"
    )
    assert set(rows) <= {(3, 2), (2, 1), (1, 1), (0, 0)}
    assert (3, 2) in rows and (2, 1) in rows


def test_the_sentences_are_part_of_the_data(query: Query) -> None:
    with (Path(PROJECT) / "seeds" / "ranking_statements.csv").open(encoding="utf-8", newline="") as stream:
        written = [row["statement"] for row in csv.DictReader(stream)]
    assert [
        r[0] for r in query("select statement from marts.list_statements order by statement_no")
    ] == written
    for words in (
        "not evidence of guilt",
        "the most dangerous known",
        "no new charge",
        "fell 81%",
        "Exact ranks below about 25",
        "not the list that predicts best",
        "stalking",
        "Custody was not checked",
        "made-up people only",
    ):
        assert any(words in sentence for sentence in written), words


def test_overlaps_are_told_for_every_scope_and_pair(query: Query) -> None:
    rows = query(
        "select list_scope_code, list_l, list_r, overlap_share, rbo_ext from marts.perpetrator_list_overlaps"
    )
    pairs = {("likely_harm", "gravest_harm"), ("likely_harm", "rfg"), ("gravest_harm", "rfg")}
    assert {r[:3] for r in rows} == {(s, *p) for s in (EAST, SOUTH_WEST, "national") for p in pairs} | {
        ("national", "likely_harm", "national_quota")
    }
    assert {r[3:] for r in rows} == {(1.0, 1.0)}
