"""Thresholds of the monitoring: which value raises an alert, and the team that has to answer it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from assets.monitoring.parameters import NoParameters
from assets.seeds import SEEDS

COLUMNS = (
    "check_id", "section", "statistic", "warn_below", "warn_above", "bounds_included", "owner", "description", "source",
    "version",
)  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """One judged statistic. `value` is None where it could not be computed; `detail` says why, or what stands behind it."""

    check_id: str
    section: str
    statistic: str
    value: float | None
    bounds: str
    is_alert: bool
    owner: str
    description: str
    detail: str = ""


class Thresholds:
    """The thresholds by check_id. NoParameters for a check that is not among them."""

    def __init__(self, path: Path | None = None) -> None:
        path = path or SEEDS / "monitoring_thresholds.csv"
        if not path.is_file():
            raise NoParameters(f"there is no file {path.name}")
        rows = pl.read_csv(path, infer_schema=False)
        if missing := [c for c in COLUMNS if c not in rows.columns]:
            raise NoParameters(f"{path.name} has no column {', '.join(missing)}")
        self._rows = {row["check_id"]: row for row in rows.iter_rows(named=True)}

    @property
    def ids(self) -> list[str]:
        """Every check, by section and then by its id."""
        rows = self._rows.values()
        return [r["check_id"] for r in sorted(rows, key=lambda r: (_place(r["section"]), r["check_id"]))]

    @property
    def owners(self) -> list[str]:
        """The teams that answer alerts, each once, in order of name."""
        return sorted({row["owner"] for row in self._rows.values()})

    def judge(self, check_id: str, value: float | None, detail: str = "") -> Verdict:
        """Whether the value raises the check's alert. A value that could not be computed raises none and says so."""
        if check_id not in self._rows:
            raise NoParameters(f"monitoring_thresholds.csv has no check {check_id}: add its row")
        row = self._rows[check_id]
        below, above = (
            float(row[c]) if row[c] not in (None, "") else None for c in ("warn_below", "warn_above")
        )
        value = None if value is None or value != value else float(value)
        on_bound = row["bounds_included"] == "true" and value is not None and value in (below, above)
        beyond = value is not None and (
            (below is not None and value < below) or (above is not None and value > above)
        )
        return Verdict(
            check_id=check_id,
            section=row["section"],
            statistic=row["statistic"],
            value=value,
            bounds=_in_words(below, above, row["bounds_included"] == "true"),
            is_alert=on_bound or beyond,
            owner=row["owner"],
            description=row["description"],
            detail=detail or ("could not be computed" if value is None else ""),
        )


def _place(section: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", section)]


def _in_words(below: float | None, above: float | None, included: bool) -> str:
    words = []
    if below is not None:
        words.append(f"{'at or below' if included else 'below'} {below:g}")
    if above is not None:
        words.append(f"{'at or above' if included else 'above'} {above:g}")
    return " or ".join(words)
