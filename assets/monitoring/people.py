"""How people use the list: what reviewers agree with, what they override, how long they take, what is appealed.

Reviewers have numbers, in the order in which they first judged something; nobody under review is in any of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from statistics import median

import polars as pl
from statsmodels.stats.proportion import proportion_confint

from assets.monitoring.disparity import MISSING
from assets.monitoring.resampling import LEVEL
from decisions.review_entries import Act, Entry

_DAY = 86_400
_COUNTED = {
    "remove": "removals asked for, by reason",
    "defer": "deferrals, by reason",
    "dispute": "disputes, by ground",
    "record_check": "checks of a dispute, by finding",
    "appeal": "appeals, by ground",
    "decide_appeal": "appeals decided, by result",
    "view": "looks at the evidence, by purpose",
}


@dataclass(frozen=True)
class People:
    """`summary`: statistic, value, n (what it is of). `reviewers`: reviewer_no, n_judgements, agreement_share, always_agrees.
    `acts`: act, reason_code, n."""

    summary: pl.DataFrame
    reviewers: pl.DataFrame
    acts: pl.DataFrame

    @property
    def n_always_agreeing(self) -> int:
        return self.reviewers.filter("always_agrees").height


def people(entries: Sequence[Entry], *, always_share: float, min_judgements: int) -> People:
    """Everything known of the entries at a moment. A reviewer with fewer than `min_judgements` has no share and is not judged."""
    acts = sorted(chain.from_iterable(entry.acts for entry in entries), key=lambda act: act.no)
    judged = [act for act in acts if act.agrees is not None]
    counts = Counter((act.name, act.reason_code) for act in acts if act.name in _COUNTED)
    return People(
        summary=pl.DataFrame(list(_summary(entries, judged)), schema=_SUMMARY, orient="row"),
        reviewers=_reviewers(judged, always_share, min_judgements),
        acts=pl.DataFrame(
            [(name, reason, n) for (name, reason), n in sorted(counts.items())],
            schema={"act": pl.String, "reason_code": pl.String, "n": pl.Int64},
            orient="row",
        ),
    )


def agreement_by_group(
    entries: Sequence[Entry], nominals: pl.DataFrame, attributes: Mapping[str, str], *, least: int
) -> pl.DataFrame:
    """Whether reviewers agree with the list as often for one group as for another: a row an attribute x group.

    `nominals`: record_id and a column for each of `attributes` (column -> words). Returns attribute, group (missing ones apart),
    n_judgements, agreement_share with its Wilson interval lower, upper; a group with fewer than `least` judgements has none.
    """
    judged = pl.DataFrame(
        [
            (entry.record_ids[0], act.agrees)
            for entry in entries
            for act in entry.acts
            if act.agrees is not None and entry.record_ids
        ],
        schema={"record_id": pl.String, "agrees": pl.Boolean},
        orient="row",
    ).join(nominals, on="record_id", how="left")
    counts = pl.concat(
        [
            judged.group_by(pl.col(column).fill_null(MISSING).alias("group"))
            .agg(n_judgements=pl.len().cast(pl.Int64), n_agree=pl.col("agrees").sum().cast(pl.Int64))
            .select(pl.lit(words).alias("attribute"), pl.all())
            .sort("group")
            for column, words in attributes.items()
        ]
    )
    lower, upper = proportion_confint(
        counts["n_agree"].to_numpy(), counts["n_judgements"].to_numpy(), alpha=1 - LEVEL, method="wilson"
    )
    shares = counts.with_columns(
        agreement_share=pl.col("n_agree") / pl.col("n_judgements"),
        lower=pl.Series(lower, dtype=pl.Float64),
        upper=pl.Series(upper, dtype=pl.Float64),
    ).drop("n_agree")
    return shares.with_columns(
        pl.when(pl.col("n_judgements") >= least).then(pl.col("agreement_share", "lower", "upper").round(6))
    )


_SUMMARY = {"statistic": pl.String, "value": pl.Float64, "n": pl.Int64}


def _summary(entries: Sequence[Entry], judged: Sequence[Act]) -> Iterator[tuple[str, float | None, int]]:
    known = [entry for entry in entries if entry.acts]
    yield "share of judgements that agree with the list", _share(a.agrees for a in judged), len(judged)
    added = [entry.opening.origin == "added_by_officer" for entry in known]
    removed = [entry.state == "removed" for entry in known]
    yield "overridden: share of entries that officers added", _share(added), len(known)
    yield "overridden: share of entries that were removed", _share(removed), len(known)
    waits = [wait for entry in known if (wait := _days_to_decide(entry)) is not None]
    yield "median days from the first look to a decision", (median(waits) if waits else None), len(waits)
    yield "share of entries that were appealed", _share(_has(e, "appeal") for e in known), len(known)
    decided = [act.reason_code == "allowed" for e in known for act in e.acts if act.name == "decide_appeal"]
    yield "share of decided appeals that were allowed", _share(decided), len(decided)
    yield "share of entries that were disputed", _share(_has(e, "dispute") for e in known), len(known)
    only_seen = [all(act.name == "view" for act in entry.acts) for entry in known]
    yield "share of entries that somebody looked at and nobody judged", _share(only_seen), len(known)


def _reviewers(judged: Iterable[Act], always_share: float, least: int) -> pl.DataFrame:
    rows: dict[str, list[bool]] = {}
    for act in judged:
        rows.setdefault(" ".join(act.by.split()).casefold(), []).append(bool(act.agrees))
    return pl.DataFrame(
        [
            (no, len(agreed), share if len(agreed) >= least else None, len(agreed) >= least and share > always_share)
            for no, agreed in enumerate(rows.values(), start=1)
            for share in [sum(agreed) / len(agreed)]
        ],
        schema={
            "reviewer_no": pl.Int64,
            "n_judgements": pl.Int64,
            "agreement_share": pl.Float64,
            "always_agrees": pl.Boolean,
        },
        orient="row",
    )  # fmt: skip


def _days_to_decide(entry: Entry) -> float | None:
    """From the first act to the first that ended the wait: a deferral, or somebody's approval."""
    ended = [act.at for act in entry.acts if act.name in ("approve", "defer", "decide_appeal")]
    return (min(ended) - entry.acts[0].at).total_seconds() / _DAY if ended else None


def _has(entry: Entry, name: str) -> bool:
    return any(act.name == name for act in entry.acts)


def _share(of: Iterable[bool | None]) -> float | None:
    values = [bool(value) for value in of]
    return round(sum(values) / len(values), 6) if values else None
