"""Figures of a small nation made by hand, each counted on paper; a definition that is added by rows; what revised a figure."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from assets.previous_release import PREVIOUS_MARTS, PreviousRelease
from data_contracts.submission import sha256_of
from tests.dbt import handmade, nation
from tests.dbt.conftest import Query, dbt
from tests.dbt.handmade import JUNE, MAY, A, B, C, Month

JUNE_BEFORE = date(2025, 6, 1)
LONG_AGO = date(2023, 5, 1)
WANTED = (
    "national_statistics",
    "threat_overlaps",
    "national_statistics_changes",
    "national_statistics_revisions",
    "recorded_crime_reconciliation",
)
# What a crime of 8Q or 8N against a woman of 30 met in the previous release, without a flag.
MET = "all_recorded_crime, female_victims_wide, national_statement_2024, npcc_policing_scope, strategic_assessment_2023"


def submissions() -> list[nation.Submission]:
    """May 2023 (C), June 2025 (A), May and June 2026 (A and B). T is the end of June 2026."""
    long_ago, before, a5, a6, b5, b6 = (
        Month(C, LONG_AGO),
        Month(A, JUNE_BEFORE),
        Month(A, MAY),
        Month(A, JUNE),
        Month(B, MAY),
        Month(B, JUNE),
    )
    born = date(1985, 1, 1)
    for ref in ("W1", "W2", "M1", "M2"):
        a5.person(ref, born, ethnicity_self_defined="W1" if ref == "M1" else None)
    b5.person("M2", born)
    may = 45
    # Of C: three victims of 20 beside many of other ages.
    for n, age in enumerate([20] * 3 + [30] * 14 + [40] * 20 + [50] * 25):
        long_ago.crime(f"L{n}", days_ago=1142, victims=[{"age": age}])
    # The earlier year: one stalking; a later one of the same woman is no repeat, it is more than twelve months on.
    before.crime("Y1", "8Q", days_ago=377, victims=[{"person_ref": "W2"}])
    # May: the stalking that went before the homicide, and one that is only stalking.
    named = {"person_ref": "M1", "age": 45}
    a5.crime(
        "S1",
        "8Q",
        days_ago=may,
        victims=[{"person_ref": "W1", "age": 40}],
        suspects=[named],
        outcome_code="16",
    )
    a5.crime("RC", "8Q", days_ago=may)
    a5.crime("FL", "8N", days_ago=may, flags={"DOMESTIC ABUSE": "Y"})
    a5.crime("LATE", "8N", days_ago=may)
    b5.crime("OLD", "8N", days_ago=may)
    b5.crime("NEW", "8N", days_ago=may)
    # June: a domestic homicide, a domestic rape by a boy of 15, a sexual assault, three of stalking and harassment, a theft.
    charged = {"status": "charged", "arrested_on": date(2026, 6, 21)}
    a6.crime(
        "H1",
        "1",
        victims=[{"person_ref": "W1", "age": 40, "ethnicity": "B1"}],
        suspects=[{**named, **charged}],
        flags={"DOMESTIC ABUSE": "Y"},
        outcome_code="1",
        outcome_date=date(2026, 6, 30),
    )
    a6.crime(
        "R1",
        "19C",
        victims=[{"age": 20, "person_ref": "W2"}],
        suspects=[{"age": 15}],
        flags={"DOMESTIC ABUSE": "Y"},
    )
    a6.crime("R2", "20A", victims=[{"age": 50}], outcome_code="14")
    a6.crime(
        "S2",
        "8Q",
        victims=[{"age": 30}],
        suspects=[{"person_ref": "M2", "age": 30, **charged}],
        outcome_code="1",
        outcome_date=date(2026, 6, 22),
    )
    a6.crime("TH", "39")
    b6.crime("S3", "8L", victims=[{"age": 35}], suspects=[{"person_ref": "M2", "age": 30}])
    b6.crime("S4", "8Q", victims=[{"age": 35}], outcome_code="15")
    a6.add("offender_management", person_ref="M1", scheme="IOM", managed_from=date(2026, 6, 1))
    a6.add("offender_management", person_ref="M2", scheme="VISOR", managed_from=date(2026, 6, 1))
    return [
        long_ago.submission(),
        before.submission(),
        a5.submission(),
        a6.submission(),
        # B sent May again: what is new in it came by that.
        b5.submission(sequence=2),
        b6.submission(),
    ]


def states(versions: str) -> list[dict[str, Any]]:
    """How the release of May counted: GONE is not there any more, RC was an assault, FL had no flag."""
    known = {"recorded_month": MAY, "is_counted": True, "threats": "", "definition_versions": versions}
    stalking = {"offence_code": "8Q", "definitions": MET, "threats": "stalking_and_harassment"}
    assault = {"offence_code": "8N", "definitions": MET}
    rows = [
        {"force_code": A, "ref": "S1", **stalking},
        {"force_code": A, "ref": "GONE", **stalking},
        {"force_code": A, "ref": "RC", **assault},
        {"force_code": A, "ref": "FL", **assault},
        {"force_code": B, "ref": "OLD", **assault},
    ]
    return [{"offence_id": f"{r['force_code']}|{r['ref']}", **known, **r} for r in rows]


def previous(folder: Path, versions: str) -> PreviousRelease:
    """A release of May that holds nothing but how it counted crimes."""
    file = folder / "offence_scope_states.parquet"
    folder.mkdir()
    wanted = list(PREVIOUS_MARTS["offence_scope_states"])
    pl.DataFrame(states(versions)).select(wanted).write_parquet(file)
    entry = {"file": file.name, "encrypted": False, "sha256": sha256_of(file)}
    says = {"release_id": "2026-05_0", "period": "2026-05", "as_of": "2026-06-05T00:00:00"}
    return PreviousRelease(folder, json.loads(json.dumps(says)) | {"marts": {"offence_scope_states": entry}})


@pytest.fixture(scope="module")
def figures(warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Query]:
    """SQL on the built nation, with one more definition than is shipped."""
    root = tmp_path_factory.mktemp("statistics")
    (root / "warehouse").mkdir()
    # Code lists are loaded and the project is parsed there already.
    shutil.copy(warehouse / "warehouse" / "vawg.duckdb", root / "warehouse")
    shutil.copytree(warehouse / "target", root / "target")
    with duckdb.connect(str(root / "warehouse" / "vawg.duckdb")) as connection:
        connection.execute(
            "insert into codes.vawg_definitions (definition_id, version, name) values ('added', '1', 'Added')"
        )
        connection.execute(
            "insert into codes.vawg_definition_conditions "
            "(definition_id, version, condition_no, effect, offence_group, victim_sex, unknown_age_meets) "
            "values ('added', '1', '1', 'include', 'Sexual offences', 'F', true)"
        )
        versions = connection.execute(
            "select string_agg(distinct definition_id || '@' || version, ', ' order by definition_id || '@' || version) "
            "from codes.vawg_definitions"
        ).fetchall()[0][0]
    nation.write(
        root,
        submissions(),
        period=JUNE,
        period_end=handmade.JUNE_END,
        links=[nation.Link(f"{A}|M2", "P2", 0.99), nation.Link(f"{B}|M2", "P2", 0.99)],
        previous=previous(root / "release", versions),
    )
    selected = " ".join(f"+{mart}" for mart in WANTED)
    built = dbt(root, "run", "--select", *selected.split())
    assert built.returncode == 0, built.stdout[-4000:]
    with duckdb.connect(str(root / "warehouse" / "vawg.duckdb"), read_only=True) as connection:
        yield lambda sql, *parameters: connection.execute(sql, parameters).fetchall()


def figure(query: Query, measure: str, columns: str = "value", **where: Any) -> Any:
    known = {
        "definition_id": "npcc_policing_scope",
        "threat": "all",
        "measure": measure,
        "breakdown": "none",
        "breakdown_value": "all",
        "force_code": "national",
        "period_kind": "month",
        "period": "2026-06-01",
    } | where
    condition = " and ".join(f"cast({c} as varchar) = ?" for c in known)
    rows = query(f"select {columns} from marts.national_statistics where {condition}", *known.values())
    assert len(rows) == 1, known
    return rows[0] if "," in columns else rows[0][0]


MADE = "value, numerator, denominator"
DA, SH = "domestic_abuse", "stalking_and_harassment"
# Measure, where, (value, numerator, denominator): H1, R1, R2, S2 of A and S3, S4 of B are the six of June; TH is a theft.
BY_HAND: list[tuple[str, dict[str, Any], tuple[Any, ...]]] = [
    ("offences", {}, (6, 6, None)),
    ("offences_per_day", {}, (6 / 30, 6, 30)),
    ("share_of_recorded_crime", {}, (6 / 7, 6, 7)),
    ("threat_share", {"threat": SH}, (3 / 6, 3, 6)),
    ("threat_share", {"threat": DA}, (2 / 6, 2, 6)),
    # Closed: H1 and S2 charged, R2 without support, S4 for evidence.
    ("charged_share", {}, (2 / 4, 2, 4)),
    ("evidential_difficulty_share", {}, (2 / 4, 2, 4)),
    ("victim_not_supporting_share", {}, (1 / 4, 1, 4)),
    ("charged_share", {"breakdown": "offence_subgroup", "breakdown_value": "Homicide"}, (1, 1, 1)),
    # Of H1 on 20 June to 30 June, S2 to 22 June: 10 and 2 days.
    ("days_to_charge_median", {}, (6, None, 2)),
    ("days_to_charge_median", {"threat": SH}, (2, None, 1)),
    # H1 45, R1 15, S2 30, S3 30.
    ("suspect_mean_age", {}, (120 / 4, 120, 4)),
    ("child_suspect_share", {}, (1 / 4, 1, 4)),
    ("victim_mean_age", {"threat": DA}, (60 / 2, 60, 2)),
    ("victims_aged_16_to_29_share", {}, (1 / 6, 1, 6)),
    ("arrests_per_100_crimes", {}, (200 / 6, 2, 6)),
    # Of the two sexual offences one is a rape, and that is domestic.
    ("rape_share_of_sexual_offences", {}, (1 / 2, 1, 2)),
    ("rape_domestic_share", {}, (1, 1, 1)),
    # W1 was stalked in May; W2 more than twelve months before. Nobody knows of the other four.
    ("repeat_victim_share", {}, (1 / 2, 1, 2)),
    ("victims", {"breakdown": "repeat", "breakdown_value": "unknown"}, (4, 4, None)),
    # M1 killed who he was reported to have stalked.
    ("prior_contact_share", {}, (1, 1, 1)),
    # IOM counts, ViSOR does not: M1 of M1, M2 and M2 again in B.
    ("suspects_managed_share", {}, (1 / 3, 1, 3)),
    ("suspects", {"breakdown": "ethnicity", "breakdown_value": "White"}, (1, 1, None)),
    ("victims", {"breakdown": "ethnicity", "breakdown_value": "Black"}, (1, 1, None)),
    (
        "offences",
        {"breakdown": "also_threat", "breakdown_value": "rape_and_serious_sexual_offences", "threat": DA},
        (1, 1, None),
    ),
    ("force_flag_share", {"breakdown": "flag", "breakdown_value": "DA"}, (2 / 6, 2, 6)),
    # Sexual offences only.
    ("offences", {"definition_id": "added"}, (2, 2, None)),
    ("threat_share", {"definition_id": "added", "threat": DA}, (1 / 2, 1, 2)),
    ("share_of_recorded_crime", {"definition_id": "added"}, (2 / 7, 2, 7)),
    # The rolling year from July 2025: M1 has two crimes, M2 one in either force, the boy of R1 no nominal.
    ("named_suspects", {"period_kind": "rolling_year", "period": "2025-07-01"}, (2, 2, None)),
    ("suspects_several_offences_share", {"period_kind": "rolling_year", "period": "2025-07-01"}, (1, 2, 2)),
    (
        "suspects_several_offences_share",
        {"period_kind": "rolling_year", "period": "2025-07-01", "force_code": B},
        (None, None, None),
    ),
    ("most_offences_of_one_suspect", {"period_kind": "rolling_year", "period": "2025-07-01"}, (2, 2, None)),
    ("offences", {"period_kind": "half_year", "period": "2026-04-01"}, (12, 12, None)),
    ("offences", {"period_kind": "calendar_year", "period": "2026-01-01"}, (12, 12, None)),
    ("offences", {"period_kind": "financial_year", "period": "2025-04-01"}, (1, 1, None)),
    ("offences", {"period_kind": "three_years", "period": "2023-07-01"}, (13, 13, None)),
]


@pytest.mark.parametrize(
    ("measure", "where", "expected"), BY_HAND, ids=lambda v: v if isinstance(v, str) else ""
)
def test_figures_are_those_counted_by_hand(
    figures: Query, measure: str, where: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    assert figure(figures, measure, MADE, **where) == pytest.approx(expected)


def test_a_rate_is_a_year_of_the_women_of_the_forces_that_sent(figures: Query) -> None:
    """Six crimes in one month, of the women and girls aged 10 and over of A and B: twelve times as many in a year."""
    women = figures(
        "select sum(population) from codes.population_by_force "
        f"where sex = 'F' and age_min >= 10 and force_code in ('{A}', '{B}')"
    )[0][0]
    value, low, high = figure(figures, "offences_per_1000_women", "value, lower, upper")
    assert value == pytest.approx(6 * 12 * 1000 / float(women))
    # Byar's interval is within 2% of the exact Poisson one.
    exact = [stats.chi2.ppf(0.025, 2 * 6) / 2, stats.chi2.ppf(0.975, 2 * 7) / 2]
    assert [low, high] == pytest.approx([e * 12 * 1000 / float(women) for e in exact], rel=0.02)


def test_every_share_has_a_wilson_interval(figures: Query) -> None:
    rows = figures(
        "select s.numerator, s.denominator, s.lower, s.upper from marts.national_statistics as s "
        "inner join codes.statistics_measures as m on s.measure = m.measure "
        "where m.interval_method = 'wilson' and value is not null"
    )
    assert len(rows) > 100
    counts, n, low, high = (list(column) for column in zip(*rows, strict=True))
    wanted_low, wanted_high = proportion_confint(
        pl.Series(counts).to_numpy(), pl.Series(n).to_numpy(), method="wilson"
    )
    assert low == pytest.approx(list(wanted_low), abs=1e-6)
    assert high == pytest.approx(list(wanted_high), abs=1e-6)


def test_the_interval_of_a_mean_is_normal(figures: Query) -> None:
    ages = [45, 15, 30, 30]
    half = 1.959964 * stats.sem(ages)
    assert figure(figures, "suspect_mean_age", "lower, upper") == pytest.approx((30 - half, 30 + half))


def test_a_share_of_a_breakdown_is_of_those_known(figures: Query) -> None:
    stages = {"breakdown": "outcome_stage", "breakdown_value": "charged"}
    assert figure(figures, "offences", "share_base, share", **stages) == (6, pytest.approx(2 / 6))
    # Ethnicity of three of four suspects is not known.
    white = {"breakdown": "ethnicity", "breakdown_value": "White"}
    assert figure(figures, "suspects", "share_base, share", **white) == (1, 1)


# What a reader of one place's rows makes of what is withheld of a breakdown: the sum of the known values (told, or by any share)
# and the total, less what is shown.
ATTACK = """
    with breakdowns as (
        select
            period_kind, period, force_code, definition_id, threat, measure, breakdown,
            max(coalesce(share_base, round(numerator / share))) as base,
            coalesce(sum(numerator) filter (breakdown_value not in ('unknown', 'U')), 0) as shown_and_known,
            coalesce(sum(numerator), 0) as shown,
            count(*) filter (suppressed) as n_withheld
        from marts.national_statistics
        where measure in ('victims', 'suspects') and breakdown in ('sex', 'age_band', 'ethnicity', 'offence_subgroup', 'repeat')
        group by all
        having n_withheld > 0 and shown > 0
    )
    select b.force_code, b.measure, b.breakdown, b.n_withheld, b.base - b.shown_and_known, totals.numerator - b.shown
    from breakdowns as b
    inner join marts.national_statistics as totals
        using (period_kind, period, force_code, definition_id, threat, measure)
    where totals.breakdown = 'none' and b.period_kind = 'financial_year'
