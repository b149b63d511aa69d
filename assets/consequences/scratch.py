"""A copy of the run's warehouse, in which a defect is mended and the models after it are made again.

Belongs here: the copy, the mended staging table, calling dbt. What follows from it is `consequences.py`'s.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb
import polars as pl
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from assets.storage import Layout
from assets.warehouse import PARSED, PROJECT_FOLDER

REPAIRS = Path(__file__).parent / "repairs"
# What a list and a figure rest on. The draws of the resampling and their bands are as they were: they are no cause.
TARGETS = ("national_statistics", "person_places", "list_scopes")
LEFT_AS_THEY_WERE = ("resource_type:seed", "ranking_draws", "ranked_perpetrator_uncertainty")
# What dbt and its sources read beside the warehouse.
_READ = ("extracts", "findings", "run", "text_signs", "linkage")
# The record a row of a staging model travels with, and its reference, where that is no crime.
_RECORDS = {"stg_extracts__persons": ("std_persons", "person_ref")}
_LET_IN = ("offences", "victims", "suspects", "relationships")


class ModelsFailed(Exception):
    """dbt could not make the models again; the message holds what it said."""


def copy_of_the_run(layout: Layout, root: Path) -> Layout:
    """A data root with a copy of the warehouse; the rest is the run's own, linked, and only read."""
    scratch = Layout(root)
    for folder in (scratch.warehouse.parent, scratch.person_records.parent, scratch.dbt_target):
        folder.mkdir(parents=True, exist_ok=True)
    scratch.warehouse.unlink(missing_ok=True)
    shutil.copyfile(layout.warehouse, scratch.warehouse)
    for name in _READ:
        if not (root / name).exists():
            (root / name).symlink_to((layout.root / name).resolve(), target_is_directory=True)
    if not (scratch.dbt_target / PARSED).exists() and (PROJECT_FOLDER / "target" / PARSED).exists():
        shutil.copyfile(PROJECT_FOLDER / "target" / PARSED, scratch.dbt_target / PARSED)
    return scratch


def mend(
    scratch: Layout, quarantine: Path, defect_id: str, parameter: str = ""
) -> tuple[list[str], pl.DataFrame]:
    """Put mended rows in the place of staging models; their names, and by force how many records had the defect.

    Rows of the frame: force_code, n_records, n_mended, n_rows; of the first model alone, whose records are counted.
    `quarantine` is where refused rows lie, `parameter` what the defect's row says of its repair.
    """
    paths = sorted(REPAIRS.glob(f"{defect_id}.*.sql"), key=lambda p: ("offences" not in p.name, p.name))
    templates = Environment(  # noqa: S701 - SQL, not HTML
        loader=FileSystemLoader(REPAIRS), undefined=StrictUndefined
    )
    macros = (REPAIRS / "macros.sql").read_text(encoding="utf-8")
    counts = []
    with duckdb.connect(str(scratch.warehouse)) as connection:
        facts = _facts(connection, quarantine)
        models = [path.name.split(".")[1] for path in paths]
        for path, model in zip(paths, models, strict=True):
            query = templates.from_string(macros + path.read_text(encoding="utf-8")).render(
                **facts, parameter=parameter
            )
            connection.execute(f"create or replace table main.mended__{model} as {query}")
            record, key = _RECORDS.get(model, ("std_offences", "crime_ref"))
            counts.append(connection.execute(_COUNTS.format(model=model, record=record, key=key)).pl())
        for model in models:
            connection.execute(f"drop view staging.{model}")
            connection.execute(
                f"create table staging.{model} as select * exclude (is_defect, is_mended, is_added) "
                f"from main.mended__{model} where is_mended or not is_added"
            )
    return models, counts[0]


def make_again(scratch: Layout, models: Iterable[str], targets: Sequence[str] = TARGETS) -> None:
    """Make what lies between `models`, which stay as they are, and `targets`. Raises ModelsFailed."""
    models = list(models)
    between = [f"{model}+,+{target}" for model in models for target in targets]
    run_models(scratch, between, [*models, *LEFT_AS_THEY_WERE])


def run_models(scratch: Layout, select: Sequence[str], exclude: Sequence[str] = ()) -> None:
    """Run these models in the copy, in a process of its own, so that the warehouse is let go of. Raises ModelsFailed."""
    chosen = ["--select", *select, *(["--exclude", *exclude] if exclude else [])]
    done = subprocess.run(  # noqa: S603 - our own program, by its path
        [
            "/usr/bin/env",
            f"VAWG_DATA={scratch.root}",
            str(Path(sys.executable).with_name("dbt")),
            *("run", "--quiet", "--no-use-colors", "--log-level-file", "none"),
            *("--project-dir", str(PROJECT_FOLDER), "--profiles-dir", str(PROJECT_FOLDER)),
            *("--target-path", str(scratch.dbt_target), *chosen),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ModelsFailed(done.stdout[-2000:] or done.stderr[-2000:])


def _facts(connection: duckdb.DuckDBPyConnection, quarantine: Path) -> dict[str, object]:
    """What the templates are told: columns and types of staging models, and where the refused rows of each extract lie."""
    columns: dict[str, list[tuple[str, str]]] = {}
    for model, column, kind in connection.execute(
        "select table_name, column_name, data_type from information_schema.columns where table_schema = 'staging' "
        "order by table_name, ordinal_position"
    ).fetchall():
        columns.setdefault(model, []).append((column, kind))
    refused_rows, refused_columns = {}, {}
    for extract in _LET_IN:
        files = sorted((quarantine / extract).glob("*.parquet"))
        there = {name for name, _ in columns[f"stg_extracts__{extract}"]}
        if files:
            rows = f"select * from read_parquet('{quarantine / extract}/*.parquet', filename = true, union_by_name = true)"
            refused_columns[extract] = there & set(pl.scan_parquet(files[0]).collect_schema().names())
        else:
            rows = "select null as filename, null as crime_ref where false"
            refused_columns[extract] = {"crime_ref"}
        refused_rows[extract] = rows
    return {"columns": columns, "refused_rows": refused_rows, "refused_columns": refused_columns}


# Of the versions of a record only the one that stands is counted.
_COUNTS = """
select
    mended.force_code,
    count(*) filter (mended.is_defect) as n_records,
    count(*) filter (mended.is_mended) as n_mended,
    count(*) as n_rows
from main.mended__{model} as mended
left join standardised.{record} as records
    on
        mended.force_code = records.force_code
        and mended.{key} = records.{key}
        and mended.submission_id = records.submission_id
where mended.is_added or records.force_code is not null
group by mended.force_code
order by mended.force_code
"""
