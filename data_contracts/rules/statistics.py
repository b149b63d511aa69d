"""Rules on a submission's figures: is the month reasonable beside the force's own past, its peers, and agreed limits?

A month's figures are its measures: one row per measure and item, a numerator and a denominator. The month under test
never judges itself: bands come from earlier months, without those an incident is known to have bent, by median and
median absolute deviation, which a few odd months do not move. Where there is too little to judge by, nothing is said.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date
from typing import Any

import polars as pl

from data_contracts.code_lists import attribute
from data_contracts.extracts.catalogue import EXTRACTS
from data_contracts.mappings import mapping, national_code
from data_contracts.rules.common import CRIME, live_crimes, national_flags
from data_contracts.rules.history import crimes_first_sent, is_late
from data_contracts.rules.reference import default_values, incident_months, statistic_limit
from data_contracts.rules.rule import Context, History, Tables, statistics_rule

MEASURES_SCHEMA: dict[str, pl.DataType] = {
    "force_code": pl.String(),
    "period": pl.Date(),
    "sequence": pl.Int64(),
    "measure": pl.String(),
    "item": pl.String(),
    "numerator": pl.Int64(),
    "denominator": pl.Int64(),
}
# What a standard deviation is in median absolute deviations of a normal distribution.
_SD_OF_MAD = 1.4826
Breaches = list[tuple[str, str, str]]


def no_measures() -> pl.DataFrame:
    return pl.DataFrame(schema=MEASURES_SCHEMA)


def measures(tables: Tables, history: History | None, context: Context, sequence: int) -> pl.DataFrame:
    """The figures of one submission, in `MEASURES_SCHEMA`. Crimes are those that stand and were recorded in its month."""
    month = pl.col("recorded_at").dt.date().is_between(context.period, context.period_end)
    crimes = live_crimes(tables).filter(month).select(CRIME, "offence_code").collect()
    parts = [
        *_counts(crimes),
        *_flag_counts(tables, crimes, context),
        *_defaults(tables),
        *_unmapped(tables, context),
    ]
    if history:
        parts += [*_kept_references(tables, history), *_revisions(tables, history, context)]
        parts += [*_late_arrivals(tables, history, context)]
    figures = pl.DataFrame(
        parts,
        schema={c: MEASURES_SCHEMA[c] for c in ("measure", "item", "numerator", "denominator")},
        orient="row",
    )
    said = {"force_code": context.force_code, "period": context.period, "sequence": sequence}
    return figures.with_columns(pl.lit(v, dtype=MEASURES_SCHEMA[k]).alias(k) for k, v in said.items()).select(
        *MEASURES_SCHEMA
    )


Figure = tuple[str, str, int, int]


def _counts(crimes: pl.DataFrame) -> Iterator[Figure]:
    yield "crimes", "all", crimes.height, crimes.height
    groups = attribute("offence_codes", "offence_group")
    counted = crimes.select(
        pl.col("offence_code")
        .replace_strict(dict(groups), default=None, return_dtype=pl.String)
        .alias("group")
    )
    counts = dict(counted.group_by("group").len().drop_nulls().iter_rows())
    for group in sorted(set(groups.values())):
        yield "offence_group_share", group, counts.get(group, 0), crimes.height


def _flag_counts(tables: Tables, crimes: pl.DataFrame, context: Context) -> Iterator[Figure]:
    """Crimes with each flag that the force's system has a word for, where it sends flags at all."""
    known = sorted(set(mapping(context.force_code, "flag", context.period).values()))
    flags = national_flags(tables, context).filter(pl.col("value") == "Y")
    counted = (
        flags.join(crimes.lazy(), on=CRIME, how="semi")
        .group_by("flag_type")
        .agg(pl.col(CRIME).n_unique())
        .collect()
    )
    counts = dict(counted.drop_nulls().iter_rows())
    for flag_type in known:
        yield "flag_share", flag_type, counts.get(flag_type, 0), crimes.height


def _defaults(tables: Tables) -> Iterator[Figure]:
    """Rows whose field holds nothing, or what systems write where nothing is known."""
    for place, values in default_values().items():
        extract, field = place.split(".")
        cell = pl.col(field).cast(pl.String)
        rows = tables[extract]
        if extract == "suspects":
            rows = rows.filter(pl.col("status") != "unidentified")
        if extract == "victims":
            rows = rows.filter(pl.col("victim_type") == "person")
        blank = (cell.is_null() | cell.is_in(values)).sum().cast(pl.Int64)
        n_blank, n_rows = rows.select(blank, pl.len().alias("n_rows").cast(pl.Int64)).collect().row(0)
        yield "default_share", place, n_blank, n_rows


