"""What forbids two nominals from being one person however well the rest agrees: the guards on a pair.

Scores add up evidence; a veto says that one contradiction outweighs the sum. Each is a condition over two rows
of `person_features` (`l` and `r`), the weight the pair is capped at, and whether it is *hard*: no cluster may hold
two records that a hard veto stands between, whoever else links them.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Veto:
    """One guard: `condition` is SQL over `l`, `r` and the named facts of `FACTS`. It takes `discount` off a pair's match
    weight and holds it down to `cap`, both in bits. `national`: the pair is weighed as in a whole nation's file, however
    small the one at hand. `sentence` says what it found.
    """

    name: str
    condition: str
    cap: float = math.inf
    hard: bool = False
    discount: float = 0.0
    national: bool = False
    sentence: str = field(kw_only=True)


# Facts the guards share, each read by the later ones and by the guards. Null-safe: a fact that cannot be established is
# false. A CASE stops at the first answer, so the costly comparisons are made only where the cheap ones leave a doubt.
FACTS: dict[str, str] = {
    "same_number": "coalesce(l.pnc_id = r.pnc_id, false) OR coalesce(l.cro_number = r.cro_number, false)",
    "same_phone": "coalesce(l.phone = r.phone, false)",
    "same_district": "coalesce(l.postcode_district = r.postcode_district, false)",
    "forename_compatible": """
        CASE
            WHEN l.forename_key = r.forename_key OR l.forename_sound = r.forename_sound THEN true
            WHEN l.forename_1 IS NULL OR r.forename_1 IS NULL THEN true
            WHEN starts_with(l.forename_1, r.forename_1) OR starts_with(r.forename_1, l.forename_1) THEN true
            WHEN damerau_levenshtein(l.forename_1, r.forename_1) <= 1 THEN true
            WHEN l.forename_1 = r.surname OR l.surname = r.forename_1 THEN true
            WHEN list_contains(string_split(l.middle_names, ' '), r.forename_1) THEN true
            WHEN list_contains(string_split(r.middle_names, ' '), l.forename_1) THEN true
            ELSE list_has_any(l.full_names, r.full_names)
        END
    """,
    "birth_date_compatible": """
        CASE
            WHEN l.date_of_birth = r.date_of_birth THEN true
            WHEN l.date_of_birth IS NULL OR r.date_of_birth IS NULL THEN true
            WHEN l.birth_year = r.birth_year AND (
                month(l.date_of_birth) = month(r.date_of_birth)
                OR day(l.date_of_birth) = day(r.date_of_birth)
                OR (month(l.date_of_birth) = day(r.date_of_birth) AND day(l.date_of_birth) = month(r.date_of_birth))
            ) THEN true
            WHEN month(l.date_of_birth) = month(r.date_of_birth)
                AND day(l.date_of_birth) = day(r.date_of_birth)
                AND abs(l.birth_year - r.birth_year) <= 10 THEN true
            WHEN list_has_any(l.birth_dates, r.birth_dates) THEN true
            ELSE damerau_levenshtein(l.birth_digits, r.birth_digits) <= 1
        END
    """,
    "birth_date_unknown": "l.date_of_birth IS NULL OR r.date_of_birth IS NULL",
    "sexes_differ": "coalesce(l.sex <> r.sex, false)",
}

VETOES: tuple[Veto, ...] = (
    # Two PNC ids are two people, unless the fingerprint number says that one of them was mistyped.
    Veto(
        "pnc_differs",
        "coalesce(l.pnc_id <> r.pnc_id, false) AND l.pnc_is_sound AND r.pnc_is_sound AND NOT coalesce(l.cro_number = r.cro_number, false)",
        -14,
        hard=True,
        sentence="Two PNC ids, each with the right check letter, and no CRO number that agrees: these are two people.",
    ),
    Veto(
        "cro_differs",
        "coalesce(l.cro_number <> r.cro_number, false) AND l.cro_is_sound AND r.cro_is_sound AND NOT coalesce(l.pnc_id = r.pnc_id, false)",
        -8,
        sentence="Two CRO numbers, each with the right check letter, and no PNC id that agrees.",
    ),
    # A number shared by people who have nothing else in common was keyed on to the wrong one of them.
    Veto(
        "number_alone_agrees",
        "same_number AND NOT birth_date_compatible AND NOT forename_compatible",
        -8,
        sentence="A PNC id or CRO number agrees, but neither forename nor birth date does: it was keyed on to the wrong person.",
    ),
    # Brothers, fathers and partners share surname, home and phone: the forename is what tells them apart.
    Veto(
        "forename_differs",
        "CASE WHEN same_number OR forename_compatible THEN false"
        " ELSE coalesce(jaro_winkler_similarity(l.forename_1, r.forename_1) < 0.80, false) END",
        -8,
        sentence="The forenames differ and no number agrees: relatives share surname, home and telephone.",
    ),
    # JASON and JAYDEN, born on one day to one family: close enough in letters to pass for a misspelling.
    Veto(
        "like_named_twin",
        "NOT same_number AND NOT forename_compatible"
        " AND coalesce(l.date_of_birth = r.date_of_birth AND l.surname = r.surname, false)",
        -8,
        sentence="Same surname and birth date, two forenames that are only alike, and no number agrees: these may be twins.",
    ),
    Veto(
        "birth_date_differs",
        "NOT same_number AND NOT birth_date_compatible",
        -8,
        sentence="The birth dates differ by more than a slip of the pen, and no number agrees.",
    ),
    Veto(
        "sex_and_forename_differ",
        "sexes_differ AND coalesce(l.forename_1 <> r.forename_1, false) AND NOT same_number",
        -8,
        sentence="The sexes and the forenames differ, and no number agrees.",
    ),
    # Without a birth date a father and a son of one name are one record; only a number parts them. Such a
    # record waits until it is seen whether one person claims it or two (`resolution.py`).
    Veto(
        "birth_date_unknown",
        "birth_date_unknown AND NOT same_number",
        3,
        sentence="A birth date is not known and no number agrees: father and son of one name would look like this.",
    ),
    # Namesakes born on one day exist, in a small file as in a large one: where nothing agrees that is not of the name,
    # only a rare name makes a person.
    Veto(
        "name_and_birth_date_alone",
        "NOT (same_number OR same_phone OR same_district)",
        discount=3,
        national=True,
        sentence="No number, telephone or postcode district agrees, and namesakes born on one day exist.",
    ),
)

HARD_VETOES = frozenset(veto.name for veto in VETOES if veto.hard)


# A column of one of the two records, as conditions write it.
_SIDE = re.compile(r"\b([lr])\.(\w+)")


def veto_columns() -> list[str]:
    """The columns of a record that the guards read, sorted."""
    conditions = [*FACTS.values(), *(veto.condition for veto in VETOES)]
    return sorted({column for condition in conditions for _, column in _SIDE.findall(condition)})


def veto_facts_sql(left: str, right: str) -> str:
    """The facts of `FACTS` as named columns. `left` and `right` say how a column of either record is written: "{}_l"."""
    return ", ".join(f"({_sided(condition, left, right)}) AS {name}" for name, condition in FACTS.items())


def veto_name_sql(left: str, right: str) -> str:
    """SQL for the name of the first guard that applies, or null, beside `veto_facts_sql`."""
    names = " ".join(f"WHEN {_sided(veto.condition, left, right)} THEN '{veto.name}'" for veto in VETOES)
    return f"CASE {names} END"


def _sided(condition: str, left: str, right: str) -> str:
    written = {"l": left, "r": right}
    return _SIDE.sub(lambda found: written[found[1]].format(found[2]), condition)


def veto_sql(pairs: str, features: str) -> str:
    """A select over table `pairs` (record_key_l, record_key_r, ...): its columns, and the first `veto` that applies or null."""
    return f"""
        SELECT * EXCLUDE ({", ".join(FACTS)})
        FROM (
            SELECT pairs.*, {veto_facts_sql("l.{}", "r.{}")}, {veto_name_sql("l.{}", "r.{}")} AS veto
            FROM {pairs} AS pairs
            JOIN {features} AS l ON l.record_key = pairs.record_key_l
            JOIN {features} AS r ON r.record_key = pairs.record_key_r
        )
    """


def guarded_weight_sql(evidence: str, prior: float, national_prior: float) -> str:
    """SQL for a pair's match weight, in bits, after what its `veto` does to it."""
    held_down = "\n".join(
        f"WHEN '{veto.name}' THEN"
        f" least({evidence} + {(national_prior if veto.national else prior) - veto.discount}, '{veto.cap}'::DOUBLE)"
        for veto in VETOES
    )
    return f"CASE veto {held_down} ELSE {evidence} + {prior} END"
