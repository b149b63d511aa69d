"""The `flags` extract."""

from data_contracts.extracts.base import Extract, Sensitivity, field
from data_contracts.extracts.patterns import REFERENCE


class Flags(Extract):
    """One marker on one crime, as the force's own system writes it."""

    crime_ref: str = field(
        "The crime, as in `offences`.",
        required=True,
        example="42/10234/26",
        sensitivity=Sensitivity.PERSONAL,
        str_matches=REFERENCE,
    )
    flag: str = field(
        "The marker, in the force's own words.",
        required=True,
        example="DOMESTIC ABUSE",
        mapped_to="flag_types",
    )
    value: str = field(
        "Y set, N looked at and not set, U not known; blank is not N.",
        required=True,
        example="Y",
        in_code_list="yes_no_unknown",
    )

    class Config:
        name = "flags"
        metadata = {"key": ["crime_ref", "flag"], "root": "offences", "root_key": "crime_ref"}
