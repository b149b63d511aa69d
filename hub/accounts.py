"""Accounts, sessions and tokens: who is there, and how that is known.

A session is a random cookie of which the hash is kept, so that ending it ends it everywhere and no copy of the database
lets anybody in. Every change of an account and every way in is an entry of the audit log.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, Engine, Row, case, delete, insert, select, update

from data_contracts.code_lists import attribute
from decisions import audit
from decisions.store import Store
from hub.access import User, roles
from hub.logs import in_order
from hub.parameters import number, whole
from hub.tables import sessions, tokens, users

# Names are compared without case, for four eyes, so they are kept without.
_USER_ID = re.compile(r"[a-z][a-z0-9._-]{1,59}")
_HASHER = PasswordHasher()
# Who changed an account whose role the provider's claims gave; no account can be called so.
SIGN_ON = "single-sign-on:claims"


class BadAccount(Exception):
    """An account cannot be made or changed like this; the message says why."""


class NotLetIn(Exception):
    """Name and password do not match an account that may come in. Never says which of it."""


@dataclass(frozen=True)
class Session:
    """Somebody who came in. `form_token`: what every form of theirs must carry. `purpose`: what they said they are here for."""

    user: User
    session_hash: str
    form_token: str
    purpose: str | None


@dataclass(frozen=True)
class Accounts:
    """Accounts in the hub's database; what happens to them in the log of `store`."""

    engine: Engine
    store: Store
    now: Callable[[], datetime]

    def add(
        self,
        user_id: str,
        *,
        label: str,
        role: str,
        force_code: str | None,
        password: str | None,
        by: str,
        at: datetime,
        sign_on_subject: str | None = None,
    ) -> None:
        """Make an account; `password` or `sign_on_subject` (`issuer|sub`) lets its owner in, never both. Raises BadAccount."""
        if not _USER_ID.fullmatch(user_id):
            raise BadAccount("a user's name is two to 60 small letters, digits, dots and dashes")
        if bool(password) == bool(sign_on_subject):
            # A second door would go round what the provider asks, and round the day it shuts somebody out.
            raise BadAccount("an account has either a password or a subject of the single sign-on")
        require_role(role, force_code)
        row = {
            "user_id": user_id,
            "label": label.strip() or user_id,
            "role": role,
            "force_code": force_code,
            "password_hash": _hashed(password) if password else None,
            "sign_on_subject": sign_on_subject,
            "is_active": True,
            "n_failed": 0,
        }
        with self.engine.begin() as connection:
            if connection.execute(select(users.c.user_id).where(users.c.user_id == user_id)).first():
                raise BadAccount(f"there is an account {user_id} already")
            of_subject = users.c.sign_on_subject == sign_on_subject
            if sign_on_subject and connection.execute(select(users.c.user_id).where(of_subject)).first():
                raise BadAccount("there is an account of that subject already")
            connection.execute(insert(users).values(row))
        self._log("hub_user_added", user_id, by, role=role, force_code=force_code)

    def change(
        self, user_id: str, *, by: str, at: datetime, role: str, force_code: str | None, is_active: bool
    ) -> None:
        """Change what somebody may do; their sessions and tokens end. Raises BadAccount."""
        require_role(role, force_code)
        if user_id == by:
            raise BadAccount("nobody changes their own account; another administrator does")
        with self.engine.begin() as connection:
            changed = connection.execute(
                update(users)
                .where(users.c.user_id == user_id)
                .values(role=role, force_code=force_code, is_active=is_active)
            )
            if not changed.rowcount:
                raise BadAccount(f"there is no account {user_id}")
            _end_all(connection, user_id)
        self._log("hub_user_changed", user_id, by, role=role, force_code=force_code, is_active=is_active)

    def set_password(self, user_id: str, password: str, *, by: str, at: datetime) -> None:
        """Give an account another password; its sessions and tokens end. Raises BadAccount: also for one of single sign-on."""
        values = {"password_hash": _hashed(password), "n_failed": 0, "locked_until": None}
        with self.engine.begin() as connection:
            signs_on = connection.execute(
                select(users.c.sign_on_subject).where(users.c.user_id == user_id)
            ).first()
            if signs_on is None:
                raise BadAccount(f"there is no account {user_id}")
            if signs_on.sign_on_subject:
                raise BadAccount(f"{user_id} comes in by single sign-on and has no password here")
            connection.execute(update(users).where(users.c.user_id == user_id).values(values))
            _end_all(connection, user_id)
        self._log("hub_password_set", user_id, by)

    def change_password(self, session: Session, old: str, new: str, at: datetime) -> None:
        """Give oneself another password: every other session and every token ends. Raises BadAccount, with nothing changed.

        Wrong old ones count as wrong ones at the door do: whoever finds a session left open cannot guess on.
        """
        user_id = session.user.user_id
        hashed = _hashed(new)
        if old == new:
            raise BadAccount("the new password is the old one")
        if not self._knows(user_id, old, at):
            self._log("hub_password_change_refused", user_id, user_id)
            raise BadAccount("that is not your password, or the account is locked for now")
        with self.engine.begin() as connection:
            mine = update(users).where(users.c.user_id == user_id)
            connection.execute(mine.values(password_hash=hashed))
            _end_all(connection, user_id, but=session.session_hash)
        self._log("hub_password_changed", user_id, user_id)

    def signs_on(self, user_id: str) -> bool:
        """Whether an account comes in by single sign-on, and so has no password here."""
        with self.engine.connect() as connection:
            row = connection.execute(
                select(users.c.sign_on_subject).where(users.c.user_id == user_id)
            ).one_or_none()
        return bool(row and row.sign_on_subject)

    def everybody(self) -> list[dict[str, Any]]:
        """One mapping an account, by name: user_id, label, role, force_code, is_active, is_locked, signs_on."""
        with self.engine.connect() as connection:
            return [
                {
                    "user_id": row.user_id,
                    "label": row.label,
                    "role": row.role,
                    "force_code": row.force_code,
                    "is_active": row.is_active,
                    "locked_until": row.locked_until,
                    "signs_on": bool(row.sign_on_subject),
                }
                for row in connection.execute(select(users).order_by(users.c.user_id))
            ]

    def sign_in(self, user_id: str, password: str, at: datetime) -> str:
        """The cookie of a new session. Raises NotLetIn: also while the account is locked, whatever the password."""
        let_in = self._knows(user_id, password, at)
        if let_in or self._is_there(user_id):
            self._log("hub_signed_in" if let_in else "hub_sign_in_refused", user_id, user_id)
        if not let_in:
            raise NotLetIn
        return self._begin(user_id, at)

    def _knows(self, user_id: str, password: str, at: datetime) -> bool:
        """Whether somebody who may come in by it knows the password; a wrong one counts towards the lock."""
        is_counted = self._count_try(user_id, at)
        with self.engine.connect() as connection:
            row = connection.execute(select(users).where(users.c.user_id == user_id)).one_or_none()
        matches = _matches(row.password_hash if row else None, password)
        knows = bool(row and row.is_active and not row.sign_on_subject and matches and is_counted)
        if knows:
            with self.engine.begin() as connection:
                mine = update(users).where(users.c.user_id == user_id)
                connection.execute(mine.values(n_failed=0, locked_until=None))
        return knows

    def _is_there(self, user_id: str) -> bool:
        with self.engine.connect() as connection:
            return bool(connection.execute(select(users.c.user_id).where(users.c.user_id == user_id)).first())

    def _count_try(self, user_id: str, at: datetime) -> bool:
        """Count a try as failed before the password is looked at, and lock with the last one allowed: in one statement, so that
        many tries at once are no more than many in a row. False where the account is locked, or nobody's.
        """
        until = (at + timedelta(minutes=number("lockout_minutes"))).isoformat()
        is_last = users.c.n_failed + 1 >= whole("lockout_attempts")
        is_open = users.c.locked_until.is_(None) | (users.c.locked_until <= at.isoformat())
        with self.engine.begin() as connection:
            counted = connection.execute(
                update(users)
                .where(users.c.user_id == user_id, is_open)
                .values(
                    n_failed=case((is_last, 0), else_=users.c.n_failed + 1),
                    locked_until=case((is_last, until), else_=None),
                )
            )
        return bool(counted.rowcount)

    def sign_on(self, subject: str, at: datetime, standing: tuple[str, str | None] | None = None) -> str:
        """The cookie of a new session for who the provider vouches for, `issuer|sub`. Raises NotLetIn, BadAccount.

        `standing`: the role and force that the provider's claims give them, which become the account's; left out, it has its own.
        """
        with self.engine.connect() as connection:
            row = connection.execute(select(users).where(users.c.sign_on_subject == subject)).one_or_none()
        if row is None or not row.is_active:
            raise NotLetIn
        if standing is not None and standing != (row.role, row.force_code):
            role, force_code = standing
            self.change(row.user_id, by=SIGN_ON, at=at, role=role, force_code=force_code, is_active=True)
        self._log("hub_signed_on", row.user_id, row.user_id)
        return self._begin(row.user_id, at)

    def session(self, cookie: str | None, at: datetime) -> Session | None:
        """The session of a cookie, or none where there is none, it ended, or its owner may not come in any more."""
        if not cookie:
            return None
        session_hash = _digest(cookie)
        with self.engine.begin() as connection:
            row = connection.execute(
                select(sessions, users)
                .join(users, users.c.user_id == sessions.c.user_id)
                .where(sessions.c.session_hash == session_hash)
            ).one_or_none()
            if row is None:
                return None
            if not row.is_active or _is_over(row, at):
                connection.execute(delete(sessions).where(sessions.c.session_hash == session_hash))
                return None
            if at - datetime.fromisoformat(row.seen_at) > timedelta(minutes=1):
                connection.execute(
                    update(sessions)
                    .where(sessions.c.session_hash == session_hash)
                    .values(seen_at=at.isoformat())
                )
        return Session(_user(row), session_hash, row.form_token, row.purpose)

    def state_purpose(self, session: Session, purpose: str) -> None:
        with self.engine.begin() as connection:
            connection.execute(
                update(sessions)
                .where(sessions.c.session_hash == session.session_hash)
                .values(purpose=purpose)
            )

    def sign_out(self, session: Session, at: datetime) -> None:
        with self.engine.begin() as connection:
            connection.execute(delete(sessions).where(sessions.c.session_hash == session.session_hash))
        self._log("hub_signed_out", session.user.user_id, session.user.user_id)

    def make_token(self, user: User, label: str, at: datetime) -> str:
        """A token for a program; shown once."""
        token = secrets.token_urlsafe(32)
        row = {
            "token_hash": _digest(token),
            "user_id": user.user_id,
            "label": label.strip()[:80] or "token",
            "made_at": at.isoformat(),
            "expires_at": (at + timedelta(days=number("token_days"))).isoformat(),
        }
        with self.engine.begin() as connection:
            connection.execute(insert(tokens).values(row))
        self._log("hub_token_made", user.user_id, user.user_id)
        return token

    def tokens_of(self, user: User) -> list[dict[str, Any]]:
        with self.engine.connect() as connection:
            query = select(tokens).where(tokens.c.user_id == user.user_id).order_by(tokens.c.made_at)
            return [
                {"label": r.label, "expires_at": r.expires_at, "short": r.token_hash[:12]}
                for r in connection.execute(query)
            ]

    def end_token(self, user: User, short: str, at: datetime) -> None:
        """End one of the user's own tokens, by the first twelve digits of its hash."""
        with self.engine.begin() as connection:
            connection.execute(
                delete(tokens).where(
                    tokens.c.user_id == user.user_id, tokens.c.token_hash.startswith(short, autoescape=True)
                )
            )
        self._log("hub_token_ended", user.user_id, user.user_id)

    def by_token(self, token: str, at: datetime) -> User | None:
        """Whose token it is, or none where it is nobody's, or its time is over."""
        with self.engine.connect() as connection:
            row = connection.execute(
                select(tokens, users)
                .join(users, users.c.user_id == tokens.c.user_id)
                .where(tokens.c.token_hash == _digest(token))
            ).one_or_none()
        if row is None or not row.is_active or row.expires_at <= at.isoformat():
            return None
        return _user(row)

    def _begin(self, user_id: str, at: datetime) -> str:
        cookie = secrets.token_urlsafe(32)
        row = {
            "session_hash": _digest(cookie),
            "user_id": user_id,
            "form_token": secrets.token_hex(32),
            "began_at": at.isoformat(),
            "seen_at": at.isoformat(),
        }
        with self.engine.begin() as connection:
            connection.execute(insert(sessions).values(row))
        return cookie

    def _log(self, action: str, subject: str, by: str, **detail: Any) -> None:
        def append(moment: datetime) -> None:
            with self.store.writing() as connection:
                audit.append(connection, at=moment, who=by, action=action, subject=subject, detail=detail)

        in_order(append, self.now)


