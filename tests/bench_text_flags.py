"""What reads flags from text best, on the held-out texts: plain words, a learnt model, or signs with NegEx.

`python -m tests.bench_text_flags` prints the table that docs/text_flags.md shows.
"""

from __future__ import annotations

import re

import polars as pl
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MultiLabelBinarizer

from assets.text_flags.evaluation import labelled, read_flags, scores

# The words and the denial that SQL matched before.
WORDS = {
    "DA": ("ex partner", "ex husband", "ex boyfriend", "domestic"),
    "STK": ("following her",),
    "ONL": ("whatsapp", "instagram", "snapchat", "facebook", "social media", "online"),
    "HBA": ("family honour",),
    "FM": ("forced marriage",),
    "SPK": ("spiked", "injected", "needle"),
    "SW": ("sex worker",),
    "NFS": ("strangled",),
}
DENIAL = re.compile(
    r" (not|no|never|nor|without)( (a|an|the|her|his|their|any|by))*( [a-z0-9]+)?( [a-z0-9]+)?"
)


def plain_words(texts: pl.DataFrame) -> pl.Series:
    found = []
    for text in texts["text"]:
        words = DENIAL.sub(" ", re.sub("[^a-z0-9]+", " ", f" {text.lower()} "))
        found.append([f for f, all_of in WORDS.items() if any(f" {w} " in words for w in all_of)])
    return pl.Series(found, dtype=pl.List(pl.String))


def learnt(texts: pl.DataFrame) -> pl.Series:
    train = labelled("develop")
    labels = MultiLabelBinarizer()
    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 3), sublinear_tf=True),
        OneVsRestClassifier(LogisticRegression(C=30, class_weight="balanced")),
    ).fit(train["text"].to_list(), labels.fit_transform(train["flags"].to_list()))
    found = labels.inverse_transform(model.predict(texts["text"].to_list()))
    return pl.Series([list(f) for f in found], dtype=pl.List(pl.String))


if __name__ == "__main__":
    held_out = labelled("held_out")
    with pl.Config(
        tbl_rows=-1,
        tbl_cols=-1,
        tbl_width_chars=200,
        float_precision=2,
        tbl_formatting="MARKDOWN",
        tbl_hide_column_data_types=True,
    ):
        for name, rival in (
            ("plain words", plain_words),
            ("TF-IDF and logistic regression", learnt),
            ("signs and NegEx", read_flags),
        ):
            print(name, scores(held_out, rival(held_out)), sep="\n")
