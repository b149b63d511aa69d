"""Why two nominals are one person or are not, and what holds a person together: read from the standing index.

Nothing is decided here, and nothing is written. Words on a page belong to `explanation_text.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from assets.linkage.explaining.pair_evidence import FieldEvidence, fields_of, score_again, shared_keys
from assets.linkage.explaining.reading import Reading, gather, opened
from assets.linkage.explaining.reasons import (
    Guard,
    Link,
    Reason,
    guard_of,
    kept_apart,
    links_of,
    today,
    why_withheld,
)
from assets.linkage.identities import group_ids_sql, resolution_sql
from assets.linkage.model import MODEL
from assets.linkage.outputs import probability_sql
from assets.linkage.splink_session import text_list, text_literal
from assets.linkage.vetoes import veto_sql

if TYPE_CHECKING:
    from splink.internals.settings import Settings

# The values a reader may ask to see, all of them personal, in the order of a form.
VALUE_COLUMNS = (
    "forename_1",
    "middle_names",
    "surname",
    "full_names",
    "date_of_birth",
    "birth_dates",
    "sex",
    "postcode",
    "postcodes",
    "pnc_id",
    "cro_number",
    "phone",
)


_LISTS = ("full_names", "birth_dates", "postcodes")


# A common name meets hundreds of others; a reader wants the nearest.
N_NEAREST = 10


class Unknown(Exception):
    """A record or a person that the index does not know; the message says what it knows."""


@dataclass(frozen=True)
class ExplainedRecord:
    """A nominal and who it is today. `values` are personal: they are in no representation of this."""

    record_id: str
    force_code: str | None
    person_id: str
    person_group_id: str
    values: dict[str, str] = field(repr=False)


@dataclass(frozen=True)
class PairExplanation:
    """Bits and reasons of one pair. `prior_weight` and the bits of `fields` sum to `match_weight`; what the guard leaves
    of it is `guarded_weight`, and `probability` belongs to that. `keys` are the blocking keys the two share;
    `stored_evidence` is what the index holds, without the prior, or None where it never kept the pair.
    """

    records: tuple[ExplainedRecord, ExplainedRecord]
    n_records: int
    model_version: str
    prior_weight: float
    fields: tuple[FieldEvidence, ...]
    match_weight: float
    guard: Guard | None
    guarded_weight: float
    probability: float
    is_calibrated: bool
    keys: tuple[tuple[str, ...], ...]
    stored_evidence: float | None
    decisions: tuple[tuple[str, str], ...]
    together: Literal["one_person", "one_group", "apart"]
    reasons: tuple[Reason, ...]
    chain: tuple[Link, ...]


@dataclass(frozen=True)
class OtherPerson:
    """Another person near one: the pair that ties the two most, and why they are two."""

    person_id: str
    same_group: bool
    record_ids: tuple[str, str]
    match_weight: float
    guarded_weight: float
    guard: str | None
    kept_apart: Reason


@dataclass(frozen=True)
class Event:
    """What happened to an id in one run (`identities.py`): `record_ids` went from one id to another; None is nobody's."""

    run_no: int
    as_of: datetime
    event: str
    cause: str
    from_person_id: str | None
    to_person_id: str | None
    decision_id: str | None
    record_ids: tuple[str, ...]


@dataclass(frozen=True)
class PersonExplanation:
    """A person as it is today. `asked_id` is the id or record that was asked for; where that id is retired, `person_id` is
    what it stands for today, or None where all its records were withdrawn. Links are weakest first.
    """

    asked_id: str
    person_id: str | None
    person_group_id: str | None
    is_retired: bool
    model_version: str
    records: tuple[ExplainedRecord, ...]
    links: tuple[Link, ...]
    withheld: tuple[Reason, ...]
    others: tuple[OtherPerson, ...]
    n_others: int
    history: tuple[Event, ...]


