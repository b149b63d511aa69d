"""Rules that look at more than one month trip on their planted violation only; bands mind what they should."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_contracts.earlier import Before, Earlier, no_history
from data_contracts.rules.catalogue import rules
from data_contracts.rules.rule import Context, History
from data_contracts.slices import check_in_slices
from data_contracts.submission import Slices, open_submission
from data_contracts.validation import Checked, check
from tests.data_contracts.clean import FORCE, check_tables, clean_tables, write_tables
from tests.data_contracts.rules.history_pairs import (
    FEBRUARY,
    HISTORY_PAIRS,
    PERIOD,
    STATISTICS_PAIRS,
    figures,
    months,
)
from tests.data_contracts.rules.pairs import Step, add, put

RECEIVED_ON = date(2026, 5, 5)
CONTEXT = Context(FORCE, PERIOD, date(2026, 1, 31), datetime(2026, 2, 3, 8), date(2026, 2, 5))


def earlier(folder: Path, first: list[Step]) -> Before:
    tables = clean_tables()
    for step in first:
        step(tables)
    checked = check_tables(folder / "first", tables)
    assert checked.counts["n_quarantined"].sum() == 0
    accepted = {name: rows.lazy() for name, rows in checked.accepted.items()}
    return Before((Earlier(PERIOD, 1, accepted),), checked.measures)


def second_month(folder: Path, steps: list[Step], then: dict[str, Any] = FEBRUARY) -> Path:
    tables = clean_tables() | {"deletions": []}
    for step in steps:
        step(tables)
    return write_tables(folder / "second", tables, **then)


def told(folder: Path, first: list[Step], steps: list[Step], then: dict[str, Any] = FEBRUARY) -> Checked:
    opened = open_submission(second_month(folder, steps, then))
    return check(opened, received_on=RECEIVED_ON, before=earlier(folder, first))


def test_every_such_rule_has_its_pair() -> None:
    shapes = {
        shape: {n for n, r in rules().items() if r.shape == shape} for shape in ("history", "statistics")
    }
    assert set(HISTORY_PAIRS) == shapes["history"]
    assert set(STATISTICS_PAIRS) == shapes["statistics"]


def test_the_same_rows_again_have_no_finding(tmp_path: Path) -> None:
    assert told(tmp_path, [], []).findings.height == 0


@pytest.mark.parametrize("rule", sorted(HISTORY_PAIRS))
def test_a_planted_change_trips_its_rule_and_no_other(rule: str, tmp_path: Path) -> None:
    pair = HISTORY_PAIRS[rule]
    checked = told(tmp_path, pair.first, pair.plant, pair.then)
    assert set(checked.findings["rule"]) - pair.also == {rule}
    assert (checked.counts["n_quarantined"].sum() > 0) == (rules()[rule].severity == "error")


@pytest.mark.parametrize("rule", sorted(HISTORY_PAIRS))
def test_a_near_miss_does_not_trip_the_rule(rule: str, tmp_path: Path) -> None:
    pair = HISTORY_PAIRS[rule]
    assert set(told(tmp_path, pair.first, pair.near, pair.then).findings["rule"]) == pair.near_trips


@pytest.mark.parametrize(
    "rule",
    ["reported_at_changed", "crime_lost_what_it_had", "crime_ref_changed", "deletion_of_unknown_record"],
)
def test_in_slices_the_same_is_told(rule: str, tmp_path: Path) -> None:
    pair = HISTORY_PAIRS[rule]
    sent, before = second_month(tmp_path, pair.plant), earlier(tmp_path, pair.first)
    opened = open_submission(sent, slices=Slices(tmp_path / "received", size=400))
    judged = check_in_slices(opened, tmp_path, received_on=RECEIVED_ON, before=before, part_rows=1)
    whole = check(open_submission(sent), received_on=RECEIVED_ON, before=before)
    assert (
        pl.concat(judged.all_findings())["finding_key"].to_list() == whole.findings["finding_key"].to_list()
    )
    assert judged.counts.equals(whole.counts) and judged.measures.equals(whole.measures)


def test_the_newest_version_counts_not_the_last_to_arrive(tmp_path: Path) -> None:
    """A version of January that came after February's is no newer than it."""
    of_january = earlier(tmp_path / "a", [])
    changed = [HISTORY_PAIRS["reported_at_changed"].plant[0]]
    opened = open_submission(second_month(tmp_path / "b", changed))
    of_february = check(opened, received_on=RECEIVED_ON)
    versions = (
        Earlier(date(2026, 2, 1), 1, {n: r.lazy() for n, r in of_february.accepted.items()}),
        *of_january.earlier,
    )
    again = check(opened, received_on=RECEIVED_ON, before=Before(versions))
    assert again.findings.height == 0


def broken(
    rule: str, now: pl.DataFrame, past: pl.DataFrame, peers: pl.DataFrame
) -> list[tuple[str, str, str]]:
    return rules()[rule].check(now, History({}, past, peers), CONTEXT)


@pytest.mark.parametrize("rule", sorted(STATISTICS_PAIRS))
def test_figures_trip_their_rule_and_near_misses_do_not(rule: str) -> None:
    pair = STATISTICS_PAIRS[rule]
    assert len(broken(rule, pair.plant, pair.past, pair.peers)) == 1
    assert broken(rule, pair.near, pair.past, pair.peers) == []


@pytest.mark.parametrize("rule", sorted(STATISTICS_PAIRS))
def test_without_figures_nothing_is_said(rule: str) -> None:
    nothing = figures()
    assert broken(rule, nothing, nothing, nothing) == []
    assert rules()[rule].check(STATISTICS_PAIRS[rule].plant.clear(), no_history(), CONTEXT) == []


