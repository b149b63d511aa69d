"""What makes two nominals look like one person: Splink comparisons, blocking rules and training blocks.

Settings only, no run: `training.py` fits them into the versioned model file, `linker.py` reads that file.
The m and u written here are starting values; training replaces all but the fixed ones, and a level that
training never saw keeps the value from here. Columns are those of `features.py`.
"""

from __future__ import annotations

from typing import Any

from splink import SettingsCreator, block_on
from splink.comparison_level_library import CustomLevel, ElseLevel, NullLevel
from splink.comparison_library import CustomComparison

from assets.linkage.keys import BLOCKING_KEYS

# No birth date is rarer than one day in about seventy years: in a small file a lone birthday would otherwise
# earn more than it is worth.
LEAST_DATE_FREQUENCY = 4e-5
# Some fifteen households share a postcode, and relatives share it on purpose: rarity stops counting here.
LEAST_POSTCODE_FREQUENCY = 2e-5
LEAST_PHONE_FREQUENCY = 1e-5
# Two records of one small force are still no more than two bits' worth of evidence.
LEAST_FORCE_FREQUENCY = 0.055


def _level(
    condition: str, label: str, m: float, u: float, *, fixed: bool = False, **options: Any
) -> CustomLevel:
    level = CustomLevel(condition, label_for_charts=label)
    level.configure(m_probability=m, u_probability=u, **options)
    if fixed:
        level.configure(fix_m_probability=True, fix_u_probability=True)
    return level


def _null(condition: str) -> CustomLevel:
    level = CustomLevel(condition, label_for_charts="not comparable")
    level.configure(is_null_level=True)
    return level


def _else(m: float, u: float) -> ElseLevel:
    level = ElseLevel()
    level.configure(m_probability=m, u_probability=u)
    return level


def _same(column: str) -> str:
    return f"{column}_l = {column}_r"


# Forename and surname in one comparison: their errors go together (swapped, anglicised, married), and two
# comparisons would count one rare full name twice.
NAME = CustomComparison(
    output_column_name="name",
    comparison_levels=[
        _null("full_name_l IS NULL OR full_name_r IS NULL"),
        # Splink takes rarity from the level that is literally an equality of the rarity column.
        _level(_same("full_name"), "same full name", 0.70, 2e-5, tf_adjustment_column="full_name"),
        _level(
            f"{_same('surname')} AND ({_same('forename_key')} OR {_same('forename_sound')})",
            "same surname, forename a known form or sounds alike",
            0.06,
            1e-5,
        ),
        _level(
            f"{_same('forename_1')} AND ({_same('surname_sound')} OR jaro_winkler_similarity(surname_l, surname_r) >= 0.92)",
            "same forename, surname sounds alike",
            0.06,
            2e-5,
        ),
        _level(
            "jaro_winkler_similarity(forename_1_l, forename_1_r) >= 0.88"
            " AND jaro_winkler_similarity(surname_l, surname_r) >= 0.88",
            "both names close",
            0.05,
            4e-5,
        ),
        _level("forename_1_l = surname_r AND surname_l = forename_1_r", "names swapped", 0.01, 1e-6),
        _level(
            f"{_same('surname')} AND (forename_1_l[1] = forename_1_r[1])"
            " AND (length(forename_1_l) = 1 OR length(forename_1_r) = 1)",
            "same surname and initial",
            0.01,
            2e-6,
        ),
        _level(
            f"{_same('surname')} AND (list_contains(string_split(middle_names_l, ' '), forename_1_r)"
            " OR list_contains(string_split(middle_names_r, ' '), forename_1_l))",
            "same surname, known by a middle name",
            0.01,
            5e-6,
        ),
        _level(
            "list_has_any(full_names_l, full_names_r)"
            f" OR ({_same('forename_key')} AND list_has_any(surnames_l, surnames_r))",
            "a recorded alias agrees",
            0.04,
            5e-6,
        ),
        _level(
            f"{_same('forename_key')} AND (list_has_any(surname_parts_l, surname_parts_r))",
            "same forename, part of the surname",
            0.01,
            1e-6,
        ),
        _level(f"{_same('forename_sound')} AND {_same('surname_sound')}", "both sound alike", 0.01, 1e-5),
        _level(_same("forename_key"), "forename only", 0.02, 6e-3),
        _level(_same("surname"), "surname only", 0.01, 2e-3),
        _else(0.01, 0.99),
    ],
)

