"""The model file: what is read is what was written, and what scales with the file to be linked."""

from __future__ import annotations

from pathlib import Path

import pytest

from assets.linkage.model import MODEL, Thresholds, create_model, read_model
from assets.linkage.settings import BLOCKING_KEYS, COMPARISONS


def test_a_model_survives_its_file(tmp_path: Path) -> None:
    model = create_model("person_v9", 1.5, Thresholds(person=18.0), {"comparisons": []}, {"seed": 1})
    model.write(tmp_path / "model.json")
    assert read_model(tmp_path / "model.json") == model


def test_another_threshold_is_another_version() -> None:
    one = create_model("person_v9", 1.5, Thresholds(), {}, {})
    assert one.version != create_model("person_v9", 1.5, Thresholds(person=16.5), {}, {}).version
    assert one.version == create_model("person_v9", 1.5, Thresholds(), {}, {"seed": 2}).version


def test_the_prior_falls_with_the_number_of_strangers() -> None:
    model = read_model()
    priors = [model.settings_for(n)["probability_two_random_records_match"] for n in (10_001, 20_001)]
    assert priors[0] == pytest.approx(2 * priors[1])
    assert priors[0] == pytest.approx(model.expected_matches / 10_000)


@pytest.mark.parametrize("n_records", [0, 1, 2, 10])
def test_a_tiny_file_does_not_make_everyone_one(n_records: int) -> None:
    assert 0 < read_model().settings_for(n_records)["probability_two_random_records_match"] <= 5e-3


def test_rarity_is_not_read_off_a_small_file() -> None:
    model = read_model()
    assert "tf_adjustment_column" in str(model.settings_for(2_000))
    assert "tf_adjustment_column" not in str(model.settings_for(1_999))
    assert "tf_adjustment_column" in str(model.settings)


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


def test_no_file_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_model(tmp_path / "none.json")
