"""Rules on what a force sends beside what it sent before: changes that cannot be, or that somebody should look at.

A record is compared with its newest accepted version. An error keeps that version in force: the new one stays out.
"""

from __future__ import annotations

import polars as pl

from data_contracts.code_lists import code_list
from data_contracts.rules.common import CRIME, outcome_is
from data_contracts.rules.nominals import is_placeholder_birth_date
from data_contracts.rules.reference import threshold
from data_contracts.rules.rule import Context, Tables, history_rule

_WAS = "_before"
_PERSON = "person_ref"
# Two crimes that agree in all of these, and in a victim, are taken for one.
SAME_FACTS = ["offence_code", "committed_from", "reported_at", "recorded_at"]


def _again(extract: str, key: str, tables: Tables, before: Tables) -> pl.LazyFrame:
    """Rows that come again, with the columns of the version before under names that end in `_before`."""
    return tables[extract].drop_nulls(key).join(before[extract], on=key, suffix=_WAS)


def _differs(column: str) -> pl.Expr:
    """Both known, and not the same."""
    return (pl.col(column) != pl.col(column + _WAS)).fill_null(False)


def _folded(column: str) -> pl.Expr:
    return pl.col(column).str.to_uppercase().str.replace_all(r"[^A-Z]", "")


def _other_name(column: str) -> pl.Expr:
    return (_folded(column) != _folded(column + _WAS)).fill_null(False)


@history_rule(
    "deletions",
    fields=("record_ref",),
    message="The deleted record was never accepted.",
    remedy="Correct extract or record_ref; a record that was never accepted need not be deleted.",
    source="checks T02",
)
def deletion_of_unknown_record(tables: Tables, before: Tables, context: Context) -> pl.LazyFrame:
    return tables["deletions"].join(before["known_records"], on=["extract", "record_ref"], how="anti")


@history_rule(
    "offences",
    fields=("crime_ref",),
    message="The crime had more victims, suspects or flags when it was sent before, and it is not cancelled.",
    remedy="Send the crime whole again; nothing need be done where they were taken off on purpose.",
    source="checks T04",
)
def crime_lost_what_it_had(tables: Tables, before: Tables, context: Context) -> pl.LazyFrame:
    lost = []
    for extract in ("victims", "suspects", "flags"):
        had = before[extract].group_by(CRIME).agg(pl.len().alias("n_had"))
        has = tables[extract].group_by(CRIME).agg(pl.len().alias("n_has"))
        fewer = had.join(has, on=CRIME, how="left").filter(pl.col("n_has").fill_null(0) < pl.col("n_had"))
        lost.append(fewer.select(CRIME))
    live = tables["offences"].filter(pl.col("status") == "live")
    return live.join(pl.concat(lost).unique(), on=CRIME, how="semi")


@history_rule(
    "offences",
    fields=("outcome_code",),
    message="The crime had an outcome when it was sent before, and has none now.",
    remedy="Send the outcome again; nothing need be done where the investigation was reopened.",
    source="checks T04",
)
def outcome_withdrawn(tables: Tables, before: Tables, context: Context) -> pl.LazyFrame:
    had = pl.col("outcome_code" + _WAS).fill_null("0") != "0"
    has_none = pl.col("outcome_code").fill_null("0") == "0"
    return _again("offences", CRIME, tables, before).filter((pl.col("status") == "live") & had & has_none)


@history_rule(
    "offences",
    fields=("status", "outcome_code"),
    message="The crime was cancelled before, and comes back as one for which somebody was charged or dealt with.",
    remedy="Reinstate the crime first: send it live without the outcome, then with it; or correct its reference.",
    source="checks T07",
)
def cancelled_crime_proceeded_with(tables: Tables, before: Tables, context: Context) -> pl.LazyFrame:
    was_cancelled = pl.col("status" + _WAS) == "cancelled"
    again = _again("offences", CRIME, tables, before)
    return again.filter(was_cancelled & (pl.col("status") == "live") & outcome_is("is_positive"))


@history_rule(
    "offences",
    fields=("reported_at",),
    message="The crime was sent before with another time of report.",
    remedy="Send the time of the first report, which never changes; or correct crime_ref, which is never reused.",
    source="checks T08",
)
def reported_at_changed(tables: Tables, before: Tables, context: Context) -> pl.LazyFrame:
    return _again("offences", CRIME, tables, before).filter(_differs("reported_at"))


