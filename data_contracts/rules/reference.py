"""The numbers and words the rules judge by, read from the CSV files beside this module.

Each has its source there; a judgement says so. A rule asks for them by name and holds none itself.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal

import polars as pl

from data_contracts.code_lists import code_list

FOLDER = Path(__file__).parent
Severity = Literal["error", "warning"]


@cache
def _table(name: str) -> pl.DataFrame:
    return pl.read_csv(FOLDER / f"{name}.csv", infer_schema=False)


@cache
def threshold(name: str) -> int:
    """The limit of this name, in the unit `thresholds.csv` gives. Raises KeyError on an unknown name."""
    row = in_force("thresholds", "name").get(name)
    if row is None:
        raise KeyError(name)
    return int(row["value"])


@cache
def in_force(table: str, key: str) -> dict[str, dict[str, str]]:
    """The rows of a versioned table that hold today (without an end date), by their key."""
    return {row[key]: row for row in _table(table).filter(pl.col("valid_to").is_null()).iter_rows(named=True)}


def severity_of(rule: str) -> Severity:
    """What breaking this rule means. Raises KeyError where `rule_settings.csv` does not say."""
    said = in_force("rule_settings", "rule")[rule]["severity"]
    return "error" if said == "error" else "warning"


@cache
def offences_with(trait: str) -> list[str]:
    """Offence codes that have a trait. Raises KeyError where no code has it."""
    found = _table("offence_traits").filter(pl.col("trait") == trait)["offence_code"].to_list()
    if not found:
        raise KeyError(trait)
    return found


@cache
def placeholders(kind: str) -> list[str]:
    """Values that systems write (kind `date_of_birth`, `name` ...) when they know nothing."""
    return code_list("placeholders").filter(pl.col("kind") == kind)["value"].to_list()


@cache
def postcode_areas() -> list[str]:
    """Letters that a postcode of the United Kingdom can begin with."""
    return _table("postcode_areas")["area"].to_list()


@cache
def word_pattern(sex: str) -> str:
    """Regular expression for relationship words, in capitals, that say this sex."""
    return _any_of(_table("relationship_words").filter(pl.col("sex") == sex))


@cache
def generations_pattern(apart: int) -> str:
    """Regular expression for relationship words, in capitals, of people this many generations apart."""
    return _any_of(_table("relationship_words").filter(pl.col("generations_apart") == str(apart)))


def _any_of(words: pl.DataFrame) -> str:
    return rf"\b(?:{'|'.join(words['word'].to_list())})\b"


@cache
def statistic_limit(name: str) -> float:
    """The limit of this name for a submission's figures. Raises KeyError on an unknown name."""
    return float(in_force("statistics_limits", "name")[name]["value"])


@cache
def default_values() -> dict[str, list[str]]:
    """What stands for nothing known, beside blank, by `extract.field`."""
    return {
        place: row["defaults"].split("|") if row["defaults"] else []
        for place, row in in_force("default_values", "place").items()
    }


@cache
def incident_months(force_code: str) -> list[date]:
    """First days of months in which something is known to have bent this force's figures."""
    rows = _table("incident_months").filter(pl.col("force_code").is_in([force_code, "all"]))
    return [date.fromisoformat(f"{month}-01") for month in rows["month"].to_list()]


def waivers() -> pl.DataFrame:
    """Waivers, whenever they hold: one row per rule and force (and field, where not all), with owner and last day."""
    return code_list("waivers").with_columns(
        pl.col("valid_from", "valid_to").cast(pl.String).str.to_date("%Y-%m-%d")
    )


def exemplars() -> dict[str, tuple[str, str]]:
    """By rule, in words, a violation and a near miss."""
    return {r["rule"]: (r["violation"], r["near_miss"]) for r in _table("exemplars").iter_rows(named=True)}


def checks() -> list[tuple[str, str, str | None]]:
    """The catalogue the rules are built from: check, what it asks, and what is to be said where rules do not say it all."""
    return list(_table("checks").select("check", "title", "note").iter_rows())
