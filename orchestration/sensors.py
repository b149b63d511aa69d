"""Sensors: notice what forces put into the landing folder."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import dagster as dg

from assets.intake import landed
from assets.storage import DataRoot
from orchestration.jobs import intake

# A submission still being copied changes; one that has not changed for this long is whole.
SETTLED_AFTER_SECONDS = 20


def _last_change(path: Path) -> float:
    return max((p.stat().st_mtime for p in (path, *path.rglob("*"))), default=0.0)


@dg.sensor(
    job=intake,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts one intake run for everything that has settled in the landing folder.",
)
def landing(data_root: DataRoot) -> dg.RunRequest | dg.SkipReason:
    found = landed(data_root.layout())
    if not found:
        return dg.SkipReason("the landing folder is empty")
    changes = {p.name: _last_change(p) for p in found}
    if time.time() - max(changes.values()) < SETTLED_AFTER_SECONDS:
        return dg.SkipReason("a submission in the landing folder is still being written")
    # The same batch is asked for once; what is added or sent again makes another batch.
    batch = hashlib.sha256(repr(sorted(changes.items())).encode()).hexdigest()
    return dg.RunRequest(run_key=batch)
