"""`vawg replay` refuses what it cannot make again; that it makes the same again is a journey."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from assets.storage import Layout
from cli.exits import UNUSABLE
from cli.main import main
from data_contracts.submission import sha256_of

RELEASE = "2026-02_0123456789ab"


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """A data root with one release whose receipts, states and code are not there."""
    monkeypatch.setenv("VAWG_DATA", str(tmp_path))
    layout = Layout(tmp_path).prepare()
    mart = layout.releases / RELEASE / "statistical" / "figures.parquet"
    mart.parent.mkdir(parents=True)
    mart.write_bytes(b"figures")
    manifest = {
        "release_id": RELEASE,
        "programme": "england_wales",
        "period": "2026-02",
        "as_of": "2026-03-12 09:00:00",
        "versions": {"code": "c0de", "linkage_model": ["v1"]},
        "marts": {"figures": {"file": "statistical/figures.parquet", "sha256": sha256_of(mart)}},
        "inputs": [{"submission_id": "S1", "content_hash": "h"}],
    }
    (layout.releases / RELEASE / "manifest.json").write_text(json.dumps(manifest))
    return layout


def refusal(release: str) -> str:
    done = CliRunner().invoke(main, ["replay", release])
    assert done.exit_code == UNUSABLE, done.output
    return done.output


def test_an_unknown_release_is_refused(layout: Layout) -> None:
    assert "there is no release 2026-09_nowhere" in refusal("2026-09_nowhere")


@pytest.mark.parametrize("elsewhere", ["..", "../releases", "."])
def test_a_path_is_no_release(layout: Layout, elsewhere: str) -> None:
    assert "there is no release" in refusal(elsewhere)


def test_a_changed_release_is_refused(layout: Layout) -> None:
    (layout.releases / RELEASE / "statistical" / "figures.parquet").write_bytes(b"others")
    assert "was changed after it was made" in refusal(RELEASE)


def test_without_its_code_nothing_is_made(layout: Layout) -> None:
    assert "the code of release 2026-02_0123456789ab was not kept" in refusal(RELEASE)
    assert not (layout.root / "replays" / RELEASE / "data" / "releases").exists()
