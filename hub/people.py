"""A person as the current release has them, read for a page: evidence apart from the standing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from typing import Any

from decisions.review_entries import Subject
from hub.access import Scope
from hub.bands import beside
from hub.parameters import rows as rows_of
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
        orders=_of(visit, "protective_orders_in_force", person_id),
        victims=_victims(visit, profiles),
    )


def standing_of(visit: Visit, person_id: str) -> dict[str, Any]:
    """What the lists say of a person: to be shown after a recorded view alone. Empty where no list considered them."""

    def of(mart: str) -> list[dict[str, Any]]:
        return _of(visit, mart, person_id, visit.scope.after_view())

    ranked = of("ranked_perpetrators")
    if not ranked:
        return {}
    firm = of("ranked_perpetrator_uncertainty")
    points = in_order(of("ranked_perpetrator_offences"), "contribution DESC|offence_id")
    return {
        "ranked": ranked[0],
        "lists": of("perpetrator_lists"),
        "points": points,
        # Points that were rounded to sum: those of persons on a list, all of them or none.
        "is_rounded": bool(points) and all(row["points_shown"] is not None for row in points),
        "firm": firm[0] if firm else None,
        "band": beside(visit, ranked[0].get("rank_band")),
    }


def in_order(rows: list[dict[str, Any]], order: str) -> list[dict[str, Any]]:
    """Rows as SQL's ORDER BY puts them, what is null last; `order`: keys parted by |.

    Of one person's few rows: DuckDB takes longer to begin sorting than to find them.
    """
    for key in reversed(order.split("|")):
        name, _, way = key.partition(" ")
        known = [row for row in rows if row[name] is not None]
        known.sort(key=itemgetter(name), reverse=way == "DESC")
        rows = known + [row for row in rows if row[name] is None]
    return rows


def _of(visit: Visit, mart: str, person_id: str, scope: Scope | None = None) -> list[dict[str, Any]]:
    """What a scope, the reader's own if left out, sees of a person in a mart; nothing where it does not see the mart."""
    return _where(visit, mart, f"{_shown()[mart]['person_column']} = ?", (person_id,), scope or visit.scope)


def _where(
    visit: Visit, mart: str, condition: str, values: tuple[str, ...], scope: Scope
) -> list[dict[str, Any]]:
    """Of a mart what a person's page shows and the scope sees, in the page's order."""
    if not visit.release.has(scope, mart):
        return []
    shown, seen = _shown()[mart], visit.release.require(scope, mart).columns
    names = ", ".join(f'"{name}"' for name in shown["columns"].split() if name in seen)
    rows = visit.kept(f"SELECT {names} FROM {mart} WHERE {condition}", values, scope)
    return in_order(rows, shown["sorted_by"])


@cache
def _shown() -> Mapping[str, Mapping[str, str]]:
    return {row["mart"]: row for row in rows_of("person_page")}


def _victims(visit: Visit, profiles: list[dict[str, Any]]) -> list[dict[str, Any]]:
    ids = tuple(profiles[0].get("victim_ids") or ()) if profiles else ()
    if not ids:
        return []
    # One mark an id, so that the index is asked.
    return _where(visit, "victim_profiles", f"person_id IN ({', '.join('?' for _ in ids)})", ids, visit.scope)
