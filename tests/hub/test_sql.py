"""Queries of analysts: what they reach, what they do not, and in what form answers come."""

from __future__ import annotations

import io
import json
import resource
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from markupsafe import escape
from openpyxl import load_workbook

from hub.access import Scope, User, roles
from hub.releases import NoRelease, Releases
from hub.sql import QueryRefused, run
from tests.hub.conftest import Browser
from tests.hub.releases import P1, A, contract, write_release


def _scope(role: str) -> Scope:
    return User("u", "u", roles()[role], A if roles()[role].is_of_a_force else None).scope()


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_csv('{root}/decisions.sqlite')",
        "SELECT * FROM read_parquet('{folder}/victims/victim_profiles.parquet')",
        "SELECT * FROM glob('{root}/*')",
        "COPY (SELECT 1) TO '{root}/out.csv'",
        "ATTACH '{root}/x.duckdb' AS x",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "RESET lock_configuration",
        "CREATE TABLE t AS SELECT 1",
        "DROP VIEW national_statistics",
        "SELECT 1; SELECT 2",
        "SELECT * FROM connection",
        "SELECT * FROM query('SELECT * FROM read_text(''/etc/passwd'')')",
        "EXPORT DATABASE '{root}'",
        "SELECT * FROM victim_profiles",
        "",
        "SELECT",
    ],
)
@pytest.mark.parametrize("role", ["national_analyst", "force_analyst"])
def test_a_query_reaches_the_role_s_marts_and_nothing_else(
    released: Path, releases: Releases, query: str, role: str
) -> None:
    release = releases.current()
    with pytest.raises(QueryRefused) as refused:
        # It names a mart, so that there are files that the database may open.
        run(
            release,
            _scope(role),
            query.format(root=released, folder=release.folder) + " -- national_statistics",
        )
    assert str(release.folder) not in str(refused.value)
    assert not (released / "out.csv").exists()


def test_a_query_sees_the_rows_and_columns_of_its_role(releases: Releases) -> None:
    release = releases.current()

    def rows(role: str, query: str) -> list[dict[str, object]]:
        return run(release, _scope(role), query).table.to_pylist()

    query = "SELECT count(*) AS n FROM ranked_perpetrators"
    with pytest.raises(QueryRefused):
        # The file itself would hide nothing.
        rows("force_analyst", f"SELECT * FROM '{release.folder}/identifiable/ranked_perpetrators.parquet'")
    assert rows("national_analyst", query) == [{"n": 2}]
    assert rows("force_analyst", query) == [{"n": 1}]
    assert rows("reviewer", "SELECT person_id FROM perpetrator_lists ORDER BY 1") == [
        {"person_id": P1},
        {"person_id": "P2"},
    ]
    with pytest.raises(QueryRefused, match="place"):
        rows("reviewer", "SELECT place FROM perpetrator_lists")
    assert rows("reviewer", "SELECT person_id FROM victim_profiles") == [{"person_id": "V1"}]
    assert rows("force_submitter", "SELECT count(*) AS n FROM national_statistics") == [{"n": 2}]
    with pytest.raises(QueryRefused):
        rows("force_submitter", query)


