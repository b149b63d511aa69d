"""`vawg identity` and `vawg audit`: what they write, what they refuse, what they say."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from assets.storage import Layout
from cli.main import main
from decisions.identity import IdentityDecision, in_force
from decisions.store import open_store, sqlite_url
from tests.assets.linkage.ledgers import MARCH, write_ledger

A1, A2, B1, C1 = "E23000036|a1", "E23000036|a2", "E23000026|b1", "E23000026|c1"
BY = ("--by", "A. Reviewer", "--why", "fingerprints")
AT = ("--at", "2026-05-01T09:00:00")


@pytest.fixture(autouse=True)
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    monkeypatch.setenv("VAWG_DATA", str(tmp_path))
    monkeypatch.delenv("VAWG_DECISIONS_URL", raising=False)
    layout = Layout(tmp_path)
    write_ledger(layout.person_ledger)
    return layout


def vawg(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def kept(layout: Layout) -> list[IdentityDecision]:
    return in_force(open_store(sqlite_url(layout.decisions)), datetime.max)


def test_must_link_of_several_records(layout: Layout) -> None:
    done = vawg("identity", "must-link", A1, B1, C1, *BY, *AT)
    assert done.exit_code == 0 and done.output == "I000001 is in force. Next: vawg run\n"
    (decision,) = kept(layout)
    assert (decision.kind, decision.records, decision.other_records) == ("must_link", (A1,), (B1, C1))
    assert (decision.decided_by, decision.reason) == ("A. Reviewer", "fingerprints")
    assert f"{decision.decided_at:%Y-%m-%dT%H:%M:%S}" == AT[1]


def test_cannot_link_of_two_sets(layout: Layout) -> None:
    done = vawg("identity", "cannot-link", f"{A1},{A2}", f"{B1},{C1}", *BY)
    assert done.exit_code == 0, done.output
    (decision,) = kept(layout)
    assert (decision.records, decision.other_records) == ((A1, A2), (B1, C1))
    # Without --at it is the clock's moment, to the second.
    assert decision.decided_at.microsecond == 0 and decision.decided_at.year >= 2026


def test_revoked_is_no_longer_in_force_and_stays_on_record(layout: Layout) -> None:
    vawg("identity", "must-link", A1, B1, *BY, *AT)
    done = vawg("identity", "revoke", "I000001", *BY, "--at", "2026-05-02")
    assert done.exit_code == 0 and "Next: vawg run" in done.output
    assert kept(layout) == []
    assert "0 decisions" in vawg("identity", "list").output
    assert "I000001" in vawg("identity", "list", "--as-of", "2026-05-01T09:00:00").output


def test_the_list_shows_reasons_only_when_asked() -> None:
    vawg("identity", "must-link", A1, B1, *BY, *AT)
    done = vawg("identity", "list")
    assert done.exit_code == 0 and f"{A1} is {B1}" in done.output and "fingerprints" not in done.output
    assert "fingerprints" in vawg("identity", "list", "--reasons").output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("must-link", A1, B1, "--by", " ", "--why", "w"), "say who"),
        (("must-link", A1, B1, "--by", "A", "--why", ""), "say why"),
        (("must-link", A1, A1, *BY), "on both sides"),
        (("must-link", A1, "a2", *BY), "is not a record"),
        (("must-link", A1, "E99999999|b1", *BY), "there is no force E99999999"),
        (("must-link", A1, "E23000026|b99", *BY), "no run has linked E23000026|b99"),
        (("cannot-link", A1, f"{B1},", *BY), "is not a record"),
        (("revoke", "I000007", *BY), "there is no identity decision I000007"),
        (("undo", "P4", "P2", *BY), "P2 went into P1"),
        (("undo", "P4", "P5", *BY), "no longer one person"),
        (("affected", "Kent"), "there is no force Kent"),
    ],
)
def test_what_is_refused_says_why_with_2_and_writes_nothing(
    layout: Layout, arguments: tuple[str, ...], says: str
) -> None:
    done = vawg("identity", *arguments)
    assert done.exit_code == 2 and says in done.output and "Traceback" not in done.output
    assert kept(layout) == []


def test_a_contradiction_is_refused_and_names_the_decision(layout: Layout) -> None:
    vawg("identity", "cannot-link", A1, B1, *BY, *AT)
    done = vawg("identity", "must-link", A1, B1, *BY, *AT)
    assert done.exit_code == 2 and "I000001 keeps" in done.output
    assert len(kept(layout)) == 1


def test_a_merge_is_undone_by_one_decision(layout: Layout) -> None:
    done = vawg("identity", "undo", "P1", "P2", *BY, *AT)
    assert done.exit_code == 0, done.output
    assert "2 records that made up P2 apart from the other 3 of P1. Next: vawg run" in done.output
    (decision,) = kept(layout)
    assert decision.kind == "cannot_link"
    assert (decision.records, decision.other_records) == ((B1, "E23000026|b2"), (C1, A1, A2))
    again = vawg("identity", "undo", "P1", "P2", *BY, *AT)
    assert again.exit_code == 2 and "I000001, in force, says the same" in again.output


def test_a_merge_that_people_decided_is_undone_by_revoking(layout: Layout) -> None:
    vawg("identity", "must-link", A1, B1, *BY, *AT)
    done = vawg("identity", "undo", "P1", "P2", *BY, *AT)
    assert done.exit_code == 2 and "I000001 makes them one person; revoke" in done.output


def test_what_a_force_is_affected_by() -> None:
    done = vawg("identity", "affected", "E23000026", "--since", "2026-04-01")
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "record\tevent\tcause\tfrom\tto\twhen\tdecision",
        "E23000026|e1\tsplit\tdecision\tP4\tP6\t2026-04-05T00:00:00\tI000001",
    ]
    nothing = vawg("identity", "affected", "E23000036", "--since", f"{MARCH:%Y-%m-%d}")
    assert nothing.exit_code == 0 and nothing.stdout == ""


def test_before_the_first_run_there_is_nobody_to_decide_about(layout: Layout) -> None:
    layout.person_ledger.unlink()
    for command in (("must-link", A1, B1, *BY), ("undo", "P1", "P2", *BY), ("affected", "E23000026")):
        done = vawg("identity", *command)
        assert done.exit_code == 2 and "vawg run" in done.output


def test_audit_of_a_whole_log_is_0_and_its_head_can_be_kept() -> None:
    vawg("identity", "must-link", A1, B1, *BY, *AT)
    done = vawg("audit", "verify")
    assert done.exit_code == 0 and done.output.startswith("ok: 1 entry; the last is 1:")
    head = done.output.split()[-1]
    vawg("identity", "cannot-link", A2, C1, *BY)
    assert vawg("audit", "verify", "--head", head).exit_code == 0
    assert vawg("audit", "verify", "--head", f"3:{head[2:]}").exit_code == 1
    assert vawg("audit", "verify", "--head", "last").exit_code == 2


def test_audit_of_a_broken_log_is_1_and_names_the_entry(layout: Layout) -> None:
    vawg("identity", "must-link", A1, B1, *BY, *AT)
    connection = sqlite3.connect(layout.decisions, isolation_level=None)
    connection.execute("DROP TRIGGER audit_log_no_update")
    connection.execute("UPDATE audit_log SET who = 'Somebody Else'")
    connection.close()
    done = vawg("audit", "verify")
    assert done.exit_code == 1
    assert done.output == "broken: entry 1: its hash is not that of what it says\n"


def test_the_decisions_lie_where_the_environment_says(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAWG_DECISIONS_URL", sqlite_url(tmp_path / "elsewhere" / "d.sqlite"))
    assert vawg("identity", "must-link", A1, B1, *BY).exit_code == 0
    assert (tmp_path / "elsewhere" / "d.sqlite").exists() and not layout.decisions.exists()


@pytest.mark.parametrize(
    "url", ["mysql://host/secret", "no url secret", "postgresql+psycopg://u:secret@127.0.0.1:1/d"]
)
def test_a_store_that_cannot_be_opened_says_so_without_its_address(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("VAWG_DECISIONS_URL", url)
    done = vawg("identity", "list")
    assert done.exit_code == 2 and "secret" not in done.output and "Traceback" not in done.output


@pytest.mark.parametrize(
    "command",
    ["", "must-link", "cannot-link", "revoke", "undo", "list", "affected"],
)
def test_every_command_has_a_manual_page(command: str) -> None:
    done = vawg("identity", *command.split(), "--help")
    assert done.exit_code == 0 and len(done.output) > 250
    assert len(vawg("audit", "verify", "--help").output) > 250


def test_the_manual_pages_load_nothing_of_the_platform() -> None:
    script = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from cli.main import main\n"
        "assert CliRunner().invoke(main, ['identity', 'undo', '--help']).exit_code == 0\n"
        "print(sorted({m.split('.')[0] for m in sys.modules} & {'dagster', 'duckdb', 'sqlalchemy', 'polars', 'assets'}))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr
