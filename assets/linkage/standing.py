"""The standing index: every nominal known so far, every pair that was scored, and who is who. A month is applied to it.

It is one DuckDB file, attached as `standing`. What a month does to it: nominals that are new or say something else are
scored against the index, pairs of those that changed or went are withdrawn, and only the components that any of this
touches are built again, by search over their pairs. So the cost follows the month, and the result is what linking
everything from nothing would give.

    person_features  one row a nominal                    pairs    one row a scored pair (`scoring.PAIR_COLUMNS`)
    members          record -> component, person, group   links    the pairs that hold a person together, as a tree
    reviews          person, reason for withholding       ledger   `identities.py`
    decisions        the human decisions last applied     facts    model version and size step last used
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

from assets.linkage.cleaning import read_records
from assets.linkage.decided import Decided
from assets.linkage.features import create_person_features
from assets.linkage.identities import IDENTITY_COLUMNS, LEDGER_COLUMNS, assign
from assets.linkage.model import LinkageModel, Thresholds, size_step
from assets.linkage.resolution import Edge, resolve
from assets.linkage.scoring import PAIR_COLUMNS, Scorer
from assets.linkage.settings import BLOCKING_KEYS
from assets.linkage.splink_session import columns_of, open_connection, text_list, text_literal
from assets.linkage.vetoes import HARD_VETOES, guarded_weight_sql

MEMBER_COLUMNS = {
    "record_key": "BIGINT",
    "component": "BIGINT",
    "person": "BIGINT",
    "person_group": "BIGINT",
    "strongest_weight": "DOUBLE",
    "person_id": "VARCHAR",
}
LINK_COLUMNS = {"record_key_l": "BIGINT", "record_key_r": "BIGINT", "person": "BIGINT", "weight": "DOUBLE"}
_TABLES = {
    "pairs": PAIR_COLUMNS,
    "members": MEMBER_COLUMNS,
    "links": LINK_COLUMNS,
    "reviews": {"person": "BIGINT", "reason": "VARCHAR"},
    "ledger": LEDGER_COLUMNS,
    "identities": IDENTITY_COLUMNS,
    "decisions": {
        "decision_id": "VARCHAR",
        "kind": "VARCHAR",
        "record_key_l": "BIGINT",
        "record_key_r": "BIGINT",
    },
    "facts": {"model_version": "VARCHAR", "size_step": "INTEGER"},
}


class OtherModel(Exception):
    """The index was made with another model; the message says what to do."""


@contextmanager
def standing_index(
    start: Path | None, end: Path | None, *, anew: bool = False
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the index attached as `standing`: a copy of `start`, or an empty one. On leaving without an
    error it is whole at `end`; before that, nothing is there. Without `end` it is not kept.

    `anew`: nothing of `start` goes on but who everybody was, and the history of that: everything is scored again.
    """
    target = end.with_name(f".{end.name}.part") if end else ":memory:"
    if end and isinstance(target, Path):
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        if start and not anew:
            shutil.copyfile(start, target)
    connection = open_connection()
    try:
        connection.execute(f"ATTACH {text_literal(target)} AS standing")
        if anew or not start:
            _create(connection)
        elif not end:
            connection.execute(f"ATTACH {text_literal(start)} AS kept (READ_ONLY)")
            connection.execute("COPY FROM DATABASE kept TO standing; DETACH kept")
        _remember_former(connection, start if anew else None)
        yield connection
        connection.execute("DETACH standing")
    finally:
        connection.close()
    if end and isinstance(target, Path):
        target.replace(end)


def _create(connection: duckdb.DuckDBPyConnection) -> None:
    read_records(connection, None)
    create_person_features(connection)
    connection.execute("CREATE TABLE standing.person_features AS SELECT * FROM person_features")
    for name, columns in _TABLES.items():
        connection.execute(
            f"CREATE TABLE standing.{name} ({', '.join(f'{c} {t}' for c, t in columns.items())})"
        )


