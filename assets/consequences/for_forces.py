"""What a force is given of the consequences: a page of its own sentences and the rows behind them, beside its returns.

Belongs here: what a force reads. Not here: what is counted (`sql/`) and how it is said (`sentences.py`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from assets.consequences.consequences import LEFT_OUT, RUN_PARAMETERS, Consequences, default_folder
from assets.pages import templates
from assets.storage import Layout, write_whole
from data_contracts.code_lists import code_list

FOLDER = "consequences"
_TEMPLATES = templates(Path(__file__).parent / "templates")
_LISTS = [f"n_{movement}_{of}" for of in ("national", "scope") for movement in ("enter", "leave")]
_FIGURES = ["n_figures", "n_national_figures"]


def write_for_forces(found: Consequences, layout: Layout) -> int:
    """Write `returns/<force_code>/consequences/<run>.html` and `.csv` for every force of the run. Returns how many forces.

    `<run>` is the release, or month and knowledge cut where there is none. No person is named: counts and sentences alone.
    """
    parameters = pl.read_parquet(layout.run / RUN_PARAMETERS).row(0, named=True)
    run = default_folder(layout).name
    names = dict(code_list("forces").select("code", "short_name").iter_rows())
    by_force = found.defects.partition_by("force_code", maintain_order=True)
    for rows in by_force:
        force = rows["force_code"][0]
        page = _TEMPLATES.get_template("force.html").render(
            name=names.get(force, force),
            period=parameters["period"],
            as_of=parameters["as_of"],
            run=run,
            version=rows["defects_version"][0],
            **_sorted_out(rows),
        )
        folder = layout.returns / force / FOLDER
        _write(folder / f"{run}.html", page)
        _write(folder / f"{run}.csv", rows.write_csv())
    return len(by_force)


def _sorted_out(rows: pl.DataFrame) -> dict[str, Any]:
    """`matters`: errors that change something, the weightiest first; `others`: those that do not; `without`: the force left out."""
    of_errors = rows.filter(pl.col("defect_id") != LEFT_OUT).with_columns(
        n_moved=pl.sum_horizontal(_LISTS), n_changed=pl.sum_horizontal(_FIGURES)
    )
    # Who only becomes eligible, or is so no longer, is an effect as well, though no list shows it.
    has_effect = pl.sum_horizontal("n_moved", "n_changed", "n_become_eligible", "n_no_longer_eligible") > 0
    order = ["n_moved", "n_changed", "n_records", "defect_id"]
    matters = of_errors.filter(has_effect).sort(order, descending=[True, True, True, False])
    left_out = rows.filter(pl.col("defect_id") == LEFT_OUT).to_dicts()
    return {
        "matters": matters.to_dicts(),
        "others": of_errors.filter(~has_effect).to_dicts(),
        "without": left_out[0] if left_out else None,
    }


def _write(path: Path, text: str) -> None:
    write_whole(path, lambda p: p.write_text(text, encoding="utf-8"))
