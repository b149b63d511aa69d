"""For each rule on rows, one violation and one near miss: the smallest change to the clean submission.

A change is a list of steps: `put` fills or blanks cells of a row, `add` adds a row, `cut` takes one
out. `also` names rules that the violation cannot but break too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.data_contracts.clean import FORCE, OTHER_FORCE, Tables

Step = Callable[[Tables], None]


@dataclass(frozen=True)
class Pair:
    """A planted violation and its near miss, both as steps from the clean submission."""

    plant: list[Step]
    near: list[Step]
    also: set[str] = field(default_factory=set)


def put(extract: str, row: int, /, **cells: str) -> Step:
    """Fill cells of a row; an empty text blanks the cell."""
    return lambda tables: tables[extract][row].update(cells)


def add(extract: str, like: int | None = None, /, **cells: str) -> Step:
    """Add a row, as a copy of another one with some cells changed, or from scratch."""
    return lambda tables: tables[extract].append((tables[extract][like] if like is not None else {}) | cells)


def cut(extract: str, row: int) -> Step:
    """Take a row out."""
    return lambda tables: tables[extract].__delitem__(row)


def _dated(**cells: str) -> list[Step]:
    return [put("offences", 0, **cells)]


_A, _B = "42/1/26", "42/2/26"

# A third crime, quiet in every rule: criminal damage without victim or suspect.
_THIRD = add(
    "offences",
    crime_ref="42/3/26",
    offence_code="58A",
    committed_from="2026-01-10T08:10:00",
    reported_at="2026-01-10T09:00:00",
    recorded_at="2026-01-10T09:30:00",
    status="live",
)
# A second assault of the first crime's kind and people.
_AGAIN = [
    add("offences", 0, crime_ref="42/4/26"),
    add("victims", 0, crime_ref="42/4/26"),
    add("suspects", 0, crime_ref="42/4/26"),
    add("relationships", 0, crime_ref="42/4/26"),
    add("flags", 0, crime_ref="42/4/26"),
]
_CANCELLED = {"status": "cancelled", "outcome_code": "", "outcome_date": ""}


PAIRS: dict[str, Pair] = {
    # fields
    "value_missing": Pair([put("offences", 1, reported_at="")], [put("offences", 1, committed_to="")]),
    "value_not_readable": Pair(
        [put("offences", 0, outcome_date="2026-02-30", outcome_code="0")],
        [put("offences", 0, outcome_date="2026-01-31")],
    ),
    "code_not_in_list": Pair([put("victims", 1, sex="W")], [put("victims", 1, sex="X")]),
    "value_malformed": Pair(
        [put("persons", 0, postcode="SW1A 9ZZZ")], [put("persons", 0, postcode="SW1A9ZZ")]
    ),
    "value_out_of_range": Pair(
        [put("victims", 1, age="121")], [put("victims", 1, age="97")], also={"victim_age_implausible"}
    ),
    "key_duplicated": Pair([add("deletions", 0)], [add("deletions", 0, record_ref="42/8/25")]),
    # offences
    "offence_ends_before_it_begins": Pair(
        _dated(committed_to="2026-01-10T21:14:00"), _dated(committed_to="2026-01-10T21:15:00")
    ),
    "reported_before_committed": Pair(
        _dated(reported_at="2026-01-10T21:39:00"),
        _dated(reported_at="2026-01-10T21:39:00", committed_time_known="N"),
    ),
    "recorded_before_reported": Pair(
        _dated(recorded_at="2026-01-10T21:59:00"), _dated(recorded_at="2026-01-10T22:00:00")
    ),
    "recorded_after_extraction": Pair(
        [
            put(
                "offences",
                1,
                outcome_code="",
                outcome_date="",
                reported_at="2026-02-03T07:00:00",
                recorded_at="2026-02-03T08:01:00",
            )
        ],
        [
            put(
                "offences",
                1,
                outcome_code="",
                outcome_date="",
                reported_at="2026-02-03T07:00:00",
                recorded_at="2026-02-03T08:00:00",
            )
        ],
    ),
    "recorded_late": Pair(
        _dated(recorded_at="2026-01-11T22:01:00"), _dated(recorded_at="2026-01-11T22:00:00")
    ),
    "offence_not_yet_in_law": Pair(
        [
            put("offences", 1, offence_code="8U", committed_from="2015-12-28T18:05:00"),
            put("flags", 1, value="Y"),
        ],
        [
            put(
                "offences",
                1,
                offence_code="8U",
                committed_from="2015-12-28T18:05:00",
                committed_to="2025-12-29T18:05:00",
            ),
            put("flags", 1, value="Y"),
        ],
        also={"reported_over_a_year_later"},
    ),
    "reported_over_a_year_later": Pair(
        [
            *_dated(committed_from="2025-01-09T21:15:00", committed_to=""),
            put("protective_orders", 1, breach_crime_ref=""),
        ],
        [
            *_dated(committed_from="2025-01-10T22:00:00", committed_to=""),
            put("protective_orders", 1, breach_crime_ref=""),
        ],
    ),
    "committed_time_is_a_filler": Pair(
        [put("offences", 1, committed_from="2026-01-14T12:00:00")],
        [put("offences", 1, committed_from="2026-01-14T12:00:00", committed_time_known="N")],
    ),
    "sector_area_unknown": Pair(_dated(postcode_sector="ZZ1 1"), _dated(postcode_sector="ZE1 1")),
    "outcome_without_date": Pair(
        [put("offences", 1, outcome_date="")], [put("offences", 1, outcome_code="0", outcome_date="")]
    ),
    "outcome_date_without_code": Pair(
        [put("offences", 1, outcome_code="")], [put("offences", 1, outcome_code="", outcome_date="")]
    ),
    "outcome_before_recording": Pair(
        [put("offences", 1, outcome_date="2026-01-14")], [put("offences", 1, outcome_date="2026-01-15")]
    ),
    "outcome_after_extraction": Pair(
        [put("offences", 1, outcome_date="2026-02-04")], [put("offences", 1, outcome_date="2026-02-03")]
    ),
    "cancellation_unexplained": Pair(
        [put("offences", 1, **_CANCELLED, cancellation_reason="c")],
        [put("offences", 1, **_CANCELLED, cancellation_reason="c", cancellation_authorised_by="FCR")],
    ),
    "cancelled_despite_outcome": Pair(
        [put("offences", 0, status="cancelled", cancellation_reason="c", cancellation_authorised_by="FCR")],
        [
            put(
                "offences",
                0,
                status="cancelled",
                cancellation_reason="c",
                cancellation_authorised_by="FCR",
                outcome_code="16",
            )
        ],
    ),
    "cancellation_of_a_standing_crime": Pair(
        [put("offences", 1, cancellation_reason="c")],
        [put("offences", 1, status="transferred", transferred_to_force=OTHER_FORCE, cancellation_reason="a")],
    ),
    "transfer_to_no_other_force": Pair(
        [put("offences", 1, status="transferred", transferred_to_force=FORCE)],
        [put("offences", 1, status="transferred", transferred_to_force=OTHER_FORCE)],
    ),
    "transfer_without_status": Pair(
        [put("offences", 1, transferred_to_force=OTHER_FORCE)],
        [put("offences", 1, status="transferred", transferred_to_force=OTHER_FORCE)],
    ),
    "injury_less_than_offence_implies": Pair(
        [put("offences", 0, injury="none")], [put("offences", 0, injury="unknown")]
    ),
    "injury_worse_than_offence_covers": Pair(
        [put("offences", 0, offence_code="105A", injury="serious")], [put("offences", 0, offence_code="105A")]
    ),
    # victims
    "crime_without_victim": Pair(
        [cut("victims", 1)], [put("offences", 1, offence_code="58A"), cut("victims", 1)]
    ),
    "victim_without_crime": Pair(
        [add("victims", 1, crime_ref="42/7/26")], [add("victims", 1, victim_no="2")]
    ),
    "victim_age_contradicts_offence": Pair(
        [put("victims", 1, age="12")],
        [put("victims", 1, age="12"), add("victims", 1, victim_no="2", age="13")],
        also={"child_sexual_offence_not_flagged"},
    ),
    "victim_sex_contradicts_offence": Pair([put("victims", 1, sex="M")], [put("victims", 1, sex="U")]),
    "victim_wholly_unknown": Pair(
        [put("victims", 1, age="", sex="U", ethnicity="NS")],
        [put("victims", 1, age="", sex="U", ethnicity="W1")],
    ),
    "personal_offence_against_no_person": Pair(
        [put("victims", 1, victim_type="organisation", age="", sex="")],
        [add("victims", 1, victim_no="2", victim_type="organisation", age="", sex="")],
    ),
    "organisation_with_age_or_sex": Pair(
        [add("victims", 1, victim_no="2", victim_type="state", age="", sex="F")],
        [add("victims", 1, victim_no="2", victim_type="state", age="", sex="")],
    ),
    "victim_age_implausible": Pair([put("victims", 1, age="98")], [put("victims", 1, age="97")]),
    "victim_born_after_offence": Pair(
        [put("persons", 0, date_of_birth="2026-01-11")], [put("persons", 0, date_of_birth="2026-01-10")]
    ),
    "victim_is_not_the_nominal": Pair(
        [put("persons", 0, sex="M", date_of_birth="1988-05-17")],
        [put("persons", 0, sex="M", date_of_birth="1989-05-17")],
    ),
    # suspects
    "suspect_without_crime": Pair(
        [add("suspects", 0, crime_ref="42/7/26")], [_THIRD, add("suspects", 0, crime_ref="42/3/26")]
    ),
    "outcome_needs_a_suspect": Pair(
        [put("offences", 1, outcome_code="15")], [put("offences", 1, outcome_code="13")]
    ),
    "outcome_denies_the_suspect": Pair(
        [put("suspects", 1, status="named", age="30", sex="M")],
        [put("suspects", 1, status="eliminated", age="30", sex="M")],
    ),
    "unidentified_suspect_not_alone": Pair(
        [
            put("offences", 1, outcome_code="", outcome_date=""),
            add("suspects", 1, suspect_no="2", status="named", sex="M"),
        ],
        [put("offences", 1, outcome_code="", outcome_date=""), put("suspects", 1, status="named", sex="M")],
    ),
    "unidentified_suspect_described": Pair([put("suspects", 1, sex="M")], [put("suspects", 1, sex="")]),
    "suspect_wholly_unknown": Pair(
        [put("offences", 1, outcome_code="", outcome_date=""), put("suspects", 1, status="named")],
        [put("offences", 1, outcome_code="", outcome_date=""), put("suspects", 1, status="named", sex="X")],
    ),
    "proceeded_against_under_ten": Pair(
        [put("suspects", 0, age="9")],
        [put("suspects", 0, age="10")],
        also={"domestic_flag_under_16"},
    ),
    "suspect_age_implausible": Pair(
        [put("suspects", 1, status="eliminated", age="3", sex="M")],
        [put("suspects", 1, status="eliminated", age="4", sex="M")],
    ),
    "suspect_dealt_with_after_extraction": Pair(
        [put("suspects", 0, charged_on="2026-02-04")], [put("suspects", 0, charged_on="2026-02-03")]
    ),
    "suspect_dealt_with_before_offence": Pair(
        [put("suspects", 0, arrested_on="2026-01-09")], [put("suspects", 0, arrested_on="2026-01-10")]
    ),
    "suspect_status_behind_dates": Pair(
        [put("suspects", 0, status="bailed")], [put("suspects", 0, status="convicted")]
    ),
    "suspect_is_the_victim": Pair(
        [put("suspects", 0, person_ref="N1", sex="F")],
        [
            _THIRD,
            add(
                "suspects",
                crime_ref="42/3/26",
                suspect_no="1",
                person_ref="N1",
                age="34",
                sex="F",
                status="named",
            ),
        ],
    ),
    "suspect_born_after_offence": Pair(
        [put("persons", 1, date_of_birth="2026-01-11")], [put("persons", 1, date_of_birth="2026-01-10")]
    ),
    "suspect_is_not_the_nominal": Pair(
        [put("persons", 1, sex="F", date_of_birth="1993-03-02")],
        [put("persons", 1, sex="F", date_of_birth="1992-03-02")],
    ),
    "suspects_of_impossible_sex": Pair(
        [put("offences", 0, offence_code="19C"), put("suspects", 0, sex="F")],
        [
            put("offences", 0, offence_code="19C"),
            put("suspects", 0, sex="F"),
            add("suspects", crime_ref=_A, suspect_no="2", sex="U", age="30", status="named"),
        ],
    ),
    "crime_recorded_twice": Pair(
        _AGAIN,
        [*_AGAIN, put("offences", -1, committed_from="2026-01-09T21:15:00")],
    ),
    "mirrored_crimes": Pair(
        [
            *_AGAIN,
            put("victims", -1, person_ref="N2", age="36", sex="M"),
            put("suspects", -1, person_ref="N1", age="34", sex="F"),
        ],
        [
            *_AGAIN,
            put("offences", -1, committed_from="2026-01-09T21:15:00"),
            put("victims", -1, person_ref="N2", age="36", sex="M"),
            put("suspects", -1, person_ref="N1", age="34", sex="F"),
        ],
    ),
    # relationships
    "relationship_without_crime": Pair(
        [add("relationships", 0, crime_ref="42/7/26")],
        [
            add(
                "relationships",
                crime_ref=_B,
                victim_no="1",
                suspect_no="1",
                relationship="Not seen by victim",
            )
        ],
    ),
    "relationship_without_victim": Pair(
        [add("relationships", 0, victim_no="2")],
        [add("victims", 0, victim_no="2", person_ref=""), add("relationships", 0, victim_no="2")],
    ),
    "relationship_without_suspect": Pair(
        [add("relationships", 0, suspect_no="2")],
        [add("suspects", 0, suspect_no="2", person_ref=""), add("relationships", 0, suspect_no="2")],
    ),
    "parent_and_child_too_close_in_age": Pair(
        [put("relationships", 0, relationship="Parent of"), put("victims", 0, age="25")],
        [put("relationships", 0, relationship="Parent of"), put("victims", 0, age="24")],
    ),
    "grandparent_and_grandchild_too_close_in_age": Pair(
        [put("relationships", 0, relationship="Grandson"), put("victims", 0, age="59")],
        [put("relationships", 0, relationship="Grandson"), put("victims", 0, age="60")],
    ),
    "spouse_under_16": Pair(
        [put("relationships", 0, relationship="SPOUSE"), put("victims", 0, age="15")],
        [put("relationships", 0, relationship="Boyfriend"), put("victims", 0, age="15")],
        also={"domestic_flag_under_16"},
    ),
    "spouse_under_18": Pair(
        [put("relationships", 0, relationship="SPOUSE"), put("victims", 0, age="17")],
        [put("relationships", 0, relationship="SPOUSE"), put("victims", 0, age="18")],
    ),
    "relationship_word_contradicts_sex": Pair(
        [put("relationships", 0, relationship="Girlfriend")],
        [put("relationships", 0, relationship="Boyfriend")],
    ),
    "domestic_crime_not_flagged": Pair(
        [put("flags", 0, value="N")], [put("flags", 0, value="N"), put("victims", 0, age="15")]
    ),
    # flags
    "flag_without_crime": Pair(
        [add("flags", 0, crime_ref="42/7/26")], [_THIRD, add("flags", 1, crime_ref="42/3/26")]
    ),
    "flag_contradicts_itself": Pair(
        [add("flags", 0, flag="DOMESTIC", value="N")], [add("flags", 0, flag="DOMESTIC")]
    ),
    "domestic_flag_on_strangers": Pair(
        [put("relationships", 0, relationship="Known by sight")],
        [put("relationships", 0, relationship="NULL")],
    ),
    "domestic_flag_under_16": Pair([put("victims", 0, age="15")], [put("victims", 0, age="16")]),
    "coercive_control_not_flagged": Pair(
        [put("offences", 1, offence_code="8U")],
        [put("offences", 1, offence_code="8U"), put("flags", 1, value="Y")],
    ),
    "child_sexual_offence_not_flagged": Pair(
        [put("victims", 1, age="17")],
        [put("victims", 1, age="17"), add("flags", 1, flag="Child Abuse (sexual)", value="Y")],
    ),
    "child_flag_on_adults": Pair(
        [add("flags", 0, crime_ref=_B, flag="Child Sexual Exploitation"), put("victims", 1, age="18")],
        [add("flags", 0, crime_ref=_B, flag="Child Sexual Exploitation"), put("victims", 1, age="17")],
    ),
    "online_flag_contradicts_offence": Pair(
        [add("flags", 0, flag="Cyber Enabled", value="Y")], [add("flags", 0, flag="Cyber Enabled", value="N")]
    ),
    # persons
    "birth_date_impossible": Pair(
        [add("persons", 0, person_ref="N3", date_of_birth="1910-02-03")],
        [add("persons", 0, person_ref="N3", date_of_birth="1910-02-04")],
    ),
    "birth_date_is_a_placeholder": Pair(
        [put("persons", 0, date_of_birth="1900-01-01")], [put("persons", 0, date_of_birth="1991-01-01")]
    ),
    "name_is_a_placeholder": Pair(
        [put("persons", 0, surname="Unknown")], [put("persons", 0, surname="Unknowne", forenames="JO")]
    ),
    "postcode_area_unknown": Pair(
        [put("persons", 0, postcode="QW1A 1AA")], [put("persons", 0, postcode="WC1A 1AA")]
    ),
    "pnc_check_letter_wrong": Pair(
        [put("persons", 1, pnc_id="1999/123456C")], [put("persons", 1, pnc_id="2000/1A")]
    ),
    "death_date_impossible": Pair(
        [put("persons", 0, deceased_on="1991-05-16")], [put("persons", 0, deceased_on="2026-02-03")]
    ),
    "pnc_id_of_two_people": Pair(
        [add("persons", 1, person_ref="N3", date_of_birth="1986-03-02")],
        [add("persons", 1, person_ref="N3", date_of_birth="1987-03-02")],
    ),
    "alias_without_person": Pair(
        [add("person_aliases", 0, person_ref="N7")], [add("person_aliases", 0, person_ref="N1")]
    ),
    "alias_is_empty": Pair(
        [add("person_aliases", person_ref="N1")],
        [add("person_aliases", person_ref="N1", date_of_birth="1991-05-18")],
    ),
    # incidents
    "incident_after_extraction": Pair(
        [put("incidents", 0, occurred_at="2026-02-03T08:01:00")],
        [put("incidents", 0, occurred_at="2026-02-03T08:00:00")],
    ),
    "incident_suspect_is_the_victim": Pair(
        [put("incidents", 0, suspect_person_ref="N1")],
        [put("incidents", 0, suspect_person_ref="", victim_person_ref="")],
    ),
    # protective orders
    "order_dates_out_of_order": Pair(
        [put("protective_orders", 0, expires_on="2026-01-04")],
        [put("protective_orders", 0, expires_on="2026-01-05")],
    ),
    "order_after_extraction": Pair(
        [put("protective_orders", 1, varied_on="2026-02-04", expires_on="")],
        [put("protective_orders", 1, varied_on="2026-02-03", expires_on="")],
    ),
    "order_protects_its_respondent": Pair(
        [put("protective_orders", 1, protected_person_ref="N2")],
        [put("protective_orders", 1, protected_person_ref="")],
    ),
    "order_states_disagree": Pair(
        [put("protective_orders", 1, order_type="NMO")],
        [put("protective_orders", 0, order_type="NMO"), put("protective_orders", 1, order_type="NMO")],
    ),
    "order_states_missing": Pair(
        [put("protective_orders", 1, state_no="3")],
        [put("protective_orders", 1, state_no="3"), add("protective_orders", 0, state_no="2")],
    ),
    "breach_outside_order": Pair(
        [put("protective_orders", 1, expires_on="2026-01-09")],
        [put("protective_orders", 1, expires_on="2026-01-10")],
    ),
    # offender management
    "spell_ends_before_it_begins": Pair(
        [put("offender_management", 0, managed_to="2025-10-31")],
        [put("offender_management", 0, managed_to="2025-11-01")],
    ),
    "spell_after_extraction": Pair(
        [put("offender_management", 0, managed_from="2026-02-04", managed_to="")],
        [put("offender_management", 0, managed_from="2026-02-03", managed_to="")],
    ),
    "spells_overlap": Pair(
        [add("offender_management", 0, managed_from="2026-01-31", managed_to="")],
        [add("offender_management", 0, managed_from="2026-02-01", managed_to="")],
    ),
    # deletions
    "deletion_after_extraction": Pair(
        [put("deletions", 0, deleted_on="2026-02-04")], [put("deletions", 0, deleted_on="2026-02-03")]
    ),
    "deleted_and_sent": Pair(
        [put("deletions", 0, record_ref=_A)], [put("deletions", 0, record_ref=_A, extract="persons")]
    ),
}
