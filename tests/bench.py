"""`make bench`: measure the platform in one run and write docs/benchmarks.md.

Every figure is a ratio of two things measured here, or stands beside the yardstick it is to be read
against: absolute seconds say as much of the machine as of the code. Nothing here is a test.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from statistics import median

import duckdb

from assets.intake import receipts, take_in
from assets.storage import Layout
from data_contracts.synthetic.nation import write_nation

REPOSITORY = Path(__file__).parents[1]
SCALES = (0.02, 0.2)
MONTHS = 3
WORKERS = 2
REPEATS = 3


@dataclass(frozen=True)
class Measured:
    """One process, from outside: wall and processor seconds, and the largest resident set of any process in it."""

    wall_seconds: float
    cpu_seconds: float
    peak_mib: float


def measured(command: list[str], data: Path) -> Measured:
    """Run a command to its end. Raises CalledProcessError where it fails."""
    environment = os.environ | {"VAWG_DATA": str(data)}
    started = time.monotonic()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise subprocess.CalledProcessError(status, command, stderr=said)
    # maxrss is of the largest single process: dbt is a child of the run.
    return Measured(time.monotonic() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def timed(work: Callable[[], object]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


def cpu_timed(work: Callable[[], object]) -> float:
    """Processor seconds of this process and its children: what other work on the machine disturbs least."""
    before = os.times()
    work()
    return sum(os.times()[:4]) - sum(before[:4])


def scan_seconds(submissions: Path) -> float:
    """Processor seconds of DuckDB merely reading every extract file as text: the floor under intake."""
    connection = duckdb.connect(config={"threads": 2})
    csv, parquet = sorted(submissions.glob("*/*.csv")), sorted(submissions.glob("*/*.parquet"))

    def scan() -> None:
        for path in csv:
            connection.execute(
                f"select count(*), min(columns(*)) from read_csv('{path}', all_varchar=true, parallel=true)"
            ).fetchall()
        for path in parquet:
            connection.execute(f"select count(*), min(columns(*)) from read_parquet('{path}')").fetchall()

    return median(cpu_timed(scan) for _ in range(REPEATS))


def intake(submissions: Path, scratch: Path) -> dict[str, float]:
    """Processor seconds of intake (keep, parse, check, write, answer) beside DuckDB's scan of the same files."""
    layout = Layout(scratch / "intake").prepare()
    paths = sorted(submissions.iterdir())
    seconds = cpu_timed(lambda: list(take_in(paths, layout, received_at=datetime(2026, 4, 12))))
    rows = sum(r.total("received") for r in receipts(layout))
    floor = scan_seconds(submissions)
    return {"rows": rows, "seconds": seconds, "scan_seconds": floor}


def whole_job(submissions: Path, data: Path) -> dict[str, float]:
    """The job from landing to release, from outside; and how much of it was the stations' own work."""
    vawg = str(Path(sys.executable).parent / "vawg")
    subprocess.run(
        [vawg, "land", *map(str, sorted(submissions.iterdir()))],
        env=os.environ | {"VAWG_DATA": str(data)},
        check=True,
        capture_output=True,
    )
    run = measured([vawg, "run", "--received-at", "2026-04-12T09:00:00"], data)
    manifest = json.loads((data / "releases" / "current" / "manifest.json").read_text())
    offences = duckdb.sql(
        f"select count(*) from read_parquet('{data}/extracts/offences/*.parquet')"
    ).fetchall()[0][0]
    return {
        "offences": offences,
        "rows": manifest["coverage"]["rows_received"],
        "wall_seconds": run.wall_seconds,
        "cpu_seconds": run.cpu_seconds,
        "peak_mib": run.peak_mib,
        "station_seconds": station_seconds(data),
    }


