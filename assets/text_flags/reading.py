"""Signs in free text: what a text of modus operandi says of the crime, denials and suppositions left out.

spaCy's rule matcher finds the words (`signs.jsonl`, in spaCy's own format), NegEx (negspaCy) decides which of them are
denied or only supposed (`cues.csv`). No language model: nothing is downloaded. Does not belong here: what a sign means
for a flag (dbt's flag_rules) and where texts come from (`station.py`).
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

_HERE = Path(__file__).parent
SIGNS = _HERE / "signs.jsonl"
CUES = _HERE / "cues.csv"
NAME = "text_signs_v1"
# A longer match with this label takes the words from any sign in them: "business partner", "with her husband".
DECOY = "decoy"
_DENIED = "is_denied"
_KEY = "signs"
_BATCH = 2_000


class Sign(NamedTuple):
    """A sign found in a text, not denied: the first of its kind. `words` as they stand in the list of signs, lower case."""

    text_no: int
    sign: str
    words: str


@cache
def version() -> str:
    """Version of what reads the texts: its name, and a digest of the signs and cues."""
    digest = hashlib.sha256(SIGNS.read_bytes() + b"\0" + CUES.read_bytes()).hexdigest()
    return f"{NAME}_{digest[:8]}"


@cache
def reader() -> Language:
    """The spaCy pipeline: sentences, signs, denials. Three seconds to make, so made once."""
    import spacy
    from negspacy.negation import Negex  # noqa: F401  registers the component

    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer", config={"punct_chars": [".", "!", "?", "\n"]})
    # Only the longest of overlapping matches is kept, so that a decoy takes its words away from a sign.
    ruler = nlp.add_pipe(
        "span_ruler",
        config={"spans_key": _KEY, "spans_filter": {"@misc": "spacy.first_longest_spans_filter.v1"}},
    )
    ruler.add_patterns(  # type: ignore[attr-defined]
        [
            {"label": entry["label"], "pattern": pattern}
            for entry in map(json.loads, SIGNS.read_text(encoding="utf-8").splitlines())
            for pattern in _literal_starts(entry["pattern"])
        ]
    )
    nlp.add_pipe("negex", config={"neg_termset": cues(), "span_keys": [_KEY], "extension_name": _DENIED})
    return nlp


def _literal_starts(pattern: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """The pattern once for each word it may begin with: the matcher tries a list of words at every token, in Python."""
    first, rest = pattern[0], pattern[1:]
    if first.get("OP") == "?":
        yield from _literal_starts(rest)
    for word in first["LOWER"]["IN"]:
        yield [{"LOWER": word}, *rest]


def cues() -> dict[str, list[str]]:
    """The phrases of NegEx by their kind, as negspaCy wants them."""
    found: dict[str, list[str]] = {}
    with CUES.open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            found.setdefault(row["kind"], []).append(row["cue"])
    return found


def signs(texts: Iterable[str]) -> Iterator[Sign]:
    """The signs of each text, in the order of the texts; a sign once a text."""
    docs = reader().pipe((text.replace("’", "'") for text in texts), batch_size=_BATCH)
    for text_no, doc in enumerate(docs):
        yield from _of(text_no, doc)


def _of(text_no: int, doc: Doc) -> Iterator[Sign]:
    seen = {DECOY}
    for span in doc.spans[_KEY]:
        if span.label_ not in seen and not span._.get(_DENIED):
            seen.add(span.label_)
            yield Sign(text_no, span.label_, span.text.lower())
