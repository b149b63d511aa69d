"""How well flags are read from text, on texts that people labelled: precision, recall and F1 a flag, with intervals.

`labelled_texts.csv` has one row a text: `split` (develop: what signs and cues were made with; held_out: what they are
judged on), `kind` (plain, negated, hypothetical, other_person ...) and the flags it speaks of, none or several.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
from statsmodels.stats.proportion import proportion_confint

from assets.seeds import SEEDS
from assets.text_flags.reading import signs

LABELLED = Path(__file__).with_name("labelled_texts.csv")
RULES = SEEDS / "flag_rules.csv"


def labelled(split: str) -> pl.DataFrame:
    """text_no, kind, text and the list of `flags` of a split."""
    return (
        pl.read_csv(LABELLED)
        .filter(pl.col("split") == split)
        .with_columns(flags=pl.col("flags").fill_null("").str.split(" ").list.filter(pl.element() != ""))
    )


def read_flags(texts: pl.DataFrame) -> pl.Series:
    """The flags of each text by its signs, as flag_rules has them; the rules' other conditions are taken as met."""
    flag_of = dict(
        pl.read_csv(RULES).filter(pl.col("text_sign").is_not_null()).select("text_sign", "flag").iter_rows()
    )
    found: list[set[str]] = [set() for _ in range(texts.height)]
    for sign in signs(texts["text"]):
        found[sign.text_no].add(flag_of[sign.sign])
    return pl.Series([sorted(flags) for flags in found], dtype=pl.List(pl.String))


def scores(texts: pl.DataFrame, read: pl.Series) -> pl.DataFrame:
    """One row a flag, and `all`: n_texts with it, n_read, n_right; precision, recall with Wilson's intervals at 95%; f1."""
    marked = texts.select("text_no", "flags").with_columns(read=read)
    flags = sorted({f for column in ("flags", "read") for f in marked[column].explode().drop_nulls()})
    rows: list[tuple[str, int, int, int]] = []
    for flag in flags:
        has, says = (marked[c].list.contains(flag) for c in ("flags", "read"))
        rows.append((flag, int(has.sum()), int(says.sum()), int((has & says).sum())))
    rows.append(("all", sum(r[1] for r in rows), sum(r[2] for r in rows), sum(r[3] for r in rows)))
    return pl.DataFrame([_score(*row) for row in rows])


def _score(flag: str, n_texts: int, n_read: int, n_right: int) -> dict[str, float | str | None]:
    row: dict[str, float | str | None] = {
        "flag": flag,
        "n_texts": n_texts,
        "n_read": n_read,
        "n_right": n_right,
    }
    for name, n in (("precision", n_read), ("recall", n_texts)):
        low, high = proportion_confint(n_right, n, method="wilson") if n else (None, None)
        row |= {name: n_right / n if n else None, f"{name}_lower": low, f"{name}_upper": high}
    return row | {"f1": 2 * n_right / (n_read + n_texts)}
