"""A handmade nation of three forces and a few people, for the dbt project to be run on.

Rows are written by hand so that every figure in the tests can be checked with pencil and paper. Only
what matters to a test is given; the rest is null.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl

from assets.clerical_flags import SCHEMA as CLERICAL_FLAGS
from assets.linkage.scoring import EVIDENCE as COMPARISONS
from assets.previous_release import PreviousRelease, write_previous
from assets.run_inputs import IDENTITY_DECISIONS_SCHEMA, REVIEW_DECISIONS_SCHEMA, REVIEW_REMOVALS_SCHEMA
from assets.storage import PROVENANCE, Layout
from assets.text_flags.text_signs import write_text_signs
from data_contracts.extracts.catalogue import EXTRACTS
from data_contracts.findings import FINDINGS_SCHEMA

Row = Mapping[str, Any]

RUN_SUBMISSIONS = {
    "submission_id": pl.String(),
    "force_code": pl.String(),
    "period": pl.Date(),
    "sequence": pl.Int64(),
    "status": pl.String(),
    "received_at": pl.Datetime("us"),
    "extracted_at": pl.Datetime("us"),
    "contract_version": pl.String(),
    "content_hash": pl.String(),
}
ROWS = {
    "submission_id": pl.String(),
    "extract": pl.String(),
    "n_received": pl.Int64(),
    "n_accepted": pl.Int64(),
    "n_quarantined": pl.Int64(),
}
LINKS = {
    "record_id": pl.String(),
    "person_id": pl.String(),
    "person_group_id": pl.String(),
    "link_probability": pl.Float64(),
    "link_weight": pl.Float64(),
    "n_records": pl.Int64(),
    "withheld": pl.Boolean(),
    "withheld_reasons": pl.List(pl.String()),
    "model_version": pl.String(),
}
_BITS: dict[str, pl.DataType] = dict.fromkeys(COMPARISONS, pl.Float32())
EVIDENCE = {
    "person_id": pl.String(),
    "record_id_l": pl.String(),
    "record_id_r": pl.String(),
    "link_weight": pl.Float64(),
    **_BITS,
    "veto": pl.String(),
    "is_weakest": pl.Boolean(),
}
REVIEW_PAIRS = {
    "record_id_l": pl.String(),
    "record_id_r": pl.String(),
    "match_weight": pl.Float64(),
    "guarded_weight": pl.Float64(),
    "probability": pl.Float64(),
    "veto": pl.String(),
    **_BITS,
}
LEDGER = {
    "run_no": pl.Int32(),
    "as_of": pl.Datetime("us"),
    "event": pl.String(),
    "cause": pl.String(),
    "record_id": pl.String(),
    "from_person_id": pl.String(),
    "to_person_id": pl.String(),
    "decision_id": pl.String(),
    "model_version": pl.String(),
}


@dataclass
class Submission:
    """One force's month: accepted rows by extract, and how many rows were refused beside them."""

    force_code: str
    period: date
    sequence: int = 1
    status: str = "accepted"
    rows: dict[str, Sequence[Row]] = field(default_factory=dict)
    findings: Sequence[Row] = ()
    n_quarantined: int = 0
    days_late: int = 0

    @property
    def submission_id(self) -> str:
        return f"{self.force_code}_{self.period:%Y-%m}_{self.sequence}_hand"

    @property
    def extracted_at(self) -> datetime:
        following = (self.period.replace(day=28) + timedelta(days=7)).replace(day=1)
        return datetime.combine(following, datetime.min.time()) + timedelta(days=2 + self.sequence, hours=6)


@dataclass(frozen=True)
class Link:
    """What linkage says of one nominal. `former`: the id it bore until the run before, which it left by `event`."""

    record_id: str
    person_id: str
    probability: float = 1.0
    withheld: tuple[str, ...] = ()
    former: str | None = None
    event: str = "merge"
    decision_id: str | None = None


