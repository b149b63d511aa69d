"""The sentences that must accompany what is made from a list, as the release has them."""

from __future__ import annotations

from hub.access import RANKED, tells_a_rank
from hub.web import Visit

MART = "list_statements"


def statements(visit: Visit, *marts: str) -> list[str]:
    """The sentences that stand beside any of these marts always, in their order; those of a rank where one of them tells it.

    Of a release without them, the first of all.
    """
    wanted = {*marts, *(RANKED for mart in marts if tells_a_rank(mart))}
    if not visit.has(MART):
        first = "A suspect is not an offender: an allegation is listed here, not a finding of guilt."
        return [first] if RANKED in wanted else []
    found = visit.kept(
        f"SELECT mart, statement FROM {MART} WHERE shown_when = 'always' ORDER BY statement_no"
    )
    return [row["statement"] for row in found if row["mart"] in wanted]
