"""A release that is encrypted lies in the clear nowhere, whatever a hub over it was asked."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import duckdb
import pytest

from hub import lookups
from hub.app import create_app
from hub.connections import open_connection
from hub.releases import Releases
from hub.settings import Settings
from tests.hub.conftest import PASSWORD, Browser, Clock
from tests.hub.releases import P1, write_release

KEY = "0123456789abcdef"
# Of the handmade release: names, a birth date, a postcode, an identifier.
PERSONAL = ("Jonathan", "O'Ashworth", "Ashford", "Zebedee", "1984-03-07", "BS1 4ST", "BS9 9ZZ", "84/123456X")


def _asked_for_everything(root: Path, clock: Clock, key: str | None) -> None:
    """A hub that was asked for what it can be asked for about a person, and still runs."""
    app = create_app(Settings(root, clock, release_key=key))
    hub = app.state.hub
    hub.accounts.add(
        "olive",
        label="Olive",
        role="oversight",
        force_code=None,
        password=PASSWORD,
        by="test",
        at=hub.settings.now(),
    )
    visitor = Browser(app, follow_redirects=False)
    visitor.post("/sign-in", data={"user_id": "olive", "password": PASSWORD})
    visitor.submit("/purpose", purpose="oversight")
    assert "Ashworth" in visitor.get(f"/persons/{P1}").text
    assert "Ashworth" in visitor.submit(f"/persons/{P1}/pack").text
    assert P1 in visitor.submit("/search", purpose="oversight", name="Jonathan O'Ashworth").text
    assert P1 in visitor.get("/lists").text
    assert "Ashworth" in visitor.get("/marts/suspect_nominals.csv").text
    assert "Ashworth" in visitor.submit("/sql", sql="SELECT * FROM suspect_nominals ORDER BY ALL").text


def _in_the_clear(root: Path) -> set[str]:
    """The personal values that stand in some file of a data root, those of the release's own folder left out."""
    files = [p for p in root.rglob("*") if p.is_file() and "releases" not in p.relative_to(root).parts]
    assert any(p.suffix == ".duckdb" for p in files)
    held = [p.read_bytes() for p in files]
    return {value for value in PERSONAL if any(value.encode() in content for content in held)}


def test_of_an_encrypted_release_no_personal_value_lies_in_the_clear(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_release(tmp_path, key=KEY)
    _asked_for_everything(tmp_path, clock, KEY)
    assert _in_the_clear(tmp_path) == set()
    assert KEY.encode() not in b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())


def test_the_same_values_are_found_where_a_release_is_not_encrypted(tmp_path: Path, clock: Clock) -> None:
    write_release(tmp_path)
    _asked_for_everything(tmp_path, clock, None)
    assert {"O'Ashworth", "84/123456X", "BS1 4ST"} <= _in_the_clear(tmp_path)


def test_what_is_laid_out_is_for_the_hub_s_own_account(tmp_path: Path) -> None:
    write_release(tmp_path)
    laid_out = Releases(tmp_path / "releases", lookups=tmp_path / "hub" / "lookups").current().laid_out
    assert laid_out
    assert stat.S_IMODE(laid_out.stat().st_mode) == 0o600
    assert stat.S_IMODE(laid_out.parent.stat().st_mode) == 0o700


def test_nothing_of_a_query_spills_to_a_disk_and_what_lays_a_release_out_spills_encrypted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_release(tmp_path, key=KEY)
    release, asked = Releases(tmp_path / "releases", KEY).current(), []
    said = "SELECT current_setting('temp_directory'), current_setting('temp_file_encryption')"
    with open_connection(release.key) as connection:
        assert connection.execute(said).fetchall()[0][0] == ""

    def attach(connection: duckdb.DuckDBPyConnection, *given: Any, **options: Any) -> None:
        asked.extend(connection.execute(said).fetchall())
        attach_it(connection, *given, **options)

    attach_it = lookups.attach
    monkeypatch.setattr(lookups, "attach", attach)
    release.lay_out(tmp_path / "hub")
    assert asked == [(str(tmp_path / "hub"), True)]
