"""A table of events, read and checked: what anybody brings to a back-test becomes allegations that a score can take in.

An allegation is one person and one event. Rows that name several victims of one event are one allegation with several
victims. Nothing is dropped in silence: a fault of the file is an error that says where, what cannot take part is counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from assets.monitoring.parameters import outcome_weights

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

REQUIRED = ("person_id", "event_id", "reported_on", "occurred_on", "harm_days")
OPTIONAL = ("victim_id", "incident_id", "outcome", "outcome_on", "link_probability", "force_code", "group")
_KEY = ("person_id", "event_id", "victim_id")
_FORMATS = ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S")
ALWAYS = np.iinfo(np.int64).min
DAY = 86_400


class NotEvents(ValueError):
    """A table that cannot be used as events: the message says what to do. It never quotes a value."""


@dataclass(frozen=True)
class Allegations:
    """What a score is computed from. One entry a person and event, in the order of report.

    `reported_at` and `outcome_at` in seconds since 1970. An outcome weighs from `outcome_at` on; before, the allegation is
    open and weighs 1. `incident` and `victim` number the pairs of a person with one; their `_person` arrays say whose.
    `victim_of`: the allegation of each entry of `victim`, ascending. A victim without an id is one victim per person.
    """

    person: Ints
    reported_at: Ints
    severity: Floats
    outcome_weight: Floats
    outcome_at: Ints
    link_probability: Floats
    incident: Ints
    incident_person: Ints
    victim_of: Ints
    victim: Ints
    victim_person: Ints
    n_persons: int

    def weights_at(self, at: int) -> Floats:
        """Outcome weights as they were known then."""
        return np.where(self.outcome_at <= at, self.outcome_weight, 1.0)


@dataclass(frozen=True)
class Events:
    """A read table: the allegations, what a back-test needs besides, and what was left out.

    `persons`: a row a person in the order of their numbers, `person_id` and the group columns (the value reported last).
    `unnamed`: force_code, n_named, n_unnamed (events); empty without forces. `left_out`: reason -> rows. `notes`: sentences.
    """

    allegations: Allegations
    occurred_at: Ints
    force: Ints
    forces: list[str]
    persons: pl.DataFrame
    unnamed: pl.DataFrame
    n_rows: int
    left_out: dict[str, int]
    notes: list[str] = field(default_factory=list)
    has_incidents: bool = False
    has_victims: bool = False


def seconds(when: ArrayLike) -> Ints:
    """Dates or timestamps (datetime64 or what NumPy takes for it) in seconds since 1970."""
    return np.asarray(when, dtype="datetime64[s]").astype(np.int64)


def allegations_of(
    person: Sequence[str],
    reported_at: ArrayLike,
    severity: ArrayLike,
    outcome_weight: ArrayLike,
    link_probability: ArrayLike,
    event: Sequence[str],
    victim: Sequence[str | None] | None = None,
    incident: Sequence[str] | None = None,
) -> tuple[Allegations, list[str]]:
    """Allegations from plain columns, a row a person, event and victim, with the persons' ids in order of their numbers.

    `reported_at`: datetime64 or anything NumPy reads as such. Ids are text; a victim of None or "" has no id. Severity and
    the rest belong to person and event: where the rows of one differ, the gravest, the surest and the first report stand.
    """
    rows = pl.DataFrame(
        {
            "person_id": pl.Series(person, dtype=pl.String),
            "event_id": pl.Series(event, dtype=pl.String),
            "incident_id": pl.Series(event if incident is None else incident, dtype=pl.String),
            "reported_at": seconds(reported_at),
            "severity": np.asarray(severity, dtype=float),
            "outcome_weight": np.asarray(outcome_weight, dtype=float),
            "link_probability": np.asarray(link_probability, dtype=float),
        }
    ).with_columns(
        victim_id=pl.lit(None, pl.String) if victim is None else pl.Series(victim, dtype=pl.String),
        outcome_at=pl.lit(ALWAYS, pl.Int64),
        occurred_at=pl.col("reported_at"),
        force_code=pl.lit(None, pl.String),
    )
    events, _ = _gather(rows.with_columns(pl.col("victim_id").replace("", None)))
    return events.allegations, events.persons["person_id"].to_list()


def read_events(
    path: Path,
    *,
    outcomes: Path | None = None,
    groups: tuple[str, ...] | None = None,
    leave_out_faulty: bool = False,
) -> Events:
    """Read a CSV (with header) or Parquet file of events.

    Required: person_id, event_id, reported_on, occurred_on (blank: the day of report stands in), harm_days. Optional:
    victim_id, incident_id (several events of one incident), outcome (a code of the seed `outcome_treatment`, or of the file
    `outcomes`), outcome_on (from when it was known), link_probability, force_code, and the columns named in `groups`.
    Dates are YYYY-MM-DD, with a time or without. Raises NotEvents.
    """
    return events_of(_load(path), outcomes=outcomes, groups=groups, leave_out_faulty=leave_out_faulty)


def events_of(
    rows: pl.DataFrame,
    *,
    outcomes: Path | Mapping[str, float] | None = None,
    groups: tuple[str, ...] | None = None,
    leave_out_faulty: bool = False,
) -> Events:
    """The same of a table at hand: columns and faults as in `read_events`. `outcomes`: a file, or outcome -> weight (0..1)."""
    if "row" not in rows.columns:
        rows = rows.with_columns(row=pl.int_range(2, pl.len() + 2))
    wanted = _columns(rows, groups)
    typed = _type(rows.select(wanted + [c for c in ("row",) if c in rows.columns]))
    good, left_out = _judge(typed, leave_out_faulty)
    named = good.filter(pl.col("person_id").is_not_null() & pl.col("harm_days").is_not_null())
    left_out |= {
        "no person_id: nobody is named": good["person_id"].null_count(),
        "no harm_days: the offence has no weight": good.filter(
            pl.col("person_id").is_not_null() & pl.col("harm_days").is_null()
        ).height,
    }
    if not named.height:
        raise NotEvents("no row has both a person_id and harm_days: there is nothing to rank")
    weighed, notes = _weigh(named, outcomes)
    group_columns = tuple(
        c for c in wanted if c not in (*REQUIRED, *OPTIONAL) or c in ("group", "force_code")
    )
    if groups is not None:
        group_columns = tuple(c for c in group_columns if c in groups)
    events, differing = _gather(weighed, group_columns)
    if differing:
        notes.append(
            f"{differing:,} allegations have rows that differ in harm, dates or outcome: the gravest, the first report and "
            "the outcome that lets it count stand."
        )
    return Events(
        **{
            **{
                name: getattr(events, name)
                for name in ("allegations", "occurred_at", "force", "forces", "persons")
            },
            "unnamed": _unnamed(good),
            "n_rows": rows.height,
            "left_out": {reason: n for reason, n in left_out.items() if n},
            "notes": notes + _blank_occurred(named),
            "has_incidents": "incident_id" in wanted,
            "has_victims": "victim_id" in wanted,
        }
    )


def _load(path: Path) -> pl.DataFrame:
    if not path.is_file():
        raise NotEvents(f"there is no file {path.name}")
    try:
        if path.suffix == ".parquet":
            rows = pl.read_parquet(path)
        else:
            rows = pl.read_csv(path, infer_schema=False, encoding="utf8")
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as error:
        # The reader's message may quote a value.
        raise NotEvents(
            f"{path.name} cannot be read as CSV with a header or as Parquet ({type(error).__name__})"
        ) from None
    if not rows.height:
        raise NotEvents(f"{path.name} has no rows")
    return rows.with_columns(row=pl.int_range(2, pl.len() + 2))


def _columns(rows: pl.DataFrame, groups: tuple[str, ...] | None) -> list[str]:
    if missing := [c for c in REQUIRED if c not in rows.columns]:
        raise NotEvents(f"the table has no column {', '.join(missing)}: it needs {', '.join(REQUIRED)}")
    if missing := [c for c in groups or () if c not in rows.columns]:
        raise NotEvents(f"the table has no column {', '.join(missing)} to group by: see --groups")
    present = [*REQUIRED, *(c for c in OPTIONAL if c in rows.columns)]
    return present + [c for c in groups or () if c not in present]


def _type(rows: pl.DataFrame) -> pl.DataFrame:
    """Typed columns beside `<column>_faulty`: was written, cannot be read."""
    rows = rows.with_columns(
        pl.col(c).cast(pl.String).str.strip_chars().replace("", None)
        for c in rows.columns
        if c != "row" and not rows.schema[c].is_temporal() and not rows.schema[c].is_numeric()
    )
    text = [c for c in rows.columns if c not in ("row", *_DATES, *_NUMBERS)]
    rows = rows.with_columns(pl.col(c).cast(pl.String) for c in text)
    for name in (c for c in _DATES if c in rows.columns):
        read = _seconds(rows[name])
        rows = rows.with_columns(
            (pl.lit(read.is_null()) & pl.col(name).is_not_null()).alias(f"{name}_faulty"), read.alias(name)
        )
    for name in (c for c in _NUMBERS if c in rows.columns):
        number = rows[name].cast(pl.Float64, strict=False)
        number = number.set(~number.is_finite(), None)
        rows = rows.with_columns(
            (pl.lit(number.is_null()) & pl.col(name).is_not_null()).alias(f"{name}_faulty"),
            number.alias(name),
        )
    return rows


_DATES = ("reported_on", "occurred_on", "outcome_on")
_NUMBERS = ("harm_days", "link_probability")


def _seconds(column: pl.Series) -> pl.Series:
    kind = column.dtype
    if isinstance(kind, pl.Datetime) and kind.time_zone:
        column = column.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    if kind.is_temporal():
        return column.cast(pl.Datetime("us")).dt.epoch("s")
    text = column.cast(pl.String)
    found = pl.coalesce(text.str.to_datetime(f, strict=False, time_unit="us") for f in _FORMATS)
    return pl.select(found.dt.epoch("s").alias(column.name)).to_series()


def _judge(rows: pl.DataFrame, leave_out_faulty: bool) -> tuple[pl.DataFrame, dict[str, int]]:
    """Rows without a fault, and how many have each. NotEvents where there are any, unless they are to be left out."""
    key = [c for c in _KEY if c in rows.columns]
    faults = {
        "event_id is blank": pl.col("event_id").is_null(),
        "reported_on is blank": pl.col("reported_on").is_null() & ~pl.col("reported_on_faulty"),
        **{
            f"{name} cannot be read as a date (YYYY-MM-DD)": pl.col(f"{name}_faulty")
            for name in _DATES
            if name in rows.columns
        },
        **{f"{name} is no number": pl.col(f"{name}_faulty") for name in _NUMBERS if name in rows.columns},
        "harm_days is negative": pl.col("harm_days") < 0,
        "it occurred after it was reported": pl.col("occurred_on") > _end_of_day(pl.col("reported_on")),
        f"{', '.join(key)} stand twice": pl.col("person_id").is_not_null() & pl.struct(key).is_duplicated(),
    }
    if "link_probability" in rows.columns:
        faults["link_probability is not from 0 to 1"] = ~pl.col("link_probability").is_between(0, 1)
    judged = rows.with_columns(
        pl.coalesce(
            pl.when(fault.fill_null(False)).then(pl.lit(reason)) for reason, fault in faults.items()
        ).alias("fault")
    )
    found = (
        judged.filter(pl.col("fault").is_not_null())
        .group_by("fault")
        .agg(n=pl.len(), first=pl.col("row").min())
        .sort("first", "fault")
    )
    if found.height and not leave_out_faulty:
        said = "; ".join(
            f"{n:,} rows where {fault} (first: line {first})" for fault, n, first in found.iter_rows()
        )
        raise NotEvents(f"{said}. Correct them, or leave them out with --leave-out-faulty")
    counts = dict(zip(found["fault"].to_list(), found["n"].to_list(), strict=True))
    return judged.filter(pl.col("fault").is_null()), counts


def _end_of_day(second: pl.Expr) -> pl.Expr:
    return (second // DAY) * DAY + DAY - 1


def _weigh(rows: pl.DataFrame, outcomes: Path | Mapping[str, float] | None) -> tuple[pl.DataFrame, list[str]]:
    """With outcome_weight and outcome_at, and what has to be said about them."""
    rows = rows.with_columns(
        severity=pl.col("harm_days"),
        reported_at=pl.col("reported_on"),
        occurred_at=pl.coalesce("occurred_on", "reported_on"),
        link_probability=pl.col("link_probability").fill_null(1.0)
        if "link_probability" in rows.columns
        else pl.lit(1.0),
        **{c: pl.lit(None, pl.String) for c in ("victim_id", "force_code") if c not in rows.columns},
    )
    rows = rows.with_columns(
        incident_id=pl.coalesce("incident_id", "event_id")
        if "incident_id" in rows.columns
        else pl.col("event_id")
    )
    if "outcome" not in rows.columns:
        notes = ["The table has no outcomes: every allegation counts."]
        return rows.with_columns(outcome_weight=pl.lit(1.0), outcome_at=pl.lit(ALWAYS)), notes
    if isinstance(outcomes, Mapping):
        weight = dict(outcomes)
    else:
        weight = {code: weight for code, (weight, _) in outcome_weights(outcomes).items()}
    known_since = pl.col("outcome_on").fill_null(ALWAYS) if "outcome_on" in rows.columns else pl.lit(ALWAYS)
    rows = rows.with_columns(
        outcome_weight=pl.col("outcome").replace_strict(weight, default=1.0, return_dtype=pl.Float64),
        outcome_at=known_since,
    )
    notes = []
    unknown = rows.filter(pl.col("outcome").is_not_null() & ~pl.col("outcome").is_in(list(weight))).height
    if unknown:
        notes.append(f"{unknown:,} rows have an outcome that is in no list: they count, as open ones do.")
    if "outcome_on" not in rows.columns and rows.filter(pl.col("outcome_weight") < 1).height:
        notes.append(
            "The table does not say when an outcome became known (outcome_on): outcomes are applied as they stand, so a "
            "cut-off knows of some that came later. That flatters every ranker alike."
        )
    return rows, notes


def _blank_occurred(rows: pl.DataFrame) -> list[str]:
    blank = rows["occurred_on"].null_count()
    return [f"{blank:,} rows have no occurred_on: the day of report stands in."] if blank else []


def _unnamed(rows: pl.DataFrame) -> pl.DataFrame:
    """Events with a named person and without, by force: what a force's rate of naming suspects is computed from."""
    if "force_code" not in rows.columns:
        return pl.DataFrame(schema={"force_code": pl.String, "n_named": pl.Int64, "n_unnamed": pl.Int64})
    return (
        rows.filter(pl.col("force_code").is_not_null())
        .group_by("force_code", "event_id")
        .agg(named=pl.col("person_id").is_not_null().any())
        .group_by("force_code")
        .agg(n_named=pl.col("named").sum().cast(pl.Int64), n_unnamed=(~pl.col("named")).sum().cast(pl.Int64))
        .sort("force_code")
    )


