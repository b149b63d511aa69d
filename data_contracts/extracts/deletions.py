"""The `deletions` extract."""

from datetime import date

from data_contracts.extracts.base import Extract, Sensitivity, field
from data_contracts.extracts.patterns import REFERENCE


class Deletions(Extract):
    """One record, sent in an earlier month, that the force takes back. Not for cancelled crimes, which keep their record."""

    extract: str = field(
        "The extract the record was sent in.",
        required=True,
        example="persons",
        in_code_list="deletable_extracts",
    )
    record_ref: str = field(
        "The record's reference in that extract.",
        required=True,
        example="N0012345",
        sensitivity=Sensitivity.PERSONAL,
        str_matches=REFERENCE,
    )
    reason: str = field(
        "Why it is taken back.", required=True, example="recorded_in_error", in_code_list="deletion_reasons"
    )
    deleted_on: date = field("Day it was deleted in the force's system.", required=True, example="2026-02-03")

    class Config:
        name = "deletions"
        metadata = {"key": ["extract", "record_ref"], "root": "deletions", "root_key": "record_ref"}
