"""The charts of the bulletin, from published figures only; every one stands beside a table that says the same."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import matplotlib as mpl
import polars as pl
from matplotlib.ticker import FuncFormatter

from assets.drawing import ACCENT, CALM, STYLE, axes_of, svg

_THOUSANDS = FuncFormatter(lambda value, _: f"{value:,.0f}")


def months(name: str, figures: pl.DataFrame) -> str:
    """Crimes month by month as a line; blank with fewer than three months. `figures`: period, value."""
    shown = figures.drop_nulls("value").sort("period")
    if shown.height < 3:
        return ""
    with mpl.rc_context(STYLE):
        figure, axes = axes_of(8.4, 2.8)
        axes.plot(
            shown["period"].to_list(),
            shown["value"].to_list(),
            color=ACCENT,
            linewidth=2,
            marker="o",
            markersize=3,
        )
        # Months that differ little would leave the line at the very edge.
        axes.set_ylim(0, 1.1 * max(1, *shown["value"].to_list()))
        axes.yaxis.set_major_formatter(_THOUSANDS)
        ticks = _ticks(shown["period"].to_list())
        axes.set_xticks(ticks, [f"{day:%b %Y}" for day in ticks])  # type: ignore[arg-type]
        return svg(name, figure)


def bars(name: str, rows: pl.DataFrame) -> str:
    """One bar a row, largest first. `rows`: label, value."""
    shown = rows.drop_nulls("value").reverse()
    if shown.height < 2:
        return ""
    with mpl.rc_context(STYLE):
        figure, axes = axes_of(8.4, 0.7 + 0.32 * shown.height)
        axes.barh(shown["label"].to_list(), shown["value"].to_list(), color=CALM, height=0.62)
        axes.grid(axis="y", visible=False)
        axes.xaxis.set_major_formatter(_THOUSANDS)
        return svg(name, figure)


def dots(name: str, rows: pl.DataFrame, nation: float | None, chosen: str | None = None) -> str:
    """A dot a row with its interval, and a line for the nation. `rows`: label, value_id, value, lower, upper. `chosen`: the
    row to stand out."""
    shown = rows.drop_nulls("value").sort("value", "label")
    if shown.height < 2:
        return ""
    with mpl.rc_context(STYLE):
        figure, axes = axes_of(8.4, 0.7 + 0.2 * shown.height)
        for y, row in enumerate(shown.iter_rows(named=True)):
            colour = ACCENT if row["value_id"] == chosen else CALM
            if row["lower"] is not None:
                axes.plot([row["lower"], row["upper"]], [y, y], color=colour, linewidth=1.6)
            axes.plot([row["value"]], [y], "o", color=colour, markersize=4.5)
        axes.set_yticks(range(shown.height), shown["label"].to_list(), fontsize=8)
        axes.set_ylim(-0.8, shown.height - 0.2)
        if nation is not None:
            axes.axvline(nation, color="#14202b", linewidth=1)
        return svg(name, figure)


def _ticks(days: Sequence[date]) -> list[date]:
    """Not more than a dozen, evenly."""
    step = max(1, -(-len(days) // 12))
    return list(days[::step])
