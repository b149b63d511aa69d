"""Rules on spells of offender management."""

from __future__ import annotations

import polars as pl

from data_contracts.rules.common import extraction_day
from data_contracts.rules.rule import Context, Tables, cross_rule, record_rule


@record_rule(
    "offender_management",
    fields=("managed_to", "managed_from"),
    message="The spell ends before it begins.",
    remedy="Correct managed_from or managed_to.",
    source="checks R01, for spells",
)
def spell_ends_before_it_begins(context: Context) -> pl.Expr:
    return pl.col("managed_to") < pl.col("managed_from")


@record_rule(
    "offender_management",
    fields=("managed_from",),
    message="The spell begins after the extract was drawn.",
    remedy="Correct managed_from, or send the spell once it has begun.",
    source="checks F04",
)
def spell_after_extraction(context: Context) -> pl.Expr:
    return pl.col("managed_from") > extraction_day(context)


@cross_rule(
    "offender_management",
    fields=("managed_from", "managed_to"),
    message="Another spell of this person under the same scheme was still running.",
    remedy="End the earlier spell, or send the two as one.",
    source="checks X03, for spells",
)
def spells_overlap(tables: Tables, context: Context) -> pl.LazyFrame:
    order = ["person_ref", "scheme", "managed_from", "row_number"]
    spells = tables["offender_management"].drop_nulls(["person_ref", "scheme", "managed_from"]).sort(order)
    # A blank end is a spell that still runs: it reaches over everything after it.
    ends = pl.col("managed_to").fill_null(pl.date(9999, 12, 31))
    reached = ends.cum_max().shift(1).over("person_ref", "scheme")
    return spells.filter(pl.col("managed_from") <= reached)
