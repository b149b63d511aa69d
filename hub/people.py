"""A person as the current release has them, read for a page: evidence apart from the standing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from decisions.review_entries import Subject
from hub.access import Scope
from hub.web import Visit

# What was merged into what, step by step; no chain is as long.
_STEPS = 50


# What pages show of a mart about one person: the columns they need, of those that the reader's scope shows, and the order.
_SHOWN: Mapping[str, tuple[str, str]] = {
    "perpetrator_profiles": (
        "person_id n_allegations n_not_counted n_victims victim_ids n_forces n_orders_in_force n_order_breaches n_convicted "
        "n_closed_without_order n_offences_as_victim mo_in_words orders_in_words management_in_words custody_status "
        "is_identity_under_review",
        "person_id",
    ),
    "ranked_perpetrators": (
        "person_id list_status status_reason owner_force_code n_allegations n_counted n_not_counted score national_rank",
        "person_id",
    ),
    "ranked_perpetrator_offences": (
        "offence_id reported_at force_code crime_ref offence_code suspect_status outcome_code n_co_suspects is_counted "
        "not_counted_reason severity_days decay link_probability contribution explanation is_listed_without rank_without",
        "reported_at DESC, offence_id",
    ),
    "ranked_perpetrator_uncertainty": (
        "person_id band_national median_national_rank national_rank_from national_rank_to",
        "person_id",
    ),
    "suspect_nominals": (
        "record_id force_code forenames surname date_of_birth sex postcode pnc_id cro_number alias_full_names link_probability",
        "record_id",
    ),
    "perpetrator_timelines": (
        "event_no event_on event_kind role force_code event_in_words",
        "event_no",
    ),
    "person_link_evidence": (
        "record_id_l record_id_r link_weight bits_name bits_date_of_birth bits_postcode bits_identifiers veto is_weakest",
        "link_weight, record_id_l, record_id_r",
    ),
    "protective_orders_in_force": (
        "order_id order_ref order_type_label force_code court granted_on expires_on n_breaches",
        "order_id",
    ),
    "perpetrator_lists": (
        "list_kind lens list_scope_code place n_on_list certainty_band",
        "list_kind, lens, list_scope_code",
    ),
    "victim_profiles": (
        "person_id n_offences n_repeats n_suspects latest_dash_risk highest_dash_risk orders_in_words is_child",
        "person_id",
    ),
}


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
    victims: list[dict[str, Any]]


def resolved(visit: Visit, person_id: str) -> str:
    """The id of today that an id stands for, of a person whom the reader may see. Raises NoSuchPerson."""
    for _ in range(_STEPS):
        if _of(visit, "ranked_perpetrators", person_id) or _of(visit, "perpetrator_profiles", person_id):
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
    profiles = _of(visit, "perpetrator_profiles", person_id)
    allegations = _of(visit, "ranked_perpetrator_offences", person_id)
    nominals = _of(visit, "suspect_nominals", person_id)
    ranked = _of(visit, "ranked_perpetrators", person_id)
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
        timeline=_of(visit, "perpetrator_timelines", person_id),
        links=_of(visit, "person_link_evidence", person_id),
        orders=_of(visit, "protective_orders_in_force", person_id, "respondent_person_id"),
        victims=_victims(visit, profiles),
    )


def standing_of(visit: Visit, person_id: str) -> dict[str, Any]:
    """What the lists say of a person: to be shown after a recorded view alone. Empty where no list considered them."""

    def of(mart: str) -> list[dict[str, Any]]:
        return _of(visit, mart, person_id, scope=visit.scope.after_view())

    ranked = of("ranked_perpetrators")
    if not ranked:
        return {}
    firm = of("ranked_perpetrator_uncertainty")
    return {
        "ranked": ranked[0],
        "lists": of("perpetrator_lists"),
        "points": in_order(of("ranked_perpetrator_offences"), "contribution DESC, offence_id"),
        "firm": firm[0] if firm else None,
    }


def in_order(rows: list[dict[str, Any]], order: str) -> list[dict[str, Any]]:
    """Rows as SQL's ORDER BY puts them, what is null last. Of one person's few rows, a tenth of what DuckDB takes to begin sorting."""
    for key in reversed(order.split(", ")):
        name, _, way = key.partition(" ")
        known = [row for row in rows if row[name] is not None]
        known.sort(key=itemgetter(name), reverse=way == "DESC")
        rows = known + [row for row in rows if row[name] is None]
    return rows


def _of(
    visit: Visit,
    mart: str,
    person_id: str,
    column: str = "person_id",
    scope: Scope | None = None,
) -> list[dict[str, Any]]:
    """What a scope, the reader's own if left out, sees of a person in a mart; nothing where it does not see the mart."""
    scope = scope or visit.scope
    if not visit.release.has(scope, mart):
        return []
    wanted, order = _SHOWN[mart]
    seen = visit.release.require(scope, mart).columns
    names = ", ".join(f'"{name}"' for name in wanted.split() if name in seen)
    return in_order(
        visit.kept(f"SELECT {names} FROM {mart} WHERE {column} = ?", (person_id,), scope),
        order,
    )


def _victims(visit: Visit, profiles: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if not profiles or not profiles[0]["victim_ids"] or not visit.has("victim_profiles"):
        return []
    ids = profiles[0]["victim_ids"]
    # One mark an id, so that the index is asked.
    marks = ", ".join("?" for _ in ids)
    wanted, order = _SHOWN["victim_profiles"]
    query = f"SELECT {', '.join(wanted.split())} FROM victim_profiles WHERE person_id IN ({marks})"
    return in_order(visit.kept(query, tuple(ids)), order)
