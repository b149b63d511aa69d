"""Calibrating a synthetic nation: more crimes are drawn than are sent, and those sent are chosen to meet targets.

Belongs here: the features of a crime that a target can speak of, finding each crime's chance to be sent so that the
targets are met (calibration weighting with a logistic link, after Deville and Särndal 1992), and choosing by
those chances with little chance left in it. Targets are given, never kept here.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl

from data_contracts.code_lists import code_list
from data_contracts.synthetic.cases import RELATIONSHIPS
from data_contracts.synthetic.crimes import DAY, FLAGS, LOCATIONS, OUTCOMES, Crimes, as_known_on
from data_contracts.synthetic.draw import Bools, Floats, Generator, Ints
from data_contracts.synthetic.profile import Force, behaviour

COUNT, SHARE, MEAN = "count", "share", "mean"
CRIME, SUSPECT = "crime", "suspect"
TARGET_SCHEMA: dict[str, pl.DataType] = {
    "target": pl.String(),
    "kind": pl.String(),
    "per": pl.String(),
    "force_code": pl.String(),
    "from_on": pl.Date(),
    "to_on": pl.Date(),
    "what": pl.String(),
    "among": pl.String(),
    "value": pl.Float64(),
}
_MOST_STEPS = 60
_CLOSE_ENOUGH, _TOO_FAR = 1e-4, 0.05
# Keeps the steps in bounds where two targets are nearly one.
_RIDGE = 1e-5
_MOST_CHANGES = 2_000
_SEEN = ("DA", "ONL", "CSA", "CSE")


@dataclass(frozen=True)
class Calibration:
    """What a nation is to give back, and how much more is drawn for it to be chosen from.

    `targets`: the columns of `TARGET_SCHEMA`, one row a target. Of the crimes recorded from `from_on` to `to_on` (by
    `force_code`, or by all where it is null) that meet `among`, a count is of those that meet `what` (as sent, so
    already scaled), a share is the part of them that does, a mean is of the number `what`. `what` and `among` are
    conditions, as SQL, on the columns of `features`. A target `per` suspect speaks of persons: its conditions are on
    `n_crimes` and `n_sexual`, the crimes of that span each is the first suspect of; where there is one, all
    crimes of a suspect are sent or none, but for those of a series.
    `oversampling`: crimes drawn for each one expected. `factors`: per force and offence code, what the profile's
    yearly number is multiplied by; codes and forces not named keep `other_factor`.
    `pool_factors`, `case_factors`: per force, how many people and pairs of people its crimes are spread over.
    `series_shares`: per force, the part of its sexual offences by strangers that one man commits.
    `managed_among`, `managed_share`: the part of the suspects of such crimes who are under offender management.
    """

    targets: pl.DataFrame
    oversampling: float = 2.0
    factors: dict[tuple[str, str], float] = field(default_factory=dict)
    other_factor: float = 1.0
    pool_factors: dict[str, float] = field(default_factory=dict)
    case_factors: dict[str, float] = field(default_factory=dict)
    series_shares: dict[str, float] = field(default_factory=dict)
    managed_among: str = ""
    managed_share: float = 0.0


class TargetsContradict(ValueError):
    """No choice of the crimes drawn meets all targets; the message names those furthest off."""


def adjusted(force: Force, calibration: Calibration) -> Force:
    """The force with the yearly numbers, people and pairs that the calibration asks for."""
    factor = [
        calibration.factors.get((force.code, code), calibration.other_factor) for code in behaviour().codes
    ]
    return replace(
        force,
        annual=force.annual * np.array(factor),
        pool_factor=calibration.pool_factors.get(force.code, 1.0),
        case_factor=calibration.case_factors.get(force.code, 1.0),
        series_share=calibration.series_shares.get(force.code, 0.0),
    )


def features(force_code: str, crimes: Crimes, cut: int) -> pl.DataFrame:
    """What a reader of all returns knows of each crime after the day `cut`: one row a crime.

    Flags are the markers as sent and as the offence, the relationship, the ages and the place give them away; `da`,
    `onl`, `csa` are what a careful reader makes of the two. Ages and sex are of the first victim and suspect.
    """
    known = as_known_on(crimes, cut)
    b = behaviour()
    names = code_list("offence_codes").select("code", "offence_group", "offence_subgroup")
    groups = dict(code_list("relationship_types").select("code", "relationship_group").iter_rows())
    first_victim = known.victims.filter(pl.col("victim_no") == 1).select(
        "crime",
        victim="person",
        victim_age="age",
        victim_sex="sex",
        victim_named=pl.col("nominal").is_not_null(),
    )
    women = known.victims.group_by("crime").agg(
        female_10=((pl.col("sex") == 0) & (pl.col("age") >= 10)).any().fill_null(False),
    )
    of_suspects = known.suspects.group_by("crime").agg(
        n_arrested=pl.col("arrest_day").is_not_null().sum(),
    )
    first_suspect = known.suspects.filter(pl.col("suspect_no") == 1).select(
        "crime", suspect="person", suspect_age="age", suspect_named=pl.col("nominal").is_not_null()
    )
    said = crimes.flags.filter(pl.col("value").is_not_null()).with_columns(
        flag=pl.col("flag").replace_strict(range(len(FLAGS)), FLAGS, return_dtype=pl.String)
    )
    marked = said.group_by("crime").agg(
        *(((pl.col("flag") == f) & (pl.col("value") == 1)).any().alias(f"{f.lower()}_set") for f in _SEEN),
        *(((pl.col("flag") == f) & (pl.col("value") != 1)).any().alias(f"{f.lower()}_unset") for f in _SEEN),
    )
    rows = (
        known.offences.select(
            "crime",
            "domestic",
            pl.col("code").replace_strict(range(len(b.codes)), b.codes, return_dtype=pl.String),
            recorded_on=(pl.col("recorded") // DAY).cast(pl.Int32).cast(pl.Date),
            counted=~(pl.col("cancelled") | pl.col("transferred")),
            outcome=pl.col("outcome").replace_strict(
                range(len(OUTCOMES)), OUTCOMES, default=None, return_dtype=pl.String
            ),
            location=pl.col("location").replace_strict(
                range(len(LOCATIONS)), LOCATIONS, return_dtype=pl.String
            ),
            relation=pl.col("relationship").replace_strict(
                range(len(RELATIONSHIPS)), [groups[r] for r in RELATIONSHIPS], return_dtype=pl.String
            ),
            in_series=pl.col("in_series"),
        )
        .join(names, on="code", how="left", maintain_order="left")
        .join(first_victim, on="crime", how="left", maintain_order="left")
        .join(women, on="crime", how="left", maintain_order="left")
        .join(first_suspect, on="crime", how="left", maintain_order="left")
        .join(of_suspects, on="crime", how="left", maintain_order="left")
        .join(marked, on="crime", how="left", maintain_order="left")
        .with_columns(
            pl.col("female_10", "suspect_named", "victim_named").fill_null(False),
            pl.col([f"{f.lower()}_{x}" for f in _SEEN for x in ("set", "unset")]).fill_null(False),
            pl.col("n_arrested").fill_null(0),
            pl.lit(force_code).alias("force_code"),
        )
    )
    return rows.with_columns(**_derived())


def _derived() -> dict[str, pl.Expr]:
    """Conditions as the seeds of the platform put them; where the two part, the figures would not come back."""
    personal = pl.col("offence_group").is_in(["Violence against the person", "Sexual offences"])
    sexual = pl.col("offence_group") == "Sexual offences"
    silent_da, silent_csa = (~pl.col(f"{f}_set") & ~pl.col(f"{f}_unset") for f in ("da", "csa"))
    child = pl.col("victim_age") <= 17
    marked_child = pl.col("csa_set") | pl.col("cse_set")
    in_scope = (
        personal
        & pl.col("female_10")
        & (pl.col("offence_subgroup") != "Death or serious injury - unlawful driving")
        & ~pl.col("code").is_in(["4.10", "8S", "8T", "104"])
    )
    return {
        "da": pl.col("da_set")
        | (personal & pl.col("domestic"))
        | (
            silent_da
            & pl.col("domestic")
            & (pl.col("offence_group") == "Criminal damage and arson")
            & (pl.col("relation") == "intimate")
        )
        | (pl.col("code") == "8U"),
        "onl": pl.col("onl_set")
        | (pl.col("location") == "ONL")
        | ((pl.col("code") == "8R") & ~pl.col("onl_unset")),
        "csa": (marked_child | (sexual & child) | (silent_csa & (pl.col("code") == "88A"))).fill_null(False),
        "sh": pl.col("offence_subgroup") == "Stalking and harassment",
        "rape": pl.col("offence_subgroup") == "Rape offences",
        "sexual": sexual,
        "assaults": pl.col("code").is_in(["17A", "17B", "20A", "20B"]),
        "rasso": (pl.col("offence_subgroup") == "Rape offences")
        | pl.col("code").is_in(["17A", "17B", "20A", "20B", "22A", "70"]),
        "vawg": in_scope,
        "with_images": in_scope | ((pl.col("code") == "86") & pl.col("female_10") & marked_child),
    }


def choose(rng: Generator, rows: pl.DataFrame, calibration: Calibration) -> Bools:
    """Which of the crimes (`features`) are sent: all where nothing is aimed at. Raises TargetsContradict where no choice
    meets the targets.
    """
    targets = calibration.targets
    if targets.is_empty():
        return np.ones(rows.height, dtype=np.bool_)
    wanted = np.where(targets["kind"] == COUNT, targets["value"], 0.0)
    units = _units(rows, targets)
    patterns = _patterns(_design(rows, targets, units))
    # A target counts for as much whatever it counts in.
    size = np.maximum(np.sqrt((patterns.x**2 * patterns.n[:, None]).sum(axis=0)), 1e-9)
    chances = _chances(patterns, wanted, size, calibration)
    return _polish(patterns, _systematic(rng, patterns, chances), wanted, size)[units]


def managed(rng: Generator, rows: pl.DataFrame, calibration: Calibration) -> pl.DataFrame:
    """The suspects of the crimes sent whose management is settled beforehand: force_code, suspect, is_managed."""
    if not calibration.managed_among:
        return pl.DataFrame(schema={"force_code": pl.String, "suspect": pl.Int64, "is_managed": pl.Boolean})
    people = (
        rows.filter(pl.sql_expr(calibration.managed_among) & pl.col("suspect_named"))
        .select("force_code", "suspect")
        .unique(maintain_order=True)
    )
    below = (np.arange(people.height) + rng.random()) * calibration.managed_share
    return people.with_columns(is_managed=np.floor(below + calibration.managed_share) > np.floor(below))


def _units(rows: pl.DataFrame, targets: pl.DataFrame) -> Ints:
    """What is sent or left together: the number of the unit of each crime."""
    if SUSPECT not in targets["per"]:
        return np.arange(rows.height)
    alone = ~pl.col("suspect_named") | pl.col("in_series")
    unit = pl.struct(
        "force_code",
        pl.when(alone).then(pl.lit(-1)).otherwise("suspect").alias("of"),
        pl.when(alone).then("crime").alias("crime"),
    )
    hashed = rows.select(unit.hash(1)).to_series().to_numpy()
    _, first, unit_of = np.unique(hashed, return_index=True, return_inverse=True)
    # Numbered as they come: what a hash is must not decide who is sent.
    return np.argsort(np.argsort(first))[unit_of].astype(np.int64)


def _design(rows: pl.DataFrame, targets: pl.DataFrame, units: Ints) -> Floats:
    """[unit, target] what a unit adds to each target. What a share or mean should be is taken off, so that it sums to 0."""
    per_crime = rows.select(
        pl.Series("unit", units),
        *(
            _part(t) if t["per"] == CRIME else pl.lit(0.0).alias(t["target"])
            for t in targets.iter_rows(named=True)
        ),
    )
    if SUSPECT not in targets["per"]:
        return per_crime.drop("unit").to_numpy()
    persons = targets.filter(pl.col("per") == SUSPECT)
    summed = per_crime.group_by("unit").sum().sort("unit")
    return (
        summed.with_columns(_per_person(rows, units, t) for t in persons.iter_rows(named=True))
        .drop("unit")
        .to_numpy()
    )


def _span(t: dict[str, Any]) -> pl.Expr:
    """The crimes of a target's days and force."""
    where = pl.col("counted") & pl.col("recorded_on").is_between(t["from_on"], t["to_on"])
    return where & (pl.col("force_code") == t["force_code"]) if t["force_code"] else where


