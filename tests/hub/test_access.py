"""The rules of access are whole: every mart of persons has one, every act a permission, every rank column a place."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import duckdb
import pytest

from decisions.review_entries import RULES
from hub.access import Scope, User, roles, selects
from hub.lookups import DERIVED
from hub.pages.lists import KINDS
from hub.parameters import rows
from hub.releases import Releases
from tests.hub.releases import A, B, contract

# What a column that tells a rank is called.
_RANK = re.compile(
    r"rank|score|place|points|contribution|shown_order|certainty_band|expected_change"
    # The factors of the score: their product, summed, is the score.
    r"|^(severity_days|age_days|decay|outcome_weight|multiplier)$"
)
# What a column that tells a place on a list is called.
_PLACE = re.compile(r"rank|place|^band_|list_movement|explanation|serious_single_list")
# What a column that tells a score is called.
_SCORE = re.compile(r"score(?!d)|points|contribution|expected_change|explanation|causes_in_words")
# Names that look like it and tell none.
_TELLS_NONE = {"ranked_at", "parameters_version"}


@pytest.fixture
def columns(releases: Releases) -> Callable[[str], set[str]]:
    """Of a mart, or of what is worked out of marts, the columns that somebody who sees everything sees."""
    release, everything = releases.current(), Scope(identifiable=True, victims=True, rank=True)
    return lambda mart: set(release.read(everything, f'SELECT * FROM "{mart}" LIMIT 0').columns)


def test_every_mart_about_persons_has_a_rule_and_every_rule_a_mart(
    columns: Callable[[str], set[str]],
) -> None:
    of_persons = {name for name, m in contract().items() if m["config"]["meta"]["release"] != "statistical"}
    assert {row["mart"] for row in rows("mart_rules")} == of_persons | set(DERIVED)
    for row in rows("mart_rules"):
        known = columns(row["mart"])
        assert row["force_column"] in known | {""}, row["mart"]
        assert set(row["rank_columns"].split()) <= known | {"*"}, row["mart"]


def test_no_column_that_tells_a_rank_is_left_open_to_who_has_not_looked(
    columns: Callable[[str], set[str]],
) -> None:
    for row in rows("mart_rules"):
        hidden = set(row["rank_columns"].split())
        if "*" in hidden or row["mart"] == "safeguarding_children":
            continue
        telling = {name for name in columns(row["mart"]) if _RANK.search(name)}
        assert telling - _TELLS_NONE <= hidden, row["mart"]


def test_every_column_that_tells_a_place_goes_with_the_list_it_is_on(
    columns: Callable[[str], set[str]],
) -> None:
    # Whose rows tell a place by being there go with the row; the queue of identities is no list.
    by_row = {"perpetrator_lists", "month_alerts", "identity_review_queue", "safeguarding_children"}
    for row in rows("mart_rules"):
        of_nation, of_scope = set(row["national_columns"].split()), set(row["scope_columns"].split())
        known = columns(row["mart"])
        assert of_nation | of_scope <= known and not of_nation & of_scope, row["mart"]
        telling = {c for c in known if _PLACE.search(c)} - _TELLS_NONE
        if row["mart"] not in by_row:
            assert telling <= of_nation | of_scope, row["mart"]


def test_who_a_victim_is_is_seen_by_those_alone_who_see_the_marts_of_victims() -> None:
    """Of every mart that is not of victims itself: each column that names one, by its name and type, for every role."""
    names_one = re.compile(r"(victim|protected).*_ids?$")
    marts = {
        name: {"file": f"{held['config']['meta']['release']}/{name}.parquet"}
        for name, held in contract().items()
    }
    columns = {name: [c["name"] for c in contract()[name]["columns"]] for name in marts}
    naming = {
        (name, c)
        for name, of in columns.items()
        if not _of_victims(marts[name])
        for c in of
        if names_one.search(c)
    }
    assert naming >= {
        ("ranked_perpetrator_offences", "victim_ids"),
        ("perpetrator_profiles", "victim_ids"),
        ("protective_orders_in_force", "protected_person_id"),
    }
    for role in roles().values():
        user = User("u", "u", role, A if role.is_of_a_force else None)
        seen = selects(user.scope().after_view(), marts, columns, str)
        for name, column in naming:
            is_shown = name in seen and column in seen[name].columns
            assert not is_shown or user.may("victims"), (role.code, name, column)
        assert user.may("victims") or not any(_of_victims(marts[name]) for name in seen)


def _of_victims(held: Mapping[str, Any]) -> bool:
    return str(held["file"]).startswith("victims/")


def test_every_column_that_tells_a_score_is_blanked_for_who_may_be_a_child(
    columns: Callable[[str], set[str]],
) -> None:
    of_one_in_place = {"ranked_perpetrator_uncertainty", "safeguarding_children"}
    for row in rows("mart_rules"):
        if row["mart"] in of_one_in_place:
            continue
        telling = {name for name in columns(row["mart"]) if _SCORE.search(name)}
        assert telling == set(row["score_columns"].split()), row["mart"]
        assert set(row["scored_persons"].split()) <= columns(row["mart"]), row["mart"]
        assert bool(row["scored_persons"]) == bool(telling), row["mart"]


def test_every_kind_of_list_can_be_chosen_on_the_page() -> None:
    (kind,) = (c for c in contract()["perpetrator_lists"]["columns"] if c["name"] == "list_kind")
    (accepted,) = (t["accepted_values"] for t in kind["data_tests"] if "accepted_values" in t)
    assert set(KINDS) == set(accepted["arguments"]["values"])


def test_every_act_of_review_takes_a_permission_that_some_role_has() -> None:
    acts = {row["act"]: row["permission"] for row in rows("act_roles")}
    assert set(acts) == set(RULES)
    for act, permission in acts.items():
        assert any(permission in role.may for role in roles().values()), act


def test_a_mart_or_folder_that_no_rule_speaks_of_is_closed() -> None:
    marts = {
        "new_mart": {"file": "identifiable/new_mart.parquet"},
        "odd_mart": {"file": "elsewhere/odd_mart.parquet"},
        "figures": {"file": "statistical/figures.parquet"},
    }
    columns = dict.fromkeys(marts, ("a",))
    everything = Scope(identifiable=True, victims=True, rank=True)
    assert set(selects(everything, marts, columns, str)) == {"new_mart", "figures"}
    of_a_force = Scope("E23000036", identifiable=True, victims=True, rank=True)
    assert set(selects(of_a_force, marts, columns, str)) == {"figures"}


def test_who_sees_no_persons_sees_no_small_count_of_others() -> None:
    """True counts of few are for police; a force submitter has its own, to sign them off; nobody else the basis of what is withheld."""
    marts = {
        m: {"file": f"statistical/{m}.parquet"}
        for m in ("national_statistics", "publication_basis", "threat_overlaps")
    }
    columns = dict.fromkeys(marts, ("force_code", "numerator", "denominator"))
    figures = [(A, 3, None), (B, 3, None), (B, 12, None), (B, 12, 9), (B, 12, 40), ("national", None, 20)]
    with duckdb.connect() as connection:
        connection.execute(
            "create table national_statistics (force_code text, numerator bigint, denominator bigint)"
        )
        connection.executemany("insert into national_statistics values (?, ?, ?)", figures)

        def seen(scope: Scope) -> tuple[set[str], list[tuple[object, ...]]]:
            found = selects(scope, marts, columns, lambda mart: mart)
            return set(found), connection.execute(found["national_statistics"].sql).fetchall()

        assert seen(Scope(identifiable=True)) == (set(marts), figures)
        assert seen(Scope(A)) == ({"national_statistics"}, [figures[0], figures[2], figures[4], figures[5]])
        assert seen(Scope()) == ({"national_statistics"}, [figures[2], figures[4], figures[5]])
