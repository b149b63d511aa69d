"""For each rule on what changes between months, and on a month's figures: one violation and one near miss.

Between months: January is the clean submission after `first`; February sends the same rows again, after `plant` or
`near`, in the month that `then` says. Figures: what the month has, what earlier months had, what other forces have.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import polars as pl

from data_contracts.rules.statistics import MEASURES_SCHEMA, no_measures
from tests.data_contracts.clean import FORCE, Tables
from tests.data_contracts.rules.pairs import Step, add, cut, put

FEBRUARY: dict[str, Any] = {"period": date(2026, 2, 1), "extracted_at": datetime(2026, 3, 3, 8)}


@dataclass(frozen=True)
class TwoMonths:
    """Steps from the clean submission; `also` and `near_trips` name rules that cannot but be broken too."""

    plant: list[Step]
    near: list[Step]
    first: list[Step] = field(default_factory=list)
    also: set[str] = field(default_factory=set)
    near_trips: set[str] = field(default_factory=set)
    then: dict[str, Any] = field(default_factory=lambda: FEBRUARY)


def empty(*extracts: str) -> Step:
    """Send nothing of these extracts."""

    def clear(tables: Tables) -> None:
        for extract in extracts:
            tables[extract].clear()

    return clear


def _under_another_reference(tables: Tables) -> None:
    """The first crime comes again with all its children as if it were another one."""
    for extract in ("offences", "victims", "suspects", "relationships", "flags"):
        tables[extract][0]["crime_ref"] = "42/100/26"


_CANCELLED = {
    "status": "cancelled",
    "outcome_code": "",
    "outcome_date": "",
    "cancellation_reason": "c",
    "cancellation_authorised_by": "FCR",
}
_ORDERS_ONLY = empty("offences", "victims", "suspects", "relationships", "flags", "incidents")
_LATE = {
    "crime_ref": "42/3/26",
    "offence_code": "58A",
    "status": "live",
    "committed_from": "2026-02-01T08:10:00",
    "reported_at": "2026-02-02T07:30:00",
}
_OTHER_PERSON = {"forenames": "CYRIL", "surname": "PATTERN", "date_of_birth": "1990-11-12"}

HISTORY_PAIRS: dict[str, TwoMonths] = {
    "deletion_of_unknown_record": TwoMonths(
        [
            add(
                "deletions",
                extract="offences",
                record_ref="42/9/25",
                reason="duplicate",
                deleted_on="2026-02-20",
            )
        ],
        [
            add(
                "deletions",
                extract="incidents",
                record_ref="INC-1",
                reason="duplicate",
                deleted_on="2026-02-20",
            ),
            empty("incidents"),
        ],
    ),
    "crime_lost_what_it_had": TwoMonths(
        [cut("flags", 1)], [put("offences", 1, **_CANCELLED), cut("flags", 1)]
    ),
    "outcome_withdrawn": TwoMonths(
        [put("offences", 1, outcome_code="", outcome_date="")], [put("offences", 1, **_CANCELLED)]
    ),
    "cancelled_crime_proceeded_with": TwoMonths(
        [], [put("offences", 0, outcome_code="16")], first=[put("offences", 0, **_CANCELLED)]
    ),
    "reported_at_changed": TwoMonths(
        [put("offences", 0, reported_at="2026-01-10T22:01:00")],
        [put("offences", 0, reported_at="2026-01-10T22:00")],
    ),
    "crime_dates_changed": TwoMonths(
        [put("offences", 0, recorded_at="2026-01-10T23:31:00")],
        [put("offences", 0, committed_from="2026-01-10T21:16:00")],
    ),
    "crime_ref_changed": TwoMonths(
        [_under_another_reference],
        [_under_another_reference, put("victims", 0, person_ref="N4")],
    ),
    "crime_reclassified_to_less_harm": TwoMonths(
        # Sexual assault weighs 374.5 days: 182.5 are less than half of it, 188 are not.
        [put("offences", 1, offence_code="70")],
        [put("offences", 1, offence_code="8P", injury="minor")],
    ),
    "crime_arrives_late": TwoMonths(
        [add("offences", **_LATE, recorded_at="2026-02-02T07:59:00")],
        [add("offences", **_LATE, recorded_at="2026-02-02T08:01:00")],
        then={"period": date(2026, 4, 1), "extracted_at": datetime(2026, 5, 3, 8)},
    ),
    "flag_withdrawn": TwoMonths(
        [put("flags", 0, value="N")],
        [put("flags", 0, value="U")],
        also={"domestic_crime_not_flagged"},
        near_trips={"domestic_crime_not_flagged"},
    ),
    "nominal_is_somebody_else": TwoMonths(
        [put("persons", 1, **_OTHER_PERSON, sex="F")],
        [put("persons", 1, **_OTHER_PERSON)],
        near_trips={"nominal_changed"},
    ),
    "nominal_changed": TwoMonths(
        [put("persons", 0, surname="SAMPLE")], [put("persons", 0, surname="Exam-ple", forenames="ANNE")]
    ),
    "pnc_id_held_by_another": TwoMonths(
        [put("persons", 1, person_ref="N3", date_of_birth="1986-03-02"), empty("person_aliases")],
        [put("persons", 1, person_ref="N3", date_of_birth="1987-03-02"), empty("person_aliases")],
    ),
    "earlier_breach_outside_order": TwoMonths(
        [_ORDERS_ONLY, put("protective_orders", 1, expires_on="2026-01-09")],
        [_ORDERS_ONLY, put("protective_orders", 1, expires_on="2026-01-10")],
    ),
}

PERIOD = date(2026, 1, 1)
Figure = tuple[str, str, int, int]


def figures(*rows: Figure, force: str = FORCE, period: date = PERIOD) -> pl.DataFrame:
    """Measures of one month of one force."""
    return pl.DataFrame([(force, period, 1, *row) for row in rows], schema=MEASURES_SCHEMA, orient="row")


def months(*rows: list[Figure], last: date = date(2025, 12, 1)) -> pl.DataFrame:
    """Measures of months that end with `last`, one list of rows a month, the latest last."""
    starts = (
        pl.date_range(
            pl.lit(last).dt.offset_by(f"-{len(rows) - 1}mo"), last, interval="1mo", eager=True
        ).to_list()
        if len(rows) > 1
        else [last]
    )
    parts = [figures(*r, period=p) for r, p in zip(rows, starts, strict=True)]
    return pl.concat([no_measures(), *parts])


def forces(*rows: Figure) -> pl.DataFrame:
    """The same month of other forces, one row a force."""
    return pl.concat([figures(row, force=f"P{number:08}") for number, row in enumerate(rows)])


@dataclass(frozen=True)
class Figures:
    """A month's figures that break the rule, and that nearly do, beside the same past and peers."""

    plant: pl.DataFrame
    near: pl.DataFrame
    past: pl.DataFrame = field(default_factory=no_measures)
    peers: pl.DataFrame = field(default_factory=no_measures)