def _part(t: dict[str, Any], where: pl.Expr | None = None) -> pl.Expr:
    where = _span(t) if where is None else where
    if t["among"]:
        where &= pl.sql_expr(t["among"])
    what = pl.sql_expr(t["what"]).cast(pl.Float64)
    part = what if t["kind"] == COUNT else what - t["value"]
    # A crime of which the target's number is not known is not among those the target speaks of.
    return pl.when(where.fill_null(False) & what.is_not_null()).then(part).otherwise(0.0).alias(t["target"])


def _per_person(rows: pl.DataFrame, units: Ints, t: dict[str, Any]) -> pl.Series:
    there = _span(t).fill_null(False) & pl.col("suspect_named") & ~pl.col("in_series")
    persons = (
        rows.with_columns(unit=pl.Series(units))
        .group_by("unit")
        .agg(n_crimes=there.sum(), n_sexual=(there & pl.col("sexual")).sum())
        .sort("unit")
    )
    return persons.select(_part(t, pl.col("n_crimes") > 0)).to_series()


def _chances(patterns: _Patterns, wanted: Floats, size: Floats, calibration: Calibration) -> Floats:
    """Each pattern's chance, nearest to the start, that meets the targets: damped Newton steps on the dual."""
    start = -np.log(calibration.oversampling - 1)
    z, n, goal = patterns.x / size, patterns.n, wanted / size

    def at(slope: Floats) -> tuple[float, Floats]:
        eta = np.clip(start + z @ slope, -50, 50)
        return float(n @ np.logaddexp(0, eta) - slope @ goal + _RIDGE / 2 * slope @ slope), 1 / (
            1 + np.exp(-eta)
        )

    slope = np.zeros(len(wanted))
    value, p = at(slope)
    for _ in range(_MOST_STEPS):
        down = z.T @ (n * p) - goal + _RIDGE * slope
        if np.abs(down).max() < _CLOSE_ENOUGH:
            break
        curve = (z * (n * p * (1 - p))[:, None]).T @ z + _RIDGE * np.eye(len(slope))
        step, length = np.linalg.solve(curve, down), 1.0
        tried, p_tried = at(slope - step)
        while tried > value - 1e-4 * length * (down @ step) and length > 1e-6:
            length /= 2
            tried, p_tried = at(slope - length * step)
        slope, value, p = slope - length * step, tried, p_tried
    sums = z.T @ (n * p)
    if np.abs(sums - goal).max() > _TOO_FAR:
        names = calibration.targets["target"]
        worst = np.argsort(-np.abs(sums - goal))[:8].tolist()
        told = ", ".join(f"{names[i]} ({(sums * size)[i]:.1f} for {wanted[i]:.1f})" for i in worst)
        raise TargetsContradict(f"no choice of the crimes drawn meets all targets; furthest off: {told}")
    return p


