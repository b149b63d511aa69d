"""The `incidents` extract."""

from datetime import datetime

from data_contracts.extracts.base import Extract, Sensitivity, field
from data_contracts.extracts.patterns import REFERENCE

PERSONAL = Sensitivity.PERSONAL


class Incidents(Extract):
    """One domestic incident that was not recorded as a crime."""

    incident_ref: str = field(
        "The force's own incident reference.",
        required=True,
        example="INC-2026-001234",
        sensitivity=PERSONAL,
        str_matches=REFERENCE,
    )
    occurred_at: datetime = field(
        "When it happened (local time).", required=True, example="2026-01-10T20:15:00"
    )
    dash_risk: str = field("Risk grade.", example="standard", in_code_list="dash_risks")
    victim_person_ref: str = field(
        "The victim's nominal.", example="N0012345", sensitivity=PERSONAL, str_matches=REFERENCE
    )
    suspect_person_ref: str = field(
        "The suspect's nominal.", example="N0067890", sensitivity=PERSONAL, str_matches=REFERENCE
    )
    children_present: str = field("Whether children were there.", example="Y", in_code_list="yes_no_unknown")

    class Config:
        name = "incidents"
        metadata = {"key": ["incident_ref"], "root": "incidents", "root_key": "incident_ref"}