"""


def test_what_is_withheld_of_a_place_is_not_the_rest_of_what_is_shown(figures: Query) -> None:
    """Three victims of C are 20: neither the sum of the known ages, nor a share of it, nor all victims tell that there are three."""
    attacked = figures(ATTACK)
    assert (C, "victims", "age_band") in {tuple(row[:3]) for row in attacked}
    for *place, n_withheld, from_base, from_total in attacked:
        assert from_base is None, place
        assert n_withheld >= 2 and from_total >= 5, place


def test_no_more_is_withheld_of_a_place_than_has_to_be(figures: Query) -> None:
    """The next least goes with the three; nothing of C is withheld where nobody is few."""
    shown = figures(
        "select breakdown_value, value, share_base from marts.national_statistics where force_code = ? and measure = 'victims' "
        "and breakdown = 'age_band' and period_kind = 'financial_year' and definition_id = 'all_recorded_crime' "
        "and threat = 'all' order by breakdown_value",
        C,
    )
    assert [row[1:] for row in shown] == [(None, None), (None, None), (20, None), (25, None)]
    assert figure(
        figures,
        "victims",
        "value, share_base",
        force_code=C,
        period_kind="financial_year",
        period="2023-04-01",
        definition_id="all_recorded_crime",
        breakdown="offence_subgroup",
        breakdown_value="Violence with injury",
    ) == (62, 62)


def test_a_crime_of_several_threats_is_in_one_combination_and_once_in_the_total(figures: Query) -> None:
    assert dict(
        figures(
            "select combination, n_offences from marts.threat_overlaps where force_code = 'national' "
            "and period_kind = 'month' and period = '2026-06-01' and definition_id = 'npcc_policing_scope'"
        )
    ) == {DA: 1, f"{DA}, rape_and_serious_sexual_offences": 1, "rape_and_serious_sexual_offences": 1, SH: 3}
    off = figures(
        "select count(*), count(*) filter (combined.n is distinct from totals.value) from "
        "(select period_kind, period, force_code, definition_id, value from marts.national_statistics where "
        "measure = 'offences' and threat = 'all' and breakdown = 'none' and value > 0) as totals full join "
        "(select period_kind, period, force_code, definition_id, sum(n_offences) as n from marts.threat_overlaps "
        "group by all) as combined using (period_kind, period, force_code, definition_id)"
    )[0]
    assert off[0] > 50
    assert off[1] == 0


def test_years_are_compared_over_the_months_of_forces_that_both_have(figures: Query) -> None:
    """A sent June of both years: four crimes after one. B did not send June 2025, so its two of June 2026 are left out."""
    found = figures(
        "select force_code, value, previous_value, change_share, n_forces, n_months from marts.national_statistics_changes "
        "where period_kind = 'month' and definition_id = 'npcc_policing_scope' and threat = 'all' "
        "and measure = 'offences' and years_back = 1 order by 1"
    )
    assert found == [(A, 4, 1, 3, 1, 1), ("national", 4, 1, 3, 1, 1)]


def test_what_revised_a_month_is_told_by_cause_and_sums(figures: Query) -> None:
    """May of A: GONE went, RC became stalking, FL was flagged, LATE came late; of B: NEW came with the month sent again."""
    found = figures(
        "select threat, cause, previous_value, value, cause_change from marts.national_statistics_revisions "
        "where force_code = 'national' and definition_id = 'npcc_policing_scope' order by all"
    )
    assert found == [
        ("all", "cancelled", 5, 6, -1),
        ("all", "force_resent", 5, 6, 1),
        ("all", "recorded_late", 5, 6, 1),
        (DA, "flag_or_victim_changed", 0, 1, 1),
        (SH, "cancelled", 2, 2, -1),
        (SH, "reclassified", 2, 2, 1),
    ]
    left_over = figures(
        "select count(*) from (select sum(cause_change) - max(difference) as d from marts.national_statistics_revisions "
        "group by period, force_code, definition_id, threat) where d <> 0"
    )
    assert left_over == [(0,)]


def test_published_tables_stand_beside_ours_for_the_same_months(figures: Query) -> None:
    """The year to June 2025 holds one month of A, with one stalking."""
    published = figures(
        "select n_offences from codes.recorded_crime_published where table_id = 'ons_c2_ye_jun_2025' "
        f"and force_code = '{A}' and offence_category = 'stalking_and_harassment'"
    )[0][0]
    found = figures(
        "select basis, n_forces, n_force_months, is_count_comparable, n_published, n_ours, ours_share "
        "from marts.recorded_crime_reconciliation where table_id = 'ons_c2_ye_jun_2025' "
        f"and force_code = '{A}' and offence_category = 'stalking_and_harassment'"
    )
    assert found == [("same period", 1, 1, False, published, 1, 1)]
    other = figures(
        "select distinct basis from marts.recorded_crime_reconciliation where table_id = 'ho_open_data_2017_18'"
    )
    assert other == [("rolling year of the run",)]


def test_a_break_is_named_on_the_figures_it_touches(figures: Query) -> None:
    """The Online Safety Act came in January 2024: within the three years from July 2023, for two threats, in no month of 2026."""
    three_years = {"period_kind": "three_years", "period": "2023-07-01"}
    assert figure(figures, "offences", "break_ids", threat=SH, **three_years) == "communications_offences"
    assert figure(figures, "offences", "break_ids", threat=DA, **three_years) is None
    assert figure(figures, "offences", "break_ids", threat=SH) is None


def test_a_definition_is_dated_and_cuts_no_history(figures: Query) -> None:
    """The day of the document is information; a day of validity would leave out what was recorded before it."""
    shipped = figures(
        "select valid_from, valid_to, stated_on, stated_on_basis from codes.vawg_definitions where definition_id <> 'added'"
    )
    assert {row[:2] for row in shipped} == {(None, None)}
    assert all(basis for *_, basis in shipped)
    assert sum(day is not None for _, _, day, _ in shipped) >= 3


def test_measures_of_the_register_and_of_the_table_are_the_same(figures: Query) -> None:
    measured = {m for (m,) in figures("select distinct measure from marts.national_statistics")}
    registered = {m for (m,) in figures("select measure from codes.statistics_measures")}
    # Nobody of this nation is ranked or has an order.
    assert registered - measured <= {
        "persons_listed",
        "orders_made",
        "orders_breached",
        "orders_in_force",
        "incidents",
        "harm_per_head_top_100_to_median",
        "harm_per_head_top_100_to_mean",
    }
    assert measured <= registered
