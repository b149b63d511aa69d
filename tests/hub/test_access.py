"""The rules of access are whole: every mart of persons has one, every act a permission, every rank column a place."""

from __future__ import annotations

import re

from decisions.review_entries import RULES
from hub.access import Scope, roles, selects
from hub.lookups import DERIVED, columns_of
from hub.parameters import rows
from tests.hub.releases import contract

# What a column that tells a rank is called.
_RANK = re.compile(r"rank|score|place|points|contribution|shown_order|certainty_band|expected_change")
# Names that look like it and tell none.
_TELLS_NONE = {"ranked_at", "parameters_version"}


def _columns(mart: str) -> set[str]:
    return set(columns_of(mart)) if mart in DERIVED else {c["name"] for c in contract()[mart]["columns"]}


def test_every_mart_about_persons_has_a_rule_and_every_rule_a_mart() -> None:
    of_persons = {name for name, m in contract().items() if m["config"]["meta"]["release"] != "statistical"}
    assert {row["mart"] for row in rows("mart_rules")} == of_persons | set(DERIVED)
    for row in rows("mart_rules"):
        columns = _columns(row["mart"])
        assert row["force_column"] in columns | {""}, row["mart"]
        assert set(row["rank_columns"].split()) <= columns | {"*"}, row["mart"]


def test_no_column_that_tells_a_rank_is_left_open_to_who_has_not_looked() -> None:
    for row in rows("mart_rules"):
        hidden = set(row["rank_columns"].split())
        if "*" in hidden or row["mart"] == "safeguarding_children":
            continue
        telling = {name for name in _columns(row["mart"]) if _RANK.search(name)}
        assert telling - _TELLS_NONE <= hidden, row["mart"]


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
