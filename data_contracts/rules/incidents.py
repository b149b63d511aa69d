"""Rules on domestic incidents that were not recorded as a crime."""

from __future__ import annotations

import polars as pl

from data_contracts.rules.rule import Context, record_rule


@record_rule(
    "incidents",
    fields=("occurred_at",),
    message="The incident happened after the extract was drawn.",
    remedy="Correct occurred_at, or extracted_at in submission.json.",
    source="checks F04",
)
def incident_after_extraction(context: Context) -> pl.Expr:
    return pl.col("occurred_at") > context.extracted_at


@record_rule(
    "incidents",
    fields=("suspect_person_ref", "victim_person_ref"),
    message="The same person is victim and suspect of the incident.",
    remedy="Correct victim_person_ref or suspect_person_ref.",
    source="checks X08",
)
def incident_suspect_is_the_victim(context: Context) -> pl.Expr:
    return pl.col("suspect_person_ref") == pl.col("victim_person_ref")