MIDDLE = CustomComparison(
    output_column_name="middle",
    comparison_levels=[
        _null("middle_names_l IS NULL OR middle_names_r IS NULL"),
        _level(_same("middle_names"), "same middle names", 0.80, 0.02),
        _level(
            "starts_with(middle_names_l, middle_names_r) OR starts_with(middle_names_r, middle_names_l)"
            " OR jaro_winkler_similarity(middle_names_l, middle_names_r) >= 0.92",
            "initial, part or close",
            0.15,
            0.02,
        ),
        _else(0.05, 0.96),
    ],
)

DATE_OF_BIRTH = CustomComparison(
    output_column_name="date_of_birth",
    comparison_levels=[
        NullLevel("date_of_birth"),
        _level(
            _same("date_of_birth"),
            "same date of birth",
            0.85,
            5e-5,
            tf_adjustment_column="date_of_birth",
            tf_minimum_u_value=LEAST_DATE_FREQUENCY,
        ),
        _level(
            f"{_same('birth_year')} AND month(date_of_birth_l) = day(date_of_birth_r)"
            " AND day(date_of_birth_l) = month(date_of_birth_r)",
            "day and month swapped",
            0.02,
            2e-5,
        ),
        _level(
            "list_has_any(birth_dates_l, birth_dates_r)", "a recorded other birth date agrees", 0.02, 5e-5
        ),
        _level("damerau_levenshtein(birth_digits_l, birth_digits_r) <= 1", "one digit off", 0.05, 6e-4),
        _level(
            f"({_same('birth_year')} AND (month(date_of_birth_l) = month(date_of_birth_r)"
            " OR day(date_of_birth_l) = day(date_of_birth_r)))"
            " OR (month(date_of_birth_l) = month(date_of_birth_r) AND day(date_of_birth_l) = day(date_of_birth_r)"
            " AND abs(birth_year_l - birth_year_r) <= 10)",
            "two of day, month and year agree",
            0.02,
            3e-3,
        ),
        _level("abs(date_diff('day', date_of_birth_l, date_of_birth_r)) <= 366", "within a year", 0.02, 0.04),
        _level(
            "abs(date_diff('day', date_of_birth_l, date_of_birth_r)) <= 3653", "within ten years", 0.01, 0.35
        ),
        _else(0.01, 0.60),
    ],
)

POSTCODE = CustomComparison(
    output_column_name="postcode",
    comparison_levels=[
        NullLevel("postcode"),
        _level(
            _same("postcode"),
            "same postcode",
            0.45,
            2e-5,
            tf_adjustment_column="postcode",
            tf_minimum_u_value=LEAST_POSTCODE_FREQUENCY,
        ),
        _level(
            "list_has_any(postcodes_l, postcodes_r)",
            "an earlier postcode agrees",
            0.10,
            4e-5,
        ),
        _level(
            _same("postcode_district"),
            "same postcode district",
            0.20,
            1e-3,
            tf_adjustment_column="postcode_district",
        ),
        _level(_same("postcode_area"), "same postcode area", 0.15, 0.03),
        _else(0.20, 0.97),
    ],
)

# A number with a wrong check letter was mistyped: that it agrees says as much as ever, that it differs says nothing.
_COMPARABLE_PNC = (
    "coalesce(pnc_id_l = pnc_id_r OR (pnc_is_sound_l AND pnc_is_sound_r AND pnc_id_l <> pnc_id_r), false)"
)
_COMPARABLE_CRO = "coalesce(cro_number_l = cro_number_r OR (cro_is_sound_l AND cro_is_sound_r AND cro_number_l <> cro_number_r), false)"

