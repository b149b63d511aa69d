"""How good a clustering is against the truth: pairs, clusters, and who of the planted and the ordinary is wrongly joined.

Frames have a row a record: the label `found` by linkage, and the truth as `data_contracts.synthetic.nominals` writes it
(true_person_id, planted_group, planted_group_no, true_ethnicity, true_sex, true_date_of_birth).
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

# Ages are those of the day the synthetic nation of nominals is drawn for.
AGED_ON = date(2026, 1, 1)
AGE_BANDS = {
    18: "under 18",
    25: "18-24",
    35: "25-34",
    45: "35-44",
    55: "45-54",
    65: "55-64",
    200: "65 and over",
}


class PairQuality(NamedTuple):
    """Shares 0..1 over pairs of records; precision is 1.0 where nothing was joined."""

    precision: float
    recall: float
    f1: float


class Sharing(NamedTuple):
    """True persons who share an id with another, per 10,000 persons; `base` are in no planted group."""

    per_10k: float
    base_per_10k: float
    n_base: int
    most_persons_in_one_id: int


def _n_pairs(sizes: pl.Series) -> int:
    sizes = sizes.cast(pl.Int64)
    return int((sizes * (sizes - 1) // 2).sum())


def pair_quality(people: pl.DataFrame, *, found: str, truth: str) -> PairQuality:
    """Compare two labellings of the same records, columns `found` and `truth` of `people`."""

    def n_pairs(*labels: str) -> int:
        return _n_pairs(people.group_by(labels).len()["len"])

    n_right, n_found, n_true = n_pairs(found, truth), n_pairs(found), n_pairs(truth)
    return PairQuality(
        precision=n_right / n_found if n_found else 1.0,
        recall=n_right / n_true,
        f1=2 * n_right / (n_found + n_true),
    )


def b_cubed_f1(people: pl.DataFrame, *, found: str, truth: str) -> float:
    """B-cubed F, 0..1: the harmonic mean of what share of a record's cluster is its own person, and the reverse."""
    cells = (
        people.group_by(found, truth)
        .len("n")
        .with_columns(n_found=pl.col("n").sum().over(found), n_true=pl.col("n").sum().over(truth))
    )
    precision, recall = cells.select(
        precision=(pl.col("n") ** 2 / pl.col("n_found")).sum() / pl.col("n").sum(),
        recall=(pl.col("n") ** 2 / pl.col("n_true")).sum() / pl.col("n").sum(),
    ).row(0)
    return float(2 * precision * recall / (precision + recall))


def sharing(people: pl.DataFrame, *, found: str) -> Sharing:
    """Who shares an id with somebody else."""
    persons = people.select(found, "true_person_id", is_base=pl.col("planted_group").is_null()).unique()
    shared = persons.with_columns(n=pl.len().over(found)).filter(pl.col("n") > 1)
    sharers = shared.select("true_person_id", "is_base").unique()
    n_persons = people["true_person_id"].n_unique()
    n_base = int(sharers["is_base"].sum())
    return Sharing(
        per_10k=1e4 * sharers.height / n_persons,
        base_per_10k=1e4 * n_base / n_persons,
        n_base=n_base,
        most_persons_in_one_id=int(shared["n"].max() or 1),  # type: ignore[arg-type]
    )


def planted_merged_shares(people: pl.DataFrame, *, found: str) -> dict[str, float]:
    """By planted group, the share 0..1 of its groups of persons of which two share an id."""
    planted = people.filter(pl.col("planted_group").is_not_null())
    group = ["planted_group", "planted_group_no"]
    in_one_id = planted.group_by(*group, found).agg(n=pl.col("true_person_id").n_unique())
    groups = (
        planted.group_by(group)
        .agg(n_persons=pl.col("true_person_id").n_unique())
        .filter(pl.col("n_persons") > 1)
        .join(in_one_id.group_by(group).agg(most=pl.col("n").max()), on=group)
    )
    shares = groups.group_by("planted_group").agg((pl.col("most") > 1).mean()).sort("planted_group")
    return dict(shares.iter_rows())


def with_age_band(people: pl.DataFrame) -> pl.DataFrame:
    """`people` with `age_band`, from the true date of birth."""
    age = (pl.lit(AGED_ON) - pl.col("true_date_of_birth")).dt.total_days() / 365.25
    band = pl.lit(None, pl.String)
    for below, name in sorted(AGE_BANDS.items(), reverse=True):
        band = pl.when(age < below).then(pl.lit(name)).otherwise(band)
    return people.with_columns(age_band=band)


def by_group(people: pl.DataFrame, *, found: str, by: str) -> pl.DataFrame:
    """A row a value of `by`, a column that is the same in all records of a person.

    Records in an id that holds more than one person, per 10,000 records of the group (`wrong_per_10k`), the same of
    persons in no planted group (`base_wrong_per_10k`, `n_base_wrong_records`), the share of the wrong that are of planted persons
    (`planted_share`), the wrong persons (`n_wrong_persons`), and the share of the group's true pairs that were found (`recall`).
    """
    labelled = people.with_columns(
        is_wrong=pl.col("true_person_id").n_unique().over(found) > 1,
        is_base=pl.col("planted_group").is_null(),
    )
    counts = labelled.group_by(by).agg(
        n_records=pl.len(),
        n_wrong_persons=pl.col("true_person_id").filter("is_wrong").n_unique(),
        wrong_per_10k=1e4 * pl.col("is_wrong").mean(),
        base_wrong_per_10k=1e4 * pl.col("is_wrong").filter("is_base").mean(),
        n_base_wrong_records=(pl.col("is_wrong") & pl.col("is_base")).sum(),
        planted_share=(~pl.col("is_base")).filter("is_wrong").mean(),
    )

    def pairs(*labels: str) -> pl.DataFrame:
        size = pl.col("len").cast(pl.Int64)
        return people.group_by(by, *labels).len().group_by(by).agg(n=(size * (size - 1) // 2).sum())

    recall = (
        pairs(found, "true_person_id")
        .join(pairs("true_person_id"), on=by, suffix="_true")
        .select(by, recall=pl.col("n") / pl.col("n_true"))
    )
    return counts.join(recall, on=by).sort(by)


def with_truth(links: pl.DataFrame, truth: Path | str) -> pl.DataFrame:
    """Links by `record_id`, with what is true of each record."""
    return links.join(pl.read_parquet(truth), on="record_id")


def quality(people: pl.DataFrame, found: str, method: str) -> dict[str, Any]:
    """All that is measured of one labelling, shares 0..1, under the name of the method that made it."""
    pairs = pair_quality(people, found=found, truth="true_person_id")
    return {
        "method": method,
        "precision": pairs.precision,
        "recall": pairs.recall,
        "b_cubed_f1": b_cubed_f1(people, found=found, truth="true_person_id"),
        **sharing(people, found=found)._asdict(),
        "planted": planted_merged_shares(people, found=found),
    }
