"""Training the linkage model: unsupervised, a job of its own, seldom run; months only predict."""

from __future__ import annotations

import math
from copy import deepcopy
from pathlib import Path
from typing import Any

from splink import block_on
from splink.internals.exceptions import SplinkException

from assets.linkage.cleaning import read_records
from assets.linkage.features import create_person_features
from assets.linkage.keys import BLOCKING_KEYS, RARITY_COLUMNS
from assets.linkage.model import Thresholds, create_model, frequencies_of
from assets.linkage.settings import PRIOR_KEYS, PRIOR_RECALL, TRAINING_KEYS, create_settings
from assets.linkage.splink_session import open_connection, open_linker, text_literal

# Pairs of strangers drawn for u: enough that levels rarer than one in a hundred thousand are seen.
N_SAMPLED_PAIRS = 5_000_000

# Pairs a training block may hold: more teach nothing new, and the block of a common full name grows with its square.
N_TRAINING_PAIRS = 1_000_000

# No learnt level may be rarer than this among true pairs: a sample that never shows an error does not prove the
# error impossible, and one sure disagreement would outweigh all other evidence by tens of bits.
LEAST_M = 2e-3


class Untrainable(ValueError):
    """The records do not let m and u be told; the message says what to do."""


def train(
    records: Path,
    model: Path,
    *,
    seed: int,
    name: str = "person_v2",
    source: str = "",
    n_sampled_pairs: int = N_SAMPLED_PAIRS,
) -> dict[str, Any]:
    """Fit m, u and the prior to `records` (shape of std_person_records) and write the model file.

    `source` says in words what the records are. Gives the diagnostics that the file also holds: source, n_records,
    seed, prior, n_sampled_pairs and the levels that training never saw. Raises Untrainable where there are too few records,
    or all are of one person.
    """
    # One thread: sums of many small numbers depend on their order, and a model must come out the same twice.
    connection = open_connection(n_threads=1)
    try:
        n_records = read_records(connection, records)
        if n_records < 2:
            raise Untrainable("a model cannot be trained on fewer than two person records")
        create_person_features(connection)
        _write_frequencies(connection, n_records, frequencies_of(model))
        start = create_settings().create_settings_dict("duckdb")
        try:
            settings = _fitted(connection, deepcopy(start), seed=seed, n_sampled_pairs=n_sampled_pairs)
        except (SplinkException, ValueError) as error:
            raise Untrainable(
                f"a model cannot be trained on these {n_records} person records: too few of them are of strangers, or"
                " too few of one person; train on a larger file, or use a model that is trained"
            ) from error
        n_blocked = {" + ".join(keys): _n_pairs(connection, keys) for keys in BLOCKING_KEYS}
    finally:
        connection.close()

    unseen = _fill_unseen(settings, start)
    _bound_m(settings)
    prior = settings.pop("probability_two_random_records_match")
    # A digest-like name that Splink draws at random for itself.
    settings.pop("linker_uid", None)
    diagnostics = {
        "source": source,
        "n_records": n_records,
        "seed": seed,
        "n_sampled_pairs": n_sampled_pairs,
        "prior": prior,
        "unseen_levels": unseen,
        "blocked_pairs": n_blocked,
        "weights_bits": _weights(settings),
    }
    create_model(
        name,
        model,
        expected_matches=prior * (n_records - 1),
        thresholds=Thresholds(),
        settings=settings,
        training=diagnostics,
    ).write(model)
    return diagnostics


def _fitted(connection: Any, start: dict[str, Any], *, seed: int, n_sampled_pairs: int) -> dict[str, Any]:
    """Splink's settings with prior, u and m fitted to `person_features`. Raises what Splink raises where it cannot."""
    linker = open_linker(connection, start)
    linker.training.estimate_probability_two_random_records_match(
        [block_on(*keys) for keys in PRIOR_KEYS], recall=PRIOR_RECALL
    )
    linker.training.estimate_u_using_random_sampling(
        max_pairs=n_sampled_pairs, seed=seed, min_count_per_level=None
    )
    for keys in TRAINING_KEYS:
        if _n_pairs(connection, keys):
            linker.training.estimate_parameters_using_expectation_maximisation(
                block_on(*keys),
                fix_probability_two_random_records_match=True,
                max_pairs=N_TRAINING_PAIRS,
            )
    return dict(linker.misc.save_model_to_json())


def _n_pairs(connection: Any, keys: tuple[str, ...]) -> int:
    """Pairs of records that agree on all of `keys`."""
    [(n,)] = connection.execute(f"""
        SELECT coalesce(sum(n * (n - 1) // 2), 0) FROM (
            SELECT count(*) AS n FROM person_features
            WHERE {" AND ".join(f"{key} IS NOT NULL" for key in keys)}
            GROUP BY {", ".join(keys)}
        )
    """).fetchall()
    return int(n)


# A value with fewer bearers than this is not in the file of frequencies: that it is rare is all that counts.
LEAST_N_BEARERS = 5


def _write_frequencies(connection: Any, n_records: int, path: Path) -> None:
    """Write how common values are (kind, value, share), rarest left out: shares of those who bear any. A bearer is a name
    with a birth date: counted by records, whoever is arrested forty times would seem to bear a common name.
    """
    shares = " UNION ALL ".join(
        f"""
        SELECT '{column}' AS kind, CAST({column} AS VARCHAR) AS value, n / sum(n) OVER () AS share, n
        FROM (
            SELECT {column}, count(DISTINCT (surname, forename_key, date_of_birth)) AS n
            FROM person_features WHERE {column} IS NOT NULL GROUP BY {column}
        )
        """
        for column in (*RARITY_COLUMNS, "forename_1", "surname")
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    connection.execute(f"""
        COPY (
            SELECT kind, value, share FROM ({shares}) WHERE n >= {LEAST_N_BEARERS}
            UNION ALL
            SELECT 'one_record', NULL, 1.0 / {n_records}
            ORDER BY kind, value
        ) TO {text_literal(path)} (FORMAT parquet, COMPRESSION zstd)
    """)


def _fill_unseen(settings: dict[str, Any], start: dict[str, Any]) -> list[str]:
    """Name the m and u that are still the starting ones, and put those back where training left none: Splink would
    score such a level by a silent default of its own.
    """
    unseen = []
    for comparison, written in zip(settings["comparisons"], start["comparisons"], strict=True):
        for level, first in zip(comparison["comparison_levels"], written["comparison_levels"], strict=True):
            for letter in "mu":
                key = f"{letter}_probability"
                if level.get("is_null_level") or level.get(f"fix_{key}"):
                    continue
                if level.get(key) in (None, first[key]):
                    level[key] = first[key]
                    unseen.append(
                        f"{comparison['output_column_name']}: {level['label_for_charts']} ({letter})"
                    )
    return unseen


def _bound_m(settings: dict[str, Any]) -> None:
    """Raise learnt m to the least one; fixed levels stay as they were written."""
    for comparison in settings["comparisons"]:
        for level in comparison["comparison_levels"]:
            if not level.get("is_null_level") and not level.get("fix_m_probability"):
                level["m_probability"] = max(level["m_probability"], LEAST_M)


def _weights(settings: dict[str, Any]) -> dict[str, dict[str, float]]:
    """What each level of each comparison adds to a match weight, in bits, before rarity."""
    return {
        comparison["output_column_name"]: {
            level["label_for_charts"]: round(math.log2(level["m_probability"] / level["u_probability"]), 3)
            for level in comparison["comparison_levels"]
            if not level.get("is_null_level")
        }
        for comparison in settings["comparisons"]
    }