_MAPPED = [(n, f.name) for n, s in EXTRACTS.items() for f in s.fields if f.mapped_to]


def _unmapped(tables: Tables, context: Context) -> Iterator[Figure]:
    for extract, field in _MAPPED:
        code = national_code(field, field=field, force_code=context.force_code, on=context.period)
        filled = tables[extract].filter(pl.col(field).is_not_null())
        n_unmapped, n_rows = (
            filled.select(code.is_null().sum().cast(pl.Int64), pl.len().alias("n_rows").cast(pl.Int64))
            .collect()
            .row(0)
        )
        yield "unmapped_share", f"{extract}.{field}", n_unmapped, n_rows


def _kept_references(tables: Tables, history: History) -> Iterator[Figure]:
    """Nominals that were sent before under the same names and birth date: how many under the same reference."""
    on = ["surname", "forenames", "date_of_birth"]
    now = tables["persons"].drop_nulls(on).select("person_ref", *on)
    both = now.join(
        history.tables["persons_of_same_name"].select(pl.col("person_ref").alias("before"), *on), on=on
    )
    same = both.group_by("person_ref").agg((pl.col("before") == pl.col("person_ref")).any().alias("same"))
    kept, all_of_them = (
        same.select(pl.col("same").sum().cast(pl.Int64), pl.len().alias("n_rows").cast(pl.Int64))
        .collect()
        .row(0)
    )
    yield "person_refs_kept", "all", kept, all_of_them


def _revisions(tables: Tables, history: History, context: Context) -> Iterator[Figure]:
    """By how many crimes this submission changes each month that is closed; beside it what the month was."""
    closed = pl.col("recorded_at").dt.date() < context.period
    month = pl.col("recorded_at").dt.date().dt.truncate("1mo").alias("month")

    def counted(rows: pl.LazyFrame) -> dict[date, int]:
        return dict(rows.filter(closed).group_by(month).len().drop_nulls().collect().iter_rows())

    now, before = counted(live_crimes(tables)), counted(live_crimes(history.tables))
    first = history.past.filter(pl.col("measure") == "crimes").sort("sequence").group_by("period").first()
    was = dict(first.select("period", "numerator").iter_rows())
    for closed_month in sorted(set(now) & set(was)):
        change = now[closed_month] - before.get(closed_month, 0)
        yield "closed_month_revision", f"{closed_month:%Y-%m}", abs(change), was[closed_month]


def _late_arrivals(tables: Tables, history: History, context: Context) -> Iterator[Figure]:
    """Crimes that come for the first time: how many of them late."""
    late = is_late(context).sum().cast(pl.Int64)
    first_sent = crimes_first_sent(tables, history.tables)
    n_late, n_first = first_sent.select(late, pl.len().alias("n_rows").cast(pl.Int64)).collect().row(0)
    yield "late_arrival_share", "all", n_late, n_first


def _past(history: History, measure: str, context: Context) -> dict[str, pl.DataFrame]:
    """Earlier months of one measure by item, each as its first submission had it, incident months left out."""
    masked = incident_months(context.force_code)
    months = (
        history.past.filter((pl.col("measure") == measure) & (pl.col("period") < context.period))
        .filter(~pl.col("period").is_in(masked))
        .sort("period", "sequence")
        .group_by("item", "period", maintain_order=True)
        .first()
    )
    longest = int(statistic_limit("own_months_max"))
    return {str(item): rows.tail(longest) for (item,), rows in months.group_by("item", maintain_order=True)}


def _band(values: list[float], floor: float) -> tuple[float, float]:
    """Median and robust standard deviation, the latter no less than `floor`."""
    series = pl.Series(values, dtype=pl.Float64)
    median = float(series.median())  # type: ignore[arg-type]
    return median, max(_SD_OF_MAD * float((series - median).abs().median()), floor)  # type: ignore[arg-type]


def _shares(rows: pl.DataFrame) -> list[float]:
    return (
        rows.filter(pl.col("denominator") > 0)
        .select(pl.col("numerator") / pl.col("denominator"))
        .to_series()
        .to_list()
    )


