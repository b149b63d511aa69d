"""The pages of a release: static HTML that opens from the folder, with nothing fetched from outside."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import jinja2


@dataclass(frozen=True)
class Edition:
    """What pages are of: the release, its month, and the knowledge it was made with."""

    release_id: str
    programme: str
    period: date
    as_of: str


_SHARED = Path(__file__).parent / "templates"


def templates(folder: Path = _SHARED) -> jinja2.Environment:
    """The templates of a folder, and those that all pages share; a name that is not given is an error."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader([folder, _SHARED]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


_TEMPLATES = templates()


def write_pages(folder: Path, manifest: dict[str, Any]) -> None:
    """Write `pages/index.html`: what this release is made of and holds, in words."""
    pages = folder / "pages"
    pages.mkdir(parents=True, exist_ok=True)
    (pages / "index.html").write_text(
        _TEMPLATES.get_template("index.html").render(release=manifest), encoding="utf-8"
    )


def write_transparency_record(folder: Path, record: dict[str, Any]) -> None:
    """Write the Algorithmic Transparency Recording Standard record as `pages/transparency_record.html` and `.json`."""
    page = _TEMPLATES.get_template("transparency_record.html").render(record=record)
    (folder / "pages" / "transparency_record.html").write_text(page, encoding="utf-8")
    (folder / "pages" / "transparency_record.json").write_text(
        json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )
