"""Building people again: the components that a month touches, from their scored pairs to who is who.

Each step reads and makes temporary tables, named where they are made; of the standing index it takes what lies in the
`scope` once, so that what a step costs follows the scope and not the nation. `standing.py` says which records that is.
"""

from __future__ import annotations

import duckdb
import numpy as np
from numpy.typing import NDArray

from assets.linkage.graphs import first_connected, strongest_tree
from assets.linkage.model import LinkageModel, Thresholds
from assets.linkage.resolution import Edge, resolve
from assets.linkage.scoring import PAIR_COLUMNS, features_of_pairs, score
from assets.linkage.splink_session import columns_of, text_literal
from assets.linkage.vetoes import HARD_VETOES, guarded_weight_sql


def empty_pairs_sql() -> str:
    """The statement that makes an empty `pairs`, for `scoring.score` to fill."""
    return f"CREATE OR REPLACE TEMP TABLE pairs ({', '.join(f'{c} {t}' for c, t in PAIR_COLUMNS.items())})"


def weighed_pairs_sql(model: LinkageModel, n_records: int, pairs: str = "standing.pairs") -> str:
    """A select of scored pairs with their match weight in a file of this size, before and after the guards."""
    prior, national_prior = model.prior_weight(n_records), model.national_prior_weight(n_records)
    return f"""
        SELECT
            *,
            evidence + {prior} AS match_weight,
            {guarded_weight_sql("evidence", prior, national_prior)} AS guarded_weight
        FROM {pairs}
    """


def is_edge_sql(thresholds: Thresholds) -> str:
    """SQL for whether a pair ties two records into one component: linked, or one without a birth date claimed by the other."""
    return (
        f"(guarded_weight >= {thresholds.person_group}"
        f" OR (veto = 'birth_date_unknown' AND match_weight >= {thresholds.person_group}))"
    )


_SCOPE_PAIR_COLUMNS = "record_key_l, record_key_r, veto, blocked, match_weight, guarded_weight"


def gather_scope(connection: duckdb.DuckDBPyConnection, model: LinkageModel, n_records: int) -> None:
    """Make `scope_records` (record_key, record_id, sex, date_of_birth) and `scope_pairs`, all stored pairs inside `scope`,
    weighed as in a file of `n_records`.
    """
    [(n_scope,)] = connection.execute("SELECT count(*) FROM scope").fetchall()
    inside = "" if n_scope == n_records else "SEMI JOIN scope USING (record_key)"
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE scope_records AS
        SELECT record_key, record_id, sex, date_of_birth FROM standing.person_features {inside}
    """)
    both_inside = (
        ""
        if n_scope == n_records
        else "SEMI JOIN scope AS l ON l.record_key = record_key_l SEMI JOIN scope AS r ON r.record_key = record_key_r"
    )
    stored = f"(SELECT record_key_l, record_key_r, evidence, veto, blocked FROM standing.pairs {both_inside})"
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE scope_pairs AS
        SELECT {_SCOPE_PAIR_COLUMNS} FROM ({weighed_pairs_sql(model, n_records, stored)})
    """)


