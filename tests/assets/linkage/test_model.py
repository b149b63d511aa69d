"""The model file: what is read is what was written, a version is of one answer, and what scales with the file linked."""

from __future__ import annotations

import json
import shutil
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

from assets.linkage.keys import BLOCKING_KEYS, COMPARISON_NAMES, RARITY_COLUMNS
from assets.linkage.model import (
    GREATEST_PRIOR,
    MODEL,
    N_NATIONAL,
    LinkageModel,
    NotAModel,
    Thresholds,
    create_model,
    frequencies_of,
    read_model,
    size_step,
)
from assets.linkage.scoring import rarity_sql
from assets.linkage.settings import COMPARISONS
from assets.linkage.splink_session import open_connection


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a model is to be written; its frequencies lie there."""
    shutil.copy(frequencies_of(MODEL), tmp_path / "model.frequencies.parquet")
    return tmp_path / "model.json"


def made(
    path: Path, thresholds: Thresholds | None = None, expected_matches: float = 1.5, seed: int = 1
) -> LinkageModel:
    return create_model(
        "person_v9", path, expected_matches, thresholds or Thresholds(), {"comparisons": []}, {"seed": seed}
    )


def test_a_model_survives_its_file(path: Path) -> None:
    model = made(path, Thresholds(person=18.0))
    model.write(path)
    assert read_model(path) == model
    assert model.version.startswith("person_v9-")


def test_what_decides_an_answer_makes_another_version(path: Path) -> None:
    version = made(path).version
    assert made(path, seed=2).version == version
    assert made(path, Thresholds(person=16.5)).version != version
    assert made(path, expected_matches=1.6).version != version
    frequencies = pl.read_parquet(frequencies_of(path))
    frequencies.with_columns(share=pl.col("share") * 2).write_parquet(frequencies_of(path))
    assert made(path).version != version


def test_the_size_of_a_file_counts_in_powers_of_two() -> None:
    assert [size_step(n) for n in (0, 1, 2, 90, 91, 181, 182, 1_000_000)] == [0, 0, 1, 6, 7, 7, 8, 20]


def test_the_prior_falls_a_bit_a_step() -> None:
    model = read_model()
    weights = [model.prior_weight(2**step) for step in range(12, 24)]
    assert all(one - other == pytest.approx(1, abs=0.01) for one, other in pairwise(weights))
    assert model.prior_weight(2**20 - 1000) == model.prior_weight(2**20 + 1000)
    # A chance of expected matches in so many strangers.
    odds = 2 ** model.prior_weight(2**20)
    assert odds / (1 + odds) == pytest.approx(model.expected_matches / 2**20)


@pytest.mark.parametrize("n_records", [0, 1, 2, 10])
def test_a_tiny_file_does_not_make_everyone_one(n_records: int) -> None:
    odds = 2 ** read_model().prior_weight(n_records)
    assert 0 < odds / (1 + odds) <= GREATEST_PRIOR * 1.000001


def test_the_national_prior_is_never_that_of_a_small_file() -> None:
    model = read_model()
    assert model.national_prior_weight(10) == model.prior_weight(N_NATIONAL)
    assert model.national_prior_weight(8 * N_NATIONAL) == model.prior_weight(8 * N_NATIONAL)


def test_the_shipped_model_is_of_this_version() -> None:
    model = read_model(MODEL)
    name = model.version.rpartition("-")[0]
    again = create_model(
        name, MODEL, model.expected_matches, model.thresholds, model.settings, model.training
    )
    # A calibrated line is a part of what decides.
    assert len(model.version.rpartition("-")[2]) == 8
    assert model.calibration or again.version == model.version


def test_the_shipped_model_has_the_calibrated_line_it_needs() -> None:
    points = read_model().calibration
    assert len(points) > 10
    assert all(one[0] < other[0] and one[1] <= other[1] for one, other in pairwise(points))
    assert all(0 < probability < 1 for _, probability in points)


def test_the_shipped_model_fits_the_settings() -> None:
    settings = read_model(MODEL).settings
    assert [c["output_column_name"] for c in settings["comparisons"]] == [
        c.create_output_column_name() for c in COMPARISONS
    ]
    for trained, written in zip(settings["comparisons"], COMPARISONS, strict=True):
        conditions = [level["sql_condition"] for level in trained["comparison_levels"]]
        expected = written.create_comparison_dict("duckdb")["comparison_levels"]
        assert conditions == [level["sql_condition"] for level in expected]
    assert len(settings["blocking_rules_to_generate_predictions"]) == len(BLOCKING_KEYS)


def test_every_level_of_the_shipped_model_has_weights() -> None:
    for comparison in read_model().settings["comparisons"]:
        for level in comparison["comparison_levels"]:
            if not level.get("is_null_level"):
                assert 0 < level["m_probability"] <= 1
                assert 0 < level["u_probability"] <= 1


def test_scoring_leaves_the_prior_out() -> None:
    model = read_model()
    assert model.scoring_settings()["probability_two_random_records_match"] == 0.5
    assert "probability_two_random_records_match" not in model.settings


def test_a_threshold_nobody_knows_is_no_model(path: Path) -> None:
    made(path).write(path)
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "thresholds": {"persons": 1}}))
    with pytest.raises(NotAModel):
        read_model(path)


def test_no_file_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_model(tmp_path / "none.json")


def test_the_shipped_frequencies_are_shares_of_values_that_count() -> None:
    frequencies = pl.read_parquet(frequencies_of(MODEL))
    assert frequencies.columns == ["kind", "value", "share"]
    assert set(frequencies["kind"]) <= {*RARITY_COLUMNS, "forename_1", "surname", "one_record"}
    assert {"full_name", "date_of_birth", "forename_1", "surname", "one_record"} <= set(frequencies["kind"])
    assert frequencies["share"].is_between(0, 0.2, closed="right").all()
    assert frequencies.select("kind", "value").is_unique().all()


def test_how_rare_a_value_is_comes_from_the_frequencies() -> None:
    connection = open_connection()
    connection.execute("""
        CREATE TABLE frequencies AS FROM (VALUES
            ('one_record', NULL, 1e-4), ('surname', 'KHAN', 0.02), ('forename_1', 'ALI', 0.01), ('full_name', 'ALI KHAN', 0.003),
            ('phone', '07700900001', 0.002)
        ) AS t (kind, value, share)
    """)
    connection.execute("""
        CREATE TABLE features AS FROM (VALUES
            ('ALI KHAN', 'ALI', 'KHAN', '07700900001', NULL::DATE, NULL, NULL, NULL),
            ('ALI RAREST', 'ALI', 'RAREST', '07700900002', NULL, NULL, NULL, NULL),
            ('ZEB RAREST', 'ZEB', 'RAREST', NULL, NULL, NULL, NULL, NULL)
        ) AS t (full_name, forename_1, surname, phone, date_of_birth, postcode, postcode_district, force_code)
    """)
    columns = "full_name, tf_full_name, phone, tf_phone"
    rows = connection.execute(f"SELECT {columns} FROM ({rarity_sql('features', 'frequencies')})").fetchall()
    # As counted; as common as its parts together, but no rarer than a tenth of one record; and two parts never seen.
    assert {name: share for name, share, _, _ in rows} == pytest.approx(
        {"ALI KHAN": 0.003, "ALI RAREST": 1e-5, "ZEB RAREST": 1e-5}
    )
    phones = {phone: share for _, _, phone, share in rows}
    assert phones.pop(None) is None
    assert phones == pytest.approx({"07700900001": 0.002, "07700900002": 1e-4})


def test_the_names_of_the_comparisons_are_theirs() -> None:
    """The names are written apart, where Splink need not be imported."""
    assert tuple(comparison.create_output_column_name() for comparison in COMPARISONS) == COMPARISON_NAMES
