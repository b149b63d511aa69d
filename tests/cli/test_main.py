"""The `vawg` command: its exit codes and its words."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import date, datetime
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result
from filelock import FileLock

from assets.intake import take_in
from assets.storage import Layout
from cli.main import SYSTEMS, main
from tests.submissions import crimes, send


def vawg(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def test_check_of_a_clean_submission_is_0(tmp_path: Path) -> None:
    done = vawg("check", send(tmp_path), "--received-on", "2026-03-05")
    assert done.exit_code == 0 and "No findings." in done.output


def test_check_with_warnings_only_is_0(tmp_path: Path) -> None:
    sent = send(tmp_path)
    (sent / "notes.txt").write_text("for the analyst")
    done = vawg("check", sent, "--received-on", "2026-03-05")
    assert done.exit_code == 0 and "WARNING file_undeclared" in done.output


def test_check_with_errors_is_1_and_reports(tmp_path: Path) -> None:
    sent = send(tmp_path / "out", change={"offences": {"offence_code": "no such code"}})
    done = vawg("check", sent, "--report", tmp_path / "report", "--received-on", "2026-03-05")
    assert done.exit_code == 1
    assert "ERROR code_not_in_list" in done.output and "What to do:" in done.output
    summary = json.loads((tmp_path / "report" / "summary.json").read_text())
    assert summary["status"] == "accepted_in_part"
    assert (tmp_path / "report" / "findings.csv").read_text().count("\n") == 2


def test_a_report_that_cannot_be_written_is_2(tmp_path: Path) -> None:
    """Not 1, which says that the submission has errors."""
    (tmp_path / "taken").write_text("a file")
    done = vawg(
        "check", send(tmp_path / "out"), "--report", tmp_path / "taken", "--received-on", "2026-03-05"
    )
    assert done.exit_code == 2 and "name a folder" in done.output


def test_check_writes_a_page_that_needs_no_network_and_holds_no_personal_value(tmp_path: Path) -> None:
    changed = {
        "persons": {"surname": "UNKNOWN", "postcode": "SW1A 9ZZZ"},
        "offences": {"crime_ref": "52/ 77"},
    }
    vawg(
        "check",
        send(tmp_path / "out", change=changed),
        "--report",
        tmp_path / "r",
        "--received-on",
        "2026-03-05",
    )
    page = (tmp_path / "r" / "report.html").read_text()
    assert "Name is a placeholder" in page and "How to mend it" in page and "(withheld)" in page
    for personal in ("UNKNOWN", "SW1A 9ZZZ", "52/ 77", "V0001"):
        assert personal not in page.replace("V0001|", "")
    assert "http:" not in page and "https:" not in page and "<script" not in page


def test_check_beside_the_month_before_tells_what_changed(tmp_path: Path) -> None:
    first = send(tmp_path / "a")
    again = {
        "extracts": crimes(2),
        "period": date(2026, 3, 1),
        "change": {"offences": {"reported_at": "2026-02-03T22:01:00"}},
    }
    second = send(tmp_path / "b", **again)
    told = ("--received-on", "2026-04-05", "--previous", first)
    done = vawg("check", second, *told)
    assert done.exit_code == 1 and "ERROR reported_at_changed" in done.output
    assert "1 findings are new" in done.output
    assert vawg("check", second, "--received-on", "2026-04-05").exit_code == 0
    refused = vawg("check", first, "--previous", second)
    assert refused.exit_code == 2 and "is not before" in refused.output


@pytest.mark.parametrize("what", ["nothing there", "empty folder", "not a zip"])
def test_check_of_what_is_no_submission_is_2(tmp_path: Path, what: str) -> None:
    path = tmp_path / "sent"
    if what == "empty folder":
        path.mkdir()
    elif what == "not a zip":
        path.write_bytes(b"hello")
    done = vawg("check", path)
    assert done.exit_code == 2 and "Traceback" not in done.output


@pytest.mark.parametrize(
    "command", ["check", "synthesise", "land", "run", "releases", "replay", "link", "backtest", "explain"]
)
def test_every_command_has_a_manual_page(command: str) -> None:
    done = vawg(command, "--help")
    assert done.exit_code == 0 and len(done.output) > 100


@pytest.mark.parametrize(
    "bad", [("--scale", "-1"), ("--scale", "0"), ("--faults", "2"), ("--months", "0"), ("--from", "x")]
)
def test_synthesise_refuses_what_makes_no_nation(tmp_path: Path, bad: tuple[str, str]) -> None:
    done = vawg("synthesise", "--out", tmp_path, *bad)
    assert done.exit_code == 2 and "Invalid value" in done.output


def test_every_module_of_adapters_is_a_system_that_can_be_named() -> None:
    assert "nibrs" in SYSTEMS
    for system in SYSTEMS:
        assert callable(import_module(f"data_contracts.adapters.{system}").write_submissions)


def test_adapt_of_what_is_no_export_is_2(tmp_path: Path) -> None:
    (tmp_path / "export.zip").write_bytes(b"hello")
    done = vawg("adapt", "nibrs", "--archive", tmp_path / "export.zip", "--out", tmp_path / "out")
    assert done.exit_code == 2 and "cannot be read" in done.output


def test_land_of_a_missing_path_is_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAWG_DATA", str(tmp_path))
    done = vawg("land", tmp_path / "nowhere")
    assert done.exit_code == 2 and "there is no submission at" in done.output


def test_run_with_nothing_landed_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAWG_DATA", str(tmp_path))
    done = vawg("run")
    assert done.exit_code == 2 and "vawg land PATH" in done.output


def test_run_of_an_unknown_programme_names_the_known_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAWG_DATA", str(tmp_path))
    done = vawg("run", "--programme", "scotland")
    assert done.exit_code == 2 and "england_wales" in done.output


@pytest.mark.parametrize("period", ["2999-01", "2017-12"], ids=["not ended", "before any data"])
def test_run_of_a_month_that_no_run_is_for_says_which_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, period: str
) -> None:
    monkeypatch.setenv("VAWG_DATA", str(tmp_path))
    done = vawg("run", "--period", period)
    assert done.exit_code == 2 and f"no run for {period}" in done.output and "2018-01 to" in done.output


def test_run_of_the_latest_month_where_that_has_not_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAWG_DATA", str(tmp_path))
    sent = send(tmp_path / "out", period=date(2999, 1, 1))
    (receipt,) = take_in([sent], Layout(tmp_path).prepare(), received_at=datetime(2999, 2, 5))
    assert receipt.status != "held"
    done = vawg("run")
    assert done.exit_code == 2 and "no run for 2999-01" in done.output


@pytest.mark.parametrize("missing", ["clerical flags", "rules"])
def test_run_says_what_it_cannot_read_before_any_station_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    from assets.clerical_flags import ClericalFlagsUnreadable
    from assets.publication.rules import NoRules
    from cli import national

    def refuse(error: Exception) -> Callable[..., None]:
        def call(*_: object, **__: object) -> None:
            raise error

        return call

    monkeypatch.setenv("VAWG_DATA", str(tmp_path))
    gathered = SimpleNamespace(as_of=datetime(2026, 4, 1), period_end=date(2026, 3, 31))
    monkeypatch.setattr(national, "latest_period", lambda *_: date(2026, 3, 1))
    monkeypatch.setattr(national, "gather", lambda *_, **__: gathered)
    if missing == "rules":
        monkeypatch.setattr(national, "rules", refuse(NoRules("add its row")))
    else:
        monkeypatch.setattr(national, "clerical_flags", refuse(ClericalFlagsUnreadable("add its column")))
    monkeypatch.setattr(national, "_execute", lambda *_, **__: pytest.fail("a station ran"))
    done = vawg("run")
    assert done.exit_code == 2 and "add its" in done.output and "Traceback" not in done.output


def test_a_second_run_on_the_same_root_waits_its_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAWG_DATA", str(tmp_path))
    with FileLock(tmp_path / "run.lock"):
        done = vawg("run")
    assert done.exit_code == 2 and "another run" in done.output


def test_no_release_says_how_to_make_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAWG_DATA", str(tmp_path))
    done = vawg("releases")
    assert done.exit_code == 0 and "There is no release" in done.output


def test_check_loads_nothing_of_the_platform(tmp_path: Path) -> None:
    """The base install has neither Dagster nor dbt, DuckDB, Splink, pandas."""
    sent = send(tmp_path)
    script = (
        "import sys\n"
        "class Refuse:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in {'dagster', 'dagster_dbt', 'dbt', 'duckdb', 'splink', 'numpy', 'pandas', 'pyarrow', 'filelock'}:\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}')\n"
        "sys.meta_path.insert(0, Refuse())\n"
        "from cli.main import main\n"
        f"main(['check', {str(sent)!r}, '--received-on', '2026-03-05'])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("example", "code"), [("MN0030000_2018-02_1", 0), ("MN0030100_2018-04_1", 0), ("E23000034_2026-02_1", 1)]
)
def test_the_examples_say_what_their_readme_says(example: str, code: int) -> None:
    folder = Path(__file__).parents[2] / "examples"
    assert {p.name for p in folder.iterdir() if p.is_dir()} >= {example}
    assert vawg("check", folder / example).exit_code == code
