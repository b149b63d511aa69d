"""The threat assessment of a release: one page, from the marts of a release, for readers inside the service.

Belongs here: what stands on the page and in what order, and what of a single force is withheld. Not here: what is counted and
graded (dbt, `threat_assessment`) and what is forecast (`assets.forecasts`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
from markupsafe import Markup

from assets.bulletin.words import words
from assets.forecasts.forecast import NO_FORECASTS, Forecasts
from assets.forecasts.parameters import forecasting, yardstick
from assets.pages import Edition, templates
from assets.seeds import SEEDS
from assets.threat_assessment import charts

_TEMPLATES = templates(Path(__file__).parent / "templates")
_NATIONAL, _ALL = "national", "all"
_KEY = ["force_code", "threat"]
# What a number of crimes can be told from, and what the number of the year before.
_TELLING = ("n_offences", "harm_days", "harm_share")
_TELLING_OF_CHANGE = ("trend", "change_share", "change_share_lower", "change_share_upper")
Row = dict[str, Any]


def write_threat_assessment(
    pages: Path, assessment: pl.DataFrame, found: Forecasts, recorded: pl.DataFrame, edition: Edition
) -> None:
    """Write `threat_assessment.html` into `pages`.

    `assessment`: the mart of that name, a row a place and threat; `found`: the forecasts of the run; `recorded`: period, value:
    the crimes of the nation by month. Of a single force a number under `suppress_below` of the statistics is withheld, with
    whatever tells it.
    """
    threats, said, floor = _threats(), words(), _suppress_below(edition.period)
    rows = (
        _withheld(assessment.join(_of_series(found), on=_KEY, how="left"), floor)
        .join(threats, on="threat", how="left")
        .sort("order_no", "threat", nulls_last=True)
    )
    places = {code: of_place.to_dicts() for (code,), of_place in rows.group_by("force_code")}
    nation = places.pop(_NATIONAL, [])
    outlook = found.outlook.filter(force_code=_NATIONAL).join(threats, on="threat").sort("order_no")
    ahead = found.months.filter(force_code=_NATIONAL, threat=_ALL)
    page = _TEMPLATES.get_template("threat_assessment.html").render(
        edition=edition,
        using=forecasting(),
        suppress_below=floor,
        nation=nation,
        forces=sorted((said.row("force", code), code, of_force) for code, of_force in places.items()),
        plots={
            "months": Markup(charts.months("months", recorded, ahead)),  # noqa: S704 - our own drawing
            "changes": Markup(charts.changes("changes", outlook)),  # noqa: S704 - our own drawing
        },
        backtest=found.backtest.join(threats, on="threat")
        .sort(pl.col("scope") != "nation", "order_no")
        .to_dicts(),
        left_out=_left_out(row for of_place in (nation, *places.values()) for row in of_place),
        n_forecast=found.outlook.height,
        n_series=found.outlook.height + found.left_out.height,
        yardstick=yardstick().to_dicts(),
        breaks=_breaks(nation),
    )
    (pages / "threat_assessment.html").write_text(page, encoding="utf-8")


def _threats() -> pl.DataFrame:
    """threat, label, is_high_harm, order_no: the whole first, then as in the seed, which begins with the high-harm ones."""
    rows = pl.read_csv(SEEDS / "threats.csv", infer_schema=False).select(
        "threat", "label", is_high_harm=pl.col("is_high_harm") == "true"
    )
    whole = pl.DataFrame({"threat": [_ALL], "label": [words().row("threat", _ALL)], "is_high_harm": [False]})
    return pl.concat([whole, rows]).with_row_index("order_no")


def _suppress_below(on: date) -> int:
    """The floor of the statistics on a day, of single forces."""
    rows = pl.read_csv(SEEDS / "statistics_parameters.csv", infer_schema=False).filter(
        pl.col("parameter") == "suppress_below",
        pl.col("valid_from").str.to_date() <= on,
        pl.col("valid_to").is_null() | (pl.col("valid_to").str.to_date() >= on),
    )
    return int(rows["number"].item())


def _of_series(found: Forecasts) -> pl.DataFrame:
    """force_code, threat and either the outlook of the series or `why` there is none."""
    return pl.concat([found.outlook, found.left_out], how="diagonal")


def _withheld(rows: pl.DataFrame, floor: int) -> pl.DataFrame:
    """With `is_small` and `is_small_before`, and without what these would tell."""
    of_force = pl.col("force_code") != _NATIONAL
    # Nobody is behind a nought, so it is shown, as in the statistics.
    small, before = (
        of_force & pl.col(c).is_between(1, floor - 1) for c in ("n_offences", "n_offences_year_before")
    )
    flagged = rows.with_columns(
        is_small=small.fill_null(value=False), is_small_before=(small | before).fill_null(value=False)
    )
    ahead = [c for c in NO_FORECASTS.outlook.columns if c not in _KEY]
    return flagged.with_columns(
        pl.when(~pl.col("is_small")).then(pl.col(*_TELLING, *ahead, "why")),
        pl.when(~pl.col("is_small_before")).then(pl.col(*_TELLING_OF_CHANGE)),
    )


def _left_out(rows: Iterable[Row]) -> list[tuple[str, int]]:
    """Why series are not forecast, without the number of each, and how many for that reason; the most frequent first."""
    missing = (row for row in rows if row["method"] is None)
    counts = Counter(
        "too few crimes to be shown" if row["is_small"] else (row["why"] or "no series").partition(";")[0]
        for row in missing
    )
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def _breaks(nation: Sequence[Row]) -> list[Row]:
    """The dated breaks that any change of the nation spans, once each."""
    spanned = {name.strip() for row in nation for name in (row["break_ids"] or "").split(",")}
    rows = pl.read_csv(SEEDS / "statistics_breaks.csv", infer_schema=False).filter(
        pl.col("break_id").is_in(sorted(spanned))
    )
    return rows.unique("break_id", keep="first", maintain_order=True).sort("breaks_on", "break_id").to_dicts()


_TEMPLATES.filters["whole"] = lambda value: f"{value:,.0f}"
_TEMPLATES.filters["share"] = lambda value: f"{value:.1%}"
_TEMPLATES.filters["change"] = lambda value: f"{value:+.0%}"
