"""What a month's monitoring leaves behind: aggregated tables and one page. No person is in any of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import polars as pl
from markupsafe import Markup

from assets.monitoring.backtest import MEASURES, top_name
from assets.monitoring.disparity import CAVEAT
from assets.monitoring.month import Month
from assets.monitoring.parameters import Monitoring, ScoreParameters, statements
from assets.monitoring.plots import draw_month
from assets.monitoring.report import TEMPLATES, pooled_table
from assets.monitoring.thresholds import Verdict

CHECKS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "period": pl.Date,
    "as_of": pl.Datetime("us"),
    "check_id": pl.String,
    "section": pl.String,
    "statistic": pl.String,
    "value": pl.Float64,
    "threshold": pl.String,
    "owner": pl.String,
    "is_alert": pl.Boolean,
    "sentence": pl.String,
}


def checks_table(verdicts: Sequence[Verdict], period: date, as_of: datetime) -> pl.DataFrame:
    """A row a threshold: check_id, section, value (null: not computed), threshold in words, owner, is_alert, sentence."""
    rows = [
        (period, as_of, v.check_id, v.section, v.statistic, v.value, v.bounds, v.owner, v.is_alert, _sentence(v))
        for v in verdicts
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=dict(CHECKS), orient="row")


def notes_table(notes: Sequence[tuple[str, str]]) -> pl.DataFrame:
    """A row a thing that could not be said: section, note."""
    return pl.DataFrame(list(notes), schema={"section": pl.String, "note": pl.String}, orient="row")


def tables_of_month(month: Month) -> dict[str, pl.DataFrame]:
    """name -> table; those that the history does not allow are not there, and the notes say why."""
    found: dict[str, pl.DataFrame | None] = {
        "notes": notes_table(month.notes),
        "backtest": month.backtest.table if month.backtest else None,
        "differences": month.backtest.differences if month.backtest else None,
        "calibration": month.calibration.bands if month.calibration else None,
        "reliability": month.calibration.reliability if month.calibration else None,
        "band_probability": month.bands,
        "concentration": month.concentration,
        "ratios": month.ratios,
        "rates": _rates(month),
        "rates_by_band": _stacked(month, "by_band"),
        "missing_by_force": _missing(month),
        "recording": month.recording.summary if month.recording else None,
        "recording_by_force": month.recording.forces if month.recording else None,
        "sensitivity": month.sensitivity,
        "drift": month.drift,
        "new_offence_codes": month.new_codes,
        "volume": month.volume,
        "stability": month.stability,
        "certainty": month.certainty,
        "people": month.people.summary,
        "reviewers": month.people.reviewers,
        "review_acts": month.people.acts,
        "agreement_by_group": month.agreement,
        "null_programme": pl.DataFrame([month.null_programme.__dict__]) if month.null_programme else None,
        "negative_tests": month.negatives,
    }
    return {name: table for name, table in found.items() if table is not None}


def render_month(
    month: Month,
    checks: pl.DataFrame,
    names: Mapping[str, str],
    parameters: ScoreParameters,
    monitored: Monitoring,
) -> str:
    """The page: one file, nothing fetched. `names`: force_code -> what the force is called."""
    tops = [top_name(t) for t in monitored.all("top_persons") + monitored.all("top_share")]
    band = (monitored.one("ratio_band_from"), monitored.one("ratio_band_to"))
    return TEMPLATES.get_template("monthly.html").render(
        harness=month,
        checks=checks.to_dicts(),
        gates=month.gates.to_dicts(),
        names=names,
        missing=_missing_wide(month),
        month_name=f"{month.ranked_at:%B %Y}",
        parameters=parameters,
        monitored=monitored,
        tops=tops,
        measures=MEASURES,
        plots={n: Markup(svg) for n, svg in draw_month(month, band, names).items()},  # noqa: S704 - our own drawing
        statements=statements(),
        caveat=CAVEAT,
        came_again=came_again(month),
        **_backtest_parts(month, tops),
    )


def render_nothing(notes: Sequence[str], period: date) -> str:
    """The page of a month without anybody to rank."""
    return TEMPLATES.get_template("nothing_to_monitor.html").render(
        notes=notes, month_name=f"{period:%B %Y}", statements=statements()
    )


def _backtest_parts(month: Month, tops: list[str]) -> dict[str, Any]:
    found = month.backtest
    if found is None:
        return {}
    windows = found.table["window_months"].unique(maintain_order=True).to_list()
    return {
        "window": month.window,
        "windows": windows,
        "pooled": {(w, m): pooled_table(found, w, m).to_dicts() for w in windows for m in MEASURES},
        "differences": found.differences.filter(
            window_months=month.window, top=tops[-1], measure="harm_share"
        )
        .sort("value", "ranker", descending=[True, False], nulls_last=True)
        .to_dicts(),
    }


def _stacked(month: Month, part: str) -> pl.DataFrame | None:
    found = [
        getattr(compared, part).select(pl.lit(compared.attribute).alias("attribute"), pl.lit(top).alias("top"), pl.all())
        for top, compared in month.disparities
    ]  # fmt: skip
    return pl.concat(found) if found else None


def _rates(month: Month) -> pl.DataFrame | None:
    """How often groups are selected today, with who came again of the latest list whose window has closed, and which that was."""
    rates = _stacked(month, "rates")
    if rates is None or month.hits is None:
        return rates
    told = [c for c in month.hits.columns if c.startswith("hit_")]
    kept = [c for c in rates.columns if c not in told]
    found = rates.select(kept).join(
        month.hits.select("attribute", "top", "group", *told),
        on=["attribute", "top", "group"],
        how="left",
        maintain_order="left",
    )
    return found.select(*kept[:-1], *told, kept[-1])


def came_again(month: Month) -> dict[tuple[str, str], dict[str, dict[str, Any]]]:
    """(attribute, list) -> group -> who came again; nothing where no window has closed."""
    found: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}
    for row in month.hits.iter_rows(named=True) if month.hits is not None else ():
        found.setdefault((row["attribute"], row["top"]), {})[row["group"]] = row
    return found


def _missing(month: Month) -> pl.DataFrame:
    return pl.concat(
        table.select(pl.lit(attribute).alias("attribute"), pl.all())
        for attribute, table in month.missing_by_force.items()
    )


def _missing_wide(month: Month) -> dict[str, list[float | None]]:
    tables = [
        dict(t.select("force_code", "missing_share").iter_rows()) for t in month.missing_by_force.values()
    ]
    forces = sorted({force for table in tables for force in table if force})
    return {force: [table.get(force) for table in tables] for force in forces}


def _sentence(verdict: Verdict) -> str:
    if verdict.value is None:
        return f"Not computed: {verdict.statistic}."
    value = f"{verdict.value:.0f}" if float(verdict.value).is_integer() else f"{verdict.value:.3f}"
    said = f"{verdict.statistic}: {value}; alert {verdict.bounds}"
    if not verdict.is_alert:
        return f"{said[0].upper()}{said[1:]}."
    detail = f" ({verdict.detail})" if verdict.detail else ""
    return f"{verdict.description}. {said[0].upper()}{said[1:]}.{detail}"
