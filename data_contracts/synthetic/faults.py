"""Planted violations of the rules, each recorded in the truth.

Belongs here: what to break, where, and the name of the rule that must find it. One crime (or person,
incident, order, spell) bears one planted fault at most, so that each can be told from the others; a
planted fault may break a second rule as well, as a real one would. Every rule in force is planted here or
stands in `NOT_PLANTED` with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import polars as pl

from data_contracts.code_lists import code_list, codes
from data_contracts.extracts.catalogue import EXTRACTS
from data_contracts.mappings import mapping, national_code, record_system
from data_contracts.rules.catalogue import rules
from data_contracts.rules.common import committed_until, fact, is_against_a_person
from data_contracts.rules.nominals import is_placeholder_birth_date
from data_contracts.rules.reference import offences_with
from data_contracts.synthetic.draw import Bools, Generator, Ints, chance

Frames = dict[str, pl.DataFrame]
Columns = dict[str, pl.Expr]
PLANTED_SCHEMA: dict[str, pl.DataType] = {
    "force_code": pl.String(),
    "period": pl.Date(),
    "sequence": pl.Int64(),
    "extract": pl.String(),
    "record_ref": pl.String(),
    "rule": pl.String(),
}

# A breach of these holds the whole submission, and with it the force's month.
_HOLDS = "an error here holds the whole submission; tests/data_contracts/rules/submission_pairs.py plants it"
_TWO_MONTHS = "it wants an earlier month, or many; tests/data_contracts/rules/test_history_rules.py plants it"
_DRAWS = "planting it would move every other draw; tests/data_contracts/rules/pairs.py plants it"
_NO_WORD = "no record system of England and Wales has the word; tests/data_contracts/rules/pairs.py plants it"
NOT_PLANTED: dict[str, str] = {
    **dict.fromkeys(
        (
            "archive_unreadable",
            "archive_entry_escapes",
            "archive_too_large",
            "manifest_missing",
            "manifest_unreadable",
            "force_unknown",
            "force_not_active",
            "period_in_future",
            "extraction_time_impossible",
            "contract_version_unsupported",
            "sequence_not_higher",
            "nil_return_with_rows",
            "nothing_submitted",
            "extract_unknown",
            "extract_declared_twice",
            "file_missing",
            "hash_differs",
            "row_count_differs",
            "file_not_utf8",
            "file_has_control_characters",
            "file_unreadable",
            "columns_duplicated",
            "columns_missing",
        ),
        _HOLDS,
    ),
    **dict.fromkeys((n for n, r in rules().items() if r.shape in ("history", "statistics")), _TWO_MONTHS),
    "postcode_area_unknown": _DRAWS,
    "sector_area_unknown": _DRAWS,
    "spouse_under_16": _NO_WORD,
    "spouse_under_18": _NO_WORD,
    "grandparent_and_grandchild_too_close_in_age": _NO_WORD,
}
# Planted on a submission as a whole: `plant_on_submission`.
ON_SUBMISSIONS = ("columns_unexpected", "file_undeclared")

_NOTHING = pl.lit(None)
_FAR_OFF = pl.date(2091, 1, 1)
_FAR_OFF_AT = pl.datetime(2091, 1, 1, 3, 4)
_LIVE = pl.col("status") == "live"
_UNDECIDED = _LIVE & pl.col("outcome_code").is_null()
_DECIDED = _LIVE & pl.col("outcome_code").is_not_null()
_CLOCK = pl.col("committed_time_known") == "Y"
_PERSON = pl.col("victim_type") == "person"
_ONE_VICTIM = _PERSON & (pl.col("n_victims") == 1)
_PERSONAL = _LIVE & is_against_a_person()
_SUSPECTED = pl.col("suspect_status").is_in(["named", "arrested", "bailed"])
_UNIDENTIFIED = pl.col("suspect_status") == "unidentified"
_RELATED = pl.col("n_relationships") == 1
_ONE_PAIR = (
    _LIVE
    & _ONE_VICTIM
    & (pl.col("n_suspects") == 1)
    & pl.all_horizontal(pl.col("victim_ref", "suspect_ref").is_not_null())
)
_COMMON_ASSAULTS = ["8N", "105A", "8L"]
_LONE_STATE = (pl.col("state_no") == 1) & pl.col("order_ref").is_unique()
_LONE_SPELL = pl.col("person_ref").is_unique()
_OTHER_SEX = {"M": "F", "F": "M"}
_CRIME = pl.col("crime_ref")
_FIRST = _CRIME + "|1"
_FIRST_PAIR = _CRIME + "|1|1"
_FIRST_STATE = pl.col("order_ref") + "|1"
# References carry a mark where what they refer to must not be there.
_ELSEWHERE = _CRIME + "X"


@dataclass(frozen=True)
class Fault:
    """One way to break a record.

    `where`: which records can be broken. It, and every other expression, is over the overview of the root
    the record is chosen from: the root's own columns, and for a crime what `_overview_of_crimes` puts beside
    them. `root`: where it is not that of `extract`. `edits`: target (`_TARGETS`) to new column values.
    `copies`: target to the changes under which its row is sent once more. `adds`: extract to the columns of a
    new row. `without`: extracts whose rows of this crime are left out. `holds`: further rows that no other
    fault may touch, as (extract, column of the overview with the row's number). `points_at`: what the
    finding calls the record.
    """

    rule: str
    extract: str
    where: pl.Expr = field(default_factory=lambda: pl.lit(True))
    edits: dict[str, Columns] = field(default_factory=dict)
    copies: dict[str, Columns] = field(default_factory=dict)
    adds: dict[str, Columns] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    points_at: pl.Expr | None = None
    root: str = ""
    holds: tuple[tuple[str, str], ...] = ()

    @property
    def chosen_from(self) -> str:
        return self.root or EXTRACTS[self.extract].root


# Name of a row of the overview: the extract it lies in. The row's number is in the column `row_<name>`.
_TARGETS = {
    **{name: name for name in EXTRACTS},
    "domestic_flag": "flags",
    "child_flag": "flags",
    "victim_nominal": "persons",
    "suspect_nominal": "persons",
}
_VICTIM_NOMINAL = (("persons", "row_victim_nominal"),)
_SUSPECT_NOMINAL = (("persons", "row_suspect_nominal"),)


def _flipped(sex: str) -> pl.Expr:
    return pl.col(sex).replace_strict(_OTHER_SEX, default=None, return_dtype=pl.String)


def _known_sex(*columns: str) -> pl.Expr:
    return pl.all_horizontal(pl.col(columns).is_in(["M", "F"]))


def _another_age(born: str) -> pl.Expr:
    """An age that is fifteen years from that of somebody born then."""
    age = committed_until().dt.year() - pl.col(born).dt.year()
    return pl.when(age < 60).then(age + 15).otherwise(age - 15)


def _sent_again(**changes: pl.Expr) -> Columns:
    return {"crime_ref": _ELSEWHERE, **changes}


def _deletion(ref: pl.Expr, on: pl.Expr) -> dict[str, Columns]:
    said = {"extract": pl.lit("offences"), "record_ref": ref, "reason": pl.lit("duplicate"), "deleted_on": on}
    return {"deletions": said}


_ON_OFFENCES = (
    Fault("value_missing", "offences", _UNDECIDED, {"offences": {"reported_at": _NOTHING}}),
    Fault(
        "value_not_readable", "offences", edits={"offences": {"committed_from": pl.lit("30/02/2026 14:10")}}
    ),
    Fault("code_not_in_list", "offences", edits={"offences": {"offence_code": pl.lit("999Z")}}),
    Fault("value_malformed", "offences", edits={"offences": {"postcode_sector": pl.lit("SW1A 9ZZZ")}}),
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
        {"offences": {"committed_from": pl.col("reported_at") + timedelta(days=1), "committed_to": _NOTHING}},
    ),
    Fault(
        "recorded_before_reported",
        "offences",
        edits={"offences": {"reported_at": pl.col("recorded_at") + timedelta(hours=2)}},
    ),
    Fault("recorded_after_extraction", "offences", _UNDECIDED, {"offences": {"recorded_at": _FAR_OFF_AT}}),
    Fault(
        "recorded_late",
        "offences",
        edits={
            "offences": {
                c: pl.col(c) - timedelta(days=3) for c in ("reported_at", "committed_from", "committed_to")
            }
        },
    ),
    Fault(
        "offence_not_yet_in_law",
        "offences",
        fact("exists_from").is_not_null(),
        {
            "offences": {
                "committed_from": fact("exists_from").str.to_datetime("%Y-%m-%d", time_unit="us")
                - timedelta(days=40, hours=5, minutes=-7),
                "committed_to": _NOTHING,
            }
        },
    ),
    Fault(
        "reported_over_a_year_later",
        "offences",
        fact("offence_group") != "Sexual offences",
        {
            "offences": {
                "committed_from": pl.col("reported_at") - timedelta(days=500),
                "committed_to": _NOTHING,
            }
        },
    ),
    Fault(
        "committed_time_is_a_filler",
        "offences",
        _CLOCK,
        {"offences": {"committed_from": pl.col("committed_from").dt.truncate("1d")}},
    ),
    Fault("outcome_without_date", "offences", _DECIDED, {"offences": {"outcome_date": _NOTHING}}),
    Fault("outcome_date_without_code", "offences", _DECIDED, {"offences": {"outcome_code": _NOTHING}}),
    Fault(
        "outcome_before_recording",
        "offences",
        _DECIDED,
        {"offences": {"outcome_date": pl.col("recorded_at").dt.date() - timedelta(days=3)}},
    ),
    Fault("outcome_after_extraction", "offences", _DECIDED, {"offences": {"outcome_date": _FAR_OFF}}),
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
        "cancellation_of_a_standing_crime",
        "offences",
        _LIVE,
        {"offences": {"cancellation_reason": pl.lit("c")}},
    ),
    Fault(
        "transfer_to_no_other_force",
        "offences",
        _UNDECIDED,
        {"offences": {"status": pl.lit("transferred"), "transferred_to_force": pl.col("own_force")}},
    ),
    Fault(
        "transfer_without_status",
        "offences",
        _LIVE,
        {"offences": {"transferred_to_force": pl.col("other_force")}},
    ),
    Fault(
        "injury_less_than_offence_implies",
        "offences",
        pl.col("offence_code").is_in(offences_with("injury_present")),
        {"offences": {"injury": pl.lit("none")}},
    ),
    Fault(
        "injury_worse_than_offence_covers",
        "offences",
        pl.col("offence_code").is_in(offences_with("injury_absent")),
        {"offences": {"injury": pl.lit("serious")}},
    ),
    Fault(
        "crime_without_victim",
        "offences",
        _PERSONAL & (pl.col("n_victims") > 0),
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
        _UNDECIDED & _SUSPECTED,
        {"offences": {"outcome_code": pl.lit("18"), "outcome_date": pl.col("recorded_at").dt.date()}},
    ),
    Fault(
        "suspects_of_impossible_sex",
        "offences",
        _LIVE
        & pl.col("offence_code").is_in(offences_with("male_principal"))
        & (pl.col("n_suspects") == 1)
        & ~_UNIDENTIFIED,
        {"suspects": {"sex": pl.lit("F")}},
    ),
    Fault(
        "crime_recorded_twice",
        "offences",
        _ONE_PAIR,
        copies={"offences": _sent_again(), "victims": _sent_again(), "suspects": _sent_again()},
    ),
    Fault(
        "mirrored_crimes",
        "offences",
        _ONE_PAIR & pl.col("offence_code").is_in(_COMMON_ASSAULTS),
        copies={
            "offences": _sent_again(outcome_code=_NOTHING, outcome_date=_NOTHING),
            "victims": _sent_again(
                person_ref=pl.col("suspect_ref"), age=pl.col("suspect_age"), sex=pl.col("suspect_sex")
            ),
            "suspects": _sent_again(
                person_ref=pl.col("victim_ref"),
                age=pl.col("victim_age"),
                sex=pl.col("victim_sex"),
                status=pl.lit("named"),
                arrested_on=_NOTHING,
                charged_on=_NOTHING,
            ),
        },
    ),
    Fault(
        "coercive_control_not_flagged",
        "offences",
        _LIVE & pl.col("offence_code").is_in(offences_with("coercive_control")) & (pl.col("n_domestic") == 1),
        {"domestic_flag": {"value": pl.lit("N")}},
    ),
    Fault(
        "child_sexual_offence_not_flagged",
        "offences",
        _LIVE
        & (fact("offence_group") == "Sexual offences")
        & (pl.col("victim_age") < 18)
        & (pl.col("n_child") == 1)
        & pl.col("row_child_flag").is_not_null(),
        {"child_flag": {"value": pl.lit("N")}},
    ),
)

_ON_VICTIMS = (
    Fault("value_out_of_range", "victims", _PERSON, {"victims": {"age": pl.lit(140)}}, points_at=_FIRST),
    Fault("key_duplicated", "victims", _PERSON, copies={"victims": {}}, points_at=_FIRST),
    Fault(
        "victim_without_crime",
        "victims",
        _PERSON,
        copies={"victims": _sent_again()},
        points_at=_ELSEWHERE + "|1",
    ),
    Fault(
        "victim_age_contradicts_offence",
        "victims",
        (pl.col("offence_code") == "19C") & _ONE_VICTIM & (pl.col("victim_age") >= 18) & _LIVE,
        {"offences": {"offence_code": pl.lit("19E")}},
        points_at=_FIRST,
    ),
    Fault(
        "victim_sex_contradicts_offence",
        "victims",
        _LIVE & _ONE_VICTIM & (fact("victim_sex") == pl.col("victim_sex")),
        {"victims": {"sex": _flipped("victim_sex")}},
        points_at=_FIRST,
    ),
    Fault(
        "victim_wholly_unknown",
        "victims",
        _PERSONAL & _PERSON,
        {"victims": {"age": _NOTHING, "sex": pl.lit("U"), "ethnicity": pl.lit("NS")}},
        points_at=_FIRST,
    ),
    Fault(
        "personal_offence_against_no_person",
        "victims",
        _PERSONAL & _ONE_VICTIM,
        {"victims": {"victim_type": pl.lit("organisation"), "age": _NOTHING, "sex": _NOTHING}},
        points_at=_FIRST,
    ),
    Fault(
        "organisation_with_age_or_sex",
        "victims",
        pl.col("victim_type").is_in(["organisation", "state"]),
        {"victims": {"age": pl.lit(41)}},
        points_at=_FIRST,
    ),
    Fault("victim_age_implausible", "victims", _PERSON, {"victims": {"age": pl.lit(99)}}, points_at=_FIRST),
    Fault(
        "victim_born_after_offence",
        "victims",
        edits={"victim_nominal": {"date_of_birth": committed_until().dt.date() + timedelta(days=40)}},
        points_at=_FIRST,
        holds=_VICTIM_NOMINAL,
    ),
    Fault(
        "victim_is_not_the_nominal",
        "victims",
        _known_sex("victim_sex", "victim_nominal_sex") & ~is_placeholder_birth_date("victim_born"),
        {"victims": {"sex": _flipped("victim_nominal_sex"), "age": _another_age("victim_born")}},
        points_at=_FIRST,
        holds=_VICTIM_NOMINAL,
    ),
)

_ON_SUSPECTS = (
    Fault(
        "suspect_without_crime",
        "suspects",
        pl.col("suspect_status").is_not_null(),
        copies={"suspects": _sent_again()},
        points_at=_ELSEWHERE + "|1",
    ),
    Fault(
        "suspect_is_the_victim",
        "suspects",
        _LIVE & pl.all_horizontal(pl.col("victim_ref", "suspect_ref").is_not_null()),
        {"suspects": {"person_ref": pl.col("victim_ref")}},
        points_at=_FIRST,
    ),
    Fault(
        "unidentified_suspect_described",
        "suspects",
        _UNIDENTIFIED,
        {"suspects": {"age": pl.lit(31), "sex": pl.lit("M")}},
        points_at=_FIRST,
    ),
    Fault(
        "unidentified_suspect_not_alone",
        "suspects",
        _UNDECIDED & _UNIDENTIFIED,
        copies={
            "suspects": {
                "suspect_no": pl.lit(2),
                "status": pl.lit("named"),
                "age": pl.lit(31),
                "sex": pl.lit("M"),
            }
        },
        points_at=_FIRST,
    ),
    Fault(
        "suspect_wholly_unknown",
        "suspects",
        _UNDECIDED & _UNIDENTIFIED,
        {"suspects": {"status": pl.lit("named")}},
        points_at=_FIRST,
    ),
    Fault(
        "proceeded_against_under_ten",
        "suspects",
        pl.col("suspect_status").is_in(["charged", "cautioned", "convicted"]),
        {"suspects": {"age": pl.lit(9)}},
        points_at=_FIRST,
    ),
    Fault(
        "suspect_age_implausible", "suspects", _SUSPECTED, {"suspects": {"age": pl.lit(2)}}, points_at=_FIRST
    ),
    Fault(
        "suspect_dealt_with_after_extraction",
        "suspects",
        pl.col("suspect_arrested_on").is_not_null(),
        {"suspects": {"arrested_on": _FAR_OFF}},
        points_at=_FIRST,
    ),
    Fault(
        "suspect_dealt_with_before_offence",
        "suspects",
        pl.col("suspect_arrested_on").is_not_null(),
        {"suspects": {"arrested_on": pl.col("committed_from").dt.date() - timedelta(days=5)}},
        points_at=_FIRST,
    ),
    Fault(
        "suspect_status_behind_dates",
        "suspects",
        pl.col("suspect_arrested_on").is_not_null(),
        {"suspects": {"status": pl.lit("named")}},
        points_at=_FIRST,
    ),
    Fault(
        "suspect_born_after_offence",
        "suspects",
        edits={"suspect_nominal": {"date_of_birth": committed_until().dt.date() + timedelta(days=40)}},
        points_at=_FIRST,
        holds=_SUSPECT_NOMINAL,
    ),
    Fault(
        "suspect_is_not_the_nominal",
        "suspects",
        _known_sex("suspect_sex", "suspect_nominal_sex") & ~is_placeholder_birth_date("suspect_born"),
        {"suspects": {"sex": _flipped("suspect_nominal_sex"), "age": _another_age("suspect_born")}},
        points_at=_FIRST,
        holds=_SUSPECT_NOMINAL,
    ),
)

_ON_RELATIONSHIPS = (
    Fault(
        "relationship_without_crime",
        "relationships",
        _RELATED,
        copies={"relationships": _sent_again()},
        points_at=_ELSEWHERE + "|1|1",
    ),
    Fault(
        "relationship_without_victim",
        "relationships",
        _RELATED,
        copies={"relationships": {"victim_no": pl.lit(9)}},
        points_at=_CRIME + "|9|1",
    ),
    Fault(
        "relationship_without_suspect",
        "relationships",
        _RELATED,
        copies={"relationships": {"suspect_no": pl.lit(9)}},
        points_at=_CRIME + "|1|9",
    ),
    Fault(
        "parent_and_child_too_close_in_age",
        "relationships",
        pl.col("relationship_type").is_in(["PNT", "CHD"]) & (pl.col("victim_age") >= 15),
        {
            "suspects": {
                "age": pl.col("victim_age")
                + pl.when(pl.col("relationship_type") == "PNT").then(5).otherwise(-5)
            }
        },
        points_at=_FIRST_PAIR,
    ),
    Fault(
        "relationship_word_contradicts_sex",
        "relationships",
        pl.col("has_words_of_a_sex") & _RELATED & _known_sex("suspect_sex"),
        {
            "relationships": {
                "relationship": pl.when(pl.col("suspect_sex") == "M")
                .then(pl.lit("Girlfriend"))
                .otherwise(pl.lit("Boyfriend"))
            }
        },
        points_at=_FIRST_PAIR,
    ),
    Fault(
        "domestic_crime_not_flagged",
        "relationships",
        _PERSONAL
        & pl.col("relationship_group").is_in(["intimate", "family"])
        & pl.all_horizontal(pl.col("victim_age", "suspect_age") >= 16)
        & (pl.col("n_domestic") == 1),
        {"domestic_flag": {"value": pl.lit("N")}},
        points_at=_FIRST_PAIR,
    ),
)

_FLAG = _CRIME + "|" + pl.col("flag")
_DOMESTIC_FLAG = _CRIME + "|" + pl.col("domestic_word")
_ON_FLAGS = (
    Fault(
        "flag_without_crime",
        "flags",
        pl.col("flag").is_not_null(),
        copies={"flags": _sent_again()},
        points_at=_ELSEWHERE + "|" + pl.col("flag"),
    ),
    Fault(
        "flag_contradicts_itself",
        "flags",
        pl.col("flag") != pl.col("flag").str.to_lowercase(),
        copies={
            "flags": {
                "flag": pl.col("flag").str.to_lowercase(),
                "value": pl.when(pl.col("flag_value") == "Y").then(pl.lit("N")).otherwise(pl.lit("Y")),
            }
        },
        points_at=_FLAG,
    ),
    Fault(
        "domestic_flag_on_strangers",
        "flags",
        _RELATED & (pl.col("n_domestic") == 1),
        {"relationships": {"relationship": pl.col("word_for_stranger")}},
        points_at=_DOMESTIC_FLAG,
    ),
    Fault(
        "domestic_flag_under_16",
        "flags",
        _ONE_VICTIM & (pl.col("n_domestic") == 1),
        {"victims": {"age": pl.lit(15)}},
        points_at=_DOMESTIC_FLAG,
    ),
    Fault(
        "child_flag_on_adults",
        "flags",
        _ONE_VICTIM & (pl.col("victim_age") >= 18) & (pl.col("n_child") == 0),
        adds={"flags": {"crime_ref": _CRIME, "flag": pl.col("word_for_child"), "value": pl.lit("Y")}},
        points_at=_CRIME + "|" + pl.col("word_for_child"),
    ),
    Fault(
        "online_flag_contradicts_offence",
        "flags",
        _LIVE & pl.col("offence_code").is_in(offences_with("in_person")) & (pl.col("n_online") == 0),
        adds={"flags": {"crime_ref": _CRIME, "flag": pl.col("word_for_online"), "value": pl.lit("Y")}},
        points_at=_CRIME + "|" + pl.col("word_for_online"),
    ),
)

_ON_PERSONS = (
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
    Fault("death_date_impossible", "persons", edits={"persons": {"deceased_on": _FAR_OFF}}),
    Fault(
        "pnc_id_of_two_people",
        "persons",
        (pl.col("date_of_birth").dt.year() - pl.col("other_born").dt.year()).abs() > 3,
        {"persons": {"pnc_id": pl.col("other_pnc_id")}},
        holds=(("persons", "row_other"),),
    ),
    Fault(
        "alias_without_person",
        "person_aliases",
        adds={
            "person_aliases": {
                "person_ref": pl.col("person_ref") + "X",
                "forenames": pl.col("forenames"),
                "surname": pl.col("surname"),
            }
        },
        points_at=pl.col("person_ref") + "X",
    ),
    Fault("alias_is_empty", "person_aliases", adds={"person_aliases": {"person_ref": pl.col("person_ref")}}),
)

_ON_REGISTERS = (
    Fault(
        "incident_suspect_is_the_victim",
        "incidents",
        edits={"incidents": {"suspect_person_ref": pl.col("victim_person_ref")}},
    ),
    Fault("incident_after_extraction", "incidents", edits={"incidents": {"occurred_at": _FAR_OFF_AT}}),
    Fault(
        "order_protects_its_respondent",
        "protective_orders",
        _LONE_STATE,
        {"protective_orders": {"protected_person_ref": pl.col("respondent_person_ref")}},
        points_at=_FIRST_STATE,
    ),
    Fault(
        "order_dates_out_of_order",
        "protective_orders",
        _LONE_STATE,
        {"protective_orders": {"expires_on": pl.col("granted_on") - timedelta(days=10)}},
        points_at=_FIRST_STATE,
    ),
    Fault(
        "order_after_extraction",
        "protective_orders",
        _LONE_STATE,
        {"protective_orders": {"varied_on": _FAR_OFF}},
        points_at=_FIRST_STATE,
    ),
    Fault(
        "order_states_disagree",
        "protective_orders",
        _LONE_STATE,
        copies={
            "protective_orders": {
                "state_no": pl.lit(2),
                "order_type": pl.when(pl.col("order_type") == "NMO")
                .then(pl.lit("DVPO"))
                .otherwise(pl.lit("NMO")),
            }
        },
        points_at=_FIRST_STATE,
    ),
    Fault(
        "order_states_missing",
        "protective_orders",
        _LONE_STATE,
        copies={"protective_orders": {"state_no": pl.lit(3)}},
        points_at=_FIRST_STATE,
    ),
    Fault(
        "breach_outside_order",
        "protective_orders",
        _LONE_STATE & (pl.col("granted_on") > pl.col("earliest_crime_on")),
        {"protective_orders": {"breach_crime_ref": pl.col("earliest_crime")}},
        points_at=_FIRST_STATE,
    ),
    Fault(
        "spell_ends_before_it_begins",
        "offender_management",
        _LONE_SPELL,
        {"offender_management": {"managed_to": pl.col("managed_from") - timedelta(days=5)}},
        points_at=pl.format("{}|{}|{}", "person_ref", "scheme", "managed_from"),
    ),
    Fault(
        "spell_after_extraction",
        "offender_management",
        _LONE_SPELL,
        {"offender_management": {"managed_from": _FAR_OFF, "managed_to": _NOTHING}},
        points_at=pl.format("{}|{}|2091-01-01", "person_ref", "scheme"),
    ),
    Fault(
        "spells_overlap",
        "offender_management",
        _LONE_SPELL & pl.col("managed_to").is_null(),
        copies={"offender_management": {"managed_from": pl.col("managed_from") + timedelta(days=1)}},
        points_at=pl.format("{}|{}|{}", "person_ref", "scheme", pl.col("managed_from") + timedelta(days=1)),
    ),
    Fault(
        "deletion_after_extraction",
        "deletions",
        adds=_deletion(_ELSEWHERE, _FAR_OFF),
        points_at=_ELSEWHERE + "|offences",
        root="offences",
    ),
    Fault(
        "deleted_and_sent",
        "deletions",
        adds=_deletion(_CRIME, pl.col("recorded_at").dt.date()),
        points_at=_CRIME + "|offences",
        root="offences",
    ),
)

# In order; every rule named here is in force.
FAULTS: tuple[Fault, ...] = (
    *_ON_OFFENCES,
    *_ON_VICTIMS,
    *_ON_SUSPECTS,
    *_ON_RELATIONSHIPS,
    *_ON_FLAGS,
    *_ON_PERSONS,
    *_ON_REGISTERS,
)
_ROOTS = tuple(dict.fromkeys(f.chosen_from for f in FAULTS))


def none_planted() -> pl.DataFrame:
    """The planted faults where there are none."""
    return pl.DataFrame(schema=PLANTED_SCHEMA)


def plant(
    rng: Generator, extracts: Frames, share: float, *, force_code: str, period: date
) -> tuple[Frames, pl.DataFrame]:
    """Break `share` times as many records as there are crimes; returns the extracts and what was planted.

    The planted faults have `extract`, `record_ref` (as the finding will name it) and `rule`.
    """
    n_faults = int(rng.poisson(share * extracts["offences"].height))
    wanted = np.bincount(rng.integers(0, len(FAULTS), n_faults), minlength=len(FAULTS))
    if not n_faults:
        return dict(extracts), _planted([])
    overviews = _overviews(extracts, force_code, period)
    free = {name: np.ones(extracts[name].height, dtype=bool) for name in ("persons", *_ROOTS)}
    if overviews["offences"].height:
        # The crime that `breach_outside_order` points to stays as it is.
        free["offences"][_earliest(overviews["offences"])] = False
    changes = _Changes(extracts)
    planted = []
    for root in _ROOTS:
        own = [(f, int(n)) for f, n in zip(FAULTS, wanted, strict=True) if f.chosen_from == root and n]
        fits = overviews[root].select(f.where.fill_null(False).alias(f.rule) for f, _ in own)
        for fault, n in own:
            # A condition without a column is one row for all.
            fit = np.broadcast_to(fits[fault.rule].to_numpy(), free[root].shape)
            rows = _choose(rng, fault, overviews[root], fit, free, n)
            if len(rows):
                planted.append(changes.make(fault, overviews[root][rows]))
    return changes.applied(), _planted(planted)


def plant_on_submission(rng: Generator, extracts: Frames, share: float) -> tuple[Frames, bool, pl.DataFrame]:
    """Faults of a submission as a whole: a column nobody asked for, and whether to leave a stray file in it."""
    column, stray = chance(rng, min(0.5, 10 * share), 2)
    planted = []
    if column and extracts["offences"].height:
        extracts = extracts | {"offences": extracts["offences"].with_columns(local_team=pl.lit("A"))}
        planted.append({"extract": "offences", "record_ref": None, "rule": "columns_unexpected"})
    if stray:
        planted.append({"extract": None, "record_ref": None, "rule": "file_undeclared"})
    schema = {c: PLANTED_SCHEMA[c] for c in ("extract", "record_ref", "rule")}
    return extracts, bool(stray), pl.DataFrame(planted, schema=schema)


def _planted(parts: list[pl.DataFrame]) -> pl.DataFrame:
    columns = ("extract", "record_ref", "rule")
    return pl.concat([none_planted().select(columns), *parts])


def _choose(
    rng: Generator, fault: Fault, overview: pl.DataFrame, fit: Bools, free: dict[str, Bools], n: int
) -> Ints:
    """Rows of the overview to break, taken from what is free; they and what they hold are free no more."""
    fit = fit & free[fault.chosen_from]
    held = [(extract, overview[column].fill_null(-1).to_numpy()) for extract, column in fault.holds]
    for extract, rows in held:
        fit &= rows >= 0
        fit[fit] &= free[extract][rows[fit]]
    found = np.flatnonzero(fit)
    chosen = np.sort(rng.choice(found, min(n, len(found)), replace=False))
    for extract, rows in held:
        chosen = chosen[np.sort(np.unique(rows[chosen], return_index=True)[1])]
        if extract == fault.chosen_from:
            # What one record holds cannot be another record of the same fault.
            chosen = chosen[~np.isin(rows[chosen], chosen)]
        free[extract][rows[chosen]] = False
    free[fault.chosen_from][chosen] = False
    return chosen


class _Changes:
    """What is to be changed in the extracts, gathered first, so that each column is written once."""

    def __init__(self, extracts: Frames) -> None:
        self.extracts = extracts
        self.edits: dict[tuple[str, str], list[tuple[pl.Series, pl.Series]]] = {}
        self.added: dict[str, list[pl.DataFrame]] = {}
        self.left_out: dict[str, list[pl.Series]] = {}

    def make(self, fault: Fault, chosen: pl.DataFrame) -> pl.DataFrame:
        """Break the chosen records; returns what was planted: extract, record_ref, rule."""
        # One pass for everything that is worked out: there are many faults and few records of each.
        known = chosen.with_columns(**_worked_out(fault))

        def new(kind: str, target: str, columns: Columns) -> list[pl.Series]:
            return [known[f"{kind} {target} {name}"].alias(name) for name in columns]

        for target, columns in fault.edits.items():
            for values in new("edit", target, columns):
                parts = self.edits.setdefault((_TARGETS[target], values.name), [])
                parts.append((known[f"row_{target}"], values))
        for target, columns in fault.copies.items():
            extract = _TARGETS[target]
            again = self.extracts[extract][known[f"row_{target}"]]
            self._add(extract, again.with_columns(new("copy", target, columns)))
        for extract, columns in fault.adds.items():
            self._add(extract, pl.DataFrame(new("add", extract, columns)))
        for extract in fault.without:
            self.left_out.setdefault(extract, []).append(known["crime_ref"])
        return known.select("extract planted", "record_ref planted", "rule planted").rename(
            lambda name: name.removesuffix(" planted")
        )

    def _add(self, extract: str, rows: pl.DataFrame) -> None:
        schema = self.extracts[extract].schema
        self.added.setdefault(extract, []).append(
            rows.select(
                (pl.col(n) if n in rows.columns else pl.lit(None)).cast(t).alias(n) for n, t in schema.items()
            )
        )

    def applied(self) -> Frames:
        frames = dict(self.extracts)
        unreadable: list[tuple[str, str, pl.Series, pl.Series]] = []
        for (extract, name), parts in self.edits.items():
            column = frames[extract][name]
            typed = []
            for rows, values in parts:
                if values.dtype == pl.String and column.dtype != pl.String:
                    unreadable.append((extract, name, rows, values))
                else:
                    typed.append((rows, values.cast(column.dtype)))
            if typed:
                frames[extract] = frames[extract].with_columns(_written(column, typed))
        for extract, added in self.added.items():
            frames[extract] = pl.concat([frames[extract], *added])
        # What no calendar has can only be text; so is the whole column from here on.
        for extract, name, rows, values in unreadable:
            text = frames[extract][name].dt.strftime("%Y-%m-%dT%H:%M:%S")
            frames[extract] = frames[extract].with_columns(_written(text, [(rows, values)]))
        for extract, refs in self.left_out.items():
            frames[extract] = frames[extract].filter(~pl.col("crime_ref").is_in(pl.concat(refs).implode()))
        return frames


def _worked_out(fault: Fault) -> Columns:
    """Every expression of the fault under a name of its own, and what is planted."""
    ref = pl.col(EXTRACTS[fault.chosen_from].root_key) if fault.points_at is None else fault.points_at
    return {
        f"{kind} {target} {name}": new
        for kind, targets in (("edit", fault.edits), ("copy", fault.copies), ("add", fault.adds))
        for target, columns in targets.items()
        for name, new in columns.items()
    } | {
        "extract planted": pl.lit(fault.extract),
        "record_ref planted": ref.cast(pl.String),
        "rule planted": pl.lit(fault.rule),
    }


def _written(column: pl.Series, parts: list[tuple[pl.Series, pl.Series]]) -> pl.Series:
    """The column with new values in the rows given."""
    rows = pl.concat([r.cast(pl.Int64) for r, _ in parts])
    return column.clone().scatter(rows, pl.concat([v for _, v in parts]))


def _overviews(frames: Frames, force_code: str, period: date) -> Frames:
    crimes = _overview_of_crimes(frames, force_code, period)
    others = {n: frames[n].with_row_index(f"row_{n}") for n in _ROOTS if n != "offences"}
    others["persons"] = _beside_another_pnc_id(others["persons"])
    first = crimes.select("crime_ref", on=committed_until().dt.date()).sort("on", "crime_ref").head(1)
    earliest = first.row(0) if first.height else (None, None)
    others["protective_orders"] = others["protective_orders"].with_columns(
        earliest_crime=pl.lit(earliest[0], dtype=pl.String),
        earliest_crime_on=pl.lit(earliest[1], dtype=pl.Date),
    )
    return {"offences": crimes, **others}


def _earliest(crimes: pl.DataFrame) -> int:
    """Row of the crime that was over first."""
    row: int = crimes.sort(committed_until().dt.date(), "crime_ref")["row_offences"][0]
    return row


def _beside_another_pnc_id(persons: pl.DataFrame) -> pl.DataFrame:
    """Each nominal beside the last before it that has a PNC id and a birth date."""
    has_both = pl.all_horizontal(pl.col("pnc_id", "date_of_birth").is_not_null())

    def of_the_last(column: str) -> pl.Expr:
        return pl.when(has_both).then(column).forward_fill().shift(1)

    return persons.with_columns(
        row_other=of_the_last("row_persons").cast(pl.Int64),
        other_pnc_id=of_the_last("pnc_id"),
        other_born=of_the_last("date_of_birth"),
    )


def _overview_of_crimes(frames: Frames, force_code: str, period: date) -> pl.DataFrame:
    """One row a crime, in the extract's order: its first victim, suspect, relationship and flags beside it.

    `row_<target>`: number of that row in its extract. `n_<children>`: how many there are.
    `victim_nominal_sex`, `victim_born` (and suspect): of the nominal, where it is in the same submission.
    """
    flag_type = national_code("flag", field="flag", force_code=force_code, on=period)
    relationship_type = national_code("relationship", field="relationship", force_code=force_code, on=period)
    groups = code_list("relationship_types")
    nominals = frames["persons"].select("person_ref", n=pl.int_range(pl.len()), s="sex", b="date_of_birth")
    victims = (
        frames["victims"]
        .with_columns(row_victims=pl.int_range(pl.len()), n_victims=pl.len().over("crime_ref"))
        .filter(pl.col("victim_no") == 1)
        .select(
            "crime_ref",
            "row_victims",
            "n_victims",
            "victim_type",
            victim_age="age",
            victim_sex="sex",
            victim_ref="person_ref",
        )
    )
    suspects = (
        frames["suspects"]
        .with_columns(row_suspects=pl.int_range(pl.len()), n_suspects=pl.len().over("crime_ref"))
        .filter(pl.col("suspect_no") == 1)
        .select(
            "crime_ref",
            "row_suspects",
            "n_suspects",
            suspect_status="status",
            suspect_age="age",
            suspect_sex="sex",
            suspect_ref="person_ref",
            suspect_arrested_on="arrested_on",
        )
    )
    relationships = (
        frames["relationships"]
        .with_columns(row_relationships=pl.int_range(pl.len()), n_relationships=pl.len().over("crime_ref"))
        .filter((pl.col("victim_no") == 1) & (pl.col("suspect_no") == 1))
        .select(
            "crime_ref",
            "row_relationships",
            "n_relationships",
            relationship_type=relationship_type,
        )
        .with_columns(
            relationship_group=pl.col("relationship_type").replace_strict(
                groups["code"], groups["relationship_group"], default=None, return_dtype=pl.String
            )
        )
    )
    is_domestic = (pl.col("type") == "DA") & (pl.col("value") == "Y")
    is_child = pl.col("type").is_in(["CSA", "CSE"])
    flags = (
        frames["flags"]
        .with_columns(type=flag_type, row=pl.int_range(pl.len()))
        .group_by("crime_ref")
        .agg(
            pl.first("flag"),
            flag_value=pl.first("value"),
            row_flags=pl.first("row"),
            row_domestic_flag=pl.col("row").filter(is_domestic).first(),
            domestic_word=pl.col("flag").filter(is_domestic).first(),
            n_domestic=is_domestic.sum(),
            row_child_flag=pl.col("row").filter(is_child & (pl.col("value") == "Y")).first(),
            n_child=is_child.sum(),
            n_online=(pl.col("type") == "ONL").sum(),
        )
    )
    found = frames["offences"].with_row_index("row_offences")
    for children in (victims, suspects, relationships, flags):
        found = found.join(children, on="crime_ref", how="left", maintain_order="left")
    for role in ("victim", "suspect"):
        found = found.join(
            nominals.rename({"n": f"row_{role}_nominal", "s": f"{role}_nominal_sex", "b": f"{role}_born"}),
            left_on=f"{role}_ref",
            right_on="person_ref",
            how="left",
            maintain_order="left",
        )
    others = codes("forces").filter(codes("forces") != force_code)
    system = record_system(force_code, period)
    words = code_list("code_mappings").filter(pl.col("record_system") == system)
    return found.with_columns(
        pl.col("^n_.*$").fill_null(0),
        own_force=pl.lit(force_code),
        other_force=pl.lit(others[0]),
        has_words_of_a_sex=pl.lit("GIRLFRIEND" in mapping(force_code, "relationship", period)),
        word_for_stranger=_first_word(words, "relationship", "STR"),
        word_for_child=_first_word(words, "flag", "CSE"),
        word_for_online=_first_word(words, "flag", "ONL"),
    )


def _first_word(words: pl.DataFrame, of: str, code: str) -> pl.Expr:
    """The first word the record system has for a code."""
    found = words.filter((pl.col("field") == of) & (pl.col("national_code") == code))["raw_value"]
    return pl.lit(found[0] if len(found) else None, dtype=pl.String)


def planted_rules() -> Iterable[str]:
    """Every rule that is planted, in no particular order."""
    return {f.rule for f in FAULTS} | set(ON_SUBMISSIONS)
