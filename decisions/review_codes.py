"""The reasons that an act of review may be given, the months that entries live for, the lists that are reviewed: data beside this module.

Standard library alone, as for all of `decisions`: no data frames here.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from types import MappingProxyType

from dateutil.relativedelta import relativedelta

from decisions.refusals import Refused

FOLDER = Path(__file__).parent / "codes"


@dataclass(frozen=True)
class Parameters:
    """How long entries live, in months; `version` is that of `review_parameters.csv`."""

    version: str
    lapse_months: int
    full_review_months: int
    deferral_months: int
    retention_months: int


@cache
def reasons(act: str) -> Mapping[str, str]:
    """Code to label of the reasons for an act, in the order of `review_reasons.csv`; empty for an unknown act."""
    return MappingProxyType(
        {row["code"]: row["label"] for row in _rows("review_reasons") if row["act"] == act}
    )


def require_reason(act: str, code: str) -> None:
    """Raises Refused where `code` is no reason for `act`; the message lists those that are."""
    if code not in reasons(act):
        raise Refused(
            f"{code!r} is no reason to {act.replace('_', ' ')}; choose one of {', '.join(reasons(act))}"
        )


@cache
def parameters(on: date) -> Parameters:
    """Those in force on a day. Raises LookupError where the data has not exactly one version for it."""
    rows = _in_force("review_parameters", on)
    versions = {row["version"] for row in rows}
    if len(versions) != 1:
        raise LookupError(f"review_parameters.csv has {len(versions)} versions for {on}")
    return Parameters(versions.pop(), **{row["parameter"]: int(row["number"]) for row in rows})


@cache
def reviewed_lists(on: date) -> frozenset[tuple[str, str]]:
    """Kind and lens of the lists whose members somebody is to look at, as in force on a day."""
    return frozenset((row["list_kind"], row["lens"]) for row in _in_force("review_lists", on))


def months_after(moment: datetime, months: int) -> datetime:
    """The same day and time that many months on; the month's last day where it has no such day."""
    return moment + relativedelta(months=months)


def _in_force(name: str, on: date) -> list[Mapping[str, str]]:
    return [
        row
        for row in _rows(name)
        if date.fromisoformat(row["valid_from"]) <= on
        and (not row["valid_to"] or on <= date.fromisoformat(row["valid_to"]))
    ]


@cache
def _rows(name: str) -> tuple[Mapping[str, str], ...]:
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return tuple(csv.DictReader(stream))
