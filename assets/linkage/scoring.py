"""Scoring pairs of nominals with the trained model: Splink says, in SQL, what each pair is worth.

Three things are ours. The prior is left out of a stored weight (it falls as the file grows, the evidence does not). How
rare a value is comes from the frequencies frozen with the model, not from the file at hand: so that a pair is worth the
same in whatever month it is scored, and an increment equals a full relink. And the guards are asked in the same pass,
while the two records lie side by side.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import duckdb

from assets.linkage.keys import COMPARISON_NAMES, RARITY_COLUMNS
from assets.linkage.model import LinkageModel
from assets.linkage.splink_session import text_literal
from assets.linkage.vetoes import FACTS, veto_columns, veto_facts_sql, veto_name_sql

if TYPE_CHECKING:
    from splink.internals.settings import Settings

EVIDENCE = tuple(f"bits_{name}" for name in COMPARISON_NAMES)

# One row a scored pair, the lesser key on the left. `evidence` is in bits, without the prior; `bits_*` are its parts.
# `blocked`: the pair met a blocking key, and was not only scored because both ended up in one component.
PAIR_COLUMNS = {
    "record_key_l": "BIGINT",
    "record_key_r": "BIGINT",
    "evidence": "DOUBLE",
    **dict.fromkeys(EVIDENCE, "FLOAT"),
    "veto": "VARCHAR",
    "blocked": "BOOLEAN",
}


def score(
    connection: duckdb.DuckDBPyConnection,
    model: LinkageModel,
    candidates: str,
    features: str,
    *,
    blocked: bool,
) -> None:
    """Add to `pairs` the pairs of table `candidates` (record_key_l, record_key_r), of records in table `features` (shape of
    `person_features` with rarity): those that reach the least evidence if they are `blocked`, else all of them.
    """
    least = model.thresholds.least_evidence if blocked else None
    settings = splink_settings(model.scoring_settings() | {"additional_columns_to_retain": veto_columns()})
    parts = ", ".join(
        f"CAST({' + '.join(comparison._match_weight_columns_to_sum)} AS FLOAT) AS {name}"
        for name, comparison in zip(EVIDENCE, settings.comparisons, strict=True)
    )
    connection.execute(f"""
        INSERT INTO pairs BY NAME
        SELECT * EXCLUDE ({", ".join(FACTS)})
        FROM (
            SELECT
                record_key_l, record_key_r, match_weight AS evidence, {parts}, {blocked} AS blocked,
                {veto_facts_sql("{}_l", "{}_r")}, {veto_name_sql("{}_l", "{}_r")} AS veto
            FROM ({splink_sql(settings, candidates, features, least)})
        )
    """)


def features_of_pairs(
    connection: duckdb.DuckDBPyConnection, model: LinkageModel, pairs: str, table: str
) -> None:
    """Make `table`, for `score`: the standing records of `pairs` (record_key_l, record_key_r), their features and how rare
    these are.
    """
    connection.execute(f"CREATE OR REPLACE TEMP TABLE frequencies AS FROM {frequencies_sql(model)}")
    features = f"""(
        SELECT * EXCLUDE (record_id, content) FROM standing.person_features
        SEMI JOIN (SELECT record_key_l AS record_key FROM {pairs} UNION SELECT record_key_r FROM {pairs})
            USING (record_key)
    )"""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {rarity_sql(features, 'frequencies')}")


def splink_settings(settings: dict[str, Any]) -> Settings:
    """Splink's settings as it works with them; the same settings are read once a process."""
    return _splink_settings(json.dumps(settings, sort_keys=True))


@lru_cache(maxsize=8)
def _splink_settings(settings: str) -> Settings:
    # Seconds to import, and a run that has no pair to score does not need it.
    from splink import SettingsCreator

    return SettingsCreator.from_path_or_dict(json.loads(settings)).get_settings("duckdb")


def splink_sql(settings: Settings, candidates: str, features: str, least: float | None = None) -> str:
    """Splink's own select of what each pair of table `candidates` is worth; those of `least` bits or more, or all."""
    return (
        _splink_sql(settings, least)
        .replace(
            _CANDIDATES,
            f"(SELECT '0' AS match_key, record_key_l AS join_key_l, record_key_r AS join_key_r FROM {candidates})",
        )
        .replace(_FEATURES, features)
    )


_CANDIDATES = "__splink__blocked_id_pairs"
_FEATURES = "__features__"


@lru_cache(maxsize=8)
def _splink_sql(settings: Settings, least: float | None) -> str:
    from splink.internals.comparison_vector_values import (
        compute_comparison_vector_values_from_id_pairs_sqls,
    )
    from splink.internals.pipeline import CTEPipeline
    from splink.internals.predict import predict_from_comparison_vectors_sqls_using_settings

    pipeline = CTEPipeline()
    pipeline.enqueue_list_of_sqls(
        compute_comparison_vector_values_from_id_pairs_sqls(
            settings._columns_to_select_for_blocking,
            settings._columns_to_select_for_comparison_vector_values,
            input_tablename_l=_FEATURES,
            input_tablename_r=_FEATURES,
            source_dataset_input_column=None,
            unique_id_input_column=settings.column_info_settings.unique_id_input_column,
        )
    )
    pipeline.enqueue_list_of_sqls(
        predict_from_comparison_vectors_sqls_using_settings(settings, threshold_match_weight=least)
    )
    return str(pipeline.generate_cte_pipeline_sql())


def rarity_sql(features: str, frequencies: str) -> str:
    """A select of all columns of `features` and, as `tf_<column>`, the share of records that bear the value of each of
    `RARITY_COLUMNS`, from `frequencies` (SQL that can be selected from: kind, value, share).

    A full name too rare to be in it is taken to be as common as its parts are together; any other value, and any part,
    to be borne by one record of those the model was trained on.
    """
    least = "one_record.share"
    parts = f"coalesce(forename.share, {least}) * coalesce(family.share, {least})"
    unlisted = {"full_name": f"greatest({parts}, {least} * {LEAST_NAME_SHARE})"}
    shares = ", ".join(
        f"CASE WHEN {column} IS NOT NULL THEN coalesce(of_{column}.share, {unlisted.get(column, least)}) END AS tf_{column}"
        for column in RARITY_COLUMNS
    )
    looked_up = {f"of_{column}": (column, column) for column in RARITY_COLUMNS}
    looked_up |= {"forename": ("forename_1", "forename_1"), "family": ("surname", "surname")}
    joins = "\n".join(
        f"LEFT JOIN (SELECT value, share FROM {frequencies} WHERE kind = '{kind}') AS {name}"
        f" ON {name}.value = {f'CAST({column} AS VARCHAR)' if column == 'date_of_birth' else column}"
        for name, (kind, column) in looked_up.items()
    )
    return f"""
        SELECT features.*, {shares}
        FROM {features} AS features
        CROSS JOIN (SELECT share FROM {frequencies} WHERE kind = 'one_record') AS one_record
        {joins}
    """


def frequencies_sql(model: LinkageModel) -> str:
    """The model's frequencies, as SQL that can be selected from."""
    return f"read_parquet({text_literal(model.frequencies)})"


# No full name is taken to be rarer than this many of one record's share: beyond it, rarity is a guess.
LEAST_NAME_SHARE = 0.1
