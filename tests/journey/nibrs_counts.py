"""Counts of the shipped NIBRS return taken with the csv module alone: what a release has to agree with.

Belongs here: nothing that shares a line of code, a library or a mapping with the platform.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

ARCHIVE = Path(__file__).parents[2] / "data_contracts" / "adapters" / "nibrs_mn2018.zip"

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
INDIVIDUAL, OFFICER = "4", "5"


@dataclass
class RawCounts:
    """Agencies by ORI, months as YYYY-MM, sexes M, F, U or blank, relationships by their NIBRS name.

    `months_reported`: what agencies with an incident in the year reported, with or without incidents.
    """

    incidents: int = 0
    incidents_by_agency_and_month: Counter[tuple[str, str]] = field(default_factory=Counter)
    months_reported: set[tuple[str, str]] = field(default_factory=set)
    nibrs_offences: Counter[str] = field(default_factory=Counter)
    victims: int = 0
    victims_by_sex: Counter[str] = field(default_factory=Counter)
    person_victims_by_sex: Counter[str] = field(default_factory=Counter)
    victims_by_agency_month_and_sex: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    offenders: int = 0
    unidentified_offenders: int = 0
    arrestees: int = 0
    relationships: int = 0
    relationships_by_name: Counter[str] = field(default_factory=Counter)
    relationships_by_name_and_sex: Counter[tuple[str, str]] = field(default_factory=Counter)


def raw_tables(archive: Path = ARCHIVE) -> dict[str, list[dict[str, str]]]:
    """Every CSV of the zip by its file name without the extension, rows as text."""
    with zipfile.ZipFile(archive) as opened:
        return {
            name.removesuffix(".csv"): list(
                csv.DictReader(io.TextIOWrapper(opened.open(name), encoding="utf-8", newline=""))
            )
            for name in opened.namelist()
            if name.endswith(".csv")
        }


def raw_counts(archive: Path = ARCHIVE) -> RawCounts:
    """Count the return. Victims by relationship are counted once a victim and offender, as NIBRS lists them."""
    tables = raw_tables(archive)
    counts = RawCounts()
    ori = {row["AGENCY_ID"]: row["ORI"] for row in tables["agencies"]}
    sent_in: dict[str, tuple[str, str]] = {}
    for row in tables["NIBRS_incident"]:
        _, month, year = row["INCIDENT_DATE"].split("-")
        sent_in[row["INCIDENT_ID"]] = (ori[row["AGENCY_ID"]], f"20{year}-{MONTHS.index(month) + 1:02}")
    counts.incidents = len(sent_in)
    counts.incidents_by_agency_and_month = Counter(sent_in.values())
    active = {row["AGENCY_ID"] for row in tables["NIBRS_incident"]}
    counts.months_reported = {
        (ori[row["AGENCY_ID"]], f"{row['DATA_YEAR']}-{int(row['MONTH_NUM']):02}")
        for row in tables["NIBRS_month"]
        if row["REPORTED_STATUS"] in {"I", "Z"} and row["AGENCY_ID"] in active
    }

    offence_code = {row["OFFENSE_TYPE_ID"]: row["OFFENSE_CODE"] for row in tables["NIBRS_OFFENSE_TYPE"]}
    counts.nibrs_offences = Counter(offence_code[row["OFFENSE_TYPE_ID"]] for row in tables["NIBRS_OFFENSE"])

    sex = {row["VICTIM_ID"]: row["SEX_CODE"] for row in tables["NIBRS_VICTIM"]}
    counts.victims = len(sex)
    counts.victims_by_sex = Counter(sex.values())
    counts.person_victims_by_sex = Counter(
        row["SEX_CODE"] for row in tables["NIBRS_VICTIM"] if row["VICTIM_TYPE_ID"] in {INDIVIDUAL, OFFICER}
    )
    counts.victims_by_agency_month_and_sex = Counter(
        (*sent_in[row["INCIDENT_ID"]], row["SEX_CODE"]) for row in tables["NIBRS_VICTIM"]
    )

    counts.offenders = len(tables["NIBRS_OFFENDER"])
    counts.unidentified_offenders = sum(row["OFFENDER_SEQ_NUM"] == "0" for row in tables["NIBRS_OFFENDER"])
    counts.arrestees = len(tables["NIBRS_ARRESTEE"])

    name = {row["RELATIONSHIP_ID"]: row["RELATIONSHIP_NAME"] for row in tables["NIBRS_RELATIONSHIP"]}
    stated = [
        (name[row["RELATIONSHIP_ID"]], sex[row["VICTIM_ID"]]) for row in tables["NIBRS_VICTIM_OFFENDER_REL"]
    ]
    counts.relationships = len(stated)
    counts.relationships_by_name = Counter(relationship for relationship, _ in stated)
    counts.relationships_by_name_and_sex = Counter(stated)
    return counts
