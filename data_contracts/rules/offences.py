"""Rules on a recorded crime by itself: its dates, outcome, cancellation, transfer and injury."""

from __future__ import annotations

import polars as pl

from data_contracts.code_lists import codes
from data_contracts.rules.common import area_unknown, committed_until, extraction_day, fact, outcome_is
from data_contracts.rules.reference import offences_with, threshold
from data_contracts.rules.rule import Context, record_rule

_TIME_KNOWN = pl.col("committed_time_known").fill_null(True)


def _earlier(first: str | pl.Expr, second: str | pl.Expr) -> pl.Expr:
    """`first` lies before `second`, by the clock, or by the day where the offence's time is a filler."""
    a, b = (pl.col(x) if isinstance(x, str) else x for x in (first, second))
    return pl.when(_TIME_KNOWN).then(a < b).otherwise(a.dt.date() < b.dt.date())


@record_rule(
    "offences",
    fields=("committed_to", "committed_from"),
    message="The offence ends before it begins.",
    remedy="Correct committed_from or committed_to; leave committed_to blank for an offence at one moment.",
    source="checks R01",
)
def offence_ends_before_it_begins(context: Context) -> pl.Expr:
    return _earlier("committed_to", "committed_from")


@record_rule(
    "offences",
    fields=("reported_at", "committed_from", "committed_to"),
    message="The crime was reported before it was committed.",
    remedy="Correct reported_at, or the time of the offence; set committed_time_known to N if only the day is known.",
    source="checks R01",
)
def reported_before_committed(context: Context) -> pl.Expr:
    return _earlier("reported_at", committed_until())


@record_rule(
    "offences",
    fields=("recorded_at", "reported_at"),
    message="The crime was recorded before it was reported.",
    remedy="Correct reported_at or recorded_at.",
    source="checks R01",
)
def recorded_before_reported(context: Context) -> pl.Expr:
    return pl.col("recorded_at") < pl.col("reported_at")


@record_rule(
    "offences",
    fields=("recorded_at",),
    message="The crime was recorded after the extract was drawn.",
    remedy="Correct recorded_at, or extracted_at in submission.json.",
    source="checks R01, F04",
)
def recorded_after_extraction(context: Context) -> pl.Expr:
    return pl.col("recorded_at") > context.extracted_at


@record_rule(
    "offences",
    fields=("recorded_at", "reported_at"),
    message="The crime was recorded more than 24 hours after it was reported.",
    remedy="Record within 24 hours of the report; correct the times if they are wrong.",
    source="checks R02",
)
def recorded_late(context: Context) -> pl.Expr:
    limit = pl.duration(hours=threshold("recording_hours"))
    return pl.col("recorded_at") - pl.col("reported_at") > limit


@record_rule(
    "offences",
    fields=("offence_code", "committed_from", "committed_to"),
    message="This offence was not yet in law when it was committed.",
    remedy="Use the code of the offence in force on that day, or correct the date of the offence.",
    source="checks R03",
)
def offence_not_yet_in_law(context: Context) -> pl.Expr:
    return committed_until().dt.date() < fact("exists_from").str.to_date("%Y-%m-%d")


@record_rule(
    "offences",
    fields=("committed_from", "committed_to", "reported_at"),
    message="The crime was reported more than a year after it was committed.",
    remedy="Check the year of committed_from; nothing need be done where the report was really that late.",
    source="checks R04",
)
def reported_over_a_year_later(context: Context) -> pl.Expr:
    # The contract has no marker for a non-recent offence; sexual offences are often reported late.
    late = pl.col("reported_at") - committed_until() > pl.duration(days=threshold("non_recent_days"))
    return late & (fact("offence_group") != "Sexual offences")


@record_rule(
    "offences",
    fields=("committed_from",),
    message="The time of the offence is exactly midnight or noon, which systems often fill in.",
    remedy="Set committed_time_known to N where only the day is known.",
    source="checks F05",
)
def committed_time_is_a_filler(context: Context) -> pl.Expr:
    return _TIME_KNOWN & pl.col("committed_from").dt.strftime("%H:%M:%S").is_in(["00:00:00", "12:00:00"])


@record_rule(
    "offences",
    fields=("postcode_sector",),
    message="No postcode begins with these letters.",
    remedy="Correct postcode_sector, or leave it blank where it is not known.",
    source="checks F13",
)
def sector_area_unknown(context: Context) -> pl.Expr:
    return area_unknown("postcode_sector")


