"""Accounts: one's own, with the tokens for programs; and everybody's, for an administrator."""

from __future__ import annotations

import secrets

from fastapi import APIRouter
from fastapi.responses import Response

from hub.access import roles
from hub.web import ADMINISTRATION, V, forces, redirect

router = APIRouter()


@router.get("/account")
def own(visit: V) -> Response:
    return visit.page("account.html", tokens=visit.hub.accounts.tokens_of(visit.user), token=None)


@router.post("/account/tokens")
def make_token(visit: V) -> Response:
    visit.user.require("sql")
    token = visit.hub.accounts.make_token(visit.user, visit.said("label", 80), visit.at)
    # Shown on the answer itself: nowhere else is it kept.
    return visit.page("account.html", tokens=visit.hub.accounts.tokens_of(visit.user), token=token)


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
    password = secrets.token_urlsafe(15)
    visit.hub.accounts.add(
        visit.said("user_id", 60),
        label=visit.said("label", 100),
        role=visit.said("role", 30),
        force_code=visit.said("force_code", 20) or None,
        password=password,
        sign_on_subject=visit.said("sign_on_subject", 400) or None,
        by=visit.user.user_id,
        at=visit.at,
    )
    return _users(visit, (visit.said("user_id"), password))


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


def _users(visit: V, made: tuple[str, str] | None) -> Response:
    return visit.page(
        "users.html", users=visit.hub.accounts.everybody(), roles=roles(), forces=forces(), made=made
    )
