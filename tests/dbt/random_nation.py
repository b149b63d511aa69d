"""A nation by chance: thousands of suspects with everything that may keep an allegation from counting, and many ties.

Drawn column by column from one seed: the same seed gives the same nation. Nothing here is like the world; rare things
are common, and moments lie on the very edges of windows and birthdays. Rows leave it in the shape of the extracts, so
that all the SQL from staging to marts works on them. What a law expects of them stands with the laws.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tests.dbt import nation
from tests.dbt.handmade import JUNE, JUNE_END, MAY, A, B, C, T
from tests.dbt.nation import Link, Submission

FORCES = (A, B, C, "W15000004")
TIED_SHARE, N_TIED_GROUPS = 0.15, 15
DAY = 86_400
NOW = np.datetime64(T, "s")
# The windows end this long before T; a second to either side of each is drawn often.
EDGES = [
    datetime(2025, 6, 30, 23, 59, 59),
    datetime(2024, 6, 30, 23, 59, 59),
    datetime(2020, 6, 30, 23, 59, 59),
    T,
]
CODES = ("8N", "8Q", "8L", "19C", "20A", "105A", "105B", "1", "4.2", "2", "39", "8S", "104")
OUTCOMES = ("0", None, "1", "8", "9", "10", "15", "16", "17", "20", "14", "18", "11", "5", "19", "", "99")
STATUSES = (
    *("named", "arrested", "bailed", "charged", "cautioned", "no_further_action", "convicted"),
    *("acquitted", "eliminated", "unidentified"),
)
BIRTHDAYS = (date(2008, 6, 29), date(2008, 6, 30), date(2008, 7, 1), date(2008, 2, 29), date(2011, 3, 3))
KEY = ["force_code", "crime_ref"]

Rng = np.random.Generator


@dataclass(frozen=True)
class Nation:
    """Versions of records as forces sent them: `period` says with which month, `sequence` which of its submissions.

    `crimes`, `persons`: a row a version. `victims`, `suspects`: a row a version of their crime and number. `deletions`:
    a row a record taken back. `links`: a row a nominal. `decisions`, `removals`: as run inputs leave them.
    """

    crimes: pl.DataFrame
    victims: pl.DataFrame
    suspects: pl.DataFrame
    persons: pl.DataFrame
    deletions: pl.DataFrame
    links: pl.DataFrame
    decisions: list[dict[str, Any]] = field(default_factory=list)
    removals: list[dict[str, Any]] = field(default_factory=list)

    def write(self, root: Path, *, shuffled_by: int | None = None) -> Path:
        """Write a data root; `shuffled_by`: with all rows, and the names of all files, in another order."""
        extracts = {
            "offences": self.crimes,
            "victims": self.victims,
            "suspects": self.suspects,
            "persons": self.persons,
            "deletions": self.deletions,
        }
        if shuffled_by is not None:
            extracts = {n: f.sample(fraction=1, shuffle=True, seed=shuffled_by) for n, f in extracts.items()}
        sent: dict[tuple[str, date, int], dict[str, list[dict[str, Any]]]] = {}
        for name, frame in extracts.items():
            parts = frame.partition_by("force_code", "period", "sequence", as_dict=True, include_key=False)
            for key, part in parts.items():
                sent.setdefault(key, {})[name] = part.to_dicts()  # type: ignore[arg-type]
        nation.write(
            root,
            [Submission(*key, rows=dict(sent[key])) for key in sorted(sent)],
            period=JUNE,
            period_end=JUNE_END,
            links=[
                Link(record_id, person_id, probability, ("two_sexes",) if withheld else ())
                for record_id, person_id, probability, withheld in self.links.iter_rows()
            ],
            review_decisions=self.decisions,
            review_removals=self.removals,
        )
        if shuffled_by is not None:
            _shuffle_files(root, shuffled_by)
        return root


def _shuffle_files(root: Path, seed: int) -> None:
    """The rows of every file in another order, and the extracts' files in the opposite one."""
    for folder in ("run", "linkage"):
        for path in sorted((root / folder).glob("*.parquet")):
            pl.read_parquet(path).sample(fraction=1, shuffle=True, seed=seed).write_parquet(path)
    for folder_of_extract in sorted((root / "extracts").iterdir()):
        paths = sorted(folder_of_extract.glob("*.parquet"))
        for i, path in enumerate(paths):
            path.rename(folder_of_extract / f"{len(paths) - i:03d}.parquet")


