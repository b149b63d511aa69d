"""The hub's data beside the code: parameters, roles, what acts take, rules of marts. Read once."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "codes"


@cache
def rows(name: str) -> tuple[Mapping[str, str], ...]:
    """The rows of `codes/<name>.csv`, in their order."""
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return tuple(csv.DictReader(stream))


@cache
def number(parameter: str) -> float:
    """A parameter of `codes/parameters.csv`, in the unit it states. Raises KeyError."""
    return {row["parameter"]: float(row["number"]) for row in rows("parameters")}[parameter]


def whole(parameter: str) -> int:
    return int(number(parameter))
