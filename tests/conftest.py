"""Which tests belong together when several processes share them out: those over one costly fixture."""

from __future__ import annotations

from pathlib import Path

import pytest

# Folders whose tests share what is built once a session: a warehouse, a release.
TOGETHER = frozenset({"dbt", "journey"})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Name each test's group, and put the longest groups first, so that no process ends long after the others."""
    for item in items:
        file = Path(str(item.fspath))
        group = next((part for part in file.parts if part in TOGETHER), str(file))
        item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=lambda item: not TOGETHER & set(Path(str(item.fspath)).parts))
