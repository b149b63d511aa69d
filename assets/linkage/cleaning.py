"""What a nominal says once the ways of writing it are taken away: names in one alphabet, identifiers in one form, and
nothing where a system wrote something for want of a value.

One cleaning for every road into linkage: the national run and a file from anywhere. Set-based, in SQL, so that a
million nominals take seconds. Keys made from these values belong to `features.py`.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from assets.linkage.splink_session import text_list, text_literal
from data_contracts.rules.persons import PNC_CHECK_LETTERS
from data_contracts.rules.reference import placeholders

# What linkage reads of a nominal, with types. A column that the file lacks is unknown for every record, and a column
# that is not named here is ignored.
RECORD_COLUMNS = {
    "record_id": "VARCHAR",
    "force_code": "VARCHAR",
    "forenames": "VARCHAR",
    "surname": "VARCHAR",
    "date_of_birth": "DATE",
    "sex": "VARCHAR",
    "postcode": "VARCHAR",
    "postcode_district": "VARCHAR",
    "earlier_postcodes": "VARCHAR[]",
    "pnc_id": "VARCHAR",
    "cro_number": "VARCHAR",
    "phone": "VARCHAR",
    "alias_full_names": "VARCHAR[]",
    "alias_surnames": "VARCHAR[]",
    "alias_dates_of_birth": "DATE[]",
}

# A file that is not the nation's own has these lists as text, parted by `|`: SQL for the list by the text column it is made of.
_LISTS_OF_TEXT = {
    "earlier_postcodes": ("postcode_history", "string_split(postcode_history, '|')"),
    "alias_full_names": ("aliases", "string_split(aliases, '|')"),
    "alias_surnames": (
        "aliases",
        "list_transform(string_split(aliases, '|'), lambda name: string_split(trim(name), ' ')[-1])",
    ),
}
_DATE_FORMATS = ("%Y-%m-%d", "%d/%m/%Y", "%Y%m%d")


class NotPersons(Exception):
    """The file is not one of persons; the message says what is missing or wrong."""


def read_records(connection: duckdb.DuckDBPyConnection, records: Path | None) -> int:
    """Make the table `records` from a file of persons, Parquet or CSV, one row a nominal; give their number.

    The file has `record_id` and some of `RECORD_COLUMNS`, or the columns of the persons extract with `aliases` (full
    names) and `postcode_history` as text parted by `|`. `content` is a digest of all that linkage reads of the record: two
    versions of a nominal that say the same have the same. Without a file the table has no rows. Raises NotPersons where
    the file has no `record_id` or no name, ValueError where a `record_id` is missing or occurs twice.
    """
    source, types = "(SELECT 1) WHERE false", {}
    if records:
        options = ", all_varchar = true, header = true" if records.suffix.lower() in (".csv", ".gz") else ""
        source = f"{'read_csv' if options else 'read_parquet'}({text_literal(records)}{options})"
        types = {row[0]: row[1] for row in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
        if missing := [name for name in ("record_id", "surname", "date_of_birth") if name not in types]:
            raise NotPersons(
                f"{records.name} has no column {', '.join(missing)}; see `vawg link --help` for the shape"
            )
    columns = ", ".join(f"{_column(name, type_, types)} AS {name}" for name, type_ in RECORD_COLUMNS.items())
    # As one row, whose text quotes its parts: no two records that say different things have the same.
    said = ", ".join(f"coalesce(CAST({name} AS VARCHAR), '')" for name in RECORD_COLUMNS)
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE records AS
        WITH written AS (SELECT {columns} FROM {source})
        SELECT
            *,
            -- A digest of the id and not a row number, so that no result depends on the order of a file.
            CAST(md5_number_upper(record_id) >> 1 AS BIGINT) AS record_key,
            md5_number_lower(CAST(row({said}) AS VARCHAR)) AS content
        FROM written
    """)
    [(n_records, n_identified, n_keys)] = connection.execute(
        "SELECT count(*), count(record_id), count(DISTINCT record_key) FROM records"
    ).fetchall()
    if n_identified < n_records:
        raise ValueError(f"{n_records - n_identified} person records have no record_id")
    if n_keys < n_records:
        raise ValueError(f"{n_records - n_keys} person records share a record_id with another")
    return int(n_records)


def _column(name: str, type_: str, types: dict[str, str]) -> str:
    """SQL for a column of `RECORD_COLUMNS`, from a file whose columns have `types`."""
    if name not in types:
        text, as_list = _LISTS_OF_TEXT.get(name, ("", ""))
        return f"CAST({as_list if text in types else 'NULL'} AS {type_})"
    if type_ == "DATE" and types[name] == "VARCHAR":
        return f"CAST(try_strptime(trim({name}), {list(_DATE_FORMATS)}) AS DATE)"
    return f"CAST({name} AS {type_})"


