"""A provider of single sign-on that is not ours: Canaille, in memory, on a port of this machine."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from canaille import create_app
from canaille.app import models
from canaille.backends import Backend
from flask import Flask
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server

CLIENT, SECRET, OTHER = "vawg-hub", "a secret of the client", "payroll"
PASSWORD = "what the organisation asks for"


@dataclass
class Organisation:
    """A running provider with two clients, the hub and another; `issuer` is where it is and what it calls itself."""

    app: Flask
    issuer: str

    def has(self, user: str, groups: Iterable[str] = ()) -> None:
        """Somebody with a password there, in groups."""
        with self.app.app_context():
            store = Backend.instance
            member = models.User(
                user_name=user,
                family_name=user,
                formatted_name=user.title(),
                password=PASSWORD,
                emails=[f"{user}@organisation.test"],
            )
            store.save(member)
            for name in groups:
                group = store.get(models.Group, display_name=name)
                if group is None:
                    group = models.Group(display_name=name, members=[])
                group.members = [*group.members, member]
                store.save(group)

    def forgets_codes(self) -> None:
        """Drop the codes that were not used: in memory, Canaille finds any of a client's where it is asked for one."""
        with self.app.app_context():
            for code in Backend.instance.query(models.AuthorizationCode):
                Backend.instance.delete(code)

    def serves(self, address: str, audience: str = CLIENT) -> None:
        """Know the hub at an address; its tokens are for `audience`."""
        with self.app.app_context():
            store = Backend.instance
            for name in (CLIENT, OTHER):
                client = store.get(models.Client, client_id=name) or models.Client(client_id=name)
                told: dict[str, Any] = {
                    "client_name": name,
                    "client_secret": SECRET,
                    "client_id_issued_at": datetime.now(UTC),
                    # Trusted: nobody is asked whether they agree.
                    "client_uri": "http://hub.localhost",
                    "redirect_uris": [f"{address}/sign-on/back"],
                    "post_logout_redirect_uris": [f"{address}/sign-in"],
                    "grant_types": ["authorization_code"],
                    "response_types": ["code"],
                    "scope": ["openid", "groups"],
                    "token_endpoint_auth_method": "client_secret_basic",
                }
                for field, value in told.items():
                    setattr(client, field, value)
                store.save(client)
            hub = store.get(models.Client, client_id=CLIENT)
            hub.audience = [store.get(models.Client, client_id=audience)]
            store.save(hub)


@contextmanager
def organisation() -> Iterator[Organisation]:
    """A provider that listens until the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = create_app(
        {
            "SECRET_KEY": "of this test",
            # What it calls itself in its tokens.
            "SERVER_NAME": f"127.0.0.1:{port}",
            "PREFERRED_URL_SCHEME": "http",
            "CANAILLE": {"DATABASE": "memory", "SMTP": None},
            "CANAILLE_OIDC": {
                "ACTIVE_JWKS": [RSAKey.generate_key(2048, auto_kid=True).as_dict(private=True)]
            },
        }
    )
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Organisation(app, f"http://127.0.0.1:{port}")
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
