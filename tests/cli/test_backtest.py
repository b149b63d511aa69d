"""`vawg backtest`: what it writes, that the same inputs give the same bytes, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

from assets.monitoring.parameters import statements
from cli.main import main
from tests.assets.monitoring.made_up_events import Nature, events

QUICK = ("--n-boot", "20", "--from", "2022-10", "--to", "2022-12")


def vawg(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in ("backtest", *arguments)])


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three years of history and one after, forces and their unnamed suspects, groups."""
    path = tmp_path_factory.mktemp("backtest") / "events.csv"
    rows = events(7, Nature(n_persons=1500, years=5))
    unnamed = rows.sample(fraction=0.4, seed=1).with_columns(
        person_id=pl.lit(None, pl.String), event_id="U" + pl.col("event_id")
    )
    pl.concat([rows, unnamed]).write_csv(path)
    return path


@pytest.fixture(scope="module")
def done(table: Path) -> tuple[Result, Path]:
    out = table.parent / "out"
    return vawg(table, "--out", out, "--refit", "--groups", "group", "--groups", "force_code", *QUICK), out


def test_it_writes_the_table_the_plots_and_a_page_that_needs_nothing_else(done: tuple[Result, Path]) -> None:
    result, out = done
    assert result.exit_code == 0, result.output
    assert "formula" in result.output and "oracle" in result.output and "report.html" in result.output
    table = pl.read_parquet(out / "backtest.parquet")
    assert set(table["measure"]) == {
        "harm_share", "capped_harm_share", "serious_person_share", "incident_share", "hit_share",
    }  # fmt: skip
    assert set(table["top"]) == {"100", "1%", "5%"} and set(table["window_months"]) == {6, 12}
    assert table["cutoff_on"].n_unique() == 4 and table["lower"].null_count() < table.height
    assert pl.read_csv(out / "backtest.csv").height == table.height
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "src=" not in page and "<script" not in page and "@import" not in page and "<link" not in page
    for statement in statements():
        assert statement in page
    assert page.count("<svg") == len(list((out / "plots").glob("*.svg"))) >= 6
    ids = [part.split('"')[0] for part in page.split(' id="')[1:]]
    assert len(ids) == len(set(ids))
    assert {"recording.csv", "ratios.csv", "alerts.csv", "refits.csv", "missing_group_by_force.csv"} <= {
        path.name for path in (out / "tables").iterdir()
    }


def test_it_says_what_it_was_run_on_and_holds_nobodys_id(done: tuple[Result, Path], table: Path) -> None:
    _, out = done
    run = json.loads((out / "run.json").read_text())
    assert run["settings"]["seed"] == 1 and len(run["inputs"]["events"]) == 64
    assert run["parameters"]["version"] == "2026.1" and run["rows"]["left_out"]
    somebody = pl.read_csv(table)["person_id"].drop_nulls()[0]
    for path in out.rglob("*"):
        if path.is_file() and path.suffix != ".parquet":
            assert somebody not in path.read_text(encoding="utf-8"), path.name


def test_the_same_inputs_give_the_same_bytes(done: tuple[Result, Path], table: Path, tmp_path: Path) -> None:
    _, first = done
    again = tmp_path / "again"
    vawg(table, "--out", again, "--refit", "--groups", "group", "--groups", "force_code", *QUICK)
    files = sorted(p.relative_to(first) for p in first.rglob("*") if p.is_file())
    assert files == sorted(p.relative_to(again) for p in again.rglob("*") if p.is_file())
    assert [p for p in files if (first / p).read_bytes() != (again / p).read_bytes()] == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("none.csv",), "no file none.csv"),
        (("EVENTS", "--groups", "shoe_size"), "no column shoe_size"),
        (("EVENTS", "--parameters", "none.csv"), "no file none.csv"),
        (("EVENTS", "--from", "2025-01"), "bring a longer table"),
        (("EVENTS", "--outcomes", "EVENTS"), "no column outcome_weight"),
    ],
)
def test_what_cannot_be_used_is_2_with_a_sentence(
    table: Path, tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    result = vawg(*(table if a == "EVENTS" else a for a in arguments), "--out", tmp_path / "o")
    assert result.exit_code == 2 and says in result.output and "Traceback" not in result.output
    assert not (tmp_path / "o").exists()


def test_a_faulty_row_stops_it_unless_left_out(table: Path, tmp_path: Path) -> None:
    rows = pl.read_csv(table, infer_schema=False)
    faulty = tmp_path / "f.csv"
    pl.concat([rows, rows[:1].with_columns(event_id=pl.lit("X"), harm_days=pl.lit("-5"))]).write_csv(faulty)
    refused = vawg(faulty, "--out", tmp_path / "o", *QUICK)
    assert refused.exit_code == 2 and "harm_days is negative" in refused.output
    left = vawg(faulty, "--out", tmp_path / "o", "--leave-out-faulty", *QUICK)
    assert left.exit_code == 0 and "left out, harm_days is negative: 1" in left.output
