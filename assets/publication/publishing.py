"""The publication: figures that may leave the service, from the statistics that may not.

Belongs here: from statistics to published figures and to what they rest on (`basis`, kept inside, which the next
publication is measured against). Which cells are withheld is `suppression.py`'s, rules are `rules.py`'s.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import polars as pl

from assets.publication.cells import CELL, FIGURE, OF_CELL, cells_of
from assets.publication.rules import Rules
from assets.publication.suppression import withheld

BASIS_SCHEMA: dict[str, pl.DataType] = {
    **{name: pl.Date() if name == "period" else pl.String() for name in CELL},
    "count": pl.Int64(),
    "is_withheld": pl.Boolean(),
}


class Publication(NamedTuple):
    """`figures`: one row a figure of the plan, its numbers null where withheld. `basis`: BASIS_SCHEMA, one row a cell with
    the count that the published one stands for, and one a median as it was shown; never published.
    `n_cells_of_withheld_tables`: cells of tables that nothing is published of, because no choice of withheld cells
    protects them.
    """

    figures: pl.DataFrame
    basis: pl.DataFrame
    n_cells_of_withheld_tables: int


def publish(statistics: pl.DataFrame, rules: Rules, previous: pl.DataFrame | None = None) -> Publication:
    """Make the publication of a release's `national_statistics`.

    `previous`: the basis of the publication before: a cell that moved by less than `rules.revise_from` since it was
    published, or withheld, stays as it was, so that no difference of two publications is a small count.
    """
    cells = cells_of(statistics, rules)
    held = _held(cells.cells, rules, previous)
    decided = withheld(replace(cells, cells=held), rules).select(
        *CELL, pl.col("basis").alias("count"), "is_withheld", "is_table_withheld", "shown", "stays"
    )
    shown = decided.filter(~pl.col("is_withheld")).select(*CELL, "shown", "stays")
    figures = cells.figures
    for part, own, key in (("with", "numerator", CELL[1:]), ("of", "denominator", OF_CELL)):
        named = dict(zip(CELL, [f"{part}_series", *key], strict=True))
        figures = figures.join(
            shown.rename(named | {"shown": f"{part}_shown", "stays": f"{part}_stays"}),
            on=list(named.values()),
            how="left",
            # What the statistics withhold is not shown because another figure knows the count.
        ).with_columns(pl.when(pl.col(own).is_not_null()).then(f"{part}_shown"))
    figures = _with_medians(figures, rules, previous)
    basis = pl.concat([decided.select(BASIS_SCHEMA.keys()), _basis_of_medians(figures)])
    n_whole = int(decided["is_table_withheld"].sum())
    return Publication(_figures(figures, rules), basis, n_whole)


def _held(cells: pl.DataFrame, rules: Rules, previous: pl.DataFrame | None) -> pl.DataFrame:
    """The cells with what is shown of them, as in the publication before where they moved too little to be shown anew."""
    before = (previous if previous is not None else pl.DataFrame(schema=BASIS_SCHEMA)).rename(
        {"count": "before", "is_withheld": "was_withheld"}
    )
    stays = pl.col("before").is_not_null() & ((pl.col("count") - pl.col("before")).abs() < rules.revise_from)
    error = rules.rounding_error
    return (
        cells.join(before, on=CELL, how="left")
        .with_columns(basis=pl.when(stays).then("before").otherwise("count"))
        .with_columns(
            stays=stays,
            was_withheld=stays & pl.col("was_withheld").fill_null(value=False),
            shown=((pl.col("basis") + error) // rules.round_to) * rules.round_to,
            # Of a figure that stays, a reader knows less about today's count.
            known_to=pl.when(stays).then(error + rules.revise_from - 1).otherwise(error),
        )
        .drop("before")
        .sort(CELL)
    )


def _with_medians(figures: pl.DataFrame, rules: Rules, previous: pl.DataFrame | None) -> pl.DataFrame:
    """`median`, as shown: only beside its count, of enough records whatever the rounding hides, and new only when that is."""
    key = ["median_series", *CELL[1:]]
    before = (previous if previous is not None else pl.DataFrame(schema=BASIS_SCHEMA)).select(
        pl.col("series").alias("median_series"),
        *CELL[1:],
        pl.when(~pl.col("is_withheld")).then("count").alias("median_before"),
        has_before=pl.lit(value=True),
    )
    step = rules.median_round_to
    now = ((pl.col("value") / step).round() * step).cast(pl.Int64)
    enough = pl.col("of_shown") - rules.rounding_error >= rules.median_from
    return (
        figures.with_columns(
            median_series=pl.when("is_median").then(pl.format("{}/median", pl.col("measure")))
        )
        .join(before, on=key, how="left")
        .with_columns(
            median=pl.when(pl.col("is_median") & pl.col("of_shown").is_not_null()).then(
                pl.when(pl.col("of_stays") & pl.col("has_before"))
                .then("median_before")
                .when(enough)
                .then(now)
            )
        )
    )


def _basis_of_medians(figures: pl.DataFrame) -> pl.DataFrame:
    return (
        figures.filter("is_median")
        .select(
            pl.col("median_series").alias("series"),
            *CELL[1:],
            pl.col("median").fill_null(0).alias("count"),
            is_withheld=pl.col("median").is_null(),
        )
        .unique(CELL, keep="first", maintain_order=True)
        .sort(CELL)
    )


def _figures(figures: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    is_share = pl.col("of_series").is_not_null()
    n, d = pl.col("with_shown"), pl.col("of_shown")
    is_median = pl.col("median").is_not_null()
    there = pl.col("factor").is_not_null() & n.is_not_null() & (~is_share | (d > 0))
    digits = rules.share_digits
    # Wilson is for shares, Byar for so many to a number that is no sample.
    is_rate = there & pl.col("measure").is_in(sorted(rules.rates)) & (d > 0)
    is_part = there & is_share & pl.col("is_part") & (pl.col("factor") == 1) & (n <= d) & ~is_rate
    (share_low, share_high), (low, high) = _wilson(n, d, rules.interval_z), _byar(n, rules.interval_z)
    return figures.select(
        *FIGURE,
        value=pl.when(there & is_share)
        .then(
            pl.when(pl.col("factor") == 1)
            .then(pl.min_horizontal((n / d).round(digits), 1.0))
            .otherwise((pl.col("factor") * n / d).round(digits))
        )
        .when(there)
        .then(n.cast(pl.Float64))
        .when(is_median)
        .then(pl.col("median").cast(pl.Float64)),
        numerator=pl.when(there).then(n),
        denominator=pl.when((there & is_share) | is_median).then(d),
        n_forces="n_forces",
        n_months="n_months",
        lower=pl.when(is_rate)
        .then(pl.col("factor") * low / d)
        .when(is_part)
        .then(share_low.clip(lower_bound=0))
        .round(digits),
        upper=pl.when(is_rate)
        .then(pl.col("factor") * high / d)
        .when(is_part)
        .then(share_high.clip(upper_bound=1))
        .round(digits),
        suppressed=~(there | is_median),
    ).sort(FIGURE)


def _wilson(n: pl.Expr, d: pl.Expr, z: float) -> tuple[pl.Expr, pl.Expr]:
    """Bounds of a share n of d (Wilson 1927)."""
    p = n / d
    centre, half = (p + z * z / (2 * d)), z * (p * (1 - p) / d + z * z / (4 * d * d)).sqrt()
    return (centre - half) / (1 + z * z / d), (centre + half) / (1 + z * z / d)


def _byar(n: pl.Expr, z: float) -> tuple[pl.Expr, pl.Expr]:
    """Bounds of a count as of chance (Byar; Breslow and Day 1987)."""
    m = n + 1
    return n * (1 - 1 / (9 * n) - z / (3 * n.sqrt())) ** 3, m * (1 - 1 / (9 * m) + z / (3 * m.sqrt())) ** 3
