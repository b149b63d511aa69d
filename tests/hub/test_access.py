"""The rules of access are whole: every mart of persons has one, every act a permission, every rank column a place."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
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


def test_who_sees_no_persons_sees_of_others_what_is_published_and_no_true_count() -> None:
    """A force submitter has its own figures, to sign them off; of all others, and to anybody else, only what is published."""
    marts = {
        "national_statistics": {"file": "statistical/national_statistics.parquet"},
        "published_national_statistics": {"file": "publishable/national_statistics.parquet"},
        "publication_basis": {"file": "statistical/publication_basis.parquet"},
        "data_quality_scorecards": {"file": "statistical/data_quality_scorecards.parquet"},
        "figures_of_a_new_kind": {"file": "statistical/figures_of_a_new_kind.parquet"},
    }
    columns = dict.fromkeys(marts, ("force_code", "value")) | {
        "national_statistics": ("force_code", "value", "share")
    }
    with duckdb.connect() as connection:
        connection.execute(
            "create table national_statistics as from (values ($a, 3, .1), ($b, 12, .2), ('national', 15, .3)) "
            "as t (force_code, value, share)",
            {"a": A, "b": B},
        )
        connection.execute(
            "create table published_national_statistics as "
            "from (values ($a, null), ($b, 10), ('national', 15)) as t (force_code, value)",
            {"a": A, "b": B},
        )

        def seen(scope: Scope) -> tuple[set[str], list[tuple[object, ...]]]:
            found = selects(scope, marts, columns, lambda mart: mart)
            sql = found["national_statistics"].sql
            return set(found), connection.execute(f"from ({sql}) order by force_code").fetchall()

        everybodys = {"national_statistics", "published_national_statistics", "data_quality_scorecards"}
        true = [(B, 12, Decimal("0.2")), (A, 3, Decimal("0.1")), ("national", 15, Decimal("0.3"))]
        published = [(B, 10, None), (A, None, None), ("national", 15, None)]
        assert seen(Scope(identifiable=True)) == (set(marts), true)
        assert seen(Scope(A)) == (everybodys, [published[0], true[1], published[2]])
        assert seen(Scope()) == (everybodys, published)
        # Where nothing is published, nobody's figures stand in for it.
        del marts["published_national_statistics"]
        assert seen(Scope(A))[1] == [true[1]] and seen(Scope())[1] == []


def test_every_mart_of_figures_that_is_open_to_all_is_one() -> None:
    made_elsewhere = {"decision_log_extract", "threat_forecast_backtest", "threat_forecasts_left_out"}
    named = {row["mart"] for row in rows("open_statistics")}
    of_figures = {n for n, m in contract().items() if m["config"]["meta"]["release"] == "statistical"}
    assert {n for n in named - of_figures if not n.startswith("monitoring_")} == made_elsewhere
    assert not named & {"national_statistics", "publication_basis", "threat_overlaps", "threat_assessment"}