def find_components(connection: duckdb.DuckDBPyConnection, thresholds: Thresholds) -> None:
    """Make `components` (record_key, component) of the scope: connected by blocked pairs or by a decision."""
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE edges AS
        SELECT record_key_l, record_key_r FROM scope_pairs WHERE blocked AND {is_edge_sql(thresholds)}
        UNION ALL
        SELECT record_key_l, record_key_r
        FROM decided
        SEMI JOIN scope AS l ON l.record_key = record_key_l
        SEMI JOIN scope AS r ON r.record_key = record_key_r
        WHERE kind = 'must_link'
    """)
    label_connected(connection, "scope", "edges", "components", "component")


def label_connected(
    connection: duckdb.DuckDBPyConnection, nodes: str, edges: str, table: str, label: str
) -> None:
    """Make `table` (record_key, `label`): the connected components of `nodes`, each named by its least record."""
    keys = np.sort(columns_of(connection, f"SELECT record_key FROM {nodes}")["record_key"])
    found = columns_of(connection, f"SELECT record_key_l AS l, record_key_r AS r FROM {edges}")
    first = first_connected(len(keys), np.searchsorted(keys, found["l"]), np.searchsorted(keys, found["r"]))
    _register(connection, table, {"record_key": keys, label: keys[first]})


def _register(
    connection: duckdb.DuckDBPyConnection, table: str, columns: dict[str, NDArray[np.int64]]
) -> None:
    # Arrays as they are: Arrow would import pandas, which takes longer than to undo a merge.
    connection.register("arrived", columns)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT * FROM arrived")
    connection.unregister("arrived")


def score_inside(connection: duckdb.DuckDBPyConnection, model: LinkageModel, n_records: int) -> None:
    """Blocking misses true pairs; inside a component the guards must see them all. What was scored for that reason only
    and is no longer inside one goes. Both in `standing.pairs` and in `scope_pairs`.
    """
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE apart AS
        SELECT record_key_l, record_key_r
        FROM scope_pairs
        JOIN components AS l ON l.record_key = record_key_l
        JOIN components AS r ON r.record_key = record_key_r
        WHERE NOT blocked AND l.component <> r.component
    """)
    if _n_rows(connection, "apart"):
        for table in ("standing.pairs", "scope_pairs"):
            connection.execute(f"""
                DELETE FROM {table} AS scored USING apart
                WHERE scored.record_key_l = apart.record_key_l AND scored.record_key_r = apart.record_key_r
            """)
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE unblocked AS
        WITH several AS (SELECT component FROM components GROUP BY component HAVING count(*) > 1),
        together AS (SELECT * FROM components SEMI JOIN several USING (component))
        SELECT l.record_key AS record_key_l, r.record_key AS record_key_r
        FROM together AS l
        JOIN together AS r ON l.component = r.component AND l.record_key < r.record_key
        ANTI JOIN scope_pairs ON scope_pairs.record_key_l = l.record_key AND scope_pairs.record_key_r = r.record_key
    """)
    if not _n_rows(connection, "unblocked"):
        return
    features_of_pairs(connection, model, "unblocked", "unblocked_features")
    connection.execute(empty_pairs_sql())
    score(connection, model, "unblocked", "unblocked_features", blocked=False)
    connection.execute("INSERT INTO standing.pairs BY NAME SELECT * FROM pairs")
    connection.execute(
        f"INSERT INTO scope_pairs SELECT {_SCOPE_PAIR_COLUMNS} FROM ({weighed_pairs_sql(model, n_records, 'pairs')})"
    )


def _n_rows(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    [(n,)] = connection.execute(f"SELECT count(*) FROM {table}").fetchall()
    return int(n)


def find_persons(connection: duckdb.DuckDBPyConnection, thresholds: Thresholds) -> frozenset[int]:
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
        FROM scope_pairs
        JOIN components AS l ON l.record_key = record_key_l
        JOIN components AS r ON r.record_key = record_key_r AND r.component = l.component
        LEFT JOIN decided USING (record_key_l, record_key_r)
    """)
    _find_cores(connection, thresholds)
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE core_pairs AS
        WITH doubtful AS (
            SELECT * FROM inside SEMI JOIN (SELECT component FROM inside WHERE in_doubt) USING (component)
        )
        SELECT
            doubtful.component,
            least(l.core, r.core) AS one,
            greatest(l.core, r.core) AS other,
            max(guarded_weight) AS best,
            sum(guarded_weight ORDER BY record_key_l, record_key_r) AS total,
            count(*) AS n_pairs,
            bool_or(hard_veto) AS hard_veto,
            -- Decisions that contradict each other were refused before.
            max(decision) AS decision,
            max(claim) AS claim
        FROM doubtful
        JOIN cores AS l ON l.record_key = record_key_l
        JOIN cores AS r ON r.record_key = record_key_r AND r.core <> l.core
        GROUP BY doubtful.component, one, other
    """)
    edges = connection.execute("FROM core_pairs ORDER BY component, one, other").fetchall()
    n_dated = connection.execute("""
        SELECT core, count(date_of_birth)
        FROM cores
        SEMI JOIN (SELECT one AS core FROM core_pairs UNION SELECT other FROM core_pairs) USING (core)
        JOIN scope_records USING (record_key)
        GROUP BY core
    """).fetchall()
    resolved = resolve((Edge(*edge) for edge in edges), dict(n_dated), thresholds)
    _register(
        connection,
        "resolved",
        {
            "core": np.array([*resolved.persons], np.int64),
            "person": np.array([*resolved.persons.values()], np.int64),
            "person_group": np.array([*resolved.person_groups.values()], np.int64),
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
    label_connected(connection, "scope", "core_edges", "cores", "core")


def replace_members(connection: duckdb.DuckDBPyConnection) -> None:
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


def write_tree(connection: duckdb.DuckDBPyConnection) -> None:
    """Add to `standing.links` the strongest tree of each person: without any one of its links, the person falls in two."""
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE of_several AS
        SELECT * FROM holding
        SEMI JOIN (SELECT person FROM holding GROUP BY person HAVING count(*) > 1) USING (person)
    """)
    columns = columns_of(connection, "FROM of_several ORDER BY weight DESC, record_key_l, record_key_r")
    left, right = columns["record_key_l"], columns["record_key_r"]
    # Not `unique`, which brings another half a second of imports.
    ends = np.sort(np.concatenate([left, right]))
    keys = ends[np.diff(ends, prepend=-1) != 0]
    kept = strongest_tree(len(keys), np.searchsorted(keys, left), np.searchsorted(keys, right))
    _register(connection, "tree", {"record_key_l": left[kept], "record_key_r": right[kept]})
    connection.execute("""
        INSERT INTO standing.links
        SELECT holding.* FROM holding ANTI JOIN of_several USING (person)
        UNION ALL
        SELECT of_several.* FROM of_several
        JOIN tree USING (record_key_l, record_key_r)
    """)


def find_withheld(
    connection: duckdb.DuckDBPyConnection, thresholds: Thresholds, contested: frozenset[int]
) -> None:
    """Add to `standing.reviews` the people that may not be ranked before somebody has looked. Somebody has, where people
    decided of each record that it belongs to another of the same person.
    """
    _register(connection, "contested", {"person": np.array(sorted(contested), np.int64)})
    connection.execute(f"""
        INSERT INTO standing.reviews
        WITH persons AS (
            SELECT
                person,
                count(*) AS n_records,
                min(sex) <> max(sex) AS has_two_sexes,
                date_diff('year', min(date_of_birth), max(date_of_birth)) AS birth_date_spread_years
            FROM labelled
            JOIN scope_records USING (record_key)
            LEFT JOIN (
                SELECT DISTINCT unnest([record_key_l, record_key_r]) AS record_key FROM decided WHERE kind = 'must_link'
            ) AS looked_at USING (record_key)
            GROUP BY person
            HAVING count(looked_at.record_key) < count(*)
        )
        SELECT person, 'too_many_records' FROM persons WHERE n_records > {thresholds.greatest_n_records}
        UNION ALL
        SELECT person, 'two_sexes' FROM persons WHERE has_two_sexes
        UNION ALL
        SELECT person, 'birth_dates_far_apart' FROM persons
        WHERE birth_date_spread_years > {thresholds.greatest_birth_date_spread_years}
        UNION ALL
        SELECT person, 'tied_to_another_person' FROM contested
    """)