def write(
    root: Path,
    submissions: Sequence[Submission],
    *,
    period: date,
    period_end: date,
    links: Sequence[Link] = (),
    review_pairs: Sequence[Row] = (),
    decisions: Sequence[Row] = (),
    review_decisions: Sequence[Row] = (),
    review_removals: Sequence[Row] = (),
    clerical_flags: Sequence[Row] = (),
    programme: str = "england_wales",
    previous: PreviousRelease | None = None,
) -> Path:
    """Write a data root as intake, run inputs and linkage leave it. Returns `root`.

    A nominal without a link in `links` is a person of their own. `decisions` are pairs that people decided about,
    `review_decisions` and `review_removals` what they decided about the list.
    """
    for folder in ("run", "findings", "linkage", "standardised", "warehouse"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for s in submissions:
        _write_extracts(root, s)
        _frame(
            [
                {"submission_id": s.submission_id, "force_code": s.force_code, "period": s.period, **f}
                for f in s.findings
            ],
            FINDINGS_SCHEMA,
        ).write_parquet(root / "findings" / f"{s.submission_id}.parquet")
    _frame(
        [
            {
                "submission_id": s.submission_id,
                "force_code": s.force_code,
                "period": s.period,
                "sequence": s.sequence,
                "status": s.status,
                "received_at": s.extracted_at + timedelta(hours=2, days=s.days_late),
                "extracted_at": s.extracted_at,
                "contract_version": "1.0",
                "content_hash": s.submission_id,
            }
            for s in submissions
        ],
        RUN_SUBMISSIONS,
    ).write_parquet(root / "run" / "run_submissions.parquet")
    _frame(
        [
            {
                "submission_id": s.submission_id,
                "extract": name,
                "n_received": len(s.rows.get(name, ())) + (s.n_quarantined if name == "offences" else 0),
                "n_accepted": len(s.rows.get(name, ())),
                "n_quarantined": s.n_quarantined if name == "offences" else 0,
            }
            for s in submissions
            for name in EXTRACTS
        ],
        ROWS,
    ).write_parquet(root / "run" / "run_submission_rows.parquet")
    pl.DataFrame(
        {
            "programme": [programme],
            "period": [period],
            "period_end": [period_end],
            "as_of": [datetime(2026, 7, 31)],
            "ranked_at": [datetime(period_end.year, period_end.month, period_end.day, 23, 59, 59)],
            "snapshot_key": ["handmade"],
        }
    ).write_parquet(root / "run" / "run_parameters.parquet")
    _frame(decisions, IDENTITY_DECISIONS_SCHEMA).write_parquet(
        root / "run" / "run_identity_decisions.parquet"
    )
    for name, rows, schema in (
        ("run_review_decisions", review_decisions, REVIEW_DECISIONS_SCHEMA),
        ("run_review_removals", review_removals, REVIEW_REMOVALS_SCHEMA),
    ):
        _frame(rows, schema).write_parquet(root / "run" / f"{name}.parquet")
    _frame(clerical_flags, CLERICAL_FLAGS).write_parquet(root / "run" / "run_clerical_flags.parquet")
    write_previous(previous, root / "run")
    _frame(review_pairs, REVIEW_PAIRS).write_parquet(root / "linkage" / "person_review_pairs.parquet")
    _write_links(root, submissions, links)
    write_text_signs(Layout(root), [s.submission_id for s in submissions])
    return root


def _write_extracts(root: Path, submission: Submission) -> None:
    for name, spec in EXTRACTS.items():
        folder = root / "extracts" / name
        folder.mkdir(parents=True, exist_ok=True)
        if submission.status == "held":
            continue
        provenance = {
            "submission_id": submission.submission_id,
            "force_code": submission.force_code,
            "period": submission.period,
            "sequence": submission.sequence,
            "extracted_at": submission.extracted_at,
        }
        rows = [
            {**provenance, "row_number": i, **row}
            for i, row in enumerate(submission.rows.get(name, ()), start=1)
        ]
        _frame(rows, {**PROVENANCE, **spec.schema}).write_parquet(
            folder / f"{submission.submission_id}.parquet"
        )


def _write_links(root: Path, submissions: Sequence[Submission], links: Sequence[Link]) -> None:
    known = {link.record_id: link for link in links}
    records = sorted(
        {
            f"{s.force_code}|{p['person_ref']}"
            for s in submissions
            if s.status != "held"
            for p in s.rows.get("persons", ())
        }
    )
    found = [known.get(r, Link(r, f"P-{r}")) for r in records]
    sizes = Counter(link.person_id for link in found)
    _frame(
        [
            {
                "record_id": link.record_id,
                "person_id": link.person_id,
                "person_group_id": f"G-{link.person_id}",
                "link_probability": link.probability,
                "link_weight": 16.0 if sizes[link.person_id] > 1 else None,
                "n_records": sizes[link.person_id],
                "withheld": bool(link.withheld),
                "withheld_reasons": list(link.withheld),
                "model_version": "handmade",
            }
            for link in found
        ],
        LINKS,
    ).write_parquet(root / "linkage" / "person_links.parquet")
    _frame(_tree(found), EVIDENCE).write_parquet(root / "linkage" / "person_evidence.parquet")
    _frame(_history(found), LEDGER).write_parquet(root / "linkage" / "person_ledger.parquet")


def _tree(links: Sequence[Link]) -> list[Row]:
    """Each person's records in a row, every link a bit weaker than the one before."""
    records: dict[str, list[str]] = {}
    for link in links:
        records.setdefault(link.person_id, []).append(link.record_id)
    tree: list[Row] = []
    for person_id in sorted(records):
        chain = list(pairwise(records[person_id]))
        tree += [
            {
                "person_id": person_id,
                "record_id_l": left,
                "record_id_r": right,
                "link_weight": 16.0 - i,
                "is_weakest": i == len(chain) - 1,
            }
            for i, (left, right) in enumerate(chain)
        ]
    return tree


def _history(links: Sequence[Link]) -> list[Row]:
    """Everybody is created in the first run; in the second, those that were somebody else come to who they are."""
    first = {"run_no": 1, "as_of": datetime(2026, 6, 30), "event": "create", "cause": "new_evidence"}
    second = {"run_no": 2, "as_of": datetime(2026, 7, 31)}
    created = [
        {**first, "record_id": link.record_id, "to_person_id": link.former or link.person_id}
        for link in links
    ]
    moved = [
        {
            **second,
            "event": link.event,
            "cause": "decision" if link.decision_id else "new_evidence",
            "record_id": link.record_id,
            "from_person_id": link.former,
            "to_person_id": link.person_id,
            "decision_id": link.decision_id,
        }
        for link in links
        if link.former
    ]
    return [{**row, "model_version": "handmade"} for row in created + moved]


def _frame(rows: Sequence[Row], schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    return pl.DataFrame([{c: row.get(c) for c in schema} for row in rows], schema=dict(schema), orient="row")
