"""The code a release was made with, kept beside the data: a past list can be made again with what was in force that day.

One zip per digest of the deciding code (definitions, weights, mappings and parameters are in it) and one per linkage
model that the code does not ship. A seal is written once and never changed.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from assets.linkage.model import MODEL, frequencies_of, read_model
from assets.storage import write_whole

# Code and data that decide what a release holds; a change in any of them is another release.
DECIDING = (
    "assets",
    "data_contracts",
    "decisions",
    "dbt_project/models",
    "dbt_project/macros",
    "dbt_project/seeds",
)
CODE = Path(__file__).parents[1]
# The same bytes for the same files, whenever they are packed.
_EPOCH = (1980, 1, 1, 0, 0, 0)
# What runs the deciding code, and what it is installed from.
_RUNS_IT = ("orchestration", "cli", "workspace.yaml", "pyproject.toml", "requirements.lock")
_DBT = ("dbt_project.yml", "profiles.yml", "packages.yml", "models", "macros", "seeds", "tests")
_LEFT_OUT = frozenset({"__pycache__", "target", "logs"})


def seal_code(seals: Path, digest: str, root: Path, deciding: Iterable[str]) -> Path:
    """Keep the code under `root` as `<digest>.zip`; where it is kept already, nothing is written.

    `deciding` are the folders that `digest` is of.
    """
    parts = dict.fromkeys([*deciding, *_RUNS_IT, *(f"dbt_project/{part}" for part in _DBT)])
    return _seal(seals / f"{digest}.zip", root, [path for part in parts for path in _files(root / part)])


def seal_model(seals: Path, model: Path) -> Path | None:
    """Keep a linkage model that is not the shipped one as `model_<version>.zip`."""
    if model == MODEL:
        return None
    return _seal(
        seals / f"model_{read_model(model).version}.zip", model.parent, [model, frequencies_of(model)]
    )


def unseal(seal: Path, folder: Path) -> Path:
    """Unpack a seal into `folder`. Raises FileNotFoundError where there is none, BadZipFile where it is damaged."""
    with zipfile.ZipFile(seal) as packed:
        if packed.testzip():
            raise zipfile.BadZipFile(f"{seal.name} is damaged")
        packed.extractall(folder)
    return folder


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    elif path.is_dir():
        yield from (p for p in sorted(path.rglob("*")) if p.is_file() and not _LEFT_OUT & set(p.parts))


def _seal(seal: Path, root: Path, files: list[Path]) -> Path:
    return seal if seal.exists() else write_whole(seal, lambda partial: _pack(partial, root, files))


def _pack(seal: Path, root: Path, files: list[Path]) -> None:
    with zipfile.ZipFile(seal, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(set(files)):
            entry = zipfile.ZipInfo(path.relative_to(root).as_posix(), date_time=_EPOCH)
            packed.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED, compresslevel=6)