def _now(now: pl.DataFrame, measure: str) -> Iterator[tuple[str, int, int]]:
    """Item, numerator and denominator of a measure, where there is enough of it to be judged."""
    enough = int(statistic_limit("rows_min"))
    for row in now.filter(pl.col("measure") == measure).iter_rows(named=True):
        if row["denominator"] >= enough:
            yield row["item"], row["numerator"], row["denominator"]


def _outside(
    now: pl.DataFrame, measure: str, bands: dict[str, pl.DataFrame], limits: dict[str, float]
) -> Iterator[Any]:
    """Items whose share is further from the median than the limit allows, with a sentence of figures."""
    for item, numerator, denominator in _now(now, measure):
        others = _shares(bands[item]) if item in bands else []
        if len(others) < limits["n_min"]:
            continue
        share, middle = numerator / denominator, pl.Series(others).median()
        chance = math.sqrt(max(float(middle) * (1 - float(middle)), 1 / denominator) / denominator)  # type: ignore[arg-type]
        median, sd = _band(others, chance)
        least = max(limits["share_min"], statistic_limit("count_difference_min") / denominator)
        if abs(share - median) > max(limits["z"] * sd, least):
            yield item, f"{share:.1%}, expected about {median:.1%}"


def _own_limits() -> dict[str, float]:
    return {
        "n_min": statistic_limit("own_months_min"),
        "z": statistic_limit("own_z"),
        "share_min": statistic_limit("share_difference_min"),
    }


def _peer_limits() -> dict[str, float]:
    return {
        "n_min": statistic_limit("peers_min"),
        "z": statistic_limit("peer_z"),
        "share_min": statistic_limit("share_difference_min"),
    }


def _peers(history: History, measure: str) -> dict[str, pl.DataFrame]:
    rows = history.peers.filter(pl.col("measure") == measure).sort("force_code", "period")
    return {str(item): r for (item,), r in rows.group_by("item", maintain_order=True)}


@statistics_rule(
    message="The number of crimes recorded in the month is not what this force's months are like.",
    remedy="Check that the extract is whole and of one month; tell the national team what explains it.",
    source="checks S11",
)
def volume_outside_own_band(now: pl.DataFrame, history: History, context: Context) -> Breaches:
    past = _past(history, "crimes", context).get("all")
    if past is None or past.height < statistic_limit("own_months_min"):
        return []
    values = [float(v) for v in past["numerator"]]
    found: Breaches = []
    for row in now.filter(pl.col("measure") == "crimes").iter_rows(named=True):
        median, sd = _band(values, math.sqrt(max(float(pl.Series(values).median()), 1.0)))  # type: ignore[arg-type]
        if abs(row["numerator"] - median) > statistic_limit("own_z") * sd:
            found.append(("offences", "all", f"{row['numerator']:,} crimes, expected about {median:,.0f}"))
    return found


@statistics_rule(
    message="The share of an offence group is not what this force's months are like.",
    remedy="Check that the group was extracted whole and no code is used for another; tell us what explains it.",
    source="checks S12",
)
def offence_mix_outside_own_band(now: pl.DataFrame, history: History, context: Context) -> Breaches:
    measure = "offence_group_share"
    bands = _past(history, measure, context)
    return [("offences", i, f"{i}: {s}") for i, s in _outside(now, measure, bands, _own_limits())]


@statistics_rule(
    message="The share of an offence group is far from that of other forces.",
    remedy="Check that the group was extracted whole and no code is used for another; tell us what explains it.",
    source="checks S12",
)
def offence_mix_outside_peer_band(now: pl.DataFrame, history: History, context: Context) -> Breaches:
    measure = "offence_group_share"
    return [
        ("offences", i, f"{i}: {s}")
        for i, s in _outside(now, measure, _peers(history, measure), _peer_limits())
    ]


@statistics_rule(
    message="There is no crime of a group that this force records every month.",
    remedy="Check that the group was not left out of the extract.",
    source="checks S12",
)
def offence_group_absent(now: pl.DataFrame, history: History, context: Context) -> Breaches:
    bands, found = _past(history, "offence_group_share", context), Breaches()
    for item, numerator, _ in _now(now, "offence_group_share"):
        past = bands.get(item)
        if numerator or past is None or past.height < statistic_limit("absent_months_min"):
            continue
        least = int(past["numerator"].min())  # type: ignore[arg-type]
        if least >= statistic_limit("absent_count_min"):
            found.append(("offences", item, f"{item}: none, never fewer than {least:,} before"))
    return found


