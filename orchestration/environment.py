"""Where the environment says things are kept. Imports nothing heavy: commands that run no job start with this alone.

VAWG_DATA            the data root; data/ in the repository if left out
VAWG_DECISIONS_URL   the database of decisions, in SQLAlchemy's form; decisions.sqlite under the data root if left out
VAWG_RELEASE_KEY     the key of identifiable marts; without one they lie unencrypted
VAWG_LINKAGE_MODEL   the file of the linkage model in force; the shipped one if left out
VAWG_THREADS         how many models and threads of dbt at once; 2 if left out
"""

from __future__ import annotations

import os
from pathlib import Path

DECISIONS_URL = "VAWG_DECISIONS_URL"
LINKAGE_MODEL = "VAWG_LINKAGE_MODEL"
REPOSITORY = Path(__file__).parents[1]


def data_root_path() -> Path:
    """`VAWG_DATA`, or `data/` in the repository; always absolute."""
    return Path(os.environ.get("VAWG_DATA") or REPOSITORY / "data").absolute()


def linkage_model() -> str | None:
    return os.environ.get(LINKAGE_MODEL) or None


def decisions_url() -> str | None:
    return os.environ.get(DECISIONS_URL) or None


def release_key() -> str | None:
    return os.environ.get("VAWG_RELEASE_KEY") or None
