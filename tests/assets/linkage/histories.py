"""A small nation that lives through months: nominals come, are corrected and go, and people decide about them.

Every run is kept, so that it can be held against a full relink of what then stands, and its ledger against the past.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
from polars.testing import assert_frame_equal

from assets.linkage.cleaning import RECORD_COLUMNS
from assets.linkage.decided import Decided
from assets.linkage.linker import LinkSummary, link
from assets.linkage.model import MODEL, frequencies_of
from assets.linkage.scoring import EVIDENCE
from data_contracts.rules.persons import PNC_CHECK_LETTERS
from data_contracts.synthetic.nominals import write_nominals
from decisions.refusals import Contradiction, DecidedPair, check_consistent

Row = dict[str, Any]

_TYPES: dict[str, Any] = {"VARCHAR": pl.String(), "DATE": pl.Date()}
RECORD_SCHEMA: dict[str, Any] = {
    name: pl.List(_TYPES[kind.removesuffix("[]")]) if kind.endswith("[]") else _TYPES[kind]
    for name, kind in RECORD_COLUMNS.items()
}

ORDINARY: Row = {
    "forenames": "GARETH",
    "surname": "PELLOWSKI",
    "date_of_birth": date(1984, 3, 27),
    "sex": "M",
    "postcode": "NE219QD",
    "postcode_district": "NE21",
    "alias_full_names": [],
    "alias_surnames": [],
    "alias_dates_of_birth": [],
    "earlier_postcodes": [],
}


# A row that says everything itself, unknown where it says nothing.
ABSENT: Row = dict.fromkeys(set(ORDINARY) - {"alias_full_names", "alias_surnames", "earlier_postcodes"}) | {
    "alias_dates_of_birth": []
}


def pnc(number: int, year: int = 2004) -> str:
    """A PNC id whose check letter is right."""
    return f"{year}/{number:07}{_letter(f'{year % 100:02}{number:07}')}"


def cro(number: int, year: int = 4) -> str:
    """A CRO number whose check letter is right."""
    return f"{number}/{year:02}{_letter(f'{year:02}{number}')}"


def _letter(number: str) -> str:
    return PNC_CHECK_LETTERS[int(number) % len(PNC_CHECK_LETTERS)]


def write_rows(rows: Iterable[Row], path: Path) -> Path:
    """Write records of which only what differs from `ORDINARY` is said; without record_id, they are `F|0`, `F|1`, ..."""
    filled = [{"record_id": f"F|{number}", **ORDINARY, **row} for number, row in enumerate(rows)]
    pl.DataFrame(filled, schema=RECORD_SCHEMA).write_parquet(path)
    return path


def dense_rows(folder: Path, *, seed: int, n_records: int) -> list[Row]:
    """Records of a synthetic nation, in an order of their own, of as few people as there are for that many: the planted
    hard cases and the prolific, so that much is joined and much is in doubt.
    """
    written = write_nominals(folder, n_nominals=1000, seed=seed)
    records = pl.read_parquet(written.records[0]).join(pl.read_parquet(written.truth), on="record_id")
    people = (
        records.group_by("true_person_id")
        .agg(n=pl.len(), planted=pl.col("planted_group").is_not_null().any())
        # Of those not planted, nobody with a dozen records: a few of them would fill the file.
        .filter((pl.col("n") <= 12) & (pl.col("planted") | (pl.col("n") >= 3)))
        .sort("planted", "true_person_id", descending=True)
    )
    chosen = records.join(people.select("true_person_id"), on="true_person_id", maintain_order="right")
    lists = {"alias_full_names": "aliases", "earlier_postcodes": "postcode_history"}
    chosen = chosen.head(n_records).sample(fraction=1.0, shuffle=True, seed=seed)
    chosen = chosen.with_columns(
        pl.col(text)
        .fill_null("")
        .str.split("|")
        .list.eval(pl.element().filter(pl.element() != ""))
        .alias(name)
        for name, text in lists.items()
    ).with_columns(
        alias_surnames=pl.col("alias_full_names").list.eval(pl.element().str.split(" ").list.last())
    )
    return [
        ABSENT | row
        for row in chosen.select(name for name in RECORD_COLUMNS if name in chosen.columns).to_dicts()
    ]


@dataclass(frozen=True)
class Outcome:
    """The files of one run in `folder`, with people and groups named by their least record: ids differ between a nation
    that grew and one linked at once, who is who must not.
    """

    folder: Path

    @cached_property
    def links(self) -> pl.DataFrame:
        return pl.read_parquet(self.folder / "person_links.parquet")

    @cached_property
    def ledger(self) -> pl.DataFrame:
        return pl.read_parquet(self.folder / "person_ledger.parquet")

    @property
    def index(self) -> Path:
        return self.folder / "index.duckdb"

    def person_of(self, record_id: str) -> str:
        return str(self.links.row(by_predicate=pl.col("record_id") == record_id, named=True)["person_id"])

    def one_person(self, *record_ids: str) -> bool:
        return len({self.person_of(record_id) for record_id in record_ids}) == 1

    def crosswalk(self) -> dict[str, str]:
        return dict(self.links.select("record_id", "person_id").iter_rows())

    def said(self) -> dict[str, pl.DataFrame]:
        """All that linking says but for the ids: links, evidence, pairs to review, and every scored pair."""
        least = pl.col("record_id").min()
        links = self.links.with_columns(
            person_id=least.over("person_id"), person_group_id=least.over("person_group_id")
        )
        evidence = pl.read_parquet(self.folder / "person_evidence.parquet").drop("person_id")
        with duckdb.connect(str(self.index), read_only=True) as connection:
            pairs = connection.execute(f"""
                SELECT
                    least(l.record_id, r.record_id) AS one, greatest(l.record_id, r.record_id) AS other,
                    evidence, {", ".join(EVIDENCE)}, veto, blocked
                FROM pairs
                JOIN person_features AS l ON l.record_key = record_key_l
                JOIN person_features AS r ON r.record_key = record_key_r
            """).pl()
        return {
            "links": links.sort("record_id"),
            "evidence": evidence.sort("record_id_l", "record_id_r"),
            "review_pairs": pl.read_parquet(self.folder / "person_review_pairs.parquet"),
            "pairs": pairs.sort("one", "other"),
        }


def assert_same(one: Outcome, other: Outcome) -> None:
    """Fails where two runs say anything else of who is who, how sure, held by what, and what to look at."""
    said, others = one.said(), other.said()
    for name, frame in said.items():
        try:
            assert_frame_equal(frame, others[name], check_exact=True)
        except AssertionError as difference:
            raise AssertionError(f"{name}: {difference}") from None


@dataclass
class History:
    """Months applied one after another in `folder`; `rows` and `decided` are what stands after the last."""

    folder: Path
    model: Path = MODEL
    rows: dict[str, Row] = field(default_factory=dict)
    decided: tuple[DecidedPair, ...] = ()
    runs: list[Outcome] = field(default_factory=list)
    summaries: list[LinkSummary] = field(default_factory=list)

    @property
    def last(self) -> Outcome:
        return self.runs[-1]

    @property
    def as_of(self) -> datetime:
        """The moment of the last run: one a day."""
        return self.moment(len(self.runs))

    @staticmethod
    def moment(number: int) -> datetime:
        return datetime(2026, 1, 1) + timedelta(days=number)

    def month(
        self,
        sent: Iterable[Row] = (),
        *,
        withdrawn: Sequence[str] = (),
        decided: Sequence[DecidedPair] | None = None,
        complete: bool = False,
        anew: bool = False,
    ) -> Outcome:
        """Apply what is new or corrected and what is withdrawn; `decided`, where given, are all decisions in force.
        `complete` hands over all that stands, as the national run does, instead of the changes alone.
        """
        sent = list(sent)
        self.rows |= {row["record_id"]: row for row in sent}
        for record_id in withdrawn:
            self.rows.pop(record_id, None)
        self.decided = self.decided if decided is None else tuple(decided)
        before = self.runs[-1].index if self.runs else None
        out = self.folder / f"run_{len(self.runs) + 1:02}"
        out.mkdir(parents=True)
        self.runs.append(Outcome(out))
        self.summaries.append(
            link(
                write_rows(self.rows.values() if complete or anew else sent, out / "records.parquet"),
                out / "person_links.parquet",
                model=self.model,
                standing=before,
                keep=out / "index.duckdb",
                anew=anew,
                complete=complete or anew,
                withdrawn=() if complete or anew else withdrawn,
                decided=Decided.of(self.decided),
                as_of=self.as_of,
                changes=None if anew else out / "changes.parquet",
            )
        )
        return self.last

    def full(self) -> Outcome:
        """What stands now, linked from nothing."""
        out = self.folder / f"full_{len(self.runs):02}"
        out.mkdir(parents=True)
        link(
            write_rows(self.rows.values(), out / "records.parquet"),
            out / "person_links.parquet",
            model=self.model,
            keep=out / "index.duckdb",
            decided=Decided.of(self.decided),
        )
        return Outcome(out)


def family(number: int, **said: Any) -> Row:
    """What the records of one case say: alike within it, and unlike those of every other."""
    sound = "BDFGKLMNPRSTVXZ"
    surname = f"{sound[number]}OR{sound[-1 - number]}ICK{sound[(number * 7 + 3) % 15]}ON"
    return {
        "forenames": ("OLWEN", "BEATRIX", "GUNDRED", "PHILIPPA", "ZENOBIA")[number % 5],
        "surname": surname,
        "date_of_birth": date(1961 + 2 * number, 1 + number * 5 % 12, 3 + number),
        "sex": "F",
        "postcode": f"{('LS', 'CB', 'TR')[number % 3]}{10 + number}2QD",
        "postcode_district": f"{('LS', 'CB', 'TR')[number % 3]}{10 + number}",
        "phone": f"077009{number:02}001",
        **said,
    }


def strangers(n: int) -> list[Row]:
    """People who have nothing to do with each other or with anybody else; with enough of them, that one more record comes
    moves no weight (`model.size_step`).
    """
    return [
        {
            "record_id": f"Z|{number:03}",
            "forenames": f"{chr(65 + number % 26)}AZIMIR",
            "surname": f"{chr(90 - number % 26)}U{chr(65 + number // 26)}BERTON",
            "date_of_birth": date(1930 + number, 1 + number % 12, 1 + number % 28),
            "postcode": None,
            "postcode_district": None,
        }
        for number in range(n)
    ]


@dataclass(frozen=True)
class Step:
    """What one month brings, as numbers to be read against what stands then (`live`): so that any draw of them is a life.

    `corrected`: (record, what, of which other record it now says that); `withdrawn` and `returned`: records; `decided`:
    (cannot_link or must_link, record, other record); `revoked`: decisions.
    """

    n_new: int = 0
    corrected: tuple[tuple[int, str, int], ...] = ()
    withdrawn: tuple[int, ...] = ()
    returned: tuple[int, ...] = ()
    decided: tuple[tuple[str, int, int], ...] = ()
    revoked: tuple[int, ...] = ()
    complete: bool = False
    anew: bool = False


# What a correction takes over from another record; `reidentified` is the same record under another id.
CORRECTIONS: dict[str, tuple[str, ...]] = {
    "name": ("forenames", "surname"),
    "birth": ("date_of_birth",),
    "number": ("pnc_id", "cro_number"),
    "all": tuple(name for name in RECORD_COLUMNS if name not in ("record_id", "force_code")),
    "reidentified": (),
}


def live(history: History, pool: list[Row], steps: Iterable[Step]) -> History:
    """Lead a history through `steps`; new records come from `pool`, in its order."""
    waiting = list(pool)
    left: list[Row] = []
    for step in steps:
        standing = sorted(history.rows)
        new, waiting = waiting[: step.n_new], waiting[step.n_new :]
        sent = {row["record_id"]: row for row in new}
        withdrawn = {standing[at % len(standing)] for at in step.withdrawn if standing}
        # What a decision is about does not come back: see test_decisions_obeyed.py.
        decided_about = {r for pair in history.decided for r in (pair.record_id_l, pair.record_id_r)}
        for row in {at % len(left): left[at % len(left)] for at in step.returned if left}.values():
            if row["record_id"] not in history.rows and row["record_id"] not in decided_about:
                sent[row["record_id"]] = row
        for at, what, other in step.corrected if standing else ():
            row, like = (history.rows[standing[n % len(standing)]] for n in (at, other))
            if what == "reidentified":
                withdrawn.add(row["record_id"])
                sent |= {f"{row['record_id']}R": {**row, "record_id": f"{row['record_id']}R"}}
            else:
                sent[row["record_id"]] = row | {name: like.get(name) for name in CORRECTIONS[what]}
        withdrawn -= {record_id for record_id in sent if record_id in history.rows}
        left += [history.rows[record_id] for record_id in sorted(withdrawn)]
        history.month(
            sent.values(),
            withdrawn=sorted(withdrawn),
            decided=_decisions(history, step, [r for r in standing if r not in withdrawn]),
            complete=step.complete,
            anew=step.anew,
        )
    return history


def _decisions(history: History, step: Step, standing: list[str]) -> list[DecidedPair]:
    """All in force after a step: without the revoked, with the new ones that contradict none."""
    revoked = {at % len(history.decided) for at in step.revoked if history.decided}
    in_force = [pair for number, pair in enumerate(history.decided) if number not in revoked]
    for kind, at, other in step.decided if history.runs and standing else ():
        person_of = history.last.crosswalk()
        one = standing[at % len(standing)]
        is_cannot = kind == "cannot_link"
        others = [r for r in standing if r != one and (person_of[r] == person_of[one]) == is_cannot]
        if not others:
            continue
        l, r = sorted((one, others[other % len(others)]))  # noqa: E741
        pair = DecidedPair(f"I{len(history.runs):03}{len(in_force):03}", kind, l, r)  # type: ignore[arg-type]
        try:
            check_consistent([*in_force, pair])
        except Contradiction:
            continue
        if (l, r) not in {(known.record_id_l, known.record_id_r) for known in in_force}:
            in_force.append(pair)
    return in_force


def life(seed: int, n_steps: int = 4) -> list[Step]:
    """A life in which everything happens; the first month brings the most."""
    rng = random.Random(seed)
    numbers = [rng.randrange(10_000) for _ in range(1000)]
    draw = iter(numbers)
    return [
        Step(
            n_new=60 if number == 0 else 15,
            corrected=tuple((next(draw), what, next(draw)) for what in CORRECTIONS for _ in range(2))
            if number
            else (),
            withdrawn=tuple(next(draw) for _ in range(4)) if number else (),
            returned=tuple(next(draw) for _ in range(2)),
            decided=tuple(
                (kind, next(draw), next(draw)) for kind in ("cannot_link", "must_link") for _ in range(2)
            )
            if number
            else (),
            revoked=(next(draw),) if number > 1 else (),
            complete=number == 2,
        )
        for number in range(n_steps)
    ]


def other_model(folder: Path, **said: Any) -> Path:
    """The shipped model but for what is `said` (`thresholds` are taken one by one), as another version."""
    content = json.loads(MODEL.read_text(encoding="utf-8"))
    thresholds = content["thresholds"] | said.pop("thresholds", {})
    content |= {"version": "person_other-00000000", "thresholds": thresholds, **said}
    path = folder / "other_model.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    shutil.copy(frequencies_of(MODEL), frequencies_of(path))
    return path
