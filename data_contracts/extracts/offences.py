"""The `offences` extract."""

from datetime import date, datetime

from data_contracts.extracts.base import Extract, Sensitivity, field
from data_contracts.extracts.patterns import FORCE_CODE, POSTCODE_SECTOR, REFERENCE


class Offences(Extract):
    """One recorded crime, of any offence group, sent whole with its victims, suspects, relationships and flags."""

    crime_ref: str = field(
        "The force's own crime reference; never reused, the same in every month that carries the crime.",
        required=True,
        example="42/10234/26",
        sensitivity=Sensitivity.PERSONAL,
        str_matches=REFERENCE,
    )
    offence_code: str = field(
        "Home Office recorded-crime code of the principal offence (open data tables, e.g. 8N).",
        required=True,
        example="8N",
        in_code_list="offence_codes",
    )
    committed_from: datetime = field(
        "When the offence was, or began to be, committed (local time).",
        required=True,
        example="2026-01-14T22:40:00",
    )
    committed_to: datetime = field(
        "When it ended, for an offence over a span of time (local time).", example="2026-01-15T01:00:00"
    )
    committed_time_known: bool = field(
        "N where only the day is known and the clock time of `committed_from` is a filler.", example="Y"
    )
    reported_at: datetime = field(
        "When the crime was first reported to any police force; never changed by a later amendment.",
        required=True,
        example="2026-01-15T09:05:00",
    )
    recorded_at: datetime = field(
        "When the crime was recorded under the counting rules.", required=True, example="2026-01-15T11:30:00"
    )
    location_type: str = field(
        "Kind of place, in the force's own words.", example="DWELLING", mapped_to="location_types"
    )
    postcode_sector: str = field(
        "Postcode sector of the place (outward code, space, one digit).",
        example="SW1A 1",
        sensitivity=Sensitivity.PERSONAL,
        str_matches=POSTCODE_SECTOR,
    )
    outcome_code: str = field(
        "Home Office outcome code; blank or 0 while no outcome is assigned.",
        example="16",
        in_code_list="outcome_codes",
    )
    outcome_date: date = field("Day the outcome was assigned.", example="2026-02-20")
    status: str = field(
        "Whether the crime stands.", required=True, example="live", in_code_list="crime_statuses"
    )
    cancellation_reason: str = field(
        "Why a cancelled crime was cancelled.", example="c", in_code_list="cancellation_reasons"
    )
    cancellation_authorised_by: str = field(
        "Role that authorised the cancellation.", example="FCR", in_code_list="authorising_roles"
    )
    transferred_to_force: str = field(
        "Force that took over a transferred crime.", example="E23000015", str_matches=FORCE_CODE
    )
    injury: str = field("Worst physical injury to any victim.", example="minor", in_code_list="injuries")
    weapon: str = field("Weapon used or threatened.", example="none", in_code_list="weapons")
    modus_operandi: str = field(
        "Free text of what happened; optional.",
        example="Suspect attended the address and banged on the door.",
        sensitivity=Sensitivity.PERSONAL,
    )

    class Config:
        name = "offences"
        metadata = {"key": ["crime_ref"], "root": "offences", "root_key": "crime_ref"}
