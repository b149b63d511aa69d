"""The published figures beside what a release says.

Belongs here: reading `published_figures.csv` (each figure with its address in the marts, period, tolerance and how it is
read) and asking the releases of the nations for each. Nothing of the product reads the published figures.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

FIGURES = Path(__file__).parent / "published_figures.csv"
_GROWTH = ("V1", "V2")
# Relative for counts, means and rates; points for shares: the issue's own tolerances.
_RELATIVE, _POINTS = 0.02, 0.01


@dataclass(frozen=True)
class Compared:
    """One published figure and the same from a release; `computed` is null where the release does not give it."""

    figure: str
    measure: str
    published: float
    computed: float | None
    tolerance: str

    @property
    def difference(self) -> float | None:
        """In points of a share, else as a part of the published figure."""
        if self.computed is None:
            return None
        apart = self.computed - self.published
        return apart if self.tolerance == "points" else apart / self.published

    @property
    def is_met(self) -> bool:
        off = self.difference
        if off is None:
            return False
        # A hair for what a float leaves over.
        most = {"relative": _RELATIVE, "points": _POINTS, "exact": 0.0, "at_least": 0.0}[
            self.tolerance
        ] + 1e-9
        return off >= -most if self.tolerance == "at_least" else abs(off) <= most


def published_figures() -> pl.DataFrame:
    """One row a figure, every column as text but `published`."""
    return pl.read_csv(FIGURES, infer_schema=False).with_columns(pl.col("published").cast(pl.Float64))


def compare(releases: dict[str, Path], scales: dict[str, float]) -> list[Compared]:
    """Every figure of the nations whose releases (folders) are given, in the order of the file.

    `scales`: of each nation, what its counts are divided by.
    """
    computed: dict[str, float | None] = {}
    connections = {nation: _open(release) for nation, release in releases.items()}
    rows = published_figures().filter(pl.col("nation").is_in(list(releases)))
    for row in rows.iter_rows(named=True):
        computed[row["figure"]] = _computed(connections[row["nation"]], row, scales, computed)
    return [
        Compared(
            row["figure"],
            row["measure"],
            row["published"],
            computed[row["figure"]],
            row["tolerance"],
        )
        for row in rows.iter_rows(named=True)
        if row["query"] != "growth" or set(_GROWTH) <= set(computed)
    ]


def _open(release: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    # What may be published bears the names of what it is made of.
    for mart in sorted(m for m in release.glob("*/*.parquet") if m.parent.name != "publishable"):
        connection.execute(f"create view {mart.stem} as select * from read_parquet('{mart}')")
    return connection


def _computed(
    connection: duckdb.DuckDBPyConnection,
    row: dict[str, str],
    scales: dict[str, float],
    before: dict[str, float | None],
) -> float | None:
    if row["query"] == "growth":
        now, then = (before.get(figure) for figure in _GROWTH)
        return now / then - 1 if now and then else None
    if row["query"]:
        # A count from outside the nation, fraud say, is asked for at the nation's scale.
        asked = {"scale": scales[row["nation"]]} if "$scale" in row["query"] else {}
        found = connection.execute(row["query"], asked).fetchall()
    else:
        found = connection.execute(
            f"""select {row["read"]} from national_statistics
            where force_code = 'national' and definition_id = $definition_id and threat = $threat
              and measure = $statistic and breakdown = $breakdown and breakdown_value = $breakdown_value
              and period_kind = $period_kind and period = cast($period as date)""",
            {
                k: row[k]
                for k in (
                    "definition_id",
                    "threat",
                    "statistic",
                    "breakdown",
                    "breakdown_value",
                    "period_kind",
                    "period",
                )
            },
        ).fetchall()
    if not found or found[0][0] is None:
        return None
    scale = scales.get(row["scaled"] or "") or float(row["scaled"] or 1)
    return float(found[0][0]) / scale


def as_table(compared: list[Compared]) -> str:
    """The table published / computed / difference, one line a figure."""
    lines = [f"{'':2}{'figure':20}{'measure':72}{'published':>12}{'computed':>12}{'difference':>12}"]
    for c in compared:
        mark = "ok" if c.is_met else "XX"
        lines.append(
            f"{mark} {c.figure:20}{c.measure[:70]:72}{_number(c.published):>12}{_number(c.computed):>12}"
            f"{_apart(c):>12}"
        )
    return "\n".join(lines)


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.4g}"


def _apart(c: Compared) -> str:
    if c.difference is None:
        return "-"
    return f"{100 * c.difference:+.2f} pt" if c.tolerance == "points" else f"{100 * c.difference:+.2f}%"
