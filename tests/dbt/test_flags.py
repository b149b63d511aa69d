"""Flags made comparable: how far sources agree, against the libraries' own figures, and what would be counted."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.proportion import proportion_confint

from tests.dbt.conftest import Query
from tests.dbt.handmade import A, B

LABELLED = "force_code = ? and flag = 'DA' and period_kind = 'month' and period = '2026-06-01'"


def test_each_source_is_measured_against_what_people_judged(query: Query) -> None:
    rows = query(
        "select rater, n, n_both, n_rater_only, n_reference_only, n_neither, n_said_no, n_blank from marts.flag_agreement "
        f"where reference = 'clerical' and {LABELLED} order by rater",
        B,
    )
    assert rows == [
        ("force", 7, 0, 1, 4, 2, 2, 4),
        ("inferred", 7, 3, 0, 1, 3, 0, 4),
        ("national", 7, 2, 1, 2, 2, 1, 3),
    ]


def test_a_marker_left_blank_is_not_set(query: Query) -> None:
    [(n, both, rater, reference, neither, no, blank)] = query(
        "select n, n_both, n_rater_only, n_reference_only, n_neither, n_said_no, n_blank from marts.flag_agreement "
        f"where reference = 'inferred' and {LABELLED}",
        B,
    )
    assert (both, rater, reference) == (0, 1, 3)  # FL3; FL1, FL4 and FL6
    assert (neither, no, blank) == (n - 4, 2, n - 3)


def test_kappa_and_its_interval_are_those_of_statsmodels(query: Query) -> None:
    rows = query(
        "select n_both, n_rater_only, n_reference_only, n_neither, kappa, kappa_lower, kappa_upper from marts.flag_agreement "
        "where kappa is not null"
    )
    assert len(rows) > 10
    for both, rater, reference, neither, *ours in rows:
        theirs = cohens_kappa(np.array([[both, rater], [reference, neither]]))
        assert ours == pytest.approx(
            [theirs.kappa, max(-1, theirs.kappa_low), min(1, theirs.kappa_upp)], abs=1e-6
        )


def test_precision_and_recall_have_wilsons_interval(query: Query) -> None:
    rows = query(
        "select n_both, n_rater_only, n_reference_only, precision_lower, precision_upper, recall_lower, recall_upper "
        "from marts.flag_agreement where n_both + n_rater_only > 0 and n_both + n_reference_only > 0"
    )
    assert rows
    for both, rater, reference, *ours in rows:
        theirs = [
            end
            for alone in (rater, reference)
            for end in proportion_confint(both, both + alone, method="wilson")
        ]
        assert ours == pytest.approx(theirs, abs=1e-6)


def test_the_nation_is_the_sum_of_its_forces(query: Query) -> None:
    """In every period, source and reference."""
    for mart, counts in (
        ("flag_agreement", ("n", "n_both", "n_rater_only", "n_reference_only", "n_blank")),
        ("flag_standardised_counts", ("n_offences", "n_force_flagged", "n_national_value", "n_inferred")),
    ):
        sums = ", ".join(
            f"sum(case when force_code = 'national' then -{c} else {c} end) <> 0" for c in counts
        )
        key = "period, period_kind, flag" + (", rater, reference" if mart == "flag_agreement" else "")
        found = query(f"select {sums} from marts.{mart} group by {key}")
        assert found and not any(any(row) for row in found)


def test_what_would_be_counted_if_all_flagged_alike(query: Query) -> None:
    """Sensitivity 3/4 and specificity 1 of the sample: three found stand for four there are (Rogan and Gladen)."""
    [row] = query(
        "select n_force_flagged, n_inferred, n_recount_difference, sensitivity, specificity, n_labelled, n_corrected, "
        "n_corrected_lower <= n_corrected and n_corrected <= n_corrected_upper, counted_by from marts.flag_standardised_counts "
        f"where {LABELLED}",
        B,
    )
    assert row[:6] == (1, 3, 2, 0.75, 1.0, 7)
    assert row[6] == pytest.approx(4)
    assert row[7:] == (True, "direct recount; Rogan-Gladen")
    stalking = query(
        "select distinct counted_by, n_corrected from marts.flag_standardised_counts where flag = 'STK'"
    )
    assert stalking == [("direct recount", None)]


def test_every_force_and_month_has_every_flag_that_rules_infer(query: Query) -> None:
    flags = query("select count(distinct flag) from codes.flag_rules")[0][0]
    assert query(
        "select count(*) from marts.flag_standardised_counts where force_code = ? and period_kind = 'month'",
        A,
    ) == [(2 * flags,)]


def test_an_inferred_flag_names_the_version_of_what_inferred_it(query: Query) -> None:
    rows = query(
        "select distinct inferred_basis, inferred_version from repository.national_offence_flags "
        "where flag = 'DA' and inferred_basis in ('da_intimate_both_16', 'da_text_partner') order by 1"
    )
    assert [basis for basis, _ in rows] == ["da_intimate_both_16", "da_text_partner"]
    assert rows[0][1] == "2" and rows[1][1].startswith("text_signs_v1_")
