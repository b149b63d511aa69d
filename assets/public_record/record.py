"""The public record of the list: an Algorithmic Transparency Recording Standard record with the ALGO-CARE checklist, and the
extract of the decision log.

Both are generated from what the release was made from, so that they cannot drift from it. Field names are the
standard's (`atrs_record.yaml` names its version); the words are ours, the figures the release's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import polars as pl
import yaml

from assets.monitoring.names import day_in_words, in_words
from data_contracts.extracts.base import Sensitivity
from data_contracts.extracts.catalogue import EXTRACTS
from decisions.audit import Logged

LOG_COLUMNS = ("no", "at", "action", "actor_no", "subject_no", "previous_hash", "entry_hash")

ANSWERS = Path(__file__).with_name("atrs_record.yaml")
CHECKLIST = Path(__file__).with_name("algo_care.yaml")
BEST_AT = "5%"

_WORDS = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)  # noqa: S701 - escaped where it is shown
_WORDS.filters.update(share=lambda value: f"{value:.1%}", points=lambda value: f"{100 * value:+.1f} points")


@dataclass(frozen=True)
class Measured:
    """What the release's monitoring found. `checks`: check_id -> its row; `backtest`: the rankers at 5% with the pooled window, None
    without one, and then `why_no_backtest`; `bands`: what stands beside each band of ranks.
    """

    checks: Mapping[str, Mapping[str, Any]]
    backtest: Mapping[str, Any] | None
    why_no_backtest: Sequence[str]
    bands: Sequence[Mapping[str, Any]]

    def value(self, check_id: str) -> str:
        """A check's value in words."""
        row = self.checks.get(check_id)
        if row is None or (value := row["value"]) is None:
            return "not computed"
        return f"{value:.0f}" if float(value).is_integer() else f"{value:.3f}"

    @property
    def alerts(self) -> list[str]:
        return [f"{check_id} ({row['owner']})" for check_id, row in self.checks.items() if row["is_alert"]]


@dataclass(frozen=True)
class Facts:
    """What the record speaks of. `parameters`: name -> number, with `parameters_version`; `log`: acts known to the run;
    `measured`: what its monitoring found."""

    manifest: Mapping[str, Any]
    parameters: Mapping[str, Any]
    statements: Sequence[str]
    owners: Sequence[str]
    model: Mapping[str, Any]
    log: Sequence[Logged]
    measured: Measured = Measured({}, None, (), ())


def transparency_record(facts: Facts) -> dict[str, Any]:
    """The record as nested fields (number, name, answer), in the standard's order. Raises jinja2.UndefinedError where an
    answer asks for a figure that the release does not hold.
    """
    written = yaml.safe_load(ANSWERS.read_text(encoding="utf-8"))
    checklist = yaml.safe_load(CHECKLIST.read_text(encoding="utf-8"))
    acts = Counter(logged.entry.action for logged in facts.log)
    context = {
        "manifest": facts.manifest,
        "p": {name: _plain(number) for name, number in facts.parameters.items()},
        "statements": facts.statements,
        "owners": facts.owners,
        "model": _model(facts.model),
        "acts": sorted(acts.items()),
        "n_acts": len(facts.log),
        "n_of": lambda act: acts[f"review_{act}"],
        "contract": _contract(),
        "measured": facts.measured,
    }
    sections = [
        {
            "title": section["title"],
            "fields": [{**field, "answer": _answer(field, context)} for field in section["fields"]],
        }
        for section in written["sections"]
    ]
    about = {name: written[name] for name in ("standard", "standard_version", "source")}
    principles = [{**each, "answer": _answer(each, context)} for each in checklist["principles"]]
    return {
        **about,
        "release_id": facts.manifest["release_id"],
        "sections": sections,
        "checklist": {"name": checklist["name"], "source": checklist["source"], "principles": principles},
    }


def measured(tables: Mapping[str, pl.DataFrame]) -> Measured:
    """What the monitoring of a release found. `tables`: those of the monitoring, by name, as far as there are any."""
    if "checks" not in tables:
        return Measured({}, None, (), ())
    notes = (
        tables["notes"]
        if "notes" in tables
        else pl.DataFrame(schema={"section": pl.String, "note": pl.String})
    )
    return Measured(
        checks={row["check_id"]: row for row in tables["checks"].iter_rows(named=True)},
        backtest=_backtest(tables["backtest"], tables["differences"]) if "backtest" in tables else None,
        why_no_backtest=notes.filter(section="4.1")["note"].to_list(),
        bands=tables["band_probability"].to_dicts() if "band_probability" in tables else (),
    )


