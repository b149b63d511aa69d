"""`vawg replay`: a past release made again from what was in force that day, and compared byte by byte."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zipfile import BadZipFile

import click

from cli.exits import CLEAN, ERRORS, fail

try:
    from assets.paths import Paths
    from assets.release import differing
    from assets.replay import NotReplayable, Sealed, find, lay_out, unseal_code, unseal_model
    from decisions.store import sqlite_url
    from orchestration.environment import DECISIONS_URL, LINKAGE_MODEL, data_root_path, decisions_url
except ModuleNotFoundError as missing:
    fail(f"{missing.name} is not installed; this command needs the platform: pip install '.[platform]'")

# How many steps and threads at once; another number than an ordinary run has must give the same bytes.
THREADS = "VAWG_THREADS"


def replay(release: str, *, seed: int, threads: int, keep: bool) -> int:
    """Make `release` again and compare. Exit code 0 the same, 1 it differs, 2 it cannot be made again."""
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
    if not keep:
        shutil.rmtree(workshop)
    return CLEAN


def _make_again(paths: Paths, sealed: Sealed, workshop: Path, *, seed: int, threads: int) -> Path:
    """The folder of the release made again in `workshop`. Raises NotReplayable."""
    root, moment = workshop / "data", sealed.moment
    code = unseal_code(paths, sealed, workshop / "code")
    model = unseal_model(paths, sealed, workshop / "model")
    lay_out(paths, sealed, root, seed=seed)
    environment = os.environ | {
        "VAWG_DATA": str(root),
        "DAGSTER_HOME": str(root / "dagster"),
        DECISIONS_URL: decisions_url() or sqlite_url(paths.decisions),
        THREADS: str(threads),
    }
    environment.pop(LINKAGE_MODEL, None)
    if model:
        environment[LINKAGE_MODEL] = str(model)
    _run(["dbt", "--quiet", "parse", "--profiles-dir", "."], code / "dbt_project", environment)
    choices = ["--period", f"{moment.period:%Y-%m}", "--programme", moment.programme]
    _run(
        ["python", "-m", "cli.main", "run", *choices, "--as-of", moment.as_of.isoformat()], code, environment
    )
    return (root / "releases" / "current").resolve()


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> None:
    program = str(Path(sys.executable).with_name(command[0]))
    done = subprocess.run(  # noqa: S603 - our own programs, by their path
        [program, *command[1:]], cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise NotReplayable(f"the run in {folder} failed; what it printed stands above")


@contextmanager
def _plain_refusals() -> Iterator[None]:
    try:
        yield
    except NotReplayable as error:
        fail(str(error))
    except BadZipFile as error:
        fail(f"the kept code cannot be read: {error}")
