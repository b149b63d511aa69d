"""Why records are one person, why two persons are two, and why one is withheld: codes for programs, sentences for people.

It says what `resolution.py` did and does nothing itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from assets.linkage.explaining.pair_evidence import FieldEvidence
from assets.linkage.explaining.reading import Reading
from assets.linkage.model import Thresholds
from assets.linkage.splink_session import text_literal
from assets.linkage.vetoes import HARD_VETOES, VETOES

_REVIEWS = {
    "too_many_records": "It has more than {greatest_n_records} records.",
    "two_sexes": "Its records say two sexes.",
    "birth_dates_far_apart": "Its birth dates lie more than {greatest_birth_date_spread_years} years apart.",
    "tied_to_another_person": "A pair worth {person:.0f} bits or more ties it to another person.",
}


Level = Literal["person", "person_group"]


@dataclass(frozen=True)
class Reason:
    """Why two records are one person or are not. `code` is for programs, `sentence` for people."""

    code: str
    sentence: str


@dataclass(frozen=True)
class Guard:
    """The veto that applies to a pair, what it found, and what it did to the weight, in words."""

    name: str
    sentence: str
    effect: str
    hard: bool


@dataclass(frozen=True)
class Link:
    """Two records that a person hangs together by. `held_by` is `score`, `decision` (by people), or `claim`: one of the two
    has no birth date, and no other person claims it. `bits` is the weight after the guards.
    """

    record_id_l: str
    record_id_r: str
    bits: float
    held_by: Literal["score", "decision", "claim"]
    decision_id: str | None
    guard: str | None
    fields: tuple[FieldEvidence, ...] = ()


def guard_of(veto: str | None, weight: float, guarded: float) -> Guard | None:
    """What a veto did to a match weight; None where there is no veto."""
    for known in VETOES:
        if known.name == veto:
            if weight - guarded < 1e-9:
                effect = "The weight is low enough as it is: this changes nothing."
            elif guarded == known.cap:
                effect = f"The weight is held down from {weight:.1f} to {guarded:.1f} bits."
            else:
                effect = f"{weight - guarded:.1f} bits are taken off, which leaves {guarded:.1f}."
                if known.national:
                    effect += " However small the file, the pair is weighed as in a nation's."
            if known.hard:
                effect += " No person may hold both records, whoever else links them."
            return Guard(known.name, known.sentence, effect, known.hard)
    return None


def _sentence(veto: str) -> str:
    return next(known.sentence for known in VETOES if known.name == veto)


def today(
    reading: Reading, keys: Sequence[int], guarded: float, is_stored: bool
) -> tuple[Literal["one_person", "one_group", "apart"], tuple[Reason, ...], tuple[Link, ...]]:
    """What two records are to each other today, why, and the chain of links between them where they are one person."""
    members = {
        key: (person, group)
        for key, person, group in reading.rows(
            f"SELECT record_key, person, person_group FROM standing.members WHERE record_key IN ({keys[0]}, {keys[1]})"
        )
    }
    (person, group), (other_person, other_group) = members[keys[0]], members[keys[1]]
    if person == other_person:
        chain = _chain(reading, person, keys)
        return "one_person", (_held_together(chain, guarded, reading.model.thresholds),), chain
    reasons = [kept_apart(reading, "person", person, other_person)]
    if group != other_group:
        reasons.append(kept_apart(reading, "person_group", group, other_group))
        if guarded >= reading.model.thresholds.person_group and not is_stored:
            reasons.append(
                Reason("shares_no_key", "This pair is strong, but shares no key by which a run finds pairs.")
            )
    # What keeps the persons apart often keeps their groups apart too, and is said once.
    said = {reason.code: reason for reason in reversed(reasons)}
    return ("one_group" if group == other_group else "apart"), tuple(reversed(said.values())), ()


def _chain(reading: Reading, person: int, keys: Sequence[int]) -> tuple[Link, ...]:
    """The links that lead from one record to the other, each in the direction it is walked."""
    links = links_of(reading, person)
    by_ends = {frozenset((left, right)): link for left, right, link in links}
    chain, at = (
        [],
        reading.rows(f"SELECT record_id FROM standing.person_features WHERE record_key = {keys[0]}")[0][0],
    )
    for step in _path([(left, right) for left, right, _ in links], keys[0], keys[1]):
        link = by_ends[frozenset(step)]
        if link.record_id_l != at:
            link = replace(link, record_id_l=link.record_id_r, record_id_r=link.record_id_l)
        chain.append(link)
        at = link.record_id_r
    return tuple(chain)


def links_of(reading: Reading, person: int) -> list[tuple[int, int, Link]]:
    """The tree of a person, weakest first, with the keys of its ends."""
    decided = reading.rows(f"""
        SELECT record_key_l, record_key_r, decision_id FROM standing.decisions
        JOIN standing.members ON record_key = record_key_l
        WHERE kind = 'must_link' AND person = {person} ORDER BY decision_id
    """)
    rows = reading.rows(f"""
        SELECT
            record_key_l, record_key_r,
            least(l.record_id, r.record_id) AS record_id_l, greatest(l.record_id, r.record_id) AS record_id_r,
            guarded_weight, veto
        FROM standing.links
        JOIN near USING (record_key_l, record_key_r)
        JOIN standing.person_features AS l ON l.record_key = record_key_l
        JOIN standing.person_features AS r ON r.record_key = record_key_r
        WHERE links.person = {person}
        ORDER BY guarded_weight, record_id_l, record_id_r
    """)
    links = []
    for left, right, record_id_l, record_id_r, bits, veto in rows:
        held_by: Literal["score", "decision", "claim"] = "score"
        decision_id = None
        # Two that are decided to be a third's person are decided to be one.
        if path := _path([(row[0], row[1]) for row in decided], left, right):
            held_by = "decision"
            decision_id = next(row[2] for row in decided if {row[0], row[1]} == set(path[0]))
        elif bits < reading.model.thresholds.person:
            held_by = "claim"
        links.append((left, right, Link(record_id_l, record_id_r, bits, held_by, decision_id, veto)))
    return links


def _path(edges: Iterable[tuple[int, int]], start: int, end: int) -> list[tuple[int, int]]:
    """The shortest way from one node to another, as edges in the order they are walked; empty where there is none."""
    neighbours: dict[int, list[int]] = {}
    for one, other in edges:
        neighbours.setdefault(one, []).append(other)
        neighbours.setdefault(other, []).append(one)
    came_from: dict[int, int] = {start: start}
    waiting = deque([start])
    while waiting and end not in came_from:
        here = waiting.popleft()
        for there in neighbours.get(here, []):
            if there not in came_from:
                came_from[there] = here
                waiting.append(there)
    walked = []
    while end in came_from and end != start:
        walked.append((came_from[end], end))
        end = came_from[end]
    return walked[::-1]


def _held_together(chain: Sequence[Link], guarded: float, thresholds: Thresholds) -> Reason:
    if len(chain) == 1:
        return Reason("linked_directly", f"They are linked directly: {held(chain[0])}.")
    n_between = len(chain) - 1
    sentence = (
        f"{n_between} other record{'s hold' if n_between > 1 else ' holds'} them together, by stronger links"
    )
    if guarded >= thresholds.person:
        return Reason("held_by_others", f"{sentence} than their own, which would do by itself.")
    return Reason("held_by_others", f"{sentence}; by themselves they would not be one person.")


def held(link: Link) -> str:
    """What a link rests on, in words."""
    if link.held_by == "decision":
        return f"decision {link.decision_id} says so"
    if link.held_by == "claim":
        return "one of the two has no birth date, and no other person claims it"
    return f"{link.bits:.1f} bits"


def kept_apart(reading: Reading, level: Level, one: int, other: int) -> Reason:
    """Why two persons (or two groups) are two: what `resolution.py` met first when it looked at all pairs between them."""
    thresholds = reading.model.thresholds
    threshold, noun = (
        (thresholds.person, "person") if level == "person" else (thresholds.person_group, "group")
    )
    between = f"least({level}_l, {level}_r) = {min(one, other)} AND greatest({level}_l, {level}_r) = {max(one, other)}"
    if decisions := reading.rows(f"""
        SELECT decision_id FROM standing.decisions
        JOIN standing.members AS l ON l.record_key = record_key_l
        JOIN standing.members AS r ON r.record_key = record_key_r
        WHERE kind = 'cannot_link'
          AND least(l.{level}, r.{level}) = {min(one, other)} AND greatest(l.{level}, r.{level}) = {max(one, other)}
        ORDER BY decision_id
    """):
        return Reason("decision", f"Decision {decisions[0][0]} says that they are two people.")
    hard = ", ".join(text_literal(name) for name in sorted(HARD_VETOES))
    held_down = f"veto IS NOT NULL AND match_weight >= {threshold} AND guarded_weight < {threshold}"
    undated = f"veto = 'birth_date_unknown' AND match_weight >= {thresholds.person_group}"
    [(n_pairs, mean, best, hard_veto, veto, before, after, claim, left, right)] = reading.rows(f"""
        SELECT
            count(*), avg(guarded_weight), max(guarded_weight),
            min(veto) FILTER (veto IN ({hard})),
            arg_max(veto, match_weight) FILTER ({held_down}),
            max(match_weight) FILTER ({held_down}),
            arg_max(guarded_weight, match_weight) FILTER ({held_down}),
            max(match_weight) FILTER ({undated}),
            arg_max(record_key_l, match_weight) FILTER ({undated}),
            arg_max(record_key_r, match_weight) FILTER ({undated})
        FROM near WHERE {between}
    """)
    if not n_pairs:
        return Reason(
            "never_compared",
            "No run kept a pair between them: too little agrees, or they share no key by which pairs are found.",
        )
    if hard_veto:
        return Reason("hard_veto", f"{_sentence(hard_veto)} No {noun} may hold two such records.")
    if best < threshold and claim:
        n_known = thresholds.claimant_n_records if level == "person" else 1
        n_dated = _n_dated(reading, level, one, other)
        return _unclaimed(_n_claimants(reading, left, right), claim, threshold, noun, n_dated, n_known)
    if best < threshold and veto:
        return Reason(
            "guard",
            f"{_sentence(veto)} That takes the strongest pair between them from {before:.1f} to {after:.1f} bits;"
            f" one {noun} takes {threshold:.0f}.",
        )
    if best < threshold:
        return Reason(
            "too_weak",
            f"The strongest pair between them is worth {best:.1f} bits; one {noun} takes {threshold:.0f}.",
        )
    if mean < thresholds.mean_floor:
        return Reason(
            "mean_too_low",
            f"A pair between them is worth {best:.1f} bits, but the mean of all {n_pairs} is {mean:.1f}, below"
            f" {thresholds.mean_floor:.0f}: one strong pair does not carry two {noun}s into one.",
        )
    # Only what was joined last, on a claim, can lift a mean above the floor after the joining was over.
    return Reason(
        "joined_too_late",
        f"Nothing stands between them any more, but records joined them after the {noun}s were made.",
    )


def _unclaimed(
    n_claimants: int, claim: float, threshold: float, noun: str, n_dated: int, n_known: int
) -> Reason:
    """Why a record without a birth date was not given to a person who claims it."""
    if n_claimants > 1:
        return Reason(
            "claimed_by_several",
            f"A record without a birth date is claimed by {n_claimants} people, so by none.",
        )
    if claim < threshold:
        return Reason(
            "too_weak",
            f"A record without a birth date is claimed by {claim:.1f} bits; one {noun} takes {threshold:.0f}.",
        )
    if n_dated < n_known:
        records = "one record" if n_dated == 1 else f"{n_dated} records"
        return Reason(
            "claimant_hardly_known",
            f"A record without a birth date is claimed by a person who is hardly known: by {records} with a birth date,"
            f" and it takes {n_known}.",
        )
    return Reason(
        "guard", f"{_sentence('birth_date_unknown')} Without that the pair would be worth {claim:.1f} bits."
    )


def _n_claimants(reading: Reading, left: int, right: int) -> int:
    """How many persons claim the records without a birth date among these two."""
    [(n,)] = reading.rows(f"""
        WITH undated AS (
            SELECT record_key FROM standing.person_features
            WHERE record_key IN ({left}, {right}) AND date_of_birth IS NULL
        ),
        claims AS (
            SELECT record_key_l AS record_key, record_key_r AS claimant_key, person_r AS claimant, match_weight, veto FROM near
            UNION ALL
            SELECT record_key_r, record_key_l, person_l, match_weight, veto FROM near
        )
        SELECT count(DISTINCT claimant)
        FROM claims
        SEMI JOIN undated USING (record_key)
        JOIN standing.person_features AS claimants ON claimants.record_key = claimant_key
        WHERE veto = 'birth_date_unknown' AND date_of_birth IS NOT NULL
          AND match_weight >= {reading.model.thresholds.person_group}
    """)
    return int(n)


def _n_dated(reading: Reading, level: Level, one: int, other: int) -> int:
    """How many records with a birth date the two persons (or groups) have: of a claim, one of them has none."""
    [(n,)] = reading.rows(f"""
        SELECT count(date_of_birth) FROM standing.members JOIN standing.person_features USING (record_key)
        WHERE {level} IN ({one}, {other})
    """)
    return int(n)


def why_withheld(reading: Reading, person: int) -> tuple[Reason, ...]:
    """Why a person may not be ranked before somebody has looked; nothing where it may."""
    rows = reading.rows(
        f"SELECT DISTINCT reason FROM standing.reviews WHERE person = {person} ORDER BY reason"
    )
    words = vars(reading.model.thresholds)
    return tuple(
        Reason(reason, _REVIEWS.get(reason, f"{reason.replace('_', ' ')}.").format(**words))
        for (reason,) in rows
    )
