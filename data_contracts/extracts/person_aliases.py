"""The `person_aliases` extract."""

from datetime import date

from data_contracts.extracts.base import Extract, Sensitivity, field
from data_contracts.extracts.patterns import REFERENCE

PERSONAL = Sensitivity.PERSONAL


class PersonAliases(Extract):
    """One other name or birth date that a nominal has used."""

    person_ref: str = field(
        "The nominal, as in `persons`.",
        required=True,
        example="N0012345",
        sensitivity=PERSONAL,
        str_matches=REFERENCE,
    )
    forenames: str = field("Forenames used.", example="ANNIE", sensitivity=PERSONAL)
    surname: str = field("Surname used.", example="SPECIMEN", sensitivity=PERSONAL)
    date_of_birth: date = field("Birth date used.", example="1990-05-07", sensitivity=PERSONAL)

    class Config:
        name = "person_aliases"
        metadata = {
            "key": ["person_ref", "forenames", "surname", "date_of_birth"],
            "root": "persons",
            "root_key": "person_ref",
        }
