"""The `protective_orders` extract."""

from datetime import date

from data_contracts.extracts.base import Extract, Sensitivity, field
from data_contracts.extracts.patterns import REFERENCE

PERSONAL = Sensitivity.PERSONAL


class ProtectiveOrders(Extract):
    """One state of one protective order: granted, varied, breached, rescinded. All states of an order are sent together."""

    order_ref: str = field(
        "The order's reference.",
        required=True,
        example="PO-2026-0042",
        sensitivity=PERSONAL,
        str_matches=REFERENCE,
    )
    state_no: int = field(
        "Number of the state of this order, from 1; the highest is today's.", required=True, example="1", ge=1
    )
    order_type: str = field("Kind of order.", required=True, example="DVPO", in_code_list="order_types")
    respondent_person_ref: str = field(
        "Nominal of the person the order binds.",
        required=True,
        example="N0067890",
        sensitivity=PERSONAL,
        str_matches=REFERENCE,
    )
    protected_person_ref: str = field(
        "Nominal of the person it protects.", example="N0012345", sensitivity=PERSONAL, str_matches=REFERENCE
    )
    court: str = field("Court that made it.", example="Westminster Magistrates' Court")
    granted_on: date = field("Day it was made.", required=True, example="2026-01-20")
    varied_on: date = field("Day it was last varied.", example="2026-02-01")
    rescinded_on: date = field("Day it was discharged early.", example="2026-02-10")
    expires_on: date = field("Last day it is in force; blank for no end date.", example="2026-02-17")
    breach_crime_ref: str = field(
        "Crime that recorded a breach, where this state is a breach.",
        example="42/10400/26",
        sensitivity=PERSONAL,
        str_matches=REFERENCE,
    )

    class Config:
        name = "protective_orders"
        metadata = {"key": ["order_ref", "state_no"], "root": "protective_orders", "root_key": "order_ref"}
