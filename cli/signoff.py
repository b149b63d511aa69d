"""`vawg signoff`: a force signs off its figures. Light to import; what a command needs is imported where it runs."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from cli.decided import counted, data_paths, decisions_store, now, platform
from cli.exits import fail

MOMENT = click.DateTime()


@click.group()
def signoff() -> None:
    """Sign off a force's figures before they are released.

    \b
    vawg signoff show E23000036                  the force's figures of the current release
    vawg signoff give E23000036 --by NAME --note "checked against our own return"
    vawg signoff list                            what is signed off today

    What is signed off are the figures themselves: as long as a release has the same figures of that force, they are
    signed off; once they change, they are not, and the release's manifest and pages say so. A release waits for it only
    where decisions/codes/sign_off_parameters.csv says so. It is written into the audit log.

    Exit code 0: done. 2: refused, and nothing was written; the message says why.
    """


def _release(name: str) -> Path:
    folder = data_paths().releases / name
    if not (folder / "manifest.json").is_file():
        fail(f"there is no release {name}; vawg releases lists them")
    return folder.resolve()


RELEASE = click.option(
    "--release", default="current", show_default=True, metavar="RELEASE", help="Which release."
)


@signoff.command()
@click.argument("force_code", metavar="FORCE")
@RELEASE
def show(force_code: str, release: str) -> None:
    """Print a FORCE's monthly figures in a release as CSV."""
    with platform():
        from data_contracts.signed_figures import figures_of

        figures = figures_of(_release(release), force_code)
    if figures.height == 0:
        fail(f"the release has no figures of {force_code}")
    click.echo(figures.write_csv(), nl=False)


@signoff.command()
@click.argument("force_code", metavar="FORCE")
@RELEASE
@click.option("--by", required=True, help="Who signs for the force.")
@click.option("--note", default="", help="What it rests on, in words that name no person.")
@click.option("--at", type=MOMENT, default=None, metavar="MOMENT", help="When it was; now if left out.")
def give(force_code: str, release: str, by: str, note: str, at: datetime | None) -> None:
    """Sign off a FORCE's figures as a release has them. The next run knows of it."""
    folder = _release(release)
    with platform():
        from data_contracts.signed_figures import digest, figures_of
        from decisions.sign_off import sign

        figures = figures_of(folder, force_code)
    if figures.height == 0:
        fail(f"the release has no figures of {force_code}")
    with decisions_store() as store:
        sign_off_id = sign(
            store,
            force_code=force_code,
            period=folder.name.partition("_")[0],
            release_id=folder.name,
            figures=digest(figures),
            by=by,
            note=note,
            at=at or now(),
        )
    click.echo(
        f"{sign_off_id}: {counted(figures.height, 'figure')} of {force_code} in {folder.name} are signed off"
    )


@signoff.command()
@click.argument("sign_off_id", metavar="SIGN_OFF")
@click.option("--by", required=True, help="Who takes it back.")
@click.option("--why", required=True, help="Why, in words that name no person.")
@click.option("--at", type=MOMENT, default=None, metavar="MOMENT", help="When it was; now if left out.")
def withdraw(sign_off_id: str, by: str, why: str, at: datetime | None) -> None:
    """Take a SIGN_OFF (S000001) back."""
    with decisions_store() as store:
        from decisions.sign_off import withdraw as take_back

        take_back(store, sign_off_id, by=by, reason=why, at=at or now())
    click.echo(f"{sign_off_id} is withdrawn")


@signoff.command("list")
@click.option("--as-of", type=MOMENT, default=None, metavar="MOMENT", help="As of then; now if left out.")
def list_(as_of: datetime | None) -> None:
    """List the sign-offs in force, parted by tabs: month, force, sign-off, when, release seen."""
    with decisions_store() as store:
        from decisions.sign_off import in_force

        found = in_force(store, as_of or now())
    click.echo("period\tforce\tsign_off\tsigned_at\trelease")
    for (force_code, period), s in sorted(found.items(), key=lambda item: (item[0][1], item[0][0])):
        click.echo(f"{period}\t{force_code}\t{s.sign_off_id}\t{s.signed_at.isoformat()}\t{s.release_id}")
