"""What forces do to nominals after they have sent them: the truth tells it, and the extracts show it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

Read = Callable[[Path, str], pl.DataFrame]
NOMINAL = ["force_code", "person_ref"]


def record_id(ref: str = "person_ref") -> pl.Expr:
    return pl.format("{}|{}", "force_code", ref)


@pytest.fixture(scope="module")
def changes(clean: Path) -> pl.DataFrame:
    """The changes, with `month` as submissions write it."""
    rows = pl.read_parquet(clean / "truth" / "person_changes.parquet")
    return rows.with_columns(month=pl.col("period").dt.strftime("%Y-%m"))


def test_every_kind_of_change_happens_to_nominals_that_were_sent(clean: Path, changes: pl.DataFrame) -> None:
    assert set(changes["kind"]) == {"corrected", "reidentified", "deleted"}
    truth = pl.read_parquet(clean / "truth" / "person_truth.parquet")
    assert set(changes["record_id"]) <= set(truth["record_id"])
    gone = changes.filter(pl.col("kind") != "corrected")
    assert gone["record_id"].is_unique().all()


def test_a_correction_changes_the_fields_it_names_and_no_other_part_of_the_identity(
    clean: Path, read: Read, changes: pl.DataFrame
) -> None:
    fields = ["forenames", "surname", "date_of_birth", "pnc_id", "cro_number"]
    persons = (
        read(clean, "persons").with_columns(record_id=record_id()).sort("record_id", "period", "sequence")
    )
    before = [pl.col(c).shift(1).over("record_id").alias(f"{c} before") for c in fields]
    told = [
        pl.when(pl.col(c).ne_missing(pl.col(f"{c} before"))).then(pl.lit(c)).alias(f"{c} told")
        for c in fields
    ]
    versions = (
        persons.unique(["record_id", "period"], keep="last", maintain_order=True)
        .with_columns(before)
        .with_columns(shown=pl.concat_str(told, separator=",", ignore_nulls=True))
    )
    corrected = changes.filter(pl.col("kind") == "corrected").join(
        versions, left_on=["record_id", "month"], right_on=["record_id", "period"], how="left"
    )
    assert corrected.height > 20
    assert corrected.filter(pl.col("shown").ne_missing(pl.col("fields"))).height == 0


def test_a_correction_brings_the_birth_date_to_the_truth(
    clean: Path, read: Read, changes: pl.DataFrame
) -> None:
    born = changes.filter(pl.col("fields").str.contains("date_of_birth")).select("record_id")
    last = (
        read(clean, "persons")
        .with_columns(record_id=record_id())
        .sort("period", "sequence")
        .unique("record_id", keep="last", maintain_order=True)
        .join(born, on="record_id")
        .join(pl.read_parquet(clean / "truth" / "person_truth.parquet"), on="record_id")
    )
    assert last.height > 5
    assert (last["date_of_birth"].str.to_date() == last["true_date_of_birth"]).all()


def test_a_removed_nominal_is_deleted_in_that_month(clean: Path, read: Read, changes: pl.DataFrame) -> None:
    deleted = read(clean, "deletions").filter(pl.col("extract") == "persons")
    told = changes.filter(pl.col("kind") != "corrected")
    found = deleted.select(record_id=record_id("record_ref"), month="period").unique()
    assert set(found.rows()) == set(told.select("record_id", "month").rows())


def test_a_reidentified_nominal_is_the_same_person_as_the_one_that_takes_its_place(
    clean: Path, changes: pl.DataFrame
) -> None:
    persons = pl.read_parquet(clean / "truth" / "person_truth.parquet").select("record_id", "true_person_id")
    both = (
        changes.filter(pl.col("kind") == "reidentified")
        .join(persons, on="record_id", how="left")
        .join(persons, left_on="new_record_id", right_on="record_id", how="left", suffix="_new")
    )
    assert both.height > 5
    assert (both["true_person_id"] == both["true_person_id_new"]).fill_null(False).all()


@pytest.mark.parametrize(
    ("extract", "column"),
    [
        ("victims", "person_ref"),
        ("suspects", "person_ref"),
        ("incidents", "victim_person_ref"),
        ("incidents", "suspect_person_ref"),
        ("protective_orders", "respondent_person_ref"),
        ("offender_management", "person_ref"),
    ],
)
def test_nothing_that_stands_names_a_removed_nominal(
    clean: Path, read: Read, changes: pl.DataFrame, extract: str, column: str
) -> None:
    """The last version of every record that is not deleted itself."""
    root = {"victims": "crime_ref", "suspects": "crime_ref", "incidents": "incident_ref"}.get(extract)
    root = root or ("order_ref" if extract == "protective_orders" else "person_ref")
    version = pl.concat_str("period", "sequence", separator="_")
    rows = read(clean, extract).filter(version == version.max().over("force_code", root))
    gone = read(clean, "deletions").select("force_code", pl.col("record_ref").alias(root))
    standing = rows.join(gone, on=["force_code", root], how="anti").drop_nulls(column)
    removed = changes.filter(pl.col("kind") != "corrected")
    assert standing.height > 20
    assert standing.filter(record_id(column).is_in(removed["record_id"].implode())).height == 0


def test_the_crimes_of_a_reidentified_nominal_name_the_new_one(
    clean: Path, read: Read, changes: pl.DataFrame
) -> None:
    moved = changes.filter(pl.col("kind") == "reidentified").select("record_id", "new_record_id", "month")
    roles = pl.concat(
        read(clean, extract).select(
            "force_code", "crime_ref", "period", record_id=record_id(), role=pl.lit(extract)
        )
        for extract in ("victims", "suspects")
    ).drop_nulls()
    named = roles.join(moved, on="record_id")
    assert named.height > 5
    assert (named["period"] < named["month"]).all()
    again = named.unique(["force_code", "crime_ref", "role", "record_id"]).join(
        roles,
        left_on=["force_code", "crime_ref", "role", "month", "new_record_id"],
        right_on=["force_code", "crime_ref", "role", "period", "record_id"],
        how="semi",
    )
    deleted = read(clean, "deletions").filter(pl.col("extract") == "offences")["record_ref"]
    owed = named.filter(~pl.col("crime_ref").is_in(deleted.implode()))
    assert set(owed["crime_ref"]) <= set(again["crime_ref"])
