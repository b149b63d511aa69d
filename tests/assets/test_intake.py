"""Intake: what a force sends is kept, answered and never lost."""

from __future__ import annotations

import json
import shutil
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest

from assets import intake
from assets.intake import IntakeFailed, landed, place, receipts, take_in
from assets.storage import Layout
from tests.submissions import crimes, send

RECEIVED_AT = datetime(2026, 3, 5, 9, 0)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "root").prepare()


def take(layout: Layout, *paths: Path, received_at: datetime = RECEIVED_AT) -> list[intake.Receipt]:
    place(paths, layout)
    return list(take_in(landed(layout), layout, received_at=received_at))


def tree(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


def test_a_clean_submission_is_accepted_kept_and_cleared_from_landing(layout: Layout, tmp_path: Path) -> None:
    sent = send(tmp_path / "out", n_crimes=4)
    original = tree(sent)
    (receipt,) = take(layout, sent)
    assert (receipt.status, receipt.n_errors) == ("accepted", 0)
    assert receipt.counts["offences"] == {"received": 4, "accepted": 4, "quarantined": 0}
    assert landed(layout) == []
    assert tree(layout.submissions / receipt.content_hash / sent.name) == original
    rows = pl.read_parquet(layout.extracts / "offences" / f"{receipt.submission_id}.parquet")
    assert rows["submission_id"].unique().to_list() == [receipt.submission_id]
    assert rows.schema["committed_from"] == pl.Datetime("us")


def test_the_same_content_again_gets_the_first_receipt(layout: Layout, tmp_path: Path) -> None:
    sent = send(tmp_path / "out")
    (first,) = take(layout, sent)
    before = tree(layout.root)
    (again,) = take(layout, sent, received_at=datetime(2026, 4, 1))
    assert again == first
    assert tree(layout.root) == before


def test_a_resubmission_with_a_higher_sequence_adds_and_one_without_is_held(
    layout: Layout, tmp_path: Path
) -> None:
    (first,) = take(layout, send(tmp_path / "a", sequence=1))
    (same,) = take(layout, send(tmp_path / "b", sequence=1, n_crimes=5))
    (higher,) = take(layout, send(tmp_path / "c", sequence=2, n_crimes=5))
    assert [first.status, same.status, higher.status] == ["accepted", "held", "accepted"]
    assert same.total("accepted") == 0
    findings = pl.read_parquet(layout.findings / f"{same.submission_id}.parquet")
    assert findings["rule"].to_list() == ["sequence_not_higher"]
    assert (layout.extracts / "offences" / f"{first.submission_id}.parquet").exists()


def test_a_broken_submission_stops_no_other(layout: Layout, tmp_path: Path) -> None:
    broken = send(tmp_path / "out", force_code="E23000026")
    (broken / "offences.csv").write_bytes(b"\xff\xfe\x00broken")
    unreadable = tmp_path / "out" / "E23000023_2026-02_1"
    unreadable.mkdir()
    archive = tmp_path / "out" / "E23000006_2026-02_1.zip"
    archive.write_bytes(b"not a zip")
    good = send(tmp_path / "out", force_code="E23000036")
    statuses = {r.name: r.status for r in take(layout, broken, unreadable, archive, good)}
    assert statuses == {
        broken.name: "held",
        unreadable.name: "held",
        archive.name: "held",
        good.name: "accepted",
    }


def test_a_held_submission_counts_its_rows_as_quarantined(layout: Layout, tmp_path: Path) -> None:
    sent = send(tmp_path / "out", n_crimes=4, force_code="E23000099")
    (receipt,) = take(layout, sent)
    assert receipt.counts["offences"] == {"received": 4, "accepted": 0, "quarantined": 4}
    quarantined = pl.read_parquet(layout.quarantine / "offences" / f"{receipt.submission_id}.parquet")
    assert quarantined.height == 4


def test_a_nil_return_is_a_return(layout: Layout, tmp_path: Path) -> None:
    (receipt,) = take(layout, send(tmp_path / "out", n_crimes=0))
    assert (receipt.status, receipt.total("received")) == ("nil", 0)


@pytest.mark.parametrize(
    "station",
    ["_copy_whole", "_write_tables", "_write_return", "write_json", "_remove"],
    ids=lambda s: f"killed in {s}",
)
@pytest.mark.parametrize("call", [1, 2])
def test_killed_at_any_step_and_run_again_gives_the_same(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, station: str, call: int
) -> None:
    sent = [send(tmp_path / "out", force_code=f) for f in ("E23000036", "E23000026")]
    undisturbed = Layout(tmp_path / "undisturbed").prepare()
    take(undisturbed, *sent)
    place(sent, layout)
    real, calls = getattr(intake, station), 0

    def dies(*args: object, **kwargs: object) -> object:
        nonlocal calls
        calls += 1
        if calls == call:
            raise KeyboardInterrupt
        return real(*args, **kwargs)

    monkeypatch.setattr(intake, station, dies)
    with pytest.raises(KeyboardInterrupt):
        list(take_in(landed(layout), layout, received_at=RECEIVED_AT))
    monkeypatch.setattr(intake, station, real)
    list(take_in(landed(layout), layout, received_at=RECEIVED_AT))
    # The second try comes later than the first; the moment of receipt is the first one's.
    assert landed(layout) == []
    assert tree(layout.root) == tree(undisturbed.root)


def test_a_fault_of_ours_is_told_without_values_and_leaves_the_submission_where_it_is(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = (send(tmp_path / "out", force_code=f) for f in ("E23000026", "E23000036"))
    real = intake._write_tables

    def fails(checked: object, layout: Layout) -> None:
        if "E23000026" in checked.opened.submission_id:  # type: ignore[attr-defined]
            raise RuntimeError("JANE EXAMPLE 1990-05-17")
        real(checked, layout)  # type: ignore[arg-type]

    monkeypatch.setattr(intake, "_write_tables", fails)
    place([bad, good], layout)
    with pytest.raises(IntakeFailed) as caught:
        list(take_in(landed(layout), layout, received_at=RECEIVED_AT))
    assert "JANE" not in str(caught.value) and "RuntimeError" in str(caught.value)
    assert [r.name for r in receipts(layout)] == [good.name]
    assert [p.name for p in landed(layout)] == [bad.name]


def test_findings_for_the_force_are_harmless_in_a_spreadsheet(layout: Layout, tmp_path: Path) -> None:
    sent = send(
        tmp_path / "out", change={"offences": {"outcome_code": "=HYPERLINK(1)", "outcome_date": "2026-02-20"}}
    )
    (receipt,) = take(layout, sent)
    text = (layout.returns / "E23000036" / receipt.submission_id / "findings.csv").read_text()
    assert "'=HYPERLINK" in text
    assert json.loads(
        (layout.returns / "E23000036" / receipt.submission_id / "receipt.json").read_text()
    ) == vars(receipt)


def test_a_place_that_is_not_there_is_said_so(layout: Layout, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no submission at"):
        place([tmp_path / "nowhere"], layout)


def test_zip_and_folder_of_one_submission_give_the_same_rows(layout: Layout, tmp_path: Path) -> None:
    sent = send(tmp_path / "out", n_crimes=3)
    zipped = Path(shutil.make_archive(str(tmp_path / "zips" / sent.name), "zip", sent))
    other = Layout(tmp_path / "other").prepare()
    (a,), (b,) = take(layout, sent), take(other, zipped)
    assert a.counts == b.counts and b.status == "accepted"


def test_natural_order_takes_sequence_two_before_ten(layout: Layout, tmp_path: Path) -> None:
    sent = [send(tmp_path / str(n), sequence=n, n_crimes=n) for n in (10, 2)]
    assert [r.sequence for r in take(layout, *sent)] == [2, 10]
    assert {r.status for r in receipts(layout)} == {"accepted"}


def test_periods_are_dates_in_the_extracts(layout: Layout, tmp_path: Path) -> None:
    (receipt,) = take(layout, send(tmp_path / "out"))
    rows = pl.read_parquet(layout.extracts / "victims" / f"{receipt.submission_id}.parquet")
    assert rows["period"].unique().to_list() == [date(2026, 2, 1)]


def test_the_answer_of_the_second_month_says_what_is_new_and_what_persists(
    layout: Layout, tmp_path: Path
) -> None:
    late = {"offences": {"recorded_at": "2026-02-09T23:30:00"}}
    march = date(2026, 3, 1)
    (first,) = take(layout, send(tmp_path / "a", change=late))
    tables = crimes(2)
    other = {"persons": {"date_of_birth": "1900-01-01"}}
    later = datetime(2026, 4, 5)
    (second,) = take(
        layout,
        send(tmp_path / "b", period=march, extracts={"persons": tables["persons"]}, change=other),
        received_at=later,
    )
    folder = layout.returns / "E23000036" / second.submission_id
    lines = pl.read_csv(folder / "return.csv", infer_schema=False)
    assert lines.filter(pl.col("line") == "finding").select("rule", "state", "first_seen").rows() == [
        ("birth_date_is_a_placeholder", "new", "2026-03-01"),
        ("nominal_changed", "new", "2026-03-01"),
        ("recorded_late", "persisting", "2026-02-01"),
    ]
    assert lines["line"][-1] == "receipt" and "2 findings are new, 1 persist" in lines["message"][-1]
    standing = json.loads((folder / "acceptance.json").read_text())
    assert (standing["phase"], standing["is_kept"]) == ("onboarding", True)
    assert (layout.returns / "E23000036" / first.submission_id / "return.csv").exists()
    assert "persist" in (folder / "report.html").read_text()


def test_a_temporal_error_keeps_the_version_before(layout: Layout, tmp_path: Path) -> None:
    take(layout, send(tmp_path / "a"))
    again = send(
        tmp_path / "b",
        period=date(2026, 3, 1),
        extracts=crimes(2),
        change={"offences": {"reported_at": "2026-02-03T22:01:00"}},
    )
    (second,) = take(layout, again, received_at=datetime(2026, 4, 5))
    assert second.counts["offences"] == {"received": 2, "accepted": 1, "quarantined": 1}
    findings = pl.read_parquet(layout.findings / f"{second.submission_id}.parquet")
    assert findings["rule"].to_list() == ["reported_at_changed"]
    assert pl.read_parquet(layout.measures / f"{second.submission_id}.parquet").height > 0


def test_a_data_root_of_an_older_contract_has_the_new_columns(tmp_path: Path) -> None:
    """Before any submission brings them: a model that reads a new column finds it."""
    layout = Layout(tmp_path / "root").prepare()
    empty = layout.extracts / "offences" / "_empty.parquet"
    known = pl.read_parquet(empty)
    known.drop("offence_code").write_parquet(empty)
    Layout(tmp_path / "root").prepare()
    assert pl.read_parquet(empty).schema == known.schema
