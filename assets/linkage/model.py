"""The linkage model as a versioned file: Splink's settings with m and u, the prior, the thresholds.

A monthly run reads the file and only predicts; `training.py` writes it.
"""

from __future__ import annotations

import hashlib
import json
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

MODEL = Path(__file__).with_name("model") / "person_model_v1.json"

# In a file of a few records everyone would look likely to be everyone else: no prior above this.
GREATEST_PRIOR = 5e-3

# How rare a value is cannot be read off a file smaller than this, in which every name looks common: there the model's
# own chance agreement stands for all values alike.
LEAST_RECORDS_FOR_RARITY = 2_000


@dataclass(frozen=True)
class Thresholds:
    """Match weights in bits, prior included, and the bounds beyond which a person is withheld for review."""

    # Alone may put a name on a list.
    person: float = 16.0
    # For search and review.
    person_group: float = 12.0
    # The mean over all pairs between two groups that are to become one.
    mean_floor: float = 4.0
    # Pairs below this are not kept.
    pair_floor: float = -2.0
    # Nominals in one person; the largest true cluster of the evidence held 46.
    greatest_n_records: int = 50
    # Between the birth dates of one person's records; a mistyped decade is ten years.
    greatest_birth_date_spread_years: int = 10


@dataclass(frozen=True)
class LinkageModel:
    """A trained model. `expected_matches` is the mean number of other records that a record truly matches."""

    version: str
    expected_matches: float
    thresholds: Thresholds
    settings: dict[str, Any]
    training: dict[str, Any]

    def settings_for(self, n_records: int) -> dict[str, Any]:
        """Splink settings for a file of `n_records`: the match weight includes the prior, and the prior falls with
        the number of strangers in the file, so it is scaled to keep the thresholds meaning the same.
        """
        settings = deepcopy(self.settings)
        settings["probability_two_random_records_match"] = min(
            GREATEST_PRIOR, self.expected_matches / max(n_records - 1, 1)
        )
        if n_records < LEAST_RECORDS_FOR_RARITY:
            for comparison in settings["comparisons"]:
                for level in comparison["comparison_levels"]:
                    level.pop("tf_adjustment_column", None)
        return settings

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def create_model(
    name: str,
    expected_matches: float,
    thresholds: Thresholds,
    settings: dict[str, Any],
    training: dict[str, Any],
) -> LinkageModel:
    """A model whose version ends in a digest of what decides its answers, so that no two models share one."""
    decisive = json.dumps([expected_matches, asdict(thresholds), settings], sort_keys=True)
    version = f"{name}-{hashlib.sha256(decisive.encode()).hexdigest()[:8]}"
    return LinkageModel(version, expected_matches, thresholds, settings, training)


def read_model(path: Path = MODEL) -> LinkageModel:
    """Raises FileNotFoundError where there is none, KeyError or TypeError where the file is not a model."""
    content = json.loads(path.read_text(encoding="utf-8"))
    return LinkageModel(
        version=content["version"],
        expected_matches=float(content["expected_matches"]),
        thresholds=Thresholds(**content["thresholds"]),
        settings=content["settings"],
        training=content["training"],
    )