@history_rule(
    "offences",
    fields=("recorded_at", "committed_from"),
    message="The crime was sent before with another time of recording, or another day of the offence.",
    remedy="Check the dates; nothing need be done where they were corrected.",
    source="checks T08",
)
def crime_dates_changed(tables: Tables, before: Tables, context: Context) -> pl.LazyFrame:
    other_day = pl.col("committed_from").dt.date() != pl.col("committed_from" + _WAS).dt.date()
    return _again("offences", CRIME, tables, before).filter(
        _differs("recorded_at") | other_day.fill_null(False)
    )


@history_rule(
    "offences",
    fields=("crime_ref",),
    message="A crime sent before has the same offence, times and victim under another reference, and still stands.",
    remedy="Send the crime under its first reference, or delete the record of the other one.",
    source="checks T08",
)
def crime_ref_changed(tables: Tables, before: Tables, context: Context) -> pl.LazyFrame:
    new = tables["offences"].filter(pl.col("status") == "live").join(before["offences"], on=CRIME, how="anti")
    # One that comes again beside it is two crimes of one submission; one that is taken back now is a change rightly made.
    withdrawn = tables["deletions"].filter(pl.col("extract") == "offences").select("record_ref")
    stood = (
        before["crimes_of_same_facts"]
        .filter(pl.col("status") == "live")
        .join(tables["offences"].select(CRIME), on=CRIME, how="anti")
        .join(withdrawn, left_on=CRIME, right_on="record_ref", how="anti")
    )
    pairs = new.join(stood.select(pl.col(CRIME).alias("other_ref"), *SAME_FACTS), on=SAME_FACTS)
    victims = tables["victims"].select(CRIME, _PERSON).drop_nulls()
    other_victims = before["victims_of_same_facts"].select(pl.col(CRIME).alias("other_ref"), _PERSON)
    return pairs.join(victims, on=CRIME).join(other_victims, on=["other_ref", _PERSON], how="semi")


def _harm_days(column: str) -> pl.Expr:
    """Days of harm of the offence code in a column; null where the code has no weight."""
    weights = code_list("harm_weights").filter(pl.col("valid_to").is_null()).drop_nulls("cchi_days")
    days = dict(weights.select("offence_code", pl.col("cchi_days").cast(pl.Float64)).iter_rows())
    return pl.col(column).replace_strict(days, default=None, return_dtype=pl.Float64)


@history_rule(
    "offences",
    fields=("offence_code",),
    message="The crime was sent before as an offence of more than twice the harm.",
    remedy="Check the offence code; nothing need be done where the crime was reclassified on evidence.",
    source="checks T06",
)
def crime_reclassified_to_less_harm(tables: Tables, before: Tables, context: Context) -> pl.LazyFrame:
    again = _again("offences", CRIME, tables, before).filter(pl.col("status") == "live")
    was = _harm_days("offence_code" + _WAS)
    least = was * threshold("reclassified_harm_percent") / 100
    less = (_harm_days("offence_code") < least) & (was >= threshold("reclassified_harm_days_min"))
    return again.filter(less.fill_null(False))


def crimes_first_sent(tables: Tables, before: Tables) -> pl.LazyFrame:
    """Crimes that come for the first time. One of before the force's first submission could not come earlier."""
    first_time = tables["offences"].join(before["offences"], on=CRIME, how="anti")
    return first_time.join(before["began"], how="cross").filter(
        pl.col("recorded_at").dt.date() >= pl.col("began_on")
    )


def is_late(context: Context) -> pl.Expr:
    """The crime of this row was recorded longer ago than a crime should take to come."""
    since = pl.lit(context.extracted_at) - pl.col("recorded_at")
    return since > pl.duration(days=threshold("late_arrival_days"))


@history_rule(
    "offences",
    fields=("recorded_at",),
    message="The crime comes for the first time more than 90 days after it was recorded.",
    remedy="Send crimes in the month they are recorded; nothing need be done for an agreed correction.",
    source="checks T12",
)
def crime_arrives_late(tables: Tables, before: Tables, context: Context) -> pl.LazyFrame:
    return crimes_first_sent(tables, before).filter(is_late(context))


