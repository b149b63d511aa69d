"""`vawg explain`: why a person is one person, and why two nominals are one or are not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from cli.exits import fail

try:
    from assets.linkage.explaining.explanation import Unknown, explain_pair, explain_person, waterfall
    from assets.linkage.explaining.reading import NoIndex
    from assets.linkage.explaining.text import pair_text, person_text
    from assets.linkage.model import MODEL, frequencies_of, read_model
    from assets.linkage.standing import OtherModel
    from assets.linkage.states import INDEX
    from assets.paths import Paths
    from orchestration.environment import data_root_path
except ModuleNotFoundError as missing:
    fail(f"{missing.name} is not installed; this command needs the platform: pip install '.[platform]'")


def explain(
    subjects: tuple[str, ...], *, values: bool, html: Path | None, index: Path | None, model: Path | None
) -> None:
    """Print the explanation of a person, or of a pair of records; with `html`, write the pair's chart too."""
    if len(subjects) > 2 or len(set(subjects)) < len(subjects):
        fail("name one person, or two different records")
    if html and len(subjects) == 1:
        fail("--html draws a pair: name two records")
    standing = index or Paths(data_root_path()).linkage / INDEX
    trained = _model(model or MODEL)
    with _plain_refusals():
        if len(subjects) == 1:
            click.echo(person_text(explain_person(standing, subjects[0], model=trained), show_values=values))
            return
        one, other = subjects
        click.echo(pair_text(explain_pair(standing, one, other, model=trained), show_values=values))
        if html:
            _write(html, waterfall(standing, one, other, model=trained, show_values=values))


def _model(path: Path) -> Path:
    try:
        read_model(path)
    except OSError:
        fail(f"there is no model at {path}")
    except (ValueError, KeyError, TypeError):
        fail(f"{path} is not a linkage model")
    if not frequencies_of(path).is_file():
        fail(f"the model's frequencies are missing: {frequencies_of(path)}")
    return path


@contextmanager
def _plain_refusals() -> Iterator[None]:
    try:
        yield
    except NoIndex as error:
        fail(f"{error}; `vawg run` makes one, or name yours with --index")
    except OtherModel as error:
        fail(f"{error} with --model")
    except Unknown as error:
        fail(str(error))


def _write(path: Path, page: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        fail(f"{path} cannot be written: {error.strerror}")
    click.echo(f"\nNext: open {path} in a browser; it needs no network.")
