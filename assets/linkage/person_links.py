"""The linkage station: every nominal of every force, and the person it belongs to."""

import dagster as dg
import polars as pl

from assets.linkage.linker import link
from assets.partitions import ONE_MONTH_A_RUN, PERIODS
from assets.storage import DataRoot


@dg.asset(
    group_name="linkage",
    owners=["team:data-engineering"],
    kinds={"python", "splink", "duckdb", "parquet"},
    partitions_def=PERIODS,
    backfill_policy=ONE_MONTH_A_RUN,
    deps=["std_person_records"],
    description=(
        "One row per nominal with the person it is taken to be, the probability of its best link, and whether "
        "the person is withheld from ranking until somebody has looked."
    ),
)
def person_links(data_root: DataRoot) -> dg.MaterializeResult:  # type: ignore[type-arg]
    layout = data_root.layout()
    summary = link(layout.person_records, layout.person_links)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": summary.n_records,
            "pairs": summary.n_pairs,
            "persons": summary.n_persons,
            "persons_withheld": summary.n_withheld,
            "model_version": summary.model_version,
            **{f"seconds_{step}": round(s, 2) for step, s in summary.seconds.items()},
        }
    )


@dg.asset_check(
    asset=person_links,
    blocking=True,
    description="Every nominal has exactly one person: none is lost, none is in two, before the repository reads it.",
)
def every_record_has_one_person(data_root: DataRoot) -> dg.AssetCheckResult:
    layout = data_root.layout()
    records = pl.scan_parquet(layout.person_records).select("record_id").collect()
    links = (
        pl.scan_parquet(layout.person_links).select("record_id", "person_id", "link_probability").collect()
    )
    lost = records.join(links, on="record_id", how="anti").height
    strange = links.join(records, on="record_id", how="anti").height
    doubled = links.height - links["record_id"].n_unique()
    improbable = links.filter(
        ~pl.col("link_probability").is_between(0, 1) | pl.col("person_id").is_null()
    ).height
    return dg.AssetCheckResult(
        passed=not (lost or strange or doubled or improbable),
        metadata={"lost": lost, "strange": strange, "doubled": doubled, "improbable": improbable},
    )
