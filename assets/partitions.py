"""How the platform's work is divided: by month, and what forces send also by force."""

import warnings

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