def test_eleven_months_are_too_few_for_a_band() -> None:
    pair = STATISTICS_PAIRS["volume_outside_own_band"]
    last_eleven = pair.past.filter(pl.col("period") > pl.col("period").min())
    assert broken("volume_outside_own_band", pair.plant, last_eleven, pair.peers) == []


def test_the_month_itself_and_later_ones_are_no_past() -> None:
    pair = STATISTICS_PAIRS["volume_outside_own_band"]
    later = pair.past.with_columns(pl.col("period").dt.offset_by("1y"))
    assert broken("volume_outside_own_band", pair.plant, later, pair.peers) == []


def test_incident_months_do_not_bend_the_band(monkeypatch: pytest.MonkeyPatch) -> None:
    odd = [[("crimes", "all", 10, 10)]] * 13
    usual = [[("crimes", "all", n, n)] for n in (98, 99, 99, 100, 100, 100, 100, 100, 101, 101, 102, 102)]
    past = months(*usual, *odd)
    now = figures(("crimes", "all", 100, 100))
    assert broken("volume_outside_own_band", now, past, past.clear()) != []
    bent = past.filter(pl.col("numerator") == 10)["period"].to_list()
    monkeypatch.setattr("data_contracts.rules.statistics.incident_months", lambda force: bent)
    assert broken("volume_outside_own_band", now, past, past.clear()) == []


@given(counts=st.lists(st.integers(0, 5000), min_size=12, max_size=24), odd=st.integers(0, 100_000))
def test_a_month_at_the_median_is_never_odd_whatever_one_month_was(counts: list[int], odd: int) -> None:
    counts = [*counts[:-1], odd]
    middle = int(pl.Series(counts).median())  # type: ignore[arg-type]
    past = months(*([("crimes", "all", n, n)] for n in counts))
    assert (
        broken("volume_outside_own_band", figures(("crimes", "all", middle, middle)), past, past.clear())
        == []
    )


def test_replaced_references_hold_the_submission(tmp_path: Path) -> None:
    """A force that changed its record system sends the same people under other references."""

    def people(prefix: str) -> Step:
        def write(tables: dict[str, list[dict[str, str]]]) -> None:
            tables["persons"] += [
                {
                    "person_ref": f"{prefix}{n}",
                    "forenames": "JO",
                    "surname": f"PERSON{chr(65 + n // 10)}{chr(65 + n % 10)}",
                    "date_of_birth": "1980-02-03",
                    "sex": "F",
                    "ethnicity_self_defined": "W1",
                }
                for n in range(60)
            ]

        return write

    kept = told(tmp_path / "kept", [people("A")], [people("A")])
    assert kept.findings.height == 0
    replaced = told(tmp_path / "replaced", [people("A")], [people("B")])
    assert replaced.findings["rule"].to_list() == ["person_refs_replaced"]
    assert replaced.status == "held" and replaced.counts["n_accepted"].sum() == 0


def test_what_was_recorded_before_a_force_began_to_send_is_not_late(tmp_path: Path) -> None:
    pair = HISTORY_PAIRS["crime_arrives_late"]
    times = {"committed_from": "2025-12-01T08:10:00", "reported_at": "2025-12-30T08:00:00"}
    before = put("offences", -1, **times, recorded_at="2025-12-30T09:00:00")
    assert told(tmp_path, [], [*pair.plant, before], pair.then).findings.height == 0


_OTHER = HISTORY_PAIRS["crime_ref_changed"].plant[0]
_TAKEN_BACK = {
    "extract": "offences",
    "record_ref": "42/1/26",
    "reason": "duplicate",
    "deleted_on": "2026-02-20",
}


def test_a_reference_changed_with_the_old_record_taken_back_is_no_finding(tmp_path: Path) -> None:
    assert told(tmp_path, [], [_OTHER, add("deletions", **_TAKEN_BACK)]).findings.height == 0


def test_of_a_crime_taken_back_earlier_nothing_is_left_to_be_the_same_as(tmp_path: Path) -> None:
    january = earlier(tmp_path, [])
    other_rows = write_tables(
        tmp_path / "between",
        {"offences": clean_tables()["offences"][1:], "deletions": [_TAKEN_BACK]},
        **FEBRUARY,
    )
    accepted = check(open_submission(other_rows), received_on=RECEIVED_ON, before=january).accepted
    february = Earlier(date(2026, 2, 1), 1, {name: rows.lazy() for name, rows in accepted.items()})
    opened = open_submission(second_month(tmp_path, [_OTHER], HISTORY_PAIRS["crime_arrives_late"].then))
    rules_found = check(
        opened, received_on=RECEIVED_ON, before=Before((*january.earlier, february), january.past)
    ).findings["rule"]
    assert "crime_ref_changed" not in set(rules_found)


def test_a_cancelled_crime_may_come_again_under_another_reference(tmp_path: Path) -> None:
    cancelled = HISTORY_PAIRS["cancelled_crime_proceeded_with"].first
    assert told(tmp_path, cancelled, [_OTHER]).findings.height == 0


def test_crimes_that_come_late_are_counted_among_those_that_come_first(tmp_path: Path) -> None:
    pair = HISTORY_PAIRS["crime_arrives_late"]
    for steps, late in ((pair.plant, 1), (pair.near, 0)):
        measured = told(tmp_path / str(late), [], steps, pair.then).measures
        (row,) = measured.filter(pl.col("measure") == "late_arrival_share").iter_rows(named=True)
        assert (row["numerator"], row["denominator"]) == (late, 1)
