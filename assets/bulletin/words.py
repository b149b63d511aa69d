"""The labels of codes in the bulletin, read from the seeds and code lists they are kept in."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from assets.bulletin.tables import Words
from assets.seeds import SEEDS

_CODES = Path(__file__).parents[2] / "data_contracts" / "codes"
# What a row is -> file, code column, label column.
_LABELS = {
    "threat": (SEEDS / "threats.csv", "threat", "label"),
    "definition": (SEEDS / "vawg_definitions.csv", "definition_id", "name"),
    "location_type": (_CODES / "location_types.csv", "code", "label"),
    "sex": (_CODES / "sexes.csv", "code", "label"),
    "force": (_CODES / "forces.csv", "code", "short_name"),
}
_UNKNOWN = {"unknown": "Not known", "unmapped": "Not mapped", "blank": "Left blank"}


def words() -> Words:
    """Labels as they are today: wording is no part of a figure."""
    measures = pl.read_csv(SEEDS / "statistics_measures.csv", infer_schema=False)
    rows = {
        kind: dict(pl.read_csv(file, infer_schema=False).select(code, label).iter_rows()) | _UNKNOWN
        for kind, (file, code, label) in _LABELS.items()
    }
    rows["threat"] |= {"all": "All violence against women and girls"}
    for kind in ("offence_subgroup", "age_band", "relationship_group"):
        rows[kind] = dict(_UNKNOWN)
    return Words(
        measures=dict(measures.select("measure", "label").iter_rows()),
        kinds=dict(measures.select("measure", "kind").iter_rows()),
        rows=rows,
    )
