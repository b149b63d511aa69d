"""Linking: which nominals of the nation are one person. Files in, files out; no orchestration here."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import duckdb
import pyarrow as pa
from splink.clustering import cluster_pairwise_predictions_at_threshold
from splink.internals.duckdb.database_api import DuckDBAPI

from assets.linkage.features import create_person_features
from assets.linkage.model import MODEL, LinkageModel, Thresholds, read_model
from assets.linkage.resolution import Groups, Pair
from assets.linkage.settings import COMPARISONS
from assets.linkage.splink_session import open_connection, open_linker, text_literal
from assets.linkage.vetoes import pair_verdict_sql

_GAMMAS = [f"gamma_{comparison.create_output_column_name()}" for comparison in COMPARISONS]


@dataclass(frozen=True)
class LinkSummary:
    """What a run did, in counts and seconds: no personal values, fit for logs and metadata."""

    n_records: int
    n_pairs: int
    n_persons: int
    n_withheld: int
    n_withheld_by_reason: dict[str, int]
    seconds: dict[str, float]
    model_version: str


def link(records: Path, out: Path, *, model: Path = MODEL) -> LinkSummary:
    """Link `records` (std_person_records, one row a nominal) and write who is who to `out`.

    `out` (person_links): one row a record: record_id, person_id, person_group_id, link_probability, n_records (in
    the person), withheld, model_version. `person_id` rests on the strict threshold and alone may put a name on a
    list; `person_group_id` on the wider one, and contains it. Both are digests of the least record_id they hold, so
    they follow the records; ids that outlive a merge need the ledger of identities, which is not built yet.
    `link_probability` is that of the record's strongest link inside the person, 1.0 where it stands alone.
    `person_pairs.parquet` beside it: one row a scored pair, with its weight in bits, the level of each comparison
    and the veto, if any.

    Same records and model, same bytes, in whatever order the records come. Raises ValueError where a record_id is
    missing or repeated, FileNotFoundError where there is no model.
    """
    trained = read_model(model)
    seconds: dict[str, float] = {}
    connection = open_connection()
    try:
        with _timed(seconds, "features"):
            n_records = create_person_features(connection, records)
        with _timed(seconds, "score"):
            _score(connection, trained, n_records)
        with _timed(seconds, "resolve"):
            _resolve(connection, trained.thresholds)
            _review(connection, trained.thresholds)
        with _timed(seconds, "write"):
            _write(connection, trained, out)
        [(n_pairs,)] = connection.execute("SELECT count(*) FROM pairs").fetchall()
        [(n_persons,)] = connection.execute("SELECT count(DISTINCT person) FROM members").fetchall()
        reasons = connection.execute(
            "SELECT reason, count(DISTINCT person) FROM reviews GROUP BY reason ORDER BY reason"
        ).fetchall()
        [(n_withheld,)] = connection.execute("SELECT count(DISTINCT person) FROM reviews").fetchall()
    finally:
        connection.close()
    return LinkSummary(
        n_records=n_records,
        n_pairs=n_pairs,
        n_persons=n_persons,
        n_withheld=n_withheld,
        n_withheld_by_reason=dict(reasons),
        seconds=seconds,
        model_version=trained.version,
    )


@contextmanager
def _timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    seconds[step] = round(time.perf_counter() - started, 3)


def _score(connection: duckdb.DuckDBPyConnection, model: LinkageModel, n_records: int) -> None:
    """Make `pairs`: every blocked pair above the floor, and every other pair inside a component of them."""
    connection.execute(f"""
        CREATE TABLE pairs (
            record_key_l BIGINT, record_key_r BIGINT, match_weight DOUBLE, match_probability DOUBLE,
            {", ".join(f"{gamma} INTEGER" for gamma in _GAMMAS)},
            veto VARCHAR, hard_veto BOOLEAN, evidence_weight DOUBLE
        )
    """)
    connection.execute(
        "CREATE TABLE components AS SELECT record_key, record_key AS component FROM person_features"
    )
    if n_records < 2:
        return
    linker = open_linker(connection, model.settings_for(n_records))
    blocked = linker.inference.predict(
        threshold_match_weight=model.thresholds.pair_floor, warning_mode="never"
    )
    _append_pairs(connection, blocked.physical_name)
    _cluster(connection, "components", "component", model.thresholds.person_group)

    # Blocking misses one true pair in twenty; inside a component the guards must see them all.
    connection.execute("""
        CREATE TABLE unblocked_pairs AS
        SELECT '0' AS match_key, l.record_key AS join_key_l, r.record_key AS join_key_r
        FROM components AS l
        JOIN components AS r ON l.component = r.component AND l.record_key < r.record_key
        ANTI JOIN pairs ON pairs.record_key_l = l.record_key AND pairs.record_key_r = r.record_key
    """)
    [(n_unblocked,)] = connection.execute("SELECT count(*) FROM unblocked_pairs").fetchall()
    if n_unblocked:
        unblocked = linker.inference._linker._db_api.register("unblocked_pairs")
        linker.table_management.register_blocked_pairs_for_predict(unblocked)
        _append_pairs(connection, linker.inference.predict(warning_mode="never").physical_name)


def _append_pairs(connection: duckdb.DuckDBPyConnection, predicted: str) -> None:
    """Add Splink's predictions to `pairs`, the lesser key on the left, judged by the guards."""
    gammas = ", ".join(_GAMMAS)
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE scored AS
        SELECT
            least(record_key_l, record_key_r) AS record_key_l,
            greatest(record_key_l, record_key_r) AS record_key_r,
            match_weight, match_probability, {gammas}
        FROM {predicted}
    """)
    connection.execute(f"INSERT INTO pairs BY NAME ({pair_verdict_sql('scored')})")


def _cluster(connection: duckdb.DuckDBPyConnection, table: str, label: str, threshold: float) -> None:
    """Make `table` (record_key, `label`): connected components over pairs whose evidence reaches `threshold`."""
    connection.execute(f"""
        CREATE OR REPLACE TABLE edges AS
        SELECT record_key_l, record_key_r FROM pairs WHERE evidence_weight >= {threshold} ORDER BY ALL
    """)
    api = DuckDBAPI(connection)
    clusters = cluster_pairwise_predictions_at_threshold(
        nodes=api.register("person_features"),
        edges=api.register("edges"),
        db_api=api,
        node_id_column_name="record_key",
    )
    connection.execute(
        f"CREATE OR REPLACE TABLE {table} AS SELECT record_key, cluster_id AS {label} FROM {clusters.physical_name}"
    )


def _resolve(connection: duckdb.DuckDBPyConnection, thresholds: Thresholds) -> None:
    """Make `members` (record_key, person, person_group) and `contested` (person).

    A component in which every pair stands above the floor, with no hard veto, needs no guard: its people are its
    own connected components. The others are joined step by step, under the guards of `resolution.py`.
    """
    connection.execute(f"""
        CREATE TABLE guarded AS
        SELECT pairs.*, l.component
        FROM pairs
        JOIN components AS l ON l.record_key = pairs.record_key_l
        JOIN components AS r ON r.record_key = pairs.record_key_r AND r.component = l.component
        WHERE l.component IN (
            SELECT suspect.component
            FROM pairs
            JOIN components AS suspect ON suspect.record_key = pairs.record_key_l
            JOIN components AS other
                ON other.record_key = pairs.record_key_r AND other.component = suspect.component
            WHERE pairs.hard_veto OR pairs.evidence_weight < {thresholds.mean_floor}
        )
    """)
    rows = connection.execute(
        "SELECT component, record_key_l, record_key_r, evidence_weight, hard_veto FROM guarded ORDER BY ALL"
    ).fetchall()
    persons: dict[int, int] = {}
    person_groups: dict[int, int] = {}
    contested: list[int] = []
    for _, pairs in groupby(rows, key=lambda row: row[0]):
        groups = Groups(Pair(*row[1:]) for row in pairs)
        strict = groups.join(thresholds.person, thresholds.mean_floor)
        persons |= strict.groups
        contested += sorted(strict.contested)
        # The wider join goes on from the strict one, so a group can only ever hold whole persons.
        person_groups |= groups.join(thresholds.person_group, thresholds.mean_floor).groups

    if connection.execute("SELECT 1 FROM pairs LIMIT 1").fetchall():
        _cluster(connection, "strict_components", "person", thresholds.person)
    else:
        connection.execute(
            "CREATE TABLE strict_components AS SELECT record_key, component AS person FROM components"
        )
    keys = pa.array(list(persons), pa.int64())
    resolved = pa.table(
        {
            "record_key": keys,
            "person": pa.array(list(persons.values()), pa.int64()),
            "person_group": pa.array(list(person_groups.values()), pa.int64()),
        }
    )
    connection.register("resolved", resolved)
    connection.execute("""
        CREATE TABLE members AS
        SELECT
            record_key,
            coalesce(resolved.person, strict_components.person) AS person,
            coalesce(resolved.person_group, components.component) AS person_group
        FROM components
        JOIN strict_components USING (record_key)
        LEFT JOIN resolved USING (record_key)
    """)
    connection.register("contested_persons", pa.table({"person": pa.array(contested, pa.int64())}))
    connection.execute("CREATE TABLE contested AS SELECT DISTINCT person FROM contested_persons")


def _review(connection: duckdb.DuckDBPyConnection, thresholds: Thresholds) -> None:
    """Make `reviews` (person, reason): the people that may not be ranked before somebody has looked."""
    connection.execute(f"""
        CREATE TABLE reviews AS
        WITH persons AS (
            SELECT
                person,
                count(*) AS n_records,
                count(DISTINCT sex) AS n_sexes,
                date_diff('year', min(date_of_birth), max(date_of_birth)) AS birth_date_spread_years
            FROM members
            JOIN person_features USING (record_key)
            GROUP BY person
        )
        SELECT person, 'too_many_records' AS reason FROM persons WHERE n_records > {thresholds.greatest_n_records}
        UNION ALL
        SELECT person, 'two_sexes' FROM persons WHERE n_sexes > 1
        UNION ALL
        SELECT person, 'birth_dates_far_apart' FROM persons WHERE birth_date_spread_years > {thresholds.greatest_birth_date_spread_years}
        UNION ALL
        SELECT person, 'tied_to_another_person' FROM contested
    """)


def _write(connection: duckdb.DuckDBPyConnection, model: LinkageModel, out: Path) -> None:
    """Write `person_links` to `out` and `person_pairs.parquet` beside it, sorted, each whole or not at all."""
    out.parent.mkdir(parents=True, exist_ok=True)
    links = f"""
        WITH named AS (
            SELECT
                record_key,
                record_id,
                person,
                'P' || left(md5(min(record_id) OVER (PARTITION BY person)), 20) AS person_id,
                'G' || left(md5(min(record_id) OVER (PARTITION BY person_group)), 20) AS person_group_id,
                count(*) OVER (PARTITION BY person) AS n_records
            FROM members
            JOIN person_features USING (record_key)
        ),
        within_person AS (
            SELECT l.record_key AS one, r.record_key AS other, match_probability
            FROM pairs
            JOIN members AS l ON l.record_key = pairs.record_key_l
            JOIN members AS r ON r.record_key = pairs.record_key_r AND r.person = l.person
            WHERE veto IS NULL
        ),
        strongest AS (
            SELECT record_key, max(match_probability) AS link_probability
            FROM (
                SELECT one AS record_key, match_probability FROM within_person
                UNION ALL
                SELECT other, match_probability FROM within_person
            )
            GROUP BY record_key
        )
        SELECT
            record_id,
            person_id,
            person_group_id,
            coalesce(link_probability, 1.0) AS link_probability,
            n_records,
            person IN (SELECT person FROM reviews) AS withheld,
            {text_literal(model.version)} AS model_version
        FROM named
        LEFT JOIN strongest USING (record_key)
        ORDER BY record_id
    """
    pairs = f"""
        SELECT
            least(l.record_id, r.record_id) AS record_id_l,
            greatest(l.record_id, r.record_id) AS record_id_r,
            match_weight, match_probability, {", ".join(_GAMMAS)}, veto
        FROM pairs
        JOIN person_features AS l ON l.record_key = pairs.record_key_l
        JOIN person_features AS r ON r.record_key = pairs.record_key_r
        ORDER BY record_id_l, record_id_r
    """
    _copy(connection, pairs, out.with_name("person_pairs.parquet"))
    _copy(connection, links, out)


def _copy(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    beside = path.with_name(f".{path.name}.part")
    connection.execute(f"COPY ({query}) TO {text_literal(beside)} (FORMAT parquet, COMPRESSION zstd)")
    beside.replace(path)
