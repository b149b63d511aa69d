"""`make bench-forces`: check a month of 43 forces, and write docs/benchmarks_forces.md.

The check stands beside two yardsticks on the same files: DuckDB only reading them as text, which is the floor, and the same
field and record rules run plainly through Pandera, each file whole and validated lazily. Each runs in a process of its own
on two cores, so that its memory is its own. What was planted must be found, and a clean month must give no finding.
Nothing here is a test.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

REPOSITORY = Path(__file__).parents[1]
REPORT = REPOSITORY / "docs" / "benchmarks_forces.md"
PERIOD, RECEIVED_ON = date(2026, 1, 1), date(2026, 2, 9)
# 600,000 offences in a month; 1.0 is a year of about 5.2 million.
FULL_SCALE = 600_000 * 12 / 5_200_000
FAULT_SHARE = 0.005
# One force whose file of offences, at full size, has a million rows: so many times its own month.
LARGE_FORCE, TIMES_ITS_MONTH = "E23000001", 9.0
REPEATS = 3
CORES = 2
IDENTITY = ["force_code", "period", "sequence", "extract", "record_ref", "rule"]


def check_all(submissions: Path, out: Path) -> dict[str, Any]:
    """Every submission as intake checks it, but for what it keeps: findings go to `out`."""
    import polars as pl

    from data_contracts.submission import open_submission
    from data_contracts.validation import check

    n_rows = 0
    findings = []
    for path in sorted(submissions.iterdir()):
        checked = check(open_submission(path), received_on=RECEIVED_ON)
        n_rows += int(checked.counts["n_received"].sum())
        findings.append(checked.findings)
    pl.concat(findings).write_parquet(out)
    return {"rows": n_rows}


def scan_all(submissions: Path, out: Path) -> dict[str, Any]:
    """DuckDB reading every file as text."""
    import duckdb

    n_rows = 0
    with duckdb.connect(config={"threads": CORES}) as connection:
        for path in sorted(submissions.glob("*/*.csv")) + sorted(submissions.glob("*/*.parquet")):
            read = (
                f"read_csv('{path}', all_varchar=true)"
                if path.suffix == ".csv"
                else f"read_parquet('{path}')"
            )
            n_rows += connection.execute(f"select count(*), min(columns(*)) from {read}").fetchall()[0][0]
    return {"rows": n_rows}


def pandera_all(submissions: Path, out: Path) -> dict[str, Any]:
    """The models with the record rules as checks of the whole frame, validated lazily file by file; no rule across rows."""
    import pandera.polars as pa

    from data_contracts.extracts.catalogue import EXTRACTS
    from data_contracts.rules import catalogue
    from data_contracts.submission import open_submission
    from data_contracts.validation import context_of, numbered, parse

    rules = catalogue.rules()
    n_rows = n_failures = 0
    for path in sorted(submissions.iterdir()):
        opened = open_submission(path)
        if opened.manifest is None:
            continue
        context = context_of(opened.manifest, RECEIVED_ON)
        for name, spec in EXTRACTS.items():
            received = opened.files.get(name)
            if received is None or received.rows is None or not received.rows.height:
                continue
            typed = parse(numbered(received.rows, spec), spec)
            n_rows += typed.height
            own = [r for r in rules.values() if r.shape == "record" and r.extract == name]
            plain = pa.DataFrameSchema(
                columns=spec.model.to_schema().columns,
                checks=[pa.Check(_as_check(r.check(context)), name=r.name, error=r.name) for r in own],
            )
            try:
                plain.validate(typed, lazy=True)
            except pa.errors.SchemaErrors as errors:
                n_failures += errors.failure_cases.height
    return {"rows": n_rows, "failures": n_failures}


def slices_all(submissions: Path, out: Path) -> dict[str, Any]:
    """One force's submission as `vawg check` takes it: in slices, telling how far it is; what is not in memory lies beside `out`."""
    from data_contracts.slices import check_in_slices
    from data_contracts.submission import Slices, open_submission

    told: list[str] = []

    def tell(step: str, done: int, total: int) -> None:
        told.append(f"{step} {done}/{total}")

    (path,) = submissions.iterdir()
    with tempfile.TemporaryDirectory(dir=out.parent) as temporary:
        folder = Path(temporary)
        opened = open_submission(path, slices=Slices(folder / "received", tell=tell))
        judged = check_in_slices(opened, folder, received_on=RECEIVED_ON, tell=tell)
    received = judged.counts["n_received"]
    return {"rows": int(received.sum()), "largest_file": int(received.max()), "times_told": len(told)}