@history_rule(
    "flags",
    fields=("value", "flag"),
    message="The flag was set when the crime was sent before, and is not set now.",
    remedy="Check that it was withdrawn on purpose.",
    source="checks T11",
)
def flag_withdrawn(tables: Tables, before: Tables, context: Context) -> pl.LazyFrame:
    was_set = before["flags"].filter(pl.col("value") == "Y").select(CRIME, "flag")
    return tables["flags"].filter(pl.col("value") == "N").join(was_set, on=[CRIME, "flag"], how="semi")


def _nominals(tables: Tables, before: Tables) -> pl.LazyFrame:
    known = before["persons"].filter(~is_placeholder_birth_date().fill_null(False))
    return _again("persons", _PERSON, tables, {"persons": known})


def _somebody_else() -> pl.Expr:
    """Every identity field that both versions have says another person, and names and birth date are among them."""
    sexes = [pl.col(c).is_in(["M", "F"]).fill_null(False) for c in ("sex", "sex" + _WAS)]
    same_sex = sexes[0] & sexes[1] & (pl.col("sex") == pl.col("sex" + _WAS))
    return _differs("date_of_birth") & _other_name("forenames") & _other_name("surname") & ~same_sex


@history_rule(
    "persons",
    fields=("person_ref",),
    message="The nominal was somebody else when it was sent before: names, birth date and sex are all others.",
    remedy="Give the other person a reference of their own; a nominal reference is never reused.",
    source="checks T10",
)
def nominal_is_somebody_else(tables: Tables, before: Tables, context: Context) -> pl.LazyFrame:
    return _nominals(tables, before).filter(_somebody_else())


@history_rule(
    "persons",
    fields=("person_ref",),
    message="The nominal's surname, birth date or sex is not what was sent before.",
    remedy="Check that it is still the same person; nothing need be done where it was corrected or has changed.",
    source="checks T09",
)
def nominal_changed(tables: Tables, before: Tables, context: Context) -> pl.LazyFrame:
    known_sexes = pl.all_horizontal(pl.col("sex", "sex" + _WAS).is_in(["M", "F"]))
    changed = _differs("date_of_birth") | _other_name("surname") | (known_sexes & _differs("sex"))
    return _nominals(tables, before).filter(changed & ~_somebody_else())


@history_rule(
    "persons",
    fields=("pnc_id",),
    message="A nominal sent before has the same PNC id but another sex, or a birth year more than 2 years away.",
    remedy="Correct pnc_id, sex or date_of_birth of one of the two.",
    source="checks X16",
)
def pnc_id_held_by_another(tables: Tables, before: Tables, context: Context) -> pl.LazyFrame:
    held = before["persons_with_pnc_id"]
    pairs = tables["persons"].drop_nulls("pnc_id").join(held, on="pnc_id", suffix=_WAS)
    others = pairs.filter(pl.col(_PERSON) != pl.col(_PERSON + _WAS))
    known_sexes = pl.all_horizontal(pl.col("sex", "sex" + _WAS).is_in(["M", "F"]))
    years = pl.col("date_of_birth").dt.year() - pl.col("date_of_birth" + _WAS).dt.year()
    placeholder = is_placeholder_birth_date() | is_placeholder_birth_date("date_of_birth" + _WAS)
    apart = (years.abs() > threshold("birth_year_tolerance")) & ~placeholder
    return others.filter((known_sexes & _differs("sex")) | apart.fill_null(False))


@history_rule(
    "protective_orders",
    fields=("breach_crime_ref",),
    message="The breach, a crime sent before, lies outside the life of the order.",
    remedy="Correct the dates of the order, or breach_crime_ref.",
    source="checks T14",
)
def earlier_breach_outside_order(tables: Tables, before: Tables, context: Context) -> pl.LazyFrame:
    crimes = before["breaches"].join(tables["offences"], on=CRIME, how="anti")
    crimes = crimes.select(
        pl.col(CRIME).alias("breach_crime_ref"),
        pl.col("committed_from").dt.date().alias("begun_on"),
        pl.coalesce("committed_to", "committed_from").dt.date().alias("ended_on"),
    )
    ends_on = pl.min_horizontal("expires_on", "rescinded_on")
    outside = (pl.col("ended_on") < pl.col("granted_on")) | (pl.col("begun_on") > ends_on).fill_null(False)
    return tables["protective_orders"].join(crimes, on="breach_crime_ref").filter(outside)
