"""The month's monitoring over a small warehouse with a long made-up history: a planted defect raises its alert, none does not."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import polars as pl
import pytest
from statsmodels.stats.proportion import proportion_confint

from assets.monitoring.month import NATIONAL_LIST, Month, month_of
from assets.monitoring.month_report import tables_of_month
from assets.monitoring.monthly import PREVIOUS, ranking_alerts, write_monitoring
from assets.monitoring.parameters import list_conditions, monitoring, score_parameters
from assets.monitoring.resampling import top_persons
from assets.monitoring.thresholds import Thresholds
from assets.storage import DataRoot, Layout, write_parquet
from decisions import review
from decisions.review_entries import Entry, Subject
from decisions.store import open_store, sqlite_url
from tests.assets.monitoring.made_up_events import Nature, events
from tests.assets.monitoring.warehouses import FORCES, fill, of_years
from tests.assets.test_intake import tree
from tests.decisions.reviewing import NOON, Desk

QUICK = monitoring().but(pooled_cutoffs=2, weights_draws=2, recording_draws=2, monthly_draws=40)
# Too short for a back-test, which is what costs.
RECENT = pl.col("reported_on") >= date(2021, 9, 1)


def allegations(years: int = 4, n_persons: int = 6_000) -> pl.DataFrame:
    return events(5, Nature(n_persons=n_persons, years=years))


def people(rows: pl.DataFrame) -> pl.DataFrame:
    number = pl.col("person_id").str.slice(1).cast(pl.Int64)
    return rows.select("person_id").unique().with_columns(
        self_defined=pl.when(number % 3 == 0).then(pl.lit("B1")).otherwise(pl.lit("W1")),
        officer_defined=pl.when(number % 3 == 0).then(pl.lit("IC3")).otherwise(pl.lit("IC1")),
    )  # fmt: skip


def month(layout: Layout, entries: list[Entry] | None = None) -> Month:
    with duckdb.connect(str(layout.warehouse), read_only=True) as connection:
        return month_of(
            connection, entries or [], layout.run / PREVIOUS, score_parameters(), QUICK, list_conditions()
        )


def alerts(found: Month) -> set[str]:
    return {v.check_id for v in found.alerts}


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "root").prepare()


def change(layout: Layout, sql: str) -> None:
    with duckdb.connect(str(layout.warehouse)) as connection:
        connection.execute(sql)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Layout, Month]:
    """A nation without a defect, and its month."""
    layout = Layout(tmp_path_factory.mktemp("plain") / "root").prepare()
    rows = allegations()
    fill(layout, rows, of_years(4), people(rows))
    return layout, month(layout)


def test_a_long_history_has_every_check_and_a_sound_nation_no_alert_on_its_list(
    plain: tuple[Layout, Month],
) -> None:
    _, found = plain
    assert found.backtest and found.calibration and found.drift is not None
    assert [v.check_id for v in found.verdicts] == Thresholds().ids
    raised = alerts(found) & {"disparity_raw", "disparity_conditional", "group_missing", "data_gates", "negative_tests", "drift_psi"}  # fmt: skip
    assert raised == set()


def test_a_group_whose_harm_is_recorded_as_greater_is_seen_in_the_raw_ratio(layout: Layout) -> None:
    rows = allegations()
    who = people(rows)
    black = who.filter(self_defined="B1")["person_id"].implode()
    graver = pl.when(pl.col("person_id").is_in(black)).then(pl.col("harm_days") * 20).otherwise("harm_days")
    fill(layout, rows.with_columns(graver), of_years(4), who)
    found = {v.check_id: v for v in month(layout).verdicts}
    assert found["disparity_raw"].is_alert and found["disparity_raw"].owner == "Ethics committee"
    assert "ethnicity, self-defined Black" in found["disparity_raw"].detail
    assert "ethnicity, officer-defined Black" in found["disparity_raw"].detail


def test_ethnicity_that_is_not_stated_is_missing_and_shown_as_bounds(layout: Layout) -> None:
    rows = allegations()
    who = people(rows).with_columns(
        self_defined=pl.when(pl.col("self_defined") == "B1").then(pl.lit("NS")).otherwise("self_defined")
    )
    fill(layout, rows, of_years(4), who)
    found = month(layout)
    (missing,) = [v for v in found.verdicts if v.check_id == "group_missing"]
    assert missing.is_alert and missing.value == pytest.approx(1 / 3, abs=0.05)
    assert found.ratios is not None
    bounds_only = found.ratios.filter(pl.col("attribute") == "ethnicity, self-defined")
    assert bounds_only["ratio"].null_count() == bounds_only.height


@pytest.mark.parametrize(
    ("planted", "check_id", "says"),
    [
        ("update marts.ranking_data_gates set has_caveat = true where force_code = 'E23000003'", "data_gates", "E23000003"),
        ("update repository.national_person_gates set is_child = true where person_id in (select person_id from marts.ranked_perpetrators where national_rank = 3)", "negative_tests", "a child"),
        ("update repository.national_person_gates set withheld = true where person_id in (select person_id from marts.ranked_perpetrators where national_rank = 3)", "negative_tests", "identity is under review"),
        ("update repository.national_offences set status = 'cancelled' where offence_id in (select offence_id from marts.ranked_perpetrator_offences where is_counted limit 1)", "negative_tests", "cancelled"),
        ("update repository.national_vawg_allegations set severity_days = severity_days * 40 where reported_at > timestamp '2022-01-01'", "drift_psi", "harm_days"),
    ],
    ids=["gate", "child", "wrong link", "cancelled", "drift"],
)  # fmt: skip
def test_a_planted_defect_raises_its_alert(
    plain: tuple[Layout, Month], layout: Layout, planted: str, check_id: str, says: str
) -> None:
    before, sound = plain
    layout.warehouse.write_bytes(before.warehouse.read_bytes())
    change(layout, planted)
    (found,) = [v for v in month(layout).verdicts if v.check_id == check_id]
    assert found.is_alert and says in found.detail
    assert check_id not in alerts(sound)


def test_a_band_says_what_share_of_it_came_again_and_of_which_window(plain: tuple[Layout, Month]) -> None:
    _, found = plain
    first = found.bands.row(0, named=True)
    assert found.bands["band"].to_list()[0] == "1-25" and found.bands.height == 7
    assert first["n_places"] == 50 and first["window_months"] == 12
    assert (first["first_cutoff_on"], first["last_cutoff_on"]) == (date(2021, 11, 30), date(2021, 12, 31))
    assert first["lower"] <= first["probability"] <= first["upper"]
    assert f"{first['probability']:.0%}" in first["in_words"] and "within 12 months" in first["in_words"]
    # Whoever is on top comes again more often than whoever is far down.
    assert first["probability"] > found.bands.filter(band="201-500")["probability"][0]
    # Bands end where nobody met the conditions of the list: nothing is said of them.
    last = found.bands.row(-1, named=True)
    assert last["probability"] is None and last["in_words"].startswith("not yet known: fewer than 10")


def test_who_came_again_is_told_of_the_latest_list_whose_window_has_closed(
    plain: tuple[Layout, Month],
) -> None:
    _, found = plain
    rates = tables_of_month(found)["rates"]
    known = rates.filter(pl.col("hit_rate").is_not_null())
    assert known["hit_cutoff_on"].unique().to_list() == [date(2021, 12, 31)]
    assert known["hit_window_months"].unique().to_list() == [12]
    assert {"1%", "5%", NATIONAL_LIST} == set(known["top"])
    assert (known["hit_lower"] <= known["hit_rate"]).all() and (known["hit_rate"] <= known["hit_upper"]).all()
    # By hand: those selected then, of one group, with anything later.
    assert found.backtest is not None
    cutoff = found.backtest.cutoffs[-1]
    chosen = set(top_persons(cutoff.scores["formula"], cutoff.pool, round(0.05 * len(cutoff.pool))).tolist())
    again = [bool(cutoff.after.any[p]) for p in sorted(chosen)]
    of_men = rates.filter(attribute="sex", top="5%", group="M")["hit_rate"].item()
    assert of_men == pytest.approx(sum(again) / len(again), abs=1e-6)


def test_a_pair_that_is_selected_more_often_than_either_half_is_seen(layout: Layout) -> None:
    rows = allegations()
    who = people(rows).with_columns(
        sex=pl.when(pl.col("person_id").str.slice(1).cast(pl.Int64) % 2 == 0)
        .then(pl.lit("F"))
        .otherwise(pl.lit("M"))
    )
    both = who.filter(self_defined="B1", sex="F")["person_id"].implode()
    graver = pl.when(pl.col("person_id").is_in(both)).then(pl.col("harm_days") * 20).otherwise("harm_days")
    fill(layout, rows.with_columns(graver), of_years(4), who)
    found = month(layout).ratios
    assert found is not None
    pair = found.filter(attribute="ethnicity, self-defined and sex", basis="raw", top="5%")
    assert pair.filter(pl.col("is_alert") & (pl.col("ratio") > 1))["group"].to_list() == ["Black, F"]
    singly = found.filter(attribute="ethnicity, self-defined", basis="raw", top="5%", group="Black")[
        "ratio"
    ].item()
    assert pair.filter(group="Black, F")["ratio"].item() > singly


def test_how_firmly_people_stand_is_counted_in_tenths(plain: tuple[Layout, Month]) -> None:
    _, found = plain
    nation = dict(found.certainty.filter(list="nation").select("p_from", "n_persons").iter_rows())
    assert nation[1.0] == 80 and nation[0.4] == 105 and nation[0.9] == 0
    assert found.certainty.filter(list="force or region", p_from=0.9)["n_persons"].item() == 185


def test_a_short_history_says_what_it_needs_and_what_it_has(layout: Layout) -> None:
    rows = allegations().filter(pl.col("reported_on") >= date(2022, 10, 1))
    fill(layout, rows, of_years(4), people(rows))
    found = month(layout)
    said = " ".join(note for _, note in found.notes)
    assert found.backtest is None and found.drift is None
    assert "needs 36 months of reports" in said and "there are 3" in said
    assert "backtest" not in tables_of_month(found) and "notes" in tables_of_month(found)
    assert set(found.bands["in_words"]) == {"not yet known: it needs 30 months of reports and there are 3"}
    assert found.bands["probability"].null_count() == found.bands.height == 7
    assert tables_of_month(found)["rates"]["hit_rate"].null_count() == tables_of_month(found)["rates"].height


def test_the_list_is_held_against_the_one_before(plain: tuple[Layout, Month], layout: Layout) -> None:
    before, _ = plain
    layout.warehouse.write_bytes(before.warehouse.read_bytes())
    with duckdb.connect(str(layout.warehouse)) as connection:
        earlier = connection.execute(
            "select person_id, national_rank + 40 as national_rank from marts.ranked_perpetrators"
        ).pl()
    write_parquet(earlier, layout.run / PREVIOUS)
    found = month(layout)
    # The sixty of the earlier hundred are all still among the first hundred.
    assert found.stability["retention"].to_list() == [1.0]
    assert "stability_retention" in alerts(found)


def test_a_reviewer_who_always_agrees_is_counted_and_not_named(layout: Layout, tmp_path: Path) -> None:
    store = open_store(sqlite_url(tmp_path / "decisions.sqlite"))
    at = NOON
    for n in range(51):
        subject = Subject(f"P{n}", (f"{FORCES[0]}|{n}",), (f"O{n}",), "r", "2022-12")
        desk = Desk(store, subject, at).take("view", "Ann Example").take("triage", "Ann Example")
        if n < 3:
            desk.take("view", "Bob Example").take("remove", "Bob Example")
        at = desk.at
    rows = allegations(3, 1_000)
    fill(layout, rows, of_years(3), people(rows))
    found = month(layout, review.in_force(store, datetime(2026, 3, 30)))
    assert found.people.reviewers.rows() == [(1, 51, 1.0, True), (2, 3, None, False)]
    assert ("remove", "link_wrong", 3) in found.people.acts.rows()
    assert "reviewers_always_agreeing" in alerts(found)


def test_agreement_is_told_by_the_group_of_whom_the_list_names(layout: Layout, tmp_path: Path) -> None:
    """Twelve judged of one group, two of them disagreed with; nine of the other: too few to be shown."""
    rows = allegations(3, 1_000)
    who = people(rows).sort("person_id")
    black, white = (who.filter(self_defined=code)["person_id"].to_list() for code in ("B1", "W1"))
    store = open_store(sqlite_url(tmp_path / "decisions.sqlite"))
    at = NOON
    for n, person_id in enumerate(black[:12] + white[:9]):
        desk = Desk(store, Subject(person_id, (f"{person_id}|r",), (f"O{n}",), "r", "2022-12"), at)
        desk.take("view", "Ann").take("triage", "Ann", agrees=n not in (3, 4))
        at = desk.at
    fill(layout, rows, of_years(3), who)
    found = month(layout, review.in_force(store, datetime(2026, 3, 30))).agreement
    of_self = found.filter(attribute="ethnicity, self-defined").drop("attribute")
    lower, upper = proportion_confint(10, 12, method="wilson")
    assert of_self.rows() == [
        ("Black", 12, pytest.approx(10 / 12), pytest.approx(lower), pytest.approx(upper)),
        ("White", 9, None, None, None),
    ]
    assert found.group_by("attribute").agg(pl.col("n_judgements").sum())["n_judgements"].to_list() == [21] * 5


def test_an_offence_code_that_is_new_is_told(plain: tuple[Layout, Month], layout: Layout) -> None:
    before, sound = plain
    layout.warehouse.write_bytes(before.warehouse.read_bytes())
    planted = "update repository.national_offences set offence_code = '105A' where reported_at > timestamp '2022-10-01'"
    change(layout, planted)
    found = month(layout).new_codes
    assert sound.new_codes is not None and sound.new_codes.is_empty()
    assert found is not None and found["offence_code"].to_list() == ["105A"]


def test_what_is_written_names_nobody_and_is_the_same_for_rows_in_another_order(layout: Layout) -> None:
    rows = allegations(3, 1_000)
    fill(layout, rows, of_years(3), people(rows))
    checks = write_monitoring(layout, monitored=QUICK)
    first = tree(layout.monitoring)
    fill(layout, rows.sample(fraction=1, shuffle=True, seed=3), of_years(3), people(rows))
    write_monitoring(layout, monitored=QUICK)
    assert tree(layout.monitoring) == first
    assert checks.height == len(Thresholds().ids)
    tables = [pl.read_parquet(path) for path in layout.monitoring.glob("*.parquet")]
    held = {
        value
        for table in tables
        for column in table.iter_columns()
        if column.dtype == pl.String
        for value in column
    }
    assert not held & set(rows["person_id"]) and not held & set(rows["event_id"])
    page = (layout.monitoring / "report.html").read_text()
    assert "P00" not in page and 'src="http' not in page and 'href="http' not in page


def test_a_table_of_the_month_before_does_not_stay(layout: Layout) -> None:
    rows = allegations(3, 1_000).filter(RECENT)
    fill(layout, rows, of_years(3), people(rows))
    write_parquet(pl.DataFrame({"old": [1]}), layout.monitoring / "old.parquet")
    write_monitoring(layout, monitored=QUICK)
    assert not (layout.monitoring / "old.parquet").exists()


def test_a_run_in_which_nobody_can_be_ranked_is_said_and_no_error(layout: Layout) -> None:
    rows = allegations(3, 1_000).filter(RECENT)
    everybody_young = people(rows).with_columns(is_child=pl.lit(True))
    fill(layout, rows, of_years(3), everybody_young)
    checks = write_monitoring(layout)
    assert checks["value"].null_count() == checks.height and not checks["is_alert"].any()
    assert "Nothing could be monitored" in (layout.monitoring / "report.html").read_text()


def test_every_threshold_has_a_check_result_with_its_owner(layout: Layout) -> None:
    rows = allegations(3, 1_000).filter(RECENT)
    fill(layout, rows, of_years(3), people(rows))
    change(layout, "update marts.ranking_data_gates set has_caveat = true")
    write_monitoring(layout, monitored=QUICK)
    found: Any = ranking_alerts(data_root=DataRoot(path=str(layout.root)))
    results: list[dg.AssetCheckResult] = list(found)
    assert {r.check_name for r in results} == set(Thresholds().ids)
    (gates,) = [r for r in results if r.check_name == "data_gates"]
    assert not gates.passed and gates.severity == dg.AssetCheckSeverity.WARN
    assert gates.metadata["owner"].value == "Data quality team"
