"""Which cells are withheld: the small ones, and others beside them so that the small ones cannot be worked out.

Cell suppression as an optimisation: Kelly, Golden and Assad (1992); Fischetti and Salazar (2001); as in tau-ARGUS. An
attacker knows what adds up to what and what lies within what, that a count is no less than zero, and every published count
to within its rounding and to be no small one.
A withheld small count is safe if the attacker's smallest and largest value for it reach from nothing to the greatest small
number. Both ends are shown by a world: counts that fit everything published in which that one is at that end. Worlds are
looked for by linear programming, many cells to a world; where none fits, the published counts that stand in its way, the
least of them by weight, are withheld too. What is left published then fits every world: the ends are proved, not hoped for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import coo_array, csr_array, hstack

from assets.publication.cells import CELL, NATIONAL, Cells, within
from assets.publication.rules import Rules

# Six worlds a level. In each, a place has every third value pinned, all of them up or all down, and places take turns.
_N_LOTS = 6
_TOLERANCE = 1e-6
# A column of a table: one value of a breakdown, over forces or over the nation's months or quarters.
_COLUMN = ["series", "definition_id", "threat", "breakdown", "span", "table", "breakdown_value"]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


class NotProtected(Exception):
    """No choice of withheld cells protects a table: nothing of it may be published."""


@dataclass(frozen=True)
class _Block:
    """Cells of tables that add up or lie within each other. Rows x cells of `sums` are zero, of `within` at most that; a pinned
    cell goes to `down`, `up`.
    """

    index: Ints
    sums: csr_array
    within: csr_array
    lower: Floats
    upper: Floats
    weight: Floats
    is_up: Bools
    is_down: Bools
    down: Floats
    up: Floats
    level: Ints
    lot: Ints


def withheld(cells: Cells, rules: Rules) -> pl.DataFrame:
    """The cells with `is_small`, `is_withheld` (small ones, and those beside them) and `is_table_withheld`, in the order of
    `cells.cells`.

    A cell has `shown`, what is published of it, and `known_to`, how near to that its reader knows the count; one that
    `was_withheld` stays so. A table that no choice protects (of a nation of two forces, say) is withheld whole.
    """
    marked = cells.cells.with_columns(_table()).join(_sparse(cells.cells, rules), on=_COLUMN, how="left")
    table = _weighed(_of_sparse_totals(marked, cells.totals), rules)
    hidden = table["is_withheld"].to_numpy().copy()
    whole = np.zeros(len(hidden), dtype=np.bool_)
    for block in _blocks(table, cells):
        # A pooled cell stands for several that are withheld already.
        try:
            hidden[block.index] |= _secondary(block, hidden[block.index])
        except NotProtected:
            hidden[block.index] = whole[block.index] = True
    return table.with_columns(is_withheld=pl.Series(hidden), is_table_withheld=pl.Series(whole))


def _sparse(cells: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """Columns of which no single part is shown: forces of a year, or months or quarters of the nation, that have fewer
    records each than a small count, on average. Columns are added, the least first, until what is withheld of a breakdown
    is on average no small count itself, nor all of one column: then within it a count may be anything from nothing to that.
    """
    parts = cells.filter((pl.col("force_code") != NATIONAL) | (pl.col("span") != "year")).with_columns(
        _table()
    )
    columns = (
        parts.group_by(_COLUMN)
        .agg(pl.col("count").sum(), pl.len().alias("n_parts"))
        .sort([*_COLUMN[:-1], "count", "breakdown_value"])
    )
    group = _COLUMN[:-1]
    enough = rules.suppress_below * pl.col("n_parts")
    before = pl.col("count").cum_sum().over(group) - pl.col("count")
    return (
        columns.with_columns(
            n_least=(pl.col("count") < enough).sum().over(group),
            n_before=pl.int_range(pl.len()).over(group),
            before=before,
        )
        .with_columns(before_but_one=pl.col("before").shift(1).over(group).fill_null(0))
        .with_columns(
            is_whole=(pl.col("n_before") >= pl.max_horizontal("n_least", pl.lit(2)))
            & (pl.col("before") >= enough)
            & (pl.col("before_but_one") >= 2 * rules.suppress_below)
        )
        .select(*_COLUMN, is_sparse=(pl.col("n_least") > 0) & ~pl.col("is_whole"))
    )


def _table() -> pl.Expr:
    """Which table a part belongs to: forces those of their year; months and quarters of the nation are one table."""
    return (
        pl.when(pl.col("force_code") != NATIONAL)
        .then(pl.col("period").cast(pl.String))
        .otherwise(pl.lit(NATIONAL))
        .alias("table")
    )


def _of_sparse_totals(cells: pl.DataFrame, totals: pl.DataFrame) -> pl.DataFrame:
    """The cells with `is_total_sparse`: no part of the total that the cell adds up to, or is, is shown either."""
    place = [c for c in CELL if c not in ("series", "breakdown", "breakdown_value")]
    without = cells.filter((pl.col("breakdown") == "none") & pl.col("is_sparse"))
    own = without.select(*place, "series", "breakdown")
    parts = without.select(*place, total_series="series").join(totals, on="total_series")
    found = pl.concat([own, parts.select(*place, "series", "breakdown")]).unique()
    return cells.join(
        found.with_columns(is_total_sparse=pl.lit(value=True)), on=[*place, "series", "breakdown"], how="left"
    ).with_columns(pl.col("is_total_sparse").fill_null(value=False))


def _weighed(cells: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """Small cells marked; of each, what bounds it, what withholding it costs, and the level at which it is looked at."""
    small = pl.col("count") < rules.suppress_below
    # What is left of a denominator is a count as well: it is guarded by withholding the part that would tell it.
    small_rest = pl.col("rest").is_not_null() & (pl.col("rest") < rules.suppress_below) & ~small
    is_national, is_total = pl.col("force_code") == NATIONAL, pl.col("breakdown") == "none"
    greatest = rules.suppress_below - 1
    value = pl.col("breakdown_value").rank("dense").over("series", "breakdown").cast(pl.Int64)
    pool = ["series", "definition_id", "threat", "breakdown", "span", "period", "force_code"]
    return (
        cells.with_row_index("cell")
        .with_columns(pl.col("cell").cast(pl.Int64), pl.col("is_sparse").fill_null(value=False))
        .with_columns(
            is_small=small | small_rest,
            is_withheld=small | small_rest | pl.col("was_withheld") | pl.col("is_sparse"),
            is_pooled=pl.col("is_sparse") & ~is_total,
        )
        .with_columns(
            # Withheld columns of a place are one unknown: within it, counts may be exchanged.
            unknown=pl.when("is_pooled")
            .then(pl.col("cell").filter("is_pooled").min().over(pool))
            .otherwise("cell"),
            pooled=pl.col("count").filter("is_pooled").sum().over(pool),
        )
        .with_columns(
            is_up=pl.when("is_pooled").then(pl.col("pooled") < rules.suppress_below).otherwise("is_small")
            & ~pl.col("is_total_sparse"),
            is_down=pl.col("is_small") & ~pl.col("is_pooled") & ~pl.col("is_total_sparse"),
            # What is shown was no small count when it was first shown.
            lower=(
                pl.max_horizontal(pl.col("shown") - rules.rounding_error, pl.lit(rules.suppress_below))
                - (pl.col("known_to") - rules.rounding_error)
            )
            .clip(lower_bound=0)
            .cast(pl.Float64),
            upper=(pl.col("shown") + pl.col("known_to")).cast(pl.Float64),
            down=pl.when(small_rest)
            .then((pl.col("count") + pl.col("rest") - greatest).clip(lower_bound=0))
            .otherwise(0)
            .cast(pl.Float64),
            up=pl.when(small_rest & ~pl.col("is_pooled"))
            .then(pl.col("count") + pl.col("rest"))
            .otherwise(greatest)
            .cast(pl.Float64),
            weight=(1 + (pl.col("count") + 1).log10())
            * pl.when(is_national).then(1000.0).otherwise(1.0)
            * pl.when(is_total).then(30.0).otherwise(1.0),
            # Cells of one level do not contain each other, so that they can be moved at once.
            level=pl.col("span").replace_strict({"year": 0, "quarter": 4, "month": 6}, return_dtype=pl.Int64)
            + pl.when(is_national).then(2).otherwise(0)
            + pl.when(is_total).then(1).otherwise(0),
            lot=(
                2 * value
                + pl.col("force_code").rank("dense").cast(pl.Int64)
                + pl.col("period").rank("dense").cast(pl.Int64)
            )
            % _N_LOTS,
        )
    )


def _relations(table: pl.DataFrame, cells: Cells) -> pl.DataFrame:
    """What adds up to what: one row a `part` of a total `cell`, with the `row` of the sum."""
    ids = table.select(*CELL, "cell")
    relations = []
    # Forces to the nation.
    summing = cells.additive.filter("over_forces").select("series", "breakdown")
    key = [c for c in CELL if c != "force_code"]
    nation = ids.filter(pl.col("force_code") == NATIONAL).join(
        summing, on=["series", "breakdown"], how="semi"
    )
    parts = ids.filter(pl.col("force_code") != NATIONAL)
    relations.append(
        nation.join(parts.select(*key, pl.col("cell").alias("part")), on=key).select(
            "cell", "part", kind=pl.lit(0)
        )
    )
    # Months to quarters and years.
    summing = cells.additive.filter("over_months").select("series", "breakdown")
    months = ids.filter(pl.col("span") == "month").select(
        *[c for c in CELL if c not in ("span", "period")],
        pl.col("period").alias("period_part"),
        pl.col("cell").alias("part"),
    )
    longer = within(table).join(summing, on=["series", "breakdown"], how="semi")
    relations.append(
        longer.join(months, on=[c for c in CELL if c not in ("span", "period")] + ["period_part"]).select(
            "cell", "part", kind=pl.lit(1)
        )
    )
    # Values of a breakdown to their total: a relation each breakdown.
    key = [c for c in CELL if c not in ("series", "breakdown", "breakdown_value")]
    total = ids.filter(pl.col("breakdown") == "none").select(
        pl.col("series").alias("total_series"), *key, "cell"
    )
    values = ids.join(cells.totals, on=["series", "breakdown"]).rename({"cell": "part"})
    of = values.join(total, on=["total_series", *key])
    kinds = of.select("series", "breakdown").unique().sort("series", "breakdown").with_row_index("n")
    relations.append(
        of.join(kinds, on=["series", "breakdown"]).select("cell", "part", kind=pl.col("n").cast(pl.Int32) + 2)
    )
    found = pl.concat([r.with_columns(pl.col("kind").cast(pl.Int32)) for r in relations])
    return _rows(found.sort("cell", "kind", "part"), table)


def _rows(relations: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:
    """The relations with the `row` of their sum. Totals of columns that are withheld together have one: what is unknown of
    their parts adds up to all of them.
    """
    place = ["kind", "span", "period", "force_code"]
    of_parts = table.select(pl.col("cell").alias("part"), "unknown", "is_pooled")
    rows = (
        relations.join(of_parts, on="part")
        .group_by("cell", "kind")
        .agg(pl.col("unknown").min(), pl.col("is_pooled").all())
        .join(table.select("cell", "span", "period", "force_code"), on="cell")
        # Values of one total are never pooled with those of another.
        .with_columns(
            sum=pl.when(pl.col("is_pooled") & (pl.col("kind") < 2))
            .then("unknown")
            .otherwise(-1 - pl.col("cell"))
        )
        .sort(*place, "sum", "cell")
        .with_columns(row=pl.struct(*place, "sum").rle_id())
        .select("cell", "kind", "row")
    )
    return relations.join(rows, on=["cell", "kind"])


def _blocks(table: pl.DataFrame, cells: Cells) -> Iterator[_Block]:
    """Cells that are tied, a block each, those without a small cell left out."""
    pairs = _relations(table, cells)
    if pairs.is_empty():
        return
    sums = pl.concat(
        [
            pairs.select("row", pl.col("cell"), sign=pl.lit(1.0)),
            pairs.select("row", pl.col("part").alias("cell"), sign=pl.lit(-1.0)),
        ]
    )
    inside = _inclusions(table, cells).with_row_index("row")
    within = pl.concat(
        [
            inside.select("row", pl.col("part").alias("cell"), sign=pl.lit(1.0)),
            inside.select("row", pl.col("whole").alias("cell"), sign=pl.lit(-1.0)),
        ]
    )
    family = _families(cells)
    of_cells = table.select(
        "cell", "unknown", family=pl.col("series").replace_strict(family, return_dtype=pl.String)
    )
    order = ["family", "row", "unknown"]
    tied, nested = (
        entries.join(of_cells, on="cell").select(*order, "sign").unique().sort(order)
        for entries in (sums, within)
    )
    for (name,), part in tied.group_by("family", maintain_order=True):
        inner = nested.filter(family=name)
        chosen = pl.concat([part, inner]).select(cell="unknown").unique().sort("cell")
        of_block = chosen.join(table, on="cell", how="left", maintain_order="left")
        if not (of_block["is_up"] | of_block["is_down"]).any() or of_block["is_withheld"].all():
            continue
        yield _Block(
            index=chosen["cell"].to_numpy().astype(np.int64),
            sums=_matrix(part, chosen["cell"]),
            within=_matrix(inner, chosen["cell"]),
            lower=of_block["lower"].to_numpy(),
            upper=of_block["upper"].to_numpy(),
            weight=of_block["weight"].to_numpy(),
            is_up=of_block["is_up"].to_numpy(),
            is_down=of_block["is_down"].to_numpy(),
            down=of_block["down"].to_numpy(),
            up=of_block["up"].to_numpy(),
            level=of_block["level"].to_numpy(),
            lot=of_block["lot"].to_numpy(),
        )


def _inclusions(table: pl.DataFrame, cells: Cells) -> pl.DataFrame:
    """part, whole: cells of which one is no more than the other."""
    ids = table.filter(pl.col("breakdown") == "none").select(*CELL, "cell")
    place = ["series", "span", "period", "force_code"]
    return (
        ids.join(cells.within, on=["series", "definition_id", "threat"])
        .join(
            ids.select(
                *place,
                pl.col("definition_id").alias("in_definition_id"),
                pl.col("threat").alias("in_threat"),
                whole="cell",
            ),
            on=[*place, "in_definition_id", "in_threat"],
        )
        .select(pl.col("cell").alias("part"), "whole")
        .sort("part", "whole")
    )


def _matrix(entries: pl.DataFrame, columns: pl.Series) -> csr_array:
    column = columns.to_numpy().searchsorted(entries["unknown"].to_numpy())
    rows, row = np.unique(entries["row"].to_numpy(), return_inverse=True)
    return coo_array((entries["sign"].to_numpy(), (row, column)), shape=(len(rows), len(columns))).tocsr()


def _families(cells: Cells) -> dict[str, str]:
    family = {s: s for s in cells.cells["series"].unique().sort()}
    for series, total in (
        cells.totals.select("series", "total_series").unique().sort("series", "total_series").iter_rows()
    ):
        old, new = family[series], family[total]
        family = {s: new if f == old else f for s, f in family.items()}
    return family


def _secondary(block: _Block, hidden: Bools) -> Bools:
    """Which cells of the block are withheld so that every small one can be at either end."""
    hidden = hidden.copy()
    for level in np.unique(block.level[block.is_up | block.is_down]):
        for world in range(_N_LOTS):
            role = (block.lot + world) % _N_LOTS
            goes_up = block.is_up & (block.level == level) & (role == 0)
            goes_down = block.is_down & (block.level == level) & (role == 1)
            pinned = np.flatnonzero(goes_up | goes_down)
            hidden = _protecting(block, hidden, pinned, np.where(goes_up, block.up, block.down))
    return hidden


def _protecting(block: _Block, hidden: Bools, pinned: Ints, to: Floats) -> Bools:
    """`hidden` with what is withheld so that the pinned cells can be where they go: at once, or else in two worlds, each half."""
    if not len(pinned):
        return hidden
    is_pinned = np.zeros(len(hidden), dtype=np.bool_)
    is_pinned[pinned] = True
    try:
        return hidden | _in_the_way(block, hidden, is_pinned, to)
    except NotProtected:
        if len(pinned) == 1:
            raise
    for half in np.array_split(pinned, 2):
        hidden = _protecting(block, hidden, half, to)
    return hidden


def _in_the_way(block: _Block, hidden: Bools, pinned: Bools, to: Floats) -> Bools:
    """Published cells that keep the pinned ones from where they should be `to`: the least by weight (linear programme)."""
    lower = np.where(pinned, to, np.where(hidden, 0, block.lower))
    upper = np.where(pinned, to, np.where(hidden, np.inf, block.upper))
    free = np.flatnonzero(~hidden)
    beyond, within = block.sums[:, free], block.within[:, free]
    n, m = len(block.index), len(free)
    solved = linprog(
        np.concatenate([np.zeros(n), block.weight[free], block.weight[free]]),
        A_eq=hstack([block.sums, beyond, -beyond], format="csr"),
        b_eq=np.zeros(block.sums.shape[0]),
        A_ub=hstack([block.within, within, -within], format="csr") if block.within.shape[0] else None,
        b_ub=np.zeros(block.within.shape[0]) if block.within.shape[0] else None,
        # Nothing is less than nothing.
        bounds=np.column_stack(
            [
                np.concatenate([lower, np.zeros(2 * m)]),
                np.concatenate([upper, np.full(m, np.inf), block.lower[free]]),
            ]
        ),
        method="highs",
    )
    if solved.status != 0:
        raise NotProtected
    found = np.zeros(n, dtype=np.bool_)
    found[free] = (solved.x[n : n + m] + solved.x[n + m :]) > _TOLERANCE
    return found