def explain_pair(
    index: Path, record_id: str, other_record_id: str, *, model: Path = MODEL
) -> PairExplanation:
    """Everything that made two nominals one person, or kept them apart.

    Raises NoIndex, OtherModel, Unknown, ValueError where both are one record, FileNotFoundError where there is no model.
    """
    with opened(index, model) as reading:
        keys = _record_keys(reading, record_id, other_record_id)
        gather(reading, keys)
        settings, [scored] = score_again(reading, [(keys[0], keys[1])])
        return _explained(reading, keys, settings, scored)


def explain_person(index: Path, asked_id: str, *, model: Path = MODEL) -> PersonExplanation:
    """What holds a person together, what it is near to, and what happened to its id. `asked_id` is a person id, in use or
    retired, or the id of one of its records.

    Raises NoIndex, OtherModel, Unknown, FileNotFoundError where there is no model.
    """
    with opened(index, model) as reading:
        person_id, is_retired = _resolved(reading, asked_id)
        found = reading.rows(
            f"SELECT record_key, person FROM standing.members WHERE person_id = {text_literal(person_id or '')} ORDER BY ALL"
        )
        history = _history(reading, {asked_id, person_id or asked_id})
        if not found:
            nobody: tuple[()] = ()
            return PersonExplanation(
                asked_id,
                None,
                None,
                is_retired,
                reading.model.version,
                nobody,
                nobody,
                nobody,
                nobody,
                0,
                history,
            )
        keys, person = [row[0] for row in found], found[0][1]
        gather(reading, keys)
        records = _records(reading, keys)
        links = _with_fields(reading, links_of(reading, person))
        others, n_others = _others(reading, person)
        return PersonExplanation(
            asked_id=asked_id,
            person_id=person_id,
            person_group_id=records[0].person_group_id,
            is_retired=is_retired,
            model_version=reading.model.version,
            records=tuple(sorted(records, key=lambda record: record.record_id)),
            links=links,
            withheld=why_withheld(reading, person),
            others=others,
            n_others=n_others,
            history=history,
        )


def waterfall(
    index: Path, record_id: str, other_record_id: str, *, model: Path = MODEL, show_values: bool = False
) -> str:
    """Splink's waterfall chart of a pair as one page of HTML that asks nothing of any network.

    Without `show_values` it holds no personal value. Same index and pair, same bytes. Raises as `explain_pair`.
    """
    from splink.internals.charts import WaterfallChart
    from splink.internals.html_utils import chart_html
    from splink.internals.waterfall_chart import records_to_waterfall_data

    with opened(index, model) as reading:
        keys = _record_keys(reading, record_id, other_record_id)
        settings, scored = score_again(reading, [(keys[0], keys[1])])
        told = records_to_waterfall_data(scored, settings, not show_values)  # type: ignore[no-untyped-call]
    chart = WaterfallChart(told, filter_nulls=True)
    spec = chart.chart_dict
    spec["title"] = {
        "text": f"{record_id} and {other_record_id}",
        "subtitle": "Bits that each comparison adds to the match weight, before the guards",
    }
    # One pair: nothing to slide through.
    del spec["params"][0]["bind"]
    # The chart's menu would hand its data to an editor on another site.
    spec["usermeta"] = {"embedOptions": {"actions": False}}
    page = chart_html(spec, inline=True, fullhtml=True)  # type: ignore[no-untyped-call]
    page = re.sub("splink-chart-[0-9a-f]{32}", "waterfall", page)
    return page.replace("<title>", f"{_NO_NETWORK}<title>", 1)


# A browser then refuses whatever a library of the page might ask for. Vega makes its expressions into functions.
_NO_NETWORK = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
    "script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data:\">"
)


def _record_keys(reading: Reading, *record_ids: str) -> list[int]:
    if len(set(record_ids)) < len(record_ids):
        raise ValueError("a pair is two records; the same one was named twice")
    keys = []
    for record_id in record_ids:
        found = reading.rows(
            f"SELECT record_key FROM standing.person_features WHERE record_id = {text_literal(record_id)}"
        )
        if not found:
            raise Unknown(_not_standing(reading, record_id))
        keys.append(found[0][0])
    return keys


