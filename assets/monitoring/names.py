"""What rankers and days are called in words."""

from __future__ import annotations

from datetime import date

_RANKERS = {
    "formula": "formula",
    "formula_grave": "formula, grave dial",
    "formula_refitted": "formula, refitted on the past",
    "challenger": "challenger (gradient boosting)",
    "oracle": "oracle (later harm itself)",
    "random": "random",
    "count_offences": "count of offences, all history",
    "count_incidents": "count of incidents, all history",
    "severity": "sum of severity",
    "v100_like": "V100-like",
    "rfg": "RFG, banded",
}


def in_words(ranker: str) -> str:
    """A ranker's name in words; counts over some months by rule, others as they are."""
    if ranker in _RANKERS:
        return _RANKERS[ranker]
    base, _, months = ranker.rpartition("_")
    if base in ("count_offences", "count_incidents") and months.endswith("m"):
        return f"count of {base.removeprefix('count_')}, {months[:-1]} months"
    return ranker.replace("_", " ")


def day_in_words(value: date) -> str:
    """31 January 2026."""
    return f"{value.day} {value:%B %Y}"


def top_in_words(top: str) -> str:
    """A list by its length: top 5%; one that has a name by that."""
    return top if "list" in top else f"top {top}"