def _remember_former(connection: duckdb.DuckDBPyConnection, former: Path | None) -> None:
    """Make `former_members`, who everybody was before all was linked anew, and carry the history of ids over."""
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE former_members
        (record_key BIGINT, record_id VARCHAR, person BIGINT, person_id VARCHAR, cause VARCHAR, decision_id VARCHAR)
    """)
    if former is None:
        return
    connection.execute(f"ATTACH {text_literal(former)} AS former (READ_ONLY)")
    for table in ("ledger", "identities"):
        connection.execute(f"INSERT INTO standing.{table} SELECT * FROM former.{table}")
    connection.execute("""
        INSERT INTO former_members
        SELECT record_key, record_id, NULL, person_id, 'linked_anew', NULL
        FROM former.members JOIN former.person_features USING (record_key)
    """)
    connection.execute("DETACH former")


def find_changes(connection: duckdb.DuckDBPyConnection, *, complete: bool) -> None:
    """Make `batch` (the nominals of `records` that are new or say something else than before) and `gone` (record_key,
    kind): those that changed and, where `records` is `complete`, those that are no longer in it.
    """
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE batch AS
        SELECT records.*
        FROM records
        LEFT JOIN standing.person_features AS known USING (record_key)
        WHERE known.content IS DISTINCT FROM records.content
    """)
    withdrawn = """
        UNION ALL
        SELECT record_key, 'withdrawn'
        FROM (SELECT record_key FROM standing.person_features UNION ALL SELECT record_key FROM former_members)
        ANTI JOIN records USING (record_key)
    """
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE gone AS
        SELECT record_key, 'corrected' AS kind FROM batch SEMI JOIN standing.person_features USING (record_key)
        {withdrawn if complete else ""}
    """)


def withdraw(connection: duckdb.DuckDBPyConnection, record_ids: Sequence[str]) -> None:
    """Add records to `gone`, by their ids; those that are not standing are passed over."""
    connection.execute(f"""
        INSERT INTO gone
        SELECT record_key, 'withdrawn'
        FROM standing.person_features
        WHERE record_id IN (SELECT unnest([{text_list(record_ids)}]::VARCHAR[]))
          AND record_key NOT IN (SELECT record_key FROM gone)
    """)


def advance(
    connection: duckdb.DuckDBPyConnection,
    model: LinkageModel,
    decided: Decided,
    *,
    as_of: datetime,
    timed: Callable[[str], AbstractContextManager[None]],
) -> None:
    """Apply `batch`, `gone` and the decisions to the index, as known at `as_of`; `timed` takes the time of a named step.

    Raises OtherModel.
    """
    decided.register(connection)
    _start_scope(connection)
    for table in ("person_features", "members"):
        connection.execute(f"DELETE FROM standing.{table} WHERE record_key IN (SELECT record_key FROM gone)")
    connection.execute("""
        DELETE FROM standing.pairs
        WHERE record_key_l IN (SELECT record_key FROM gone) OR record_key_r IN (SELECT record_key FROM gone)
    """)
    with timed("clean"):
        create_person_features(connection, "batch")
        # What the records said is not asked again, and a million of them take half a gigabyte.
        connection.execute("DROP TABLE records")
        connection.execute("CREATE OR REPLACE TEMP TABLE batch AS SELECT record_key FROM batch")
    connection.execute(_empty_pairs())
    [(n_batch,)] = connection.execute("SELECT count(*) FROM batch").fetchall()
    if n_batch:
        with timed("score"):
            _score_batch(connection, model)
    with timed("index"):
        connection.execute("INSERT INTO standing.person_features SELECT * FROM person_features")
        connection.execute("INSERT INTO standing.pairs BY NAME SELECT * FROM pairs")
    [(n_records,)] = connection.execute("SELECT count(*) FROM standing.person_features").fetchall()
    _note_facts(connection, model, n_records)
    _weigh(connection, model, n_records)
    with timed("components"):
        _widen_scope(connection, model.thresholds)
        connection.execute(f"INSERT INTO old_members {_old_members('scope')}")
        _components(connection, model.thresholds)
    with timed("score"):
        _score_inside(connection, model)
    with timed("resolve"):
        contested = _resolve(connection, model.thresholds)
    with timed("identify"):
        assign(connection, as_of=as_of, model_version=model.version)
        _replace(connection)
        _write_tree(connection)
        _review(connection, model.thresholds, contested)
        connection.execute(
            "DELETE FROM standing.decisions; INSERT INTO standing.decisions SELECT * FROM decided"
        )


def _weigh(connection: duckdb.DuckDBPyConnection, model: LinkageModel, n_records: int) -> None:
    """Make the view `standing_pairs` (`weighed_pairs_sql`)."""
    connection.execute(f"CREATE OR REPLACE TEMP VIEW standing_pairs AS {weighed_pairs_sql(model, n_records)}")


def weighed_pairs_sql(model: LinkageModel, n_records: int) -> str:
    """A select of the stored pairs with their match weight in a file of this size, before and after the guards."""
    prior, national_prior = model.prior_weight(n_records), model.national_prior_weight(n_records)
    return f"""
        SELECT
            *,
            evidence + {prior} AS match_weight,
            {guarded_weight_sql("evidence", prior, national_prior)} AS guarded_weight
        FROM standing.pairs
    """


def _empty_pairs() -> str:
    return f"CREATE OR REPLACE TEMP TABLE pairs ({', '.join(f'{c} {t}' for c, t in PAIR_COLUMNS.items())})"


def _start_scope(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `touched_components` (component, cause, decision_id): those that lose a record or about which people decided
    otherwise than before; and `old_members`, who the records that go were.
    """
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE touched_components AS
        WITH other_decisions AS (
            (FROM decided EXCEPT FROM standing.decisions) UNION ALL (FROM standing.decisions EXCEPT FROM decided)
        ),
        touched AS (
            SELECT record_key_l AS record_key, 'decision' AS cause, decision_id FROM other_decisions
            UNION ALL SELECT record_key_r, 'decision', decision_id FROM other_decisions
            UNION ALL SELECT record_key, CASE kind WHEN 'withdrawn' THEN 'withdrawal' ELSE 'correction' END, NULL FROM gone
        )
        SELECT component, arg_min(cause, list_position(['decision', 'withdrawal', 'correction'], cause)) AS cause,
            min(decision_id) AS decision_id
        FROM standing.members
        JOIN touched USING (record_key)
        GROUP BY component
    """)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE old_members AS {_old_members('gone')} UNION ALL FROM former_members"
    )


def _old_members(records: str) -> str:
    return f"""
        SELECT record_key, record_id, person, person_id, cause, decision_id
        FROM standing.members
        JOIN standing.person_features USING (record_key)
        LEFT JOIN touched_components USING (component)
        WHERE record_key IN (SELECT record_key FROM {records})
    """


def _score_batch(connection: duckdb.DuckDBPyConnection, model: LinkageModel) -> None:
    """Fill `pairs` with those inside the batch and those between it and what stands."""
    meets = " UNION ALL ".join(
        f"SELECT record_key FROM standing.person_features SEMI JOIN person_features USING ({', '.join(keys)})"
        for keys in BLOCKING_KEYS
    )
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE candidates AS
        SELECT * FROM standing.person_features WHERE record_key IN (SELECT DISTINCT record_key FROM ({meets}))
    """)
    [(n_candidates,)] = connection.execute("SELECT count(*) FROM candidates").fetchall()
    if not n_candidates:
        Scorer(connection, model, "person_features").within("person_features")
        return
    connection.execute(
        "CREATE OR REPLACE TEMP VIEW met_features AS FROM person_features UNION ALL FROM candidates"
    )
    scorer = Scorer(connection, model, "met_features")
    scorer.within("person_features")
    scorer.between("candidates", "person_features")


