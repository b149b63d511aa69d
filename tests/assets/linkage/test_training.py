"""Training: the same records and seed give the same files, nothing is left for Splink to guess, and people are counted once."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from assets.linkage.cleaning import read_records
from assets.linkage.features import create_person_features
from assets.linkage.keys import BLOCKING_KEYS
from assets.linkage.model import frequencies_of, read_model
from assets.linkage.splink_session import open_connection
from assets.linkage.training import (
    LEAST_M,
    LEAST_N_BEARERS,
    Untrainable,
    _fill_unseen,
    _write_frequencies,
    train,
)
from data_contracts.synthetic.nominals import write_nominals
from tests.assets.linkage.conftest import WriteRecords
from tests.assets.linkage.histories import Row


def test_records_of_nobody_but_one_person_train_nothing(write_records: WriteRecords, tmp_path: Path) -> None:
    records = write_records([{}] * 4)
    with pytest.raises(Untrainable, match="these 4 person records: too few of them are of strangers"):
        train(records, tmp_path / "model.json", seed=1)
    assert not (tmp_path / "model.json").exists()


@pytest.mark.heavy
def test_training_twice_gives_one_model(tmp_path: Path) -> None:
    [records] = write_nominals(tmp_path, n_nominals=1000, seed=11).records
    one, two = tmp_path / "one.json", tmp_path / "two.json"
    diagnostics = train(records, one, seed=5, n_sampled_pairs=10_000, source="a test")
    train(records, two, seed=5, n_sampled_pairs=10_000, source="a test")
    assert one.read_bytes() == two.read_bytes()
    assert frequencies_of(one).read_bytes() == frequencies_of(two).read_bytes()

    model = read_model(one)
    assert model.training == diagnostics
    assert (diagnostics["n_records"], diagnostics["seed"], diagnostics["source"]) == (1000, 5, "a test")
    assert diagnostics["blocked_pairs"].keys() == {" + ".join(keys) for keys in BLOCKING_KEYS}
    assert max(diagnostics["blocked_pairs"].values()) > 100
    assert 0.1 < model.expected_matches < 50
    name = model.settings["comparisons"][0]["comparison_levels"]
    # Learnt, not the starting value of the settings.
    assert name[1]["m_probability"] != 0.70
    for comparison in model.settings["comparisons"]:
        for level in comparison["comparison_levels"]:
            if not level.get("is_null_level") and not level.get("fix_m_probability"):
                assert level["m_probability"] >= LEAST_M
                assert level["u_probability"] > 0


def test_the_numbers_keep_the_weights_they_were_given() -> None:
    [numbers] = [c for c in read_model().settings["comparisons"] if c["output_column_name"] == "identifiers"]
    weights = {
        level["label_for_charts"]: level["m_probability"] / level["u_probability"]
        for level in numbers["comparison_levels"]
        if not level.get("is_null_level")
    }
    assert weights["PNC agrees"] == pytest.approx(2**20)
    assert weights["both differ"] == pytest.approx(2**-12)


def test_a_name_is_as_common_as_those_who_bear_it_not_as_their_arrests(
    write_records: WriteRecords, tmp_path: Path
) -> None:
    """One man arrested thirty times, and as few women of one name as make it a name that counts, arrested twice each."""
    man: list[Row] = [{"record_id": f"M|{n}", "forenames": "IVOR"} for n in range(30)]
    women: list[Row] = [
        {
            "record_id": f"W|{n}|{arrest}",
            "forenames": "OLWEN",
            "surname": "IVERMOSS",
            "date_of_birth": date(1960 + n, 5, 17),
        }
        for n in range(LEAST_N_BEARERS)
        for arrest in (1, 2)
    ]
    connection = open_connection()
    n_records = read_records(connection, write_records([*man, *women]))
    create_person_features(connection)
    _write_frequencies(connection, n_records, tmp_path / "frequencies.parquet")
    frequencies = pl.read_parquet(tmp_path / "frequencies.parquet")
    share = dict(frequencies.filter(pl.col("kind") == "full_name").select("value", "share").iter_rows())
    assert share == {"OLWEN IVERMOSS": pytest.approx(LEAST_N_BEARERS / (LEAST_N_BEARERS + 1))}
    [one_record] = frequencies.filter(pl.col("kind") == "one_record")["share"]
    assert one_record == pytest.approx(1 / (30 + 2 * LEAST_N_BEARERS))


def test_one_record_teaches_nothing(write_records: WriteRecords, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="fewer than two"):
        train(write_records([{}]), tmp_path / "model.json", seed=1)
    assert not (tmp_path / "model.json").exists()


def test_what_training_never_saw_is_named_and_keeps_its_starting_value() -> None:
    start = {"comparisons": [_comparison(m_probability=0.3, u_probability=0.1)]}
    learnt = {"comparisons": [_comparison(m_probability=None, u_probability=0.2)]}
    assert _fill_unseen(learnt, start) == ["name: same (m)"]
    assert learnt["comparisons"][0]["comparison_levels"][1]["m_probability"] == 0.3
    assert learnt["comparisons"][0]["comparison_levels"][1]["u_probability"] == 0.2


def _comparison(**level: float | None) -> dict[str, Any]:
    levels = [{"label_for_charts": "null", "is_null_level": True}, {"label_for_charts": "same", **level}]
    return {"output_column_name": "name", "comparison_levels": levels}
