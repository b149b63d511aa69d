"""Defects of the handmade nation: what a repair touches, and what rests on one force alone."""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl
import pytest

from assets.consequences.consequences import LEFT_OUT, find_consequences, write_consequences
from assets.consequences.defects import known_defects
from assets.consequences.scratch import REPAIRS, copy_of_the_run, mend
from assets.storage import Layout
from tests.dbt.handmade import A, B

DEFECTS = {d.defect_id: d for d in known_defects()}
MENDED = sorted(DEFECTS.keys() - {LEFT_OUT})


def test_every_defect_says_what_it_may_not_claim_and_has_a_repair() -> None:
    assert all(len(d.may_not_claim) > 20 and d.repair and d.source for d in DEFECTS.values())
    repaired = {path.name.split(".")[0] for path in REPAIRS.glob("*.*.sql")}
    assert repaired == set(MENDED)
    assert [int(d.defect_no) for d in DEFECTS.values()] == list(range(1, len(DEFECTS) + 1))


@pytest.mark.parametrize("defect_id", MENDED)
def test_a_repair_touches_nothing_but_what_has_the_defect(
    warehouse: Path, tmp_path: Path, defect_id: str
) -> None:
    layout = Layout(warehouse)
    scratch = copy_of_the_run(layout, tmp_path)
    models, counts = mend(scratch, layout.quarantine, defect_id, DEFECTS[defect_id].parameter)
    assert counts.filter(
        (pl.col("n_mended") > pl.col("n_records")) | (pl.col("n_records") > pl.col("n_rows"))
    ).is_empty()
    with duckdb.connect(str(layout.warehouse), read_only=True) as before:
        staged = {model: before.execute(f"from staging.{model}").pl() for model in models}
    with duckdb.connect(str(scratch.warehouse)) as after:
        for model, rows in staged.items():
            mended = after.execute(f"from staging.{model}").pl()
            assert mended.schema == rows.schema
            n_changed = after.execute(
                f"select count(*) from main.mended__{model} where is_mended and not is_added"
            ).fetchall()[0][0]
            n_added = mended.height - rows.height
            assert n_added >= 0
            keys = [c for c in mended.columns if mended.schema[c] != pl.Null]
            kept = rows.join(mended, on=keys, how="semi", nulls_equal=True).height
            assert kept == rows.height - n_changed


@pytest.mark.heavy
def test_what_rests_on_one_force_alone(warehouse: Path, tmp_path: Path) -> None:
    """P1 has two crimes in A and one in B: without B he stays, without A one crime is too few. S10 is B's alone."""
    found = find_consequences(Layout(warehouse), tmp_path / "scratch", [DEFECTS[LEFT_OUT]])
    lists = ("eligible", "national", "scope")
    rows = found.persons.select("force_code", "list_kind", "person_id", "movement").rows()
    assert sorted(rows) == sorted(
        [(A, kind, "P1", "leaves") for kind in lists] + [(B, kind, f"P-{B}|S10", "leaves") for kind in lists]
    )
    of_a = found.defects.row(by_predicate=pl.col("force_code") == A, named=True)
    assert of_a["n_leave_national"] == 1 and "1 would leave the national list" in of_a["sentence"]
    assert of_a["sentence"].endswith("it shows how much rests on this force alone."), (
        "the sentence ends with what it does not say"
    )
    with duckdb.connect(str(warehouse / "warehouse" / "vawg.duckdb"), read_only=True) as connection:
        crimes = dict(
            connection.execute(
                "select force_code, value from marts.national_statistics where measure = 'offences' and threat = 'all' "
                "and breakdown = 'none' and period_kind = 'month' and period = date '2026-06-01' "
                "and definition_id = 'npcc_policing_scope'"
            ).fetchall()
        )
    without_a = found.figures.filter(
        (pl.col("force_code") == A)
        & (pl.col("measure") == "offences")
        & (pl.col("threat") == "all")
        & (pl.col("period_kind") == "month")
        & (pl.col("period") == pl.date(2026, 6, 1))
        & (pl.col("definition_id") == "npcc_policing_scope")
    )
    assert without_a.select("value_now", "value_mended").rows() == [
        (crimes["national"], crimes["national"] - crimes[A])
    ]
    assert not (tmp_path / "scratch").exists()
    folder = write_consequences(found, tmp_path / "out")
    named = pl.read_csv(folder / "statistical" / "defect_consequences.csv")
    assert "P1" not in named.write_csv(), "ids of persons stand in the identifiable folder alone"
