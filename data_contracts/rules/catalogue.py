"""The rules in force, in the order findings are made: importing a module here puts its rules in force."""

from data_contracts.rules import fields, submission
from data_contracts.rules.rule import REGISTRY, Rule

_IN_FORCE = (submission, fields)


def rules() -> dict[str, Rule]:
    """Every rule by its name."""
    return dict(REGISTRY)