def _codes(*columns: pl.Series) -> tuple[Ints, pl.DataFrame]:
    """Number the distinct rows of some columns in their own order, so that the order of the file does not matter."""
    frame = pl.DataFrame(list(columns))
    ranks = frame.select(pl.struct(frame.columns).rank("dense").cast(pl.Int64) - 1).to_series()
    distinct = frame.with_columns(code=ranks).unique("code").sort("code").drop("code")
    return ranks.to_numpy().astype(np.int64), distinct


def _gather(rows: pl.DataFrame, groups: tuple[str, ...] = ()) -> tuple[Events, int]:
    """Rows of person, event and victim as allegations; and how many have rows that differ."""
    person, persons = _codes(rows["person_id"])
    rows = rows.with_columns(person=pl.Series(person))
    one = ("severity", "reported_at", "occurred_at", "outcome_weight", "outcome_at", "link_probability")
    gathered = (
        rows.group_by("person", "event_id")
        .agg(
            pl.col("severity", "outcome_weight", "link_probability").max(),
            pl.col("reported_at", "occurred_at").min(),
            pl.col("outcome_at").max(),
            pl.col("incident_id", "force_code").min(),
            differs=pl.max_horizontal(pl.col(c).n_unique() for c in one) > 1,
        )
        .sort("reported_at", "person", "event_id")
        .with_row_index("allegation")
    )
    number = rows.select("person", "event_id", "victim_id").join(
        gathered.select("person", "event_id", "allegation"), on=("person", "event_id"), how="left"
    )
    number = number.unique(("allegation", "victim_id")).sort("allegation", "victim_id")
    incident, incidents = _codes(gathered["person"], gathered["incident_id"])
    victim, victims = _codes(number["person"], number["victim_id"].fill_null(""))
    force, forces = _codes(gathered["force_code"].fill_null(""))
    allegations = Allegations(
        person=gathered["person"].to_numpy().astype(np.int64),
        reported_at=gathered["reported_at"].to_numpy().astype(np.int64),
        severity=gathered["severity"].to_numpy(),
        outcome_weight=gathered["outcome_weight"].to_numpy(),
        outcome_at=gathered["outcome_at"].to_numpy().astype(np.int64),
        link_probability=gathered["link_probability"].to_numpy(),
        incident=incident,
        incident_person=incidents["person"].to_numpy().astype(np.int64),
        victim_of=number["allegation"].to_numpy().astype(np.int64),
        victim=victim,
        victim_person=victims["person"].to_numpy().astype(np.int64),
        n_persons=persons.height,
    )
    events = Events(
        allegations=allegations,
        occurred_at=gathered["occurred_at"].to_numpy().astype(np.int64),
        force=force,
        forces=forces["force_code"].to_list(),
        persons=_groups(rows, persons, groups),
        unnamed=pl.DataFrame(),
        n_rows=rows.height,
        left_out={},
    )
    return events, int(gathered["differs"].sum())


def _groups(rows: pl.DataFrame, persons: pl.DataFrame, groups: tuple[str, ...]) -> pl.DataFrame:
    """A person's group is the value reported last; null where none ever was."""
    for name in groups:
        latest = (
            rows.filter(pl.col(name).is_not_null())
            .sort("reported_at", "event_id", name)
            .group_by("person_id")
            .agg(pl.col(name).last())
        )
        persons = persons.join(latest, on="person_id", how="left", maintain_order="left")
    return persons
