"""Rules on records that a force takes back."""

from __future__ import annotations

import polars as pl

from data_contracts.extracts.catalogue import EXTRACTS
from data_contracts.rules.common import extraction_day
from data_contracts.rules.rule import Context, Tables, cross_rule, record_rule


@record_rule(
    "deletions",
    fields=("deleted_on",),
    message="The record was deleted after the extract was drawn.",
    remedy="Correct deleted_on, or extracted_at in submission.json.",
    source="checks F04, T02",
)
def deletion_after_extraction(context: Context) -> pl.Expr:
    return pl.col("deleted_on") > extraction_day(context)


@cross_rule(
    "deletions",
    fields=("record_ref",),
    message="The submission deletes a record and sends it too.",
    remedy="Send the record or delete it, not both.",
    source="checks T02",
)
def deleted_and_sent(tables: Tables, context: Context) -> pl.LazyFrame:
    sent = pl.concat(
        tables[name].select(pl.lit(name).alias("extract"), pl.col(spec.root_key).alias("record_ref"))
        for name, spec in EXTRACTS.items()
        if spec.root == name and name != "deletions"
    )
    return tables["deletions"].join(sent, on=["extract", "record_ref"], how="semi")
