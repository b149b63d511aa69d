"""The plots of the monitoring as SVG: the same figures, the same bytes. No date, no random ids, text as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import polars as pl
from matplotlib.axes import Axes

from assets.drawing import ACCENT, CALM, GRID, STYLE, axes_of, svg
from assets.monitoring.backtest import Backtest
from assets.monitoring.calibration import Calibration
from assets.monitoring.harness import Harness
from assets.monitoring.month import Month
from assets.monitoring.names import in_words, top_in_words
from assets.monitoring.null_programme import NullProgramme

FORMULA, PEER, LEARNT, END, QUIET = ACCENT, CALM, "#b5651d", "#8a949c", GRID


def draw(harness: Harness, window_months: int, ratio_band: tuple[float, float]) -> dict[str, str]:
    """name -> SVG, of every plot the harness has figures for."""
    found = {
        "pooled": _pooled(harness.backtest, window_months),
        "differences": _differences(harness.backtest, window_months),
        "by_cutoff": _by_cutoff(harness.backtest, window_months),
        "lorenz": _lorenz(harness.lorenz),
    }
    if harness.calibration:
        found["calibration"] = _calibration(harness.calibration)
    if harness.ratios is not None:
        found["disparity"] = _disparity(harness.ratios, ratio_band)
    if harness.null_programme:
        found["null_programme"] = _null_programme(harness.null_programme)
    return {name: svg for name, svg in found.items() if svg}


def draw_month(month: Month, ratio_band: tuple[float, float], names: Mapping[str, str]) -> dict[str, str]:
    """name -> SVG, of every plot the month has figures for. `names`: force_code -> what the force is called."""
    found = {"lorenz": _lorenz(month.lorenz), "gates": _gates(month.gates, names)}
    if month.backtest:
        found["pooled"] = _pooled(month.backtest, month.window)
        found["differences"] = _differences(month.backtest, month.window)
        found["by_cutoff"] = _by_cutoff(month.backtest, month.window)
    if month.calibration:
        found["calibration"] = _calibration(month.calibration)
    found["certainty"] = _certainty(month.certainty)
    if month.ratios is not None:
        found["disparity"] = _disparity(_shown(month.ratios), ratio_band)
    if month.null_programme:
        found["null_programme"] = _null_programme(month.null_programme)
    return {name: svg for name, svg in found.items() if svg}


def _shown(ratios: pl.DataFrame) -> pl.DataFrame:
    """What can be read in one picture: no ratios of single forces nor of pairs, and not the shortest list; groups with what
    they are of."""
    kept = ratios.filter(
        (pl.col("attribute") != "force")
        & (pl.col("top") != "1%")
        & ~pl.col("attribute").str.contains(" and ")
    )
    return kept.with_columns(group=pl.format("{}: {}", "attribute", "group"))


def _colour(ranker: str) -> str:
    if ranker in ("formula", "formula_grave"):
        return FORMULA
    if ranker in ("challenger", "formula_refitted"):
        return LEARNT
    return END if ranker in ("random", "oracle") else PEER


def _pooled_rows(result: Backtest, window: int, top: str, measure: str) -> pl.DataFrame:
    return result.table.filter(
        pl.col("cutoff_on").is_null(), window_months=window, top=top, measure=measure
    ).sort("value", "ranker")


def _whiskers(axes: Axes, at: Sequence[float], rows: pl.DataFrame, colours: Sequence[str]) -> None:
    for y, (value, lower, upper), colour in zip(
        at, rows.select("value", "lower", "upper").iter_rows(), colours, strict=True
    ):
        if lower is not None:
            axes.plot([lower, upper], [y, y], color=colour, linewidth=2, solid_capstyle="butt")
        if value is not None:
            axes.plot([value], [y], "o", color=colour, markersize=6)


def _pooled(result: Backtest, window: int) -> str:
    with mpl.rc_context(STYLE):
        rows = _pooled_rows(result, window, "5%", "harm_share")
        figure, axes = axes_of(8, 0.34 * rows.height + 1)
        places = list(range(rows.height))
        _whiskers(axes, places, rows, [_colour(r) for r in rows["ranker"]])
        axes.set_yticks(places, [in_words(r) for r in rows["ranker"]])
        axes.set_xlim(0, 1)
        axes.grid(axis="y", visible=False)
        axes.set_xlabel(f"Share of the later harm ({window} months) held by the top 5%, with 95% interval")
        return svg("pooled", figure)


def _differences(result: Backtest, window: int) -> str:
    with mpl.rc_context(STYLE):
        rows = result.differences.filter(
            pl.col("ranker") != "oracle", window_months=window, top="5%", measure="harm_share"
        ).sort("value", "ranker")
        figure, axes = axes_of(8, 0.34 * rows.height + 1)
        places = list(range(rows.height))
        _whiskers(axes, places, rows, [_colour(r) for r in rows["ranker"]])
        axes.axvline(0, color="#14202b", linewidth=1)
        axes.set_yticks(places, [in_words(r) for r in rows["ranker"]])
        axes.grid(axis="y", visible=False)
        axes.set_xlabel("Formula less this ranker, later harm at 5%; right of nought it holds more")
        return svg("differences", figure)


def _by_cutoff(result: Backtest, window: int) -> str:
    with mpl.rc_context(STYLE):
        rows = result.table.filter(
            pl.col("cutoff_on").is_not_null(), window_months=window, top="5%", measure="harm_share"
        )
        figure, axes = axes_of(8, 3.4)
        shown = (
            "formula",
            "formula_refitted",
            "challenger",
            "count_offences",
            "count_offences_12m",
            "v100_like",
            "random",
        )
        styles = ("-", "-.", "--", "-", ":", "--", ":")
        for ranker, style in zip(shown, styles, strict=True):
            part = rows.filter(ranker=ranker).sort("cutoff_on")
            if not part.height:
                continue
            wide = 2.4 if ranker == "formula" else 1.4
            axes.plot(
                part["cutoff_on"].to_list(), part["value"].to_list(), style, color=_colour(ranker), linewidth=wide,
                marker="o", markersize=3, label=in_words(ranker),
            )  # fmt: skip
            if ranker == "formula" and part["lower"].null_count() == 0:
                axes.fill_between(
                    part["cutoff_on"].to_list(), part["lower"].to_list(), part["upper"].to_list(), color=FORMULA, alpha=0.12
                )  # fmt: skip
        axes.set_ylim(bottom=0)
        axes.set_ylabel("Share of later harm, top 5%")
        axes.tick_params(axis="x", rotation=30)
        axes.legend(frameon=False, fontsize=8, ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.22))
        return svg("by_cutoff", figure)


def _calibration(found: Calibration) -> str:
    with mpl.rc_context(STYLE):
        rows = found.bands.sort("rank_from", descending=True)
        figure, axes = axes_of(8, 0.4 * rows.height + 1)
        places = list(range(rows.height))
        for y, row in zip(places, rows.iter_rows(named=True), strict=True):
            colour = LEARNT if row["is_outside"] else PEER
            axes.plot([row["lower"], row["upper"]], [y, y], color=colour, linewidth=2, solid_capstyle="butt")
            axes.plot([row["observed"]], [y], "o", color=colour, markersize=6)
            axes.plot([row["predicted"]], [y], "|", color="#14202b", markersize=14, markeredgewidth=2)
        axes.set_yticks(places, rows["band"].to_list())
        axes.set_xlim(0, 1)
        axes.grid(axis="y", visible=False)
        axes.set_xlabel("Share with a new allegation. Stroke: predicted; point and line: observed, 95%")
        return svg("calibration", figure)


def _lorenz(curve: pl.DataFrame) -> str:
    if not curve.height:
        return ""
    with mpl.rc_context(STYLE):
        figure, axes = axes_of(5, 4)
        step = max(1, curve.height // 400)
        thin = curve.gather_every(step).vstack(curve.tail(1))
        axes.plot([0, 1], [0, 1], color=END, linewidth=1, linestyle="--")
        axes.plot(thin["persons_share"].to_list(), thin["harm_share"].to_list(), color=FORMULA, linewidth=2)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        axes.set_xlabel("Share of ranked persons, least harm first")
        axes.set_ylabel("Share of harm recorded in a year")
        return svg("lorenz", figure)


def _disparity(ratios: pl.DataFrame, ratio_band: tuple[float, float]) -> str:
    rows = ratios.filter(pl.col("ratio").is_not_null()).reverse()
    if not rows.height:
        return ""
    with mpl.rc_context(STYLE):
        figure, axes = axes_of(8, 0.3 * rows.height + 1)
        axes.axvspan(*ratio_band, color=QUIET, alpha=0.6)
        for y, row in enumerate(rows.iter_rows(named=True)):
            colour = LEARNT if row["is_alert"] else PEER
            lower, upper = (
                min(max(row[c], 0.1), 10) if row[c] is not None else None for c in ("lower", "upper")
            )
            if lower is not None and upper is not None:
                axes.plot([lower, upper], [y, y], color=colour, linewidth=2, solid_capstyle="butt")
            axes.plot([min(max(row["ratio"], 0.1), 10)], [y], "o", color=colour, markersize=5)
        axes.set_yticks(
            list(range(rows.height)),
            [f"{r['group']}, {r['basis']}, {top_in_words(r['top'])}" for r in rows.iter_rows(named=True)],
        )
        axes.set_xscale("log")
        axes.set_xlim(0.1, 10)
        axes.set_xticks(
            [0.1, 0.25, 0.5, 0.8, 1.25, 2, 4, 10], ["0.1", "0.25", "0.5", "0.8", "1.25", "2", "4", "10"]
        )
        axes.minorticks_off()
        axes.grid(axis="y", visible=False)
        axes.set_xlabel("Ratio to everyone else, 95% interval; shaded: no alert")
        return svg("disparity", figure)


def _null_programme(found: NullProgramme) -> str:
    with mpl.rc_context(STYLE):
        figure, axes = axes_of(8, 1.6)
        axes.barh([1, 0], [found.fall_selected, found.fall_next], color=[FORMULA, PEER], height=0.5)
        axes.set_yticks([1, 0], ["on the list", "next hundred"])
        axes.set_xlim(min(0, found.fall_selected, found.fall_next), 1)
        axes.grid(axis="y", visible=False)
        axes.set_xlabel("Share by which recorded harm fell in the year after, with no programme at all")
        return svg("null_programme", figure)


def _certainty(certainty: pl.DataFrame) -> str:
    if not certainty["n_persons"].sum():
        return ""
    with mpl.rc_context(STYLE):
        figure, axes = axes_of(8, 3)
        lists = certainty["list"].unique(maintain_order=True).to_list()
        for n, (name, colour) in enumerate(zip(lists, (FORMULA, PEER), strict=True)):
            rows = certainty.filter(list=name)
            places = [10 * p + 0.4 * (n - 0.5) for p in rows["p_from"]]
            axes.bar(
                places,
                rows["n_persons"].fill_null(0).to_list(),
                width=0.4,
                color=colour,
                label=f"list of the {name}",
            )
        axes.set_xticks(range(11), [*(f"{t * 10}–{t * 10 + 9}%" for t in range(10)), "100%"], fontsize=8)
        axes.grid(axis="x", visible=False)
        axes.set_xlabel("Share of the draws in which somebody is on the list")
        axes.set_ylabel("Persons drawn")
        axes.legend(frameon=False, fontsize=8)
        return svg("certainty", figure)


def _gates(gates: pl.DataFrame, names: Mapping[str, str]) -> str:
    rows = gates.filter(pl.col("named_suspect_share").is_not_null()).sort("named_suspect_share", "force_code")
    if not rows.height:
        return ""
    with mpl.rc_context(STYLE):
        figure, axes = axes_of(8, 0.2 * rows.height + 1)
        places = list(range(rows.height))
        colours = [LEARNT if caveat else PEER for caveat in rows["has_caveat"]]
        axes.scatter(rows["named_suspect_share"].to_list(), places, c=colours, s=22, zorder=3)
        middle = float(rows["named_suspect_share"].median())  # type: ignore[arg-type]
        axes.axvline(middle, color="#14202b", linewidth=1)
        axes.axvline(middle / 2, color="#14202b", linewidth=1, linestyle="--")
        axes.set_yticks(places, [names.get(force, force) for force in rows["force_code"]], fontsize=7)
        axes.set_xlim(0, 1)
        axes.set_xlabel("Share of crimes in scope with a named suspect")
        return svg("gates", figure)
