"""A release laid out for looking up: one DuckDB file a release, made when the hub first reads it, of the release and nothing else.

Parquet is what a release is and what analysts read whole. A page asks for one person or one stretch of a list, a hundred times a
minute; for that the marts lie here once more, sorted and indexed as `codes/lookup_keys.csv` says, with the alerts of the month and what a search compares worked out.
The file can be deleted at any time. Of an encrypted release it is encrypted with the release's key, and what is written on the way to it;
its folder is open to the account alone that the hub runs under.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb

from hub.access import ALERTS
from hub.connections import literal
from hub.parameters import rows

# What the file is called inside a connection.
NAME = "lookups"
# Raised when what is laid out changes, so that an older file is made again.
VERSION = 2
VICTIM_ALERTS, WORK_LIST, TERMS = "month_victim_alerts", "closed_without_order", "nominal_search_terms"
# What is worked out, as a manifest tells of a mart, so that the same rules hold it.
DERIVED: Mapping[str, Mapping[str, Any]] = {
    ALERTS: {"file": f"identifiable/{ALERTS}", "encrypted": False},
    VICTIM_ALERTS: {"file": f"victims/{VICTIM_ALERTS}", "encrypted": False},
    WORK_LIST: {"file": f"identifiable/{WORK_LIST}", "encrypted": False},
    TERMS: {"file": f"identifiable/{TERMS}", "encrypted": False},
}
_LISTED = "person_id IN (SELECT person_id FROM perpetrator_lists)"
_IN_MONTH = "{0} >= $first::date AND {0} < $first::date + INTERVAL 1 MONTH"
# Alerts: what happened in the month to persons on its lists, and suspects whom no earlier event of a victim names.
_ALERT_SQL = {
    ALERTS: f"""
        SELECT 'order' AS kind, person_id, event_on, force_code, event_in_words AS says, event_id AS told_by
        FROM perpetrator_timelines
        WHERE role = 'respondent' AND {_LISTED} AND {_IN_MONTH.format("event_on")}
            AND event_kind IN ('order_granted', 'order_varied', 'order_rescinded', 'order_breached')
        UNION ALL
        SELECT 'elsewhere', t.person_id, t.reported_at::date, t.force_code, t.event_in_words, t.event_id
        FROM perpetrator_timelines AS t JOIN ranked_perpetrators AS r ON t.person_id = r.person_id
        WHERE t.event_kind = 'crime' AND t.role = 'suspect' AND t.force_code <> r.owner_force_code
            AND t.{_LISTED} AND {_IN_MONTH.format("t.reported_at::date")}
    """,
    VICTIM_ALERTS: f"""
        SELECT
            'new_suspect' AS kind, s.suspect AS person_id, min(s.day) AS event_on, min_by(s.force_code, s.day) AS force_code,
            'New suspect of victim ' || s.person_id AS says, s.person_id AS told_by
        FROM (
            SELECT person_id, force_code, reported_at::date AS day, unnest(suspect_person_ids) AS suspect
            FROM victim_timelines WHERE event_kind = 'crime'
        ) AS s
        JOIN (SELECT person_id, min(reported_at::date) AS first_day FROM victim_timelines GROUP BY person_id) AS v
            ON s.person_id = v.person_id AND v.first_day < $first::date
        GROUP BY s.person_id, s.suspect
        HAVING {_IN_MONTH.format("min(s.day)")}
    """,
}
# Allegations closed without an order, in the order they are worked through.
_WORK_LIST_SQL = """
    SELECT
        row_number() OVER (
            ORDER BY p.n_closed_without_order DESC NULLS LAST, a.closed_on DESC, a.person_id, a.offence_id
        ) AS row_no,
        a.*, p.n_closed_without_order, p.management_in_words
    FROM allegations_closed_without_action AS a LEFT JOIN perpetrator_profiles AS p ON a.person_id = p.person_id
    WHERE a.order_status = 'no order recorded'
    ORDER BY row_no
