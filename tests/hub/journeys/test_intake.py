"""From a file in a browser to what to mend in it: a force's return through the real intake and back."""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest
from playwright.sync_api import Page, expect

from assets.storage import DataRoot
from orchestration.definitions import build_defs
from tests.hub.journeys.rules import broken_on

pytestmark = pytest.mark.heavy
# Of nobody: a small force's month, made up, with faults planted.
EXAMPLE = Path(__file__).parents[3] / "examples" / "E23000034_2026-02_1"
FORCE = "E23000034"


def _zip(path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(EXAMPLE.iterdir()):
            archive.write(file, file.name)
    return path


def _take_in(root: Path) -> None:
    """What the sensor of the landing folder starts, on this data root whatever another test imported the definitions with."""
    intake = build_defs(data_root=DataRoot(path=str(root))).resolve_job_def("intake")
    config = {"ops": {"submissions": {"config": {"received_at": "2026-03-12T09:00:00"}}}}
    with dg.DagsterInstance.ephemeral() as instance:
        assert intake.execute_in_process(instance=instance, run_config=config).success


def test_a_force_sends_a_return_with_faults_and_is_led_to_each_row_and_how_to_mend_it(
    sign_in: Callable[..., Page], root: Path, tmp_path: Path
) -> None:
    page = sign_in("force_submitter", force=FORCE)
    page.goto("/returns")
    expect(page.get_by_text("Nothing has been received yet")).to_be_visible()
    # How far it has gone: as the page's own script shows it.
    page.evaluate(
        """() => document.addEventListener("htmx:xhr:progress", () => {
            document.body.parentElement.dataset.sent = document.getElementById("progress").value;
        })"""
    )
    page.get_by_label("One zip").set_input_files(_zip(tmp_path / "E23000034_2026-02_1.zip"))
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", name="Waiting to be taken in")).to_be_visible()
    assert page.evaluate("() => document.documentElement.dataset.sent") == "100"

    _take_in(root)
    page.reload()
    expect(page.get_by_role("heading", name="Waiting to be taken in")).to_have_count(0)
    page.get_by_role("region", name="Receipts").get_by_role("link").click()
    (folder,) = (p.parent for p in (root / "returns" / FORCE).glob("*/receipt.json"))
    receipt = json.loads((folder / "receipt.json").read_text(encoding="utf-8"))
    with (folder / "findings.csv").open(encoding="utf-8", newline="") as stream:
        findings = list(csv.DictReader(stream))
    assert receipt["n_errors"] and {"error"} <= {f["severity"] for f in findings}

    for extract, n in receipt["counts"].items():
        cells = page.get_by_role("region", name="Rows").get_by_role("row", name=extract).first
        assert n["accepted"] + n["quarantined"] == n["received"]
        expect(cells.get_by_role("cell").first).to_have_text(f"{n['received']:,}")
    error = next(f for f in findings if f["severity"] == "error")
    told = (
        page.get_by_role("region", name="Findings by rule")
        .get_by_role("row")
        .filter(has_text=error["message"])
    )
    expect(told.first).to_contain_text(error["remedy"])
    told.first.get_by_role("link").click()
    found = broken_on(page, "rows of one rule")
    rows = page.get_by_role("region", name="Rows of one rule").get_by_role("row")
    of_rule = [f for f in findings if f["rule"] == error["rule"]]
    assert rows.count() == len(of_rule) + 1
    expect(rows.filter(has_text=error["record_ref"]).first).to_contain_text(error["row_number"])
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        found += broken_on(page, f"a receipt at {width}")
    assert found == []
    with page.expect_download() as taken:
        page.get_by_role("link", name="All findings as CSV").click()
    assert Path(taken.value.path()).read_bytes() == (folder / "findings.csv").read_bytes()
