"""Two attackers: they know what adds up to what, what lies within what and every published figure to within its rounding, no
small one being shown. One asks a linear programme for the smallest and the largest value that a count can have, the other
narrows the bounds of all counts at once, sum by sum.

Written from the published table alone, not from what the publication did: nothing of `assets.publication` is used.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import coo_array

from tests.assets.publication.nation import WIDE

NATIONAL, ERROR, LEAST_SHOWN, REVISED_FROM = "national", 2, 10, 10
# (definition, threat, series, breakdown, value, force, months)
Cell = tuple[str, str, str, str, str, str, tuple[date, ...]]
Floats = NDArray[np.float64]
Target = dict[tuple[int, Cell], float]


def months_of(period: date, kind: str) -> tuple[date, ...]:
    n = {"month": 1, "quarter": 3}.get(kind, 12)
    return tuple(
        date(period.year + (period.month - 1 + i) // 12, (period.month - 1 + i) % 12 + 1, 1) for i in range(n)
    )


def counts(table: pl.DataFrame) -> Iterator[tuple[Cell, int | None]]:
    """Each count behind a figure: a denominator is the count of everybody it is the share of, or whose median it is. Every crime
    has one victim.
    """
    for row in table.iter_rows(named=True):
        definition, threat, measure = row["definition_id"], row["threat"], row["measure"]
        values = (row["breakdown"], row["breakdown_value"])
        at = (row["force_code"], months_of(row["period"], row["period_kind"]))
        if measure == "threat_share":
            yield (definition, threat, "victims", "none", "all", *at), row["numerator"]
            yield (definition, "all", "victims", "none", "all", *at), row["denominator"]
        elif measure == "force_flag_share":
            yield (definition, threat, measure, *values, *at), row["numerator"]
            yield (definition, threat, "victims", "none", "all", *at), row["denominator"]
        elif measure.endswith("_median"):
            yield (definition, threat, "charged", *values, *at), row["denominator"]
        elif measure.endswith("_share"):
            yield (definition, threat, measure, *values, *at), row["numerator"]
            yield (definition, threat, "victims", *values, *at), row["denominator"]
        else:
            yield (definition, threat, "victims", *values, *at), row["numerator"]


def known(table: pl.DataFrame) -> dict[Cell, int | None]:
    """What a reader of all rows knows of each count: it is withheld only where no row shows it."""
    found: dict[Cell, int | None] = {}
    for cell, shown in counts(table):
        if shown is not None or cell not in found:
            found[cell] = shown
    return found


@dataclass(eq=False)
class Attack:
    """What is known of all publications together. Cells of several publications differ by their number. `coarser`: of a
    breakdown, another one and which of its values each value belongs to.
    """

    known_months: Sequence[tuple[date, ...]]
    coarser: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)
    ids: dict[tuple[int, Cell], int] = field(default_factory=dict)
    bounds: dict[int, tuple[float, float]] = field(default_factory=dict)
    equal: list[dict[int, float]] = field(default_factory=list)
    at_most: list[tuple[dict[int, float], float]] = field(default_factory=list)

    def cell(self, vintage: int, cell: Cell) -> int:
        return self.ids.setdefault((vintage, cell), len(self.ids))

    def publication(self, vintage: int, table: pl.DataFrame, before: pl.DataFrame | None = None) -> None:
        earlier = known(before) if before is not None else {}
        cells = known(table)
        for cell, shown in cells.items():
            i = self.cell(vintage, cell)
            if shown is None:
                continue
            stays = cell in earlier and earlier[cell] == shown
            moved = REVISED_FROM - 1 if stays else 0
            self.bounds[i] = (max(0, max(LEAST_SHOWN, shown - ERROR) - moved), shown + ERROR + moved)
            if stays:
                j = self.cell(vintage - 1, cell)
                self.at_most += [({i: 1, j: -1}, REVISED_FROM - 1), ({j: 1, i: -1}, REVISED_FROM - 1)]
        self._sums(vintage, list(cells))

    def _sums(self, vintage: int, cells: list[Cell]) -> None:
        available = set(self.known_months[vintage])
        by_value: dict[Cell, list[Cell]] = defaultdict(list)
        by_force: dict[Cell, list[Cell]] = defaultdict(list)
        for cell in cells:
            definition, threat, series, breakdown, _, force, months = cell
            if breakdown not in ("none", "flag"):
                by_value[(definition, threat, series, breakdown, "all", force, months)].append(cell)
            if force != NATIONAL:
                by_force[(*cell[:5], NATIONAL, months)].append(cell)
            # A month of a single force is not published, and it is no less than nothing all the same.
            if len(months) > 1:
                self._sum(vintage, cell, [(*cell[:6], (m,)) for m in months if m in available])
            for whole in _wholes(cell):
                self._within(vintage, cell, whole)
        for (definition, threat, series, _, _, force, months), parts in by_value.items():
            self._sum(vintage, (definition, threat, series, "none", "all", force, months), parts)
        for total, parts in [*by_force.items(), *self._by_class(cells).items()]:
            self._sum(vintage, total, parts)

    def _by_class(self, cells: list[Cell]) -> dict[Cell, list[Cell]]:
        found: dict[Cell, list[Cell]] = defaultdict(list)
        for cell in cells:
            if cell[3] in self.coarser:
                coarse, classes = self.coarser[cell[3]]
                found[(*cell[:3], coarse, classes[cell[4]], *cell[5:])].append(cell)
        return found

    def _sum(self, vintage: int, total: Cell, parts: Iterable[Cell]) -> None:
        row = {self.cell(vintage, p): -1.0 for p in parts}
        self.equal.append({self.cell(vintage, total): 1.0, **row})

    def _within(self, vintage: int, part: Cell, whole: Cell) -> None:
        self.at_most.append(({self.cell(vintage, part): 1.0, self.cell(vintage, whole): -1.0}, 0.0))

    @cache  # noqa: B019  an attack lives as long as its test
    def problem(self) -> dict[str, Any]:
        n = len(self.ids)
        return {
            "A_eq": _matrix(self.equal, n),
            "b_eq": np.zeros(len(self.equal)),
            "A_ub": _matrix([row for row, _ in self.at_most], n),
            "b_ub": np.array([most for _, most in self.at_most]),
            "bounds": np.array([self.bounds.get(i, (0, np.inf)) for i in range(n)]),
            "method": "highs",
        }

    def reach(self, target: Target) -> tuple[float, float]:
        """Smallest and largest value that the target, a sum of cells with signs, can have."""
        n = len(self.ids)
        objective = np.zeros(n)
        for key, sign in target.items():
            objective[self.ids[key]] = sign
        problem = self.problem()
        ends = []
        for sign in (1, -1):
            solved = linprog(sign * objective, **problem)
            assert solved.status in (0, 3), "what is published contradicts itself"
            ends.append(sign * solved.fun if solved.status == 0 else -sign * np.inf)
        return ends[0], ends[1]

    def narrowed(self, rounds: int = 30) -> tuple[Floats, Floats]:
        """The bounds of every cell, by number, narrowed sum by sum: weaker than the programme, and of all cells at once."""
        rows = [
            *self.equal,
            *({c: -v for c, v in row.items()} for row in self.equal),
            *(r for r, _ in self.at_most),
        ]
        most = np.concatenate([np.zeros(2 * len(self.equal)), [m for _, m in self.at_most]])
        entries = [(r, c, v) for r, row in enumerate(rows) for c, v in row.items()]
        r, c, v = (np.array(part) for part in zip(*entries, strict=True))
        low, high = np.array([self.bounds.get(i, (0, np.inf)) for i in range(len(self.ids))]).T.copy()
        for _ in range(rounds):
            least = np.where(v > 0, low[c], -high[c])
            is_open = np.isinf(least)
            known, n_open = np.where(is_open, 0, least), np.bincount(r, is_open, len(rows))
            others = np.where(n_open[r] > is_open, -np.inf, np.bincount(r, known, len(rows))[r] - known)
            left = most[r] - others
            np.minimum.at(high, c[v > 0], left[v > 0])
            np.maximum.at(low, c[v < 0], -left[v < 0])
        return low, high


def _wholes(cell: Cell) -> Iterator[Cell]:
    """What a cell is no more than. A crime may bear several flags, and be under several threats."""
    definition, threat, series, breakdown, _, *place = cell
    if threat != "all":
        yield (definition, "all", *cell[2:])
    if definition == "narrow":
        yield (WIDE, *cell[1:])
    if breakdown == "flag":
        yield (definition, threat, "victims", "none", "all", *place)  # type: ignore[misc]
    if series == "victims_female_share":
        yield (definition, threat, "victims", *cell[3:])


def _matrix(rows: list[dict[int, float]], n: int) -> coo_array | None:
    if not rows:
        return None
    entries = [(r, c, v) for r, row in enumerate(rows) for c, v in row.items()]
    r, c, v = zip(*entries, strict=True)
    return coo_array((v, (r, c)), shape=(len(rows), n)).tocsr()
