"""Where the environment says things are kept. Imports nothing heavy: commands that run no job start with this alone.

VAWG_DATA            the data root; data/ in the repository if left out
VAWG_DECISIONS_URL   the database of decisions, in SQLAlchemy's form; decisions.sqlite under the data root if left out
VAWG_RELEASE_KEY     the key of identifiable marts; without one they lie unencrypted
VAWG_LINKAGE_MODEL   the file of the linkage model in force; the shipped one if left out
VAWG_THREADS         how many models and threads of dbt at once; 2 if left out
VAWG_HUB_URL         the database of the hub's accounts and uploads; hub.sqlite under the data root if left out
VAWG_HUB_ISSUER, VAWG_HUB_CLIENT_ID, VAWG_HUB_CLIENT_SECRET, VAWG_HUB_ADDRESS
                     the provider of single sign-on, and the hub's own address; all of them, or no single sign-on
VAWG_HUB_SCOPE       what is asked of the provider so that its claims come; openid if left out
VAWG_HUB_ROLES       a CSV (claim, value, role, force_code) of the roles that its claims give; accounts have their own if left out
"""

from __future__ import annotations

import os
from pathlib import Path

DECISIONS_URL = "VAWG_DECISIONS_URL"
LINKAGE_MODEL = "VAWG_LINKAGE_MODEL"
REPOSITORY = Path(__file__).parents[1]


def data_root_path() -> Path:
    """`VAWG_DATA`, or `data/` in the repository; always absolute."""
    return Path(os.environ.get("VAWG_DATA") or REPOSITORY / "data").absolute()


def linkage_model() -> str | None:
    return os.environ.get(LINKAGE_MODEL) or None


def decisions_url() -> str | None:
    return os.environ.get(DECISIONS_URL) or None


def release_key() -> str | None:
    return os.environ.get("VAWG_RELEASE_KEY") or None


def hub_url() -> str | None:
    return os.environ.get("VAWG_HUB_URL") or None


def hub_sign_on() -> dict[str, str] | None:
    """issuer, client_id, client_secret, redirect_uri and scope of the hub's single sign-on, or none where it is not all set."""
    names = ("ISSUER", "CLIENT_ID", "CLIENT_SECRET", "ADDRESS")
    issuer, client_id, client_secret, address = (os.environ.get(f"VAWG_HUB_{name}", "") for name in names)
    if not (issuer and client_id and client_secret and address):
        return None
    return {
        "issuer": issuer,
        "client_id": client_id,
        "client_secret": client_secret,
        "redirect_uri": f"{address.rstrip('/')}/sign-on/back",
        "scope": os.environ.get("VAWG_HUB_SCOPE") or "openid",
    }


def hub_roles() -> Path | None:
    """The table of roles by claim, or none where accounts have their own."""
    named = os.environ.get("VAWG_HUB_ROLES")
    return Path(named) if named else None
