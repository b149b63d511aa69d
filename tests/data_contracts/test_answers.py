"""Findings keep their identity between months; agreed error rates are those of the table; a waiver hides nothing."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_contracts import answers
from data_contracts.answers import (
    Crimes,
    acceptance,
    follow,
    no_ledger,
    return_lines,
    sent_records,
    without_past,
)
from data_contracts.past_submissions import NotOfThisForce, past_of
from data_contracts.submission import open_submission
from data_contracts.validation import Checked, check
from tests.data_contracts.clean import FORCE, OTHER_FORCE, PERIOD, Tables, clean_tables, write_tables

FEBRUARY = date(2026, 2, 1)


def checked(folder: Path, tables: Tables, period: date = PERIOD) -> Checked:
    drawn = datetime(period.year, period.month + 1, 3, 8)
    sent = write_tables(folder, tables, period=period, extracted_at=drawn)
    return check(open_submission(sent), received_on=drawn.date())


def after(before: pl.DataFrame, of: Checked, period: date) -> pl.DataFrame:
    return follow(
        before,
        of.findings,
        sent_records(of.accepted, of.quarantined),
        period=period,
        held=of.status == "held",
    )


def states(ledger: pl.DataFrame) -> dict[str, str]:
    return dict(ledger.select("rule", "state").iter_rows())


@pytest.fixture
def january(tmp_path: Path) -> pl.DataFrame:
    """A crime recorded late, and a nominal with a placeholder for a birth date."""
    tables = clean_tables()
    tables["offences"][0]["recorded_at"] = "2026-01-12T23:30:00"
    tables["persons"][0]["date_of_birth"] = "1900-01-01"
    return after(no_ledger(), checked(tmp_path / "january", tables), PERIOD)


def test_a_first_finding_is_new(january: pl.DataFrame) -> None:
    assert states(january) == {"recorded_late": "new", "birth_date_is_a_placeholder": "new"}


def test_what_is_not_sent_again_persists_and_what_is_mended_is_resolved_once(
    january: pl.DataFrame, tmp_path: Path
) -> None:
    tables = clean_tables()
    only_people = {n: rows for n, rows in tables.items() if n in ("persons", "person_aliases")}
    february = after(january, checked(tmp_path / "february", only_people, FEBRUARY), FEBRUARY)
    assert states(february) == {"recorded_late": "persisting", "birth_date_is_a_placeholder": "resolved"}
    assert february.filter(pl.col("state") == "persisting")["first_seen"].to_list() == [PERIOD]
    march = after(february, checked(tmp_path / "march", only_people, date(2026, 3, 1)), date(2026, 3, 1))
    assert states(march) == {"recorded_late": "persisting"}


def test_the_same_fault_again_persists_under_its_key(january: pl.DataFrame, tmp_path: Path) -> None:
    tables = clean_tables()
    tables["offences"][0]["recorded_at"] = "2026-01-13T01:30:00"
    february = after(january, checked(tmp_path / "february", tables, FEBRUARY), FEBRUARY)
    assert states(february)["recorded_late"] == "persisting"
    assert set(february["finding_key"]) == set(january["finding_key"])


def test_a_deleted_record_takes_its_findings_with_it(january: pl.DataFrame, tmp_path: Path) -> None:
    gone = {"extract": "persons", "record_ref": "N1", "reason": "duplicate", "deleted_on": "2026-02-20"}
    february = after(january, checked(tmp_path / "f", {"deletions": [gone]}, FEBRUARY), FEBRUARY)
    assert states(february) == {"recorded_late": "persisting", "birth_date_is_a_placeholder": "resolved"}


def test_a_held_submission_resolves_nothing(january: pl.DataFrame, tmp_path: Path) -> None:
    of = checked(tmp_path / "f", {"offences": []}, FEBRUARY)
    # Nothing was sent and no nil return said so.
    held = follow(january, of.findings, sent_records({}), period=FEBRUARY, held=True)
    assert set(held.filter(pl.col("period") == PERIOD)["state"]) == {"persisting"}


@given(st.lists(st.sets(st.integers(0, 5)), min_size=1, max_size=6))
def test_what_is_open_is_what_the_last_look_at_each_record_found(rounds: list[set[int]]) -> None:
    """Every record is sent every month: then open are the findings of the last month, each since its unbroken run began."""
    ledger, since = no_ledger(), dict[int, date]()
    refs = pl.DataFrame({"root": ["offences"] * 6, "ref": [f"R{n}" for n in range(6)]})
    for number, broken in enumerate(rounds, start=1):
        period = date(2026, number, 1)
        findings = pl.DataFrame(
            [
                {
                    "finding_key": f"K{n}",
                    "extract": "offences",
                    "record_ref": f"R{n}",
                    "rule": "r",
                    "severity": "error",
                }
                for n in sorted(broken)
            ],
            schema={
                c: answers.LEDGER_SCHEMA[c]
                for c in ("finding_key", "extract", "record_ref", "rule", "severity")
            },
        )
        findings = pl.concat([no_ledger().select(answers.FINDINGS_SCHEMA.keys()), findings], how="diagonal")
        ledger = follow(ledger, findings, refs, period=period, held=False)
        since = {n: since.get(n, period) for n in broken}
    open_now = ledger.filter(pl.col("state") != "resolved")
    assert dict(open_now.select("finding_key", "first_seen").iter_rows()) == {
        f"K{n}": d for n, d in since.items()
    }


def test_a_waiver_is_shown_and_takes_nothing_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waiver = {
        "waiver_id": "W1",
        "rule": "recorded_late",
        "force_code": FORCE,
        "field": None,
        "valid_from": date(2026, 1, 1),
        "valid_to": date(2026, 1, 31),
        "owner": "national data team",
    }
    monkeypatch.setattr(answers, "waivers", lambda: pl.DataFrame([waiver]))
    tables = clean_tables()
    tables["offences"][0]["recorded_at"] = "2026-01-12T23:30:00"
    of = checked(tmp_path / "j", tables)
    ledger = after(no_ledger(), of, PERIOD)
    assert ledger.select("state", "waived_by", "waived_until").rows() == [
        ("new", "national data team", date(2026, 1, 31))
    ]
    assert "1 of the open ones are waived" in answers.state_sentence(ledger)
    assert after(ledger, of, FEBRUARY)["waived_by"].to_list() == [None], "it has ended"


def test_the_return_ends_with_a_receipt_also_where_there_is_no_finding(january: pl.DataFrame) -> None:
    for ledger, n in ((january, 2), (no_ledger(), 0)):
        lines = return_lines(ledger, "received")
        assert lines["line"].to_list() == ["finding"] * n + ["receipt"]
        assert lines["message"][-1] == "received"


def of(*rates: float | None) -> list[Crimes]:
    """A submission a month; None is one that was held."""
    return [
        Crimes(
            1000,
            1000 if rate is None else round(1000 * rate),
            date(2024 + i // 12, i % 12 + 1, 1),
            rate is None,
        )
        for i, rate in enumerate(rates)
    ]


@pytest.mark.parametrize(
    ("rates", "phase", "is_kept"),
    [
        ((0.04,), "onboarding", True),
        ((0.041,), "onboarding", False),
        ((0.04, 0.04, 0.03), "onboarding", True),
        ((0.04, 0.04, 0.04, 0.021), "monthly", False),
        ((0.04, 0.04, 0.04, 0.02), "monthly", True),
        ((0.04, 0.04, 0.05, 0.04, 0.04, 0.03), "onboarding", True),
        ((0.01, 0.01, 0.01, 0.9, 0.02), "monthly", True),
        ((0.01, 0.01, None, 0.01, 0.01), "onboarding", True),
        ((0.01, 0.01, 0.01, None), "monthly", None),
    ],
)
def test_three_files_in_a_row_end_onboarding(
    rates: tuple[float | None, ...], phase: str, is_kept: bool | None
) -> None:
    standing = acceptance(of(*rates))
    assert (standing.phase, standing.is_kept) == (phase, is_kept)
    assert standing.year_error_rate is None


@pytest.mark.parametrize(("rate", "is_kept"), [(0.009, True), (0.01, False)])
def test_a_year_is_twelve_months_and_stays_below_its_limit(rate: float, is_kept: bool) -> None:
    standing = acceptance(of(*[0.5] * 3, *[rate] * 12))
    assert standing.year_error_rate == pytest.approx(rate)
    assert standing.year_is_kept is is_kept


def test_a_held_file_has_no_rate_and_weighs_on_no_year() -> None:
    """Nobody knows how many crimes of a file that cannot be read have an error; mended, it stands for its month."""
    files = of(*[0.005] * 11, None)
    held = acceptance(files)
    assert held.error_rate is held.is_kept is held.year_error_rate is None
    assert "100" not in held.sentences[0] and "no rate" in held.sentences[0]
    mended = acceptance([*files, Crimes(1000, 5, files[-1].month)])
    assert mended.year_error_rate == pytest.approx(0.005)


def test_what_is_sent_again_stands_for_its_month_alone() -> None:
    files = of(*[0.02] * 11)
    again = [Crimes(1000, 0, file.month) for file in files]
    assert acceptance([*files, *again]).year_error_rate is None, "eleven months, sent twice"
    assert acceptance([*files, *again, Crimes(1000, 0, date(2025, 1, 1))]).year_error_rate == 0


def test_alone_a_submission_is_told_both_rates() -> None:
    """It does not say whether the force is past onboarding."""
    said = without_past(Crimes(100, 3, PERIOD))
    assert "at most 4% while onboarding: kept, at most 2% after it: not kept" in said and "--previous" in said
    assert "no rate" in without_past(Crimes(32, 32, PERIOD, is_held=True))


def test_no_crimes_are_no_errors_and_no_submission_is_refused() -> None:
    assert acceptance([Crimes(0, 0, PERIOD)]).is_kept
    with pytest.raises(ValueError, match="of a submission"):
        acceptance([])


def test_the_past_is_put_in_order_and_must_be_of_the_force(tmp_path: Path) -> None:
    def sent(name: str, **said: object) -> Path:
        return write_tables(tmp_path / name, clean_tables() | {"deletions": []}, **said)

    february = open_submission(sent("feb", period=FEBRUARY, extracted_at=datetime(2026, 3, 3, 8)))
    first, second = sent("one"), sent("two", sequence=2)
    past = past_of([second, first], february, tmp_path / "past")
    assert [e.sequence for e in past.before.earlier] == [1, 2]
    assert past.crimes == (Crimes(2, 0, PERIOD), Crimes(2, 0, PERIOD)) and past.last_sequence is None
    assert past_of([first], open_submission(second), tmp_path / "again").last_sequence == 1
    with pytest.raises(NotOfThisForce, match="another force"):
        past_of([sent("other", force_code=OTHER_FORCE)], february, tmp_path / "no")
    with pytest.raises(NotOfThisForce, match="is not before"):
        past_of([second], open_submission(first), tmp_path / "no")
