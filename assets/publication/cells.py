"""Figures as cells: every count behind a figure, once, with what adds up to what and what lies within what.

Two figures that rest on the same records are one cell (a denominator and the count it is; a rolling year and the whole
financial year it is), so one can never give away what is withheld of the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from assets.publication.rules import Rules

NATIONAL = "national"
# What identifies a figure of national_statistics.
FIGURE = [
    "period",
    "period_kind",
    "force_code",
    "definition_id",
    "threat",
    "measure",
    "breakdown",
    "breakdown_value",
]
# What identifies a cell: `series` is a measure's count, or the `with` (numerator) or `of` (denominator) of a share;
# `span` is a month, quarter or year.
CELL = ["series", "definition_id", "threat", "breakdown", "breakdown_value", "span", "period", "force_code"]
# The same of a denominator, after its series.
OF_CELL = [f"of_{c}" for c in CELL[1:5]] + CELL[5:]
_WHOLE_YEAR = 12
# Two counts are one where they agree in every row in which both are known, if so many of those are more than nothing.
_ROWS_TO_BE_ONE = 10
_OWN = "own"


@dataclass(frozen=True)
class Cells:
    """`figures`: those of the plan, with `of_series` and `with_series` naming their cells and `factor` (a share's value is
    factor x numerator / denominator; null where it is no such quotient) and `is_median`, whose only cell is `of_series`.
    The denominator's cell may be of another definition, threat or breakdown: `of_definition_id` and its like.
    `cells`: one row a cell with `count`, zero where there are no records, and `rest`, what of the denominator is left, null
    for a plain count. `additive`: of each series and breakdown, whether forces add up to the nation and months to longer
    periods. `totals`: series and breakdown whose values add up to `total_series`. `within`: of cells without breakdown, series,
    definition_id and threat of which each is no more than what `in_definition_id` and `in_threat` say, in every place and period.
    """

    figures: pl.DataFrame
    cells: pl.DataFrame
    additive: pl.DataFrame
    totals: pl.DataFrame
    within: pl.DataFrame


def planned(statistics: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """Figures that the plan lets out, with `span`. A financial year counts once the nation has all its months."""
    marked = statistics.with_columns(
        geography=pl.when(pl.col("force_code") == NATIONAL).then(pl.lit(NATIONAL)).otherwise(pl.lit("force")),
        is_broken_down=pl.col("breakdown") != "none",
        span=pl.when(pl.col("period_kind").is_in(["financial_year", "rolling_year"]))
        .then(pl.lit("year"))
        .otherwise("period_kind"),
    )
    whole = pl.col("n_months").filter(pl.col("force_code") == NATIONAL).max().over("period", "period_kind")
    left_out = pl.concat(
        [
            rules.left_out.filter(pl.col("geography").is_in(["any", of])).with_columns(geography=pl.lit(of))
            for of in (NATIONAL, "force")
        ]
    )
    return (
        marked.filter(pl.col("measure").is_in(sorted(rules.measures)))
        .join(rules.plan, on=["geography", "period_kind", "is_broken_down"], suffix="_planned")
        .filter(
            pl.col(f"{of}_planned").is_in(["any"]) | (pl.col(f"{of}_planned") == pl.col(of))
            for of in ("definition_id", "threat")
        )
        .join(left_out, on=["measure", "breakdown", "geography"], how="anti")
        .filter((pl.col("period_kind") != "financial_year") | (whole == _WHOLE_YEAR))
        .drop("is_broken_down", "definition_id_planned", "threat_planned")
    )


def cells_of(statistics: pl.DataFrame, rules: Rules) -> Cells:
    """Take the figures apart. A figure that is no count, no quotient of two and no median has no cell: it is not published."""
    figures = (
        _whole_grid(planned(statistics, rules))
        .join(_factors(statistics), on="measure", how="left")
        .with_columns(is_median=pl.col("measure").is_in(sorted(rules.medians)))
    )
    names = _series(figures)
    figures = _on_bases(figures.join(names, on=["measure", "breakdown"], how="left"), names, rules.bases)
    # Where a definition leaves nothing over (every victim in it is a woman), that is no secret of a place.
    rest = pl.when("is_part").then(pl.col("denominator") - pl.col("numerator"))
    by_definition = rest.max().over("measure", "breakdown", "breakdown_value", "definition_id", "threat") == 0
    figures = figures.with_columns(rest=pl.when(~by_definition).then(rest))
    counts = [
        figures.filter(pl.col(series).is_not_null()).select(
            pl.col(series).alias("series"),
            *(pl.col(of).alias(name) for of, name in zip(key, CELL[1:], strict=True)),
            pl.col(count).alias("count"),
            pl.when(pl.lit(series == "with_series")).then("rest"),
        )
        for series, count, key in (
            ("with_series", "numerator", CELL[1:]),
            ("of_series", "denominator", OF_CELL),
        )
    ]
    # What the statistics themselves withhold is small; how small does not matter here.
    cells = (
        pl.concat(counts)
        .group_by(CELL)
        .agg(
            pl.col("count").max().fill_null(0),
            pl.col("rest").min(),
            is_known=pl.col("count").is_not_null().any(),
        )
        .sort(CELL)
    )
    return Cells(figures, cells, _additive(cells), _adding_up(cells, _totals(names)), _within(cells))


def _on_bases(figures: pl.DataFrame, names: pl.DataFrame, bases: pl.DataFrame) -> pl.DataFrame:
    """The figures with the cell of their denominator: where that is another figure's count in every row, that one's."""
    key = ["span", "period", "force_code"]
    own = {f"of_{c}": pl.col(c) for c in CELL[1:5]}
    figures = figures.with_columns(**own)
    for base in bases.filter(pl.col("count") == "denominator").iter_rows(named=True):
        series = names.filter(measure=base["of_measure"], breakdown=base["of_breakdown"])[
            "with_series"
        ].to_list()
        of = pl.col("measure") == base["measure"]
        there = {"of_breakdown": pl.lit(base["of_breakdown"]), "of_breakdown_value": pl.lit("all")} | {
            f"of_{c}": pl.col(c) if base[f"of_{c}"] == _OWN else pl.lit(base[f"of_{c}"])
            for c in ("definition_id", "threat")
        }
        counts = figures.filter(measure=base["of_measure"], breakdown=base["of_breakdown"]).select(
            *(pl.col(c).alias(f"of_{c}") for c in CELL[1:5]), *key, base="numerator"
        )
        both = (
            figures.filter(of)
            .with_columns(**there)
            .join(counts.unique([*there, *key], keep="first"), on=[*there, *key], how="left")
        )
        known = both.filter(pl.col("base").is_not_null() & pl.col("denominator").is_not_null())
        equal = known["base"] == known["denominator"]
        if series and equal.all() and (equal & (known["base"] > 0)).sum() >= _ROWS_TO_BE_ONE:
            figures = figures.with_columns(
                of_series=pl.when(of).then(pl.lit(series[0])).otherwise("of_series"),
                **{name: pl.when(of).then(value).otherwise(name) for name, value in there.items()},
            )
    return figures


def _factors(statistics: pl.DataFrame) -> pl.DataFrame:
    """Of each measure: whether it is a quotient and of what factor, and whether its numerator is a part of its denominator."""
    quotient = pl.col("value") * pl.col("denominator") / pl.col("numerator")
    shown = (pl.col("numerator") > 0) & (pl.col("denominator") > 0) & pl.col("value").is_not_null()
    return (
        statistics.group_by("measure")
        .agg(
            low=quotient.filter(shown).min(),
            high=quotient.filter(shown).max(),
            is_part=(pl.col("numerator") <= pl.col("denominator")).all()
            & pl.col("denominator").is_not_null().any(),
            is_count=pl.col("denominator").is_null().all() & (pl.col("value") == pl.col("numerator")).all(),
        )
        .select(
            "measure",
            "is_part",
            factor=pl.when(pl.col("is_count"))
            .then(1.0)
            .when((pl.col("high") - pl.col("low")).abs() <= 1e-6 * pl.col("high").abs())
            .then(pl.col("high").round(6)),
        )
    )


def _whole_grid(figures: pl.DataFrame) -> pl.DataFrame:
    """Every place and period has every value that any has of a measure and threat: a row left out would say that it is zero.

    A value that nobody in the nation has, in any period, is none of the definition's: it has no row.
    """
    places = figures.select(
        "period", "period_kind", "span", "force_code", "geography", "n_forces", "n_months"
    ).unique(["period", "period_kind", "force_code"], keep="first", maintain_order=True)
    broken_down = figures.filter(pl.col("breakdown") != "none").select(
        "measure", "breakdown", "period_kind", "geography"
    )
    theme = ["measure", "breakdown", "breakdown_value", "definition_id", "threat"]
    nobody = (pl.col("numerator").fill_null(1) == 0) & (pl.col("denominator").fill_null(0) == 0)
    values = (
        figures.group_by(theme)
        .agg(is_empty=nobody.all())
        .filter((pl.col("breakdown") == "none") | ~pl.col("is_empty"))
        .select(theme)
    )
    is_share = figures.group_by("measure").agg(is_share=pl.col("denominator").is_not_null().any())
    grid = (
        places.join(values, how="cross")
        .filter(pl.col("breakdown") == "none")
        .vstack(
            places.join(values.filter(pl.col("breakdown") != "none"), how="cross").join(
                broken_down, on=["measure", "breakdown", "period_kind", "geography"], how="semi"
            )
        )
        .join(is_share, on="measure")
    )
    return (
        grid.join(
            figures.select(*FIGURE, "value", "numerator", "denominator", is_there=pl.lit(value=True)),
            on=FIGURE,
            how="left",
        )
        .with_columns(
            numerator=pl.when("is_there").then("numerator").otherwise(0),
            denominator=pl.when("is_there").then("denominator").when("is_share").then(0),
        )
        .drop("is_there", "is_share", "geography")
    )


def _series(figures: pl.DataFrame) -> pl.DataFrame:
    """measure, breakdown, with_series, of_series: a name for each count; what is the same count has the same name."""
    key = [c for c in CELL[1:] if c != "breakdown"]
    long = pl.concat(
        [
            figures.filter(is_counted).select(
                "measure",
                "breakdown",
                pl.lit(part).alias("part"),
                *key,
                pl.col(count).alias("count"),
                name=pl.format("{}/{}", "measure", pl.lit(part.removesuffix("_series"))),
            )
            for part, count, is_counted in (
                ("with_series", "numerator", pl.col("factor").is_not_null() & ~pl.col("is_median")),
                ("of_series", "denominator", pl.col("factor").is_not_null() | pl.col("is_median")),
            )
        ]
    ).filter(pl.col("count").is_not_null())
    named = long.select("measure", "breakdown", "part", "name").unique()
    named = named.join(_the_same(long, key), on=["breakdown", "name"], how="left")
    wide = named.pivot("part", index=["measure", "breakdown"], values="series")
    parts = [
        p if p in wide.columns else pl.lit(None, pl.String).alias(p) for p in ("with_series", "of_series")
    ]
    return wide.select("measure", "breakdown", *parts)


def _the_same(counts: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """breakdown, name, series: the first of the names whose counts are equal wherever both are known, in rows enough."""
    known = counts.select("breakdown", *key, "name", "count").unique(["breakdown", *key, "name"])
    equal = pl.col("count") == pl.col("count_other")
    pairs = (
        known.join(known, on=["breakdown", *key], suffix="_other")
        .filter(pl.col("name") < pl.col("name_other"))
        .group_by("breakdown", "name", "name_other")
        .agg(is_equal=equal.all(), n_rows=(equal & (pl.col("count") > 0)).sum())
        .sort("breakdown", "name", "name_other")
    )
    differ = set(pairs.filter(~pl.col("is_equal")).select("breakdown", "name", "name_other").iter_rows())
    groups: dict[tuple[str, str], list[str]] = {
        (b, n): [n] for b, n in known.select("breakdown", "name").unique().iter_rows()
    }
    same = pairs.filter("is_equal", pl.col("n_rows") >= _ROWS_TO_BE_ONE)
    for breakdown, one, other in same.select("breakdown", "name", "name_other").iter_rows():
        first, second = groups[breakdown, one], groups[breakdown, other]
        # Counts that differ somewhere are never one, whatever a third is equal to.
        if first is second or any((breakdown, *sorted((a, b))) in differ for a in first for b in second):
            continue
        first += second
        groups |= {(breakdown, name): first for name in second}
    return pl.DataFrame(
        [(breakdown, name, min(group)) for (breakdown, name), group in groups.items()],
        schema=["breakdown", "name", "series"],
        orient="row",
    )


def _totals(names: pl.DataFrame) -> pl.DataFrame:
    """series, breakdown, total_series: which series without breakdown a broken down one may add up to."""
    parts = []
    for part in ("with_series", "of_series"):
        total = names.filter(pl.col("breakdown") == "none").select(
            "measure", pl.col(part).alias("total_series")
        )
        parts.append(
            names.filter(pl.col("breakdown") != "none")
            .select("measure", "breakdown", pl.col(part).alias("series"))
            .join(total, on="measure")
            .drop("measure")
            .drop_nulls()
        )
    return (
        pl.concat(parts)
        .unique()
        .sort("series", "breakdown", "total_series")
        .select("series", "breakdown", "total_series")
    )


def _additive(cells: pl.DataFrame) -> pl.DataFrame:
    """series, breakdown, over_forces, over_months: true where it holds in every row there is."""
    return (
        _holds_over_forces(cells)
        .join(_holds_over_months(cells), on=["series", "breakdown"], how="left")
        .with_columns(pl.col("over_forces", "over_months").fill_null(value=False))
    )


def _holds_over_forces(cells: pl.DataFrame) -> pl.DataFrame:
    key = [c for c in CELL if c != "force_code"]
    of_forces = (
        cells.filter(pl.col("force_code") != NATIONAL)
        .group_by(key)
        .agg(pl.col("count").sum().alias("sum"), pl.col("is_known").all().alias("all_known"))
    )
    nation = cells.filter(pl.col("force_code") == NATIONAL)
    both = nation.join(of_forces, on=key, how="left")
    return both.group_by("series", "breakdown").agg(
        over_forces=(
            pl.col("sum").is_null() | ~pl.col("all_known") | (pl.col("sum") == pl.col("count"))
        ).all()
    )


def _holds_over_months(cells: pl.DataFrame) -> pl.DataFrame:
    months = within(cells)
    key = [c for c in CELL if c not in ("span", "period")]
    sums = months.group_by([*key, "span", "period"]).agg(
        pl.col("count_part").sum().alias("sum"), pl.col("count").first()
    )
    return sums.group_by("series", "breakdown").agg(over_months=(pl.col("sum") == pl.col("count")).all())


def within(cells: pl.DataFrame) -> pl.DataFrame:
    """Each quarter or year of a place with each of its months that is there: the cell's columns, `period_part`, `count_part`."""
    key = [c for c in CELL if c not in ("span", "period")]
    months = cells.filter(pl.col("span") == "month").select(
        *key, pl.col("period").alias("period_part"), pl.col("count").alias("count_part")
    )
    length = pl.when(pl.col("span") == "quarter").then(pl.lit("3mo")).otherwise(pl.lit("12mo"))
    return (
        cells.filter(pl.col("span") != "month")
        .join(months, on=key)
        .filter(
            (pl.col("period_part") >= pl.col("period"))
            & (pl.col("period_part") < pl.col("period").dt.offset_by(length))
        )
    )


