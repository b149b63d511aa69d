"""The linkage station: every nominal of every force, and the person it belongs to."""

from pathlib import Path

import dagster as dg
import polars as pl

from assets.linkage.states import INDEX, Moment, state_of
from assets.partitions import ONE_MONTH_A_RUN, PERIODS
from assets.storage import DataRoot, Layout


@dg.asset(
    group_name="linkage",
    owners=["team:data-engineering"],
    kinds={"python", "splink", "duckdb", "parquet"},
    partitions_def=PERIODS,
    backfill_policy=ONE_MONTH_A_RUN,
    deps=["std_person_records", "run_inputs"],
    pool="linkage",
    description=(
        "One row per nominal with the person it is taken to be, the probability of its best link, and whether "
        "the person is withheld from ranking until somebody has looked. Only what is new or changed since the "
        "month before is linked; ids outlive the month, and what happens to one is in the ledger beside it."
    ),
)
def person_links(data_root: DataRoot) -> dg.MaterializeResult:  # type: ignore[type-arg]
    layout = data_root.layout()
    run = pl.read_parquet(layout.run / "run_parameters.parquet").row(0, named=True)
    folder, state = state_of(
        layout.linkage / "states",
        Moment(run["programme"], run["period"], run["as_of"]),
        records=layout.person_records,
        decisions=layout.run / "run_identity_decisions.parquet",
        model=data_root.model(),
    )
    _publish(layout, folder)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": state["n_records"],
            "changed_records": state["n_changed"],
            "records_built_again": state["n_built_again"],
            "pairs": state["n_pairs"],
            "persons": state["n_persons"],
            "persons_withheld": state["n_withheld"],
            "model_version": state["model_version"],
            **{f"events_{event}": n for event, n in state["n_events"].items()},
            **{f"seconds_{step}": round(s, 2) for step, s in state["seconds"].items()},
        }
    )


def _publish(layout: Layout, state: Path) -> None:
    """Put the state's files where dbt and `vawg explain` read the run's. A state never changes, so a link will do."""
    for path in [*sorted(state.glob("*.parquet")), state / INDEX]:
        target = layout.linkage / path.name
        beside = target.with_name(f".{target.name}.part")
        beside.unlink(missing_ok=True)
        beside.hardlink_to(path)
        beside.replace(target)


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


# A state in which people vanish into each other is not published: the bounds are far above any month seen.
GREATEST_N_RECORDS = 500
GREATEST_MERGED_SHARE = 0.05


@dg.asset_check(
    asset=person_links,
    blocking=True,
    description=(
        "Identities moved no more than a month can move them: no person of hundreds of records, and no twentieth of "
        "all nominals changing person by merges and splits at once."
    ),
)
def identities_are_steady(data_root: DataRoot) -> dg.AssetCheckResult:
    layout = data_root.layout()
    links = pl.scan_parquet(layout.person_links).select("n_records").collect()
    ledger = pl.scan_parquet(layout.person_ledger).select("run_no", "event")
    last = ledger.filter(pl.col("run_no") == pl.col("run_no").max()).collect()
    moved = last.filter(pl.col("event").is_in(["merge", "split"])).height
    largest = int(links["n_records"].max() or 0)  # type: ignore[arg-type]
    return dg.AssetCheckResult(
        passed=largest <= GREATEST_N_RECORDS and moved <= GREATEST_MERGED_SHARE * max(links.height, 1),
        metadata={"largest_person": largest, "records_moved": moved, "records": links.height},
    )
