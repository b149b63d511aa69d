"""What forbids two nominals from being one person however well the rest agrees: the guards on a pair.

Scores add up evidence; a veto says that one contradiction outweighs the sum. Each is a condition over two rows
of `person_features` (`l` and `r`), the weight the pair is capped at, and whether it is *hard*: no cluster may hold
two records that a hard veto stands between, whoever else links them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Veto:
    """One guard: `condition` is SQL over `l`, `r` and the named facts of `FACTS`; `cap` is in bits of match weight."""

    name: str
    condition: str
    cap: float
    hard: bool = False


# Facts the guards share. Null-safe: a fact that cannot be established is false.
FACTS: dict[str, str] = {
    "same_number": "coalesce(l.pnc_id = r.pnc_id, false) OR coalesce(l.cro_number = r.cro_number, false)",
    "same_phone": "coalesce(l.phone = r.phone, false)",
    "same_district": "coalesce(l.postcode_district = r.postcode_district, false)",
    "forename_written_alike": """
        l.forename_1 IS NULL OR r.forename_1 IS NULL
        OR l.forename_key = r.forename_key
        OR l.forename_sound = r.forename_sound
        OR starts_with(l.forename_1, r.forename_1)
        OR starts_with(r.forename_1, l.forename_1)
        OR damerau_levenshtein(l.forename_1, r.forename_1) <= 1
    """,
    "forename_found_elsewhere": """
        coalesce(list_contains(string_split(l.middle_names, ' '), r.forename_1), false)
        OR coalesce(list_contains(string_split(r.middle_names, ' '), l.forename_1), false)
        OR coalesce(l.forename_1 = r.surname OR l.surname = r.forename_1, false)
        OR list_has_any(l.full_names, r.full_names)
    """,
    "forename_close": "coalesce(jaro_winkler_similarity(l.forename_1, r.forename_1) >= 0.80, true)",
    "birth_date_compatible": """
        l.date_of_birth IS NULL OR r.date_of_birth IS NULL
        OR list_has_any(l.birth_dates, r.birth_dates)
        OR damerau_levenshtein(l.birth_digits, r.birth_digits) <= 1
        OR (
            l.birth_year = r.birth_year
            AND (
                month(l.date_of_birth) = month(r.date_of_birth)
                OR day(l.date_of_birth) = day(r.date_of_birth)
                OR (month(l.date_of_birth) = day(r.date_of_birth) AND day(l.date_of_birth) = month(r.date_of_birth))
            )
        )
        OR (
            month(l.date_of_birth) = month(r.date_of_birth)
            AND day(l.date_of_birth) = day(r.date_of_birth)
            AND abs(l.birth_year - r.birth_year) <= 10
        )
    """,
    "birth_date_unknown": "l.date_of_birth IS NULL OR r.date_of_birth IS NULL",
    "sexes_differ": "coalesce(l.sex <> r.sex, false)",
}

VETOES: tuple[Veto, ...] = (
    # Two PNC ids are two people, unless the fingerprint number says that one of them was mistyped.
    Veto(
        "pnc_differs",
        "coalesce(l.pnc_id <> r.pnc_id, false) AND NOT coalesce(l.cro_number = r.cro_number, false)",
        -14,
        hard=True,
    ),
    Veto(
        "cro_differs",
        "coalesce(l.cro_number <> r.cro_number, false) AND NOT coalesce(l.pnc_id = r.pnc_id, false)",
        -8,
    ),
    # A number shared by people who have nothing else in common was keyed on to the wrong one of them.
    Veto(
        "number_alone_agrees",
        "same_number AND NOT birth_date_compatible AND NOT (forename_written_alike OR forename_found_elsewhere)",
        -8,
    ),
    # Brothers, fathers and partners share surname, home and phone: the forename is what tells them apart.
    Veto(
        "forename_differs",
        "NOT same_number AND NOT (forename_written_alike OR forename_found_elsewhere) AND NOT forename_close",
        -8,
    ),
    # JASON and JAYDEN, born on one day to one family: close enough in letters to pass for a misspelling.
    Veto(
        "like_named_twin",
        "NOT same_number AND NOT (forename_written_alike OR forename_found_elsewhere)"
        " AND coalesce(l.date_of_birth = r.date_of_birth AND l.surname = r.surname, false)",
        -8,
    ),
    Veto("birth_date_differs", "NOT same_number AND NOT birth_date_compatible", -8),
    Veto(
        "sex_and_forename_differ",
        "sexes_differ AND coalesce(l.forename_1 <> r.forename_1, false) AND NOT same_number",
        -8,
    ),
    # Without a birth date a father and a son of one name are one record; only a number or a phone parts them.
    Veto("birth_date_unknown", "birth_date_unknown AND NOT same_number AND NOT same_phone", 3),
    # Namesakes born on one day exist. Name and birth date alone may suggest a person, below the strict threshold, but
    # something that is not of the name must agree before anybody is put on a list.
    Veto("name_and_birth_date_alone", "NOT (same_number OR same_phone OR same_district)", 15),
)


def pair_verdict_sql(pairs: str) -> str:
    """A select over table `pairs`, one row a pair: all its columns, then `veto` (the first that applies, or null; a
    soft one only where the weight exceeds its cap), `hard_veto`, and `evidence_weight`, the match weight after the cap.
    """
    facts = ",\n".join(f"({condition}) AS {name}" for name, condition in FACTS.items())
    names = "\n".join(
        f"WHEN ({veto.condition})"
        + ("" if veto.hard else f" AND pairs.match_weight > {veto.cap}")
        + f" THEN '{veto.name}'"
        for veto in VETOES
    )
    caps = "\n".join(f"WHEN '{veto.name}' THEN {float(veto.cap)}" for veto in VETOES)
    hard = ", ".join(f"'{veto.name}'" for veto in VETOES if veto.hard)
    return f"""
        WITH facts AS (
            SELECT pairs, l, r, {facts}
            FROM {pairs} AS pairs
            JOIN person_features AS l ON l.record_key = pairs.record_key_l
            JOIN person_features AS r ON r.record_key = pairs.record_key_r
        ),
        verdicts AS (
            SELECT pairs, CASE {names} END AS veto
            FROM facts
        )
        SELECT
            unnest(pairs),
            veto,
            coalesce(veto IN ({hard}), false) AS hard_veto,
            least(pairs.match_weight, CASE veto {caps} ELSE 'infinity'::DOUBLE END) AS evidence_weight
        FROM verdicts
    """
