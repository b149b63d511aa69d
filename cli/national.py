"""The national team's commands: they need the `platform` extra and the repository, whose SQL no package holds."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from cli.exits import fail

REPOSITORY = Path(__file__).parents[1]
if not (REPOSITORY / "dbt_project" / "target" / "manifest.json").exists():
    fail(
        "this command runs in a clone of the repository, after `make setup`; of the installed package alone, use `check`"
    )
try:
    import dagster as dg
    from filelock import FileLock, Timeout

    from assets.clerical_flags import ClericalFlagsUnreadable, clerical_flags
    from assets.intake import landed, place
    from assets.partitions import NoSuchMonth, partition_of
    from assets.previous_release import PreviousReleaseUnreadable
    from assets.publication.rules import NoRules, rules
    from assets.run_inputs import NothingToRun, forces_of, gather, latest_period
    from assets.storage import Layout
    from orchestration.resources import data_root_path
except ModuleNotFoundError as missing:
    fail(f"{missing.name} is not installed; this command needs the platform: pip install '.[platform]'")


# Tells the runs of this command from those of the UI.
BY_COMMAND = {"vawg/started_by": "command"}


def synthesise_nation(
    folder: Path, *, seed: int, scale: float, first: date, months: int, faults: float
) -> None:
    from data_contracts.synthetic.nation import write_nation

    summary = write_nation(
        folder, seed=seed, scale=scale, first_period=first, n_months=months, fault_share=faults
    )
    click.echo(
        f"{summary.n_submissions:,} submissions of {len(summary.forces)} forces with {summary.n_offences:,} offences "
        f"and {summary.n_faults:,} planted faults: {folder / 'submissions'}\n"
        f"The truth about them: {folder / 'truth'}"
    )


def land_submissions(paths: tuple[Path, ...]) -> None:
    layout = Layout(data_root_path()).prepare()
    try:
        placed = place(paths, layout)
    except FileNotFoundError as error:
        fail(str(error))
    click.echo(f"{len(placed)} submissions lie in {layout.landing}. Next: vawg run")


def list_releases() -> None:
    layout = Layout(data_root_path())
    found = sorted(layout.releases.glob("*/manifest.json")) if layout.releases.exists() else []
    current = layout.current_release.resolve().name if layout.current_release.exists() else None
    shown = [m for m in found if m.parent.name != "current" and not m.parent.name.startswith(".")]
    if not shown:
        click.echo(f"There is no release under {layout.releases}. Make one with: vawg land PATH...; vawg run")
    for path in shown:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        rows = sum(m["rows"] for m in manifest["marts"].values())
        mark = "*" if manifest["release_id"] == current else " "
        click.echo(
            f"{mark} {manifest['release_id']}  {manifest['programme']}  as of {manifest['as_of']}  "
            f"{manifest['coverage']['forces_in']}/{manifest['coverage']['forces_expected']} forces  {rows:,} rows"
        )


def run_month(
    period: date | None,
    *,
    programme: str,
    as_of: datetime | None,
    received_at: datetime | None,
    compare_with: str | None,
    later_months: bool,
    resume: bool,
    marts_only: bool = False,
) -> int:
    """Take in, then make the release of a month, or its marts only. Exit code 0, 1 where a station failed, 2 where there is nothing to do."""
    layout = Layout(data_root_path()).prepare()
    try:
        forces_of(programme)
        if period:
            partition_of(period)
    except (ValueError, NoSuchMonth) as error:
        fail(str(error))
    with _alone(layout), _instance(layout) as instance:
        _end_killed_runs(instance)
        from orchestration.definitions import intake_job, national_marts_job, national_month_job

        if waiting := landed(layout):
            click.echo(f"Taking in {len(waiting)} submissions", err=True)
            config = {"received_at": received_at.isoformat()} if received_at else {}
            if not _execute(intake_job, instance, {"submissions": {"config": config}}):
                return _failed("intake")
        try:
            period = period or latest_period(layout, programme)
            partition = partition_of(period)
            asked: dict[str, Any] = {
                "as_of": as_of,
                "compare_with": compare_with,
                "later_months": later_months,
            }
            gathered = gather(layout, programme=programme, period=period, **asked)
            # Stations deep in the run need both; it is said before anything runs.
            clerical_flags(layout, gathered.as_of.date())
            rules(gathered.period_end)
        except (
            NothingToRun,
            NoSuchMonth,
            PreviousReleaseUnreadable,
            ClericalFlagsUnreadable,
            NoRules,
        ) as error:
            fail(str(error))
        job = national_marts_job if marts_only else national_month_job
        click.echo(f"Making the {'marts' if marts_only else 'release'} of {partition}", err=True)
        choices = {"programme": programme, **asked, "as_of": as_of.isoformat() if as_of else None}
        success = _execute(
            job,
            instance,
            {"run_inputs": {"config": {name: value for name, value in choices.items() if value}}},
            tags={"dagster/partition": partition},
            resume=resume,
        )
    if not success:
        return _failed("national_marts" if marts_only else "national_month")
    if marts_only:
        click.echo(f"\nThe marts lie in {layout.warehouse}; nothing was released")
    else:
        _print_release(layout)
    return 0


@contextlib.contextmanager
def _alone(layout: Layout) -> Iterator[None]:
    """Two runs on one data root would write over each other; the lock goes with the process, however it ends."""
    try:
        with FileLock(layout.root / "run.lock", timeout=0):
            yield
    except Timeout:
        fail(f"another run is working on {layout.root}; wait for it to end")


def _end_killed_runs(instance: dg.DagsterInstance) -> None:
    """Say of runs of this command that were killed that they failed, and give back their place in the pool.

    A killed run cannot say so itself, and the next one would wait for its place for ever. Whoever holds the
    run lock knows that no other run of this command is alive; runs of the UI are the daemon's to watch.
    """
    unfinished = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]
    for run in instance.get_runs(dg.RunsFilter(statuses=unfinished, tags=BY_COMMAND)):
        instance.report_run_failed(run, "the process was killed")
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)


def _execute(
    job: Callable[[], dg.JobDefinition],
    instance: dg.DagsterInstance,
    ops: dict[str, Any],
    *,
    tags: dict[str, str] | None = None,
    resume: bool = False,
) -> bool:
    """Run a job in this process; with `resume`, only what its last failed run with these tags left undone."""
    again = None
    if resume:
        last = next(
            iter(instance.get_runs(dg.RunsFilter(job_name=job().name, tags=tags or {}), limit=1)), None
        )
        if last is None or last.status != dg.DagsterRunStatus.FAILURE:
            fail("no run of this month failed; start one without --resume")
        again = dg.ReexecutionOptions.from_failure(last.run_id, instance)
    # dbt's own lines go to the compute log, which the UI shows; here the stations are enough.
    with contextlib.redirect_stdout(io.StringIO()):
        return dg.execute_job(
            dg.reconstructable(job),
            instance=instance,
            run_config={"ops": ops, "loggers": {"progress": {}}},
            tags=BY_COMMAND | (tags or {}),
            reexecution_options=again,
        ).success


def _instance(layout: Layout) -> dg.DagsterInstance:
    """The instance the UI opens too, so that runs made here are seen there."""
    home = layout.root / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(REPOSITORY / "orchestration" / "dagster.yaml", home / "dagster.yaml")
    os.environ["DAGSTER_HOME"] = str(home)
    return dg.DagsterInstance.get()


def _failed(job: str) -> int:
    click.echo(
        f"\nThe job {job} stopped at the station marked FAILED above; what was done before it is kept, and the last "
        "release is still the current one. When the cause is mended: vawg run --resume",
        err=True,
    )
    return 1


def _print_release(layout: Layout) -> None:
    manifest = json.loads((layout.current_release / "manifest.json").read_text(encoding="utf-8"))
    coverage = manifest["coverage"]
    click.echo(f"\nRelease {manifest['release_id']} in {layout.current_release}\n")
    for name, mart in manifest["marts"].items():
        click.echo(f"  {name:<34}{mart['rows']:>12,} rows   {mart['file']}")
    click.echo(
        f"\n  forces      {coverage['forces_in']} in of {coverage['forces_expected']}"
        f"{', out: ' + ', '.join(coverage['forces_out']) if coverage['forces_out'] else ''}"
        f"\n  submissions {coverage['submissions']:,} ({coverage['submissions_held']:,} held), months {coverage['months'][0]} to {coverage['months'][-1]}"
        f"\n  rows        {coverage['rows_received']:,} received = {coverage['rows_accepted']:,} accepted + {coverage['rows_quarantined']:,} quarantined"
        f"\n  findings    {coverage['errors']:,} errors, {coverage['warnings']:,} warnings"
    )
    for note in manifest["notes"]:
        click.echo(f"  note        {note}")
    click.echo(
        f"\nNext: open {layout.current_release / 'pages' / 'index.html'}; read what each force was told in "
        f"{layout.returns}; see the run in Dagster with `make dev`."
    )
