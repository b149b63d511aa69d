"""How the platform's work is divided: by month, and what forces send also by force."""

import warnings
from datetime import date

import dagster as dg

from data_contracts.code_lists import codes

# The first month any programme has data for (NIBRS 2018).
PERIODS = dg.MonthlyPartitionsDefinition(start_date="2018-01", fmt="%Y-%m")
# The parameter is marked beta; what is asked of it here is tested.
warnings.filterwarnings("ignore", message=".*`backfill_policy`", category=dg.BetaWarning)

# The warehouse holds one run at a time, so several months are several runs.
ONE_MONTH_A_RUN = dg.BackfillPolicy.multi_run(max_partitions_per_run=1)
FORCES = dg.StaticPartitionsDefinition(codes("forces").to_list())
FORCE_PERIODS = dg.MultiPartitionsDefinition({"force": FORCES, "period": PERIODS})


class NoSuchMonth(Exception):
    """A month that no run can be for; the message says which can."""


def partition_of(period: date) -> str:
    """The partition of a month. Raises NoSuchMonth where it has not ended, or lies before any data."""
    key = f"{period:%Y-%m}"
    if not PERIODS.has_partition_key(key):
        first, last = PERIODS.get_first_partition_key(), PERIODS.get_last_partition_key()
        raise NoSuchMonth(
            f"there is no run for {key}: a run is for a month that has ended, {first} to {last}"
        )
    return key
