"""What the synthetic nation looks like: the tables of `profile/`, read once into arrays.

Belongs here: reading and shaping the profile. Every number is in `profile/*.csv`, with its basis; where
the counts and names come from stands in `profile/SOURCES.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

from data_contracts.code_lists import code_list
from data_contracts.synthetic.draw import Bools, Floats, Ints

FOLDER = Path(__file__).parent / "profile"

SEXES = ("F", "M")
AGE_BANDS = ("age_0_9", "age_10_12", "age_13_15", "age_16_17", "age_18_29", "age_30_97")
BAND_FROM = np.array([0, 10, 13, 16, 18, 30])
BAND_TO = np.array([9, 12, 15, 17, 29, 97])
N_BANDS = len(AGE_BANDS)
RELATION_GROUPS = ("intimate", "family_member", "known", "stranger", "unknown")
INTIMATE, FAMILY, KNOWN, STRANGER, UNKNOWN = range(5)
VICTIM_TYPES = ("person", "police", "organisation", "state")


@cache
def table(name: str) -> pl.DataFrame:
    """A table of the profile. Raises FileNotFoundError on an unknown name."""
    return pl.read_csv(FOLDER / f"{name}.csv", infer_schema_length=None)


@cache
def _calibration() -> dict[str, float]:
    return dict(table("calibration").select("name", "value").iter_rows())


def calibrated(name: str) -> float:
    """One number of `calibration.csv`. Raises KeyError on an unknown name."""
    return _calibration()[name]


@dataclass(frozen=True)
class Behaviour:
    """How each offence code and family of offences behaves.

    Shares are indexed [family], [family, sex, ...] or [code, sex, ...], with sexes and bands in the order
    of `SEXES` and `AGE_BANDS`. `victim_bands` already obeys the ages an offence code allows.
    """

    codes: list[str]
    family: Ints
    families: list[str]
    group: list[str]
    victim_type: Floats
    female_share: Floats
    victim_bands: Floats
    suspect_bands: Floats
    relations: Floats
    numbers: dict[str, Floats]
    outcome_mix: Ints
    outcome_mixes: list[str]

    def is_family(self, *names: str) -> Bools:
        """Per family: whether it is one of these."""
        return np.isin(np.array(self.families), names)


@cache
def behaviour() -> Behaviour:
    """The behaviour tables, lined up by family and by offence code (in code list order)."""
    families = table("families")
    names = families["family"].to_list()
    per_code = code_list("offence_codes").join(
        table("offence_families"), left_on="code", right_on="offence_code", maintain_order="left"
    )
    family = np.array([names.index(f) for f in per_code["family"]])
    female = families["female_share"].to_numpy()[family]
    fixed_sex = per_code["victim_sex"].to_numpy()
    female = np.where(fixed_sex == "F", 1.0, np.where(fixed_sex == "M", 0.0, female))
    by_sex = _by_family_and_sex("victim_ages", names, list(AGE_BANDS))
    lowest = per_code["victim_age_min"].cast(pl.Int64).fill_null(0).to_numpy()
    highest = per_code["victim_age_max"].cast(pl.Int64).fill_null(200).to_numpy()
    # The limits of the offence codes fall on the limits of the bands.
    allowed = (lowest[:, None] <= BAND_FROM) & (highest[:, None] >= BAND_TO)
    bands = by_sex[family] * allowed[:, None, :]
    mixes = sorted(set(families["outcome_mix"]))
    numeric = [c for c, t in families.schema.items() if t.is_numeric()]
    kinds = families.select("person", "police", "organisation").to_numpy()
    return Behaviour(
        codes=per_code["code"].to_list(),
        family=family,
        families=names,
        group=per_code["offence_group"].to_list(),
        victim_type=np.column_stack([kinds, np.clip(1 - kinds.sum(axis=1), 0, 1)]),
        female_share=female,
        victim_bands=np.where(bands.sum(axis=2, keepdims=True) > 0, bands, allowed[:, None, :].astype(float)),
        suspect_bands=_by_family("suspect_ages", names, list(AGE_BANDS[1:])),
        relations=_by_family_and_sex("relations", names, list(RELATION_GROUPS)),
        numbers={c: families[c].cast(pl.Float64).to_numpy() for c in numeric},
        outcome_mix=np.array([mixes.index(m) for m in families["outcome_mix"]]),
        outcome_mixes=mixes,
    )


def _by_family(name: str, families: list[str], columns: list[str]) -> Floats:
    rows = pl.DataFrame({"family": families}).join(
        table(name), on="family", how="left", maintain_order="left"
    )
    return rows.select(columns).cast(pl.Float64).to_numpy()


def _by_family_and_sex(name: str, families: list[str], columns: list[str]) -> Floats:
    wanted = pl.DataFrame({"family": families}).join(pl.DataFrame({"victim_sex": SEXES}), how="cross")
    rows = wanted.join(table(name), on=["family", "victim_sex"], how="left", maintain_order="left")
    return rows.select(columns).cast(pl.Float64).to_numpy().reshape(len(families), 2, len(columns))


@dataclass(frozen=True, eq=False)
class Force:
    """One reporting body of the synthetic nation. `annual` is offences a year by code, in list order.

    `pool_factor`, `case_factor`: how many people, and pairs of people, its crimes are spread over, against the usual.
    `series_share`: part of the sexual offences by strangers that one man commits.
    """

    number: int
    code: str
    name: str
    region: str
    home_office_number: str
    annual: Floats
    pool_factor: float = 1.0
    case_factor: float = 1.0
    series_share: float = 0.0


@cache
def forces() -> tuple[Force, ...]:
    """The forces of England and Wales whose habits the profile knows, in register order; the number is the place in it."""
    register = code_list("forces").filter(
        (pl.col("programme") == "england_wales")
        & pl.col("code").is_in(table("force_habits")["force_code"].implode())
    )
    counts = table("force_offence_profile")
    codes = pl.DataFrame({"offence_code": behaviour().codes})
    found = []
    for number, row in enumerate(register.iter_rows(named=True)):
        own = codes.join(
            counts.filter(pl.col("force_code") == row["code"]),
            on="offence_code",
            how="left",
            maintain_order="left",
        )
        annual = own["annual_offences"].fill_null(0.0).to_numpy()
        found.append(
            Force(number, row["code"], row["short_name"], row["region"], row["home_office_number"], annual)
        )
    return tuple(found)