def draw(n_persons: int, seed: int) -> Nation:
    """A nation of so many persons, every one a suspect of one crime at least."""
    rng = np.random.default_rng(seed)
    nominals = _nominals(rng, n_persons)
    crimes = _crimes(rng, nominals)
    suspects = _suspects(rng, crimes, nominals)
    victims, victim_nominals = _victims(rng, crimes)
    versions = crimes.drop("person", "number", "record_no", "is_tied")
    persons = _person_rows(rng, nominals, victim_nominals)
    links = pl.concat(
        [
            nominals.select("record_id", "person_id", "probability", "withheld"),
            victim_nominals.select(
                "record_id", "person_id", probability=pl.lit(0.97), withheld=pl.lit(False)
            ),
        ]
    )
    decisions, removals = _decisions(rng, nominals, suspects)
    drawn = Nation(
        versions,
        victims,
        suspects,
        persons,
        _no_deletions(),
        links,
        decisions,
        removals,
    )
    return _with_later_states(rng, drawn, crimes.filter("is_tied"), nominals.filter("is_tied"))


def _pick(rng: Rng, values: Any, n: int, weights: Any = None) -> list[Any]:
    """`n` values by chance; numbers of the list are drawn, so that None and dates stay what they are."""
    p = None if weights is None else np.asarray(weights, dtype=float) / np.sum(weights)
    return [values[i] for i in rng.choice(len(values), n, p=p)]


def _nominals(rng: Rng, n: int) -> pl.DataFrame:
    """One to three nominals a person, half of the further ones in the first one's force."""
    tied = np.arange(n) < TIED_SHARE * n
    n_nominals = np.where(tied, 1, rng.choice([1, 2, 3], n, p=[0.7, 0.22, 0.08]))
    person = np.repeat(np.arange(n), n_nominals)
    number = np.arange(len(person)) - np.repeat(np.cumsum(n_nominals) - n_nominals, n_nominals)
    m = len(person)
    home = np.arange(n)[person] % len(FORCES)
    force = np.where((number == 0) | (rng.random(m) < 0.5), home, rng.integers(0, len(FORCES), m))
    born = (np.datetime64("1950-01-01") + rng.integers(0, 20_000, n)).astype(object)
    odd = _pick(rng, [None, date(1900, 1, 1), *BIRTHDAYS], n)
    odd_person = (rng.random(n) < 0.2) & ~tied
    base = [o if is_odd else b for o, b, is_odd in zip(odd, born, odd_person, strict=True)]
    other = _pick(rng, [None, date(1985, 5, 5), *BIRTHDAYS], m)
    has_other = (rng.random(m) < 0.12) & (number > 0)
    certain = rng.random(n) < 0.75
    certainty = np.asarray(_pick(rng, [1.0, 0.99, 0.95, 0.9, 0.8999, 0.7, 0.5, 0.05], m))
    free = np.round(1 - rng.random(m), 6)
    return pl.DataFrame(
        {
            "person": person,
            "person_id": [f"P{p:05d}" for p in person],
            "force_code": [FORCES[f] for f in force],
            "person_ref": [f"S{p}-{k}" for p, k in zip(person, number, strict=True)],
            "date_of_birth": pl.Series(
                [o if x else base[p] for o, x, p in zip(other, has_other, person, strict=True)], dtype=pl.Date
            ),
            "probability": np.where(
                tied[person],
                1.0,
                np.where(certain[person], certainty, np.where(number == 0, free, certainty)),
            ),
            "withheld": ((rng.random(n) < 0.03) & ~tied)[person],
            "deceased_on": pl.Series(
                [
                    d if x else None
                    for d, x in zip(
                        _pick(
                            rng, [date(2020, 1, 1), JUNE, JUNE_END, date(2026, 7, 1), date(2026, 7, 15)], m
                        ),
                        (rng.random(m) < 0.04) & ~tied[person],
                        strict=True,
                    )
                ],
                dtype=pl.Date,
            ),
            "in_custody": [
                "N" if t else c
                for c, t in zip(_pick(rng, ["N", "U", None, "Y"], m, [6, 2, 1, 1]), tied[person], strict=True)
            ],
            "is_tied": tied[person],
        }
    ).with_columns(record_id=pl.col("force_code") + "|" + pl.col("person_ref"))


