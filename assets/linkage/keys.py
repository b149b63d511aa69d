"""What nominals are compared and found by, as names: columns of `features.py`.

Apart from `settings.py`, which says how, because Splink is seconds to import and not every run scores.
"""

from __future__ import annotations

# What a weight is made of: the comparisons of `settings.COMPARISONS`, in their order.
COMPARISON_NAMES = ("name", "middle", "date_of_birth", "postcode", "identifiers", "phone", "sex", "force")

# Values whose rarity counts: Splink takes it from the level that is literally an equality of the column.
RARITY_COLUMNS = ("full_name", "date_of_birth", "postcode", "postcode_district", "phone", "force_code")

# A pair is looked at only if it meets one of these. No key is a surname or a birth date alone: blocks must stay
# small when the file grows. The keyed forename (nickname resolved) finds all that the written one does, and more.
BLOCKING_KEYS: tuple[tuple[str, ...], ...] = (
    ("pnc_id",),
    ("cro_number",),
    ("surname", "date_of_birth"),
    ("forename_key", "date_of_birth"),
    ("forename_key", "surname", "postcode_district"),
    ("forename_key", "surname", "birth_year"),
    ("forename_sound", "surname_sound", "birth_year"),
    ("phone", "surname"),
    ("phone", "forename_key"),
    ("postcode", "date_of_birth"),
    ("postcode", "forename_key"),
)
