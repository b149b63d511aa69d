"""The `persons` extract."""

from datetime import date

from data_contracts.extracts.base import Extract, Sensitivity, field
from data_contracts.extracts.patterns import CRO_NUMBER, PHONE, PNC_ID, POSTCODE, REFERENCE

PERSONAL = Sensitivity.PERSONAL
SPECIAL = Sensitivity.SPECIAL


class Persons(Extract):
    """One nominal of one force: a person as that force's own system knows them, with their aliases."""

    person_ref: str = field(
        "The force's own nominal reference; never reused for somebody else.",
        required=True,
        example="N0012345",
        sensitivity=PERSONAL,
        str_matches=REFERENCE,
    )
    forenames: str = field(
        "All forenames, separated by one blank.", example="ANNA MARIE", sensitivity=PERSONAL
    )
    surname: str = field("Family name.", example="EXAMPLE", sensitivity=PERSONAL)
    date_of_birth: date = field(
        "Date of birth; blank where unknown.", example="1990-05-17", sensitivity=PERSONAL
    )
    sex: str = field("Recorded sex.", required=True, example="F", sensitivity=PERSONAL, in_code_list="sexes")
    ethnicity_self_defined: str = field(
        "Ethnicity as the person states it (18+1).",
        example="W1",
        sensitivity=SPECIAL,
        in_code_list="ethnicity_self_defined",
    )
    ethnicity_officer_defined: str = field(
        "Ethnicity as an officer saw it (IC code).",
        example="IC1",
        sensitivity=SPECIAL,
        in_code_list="ethnicity_officer_defined",
    )
    disability: str = field(
        "Whether the person is disabled.", example="N", sensitivity=SPECIAL, in_code_list="disability"
    )
    postcode: str = field(
        "Postcode of the latest known home.", example="SW1A 1AA", sensitivity=PERSONAL, str_matches=POSTCODE
    )
    pnc_id: str = field(
        "Police National Computer id.", example="1999/123456X", sensitivity=PERSONAL, str_matches=PNC_ID
    )
    cro_number: str = field(
        "Criminal Records Office number.", example="123456/99A", sensitivity=PERSONAL, str_matches=CRO_NUMBER
    )
    phone: str = field(
        "Latest known telephone number, digits only.",
        example="07700900123",
        sensitivity=PERSONAL,
        str_matches=PHONE,
    )
    deceased_on: date = field("Date of death.", example="2026-01-02", sensitivity=PERSONAL)
    in_custody: str = field(
        "Whether the person is known to be in custody when the extract is drawn.",
        example="N",
        sensitivity=PERSONAL,
        in_code_list="yes_no_unknown",
    )

    class Config:
        name = "persons"
        metadata = {"key": ["person_ref"], "root": "persons", "root_key": "person_ref"}