def _as_check(broken: Any) -> Any:
    return lambda data: data.lazyframe.select(~broken.fill_null(False))


VARIANTS = {"check": check_all, "scan": scan_all, "pandera": pandera_all, "slices": slices_all}


def one(variant: str, submissions: Path, out: Path) -> None:
    """In a process of its own: run a variant and print what it took, as JSON."""
    # Imported before the clock starts.
    import duckdb  # noqa: F401

    import data_contracts.slices  # noqa: F401

    started, cpu_before = time.monotonic(), time.process_time()
    said = VARIANTS[variant](submissions, out)
    said |= {
        "seconds": time.monotonic() - started,
        "cpu_seconds": time.process_time() - cpu_before,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(said))


def measured(variant: str, submissions: Path, out: Path, repeats: int) -> dict[str, Any]:
    """The median run of `repeats`, by seconds."""
    command = [sys.executable, "-m", "tests.bench_forces", "--variant", variant, str(submissions), str(out)]
    environment = os.environ | {"POLARS_MAX_THREADS": str(CORES)}
    runs = []
    for _ in range(repeats):
        done = subprocess.run(
            command, env=environment, cwd=REPOSITORY, capture_output=True, text=True, check=True
        )
        runs.append(json.loads(done.stdout.splitlines()[-1]))
        print(f"{variant}: {runs[-1]['rows'] / runs[-1]['seconds']:,.0f} rows/s", flush=True)
    middle = median(run["seconds"] for run in runs)
    return min(runs, key=lambda run: abs(run["seconds"] - middle))


def recall(truth: Path, found: Path) -> dict[str, Any]:
    """How many of the planted faults were found, by their identity, and which rules missed some."""
    import polars as pl

    planted = pl.read_parquet(truth / "planted_faults.parquet")
    findings = pl.read_parquet(found).select(IDENTITY).unique()
    missed = planted.join(findings, on=IDENTITY, how="anti", nulls_equal=True)
    return {
        "planted": planted.height,
        "rules": planted["rule"].n_unique(),
        "found": planted.height - missed.height,
        "missed_rules": sorted(missed["rule"].unique()),
    }


def write_month(
    folder: Path, *, scale: float, seed: int, forces: list[str] | None = None, **shares: float
) -> int:
    """A synthetic month of these forces, all if left out; offences in it."""
    from data_contracts.synthetic.nation import write_nation

    written = write_nation(
        folder,
        seed=seed,
        scale=scale,
        first_period=PERIOD,
        n_months=1,
        forces=forces,
        workers=CORES,
        **shares,
    )
    return written.n_offences


def main(scale: float, repeats: int, out: Path) -> None:
    import polars as pl

    with tempfile.TemporaryDirectory(prefix="vawg-bench-") as temporary:
        scratch = Path(temporary)
        print(f"writing a month at scale {scale:.3f}", flush=True)
        n_offences = write_month(scratch / "month", scale=scale, seed=1, fault_share=FAULT_SHARE)
        findings = scratch / "findings.parquet"
        ran = {
            variant: measured(variant, scratch / "month" / "submissions", findings, repeats)
            for variant in ("scan", "check", "pandera")
        }
        found = recall(scratch / "month" / "truth", findings)
        shutil.rmtree(scratch / "month")
        write_month(
            scratch / "large",
            scale=scale * TIMES_ITS_MONTH,
            seed=3,
            forces=[LARGE_FORCE],
            fault_share=FAULT_SHARE,
        )
        ran["slices"] = measured("slices", scratch / "large" / "submissions", findings, repeats)
        # A clean month needs no size: what it must show is that nothing is said of it.
        write_month(scratch / "clean", scale=min(scale, 0.1), seed=2, fault_share=0.0, flag_error_share=0.0)
        clean = measured("check", scratch / "clean" / "submissions", findings, 1)
        said = pl.read_parquet(findings)
        false = {
            "rows": clean["rows"],
            **{s: said.filter(pl.col("severity") == s).height for s in ("error", "warning")},
            "warning_rules": sorted(said.filter(pl.col("severity") == "warning")["rule"].unique()),
        }
    out.write_text(report(scale, n_offences, ran, found, false), encoding="utf-8")
    print(out.read_text(encoding="utf-8"))


