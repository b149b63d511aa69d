"""Which pairs of nominals are looked at: those that agree on all columns of one of `keys.BLOCKING_KEYS`.

Set-based over narrow tables: each key is one number, a hash of its columns. Two keys of one hash by chance would add a
pair to be looked at and change nothing else.
"""

from __future__ import annotations

from assets.linkage.keys import BLOCKING_KEYS

N_KEYS = len(BLOCKING_KEYS)


def keys_sql(features: str) -> str:
    """A select of `features`: record_key, and `key_0`, `key_1`, ...: null where the record does not say all of a key."""
    keys = ", ".join(
        f"CASE WHEN {' AND '.join(f'{column} IS NOT NULL' for column in columns)} THEN hash({', '.join(columns)}) END"
        f" AS key_{number}"
        for number, columns in enumerate(BLOCKING_KEYS)
    )
    return f"SELECT record_key, {keys} FROM {features}"


def pairs_within_sql(keys: str) -> str:
    """A select of the pairs (record_key_l, record_key_r) of a table of keys that share one, each once, the lesser left."""
    return _pairs(
        keys,
        keys,
        "l.record_key AS record_key_l, r.record_key AS record_key_r",
        "l.record_key < r.record_key",
    )


def pairs_between_sql(keys: str, others: str) -> str:
    """The same for the pairs of a record of `keys` and one of `others`, tables that share no record."""
    ends = "least(l.record_key, r.record_key) AS record_key_l, greatest(l.record_key, r.record_key) AS record_key_r"
    return _pairs(keys, others, ends, "true")


def _pairs(left: str, right: str, ends: str, condition: str) -> str:
    # A pair that an earlier key has found is not found again: cheaper than to sort out the double ones.
    return " UNION ALL ".join(
        f"SELECT {ends} FROM {left} AS l JOIN {right} AS r ON l.key_{number} = r.key_{number} WHERE {condition}"
        + "".join(f" AND coalesce(l.key_{earlier} <> r.key_{earlier}, true)" for earlier in range(number))
        for number in range(N_KEYS)
    )
