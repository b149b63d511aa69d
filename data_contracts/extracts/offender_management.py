"""The `offender_management` extract."""

from datetime import date

from data_contracts.extracts.base import Extract, Sensitivity, field
from data_contracts.extracts.patterns import REFERENCE


class OffenderManagement(Extract):
    """One spell of one nominal under a management scheme. All spells of a nominal are sent together."""

    person_ref: str = field(
        "The nominal, as in `persons`.",
        required=True,
        example="N0067890",
        sensitivity=Sensitivity.PERSONAL,
        str_matches=REFERENCE,
    )
    scheme: str = field(
        "Scheme, with category and level for MAPPA.",
        required=True,
        example="MAPPA-1-2",
        in_code_list="management_schemes",
    )
    managed_from: date = field("First day of the spell.", required=True, example="2025-11-01")
    managed_to: date = field("Last day of the spell; blank while it runs.", example="2026-06-30")

    class Config:
        name = "offender_management"
        metadata = {
            "key": ["person_ref", "scheme", "managed_from"],
            "root": "offender_management",
            "root_key": "person_ref",
        }
