"""Single sign-on by OpenID Connect: the code flow with PKCE, and an id token that is verified before it says anything.

The provider says who somebody is: an administrator has made the account before, and it says what they may do. Where a table of claims is
given, the claims say which role the account has; who has no role by it, or more than one, does not come in.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import jwt
from sqlalchemy import delete, insert, select

from hub.accounts import BadAccount, require_role
from hub.settings import RoleClaim, SingleSignOn
from hub.tables import sign_ons
from hub.web import Hub

_PATIENCE = timedelta(minutes=10)
# Signatures by a key pair alone: a shared secret would let any client of the provider sign.
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384"]


class SignOnFailed(Exception):
    """The provider did not vouch for anybody in a way that holds."""


@dataclass(frozen=True)
class Vouched:
    """Who the provider vouches for: `subject` is `issuer|sub`; `standing` role and force by the claims, none where no table says so."""

    subject: str
    standing: tuple[str, str | None] | None


def role_claims(path: Path) -> tuple[RoleClaim, ...]:
    """The table `claim,value,role,force_code` of a CSV. Raises BadAccount where it is no such table or names what there is not."""
    with path.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream, strict=True)
        if set(reader.fieldnames or ()) != {"claim", "value", "role", "force_code"}:
            raise BadAccount(f"{path.name} must have the columns claim, value, role and force_code")
        found = tuple(
            RoleClaim(row["claim"], row["value"], row["role"], row["force_code"] or None) for row in reader
        )
    for row in found:
        require_role(row.role, row.force_code)
    if not found or not all(row.claim and row.value for row in found):
        raise BadAccount(f"{path.name} must name a claim and a value in every row, and have one at least")
    return found


def begin(hub: Hub) -> tuple[str, str]:
    """A state for the browser to keep, and the provider's address to send it to. Raises SignOnFailed."""
    provider = _provider(hub)
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    at = hub.settings.now()
    with hub.engine.begin() as connection:
        connection.execute(delete(sign_ons).where(sign_ons.c.began_at < (at - _PATIENCE).isoformat()))
        row = {"state_hash": _digest(state), "nonce": nonce, "verifier": verifier, "began_at": at.isoformat()}
        connection.execute(insert(sign_ons).values(row))
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asks = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": provider.redirect_uri,
        "scope": provider.scope,
        "state": state,
        "nonce": nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    return state, f"{_discovered(hub, provider)['authorization_endpoint']}?{urlencode(asks)}"


def finish(hub: Hub, code: str, state: str, kept_state: str) -> Vouched:
    """Who came back. A state is good once, for the browser it was given to. Raises SignOnFailed."""
    provider = _provider(hub)
    if not state or not secrets.compare_digest(state.encode(), kept_state.encode()):
        raise SignOnFailed("the way back was not begun in this browser")
    with hub.engine.begin() as connection:
        began = connection.execute(
            select(sign_ons).where(sign_ons.c.state_hash == _digest(state))
        ).one_or_none()
        connection.execute(delete(sign_ons).where(sign_ons.c.state_hash == _digest(state)))
    if began is None or hub.settings.now() - datetime.fromisoformat(began.began_at) > _PATIENCE:
        raise SignOnFailed("the way back was not begun here, was gone before, or took too long")
    try:
        said = _discovered(hub, provider)
        token = _exchanged(hub, provider, said["token_endpoint"], code, began.verifier)
        claims = _verified(hub, provider, said["jwks_uri"], token)
    except (httpx.HTTPError, jwt.PyJWTError, KeyError, ValueError, TypeError) as error:
        raise SignOnFailed(type(error).__name__) from None
    if claims.get("nonce") != began.nonce:
        raise SignOnFailed("the token answers another question")
    return Vouched(f"{provider.issuer}|{claims['sub']}", _standing(provider.role_claims, claims))


def way_out(hub: Hub) -> str | None:
    """The provider's own address for signing out there, if it has one: whoever sits down next would come in without a word."""
    try:
        provider = _provider(hub)
        out = _discovered(hub, provider).get("end_session_endpoint")
    except SignOnFailed:
        return None
    return f"{out}?{urlencode({'client_id': provider.client_id})}" if out else None


def _standing(table: tuple[RoleClaim, ...], claims: Mapping[str, Any]) -> tuple[str, str | None] | None:
    """Raises SignOnFailed where there is a table and it gives no role, or more than one."""
    if not table:
        return None
    given = {(row.role, row.force_code) for row in table if row.value in _values(claims.get(row.claim))}
    if len(given) != 1:
        raise SignOnFailed("the claims give no role, or more than one")
    return given.pop()


def _values(claim: Any) -> list[Any]:
    # A text is one value: a group whose name stands inside another's is not that group.
    return claim if isinstance(claim, list) else [claim]


def _provider(hub: Hub) -> SingleSignOn:
    if hub.settings.single_sign_on is None:
        raise SignOnFailed("there is no single sign-on here")
    return hub.settings.single_sign_on


def _discovered(hub: Hub, provider: SingleSignOn) -> dict[str, Any]:
    try:
        found = hub.http.get(f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration")
        said = found.raise_for_status().json()
    except (httpx.HTTPError, ValueError) as error:
        raise SignOnFailed(type(error).__name__) from None
    if said.get("issuer") != provider.issuer:
        raise SignOnFailed("the provider calls itself something else")
    return said


def _exchanged(hub: Hub, provider: SingleSignOn, endpoint: str, code: str, verifier: str) -> str:
    answer = hub.http.post(
        endpoint,
        data={
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": provider.redirect_uri,
            "code_verifier": verifier,
        },
        auth=(provider.client_id, provider.client_secret),
    )
    return str(answer.raise_for_status().json()["id_token"])


def _verified(hub: Hub, provider: SingleSignOn, keys_address: str, token: str) -> dict[str, Any]:
    keys = jwt.PyJWKSet.from_dict(hub.http.get(keys_address).raise_for_status().json())
    header = jwt.get_unverified_header(token)
    key = next((k for k in keys.keys if k.key_id == header.get("kid")), None)
    if key is None:
        raise SignOnFailed("the token is signed with a key that the provider does not have")
    return jwt.decode(
        token,
        key.key,
        algorithms=_ALGORITHMS,
        audience=provider.client_id,
        issuer=provider.issuer,
        leeway=60,
        options={"require": ["exp", "iat", "sub", "aud", "iss"]},
    )


def _digest(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()
