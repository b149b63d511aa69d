"""The comparison itself: what counts as met, that every figure is there, and what is said of those that are not."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tests.reproduce import figures
from tests.reproduce.figures import Compared, as_table, compare, published_figures
from tests.reproduce.nations import calibration_of, nations


def compared(published: float, computed: float | None, tolerance: str) -> Compared:
    return Compared("V0", "a figure", published, computed, tolerance)


@pytest.mark.parametrize(
    ("published", "computed", "tolerance", "met"),
    [
        (1000, 1020, "relative", True),
        (1000, 980, "relative", True),
        (1000, 1021, "relative", False),
        (1000, 979, "relative", False),
        (0.26, 0.27, "points", True),
        (0.26, 0.2701, "points", False),
        (100, 100, "exact", True),
        (100, 99, "exact", False),
        (431, 900, "at_least", True),
        (431, 430, "at_least", False),
        (431, None, "at_least", False),
    ],
)
def test_a_figure_is_met_within_two_in_a_hundred_or_a_point(
    published: float, computed: float | None, tolerance: str, met: bool
) -> None:
    assert compared(published, computed, tolerance).is_met is met


def test_every_published_figure_is_asked_for_and_no_other() -> None:
    asked = published_figures()
    assert asked["figure"].is_unique().all()
    assert set(asked["figure"].str.extract(r"^(V\d+)")) == {f"V{n}" for n in range(1, 30)}
    assert set(asked["nation"]) == set(nations())
    assert set(asked["tolerance"]) <= {"relative", "points", "exact", "at_least"}


def test_a_figure_that_is_not_met_stands_out() -> None:
    met, off, missing = as_table(
        [compared(1, 1, "exact"), compared(0.158, 0.192, "points"), compared(1, None, "exact")]
    ).splitlines()[1:]
    assert met.startswith("ok V0")
    assert off.startswith("XX V0") and "+3.40 pt" in off
    assert missing.startswith("XX V0") and missing.rstrip().endswith("-")


@pytest.mark.parametrize("name", list(nations()))
def test_the_targets_of_every_nation_are_read(name: str) -> None:
    calibration = calibration_of(nations()[name])
    assert bool(calibration.targets.height) == ("targets" in nations()[name])
    assert calibration.targets["target"].is_unique().all()
    assert set(calibration.targets["per"]) <= {"crime", "suspect"}


def test_counts_are_read_from_a_release_and_scaled(tmp_path: Path) -> None:
    (tmp_path / "statistical").mkdir()
    figure = published_figures().filter(pl.col("figure") == "V2")
    figure.select(
        "definition_id",
        "threat",
        "breakdown",
        "breakdown_value",
        "period_kind",
        pl.col("period").str.to_date(),
        force_code=pl.lit("national"),
        measure="statistic",
        value=pl.lit(7897.0),
    ).write_parquet(tmp_path / "statistical" / "national_statistics.parquet")
    pl.DataFrame({"list_kind": ["force_top"]}).write_parquet(
        tmp_path / "statistical" / "perpetrator_lists.parquet"
    )
    # What is published of them stands beside the statistics, under the same name.
    (tmp_path / "publishable").mkdir()
    pl.DataFrame({"value": [0]}).write_parquet(tmp_path / "publishable" / "national_statistics.parquet")
    found = {c.figure: c for c in compare({"earlier": tmp_path}, {"earlier": 0.01})}
    assert found["V2"].computed == pytest.approx(789_700)
    assert found["V2"].is_met
    # What the release does not give is not met, and no error.
    assert found["V29"].computed is None
    assert not found["V29"].is_met


def test_the_lists_of_the_nation_and_of_london_are_read_from_the_statistics(tmp_path: Path) -> None:
    """V28: the region London, whose forces are pooled; another region has a list of its own."""
    (tmp_path / "statistical").mkdir()
    listed = [("national", "national_top", 1000), ("London", "force_top", 100), ("London", "force_next", 99)]
    pl.DataFrame(
        [
            {"force_code": place, "breakdown_value": kind, "value": float(n)}
            for place, kind, n in [*listed, ("Wales", "force_top", 87), ("national", "national_quota", 998)]
        ]
    ).with_columns(
        definition_id=pl.lit("npcc_policing_scope"),
        threat=pl.lit("all"),
        measure=pl.lit("persons_listed"),
        breakdown=pl.lit("list"),
        period_kind=pl.lit("month"),
        period=pl.lit("2023-07-01").str.to_date(),
        numerator=pl.lit(0),
        denominator=pl.lit(0),
        share=pl.lit(0.0),
    ).write_parquet(tmp_path / "statistical" / "national_statistics.parquet")
    only = published_figures().filter(pl.col("figure").str.starts_with("V28"))
    only.write_csv(tmp_path / "figures.csv")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "FIGURES", tmp_path / "figures.csv")
        found = {c.figure: c for c in compare({"years": tmp_path}, {"years": 0.015})}
    assert {name: c.computed for name, c in found.items()} == {
        "V28 national": 1000,
        "V28 London": 100,
        "V28 next": 99,
    }
    assert [name for name, c in found.items() if not c.is_met] == ["V28 next"]


def test_a_count_from_outside_the_nation_is_added_at_its_scale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """V4: 507827 of the crimes sent and half of the 936276 frauds that national bodies recorded in the year."""
    (tmp_path / "statistical").mkdir()
    figure = published_figures().filter(pl.col("figure") == "V4 share")
    figure.write_csv(tmp_path / "figures.csv")
    monkeypatch.setattr(figures, "FIGURES", tmp_path / "figures.csv")
    figure.select(
        "definition_id",
        "threat",
        "breakdown",
        "period_kind",
        pl.col("period").str.to_date(),
        force_code=pl.lit("national"),
        measure="statistic",
        numerator=pl.lit(5078),
        denominator=pl.lit(26385),
    ).write_parquet(tmp_path / "statistical" / "national_statistics.parquet")
    (found,) = compare({"years": tmp_path}, {"years": 0.01})
    assert found.computed == pytest.approx(507_800 / (2_638_500 + 936_276 / 2))
    assert found.is_met
