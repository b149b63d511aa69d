"""`vawg rehearse`: a month made again with changed rules, definitions or weights, and compared with its release."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click
import duckdb

from cli.exits import CLEAN, ERRORS, fail

try:
    from assets.paths import Paths
    from assets.rehearsal.comparison import compare
    from assets.rehearsal.overlay import changed_files, changes_the_check, lay_over
    from assets.rehearsal.rechecking import lay_out_again
    from assets.rehearsal.report import write_rehearsal
    from assets.release import code_digest
    from assets.replay import NotReplayable, Sealed, bring, find, lay_out, unseal_model
    from assets.seals import CODE, DECIDING, seal_code, unseal
    from assets.storage import EMPTY, Layout
    from cli.scratch import environment_of, month_again, parse_project, run_in
    from orchestration.environment import data_root_path, release_key
except ModuleNotFoundError as missing:
    fail(f"{missing.name} is not installed; this command needs the platform: pip install '.[platform]'")

# Nobody signs off what is only tried out.
SIGN_OFF = "decisions/codes/sign_off_parameters.csv"


def rehearse(overlay: Path, *, release: str, out: Path | None, all_months: bool, keep: bool) -> int:
    """Lay `overlay` over the project, make the month of `release` again, compare. Exit code 0 the same, 1 it differs."""
    paths = Paths(data_root_path())
    with _plain_refusals():
        changes = changed_files(overlay)
        sealed = find(paths, release)
        digest = hashlib.sha256(b"".join(p.encode() + f.read_bytes() for p, f in changes.items())).hexdigest()
        workshop = paths.root / "rehearsals" / f".{sealed.folder.name}_{digest[:12]}"
        shutil.rmtree(workshop, ignore_errors=True)
        workshop.mkdir(parents=True)
        try:
            before, baseline, after = _make(paths, sealed, changes, workshop, all_months=all_months)
            click.echo("Comparing", err=True)
            found = compare(baseline, before, after, release_key())
        finally:
            if not keep:
                shutil.rmtree(workshop, ignore_errors=True)
    folder = out or paths.root / "rehearsals" / f"{sealed.folder.name}_{digest[:12]}"
    click.echo(write_rehearsal(found, folder, release=sealed.folder.name, changes=changes))
    click.echo(f"In full: {folder}")
    return CLEAN if found.is_empty else ERRORS


def _make(
    paths: Paths, sealed: Sealed, changes: dict[str, Path], workshop: Path, *, all_months: bool
) -> tuple[Layout, Path, Layout]:
    """What findings and release are compared with, and the data root of the rehearsal. Raises NotReplayable."""
    digest = code_digest()
    today = unseal(seal_code(workshop / "seals", digest, CODE, DECIDING), workshop / "today")
    changed = workshop / "changed"
    shutil.copytree(today, changed)
    lay_over(changes, changed)
    periods = None if all_months else [f"{sealed.moment.period:%Y-%m}"]
    before, after = workshop / "before", workshop / "after"
    anew = changes_the_check(changes)
    for root in (before, after):
        lay_out(paths, sealed, root, seed=None)
        # Readings of texts are kept by the version of the reader, so that old ones serve.
        bring(paths.text_signs.parent, root / paths.text_signs.parent.name)
    model = unseal_model(paths, sealed, workshop / "model")
    of_a_run = partial(environment_of, paths, model=model)
    if anew:
        _publish(changed, of_a_run(after))
        for root, code, whose in ((before, today, "today's"), (after, changed, "the changed")):
            n_again = lay_out_again(paths, root, periods)
            click.echo(f"Checking {n_again} submissions by {whose} rules", err=True)
            run_in(code, ["python", "-m", "assets.rehearsal.rechecking", str(root)], of_a_run(root))
    baseline = sealed.folder
    if sealed.manifest["versions"]["code"] != digest or (anew and not _same_rows(paths, before)):
        click.echo(f"Making {sealed.folder.name} with today's code, to compare with", err=True)
        _without_sign_off(today)
        parse_project(today, of_a_run(before))
        run_in(today, month_again(sealed.moment), of_a_run(before))
        baseline = (before / "releases" / "current").resolve()
    if not (after / "releases" / baseline.name).exists():
        bring(baseline, after / "releases" / baseline.name)
    click.echo("Making the month with the change", err=True)
    parse_project(changed, of_a_run(after))
    run_in(
        changed,
        [*month_again(sealed.moment), "--marts-only", "--compare-with", baseline.name],
        of_a_run(after),
    )
    return Layout(before), baseline, Layout(after)


def _publish(code: Path, its_environment: dict[str, str]) -> None:
    """What dbt reads of a contract is generated from it; a change need not bring it along."""
    run_in(code, ["python", "-m", "data_contracts.publish"], its_environment)


def _without_sign_off(code: Path) -> None:
    path = code / SIGN_OFF
    head, *rows = path.read_text(encoding="utf-8").splitlines()
    place = head.split(",").index("number")
    kept = [",".join([*row.split(",")[:place], "0", *row.split(",")[place + 1 :]]) for row in rows]
    path.write_text("\n".join([head, *kept]) + "\n", encoding="utf-8")


def _same_rows(paths: Paths, root: Path) -> bool:
    """Whether the check of today accepts what was accepted when the submissions came, and nothing else."""
    known = {path.stem for path in (root / "receipts").glob("*.json")} | {Path(EMPTY).stem}
    then, now = (
        {p.relative_to(folder): p for p in folder.glob("*/*.parquet") if p.stem in known}
        for folder in (paths.extracts, root / "extracts")
    )
    return then.keys() == now.keys() and all(p.read_bytes() == now[n].read_bytes() for n, p in then.items())


@contextmanager
def _plain_refusals() -> Iterator[None]:
    try:
        yield
    except NotReplayable as error:
        fail(str(error))
    except (duckdb.Error, FileNotFoundError) as error:
        fail(f"the change cannot be rehearsed: {str(error).splitlines()[0]}")
