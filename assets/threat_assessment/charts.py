"""The charts of the threat assessment; every one stands beside a table that says the same."""

from __future__ import annotations

import matplotlib as mpl
import polars as pl
from matplotlib.ticker import FuncFormatter

from assets.drawing import ACCENT, CALM, STYLE, axes_of, svg

_THOUSANDS = FuncFormatter(lambda value, _: f"{value:,.0f}")
_CHANGE = FuncFormatter(lambda value, _: f"{value:+.0%}" if value else "as many")


def months(name: str, recorded: pl.DataFrame, ahead: pl.DataFrame) -> str:
    """Crimes as recorded, month by month, and as forecast, with both intervals as bands; blank without a forecast.

    `recorded`: period, value; `ahead`: month, n_offences, lower, upper, lower_wide, upper_wide. One place and threat.
    """
    if ahead.is_empty():
        return ""
    known, coming = recorded.drop_nulls("value").sort("period"), ahead.sort("month")
    with mpl.rc_context(STYLE):
        figure, axes = axes_of(8.4, 3.0)
        to_come = coming["month"].to_list()
        for ends, opacity in ((("lower_wide", "upper_wide"), 0.16), (("lower", "upper"), 0.28)):
            low, high = (coming[end].to_list() for end in ends)
            axes.fill_between(to_come, low, high, color=ACCENT, alpha=opacity, linewidth=0)
        axes.plot(known["period"].to_list(), known["value"].to_list(), color=CALM, linewidth=2)
        axes.plot(to_come, coming["n_offences"].to_list(), color=ACCENT, linewidth=2, linestyle=(0, (4, 2)))
        axes.set_ylim(0, 1.1 * max([1.0, *coming["upper_wide"].to_list(), *known["value"].to_list()]))
        axes.yaxis.set_major_formatter(_THOUSANDS)
        return svg(name, figure)


def changes(name: str, outlook: pl.DataFrame) -> str:
    """A dot a row: the year to come against the year that was, with both intervals, in the order given; blank without a row.

    `outlook`: label, n_offences_last_year (more than none), n_offences_next_year, lower, upper, lower_wide, upper_wide.
    """
    if outlook.is_empty():
        return ""
    with mpl.rc_context(STYLE):
        figure, axes = axes_of(8.4, 0.9 + 0.34 * outlook.height)
        for no, row in enumerate(outlook.reverse().iter_rows(named=True)):
            last = row["n_offences_last_year"]
            for ends, width in ((("lower_wide", "upper_wide"), 1.2), (("lower", "upper"), 4.0)):
                axes.plot([row[end] / last - 1 for end in ends], [no, no], color=CALM, linewidth=width)
            axes.plot([row["n_offences_next_year"] / last - 1], [no], "o", color=ACCENT, markersize=6)
        axes.set_yticks(range(outlook.height), outlook.reverse()["label"].to_list())
        axes.set_ylim(-0.7, outlook.height - 0.3)
        axes.axvline(0, color="#14202b", linewidth=1)
        axes.xaxis.set_major_formatter(_CHANGE)
        return svg(name, figure)
