"""How often a link of a given weight is right: the model's claim, corrected by what a nation with known truth shows.

A model counts its evidence as if every comparison were independent of the others, so its own probability is too sure of
itself. The line fitted here only ever rises (isotonic regression), and goes into the model file with the points it was
checked at, on another nation than it was fitted to.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression

from assets.linkage.cleaning import read_records
from assets.linkage.decided import Decided
from assets.linkage.linker import NO_DAY, untimed
from assets.linkage.model import LinkageModel, create_model, read_model
from assets.linkage.rebuilding import weighed_pairs_sql
from assets.linkage.splink_session import columns_of
from assets.linkage.standing import advance, find_changes, standing_index

# Bits. Below, a pair is never looked at; above, nothing changes any more.
LEAST_WEIGHT, GREATEST_WEIGHT = -16, 30


def calibrate(model: Path, fitted: tuple[Path, Path], checked: tuple[Path, Path]) -> pl.DataFrame:
    """Write the calibrated line into the model file, as a new version, and give the reliability curve.

    `fitted` and `checked`: the records and the truth (record_id, true_person_id) of two nations. The curve has a row a bit of
    weight: weight_from, n_pairs, claimed_share (by the line), observed_share, both 0..1 and of the nation `checked`.
    """
    trained = replace(read_model(model), calibration=[])
    weights, are_true = _pairs(trained, *fitted)
    line = IsotonicRegression(y_min=1e-4, y_max=1 - 1e-4, out_of_bounds="clip").fit(weights, are_true)
    at = np.arange(LEAST_WEIGHT, GREATEST_WEIGHT + 1, dtype=float)
    points = [[float(w), round(float(p), 6)] for w, p in zip(at, line.predict(at), strict=True)]
    weights, are_true = _pairs(trained, *checked)
    curve = (
        pl.DataFrame({"weight": weights, "is_true": are_true})
        .with_columns(
            weight_from=pl.col("weight").floor().clip(LEAST_WEIGHT, GREATEST_WEIGHT).cast(pl.Int64),
            claimed=pl.Series(np.interp(weights, at, [p for _, p in points])),
        )
        .group_by("weight_from")
        .agg(
            n_pairs=pl.len(),
            claimed_share=pl.col("claimed").mean().round(4),
            observed_share=pl.col("is_true").mean().round(4),
        )
        .sort("weight_from")
    )
    create_model(
        trained.version.rpartition("-")[0],
        model,
        trained.expected_matches,
        trained.thresholds,
        trained.settings,
        trained.training | {"reliability": curve.to_dicts()},
        calibration=points,
    ).write(model)
    return curve


def _pairs(model: LinkageModel, records: Path, truth: Path) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Weight after the guards of every scored pair, and whether the two are truly one person."""
    with standing_index(None, None) as connection:
        read_records(connection, records)
        find_changes(connection, complete=True)
        advance(connection, model, Decided(), as_of=NO_DAY, timed=untimed)
        people = pl.read_parquet(truth).select("record_id", "true_person_id")
        connection.register("people", people.to_arrow())
        [(n_records,)] = connection.execute("SELECT count(*) FROM standing.members").fetchall()
        found = columns_of(
            connection,
            f"""
            SELECT guarded_weight, l.true_person_id = r.true_person_id AS is_true
            FROM ({weighed_pairs_sql(model, n_records)})
            JOIN standing.person_features AS one ON one.record_key = record_key_l
            JOIN standing.person_features AS other ON other.record_key = record_key_r
            JOIN people AS l ON l.record_id = one.record_id
            JOIN people AS r ON r.record_id = other.record_id
            WHERE blocked
            ORDER BY record_key_l, record_key_r
            """,
        )
    return found["guarded_weight"], found["is_true"].astype(bool)
