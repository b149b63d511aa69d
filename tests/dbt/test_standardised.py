"""The standardised models on the handmade nation, and what linkage gets to read."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import duckdb
import polars as pl

from tests.dbt import handmade, nation
from tests.dbt.conftest import Query, dbt
from tests.dbt.handmade import A, B

PERSON_RECORDS = {
    "record_id": pl.String(),
    "force_code": pl.String(),
    "person_ref": pl.String(),
    "forenames": pl.String(),
    "surname": pl.String(),
    "date_of_birth": pl.Date(),
    "sex": pl.String(),
    "postcode": pl.String(),
    "earlier_postcodes": pl.List(pl.String()),
    "pnc_id": pl.String(),
    "cro_number": pl.String(),
    "phone": pl.String(),
    "alias_full_names": pl.List(pl.String()),
    "alias_surnames": pl.List(pl.String()),
    "alias_dates_of_birth": pl.List(pl.Date()),
}


def person_records(root: Path) -> pl.DataFrame:
    return pl.read_parquet(root / "standardised" / "std_person_records.parquet")


def test_linkage_reads_exactly_the_agreed_columns_in_order(warehouse: Path) -> None:
    records = person_records(warehouse)
    assert dict(records.schema) == PERSON_RECORDS
    assert records["record_id"].is_sorted()


def test_nominals_reach_linkage_as_they_were_written(warehouse: Path) -> None:
    """Linkage cleans, in one way on every road; only a birth date that is a placeholder is nobody's, here as elsewhere."""
    row = person_records(warehouse).row(by_predicate=pl.col("record_id") == f"{A}|S12", named=True)
    assert (row["forenames"], row["surname"]) == ("  josé luis ", "d’arc-Smith 3")
    assert (row["postcode"], row["phone"], row["sex"]) == ("ZZ99 3WZ", "+447700900123", "X")
    assert row["date_of_birth"] is None
    assert row["alias_full_names"] == row["earlier_postcodes"] == []


def test_aliases_are_lists(warehouse: Path) -> None:
    row = person_records(warehouse).row(by_predicate=pl.col("record_id") == f"{A}|S1", named=True)
    assert row["alias_full_names"] == ["Annie May O’Brien"]
    assert row["alias_surnames"] == ["O’Brien"]
    assert row["alias_dates_of_birth"] == [date(1991, 1, 1)]


def test_earlier_postcodes_are_those_a_force_did_not_take_back(warehouse: Path) -> None:
    records = person_records(warehouse).filter(pl.col("person_ref") == "S13")
    assert dict(records.select("force_code", "postcode").iter_rows()) == {A: "M2 2BB", B: "B2 2BB"}
    assert dict(records.select("force_code", "earlier_postcodes").iter_rows()) == {A: ["M1 1AA"], B: []}


def test_the_repository_knows_two_sexes_and_else_none(query: Query) -> None:
    rows = query(
        "select record_id, sex from repository.national_person_records where record_id in (?, ?) order by 1",
        f"{A}|S1",
        f"{A}|S12",
    )
    assert rows == [(f"{A}|S1", "M"), (f"{A}|S12", None)]


def test_children_of_a_crime_are_those_of_the_version_that_stands(query: Query) -> None:
    victims = "select split_part(offence_id, '|', 2), count(*) from standardised.std_victims where offence_id in (?, ?) group by 1"
    assert query(victims, f"{A}|VE2", f"{A}|VE3") == [("VE2", 1)]


def test_flags_keep_their_sources_apart(query: Query) -> None:
    rows = query(
        "select split_part(offence_id, '|', 2), force_raw_value, force_value, inferred_basis, national_value "
        "from standardised.std_offence_flags where flag = 'DA' and force_code = ? order by 1",
        B,
    )
    assert rows == [
        ("FL1", "DV", "N", "da_intimate_both_16", "Y"),
        ("FL3", "dv", "Y", None, "Y"),
        ("FL4", None, None, "da_text_partner", "Y"),
        ("FL6", "DV", "N", "da_text_partner", "N"),
    ]


def test_nobody_and_nothing_is_no_error(warehouse: Path, tmp_path: Path) -> None:
    """A return without persons (as NIBRS sends) gives an empty list of records and an empty ranked list, also in a
    warehouse that held people before."""
    month = handmade.Month(A, handmade.JUNE)
    month.crime("A1", suspects=[{}])
    root = nation.write(tmp_path, [month.submission()], period=handmade.JUNE, period_end=handmade.JUNE_END)
    # Code lists are loaded and the project is parsed there already.
    shutil.copy(warehouse / "warehouse" / "vawg.duckdb", root / "warehouse")
    shutil.copytree(warehouse / "target", root / "target")
    built = dbt(root, "run")
    assert built.returncode == 0, built.stdout[-4000:]
    assert person_records(root).height == 0
    assert dict(person_records(root).schema) == PERSON_RECORDS
    with duckdb.connect(str(root / "warehouse" / "vawg.duckdb"), read_only=True) as connection:
        counts = [
            connection.execute(f"select count(*) from marts.{m}").fetchall()[0][0]
            for m in ("ranked_perpetrators", "ranked_perpetrator_offences", "national_statistics")
        ]
    assert counts[:2] == [0, 0]
    assert counts[2] > 0
