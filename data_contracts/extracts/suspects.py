"""The `suspects` extract."""

from datetime import date

from data_contracts.extracts.base import Extract, Sensitivity, field
from data_contracts.extracts.patterns import REFERENCE

PERSONAL = Sensitivity.PERSONAL


class Suspects(Extract):
    """One suspect of one crime. A suspect is not an offender: the status says how far the case has gone."""

    crime_ref: str = field(
        "The crime, as in `offences`.",
        required=True,
        example="42/10234/26",
        sensitivity=PERSONAL,
        str_matches=REFERENCE,
    )
    suspect_no: int = field(
        "Number of the suspect within the crime, from 1.", required=True, example="1", ge=1
    )
    person_ref: str = field(
        "The suspect's nominal; blank while the suspect is not identified.",
        example="N0012345",
        sensitivity=PERSONAL,
        str_matches=REFERENCE,
    )
    age: int = field(
        "Age at the offence.",
        example="36",
        unit="years",
        sensitivity=PERSONAL,
        in_range={"min_value": 0, "max_value": 120},
    )
    sex: str = field(
        "Recorded sex; U where unknown.", example="M", sensitivity=PERSONAL, in_code_list="sexes"
    )
    status: str = field(
        "How far the case against this suspect has gone.",
        required=True,
        example="named",
        in_code_list="suspect_statuses",
    )
    arrested_on: date = field("Day of the first arrest for this crime.", example="2026-01-16")
    charged_on: date = field("Day of the first charge for this crime.", example="2026-03-02")

    class Config:
        name = "suspects"
        metadata = {"key": ["crime_ref", "suspect_no"], "root": "offences", "root_key": "crime_ref"}
