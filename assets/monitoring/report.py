"""What a back-test leaves behind: tables, plots, what it was run on, and one page that can be read without anything else."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jinja2
import polars as pl
from markupsafe import Markup

from assets.monitoring.backtest import MEASURES, Backtest, top_name
from assets.monitoring.disparity import CAVEAT
from assets.monitoring.events import Events
from assets.monitoring.harness import Harness
from assets.monitoring.names import day_in_words, in_words, top_in_words
from assets.monitoring.parameters import Monitoring, ScoreParameters, statements
from assets.monitoring.plots import draw

_LIBRARIES = (
    "numpy",
    "polars",
    "scipy",
    "scikit-learn",
    "statsmodels",
    "fairlearn",
    "lightgbm",
    "matplotlib",
)


def write_report(
    folder: Path,
    harness: Harness,
    events: Events,
    parameters: ScoreParameters,
    monitored: Monitoring,
    settings: dict[str, Any],
    inputs: dict[str, Path],
) -> list[Path]:
    """Write backtest.parquet and .csv, tables/, plots/, run.json and report.html into `folder`; give their paths.

    `settings`: what the run was asked for; `inputs`: name -> file read, kept by content hash. The same inputs and settings
    give the same bytes.
    """
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    (folder / "plots").mkdir(exist_ok=True)
    written = []
    harness.backtest.table.write_parquet(folder / "backtest.parquet")
    harness.backtest.table.write_csv(folder / "backtest.csv")
    written += [folder / "backtest.parquet", folder / "backtest.csv"]
    for name, table in tables_of(harness).items():
        path = folder / "tables" / f"{name}.csv"
        table.write_csv(path)
        written.append(path)
    window = int(monitored.all("window_months")[0])
    band = (monitored.one("ratio_band_from"), monitored.one("ratio_band_to"))
    plots = draw(harness, window, band)
    for name, svg in plots.items():
        path = folder / "plots" / f"{name}.svg"
        # On its own an SVG needs its declaration.
        path.write_text('<?xml version="1.0" encoding="utf-8"?>\n' + svg, encoding="utf-8")
        written.append(path)
    run = _run(events, parameters, monitored, settings, inputs)
    (folder / "run.json").write_text(json.dumps(run, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    page = render(harness, events, monitored, run, plots)
    (folder / "report.html").write_text(page, encoding="utf-8")
    return [*written, folder / "run.json", folder / "report.html"]


def tables_of(harness: Harness) -> dict[str, pl.DataFrame]:
    """name -> table of everything but the back-test itself."""
    found: dict[str, pl.DataFrame | None] = {
        "differences": harness.backtest.differences,
        "refits": harness.backtest.refits if harness.backtest.refits.height else None,
        "calibration": harness.calibration.bands if harness.calibration else None,
        "reliability": harness.calibration.reliability if harness.calibration else None,
        "concentration": harness.concentration,
        "ratios": harness.ratios,
        "recording": harness.recording.summary if harness.recording else None,
        "recording_by_force": harness.recording.forces if harness.recording else None,
        "sensitivity": harness.sensitivity,
        "drift": harness.drift,
        "stability": harness.stability,
        "alerts": pl.DataFrame([v.__dict__ for v in harness.verdicts], infer_schema_length=None),
        **{f"missing_{column}_by_force": table for column, table in harness.missing_by_force.items()},
    }
    for top, disparity in harness.disparities:
        name = f"rates_{disparity.attribute}_top_{top.rstrip('%')}_per_cent"
        found[name] = disparity.rates
        found[f"{name}_by_band"] = disparity.by_band
    return {name: table for name, table in found.items() if table is not None}


def pooled_table(result: Backtest, window_months: int, measure: str) -> pl.DataFrame:
    """A row a ranker, best first at 5%: ranker, and of each top value, lower and upper, named `<top>`, `<top>_lower` ..."""
    rows = result.table.filter(pl.col("cutoff_on").is_null(), window_months=window_months, measure=measure)
    wide = rows.select("ranker").unique()
    for top in rows["top"].unique(maintain_order=True):
        part = rows.filter(top=top).select(
            "ranker", pl.col("value").alias(top), pl.col("lower").alias(f"{top}_lower"), pl.col("upper").alias(f"{top}_upper")
        )  # fmt: skip
        wide = wide.join(part, on="ranker", how="left")
    last = rows["top"].unique(maintain_order=True)[-1]
    return wide.sort(last, "ranker", descending=[True, False], nulls_last=True)


def render(
    harness: Harness, events: Events, monitored: Monitoring, run: dict[str, Any], plots: dict[str, str]
) -> str:
    """The page: one file, nothing fetched."""
    window = int(monitored.all("window_months")[0])
    tops = [top_name(t) for t in monitored.all("top_persons") + monitored.all("top_share")]
    cutoffs = harness.backtest.cutoffs
    return TEMPLATES.get_template("backtest.html").render(
        harness=harness,
        events=events,
        run=run,
        window=window,
        windows=[int(w) for w in monitored.all("window_months")],
        tops=tops,
        measures=MEASURES,
        pooled={
            (w, m): pooled_table(harness.backtest, w, m).to_dicts()
            for w in (int(w) for w in monitored.all("window_months"))
            for m in MEASURES
        },
        differences=harness.backtest.differences.filter(
            window_months=window, top=tops[-1], measure="harm_share"
        )
        .sort("value", "ranker", descending=[True, False], nulls_last=True)
        .to_dicts(),
        first_cutoff=cutoffs[0].on,
        last_cutoff=cutoffs[-1].on,
        n_cutoffs=len(cutoffs),
        n_pooled=min(len(cutoffs), int(monitored.one("pooled_cutoffs"))),
        n_pool=len(cutoffs[-1].pool),
        plots={name: Markup(svg) for name, svg in plots.items()},  # noqa: S704 - our own drawing
        statements=statements(),
        caveat=CAVEAT,
        came_again={},
    )


def _run(
    events: Events,
    parameters: ScoreParameters,
    monitored: Monitoring,
    settings: dict[str, Any],
    inputs: dict[str, Path],
) -> dict[str, Any]:
    return {
        "inputs": {name: _sha256(path) for name, path in inputs.items()},
        "settings": settings,
        "parameters": parameters.__dict__,
        "monitoring": {"version": monitored.version, **monitored.numbers},
        "rows": {
            "read": events.n_rows,
            "left_out": events.left_out,
            "allegations": len(events.allegations.person),
            "persons": events.allegations.n_persons,
        },
        "libraries": {name: version(name) for name in _LIBRARIES},
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _share(value: float | None) -> str:
    return "–" if value is None or value != value else f"{value * 100:.1f}%"


def _number(value: float | None, places: int = 2) -> str:
    return "–" if value is None or value != value else f"{value:,.{places}f}"


TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.tests["contains"] = lambda text, part: part in text
TEMPLATES.filters.update(
    share=_share, number=_number, day=day_in_words, in_words=in_words, top_in_words=top_in_words
)