def _note_facts(connection: duckdb.DuckDBPyConnection, model: LinkageModel, n_records: int) -> None:
    """Weights moved for all if the file grew by a step: then every component is in scope. Another model cannot go on."""
    known = connection.execute("SELECT model_version, size_step FROM standing.facts").fetchall()
    if known and known[0][0] != model.version:
        raise OtherModel(
            f"the standing index was made with model {known[0][0]}, not {model.version}; link everything anew instead"
        )
    step = size_step(n_records)
    if known and known[0][1] != step:
        connection.execute(
            "INSERT INTO touched_components SELECT DISTINCT component, 'size_of_the_file', NULL FROM standing.members"
            " WHERE component NOT IN (SELECT component FROM touched_components)"
        )
    connection.execute("DELETE FROM standing.facts")
    connection.execute(f"INSERT INTO standing.facts VALUES ({text_literal(model.version)}, {step})")


def _widen_scope(connection: duckdb.DuckDBPyConnection, thresholds: Thresholds) -> None:
    """Make `scope` (record_key): the batch, and every record of a component that is touched or that the batch meets."""
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE scope AS
        WITH met AS (
            SELECT record_key_l, record_key_r FROM standing_pairs SEMI JOIN pairs USING (record_key_l, record_key_r)
            WHERE {_is_edge(thresholds)}
            UNION ALL
            -- Somebody may have decided about a record before it came.
            SELECT record_key_l, record_key_r FROM decided
            WHERE record_key_l IN (FROM batch) OR record_key_r IN (FROM batch)
        )
        FROM batch
        UNION
        SELECT record_key
        FROM standing.members
        WHERE component IN (
            SELECT component FROM touched_components
            UNION
            SELECT component FROM standing.members
            WHERE record_key IN (SELECT record_key_l FROM met UNION ALL SELECT record_key_r FROM met)
        )
    """)


def _is_edge(thresholds: Thresholds) -> str:
    """SQL for whether a pair ties two records into one component: linked, or one without a birth date claimed by the other."""
    return (
        f"(guarded_weight >= {thresholds.person_group}"
        f" OR (veto = 'birth_date_unknown' AND match_weight >= {thresholds.person_group}))"
    )


def _components(connection: duckdb.DuckDBPyConnection, thresholds: Thresholds) -> None:
    """Make `components` (record_key, component) of the scope: connected by blocked pairs or by a decision."""
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE edges AS
        SELECT record_key_l, record_key_r
        FROM standing_pairs
        SEMI JOIN scope ON scope.record_key = record_key_l
        WHERE blocked AND {_is_edge(thresholds)}
        UNION ALL
        SELECT record_key_l, record_key_r
        FROM decided
        SEMI JOIN scope AS l ON l.record_key = record_key_l
        SEMI JOIN scope AS r ON r.record_key = record_key_r
        WHERE kind = 'must_link'
    """)
    _label_connected(connection, "scope", "edges", "components", "component")


