"""A PostgreSQL for tests: the one that VAWG_TEST_POSTGRESQL_URL names, or one of this machine's own that lives as long as they do."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

_URL = "VAWG_TEST_POSTGRESQL_URL"


def empty_database() -> str:
    """The URL of a database with nothing in it; skips the test where no server is to be had."""
    url = os.environ.get(_URL) or _server()
    if url is None:
        pytest.skip(f"{_URL} is not set and no PostgreSQL is installed on this machine")
    with create_engine(url).begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    return url


@cache
def _server() -> str | None:
    """Make a cluster in a new folder and start it, on a socket in that folder alone. It refuses to run as root, so not as root."""
    on_path = shutil.which("pg_ctl")
    found = [*sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl")), *([Path(on_path)] if on_path else [])]
    if not found:
        return None
    programs, folder = found[-1].parent, Path(tempfile.mkdtemp(prefix="vawg-pg-"))
    user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
    if user:
        shutil.chown(folder, "postgres", "postgres")
    data, said = folder / "data", folder / "said"

    def run(*command: str) -> None:
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder, **user)  # type: ignore[call-overload]
        assert done.returncode == 0, f"{Path(command[0]).name}: {done.stderr[-500:]}"

    run(
        str(programs / "initdb"),
        f"--pgdata={data}",
        "--auth=trust",
        "--username=vawg",
        "--no-sync",
        "--encoding=UTF8",
    )
    options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"
    run(
        str(programs / "pg_ctl"),
        f"--pgdata={data}",
        "--wait",
        f"--log={said}",
        f"--options={options}",
        "start",
    )

    def stop() -> None:
        subprocess.run(
            [str(programs / "pg_ctl"), f"--pgdata={data}", "--mode=immediate", "stop"],
            capture_output=True,
            cwd=folder,
            **user,  # type: ignore[call-overload]
        )
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(stop)
    return f"postgresql+psycopg://vawg@/postgres?host={folder}"
