"""The linkage model as versioned files: Splink's settings with m and u, the prior, the thresholds, how rare values are.

`training.py` writes them, a monthly run reads them and only predicts. `<model>.json` holds what can be read by eye, and
`<model>.frequencies.parquet` beside it the frozen frequencies of names, birth dates, postcodes and telephone numbers.
"""

from __future__ import annotations

import hashlib
import json
import math
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

MODEL = Path(__file__).with_name("model") / "person_model_v2.json"

# In a file of a few records everyone would look likely to be everyone else: no prior above this.
GREATEST_PRIOR = 5e-3

# Nominals in a nation's file, at least: what a guard that thinks of the whole nation reckons with.
N_NATIONAL = 2**20


class NotAModel(ValueError):
    """The file is not one that training wrote; the message names it."""


@dataclass(frozen=True)
class Thresholds:
    """Match weights in bits, prior included, and the bounds beyond which a person is withheld for review."""

    # Alone may put a name on a list.
    person: float = 16.0
    # For search and review.
    person_group: float = 13.25
    # The mean over all pairs between two groups that are to become one.
    mean_floor: float = 2.0
    # Records with a birth date that a person must have before one without is taken for theirs at the strict threshold.
    claimant_n_records: int = 3
    # Two persons tied by a pair of this weight go to a person to look.
    review: float = 6.0
    # Bits without the prior; pairs below are not kept.
    least_evidence: float = 12.0
    # Nominals in one person; the largest true cluster of the evidence held 46.
    greatest_n_records: int = 50
    # Between the birth dates of one person's records; a mistyped decade is ten years.
    greatest_birth_date_spread_years: int = 10


@dataclass(frozen=True)
class LinkageModel:
    """A trained model. `expected_matches` is the mean number of other records that a record truly matches, and
    `calibration` how often a link of a weight (bits) is right, as points (weight, share) on a rising line.
    """

    version: str
    expected_matches: float
    thresholds: Thresholds
    settings: dict[str, Any]
    training: dict[str, Any]
    frequencies: Path
    calibration: list[list[float]] = field(default_factory=list)

    def prior_weight(self, n_records: int) -> float:
        """Bits that two random records of `n_records` start with. The number counts in powers of two: weights then move
        in whole steps as a file grows, seldom, and not a little with every record.
        """
        n_strangers = 2 ** size_step(n_records)
        prior = min(GREATEST_PRIOR, self.expected_matches / n_strangers)
        return math.log2(prior / (1 - prior))

    def national_prior_weight(self, n_records: int) -> float:
        """The same, in a file that is at least a nation's."""
        return self.prior_weight(max(n_records, N_NATIONAL))

    def scoring_settings(self) -> dict[str, Any]:
        """Splink settings with even odds as the prior, so that a weight is the evidence alone."""
        return deepcopy(self.settings) | {"probability_two_random_records_match": 0.5}

    def write(self, path: Path) -> None:
        """Write the JSON file; the frequencies lie beside it already."""
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {key: value for key, value in asdict(self).items() if key != "frequencies"}
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def size_step(n_records: int) -> int:
    """The power of two nearest to `n_records`, on a logarithmic scale."""
    return round(math.log2(max(n_records, 1)))


def frequencies_of(model: Path) -> Path:
    """The frequencies that belong to a model file."""
    return model.with_suffix(".frequencies.parquet")


def create_model(
    name: str,
    path: Path,
    expected_matches: float,
    thresholds: Thresholds,
    settings: dict[str, Any],
    training: dict[str, Any],
    calibration: list[list[float]] | None = None,
) -> LinkageModel:
    """A model whose version ends in a digest of what decides its answers, so that no two models share one.

    `path` is where it will be written: its frequencies lie there already.
    """
    frequencies = frequencies_of(path)
    points = calibration or []
    decisive = json.dumps([expected_matches, asdict(thresholds), settings, points], sort_keys=True).encode()
    digest = hashlib.sha256(decisive + frequencies.read_bytes()).hexdigest()[:8]
    return LinkageModel(
        f"{name}-{digest}", expected_matches, thresholds, settings, training, frequencies, points
    )


def read_model(path: Path = MODEL) -> LinkageModel:
    """Raises FileNotFoundError where there is none, NotAModel where the file is something else."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return LinkageModel(
            version=content["version"],
            expected_matches=float(content["expected_matches"]),
            thresholds=Thresholds(**content["thresholds"]),
            settings=content["settings"],
            training=content["training"],
            frequencies=frequencies_of(path),
            calibration=content["calibration"],
        )
    except (ValueError, KeyError, TypeError) as error:
        raise NotAModel(f"{path.name} is no linkage model; `vawg link --train` writes one") from error
