"""The monitoring station: the month's checks between the marts and the release, and an alert check for every threshold.

Reads the warehouse; writes aggregated tables and one page that the release takes in. Alerts warn and stop nothing: a
release with an alert is a release whose alert somebody has to answer.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import dagster as dg
import duckdb
import polars as pl
from threadpoolctl import threadpool_limits

from assets.monitoring.calibration import no_band_probabilities
from assets.monitoring.events import NotEvents
from assets.monitoring.month import month_of
from assets.monitoring.month_report import (
    checks_table,
    notes_table,
    render_month,
    render_nothing,
    tables_of_month,
)
from assets.monitoring.parameters import Monitoring, list_conditions, monitoring, rank_bands, score_parameters
from assets.monitoring.thresholds import Thresholds
from assets.partitions import ONE_MONTH_A_RUN, PERIODS
from assets.storage import DataRoot, Layout, write_folder, write_parquet
from assets.warehouse import POOL
from decisions import review
from decisions.review_entries import Entry
from decisions.store import Store

CHECKS = "checks.parquet"
REPORT = "report.html"
PREVIOUS = "previous_ranked_perpetrators.parquet"
_READ = (
    "ranked_perpetrators",
    "ranked_perpetrator_offences",
    "ranked_perpetrator_uncertainty",
    "perpetrator_lists",
    "ranking_data_gates",
    "run_inputs",
)


def write_monitoring(
    layout: Layout, decisions: Store | None = None, *, monitored: Monitoring | None = None
) -> pl.DataFrame:
    """Write the month's tables (`<table>.parquet`) and `report.html` into the root's folder `monitoring`, in place of the
    last month's. Returns the table of checks. `decisions`: where reviews are kept; without it nobody judged anything.
    `monitored`: other numbers than the seed's.

    A run in which nobody can be ranked has a page that says so, and its checks are not computed.
    """
    run = pl.read_parquet(layout.run / "run_parameters.parquet").row(0, named=True)
    entries = _known(review.in_force(decisions, run["as_of"])) if decisions else []
    parameters, monitored = score_parameters(), monitored or monitoring()
    # One thread: the order of summation is then fixed, and so are the bytes.
    with duckdb.connect(str(layout.warehouse), read_only=True) as connection, threadpool_limits(1):
        names = dict(
            connection.execute("select code, coalesce(short_name, label) from codes.forces").fetchall()
        )
        try:
            month = month_of(
                connection, entries, layout.run / PREVIOUS, parameters, monitored, list_conditions()
            )
        except NotEvents as nothing:
            thresholds = Thresholds()
            verdicts = [thresholds.judge(check_id, None) for check_id in thresholds.ids]
            notes = [f"Nothing could be monitored: {nothing}."]
            tables = {
                "notes": notes_table([("input", note) for note in notes]),
                "band_probability": no_band_probabilities(rank_bands(), "nobody was ranked"),
            }
            checks = checks_table(verdicts, run["period"], run["as_of"])
            page = render_nothing(notes, run["period"])
        else:
            tables = tables_of_month(month)
            checks = checks_table(month.verdicts, run["period"], run["as_of"])
            page = render_month(month, checks, names, parameters, monitored)
    _put(layout.monitoring, tables, checks, page)
    return checks


def _known(entries: Sequence[Entry]) -> list[Entry]:
    """Those whose acts may still be told: an entry past its retention has none."""
    return [entry for entry in entries if not entry.status_withheld]


def _put(folder: Path, tables: dict[str, pl.DataFrame], checks: pl.DataFrame, page: str) -> None:
    def write(partial: Path) -> None:
        for name, table in tables.items():
            write_parquet(table, partial / f"{name}.parquet")
        write_parquet(checks, partial / CHECKS)
        (partial / REPORT).write_text(page, encoding="utf-8")

    write_folder(folder, write)


@dg.asset(
    group_name="monitoring",
    owners=["team:national-analysis"],
    kinds={"python", "duckdb", "parquet"},
    partitions_def=PERIODS,
    backfill_policy=ONE_MONTH_A_RUN,
    deps=list(_READ),
    pool=POOL,
    description=(
        "The month's monitoring of the ranked list: what earlier lists held of the harm that followed, whether groups are "
        "selected alike, what the list owes to habits of recording and to uncertain numbers, and how people use it. "
        "Aggregated tables and one page; nothing of a person."
    ),
)
def ranking_monitoring(data_root: DataRoot) -> dg.MaterializeResult:  # type: ignore[type-arg]
    checks = write_monitoring(data_root.layout(), data_root.decisions())
    alerts = checks.filter("is_alert")
    computed = checks.filter(pl.col("value").is_not_null()).height
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": checks.height,
            "checks_computed": computed,
            "alerts": dg.MetadataValue.json(dict(alerts.select("check_id", "owner").iter_rows())),
            "report": dg.MetadataValue.path(str(data_root.layout().monitoring / REPORT)),
        }
    )


def _specs() -> Iterator[dg.AssetCheckSpec]:
    thresholds = Thresholds()
    for check_id in thresholds.ids:
        judged = thresholds.judge(check_id, None)
        yield dg.AssetCheckSpec(
            name=check_id,
            asset=ranking_monitoring,
            blocking=False,
            description=f"{judged.description}: alert where {judged.statistic} is {judged.bounds}.",
            metadata={"owner": judged.owner, "section": judged.section},
        )


@dg.multi_asset_check(name="ranking_alerts", specs=list(_specs()))
def ranking_alerts(data_root: DataRoot) -> Iterator[dg.AssetCheckResult]:
    """One result a threshold. What could not be computed passes, and says that it was not."""
    checks = pl.read_parquet(data_root.layout().monitoring / CHECKS)
    for row in checks.iter_rows(named=True):
        yield dg.AssetCheckResult(
            check_name=row["check_id"],
            asset_key=ranking_monitoring.key,
            passed=not row["is_alert"],
            severity=dg.AssetCheckSeverity.WARN,
            metadata={
                "owner": row["owner"],
                "value": "not computed" if row["value"] is None else row["value"],
                "threshold": row["threshold"],
                "sentence": row["sentence"],
            },
        )
