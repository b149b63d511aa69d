"""A standing index opened to be read, and what lies around a few of its records. Nothing here writes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from assets.linkage.model import LinkageModel, read_model
from assets.linkage.rebuilding import weighed_pairs_sql
from assets.linkage.splink_session import open_connection, text_literal
from assets.linkage.standing import OtherLayout, OtherModel, require_layout
from assets.linkage.vetoes import guarded_weight_sql


class NoIndex(Exception):
    """There is no standing index at the path, or the file is not one; the message says which."""


@dataclass(frozen=True)
class Reading:
    """An open index, read only, with the model it was made with; `prior` is in bits."""

    connection: duckdb.DuckDBPyConnection
    model: LinkageModel
    n_records: int
    prior: float

    def guarded_weight_sql(self) -> str:
        """SQL for what the guards leave of a pair's match weight, from its `evidence` and `veto`."""
        return guarded_weight_sql("evidence", self.prior, self.model.national_prior_weight(self.n_records))

    def rows(self, query: str) -> list[Any]:
        return self.connection.execute(query).fetchall()


@contextmanager
def opened(index: Path, model: Path) -> Iterator[Reading]:
    """The index at a path, with the model it was made with.

    Raises NoIndex, OtherModel, FileNotFoundError where there is no model.
    """
    trained = read_model(model)
    if not index.is_file():
        raise NoIndex(f"there is no standing index at {index}")
    with closing(open_connection()) as connection:
        try:
            connection.execute(f"ATTACH {text_literal(index)} AS standing (READ_ONLY)")
            facts = connection.execute("SELECT model_version FROM standing.facts").fetchall()
            [(n_records,)] = connection.execute("SELECT count(*) FROM standing.person_features").fetchall()
        # Not a database, not one of ours, or held by a run that is writing.
        except (duckdb.IOException, duckdb.CatalogException) as error:
            raise NoIndex(f"{index} cannot be read as a standing index ({type(error).__name__})") from None
        try:
            require_layout(connection)
        except OtherLayout:
            raise NoIndex(f"{index} was made by another version of this program") from None
        if facts and facts[0][0] != trained.version:
            raise OtherModel(
                f"the index was made with model {facts[0][0]}, not {trained.version}; give the one it was made with"
            )
        yield Reading(connection, trained, n_records, trained.prior_weight(n_records))


def gather(reading: Reading, keys: Sequence[int]) -> None:
    """Make `near`: every stored pair of the groups of these records, with who both ends are and what people decided."""
    listed = ", ".join(map(str, keys))
    reading.connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE about AS
        SELECT record_key FROM standing.members
        WHERE person_group IN (SELECT person_group FROM standing.members WHERE record_key IN ({listed}))
    """)
    reading.connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE near AS
        WITH touching AS (
            SELECT * FROM ({weighed_pairs_sql(reading.model, reading.n_records)})
            WHERE record_key_l IN (SELECT record_key FROM about) OR record_key_r IN (SELECT record_key FROM about)
        ),
        decided AS (
            SELECT record_key_l, record_key_r, kind AS decision, decision_id FROM standing.decisions
        )
        SELECT
            touching.*, decision, decision_id,
            l.person AS person_l, r.person AS person_r, l.person_group AS person_group_l, r.person_group AS person_group_r
        FROM touching
        JOIN standing.members AS l ON l.record_key = record_key_l
        JOIN standing.members AS r ON r.record_key = record_key_r
        LEFT JOIN decided USING (record_key_l, record_key_r)
    """)
