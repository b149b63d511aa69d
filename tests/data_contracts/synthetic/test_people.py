"""The people: hard cases for linkage are there, and the truth about them holds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from data_contracts.rules.reference import placeholders
from data_contracts.synthetic.people import CHECK_LETTERS, age_on, check_letter, names

Read = Callable[[Path, str], pl.DataFrame]


def days(*dates: date) -> np.ndarray:
    return np.array([(d - date(1970, 1, 1)).days for d in dates])


def nominals(clean: Path, read: Read) -> pl.DataFrame:
    """The last version of each nominal beside the truth about it."""
    last = (
        read(clean, "persons")
        .sort("period", "sequence")
        .unique(["force_code", "person_ref"], keep="last", maintain_order=True)
    )
    return last.join(
        pl.read_parquet(clean / "truth" / "person_truth.parquet"),
        on=["force_code", "person_ref"],
        maintain_order="left",
    )


def test_no_real_name_is_a_word_for_nobody() -> None:
    """Whoever is called so would be told every month that their name is missing."""
    words = set(placeholders("name"))
    assert words and not words & {*names().forenames, *names().surnames}


def test_age_is_full_years() -> None:
    born = days(date(2000, 2, 29), date(2000, 2, 29), date(1965, 7, 1))
    on = days(date(2018, 2, 28), date(2018, 3, 1), date(1969, 12, 31))
    assert age_on(born, on).tolist() == [17, 18, 4]


def test_check_letter_by_hand() -> None:
    # 99 before 1234567 is 991234567, and 991234567 modulo 23 is 2.
    assert 991234567 % 23 == 2
    letter = pl.select(check_letter(pl.lit(1999), pl.lit(1234567))).item()
    assert letter == CHECK_LETTERS[2] == "B"


def test_a_pnc_id_belongs_to_one_true_person(clean: Path, read: Read) -> None:
    ids = nominals(clean, read).drop_nulls("pnc_id")
    assert ids.height > 500
    assert ids.group_by("pnc_id").agg(pl.n_unique("true_person_id").alias("n"))["n"].max() == 1


def test_travellers_are_known_to_several_forces_by_names_that_differ(clean: Path, read: Read) -> None:
    crossing = nominals(clean, read).filter("is_cross_border")
    persons = crossing.group_by("true_person_id").agg(
        n_forces=pl.n_unique("force_code"),
        n_names=pl.struct(pl.col("forenames", "surname").str.to_uppercase()).n_unique(),
    )
    several = persons.filter(pl.col("n_forces") > 1)
    assert several.height > 20
    assert several["n_names"].max() > 1


def test_a_force_holds_some_people_twice(clean: Path, read: Read) -> None:
    doubled = nominals(clean, read).group_by("force_code", "true_person_id").len().filter(pl.col("len") > 1)
    assert doubled.height > 50
    # A third is that of somebody who came to notice again after theirs was deleted.
    assert doubled["len"].max() <= 3


def test_planted_groups_are_what_their_label_says(clean: Path, read: Read) -> None:
    truth = nominals(clean, read).filter(~pl.col("is_further_nominal"))
    pairs = (
        truth.drop_nulls("planted_group_no")
        .group_by("planted_group", "planted_group_no")
        .agg(
            n=pl.len(),
            n_persons=pl.n_unique("true_person_id"),
            born=pl.n_unique("true_date_of_birth"),
            gap=(pl.max("true_date_of_birth") - pl.min("true_date_of_birth")).dt.total_days(),
            sexes=pl.n_unique("true_sex"),
        )
        .filter(pl.col("n") == 2)
    )
    assert set(pairs["planted_group"]) == {"twin", "sibling", "father_son", "namesake"}
    assert (pairs["n_persons"] == 2).all()
    assert (pairs.filter(pl.col("planted_group") == "twin")["born"] == 1).all()
    assert (pairs.filter(pl.col("planted_group") == "father_son")["gap"] > 18 * 365).all()
    assert (pairs.filter(pl.col("planted_group") == "father_son")["sexes"] == 1).all()


def test_variants_show_in_what_was_written(clean: Path, read: Read) -> None:
    rows = nominals(clean, read).with_columns(pl.col("variants").fill_null(""))
    missing = rows.filter(pl.col("variants").str.contains("birth_date_missing"))
    assert missing.height > 20
    assert missing["date_of_birth"].null_count() == missing.height
    plain = rows.filter(~pl.col("variants").str.contains("birth_date"))
    assert (plain["date_of_birth"].str.to_date() == plain["true_date_of_birth"]).all()
    swapped = rows.filter(
        pl.col("variants").str.contains("birth_date_swapped") & pl.col("date_of_birth").is_not_null()
    )
    years = swapped["date_of_birth"].str.to_date().dt.year()
    assert (years == swapped["true_date_of_birth"].dt.year()).sum() >= 0.5 * swapped.height


def test_telephone_numbers_are_nobodys(clean: Path, read: Read) -> None:
    phones = read(clean, "persons")["phone"].drop_nulls()
    assert phones.str.contains(r"^07700900\d{6}$").all()
