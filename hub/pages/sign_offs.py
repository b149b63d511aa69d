"""Sign-off: a force's figures of the month as they are to be released, and whether the force stands by them."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from data_contracts.signed_figures import digest, figures_of
from decisions import sign_off
from hub.releases import NoSuchMart
from hub.web import BadForm, V, Visit, forces, redirect

router = APIRouter()
_SHOWN = """
    SELECT
        s.threat, s.measure, s.value, s.numerator, s.denominator, s.suppressed,
        (SELECT max(b.value) FROM national_statistics AS b
            WHERE b.force_code = s.force_code AND b.period_kind = s.period_kind AND b.definition_id = s.definition_id
                AND b.threat = s.threat AND b.measure = s.measure AND b.breakdown = s.breakdown
                AND b.period = s.period - INTERVAL 1 MONTH) AS value_before
    FROM national_statistics AS s
    WHERE s.force_code = $force AND s.period_kind = 'month' AND s.period = $first::date
        AND s.definition_id = $definition AND s.breakdown = 'none'
    ORDER BY s.threat <> 'all', s.threat, s.measure
"""
_DEFINITION = "npcc_policing_scope"


@router.get("/sign-off")
def page(visit: V, force: str = "") -> Response:
    visit.user.require("returns")
    force = visit.user.force_code or force
    if force not in forces():
        return visit.page("sign_off.html", force="", forces=forces(), rows=[])
    visit.user.require_force(force)
    period = str(visit.release.manifest["period"])
    first = {"force": force, "first": f"{period}-01", "definition": _DEFINITION}
    rows: list[dict[str, Any]] = visit.kept(_SHOWN, first)
    n_figures, figures = _signed(visit.release.folder, force)
    standing = sign_off.in_force(visit.hub.store, visit.at).get((force, period))
    return visit.page(
        "sign_off.html",
        force=force,
        forces=forces(),
        rows=rows,
        period=period,
        definition=_DEFINITION,
        release=visit.release.manifest,
        n_figures=n_figures,
        figures=figures,
        standing=standing,
        is_same=bool(standing and standing.figures == figures),
        refusals=[r for r in sign_off.refusals(visit.hub.store, force, visit.at) if r.period == period],
        may_sign=visit.user.may("sign_off"),
    )


@router.post("/sign-off/{act}")
def act(visit: V, act: str) -> Response:
    """Sign, refuse or withdraw, for the signer's own force, the figures that were on the page."""
    visit.user.require("sign_off")
    force, why = str(visit.user.force_code), visit.said("why", 1000)
    n_figures, figures = _signed(visit.release.folder, force)
    if visit.said("figures") != figures:
        raise BadForm("a release was published meanwhile and these figures changed; look at them again")
    said: dict[str, Any] = {
        "force_code": force,
        "period": str(visit.release.manifest["period"]),
        "release_id": visit.release.release_id,
        "figures": figures,
        "by": visit.user.user_id,
    }
    store = visit.hub.store
    if act == "sign" and n_figures:
        visit.act(lambda at: sign_off.sign(store, note=why, at=at, **said))
    elif act == "refuse" and n_figures:
        visit.act(lambda at: sign_off.refuse(store, why=why, at=at, **said))
    elif act == "withdraw":
        _withdraw(visit, force, why)
    else:
        raise NoSuchMart("figures are signed, refused or withdrawn, where there are any")
    return redirect("/sign-off")


def _withdraw(visit: Visit, force: str, why: str) -> None:
    standing = sign_off.in_force(visit.hub.store, visit.at).get(
        (force, str(visit.release.manifest["period"]))
    )
    if standing is None:
        raise NoSuchMart("nothing is signed off that could be withdrawn")
    visit.act(
        lambda at: sign_off.withdraw(
            visit.hub.store, standing.sign_off_id, by=visit.user.user_id, reason=why, at=at
        )
    )


@lru_cache(maxsize=200)
def _signed(release: Path, force: str) -> tuple[int, str]:
    """How many figures of the force a release has, and their digest; a release never changes. Raises NoSuchMart."""
    try:
        figures = figures_of(release, force)
    except FileNotFoundError:
        raise NoSuchMart("this release has no statistics") from None
    return figures.height, digest(figures)
