"""`make bench-hub`: readers of the hub while releases are published, and one large upload; writes docs/benchmarks_hub.md.

The release read is one that was run, its marts about persons copied under other ids as often as asked and its statistics moved back by
months: what a page finds is of national size, what it says means nothing. Loopback alone. Seconds say as much of the machine as of the code.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from statistics import median, quantiles

import duckdb
import httpx
from argon2 import PasswordHasher

from hub import accounts as hub_accounts
from hub.accounts import Accounts
from hub.settings import Settings
from hub.web import Hub

REPOSITORY = Path(__file__).parents[1]
PASSWORD = "correct horse battery staple"
ROLES = ("national_analyst", "oversight", "force_analyst", "second_reviewer")
FORCE = "E23000036"
ROWS_SENT = 600_000
# Ids that other marts name as well: each copy has its own.
_NO_ID = {"definition_id", "check_id", "feature_id"}


@dataclass
class Seen:
    """What readers met: page -> seconds of each look; `failures`: looks that were no 200, or no answer.

    `processor_seconds`: what the hub worked meanwhile, of one core. Other work on the machine makes looks longer and leaves this as it is.
    """

    looks: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    failures: list[str] = field(default_factory=list)
    processor_seconds: float = 0.0

    @property
    def all(self) -> list[float]:
        return [s for looks in self.looks.values() for s in looks]


def grown(source: Path, target: Path, copies: int, months: int) -> int:
    """Write a release with `copies` of everything about persons and as many more `months` of statistics; its rows."""
    manifest = json.loads((source / "manifest.json").read_text(encoding="utf-8"))
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.parquet"))
    with duckdb.connect(config={"threads": 1}) as connection:
        for mart, held in manifest["marts"].items():
            held["rows"] = _grow(
                connection, source / held["file"], target / held["file"], mart, copies, months
            )
    manifest["release_id"] = target.name
    (target / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return sum(held["rows"] for held in manifest["marts"].values())


def _grow(
    connection: duckdb.DuckDBPyConnection, source: Path, target: Path, mart: str, copies: int, months: int
) -> int:
    target.parent.mkdir(parents=True, exist_ok=True)
    columns = connection.execute(f"DESCRIBE SELECT * FROM '{source}'").fetchall()
    times = copies if target.parent.name in ("identifiable", "victims") else 1
    names = [_own(name, kind) if times > 1 else f'"{name}"' for name, kind, *_ in columns]
    if mart == "national_statistics":
        held = connection.execute(
            f"SELECT count(DISTINCT period) FROM '{source}' WHERE period_kind = 'month'"
        )
        step = int(held.fetchall()[0][0])
        times = max(1, months // step)
        moved = f'(period - to_months(({step} * i)::INTEGER))::date AS "period"'
        names = [moved if name == '"period"' else name for name in names]
    connection.execute(
        f"COPY (SELECT {', '.join(names)} FROM '{source}', range({times}) AS r(i) ORDER BY ALL) "
        f"TO '{target}' (FORMAT parquet, COMPRESSION zstd)"
    )
    return int(connection.execute(f"SELECT count(*) FROM '{target}'").fetchall()[0][0])


def _own(name: str, kind: str) -> str:
    """A column of a copy: an id is that copy's own."""
    is_id = name.endswith("_id") and name not in _NO_ID
    if kind == "VARCHAR" and (
        is_id or name in ("person_ref", "crime_ref", "order_ref") or "record_id" in name
    ):
        return f'"{name}" || \'.\' || i AS "{name}"'
    if kind == "VARCHAR[]" and name.endswith("_ids"):
        return f'list_transform("{name}", lambda x: x || \'.\' || i) AS "{name}"'
    return f'"{name}"'


