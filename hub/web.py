"""What every page shares: the hub's parts, who asks, what they may read, what is logged, how a page is rendered."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import quote, urlsplit

import httpx
import jinja2
from fastapi import Depends, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse
from pydantic import AfterValidator
from sqlalchemy import Engine
from starlette.datastructures import FormData

from data_contracts.code_lists import attribute
from decisions import access as accesses
from decisions import suspension
from decisions.access import AccessKind
from decisions.store import Store, open_store
from decisions.suspension import Suspension
from hub.access import Denied, Scope, User
from hub.accounts import Accounts, Session
from hub.logs import in_order
from hub.parameters import number, whole
from hub.releases import Release, Releases, Table
from hub.settings import Settings
from hub.tables import open_state

T = TypeVar("T")
# The number of a page of rows, from one; what is asked beyond any is the last that could be.
PageNo = Annotated[int, AfterValidator(lambda asked: max(1, min(asked, 1_000_000)))]
# What a page is for that asks nobody: codes of `decisions/codes/review_reasons.csv`.
RETURNS, STATISTICS, ADMINISTRATION = "returns", "statistics", "administration"
FORM_TOKEN, FORM_HEADER, PURPOSE_HEADER = "form_token", "x-form-token", "x-purpose"
_SAFE = frozenset({"GET", "HEAD"})
# Without scripts: of this origin, so that a link in it comes with the reader's session.
_SHUT_IN = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; "
    "sandbox allow-same-origin allow-downloads"
)
# As `decisions.access` takes a subject.
_UNFIT = re.compile(r"[^A-Za-z0-9_.:|/,-]")


class NeedsSignIn(Exception):
    """Nobody is signed in, or the session ended."""


class NeedsPurpose(Exception):
    """The page is about persons, and the reader has not said what for."""


class BadForm(Exception):
    """A form that this hub did not give out, or a field that it needs is not there."""


@dataclass
class Hub:
    """The parts of a running hub. `http`: how it reaches the provider of single sign-on, and nothing else."""

    settings: Settings
    engine: Engine
    store: Store
    accounts: Accounts
    releases: Releases
    http: httpx.Client
    templates: jinja2.Environment = field(default_factory=lambda: _templates())

    @classmethod
    def of(cls, settings: Settings, http: httpx.Client | None = None) -> Hub:
        store = open_store(settings.store_url, is_standing=True)
        engine = open_state(settings.state_url)
        accounts = Accounts(engine, store, settings.now)
        releases = Releases(settings.releases, settings.release_key, settings.lookups)
        return cls(settings, engine, store, accounts, releases, http or httpx.Client(timeout=10))

    @property
    def cookie(self) -> str:
        # The prefix makes browsers refuse it from elsewhere, and asks for TLS.
        return "__Host-vawg" if self.settings.is_https else "vawg_session"

    def render(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        values = {"session": None, "user": None, "https": self.settings.is_https, **values}
        return HTMLResponse(self.templates.get_template(template).render(values), status)


@dataclass(frozen=True)
class Taken:
    """Who took something about persons away, when, and the day by which it is destroyed: as the log has it."""

    by: str
    at: datetime
    destroy_by_on: date

    @property
    def columns(self) -> dict[str, str | date]:
        """What every row of the file says."""
        return {"taken_by": self.by, "destroy_by_on": self.destroy_by_on}

    @property
    def about(self) -> dict[str, str]:
        return {
            "taken_by": self.by,
            "taken_at": self.at.isoformat(timespec="seconds"),
            "destroy_by_on": self.destroy_by_on.isoformat(),
        }

    @property
    def headers(self) -> dict[str, str]:
        return {"X-Taken-By": _UNFIT.sub("_", self.by), "X-Destroy-By": self.destroy_by_on.isoformat()}

    @property
    def in_name(self) -> str:
        """What the name of the file ends with."""
        return f"_{_UNFIT.sub('_', self.by)}_destroy_by_{self.destroy_by_on}".replace("/", "_").replace(
            ",", "_"
        )


@dataclass
class Visit:
    """One request of somebody who is signed in."""

    hub: Hub
    request: Request
    session: Session | None
    user: User
    form: FormData
    _release: Release | None = None
    _suspensions: list[Suspension] | None = None
    _scope: Scope | None = None

    @property
    def at(self) -> datetime:
        return self.hub.settings.now()

    # Not functools.cached_property, which in Python 3.11 holds one lock for the visits of everybody.
    @property
    def release(self) -> Release:
        if self._release is None:
            self._release = self.hub.releases.current()
        return self._release

    @property
    def suspensions(self) -> list[Suspension]:
        if self._suspensions is None:
            self._suspensions = suspension.in_force(self.hub.store, self.at)
        return self._suspensions

    @property
    def scope(self) -> Scope:
        if self._scope is None:
            self._scope = self.user.scope(s.scope for s in self.suspensions)
        return self._scope

    @property
    def purpose(self) -> str:
        """What the reader said they are here for. Raises NeedsPurpose."""
        said = self.session.purpose if self.session else self.request.headers.get(PURPOSE_HEADER)
        if said not in accesses.purposes():
            raise NeedsPurpose
        return str(said)

    def read(self, query: str, values: Any = (), scope: Scope | None = None) -> Table:
        return self.release.read(scope or self.scope, query, values)

    def kept(
        self,
        query: str,
        values: tuple[Any, ...] | dict[str, Any] | None = None,
        scope: Scope | None = None,
    ) -> list[dict[str, Any]]:
        """Rows of a query that is asked again and again, as `Release.read_kept` has them: to be read, never changed."""
        return self.release.read_kept(scope or self.scope, query, values).rows

    def has(self, mart: str) -> bool:
        return self.release.has(self.scope, mart)

    def about_persons(self, subject: str, kind: AccessKind = "view") -> datetime:
        """Hold a page about persons to its conditions, and log it. Returns the moment of the log. Raises Denied, NeedsPurpose."""
        self.user.require("identifiable")
        return self.log(kind, subject, self.purpose)

    def taken(self, subject: str) -> Taken:
        """Log that something about persons is taken away; what the file must say of it. Raises Denied, NeedsPurpose."""
        at = self.about_persons(subject, "export")
        return Taken(self.user.user_id, at, _destroy_by(at).date())

    def destroy_by(self, at: datetime) -> date:
        """The day by which what is taken away at a moment is to be destroyed."""
        return _destroy_by(at).date()

    def log(self, kind: AccessKind, subject: str, purpose: str) -> datetime:
        def write(at: datetime) -> datetime:
            ends = _destroy_by(at) if kind == "export" else None
            accesses.log_access(
                self.hub.store,
                who=self.user.user_id,
                at=at,
                kind=kind,
                subject=_UNFIT.sub("_", subject)[:400] or "-",
                purpose=purpose,
                expires_on=ends,
            )
            return at

        return self.act(write)

    def act(self, act: Callable[[datetime], T]) -> T:
        """Do something that is logged, at the moment at which its turn comes."""
        return in_order(act, self.hub.settings.now)

    def said(self, name: str, most: int = 4000) -> str:
        """A field of the form; blank where it is not there. Raises BadForm where it is no text or too long."""
        value = self.form.get(name, "")
        if not isinstance(value, str) or len(value) > most:
            raise BadForm(f"the field {name} cannot be used as it is")
        return value.strip()

    def page(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        return self.hub.render(
            template,
            status,
            session=self.session,
            user=self.user,
            path=self.request.url.path,
            suspensions=self.suspensions,
            **values,
        )


def _destroy_by(at: datetime) -> datetime:
    return at + timedelta(days=number("export_days"))


def hub_of(request: Request) -> Hub:
    return request.app.state.hub


def session_if_any(request: Request) -> Session | None:
    hub = hub_of(request)
    return hub.accounts.session(request.cookies.get(hub.cookie), hub.settings.now())


def session_of(request: Request) -> Session:
    """Raises NeedsSignIn."""
    session = session_if_any(request)
    if session is None:
        raise NeedsSignIn
    return session


async def form_of(request: Request, session: Annotated[Session, Depends(session_of)]) -> FormData:
    """The form of a request that changes something, held to the token of the session. Raises BadForm."""
    if request.method in _SAFE:
        return FormData()
    form = await request.form(max_files=0, max_fields=60)
    require_token(request, form, session)
    return form


def require_token(request: Request, form: FormData, session: Session) -> None:
    """Raises BadForm where the form was not given out to this session."""
    given = request.headers.get(FORM_HEADER) or form.get(FORM_TOKEN)
    if given != session.form_token:
        raise BadForm("this form was not given out to this session; go back, load the page again and repeat")


async def visit_of(
    request: Request,
    session: Annotated[Session, Depends(session_of)],
    form: Annotated[FormData, Depends(form_of)],
) -> Visit:
    return Visit(hub_of(request), request, session, session.user, form)


V = Annotated[Visit, Depends(visit_of)]


def written_page(file: Path) -> FileResponse:
    """A page that was written beside the hub: it brings its own styles along, and shut in it can do nothing else."""
    return FileResponse(file, media_type="text/html", headers={"Content-Security-Policy": _SHUT_IN})


def redirect(path: str) -> RedirectResponse:
    return RedirectResponse(path, status_code=303)


def own_path(path: str | None) -> str:
    """A path of this hub to go on to: anything else, of another host say, becomes the first page."""
    if not path or not path.startswith("/") or path.startswith(("//", "/\\")) or urlsplit(path).netloc:
        return "/"
    return "/" if "\\" in path or "\n" in path or "\r" in path else path


def with_next(path: str, request: Request) -> str:
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return f"{path}?next={quote(here if request.method in _SAFE else '/', safe='')}"


def forces() -> dict[str, str]:
    """Code to short name of the forces."""
    return dict(attribute("forces", "short_name"))


def require(condition: bool, message: str) -> None:
    """Raises Denied."""
    if not condition:
        raise Denied(message)


def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        # Templates change with the code alone.
        auto_reload=False,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["parameter"] = whole
    environment.filters.update(
        day=_day, number=_number, words=_words, share=share, force=_force, urlpart=_urlpart, coded=_coded
    )
    return environment


def _day(value: Any) -> str:
    if value is None:
        return ""
    # A day does not break over two lines.
    return (
        f"{value:%d %b %Y}".lstrip("0").replace(" ", "\u00a0") if isinstance(value, date) else str(value)[:10]
    )


def _number(value: Any, digits: int = 0) -> str:
    return "" if value is None else f"{value:,.{digits}f}"


def share(value: Any) -> str:
    return "" if value is None else f"{100 * value:.1f}%"


def _words(value: Any) -> str:
    return "" if value is None else str(value).replace("_", " ")


def _force(code: Any) -> str:
    return attribute("forces", "short_name").get(str(code), str(code)) if code else ""


def _coded(code: Any, codes: str) -> str:
    """A code with its label in a code list; alone where the list has none of it."""
    if code is None:
        return ""
    label = attribute(codes, "label").get(str(code), "")
    return f"{code} {label}".strip()


def _urlpart(value: Any) -> str:
    return quote(str(value), safe="")
