"""Where the seeds lie: definitions, parameters, thresholds and wording that Python reads as dbt does."""

from pathlib import Path

SEEDS = Path(__file__).parents[1] / "dbt_project" / "seeds"
