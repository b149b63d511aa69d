"""The tables of the bulletin, cut from figures that are safe to publish. Which tables there are is data (`tables.csv`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

PLAN = Path(__file__).with_name("tables.csv")
NATIONAL = "national"
# What a row of a table may be, where it is not a value of a breakdown.
_NO_BREAKDOWN = ("threat", "definition", "period", "force")
_YEAR, _CALENDAR_YEAR = "rolling_year", "financial_year"


@dataclass(frozen=True)
class Table:
    """`rows`: label (what the row is), value_id (its code) and, of every measure, `<measure>` with `<measure>_lower` and
    `<measure>_upper`; null where a figure is withheld or not there. `measures`: as asked for, those nobody published left out.
    `withheld`: measures of which there are figures and every one is withheld. `why_empty`: a sentence where no measure is
    left, otherwise blank.
    """

    table_id: str
    title: str
    note: str
    row_kind: str
    measures: tuple[str, ...]
    rows: pl.DataFrame
    withheld: tuple[str, ...] = ()
    why_empty: str = ""


@dataclass(frozen=True)
class Words:
    """Labels by code: of measures, units of measures, and of whatever a row may be (kind -> code -> label)."""

    measures: Mapping[str, str]
    kinds: Mapping[str, str]
    rows: Mapping[str, Mapping[str, str]]

    def row(self, kind: str, code: str) -> str:
        """The label of a row; a code without one is shown as words. A year is coded by its first day, 1 April."""
        if kind == "period":
            return f"{code[:4]}/{(int(code[:4]) + 1) % 100:02}"
        return self.rows.get(kind, {}).get(code) or code.replace("_", " ").capitalize()


def latest_year(figures: pl.DataFrame) -> pl.DataFrame:
    """Figures of the year that ends with the run."""
    years = figures.filter(period_kind=_YEAR)
    return years.filter(pl.col("period") == pl.col("period").max())


def tables(figures: pl.DataFrame, words: Words, force_code: str = NATIONAL) -> list[Table]:
    """The tables planned for one place, those that hold nothing with the reason. `figures`: a publication, columns as
    `national_statistics`.
    """
    plan = pl.read_csv(PLAN, infer_schema=False).fill_null("")
    geography = "national" if force_code == NATIONAL else "force"
    wanted = plan.filter(pl.col("geography").is_in(["both", geography]))
    return [_table(row, figures, words, force_code) for row in wanted.iter_rows(named=True)]


def _table(planned: Mapping[str, str], figures: pl.DataFrame, words: Words, force_code: str) -> Table:
    kind, measures = planned["rows"], planned["measures"].split("|")
    chosen = _chosen(planned, figures, force_code).filter(pl.col("measure").is_in(measures))
    there = [m for m in measures if chosen.filter(measure=m)["value"].count()]
    withheld = [m for m in measures if m not in there and chosen.filter(measure=m).height]
    column = {"threat": "threat", "definition": "definition_id", "period": "period", "force": "force_code"}
    rows = chosen.with_columns(pl.col(column.get(kind, "breakdown_value")).cast(pl.String).alias("value_id"))
    wide = rows.select("value_id").unique()
    for measure in there:
        of_measure = rows.filter(measure=measure).select(
            "value_id",
            pl.col("value").alias(measure),
            pl.col("lower").alias(f"{measure}_lower"),
            pl.col("upper").alias(f"{measure}_upper"),
        )
        wide = wide.join(of_measure, on="value_id", how="left")
    labelled = wide.with_columns(
        label=pl.col("value_id").map_elements(lambda code: words.row(kind, code), return_dtype=pl.String)
    )
    return Table(
        planned["table_id"],
        planned["title"],
        planned["note"],
        kind,
        tuple(there),
        _ordered(labelled, kind, there).select("label", "value_id", pl.exclude("label", "value_id")),
        tuple(withheld),
        "" if there else _why_empty(kind, is_withheld=bool(withheld)),
    )


def _why_empty(kind: str, *, is_withheld: bool) -> str:
    if is_withheld:
        return "Every figure of this table is withheld: each is small, or would give away one that is."
    if kind == "period":
        return "Nothing is shown yet: no year of April to March has come in whole."
    return "No figure of this is published for this place."


def _chosen(planned: Mapping[str, str], figures: pl.DataFrame, force_code: str) -> pl.DataFrame:
    kind, definition = planned["rows"], planned["definition_id"]
    years = figures.filter(period_kind=_CALENDAR_YEAR) if kind == "period" else latest_year(figures)
    breakdown = "none" if kind in _NO_BREAKDOWN else kind
    chosen = years.filter(breakdown=breakdown)
    if definition:
        chosen = chosen.filter(definition_id=definition)
    if kind != "threat":
        chosen = chosen.filter(threat="all")
    if kind == "force":
        return chosen.filter(pl.col("force_code") != NATIONAL)
    return chosen.filter(force_code=force_code)


def _ordered(rows: pl.DataFrame, kind: str, measures: list[str]) -> pl.DataFrame:
    """In order of time, of age, or of size; the whole first, what is not known last."""
    if kind in ("period", "age_band"):
        # `5-9` before `10-15`.
        start = pl.col("value_id").str.extract(r"^(\d+)").cast(pl.Int64, strict=False)
        return rows.sort(start, "value_id", nulls_last=True)
    if kind == "force" or not measures:
        return rows.sort("label")
    unknown = pl.col("value_id").is_in(["unknown", "unmapped", "blank", "U", "UNK"])
    return rows.sort(
        pl.col("value_id") != "all", unknown, pl.col(measures[0]), "label", descending=[False, False, True, False], nulls_last=True
    )  # fmt: skip
