"""Who is who: the queue of questions, the decisions that are in force, and taking or ending one."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from decisions import identity
from hub.parameters import whole
from hub.web import BadForm, PageNo, V, redirect

router = APIRouter()


@router.get("/identities")
def queue(visit: V, page: PageNo = 1) -> Response:
    visit.user.require("identity")
    visit.about_persons("identity_review_queue")
    size = whole("page_rows")
    # The order of the queue follows the score at stake, so who judges gets one that tells nothing.
    total = visit.read("SELECT count(*) AS n FROM identity_review_queue").rows[0]["n"]
    rows = visit.read(
        """
        SELECT *, record_id_l IN (SELECT record_id FROM suspect_nominals)
            AND record_id_r IN (SELECT record_id FROM suspect_nominals) AS is_seen
        FROM identity_review_queue
        ORDER BY is_seen DESC NULLS LAST, consequence <> 'listed', consequence <> 'live_suspect', person_id, other_person_id
        """
        f"LIMIT {size} OFFSET ?",
        [(page - 1) * size],
    ).rows
    decided = identity.in_force(visit.hub.store, visit.at)
    return visit.page(
        "identities.html",
        rows=rows,
        total=total,
        number=page,
        pages=max(1, -(-total // size)),
        decided=decided,
        has_rank=visit.scope.rank,
    )


@router.get("/identities/pair")
def pair(visit: V, one: str, other: str) -> Response:
    """Two nominals side by side, as the forces wrote them."""
    visit.user.require("identity")
    visit.about_persons(f"{one},{other}")
    records = visit.read(
        "SELECT * FROM suspect_nominals WHERE record_id IN (?, ?) ORDER BY record_id", [one, other]
    ).rows
    links = visit.read(
        "SELECT * FROM person_link_evidence WHERE record_id_l IN (?, ?) OR record_id_r IN (?, ?) ORDER BY link_weight",
        [one, other, one, other],
    ).rows
    return visit.page("pair.html", one=one, other=other, records=records, links=links)


@router.post("/identities/decide")
def decide(visit: V) -> Response:
    visit.user.require("identity")
    kind, one, other = visit.said("kind"), visit.said("one").split(), visit.said("other").split()
    _require_seen(visit, {*one, *other})
    visit.act(
        lambda at: identity.decide(
            visit.hub.store,
            kind,  # type: ignore[arg-type]
            one,
            other,
            decided_by=visit.user.user_id,
            reason=visit.said("why"),
            decided_at=at,
        )
    )
    return redirect("/identities#decided")


def _require_seen(visit: V, records: set[str]) -> None:
    """Nothing is decided about a record that whoever decides may not look at. Raises BadForm."""
    seen = visit.read(
        "SELECT count(DISTINCT record_id) AS n FROM suspect_nominals WHERE list_contains(?, record_id)",
        [sorted(records)],
    ).rows[0]["n"]
    if seen < len(records):
        raise BadForm(
            f"{len(records) - seen} of the {len(records)} nominals named are not in the release that you may see; "
            "the forces that hold them can decide"
        )


@router.post("/identities/{decision_id}/revoke")
def revoke(visit: V, decision_id: str) -> Response:
    visit.user.require("identity")
    visit.act(
        lambda at: identity.revoke(
            visit.hub.store,
            decision_id,
            revoked_by=visit.user.user_id,
            reason=visit.said("why"),
            revoked_at=at,
        )
    )
    return redirect("/identities#decided")


@router.post("/identities/undo")
def undo(visit: V) -> Response:
    """A wrong merge taken back: the nominals that a retired id brought are kept apart from the others of the person."""
    visit.user.require("identity")
    person_id, retired = visit.said("person_id"), visit.said("retired")
    came = visit.read(
        "SELECT DISTINCT record_id FROM person_identity_changes WHERE event = 'merge' AND is_own_record "
        "AND from_person_id = ? AND to_person_id = ? ORDER BY 1",
        [retired, person_id],
    ).rows
    brought = [row["record_id"] for row in came]
    stayed = [
        row["record_id"]
        for row in visit.read(
            "SELECT record_id FROM suspect_nominals WHERE person_id = ? AND NOT list_contains(?, record_id) ORDER BY 1",
            [person_id, brought],
        ).rows
    ]
    visit.act(
        lambda at: identity.decide(
            visit.hub.store,
            "cannot_link",
            brought,
            stayed,
            decided_by=visit.user.user_id,
            reason=visit.said("why"),
            decided_at=at,
        )
    )
    return redirect("/identities#decided")
