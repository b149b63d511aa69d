"""`make reproduce`: the synthetic nations through the ordinary pipeline, and the published figures from their releases.

Prints published / computed / difference; exit code 1 where a figure is outside its tolerance, 2 where
a nation could not be made.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.reproduce.figures import as_table, compare
from tests.reproduce.nations import nations, write

VAWG = Path(sys.executable).parent / "vawg"


def made(name: str, settings: dict[str, Any], folder: Path) -> Path:
    """The release of a nation: written, landed and run, where `folder` does not hold it. Raises CalledProcessError."""
    data, done = folder / "data", folder / "done"
    if done.exists():
        return data / "releases" / "current"
    shutil.rmtree(folder, ignore_errors=True)
    print(f"Writing the nation {name}", file=sys.stderr, flush=True)
    write(name, folder / "nation")
    environment = os.environ | {"VAWG_DATA": str(data), "DAGSTER_HOME": str(data / "dagster")}
    submissions = sorted(str(p) for p in (folder / "nation" / "submissions").iterdir())
    # Received three weeks after the last month, as in life.
    received = settings["first_period"] + timedelta(days=31 * settings["n_months"] + 20)
    for command in (
        [str(VAWG), "land", *submissions],
        [str(VAWG), "run", "--received-at", f"{received}T09:00:00"],
    ):
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(folder / "nation")
    done.touch()
    return data / "releases" / "current"


def main(folder: Path, names: list[str]) -> int:
    """Make the nations named (all where none is) under `folder`, and compare."""
    settings = nations()
    if unknown := set(names) - set(settings):
        print(
            f"no such nation: {', '.join(sorted(unknown))}; there are {', '.join(settings)}", file=sys.stderr
        )
        return 2
    chosen = {name: s for name, s in settings.items() if not names or name in names}
    try:
        releases = {name: made(name, s, folder / name) for name, s in chosen.items()}
    except subprocess.CalledProcessError as error:
        print(f"a nation could not be made: {error}", file=sys.stderr)
        return 2
    compared = compare(releases, {name: s["scale"] for name, s in settings.items()})
    print(as_table(compared))
    outside = [c for c in compared if not c.is_met]
    print(f"\n{len(compared) - len(outside)} of {len(compared)} figures are as published.")
    return 1 if outside else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
