"""`vawg hub`: accounts are made by a command, and what cannot be served says why."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.main import main
from decisions import audit
from decisions.store import open_store, sqlite_url

PASSWORD = "correct horse battery staple\n"


@pytest.fixture
def runner(tmp_path: Path) -> CliRunner:
    return CliRunner(env={"VAWG_DATA": str(tmp_path), "VAWG_DECISIONS_URL": "", "VAWG_HUB_URL": ""})


def test_the_first_account_is_made_by_a_command_and_logged(runner: CliRunner, tmp_path: Path) -> None:
    made = runner.invoke(main, ["hub", "user", "add", "ada", "--role", "administrator"], input=PASSWORD * 2)
    assert made.exit_code == 0, made.output
    assert runner.invoke(main, ["hub", "user", "list"]).output == "ada\tadministrator\t\tactive\n"
    again = runner.invoke(main, ["hub", "user", "password", "ada"], input=PASSWORD * 2)
    assert again.exit_code == 0
    store = open_store(sqlite_url(tmp_path / "decisions.sqlite"))
    with store.reading() as connection:
        logged = [(e.action, e.subject, e.who) for e in audit.entries(connection)]
    assert logged == [("hub_user_added", "ada", "command-line"), ("hub_password_set", "ada", "command-line")]
    assert audit.verify(store) is None
    assert PASSWORD.strip().encode() not in (tmp_path / "hub.sqlite").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "password", "says"),
    [
        (["ada", "--role", "god"], PASSWORD, "a role is one of force_submitter"),
        (["ada", "--role", "force_analyst"], PASSWORD, "comes with the force's code"),
        (["ada", "--role", "oversight", "--force", "E23000036"], PASSWORD, "and no other"),
        (["ada", "--role", "force_analyst", "--force", "E99"], PASSWORD, "no force with that code"),
        (["Ada Lovelace", "--role", "oversight"], PASSWORD, "small letters"),
        (["ada", "--role", "oversight"], "short\n", "at least 14 characters"),
    ],
)
def test_an_account_that_cannot_be_says_why(
    runner: CliRunner, arguments: list[str], password: str, says: str
) -> None:
    done = runner.invoke(main, ["hub", "user", "add", *arguments], input=password * 2)
    assert (done.exit_code, says in done.output) == (2, True), done.output
    assert runner.invoke(main, ["hub", "user", "list"]).output == ""


def test_without_tls_it_listens_to_this_machine_alone(runner: CliRunner) -> None:
    done = runner.invoke(main, ["hub", "serve", "--host", "0.0.0.0"])
    assert done.exit_code == 2 and "--https" in done.output
