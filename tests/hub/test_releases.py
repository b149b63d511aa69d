"""What is kept of a release, for whom, and what a reader meets while another is published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub import releases as module
from hub.access import Scope, User, roles
from hub.parameters import whole
from hub.people import in_order
from hub.releases import NoRelease, Release, Releases
from tests.hub.releases import P1, P2, A, write_release

ALL = "SELECT person_id FROM ranked_perpetrators ORDER BY 1"


def _scope(role: str) -> Scope:
    return User("u", "U", roles()[role], A if roles()[role].is_of_a_force else None).scope()


def _persons(release: Release, role: str, query: str = ALL, values: Any = None) -> list[str]:
    return [row["person_id"] for row in release.read_kept(_scope(role), query, values).rows]


def test_what_is_kept_for_one_scope_is_shown_to_no_other(releases: Releases) -> None:
    release = releases.current()
    for _ in range(2):
        assert _persons(release, "national_analyst") == [P1, P2]
        assert _persons(release, "force_analyst") == [P1]
    one = "SELECT person_id FROM ranked_perpetrators WHERE person_id = ?"
    assert _persons(release, "national_analyst", one, (P2,)) == [P2]
    assert _persons(release, "force_analyst", one, (P2,)) == []
    rank = "SELECT * FROM ranked_perpetrators"
    assert "national_rank" in release.read_kept(_scope("oversight"), rank).columns
    assert "national_rank" not in release.read_kept(_scope("reviewer"), rank).columns


def test_only_so_many_answers_are_kept_and_the_oldest_go_first(tmp_path: Path) -> None:
    write_release(tmp_path)
    release = Releases(tmp_path / "releases").current()
    scope, asked = _scope("oversight"), "SELECT ? AS n"
    first, second = (release.read_kept(scope, asked, (no,)) for no in range(2))
    most = whole("kept_results")
    for no in range(2, most):
        release._tables[scope, asked, (no,)] = second
    assert release.read_kept(scope, asked, (0,)) is first, "asked again, so the last to go"
    release.read_kept(scope, asked, (most,))
    assert release.read_kept(scope, asked, (0,)) is first
    assert release.read_kept(scope, asked, (1,)) is not second
    assert len(release._tables) == most


def test_a_new_release_is_asked_ahead_what_was_asked_of_the_last_but_for_single_persons(
    tmp_path: Path,
) -> None:
    write_release(tmp_path, release_id="2026-01_one")
    releases = Releases(tmp_path / "releases", lookups=tmp_path / "lookups", patience=60)
    before, chosen = (
        releases.current(),
        "SELECT person_id FROM ranked_perpetrators WHERE list_status = $status",
    )
    _persons(before, "oversight")
    _persons(before, "oversight", chosen, {"status": "listed"})
    _persons(before, "oversight", "SELECT person_id FROM ranked_perpetrators WHERE person_id = ?", (P1,))
    write_release(tmp_path, release_id="2026-02_two", ranked_perpetrators=[])
    after = releases.current()
    assert after.release_id == "2026-02_two"
    assert [query for _, query, _ in after._tables] == [ALL, chosen]
    assert _persons(after, "oversight") == [] and _persons(before, "oversight") == [P1, P2]


def test_readers_go_on_with_the_last_release_while_a_new_one_is_laid_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_release(tmp_path, release_id="2026-01_one")
    releases = Releases(tmp_path / "releases", lookups=tmp_path / "lookups")
    releases.current()
    write_release(tmp_path, release_id="2026-02_two")
    assert releases.current().release_id == "2026-01_one"
    for thread in list(releases._preparing.values()):
        thread.join(60)
    assert releases.current().release_id == "2026-02_two"
    write_release(tmp_path, release_id="2026-03_three")

    def no_room(*_: Any) -> None:
        raise OSError("no room")

    monkeypatch.setattr(module, "_lay_out_beside", no_room)
    releases._patience = 60
    with pytest.raises(NoRelease, match="room on the disk"):
        releases.current()


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {"a": st.none() | st.integers(0, 3), "b": st.none() | st.sampled_from(["x", "Y", "é", "z"])}
        ),
        max_size=8,
    )
)
def test_rows_are_sorted_as_sql_sorts_them(rows: list[dict[str, Any]]) -> None:
    numbered = [row | {"no": no} for no, row in enumerate(rows)]
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t (a INTEGER, b VARCHAR, no INTEGER)")
        for row in numbered:
            connection.execute("INSERT INTO t VALUES (?, ?, ?)", [row["a"], row["b"], row["no"]])
        found = connection.execute("SELECT no FROM t ORDER BY a DESC, b, no").fetchall()
    assert [row["no"] for row in in_order(numbered, "a DESC|b|no")] == [no for (no,) in found]


def test_a_release_that_cannot_be_laid_out_beside_is_told_without_what_the_error_says(tmp_path: Path) -> None:
    write_release(tmp_path, key="0123456789abcdef")
    folder = (tmp_path / "releases" / "current").resolve()
    with pytest.raises(OSError, match="it ended with 1") as told:
        module._lay_out_beside(folder, "fedcba9876543210", tmp_path / "lookups")
    assert "fedcba" not in str(told.value)
    assert not (tmp_path / "lookups").exists()
