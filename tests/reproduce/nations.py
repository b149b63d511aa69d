"""The synthetic nations that give the published figures back.

Belongs here: reading `nations.toml` and the targets beside it, and writing a nation's submissions.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import polars as pl

from data_contracts.code_lists import code_list
from data_contracts.synthetic.calibration import COUNT, TARGET_SCHEMA, Calibration
from data_contracts.synthetic.nation import NationSummary, write_nation
from data_contracts.synthetic.profile import forces

FOLDER = Path(__file__).parent
# What forces miss and mark by mistake is the generator's usual share: V11 tells of it.
_WITHOUT_FAULTS = 0.0


def nations() -> dict[str, dict[str, Any]]:
    """The settings of each nation, by name."""
    return tomllib.loads((FOLDER / "nations.toml").read_text(encoding="utf-8"))


def calibration_of(settings: dict[str, Any]) -> Calibration:
    """The calibration a nation's settings and targets ask for; counts are scaled as the nation is."""
    targets = (
        pl.read_csv(FOLDER / settings["targets"], schema_overrides=TARGET_SCHEMA)
        if "targets" in settings
        else pl.DataFrame(schema=TARGET_SCHEMA)
    )
    scale = settings.get("targets_scale", settings["scale"])
    targets = targets.with_columns(
        value=pl.when(pl.col("kind") == COUNT).then(pl.col("value") * scale).otherwise("value")
    )
    everywhere = [f.code for f in forces()]
    factors = {
        (force, code): level["factor"]
        for level in settings.get("levels", [])
        for force in level.get("forces", everywhere)
        for code in _codes(level)
    }
    other_case = settings.get("other_case_factor", 1.0)
    return Calibration(
        targets=targets,
        oversampling=settings["oversampling"],
        factors=factors,
        other_factor=settings.get("other_factor", 1.0),
        pool_factors=dict.fromkeys(everywhere, settings.get("other_pool_factor", 1.0))
        | settings.get("pool_factors", {}),
        case_factors=dict.fromkeys(everywhere, other_case) | settings.get("case_factors", {}),
        series_shares=settings.get("series_shares", {}),
        managed_among=settings.get("managed_among", ""),
        managed_share=settings.get("managed_share", 0.0),
    )


def _codes(level: dict[str, Any]) -> list[str]:
    """The offence codes a level names, one by one or by group."""
    groups = code_list("offence_codes").filter(pl.col("offence_group").is_in(level.get("offence_groups", [])))
    return [*level.get("offence_codes", []), *groups["code"]]


def write(name: str, folder: Path) -> NationSummary:
    """Write the submissions of a nation. Raises KeyError on an unknown name."""
    settings = nations()[name]
    return write_nation(
        folder,
        seed=settings["seed"],
        scale=settings["scale"],
        first_period=settings["first_period"],
        n_months=settings["n_months"],
        fault_share=_WITHOUT_FAULTS,
        calibration=calibration_of(settings),
    )
