"""Rules on protective orders: their life, their states, whom they bind, and breaches."""

from __future__ import annotations

import polars as pl

from data_contracts.rules.common import CRIME, extraction_day
from data_contracts.rules.rule import Context, Tables, cross_rule, record_rule


@record_rule(
    "protective_orders",
    fields=("granted_on", "varied_on", "rescinded_on", "expires_on"),
    message="The order is varied, rescinded or ended before it was granted.",
    remedy="Correct the dates of the order.",
    source="checks T14, within one order",
)
def order_dates_out_of_order(context: Context) -> pl.Expr:
    return pl.min_horizontal("varied_on", "rescinded_on", "expires_on") < pl.col("granted_on")


@record_rule(
    "protective_orders",
    fields=("granted_on", "varied_on", "rescinded_on"),
    message="The order is granted, varied or rescinded after the extract was drawn.",
    remedy="Correct the dates of the order, or extracted_at in submission.json.",
    source="checks F04",
)
def order_after_extraction(context: Context) -> pl.Expr:
    return pl.max_horizontal("granted_on", "varied_on", "rescinded_on") > extraction_day(context)


@record_rule(
    "protective_orders",
    fields=("protected_person_ref", "respondent_person_ref"),
    message="The order protects the person it binds.",
    remedy="Correct respondent_person_ref or protected_person_ref.",
    source="checks X08",
)
def order_protects_its_respondent(context: Context) -> pl.Expr:
    return pl.col("protected_person_ref") == pl.col("respondent_person_ref")


@cross_rule(
    "protective_orders",
    fields=("order_type", "respondent_person_ref"),
    message="States of one order differ in its kind or in the person it binds.",
    remedy="Give each order a reference of its own, and send its states with the same kind and respondent.",
    source="checks X03",
)
def order_states_disagree(tables: Tables, context: Context) -> pl.LazyFrame:
    def differs(column: str) -> pl.Expr:
        return pl.col(column).drop_nulls().n_unique().over("order_ref") > 1

    orders = tables["protective_orders"].drop_nulls("order_ref")
    return orders.filter(differs("order_type") | differs("respondent_person_ref"))


@cross_rule(
    "protective_orders",
    fields=("state_no",),
    message="States of this order are missing between the first and the last.",
    remedy="Send all states of an order together, numbered from 1.",
    source="checks T04, within one order",
)
def order_states_missing(tables: Tables, context: Context) -> pl.LazyFrame:
    n_states = pl.col("state_no").n_unique().over("order_ref")
    orders = tables["protective_orders"].drop_nulls(["order_ref", "state_no"])
    return orders.filter(pl.col("state_no").max().over("order_ref") != n_states)


@cross_rule(
    "protective_orders",
    fields=("breach_crime_ref",),
    message="The breach lies outside the life of the order.",
    remedy="Correct the dates of the order, or breach_crime_ref.",
    source="checks T14",
)
def breach_outside_order(tables: Tables, context: Context) -> pl.LazyFrame:
    crimes = tables["offences"].select(
        pl.col(CRIME).alias("breach_crime_ref"),
        pl.col("committed_from").dt.date().alias("begun_on"),
        pl.coalesce("committed_to", "committed_from").dt.date().alias("ended_on"),
    )
    ends_on = pl.min_horizontal("expires_on", "rescinded_on")
    outside = (pl.col("ended_on") < pl.col("granted_on")) | (pl.col("begun_on") > ends_on).fill_null(False)
    return tables["protective_orders"].join(crimes, on="breach_crime_ref").filter(outside)
