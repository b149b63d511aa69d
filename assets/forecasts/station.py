"""The forecast station: between the marts and the release, a year ahead for every threat and force.

Reads the warehouse; writes aggregated tables that the release takes in.
"""

from pathlib import Path

import dagster as dg
import duckdb
import polars as pl

from assets.forecasts.forecast import Forecasts, forecasts
from assets.forecasts.parameters import Forecasting, forecasting
from assets.partitions import ONE_MONTH_A_RUN, PERIODS
from assets.storage import DataRoot, Layout, write_folder, write_json, write_parquet
from assets.warehouse import POOL

RUN = "run.json"
# Of a nation only the forces that sent every month of the history: a force that joins is no rise.
_SERIES = """
with counts as (
    select force_code, threat, recorded_month as month, numerator as n_offences
    from statistics.national_monthly_counts
    where definition_id = 'npcc_policing_scope' and measure = 'offences' and breakdown = 'none'
),
months as (
    select force_code, period as month
    from statistics.statistics_coverage
    where period_kind = 'month' and force_code <> 'national'
),
forces as (
    select months.force_code, months.month, threats.threat, coalesce(counts.n_offences, 0) as n_offences
    from months
    cross join (select distinct threat from counts) as threats
    left join counts using (force_code, threat, month)
),
steady as (
    select force_code
    from months cross join repository.national_run as run
    where months.month > run.period - to_months($min_history)
    group by force_code
    having count(*) = $min_history
)
select force_code, threat, month, n_offences from forces
union all
select 'national', threat, month, sum(n_offences)::bigint
from forces semi join steady using (force_code)
group by threat, month
order by force_code, threat, month
"""


def series_of(connection: duckdb.DuckDBPyConnection, using: Forecasting) -> pl.DataFrame:
    """Crimes by month of every force and of the nation, for every threat: what `forecasts` takes, from the warehouse."""
    return connection.execute(_SERIES, {"min_history": using.min_history}).pl()


def write_forecasts(layout: Layout) -> Forecasts:
    """Write the run's forecasts (`<table>.parquet`) into the root's folder `forecasts`, in place of the last month's."""
    run = pl.read_parquet(layout.run / "run_parameters.parquet").row(0, named=True)
    using = forecasting()
    with duckdb.connect(str(layout.warehouse), read_only=True) as connection:
        series = series_of(connection, using)
    found = forecasts(series, using)
    tables = {
        "threat_forecasts": found.months,
        "threat_outlook": found.outlook,
        "threat_forecast_backtest": found.backtest,
        "threat_forecasts_left_out": found.left_out,
    }
    made_for = {"period": f"{run['period']}", "as_of": f"{run['as_of']}"}

    def write(folder: Path) -> None:
        for name, table in tables.items():
            write_parquet(table, folder / f"{name}.parquet")
        write_json(made_for, folder / RUN)

    write_folder(layout.forecasts, write)
    return found


@dg.asset(
    group_name="forecasts",
    owners=["team:national-analysis"],
    kinds={"python", "duckdb", "parquet"},
    partitions_def=PERIODS,
    backfill_policy=ONE_MONTH_A_RUN,
    deps=["national_statistics"],
    pool=POOL,
    description=(
        "Twelve months ahead for every threat, the nation and each force, with intervals, back-tested against the same month of "
        "the year before. A series that is too short or too small is left out, with the reason."
    ),
)
def threat_forecasts(data_root: DataRoot) -> dg.MaterializeResult:  # type: ignore[type-arg]
    found = write_forecasts(data_root.layout())
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": found.months.height,
            "series_forecast": found.outlook.height,
            "series_left_out": found.left_out.height,
        }
    )
