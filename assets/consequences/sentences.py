"""What a defect means to a force, in a sentence: from the counts of its row, without a name or an id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assets.consequences.defects import Defect


def sentence(defect: Defect, row: Mapping[str, Any]) -> str:
    """Number of records, what would change in the nation's figures and lists, and what may not be claimed."""
    if not row["n_records"]:
        return f"{defect.title}: none in this run."
    head = f"{defect.title}: {row['n_records']:,} of {row['n_rows']:,}"
    if not row["n_mended"]:
        return f"{head}. None of them can be mended by rule, so nothing is said of what they do."
    said = [
        head + (f", {row['n_mended']:,} of them mended" if row["n_mended"] < row["n_records"] else "") + "."
    ]
    said.append(_figures(row))
    said.append(_lists(row))
    return " ".join(
        [*said, f"This does not say: {defect.may_not_claim[0].lower()}{defect.may_not_claim[1:]}."]
    )


def _figures(row: Mapping[str, Any]) -> str:
    counted = [(row["n_figures"], "of the force"), (row["n_national_figures"], "of the nation")]
    told = " and ".join(f"{n:,} figures {whose}" for n, whose in counted if n)
    if not told:
        return "No figure of the force or of the nation would change."
    if row["largest_measure"] is None:
        return f"{told} would change."
    whose = "the force's" if row["largest_of_whom"] == "force" else "the nation's"
    return (
        f"{told} would change; of {whose} for the month, {row['largest_measure']} ({row['largest_definition_id']}, "
        f"{row['largest_threat']}): {row['largest_value_now']:,.4g} would be {row['largest_value_mended']:,.4g}."
    )


def _lists(row: Mapping[str, Any]) -> str:
    moves = [
        (row["n_enter_national"], "would enter the national list"),
        (row["n_leave_national"], "would leave the national list"),
        (row["n_enter_scope"], "would enter a force's or region's list"),
        (row["n_leave_scope"], "would leave a force's or region's list"),
        (row["n_become_eligible"], "would become eligible"),
        (row["n_no_longer_eligible"], "would be eligible no longer"),
    ]
    said = [f"{n:,} {words}" for n, words in moves if n]
    return f"Of persons, {', '.join(said)}." if said else "Nobody would enter or leave a list."
