"""Every published figure comes back from the nations calibrated to them, by way of the ordinary pipeline."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reproduce.__main__ import made
from tests.reproduce.figures import as_table, compare
from tests.reproduce.nations import nations

# What continuous integration has the time for; `make reproduce` and the marker `reproduction` make them all.
SMALLEST = ["earlier"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nations are made in it once."""
    return tmp_path_factory.mktemp("reproduce")


@pytest.mark.heavy
@pytest.mark.parametrize(
    "names", [SMALLEST, pytest.param(list(nations()), marks=pytest.mark.reproduction)], ids=", ".join
)
def test_every_published_figure_is_reproduced(folder: Path, names: list[str]) -> None:
    settings = nations()
    releases = {name: made(name, settings[name], folder / name) for name in names}
    compared = compare(releases, {name: of_nation["scale"] for name, of_nation in settings.items()})
    assert compared
    outside = [c for c in compared if not c.is_met]
    assert not outside, "\n" + as_table(compared)