def publish(releases: Path, source: Path, release_id: str) -> None:
    """Put a release beside the others and make it current in one step, as a run does."""
    partial = releases / f".{release_id}.partial"
    shutil.copytree(source, partial, copy_function=os.link, ignore=shutil.ignore_patterns("manifest.json"))
    manifest = json.loads((source / "manifest.json").read_text(encoding="utf-8")) | {"release_id": release_id}
    (partial / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    partial.rename(releases / release_id)
    link = releases / ".current.new"
    link.symlink_to(release_id, target_is_directory=True)
    link.replace(releases / "current")


def make_accounts(root: Path, readers: int) -> None:
    # Signing in is slow on purpose and is not what is measured.
    hub_accounts._HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    hub = Hub.of(Settings(root, datetime.now))
    accounts: Accounts = hub.accounts
    for no in range(readers):
        role = ROLES[no % len(ROLES)]
        force = FORCE if role == "force_analyst" else None
        accounts.add(
            f"reader-{no}",
            label="reader",
            role=role,
            force_code=force,
            password=PASSWORD,
            by="bench",
            at=datetime.now(),
        )
    accounts.add(
        "sender",
        label="sender",
        role="force_submitter",
        force_code=FORCE,
        password=PASSWORD,
        by="bench",
        at=datetime.now(),
    )
    hub.engine.dispose()
    hub.store.engine.dispose()


@contextmanager
def served(root: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The hub as `vawg hub serve` starts it."""
    command = [str(Path(sys.executable).parent / "vawg"), "hub", "serve", "--port", str(port)]
    process = subprocess.Popen(
        command, env=os.environ | {"VAWG_DATA": str(root)}, stdout=subprocess.DEVNULL, cwd=REPOSITORY
    )
    try:
        deadline = time.monotonic() + 1800
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if httpx.get(f"http://127.0.0.1:{port}/sign-in", timeout=5).status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.2)
        assert process.poll() is None, "the hub did not start"
        yield process
    finally:
        process.terminate()
        process.wait(30)


def signed_in(address: str, name: str, *, purpose: bool = True) -> tuple[httpx.Client, str]:
    """A client with a session, and the token its forms carry."""
    client = httpx.Client(base_url=address, timeout=120)
    client.post("/sign-in", data={"user_id": name, "password": PASSWORD})
    token = client.get("/account").text.split('name="form_token" value="')[1][:64]
    if purpose:
        client.post("/purpose", data={"form_token": token, "purpose": "monthly_review"})
    return client, token


def pages(release: Path) -> list[str]:
    """The main pages; persons are of the force's own, so that every role may see them."""
    with duckdb.connect() as connection:
        found = connection.execute(
            f"SELECT DISTINCT l.person_id FROM '{release}/identifiable/ranked_perpetrators.parquet' AS l "
            f"SEMI JOIN (SELECT * FROM '{release}/identifiable/suspect_nominals.parquet' WHERE force_code = '{FORCE}') AS n "
            "ON l.person_id = n.person_id ORDER BY 1 LIMIT 200"
        ).fetchall()
    persons = [f"/persons/{row[0]}" for row in found]
    fixed = [
        "/",
        "/lists",
        "/lists?kind=force_top",
        "/alerts",
        "/closed-without-order",
        "/reviews",
        "/statistics",
        "/statistics?threat=domestic_abuse",
        "/scorecards",
        f"/scorecards?force={FORCE}",
        "/oversight",
        "/sql",
    ]
    return [page for no, person in enumerate(persons) for page in (person, fixed[no % len(fixed)])]


def read(client: httpx.Client, no: int, asked: list[str], pause: float, until: float, seen: Seen) -> None:
    """One reader: page after page, with a pause between, from a place of their own."""
    at = no * 7
    while time.monotonic() < until:
        path = asked[at % len(asked)]
        at += 1
        started = time.monotonic()
        try:
            status = client.get(path).status_code
        except httpx.HTTPError as error:
            status = type(error).__name__  # type: ignore[assignment]
        name = "/persons/…" if path.startswith("/persons/") else path.partition("?")[0]
        seen.looks[name].append(time.monotonic() - started)
        if status != 200:
            seen.failures.append(f"{name} {status}")
        time.sleep(pause)


def crowd(address: str, pid: int, readers: int, asked: list[str], pause: float, seconds: float) -> Seen:
    clients = [signed_in(address, f"reader-{no}")[0] for no in range(readers)]
    worked = processor_seconds(pid)
    seen, until = Seen(), time.monotonic() + seconds
    threads = [
        threading.Thread(target=read, args=(client, no, asked, pause, until, seen))
        for no, client in enumerate(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seen.processor_seconds = processor_seconds(pid) - worked
    return seen


def submission(path: Path) -> int:
    """A zip with an extract of ROWS_SENT rows, not compressed, so that all its bytes travel; its size."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("submission.json", json.dumps({"force_code": FORCE}))
        with archive.open("offences.csv", "w", force_zip64=True) as member:
            out = io.TextIOWrapper(member, encoding="utf-8")
            for no in range(ROWS_SENT):
                out.write(
                    f"{no}/26,8N,2026-01-{1 + no % 28:02},,2026-02-01T10:00:00,2026-02-01T10:00:00,dwelling,BS1 4,16,"
                    f"2026-03-01,live,none,none,{'x' * 60}\n"
                )
            out.flush()
    return path.stat().st_size


def peak_mib(pid: int) -> float:
    """The largest resident set of a process so far."""
    said = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(said.split("VmHWM:")[1].split()[0]) / 1024


def processor_seconds(pid: int) -> float:
    """What a process has worked so far, its threads together."""
    said = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(said[11]) + int(said[12])) / os.sysconf("SC_CLK_TCK")


def reset_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="utf-8")


def _cost(seen: Seen) -> str:
    return f"Failed: {len(seen.failures)}. The hub worked {1000 * seen.processor_seconds / len(seen.all):.0f} ms of processor a page."


def _table(seen: Seen) -> list[str]:
    said = ["| page | looks | p50 ms | p95 ms | longest ms |", "| --- | --- | --- | --- | --- |"]
    for name, looks in [*sorted(seen.looks.items()), ("all", seen.all)]:
        p95 = quantiles(looks, n=20)[-1] if len(looks) > 1 else looks[0]
        said.append(
            f"| {name} | {len(looks)} | {1000 * median(looks):.0f} | {1000 * p95:.0f} | {1000 * max(looks):.0f} |"
        )
    return said


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--release", type=Path, required=True, help="a release that was run, not encrypted")
    parser.add_argument("--copies", type=int, default=1)
    parser.add_argument("--months", type=int, default=3)
    parser.add_argument("--readers", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--pause", type=float, default=1.0, help="between two pages of a reader")
    parser.add_argument("--port", type=int, default=8399)
    parser.add_argument("--out", type=Path, default=REPOSITORY / "docs" / "benchmarks_hub.md")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        said = _measured(asked, Path(scratch))
    asked.out.write_text("\n".join(said) + "\n", encoding="utf-8")
    print("\n".join(said))


def _say(what: str) -> None:
    print(f"{datetime.now():%H:%M:%S} {what}", file=sys.stderr, flush=True)


def _measured(asked: argparse.Namespace, root: Path) -> list[str]:
    _say("a larger release")
    (root / "releases").mkdir()
    n_rows = grown(asked.release.resolve(), root / "grown", asked.copies, asked.months)
    publish(root / "releases", root / "grown", "2026-03_bench0")
    _say("accounts")
    make_accounts(root, asked.readers)
    address, loads = f"http://127.0.0.1:{asked.port}", [os.getloadavg()[0]]
    started = time.monotonic()
    with served(root, asked.port) as process:
        laid_out = time.monotonic() - started
        _say("one reader")
        main_pages = pages(root / "grown")
        pid = process.pid
        quiet = crowd(address, pid, 1, main_pages, 0.0, min(asked.seconds, 20))
        reset_peak(process.pid)
        _say("readers")
        steady = crowd(address, pid, asked.readers, main_pages, asked.pause, asked.seconds)
        _say("readers, and a release published")
        taken_up: list[float] = []
        publisher = threading.Timer(asked.seconds / 3, _published, (root, address, taken_up))
        publisher.start()
        many = crowd(address, pid, asked.readers, main_pages, asked.pause, asked.seconds)
        publisher.join()
        loads.append(os.getloadavg()[0])
        peak_readers = peak_mib(process.pid)
        _say("readers without a pause")
        flat_out = crowd(address, pid, asked.readers, main_pages, 0.0, min(asked.seconds, 20))
        _say("upload")
        size = submission(root / "avon_2026-03_1.zip")
        reset_peak(process.pid)
        before = peak_mib(process.pid)
        started = time.monotonic()
        status = _send(address, root / "avon_2026-03_1.zip")
        sent, after = time.monotonic() - started, peak_mib(process.pid)
    return [
        "# The hub, measured",
        "",
        (
            f"`make bench-hub`, {datetime.now():%Y-%m-%d}; {os.cpu_count()} cores shared with the readers themselves"
            f"{', load average ' + ' and '.join(f'{load:.1f}' for load in loads) + ' before and after' if loads else ''}. A release of "
            f"{n_rows:,} rows (the persons of the release measured from, {asked.copies} times). The hub was ready after {laid_out:.0f} s."
        ),
        "",
        f"## {asked.readers} readers, {asked.pause:g} s between two pages of each, while a release is published",
        "",
        *_table(many),
        "",
        (
            f"{_cost(many)} Aim: p95 at most 200 ms, none failing. Peak memory of the hub: {peak_readers:,.0f} MiB. "
            f"The release was published after a third of the time, and readers were given it {taken_up[0]:.0f} s later."
        ),
        "",
        "## The same readers, nothing published",
        "",
        *_table(steady),
        "",
        _cost(steady),
        "",
        "## One reader alone, no pause",
        "",
        *_table(quiet),
        "",
        _cost(quiet),
        "",
        f"## {asked.readers} readers without a pause: what the machine gives",
        "",
        (
            f"{len(flat_out.all) / min(asked.seconds, 20):.1f} pages a second; p50 {1000 * median(flat_out.all):.0f} ms, "
            f"p95 {1000 * quantiles(flat_out.all, n=20)[-1]:.0f} ms. {_cost(flat_out)}"
        ),
        "",
        f"## Upload of {ROWS_SENT:,} rows",
        "",
        (
            f"{size / 1e6:.0f} MB, answered {status} after {sent:.1f} s; resident set of the hub {before:,.0f} MiB before and "
            f"{after:,.0f} MiB at its largest."
        ),
    ]


def _published(root: Path, address: str, taken_up: list[float]) -> None:
    """Publish a release, and say after how many seconds readers were given it."""
    client = signed_in(address, "reader-0")[0]
    started = time.monotonic()
    publish(root / "releases", root / "grown", "2026-03_bench1")
    while "2026-03_bench1" not in client.get("/").text:
        time.sleep(1)
    taken_up.append(time.monotonic() - started)


def _send(address: str, file: Path) -> int:
    client, token = signed_in(address, "sender", purpose=False)
    with file.open("rb") as stream:
        return client.post(
            "/returns/upload", data={"form_token": token}, files={"file": (file.name, stream)}
        ).status_code


if __name__ == "__main__":
    main()