def _not_standing(reading: Reading, record_id: str) -> str:
    if reading.rows(f"SELECT 1 FROM standing.ledger WHERE record_id = {text_literal(record_id)} LIMIT 1"):
        return f"record {record_id} was withdrawn and is nobody's today"
    return f"the index knows no record {record_id}; record ids are written FORCE|REFERENCE"


def _resolved(reading: Reading, asked_id: str) -> tuple[str | None, bool]:
    """The person id of today that an id or a record stands for, and whether the id that was asked for is retired."""
    asked = text_literal(asked_id)
    if reading.rows(f"SELECT 1 FROM standing.members WHERE person_id = {asked} LIMIT 1"):
        return asked_id, False
    if found := reading.rows(
        f"SELECT person_id FROM standing.members JOIN standing.person_features USING (record_key) WHERE record_id = {asked}"
    ):
        return found[0][0], False
    if reading.rows(f"SELECT 1 FROM standing.identities WHERE person_id = {asked}"):
        [(now,)] = reading.rows(
            f"SELECT person_id FROM ({resolution_sql('standing.ledger')}) WHERE issued_id = {asked}"
        )
        return now, True
    if asked_id.startswith("G") and (
        persons := reading.rows(f"""
            SELECT DISTINCT person_id FROM standing.members
            WHERE person_group IN (SELECT person_group FROM standing.members WHERE person_id = {text_literal("P" + asked_id[1:])})
            ORDER BY ALL
        """)
    ):
        raise Unknown(
            f"{asked_id} is a group; name one of its persons: {', '.join(row[0] for row in persons)}"
        )
    if "|" in asked_id:
        raise Unknown(_not_standing(reading, asked_id))
    raise Unknown(f"no person ever bore the id {asked_id}")