def test_a_query_without_end_is_stopped_and_one_without_bounds_is_cut(releases: Releases) -> None:
    release = releases.current()
    with pytest.raises(QueryRefused, match="stopped"):
        run(release, _scope("oversight"), "SELECT count(*) FROM range(1000000000000)", seconds=0.3)
    answer = run(release, _scope("oversight"), "SELECT * FROM range(10000000)")
    assert (answer.table.num_rows, answer.is_cut) == (200_000, True)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        # One call of a function, which DuckDB does not interrupt: six minutes.
        ("SELECT levenshtein(repeat('a', 300000), repeat('b', 300000))", "stopped after 3 seconds"),
        # Texts that DuckDB does not count: 9 GB.
        (
            "SELECT max(length(repeat('x', 300000000 + i::int % 7))) FROM range(3000) AS r(i)",
            "more memory|stopped",
        ),
        (f"SELECT {'[' * 900}1{']' * 900}", "nested too deep"),
        # It has begun to answer when it meets the value.
        (
            "SELECT repeat('y', 300), CASE WHEN i = 190000 THEN 'Ashworth' ELSE '1' END::INT FROM range(400000) AS r(i)",
            "^a value does not fit",
        ),
    ],
    ids=["time", "memory", "depth", "late"],
)
def test_a_query_cannot_take_the_hub_down_with_it(releases: Releases, query: str, said: str) -> None:
    release, before = releases.current(), resource.getrusage(resource.RUSAGE_SELF)
    with pytest.raises(QueryRefused, match=said):
        run(release, _scope("oversight"), query, seconds=3)
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert after.ru_utime - before.ru_utime < 2, "the work was not the hub's"
    assert after.ru_maxrss - before.ru_maxrss < 200_000, "nor was the memory"
    # Two run at once: what was stopped holds no place.
    assert run(release, _scope("oversight"), "SELECT 1 AS one").table.to_pylist() == [{"one": 1}]


