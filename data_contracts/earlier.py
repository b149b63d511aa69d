"""What a force sent before, as rules that compare with it need it: the newest accepted version of each record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from data_contracts.extracts.catalogue import EXTRACTS
from data_contracts.rules.history import SAME_FACTS
from data_contracts.rules.rule import History, Tables
from data_contracts.rules.statistics import no_measures

_VERSION = "version"
_NAMED = ["surname", "forenames", "date_of_birth"]


@dataclass(frozen=True)
class Earlier:
    """One earlier submission of the force: its month and number, and its accepted rows by extract."""

    period: date
    sequence: int
    tables: Tables


@dataclass(frozen=True)
class Before:
    """What is known when a submission comes: the force's earlier submissions, and measures.

    `past`: measures of the force's earlier months; `peers`: those of other forces (`statistics.MEASURES_SCHEMA`).
    """

    earlier: tuple[Earlier, ...]
    past: pl.DataFrame = field(default_factory=no_measures)
    peers: pl.DataFrame = field(default_factory=no_measures)

    def history(self, typed: Tables) -> History | None:
        """What rules need of it for the records in `typed`; None for a force's first submission."""
        return history_of(self.earlier, typed, past=self.past, peers=self.peers) if self.earlier else None


def no_history() -> History:
    return History({}, no_measures(), no_measures())


def history_of(
    earlier: Iterable[Earlier], typed: Tables, *, past: pl.DataFrame, peers: pl.DataFrame
) -> History:
    """What `earlier` says of the records in `typed`, and no more of it."""
    ordered = sorted(earlier, key=lambda e: (e.period, e.sequence))
    tables: dict[str, pl.DataFrame] = {}
    for root in dict.fromkeys(s.root for s in EXTRACTS.values()):
        tables |= _newest(root, ordered, typed)
    tables["known_records"] = _known_records(ordered, typed)
    tables["persons_with_pnc_id"] = _matching(ordered, "persons", typed["persons"], ["pnc_id"], "person_ref")
    tables["persons_of_same_name"] = _matching(ordered, "persons", typed["persons"], _NAMED, "person_ref")
    breached = typed["protective_orders"].select(pl.col("breach_crime_ref").alias("crime_ref"))
    tables["breaches"] = _matching(ordered, "offences", breached, ["crime_ref"], "crime_ref")
    tables["crimes_of_same_facts"] = same = _not_deleted(
        ordered, _matching(ordered, "offences", typed["offences"], SAME_FACTS, "crime_ref")
    )
    tables["victims_of_same_facts"] = _matching(ordered, "victims", same.lazy(), ["crime_ref"], "crime_ref")
    tables["began"] = pl.DataFrame({"began_on": [min(e.period for e in ordered)]})
    return History({name: rows.lazy() for name, rows in tables.items()}, past, peers)


def _sent(ordered: Sequence[Earlier], extract: str) -> pl.LazyFrame:
    """Every accepted row of an extract with the place of its submission in time."""
    parts = [
        _of_contract(e.tables[extract], extract).with_columns(pl.lit(number).alias(_VERSION))
        for number, e in enumerate(ordered)
    ]
    empty = pl.LazyFrame(schema={**EXTRACTS[extract].schema, _VERSION: pl.Int32()})
    return pl.concat([empty, *parts])


def _of_contract(rows: pl.LazyFrame, extract: str) -> pl.LazyFrame:
    """The contract's columns; blank where the rows are of an older version that had not all of them."""
    schema, there = EXTRACTS[extract].schema, rows.collect_schema().names()
    absent = [pl.lit(None, dtype=t).alias(n) for n, t in schema.items() if n not in there]
    return rows.with_columns(absent).select(*schema)


def _newest(root: str, ordered: Sequence[Earlier], typed: Tables) -> dict[str, pl.DataFrame]:
    """Newest versions of the records of one root that come again, with all that travelled with them."""
    family = {n: s for n, s in EXTRACTS.items() if s.root == root}
    keys = typed[root].select(pl.col(family[root].root_key)).drop_nulls().unique().collect()
    key = family[root].root_key
    versions = (
        _sent(ordered, root)
        .join(keys.lazy(), on=key, how="semi")
        .group_by(key)
        .agg(pl.col(_VERSION).max())
        .collect()
    )
    return {
        name: _sent(ordered, name)
        .join(versions.lazy(), on=[key, _VERSION], how="semi")
        .drop(_VERSION)
        .collect()
        for name in family
    }


def _not_deleted(ordered: Sequence[Earlier], crimes: pl.DataFrame) -> pl.DataFrame:
    """Those of the crimes that no earlier submission took back."""
    gone = _sent(ordered, "deletions").filter(pl.col("extract") == "offences").select("record_ref")
    return crimes.lazy().join(gone, left_on="crime_ref", right_on="record_ref", how="anti").collect()


def _known_records(ordered: Sequence[Earlier], typed: Tables) -> pl.DataFrame:
    """Of the records that are deleted now, those that were accepted before: extract, record_ref."""
    deleted = typed["deletions"].select("extract", "record_ref").drop_nulls().collect()
    known = [
        _sent(ordered, name)
        .select(pl.lit(name).alias("extract"), pl.col(spec.root_key).alias("record_ref"))
        .join(deleted.lazy(), on=["extract", "record_ref"], how="semi")
        .unique()
        for name, spec in EXTRACTS.items()
        if spec.root == name and name in deleted["extract"].to_list()
    ]
    return pl.concat([deleted.clear().lazy(), *known]).collect()


def _matching(
    ordered: Sequence[Earlier], extract: str, wanted: pl.LazyFrame, on: list[str], key: str
) -> pl.DataFrame:
    """The newest version of records that have the same values in `on` as one of `wanted`."""
    values = wanted.select(on).drop_nulls().unique().collect()
    found = _sent(ordered, extract).join(values.lazy(), on=on, how="semi")
    newest = pl.col(_VERSION) == pl.col(_VERSION).max().over(key)
    return found.filter(newest).drop(_VERSION).collect()
