"""An explanation as plain text for a terminal. Personal values are left out unless they are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from textwrap import indent, wrap

from assets.linkage.explaining.explanation import (
    Event,
    ExplainedRecord,
    OtherPerson,
    PairExplanation,
    PersonExplanation,
)
from assets.linkage.explaining.reasons import Link, held
from assets.linkage.linker import NO_DAY
from data_contracts.code_lists import attribute

WIDTH = 100
_TITLES = {
    "pnc_id": "PNC id",
    "cro_number": "CRO number",
    "identifiers": "PNC and CRO",
    "forename_1": "forename",
}
# Lists without their first item, which is a field of its own.
_TITLES |= {"full_names": "aliases", "birth_dates": "other birth dates", "postcodes": "earlier postcodes"}
_TOGETHER = {
    "one_person": "Today they are one person.",
    "one_group": "Today they are two persons of one group.",
    "apart": "Today they are two persons.",
}
_EVENTS = {
    "create": "founded on",
    "join": "joined by",
    "merge": "merged:",
    "split": "split:",
    "correct": "corrected and stayed:",
    "retire": "withdrawn:",
}


def pair_text(pair: PairExplanation, *, show_values: bool = False) -> str:
    """Who the two are today and why, then every part of the weight between them."""
    one, other = pair.records
    lines = [f"{_named(one)}  and  {_named(other)}", "", _TOGETHER[pair.together]]
    lines += [
        f"  {record.record_id}: {record.person_id} of group {record.person_group_id}"
        for record in pair.records
    ]
    for reason in pair.reasons:
        lines += _sentence(reason.sentence)
    if len(pair.chain) > 1:
        lines += [f"    {link.record_id_l} - {link.record_id_r}: {held(link)}" for link in pair.chain]
    for decision_id, kind in pair.decisions:
        lines += _sentence(f"Decision {decision_id} about these two: {kind.replace('_', ' ')}.")
    lines += ["", "  bits", _bits(pair.prior_weight, f"to start with: any two of {pair.n_records:,} records")]
    for part in pair.fields:
        lines.append(_bits(part.bits, f"{_title(part.comparison)}: {part.says}"))
        if part.rarity:
            lines.append(f"{'':10}of these {part.rarity_bits:+.1f} for rarity: {part.rarity}")
    lines += ["  ------", _bits(pair.match_weight, "match weight")]
    if pair.guard:
        lines += _sentence(f"Guard: {pair.guard.sentence} {pair.guard.effect}", depth=10)
        lines.append(_bits(pair.guarded_weight, "after the guard"))
    source = "measured" if pair.is_calibrated else "as the model claims; it has not been calibrated"
    lines += ["", f"  Probability by this pair alone: {_probability(pair.probability)} ({source})."]
    keys = "; ".join(" + ".join(_title(column) for column in columns) for columns in pair.keys)
    lines += _sentence(f"Keys they share, by which a run finds the pair: {keys or 'none'}.")
    if pair.stored_evidence is None:
        lines += _sentence("The index holds no such pair; it was scored now, for this page.")
    lines.append(f"  Model {pair.model_version}.")
    if show_values:
        lines += ["", *_side_by_side(pair.records)]
    return "\n".join(lines)


def person_text(person: PersonExplanation, *, show_values: bool = False) -> str:
    """What holds a person together, what it is near to, and its history."""
    lines = [_who(person), ""]
    if person.records:
        lines.append(f"Records ({len(person.records)})")
        lines += [f"  {_named(record)}" for record in person.records]
        lines += ["", *_withheld(person), *_links(person), *_others(person)]
    lines += ["History"]
    lines += [line for event in person.history for line in _event(event)]
    lines += ["", f"Model {person.model_version}."]
    if show_values and person.records:
        lines += ["", *_one_by_one(person.records)]
    return "\n".join(lines)


def _who(person: PersonExplanation) -> str:
    if person.person_id is None:
        return f"{person.asked_id} is retired and stands for nobody: all its records were withdrawn."
    today = f"{person.person_id} of group {person.person_group_id}"
    if person.is_retired:
        return f"{person.asked_id} is retired; today it stands for {today}."
    return f"{person.asked_id} is {today}." if person.asked_id != person.person_id else f"Person {today}"


def _withheld(person: PersonExplanation) -> list[str]:
    if not person.withheld:
        return ["Not withheld: it may be ranked.", ""]
    sentences = [line for reason in person.withheld for line in _sentence(reason.sentence)]
    return ["Withheld from every list until somebody has looked", *sentences, ""]


def _links(person: PersonExplanation) -> list[str]:
    if not person.links:
        return ["One record: nothing has to hold it together.", ""]
    lines = ["Links that hold them together, weakest first: without any one of them the person falls in two"]
    for number, link in enumerate(person.links):
        weakest = "  <- the weakest" if number == 0 and len(person.links) > 1 else ""
        lines.append(f"  {link.record_id_l} - {link.record_id_r}: {held(link)}{weakest}")
        lines += _sentence(_main_parts(link), depth=4)
    return [*lines, ""]


def _main_parts(link: Link) -> str:
    """What counted most for a link, and all that counted against it."""
    parts = sorted((part for part in link.fields if round(part.bits, 1)), key=lambda part: -part.bits)
    return "; ".join(f"{_title(part.comparison)}: {part.says} {part.bits:+.1f}" for part in parts)


def _others(person: PersonExplanation) -> list[str]:
    if not person.others:
        return ["No other person is near.", ""]
    more = f", {len(person.others)} of {person.n_others}" if person.n_others > len(person.others) else ""
    lines = [f"Other persons near, nearest first{more}"]
    for other in person.others:
        lines += [f"  {other.person_id}{' (same group)' if other.same_group else ''}: {_tie(other)}"]
        lines += _sentence(f"Two persons: {other.kept_apart.sentence}", depth=4)
    return [*lines, ""]


def _tie(other: OtherPerson) -> str:
    after = f", {other.guarded_weight:.1f} after the guard" if other.guard else ""
    return f"{other.record_ids[0]} - {other.record_ids[1]}, {other.match_weight:.1f} bits{after}"


def _event(event: Event) -> list[str]:
    n = len(event.record_ids)
    records = f"{n} record{'s' if n > 1 else ''}"
    between = ""
    if event.from_person_id and event.to_person_id and event.from_person_id != event.to_person_id:
        between = f" from {event.from_person_id} to {event.to_person_id}"
    because = f"decision {event.decision_id}" if event.decision_id else event.cause.replace("_", " ")
    return wrap(
        f"{_when(event.run_no, event.as_of)}  {_EVENTS[event.event]} {records}{between} ({because})",
        WIDTH,
        initial_indent="  ",
        subsequent_indent="      ",
    )


def _when(run_no: int, as_of: datetime) -> str:
    return f"run {run_no}" if as_of == NO_DAY else f"{as_of:%Y-%m-%d} (run {run_no})"


def _named(record: ExplainedRecord) -> str:
    force = attribute("forces", "short_name").get(record.force_code or "")
    return f"{record.record_id} ({force})" if force else record.record_id


def _title(column: str) -> str:
    return _TITLES.get(column, column.replace("_", " "))


def _bits(bits: float, words: str) -> str:
    return f"  {bits:+6.1f}  {words}"


def _probability(probability: float) -> str:
    return (
        "over 99.99%"
        if probability > 0.9999
        else "under 0.01%"
        if probability < 0.0001
        else f"{probability:.2%}"
    )


def _sentence(sentence: str, depth: int = 2) -> list[str]:
    return wrap(sentence, WIDTH, initial_indent=" " * depth, subsequent_indent=" " * depth)


def _side_by_side(records: Sequence[ExplainedRecord]) -> list[str]:
    one, other = records
    width = max(28, len(one.record_id), *(len(value) for value in one.values.values()))
    lines = ["What the two say (personal)", f"  {'':<18}{one.record_id:<{width}}  {other.record_id}"]
    for name, value in one.values.items():
        mark = "=" if value and value == other.values[name] else " "
        lines.append(f"{mark} {_title(name):<18}{value:<{width}}  {other.values[name]}".rstrip())
    return lines


def _one_by_one(records: Iterable[ExplainedRecord]) -> list[str]:
    lines = ["What the records say (personal)"]
    for record in records:
        said = "\n".join(f"{_title(name):<18}{value}" for name, value in record.values.items() if value)
        lines += [f"  {_named(record)}", indent(said, "    ")]
    return lines