def cleaned_sql(records: str) -> str:
    """A select over table `records` (shape of `RECORD_COLUMNS`): the same rows, cleaned, with `forename_1`,
    `middle_names`, and `pnc_is_sound` and `cro_is_sound`: whether the check letter of the number is right. A number with
    a wrong letter may still say that two records are one, but not that they are two.
    """
    return f"""
        WITH written AS (
            SELECT
                record_key, record_id, content, force_code,
                {_name("forenames")} AS forenames,
                {_name("surname")} AS surname,
                {_date("date_of_birth")} AS date_of_birth,
                CASE WHEN upper(sex) IN ('M', 'F') THEN upper(sex) END AS sex,
                {_postcode("postcode")} AS postcode,
                upper(postcode_district) AS postcode_district,
                {_each("earlier_postcodes", "item", _postcode("item"))} AS earlier_postcodes,
                nullif(upper(trim(pnc_id)), '') AS pnc_id,
                nullif(upper(trim(cro_number)), '') AS cro_number,
                {_phone("phone")} AS phone,
                {_each("alias_full_names", "item", _name("item"))} AS alias_full_names,
                {_each("alias_surnames", "item", _name("item"))} AS alias_surnames,
                {_each("alias_dates_of_birth", "item", _date("item"))} AS alias_dates_of_birth
            FROM {records}
        ),
        parted AS (
            SELECT
                *,
                split_part(forenames, ' ', 1) AS forename_1,
                regexp_extract(pnc_id, '^[0-9]{{2}}([0-9]{{2}})/([0-9]{{1,7}})([A-Z])$', ['year', 'serial', 'letter']) AS pnc,
                regexp_extract(cro_number, '^([0-9]{{1,6}})/([0-9]{{2}})([A-Z])$', ['serial', 'year', 'letter']) AS cro
            FROM written
        )
        SELECT
            * EXCLUDE (pnc, cro, forenames) REPLACE (
                CASE WHEN pnc.serial <> '' THEN left(pnc_id, 5) || lpad(pnc.serial, 7, '0') || pnc.letter ELSE pnc_id END
                    AS pnc_id,
                coalesce(nullif(postcode_district, ''), nullif(left(postcode, length(postcode) - 3), '')) AS postcode_district
            ),
            nullif(trim(substr(forenames, length(forename_1) + 1)), '') AS middle_names,
            coalesce({_letter("pnc.year || lpad(pnc.serial, 7, '0')")} = pnc.letter, false) AS pnc_is_sound,
            coalesce({_letter("cro.year || cro.serial")} = cro.letter, false) AS cro_is_sound
        FROM parted
    """


def _name(column: str) -> str:
    # Most names are plain already; only the others pay for the search for what is not.
    plain = f"upper(trim({column}))"
    cleaned = (
        f"regexp_replace(regexp_replace(strip_accents(replace(replace({plain}, '’', ''), '''', '')),"
        " '[^A-Z -]', ' ', 'g'), ' +', ' ', 'g')"
    )
    name = f"CASE WHEN regexp_full_match({column}, '[A-Z]+([ -][A-Z]+)*') THEN {column} ELSE nullif(trim({cleaned}), '') END"
    return f"CASE WHEN {plain} NOT IN ({text_list(placeholders('name'))}) THEN {name} END"


def _date(column: str) -> str:
    known = ", ".join(f"DATE '{day}'" for day in placeholders("date_of_birth"))
    return f"CASE WHEN {column} NOT IN ({known}) THEN {column} END"


def _postcode(column: str) -> str:
    written = f"upper(replace({column}, ' ', ''))"
    return (
        f"CASE WHEN {written} NOT IN ({text_list(placeholders('postcode'))}) THEN nullif({written}, '') END"
    )


def _phone(column: str) -> str:
    digits = f"regexp_replace(regexp_replace({column}, '[^0-9+]', '', 'g'), '^(\\+|00)440?', '0')"
    return f"CASE WHEN {digits} NOT IN ({text_list(placeholders('phone'))}) THEN nullif({digits}, '') END"


def _each(column: str, item: str, expression: str) -> str:
    """SQL for a list with `expression` applied to each item, without nulls; lists are mostly empty."""
    return (
        f"CASE WHEN len({column}) > 0 THEN"
        f" list_filter(list_transform({column}, lambda {item}: {expression}), lambda {item}: {item} IS NOT NULL)"
        " ELSE [] END"
    )


def _letter(number: str) -> str:
    """SQL for the check letter of a PNC id or CRO number, from two digits of its year and its serial."""
    remainder = f"TRY_CAST({number} AS BIGINT) % {len(PNC_CHECK_LETTERS)}"
    return f"substr('{PNC_CHECK_LETTERS}', CAST({remainder} + 1 AS INTEGER), 1)"