def station_seconds(data: Path) -> float:
    """Seconds the stations say they worked: dbt's nodes, and the Python stations' own clocks."""
    from dagster import DagsterInstance

    os.environ["DAGSTER_HOME"] = str(data / "dagster")
    total = 0.0
    with DagsterInstance.get() as instance:
        for key in instance.all_asset_keys():
            # Every materialisation of this fresh root: intake runs on its own before the month does.
            for record in instance.fetch_materializations(key, limit=100).records:
                for name, value in record.asset_materialization.metadata.items():  # type: ignore[union-attr]
                    if name in ("Execution Duration", "seconds") or name.startswith("seconds_"):
                        total += float(value.value)  # type: ignore[arg-type]
    return total


def commit() -> str:
    return subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout.strip()


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="vawg-bench-") as temporary:
        scratch = Path(temporary)
        jobs = {}
        for scale in SCALES:
            nation = scratch / f"nation-{scale}"
            print(f"scale {scale}: writing", flush=True)
            written = timed(
                lambda s=scale, n=nation: write_nation(
                    n, seed=1, scale=s, first_period=date(2026, 1, 1), n_months=MONTHS, workers=WORKERS
                )
            )  # type: ignore[misc]
            print(f"scale {scale}: the whole job", flush=True)
            jobs[scale] = whole_job(nation / "submissions", scratch / f"data-{scale}") | {
                "written_seconds": written
            }
        print("intake against a scan", flush=True)
        taken = intake(scratch / f"nation-{SCALES[-1]}" / "submissions", scratch)
    (REPOSITORY / "docs" / "benchmarks.md").write_text(report(jobs, taken), encoding="utf-8")
    print(report(jobs, taken))


def report(jobs: dict[float, dict[str, float]], taken: dict[str, float]) -> str:
    small, large = (jobs[s] for s in SCALES)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    per_million = {s: j["wall_seconds"] / j["offences"] * 1e6 for s, j in jobs.items()}
    marginal = (large["wall_seconds"] - small["wall_seconds"]) / (large["offences"] - small["offences"]) * 1e6
    rows = "\n".join(
        f"| {s} | {j['offences']:,.0f} | {j['rows']:,.0f} | {j['wall_seconds']:.1f} | {j['cpu_seconds']:.1f} "
        f"| {per_million[s]:,.0f} | {1 - j['station_seconds'] / j['wall_seconds']:.0%} | {j['peak_mib']:,.0f} "
        f"| {j['offences'] / j['written_seconds'] * 60:,.0f} |"
        for s, j in jobs.items()
    )
    return f"""# Benchmarks

Written by `make bench` at commit `{commit()}`, on {os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}, \
{platform.system()}. Read the ratios; the seconds belong to this machine on this day.

## Intake and checks

{taken["rows"]:,.0f} rows of {MONTHS} months of 43 forces, kept, parsed, checked, written and answered:
{taken["rows"] / taken["seconds"]:,.0f} rows a processor second. DuckDB merely reading the same files as text:
{taken["rows"] / taken["scan_seconds"]:,.0f} rows a processor second. **Intake takes {taken["seconds"] / taken["scan_seconds"]:.1f} times the scan.**

## The whole job, from landing to release

| scale | offences | rows received | wall s | cpu s | wall s per million offences | not in the stations' own work | peak MiB of one process | synthetic offences written a minute |
| --: | --: | --: | --: | --: | --: | --: | --: | --: |
{rows}

{large["offences"] / small["offences"]:.1f} times the offences cost {large["wall_seconds"] / small["wall_seconds"]:.1f} times the wall time: \
**cost grows {large["wall_seconds"] / small["wall_seconds"] / (large["offences"] / small["offences"]):.2f} times as fast as the work** \
(at most 1 wanted). The offences between the two scales cost {max(marginal, 0):,.0f} s a million; nought means that fixed
costs and the noise of the machine hide them.

"Not in the stations' own work" is what is left of the wall time after dbt's nodes and the Python stations' own clocks:
starting interpreters, reading the dbt project twice, Dagster's events. Synthetic offences are written by {WORKERS} processes.
"""


if __name__ == "__main__":
    main()
