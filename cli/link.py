"""`vawg link`: any file of persons, linked from nothing or against a standing index."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import click

from cli.exits import fail

try:
    import duckdb
    import polars as pl

    from assets.linkage.cleaning import NotPersons
    from assets.linkage.decided import Decided
    from assets.linkage.linker import LinkSummary, link
    from assets.linkage.model import MODEL
    from assets.linkage.standing import OtherModel
    from assets.linkage.training import train
    from decisions.refusals import Contradiction, DecidedPair
except ModuleNotFoundError as missing:
    fail(f"{missing.name} is not installed; this command needs the platform: pip install '.[platform]'")

COLUMNS = ("record_id", "person_id", "person_group_id", "link_probability", "n_records", "withheld")


def link_persons(
    persons: Path,
    out: Path,
    *,
    standing: Path | None,
    withdrawn: Path | None,
    decisions: Path | None,
    model: Path | None,
    training_seed: int | None,
    details: Path | None,
) -> None:
    """Link, write `out`, say in a few lines what was done. Ends with exit code 2 where the input cannot be used."""
    if not persons.is_file():
        fail(f"there is no file {persons}")
    known = standing if standing and standing.exists() else None
    if training_seed is not None and known:
        fail("a standing index keeps the model it was made with: leave out --train, or start a new index")
    with TemporaryDirectory(prefix="vawg-link-") as folder:
        try:
            chosen = model or MODEL
            if training_seed is not None:
                click.echo("Training a model on the file", err=True)
                chosen = out.with_suffix(".model.json")
                train(persons, chosen, seed=training_seed, name="own")
            summary = link(
                persons,
                Path(folder) / "person_links.parquet",
                model=chosen,
                standing=known,
                keep=standing,
                complete=False,
                withdrawn=_ids(withdrawn),
                decided=_decided(decisions),
                details=details is not None,
            )
        except (NotPersons, OtherModel, Contradiction, ValueError, FileNotFoundError) as error:
            fail(str(error))
        except duckdb.Error as error:
            # The engine's message may quote a value.
            if known and not _is_index(known):
                fail(f"{known.name} cannot be read as a standing index; leave it out, or name another")
            fail(f"{persons.name} cannot be read as persons ({type(error).__name__}); see `vawg link --help`")
        _write(Path(folder) / "person_links.parquet", out)
        if details:
            details.mkdir(parents=True, exist_ok=True)
            for path in sorted(Path(folder).glob("person_*.parquet")):
                (details / path.name).write_bytes(path.read_bytes())
    _say(summary, out, standing)


def _is_index(path: Path) -> bool:
    try:
        duckdb.connect(str(path), read_only=True).close()
    except duckdb.Error:
        return False
    return True


def _ids(path: Path | None) -> list[str]:
    return path.read_text(encoding="utf-8").split() if path else []


def _decided(path: Path | None) -> Decided:
    if path is None:
        return Decided()
    rows = pl.read_csv(path, infer_schema=False)
    if missing := {"kind", "record_id_l", "record_id_r"} - set(rows.columns):
        fail(f"{path.name} has no column {', '.join(sorted(missing))}")
    if strange := set(rows["kind"].to_list()) - {"must_link", "cannot_link"}:
        fail(f"{path.name} has a kind that is neither must_link nor cannot_link, {len(strange)} in all")
    rows = rows.select("kind", "record_id_l", "record_id_r")
    return Decided.of(
        DecidedPair(f"D{number:06}", *row) for number, row in enumerate(rows.iter_rows(), start=1)
    )


def _write(links: Path, out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    rows = pl.read_parquet(links).select(COLUMNS)
    beside = out.with_name(f".{out.name}.part")
    rows.write_parquet(beside) if out.suffix == ".parquet" else rows.write_csv(beside)
    beside.replace(out)


def _say(summary: LinkSummary, out: Path, standing: Path | None) -> None:
    withheld = ", ".join(f"{reason} {n:,}" for reason, n in summary.n_withheld_by_reason.items())
    click.echo(
        f"{summary.n_changed:,} records new, changed or withdrawn; {summary.n_built_again:,} looked at again; "
        f"{summary.n_records:,} records stand for {summary.n_persons:,} persons\n"
        f"{summary.n_withheld:,} persons want a look first{f' ({withheld})' if withheld else ''}\n"
        f"{sum(summary.seconds.values()):.1f} seconds ({', '.join(f'{k} {s:.1f}' for k, s in summary.seconds.items())})\n"
        f"Model {summary.model_version}. Links: {out}{f'; index: {standing}' if standing else ''}"
    )