def test_the_process_of_a_query_knows_none_of_the_hub_s_secrets(
    releases: Releases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAWG_DECISIONS_URL", "postgresql+psycopg://hub:Xyzzy17@host/decisions")
    started, start = [], subprocess.run

    def watched(command: list[str], **options: Any) -> Any:
        started.append((command, options["env"]))
        return start(command, **options)

    monkeypatch.setattr(subprocess, "run", watched)
    run(releases.current(), _scope("oversight"), "SELECT 1")
    [(command, environment)] = started
    assert "Xyzzy17" not in " ".join([*command, *environment.values()]) and "PATH" in environment


def test_an_encrypted_release_is_read_with_its_key_alone(tmp_path: Path) -> None:
    key = "0123456789abcdef"
    write_release(tmp_path, key=key)
    for wrong in (None, "fedcba9876543210"):
        with pytest.raises(NoRelease) as refused:
            Releases(tmp_path / "releases", wrong).current()
        assert "VAWG_RELEASE_KEY" in str(refused.value) and key not in str(refused.value)
    release = Releases(tmp_path / "releases", key).current()
    for role, expected in (("national_analyst", 2), ("force_analyst", 1)):
        answer = run(release, _scope(role), "SELECT count(*) AS n FROM ranked_perpetrators")
        assert answer.table.to_pylist() == [{"n": expected}]
    with pytest.raises(QueryRefused):
        run(
            release,
            _scope("national_analyst"),
            f"SELECT * FROM '{release.folder}/victims/victim_profiles.parquet'",
        )


def test_a_release_that_is_published_meanwhile_is_read_from_then_on(tmp_path: Path) -> None:
    write_release(tmp_path, release_id="2026-01_one")
    releases = Releases(tmp_path / "releases", lookups=tmp_path / "lookups", patience=60)
    before = releases.current()
    write_release(tmp_path, release_id="2026-02_two", perpetrator_lists=[])
    query, scope = "SELECT count(*) AS n FROM perpetrator_lists", _scope("oversight")
    assert releases.current().read(scope, query).rows == [{"n": 0}]
    assert before.read(scope, query).rows == [{"n": 2}]
    assert [r.release_id for r in releases.months()] == ["2026-01_one", "2026-02_two"]


def test_answers_come_as_arrow_csv_json_parquet_and_excel(browser: Callable[..., Browser]) -> None:
    visitor = browser("national_analyst")
    query = {
        "sql": "SELECT forenames, date_of_birth, alias_full_names FROM suspect_nominals ORDER BY record_id",
        "save": "nominals",
    }

    def answer(kind: str) -> bytes:
        return visitor.submit("/sql", kind=kind, **query).content

    arrow = pa.ipc.open_stream(answer("arrow")).read_all()
    assert arrow["forenames"].to_pylist() == ["=cmd()", "John", "Jonathan"] or arrow.num_rows == 3
    parquet = pq.read_table(io.BytesIO(answer("parquet")))
    assert b"2026-02_handmade" in parquet.schema.metadata[b"vawg"]
    # What a spreadsheet would run stays a text.
    assert '"\'=cmd()"' in answer("csv").decode()
    book = load_workbook(io.BytesIO(answer("xlsx")))
    cells = {cell.value: cell.data_type for row in book["data"].rows for cell in row}
    assert cells["=cmd()"] == "s"
    assert "release_id" in [cell.value for cell in book["about"]["A"]]
    assert "nominals" in visitor.get("/sql").text
    assert "nominals</summary>" not in browser("national_analyst", "somebody-else").get("/sql").text


@pytest.mark.parametrize(
    ("value", "kinds"),
    [
        ("INTERVAL 1 DAY", {"csv", "xlsx", "parquet"}),
        ("DATE 'infinity'", {"page", "json", "xlsx"}),
        ("[DATE 'infinity']", {"page", "json", "csv", "xlsx"}),
        ("TIMESTAMPTZ '2026-01-01'", {"xlsx"}),
        ("union_value(a := 1)", {"parquet"}),
        ("1::BIT", {"xlsx"}),
        ("'1'::BIT", {"csv", "xlsx"}),
        ("'nan'::DOUBLE", set()),
        ("chr(1)", set()),
    ],
)
def test_a_value_that_a_format_has_no_place_for_is_told_with_what_to_do(
    browser: Callable[..., Browser], value: str, kinds: set[str]
) -> None:
    visitor = browser("oversight")
    for kind in ("page", "csv", "xlsx", "parquet", "json", "arrow"):
        answer = visitor.submit("/sql", sql=f"SELECT {value} AS v", kind=kind)
        if kind in kinds:
            assert answer.status_code == 400 and "CAST(... AS VARCHAR)" in answer.text, kind
            answer = visitor.submit("/sql", sql=f"SELECT CAST({value} AS VARCHAR) AS v", kind=kind)
        assert answer.status_code == 200, kind
        if kind == "json":
            # As the standard has it: `NaN` is no JSON.
            json.loads(answer.content, parse_constant=pytest.fail)


def test_an_answer_is_bounded_in_bytes_as_in_rows(browser: Callable[..., Browser]) -> None:
    answer = browser("oversight").submit("/sql", sql="SELECT repeat('x', 6000) AS t FROM range(400000)")
    assert answer.status_code == 400 and "its answer is more than 128 MB" in answer.text


@pytest.mark.parametrize(
    "query",
    [
        "SELECT value FROM duckdb_settings() WHERE name = 'allowed_paths'",
        "FROM duckdb_views",
        "SELECT sql FROM sqlite_master",
        "SELECT view_definition FROM information_schema.views",
        "WITH a AS (SELECT current_setting('allowed_paths') AS p) SELECT * FROM a",
        "FROM query('FROM duckdb' || '_settings()')",
        'SELECT (SELECT count(*) FROM "DuckDB_Settings"())',
    ],
)
def test_a_query_does_not_tell_where_the_release_lies(
    browser: Callable[..., Browser], releases: Releases, query: str
) -> None:
    answer = browser("oversight").submit("/sql", sql=query)
    assert answer.status_code == 400 and "about the database" in answer.text
    assert str(releases.current().folder.parent) not in answer.text


def test_the_page_says_what_the_marts_that_a_role_sees_and_their_columns_mean(
    browser: Callable[..., Browser],
) -> None:
    meant = {c["name"]: c["description"] for c in contract()["perpetrator_profiles"]["columns"]}
    analyst, reviewer = browser("national_analyst").get("/sql").text, browser("reviewer").get("/sql").text
    for page in (analyst, reviewer):
        assert escape(contract()["national_statistics"]["description"]) in page
    # Of a column that a role does not see, nothing either.
    said = escape(meant["victim_ids"])
    assert said in reviewer and said not in analyst
