"""What a rule is: a named function with its severity, its sentence and what to do about it.

Three shapes, by what the function is given and gives back:

* `record_rule`: one extract; returns a polars expression, true on a row that breaks the rule.
* `cross_rule`: all extracts; returns the `row_number`s of the `extract` that break the rule.
* `submission_rule`: the manifest and what arrived; returns true, or the odd one out in words.

The function's name is the finding's code. A rule sees parsed values: a cell that could not be read
is null here and was reported by the parser.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

import polars as pl

Severity = Literal["error", "warning"]
Tables = Mapping[str, pl.LazyFrame]


@dataclass(frozen=True)
class Context:
    """What a rule may know beside the rows: whose month it is, when it was drawn, when it came."""

    force_code: str
    period: date
    period_end: date
    extracted_at: datetime
    received_on: date


@dataclass(frozen=True)
class Rule:
    """A rule as the catalogue, the findings and the scorecards see it."""

    name: str
    shape: Literal["submission", "field", "record", "cross"]
    extract: str | None
    fields: tuple[str, ...]
    severity: Severity
    message: str
    remedy: str
    source: str
    check: Callable[..., Any]


REGISTRY: dict[str, Rule] = {}


def _register(
    shape: Literal["submission", "field", "record", "cross"],
    extract: str | None,
    fields: tuple[str, ...],
    severity: Severity,
    message: str,
    remedy: str,
    source: str,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def wrap(check: Callable[..., Any]) -> Callable[..., Any]:
        name = check.__name__
        if name in REGISTRY:
            raise ValueError(f"two rules are named {name}")
        REGISTRY[name] = Rule(name, shape, extract, fields, severity, message, remedy, source, check)
        return check

    return wrap


def record_rule(
    extract: str, *, fields: tuple[str, ...], severity: Severity, message: str, remedy: str, source: str
) -> Callable[[Callable[[Context], pl.Expr]], Callable[[Context], pl.Expr]]:
    """Register a rule over single rows of one extract. `fields[0]` is the field a finding points at."""
    return _register("record", extract, fields, severity, message, remedy, source)


def cross_rule(
    extract: str, *, fields: tuple[str, ...], severity: Severity, message: str, remedy: str, source: str
) -> Callable[[Callable[[Tables, Context], pl.LazyFrame]], Callable[[Tables, Context], pl.LazyFrame]]:
    """Register a rule over several rows or extracts; findings point at rows of `extract`."""
    return _register("cross", extract, fields, severity, message, remedy, source)


def submission_rule(
    *, severity: Severity, message: str, remedy: str, source: str
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a rule over the submission as a whole. It is given a `data_contracts.submission.Opened`."""
    return _register("submission", None, (), severity, message, remedy, source)
