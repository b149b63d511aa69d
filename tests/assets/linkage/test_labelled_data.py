"""Public labelled sets, linked from nothing: columns mapped to ours, a model trained on the spot.

The bounds are a little below what the settings reach, so that a change that makes linkage worse fails here. They are
not the best these sets allow: the guards give up recall for precision, and the columns are not those of police nominals.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from assets.linkage.linker import link
from assets.linkage.training import train
from tests.assets.linkage.measures import pair_quality

LOW = {"person": 6.0, "person_group": 2.0, "mean_floor": 0.0, "least_evidence": 6.0}
DATA = Path(__file__).parents[2] / "data" / "linkage"

# A person number of the set stands where a CRO number would: a number that people are known by, sometimes mistyped.
FEBRL3 = f"""
    SELECT
        rec_id AS record_id,
        given_name AS forenames,
        surname,
        date_of_birth,
        postcode,
        suburb AS postcode_district,
        soc_sec_id AS cro_number,
        split_part(rec_id, '-', 2) AS person
    FROM read_csv('{DATA / "febrl_dataset3.csv.gz"}', all_varchar = true, header = true, normalize_names = true)
"""
FAKE_1000 = f"""
    SELECT
        unique_id AS record_id,
        first_name AS forenames,
        surname,
        dob AS date_of_birth,
        city AS postcode_district,
        email AS cro_number,
        cluster AS person
    FROM read_csv('{DATA / "fake_1000.csv.gz"}', all_varchar = true, header = true)
"""


def train_and_link(query: str, folder: Path, **adapted: Any) -> pl.DataFrame:
    """Records with their links and the true `person`; `adapted` changes what the trained model file says."""
    records, model, links = folder / "records.csv", folder / "model.json", folder / "person_links.parquet"
    duckdb.sql(query).write_csv(str(records), header=True)
    train(records, model, seed=1, n_sampled_pairs=200_000)
    content = json.loads(model.read_text())
    model.write_text(json.dumps({**content, **adapted}))
    link(records, links, model=model)
    return pl.read_parquet(links).join(pl.read_csv(records, infer_schema=False), on="record_id")


@pytest.mark.heavy
def test_febrl3(tmp_path: Path) -> None:
    people = train_and_link(FEBRL3, tmp_path)
    strict = pair_quality(people, found="person_id", truth="person")
    wide = pair_quality(people, found="person_group_id", truth="person")
    assert people.height == 5000
    assert strict.precision >= 0.9995
    assert strict.f1 >= 0.95  # 0.9584
    assert wide.f1 >= 0.965  # 0.9706


@pytest.mark.heavy
def test_fake_1000(tmp_path: Path) -> None:
    # A thousand records can never reach sixteen bits, and half of these names and dates are damaged.
    people = train_and_link(FAKE_1000, tmp_path, thresholds=LOW, expected_matches=4.0)
    strict = pair_quality(people, found="person_id", truth="person")
    assert people.height == 1000
    assert strict.precision >= 0.999
    assert strict.f1 >= 0.535  # 0.5441
