"""The `relationships` extract."""

from data_contracts.extracts.base import Extract, Sensitivity, field
from data_contracts.extracts.patterns import REFERENCE


class Relationships(Extract):
    """What one suspect is to one victim of the same crime."""

    crime_ref: str = field(
        "The crime, as in `offences`.",
        required=True,
        example="42/10234/26",
        sensitivity=Sensitivity.PERSONAL,
        str_matches=REFERENCE,
    )
    victim_no: int = field("The victim, as in `victims`.", required=True, example="1", ge=1)
    suspect_no: int = field("The suspect, as in `suspects`.", required=True, example="1", ge=1)
    relationship: str = field(
        "The suspect is the victim's ..., in the force's own words.",
        required=True,
        example="EX PARTNER",
        mapped_to="relationship_types",
    )

    class Config:
        name = "relationships"
        metadata = {
            "key": ["crime_ref", "victim_no", "suspect_no"],
            "root": "offences",
            "root_key": "crime_ref",
        }
