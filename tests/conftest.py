"""What holds for every test, and the one browser they share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import sync_playwright

from tests.hub.browsers import FLAGS, chromium

# How long an example takes says as much of the machine's other work as of the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# A file goes to one process whole, as it shares what it makes. Those that make a release or a warehouse go first, lest
# one of them is begun when everything else is done.
_FIRST = ("tests/journey/", "tests/dbt/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(_FIRST))


@pytest.fixture(scope="session")
def window() -> Iterator[Chromium]:
    """A real browser: one a process, since a second one cannot be driven beside it."""
    path = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS), chromium_sandbox=False)
        yield browser
        browser.close()
