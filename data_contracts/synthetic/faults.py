"""Planted violations of the rules, each recorded in the truth.

Belongs here: what to break, where, and the name of the rule that must find it. One crime (or person,
incident, order, spell) bears one planted fault at most, so that each can be told from the others; a
planted fault may break a second rule as well, as a real one would.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
import polars as pl

from data_contracts.extracts.catalogue import EXTRACTS
from data_contracts.synthetic.draw import Generator

Frames = dict[str, pl.DataFrame]
PLANTED_SCHEMA: dict[str, pl.DataType] = {
    "force_code": pl.String(),
    "period": pl.Date(),
    "sequence": pl.Int64(),
    "extract": pl.String(),
    "record_ref": pl.String(),
    "rule": pl.String(),
}
_LIVE = pl.col("status") == "live"
_UNDECIDED = _LIVE & pl.col("outcome_code").is_null()
_DECIDED = _LIVE & pl.col("outcome_code").is_not_null()
_CLOCK = pl.col("committed_time_known") == "Y"
_AGAINST_SOMEONE = pl.col("victim_type") == "person"
_NAMED = pl.col("suspect_status").is_in(["named", "arrested", "bailed"])


@dataclass(frozen=True)
class Fault:
    """One way to break a record.

    `where`: which records can be broken, over the crime with its first victim and suspect (`_overview`), or
    over the extract's own rows. `edits`: extract to new column values, on row 1 of the crime's children.
    `copies`: extract to the changes under which a row is sent once more. `without`: extracts whose rows of
    this crime are left out. `extract` and `suffix` say where the finding will point.
    """

    rule: str
    extract: str
    where: pl.Expr = field(default_factory=lambda: pl.lit(True))
    edits: dict[str, dict[str, pl.Expr]] = field(default_factory=dict)
    copies: dict[str, dict[str, pl.Expr]] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    suffix: str = ""
    moved_ref: Callable[[pl.Series], pl.Series] | None = None


def _elsewhere(ref: str) -> dict[str, pl.Expr]:
    return {ref: pl.col(ref) + "X"}


def _marked(refs: pl.Series) -> pl.Series:
    return refs + "X"


_FAR_AWAY = pl.datetime(2091, 1, 1, 3, 4)
_FIRST = "|1"

# In order; every rule named here is in force.
FAULTS: tuple[Fault, ...] = (
    Fault("value_missing", "offences", _UNDECIDED, {"offences": {"reported_at": pl.lit(None)}}),
    Fault("code_not_in_list", "offences", edits={"offences": {"offence_code": pl.lit("999Z")}}),
    Fault("value_malformed", "offences", edits={"offences": {"postcode_sector": pl.lit("SW1A 9ZZZ")}}),
    Fault(
        "value_out_of_range", "victims", _AGAINST_SOMEONE, {"victims": {"age": pl.lit(140)}}, suffix=_FIRST
    ),
    Fault("key_duplicated", "victims", _AGAINST_SOMEONE, copies={"victims": {}}, suffix=_FIRST),
    Fault(
        "offence_ends_before_it_begins",
        "offences",
        _CLOCK,
        {"offences": {"committed_to": pl.col("committed_from") - timedelta(days=1)}},
    ),
    Fault(
        "reported_before_committed",
        "offences",
        _CLOCK,
        {
            "offences": {
                "committed_from": pl.col("reported_at") + timedelta(days=1),
                "committed_to": pl.lit(None),
            }
        },
    ),
    Fault(
        "recorded_before_reported",
        "offences",
        edits={"offences": {"reported_at": pl.col("recorded_at") + timedelta(hours=2)}},
    ),
    Fault("recorded_after_extraction", "offences", _UNDECIDED, {"offences": {"recorded_at": _FAR_AWAY}}),
    Fault(
        "recorded_late",
        "offences",
        edits={
            "offences": {
                "reported_at": pl.col("reported_at") - timedelta(days=3),
                "committed_from": pl.col("committed_from") - timedelta(days=3),
                "committed_to": pl.col("committed_to") - timedelta(days=3),
            }
        },
    ),
    Fault(
        "committed_time_is_a_filler",
        "offences",
        _CLOCK,
        {"offences": {"committed_from": pl.col("committed_from").dt.truncate("1d")}},
    ),
    Fault("outcome_without_date", "offences", _DECIDED, {"offences": {"outcome_date": pl.lit(None)}}),
    Fault("outcome_date_without_code", "offences", _DECIDED, {"offences": {"outcome_code": pl.lit(None)}}),
    Fault(
        "outcome_before_recording",
        "offences",
        _DECIDED,
        {"offences": {"outcome_date": pl.col("recorded_at").dt.date() - timedelta(days=3)}},
    ),
    Fault("cancellation_unexplained", "offences", _UNDECIDED, {"offences": {"status": pl.lit("cancelled")}}),
    Fault(
        "cancelled_despite_outcome",
        "offences",
        _LIVE & (pl.col("outcome_code") == "1"),
        {
            "offences": {
                "status": pl.lit("cancelled"),
                "cancellation_reason": pl.lit("c"),
                "cancellation_authorised_by": pl.lit("FCR"),
            }
        },
    ),
    Fault(
        "transfer_to_no_other_force",
        "offences",
        _UNDECIDED,
        {"offences": {"status": pl.lit("transferred"), "transferred_to_force": pl.col("own_force")}},
    ),
    Fault(
        "injury_less_than_offence_implies",
        "offences",
        pl.col("offence_code") == "8N",
        {"offences": {"injury": pl.lit("none")}},
    ),
    Fault(
        "crime_without_victim",
        "offences",
        _LIVE & _AGAINST_SOMEONE & pl.col("offence_code").is_in(["105A", "8L", "8N", "8R", "8Q"]),
        without=("victims", "relationships"),
    ),
    Fault(
        "outcome_needs_a_suspect",
        "offences",
        _LIVE & pl.col("outcome_code").is_in(["15", "16"]),
        without=("suspects", "relationships"),
    ),
    Fault(
        "outcome_denies_the_suspect",
        "offences",
        _UNDECIDED & _NAMED,
        {"offences": {"outcome_code": pl.lit("18"), "outcome_date": pl.col("recorded_at").dt.date()}},
    ),
    Fault(
        "victim_age_contradicts_offence",
        "victims",
        (pl.col("offence_code") == "19C") & (pl.col("victim_age") >= 18),
        {"offences": {"offence_code": pl.lit("19E")}},
        suffix=_FIRST,
    ),
    Fault(
        "suspect_is_the_victim",
        "suspects",
        _LIVE & pl.col("victim_ref").is_not_null() & pl.col("suspect_ref").is_not_null(),
        {"suspects": {"person_ref": pl.col("victim_ref")}},
        suffix=_FIRST,
    ),
    Fault(
        "unidentified_suspect_described",
        "suspects",
        pl.col("suspect_status") == "unidentified",
        {"suspects": {"age": pl.lit(31), "sex": pl.lit("M")}},
        suffix=_FIRST,
    ),
    Fault(
        "unidentified_suspect_not_alone",
        "suspects",
        _UNDECIDED & (pl.col("suspect_status") == "unidentified"),
        copies={
            "suspects": {
                "suspect_no": pl.lit(2),
                "status": pl.lit("named"),
                "age": pl.lit(31),
                "sex": pl.lit("M"),
            }
        },
        suffix=_FIRST,
    ),
    Fault(
        "victim_without_crime",
        "victims",
        _AGAINST_SOMEONE,
        copies={"victims": _elsewhere("crime_ref")},
        suffix=_FIRST,
        moved_ref=_marked,
    ),
    Fault(
        "suspect_without_crime",
        "suspects",
        pl.col("suspect_status").is_not_null(),
        copies={"suspects": _elsewhere("crime_ref")},
        suffix=_FIRST,
        moved_ref=_marked,
    ),
    Fault(
        "pnc_check_letter_wrong",
        "persons",
        pl.col("pnc_id").is_not_null(),
        {
            "persons": {
                "pnc_id": pl.col("pnc_id").str.head(-1)
                + pl.when(pl.col("pnc_id").str.ends_with("Z")).then(pl.lit("Y")).otherwise(pl.lit("Z"))
            }
        },
    ),
    Fault("name_is_a_placeholder", "persons", edits={"persons": {"surname": pl.lit("UNKNOWN")}}),
    Fault(
        "birth_date_is_a_placeholder", "persons", edits={"persons": {"date_of_birth": pl.date(1900, 1, 1)}}
    ),
    Fault("birth_date_impossible", "persons", edits={"persons": {"date_of_birth": pl.date(2091, 5, 5)}}),
    Fault(
        "incident_suspect_is_the_victim",
        "incidents",
        edits={"incidents": {"suspect_person_ref": pl.col("victim_person_ref")}},
    ),
    Fault("incident_after_extraction", "incidents", edits={"incidents": {"occurred_at": _FAR_AWAY}}),
    Fault(
        "order_protects_its_respondent",
        "protective_orders",
        (pl.col("state_no") == 1) & pl.col("order_ref").is_unique(),
        {"protective_orders": {"protected_person_ref": pl.col("respondent_person_ref")}},
        suffix=_FIRST,
    ),
    Fault(
        "order_dates_out_of_order",
        "protective_orders",
        (pl.col("state_no") == 1) & pl.col("order_ref").is_unique(),
        {"protective_orders": {"expires_on": pl.col("granted_on") - timedelta(days=10)}},
        suffix=_FIRST,
    ),
)
_UNREADABLE = "value_not_readable"


def none_planted() -> pl.DataFrame:
    """The planted faults where there are none."""
    return pl.DataFrame(schema=PLANTED_SCHEMA)


def plant(rng: Generator, extracts: Frames, share: float, *, force_code: str) -> tuple[Frames, pl.DataFrame]:
    """Break `share` times as many records as there are crimes; returns the extracts and what was planted.

    The planted faults have `extract`, `record_ref` (as the finding will name it) and `rule`.
    """
    frames = dict(extracts)
    overview = _overview(frames).with_columns(own_force=pl.lit(force_code))
    wanted = np.bincount(
        rng.integers(0, len(FAULTS) + 1, int(rng.poisson(share * overview.height))), minlength=len(FAULTS) + 1
    )
    taken: dict[str, pl.Series] = {}
    planted = []
    for fault, n in zip(FAULTS, wanted, strict=False):
        root = EXTRACTS[fault.extract].root
        rows = overview if root == "offences" else extracts[fault.extract]
        key = EXTRACTS[fault.extract].root_key
        chosen = _choose(rng, rows, fault.where, key, taken.get(root), int(n))
        if not chosen.height:
            continue
        refs = chosen[key]
        taken[root] = pl.concat([taken.get(root, refs.clear()), refs])
        _break(frames, fault, chosen, key)
        pointed = fault.moved_ref(refs) if fault.moved_ref else refs
        planted.append(_planted(fault.extract, pointed + fault.suffix, fault.rule))
    last = _choose(rng, overview, pl.lit(True), "crime_ref", taken.get("offences"), int(wanted[-1]))
    if last.height:
        frames["offences"] = _unreadable(frames["offences"], last["crime_ref"])
        planted.append(_planted("offences", last["crime_ref"], _UNREADABLE))
    return frames, pl.concat(planted) if planted else _planted("offences", pl.Series([], dtype=pl.String), "")


def _planted(extract: str, refs: pl.Series, rule: str) -> pl.DataFrame:
    return pl.DataFrame({"record_ref": refs}).select(
        extract=pl.lit(extract), record_ref="record_ref", rule=pl.lit(rule)
    )


def _overview(frames: Frames) -> pl.DataFrame:
    """One row a crime with the first victim and the first suspect beside it."""
    victims = (
        frames["victims"]
        .filter(pl.col("victim_no") == 1)
        .select("crime_ref", "victim_type", victim_age="age", victim_ref="person_ref")
    )
    suspects = (
        frames["suspects"]
        .filter(pl.col("suspect_no") == 1)
        .select("crime_ref", suspect_status="status", suspect_ref="person_ref")
    )
    return (
        frames["offences"]
        .join(victims, on="crime_ref", how="left", maintain_order="left")
        .join(suspects, on="crime_ref", how="left", maintain_order="left")
    )


def _choose(
    rng: Generator, rows: pl.DataFrame, where: pl.Expr, key: str, taken: pl.Series | None, n: int
) -> pl.DataFrame:
    if n == 0:
        return rows.clear()
    free = rows.filter(where)
    if taken is not None:
        free = free.filter(~pl.col(key).is_in(taken.implode()))
    return free[np.sort(rng.choice(free.height, min(n, free.height), replace=False))]


def _break(frames: Frames, fault: Fault, chosen: pl.DataFrame, key: str) -> None:
    """Change the frames in place of the fault: edited columns, rows sent once more, rows left out."""
    number = {"victims": "victim_no", "suspects": "suspect_no"}
    beside = [c for c in ("own_force", "victim_ref") if c in chosen.columns]
    for name, columns in fault.edits.items():
        frame = frames[name]
        hit = pl.col(key).is_in(chosen[key].implode())
        if name in number:
            hit &= pl.col(number[name]) == 1
        frames[name] = (
            frame.join(chosen.select(key, *beside), on=key, how="left", maintain_order="left")
            .with_columns(
                pl.when(hit).then(new.cast(frame.schema[c])).otherwise(pl.col(c)).alias(c)
                for c, new in columns.items()
            )
            .select(frame.columns)
        )
    for name, columns in fault.copies.items():
        frame = frames[name]
        again = frame.filter(pl.col(key).is_in(chosen[key].implode()) & (pl.col(number[name]) == 1))
        changed = again.with_columns(new.cast(frame.schema[c]).alias(c) for c, new in columns.items())
        frames[name] = pl.concat([frame, changed])
    for name in fault.without:
        frames[name] = frames[name].filter(~pl.col(key).is_in(chosen[key].implode()))


def _unreadable(offences: pl.DataFrame, refs: pl.Series) -> pl.DataFrame:
    """Dates that no calendar has; the column is text from here on."""
    text = pl.col("committed_from").dt.strftime("%Y-%m-%dT%H:%M:%S")
    return offences.with_columns(
        committed_from=pl.when(pl.col("crime_ref").is_in(refs.implode()))
        .then(pl.lit("30/02/2026 14:10"))
        .otherwise(text)
    )