def report(
    scale: float,
    n_offences: int,
    ran: dict[str, dict[str, Any]],
    found: dict[str, Any],
    false: dict[str, Any],
) -> str:
    from data_contracts.rules import catalogue
    from data_contracts.synthetic.faults import NOT_PLANTED
    from tests.bench import commit

    names = {
        "scan": "DuckDB only reading the files as text",
        "check": f"the check: {len(catalogue.rules())} rules, on fields, records, across records, of the submission",
        "slices": f"`vawg check` of one submission, in slices, with progress: largest file {ran['slices']['largest_file']:,} rows",
        "pandera": "plain Pandera: field and record rules, files whole, lazily; nothing across records",
    }
    speed = {variant: r["rows"] / r["seconds"] for variant, r in ran.items()}
    lines = "\n".join(
        f"| {names[v]} | {r['rows']:,} | {r['seconds']:.1f} | {r['cpu_seconds']:.1f} | {speed[v]:,.0f} | "
        f"{speed[v] / speed['scan']:.2f} | {r['peak_mib']:,.0f} |"
        for v, r in ran.items()
    )
    missed = f" Missed some of: {', '.join(found['missed_rules'])}." if found["missed_rules"] else ""
    warned = f" ({', '.join(false['warning_rules'])})" if false["warning_rules"] else ""
    trial = "" if scale >= FULL_SCALE else f" A trial: a month of full size is scale {FULL_SCALE:.3f}."
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"""# Benchmarks of the check

Written by `make bench-forces` at commit `{commit()}`, scale {scale:.3f}, on {CORES} cores, {memory:.0f} GiB, Python \
{platform.python_version()}. Read the ratios; the seconds belong to this machine on this day. The one-minute load was \
{os.getloadavg()[0]:.1f} at the end: on cores that others use, only cpu seconds can be compared.

A month of 43 forces: {n_offences:,} offences with their children.{trial}

| | rows | wall s | cpu s | rows/s | of the scan's speed | peak MiB |
| --- | --: | --: | --: | --: | --: | --: |
{lines}

**The check runs at {speed["check"] / speed["scan"]:.2f} times the speed of merely reading, and {speed["check"] / speed["pandera"]:.2f} \
times that of plain Pandera**, which asks fewer rules. In cpu seconds: {ran["check"]["cpu_seconds"] / ran["scan"]["cpu_seconds"]:.1f} \
times reading, {ran["check"]["cpu_seconds"] / ran["pandera"]["cpu_seconds"]:.2f} times plain Pandera. Opening a submission \
(hashes, manifest, decoding) is in the check's time and in Pandera's, starting Python and importing in neither's.

**Planted faults found: {found["found"]:,} of {found["planted"]:,} ({found["found"] / max(found["planted"], 1):.1%})**, of \
{found["rules"]} of the {len(catalogue.rules())} rules.{missed} The others are in no recall: {len(NOT_PLANTED)} of the rules are not \
planted, each for a reason (`NOT_PLANTED` in `data_contracts/synthetic/faults.py`); their own tests break each of them.

**False findings on a clean month: {false["error"]:,} errors and {false["warning"]:,} warnings**{warned}, in {false["rows"]:,} rows.
"""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--scale", type=float, default=FULL_SCALE, help="1.0 is a year of 5.2 million offences"
    )
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--out", type=Path, default=REPORT)
    parser.add_argument("--variant", choices=sorted(VARIANTS))
    parser.add_argument("paths", nargs="*", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    asked = _arguments()
    if asked.variant:
        one(asked.variant, *asked.paths)
    else:
        main(asked.scale, asked.repeats, asked.out)
