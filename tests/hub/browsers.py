"""The Chromium of this machine, for tests that need a real browser."""

from __future__ import annotations

import os
import shutil

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# Where it is set, as in continuous integration, a missing browser is a failure and not a reason to skip.
REQUIRED = "VAWG_TEST_NEEDS_BROWSER"
FLAGS = ("--disable-gpu", "--disable-background-networking")


def chromium() -> str:
    """Path of the browser; skips the test where there is none, or fails it where one is required."""
    if CHROMIUM:
        return CHROMIUM
    if os.environ.get(REQUIRED):
        pytest.fail(f"{REQUIRED} is set and there is no Chromium on this machine")
    pytest.skip("there is no Chromium on this machine")
