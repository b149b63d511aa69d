"""The application: its routes, the headers of every answer, and what is said when something does not go."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import FormData, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from decisions.refusals import Refused
from hub.access import Denied
from hub.accounts import BadAccount
from hub.downloads import NoPlace, TooMuch
from hub.pages import (
    accounts,
    forces,
    identities,
    lists,
    oversight,
    overview,
    persons,
    publication,
    queries,
    search,
    sign_in,
    sign_offs,
    statistics,
)
from hub.releases import NoRelease, NoSuchMart
from hub.settings import Settings
from hub.sql import QueryRefused
from hub.web import (
    ADMINISTRATION,
    BadForm,
    Hub,
    NeedsPurpose,
    NeedsSignIn,
    Visit,
    hub_of,
    redirect,
    session_if_any,
    with_next,
)

# Everything comes from here, and nobody frames it; no script or style but from files.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
# Of what is no upload: a form, or a query.
_FORM_BYTES = 1 << 20
_STATIC = Path(__file__).parent / "static"


def create_app(settings: Settings, http: httpx.Client | None = None) -> FastAPI:
    """The hub over the releases of a data root. Raises what opening its databases raises."""
    app = FastAPI(
        title="VAWG hub", docs_url=None, redoc_url=None, openapi_url=None, max_body_size=_FORM_BYTES
    )
    app.state.hub = Hub.of(settings, http)
    pages = (
        sign_in,
        overview,
        lists,
        persons,
        identities,
        search,
        statistics,
        publication,
        queries,
        forces,
        sign_offs,
        oversight,
        accounts,
    )
    for module in pages:
        app.include_router(module.router)
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")
    app.add_middleware(_Headers, is_https=settings.is_https)
    _handle(app)
    return app


class _Headers:
    """The headers that every answer has; those that a page sets itself stay."""

    def __init__(self, app: ASGIApp, is_https: bool) -> None:
        self._app = app
        self._is_https = is_https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if not scope["path"].startswith("/static/"):
                    headers["Cache-Control"] = "no-store"
                if self._is_https:
                    headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _handle(app: FastAPI) -> None:
    says: dict[type[Exception], int] = {
        BadForm: 400,
        Refused: 409,
        BadAccount: 400,
        NoSuchMart: 404,
        NoRelease: 503,
        QueryRefused: 400,
        TooMuch: 413,
        NoPlace: 400,
    }
    for error, status in says.items():
        app.add_exception_handler(error, _telling(status))
    app.add_exception_handler(Denied, _refused)
    app.add_exception_handler(NeedsSignIn, _to_sign_in)
    app.add_exception_handler(NeedsPurpose, _to_purpose)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _broken)


def _refused(request: Request, error: Exception) -> Response:
    """What somebody may not see or do, told and logged: by its address, without what was typed."""
    session, hub = session_if_any(request), hub_of(request)
    visit = getattr(request.state, "by_token", None)
    if session and not visit:
        visit = Visit(hub, request, session, session.user, FormData())
    if visit:
        visit.log("refused", request.url.path, ADMINISTRATION)
    return _told(request, 403, str(error))


def _telling(status: int) -> Callable[[Request, Exception], Response]:
    def tell(request: Request, error: Exception) -> Response:
        return _told(request, status, str(error))

    return tell


def _told(request: Request, status: int, message: str) -> Response:
    if request.url.path.startswith("/api/"):
        return JSONResponse({"error": message}, status)
    # With the menu of whoever is signed in: a page that is not theirs is no dead end.
    session = session_if_any(request)
    return hub_of(request).render(
        "error.html",
        status,
        session=session,
        user=session and session.user,
        path=request.url.path,
        code=status,
        message=message,
    )


def _to_sign_in(request: Request, error: Exception) -> Response:
    if request.url.path.startswith("/api/"):
        return JSONResponse({"error": "give a token: Authorization: Bearer ..."}, 401)
    return redirect(with_next("/sign-in", request))


def _to_purpose(request: Request, error: Exception) -> Response:
    if request.url.path.startswith("/api/"):
        return JSONResponse({"error": "say what for in the header X-Purpose"}, 403)
    return redirect(with_next("/purpose", request))


def _http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    words = {
        413: "that is larger than the hub takes",
        404: "there is no such page",
        405: "that cannot be done here",
    }
    return _told(request, status, words.get(status, "the request cannot be used as it is"))


def _broken(request: Request, error: Exception) -> Response:
    # Not the error itself: it may quote a value.
    message = "something of ours failed; nothing was changed"
    try:
        return _told(request, 500, message)
    except SQLAlchemyError:
        # What failed is what knows who is signed in.
        return hub_of(request).render("error.html", 500, code=500, message=message)
