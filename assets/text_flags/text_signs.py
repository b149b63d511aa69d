"""The text station: each free text of the run's offences is read once, whenever it comes.

What was read lies under the version of what read it, one file a submission with the texts that no file before it held;
so a month costs what the month brings, and other signs or cues read everything anew.
"""

import time
from collections.abc import Sequence
from pathlib import Path

import dagster as dg
import duckdb
import polars as pl

from assets.partitions import ONE_MONTH_A_RUN, PERIODS
from assets.storage import DataRoot, Layout, write_parquet
from assets.text_flags.reading import signs, version

# A text's hash is what dbt makes of it too: `dbt.hash`.
READ_SCHEMA: dict[str, pl.DataType] = {"text_hash": pl.String(), "sign": pl.String(), "words": pl.String()}


def write_text_signs(layout: Layout, submission_ids: Sequence[str]) -> dict[str, int]:
    """Read what is new in the submissions and write `text_signs.parquet`: one row a text and sign, sorted.

    Gives how many texts were new and how many rows there are.
    """
    folder = layout.text_signs.parent / version()
    n_new = 0
    for submission_id in sorted(submission_ids):
        extract = layout.extracts / "offences" / f"{submission_id}.parquet"
        if extract.is_file() and not (folder / extract.name).is_file():
            texts = _new_texts(extract, folder)
            write_parquet(_read(texts), folder / extract.name)
            n_new += texts.height
    found = [pl.scan_parquet(p) for p in sorted(folder.glob("[!.]*.parquet"))]
    table = (
        pl.concat([pl.LazyFrame(schema=READ_SCHEMA), *found])
        .filter(pl.col("sign").is_not_null())
        .with_columns(model_version=pl.lit(version()))
        .sort("text_hash", "sign")
        .collect()
    )
    write_parquet(table, layout.text_signs)
    return {"n_new_texts": n_new, "n_signs": table.height}


def _new_texts(extract: Path, folder: Path) -> pl.DataFrame:
    """Texts of the extract that were not read before: text_hash, text; each once, sorted."""
    known = sorted(str(p) for p in folder.glob("[!.]*.parquet"))
    but = "where text_hash not in (select text_hash from read_parquet($known))" if known else ""
    with duckdb.connect() as connection:
        return connection.execute(
            f"""
            select text_hash, text from (
                select distinct md5(modus_operandi) as text_hash, modus_operandi as text
                from read_parquet($extract) where modus_operandi is not null
            ) {but} order by text_hash
            """,
            {"extract": str(extract), **({"known": known} if known else {})},
        ).pl()


def _read(texts: pl.DataFrame) -> pl.DataFrame:
    """One row a text and sign, and one without a sign for a text that has none."""
    rows = [(sign.text_no, sign.sign, sign.words) for sign in signs(texts["text"])] if texts.height else []
    found = pl.DataFrame(
        rows, schema={"text_no": pl.UInt32(), "sign": pl.String(), "words": pl.String()}, orient="row"
    )
    return (
        texts.with_row_index("text_no")
        .join(found, on="text_no", how="left")
        .select(READ_SCHEMA.keys())
        .sort("text_hash", "sign")
    )


@dg.asset(
    group_name="text",
    owners=["team:data-engineering"],
    kinds={"python", "spacy", "parquet"},
    partitions_def=PERIODS,
    backfill_policy=ONE_MONTH_A_RUN,
    deps=["submissions", "run_inputs"],
    description=(
        "What the free text of each offence says: one row a text (by its hash) and sign, denials and suppositions left "
        "out, with the version of what read it. Only texts that were not read before are read."
    ),
)
def text_signs(data_root: DataRoot) -> dg.MaterializeResult:  # type: ignore[type-arg]
    started = time.monotonic()
    layout = data_root.layout()
    submissions = pl.read_parquet(layout.run / "run_submissions.parquet", columns=["submission_id"])
    counts = write_text_signs(layout, submissions["submission_id"].to_list())
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": counts["n_signs"],
            "new_texts": counts["n_new_texts"],
            "model_version": version(),
            "seconds": round(time.monotonic() - started, 2),
        }
    )