def _explained(
    reading: Reading, keys: Sequence[int], settings: Settings, scored: dict[str, Any]
) -> PairExplanation:
    left, right = min(keys), max(keys)
    stored = reading.rows(f"SELECT evidence FROM near WHERE record_key_l = {left} AND record_key_r = {right}")
    weight = scored["match_weight"]
    evidence = weight - reading.prior
    reading.connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE explained AS
        SELECT {left} AS record_key_l, {right} AS record_key_r, {evidence!r}::DOUBLE AS evidence
    """)
    [(veto, guarded)] = reading.rows(
        f"SELECT veto, {reading.guarded_weight_sql()} FROM ({veto_sql('explained', 'explained_features')})"
    )
    decisions = reading.rows(f"""
        SELECT decision_id, kind FROM standing.decisions
        WHERE record_key_l = {left} AND record_key_r = {right} ORDER BY ALL
    """)
    one, other = _records(reading, keys)
    together, reasons, chain = today(reading, keys, guarded, bool(stored))
    [(probability,)] = reading.rows(
        f"SELECT {probability_sql(f'({guarded!r}::DOUBLE)', reading.model.calibration)}"
    )
    return PairExplanation(
        records=(one, other),
        n_records=reading.n_records,
        model_version=reading.model.version,
        prior_weight=reading.prior,
        fields=fields_of(reading, settings, scored),
        match_weight=weight,
        guard=guard_of(veto, weight, guarded),
        guarded_weight=guarded,
        probability=float(probability),
        is_calibrated=bool(reading.model.calibration),
        keys=shared_keys(reading),
        stored_evidence=stored[0][0] if stored else None,
        decisions=tuple(decisions),
        together=together,
        reasons=reasons,
        chain=chain,
    )


def _records(reading: Reading, keys: Sequence[int]) -> list[ExplainedRecord]:
    """The records of these keys, in their order."""
    listed = ", ".join(map(str, keys))
    # The first of a list is the nominal's own, which has a column of its own.
    values = ", ".join(
        f"array_to_string(CAST({column}[2:] AS VARCHAR[]), ', ')"
        if column in _LISTS
        else f"CAST({column} AS VARCHAR)"
        for column in VALUE_COLUMNS
    )
    rows = reading.rows(f"""
        WITH their_groups AS (
            SELECT * FROM standing.members
            WHERE person_group IN (SELECT person_group FROM standing.members WHERE record_key IN ({listed}))
        ),
        group_ids AS (
            {group_ids_sql("their_groups")}
        )
        SELECT record_key, record_id, person_id, person_group_id, [{values}] AS said
        FROM standing.person_features
        JOIN standing.members USING (record_key)
        JOIN group_ids USING (person_group)
        WHERE record_key IN ({listed})
    """)
    found = {
        key: ExplainedRecord(
            record_id,
            record_id.split("|")[0] if "|" in record_id else None,
            person_id,
            group_id,
            {name: value or "" for name, value in zip(VALUE_COLUMNS, said, strict=True)},
        )
        for key, record_id, person_id, group_id, said in rows
    }
    return [found[key] for key in keys]


def _with_fields(reading: Reading, links: Sequence[tuple[int, int, Link]]) -> tuple[Link, ...]:
    """The links with what each comparison says, scored all at once."""
    if not links:
        return ()
    settings, scored = score_again(reading, [(left, right) for left, right, _ in links])
    fields = {(row["record_key_l"], row["record_key_r"]): fields_of(reading, settings, row) for row in scored}
    return tuple(replace(link, fields=fields[left, right]) for left, right, link in links)


def _others(reading: Reading, person: int) -> tuple[tuple[OtherPerson, ...], int]:
    """The persons nearest to one, those of its group first, and how many there are."""
    thresholds = reading.model.thresholds
    rows = reading.rows(f"""
        WITH sided AS (
            SELECT *, CASE person_l WHEN {person} THEN person_r ELSE person_l END AS other,
                person_group_l = person_group_r AS same_group
            FROM near
            WHERE (person_l = {person}) <> (person_r = {person})
        ),
        nearest AS (
            SELECT * FROM sided
            WHERE same_group OR guarded_weight >= {thresholds.review}
                OR (veto IS NOT NULL AND match_weight >= {thresholds.person_group})
            QUALIFY row_number() OVER (
                PARTITION BY other ORDER BY guarded_weight DESC, match_weight DESC, record_key_l, record_key_r
            ) = 1
        )
        SELECT other, person_id, same_group, least(l.record_id, r.record_id), greatest(l.record_id, r.record_id), match_weight, guarded_weight, veto, count(*) OVER ()
        FROM nearest
        JOIN standing.person_features AS l ON l.record_key = record_key_l
        JOIN standing.person_features AS r ON r.record_key = record_key_r
        JOIN (SELECT DISTINCT person AS other, person_id FROM standing.members) USING (other)
        ORDER BY same_group DESC, guarded_weight DESC, match_weight DESC, person_id
        LIMIT {N_NEAREST}
    """)
    others = tuple(
        OtherPerson(
            person_id,
            same_group,
            (record_id_l, record_id_r),
            weight,
            guarded,
            veto,
            kept_apart(reading, "person", person, other),
        )
        for other, person_id, same_group, record_id_l, record_id_r, weight, guarded, veto, _ in rows
    )
    return others, rows[0][-1] if rows else 0


def _history(reading: Reading, person_ids: Iterable[str]) -> tuple[Event, ...]:
    named = text_list(sorted(person_ids))
    rows = reading.rows(f"""
        SELECT run_no, any_value(as_of), event, cause, from_person_id, to_person_id, decision_id, list(record_id ORDER BY record_id)
        FROM standing.ledger
        WHERE from_person_id IN ({named}) OR to_person_id IN ({named})
        GROUP BY run_no, event, cause, from_person_id, to_person_id, decision_id
        ORDER BY run_no, event, cause, from_person_id, to_person_id, decision_id
    """)
    return tuple(Event(*facts, record_ids=tuple(record_ids)) for *facts, record_ids in rows)
