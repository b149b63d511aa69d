"""`vawg signoff`: what is shown, what is signed, what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

from assets.sign_offs import states
from cli.main import main
from data_contracts.signed_figures import FIGURES
from decisions.sign_off import in_force
from decisions.store import open_store, sqlite_url
from tests.decisions.test_sign_off import FORCE, JULY, PERIOD

GIVE = ("signoff", "give", FORCE, "--by", "A. Analyst", "--at", "2026-05-01T09:00:00")


def vawg(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def write(release: Path, value: int) -> None:
    (release / "statistical").mkdir(parents=True, exist_ok=True)
    rows = {
        "period": [PERIOD] * 2,
        "force_code": [FORCE, "national"],
        "measure": ["offences"] * 2,
        "value": [value, 9],
    }
    pl.DataFrame(rows).write_parquet(release / FIGURES)
    (release / "manifest.json").write_text(json.dumps({"release_id": release.name}))


@pytest.fixture(autouse=True)
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VAWG_DATA", str(tmp_path))
    monkeypatch.delenv("VAWG_DECISIONS_URL", raising=False)
    folder = tmp_path / "releases" / "2026-02_abc"
    write(folder, 3)
    (folder.parent / "current").symlink_to(folder.name, target_is_directory=True)
    return folder


def state(release: Path) -> str:
    store = open_store(sqlite_url(release.parents[1] / "decisions.sqlite"))
    (found,) = states(release, PERIOD, [FORCE], in_force(store, JULY))
    return str(found["state"])


def test_figures_are_shown_signed_listed_and_taken_back(release: Path) -> None:
    assert state(release) == "not_signed_off"
    shown = vawg("signoff", "show", FORCE)
    assert shown.exit_code == 0 and shown.output.splitlines()[1:] == [f"{PERIOD},{FORCE},offences,3"]
    given = vawg(*GIVE)
    assert given.exit_code == 0 and given.output.startswith("S000001: 1 figure of")
    assert state(release) == "signed_off"
    assert f"{PERIOD}\t{FORCE}\tS000001" in vawg("signoff", "list").output
    taken = vawg(
        "signoff", "withdraw", "S000001", "--by", "A", "--why", "wrong", "--at", "2026-05-02T09:00:00"
    )
    assert taken.exit_code == 0 and state(release) == "not_signed_off"
    assert vawg("audit", "verify").exit_code == 0


def test_other_figures_are_not_those_that_were_signed(release: Path) -> None:
    vawg(*GIVE)
    write(release, 4)
    assert state(release) == "changed_since"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("give", "E23000037", "--by", "A"), "no figures of E23000037"),
        (("give", FORCE, "--by", "A", "--release", "2026-09_x"), "there is no release 2026-09_x"),
        (("show", "E23000037"), "no figures of E23000037"),
        (("withdraw", "S000007", "--by", "A", "--why", "w"), "there is no sign-off S000007"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(arguments: tuple[str, ...], why: str) -> None:
    done = vawg("signoff", *arguments)
    assert done.exit_code == 2 and why in done.output and "Traceback" not in done.output