def _end_all(connection: Connection, user_id: str, but: str = "") -> None:
    """End the sessions of an account, one of them kept if named, and all its tokens."""
    mine = sessions.c.user_id == user_id
    connection.execute(delete(sessions).where(mine, sessions.c.session_hash != but))
    connection.execute(delete(tokens).where(tokens.c.user_id == user_id))


def _user(row: Row[Any]) -> User:
    return User(row.user_id, row.label, roles()[row.role], row.force_code)


def _is_over(row: Row[Any], at: datetime) -> bool:
    idle = at - datetime.fromisoformat(row.seen_at) > timedelta(minutes=number("session_idle_minutes"))
    return idle or at - datetime.fromisoformat(row.began_at) > timedelta(hours=number("session_hours"))


def require_role(role: str, force_code: str | None) -> None:
    """Raises BadAccount where there is no such role, or it does not go with that force or none."""
    if role not in roles():
        raise BadAccount(f"a role is one of {', '.join(roles())}")
    if roles()[role].is_of_a_force != bool(force_code):
        raise BadAccount("a role of a force, and no other, comes with the force's code")
    if force_code and force_code not in attribute("forces", "label"):
        raise BadAccount("there is no force with that code")


def _hashed(password: str) -> str:
    if len(password) < whole("password_length"):
        raise BadAccount(f"a password has at least {whole('password_length')} characters")
    return _HASHER.hash(password)


def _matches(password_hash: str | None, password: str) -> bool:
    """Takes as long for an account that is not there, so that names cannot be told from the time."""
    try:
        return _HASHER.verify(password_hash or _nobody(), password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobody() -> str:
    return _HASHER.hash(secrets.token_hex(16))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
