"""Every extract, in the order a submission lists them: roots before what hangs on them."""

from data_contracts.extracts.base import ExtractSpec, spec_of
from data_contracts.extracts.deletions import Deletions
from data_contracts.extracts.flags import Flags
from data_contracts.extracts.incidents import Incidents
from data_contracts.extracts.offences import Offences
from data_contracts.extracts.offender_management import OffenderManagement
from data_contracts.extracts.person_aliases import PersonAliases
from data_contracts.extracts.persons import Persons
from data_contracts.extracts.protective_orders import ProtectiveOrders
from data_contracts.extracts.relationships import Relationships
from data_contracts.extracts.suspects import Suspects
from data_contracts.extracts.victims import Victims

CONTRACT_VERSION = "1.0"

EXTRACTS: dict[str, ExtractSpec] = {
    spec.name: spec
    for spec in map(
        spec_of,
        (
            Offences,
            Persons,
            PersonAliases,
            Victims,
            Suspects,
            Relationships,
            Flags,
            Incidents,
            ProtectiveOrders,
            OffenderManagement,
            Deletions,
        ),
    )
}
