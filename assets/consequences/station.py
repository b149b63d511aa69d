"""Consequences of defects as an asset: a job of its own, beside the monthly run, because it costs minutes."""

import dagster as dg
import polars as pl

from assets.consequences.consequences import (
    default_folder,
    find_consequences,
    scratch_folder,
    write_consequences,
)
from assets.consequences.defects import known_defects
from assets.consequences.for_forces import write_for_forces
from assets.encryption import ReleaseKey
from assets.storage import DataRoot
from assets.warehouse import POOL


@dg.asset(
    group_name="consequences",
    owners=["team:data-engineering"],
    kinds={"dbt", "duckdb", "parquet"},
    deps=["release"],
    pool=POOL,
    description=(
        "For each force and kind of defect: which figures would be others and who would enter or leave a list if it were "
        "mended, or the force left out. Beside the release, never part of it: a repair is an assumption. Each force finds its own sentences beside its returns."
    ),
)
def defect_consequences(data_root: DataRoot, release_key: ReleaseKey) -> dg.MaterializeResult:  # type: ignore[type-arg]
    layout = data_root.layout()
    found = find_consequences(layout, scratch_folder(layout), known_defects())
    folder = write_consequences(found, default_folder(layout), release_key.key)
    told = write_for_forces(found, layout)
    counts = found.defects.group_by("defect_id").agg(pl.col("n_records").sum()).sort("defect_id")
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": found.defects.height,
            "records_by_defect": dict(counts.iter_rows()),
            "figures": found.figures.height,
            "list_changes": found.persons.height,
            "forces_told": told,
            "folder": folder.name,
        }
    )
