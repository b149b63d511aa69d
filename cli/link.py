"""`vawg link`: any file of persons, linked from nothing or against a standing index."""

from __future__ import annotations

from collections.abc import Sequence
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
    from assets.linkage.standing import OtherLayout, OtherModel
    from decisions.refusals import Contradiction, DecidedPair
except ModuleNotFoundError as missing:
    fail(f"{missing.name} is not installed; this command needs the platform: pip install '.[platform]'")

COLUMNS = ("record_id", "person_id", "person_group_id", "link_probability", "n_records", "withheld")
CHANGE_COLUMNS = (
    *("record_id", "change", "event", "cause", "decision_id", "former_person_id"),
    *COLUMNS[1:],
)


def link_persons(
    persons: Path | None,
    out: Path | None,
    *,
    standing: Path | None,
    withdrawn: Path | None,
    decisions: Path | None,
    model: Path | None,
    training_seed: int | None,
    details: Path | None,
    changes: Path | None,
) -> None:
    """Link, write `out` and `changes`, say in a few lines what was done. Ends with exit code 2 where the input cannot be used."""
    known = standing if standing and standing.exists() else None
    _require_sense(persons, out, changes, details, training_seed, known=known)
    with TemporaryDirectory(prefix="vawg-link-") as folder:
        scratch = Path(folder)
        links = scratch / "person_links.parquet" if out else None
        changed = scratch / "changes.parquet" if changes else None
        try:
            chosen = model or MODEL
            if training_seed is not None:
                chosen = _trained(persons, out, training_seed)
            summary = link(
                persons,
                links,
                model=chosen,
                standing=known,
                keep=standing,
                complete=False,
                withdrawn=_ids(withdrawn),
                decided=_decided(decisions),
                details=details is not None,
                changes=changed,
            )
        except (NotPersons, OtherModel, OtherLayout, Contradiction, ValueError, FileNotFoundError) as error:
            fail(str(error))
        except duckdb.Error as error:
            # The engine's message may quote a value.
            if known and not _is_index(known):
                fail(f"{known.name} cannot be read as a standing index; leave it out, or name another")
            named = persons.name if persons else "the standing index"
            fail(f"{named} cannot be read as persons ({type(error).__name__}); see `vawg link --help`")
        if links and out:
            _write(links, out, COLUMNS)
        if changed and changes:
            _write(changed, changes, CHANGE_COLUMNS)
        if details:
            details.mkdir(parents=True, exist_ok=True)
            for path in sorted(scratch.glob("person_*.parquet")):
                (details / path.name).write_bytes(path.read_bytes())
    _say(summary, out, changes, standing)


def _require_sense(
    persons: Path | None,
    out: Path | None,
    changes: Path | None,
    details: Path | None,
    training_seed: int | None,
    *,
    known: Path | None,
) -> None:
    """End where what was asked for does not go together."""
    if persons is None and not known:
        fail("without PERSONS there must be a standing index: name it with --standing")
    if persons is None and training_seed is not None:
        fail("--train needs PERSONS to train on")
    if persons is not None and not persons.is_file():
        fail(f"there is no file {persons}")
    if out is None and (changes is None or details is not None or training_seed is not None):
        fail("name a FILE for the links with --out; with --changes alone, only what changed is written")
    if training_seed is not None and known:
        fail("a standing index keeps the model it was made with: leave out --train, or start a new index")


def _trained(persons: Path | None, out: Path | None, seed: int) -> Path:
    assert persons is not None and out is not None
    # Splink's training is seconds to import.
    from assets.linkage.training import train

    click.echo("Training a model on the file", err=True)
    model = out.with_suffix(".model.json")
    train(persons, model, seed=seed, name="own")
    return model


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


def _write(found: Path, out: Path, columns: Sequence[str]) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    rows = pl.read_parquet(found).select(columns)
    beside = out.with_name(f".{out.name}.part")
    rows.write_parquet(beside) if out.suffix == ".parquet" else rows.write_csv(beside)
    beside.replace(out)


def _say(summary: LinkSummary, out: Path | None, changes: Path | None, standing: Path | None) -> None:
    named = {"links": out, "changes": changes, "index": standing}
    written = "; ".join(f"{name}: {path}" for name, path in named.items() if path)
    withheld = ", ".join(f"{reason} {n:,}" for reason, n in summary.n_withheld_by_reason.items())
    click.echo(
        f"{summary.n_changed:,} records new, changed or withdrawn; {summary.n_built_again:,} looked at again; "
        f"{summary.n_records:,} records stand for {summary.n_persons:,} persons\n"
        f"{summary.n_withheld:,} persons want a look first{f' ({withheld})' if withheld else ''}\n"
        f"{sum(summary.seconds.values()):.1f} seconds ({', '.join(f'{k} {s:.1f}' for k, s in summary.seconds.items())})\n"
        f"Model {summary.model_version}. {written[0].upper()}{written[1:]}"
    )
