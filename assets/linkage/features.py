"""What a nominal is compared by: columns derived from the standardised record, in SQL.

Standardisation has already put names in upper case and blanked the placeholders; what is added here is
only of use to linkage. Keys of names are worked out once a distinct name, not once a record.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from assets.linkage.splink_session import text_literal

NICKNAMES = Path(__file__).with_name("nicknames.csv")

# Columns of std_person_records that linkage reads, with their types. Anything else in the file is ignored.
RECORD_COLUMNS = {
    "record_id": "VARCHAR",
    "forename_1": "VARCHAR",
    "forenames": "VARCHAR",
    "surname": "VARCHAR",
    "date_of_birth": "DATE",
    "sex": "VARCHAR",
    "postcode": "VARCHAR",
    "postcode_district": "VARCHAR",
    "pnc_id": "VARCHAR",
    "cro_number": "VARCHAR",
    "phone": "VARCHAR",
    "alias_full_names": "VARCHAR[]",
    "alias_surnames": "VARCHAR[]",
    "alias_dates_of_birth": "DATE[]",
}

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


def create_person_features(connection: duckdb.DuckDBPyConnection, records: Path) -> int:
    """Make the table `person_features`, one row a record of `records`, and give the number of rows.

    `record_key` is a digest of `record_id`, so that no result depends on the order of the file.
    Raises ValueError where `record_id` is missing or occurs twice.
    """
    columns = ", ".join(f"CAST({name} AS {type_}) AS {name}" for name, type_ in RECORD_COLUMNS.items())
    connection.execute(f"""
        CREATE OR REPLACE TABLE person_records AS SELECT {columns} FROM read_parquet({text_literal(records)})
    """)
    connection.execute(f"""
        CREATE OR REPLACE TABLE nicknames AS
        SELECT nickname, canonical FROM read_csv({text_literal(NICKNAMES)}, all_varchar = true, header = true)
    """)
    connection.execute(f"""
        CREATE OR REPLACE TABLE name_keys AS
        WITH names AS (
            SELECT forename_1 AS name FROM person_records WHERE forename_1 <> ''
            UNION
            SELECT surname FROM person_records WHERE surname <> ''
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
        CREATE OR REPLACE TABLE person_features AS
        WITH named AS (
            SELECT
                * REPLACE (
                    nullif(forename_1, '') AS forename_1,
                    nullif(surname, '') AS surname,
                    nullif(phone, '') AS phone,
                    nullif(postcode, '') AS postcode,
                    nullif(postcode_district, '') AS postcode_district,
                    nullif(upper(pnc_id), '') AS pnc_id,
                    nullif(upper(cro_number), '') AS cro_number,
                    CASE WHEN sex IN ('M', 'F') THEN sex END AS sex
                ),
                nullif(concat_ws(' ', nullif(forename_1, ''), nullif(surname, '')), '') AS full_name
            FROM person_records
        )
        SELECT
            CAST(md5_number_upper(record_id) >> 1 AS BIGINT) AS record_key,
            record_id,
            forename_1,
            forename.forename_key,
            forename.sound AS forename_sound,
            nullif(trim(substr(forenames, length(forename_1) + 1)), '') AS middle_names,
            surname,
            family.sound AS surname_sound,
            full_name,
            list_prepend(full_name, coalesce(alias_full_names, [])) AS full_names,
            list_prepend(surname, coalesce(alias_surnames, [])) AS surnames,
            list_filter(string_split(replace(surname, '-', ' '), ' '), lambda part: length(part) > 2) AS surname_parts,
            date_of_birth,
            year(date_of_birth) AS birth_year,
            strftime(date_of_birth, '%Y%m%d') AS birth_digits,
            list_prepend(date_of_birth, coalesce(alias_dates_of_birth, [])) AS birth_dates,
            sex,
            postcode,
            postcode_district,
            nullif(regexp_extract(postcode_district, '^[A-Z]+'), '') AS postcode_area,
            pnc_id,
            cro_number,
            phone
        FROM named
        LEFT JOIN name_keys AS forename ON forename.name = forename_1
        LEFT JOIN name_keys AS family ON family.name = surname
        ORDER BY record_key
    """)
    [(n_records, n_identified, n_keys)] = connection.execute(
        "SELECT count(*), count(record_id), count(DISTINCT record_key) FROM person_features"
    ).fetchall()
    if n_identified < n_records:
        raise ValueError(f"{n_records - n_identified} person records have no record_id")
    if n_keys < n_records:
        raise ValueError(f"{n_records - n_keys} person records share a record_id with another")
    return int(n_records)