"""
# What a search compares: names in small letters without accents, postcodes and identifiers without blanks.
PLAIN = "regexp_replace(lower(strip_accents(coalesce({}, ''))), '[^a-z0-9 ]', '', 'g')"
TIGHT = "regexp_replace(upper(coalesce({}, '')), '[^A-Z0-9]', '', 'g')"
_FORENAMES, _SURNAME = PLAIN.format("forenames"), PLAIN.format("surname")
# One row a nominal, kind and term: worked out once, where a search would do so for everybody.
_TERMS_SQL = f"""
    SELECT DISTINCT record_id, force_code, kind, term FROM (
        SELECT record_id, force_code, 'name' AS kind, unnest(
            [
                trim({_FORENAMES} || ' ' || {_SURNAME}),
                trim(split_part({_FORENAMES}, ' ', 1) || ' ' || {_SURNAME}),
                trim({_SURNAME} || ' ' || {_FORENAMES}),
                {_SURNAME}
            ] || list_transform(coalesce(alias_full_names, []), lambda x: {PLAIN.format("x")})
        ) AS term
        FROM suspect_nominals
        UNION ALL
        SELECT record_id, force_code, 'postcode', unnest(
            [{TIGHT.format("postcode")}]
            || list_transform(coalesce(earlier_postcodes, []), lambda p: {TIGHT.format("p")})
        )
        FROM suspect_nominals
        UNION ALL
        SELECT record_id, force_code, 'identifier', unnest([
            {", ".join(TIGHT.format(c) for c in ("pnc_id", "cro_number", "phone", "person_ref", "person_id"))}
        ])
        FROM suspect_nominals
    )
    WHERE term <> ''
    ORDER BY record_id, kind, term
"""
_NEEDS = {
    TERMS: {"suspect_nominals"},
    ALERTS: {"perpetrator_timelines", "perpetrator_lists", "ranked_perpetrators"},
    VICTIM_ALERTS: {"victim_timelines"},
    WORK_LIST: {"allegations_closed_without_action", "perpetrator_profiles"},
}


def derived(marts: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    """The tables that are worked out of these marts, as a manifest tells of a mart."""
    return {name: held for name, held in DERIVED.items() if _NEEDS[name] <= set(marts)}


def lay_out(
    connection: duckdb.DuckDBPyConnection,
    file: Path,
    sources: Mapping[str, str],
    *,
    period: str,
    key: str | None,
) -> Path:
    """Write the file of a release unless it is there. `sources`: mart -> the SQL that reads it; `period`: its month, 2026-02.

    It appears whole; files of releases that are gone are left to `clear`. Raises duckdb.Error.
    """
    if file.is_file():
        return file
    _make_own(file.parent)
    partial = file.with_name(f".{file.name}.{os.getpid()}.partial")
    partial.unlink(missing_ok=True)
    try:
        # What does not fit into memory while it is sorted lies beside the file, and as the file does.
        connection.execute(f"SET temp_directory = {literal(str(file.parent))}")
        connection.execute(f"SET temp_file_encryption = {bool(key)}")
        attach(connection, partial, key, read_only=False)
        connection.execute(f"USE {NAME}")
        keys = {row["mart"]: row for row in rows("lookup_keys")}
        for mart, source in sources.items():
            _copy(connection, mart, source, keys.get(mart, {}))
        for name, query in ((WORK_LIST, _WORK_LIST_SQL), (TERMS, _TERMS_SQL)):
            if name in derived(sources):
                connection.execute(f"CREATE TABLE {name} AS {query}")
        for name in _ALERT_SQL.keys() & derived(sources).keys():
            # The id holds from release to release, for who takes an alert up.
            connection.execute(
                f"CREATE TABLE {name} AS SELECT md5(concat_ws('|', kind, person_id, event_on, told_by)) AS alert_id, "
                f"* EXCLUDE (told_by) FROM ({_ALERT_SQL[name]}) ORDER BY event_on DESC, kind, person_id, says",
                {"first": f"{period}-01"},
            )
        connection.execute("USE memory")
        connection.execute(f"DETACH {NAME}")
        partial.chmod(0o600)
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)
    return file


def attach(connection: duckdb.DuckDBPyConnection, file: Path, key: str | None, *, read_only: bool) -> None:
    """Open the file as NAME in a connection."""
    options = [*(["READ_ONLY"] if read_only else []), *([f"ENCRYPTION_KEY {literal(key)}"] if key else [])]
    said = f" ({', '.join(options)})" if options else ""
    connection.execute(f"ATTACH {literal(str(file))} AS {NAME}{said}")


def clear(folder: Path, kept: Iterable[Path]) -> None:
    """Delete the files of other releases; what a reader still has open stays readable to them."""
    names = tuple(file.name for file in kept)
    for file in folder.glob("[!.]*"):
        if not file.name.startswith(names):
            file.unlink(missing_ok=True)


def file_name(release_id: str) -> str:
    return f"{release_id}.v{VERSION}.duckdb"


def _make_own(folder: Path) -> None:
    """Make a folder that the hub's own account alone can look into, encrypted or not."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)


def _copy(connection: duckdb.DuckDBPyConnection, mart: str, source: str, key: Mapping[str, str]) -> None:
    order = f" ORDER BY {', '.join(key['sorted_by'].split())}" if key else ""
    connection.execute(f'CREATE TABLE "{mart}" AS SELECT * FROM {source}{order}')
    for column in key["looked_up_by"].split() if key else []:
        connection.execute(f'CREATE INDEX "{mart}_{column}" ON "{mart}" ({column})')
