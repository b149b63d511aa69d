"""The nation looks like the published figures it is drawn from (loosely: a small sample of it)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from data_contracts.code_lists import code_list, codes
from data_contracts.synthetic.profile import AGE_BANDS, behaviour, forces, table
from tests.data_contracts.synthetic.conftest import FORCES

Read = Callable[[Path, str], pl.DataFrame]
CRIME = ["force_code", "crime_ref"]


@pytest.fixture(scope="session")
def crimes(clean: Path, read: Read) -> pl.DataFrame:
    """The last version of each live crime, with offence group, true domestic marker and first victim."""
    last = read(clean, "offences").sort("period", "sequence").unique(CRIME, keep="last", maintain_order=True)
    victims = (
        read(clean, "victims")
        .filter(pl.col("victim_no") == "1")
        .unique(CRIME)
        .select(*CRIME, "victim_type", victim_sex="sex", victim_age=pl.col("age").cast(pl.Int64))
    )
    groups = code_list("offence_codes").select(
        offence_code="code", group="offence_group", subgroup="offence_subgroup"
    )
    truth = pl.read_parquet(clean / "truth" / "offence_truth.parquet")
    return (
        last.filter(pl.col("status") == "live")
        .join(groups, on="offence_code")
        .join(victims, on=CRIME, how="left")
        .join(truth, on=CRIME, how="left")
    )


@pytest.fixture(scope="session")
def vawg(crimes: pl.DataFrame) -> pl.DataFrame:
    """Violence and sexual offences against women and girls of 10 or over (police officers apart)."""
    return crimes.filter(
        pl.col("group").is_in(["Violence against the person", "Sexual offences"])
        & (pl.col("victim_sex") == "F")
        & (pl.col("victim_age") >= 10)
        & (pl.col("victim_type") == "person")
    )


def share(rows: pl.DataFrame, condition: pl.Expr) -> float:
    return rows.select(condition.mean()).item()


def test_forces_and_offences_follow_the_recorded_counts(clean: Path, read: Read) -> None:
    sent = read(clean, "offences").unique(CRIME)
    of_force = {f.code: f.annual for f in forces()}
    expected = np.array([of_force[c].sum() for c in FORCES])
    counted = np.array([sent.filter(pl.col("force_code") == c).height for c in FORCES])
    assert counted / counted.sum() == pytest.approx(expected / expected.sum(), abs=0.02)
    per_code = sent.group_by("offence_code").len()
    wanted = pl.DataFrame({"offence_code": behaviour().codes, "wanted": sum(of_force[c] for c in FORCES)})
    both = (
        wanted.join(per_code, on="offence_code", how="left")
        .fill_null(0)
        .sort("wanted", descending=True)
        .head(25)
    )
    ratio = (both["len"] / sent.height) / (both["wanted"] / expected.sum())
    assert ratio.min() > 0.75
    assert ratio.max() < 1.25


def test_a_fifth_of_crime_is_against_women_and_girls(crimes: pl.DataFrame, vawg: pl.DataFrame) -> None:
    assert vawg.height / crimes.height == pytest.approx(0.20, abs=0.03)  # V3


def test_the_make_up_of_violence_against_women_and_girls(vawg: pl.DataFrame) -> None:
    assert share(vawg, pl.col("subgroup") == "Stalking and harassment") == pytest.approx(0.40, abs=0.05)  # V9
    assert share(vawg, pl.col("is_domestic_abuse")) == pytest.approx(0.37, abs=0.05)  # V7
    closed = vawg.filter(pl.col("outcome_code").is_not_null())
    assert share(closed, pl.col("outcome_code") == "1") == pytest.approx(0.06, abs=0.025)  # V16
    assert share(closed, pl.col("outcome_code").is_in(["14", "16"])) == pytest.approx(0.38, abs=0.06)  # V16


def test_three_quarters_of_domestic_victims_are_female(crimes: pl.DataFrame) -> None:
    domestic = crimes.filter("is_domestic_abuse")
    assert share(domestic, pl.col("victim_sex") == "F") == pytest.approx(0.75, abs=0.06)  # V15
    assert domestic["victim_age"].mean() == pytest.approx(38, abs=2.5)  # V20


def test_every_table_names_what_exists() -> None:
    families = set(table("families")["family"])
    for name in ("relations", "victim_ages", "suspect_ages", "offence_families"):
        assert set(table(name)["family"]) == families, name
    for name in ("injuries", "weapons"):
        assert set(table(name)["family"]) <= families
    assert set(table("outcomes")["outcome_mix"]) == set(table("families")["outcome_mix"])
    assert (
        set(table("force_habits")["force_code"])
        == {f.code for f in forces()}
        == set(table("outcodes")["force_code"])
    )
    assert set(table("order_types")["order_type"]) <= set(codes("order_types"))
    assert table("management_schemes")["scheme"].to_list() == codes("management_schemes").to_list()
    assert set(table("locations")["location_type"]) <= set(codes("location_types"))
    codes_ = table("reclassifications").select("first_code", "offence_code").unpivot()["value"]
    assert set(codes_) <= set(behaviour().codes)
    assert len(forces()) == 43


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("relations", ["intimate", "family_member", "known", "stranger", "unknown"]),
        ("victim_ages", list(AGE_BANDS)),
        ("suspect_ages", list(AGE_BANDS[1:])),
    ],
)
def test_shares_add_to_one(name: str, columns: list[str]) -> None:
    off = table(name).filter((pl.sum_horizontal(columns) - 1).abs() > 1e-6)
    assert off.select("family").rows() == []


def test_the_calibration_names_its_basis() -> None:
    for name in (
        "calibration",
        "families",
        "relations",
        "victim_ages",
        "suspect_ages",
        "outcomes",
        "locations",
        "variants",
        "reclassifications",
    ):
        assert table(name)["basis"].null_count() == 0, name


def test_the_profile_stays_small() -> None:
    folder = Path(__file__).parents[3] / "data_contracts" / "synthetic" / "profile"
    assert sum(p.stat().st_size for p in folder.iterdir()) < 3_000_000
    assert (folder / "SOURCES.md").is_file()
