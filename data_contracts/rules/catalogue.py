"""The rules in force, in the order findings are made: importing a module here puts its rules in force."""

from data_contracts.rules import (
    deletions,
    fields,
    flags,
    history,
    incidents,
    offences,
    offender_management,
    persons,
    protective_orders,
    relationships,
    statistics,
    submission,
    suspects,
    victims,
)
from data_contracts.rules.rule import REGISTRY, Rule

_IN_FORCE = (
    submission,
    fields,
    offences,
    victims,
    suspects,
    relationships,
    flags,
    persons,
    incidents,
    protective_orders,
    offender_management,
    deletions,
    history,
    statistics,
)


def rules() -> dict[str, Rule]:
    """Every rule by its name, module by module as listed here, whatever was imported first."""
    place = {module.__name__: number for number, module in enumerate(_IN_FORCE)}
    return {r.name: r for r in sorted(REGISTRY.values(), key=lambda r: place[r.check.__module__])}
