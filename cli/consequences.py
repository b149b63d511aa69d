"""`vawg consequences`: what each kind of defect does to figures and lists, and which one matters to a force."""

from __future__ import annotations

from pathlib import Path

import click
import polars as pl

from cli.exits import CLEAN, fail

try:
    from assets.consequences.consequences import (
        NoRunToExplain,
        default_folder,
        find_consequences,
        scratch_folder,
        write_consequences,
    )
    from assets.consequences.defects import known_defects
    from assets.consequences.for_forces import write_for_forces
    from assets.consequences.scratch import ModelsFailed
    from assets.storage import Layout
    from orchestration.environment import data_root_path, release_key
except ModuleNotFoundError as missing:
    fail(f"{missing.name} is not installed; this command needs the platform: pip install '.[platform]'")


def consequences(out: Path | None, chosen: tuple[str, ...], force: str | None) -> int:
    """Find and write the consequences of the kinds of defect `chosen` (all where none is); print those of `force`."""
    layout = Layout(data_root_path())
    defects = known_defects()
    unknown = sorted(set(chosen) - {d.defect_id for d in defects})
    if unknown:
        fail(
            f"there is no defect {', '.join(unknown)}; choose among {', '.join(d.defect_id for d in defects)}"
        )
    click.echo(f"Mending {len(chosen or defects)} kinds of defect, one after the other", err=True)
    try:
        found = find_consequences(
            layout,
            scratch_folder(layout),
            [d for d in defects if not chosen or d.defect_id in chosen],
        )
    except NoRunToExplain as error:
        fail(str(error))
    except ModelsFailed as error:
        fail(f"the models cannot be made again: {error}")
    folder = out or default_folder(layout)
    write_consequences(found, folder, release_key())
    # Forces are given the whole: a part, or a try in another folder, would stand in its place.
    told = 0 if out or chosen else write_for_forces(found, layout)
    click.echo(_shown(found.defects, force))
    click.echo(f"\nIn full: {folder}")
    if told:
        click.echo(f"For each of {told} forces: {layout.returns}/FORCE/consequences/")
    return CLEAN


def _shown(rows: pl.DataFrame, force: str | None) -> str:
    if force:
        of_force = rows.filter(pl.col("force_code") == force)
        if of_force.is_empty():
            fail(f"force {force} sent nothing to this run")
        return "\n\n".join(of_force["sentence"])
    by_defect = rows.group_by("defect_id", maintain_order=True).agg(
        pl.col(
            "n_records",
            "n_mended",
            "n_national_figures",
            "n_enter_national",
            "n_leave_national",
            "n_become_eligible",
            "n_no_longer_eligible",
        ).sum()
    )
    lines = [
        f"{'defect':<24}{'records':>9}{'mended':>9}{'on the list':>13}{'off it':>9}{'eligible':>10}{'no longer':>11}"
    ]
    lines += [
        f"{r['defect_id']:<24}{r['n_records']:>9,}{r['n_mended']:>9,}{r['n_enter_national']:>13,}"
        f"{r['n_leave_national']:>9,}{r['n_become_eligible']:>10,}{r['n_no_longer_eligible']:>11,}"
        for r in by_defect.iter_rows(named=True)
    ]
    return "\n".join(
        [*lines, "", "Sums over forces, each mended or left out alone. Of one force: --force CODE"]
    )
