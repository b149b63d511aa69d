"""Jobs: what runs together. One process a run: a step costs seconds, a new interpreter a step costs more."""

import dagster as dg

from assets.partitions import PERIODS

# One writer of the warehouse is enough for one run; the pool holds it between runs.
EXECUTOR = dg.in_process_executor
# What a month is made of; the rest is made when somebody asks.
_OF_A_MONTH = dg.AssetSelection.all() - dg.AssetSelection.assets(
    "force_returns", "linkage_model", "person_relink", "defect_consequences"
)

intake = dg.define_asset_job(
    "intake",
    selection=dg.AssetSelection.assets("submissions"),
    description="Take in everything in the landing folder: one run for the whole batch.",
    executor_def=EXECUTOR,
)

national_month = dg.define_asset_job(
    "national_month",
    selection=_OF_A_MONTH,
    partitions_def=PERIODS,
    description="The whole way, from the landing folder to the month's release.",
    executor_def=EXECUTOR,
)

national_marts = dg.define_asset_job(
    "national_marts",
    selection=_OF_A_MONTH - dg.AssetSelection.assets("ranking_monitoring", "threat_forecasts", "release"),
    partitions_def=PERIODS,
    description="As far as the marts, and no release: for what is only tried out.",
    executor_def=EXECUTOR,
)

train_linkage = dg.define_asset_job(
    "train_linkage",
    selection=dg.AssetSelection.assets("linkage_model"),
    description="Train a linkage model on the nation's own nominals. It is in force once VAWG_LINKAGE_MODEL names it.",
    executor_def=EXECUTOR,
)

full_relink = dg.define_asset_job(
    "full_relink",
    selection=dg.AssetSelection.assets("person_relink"),
    description="Link every nominal anew and compare with what the months added up to.",
    executor_def=EXECUTOR,
)

consequences = dg.define_asset_job(
    "consequences",
    selection=dg.AssetSelection.assets("defect_consequences"),
    description="What each kind of defect does to figures and lists, of the run in the warehouse.",
    executor_def=EXECUTOR,
)
