"""The graph, as a picture in text: a change of stations shows in review."""

from __future__ import annotations

import dagster as dg
import pytest

from assets.monitoring.thresholds import Thresholds
from orchestration.definitions import defs

STATIONS = [
    "intake",
    "run",
    "codes",
    "text",
    "staging",
    "standardised",
    "linkage",
    "repository",
    "ranking",
    "statistics",
    "scorecards",
    "marts",
    "monitoring",
    "forecasts",
    "release",
    "consequences",
]


@pytest.fixture(scope="module")
def graph() -> dg.AssetGraph:
    return defs.resolve_asset_graph()


def test_the_stations(graph: dg.AssetGraph) -> None:
    assert {graph.get(k).group_name for k in graph.get_all_asset_keys()} == set(STATIONS)


def test_every_asset_says_what_it_is_and_whose(graph: dg.AssetGraph) -> None:
    nodes = [graph.get(k) for k in graph.get_all_asset_keys()]
    assert [n.key.to_user_string() for n in nodes if not n.description and n.group_name != "codes"] == []
    assert [n.key.to_user_string() for n in nodes if not n.owners] == []
    assert [n.key.to_user_string() for n in nodes if not n.kinds] == []


def test_nothing_reads_upstream_of_its_neighbour(graph: dg.AssetGraph) -> None:
    """The way is one way: a station reads its own and earlier ones, never later ones."""
    order = {group: i for i, group in enumerate(STATIONS)}
    backwards = [
        (key.to_user_string(), parent.to_user_string())
        for key in graph.get_all_asset_keys()
        for parent in graph.get(key).parent_keys
        if order[graph.get(parent).group_name] > order[graph.get(key).group_name]
    ]
    assert backwards == []


def test_the_release_waits_for_every_mart(graph: dg.AssetGraph) -> None:
    marts = {k for k in graph.get_all_asset_keys() if graph.get(k).group_name == "marts"}
    assert marts and marts <= graph.get(dg.AssetKey("release")).parent_keys


def test_linkage_stands_between_standardised_and_repository(graph: dg.AssetGraph) -> None:
    assert dg.AssetKey("std_person_records") in graph.get(dg.AssetKey("person_links")).parent_keys
    assert dg.AssetKey("person_links") in graph.get(dg.AssetKey("national_person_records")).parent_keys


def test_jobs_sensor_and_schedule() -> None:
    repository = defs.get_repository_def()
    assert {"intake", "national_month"} <= {j.name for j in repository.get_all_jobs()}
    assert [s.name for s in repository.sensor_defs] == ["landing"]
    assert [s.cron_schedule for s in repository.schedule_defs] == ["0 2 20 * *"]


def test_whatever_opens_the_warehouse_sits_in_its_pool() -> None:
    job = defs.resolve_job_def("national_month")
    pools = {node.name: node.definition.pool for node in job.nodes}
    assert {n for n, pool in pools.items() if pool == "warehouse"} == {
        "standardised_extracts",
        "national_repository",
        "ranking_monitoring",
        "threat_forecasts",
        "release",
    }


@pytest.mark.parametrize(
    "check", ["nothing_is_lost", "every_record_has_one_person", "release_matches_its_manifest"]
)
def test_a_wrong_answer_cannot_travel(graph: dg.AssetGraph, check: str) -> None:
    (key,) = [k for k in graph.asset_check_keys if k.name == check]
    assert graph.get(key).blocking


def test_every_threshold_is_a_check_that_warns_before_the_release(graph: dg.AssetGraph) -> None:
    checks = {
        k.name: graph.get(k)
        for k in graph.asset_check_keys
        if k.asset_key == dg.AssetKey("ranking_monitoring")
    }
    assert set(checks) == set(Thresholds().ids)
    assert not any(check.blocking for check in checks.values())
    assert dg.AssetKey("ranking_monitoring") in graph.get(dg.AssetKey("release")).parent_keys
