"""The states of the national identity: made once, from the right one before, whole or not there, never disturbed."""

from __future__ import annotations

import ast
import shutil
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from assets.linkage import states
from assets.linkage.model import MODEL
from assets.linkage.standing import LAYOUT, layout_of
from assets.linkage.states import DECIDING, INDEX, Moment, state_of
from decisions.refusals import DecidedPair
from tests.assets.linkage.histories import Row, dense_rows, other_model, write_rows

JANUARY = Moment("england_wales", date(2026, 1, 1), datetime(2026, 2, 5))
FEBRUARY = Moment("england_wales", date(2026, 2, 1), datetime(2026, 3, 5))
# January again, with what was known in April; and March.
JANUARY_LATER = Moment("england_wales", date(2026, 1, 1), datetime(2026, 4, 5))
MARCH = Moment("england_wales", date(2026, 3, 1), datetime(2026, 4, 5))


class Station:
    """States made from what is known: a folder, and the number of records known at a moment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.states = folder / "states"
        self.pool = dense_rows(folder, seed=9, n_records=80)
        self.decided: list[DecidedPair] = []
        self.model = MODEL

    def make(self, moment: Moment, n_records: int) -> tuple[Path, dict[str, Any]]:
        rows: list[Row] = self.pool[:n_records]
        pl.DataFrame(self.decided, schema=list(DecidedPair._fields), orient="row").cast(
            pl.String
        ).write_parquet(self.folder / "decisions.parquet")
        return state_of(
            self.states,
            moment,
            records=write_rows(rows, self.folder / "records.parquet"),
            decisions=self.folder / "decisions.parquet",
            model=self.model,
        )

    def snapshot(self) -> dict[str, tuple[int, int, int]]:
        files = sorted(path for path in self.states.rglob("*") if path.is_file())
        return {str(p): (p.stat().st_ino, p.stat().st_mtime_ns, p.stat().st_size) for p in files}


@pytest.fixture(scope="module")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Station:
    station = Station(tmp_path_factory.mktemp("made"))
    station.make(JANUARY, 50)
    station.make(FEBRUARY, 65)
    return station


@pytest.fixture
def station(_made: Station, tmp_path: Path) -> Station:
    """January and February made."""
    shutil.copytree(_made.states, tmp_path / "states")
    station = Station.__new__(Station)
    station.__dict__ |= vars(_made) | {"folder": tmp_path, "states": tmp_path / "states", "decided": []}
    return station


def fail(*_: object, **__: object) -> None:
    raise AssertionError("nothing is to be linked")


def crosswalk(folder: Path) -> dict[str, str]:
    return dict(pl.read_parquet(folder / "person_links.parquet").select("record_id", "person_id").iter_rows())


def test_a_state_goes_on_from_the_one_before(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states, "link", fail)
    january, first = station.make(JANUARY, 50)
    february, second = station.make(FEBRUARY, 65)
    assert (first["before"], second["before"]) == (None, january.name)
    assert (first["n_changed"], second["n_changed"]) == (50, 15)
    ledger = pl.read_parquet(february / "person_ledger.parquet")
    assert ledger["as_of"].unique().sort().to_list() == [JANUARY.as_of, FEBRUARY.as_of]
    assert {path.name for path in february.iterdir()} >= {
        INDEX, "state.json", "person_links.parquet", "person_evidence.parquet", "person_review_pairs.parquet", "person_ledger.parquet",
    }  # fmt: skip


def test_the_same_moment_again_touches_nothing(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states, "link", fail)
    before = station.snapshot()
    station.make(JANUARY, 50)
    station.make(FEBRUARY, 65)
    assert station.snapshot() == before


def test_an_earlier_month_run_later_disturbs_no_later_one(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = station.snapshot()
    folder, summary = station.make(JANUARY_LATER, 60)
    # Not from February, whose nominals January cannot know.
    assert summary["before"] == JANUARY.name
    assert pl.read_parquet(folder / "person_links.parquet").height == 60
    assert {path: said for path, said in station.snapshot().items() if path in before} == before
    monkeypatch.setattr(states, "link", fail)
    station.make(FEBRUARY, 65)


def test_a_run_killed_half_way_leaves_nothing(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    before = station.snapshot()

    def killed(_records: Path, out: Path, *, keep: Path, **_: object) -> None:
        out.parent.mkdir(parents=True)
        out.write_bytes(b"half")
        keep.write_bytes(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(states, "link", killed)
        with pytest.raises(KeyboardInterrupt):
            station.make(MARCH, 80)
    assert {path for path in station.snapshot() if "/." not in path} == set(before)
    folder, summary = station.make(MARCH, 80)
    assert summary["before"] == FEBRUARY.name
    assert len(crosswalk(folder)) == 80
    assert not list(station.states.rglob("*.part"))


def test_another_model_keeps_the_ids_of_who_is_the_same(station: Station) -> None:
    february, _ = station.make(FEBRUARY, 65)
    station.model = other_model(station.folder, thresholds={"person": 19.0})
    march, summary = station.make(MARCH, 65)
    assert summary["model_version"] == "person_other-00000000"
    were, are = crosswalk(february), crosswalk(march)
    kept = [record_id for record_id in are if are[record_id] == were[record_id]]
    assert 0.6 * len(were) < len(kept) < len(were)
    ledger = pl.read_parquet(march / "person_ledger.parquet")
    said = ledger.filter(pl.col("as_of") == MARCH.as_of)
    assert set(said["record_id"]) == were.keys() - set(kept)
    assert set(said["cause"]) == {"linked_anew"}
    assert ledger.head(ledger.height - said.height).equals(
        pl.read_parquet(february / "person_ledger.parquet")
    )


def test_a_decision_makes_the_state_again(station: Station) -> None:
    february, _ = station.make(FEBRUARY, 65)
    were = crosswalk(february)
    one, other = next((a, b) for a in were for b in were if a < b and were[a] == were[b])
    station.decided = [DecidedPair("I000001", "cannot_link", one, other)]
    again, summary = station.make(FEBRUARY, 65)
    assert (again, summary["before"]) == (february, JANUARY.name)
    assert crosswalk(again)[one] != crosswalk(again)[other]
    # Once: what was there before is not what it was made from.
    assert pl.read_parquet(again / "person_ledger.parquet")["run_no"].max() == 2


def test_a_state_of_another_version_of_the_program_is_not_gone_on_from(station: Station) -> None:
    """Who everybody was is taken over from it, and nobody is told of anything but what is so."""
    february, _ = station.make(FEBRUARY, 65)
    were = crosswalk(february)
    with duckdb.connect(str(february / INDEX)) as connection:
        connection.execute("UPDATE facts SET layout = layout - 1")
        # As another version wrote it.
        connection.execute("UPDATE person_features SET content = 0")
    march, summary = station.make(MARCH, 65)
    assert summary["before"] == FEBRUARY.name
    assert crosswalk(march) == were and summary["n_events"] == {}
    assert layout_of(march / INDEX) == LAYOUT


# What neither decides who is who nor what is written of it.
NOT_DECIDING = {
    *(
        "__init__.py",
        "calibration.py",
        "ledger.py",
        "linkage_model.py",
        "person_links.py",
        "person_relink.py",
    ),
    *("settings.py", "splink_session.py", "states.py", "training.py"),
}


def test_every_module_is_said_to_decide_or_not() -> None:
    """Or a state would outlive the code it was made by, or be made again for nothing."""
    folder = Path(states.__file__).parent
    names = {path.name for path in folder.iterdir() if path.suffix in (".py", ".csv")}
    assert names == {*DECIDING, *NOT_DECIDING}
    assert not NOT_DECIDING & set(DECIDING)


def test_what_decides_rests_on_what_decides() -> None:
    folder = Path(states.__file__).parent
    modules = [folder / name for name in DECIDING if name.endswith(".py")]
    imported = {
        f"{node.module.rsplit('.', 1)[1]}.py"
        for path in modules
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("assets.linkage.")
    }
    assert "resolution.py" in imported
    assert imported - set(DECIDING) == {"splink_session.py"}


def test_programmes_know_nothing_of_each_other(station: Station) -> None:
    elsewhere = Moment("nibrs_mn2018", date(2026, 3, 1), datetime(2026, 4, 5))
    folder, summary = station.make(elsewhere, 10)
    assert summary["before"] is None
    assert folder.parent.name == "nibrs_mn2018"
