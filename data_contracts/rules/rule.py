"""What a rule is: a named function with its sentence and what to do about it.

By what the function is given and gives back, a rule is of one of these shapes:

* `record_rule`: one extract; returns a polars expression, true on a row that breaks the rule.
* `cross_rule`: all extracts; returns the `row_number`s of the `extract` that break the rule.
* `history_rule`: all extracts, and what the force sent before; returns `row_number`s like a cross rule.
* `statistics_rule`: the submission's figures; returns extract, item and what was seen.
* `submission_rule`: the manifest and what arrived; returns true, or the odd one out in words.

The function's name is the finding's code; its severity stands in `rule_settings.csv`. A rule sees parsed values: a cell that could not be read
is null here and was reported by the parser.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

import polars as pl

from data_contracts.rules.reference import Severity, severity_of

Shape = Literal["submission", "field", "record", "cross", "history", "statistics"]
Tables = Mapping[str, pl.LazyFrame]


@dataclass(frozen=True)
class Context:
    """What a rule may know beside the rows: whose month it is, when it was drawn, when it came.

    `sends_flags`: whether the submission holds a flag at all, where only a part of it is looked at; None: look.
    """

    force_code: str
    period: date
    period_end: date
    extracted_at: datetime
    received_on: date
    sends_flags: bool | None = None


@dataclass(frozen=True)
class History:
    """What the same force sent before this submission: the newest accepted version of each record, by extract.

    `past` and `peers`: measures of the force's earlier months, and of other forces (`statistics.MEASURES_SCHEMA`).
    """

    tables: Tables
    past: pl.DataFrame
    peers: pl.DataFrame


@dataclass(frozen=True)
class Rule:
    """A rule as the catalogue, the findings and the scorecards see it.

    `across_crimes`: one crime is compared with others, so that crimes cannot be looked at a part at a time.
    """

    name: str
    shape: Shape
    extract: str | None
    fields: tuple[str, ...]
    message: str
    remedy: str
    source: str
    check: Callable[..., Any]
    across_crimes: bool = False

    @property
    def severity(self) -> Severity:
        """What breaking it means today: `rule_settings.csv` says."""
        return severity_of(self.name)


REGISTRY: dict[str, Rule] = {}


def put_in_force(rule: Rule) -> None:
    """Enter a rule into the registry. Raises ValueError where another has its name, KeyError without severity."""
    if rule.name in REGISTRY:
        raise ValueError(f"two rules are named {rule.name}")
    severity_of(rule.name)
    REGISTRY[rule.name] = rule


def _register(
    shape: Shape,
    extract: str | None,
    fields: tuple[str, ...],
    message: str,
    remedy: str,
    source: str,
    across_crimes: bool = False,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def wrap(check: Callable[..., Any]) -> Callable[..., Any]:
        put_in_force(
            Rule(check.__name__, shape, extract, fields, message, remedy, source, check, across_crimes)
        )
        return check

    return wrap


def record_rule(
    extract: str, *, fields: tuple[str, ...], message: str, remedy: str, source: str
) -> Callable[[Callable[[Context], pl.Expr]], Callable[[Context], pl.Expr]]:
    """Register a rule over single rows of one extract. `fields[0]` is the field a finding points at."""
    return _register("record", extract, fields, message, remedy, source)


def cross_rule(
    extract: str,
    *,
    fields: tuple[str, ...],
    message: str,
    remedy: str,
    source: str,
    across_crimes: bool = False,
) -> Callable[[Callable[[Tables, Context], pl.LazyFrame]], Callable[[Tables, Context], pl.LazyFrame]]:
    """Register a rule over several rows or extracts; findings point at rows of `extract`."""
    return _register("cross", extract, fields, message, remedy, source, across_crimes)


def history_rule(
    extract: str, *, fields: tuple[str, ...], message: str, remedy: str, source: str
) -> Callable[
    [Callable[[Tables, Tables, Context], pl.LazyFrame]], Callable[[Tables, Tables, Context], pl.LazyFrame]
]:
    """Register a rule that compares the submission with what the force sent before; it is given `History.tables` too."""
    return _register("history", extract, fields, message, remedy, source)


def statistics_rule(
    *, message: str, remedy: str, source: str
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a rule over a submission's figures. It is given its measures and the history; an error holds all of it."""
    return _register("statistics", None, (), message, remedy, source)


def submission_rule(
    *, message: str, remedy: str, source: str
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a rule over the submission as a whole. It is given a `data_contracts.submission.Opened`."""
    return _register("submission", None, (), message, remedy, source)
