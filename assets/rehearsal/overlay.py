"""A change that is to be rehearsed: which files of the project it replaces or adds. Reads and copies files, runs nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

from assets.replay import NotReplayable
from assets.seals import CODE, DECIDING

# What a change may touch is what decides a release's content; nothing else would show in one.
_LEFT_OUT = frozenset({"__pycache__", "target", "logs"})
# Of these only what stands in other files of the same folder: a change in them makes no submission look different.
_NOT_CHECKED_BY = ("data_contracts/adapters/", "data_contracts/synthetic/")


class NotRehearsable(NotReplayable):
    """The change cannot be tried out; the message says why."""


def changed_files(overlay: Path, project: Path = CODE) -> dict[str, Path]:
    """What in `overlay` differs from `project`: path in the repository -> the changed file; in order of the paths.

    A file is named by its place in the repository, or by its bare name where only one deciding file has it. Files outside
    the deciding folders are left alone where `overlay` is a checkout. Raises NotRehearsable where nothing differs or a
    name fits no file, or several.
    """
    if not overlay.is_dir():
        raise NotRehearsable(f"there is no folder {overlay}")
    known = _by_name(project)
    found = {}
    for path in sorted(p for p in overlay.rglob("*") if p.is_file() and not _LEFT_OUT & set(p.parts)):
        place = _place(path.relative_to(overlay), known, is_checkout=(overlay / "pyproject.toml").is_file())
        if place and not _same(path, project / place):
            found[place] = path
    if not found:
        raise NotRehearsable(f"nothing in {overlay} differs from the project")
    return dict(sorted(found.items()))


def lay_over(changes: dict[str, Path], code: Path) -> None:
    """Put the changed files into a copy of the project at `code`."""
    for place, path in changes.items():
        (code / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, code / place)


def changes_the_check(changes: dict[str, Path]) -> bool:
    """Whether submissions have to be checked anew: the contract, its codes, mappings or rules change."""
    return any(
        place.startswith("data_contracts/") and not place.startswith(_NOT_CHECKED_BY) for place in changes
    )


def _place(relative: Path, known: dict[str, list[str]], *, is_checkout: bool) -> str | None:
    place = relative.as_posix()
    if any(place.startswith(f"{folder}/") for folder in DECIDING):
        return place
    if is_checkout:
        return None
    candidates = known.get(relative.name, []) if len(relative.parts) == 1 else []
    if len(candidates) != 1:
        among = f"several files are called so ({', '.join(candidates)})" if candidates else "no file is there"
        raise NotRehearsable(f"{place}: {among}; give it at its place under {', '.join(DECIDING)}")
    return candidates[0]


def _by_name(project: Path) -> dict[str, list[str]]:
    known: dict[str, list[str]] = {}
    for folder in DECIDING:
        for path in sorted((project / folder).rglob("*")):
            if path.is_file() and not _LEFT_OUT & set(path.parts):
                known.setdefault(path.name, []).append(path.relative_to(project).as_posix())
    return known


def _same(one: Path, other: Path) -> bool:
    return other.is_file() and one.read_bytes() == other.read_bytes()
