"""A small clean submission to start from: change one thing, and see what the rules say.

Two crimes (a domestic assault with a known suspect, a sexual assault by nobody known), two nominals
with an alias, an incident, an order with two states, a management spell and a deletion.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from data_contracts.extracts.catalogue import CONTRACT_VERSION, EXTRACTS
from data_contracts.submission import open_submission, write_submission
from data_contracts.validation import Checked, check

# A force whose record system has words for most relationships.
FORCE = "E23000012"
OTHER_FORCE = "E23000006"
PERIOD = date(2026, 1, 1)
EXTRACTED_AT = datetime(2026, 2, 3, 8, 0)
RECEIVED_ON = date(2026, 2, 5)

Row = dict[str, str]
Tables = dict[str, list[Row]]

_TABLES: Tables = {
    "offences": [
        {
            "crime_ref": "42/1/26",
            "offence_code": "8N",
            "committed_from": "2026-01-10T21:15:00",
            "committed_to": "2026-01-10T21:40:00",
            "committed_time_known": "Y",
            "reported_at": "2026-01-10T22:00:00",
            "recorded_at": "2026-01-10T23:30:00",
            "location_type": "Residential: house or flat",
            "postcode_sector": "SW1A 1",
            "outcome_code": "1",
            "outcome_date": "2026-01-30",
            "status": "live",
            "injury": "minor",
            "weapon": "hands",
            "modus_operandi": "Argument at home, pushed against the door.",
        },
        {
            "crime_ref": "42/2/26",
            "offence_code": "20A",
            "committed_from": "2026-01-14T18:05:00",
            "reported_at": "2026-01-14T19:00:00",
            "recorded_at": "2026-01-15T09:10:00",
            "location_type": "Public: park",
            "outcome_code": "18",
            "outcome_date": "2026-01-31",
            "status": "live",
            "injury": "none",
        },
    ],
    "persons": [
        {
            "person_ref": "N1",
            "forenames": "ANNA MARIE",
            "surname": "EXAMPLE",
            "date_of_birth": "1991-05-17",
            "sex": "F",
            "ethnicity_self_defined": "W1",
            "postcode": "SW1A 1AA",
            "phone": "07700900123",
        },
        {
            "person_ref": "N2",
            "forenames": "BRIAN",
            "surname": "SPECIMEN",
            "date_of_birth": "1989-03-02",
            "sex": "M",
            "pnc_id": "1999/123456X",
            "in_custody": "N",
        },
    ],
    "person_aliases": [{"person_ref": "N2", "forenames": "BRYAN", "surname": "SPECIMEN"}],
    "victims": [
        {
            "crime_ref": "42/1/26",
            "victim_no": "1",
            "victim_type": "person",
            "person_ref": "N1",
            "age": "34",
            "sex": "F",
            "ethnicity": "W1",
            "dash_risk": "medium",
            "supports_prosecution": "Y",
        },
        {"crime_ref": "42/2/26", "victim_no": "1", "victim_type": "person", "age": "25", "sex": "F"},
    ],
    "suspects": [
        {
            "crime_ref": "42/1/26",
            "suspect_no": "1",
            "person_ref": "N2",
            "age": "36",
            "sex": "M",
            "status": "charged",
            "arrested_on": "2026-01-11",
            "charged_on": "2026-01-30",
        },
        {"crime_ref": "42/2/26", "suspect_no": "1", "sex": "U", "status": "unidentified"},
    ],
    "relationships": [
        {"crime_ref": "42/1/26", "victim_no": "1", "suspect_no": "1", "relationship": "Ex partner"},
    ],
    "flags": [
        {"crime_ref": "42/1/26", "flag": "Domestic", "value": "Y"},
        {"crime_ref": "42/2/26", "flag": "Domestic", "value": "N"},
    ],
    "incidents": [
        {
            "incident_ref": "INC-1",
            "occurred_at": "2026-01-08T20:15:00",
            "dash_risk": "standard",
            "victim_person_ref": "N1",
            "suspect_person_ref": "N2",
            "children_present": "N",
        }
    ],
    "protective_orders": [
        {
            "order_ref": "PO-1",
            "state_no": "1",
            "order_type": "DVPO",
            "respondent_person_ref": "N2",
            "protected_person_ref": "N1",
            "court": "Westminster Magistrates' Court",
            "granted_on": "2026-01-05",
            "expires_on": "2026-02-02",
        },
        {
            "order_ref": "PO-1",
            "state_no": "2",
            "order_type": "DVPO",
            "respondent_person_ref": "N2",
            "protected_person_ref": "N1",
            "court": "Westminster Magistrates' Court",
            "granted_on": "2026-01-05",
            "varied_on": "2026-01-08",
            "expires_on": "2026-02-02",
            "breach_crime_ref": "42/1/26",
        },
    ],
    "offender_management": [
        {"person_ref": "N2", "scheme": "IOM", "managed_from": "2025-11-01", "managed_to": "2026-01-31"},
    ],
    "deletions": [
        {"extract": "offences", "record_ref": "42/9/25", "reason": "duplicate", "deleted_on": "2026-01-20"},
    ],
}


def clean_tables() -> Tables:
    """A fresh copy of the clean rows, as text, blanks left out."""
    return deepcopy(_TABLES)


def as_frame(extract: str, rows: Sequence[Mapping[str, str]]) -> pl.DataFrame:
    """Rows as a text table with every column of the contract."""
    names = list(EXTRACTS[extract].schema)
    return pl.DataFrame(
        [{n: r.get(n) for n in names} for r in rows], schema=dict.fromkeys(names, pl.String())
    )


def write_tables(folder: Path, tables: Mapping[str, Sequence[Mapping[str, str]]], **manifest: Any) -> Path:
    """Write the rows as a submission of FORCE for PERIOD; `manifest` overrides what it says."""
    said: dict[str, Any] = {
        "force_code": FORCE,
        "period": PERIOD,
        "sequence": 1,
        "extracted_at": EXTRACTED_AT,
        "contact": "data team",
        "contract_version": CONTRACT_VERSION,
    } | manifest
    return write_submission(folder, extracts={n: as_frame(n, rows) for n, rows in tables.items()}, **said)


def check_tables(folder: Path, tables: Mapping[str, Sequence[Mapping[str, str]]]) -> Checked:
    """Write, open and check the rows."""
    return check(open_submission(write_tables(folder / "submission", tables)), received_on=RECEIVED_ON)
