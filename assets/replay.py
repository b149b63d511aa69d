"""Making a past release again: the very inputs in another order, in a data root of its own.

Belongs here: which inputs a release was made from and where they lie. Running them is the command's.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from assets.linkage.states import INDEX, SUMMARY, Moment
from assets.paths import Paths
from assets.seals import unseal
from assets.storage import EMPTY
from data_contracts.submission import sha256_of


class NotReplayable(Exception):
    """Something the release was made from is gone or was changed; the message names it."""


@dataclass(frozen=True)
class Sealed:
    """A past release as its manifest tells of it."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def moment(self) -> Moment:
        return Moment(
            self.manifest["programme"],
            date.fromisoformat(f"{self.manifest['period']}-01"),
            datetime.fromisoformat(self.manifest["as_of"]),
        )


def find(paths: Paths, release: str) -> Sealed:
    """A release by its id, or `current`. Raises NotReplayable where there is none, or it is not what its manifest says."""
    folder = (paths.releases / release).resolve()
    if folder.parent != paths.releases.resolve() or not (folder / "manifest.json").is_file():
        raise NotReplayable(f"there is no release {release} under {paths.releases}; see `vawg releases`")
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    for mart in manifest["marts"].values():
        if sha256_of(folder / mart["file"]) != mart["sha256"]:
            raise NotReplayable(f"{mart['file']} of release {release} was changed after it was made")
    return Sealed(folder, manifest)


def unseal_code(paths: Paths, sealed: Sealed, folder: Path) -> Path:
    """Unpack the code the release was made with. Raises NotReplayable where it was not kept."""
    seal = paths.seals / f"{sealed.manifest['versions']['code']}.zip"
    if not seal.is_file():
        raise NotReplayable(f"the code of release {sealed.folder.name} was not kept: {seal} is missing")
    return unseal(seal, folder)


def unseal_model(paths: Paths, sealed: Sealed, folder: Path) -> Path | None:
    """Unpack the linkage model of the release, where it is another than the one its code ships."""
    for version in sealed.manifest["versions"]["linkage_model"]:
        if (seal := paths.seals / f"model_{version}.zip").is_file():
            return next(unseal(seal, folder).glob("*.json"))
    return None


def lay_out(paths: Paths, sealed: Sealed, root: Path, *, seed: int | None) -> None:
    """Put into `root` what the release was made from, the rows of every extract in another order (`seed`; None: as they lie).

    The previous list and the state of who is who that the run went on from come along as they are. Raises NotReplayable.
    """
    known = {entry["submission_id"]: entry["content_hash"] for entry in sealed.manifest["inputs"]}
    _receipts(paths, known, root)
    for extract in sorted(p for p in paths.extracts.iterdir() if p.is_dir()):
        for name in [EMPTY, *(f"{submission_id}.parquet" for submission_id in sorted(known))]:
            if (path := extract / name).is_file():
                target = root / "extracts" / extract.name / name
                if seed is None:
                    bring(path, target)
                else:
                    _shuffled(path, target, seed)
    for name in [EMPTY, *(f"{submission_id}.parquet" for submission_id in sorted(known))]:
        bring(paths.findings / name, root / "findings" / name)
    if paths.clerical_flags.is_file():
        bring(paths.clerical_flags, root / paths.clerical_flags.name)
    _state_before(paths, sealed, root)
    of_movers = (sealed.manifest.get("previous_release") or {}).get("release_id")
    of_figures = (sealed.manifest.get("publication") or {}).get("measured_against")
    measured = {of_figures: "published figures", of_movers: "movers"}
    for release, what in measured.items():
        if release is None:
            continue
        if not (paths.releases / release / "manifest.json").is_file():
            raise NotReplayable(f"the release {release}, against which its {what} were measured, is gone")
        bring(paths.releases / release, root / "releases" / release)


def lay_out_known_now(paths: Paths, sealed: Sealed, root: Path) -> None:
    """Put into `root` everything that is known now, and the sealed release to compare with."""
    states = Path("linkage") / "states" / sealed.moment.programme
    for part in (Path("receipts"), Path("extracts"), Path("findings"), states):
        bring(paths.root / part, root / part)
    bring(sealed.folder, root / "releases" / sealed.folder.name)


def differences(warehouse: Path, folder: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What moved between the sealed lists and those as known now: persons by list and movement, and points by cause.

    Rows: list (nation, force or region, eligible), movement, persons; cause_label, persons, points. Who they are is written into
    `folder` (the two mover marts).
    """
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        for mart in ("ranked_perpetrator_movers", "ranked_perpetrator_move_causes"):
            connection.execute(
                f"copy (from marts.{mart} order by all) to '{folder / mart}.parquet' (format parquet, compression zstd)"
            )
        movements = connection.execute("""
            select told.list, told.movement, count(*) as persons
            from (
                select
                    unnest(['nation', 'force or region', 'eligible']) as list,
                    unnest([national_list_movement, force_list_movement, movement]) as movement,
                    unnest([1, 2, 3]) as list_no
                from marts.ranked_perpetrator_movers
            ) as told
            where told.movement is not null
            group by told.list_no, told.list, told.movement
            order by told.list_no, told.movement
        """).pl()
        causes = connection.execute("""
            select cause_label, count(distinct person_id) as persons, sum(points)::decimal(28, 1) as points
            from marts.ranked_perpetrator_move_causes group by cause_label, cause_no order by cause_no
        """).pl()
    return movements, causes


def _receipts(paths: Paths, known: dict[str, str], root: Path) -> None:
    for submission_id, content_hash in sorted(known.items()):
        receipt = paths.receipts / f"{submission_id}.json"
        if not receipt.is_file():
            raise NotReplayable(f"the receipt of {submission_id} is gone")
        if json.loads(receipt.read_text(encoding="utf-8"))["content_hash"] != content_hash:
            raise NotReplayable(f"{submission_id} is another submission than the release was made from")
        bring(receipt, root / "receipts" / receipt.name)


def _state_before(paths: Paths, sealed: Sealed, root: Path) -> None:
    """The state the release's own was made from, and no other: a run chooses the latest it finds."""
    states = Path("linkage") / "states" / sealed.moment.programme
    own = paths.root / states / sealed.moment.name / SUMMARY
    if not own.is_file():
        raise NotReplayable(f"the state of who is who of release {sealed.folder.name} is gone: {own.parent}")
    if before := json.loads(own.read_text(encoding="utf-8"))["before"]:
        if not (paths.root / states / before / INDEX).is_file():
            raise NotReplayable(f"the state {before}, from which this one was made, is gone")
        bring(paths.root / states / before, root / states / before)


def _shuffled(path: Path, target: Path, seed: int) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    pl.read_parquet(path).sample(fraction=1, shuffle=True, seed=seed).write_parquet(target)


def bring(source: Path, target: Path) -> None:
    """Copy without copying: what is linked here is never changed in place."""
    if source.is_dir():
        shutil.copytree(source, target, copy_function=os.link)
    elif source.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(source, target)
