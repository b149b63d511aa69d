"""Coming in, going out, and saying what for."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from decisions.access import purposes
from hub import sign_on
from hub.accounts import NotLetIn
from hub.web import BadForm, Hub, V, hub_of, own_path, redirect

router = APIRouter()
# The name of a state that only this browser knows, for the way back from the provider.
_STATE_COOKIE = "vawg_sign_on"


async def _plain_form(request: Request) -> FormData:
    # There is no session to hold the form to yet; the cookie is of this site alone.
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise BadForm("sign in from this site's own page")
    return await request.form(max_files=0, max_fields=5)


@router.get("/sign-in")
def show(request: Request) -> Response:
    return _form(hub_of(request), request.query_params.get("next", "/"))


@router.post("/sign-in")
def sign_in(request: Request, form: Annotated[FormData, Depends(_plain_form)]) -> Response:
    hub, next_path = hub_of(request), own_path(str(form.get("next", "/")))
    try:
        cookie = hub.accounts.sign_in(
            str(form.get("user_id", ""))[:60].strip().lower(),
            str(form.get("password", ""))[:500],
            hub.settings.now(),
        )
    except NotLetIn:
        return _form(hub, next_path, failed="password")
    return _with_session(hub, redirect(next_path), cookie)


@router.get("/sign-on")
def go_to_provider(request: Request) -> Response:
    hub = hub_of(request)
    try:
        state, address = sign_on.begin(hub)
    except sign_on.SignOnFailed:
        return _form(hub, "/", failed="provider")
    response = redirect(address)
    _set(hub, response, _STATE_COOKIE, state, strict=False)
    return response


@router.get("/sign-on/back")
def back_from_provider(request: Request, code: str = "", state: str = "") -> Response:
    hub = hub_of(request)
    try:
        came = sign_on.finish(hub, code, state, request.cookies.get(_STATE_COOKIE, ""))
        cookie = hub.accounts.sign_on(came.subject, hub.settings.now(), came.standing)
    except (NotLetIn, sign_on.SignOnFailed):
        return _form(hub, "/", failed="sign_on")
    # Not a redirect: a cookie that is of this site alone would not come along from the provider's.
    response = hub.render("signed_on.html")
    response.delete_cookie(_STATE_COOKIE)
    return _with_session(hub, response, cookie)


@router.post("/sign-out")
def sign_out(visit: V) -> Response:
    assert visit.session
    visit.hub.accounts.sign_out(visit.session, visit.at)
    signs_on = visit.hub.accounts.signs_on(visit.user.user_id)
    response = redirect("/signed-out" if signs_on else "/sign-in")
    response.delete_cookie(visit.hub.cookie)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


@router.get("/signed-out")
def signed_out(request: Request) -> Response:
    """Where somebody of single sign-on lands: here they are out, at the provider they are not yet."""
    return hub_of(request).render("signed_out.html")


@router.get("/sign-on/out")
def go_out_at_provider(request: Request) -> Response:
    return redirect(sign_on.way_out(hub_of(request)) or "/sign-in")


@router.get("/purpose")
def ask_purpose(visit: V) -> Response:
    visit.user.require("identifiable")
    return visit.page(
        "purpose.html", next=own_path(visit.request.query_params.get("next")), purposes=purposes()
    )


@router.post("/purpose")
def state_purpose(visit: V) -> Response:
    visit.user.require("identifiable")
    if visit.said("purpose") not in purposes():
        raise BadForm("choose what you are here for")
    assert visit.session
    visit.hub.accounts.state_purpose(visit.session, visit.said("purpose"))
    return redirect(own_path(visit.said("next")))


def _form(hub: Hub, next_path: str, *, failed: str = "") -> Response:
    return hub.render(
        "sign_in.html",
        401 if failed else 200,
        next=own_path(next_path),
        failed=failed,
        has_sign_on=hub.settings.single_sign_on is not None,
    )


def _with_session(hub: Hub, response: Response, cookie: str) -> Response:
    _set(hub, response, hub.cookie, cookie, strict=True)
    return response


def _set(hub: Hub, response: Response, name: str, value: str, *, strict: bool) -> None:
    response.set_cookie(
        name,
        value,
        httponly=True,
        secure=hub.settings.is_https,
        samesite="strict" if strict else "lax",
        path="/",
    )
