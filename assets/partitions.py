"""How the platform's work is divided: by month, and what forces send also by force."""

import dagster as dg

from data_contracts.code_lists import codes

# The first month any programme has data for (NIBRS 2018).
PERIODS = dg.MonthlyPartitionsDefinition(start_date="2018-01", fmt="%Y-%m")
FORCES = dg.StaticPartitionsDefinition(codes("forces").to_list())
FORCE_PERIODS = dg.MultiPartitionsDefinition({"force": FORCES, "period": PERIODS})
