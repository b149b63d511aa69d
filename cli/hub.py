"""`vawg hub`: start the hub, and make the accounts that let people in. Light to import."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.decided import data_paths
from cli.exits import fail

if TYPE_CHECKING:
    from hub.accounts import Accounts
    from hub.releases import Releases
    from hub.settings import RoleClaim, Settings

# Role -> force, for trying the hub out.
_DEMO_FORCE = "E23000001"
_ADMINISTRATOR = "command-line"


@click.group()
def hub() -> None:
    """The hub: releases, lists, reviews, returns, statistics and SQL in a browser.

    It needs an account to begin with: vawg hub user add NAME --role administrator
    """


@hub.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen; this machine alone.")
@click.option("--port", type=int, default=8000, show_default=True)
@click.option(
    "--https/--no-https",
    "is_https",
    default=False,
    help="Readers come by TLS, ended before the hub: cookies and headers say so. Needed for any host but this one.",
)
@click.option(
    "--demo-users",
    is_flag=True,
    help="Also make one account a role, all with one password that is shown now. Never where real data is.",
)
def serve(host: str, port: int, is_https: bool, demo_users: bool) -> None:
    """Serve the hub over the current release of VAWG_DATA.

    Users, sessions and uploads are kept in hub.sqlite beside the decisions, or at VAWG_HUB_URL. Single sign-on is on where
    VAWG_HUB_ISSUER, VAWG_HUB_CLIENT_ID, VAWG_HUB_CLIENT_SECRET and VAWG_HUB_ADDRESS are set.
    """
    if not is_https and host not in ("127.0.0.1", "localhost", "::1"):
        fail("without --https the hub listens to this machine alone: end TLS before it, and say --https")
    with _platform():
        import uvicorn

        from hub.app import create_app
    app = create_app(_settings(is_https))
    if demo_users:
        password = secrets.token_urlsafe(12)
        _make_demo_users(app.state.hub.accounts, password)
    elif not app.state.hub.accounts.everybody():
        click.echo("Nobody has an account yet: vawg hub user add NAME --role administrator", err=True)
    _lay_out(app.state.hub.releases)
    click.echo(f"The hub: http://{host}:{port}")
    uvicorn.run(app, host=host, port=port, log_level="warning", server_header=False, access_log=False)


def _lay_out(releases: Releases) -> None:
    """Before anybody comes: the first reader would wait for it."""
    from hub.releases import NoRelease

    click.echo(
        "Laying the current release out for looking up; minutes at national size, once a release", err=True
    )
    try:
        releases.current()
    except NoRelease as missing:
        click.echo(f"vawg: {missing}", err=True)


@hub.group()
def user() -> None:
    """Accounts of the hub. Every change is an entry of the audit log."""


@user.command("add")
@click.argument("user_id", metavar="NAME")
@click.option("--role", required=True, metavar="ROLE", help="What they may do; a wrong one lists all.")
@click.option("--force", metavar="CODE", help="Of which force (E23000001), for the roles of a force.")
@click.option("--label", default="", help="Who it is.")
@click.option("--subject", metavar="ISSUER|SUB", help="Let them in by single sign-on instead of a password.")
def add(user_id: str, role: str, force: str | None, label: str, subject: str | None) -> None:
    """Make an account; the password is asked for, twice."""
    password = None if subject else click.prompt("Password", hide_input=True, confirmation_prompt=True)
    with _accounts() as accounts:
        accounts.add(
            user_id,
            label=label,
            role=role,
            force_code=force,
            password=password,
            sign_on_subject=subject,
            by=_ADMINISTRATOR,
            at=_clock(),
        )
    click.echo(f"{user_id} may come in as {role}.")


@user.command("password")
@click.argument("user_id", metavar="NAME")
def password(user_id: str) -> None:
    """Give an account another password; it is unlocked, and its sessions end."""
    given = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    with _accounts() as accounts:
        accounts.set_password(user_id, given, by=_ADMINISTRATOR, at=_clock())
    click.echo(f"{user_id} has another password.")


@user.command("list")
def listed() -> None:
    """List the accounts: name, role, force, and whether they may come in. Parted by tabs."""
    with _accounts() as accounts:
        for row in accounts.everybody():
            state = "active" if row["is_active"] else "shut"
            click.echo(f"{row['user_id']}\t{row['role']}\t{row['force_code'] or ''}\t{state}")


def _settings(is_https: bool) -> Settings:
    from hub.settings import Settings, SingleSignOn
    from orchestration.environment import decisions_url, hub_roles, hub_sign_on, hub_url, release_key

    said, table = hub_sign_on(), hub_roles()
    return Settings(
        data_root=data_paths().root,
        now=_clock,
        hub_url=hub_url(),
        decisions_url=decisions_url(),
        release_key=release_key(),
        is_https=is_https,
        single_sign_on=SingleSignOn(**said, role_claims=_role_claims(table)) if said else None,
    )


def _role_claims(table: Path | None) -> tuple[RoleClaim, ...]:
    from hub.accounts import BadAccount
    from hub.sign_on import role_claims

    try:
        return role_claims(table) if table else ()
    except (OSError, BadAccount) as bad:
        fail(f"VAWG_HUB_ROLES cannot be used: {bad}")


def _clock() -> datetime:
    # Not to the second, as receipts are: the hub acts more than once in one.
    return datetime.now()


def _make_demo_users(accounts: Accounts, password: str) -> None:
    from hub.access import roles
    from hub.accounts import BadAccount

    for role in roles().values():
        name = f"demo-{role.code.replace('_', '-')}"
        force = _DEMO_FORCE if role.is_of_a_force else None
        try:
            accounts.add(
                name,
                label=f"Demo {role.label.lower()}",
                role=role.code,
                force_code=force,
                password=password,
                by=_ADMINISTRATOR,
                at=_clock(),
            )
        except BadAccount:
            accounts.set_password(name, password, by=_ADMINISTRATOR, at=_clock())
        click.echo(f"{name}\t{password}")


@contextmanager
def _accounts() -> Iterator[Accounts]:
    with _platform():
        from decisions.store import open_store
        from hub.accounts import Accounts, BadAccount
        from hub.tables import open_state
    settings = _settings(is_https=False)
    try:
        yield Accounts(open_state(settings.state_url), open_store(settings.store_url), settings.now)
    except BadAccount as bad:
        fail(str(bad))


@contextmanager
def _platform() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as missing:
        fail(f"{missing.name} is not installed; this command needs the hub: pip install '.[platform,hub]'")