@record_rule(
    "offences",
    fields=("outcome_date", "outcome_code"),
    message="There is an outcome but not the day it was assigned.",
    remedy="Fill outcome_date.",
    source="checks R05",
)
def outcome_without_date(context: Context) -> pl.Expr:
    return (pl.col("outcome_code") != "0") & pl.col("outcome_date").is_null()


@record_rule(
    "offences",
    fields=("outcome_code", "outcome_date"),
    message="There is an outcome date but no outcome.",
    remedy="Fill outcome_code, or leave outcome_date blank until an outcome is assigned.",
    source="checks R05",
)
def outcome_date_without_code(context: Context) -> pl.Expr:
    return pl.col("outcome_date").is_not_null() & (pl.col("outcome_code").fill_null("0") == "0")


@record_rule(
    "offences",
    fields=("outcome_date", "recorded_at"),
    message="The outcome was assigned before the crime was recorded.",
    remedy="Correct outcome_date or recorded_at.",
    source="checks R06",
)
def outcome_before_recording(context: Context) -> pl.Expr:
    return pl.col("outcome_date") < pl.col("recorded_at").dt.date()


@record_rule(
    "offences",
    fields=("outcome_date",),
    message="The outcome was assigned after the extract was drawn.",
    remedy="Correct outcome_date, or extracted_at in submission.json.",
    source="checks F04",
)
def outcome_after_extraction(context: Context) -> pl.Expr:
    return pl.col("outcome_date") > extraction_day(context)


@record_rule(
    "offences",
    fields=("cancellation_reason", "cancellation_authorised_by", "status"),
    message="The crime is cancelled without a reason or without the role that authorised it.",
    remedy="Fill cancellation_reason and cancellation_authorised_by.",
    source="checks R07",
)
def cancellation_unexplained(context: Context) -> pl.Expr:
    explained = (
        pl.col("cancellation_reason").is_not_null() & pl.col("cancellation_authorised_by").is_not_null()
    )
    return (pl.col("status") == "cancelled") & ~explained


@record_rule(
    "offences",
    fields=("status", "outcome_code"),
    message="The crime is cancelled although somebody was charged or dealt with for it.",
    remedy="Reinstate the crime, or correct its outcome.",
    source="checks R07",
)
def cancelled_despite_outcome(context: Context) -> pl.Expr:
    return (pl.col("status") == "cancelled") & outcome_is("is_positive")


@record_rule(
    "offences",
    fields=("status", "cancellation_reason", "cancellation_authorised_by"),
    message="The crime stands although a cancellation is filled in.",
    remedy="Set status to cancelled, or leave the cancellation fields blank.",
    source="checks R07",
)
def cancellation_of_a_standing_crime(context: Context) -> pl.Expr:
    filled = pl.col("cancellation_reason").is_not_null() | pl.col("cancellation_authorised_by").is_not_null()
    return (pl.col("status") == "live") & filled


@record_rule(
    "offences",
    fields=("transferred_to_force", "status"),
    message="The crime is transferred but does not name another force of the register.",
    remedy="Fill transferred_to_force with the code of the force that took the crime over.",
    source="checks R08",
)
def transfer_to_no_other_force(context: Context) -> pl.Expr:
    target = pl.col("transferred_to_force")
    other = target.is_in(codes("forces").implode()) & (target != context.force_code)
    return (pl.col("status") == "transferred") & ~other.fill_null(False)


@record_rule(
    "offences",
    fields=("status", "transferred_to_force"),
    message="The crime names a force that took it over but is not transferred.",
    remedy="Set status to transferred, or leave transferred_to_force blank.",
    source="checks R08",
)
def transfer_without_status(context: Context) -> pl.Expr:
    return (pl.col("status") == "live") & pl.col("transferred_to_force").is_not_null()


@record_rule(
    "offences",
    fields=("injury", "offence_code"),
    message="The injury is less than this offence implies.",
    remedy="Correct injury or offence_code; write unknown where the injury is not known.",
    source="checks R16",
)
def injury_less_than_offence_implies(context: Context) -> pl.Expr:
    injured = pl.col("offence_code").is_in(offences_with("injury_present")) & (pl.col("injury") == "none")
    killed = pl.col("offence_code").is_in(offences_with("fatal")) & pl.col("injury").is_in(
        ["none", "minor", "serious"]
    )
    return injured | killed


@record_rule(
    "offences",
    fields=("injury", "offence_code"),
    message="The injury is worse than this offence covers.",
    remedy="Reclassify the offence, or correct injury.",
    source="checks R16",
)
def injury_worse_than_offence_covers(context: Context) -> pl.Expr:
    return pl.col("offence_code").is_in(offences_with("injury_absent")) & pl.col("injury").is_in(
        ["serious", "fatal"]
    )
