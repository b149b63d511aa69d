"""The kinds of defect whose consequences can be told, as `defects.csv` has them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

DEFECTS = Path(__file__).parent / "defects.csv"


@dataclass(frozen=True)
class Defect:
    """One kind of defect: what is counted, how it is mended and what may not be claimed of it."""

    version: str
    defect_id: str
    defect_no: str
    title: str
    model: str
    what_is_counted: str
    parameter: str
    repair: str
    may_not_claim: str
    source: str


def known_defects(path: Path = DEFECTS) -> list[Defect]:
    """In the order of the file."""
    with path.open(encoding="utf-8", newline="") as file:
        return [Defect(**row) for row in csv.DictReader(file)]
