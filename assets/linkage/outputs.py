"""What a run says, as files: who is who, what holds each person together, what a person should look at, what happened.

Selects over the standing index after `standing.advance`; each file is written whole or not at all, in a total order.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

import duckdb

from assets.linkage.identities import group_ids_sql
from assets.linkage.model import LinkageModel
from assets.linkage.rebuilding import weighed_pairs_sql
from assets.linkage.scoring import EVIDENCE
from assets.linkage.splink_session import text_literal

# What is said of a record, beside its id.
CROSSWALK_COLUMNS = (
    "person_id",
    "person_group_id",
    "link_probability",
    "link_weight",
    "n_records",
    "withheld",
    "withheld_reasons",
    "model_version",
)


def probability_sql(weight: str, calibration: Sequence[Sequence[float]]) -> str:
    """SQL for the probability that a link of `weight` bits is right: along the calibrated line, or as the model itself
    claims where it was not calibrated.
    """
    if not calibration:
        return f"1 / (1 + pow(2, -({weight})))"
    cases = [f"WHEN {weight} <= {calibration[0][0]} THEN {calibration[0][1]}"]
    for (from_weight, low), (to_weight, high) in itertools.pairwise(calibration):
        slope = (high - low) / (to_weight - from_weight)
        cases.append(f"WHEN {weight} <= {to_weight} THEN {low} + ({weight} - {from_weight}) * {slope}")
    return f"CASE {' '.join(cases)} ELSE {calibration[-1][1]} END"


def crosswalk_sql(model: LinkageModel) -> Callable[[str], str]:
    """The select of what is said of the records of a table (record_key), or of all where its name is empty: record_key,
    record_id and `CROSSWALK_COLUMNS`. The table holds whole components.
    """

    def select(records: str) -> str:
        among = f"SEMI JOIN {records} AS asked USING (record_key)" if records else ""
        return f"""
            WITH among AS (SELECT * FROM standing.members {among}),
            reasons AS (
                SELECT person, list(DISTINCT reason ORDER BY reason) AS reasons FROM standing.reviews GROUP BY person
            ),
            sizes AS (SELECT person, count(*) AS n_records FROM among GROUP BY person),
            group_ids AS ({group_ids_sql("among")})
            SELECT
                record_key,
                record_id,
                among.person_id,
                person_group_id,
                CASE
                    WHEN strongest_weight IS NULL THEN 1.0
                    ELSE {probability_sql("strongest_weight", model.calibration)}
                END AS link_probability,
                strongest_weight AS link_weight,
                n_records,
                reasons IS NOT NULL AS withheld,
                coalesce(reasons, []) AS withheld_reasons,
                {text_literal(model.version)} AS model_version
            FROM among
            JOIN group_ids USING (person_group)
            JOIN sizes USING (person)
            JOIN standing.person_features USING (record_key)
            LEFT JOIN reasons USING (person)
        """

    return select


def write_crosswalk(connection: duckdb.DuckDBPyConnection, model: LinkageModel, out: Path) -> None:
    said = ", ".join(CROSSWALK_COLUMNS)
    _copy(connection, f"SELECT record_id, {said} FROM ({crosswalk_sql(model)('')}) ORDER BY record_id", out)


def write_changes(connection: duckdb.DuckDBPyConnection, model: LinkageModel, out: Path) -> None:
    """One row a record of which something else is said than before the run: record_id, `change` (new, changed, withdrawn),
    former_person_id, `CROSSWALK_COLUMNS` as they are now (null where withdrawn); and where the run's ledger tells of the
    record, its event, cause and decision_id. Laid over the crosswalk of before, it gives that of after.
    """
    now = ", ".join(f"now.{column}" for column in CROSSWALK_COLUMNS)
    was = ", ".join(f"was.{column}" for column in CROSSWALK_COLUMNS)
    _copy(
        connection,
        f"""
        SELECT
            record_id,
            CASE
                WHEN was.record_key IS NULL THEN 'new' WHEN now.record_key IS NULL THEN 'withdrawn' ELSE 'changed'
            END AS change,
            was.person_id AS former_person_id,
            {now},
            event, cause, decision_id
        FROM ({crosswalk_sql(model)("scope")}) AS now
        FULL JOIN rows_before AS was USING (record_id)
        LEFT JOIN (SELECT * FROM standing.ledger SEMI JOIN this_run USING (run_no)) USING (record_id)
        WHERE ({now}) IS DISTINCT FROM ({was})
        ORDER BY record_id
        """,
        out,
    )


def write_details(connection: duckdb.DuckDBPyConnection, model: LinkageModel, folder: Path) -> None:
    """person_evidence, person_review_pairs and person_ledger (`linker.link`)."""
    [(n_records,)] = connection.execute("SELECT count(*) FROM standing.members").fetchall()
    queries = {
        "person_evidence": _evidence_sql(),
        "person_review_pairs": _review_pairs_sql(model, n_records),
        "person_ledger": "FROM standing.ledger ORDER BY run_no, record_id",
    }
    for name, query in queries.items():
        _copy(connection, query, folder / f"{name}.parquet")


def _evidence_sql() -> str:
    evidence = ", ".join(EVIDENCE)
    return f"""
        SELECT
            members.person_id,
            least(l.record_id, r.record_id) AS record_id_l,
            greatest(l.record_id, r.record_id) AS record_id_r,
            links.weight AS link_weight,
            {evidence},
            veto,
            row_number() OVER (
                PARTITION BY links.person ORDER BY links.weight, least(l.record_id, r.record_id), greatest(l.record_id, r.record_id)
            ) = 1 AS is_weakest
        FROM standing.links
        JOIN standing.pairs USING (record_key_l, record_key_r)
        JOIN standing.members ON members.record_key = record_key_l
        JOIN standing.person_features AS l ON l.record_key = record_key_l
        JOIN standing.person_features AS r ON r.record_key = record_key_r
        ORDER BY person_id, record_id_l, record_id_r
    """


def _review_pairs_sql(model: LinkageModel, n_records: int) -> str:
    evidence = ", ".join(EVIDENCE)
    thresholds = model.thresholds
    return f"""
        WITH asked AS MATERIALIZED (
            SELECT pairs.*
            FROM ({weighed_pairs_sql(model, n_records)}) AS pairs
            JOIN standing.members AS one ON one.record_key = record_key_l
            JOIN standing.members AS other ON other.record_key = record_key_r
            WHERE other.person <> one.person
              AND (guarded_weight >= {thresholds.review} OR (veto IS NOT NULL AND match_weight >= {thresholds.person_group}))
        )
        SELECT
            least(l.record_id, r.record_id) AS record_id_l,
            greatest(l.record_id, r.record_id) AS record_id_r,
            match_weight, guarded_weight, {probability_sql("guarded_weight", model.calibration)} AS probability, veto, {evidence}
        FROM asked
        JOIN standing.person_features AS l ON l.record_key = record_key_l
        JOIN standing.person_features AS r ON r.record_key = record_key_r
        ORDER BY record_id_l, record_id_r
    """


def _copy(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.part")
    connection.execute(f"COPY ({query}) TO {text_literal(beside)} (FORMAT parquet, COMPRESSION zstd)")
    beside.replace(path)