def _crimes(rng: Rng, nominals: pl.DataFrame) -> pl.DataFrame:
    """One crime or more of every person, each in the force of one of the person's nominals."""
    person_of = nominals["person"].to_numpy()
    n = int(person_of.max()) + 1
    tied = np.arange(n) < TIED_SHARE * n
    group = np.arange(n) % N_TIED_GROUPS
    many = np.where(rng.random(n) < 0.02, rng.integers(10, 25, n), 1 + rng.poisson(2.2, n))
    n_crimes = np.where(tied, 2 + group % 3, many)
    person = np.repeat(np.arange(n), n_crimes)
    number = np.arange(len(person)) - np.repeat(np.cumsum(n_crimes) - n_crimes, n_crimes)
    m, is_tied, group = len(person), tied[person], group[person]
    first = np.searchsorted(person_of, person)
    n_nominals = np.bincount(person_of)[person]
    record_no = first + rng.integers(0, n_nominals)
    age = np.where(rng.random(m) < 0.6, rng.integers(0, 800 * DAY, m), rng.integers(0, 2700 * DAY, m))
    edge = np.asarray(EDGES, dtype="datetime64[s]")[rng.integers(0, len(EDGES), m)] + rng.integers(-1, 2, m)
    reported = np.where(rng.random(m) < 0.1, edge, NOW - age)
    reported = np.where(is_tied, NOW - (5 + 20 * number + group) * DAY, reported)
    historic = (rng.random(m) < 0.1) & ~is_tied
    committed = reported - np.where(historic, rng.integers(0, 2000, m), 0) * DAY - 3600

    def unless_tied(values: list[Any], of_tied: Any) -> list[Any]:
        return [t if x else v for v, t, x in zip(values, of_tied, is_tied, strict=True)]

    return pl.DataFrame(
        {
            "person": person,
            "number": number,
            "record_no": record_no,
            "is_tied": is_tied,
            "force_code": nominals["force_code"].gather(record_no),
            "crime_ref": [f"C{p}-{k}" for p, k in zip(person, number, strict=True)],
            "period": _pick(rng, [MAY, JUNE], m, [3, 1]),
            "sequence": 1,
            "offence_code": unless_tied(
                _pick(rng, CODES, m), np.asarray(CODES[:8])[(group + number) % 8].tolist()
            ),
            "committed_from": committed.astype("datetime64[us]"),
            "reported_at": reported.astype("datetime64[us]"),
            "recorded_at": reported.astype("datetime64[us]"),
            "outcome_code": pl.Series(
                unless_tied(_pick(rng, OUTCOMES, m, [30, 10, *[6] * 8, 2, 2, 1, 0.6, 2, 2, 2]), ["0"] * m),
                dtype=pl.String,
            ),
            "status": unless_tied(
                _pick(rng, ["live", "cancelled", "transferred"], m, [8, 1, 1]), ["live"] * m
            ),
        }
    )


def _suspects(rng: Rng, crimes: pl.DataFrame, nominals: pl.DataFrame) -> pl.DataFrame:
    """The person, and now and then somebody else of the same force, or another nominal of the same person there."""
    own = crimes.select(
        *KEY,
        "period",
        "sequence",
        "person",
        "is_tied",
        person_ref=nominals["person_ref"].gather(crimes["record_no"]),
    )
    free = own.filter(~pl.col("is_tied"))
    others = nominals.filter(~pl.col("is_tied")).select("force_code", "person", "person_ref")
    some = free.filter(pl.Series(rng.random(free.height) < 0.12))
    chosen = []
    for force, part in some.partition_by("force_code", as_dict=True, maintain_order=True).items():
        there = others.filter(pl.col("force_code") == force[0])["person_ref"]
        chosen.append(part.with_columns(person_ref=there.gather(rng.integers(0, there.len(), part.height))))
    doubles = (
        free.filter(pl.Series(rng.random(free.height) < 0.5))
        .join(others, on=["force_code", "person"], suffix="_other", maintain_order="left_right")
        .filter(pl.col("person_ref") != pl.col("person_ref_other"))
        .with_columns(person_ref=pl.col("person_ref_other"))
    )
    columns = [*KEY, "period", "sequence", "person_ref", "is_tied"]
    rows = (
        pl.concat([part.select(columns) for part in (own, *chosen, doubles)])
        .unique([*KEY, "person_ref"], keep="first", maintain_order=True)
        .with_columns(suspect_no=pl.int_range(1, pl.len() + 1).over(KEY))
    )
    m, tied = rows.height, rows["is_tied"]
    return rows.with_columns(
        status=pl.when(tied)
        .then(pl.lit("named"))
        .otherwise(pl.Series(_pick(rng, STATUSES, m, [4, 3, 3, 3, 1, 3, 2, 1, 1, 0.5]))),
        age=pl.when(tied)
        .then(pl.lit(30))
        .otherwise(
            pl.Series(
                _pick(rng, [None, 30, 45, 18, 17, 12, 9], m, [5, 6, 6, 2, 0.7, 0.3, 0.2]), dtype=pl.Int64
            )
        ),
        # Now and then nobody is named, and the row has no nominal.
        person_ref=pl.when(~tied & pl.Series(rng.random(m) < 0.02)).then(None).otherwise("person_ref"),
    ).drop("is_tied")