def _label_connected(
    connection: duckdb.DuckDBPyConnection, nodes: str, edges: str, table: str, label: str
) -> None:
    """Make `table` (record_key, `label`): the connected components of `nodes`, each named by its least record."""
    keys = columns_of(connection, f"SELECT record_key FROM {nodes} ORDER BY record_key")["record_key"]
    found = columns_of(connection, f"SELECT record_key_l AS l, record_key_r AS r FROM {edges}")
    n, left, right = len(keys), np.searchsorted(keys, found["l"]), np.searchsorted(keys, found["r"])
    graph = coo_array((np.ones(len(left), np.int8), (left, right)), shape=(n, n))
    _, labels = connected_components(graph, directed=False)
    # Keys ascend, so the first record that bears a label is the least of its component.
    _, first, which = np.unique(labels, return_index=True, return_inverse=True)
    _register(connection, table, {"record_key": keys, label: keys[first][which]})


def _register(connection: duckdb.DuckDBPyConnection, table: str, columns: dict[str, object]) -> None:
    connection.register("arrived", pa.table(columns))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT * FROM arrived")
    connection.unregister("arrived")


def _score_inside(connection: duckdb.DuckDBPyConnection, model: LinkageModel) -> None:
    """Blocking misses true pairs; inside a component the guards must see them all. What was scored for that reason only
    and is no longer inside one goes.
    """
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE apart AS
        SELECT record_key_l, record_key_r
        FROM standing.pairs
        JOIN components AS l ON l.record_key = record_key_l
        JOIN components AS r ON r.record_key = record_key_r
        WHERE NOT blocked AND l.component <> r.component
    """)
    connection.execute("""
        DELETE FROM standing.pairs USING apart
        WHERE pairs.record_key_l = apart.record_key_l AND pairs.record_key_r = apart.record_key_r
    """)
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE unblocked AS
        SELECT l.record_key AS join_key_l, r.record_key AS join_key_r
        FROM components AS l
        JOIN components AS r ON l.component = r.component AND l.record_key < r.record_key
        ANTI JOIN standing.pairs ON record_key_l = l.record_key AND record_key_r = r.record_key
    """)
    [(n_unblocked,)] = connection.execute("SELECT count(*) FROM unblocked").fetchall()
    if not n_unblocked:
        return
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE unblocked_features AS
        SELECT * FROM standing.person_features
        SEMI JOIN (SELECT join_key_l AS record_key FROM unblocked UNION SELECT join_key_r FROM unblocked)
            USING (record_key)
    """)
    connection.execute(_empty_pairs())
    Scorer(connection, model, "unblocked_features").chosen("unblocked")
    connection.execute("INSERT INTO standing.pairs BY NAME SELECT * FROM pairs")


def _resolve(connection: duckdb.DuckDBPyConnection, thresholds: Thresholds) -> frozenset[int]:
    """Make `labelled` (record_key, component, person, person_group) and `holding`, the pairs inside people; give the
    people that are tied to another.

    Where nothing stands against anything, connected records are one person. Components with a pair below the floor, a
    hard veto, an unknown birth date or a decision are walked through step by step, under the guards of `resolution.py`.
    """
    hard = ", ".join(text_literal(name) for name in sorted(HARD_VETOES))
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE inside AS
        SELECT
            l.component, record_key_l, record_key_r, guarded_weight, decided.kind AS decision,
            coalesce(veto IN ({hard}), false) AS hard_veto,
            CASE veto WHEN 'birth_date_unknown' THEN match_weight END AS claim,
            guarded_weight < {thresholds.mean_floor} OR hard_veto OR claim IS NOT NULL OR decision IS NOT NULL AS in_doubt
        FROM standing_pairs
        JOIN components AS l ON l.record_key = record_key_l
        JOIN components AS r ON r.record_key = record_key_r AND r.component = l.component
        LEFT JOIN decided USING (record_key_l, record_key_r)
    """)
    _find_cores(connection, thresholds)
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE core_pairs AS
        SELECT
            inside.component,
            least(l.core, r.core) AS one,
            greatest(l.core, r.core) AS other,
            max(guarded_weight) AS best,
            sum(guarded_weight ORDER BY record_key_l, record_key_r) AS total,
            count(*) AS n_pairs,
            bool_or(hard_veto) AS hard_veto,
            -- Decisions that contradict each other were refused before.
            max(decision) AS decision,
            max(claim) AS claim
        FROM inside
        JOIN cores AS l ON l.record_key = record_key_l
        JOIN cores AS r ON r.record_key = record_key_r AND r.core <> l.core
        SEMI JOIN (SELECT DISTINCT component FROM inside WHERE in_doubt) AS doubtful
            ON doubtful.component = inside.component
        GROUP BY inside.component, one, other
    """)
    edges = connection.execute("FROM core_pairs ORDER BY component, one, other").fetchall()
    n_dated = connection.execute("""
        SELECT core, count(date_of_birth)
        FROM cores
        SEMI JOIN (SELECT one AS core FROM core_pairs UNION SELECT other FROM core_pairs) USING (core)
        JOIN standing.person_features USING (record_key)
        GROUP BY core
    """).fetchall()
    resolved = resolve((Edge(*edge) for edge in edges), dict(n_dated), thresholds)
    _register(
        connection,
        "resolved",
        {
            "core": pa.array(resolved.persons.keys(), pa.int64()),
            "person": pa.array(resolved.persons.values(), pa.int64()),
            "person_group": pa.array(resolved.person_groups.values(), pa.int64()),
        },
    )
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE labelled AS
        SELECT
            record_key,
            component,
            coalesce(resolved.person, core) AS person,
            coalesce(resolved.person_group, component) AS person_group
        FROM components
        JOIN cores USING (record_key)
        LEFT JOIN resolved USING (core)
    """)
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE holding AS
        SELECT record_key_l, record_key_r, l.person, guarded_weight AS weight
        FROM inside
        JOIN labelled AS l ON l.record_key = record_key_l
        JOIN labelled AS r ON r.record_key = record_key_r AND r.person = l.person
    """)
    return resolved.contested


def _find_cores(connection: duckdb.DuckDBPyConnection, thresholds: Thresholds) -> None:
    """Make `cores` (record_key, core): records that are strictly linked and have nothing in doubt between them. Of two
    records with something in doubt between them, the one with more such fellows stays outside, or both.
    """
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE outside AS
        WITH doubts AS (
            SELECT record_key_l AS record_key, record_key_r AS other FROM inside WHERE in_doubt
            UNION ALL
            SELECT record_key_r, record_key_l FROM inside WHERE in_doubt
        ),
        counted AS (SELECT record_key, count(*) AS n_doubts FROM doubts GROUP BY record_key)
        SELECT DISTINCT doubts.record_key
        FROM doubts
        JOIN counted AS own ON own.record_key = doubts.record_key
        JOIN counted AS others ON others.record_key = doubts.other
        WHERE own.n_doubts >= others.n_doubts
        UNION
        -- What people decided is about these records, not about those that score well with them.
        SELECT unnest([record_key_l, record_key_r]) FROM inside WHERE decision IS NOT NULL
    """)
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE core_edges AS
        SELECT record_key_l, record_key_r
        FROM inside
        ANTI JOIN outside AS l ON l.record_key = record_key_l
        ANTI JOIN outside AS r ON r.record_key = record_key_r
        WHERE guarded_weight >= {thresholds.person}
    """)
    _label_connected(connection, "scope", "core_edges", "cores", "core")


def _replace(connection: duckdb.DuckDBPyConnection) -> None:
    """Put the people of the scope in the place of those that stood."""
    for table in ("links", "reviews"):
        connection.execute(f"DELETE FROM standing.{table} WHERE person IN (SELECT person FROM old_members)")
    connection.execute("DELETE FROM standing.members WHERE record_key IN (SELECT record_key FROM scope)")
    connection.execute("""
        INSERT INTO standing.members
        WITH strongest AS (
            SELECT record_key, max(weight) AS strongest_weight
            FROM (
                SELECT record_key_l AS record_key, weight FROM holding
                UNION ALL SELECT record_key_r, weight FROM holding
            )
            GROUP BY record_key
        )
        SELECT labelled.*, strongest_weight, person_id
        FROM labelled
        JOIN new_ids USING (person)
        LEFT JOIN strongest USING (record_key)
    """)


def _write_tree(connection: duckdb.DuckDBPyConnection) -> None:
    """Add to `standing.links` the strongest tree of each person: without any one of its links, the person falls in two."""
    columns = columns_of(connection, "FROM holding ORDER BY record_key_l, record_key_r")
    left, right, weight = columns["record_key_l"], columns["record_key_r"], columns["weight"]
    keys = np.unique(np.concatenate([left, right]))
    n = len(keys)
    # The library looks for the least tree and takes nought for no link at all.
    cost = weight.max(initial=0.0) + 1.0 - weight
    graph = coo_array((cost, (np.searchsorted(keys, left), np.searchsorted(keys, right))), shape=(n, n))
    tree = coo_array(minimum_spanning_tree(graph.tocsr()))
    _register(connection, "tree", {"record_key_l": keys[tree.row], "record_key_r": keys[tree.col]})
    connection.execute("""
        INSERT INTO standing.links
        SELECT holding.* FROM holding
        JOIN tree ON least(tree.record_key_l, tree.record_key_r) = holding.record_key_l
            AND greatest(tree.record_key_l, tree.record_key_r) = holding.record_key_r
    """)


def _review(connection: duckdb.DuckDBPyConnection, thresholds: Thresholds, contested: frozenset[int]) -> None:
    """Add to `standing.reviews` the people that may not be ranked before somebody has looked. Somebody has, where people
    decided of each record that it belongs to another of the same person.
    """
    _register(connection, "contested", {"person": pa.array(sorted(contested), pa.int64())})
    connection.execute(f"""
        INSERT INTO standing.reviews
        WITH persons AS (
            SELECT
                person,
                count(*) AS n_records,
                count(DISTINCT sex) AS n_sexes,
                date_diff('year', min(date_of_birth), max(date_of_birth)) AS birth_date_spread_years
            FROM labelled
            JOIN standing.person_features USING (record_key)
            LEFT JOIN (
                SELECT DISTINCT unnest([record_key_l, record_key_r]) AS record_key FROM decided WHERE kind = 'must_link'
            ) AS looked_at USING (record_key)
            GROUP BY person
            HAVING count(looked_at.record_key) < count(*)
        )
        SELECT person, 'too_many_records' FROM persons WHERE n_records > {thresholds.greatest_n_records}
        UNION ALL
        SELECT person, 'two_sexes' FROM persons WHERE n_sexes > 1
        UNION ALL
        SELECT person, 'birth_dates_far_apart' FROM persons
        WHERE birth_date_spread_years > {thresholds.greatest_birth_date_spread_years}
        UNION ALL
        SELECT person, 'tied_to_another_person' FROM contested
    """)
