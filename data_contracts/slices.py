"""Check a submission of any size in bounded memory: the rules of `validation`, a slice of the rows at a time.

Cells and single rows are checked as they come. Their typed rows go to disk, parted by the reference of the record they
travel with, so that a crime and all its children are in one part; rules on several rows are then asked part by part.
Only rules that compare records with other records see all of them, and of those only the columns they name.

Memory is bounded by the size of a slice and of a part, but for 8 bytes a finding of error severity and, in the rules
that compare records, some tens of bytes a record that has what they compare (docs/decisions: a submission is judged beside those before).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import polars as pl

from data_contracts.answers import sent_records
from data_contracts.earlier import Before
from data_contracts.extracts.base import ExtractSpec
from data_contracts.extracts.catalogue import EXTRACTS
from data_contracts.findings import ORDER, examples_of, no_findings, summarised
from data_contracts.rules import catalogue
from data_contracts.rules.rule import Context, Rule, Tables
from data_contracts.rules.statistics import measures, no_measures
from data_contracts.submission import Opened
from data_contracts.validation import (
    COUNTS_SCHEMA,
    ROW,
    context_of,
    duplicate_findings,
    field_findings,
    numbered,
    parse,
    record_findings,
    rows_found,
    rows_of,
    stamp,
    statistics_findings,
    submission_findings,
)

Tell = Callable[[str, int, int], None]
PART_ROWS = 200_000


@dataclass(frozen=True)
class Judged:
    """What became of a submission that was checked in slices.

    `status` and `counts` as of `Checked`. `by_rule`: one row per severity, rule, extract and field, with `n_findings`.
    `examples`: the first findings of each of those. `findings`: files that hold all of them.
    `sent`: the records it speaks of (`answers.sent_records`), where it was checked beside earlier ones.
    """

    opened: Opened
    status: str
    counts: pl.DataFrame
    by_rule: pl.DataFrame
    examples: pl.DataFrame
    findings: tuple[Path, ...]
    measures: pl.DataFrame
    sent: pl.DataFrame

    def all_findings(self) -> Iterator[pl.DataFrame]:
        """Every finding, in the order of `findings.ORDER`, some at a time."""
        scan = _scan(self.findings, no_findings())
        groups = self.by_rule.select("severity", "extract", "rule").unique().sort(ORDER[:3], nulls_last=True)
        for severity, extract, rule in groups.iter_rows():
            of_rule = scan.filter(
                (pl.col("severity") == severity)
                & pl.col("extract").eq_missing(pl.lit(extract, dtype=pl.String))
                & (pl.col("rule") == rule)
            )
            yield from _in_runs(of_rule)


def _in_runs(findings: pl.LazyFrame) -> Iterator[pl.DataFrame]:
    """These findings by row number, as many at a time as a part has rows."""
    last = findings.select(pl.col(ROW).max()).collect().item()
    for start in range(0, (last or 0) + 1, PART_ROWS):
        run = findings.filter(pl.col(ROW).fill_null(0).is_between(start, start + PART_ROWS, closed="left"))
        yield run.collect().sort(ORDER, nulls_last=True)


def check_in_slices(
    opened: Opened,
    folder: Path,
    *,
    received_on: date,
    last_sequence: int | None = None,
    before: Before | None = None,
    part_rows: int = PART_ROWS,
    tell: Tell = lambda step, done, total: None,
) -> Judged:
    """Check a submission that was opened in `Slices`; says what `validation.check` says of it.

    `folder`: where what does not stay in memory goes, empty; the findings lie there too. `tell`: is told of each step,
    and how many rows of how many.
    """
    rules = catalogue.rules()
    found = _Found(opened, folder / "findings")
    found.add(submission_findings(opened, received_on, last_sequence, rules))
    manifest = opened.manifest
    received = {n: opened.files[n].n_rows if n in opened.files else 0 for n in EXTRACTS}
    if manifest is None or found.has_error:
        return found.judged("held", received, received)
    typed = _Typed(folder / "typed", max(1, -(-max(received.values()) // part_rows)))
    context = replace(context_of(manifest, received_on), sends_flags=received["flags"] > 0)
    for spec in EXTRACTS.values():
        _check_rows(opened, spec, context, rules, found, typed, tell)
    _check_together(typed, context, rules, found, tell)
    figures = _check_beside(typed, before, context, rules, found, manifest.sequence)
    if found.holds:
        return found.judged("held", received, received)
    quarantined = _quarantined(typed, found.error_rows)
    status = "nil" if manifest.nil_return else "accepted_in_part" if any(quarantined.values()) else "accepted"
    return found.judged(status, received, quarantined, figures, typed if before else None)


def _check_beside(
    typed: _Typed,
    before: Before | None,
    context: Context,
    rules: Mapping[str, Rule],
    found: _Found,
    sequence: int,
) -> pl.DataFrame:
    """What is wrong beside earlier submissions and with the figures as a whole. Returns the measures."""
    whole = typed.whole()
    history = before.history(whole) if before else None
    for rule in (r for r in rules.values() if history and r.shape == "history"):
        found.add(_of_rule(rule, rule.check(whole, history.tables if history else {}, context), whole))
    figures = measures(whole, history, context, sequence)
    judged = statistics_findings(figures, history, context, rules)
    found.add(judged)
    found.holds = any(f["severity"][0] == "error" for f in judged)
    return figures


@dataclass
class _Found:
    """Findings on their way to disk, and what is kept of them in memory."""

    opened: Opened
    folder: Path
    parts: list[Path] = field(default_factory=list)
    summaries: list[pl.DataFrame] = field(default_factory=list)
    error_rows: dict[str, list[pl.Series]] = field(default_factory=dict)
    has_error: bool = False
    holds: bool = False

    def add(self, partial: list[pl.DataFrame]) -> None:
        for one in partial:
            findings = stamp([one], self.opened)
            self.folder.mkdir(parents=True, exist_ok=True)
            self.parts.append(self.folder / f"{len(self.parts):06}.parquet")
            findings.write_parquet(self.parts[-1], compression="zstd")
            self.summaries.append(summarised(findings))
            errors = findings.filter(pl.col("severity") == "error")
            self.has_error |= errors.height > 0
            for (extract,), rows in errors.drop_nulls(["extract", ROW]).group_by("extract"):
                self.error_rows.setdefault(str(extract), []).append(rows[ROW])

    def judged(
        self,
        status: str,
        received: Mapping[str, int],
        quarantined: Mapping[str, int],
        figures: pl.DataFrame | None = None,
        typed: _Typed | None = None,
    ) -> Judged:
        by_rule = summarised(no_findings(), self.summaries)
        counts = [(n, received[n], received[n] - quarantined[n], quarantined[n]) for n in EXTRACTS]
        return Judged(
            self.opened,
            status,
            pl.DataFrame(counts, schema=COUNTS_SCHEMA, orient="row"),
            by_rule.drop("examples"),
            examples_of(by_rule),
            tuple(self.parts),
            no_measures() if figures is None else figures,
            sent_records(typed.whole() if typed else {}),
        )


class _Typed:
    """Typed rows on disk, parted by the record they travel with."""

    def __init__(self, folder: Path, n_parts: int) -> None:
        self.folder, self.n_parts = folder, n_parts
        self._files: dict[tuple[str, int], list[Path]] = {}

    def add(self, rows: pl.DataFrame, spec: ExtractSpec) -> None:
        place = (pl.col(spec.root_key).hash(seed=0) % self.n_parts).fill_null(0).alias("part")
        for (number,), part in rows.with_columns(place).group_by("part", maintain_order=True):
            files = self._files.setdefault((spec.name, int(number)), [])  # type: ignore[call-overload]
            path = self.folder / spec.name / f"{number}_{len(files):06}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            part.drop("part").write_parquet(path, compression="lz4")
            files.append(path)

    def part(self, extract: str, number: int) -> pl.LazyFrame:
        return _scan(self._files.get((extract, number), ()), _no_rows(extract))

    def whole(self) -> Tables:
        return {
            name: _scan(
                [f for (n, _), files in self._files.items() if n == name for f in files], _no_rows(name)
            )
            for name in EXTRACTS
        }

    def crimes(self, number: int) -> Tables:
        """One part of the crimes with their children, and every record of another kind."""
        whole = self.whole()
        return {
            name: self.part(name, number) if spec.root == "offences" else whole[name]
            for name, spec in EXTRACTS.items()
        }


def _no_rows(extract: str) -> pl.DataFrame:
    return pl.DataFrame(schema={ROW: pl.Int64(), **EXTRACTS[extract].schema})


def _scan(files: Iterable[Path], empty: pl.DataFrame) -> pl.LazyFrame:
    paths = list(files)
    return pl.scan_parquet(paths) if paths else empty.lazy()


def _check_rows(
    opened: Opened,
    spec: ExtractSpec,
    context: Context,
    rules: Mapping[str, Rule],
    found: _Found,
    typed: _Typed,
    tell: Tell,
) -> None:
    """What is wrong with cells and single rows of one extract; leaves the typed rows on disk."""
    received = opened.files.get(spec.name)
    done = 0
    for path in received.parts if received else ():
        raw = numbered(pl.read_parquet(path), spec, done)
        rows = parse(raw, spec)
        found.add(field_findings(raw, rows, spec, rules) + record_findings(rows, spec, context, rules))
        typed.add(rows, spec)
        done += raw.height
        path.unlink()
        tell(f"rows of {spec.name}", done, received.n_rows if received else 0)


def _check_together(
    typed: _Typed, context: Context, rules: Mapping[str, Rule], found: _Found, tell: Tell
) -> None:
    """What is wrong with rows together: part by part, then what compares records."""
    cross = [r for r in rules.values() if r.shape == "cross"]
    by_part = [r for r in cross if EXTRACTS[str(r.extract)].root == "offences" and not r.across_crimes]
    for number in range(typed.n_parts):
        for name, spec in EXTRACTS.items():
            keys = typed.part(name, number).select(ROW, *spec.key).collect()
            found.add(duplicate_findings(keys, spec, rules))
        tables = typed.crimes(number)
        outcomes = pl.collect_all([r.check(tables, context).select(ROW).unique() for r in by_part])
        for rule, rows in zip(by_part, outcomes, strict=True):
            found.add(_of_rule(rule, rows.lazy(), tables))
        tell("records together, part", number + 1, typed.n_parts)
    whole = typed.whole()
    for rule in (r for r in cross if r not in by_part):
        found.add(_of_rule(rule, rule.check(whole, context), whole))


def _of_rule(rule: Rule, broken: pl.LazyFrame, tables: Tables) -> list[pl.DataFrame]:
    rows = broken.select(ROW).unique().collect(engine="streaming")
    if rows.height == 0:
        return []
    spec = EXTRACTS[str(rule.extract)]
    columns = dict.fromkeys((ROW, *spec.key, rule.fields[0]))
    named = rows_of(tables[spec.name].select(*columns), rows)
    return [
        rows_found(named[start : start + PART_ROWS], spec, rule, rule.fields[0])
        for start in range(0, named.height, PART_ROWS)
    ]


def _quarantined(typed: _Typed, errors: Mapping[str, list[pl.Series]]) -> dict[str, int]:
    """Rows of each extract that an error takes out: those of a record with one, and of no record."""
    bad = {name: pl.concat(rows).unique() for name, rows in errors.items()}
    counts = dict.fromkeys(EXTRACTS, 0)
    for number in range(typed.n_parts if bad else 0):
        for root in dict.fromkeys(s.root for s in EXTRACTS.values()):
            family = {n: s for n, s in EXTRACTS.items() if s.root == root}
            rows = pl.concat(
                typed.part(n, number).select(pl.lit(n).alias("extract"), ROW, pl.col(s.root_key).alias("key"))
                for n, s in family.items()
            ).collect()
            hit = (
                pl.concat(
                    rows.filter((pl.col("extract") == n) & pl.col(ROW).is_in(bad[n].implode()))
                    for n in family
                    if n in bad
                )
                if any(n in bad for n in family)
                else rows.clear()
            )
            out = rows.filter(
                pl.col("key").is_null() | pl.col("key").is_in(hit["key"].drop_nulls().unique().implode())
            )
            for name, n_rows in out.group_by("extract").len().iter_rows():
                counts[name] += n_rows
    return counts
