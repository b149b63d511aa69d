"""`vawg replay`: a past release made again from what was in force that day, and compared byte by byte."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from zipfile import BadZipFile

import click

from cli.exits import CLEAN, ERRORS, fail

try:
    from assets.paths import Paths
    from assets.release import differing
    from assets.replay import (
        NotReplayable,
        Sealed,
        differences,
        find,
        lay_out,
        lay_out_known_now,
        unseal_code,
        unseal_model,
    )
    from cli.scratch import environment, environment_of, month_again, month_of, parse_project, run_in
    from orchestration.environment import REPOSITORY, data_root_path
except ModuleNotFoundError as missing:
    fail(f"{missing.name} is not installed; this command needs the platform: pip install '.[platform]'")

# How many steps and threads at once; another number than an ordinary run has must give the same bytes.
THREADS = "VAWG_THREADS"


def replay(release: str, *, seed: int, threads: int, keep: bool, as_known_now: bool) -> int:
    """Make `release` again and compare. Exit code 0 the same, 1 it differs, 2 it cannot be made again.

    With `as_known_now`, make its month with everything known now too, and say what moved and why.
    """
    paths = Paths(data_root_path())
    workshop = paths.root / "replays" / release
    with _plain_refusals():
        sealed = find(paths, release)
        shutil.rmtree(workshop, ignore_errors=True)
        click.echo(
            f"Making {sealed.folder.name} again: inputs shuffled (seed {seed}), {threads} at once", err=True
        )
        again = _make_again(paths, sealed, workshop, seed=seed, threads=threads)
    names = differing(sealed.folder, again)
    click.echo(
        f"\n{sealed.folder.name}, as of {sealed.manifest['as_of']}, made again with the code of that day:"
    )
    for name, mart in sealed.manifest["marts"].items():
        click.echo(
            f"  {'DIFFERS  ' if mart['file'] in names else 'identical'}  {name:<34}{mart['rows']:>12,} rows"
        )
    if names:
        click.echo(f"\n{len(names)} files differ: {', '.join(names)}. The new ones lie in {again}", err=True)
        return ERRORS
    click.echo("\nIdentical, byte for byte, the manifest and the pages too.")
    if as_known_now:
        with _plain_refusals():
            _show_known_now(paths, sealed, workshop)
    if not keep:
        for part in ("data", "code", "model", "now"):
            shutil.rmtree(workshop / part, ignore_errors=True)
        with suppress(OSError):
            workshop.rmdir()
    return CLEAN


def _show_known_now(paths: Paths, sealed: Sealed, workshop: Path) -> None:
    """Make the month of the release with today's code and all that is known now; print how its list differs."""
    root, kept = workshop / "now", workshop / "as_known_now"
    click.echo("\nMaking the same month with everything known now", err=True)
    lay_out_known_now(paths, sealed, root)
    again = [*month_of(sealed.moment), "--compare-with", sealed.folder.name, "--later-months"]
    run_in(REPOSITORY, again, environment(paths, root))
    movements, causes = differences(Paths(root).warehouse, kept)
    click.echo(
        "\nAs known now, against the sealed lists of that month (eligible: everybody who could be on one):"
    )
    for name, movement, persons in movements.iter_rows():
        click.echo(f"  {name:<18}{movement:<12}{persons:>8,} persons")
    click.echo("\nWhy their scores differ:" if causes.height else "\nNobody's score differs.")
    for cause, persons, points in causes.iter_rows():
        click.echo(f"  {cause:<44}{persons:>8,} persons {points:>+14,.1f} points")
    click.echo(f"\nPerson by person: {kept}")


def _make_again(paths: Paths, sealed: Sealed, workshop: Path, *, seed: int, threads: int) -> Path:
    """The folder of the release made again in `workshop`. Raises NotReplayable."""
    root = workshop / "data"
    code = unseal_code(paths, sealed, workshop / "code")
    model = unseal_model(paths, sealed, workshop / "model")
    lay_out(paths, sealed, root, seed=seed)
    of_the_run = environment_of(paths, root, model) | {THREADS: str(threads)}
    parse_project(code, of_the_run)
    run_in(code, month_again(sealed.moment), of_the_run)
    return (root / "releases" / "current").resolve()


@contextmanager
def _plain_refusals() -> Iterator[None]:
    try:
        yield
    except NotReplayable as error:
        fail(str(error))
    except BadZipFile as error:
        fail(f"the kept code cannot be read: {error}")
