"""The sentences that must accompany what is made from a list, as the release has them."""

from __future__ import annotations

from hub.web import Visit

MART = "list_statements"


def statements(visit: Visit, *marts: str) -> list[str]:
    """The sentences that stand beside any of these marts always, in their order; of a release without them, the first of all."""
    if not visit.has(MART):
        return ["A suspect is not an offender: an allegation is listed here, not a finding of guilt."]
    found = visit.kept(
        f"SELECT mart, statement FROM {MART} WHERE shown_when = 'always' ORDER BY statement_no"
    )
    return [row["statement"] for row in found if row["mart"] in marts]
