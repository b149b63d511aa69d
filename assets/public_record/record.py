"""The public record of the list: an Algorithmic Transparency Recording Standard record and the extract of the decision log.

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

from decisions.audit import Logged

LOG_COLUMNS = ("no", "at", "action", "actor_no", "subject_no", "previous_hash", "entry_hash")

ANSWERS = Path(__file__).with_name("atrs_record.yaml")

_WORDS = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)  # noqa: S701 - escaped where it is shown


@dataclass(frozen=True)
class Facts:
    """What the record speaks of. `parameters`: name -> number, with `parameters_version`; `log`: acts known to the run."""

    manifest: Mapping[str, Any]
    parameters: Mapping[str, Any]
    statements: Sequence[str]
    owners: Sequence[str]
    model: Mapping[str, Any]
    log: Sequence[Logged]


def transparency_record(facts: Facts) -> dict[str, Any]:
    """The record as nested fields (number, name, answer), in the standard's order. Raises jinja2.UndefinedError where an
    answer asks for a figure that the release does not hold.
    """
    written = yaml.safe_load(ANSWERS.read_text(encoding="utf-8"))
    context = {
        "manifest": facts.manifest,
        "p": {name: _plain(number) for name, number in facts.parameters.items()},
        "statements": facts.statements,
        "owners": facts.owners,
        "model": _model(facts.model),
        "acts": sorted(Counter(logged.entry.action for logged in facts.log).items()),
    }
    sections = [
        {
            "title": section["title"],
            "fields": [
                {**field, "answer": _WORDS.from_string(field["answer"]).render(context).strip()}
                for field in section["fields"]
            ],
        }
        for section in written["sections"]
    ]
    about = {name: written[name] for name in ("standard", "standard_version", "source")}
    return {**about, "release_id": facts.manifest["release_id"], "sections": sections}


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
        "source": model["training"]["source"],
        "reliability": model["training"]["reliability"],
    }


def _plain(number: Any) -> Any:
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _numbers(names: Iterable[str]) -> dict[str, int]:
    return {name: no for no, name in enumerate(dict.fromkeys(names), start=1)}