def _victims(rng: Rng, crimes: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """One to three victims a crime; four women around every suspect, each a person in whatever force she is known."""
    n = np.where(crimes["is_tied"].to_numpy(), 1, rng.choice([1, 2, 3], crimes.height, p=[0.8, 0.15, 0.05]))
    at = np.repeat(np.arange(crimes.height), n)
    rows = crimes.select(*KEY, "period", "sequence", "person", "is_tied")[at]
    m, tied = rows.height, rows["is_tied"]
    who = pl.Series(rng.integers(0, 4, m))
    rows = rows.with_columns(
        victim_no=pl.int_range(1, pl.len() + 1).over(KEY),
        victim_type=pl.lit("person"),
        person_ref=pl.when(tied | pl.Series(rng.random(m) < 0.3))
        .then(None)
        .otherwise(pl.format("V{}-{}", "person", who)),
        sex=pl.when(tied).then(pl.lit("F")).otherwise(pl.Series(_pick(rng, ["F", "M", "U"], m, [9, 1, 0.3]))),
        age=pl.when(tied)
        .then(pl.lit(30))
        .otherwise(pl.Series(_pick(rng, [30, None, 10, 9, 15], m, [8, 1, 1, 1, 1]), dtype=pl.Int64)),
    )
    known = (
        rows.drop_nulls("person_ref")
        .select("force_code", "person_ref")
        .unique(maintain_order=True)
        .with_columns(
            record_id=pl.col("force_code") + "|" + pl.col("person_ref"), person_id="P" + pl.col("person_ref")
        )
    )
    return rows.drop("person", "is_tied"), known


def _person_rows(rng: Rng, nominals: pl.DataFrame, victims: pl.DataFrame) -> pl.DataFrame:
    """Nominals as forces sent them; most in May, and some again in June, when death or custody may be told."""
    names = {"forenames": pl.lit("ANN"), "surname": pl.col("person_ref")}
    facts = ["force_code", "person_ref", "date_of_birth", "deceased_on", "in_custody"]
    first = nominals.select(*facts, sex=pl.lit("M"), **names)
    again = first.filter(pl.Series(rng.random(first.height) < 0.1))
    earlier = again.with_columns(deceased_on=pl.lit(None, pl.Date), in_custody=pl.lit("N"))
    once = first.join(again.select(facts[:2]), on=facts[:2], how="anti", maintain_order="left")
    women = victims.select(
        "force_code",
        "person_ref",
        date_of_birth=pl.lit(None, pl.Date),
        deceased_on=pl.lit(None, pl.Date),
        in_custody=pl.lit(None, pl.String),
        sex=pl.lit("F"),
        **names,
    )
    return pl.concat(
        [
            part.with_columns(period=pl.lit(month), sequence=pl.lit(1, pl.Int32))
            for part, month in ((once, MAY), (women, MAY), (earlier, MAY), (again, JUNE))
        ]
    )


def _decisions(
    rng: Rng, nominals: pl.DataFrame, suspects: pl.DataFrame
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What people decided of one person in fifteen. A removal names all that stood against the person, or all but one."""
    people = nominals.filter(~pl.col("is_tied"))["person_id"].unique(maintain_order=True)
    chosen = people.filter(pl.Series(rng.random(people.len()) < 0.07))
    states = ["removed", "removed", "frozen", "deferred", "confirmed", "proposed"]
    entries = pl.DataFrame(
        {
            "person_id": chosen,
            "entry_id": [f"R{i:06d}" for i in range(chosen.len())],
            "kind": _pick(rng, states, chosen.len()),
            "spares_one": rng.random(chosen.len()) < 0.5,
        }
    )
    decided = (
        nominals.join(entries, on="person_id", maintain_order="left")
        .select(
            "entry_id",
            "person_id",
            "record_id",
            origin=pl.when(pl.col("kind") == "proposed")
            .then(pl.lit("added_by_officer"))
            .otherwise(pl.lit("listed")),
            state=pl.when(pl.col("kind") == "frozen").then(pl.lit("active")).otherwise("kind"),
            is_frozen=pl.col("kind") == "frozen",
            reason_code=pl.lit("not_suspect"),
            decided_at=pl.lit(datetime(2026, 6, 20, 9)),
            valid_until=pl.lit(datetime(2026, 9, 20, 9)),
        )
        .sort("entry_id", "record_id")
    )
    removals = (
        suspects.with_columns(record_id=pl.col("force_code") + "|" + pl.col("person_ref"))
        .join(nominals.select("record_id", "person_id"), on="record_id")
        .join(entries.filter(pl.col("kind") == "removed"), on="person_id")
        .select("entry_id", "spares_one", offence_id=pl.col("force_code") + "|" + pl.col("crime_ref"))
        .unique()
        .sort("entry_id", "offence_id")
        .filter(~pl.col("spares_one") | (pl.int_range(pl.len()).over("entry_id") > 0))
        .select("entry_id", "offence_id")
    )
    return decided.to_dicts(), removals.to_dicts()


def _no_deletions() -> pl.DataFrame:
    return pl.DataFrame(
        schema={
            "force_code": pl.String(),
            "period": pl.Date(),
            "sequence": pl.Int32(),
            "extract": pl.String(),
            "record_ref": pl.String(),
            "reason": pl.String(),
            "deleted_on": pl.Date(),
        }
    )


def deleted(frame: pl.DataFrame, extract: str, key: str, sequence: int = 1) -> pl.DataFrame:
    """Rows that take back the records of `frame` with a submission of June."""
    return frame.select(
        "force_code",
        period=pl.lit(JUNE),
        sequence=pl.lit(sequence, pl.Int32),
        extract=pl.lit(extract),
        record_ref=pl.col(key),
        reason=pl.lit("recorded_in_error"),
        deleted_on=pl.lit(date(2026, 6, 25)),
    )


def sent_again(drawn: Nation, crimes: pl.DataFrame, sequence: int, **changed: pl.Expr) -> Nation:
    """The nation with `crimes` (rows of versions that stand) sent again in June, whole; `changed`: columns of the crime."""
    at = {"period": pl.lit(JUNE), "sequence": pl.lit(sequence, drawn.crimes["sequence"].dtype)}
    was = crimes.select(*KEY, "period", "sequence")

    def children(frame: pl.DataFrame) -> pl.DataFrame:
        return pl.concat(
            [frame, frame.join(was, on=[*KEY, "period", "sequence"], how="semi").with_columns(**at)]
        )

    return Nation(
        pl.concat([drawn.crimes, crimes.select(drawn.crimes.columns).with_columns(**at, **changed)]),
        children(drawn.victims),
        children(drawn.suspects),
        drawn.persons,
        drawn.deletions,
        drawn.links,
        drawn.decisions,
        drawn.removals,
    )


def _with_later_states(rng: Rng, drawn: Nation, tied_crimes: pl.DataFrame, tied: pl.DataFrame) -> Nation:
    """Of May's crimes some are cancelled, reopened or taken back in June; of its nominals some are taken back."""
    in_may = drawn.crimes.filter(pl.col("period") == MAY).join(
        tied_crimes, on=KEY, how="anti", maintain_order="left"
    )
    fate = pl.Series(rng.random(in_may.height))
    changed = sent_again(
        drawn,
        in_may.filter(fate < 0.08),
        1,
        status=pl.when(pl.col("status") == "live").then(pl.lit("cancelled")).otherwise(pl.lit("live")),
    )
    gone = in_may.filter((fate >= 0.08) & (fate < 0.11))
    nominals = drawn.persons.filter(
        (pl.col("period") == MAY) & pl.col("person_ref").str.starts_with("S")
    ).join(tied, on=["force_code", "person_ref"], how="anti", maintain_order="left")
    lost = nominals.filter(pl.Series(rng.random(nominals.height) < 0.01))
    return Nation(
        changed.crimes,
        changed.victims,
        changed.suspects,
        changed.persons,
        pl.concat([deleted(gone, "offences", "crime_ref"), deleted(lost, "persons", "person_ref")]),
        changed.links,
        changed.decisions,
        changed.removals,
    )
