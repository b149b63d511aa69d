"""Linking: which nominals of the nation are one person. Files in, files out; no orchestration here."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from assets.linkage.cleaning import read_records
from assets.linkage.decided import Decided
from assets.linkage.model import MODEL, LinkageModel, read_model
from assets.linkage.outputs import crosswalk_sql, write_changes, write_crosswalk, write_details
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
    out: Path | None,
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
    changes: Path | None = None,
) -> LinkSummary:
    """Link `records` (`cleaning.RECORD_COLUMNS`, one row a nominal) and write who is who to `out`.

    With `standing`, the index of an earlier run, only what is new or changed since is linked; the index as it is then
    goes to `keep`; where that is the same file, it is changed in place, in one transaction. `anew` takes over from it who everybody was, and scores everything again: for another model, or to see
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

    `changes` gets the rows of person_links that the run changed (`outputs.write_changes`). Without `out` nothing else is
    written, and what the run costs follows what it changes: so a decision is applied to a nation's index in a moment.

    Same records, model, decisions and standing index, same bytes, in whatever order the records come. Raises ValueError
    where a record_id is missing or repeated, FileNotFoundError where there is no model, OtherModel where the index was
    made with another, OtherLayout where it was made by another version of this program.
    """
    if anew and changes:
        raise ValueError("linked anew, everybody is new: there are no changes to write, only links")
    trained = read_model(model)
    seconds: dict[str, float] = {}
    with standing_index(standing, keep, anew=anew) as connection:
        with _timed(seconds, "read"):
            read_records(connection, records)
            find_changes(connection, complete=complete and records is not None)
            withdraw(connection, withdrawn)
        rows_sql = crosswalk_sql(trained) if changes else None
        advance(
            connection,
            trained,
            decided or Decided(),
            as_of=as_of,
            timed=lambda step: _timed(seconds, step),
            rows_sql=rows_sql,
        )
        with _timed(seconds, "write"):
            if changes:
                write_changes(connection, trained, changes)
            if out:
                write_crosswalk(connection, trained, out)
            if out and details:
                write_details(connection, trained, out.parent)
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
            "SELECT (SELECT count(*) FROM batch) + (SELECT count(*) FROM gone ANTI JOIN batch USING (record_key))"
        ),
        n_built_again=number("SELECT count(*) FROM scope"),
        n_pairs=number("SELECT count(*) FROM standing.pairs"),
        n_persons=number("SELECT count(*) FROM standing.identities WHERE retired_run IS NULL"),
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
