"""Scoring pairs of nominals with the trained model: Splink decides which pairs are looked at and what each is worth.

Two things are ours. The prior is left out of a stored weight (it falls as the file grows, the evidence does not), and
how rare a value is comes from the frequencies frozen with the model, not from the file at hand: so that a pair is
worth the same in whatever month it is scored, and an increment equals a full relink.
"""

from __future__ import annotations

import logging

import duckdb
from splink import Linker
from splink.internals.duckdb.database_api import DuckDBAPI

from assets.linkage.model import LinkageModel
from assets.linkage.settings import COMPARISONS, RARITY_COLUMNS
from assets.linkage.splink_session import text_literal
from assets.linkage.vetoes import veto_sql

EVIDENCE = tuple(f"bits_{comparison.create_output_column_name()}" for comparison in COMPARISONS)

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


class Scorer:
    """Scores pairs within and between tables of the shape of `person_features`.

    `create_person_features` has made those tables; `features` names one that holds every record to be scored.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, model: LinkageModel, features: str) -> None:
        self.connection = connection
        self.features = features
        self.least_evidence = model.thresholds.least_evidence
        self.api = DuckDBAPI(connection)
        table = self.api.register(features, dataset_display_name="nominals")
        self.linker = Linker(
            table, model.scoring_settings(), log_level=logging.ERROR, validate_settings=False
        )
        self._register_rarity(model)

    def _register_rarity(self, model: LinkageModel) -> None:
        self.connection.execute(f"""
            CREATE OR REPLACE TEMP TABLE frequencies AS
            SELECT kind, value, share FROM read_parquet({text_literal(model.frequencies)})
        """)
        for column in RARITY_COLUMNS:
            lookup = f"rarity_of_{column}"
            self.connection.execute(
                f"CREATE OR REPLACE TEMP TABLE {lookup} AS {rarity_sql(column, self.features)}"
            )
            self.linker.table_management.register_term_frequency_lookup(self.api.register(lookup), column)

    def within(self, table: str) -> None:
        """Add to `pairs` every pair of `table` that meets a blocking key and reaches the least evidence."""
        found = self.linker.inference.predict_within(
            self.api.register(table), threshold_match_weight=self.least_evidence, warning_mode="never"
        )
        self._append(found.physical_name, blocked=True)

    def between(self, left: str, right: str) -> None:
        """The same for every pair of a record of `left` and one of `right`, which share none."""
        found = self.linker.inference.predict_between(
            self.api.register(left),
            self.api.register(right),
            threshold_match_weight=self.least_evidence,
            warning_mode="never",
        )
        self._append(found.physical_name, blocked=True)

    def chosen(self, table: str) -> None:
        """Add to `pairs` exactly the pairs of `table` (join_key_l, join_key_r), whatever they are worth."""
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE chosen_pairs AS SELECT '0' AS match_key, join_key_l, join_key_r FROM {table}"
        )
        self.linker.table_management.register_blocked_pairs_for_predict(self.api.register("chosen_pairs"))
        found = self.linker.inference.predict(warning_mode="never")
        self._append(found.physical_name, blocked=False)

    def _append(self, found: str, *, blocked: bool) -> None:
        parts = ", ".join(
            f"CAST({' + '.join(columns)} AS FLOAT) AS {name}"
            for name, columns in zip(EVIDENCE, _weight_columns(self.linker), strict=True)
        )
        self.connection.execute(f"""
            CREATE OR REPLACE TEMP TABLE scored AS
            SELECT
                least(record_key_l, record_key_r) AS record_key_l,
                greatest(record_key_l, record_key_r) AS record_key_r,
                match_weight AS evidence, {parts}, {blocked} AS blocked
            FROM {found}
        """)
        self.connection.execute(f"DROP TABLE {found}")
        self.connection.execute(f"INSERT INTO pairs BY NAME ({veto_sql('scored', self.features)})")
        self.connection.execute("DROP TABLE scored")


def _weight_columns(linker: Linker) -> list[list[str]]:
    return [comparison._match_weight_columns_to_sum for comparison in linker._settings_obj.comparisons]


def rarity_sql(column: str, features: str) -> str:
    """A select of each value of `column` in `features` with the share of records that bear it, from the table `frequencies`.

    A full name too rare to be in it is taken to be as common as its parts are together; any other value, and any part,
    to be borne by one record of those the model was trained on.
    """
    if column != "full_name":
        return f"""
            WITH least AS (SELECT share FROM frequencies WHERE kind = 'one_record')
            SELECT {column}, coalesce(frequencies.share, least.share) AS tf_{column}
            FROM (SELECT DISTINCT {column} FROM {features} WHERE {column} IS NOT NULL)
            CROSS JOIN least
            LEFT JOIN frequencies ON frequencies.kind = '{column}' AND frequencies.value = CAST({column} AS VARCHAR)
        """
    return f"""
        WITH least AS (SELECT share FROM frequencies WHERE kind = 'one_record')
        SELECT
            full_name,
            coalesce(
                whole.share,
                greatest(
                    coalesce(forename.share, least.share) * coalesce(family.share, least.share),
                    least.share * {LEAST_NAME_SHARE}
                )
            ) AS tf_full_name
        FROM (
            SELECT full_name, min(forename_1) AS forename_1, min(surname) AS surname
            FROM {features} WHERE full_name IS NOT NULL GROUP BY full_name
        )
        CROSS JOIN least
        LEFT JOIN frequencies AS whole ON whole.kind = 'full_name' AND whole.value = full_name
        LEFT JOIN frequencies AS forename ON forename.kind = 'forename_1' AND forename.value = forename_1
        LEFT JOIN frequencies AS family ON family.kind = 'surname' AND family.value = surname
    """


# No full name is taken to be rarer than this many of one record's share: beyond it, rarity is a guess.
LEAST_NAME_SHARE = 0.1
