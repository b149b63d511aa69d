"""The bulletin of a release: pages to read and print, and the same tables as CSV, from figures that are safe to publish."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
from markupsafe import Markup

from assets.bulletin import charts
from assets.bulletin.tables import NATIONAL, Table, Words, latest_year, tables
from assets.bulletin.words import words
from assets.pages import templates
from assets.seeds import SEEDS

LICENCE = "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/"
_SCOPE, _RATE = "npcc_policing_scope", "offences_per_1000_women"
# Forecasts are no counts: rounded so that nobody takes them for one.
_FORECAST_TO = 100
# A rate below it would be read as nought if it were said to a tenth.
_SMALL_RATE = 0.1
_TEMPLATES = templates(Path(__file__).parent / "templates")


@dataclass(frozen=True)
class Edition:
    """What a bulletin is of: the release it belongs to, and the notes that go with its figures.

    `sentences`: how the figures were made safe, in words.
    """

    release_id: str
    programme: str
    period: date
    as_of: str
    sentences: tuple[str, ...]


def write_bulletin(
    pages: Path, publication: Path, figures: pl.DataFrame, outlook: pl.DataFrame, edition: Edition
) -> int:
    """Write `bulletin.html` and `forces/<code>.html` into `pages`, and every table as CSV with its metadata into
    `publication`. Returns how many pages. `figures`: a publication; `outlook`: `threat_outlook`, may be empty.
    """
    said = words()
    places = [NATIONAL, *_forces(figures, said)]
    of_place = {place: tables(figures, said, place) for place in places}
    nation = {table.table_id: table for table in of_place[NATIONAL]}
    (pages / "forces").mkdir(parents=True, exist_ok=True)
    facts = {
        "edition": edition,
        "words": said,
        "definitions": _definitions(),
        "breaks": _breaks(figures),
        "coverage": _coverage(figures),
        "forces": {code: said.row("force", code) for code in places[1:]},
    }
    _render(pages / "bulletin.html", "bulletin.html", tables=of_place[NATIONAL], plots=_plots(figures, nation),
            has_bounds=_has_bounds(nation), outlook=_outlook(outlook, figures, said), headline=_headline(figures, NATIONAL), **facts)  # fmt: skip
    for place in places[1:]:
        _render(pages / "forces" / f"{place}.html", "force.html", tables=of_place[place], place=place,
                plots=_plots(figures, nation, place), has_bounds=_has_bounds(nation), headline=_headline(figures, place), **facts)  # fmt: skip
    _write_tables(publication, of_place, said, edition)
    return len(places)


def _forces(figures: pl.DataFrame, said: Words) -> list[str]:
    """Forces of the latest year, by name."""
    codes = latest_year(figures)["force_code"].unique().to_list()
    return sorted((c for c in codes if c != NATIONAL), key=lambda code: said.row("force", code))


def _of(figures: pl.DataFrame, place: str, measure: str) -> pl.DataFrame:
    return figures.filter(
        force_code=place, measure=measure, definition_id=_SCOPE, threat="all", breakdown="none"
    )


def _headline(figures: pl.DataFrame, place: str) -> dict[str, Any] | None:
    """Crimes of the year, beside the year before where both are whole and of the same forces; None where withheld."""
    years = _of(figures, place, "offences").filter(period_kind="rolling_year").sort("period", descending=True)
    if years.is_empty() or years["value"][0] is None:
        return None
    now = years.row(0, named=True)
    rate = _of(latest_year(figures), place, _RATE)["value"]
    before = years.row(1, named=True) if years.height > 1 else None
    alike = (
        before
        and before["value"]
        and (before["n_forces"], before["n_months"]) == (now["n_forces"], now["n_months"])
    )
    return {
        "value": now["value"],
        "n_months": now["n_months"],
        "rate": rate[0] if len(rate) else None,
        "change_share": now["value"] / before["value"] - 1 if before and alike else None,
    }


def _plots(figures: pl.DataFrame, nation: dict[str, Table], place: str | None = None) -> dict[str, Markup]:
    """name -> SVG; those without figures are not there."""
    found = {}
    if place is None:
        found["months"] = charts.months(
            "months", _of(figures, NATIONAL, "offences").filter(period_kind="month")
        )
        threats = nation["threats"]
        if "offences" in threats.measures:
            rows = threats.rows.filter(pl.col("value_id") != "all").rename({"offences": "value"})
            found["threats"] = charts.bars("threats", rows)
    forces, name = nation["forces"], _RATE
    if name in forces.measures:
        rows = forces.rows.rename({name: "value", f"{name}_lower": "lower", f"{name}_upper": "upper"})
        average = _of(latest_year(figures), NATIONAL, name)["value"]
        found["forces"] = charts.dots("forces", rows, average[0] if len(average) else None, place)
    return {name: Markup(drawn) for name, drawn in found.items() if drawn}  # noqa: S704 - our own drawing


def _has_bounds(nation: dict[str, Table]) -> bool:
    """Whether the plot of the forces has an interval to draw."""
    forces = nation["forces"]
    return _RATE in forces.measures and bool(forces.rows[f"{_RATE}_lower"].count())


def _outlook(outlook: pl.DataFrame, figures: pl.DataFrame, said: Words) -> dict[str, Any]:
    """The nation's forecasts (`rows`: the whole first, then by size), and of how many threats none is shown (`n_withheld`).

    A forecast is a change, and the published figure of the year is what it is applied to: no number of the year but the
    published one stands behind what is shown, and where that is withheld nothing is shown.
    """
    nation = outlook.filter(pl.col("force_code") == NATIONAL, pl.col("n_offences_last_year") > 0)
    of_year = latest_year(figures).filter(
        force_code=NATIONAL, measure="offences", definition_id=_SCOPE, breakdown="none"
    )
    shown = nation.join(
        of_year.select("threat", pl.col("value").alias("published")).drop_nulls(), on="threat"
    )
    ahead = pl.col("n_offences_next_year", "lower", "upper")
    scaled = shown.with_columns(ahead * pl.col("published") / pl.col("n_offences_last_year")).with_columns(
        ((ahead / _FORECAST_TO).round() * _FORECAST_TO).cast(pl.Int64)
    )
    ordered = scaled.sort(
        pl.col("threat") != "all", "n_offences_next_year", "threat", descending=[False, True, False]
    )
    return {
        "rows": [row | {"label": said.row("threat", row["threat"])} for row in ordered.iter_rows(named=True)],
        "n_withheld": nation.height - shown.height,
    }


def _definitions() -> list[dict[str, Any]]:
    return pl.read_csv(SEEDS / "vawg_definitions.csv", infer_schema=False).to_dicts()


def _breaks(figures: pl.DataFrame) -> list[dict[str, Any]]:
    """Dated breaks within the time that the figures span, once each."""
    rows = pl.read_csv(SEEDS / "statistics_breaks.csv", infer_schema=False)
    first = figures["period"].min()
    return (
        rows.filter(pl.col("breaks_on").str.to_date() >= pl.lit(first))
        .unique("break_id", keep="first", maintain_order=True)
        .sort("breaks_on")
        .to_dicts()
    )


def _coverage(figures: pl.DataFrame) -> dict[str, Any]:
    year = _of(latest_year(figures), NATIONAL, "offences")
    if year.is_empty():
        return {"n_forces": 0, "n_months": 0, "period": None}
    return year.select("n_forces", "n_months", "period").row(0, named=True)


def _render(path: Path, template: str, **facts: Any) -> None:
    path.write_text(_TEMPLATES.get_template(template).render(**facts), encoding="utf-8")


def _write_tables(folder: Path, of_place: dict[str, list[Table]], said: Words, edition: Edition) -> None:
    """One CSV a table with the rows of every place, and beside it what its columns mean (CSV on the Web, W3C 2015)."""
    folder.mkdir(parents=True, exist_ok=True)
    together: dict[str, dict[str, Table]] = {}
    for place, made in of_place.items():
        for table in (table for table in made if table.measures):
            together.setdefault(table.table_id, {})[place] = table
    for table_id, by_place in together.items():
        measures = list(dict.fromkeys(m for table in by_place.values() for m in table.measures))
        columns = [("place_code", "Reporting body, or national"), ("place", "Its name"), ("row_id", "Code of the row"), ("row", "What the row is")]  # fmt: skip
        for measure in measures:
            columns.append((measure, said.measures[measure]))
            columns += [
                (f"{measure}_{end}", f"{end} bound of the 95% interval") for end in ("lower", "upper")
            ]
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([name for name, _ in columns])
        for place, table in by_place.items():
            name = "England and Wales" if place == NATIONAL else said.row("force", place)
            for row in table.rows.iter_rows(named=True):
                values = (row.get(column) for column, _ in columns[4:])
                writer.writerow([place, name, row["value_id"], row["label"], *values])
        (folder / f"{table_id}.csv").write_text(text.getvalue(), encoding="utf-8")
        described = _described(next(iter(by_place.values())), columns, edition)
        text_of = json.dumps(described, indent=2, ensure_ascii=False) + "\n"
        (folder / f"{table_id}.csv-metadata.json").write_text(text_of, encoding="utf-8")


def _described(table: Table, columns: Iterable[tuple[str, str]], edition: Edition) -> dict[str, Any]:
    return {
        "@context": "http://www.w3.org/ns/csvw",
        "url": f"{table.table_id}.csv",
        "dc:title": table.title,
        "dc:description": " ".join([table.note, *edition.sentences]).strip(),
        "dc:source": f"release {edition.release_id}, as known at {edition.as_of}",
        "dc:license": LICENCE,
        "tableSchema": {
            "columns": [{"name": name, "titles": name, "dc:description": words} for name, words in columns],
            "primaryKey": ["place_code", "row_id"],
        },
    }


def number(value: float | None, kind: str) -> str:
    """A figure as a reader sees it: shares in percent, counts whole, rates to a tenth; what is less, to its first digits."""
    if value is None:
        return "withheld"
    if kind == "share":
        return f"{value:.0%}"
    if kind == "count":
        return f"{value:,.0f}"
    if 0 < value < _SMALL_RATE:
        return f"{value:.2f}" if value >= _SMALL_RATE / 10 else f"{value:.5f}".rstrip("0")
    return f"{value:,.1f}"


_TEMPLATES.filters["figure"] = number
