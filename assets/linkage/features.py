"""What a nominal is compared by: keys and lists derived from the cleaned record, in SQL.

Keys of names are worked out once a distinct name, not once a record.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from assets.linkage.cleaning import cleaned_sql
from assets.linkage.splink_session import text_literal

NICKNAMES = Path(__file__).with_name("nicknames.csv")

# How a name sounds across spellings and transliterations: letters of one sound made one letter, doubled letters made
# single, then vowels and H, W, Y dropped after the first letter. MOHAMMED, MUHAMMAD and MOHAMED meet.
_LETTERS_OF_ONE_SOUND = (
    ("[^A-Z]", ""),
    ("^KN|^GN", "N"),
    ("^WR", "R"),
    ("PH", "F"),
    ("CK|KH|Q", "K"),
    ("C([EIY])", r"S\1"),
    ("C", "K"),
    ("X", "KS"),
    ("Z", "S"),
    ("GH", "G"),
    ("DH", "D"),
    ("^[AEIOU]+", "A"),
)
_SILENT = "([A-Z])[AEIOUHWY]+"


def _one_letter_a_sound(name: str) -> str:
    """SQL for `name` with the letters of one sound made one letter."""
    for pattern, replacement in _LETTERS_OF_ONE_SOUND:
        name = f"regexp_replace({name}, '{pattern}', '{replacement}', 'g')"
    return name


def create_person_features(connection: duckdb.DuckDBPyConnection, records: str = "records") -> None:
    """Make the table `person_features`, one row a record of table `records` (shape of `cleaning.read_records`)."""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE cleaned AS {cleaned_sql(records)}")
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE nicknames AS
        SELECT nickname, canonical FROM read_csv({text_literal(NICKNAMES)}, all_varchar = true, header = true)
    """)
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE name_keys AS
        WITH names AS (
            SELECT forename_1 AS name FROM cleaned WHERE forename_1 <> ''
            UNION
            SELECT surname FROM cleaned WHERE surname <> ''
        ),
        spelt AS (SELECT name, string_split({_one_letter_a_sound("name")}, '') AS letters FROM names),
        single AS (
            SELECT
                name,
                array_to_string(list_filter(letters, lambda letter, i: i = 1 OR letter <> letters[i - 1]), '') AS spelling
            FROM spelt
        ),
        sounds AS (SELECT name, regexp_replace(spelling, '{_SILENT}', '\\1', 'g') AS sound FROM single)
        SELECT
            name,
            coalesce(canonical, name) AS forename_key,
            -- A key of one consonant says too little: such a name stands for itself.
            CASE WHEN length(sound) < 2 THEN name ELSE sound END AS sound
        FROM sounds
        LEFT JOIN nicknames ON nickname = name
    """)
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE person_features AS
        WITH named AS (
            SELECT
                * REPLACE (nullif(forename_1, '') AS forename_1),
                nullif(concat_ws(' ', nullif(forename_1, ''), surname), '') AS full_name
            FROM cleaned
        )
        SELECT
            record_key,
            record_id,
            content,
            force_code,
            forename_1,
            forename.forename_key,
            forename.sound AS forename_sound,
            middle_names,
            surname,
            family.sound AS surname_sound,
            full_name,
            list_prepend(full_name, alias_full_names) AS full_names,
            list_prepend(surname, alias_surnames) AS surnames,
            CASE
                WHEN contains(surname, '-') OR contains(surname, ' ')
                    THEN list_filter(string_split(replace(surname, '-', ' '), ' '), lambda part: length(part) > 2)
                ELSE [surname]
            END AS surname_parts,
            date_of_birth,
            year(date_of_birth) AS birth_year,
            strftime(date_of_birth, '%Y%m%d') AS birth_digits,
            list_prepend(date_of_birth, alias_dates_of_birth) AS birth_dates,
            sex,
            postcode,
            postcode_district,
            nullif(regexp_extract(postcode_district, '^[A-Z]+'), '') AS postcode_area,
            list_prepend(postcode, earlier_postcodes) AS postcodes,
            pnc_id,
            pnc_is_sound,
            cro_number,
            cro_is_sound,
            phone
        FROM named
        LEFT JOIN name_keys AS forename ON forename.name = forename_1
        LEFT JOIN name_keys AS family ON family.name = surname
    """)
    connection.execute("DROP TABLE cleaned; DROP TABLE name_keys; DROP TABLE nicknames")
