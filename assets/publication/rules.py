"""What a publication is protected with, read from the seeds `publication_parameters`, `publication_plan`,
`publication_left_out` and `publication_bases`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from assets.seeds import SEEDS

# What can be taken apart into counts of records, or stands on one. A mean tells the sum of what it is the mean of, an extreme one
# record.
PUBLISHED_KINDS = frozenset({"count", "share", "rate", "median"})


class NoRules(ValueError):
    """The seeds hold no whole set of rules for the day; the message names what is missing."""


@dataclass(frozen=True)
class Rules:
    """In records: a count under `suppress_below` is withheld, the others are rounded to multiples of `round_to`, and a
    published figure is revised once it moved by `revise_from`. `measures`: those of a kind that is published; `medians`: those
    that are one, of `median_from` records at least, rounded to multiples of `median_round_to`; `rates`: so many to a number of
    people or days. `plan`: geography, period_kind,
    is_broken_down, definition_id, threat. `left_out`: measure, breakdown, geography. `bases`: as the seed has them.
    """

    version: str
    suppress_below: int
    round_to: int
    revise_from: int
    share_digits: int
    median_from: int
    median_round_to: int
    interval_z: float
    measures: frozenset[str]
    medians: frozenset[str]
    rates: frozenset[str]
    plan: pl.DataFrame
    left_out: pl.DataFrame
    bases: pl.DataFrame

    @property
    def in_words(self) -> tuple[str, ...]:
        """What a reader of the figures has to know of them."""
        return (
            f"Counts under {self.suppress_below}, noughts among them, are withheld, and others where they would give one away.",
            f"The rest is rounded to the nearest {self.round_to}; shares and rates are made of rounded counts.",
            f"A median stands on {self.median_from} records or more and is rounded to the nearest {self.median_round_to}.",
            f"A figure is revised when it has moved by {self.revise_from} or more; smaller changes wait.",
        )

    @property
    def rounding_error(self) -> int:
        """How far a whole number lies from its nearest multiple at most."""
        return self.round_to // 2


def rules(on: date, folder: Path = SEEDS) -> Rules:
    """The rules in force on a day. Raises NoRules."""
    rows = pl.read_csv(folder / "publication_parameters.csv", try_parse_dates=True).filter(
        (pl.col("valid_from") <= on)
        & (pl.col("valid_to").is_null() | (pl.col("valid_to").cast(pl.Date, strict=False) >= on))
    )
    found = dict(rows.select("parameter", "number").iter_rows())
    wanted = (
        "suppress_below",
        "round_to",
        "revise_from",
        "share_digits",
        "median_from",
        "median_round_to",
        "interval_z",
    )
    if missing := [name for name in wanted if name not in found]:
        raise NoRules(f"publication_parameters.csv has no {', '.join(missing)} in force on {on}; add its row")
    measures = pl.read_csv(folder / "statistics_measures.csv", columns=["measure", "kind"])
    return Rules(
        version=str(rows["version"].max()),
        suppress_below=int(found["suppress_below"]),
        round_to=int(found["round_to"]),
        revise_from=int(found["revise_from"]),
        share_digits=int(found["share_digits"]),
        median_from=int(found["median_from"]),
        median_round_to=int(found["median_round_to"]),
        interval_z=float(found["interval_z"]),
        measures=frozenset(measures.filter(pl.col("kind").is_in(PUBLISHED_KINDS))["measure"]),
        medians=frozenset(measures.filter(pl.col("kind") == "median")["measure"]),
        rates=frozenset(measures.filter(pl.col("kind") == "rate")["measure"]),
        plan=pl.read_csv(folder / "publication_plan.csv").drop("version", "source"),
        left_out=pl.read_csv(folder / "publication_left_out.csv").drop("version", "source"),
        bases=pl.read_csv(folder / "publication_bases.csv").drop("version", "source"),
    )