@statistics_rule(
    message="The share of crimes with a flag is not what this force's months are like.",
    remedy="Check that the flag was extracted and is still set at recording; tell us what explains it.",
    source="checks S13",
)
def flag_share_outside_own_band(now: pl.DataFrame, history: History, context: Context) -> Breaches:
    bands = _past(history, "flag_share", context)
    return [("flags", i, f"{i}: {s}") for i, s in _outside(now, "flag_share", bands, _own_limits())]


@statistics_rule(
    message="The share of crimes with a flag is far from that of other forces.",
    remedy="Check that the flag was extracted and how it is set at recording; tell us what explains it.",
    source="checks S13",
)
def flag_share_outside_peer_band(now: pl.DataFrame, history: History, context: Context) -> Breaches:
    bands = _peers(history, "flag_share")
    return [("flags", i, f"{i}: {s}") for i, s in _outside(now, "flag_share", bands, _peer_limits())]


@statistics_rule(
    message="A field is blank or holds a default more often than it should.",
    remedy="Have the field filled at recording; leave out defaults that stand for nothing known.",
    source="checks S14",
)
def default_share_high(now: pl.DataFrame, history: History, context: Context) -> Breaches:
    found: Breaches = []
    for place, numerator, denominator in _now(now, "default_share"):
        limit = statistic_limit(f"default_share_max:{place}")
        if numerator > limit * denominator:
            extract, field = place.split(".")
            found.append((extract, field, f"{place}: {numerator / denominator:.0%}, limit {limit:.0%}"))  # type: ignore[arg-type]
    return found


@statistics_rule(
    message="Words of the force's own have no national code.",
    remedy="Send the national team your list of words with what they mean; see code_mappings.csv for those known.",
    source="checks S15",
)
def unmapped_share_high(now: pl.DataFrame, history: History, context: Context) -> Breaches:
    limit, found = statistic_limit("unmapped_share_max"), Breaches()
    for place, numerator, denominator in _now(now, "unmapped_share"):
        if numerator > limit * denominator:
            extract, field = place.split(".")
            found.append(
                (extract, field, f"{place}: {numerator / denominator:.0%} of rows, limit {limit:.0%}")
            )
    return found


def _churned(now: pl.DataFrame, low: float, high: float) -> Breaches:
    return [
        (
            "persons",
            "person_ref",
            f"{kept:,} of {n:,} nominals known by name and birth date kept their reference",
        )
        for _, kept, n in _now(now, "person_refs_kept")
        if low <= kept / n < high
    ]


@statistics_rule(
    message="Nominals that were sent before come under other references.",
    remedy="Send the same person_ref for the same nominal every month.",
    source="checks S17",
)
def person_refs_churned(now: pl.DataFrame, history: History, context: Context) -> Breaches:
    return _churned(now, statistic_limit("refs_kept_error"), statistic_limit("refs_kept_warning"))


@statistics_rule(
    message="Most nominals that were sent before come under other references: the force's ids were replaced.",
    remedy="Send the references of before, or agree with the national team how old ones and new ones belong together.",
    source="checks S17",
)
def person_refs_replaced(now: pl.DataFrame, history: History, context: Context) -> Breaches:
    return _churned(now, 0.0, statistic_limit("refs_kept_error"))


@statistics_rule(
    message="The submission changes the number of crimes of a month that is closed.",
    remedy="Tell the national team what explains it; corrections of closed months are agreed beforehand.",
    source="checks T13",
)
def closed_month_revised(now: pl.DataFrame, history: History, context: Context) -> Breaches:
    limit = statistic_limit("closed_month_revision_max")
    return [
        ("offences", month, f"{month}: by {change:,} of {was:,} crimes")
        for month, change, was in _now(now, "closed_month_revision")
        if change > max(limit * was, statistic_limit("count_difference_min"))
    ]


@statistics_rule(
    message="Too many of the crimes that come for the first time were recorded more than 90 days ago.",
    remedy="Send crimes in the month they are recorded; tell the national team of a backlog before you send it.",
    source="checks T12",
)
def late_arrival_share_high(now: pl.DataFrame, history: History, context: Context) -> Breaches:
    limit = statistic_limit("late_arrival_share_max")
    return [
        ("offences", "recorded_at", f"{late:,} of {n:,} crimes, limit {limit:.0%}")
        for _, late, n in _now(now, "late_arrival_share")
        if late > limit * n
    ]