# Fixed, not learnt: both numbers are blocking keys, so training would only ever see pairs that share them.
# A shared number is worth about twenty bits and no more, for numbers are also mistyped and borrowed.
IDENTIFIERS = CustomComparison(
    output_column_name="identifiers",
    comparison_levels=[
        _null(f"NOT ({_COMPARABLE_PNC} OR {_COMPARABLE_CRO})"),
        _level(
            f"{_same('pnc_id')} AND {_same('cro_number')}",
            "PNC and CRO agree",
            0.30,
            0.30 / 2**29,
            fixed=True,
        ),
        _level(
            f"({_same('pnc_id')} AND cro_number_l <> cro_number_r) OR ({_same('cro_number')} AND pnc_id_l <> pnc_id_r)",
            "one agrees, one differs",
            0.02,
            0.02 / 2**19,
            fixed=True,
        ),
        _level(_same("pnc_id"), "PNC agrees", 0.45, 0.45 / 2**20, fixed=True),
        _level(_same("cro_number"), "CRO agrees", 0.2248, 0.2248 / 2**19, fixed=True),
        _level(
            f"{_COMPARABLE_PNC} AND {_COMPARABLE_CRO}",
            "both differ",
            0.35 / 2**12,
            0.35,
            fixed=True,
        ),
        _level(
            "pnc_id_l IS NOT NULL OR cro_number_l IS NOT NULL", "one differs", 0.65 / 2**7, 0.65, fixed=True
        ),
    ],
)

# How often one person gives two numbers is fixed by judgement: people change phones, and training on made-up people
# who never do would make a new number count against them.
PHONE = CustomComparison(
    output_column_name="phone",
    comparison_levels=[
        NullLevel("phone"),
        _level(
            _same("phone"),
            "same phone",
            0.50,
            2e-5,
            tf_adjustment_column="phone",
            tf_minimum_u_value=LEAST_PHONE_FREQUENCY,
            fix_m_probability=True,
        ),
        _level("phone_l <> phone_r", "another phone", 0.50, 1 - 2e-5, fix_m_probability=True),
    ],
)

SEX = CustomComparison(
    output_column_name="sex",
    comparison_levels=[NullLevel("sex"), _level(_same("sex"), "same sex", 0.99, 0.6), _else(0.01, 0.4)],
)

# Fixed, and set low: that people come back to the force that knows them is true everywhere, how often depends on how
# well each force keeps its own nominals apart, which no training on another nation can tell.
FORCE = CustomComparison(
    output_column_name="force",
    comparison_levels=[
        NullLevel("force_code"),
        _level(
            _same("force_code"),
            "same force",
            0.22,
            0.055,
            tf_adjustment_column="force_code",
            tf_minimum_u_value=LEAST_FORCE_FREQUENCY,
            fixed=True,
        ),
        _level("force_code_l <> force_code_r", "another force", 0.78, 0.945, fixed=True),
    ],
)

COMPARISONS = (NAME, MIDDLE, DATE_OF_BIRTH, POSTCODE, IDENTIFIERS, PHONE, SEX, FORCE)

# Each leaves untrained every comparison that reads a column it blocks on (a birth year would leave out the birth
# date), so between them they must cover all comparisons, and should do so twice.
TRAINING_KEYS: tuple[tuple[str, ...], ...] = (
    ("full_name",),
    ("date_of_birth", "postcode"),
    ("date_of_birth", "postcode_district"),
    ("phone",),
    ("pnc_id",),
)

# Pairs that meet one of these are taken as true when the prior is estimated, at this recall.
PRIOR_KEYS: tuple[tuple[str, ...], ...] = (
    ("pnc_id",),
    ("full_name", "date_of_birth", "postcode"),
    ("full_name", "date_of_birth", "postcode_district"),
    ("full_name", "phone"),
)
PRIOR_RECALL = 0.45


def create_settings() -> SettingsCreator:
    """The untrained settings: one row of `person_features` a record, keyed by `record_key`."""
    return SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="record_key",
        comparisons=list(COMPARISONS),
        blocking_rules_to_generate_predictions=[block_on(*keys) for keys in BLOCKING_KEYS],
        # What each comparison adds is kept with the pair; the values compared are not.
        retain_matching_columns=False,
        retain_intermediate_calculation_columns=True,
        em_convergence=1e-4,
        max_iterations=20,
    )
