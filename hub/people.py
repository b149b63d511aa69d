"""A person as the current release has them, read for a page: evidence apart from the standing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from decisions.review_entries import Subject
from hub.web import Visit

# What was merged into what, step by step; no chain is as long.
_STEPS = 50


class NoSuchPerson(Exception):
    """No person of the release that the reader may see has, or ever had, that id."""


@dataclass(frozen=True)
class Evidence:
    """What is recorded of a person, without any rank. Each list has one mapping a row of its mart."""

    subject: Subject
    profile: dict[str, Any] | None
    status: dict[str, Any] | None
    nominals: list[dict[str, Any]]
    allegations: list[dict[str, Any]]
    timeline: list[dict[str, Any]]
    links: list[dict[str, Any]]
    orders: list[dict[str, Any]]
    features: list[dict[str, Any]]
    closed: list[dict[str, Any]]
    victims: list[dict[str, Any]]


def resolved(visit: Visit, person_id: str) -> str:
    """The id of today that an id stands for, of a person whom the reader may see. Raises NoSuchPerson."""
    for _ in range(_STEPS):
        known = visit.read("SELECT 1 FROM ranked_perpetrators WHERE person_id = ? LIMIT 1", [person_id]).rows
        if known or _has_profile(visit, person_id):
            return person_id
        if not visit.has("person_identity_changes"):
            break
        later = visit.read(
            "SELECT to_person_id FROM person_identity_changes WHERE from_person_id = ? AND event = 'merge' "
            "ORDER BY run_no DESC, to_person_id LIMIT 1",
            [person_id],
        ).rows
        if not later:
            break
        person_id = str(later[0]["to_person_id"])
    raise NoSuchPerson


def evidence_on(visit: Visit, person_id: str) -> Evidence:
    """Everything of one person that the reader's scope shows. `person_id`: as `resolved` gives it."""

    def of(mart: str, order: str, column: str = "person_id") -> list[dict[str, Any]]:
        if not visit.has(mart):
            return []
        return visit.read(f"SELECT * FROM {mart} WHERE {column} = ? ORDER BY {order}", [person_id]).rows

    profiles = of("perpetrator_profiles", "person_id")
    allegations = of("ranked_perpetrator_offences", "reported_at DESC, offence_id")
    nominals = of("suspect_nominals", "record_id")
    ranked = of("ranked_perpetrators", "person_id")
    subject = Subject(
        person_id,
        tuple(n["record_id"] for n in nominals),
        tuple(sorted(a["offence_id"] for a in allegations if a["is_counted"])),
        visit.release.release_id,
        str(visit.release.manifest["period"]),
    )
    shown = (
        "list_status",
        "status_reason",
        "owner_force_code",
        "n_allegations",
        "n_counted",
        "n_not_counted",
    )
    return Evidence(
        subject=subject,
        profile=profiles[0] if profiles else None,
        status={name: ranked[0][name] for name in shown} if ranked else None,
        nominals=nominals,
        allegations=allegations,
        timeline=of("perpetrator_timelines", "event_no"),
        links=of("person_link_evidence", "link_weight, record_id_l"),
        orders=of("protective_orders_in_force", "order_id", "respondent_person_id"),
        features=of("perpetrator_features", "feature_kind, n_allegations DESC, feature"),
        closed=of("allegations_closed_without_action", "closed_on DESC, offence_id"),
        victims=_victims(visit, profiles),
    )


def standing_of(visit: Visit, person_id: str) -> dict[str, Any]:
    """What the lists say of a person: to be shown after a recorded view alone. Empty where no list considered them."""
    scope = visit.scope.after_view()
    found: dict[str, Any] = {}
    ranked = visit.read("SELECT * FROM ranked_perpetrators WHERE person_id = ?", [person_id], scope).rows
    if ranked:
        found["ranked"] = ranked[0]
        found["lists"] = visit.read(
            "SELECT * FROM perpetrator_lists WHERE person_id = ? ORDER BY list_kind, lens", [person_id], scope
        ).rows
        found["points"] = visit.read(
            "SELECT * FROM ranked_perpetrator_offences WHERE person_id = ? ORDER BY contribution DESC, offence_id",
            [person_id],
            scope,
        ).rows
    if ranked and visit.release.has(scope, "ranked_perpetrator_uncertainty"):
        firm = visit.read(
            "SELECT * FROM ranked_perpetrator_uncertainty WHERE person_id = ?", [person_id], scope
        ).rows
        found["firm"] = firm[0] if firm else None
    return found


def _has_profile(visit: Visit, person_id: str) -> bool:
    if not visit.has("perpetrator_profiles"):
        return False
    return bool(
        visit.read("SELECT 1 FROM perpetrator_profiles WHERE person_id = ? LIMIT 1", [person_id]).rows
    )


def _victims(visit: Visit, profiles: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if not profiles or not profiles[0]["victim_ids"] or not visit.has("victim_profiles"):
        return []
    ids = profiles[0]["victim_ids"]
    # One mark an id, so that the index is asked.
    marks = ", ".join("?" for _ in ids)
    return visit.read(
        f"SELECT * FROM victim_profiles WHERE person_id IN ({marks}) ORDER BY person_id", ids
    ).rows
