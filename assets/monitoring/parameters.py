"""What the monitoring is run with, read from the seeds: the score's own parameters, windows and tops, thresholds, bands.

One loader each, so that the back-test, the monthly checks and the SQL cannot run on different numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from assets.seeds import SEEDS


class NoParameters(ValueError):
    """A file of parameters that is not there, lacks what is needed, or holds what is no number."""


@dataclass(frozen=True)
class ScoreParameters:
    """The parameters of the score: c = s^a * 2^(-age/h) * o * l, S = m * sum c, m = (N * V)^(b/2)."""

    version: str
    severity_exponent: float
    half_life_days: float
    multiplier_exponent: float
    multiplier_cap: float
    window_months: int
    cut_months: int
    severity_exponent_grave: float

    def but(self, **changed: float) -> ScoreParameters:
        """The same with some numbers changed."""
        return replace(self, **changed)  # type: ignore[arg-type]


@dataclass(frozen=True)
class ListConditions:
    """What the list asks of a person, as far as allegations tell: counted incidents in the score's window, one of them
    recent, one link that is sure enough."""

    min_incidents: float
    recent_months: int
    min_link_probability: float


@dataclass(frozen=True)
class Monitoring:
    """The numbers of `monitoring_parameters`: every parameter is a list; `one` is for those with a single row."""

    version: str
    numbers: dict[str, list[float]]

    def all(self, parameter: str) -> list[float]:
        """Numbers of a parameter in the order of the file. NoParameters if there are none."""
        if parameter not in self.numbers:
            raise NoParameters(f"monitoring_parameters.csv has no parameter {parameter}: add its row")
        return self.numbers[parameter]

    def one(self, parameter: str) -> float:
        """The number of a parameter that has one row. NoParameters if it has none or several."""
        found = self.all(parameter)
        if len(found) != 1:
            raise NoParameters(
                f"monitoring_parameters.csv has {len(found)} rows for {parameter}: it takes one"
            )
        return found[0]

    def but(self, **changed: float | list[float]) -> Monitoring:
        """The same with some parameters changed; for tests and trials."""
        given = {name: value if isinstance(value, list) else [value] for name, value in changed.items()}
        return replace(self, numbers=self.numbers | given)


def score_parameters(path: Path | None = None) -> ScoreParameters:
    """The score's parameters: of each the row that came into force last. `path`: columns as ranking_parameters.csv."""
    wanted = [name for name in ScoreParameters.__dataclass_fields__ if name != "version"]
    rows, values = _ranking(path, wanted)
    used = rows.filter(pl.col("parameter").is_in(wanted))["version"].unique().sort().to_list()
    _check(values)
    return ScoreParameters(
        version="+".join(used),
        **values | {name: int(values[name]) for name in ("window_months", "cut_months")},  # type: ignore[arg-type]
    )


def list_conditions(path: Path | None = None) -> ListConditions:
    """The conditions of the list, of each the row that came into force last."""
    _, values = _ranking(path, list(ListConditions.__dataclass_fields__))
    return ListConditions(**values | {"recent_months": int(values["recent_months"])})  # type: ignore[arg-type]


def _ranking(path: Path | None, wanted: list[str]) -> tuple[pl.DataFrame, dict[str, float]]:
    """The rows of the ranking parameters, and of those wanted the number in force."""
    rows = _read(path or SEEDS / "ranking_parameters.csv", ("version", "parameter", "number"))
    if "valid_from" in rows.columns:
        rows = rows.sort("valid_from", maintain_order=True, nulls_last=False)
    numbers = dict(zip(rows["parameter"], _numbers(rows, path), strict=True))
    if missing := [name for name in wanted if name not in numbers]:
        raise NoParameters(f"the ranking parameters lack {', '.join(missing)}: add a row for each")
    return rows, {name: numbers[name] for name in wanted}