def _adding_up(cells: pl.DataFrame, totals: pl.DataFrame) -> pl.DataFrame:
    """The totals that their values add up to in every row there is."""
    key = [c for c in CELL if c not in ("series", "breakdown", "breakdown_value")]
    sums = (
        cells.join(totals, on=["series", "breakdown"])
        .group_by(["series", "breakdown", "total_series", *key])
        .agg(pl.col("count").sum(), pl.col("is_known").all())
    )
    total = cells.filter(pl.col("breakdown") == "none").select(
        pl.col("series").alias("total_series"), *key, pl.col("count").alias("total")
    )
    both = sums.join(total, on=["total_series", *key], how="left")
    return (
        both.group_by("series", "breakdown", "total_series")
        .agg(
            holds=(
                pl.col("total").is_not_null() & (~pl.col("is_known") | (pl.col("count") == pl.col("total")))
            ).all()
            & pl.col("is_known").any()
        )
        .filter("holds")
        .drop("holds")
        .sort("series", "breakdown", "total_series")
    )


def _within(cells: pl.DataFrame) -> pl.DataFrame:
    """series, definition_id, threat, in_definition_id, in_threat: of cells without breakdown, what is no more than what wherever
    both are known. A threat within all threats; a definition within the next wider ones.
    """
    place = ["series", "span", "period", "force_code"]
    none = cells.filter((pl.col("breakdown") == "none") & pl.col("is_known")).select(
        *place, "definition_id", "threat", "count"
    )
    of_threats = none.join(none.filter(threat="all"), on=[*place, "definition_id"], suffix="_in").filter(
        pl.col("threat") != "all"
    )
    of_definitions = none.join(none, on=[*place, "threat"], suffix="_in").filter(
        pl.col("definition_id") != pl.col("definition_id_in")
    )
    pair = ["series", "definition_id", "threat", "in_definition_id", "in_threat"]
    found = pl.concat(
        [
            of_threats.select(*pair[:3], pl.col("definition_id").alias(pair[3]), pl.col("threat_in").alias(pair[4]), "count", "count_in"),
            of_definitions.select(*pair[:3], pl.col("definition_id_in").alias(pair[3]), pl.col("threat").alias(pair[4]), "count", "count_in"),
        ]
    )  # fmt: skip
    holds = found.group_by(pair).agg(
        (pl.col("count") <= pl.col("count_in")).all().alias("holds"),
        (pl.col("count") < pl.col("count_in")).any().alias("is_less"),
    )
    # Two that are equal throughout lie within each other.
    return holds.filter("holds").select(pair).sort(pair)