def _backtest(table: pl.DataFrame, differences: pl.DataFrame) -> dict[str, Any]:
    """Share of later harm at 5% over the longest window, of each ranker pooled; and the score less the best of the counts."""
    window = table["window_months"].max()
    asked = {"window_months": window, "top": BEST_AT, "measure": "harm_share"}
    pooled = table.filter(pl.col("cutoff_on").is_null(), **asked).sort(
        pl.col("ranker") != "formula", "value", "ranker", descending=[False, True, False]
    )
    best = (
        differences.filter(pl.col("ranker").str.starts_with("count_"), **asked)
        .sort("value", "ranker")
        .row(0, named=True)
    )
    return {
        "window_months": window,
        "top": BEST_AT,
        "last_cutoff_on": day_in_words(table.filter(window_months=window)["cutoff_on"].max()),  # type: ignore[arg-type]
        "rows": [
            {"name": in_words(row["ranker"]), **{name: row[name] for name in ("value", "lower", "upper")}}
            for row in pooled.iter_rows(named=True)
        ],
        "best_count": {
            "name": in_words(best["ranker"]),
            "difference": best["value"],
            "lower": best["lower"],
            "upper": best["upper"],
        },
    }


def _answer(asked: Mapping[str, str], context: Mapping[str, Any]) -> str:
    return " ".join(_WORDS.from_string(asked["answer"]).render(context).split())


def _contract() -> dict[str, Any]:
    """What forces send, as the contract has it."""
    fields = [(spec.name, field) for spec in EXTRACTS.values() for field in spec.fields]
    return {
        "extracts": [
            {"name": spec.name, "grain": spec.grain, "n_fields": len(spec.fields)}
            for spec in EXTRACTS.values()
        ],
        "free_text": [
            f"{name}.{field.name}" for name, field in fields if field.description.startswith("Free text")
        ],
        "special": [
            f"{name}.{field.name}" for name, field in fields if field.sensitivity is Sensitivity.SPECIAL
        ],
        "n_personal": sum(field.sensitivity is Sensitivity.PERSONAL for _, field in fields),
    }


def decision_log_extract(log: Sequence[Logged]) -> pl.DataFrame:
    """Grain: one act known to the run. People and persons have numbers, in the order in which the log first names them.

    `entry_hash` and `previous_hash` are the log's own: whoever holds the log can show that no act was left out.
    """
    actors = _numbers(logged.entry.who for logged in log)
    subjects = _numbers(logged.entry.subject for logged in log)
    rows = [
        {
            "no": logged.entry.no,
            "at": logged.entry.at,
            "action": logged.entry.action,
            "actor_no": actors[logged.entry.who],
            "subject_no": subjects[logged.entry.subject],
            "previous_hash": logged.previous_hash,
            "entry_hash": logged.hash,
        }
        for logged in log
    ]
    numbers = dict.fromkeys(("no", "actor_no", "subject_no"), pl.Int64)
    texts = dict.fromkeys(("action", "previous_hash", "entry_hash"), pl.String)
    schema = numbers | texts | {"at": pl.Datetime("us")}
    return pl.DataFrame(rows, schema={name: schema[name] for name in LOG_COLUMNS}, orient="row")


def _model(model: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "version": model["version"],
        "thresholds": model["thresholds"],
        "n_comparisons": len(model["settings"]["comparisons"]),
        "comparisons": [compared["output_column_name"] for compared in model["settings"]["comparisons"]],
        "n_records": model["training"]["n_records"],
        "n_sampled_pairs": model["training"]["n_sampled_pairs"],
        "source": model["training"]["source"],
        "reliability": model["training"]["reliability"],
    }


def _plain(number: Any) -> Any:
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _numbers(names: Iterable[str]) -> dict[str, int]:
    return {name: no for no, name in enumerate(dict.fromkeys(names), start=1)}