def monitoring(path: Path | None = None) -> Monitoring:
    """The windows, tops, grids and draws of the monitoring."""
    rows = _read(path or SEEDS / "monitoring_parameters.csv", ("version", "parameter", "number"))
    numbers: dict[str, list[float]] = {}
    for name, number in zip(rows["parameter"], _numbers(rows, path), strict=True):
        numbers.setdefault(name, []).append(number)
    return Monitoring("+".join(rows["version"].unique().sort().to_list()), numbers)


def rfg_bands(path: Path | None = None) -> dict[str, tuple[list[float], list[float]]]:
    """dimension (recency, frequency, gravity) -> (lower bounds, points), bounds ascending; those of the list's own lens."""
    rows = _read(path or SEEDS / "rfg_bands.csv", ("dimension", "value_from", "points"))
    typed = rows.with_columns(pl.col("value_from", "points").cast(pl.Float64)).sort("dimension", "value_from")
    return {
        str(dimension): (part["value_from"].to_list(), part["points"].to_list())
        for (dimension,), part in typed.group_by("dimension", maintain_order=True)
    }


def rank_bands(path: Path | None = None) -> pl.DataFrame:
    """The bands that ranks are published in: band, rank_from, rank_to."""
    rows = _read(path or SEEDS / "rank_bands.csv", ("band", "rank_from", "rank_to"))
    return rows.select("band", pl.col("rank_from", "rank_to").cast(pl.Int64)).sort("rank_from")


def outcome_weights(path: Path | None = None) -> dict[str, tuple[float, bool]]:
    """outcome -> (weight 0..1, whether the outcome is known).

    Without `path`: every code of the seed `outcome_treatment`, of whatever kind. A file of one's own has the columns
    `outcome` and `outcome_weight`.
    """
    if path is None:
        rows = _read(SEEDS / "outcome_treatment.csv", ("code", "outcome_weight", "is_outcome_known")).rename(
            {"code": "outcome"}
        )
    else:
        rows = _read(path, ("outcome", "outcome_weight")).with_columns(is_outcome_known=pl.lit("true"))
    weights = rows["outcome_weight"].cast(pl.Float64, strict=False)
    if weights.null_count() or not weights.is_between(0, 1).all():
        raise NoParameters("outcome_weight is a number from 0 to 1: correct the file of outcomes")
    if rows["outcome"].is_duplicated().any():
        raise NoParameters("an outcome stands twice in the file of outcomes: keep one row of each")
    known = (rows["is_outcome_known"] == "true").to_list()
    return dict(zip(rows["outcome"].to_list(), zip(weights.to_list(), known, strict=True), strict=True))


def statements() -> list[str]:
    """The sentences that may not be left out of a report of the monitoring, in their order."""
    return (
        _read(SEEDS / "monitoring_statements.csv", ("statement_id", "statement"))
        .sort("statement_id")["statement"]
        .to_list()
    )


def _read(path: Path, columns: tuple[str, ...]) -> pl.DataFrame:
    if not path.is_file():
        hint = (
            "; this command runs in a clone of the repository, whose seeds no package holds"
            if path.parent == SEEDS
            else ""
        )
        raise NoParameters(f"there is no file {path.name}{hint}")
    try:
        rows = pl.read_csv(path, infer_schema=False)
    except pl.exceptions.PolarsError as error:
        raise NoParameters(
            f"{path.name} cannot be read as CSV with a header ({type(error).__name__})"
        ) from None
    if missing := [name for name in columns if name not in rows.columns]:
        raise NoParameters(f"{path.name} has no column {', '.join(missing)}")
    return rows


def _numbers(rows: pl.DataFrame, path: Path | None) -> list[float]:
    numbers = rows["number"].cast(pl.Float64, strict=False)
    if numbers.null_count():
        at = rows.filter(numbers.is_null())["parameter"][0]
        raise NoParameters(f"{path.name if path else 'the seed'}: the number of {at} cannot be read")
    return numbers.to_list()


def _check(values: dict[str, float]) -> None:
    for name in ("half_life_days", "window_months", "cut_months", "multiplier_cap"):
        if values[name] <= 0:
            raise NoParameters(f"{name} must be more than 0")
