"""The dbt stations: standardise before people are linked; repository and marts after.

dbt alone writes the warehouse, and DuckDB locks a file against every other process, so whatever opens
it sits in the pool `warehouse`, which has room for one.
"""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import polars as pl
from dagster_dbt import (
    DagsterDbtTranslator,
    DagsterDbtTranslatorSettings,
    DbtCliResource,
    DbtProject,
    dbt_assets,
)

from assets.partitions import ONE_MONTH_A_RUN, PERIODS
from assets.storage import DataRoot, Layout

POOL = "warehouse"
PROJECT_FOLDER = Path(__file__).parents[1] / "dbt_project"
dbt_project = DbtProject(project_dir=PROJECT_FOLDER, profiles_dir=PROJECT_FOLDER)

PARSED = "partial_parse.msgpack"

# Tables whose first rows the UI may show: only ones that hold nothing of a person.
PREVIEWED = frozenset({"national_statistics", "data_quality_scorecards"})
_AS_MARKDOWN: dict[str, Any] = {
    "tbl_formatting": "MARKDOWN",
    "tbl_hide_column_data_types": True,
    "tbl_hide_dataframe_shape": True,
    "tbl_cols": -1,
    "tbl_rows": -1,
    "tbl_width_chars": 10_000,
    "fmt_str_lengths": 80,
}

BEFORE_LINKAGE = "vawg.staging vawg.standardised resource_type:seed"
AFTER_LINKAGE = "vawg.repository vawg.ranking vawg.statistics vawg.scorecards vawg.marts"

# What the dbt sources are, as assets: intake and linkage write the files that dbt reads.
_SOURCE_ASSETS = {
    "extracts": "submissions",
    "run": "run_inputs",
    "text": "text_signs",
    "linkage": "person_links",
}


class StationTranslator(DagsterDbtTranslator):
    """Names models by their own name and groups them by their folder, which is their station."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        if dbt_resource_props["resource_type"] == "source":
            return dg.AssetKey(_SOURCE_ASSETS[dbt_resource_props["source_name"]])
        return dg.AssetKey(dbt_resource_props["name"])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        return "codes" if dbt_resource_props["resource_type"] == "seed" else dbt_resource_props["fqn"][1]

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:
        marts = dbt_resource_props["resource_type"] == "model" and dbt_resource_props["fqn"][1] == "marts"
        return ["team:national-analysis" if marts else "team:data-engineering"]


TRANSLATOR = StationTranslator(
    # Several tables of one source are one asset here: intake writes all extracts.
    settings=DagsterDbtTranslatorSettings(
        enable_duplicate_source_asset_keys=True, enable_source_tests_as_checks=False
    )
)


def _build(context: dg.AssetExecutionContext, dbt: DbtCliResource, layout: Layout) -> Iterator[Any]:
    # dbt parses anew (15 s) whenever VAWG_DATA differs from what a parse was made with: each root keeps its own.
    parsed = layout.dbt_target / PARSED
    if not parsed.exists():
        shutil.copyfile(PROJECT_FOLDER / "target" / PARSED, parsed)
    # Unit tests test the code, not the data: they belong to `make test`.
    build = dbt.cli(["build", "--exclude-resource-type", "unit_test"], context=context)
    events = list(build.stream())
    (build.target_path / PARSED).replace(parsed)
    shutil.rmtree(build.target_path)
    # dagster-dbt's own row counts keep the warehouse open and shut the next dbt out.
    seen = looked_at(layout.warehouse)
    for event in events:
        name = str(event.metadata["unique_id"].value).split(".")[-1] if isinstance(event, dg.Output) else None
        yield event.with_metadata({**event.metadata, **seen[name]}) if name in seen else event


def looked_at(warehouse: Path) -> dict[str, dict[str, Any]]:
    """Metadata of every table in the warehouse, by its name: its rows, and of `PREVIEWED` the first few. Views have none."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        counts = dict(connection.execute("select table_name, estimated_size from duckdb_tables()").fetchall())
        first = {
            n: connection.execute(f"from marts.{n} order by all limit 10").pl()
            for n in PREVIEWED & counts.keys()
        }
    seen: dict[str, dict[str, Any]] = {name: {"dagster/row_count": count} for name, count in counts.items()}
    with pl.Config(**_AS_MARKDOWN):
        for name, rows in first.items():
            seen[name]["preview"] = dg.MetadataValue.md(str(rows))
    return seen


@dbt_assets(
    manifest=dbt_project.manifest_path,
    select=BEFORE_LINKAGE,
    dagster_dbt_translator=TRANSLATOR,
    partitions_def=PERIODS,
    backfill_policy=ONE_MONTH_A_RUN,
    pool=POOL,
)
def standardised_extracts(
    context: dg.AssetExecutionContext, dbt: DbtCliResource, data_root: DataRoot
) -> Iterator[Any]:
    """Code lists, staging and standardised models."""
    yield from _build(context, dbt, data_root.layout())


@dbt_assets(
    manifest=dbt_project.manifest_path,
    select=AFTER_LINKAGE,
    dagster_dbt_translator=TRANSLATOR,
    partitions_def=PERIODS,
    backfill_policy=ONE_MONTH_A_RUN,
    pool=POOL,
)
def national_repository(
    context: dg.AssetExecutionContext, dbt: DbtCliResource, data_root: DataRoot
) -> Iterator[Any]:
    """The repository, the scores and the marts over them."""
    yield from _build(context, dbt, data_root.layout())
