"""What each comparison says of a pair, in words and bits: Splink's own account, asked for once more.

The model is the one the index was made with, so that the parts sum to what the index holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assets.linkage.explaining.reading import Reading
from assets.linkage.keys import BLOCKING_KEYS
from assets.linkage.scoring import LEAST_NAME_SHARE, features_of_pairs, splink_settings, splink_sql

if TYPE_CHECKING:
    from splink.internals.settings import Settings

# What the last levels of a comparison say, where Splink's own labels speak of columns: not comparable, differs.
_PLAIN = ("not recorded on both", "differs")


_DIFFERENCES: dict[str, tuple[str, str]] = {
    "name": ("not recorded on both", "the names differ"),
    "middle": ("not recorded on both", "the middle names differ"),
    "date_of_birth": ("not recorded on both", "more than ten years apart"),
    "postcode": ("not recorded on both", "another part of the country"),
    "identifiers": ("no PNC id or CRO number that can be compared", "the numbers differ"),
    "sex": ("not recorded on both", "the sexes differ"),
}


_BEARERS = {
    "full_name": "people bear this full name",
    "date_of_birth": "people were born on this day",
    "postcode": "people live at this postcode",
    "postcode_district": "people live in this postcode district",
    "phone": "people give this telephone number",
    "force_code": "people are known to this force",
}


@dataclass(frozen=True)
class FieldEvidence:
    """What one comparison says of a pair, and its bits; of those, `rarity_bits` are for how rare the value is."""

    comparison: str
    says: str
    bits: float
    rarity_bits: float = 0.0
    rarity: str | None = None


def score_again(reading: Reading, pairs: Sequence[tuple[int, int]]) -> tuple[Settings, list[dict[str, Any]]]:
    """Splink's account of these pairs with the prior in their weight, and the settings that gave it; the lesser key on the
    left, in order of keys.
    """
    ordered = sorted((min(pair), max(pair)) for pair in pairs)
    values = ", ".join(f"({left}, {right})" for left, right in ordered)
    reading.connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE explained_pairs AS
        SELECT * FROM (VALUES {values}) AS pairs (record_key_l, record_key_r)
    """)
    features_of_pairs(reading.connection, reading.model, "explained_pairs", "explained_features")
    odds = 2**reading.prior
    settings = splink_settings(
        reading.model.settings
        | {
            "probability_two_random_records_match": odds / (1 + odds),
            "retain_intermediate_calculation_columns": True,
            "retain_matching_columns": True,
        }
    )
    query = splink_sql(settings, "explained_pairs", "explained_features")
    found = reading.connection.execute(f"FROM ({query}) ORDER BY record_key_l, record_key_r")
    names = [column[0] for column in found.description]
    return settings, [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def fields_of(reading: Reading, settings: Settings, scored: dict[str, Any]) -> tuple[FieldEvidence, ...]:
    [(one_record,)] = reading.rows("SELECT share FROM frequencies WHERE kind = 'one_record'")
    fields = []
    for comparison in settings.comparisons:
        name = comparison.output_column_name
        level = comparison._get_comparison_level_by_comparison_vector_value(
            scored[comparison._gamma_column_name]
        )
        if level.is_null_level:
            says = _DIFFERENCES.get(name, _PLAIN)[0]
        elif level._is_else_level:
            says = _DIFFERENCES.get(name, _PLAIN)[1]
        else:
            says = level.label_for_charts
        bits = [scored[column] for column in comparison._match_weight_columns_to_sum]
        rarity_bits, rarity = 0.0, None
        if level._has_tf_adjustments:
            column = level._tf_adjustment_input_column_name
            rarity_bits = bits[1]
            least = max(
                one_record * (LEAST_NAME_SHARE if column == "full_name" else 1), level._tf_minimum_u_value
            )
            rarity = _rarity(
                level.u_probability / 2**rarity_bits, least, _BEARERS.get(column, "records say this")
            )
        fields.append(FieldEvidence(name, says, sum(bits), rarity_bits, rarity))
    return tuple(fields)


def _rarity(share: float, least: float, bearers: str) -> str:
    """`share` as a number in a round one; at the least that is believed, it may be anything below."""
    power = 1
    while share * 10**power < 1:
        power += 1
    number = f"{round(share * 10**power)} in {_round_number(10**power)}"
    return f"{'no more than' if share <= least * 1.000001 else 'about'} {number} {bearers}"


def _round_number(number: int) -> str:
    return f"{number // 10**6:,} million" if number >= 10**6 else f"{number:,}"


def shared_keys(reading: Reading) -> tuple[tuple[str, ...], ...]:
    """The blocking keys that the two records of `explained_features` share."""
    flags = ", ".join(
        "("
        + " AND ".join(
            f"coalesce(count({column}) = 2 AND count(DISTINCT {column}) = 1, false)" for column in columns
        )
        + ")"
        for columns in BLOCKING_KEYS
    )
    [shared] = reading.rows(f"SELECT {flags} FROM explained_features")
    return tuple(columns for columns, is_shared in zip(BLOCKING_KEYS, shared, strict=True) if is_shared)
