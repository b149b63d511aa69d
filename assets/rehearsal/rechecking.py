"""Checking anew, with the code it is run from, submissions that were taken in before.

Run as `python -m assets.rehearsal.rechecking ROOT` in a copy of the project: a changed contract is code, and only a process
of its own can load it beside the one in force.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from datetime import datetime
from itertools import groupby
from pathlib import Path

from assets.intake import Receipt, take_in
from assets.paths import Paths
from assets.rehearsal.overlay import NotRehearsable
from assets.replay import bring
from assets.storage import Layout

# Which submissions wait to be checked again; their receipts, taken out of the way.
WAITING = "to_check_again"


def lay_out_again(paths: Paths, root: Path, periods: Iterable[str] | None) -> int:
    """Make those submissions in `root` as if they had not been taken in yet; how many there are.

    `periods` (YYYY-MM) says which, all where it is None. `root` holds receipts, extracts and findings of a release's
    inputs. Raises NotRehearsable where a submission was not kept.
    """
    layout, wanted = Layout(root).prepare(), None if periods is None else set(periods)
    n_again = 0
    for path in sorted(layout.receipts.glob("*.json")):
        receipt = Receipt.read(path)
        name = f"{receipt.submission_id}.parquet"
        if wanted is not None and receipt.period not in wanted:
            for kept in (paths.measures, paths.ledgers):
                bring(kept / name, root / kept.name / name)
            continue
        kept = paths.submissions / receipt.content_hash
        if not kept.is_dir():
            raise NotRehearsable(f"{receipt.submission_id} was not kept: {kept} is gone")
        bring(kept, layout.submissions / receipt.content_hash)
        (root / WAITING).mkdir(exist_ok=True)
        path.rename(root / WAITING / path.name)
        for table in (*sorted(layout.extracts.iterdir()), layout.findings):
            (table / name).unlink(missing_ok=True)
        n_again += 1
    return n_again


def recheck(root: Path) -> None:
    """Take in again what waits in `root`, in the order of its receipt and as if on that day."""
    layout = Layout(root).prepare()
    waiting = [Receipt.read(p) for p in (root / WAITING).glob("*.json")]
    in_order = sorted(waiting, key=lambda r: (r.received_at, r.name))
    for received_at, batch in groupby(in_order, key=lambda r: r.received_at):
        paths = [_kept(layout, receipt) for receipt in batch]
        for _ in take_in(paths, layout, received_at=datetime.fromisoformat(received_at)):
            pass


def _kept(layout: Layout, receipt: Receipt) -> Path:
    folder = layout.submissions / receipt.content_hash
    return folder / json.loads((folder / "received.json").read_text(encoding="utf-8"))["name"]


if __name__ == "__main__":
    recheck(Path(sys.argv[1]))
