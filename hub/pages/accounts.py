"""Accounts: one's own, with the tokens for programs; and everybody's, for an administrator."""

from __future__ import annotations

import secrets

from fastapi import APIRouter
from fastapi.responses import Response

from hub.access import roles
from hub.accounts import BadAccount
from hub.web import ADMINISTRATION, V, Visit, forces, redirect

router = APIRouter()


@router.get("/account")
def own(visit: V) -> Response:
    return _own(visit)


@router.post("/account/password")
def change_password(visit: V) -> Response:
    assert visit.session
    old, new, again = (_secret(visit, name) for name in ("old", "new", "again"))
    if new != again:
        return _own(visit, refused="the new password was not written the same twice", status=400)
    try:
        visit.hub.accounts.change_password(visit.session, old, new, visit.at)
    except BadAccount as bad:
        return _own(visit, refused=str(bad), status=400)
    return _own(visit, changed=True)


@router.post("/account/tokens")
def make_token(visit: V) -> Response:
    visit.user.require("sql")
    token = visit.hub.accounts.make_token(visit.user, visit.said("label", 80), visit.at)
    # Shown on the answer itself: nowhere else is it kept.
    return _own(visit, token=token)


@router.post("/account/tokens/end")
def end_token(visit: V) -> Response:
    visit.hub.accounts.end_token(visit.user, visit.said("short", 12) or "-", visit.at)
    return redirect("/account")


@router.get("/users")
def users(visit: V) -> Response:
    visit.user.require("users")
    visit.log("view", "users", ADMINISTRATION)
    return _users(visit, None)


@router.post("/users")
def add(visit: V) -> Response:
    visit.user.require("users")
    subject = visit.said("sign_on_subject", 400) or None
    password = None if subject else secrets.token_urlsafe(15)
    visit.hub.accounts.add(
        visit.said("user_id", 60),
        label=visit.said("label", 100),
        role=visit.said("role", 30),
        force_code=visit.said("force_code", 20) or None,
        password=password,
        sign_on_subject=subject,
        by=visit.user.user_id,
        at=visit.at,
    )
    return _users(visit, (visit.said("user_id"), password) if password else None)


@router.post("/users/{user_id}")
def change(visit: V, user_id: str) -> Response:
    visit.user.require("users")
    visit.hub.accounts.change(
        user_id,
        by=visit.user.user_id,
        at=visit.at,
        role=visit.said("role", 30),
        force_code=visit.said("force_code", 20) or None,
        is_active=visit.said("is_active") == "yes",
    )
    return redirect("/users")


@router.post("/users/{user_id}/password")
def reset_password(visit: V, user_id: str) -> Response:
    visit.user.require("users")
    password = secrets.token_urlsafe(15)
    visit.hub.accounts.set_password(user_id, password, by=visit.user.user_id, at=visit.at)
    return _users(visit, (user_id, password))


def _secret(visit: Visit, name: str) -> str:
    # As it is taken at the door: blanks at its ends are part of it.
    return str(visit.form.get(name, ""))[:500]


def _own(
    visit: Visit,
    *,
    token: str | None = None,
    refused: str | None = None,
    changed: bool = False,
    status: int = 200,
) -> Response:
    held = visit.hub.accounts
    return visit.page(
        "account.html",
        status,
        tokens=held.tokens_of(visit.user),
        token=token,
        signs_on=held.signs_on(visit.user.user_id),
        refused=refused,
        changed=changed,
    )


def _users(visit: Visit, made: tuple[str, str] | None) -> Response:
    return visit.page(
        "users.html", users=visit.hub.accounts.everybody(), roles=roles(), forces=forces(), made=made
    )