# Twelve months between 95 and 105: median 100, MAD 2.5; 3 robust standard deviations at least the floor of chance, 10 each.
_CRIMES = [[("crimes", "all", n, n)] for n in (95, 97, 98, 99, 100, 100, 100, 101, 102, 103, 104, 105)]
_VIOLENCE = "Violence against the person"


def _share(measure: str, item: str, *numerators: int) -> list[list[Figure]]:
    return [[(measure, item, n, 1000)] for n in numerators]


_TWELVE = (195, 197, 198, 199, 200, 200, 200, 201, 202, 203, 204, 205)

STATISTICS_PAIRS: dict[str, Figures] = {
    "volume_outside_own_band": Figures(
        figures(("crimes", "all", 69, 69)), figures(("crimes", "all", 71, 71)), months(*_CRIMES)
    ),
    "offence_mix_outside_own_band": Figures(
        figures(("offence_group_share", _VIOLENCE, 240, 1000)),
        figures(("offence_group_share", _VIOLENCE, 236, 1000)),
        months(*_share("offence_group_share", _VIOLENCE, *_TWELVE)),
    ),
    "offence_mix_outside_peer_band": Figures(
        figures(("offence_group_share", _VIOLENCE, 270, 1000)),
        figures(("offence_group_share", _VIOLENCE, 260, 1000)),
        peers=forces(*(r[0] for r in _share("offence_group_share", _VIOLENCE, *_TWELVE))),
    ),
    "offence_group_absent": Figures(
        figures(("offence_group_share", "Robbery", 0, 1000)),
        figures(("offence_group_share", "Robbery", 1, 1000)),
        months(*_share("offence_group_share", "Robbery", 20, 21, 22)),
    ),
    "flag_share_outside_own_band": Figures(
        figures(("flag_share", "DA", 160, 1000)),
        figures(("flag_share", "DA", 164, 1000)),
        months(*_share("flag_share", "DA", *_TWELVE)),
    ),
    "flag_share_outside_peer_band": Figures(
        figures(("flag_share", "ONL", 130, 1000)),
        figures(("flag_share", "ONL", 140, 1000)),
        peers=forces(*(r[0] for r in _share("flag_share", "ONL", *_TWELVE))),
    ),
    "default_share_high": Figures(
        figures(("default_share", "victims.sex", 11, 100)), figures(("default_share", "victims.sex", 10, 100))
    ),
    "unmapped_share_high": Figures(
        figures(("unmapped_share", "flags.flag", 6, 100)), figures(("unmapped_share", "flags.flag", 5, 100))
    ),
    "person_refs_churned": Figures(
        figures(("person_refs_kept", "all", 59, 100)), figures(("person_refs_kept", "all", 60, 100))
    ),
    "person_refs_replaced": Figures(
        figures(("person_refs_kept", "all", 49, 100)), figures(("person_refs_kept", "all", 60, 100))
    ),
    "closed_month_revised": Figures(
        figures(("closed_month_revision", "2025-12", 21, 1000)),
        figures(("closed_month_revision", "2025-12", 20, 1000)),
    ),
    "late_arrival_share_high": Figures(
        figures(("late_arrival_share", "all", 6, 100)), figures(("late_arrival_share", "all", 5, 100))
    ),
}
