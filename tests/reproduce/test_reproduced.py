"""Every published figure comes back from the nations calibrated to them, by way of the ordinary pipeline."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reproduce.__main__ import made
from tests.reproduce.figures import as_table, compare
from tests.reproduce.nations import nations


@pytest.mark.heavy
@pytest.mark.reproduction
def test_every_published_figure_is_reproduced(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder: Path = tmp_path_factory.mktemp("reproduce")
    settings = nations()
    releases = {name: made(name, of_nation, folder / name) for name, of_nation in settings.items()}
    compared = compare(releases, {name: of_nation["scale"] for name, of_nation in settings.items()})
    outside = [c for c in compared if not c.is_met and not c.not_met_because]
    assert not outside, "\n" + as_table(compared)
