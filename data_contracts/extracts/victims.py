"""The `victims` extract."""

from data_contracts.extracts.base import Extract, Sensitivity, field
from data_contracts.extracts.patterns import REFERENCE

PERSONAL = Sensitivity.PERSONAL
SPECIAL = Sensitivity.SPECIAL


class Victims(Extract):
    """One victim of one crime."""

    crime_ref: str = field(
        "The crime, as in `offences`.",
        required=True,
        example="42/10234/26",
        sensitivity=PERSONAL,
        str_matches=REFERENCE,
    )
    victim_no: int = field("Number of the victim within the crime, from 1.", required=True, example="1", ge=1)
    victim_type: str = field(
        "Person, organisation or the public at large.",
        required=True,
        example="person",
        in_code_list="victim_types",
    )
    person_ref: str = field(
        "The victim's nominal, where one exists.",
        example="N0012345",
        sensitivity=PERSONAL,
        str_matches=REFERENCE,
    )
    age: int = field(
        "Age at the offence.",
        example="34",
        unit="years",
        sensitivity=PERSONAL,
        in_range={"min_value": 0, "max_value": 120},
    )
    sex: str = field(
        "Recorded sex; U where unknown, blank for an organisation.",
        example="F",
        sensitivity=PERSONAL,
        in_code_list="sexes",
    )
    ethnicity: str = field(
        "Ethnicity as the victim states it (18+1).",
        example="W1",
        sensitivity=SPECIAL,
        in_code_list="ethnicity_self_defined",
    )
    dash_risk: str = field(
        "Domestic abuse risk grade at first attendance.", example="medium", in_code_list="dash_risks"
    )
    supports_prosecution: str = field(
        "Whether the victim supports a prosecution.", example="Y", in_code_list="yes_no_unknown"
    )

    class Config:
        name = "victims"
        metadata = {"key": ["crime_ref", "victim_no"], "root": "offences", "root_key": "crime_ref"}
