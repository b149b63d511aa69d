"""What a hub is started with. It reads no environment: the command line does, and hands it over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from decisions.store import sqlite_url


@dataclass(frozen=True)
class RoleClaim:
    """Whoever's id token has `value` in the claim `claim` has a role, with a force where the role is of one."""

    claim: str
    value: str
    role: str
    force_code: str | None = None


@dataclass(frozen=True)
class SingleSignOn:
    """An OpenID Connect provider. `issuer` is where its discovery document lies and what its tokens must name.

    `scope`: what is asked for, so that the claims come. `role_claims`: the roles that claims give; none, and accounts have their own.
    """

    issuer: str
    client_id: str
    client_secret: str
    redirect_uri: str
    scope: str = "openid"
    role_claims: tuple[RoleClaim, ...] = ()


@dataclass(frozen=True)
class Settings:
    """`now`: the clock of receipts, without time zone. `is_https`: whether readers come by TLS, as they must but at a desk."""

    data_root: Path
    now: Callable[[], datetime]
    hub_url: str | None = None
    decisions_url: str | None = None
    release_key: str | None = None
    is_https: bool = False
    single_sign_on: SingleSignOn | None = None

    @property
    def releases(self) -> Path:
        return self.data_root / "releases"

    @property
    def landing(self) -> Path:
        return self.data_root / "landing"

    @property
    def returns(self) -> Path:
        return self.data_root / "returns"

    @property
    def lookups(self) -> Path:
        """Where releases are laid out for looking up; it can be deleted at any time."""
        return self.data_root / "hub" / "lookups"

    @property
    def state_url(self) -> str:
        """Users, sessions and uploads; SQLite beside the decisions if no database is named."""
        return self.hub_url or sqlite_url(self.data_root / "hub.sqlite")

    @property
    def store_url(self) -> str:
        return self.decisions_url or sqlite_url(self.data_root / "decisions.sqlite")
