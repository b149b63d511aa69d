"""What people decided about identities, as linkage obeys it: two nominals must be one person, or cannot be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from assets.linkage.splink_session import text_list
from decisions.refusals import DecidedPair, check_consistent


@dataclass(frozen=True)
class Decided:
    """All decisions in force, one a pair of record ids. Who, when and why stay where they were taken."""

    pairs: tuple[DecidedPair, ...] = ()

    @classmethod
    def of(cls, pairs: Iterable[DecidedPair]) -> Decided:
        """Raises Contradiction where some of them say that two nominals are one person and others that they cannot be."""
        in_force = tuple(sorted(pairs))
        check_consistent(in_force)
        return cls(in_force)

    @classmethod
    def read(cls, path: Path) -> Decided:
        """From the run inputs' table of decided pairs. Raises Contradiction."""
        columns = pl.read_parquet(path).select("decision_id", "kind", "record_id_l", "record_id_r")
        return cls.of(DecidedPair(*row) for row in columns.iter_rows())

    def register(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Make the table `decided` (decision_id, kind, record_key_l, record_key_r), the lesser key on the left."""
        columns = ", ".join(
            f"unnest([{text_list(pair[i] for pair in self.pairs)}]::VARCHAR[]) AS {name}"
            for i, name in enumerate(("decision_id", "kind", "one", "other"))
        )
        connection.execute(f"""
            CREATE OR REPLACE TEMP TABLE decided AS
            WITH keyed AS (
                SELECT
                    decision_id, kind,
                    CAST(md5_number_upper(one) >> 1 AS BIGINT) AS one,
                    CAST(md5_number_upper(other) >> 1 AS BIGINT) AS other
                FROM (SELECT {columns})
            )
            -- Decisions about one pair say the same, or they would have been refused: the first stands for all.
            SELECT
                min(decision_id) AS decision_id,
                min(kind) AS kind,
                least(one, other) AS record_key_l,
                greatest(one, other) AS record_key_r
            FROM keyed
            GROUP BY record_key_l, record_key_r
        """)
