"""The states of the national identity: one a run, each made from the one before, none ever changed.

A run for a month, as known at a moment, goes on from the latest state that knew no more and no later month. So a month
that is run again finds the state it made, and an old month that is run again with what is known now does not disturb
the months after it.

    states/<programme>/<period>_<as_of>/   index.duckdb, person_*.parquet, state.json (what it was made from)
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from assets.linkage.decided import Decided
from assets.linkage.linker import link
from assets.linkage.model import MODEL, read_model
from assets.linkage.standing import LAYOUT, layout_of

# What decides who is who or what is written of it: a state made by other code than this is made again. What only trains a
# model, explains a link, is known by its model's version or puts files in their places is not here.
DECIDING = (
    "blocking.py",
    "cleaning.py",
    "decided.py",
    "features.py",
    "graphs.py",
    "identities.py",
    "keys.py",
    "linker.py",
    "model.py",
    "nicknames.csv",
    "outputs.py",
    "rebuilding.py",
    "resolution.py",
    "scoring.py",
    "standing.py",
    "vetoes.py",
)
INDEX = "index.duckdb"
SUMMARY = "state.json"


@dataclass(frozen=True)
class Moment:
    """What a run is for and what it may know; later moments sort after earlier ones."""

    programme: str
    period: date
    as_of: datetime

    @property
    def name(self) -> str:
        return f"{self.period:%Y-%m}_{self.as_of:%Y%m%dT%H%M%S%f}"


def state_of(
    states: Path, moment: Moment, *, records: Path, decisions: Path, model: Path = MODEL
) -> tuple[Path, dict[str, Any]]:
    """The folder of the state of a moment, made if it is not there, and its summary (counts and seconds).

    `records` are all nominals known at the moment (std_person_records), `decisions` the pairs decided about. A state is
    made again where its records, decisions, model or the code that decides (`DECIDING`) are other than those it was made from.
    Raises as `linker.link`, and Contradiction where decisions contradict each other.
    """
    folder = states / moment.programme / moment.name
    made_from = {
        "records": _digest(records),
        "decisions": _digest(decisions),
        "model": read_model(model).version,
        "code": _digest(*(Path(__file__).with_name(name) for name in DECIDING)),
    }
    if (known := _summary(folder)) and known["made_from"] == made_from:
        return folder, known
    before = _before(states / moment.programme, moment)
    beside = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(beside, ignore_errors=True)
    summary = link(
        records,
        beside / "person_links.parquet",
        model=model,
        standing=before / INDEX if before else None,
        keep=beside / INDEX,
        anew=bool(before and not _goes_on(before, made_from["model"])),
        decided=Decided.read(decisions),
        as_of=moment.as_of,
    )
    content = {"made_from": made_from, "before": before.name if before else None, **vars(summary)}
    (beside / SUMMARY).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    beside.rename(folder)
    return folder, content


def _goes_on(before: Path, model_version: str) -> bool:
    """Whether a state's index can be gone on from: made with this model, and of the layout that is written today."""
    return _summary(before)["model_version"] == model_version and layout_of(before / INDEX) == LAYOUT


def _before(states: Path, moment: Moment) -> Path | None:
    """The latest state that knew no more than the moment does, and of no later month."""
    known = [
        folder
        for folder in states.glob("????-??_*")
        if folder.name < moment.name
        and folder.name.split("_")[1] <= moment.name.split("_")[1]
        and (folder / SUMMARY).exists()
    ]
    return max(known, key=lambda folder: folder.name, default=None)


def _summary(folder: Path) -> dict[str, Any]:
    path = folder / SUMMARY
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _digest(*paths: Path) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()
