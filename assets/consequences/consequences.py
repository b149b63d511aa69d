"""From defect to consequence: what mending a kind of defect would do to the nation's figures and lists, force by force.

For each kind of defect (`defects.csv`) the run's warehouse is copied, the defect mended as its repair says (`repairs/`),
and the models between staging and the lists made again: once for all forces. What is a force's own is then told apart.
A force's own figures are its own; the nation's change by the difference of its numerators and denominators. A list is
ranked anew with the people that the force's records touch as they would be, and everybody else as they are.

Nothing here is part of a release: it is made beside one, when somebody asks.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from assets.consequences.defects import Defect
from assets.consequences.scratch import copy_of_the_run, make_again, mend, run_models
from assets.consequences.sentences import sentence
from assets.encryption import add_key, copy_options
from assets.storage import Layout, write_folder

SQL = Path(__file__).parent / "sql"
LEFT_OUT = "force_left_out"
RUN_PARAMETERS = "run_parameters.parquet"


class NoRunToExplain(Exception):
    """The warehouse does not hold the run that is asked about; the message says what to do."""


@dataclass(frozen=True)
class Consequences:
    """`defects`: force x defect. `figures`: force x defect x figure of the force or of the nation that would change.
    `persons`: force x defect x list x person that would enter or leave; ids of persons, so identifiable.
    """

    defects: pl.DataFrame
    figures: pl.DataFrame
    persons: pl.DataFrame


def find_consequences(layout: Layout, root: Path, defects: list[Defect]) -> Consequences:
    """Of the run in the warehouse of `layout`, in a scratch folder `root` that is removed afterwards.

    Raises NoRunToExplain where there is no run, ModelsFailed where the models cannot be made again.
    """
    if not layout.warehouse.is_file() or not (layout.run / RUN_PARAMETERS).is_file():
        raise NoRunToExplain(f"there is no run under {layout.root}; make one with `vawg run`")
    try:
        found = [_of_one(layout, root, defect) for defect in defects]
    finally:
        shutil.rmtree(root, ignore_errors=True)
    persons = pl.concat([f.persons for f in found])
    figures = pl.concat([f.figures for f in found])
    rows = pl.concat([f.defects for f in found])
    return Consequences(_in_words(rows, defects), figures, persons)


def _of_one(layout: Layout, root: Path, defect: Defect) -> Consequences:
    scratch = copy_of_the_run(layout, root)
    if defect.defect_id == LEFT_OUT:
        _leave_each_out(scratch)
        run_models(
            scratch,
            ["national_person_gates", "person_multipliers", "scored_allegations", "scored_persons"],
        )
        counts = None
    else:
        models, counts = mend(scratch, layout.quarantine, defect.defect_id, defect.parameter)
        make_again(scratch, models)
    with duckdb.connect() as connection:
        connection.execute(f"attach '{layout.warehouse}' as now (read_only)")
        connection.execute(f"attach '{scratch.warehouse}' as mended (read_only)")
        if counts is None:
            connection.execute(_sql("left_out"))
        else:
            connection.register("counts_of_mending", counts)
            connection.execute(_sql("mended"))
        connection.execute(_sql("figures"))
        connection.execute(_sql("lists"))
        named = {"defect_id": defect.defect_id, "defects_version": defect.version}
        rows = {
            "figures": connection.execute("from changed_figures order by all").pl(),
            "persons": connection.execute("from list_changes order by all").pl(),
            "defects": connection.execute(_sql("summary")).pl(),
        }
    stamps = [pl.lit(value).alias(name) for name, value in named.items()]
    tables = {name: frame.select(*stamps, pl.all()) for name, frame in rows.items()}
    return Consequences(**tables)


def _leave_each_out(scratch: Layout) -> None:
    """Whoever several forces name is there once more for each of them, without what that force says: scored as everybody."""
    with duckdb.connect(str(scratch.warehouse)) as connection:
        for statement in _sql("leave_each_out").split(";\n"):
            connection.execute(statement)


def _sql(name: str) -> str:
    return (SQL / f"{name}.sql").read_text(encoding="utf-8")


def _in_words(rows: pl.DataFrame, defects: list[Defect]) -> pl.DataFrame:
    """Each row with its sentence; sorted by force, what matters most first."""
    by_id = {d.defect_id: d for d in defects}
    said = [sentence(by_id[row["defect_id"]], row) for row in rows.iter_rows(named=True)]
    order = pl.DataFrame({"defect_id": list(by_id), "defect_no": [int(d.defect_no) for d in by_id.values()]})
    return (
        rows.with_columns(sentence=pl.Series(said, dtype=pl.String))
        .join(order, on="defect_id", how="left")
        .sort("force_code", "defect_no")
        .drop("defect_no")
    )


def scratch_folder(layout: Layout) -> Path:
    """Where the copy of the warehouse lies while it is looked at."""
    return layout.root / ".consequences"


def default_folder(layout: Layout) -> Path:
    """Under the data root, by the release whose run the warehouse holds; without one, by the run's month and knowledge cut."""
    parameters = pl.read_parquet(layout.run / RUN_PARAMETERS).row(0, named=True)
    name = f"{parameters['period']:%Y-%m}_as_of_{parameters['as_of']:%Y%m%dT%H%M%S}"
    manifest = layout.current_release / "manifest.json"
    if manifest.is_file():
        held = json.loads(manifest.read_text(encoding="utf-8"))
        if (held["period"], held["as_of"]) == (f"{parameters['period']:%Y-%m}", str(parameters["as_of"])):
            name = str(held["release_id"])
    return layout.root / "consequences" / name


def write_consequences(found: Consequences, folder: Path, key: str | None = None) -> Path:
    """Write the three tables into `folder`, statistical apart from identifiable, which is encrypted where there is a key."""

    def write(into: Path) -> None:
        for room, name, frame in (
            ("statistical", "defect_consequences", found.defects),
            ("statistical", "defect_consequence_figures", found.figures),
            ("identifiable", "defect_consequence_persons", found.persons),
        ):
            (into / room).mkdir(exist_ok=True)
            with duckdb.connect() as connection:
                if key:
                    add_key(connection, key)
                options = copy_options(encrypted=bool(key) and room == "identifiable")
                connection.register("frame", frame)
                connection.execute(
                    f"copy (from frame) to '{into / room / name}.parquet' (format parquet, compression zstd{options})"
                )
        found.defects.write_csv(into / "statistical" / "defect_consequences.csv")

    folder.parent.mkdir(parents=True, exist_ok=True)
    return write_folder(folder, write)
