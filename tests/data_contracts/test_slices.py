"""A check in slices says what the check of the whole says, however small the slices and parts are."""

from __future__ import annotations

import hashlib
from pathlib import Path

import polars as pl
import pytest

from data_contracts.findings import N_EXAMPLES
from data_contracts.slices import Judged, check_in_slices
from data_contracts.submission import Slices, open_submission
from data_contracts.validation import Checked, check
from tests.data_contracts.clean import RECEIVED_ON, Tables, clean_tables, write_tables
from tests.data_contracts.rules.pairs import PAIRS
from tests.data_contracts.rules.submission_pairs import BAD_MANIFESTS, HARMLESS, HOSTILE, edit_manifest
from tests.data_contracts.rules.test_row_rules import a_word_for_spouses, copy_of

__all__ = ["a_word_for_spouses"]


def everything_planted() -> Tables:
    """Every planted violation and near miss in copies of the clean rows, and a free text with line breaks and quotes."""
    together: Tables = {}
    mutations = [steps for pair in PAIRS.values() for steps in (pair.plant, pair.near)]
    for number, steps in enumerate(mutations):
        for extract, rows in copy_of(number, steps).items():
            together.setdefault(extract, []).extend(rows)
    for row in together["offences"][::3]:
        row["modus_operandi"] = 'He said "get out",\nand left.'
    return together


@pytest.fixture(scope="module", params=["csv", "parquet"])
def sent(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sent")
    return write_tables(folder / "submission", everything_planted(), file_format=request.param)


@pytest.fixture(scope="module")
def whole(sent: Path) -> Checked:
    return check(open_submission(sent), received_on=RECEIVED_ON)


def in_slices(sent: Path, folder: Path, size: int, part_rows: int) -> Judged:
    opened = open_submission(sent, slices=Slices(folder / "received", size=size))
    return check_in_slices(opened, folder, received_on=RECEIVED_ON, part_rows=part_rows)


@pytest.mark.parametrize(("size", "part_rows"), [(1 << 25, 200_000), (20_000, 150)])
def test_slices_and_parts_change_nothing(
    sent: Path, whole: Checked, tmp_path: Path, size: int, part_rows: int
) -> None:
    judged = in_slices(sent, tmp_path, size, part_rows)
    assert judged.status == whole.status
    assert judged.counts.equals(whole.counts)
    assert (
        pl.concat(judged.all_findings())
        .sort("finding_key", "row_number")
        .equals(whole.findings.sort("finding_key", "row_number"))
    )
    assert judged.by_rule["n_findings"].sum() == whole.findings.height


def test_findings_come_in_order_with_a_few_examples_of_each_kind(tmp_path: Path) -> None:
    tables = clean_tables()
    tables["offences"] = [row | {"injury": "no such code"} for row in tables["offences"]] * 7
    sent = write_tables(tmp_path / "submission", tables)
    judged = in_slices(sent, tmp_path / "work", 900, 4)
    found = check(open_submission(sent), received_on=RECEIVED_ON).findings
    order = ["severity", "extract", "rule", "row_number"]
    assert pl.concat(judged.all_findings()).select(order).equals(found.select(order))
    kind = ["rule", "extract", "field", "message"]
    shown = judged.examples.group_by(kind).agg(pl.len().alias("n"), pl.col("row_number").max().alias("last"))
    assert shown.filter(pl.col("n") > N_EXAMPLES).height == 0
    assert shown.filter(pl.col("rule") == "code_not_in_list").rows() == [
        ("code_not_in_list", "offences", "injury", "injury is not one of the codes of its list.", 10, 10)
    ]


def test_a_system_that_sends_few_flags_still_sends_flags(tmp_path: Path) -> None:
    """Whether flags are sent at all is asked of the submission, not of the part a crime lies in."""
    together: Tables = {}
    for number in range(40):
        for extract, rows in copy_of(number, []).items():
            together.setdefault(extract, []).extend(rows)
    together["flags"] = together["flags"][:1]
    sent = write_tables(tmp_path / "submission", together)
    judged = in_slices(sent, tmp_path / "work", 1 << 20, 3)
    whole = check(open_submission(sent), received_on=RECEIVED_ON)
    assert judged.by_rule["n_findings"].sum() == whole.findings.height > 30


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("oddity", sorted([*HOSTILE, *BAD_MANIFESTS, *HARMLESS]))
def test_odd_and_hostile_files_are_told_the_same(oddity: str, tmp_path: Path) -> None:
    maker = (
        HOSTILE[oddity][0] if oddity in HOSTILE else (BAD_MANIFESTS | HARMLESS)[oddity]  # type: ignore[operator]
    )
    sent = maker(tmp_path / "sent")
    judged = in_slices(sent, tmp_path / "work", 3_000, 50)
    whole = check(open_submission(sent), received_on=RECEIVED_ON)
    assert (judged.status, judged.by_rule["rule"].sort().to_list()) == (
        whole.status,
        whole.findings["rule"].unique().sort().to_list(),
    )
    assert judged.counts.equals(whole.counts)


def test_the_line_of_a_fault_is_counted_from_the_top(tmp_path: Path) -> None:
    sent = write_tables(tmp_path / "submission", everything_planted())
    path = sent / "persons.csv"
    lines = path.read_bytes().split(b"\n")
    lines[150] = b"\xff" + lines[150]
    path.write_bytes(b"\n".join(lines))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    edit_manifest(sent, lambda m: [f.update(sha256=digest) for f in m["files"] if f["extract"] == "persons"])
    judged = in_slices(sent, tmp_path / "work", 500, 50)
    (message,) = judged.by_rule.filter(pl.col("rule") == "file_not_utf8")["message"]
    assert "line 151" in message


def test_clean_rows_have_no_finding(tmp_path: Path) -> None:
    judged = in_slices(write_tables(tmp_path / "s", clean_tables()), tmp_path / "work", 300, 1)
    assert judged.by_rule.height == 0 and list(judged.all_findings()) == []
