"""Linking: which nominals of the nation are one person. Files in, files out; no orchestration here."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from assets.linkage.cleaning import read_records
from assets.linkage.decided import Decided
from assets.linkage.identities import group_ids_sql
from assets.linkage.model import MODEL, LinkageModel, read_model
from assets.linkage.scoring import EVIDENCE
from assets.linkage.splink_session import text_literal
from assets.linkage.standing import advance, find_changes, standing_index, withdraw

# A file linked for itself has no day; its ledger still wants one.
NO_DAY = datetime(1970, 1, 1)


@dataclass(frozen=True)
class LinkSummary:
    """What a run did, in counts and seconds: no personal values, fit for logs and metadata."""

    n_records: int
    n_changed: int
    n_built_again: int
    n_pairs: int
    n_persons: int
    n_withheld: int
    n_withheld_by_reason: dict[str, int]
    n_events: dict[str, int]
    seconds: dict[str, float]
    model_version: str


def link(
    records: Path | None,
    out: Path,
    *,
    model: Path = MODEL,
    standing: Path | None = None,
    keep: Path | None = None,
    anew: bool = False,
    complete: bool = True,
    withdrawn: Sequence[str] = (),
    decided: Decided | None = None,
    as_of: datetime = NO_DAY,
    details: bool = True,
) -> LinkSummary:
    """Link `records` (`cleaning.RECORD_COLUMNS`, one row a nominal) and write who is who to `out`.

    With `standing`, the index of an earlier run, only what is new or changed since is linked; the index as it is then
    goes to `keep`. `anew` takes over from it who everybody was, and scores everything again: for another model, or to see
    that the months added up to the same. `complete` says that a nominal that is not in `records` is withdrawn; otherwise only those named in
    `withdrawn` are. Without `records`, the decisions alone are applied.

    Written beside `out` (person_links), each whole or not at all, in a total order; all but the first only with `details`:

    - person_links: one row a record: record_id, person_id, person_group_id, link_probability, link_weight, n_records (in
      the person), withheld, withheld_reasons, model_version. `person_id` rests on the strict threshold and alone may put a
      name on a list; `person_group_id` on the wider one, and contains it. `link_probability` is that of the record's
      strongest link inside the person, 1.0 where it stands alone.
    - person_evidence: the links that hold each person together (as few as do so), with their weight in bits and what
      each comparison adds; without any one of them the person falls in two.
    - person_review_pairs: pairs of records of two persons that may be one, in the band a person should look at.
    - person_ledger: everything that ever happened to an id (`identities.py`).

    Same records, model, decisions and standing index, same bytes, in whatever order the records come. Raises ValueError
    where a record_id is missing or repeated, FileNotFoundError where there is no model, OtherModel where the index was
    made with another.
    """
    trained = read_model(model)
    seconds: dict[str, float] = {}
    with standing_index(standing, keep, anew=anew) as connection:
        with _timed(seconds, "read"):
            read_records(connection, records)
            find_changes(connection, complete=complete and records is not None)
            withdraw(connection, withdrawn)
        advance(
            connection, trained, decided or Decided(), as_of=as_of, timed=lambda step: _timed(seconds, step)
        )
        with _timed(seconds, "write"):
            _write(connection, trained, out, details=details)
        return _summarise(connection, seconds, trained)


@contextmanager
def _timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    seconds[step] = round(seconds.get(step, 0.0) + time.perf_counter() - started, 3)


def untimed(_step: str) -> AbstractContextManager[None]:
    """For whoever does not ask how long a step took."""
    return nullcontext()


def _summarise(
    connection: duckdb.DuckDBPyConnection, seconds: dict[str, float], model: LinkageModel
) -> LinkSummary:
    def number(query: str) -> int:
        [(n,)] = connection.execute(query).fetchall()
        return int(n)

    return LinkSummary(
        n_records=number("SELECT count(*) FROM standing.members"),
        n_changed=number(
            "SELECT count(*) FROM (SELECT record_key FROM batch UNION SELECT record_key FROM gone)"
        ),
        n_built_again=number("SELECT count(*) FROM scope"),
        n_pairs=number("SELECT count(*) FROM standing.pairs"),
        n_persons=number("SELECT count(DISTINCT person_id) FROM standing.members"),
        n_withheld=number("SELECT count(DISTINCT person) FROM standing.reviews"),
        n_withheld_by_reason=dict(
            connection.execute(
                "SELECT reason, count(DISTINCT person) FROM standing.reviews GROUP BY reason ORDER BY reason"
            ).fetchall()
        ),
        n_events=dict(
            connection.execute("""
                SELECT event, count(*) FROM standing.ledger
                WHERE run_no IN (FROM this_run) GROUP BY event ORDER BY event
            """).fetchall()
        ),
        seconds=seconds,
        model_version=model.version,
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


def _write(connection: duckdb.DuckDBPyConnection, model: LinkageModel, out: Path, *, details: bool) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    evidence = ", ".join(EVIDENCE)
    thresholds = model.thresholds
    tables = {
        "person_evidence": f"""
            SELECT
                members.person_id,
                least(l.record_id, r.record_id) AS record_id_l,
                greatest(l.record_id, r.record_id) AS record_id_r,
                links.weight AS link_weight,
                {evidence},
                veto,
                row_number() OVER (
                    PARTITION BY members.person_id ORDER BY links.weight, l.record_id, r.record_id
                ) = 1 AS is_weakest
            FROM standing.links
            JOIN standing.pairs USING (record_key_l, record_key_r)
            JOIN standing.members ON members.record_key = record_key_l
            JOIN standing.person_features AS l ON l.record_key = record_key_l
            JOIN standing.person_features AS r ON r.record_key = record_key_r
            ORDER BY person_id, record_id_l, record_id_r
        """,
        "person_review_pairs": f"""
            SELECT
                least(l.record_id, r.record_id) AS record_id_l,
                greatest(l.record_id, r.record_id) AS record_id_r,
                match_weight, guarded_weight, {probability_sql("guarded_weight", model.calibration)} AS probability, veto, {evidence}
            FROM standing_pairs
            JOIN standing.members AS one ON one.record_key = record_key_l
            JOIN standing.members AS other ON other.record_key = record_key_r AND other.person <> one.person
            JOIN standing.person_features AS l ON l.record_key = record_key_l
            JOIN standing.person_features AS r ON r.record_key = record_key_r
            WHERE guarded_weight >= {thresholds.review} OR (veto IS NOT NULL AND match_weight >= {thresholds.person_group})
            ORDER BY record_id_l, record_id_r
        """,
        "person_ledger": "FROM standing.ledger ORDER BY run_no, record_id",
        out.stem: f"""
            WITH reasons AS (
                SELECT person, list(DISTINCT reason ORDER BY reason) AS reasons FROM standing.reviews GROUP BY person
            ),
            group_ids AS ({group_ids_sql()})
            SELECT
                record_id,
                members.person_id,
                person_group_id,
                CASE
                    WHEN strongest_weight IS NULL THEN 1.0
                    ELSE {probability_sql("strongest_weight", model.calibration)}
                END AS link_probability,
                strongest_weight AS link_weight,
                count(*) OVER (PARTITION BY members.person_id) AS n_records,
                reasons IS NOT NULL AS withheld,
                coalesce(reasons, []) AS withheld_reasons,
                {text_literal(model.version)} AS model_version
            FROM standing.members
            JOIN group_ids USING (person_group)
            JOIN standing.person_features USING (record_key)
            LEFT JOIN reasons USING (person)
            ORDER BY record_id
        """,
    }
    for name, query in tables.items() if details else [(out.stem, tables[out.stem])]:
        _copy(connection, query, out.with_name(f"{name}.parquet"))


def _copy(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    beside = path.with_name(f".{path.name}.part")
    connection.execute(f"COPY ({query}) TO {text_literal(beside)} (FORMAT parquet, COMPRESSION zstd)")
    beside.replace(path)