@dataclass(frozen=True)
class _Patterns:
    """The distinct rows of a design in lexical order, the pattern of each row, and how many rows each has."""

    x: Floats
    of_row: Ints
    n: Floats


def _patterns(x: Floats) -> _Patterns:
    hashed = pl.DataFrame(x).select(pl.struct(pl.all()).hash(1)).to_series().to_numpy()
    _, first, of_row = np.unique(hashed, return_index=True, return_inverse=True)
    order = np.lexsort(x[first].T[::-1])
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    of_row = place[of_row]
    return _Patterns(x[first[order]], of_row, np.bincount(of_row).astype(float))


def _systematic(rng: Generator, patterns: _Patterns, chances: Floats) -> Bools:
    """Systematic sampling with crimes of like effect side by side; `chances` one a pattern."""
    order = np.argsort(patterns.of_row, kind="stable")
    chance = chances[patterns.of_row[order]]
    below = np.cumsum(chance) + rng.random()
    chosen = np.zeros(len(chance), dtype=bool)
    chosen[order] = np.floor(below) > np.floor(below - chance)
    return chosen


def _polish(patterns: _Patterns, chosen: Bools, wanted: Floats, size: Floats) -> Bools:
    """Send one more crime or one fewer, each time where it brings the sums nearest to those wanted."""
    z = patterns.x / size
    sent = np.bincount(patterns.of_row, weights=chosen, minlength=len(patterns.n))
    gap, own = sent @ z - wanted / size, (z**2).sum(axis=1)
    change = np.zeros(len(sent), dtype=np.int64)
    for _ in range(_MOST_CHANGES):
        along = 2 * (z @ gap)
        more = np.where(sent + change < patterns.n, own + along, np.inf)
        fewer = np.where(sent + change > 0, own - along, np.inf)
        i, j = int(more.argmin()), int(fewer.argmin())
        at, way = (i, 1) if more[i] <= fewer[j] else (j, -1)
        if min(more[i], fewer[j]) >= -1e-12:
            break
        change[at] += way
        gap += way * z[at]
    return _changed(patterns, chosen, change)


def _changed(patterns: _Patterns, chosen: Bools, change: Ints) -> Bools:
    """As many more or fewer of each pattern, the first that can be changed."""
    at = pl.DataFrame({"pattern": patterns.of_row, "chosen": chosen}).with_row_index("row")
    ranked = at.with_columns(place=pl.int_range(pl.len()).over("pattern", "chosen"))
    signed = pl.Series(change)[patterns.of_row]
    flip = ranked.select(
        pl.when("chosen").then(pl.col("place") < -signed).otherwise(pl.col("place") < signed)
    ).to_series()
    return chosen ^ flip.to_numpy()
