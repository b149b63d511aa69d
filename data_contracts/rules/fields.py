"""Rules on single fields. What they test is written in the extract models; here they get name and sentence."""

from typing import Any

from data_contracts.rules.rule import Rule, put_in_force


def _field_rule(name: str, message: str, remedy: str, source: str) -> None:
    def judged_by_the_model(*_: Any) -> None:
        """The verdict comes from the extract model, in `data_contracts.validation`."""

    put_in_force(Rule(name, "field", None, (), message, remedy, source, judged_by_the_model))


_field_rule(
    "value_missing",
    "{field} is blank, and it must be filled.",
    "Fill {field}; see the submission specification for what it holds.",
    "checks F01",
)
_field_rule(
    "value_not_readable",
    "{field} cannot be read as the type the contract gives it.",
    "Write {field} in the form the submission specification shows (dates as YYYY-MM-DD, times as YYYY-MM-DDTHH:MM:SS).",
    "checks F04",
)
_field_rule(
    "code_not_in_list",
    "{field} is not one of the codes of its list.",
    "Use a code of the list that the submission specification names for {field}; its codes are in code_lists.md beside it.",
    "checks F03, F06, F07, F08",
)
_field_rule(
    "value_malformed",
    "{field} does not have the form it should have.",
    "Correct {field} to the form in the submission specification, or leave it blank if it may be blank.",
    "checks F02, F13, F15",
)
_field_rule(
    "value_out_of_range",
    "{field} is outside the range it can have.",
    "Correct {field}, or leave it blank if the value is not known and it may be blank.",
    "checks F09, F10",
)
_field_rule(
    "key_duplicated",
    "Another row of this extract has the same key.",
    "Send each record once: remove or renumber the copy.",
    "checks X03",
)
