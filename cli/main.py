"""The `vawg` command. Heavy parts are imported by the command that needs them: `check` needs the base install only."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import click

from cli.exits import fail

PATH = click.Path(path_type=Path)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="vawg-data-platform", prog_name="vawg")
def main() -> None:
    """The national data platform on violence against women and girls.

    Forces use `check` before they send. The national team uses `land`, `run` and `releases`.

    The data root is the folder named in the environment variable VAWG_DATA, or data/ in the repository.
    """


@main.command()
@click.argument("path", type=PATH)
@click.option("--report", type=PATH, metavar="DIR", help="Write findings.csv and summary.json into DIR.")
@click.option(
    "--received-on",
    type=click.DateTime(["%Y-%m-%d"]),
    default=None,
    metavar="DATE",
    help="Day of receipt to check against; today if left out.",
)
def check(path: Path, report: Path | None, received_on: datetime | None) -> None:
    """Check the submission at PATH (a folder or zip) with the platform's own rules.

    Runs offline and sends nothing. Exit code 0: clean, or warnings only. 1: errors were found. 2: PATH cannot be
    used as a submission at all.
    """
    from cli.check import check_submission

    sys.exit(check_submission(path, report, received_on.date() if received_on else date.today()))


@main.command()
@click.option(
    "--out", "folder", type=PATH, required=True, help="Folder to write submissions/ and truth/ into."
)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same bytes.")
@click.option(
    "--scale",
    type=click.FloatRange(min=0, min_open=True),
    default=0.02,
    show_default=True,
    help="1.0 is a national year, about 5.2 million offences.",
)
@click.option(
    "--from",
    "first",
    type=click.DateTime(["%Y-%m"]),
    default="2026-01",
    show_default=True,
    help="First month, YYYY-MM.",
)
@click.option("--months", type=click.IntRange(1, 240), default=3, show_default=True)
@click.option(
    "--faults",
    type=click.FloatRange(0, 1),
    default=0.005,
    show_default=True,
    help="Share of crimes with a planted fault.",
)
def synthesise(folder: Path, seed: int, scale: float, first: datetime, months: int, faults: float) -> None:
    """Write a synthetic England and Wales as submissions of 43 forces, with the truth beside them."""
    from cli.national import synthesise_nation

    synthesise_nation(folder, seed=seed, scale=scale, first=first.date(), months=months, faults=faults)


@main.command()
@click.argument("system", type=click.Choice(["nibrs"]))
@click.option("--out", "folder", type=PATH, required=True, help="Folder to write the submissions into.")
@click.option(
    "--archive", type=PATH, help="The export to read; the one shipped with the adapter if left out."
)
def adapt(system: str, folder: Path, archive: Path | None) -> None:
    """Turn the export of another record SYSTEM into standard submissions.

    nibrs: a year of the FBI's National Incident-Based Reporting System, as the FBI publishes it for one state.
    """
    from data_contracts.adapters import nibrs

    try:
        written = nibrs.write_submissions(archive, folder)
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        fail(f"the {system} export cannot be read: {error}")
    click.echo(f"{len(written)} submissions lie in {folder}. Next: vawg land {folder}/*")


@main.command()
@click.argument("paths", type=PATH, nargs=-1, required=True, metavar="PATH...")
def land(paths: tuple[Path, ...]) -> None:
    """Put submissions (folders or zips) into the landing folder, each appearing there whole.

    `vawg run` takes them in, as does the landing sensor where Dagster is running.
    """
    from cli.national import land_submissions

    land_submissions(paths)


@main.command()
@click.option(
    "--period",
    type=click.DateTime(["%Y-%m"]),
    default=None,
    help="Month of the release, YYYY-MM; the latest received if left out.",
)
@click.option("--programme", default="england_wales", show_default=True, help="Which reporting bodies.")
@click.option("--as-of", type=click.DateTime(), default=None, help="Know only what was received by then.")
@click.option(
    "--received-at",
    type=click.DateTime(),
    default=None,
    help="Moment of receipt of what lies in the landing folder; now if left out.",
)
@click.option(
    "--resume", is_flag=True, help="Go on with the last run of the month from the station that failed."
)
def run(
    period: datetime | None,
    programme: str,
    as_of: datetime | None,
    received_at: datetime | None,
    resume: bool,
) -> None:
    """Take in what has landed and make the month's release, showing each station as it goes."""
    from cli.national import run_month

    sys.exit(
        run_month(
            period.date() if period else None,
            programme=programme,
            as_of=as_of,
            received_at=received_at,
            resume=resume,
        )
    )


@main.command()
def releases() -> None:
    """List the releases, the current one marked."""
    from cli.national import list_releases

    list_releases()


def _not_yet(name: str, signature: str, promise: str) -> None:
    """A command whose part of the platform is not built: it says so and exits 2."""

    def body(args: tuple[str, ...]) -> None:
        fail(f"`{name}` is not yet built: {promise}")

    command: Callable[..., Any] = click.argument("args", nargs=-1, type=click.UNPROCESSED, metavar=signature)(
        body
    )
    main.command(name, help=f"Not yet built. {promise}", context_settings={"ignore_unknown_options": True})(
        command
    )


_not_yet("replay", "RELEASE", "It will make a past release again and show that it is the same.")
_not_yet("link", "PERSONS --out FILE", "It will link a file of persons from anywhere into persons.")
_not_yet("backtest", "EVENTS --out DIR", "It will test the ranking on a table of events.")
_not_yet("explain", "PERSON_ID", "It will show why a person is on a list, allegation by allegation.")


if __name__ == "__main__":
    main()
