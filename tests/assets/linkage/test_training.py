"""Training: the same records and seed give the same file, and nothing is left for Splink to guess."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assets.linkage.model import read_model
from assets.linkage.training import LEAST_M, _fill_unseen, train
from tests.assets.linkage.conftest import WriteRecords
from tests.assets.linkage.nominals import write_nominals


def test_training_twice_gives_one_model(tmp_path: Path) -> None:
    records, _ = write_nominals(tmp_path, n_persons=150, seed=11)
    diagnostics = train(records, tmp_path / "one.json", seed=5, n_sampled_pairs=10_000)
    train(records, tmp_path / "two.json", seed=5, n_sampled_pairs=10_000)
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()

    model = read_model(tmp_path / "one.json")
    assert model.training == diagnostics
    assert diagnostics["n_records"] > 150
    assert 0.1 < model.expected_matches < 10
    name = model.settings["comparisons"][0]["comparison_levels"]
    # Learnt, not the starting value of the settings.
    assert name[1]["m_probability"] != 0.70
    for comparison in model.settings["comparisons"]:
        for level in comparison["comparison_levels"]:
            if not level.get("is_null_level") and not level.get("fix_m_probability"):
                assert level["m_probability"] >= LEAST_M
                assert level["u_probability"] > 0


def test_the_numbers_keep_the_weights_they_were_given(tmp_path: Path) -> None:
    [numbers] = [c for c in read_model().settings["comparisons"] if c["output_column_name"] == "identifiers"]
    weights = {
        level["label_for_charts"]: level["m_probability"] / level["u_probability"]
        for level in numbers["comparison_levels"]
        if not level.get("is_null_level")
    }
    assert weights["PNC agrees"] == pytest.approx(2**20)
    assert weights["both differ"] == pytest.approx(2**-12)


def test_one_record_teaches_nothing(write_records: WriteRecords, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="fewer than two"):
        train(write_records([{}]), tmp_path / "model.json", seed=1)


def test_what_training_never_saw_is_named_and_keeps_its_starting_value() -> None:
    start = {"comparisons": [_comparison(m_probability=0.3, u_probability=0.1)]}
    learnt = {"comparisons": [_comparison(m_probability=None, u_probability=0.2)]}
    assert _fill_unseen(learnt, start) == ["name: same (m)"]
    assert learnt["comparisons"][0]["comparison_levels"][1]["m_probability"] == 0.3
    assert learnt["comparisons"][0]["comparison_levels"][1]["u_probability"] == 0.2


def _comparison(**level: float | None) -> dict[str, Any]:
    levels = [{"label_for_charts": "null", "is_null_level": True}, {"label_for_charts": "same", **level}]
    return {"output_column_name": "name", "comparison_levels": levels}
