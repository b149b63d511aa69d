"""The answer to a submission: what is new, what persists, what was mended, and whether agreed error rates are kept.

A finding keeps its identity between months (`findings.with_keys`). It is open until its record is sent again without
it, or deleted: what is not sent again persists. A waiver takes nothing away: the finding stays, and says by whom it is
waived and until when.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Literal

import polars as pl

from data_contracts.extracts.catalogue import EXTRACTS
from data_contracts.findings import FINDINGS_SCHEMA, ORDER, for_spreadsheets
from data_contracts.rules.reference import in_force, waivers

State = Literal["new", "persisting", "resolved"]
LEDGER_SCHEMA: dict[str, pl.DataType] = {
    **FINDINGS_SCHEMA,
    "state": pl.String(),
    "first_seen": pl.Date(),
    "waiver_id": pl.String(),
    "waived_by": pl.String(),
    "waived_until": pl.Date(),
}
RETURN_COLUMNS = [
    "line",
    "force_code",
    "period",
    "sequence",
    "extract",
    "row_number",
    "record_ref",
    "field",
    "value",
    "rule",
    "severity",
    "message",
    "remedy",
    "state",
    "first_seen",
    "waived_by",
    "waived_until",
    "finding_key",
]


def no_ledger() -> pl.DataFrame:
    return pl.DataFrame(schema=LEDGER_SCHEMA)


def sent_records(*received: Mapping[str, pl.DataFrame | pl.LazyFrame]) -> pl.DataFrame:
    """The records that rows (accepted, quarantined ...) by extract speak of, deletions included: `root`, `ref`."""
    found = [pl.LazyFrame(schema={"root": pl.String(), "ref": pl.String()})]
    for tables in received:
        for name, rows in tables.items():
            spec = EXTRACTS[name]
            ref = pl.col(spec.root_key).cast(pl.String).alias("ref")
            found.append(rows.lazy().select(pl.lit(spec.root).alias("root"), ref))
            if name == "deletions":
                found.append(rows.lazy().select(pl.col("extract").alias("root"), ref))
    return pl.concat(found).drop_nulls().unique().collect()


def follow(
    before: pl.DataFrame, findings: pl.DataFrame, sent: pl.DataFrame, *, period: date, held: bool
) -> pl.DataFrame:
    """The force's findings after a submission, in `LEDGER_SCHEMA`: those of now, those still open, those resolved now.

    `before`: what this gave for the force's submission before. `sent`: as of `sent_records`. A held submission resolves
    nothing: it was not looked at in full. Findings that were resolved before are gone.
    """
    open_before = before.filter(pl.col("state") != "resolved").unique(
        "finding_key", keep="first", maintain_order=True
    )
    known = open_before.select("finding_key", pl.col("first_seen").alias("seen_before"))
    seen = findings.join(known, on="finding_key", how="left").with_columns(
        state=pl.when(pl.col("seen_before").is_null()).then(pl.lit("new")).otherwise(pl.lit("persisting")),
        first_seen=pl.coalesce("seen_before", pl.lit(period, dtype=pl.Date)),
    )
    left = open_before.join(findings, on="finding_key", how="anti")
    roots = {n: s.root for n, s in EXTRACTS.items()}
    spoken_of = left.with_columns(
        root=pl.col("extract").replace_strict(roots, default=None, return_dtype=pl.String),
        ref=pl.col("record_ref").str.split("|").list.first(),
    ).join(sent.with_columns(is_sent=pl.lit(True)), on=["root", "ref"], how="left")
    mended = (pl.col("is_sent").fill_null(False) | pl.col("record_ref").is_null()) & (not held)
    left = spoken_of.with_columns(
        state=pl.when(mended).then(pl.lit("resolved")).otherwise(pl.lit("persisting")),
        # The row of another file says nothing now.
        row_number=pl.lit(None, dtype=pl.Int64),
    )
    together = pl.concat([no_ledger(), seen, left], how="diagonal").select(*LEDGER_SCHEMA)
    return _waived(together, period).sort("state", *ORDER, "finding_key", nulls_last=True)


def _waived(ledger: pl.DataFrame, period: date) -> pl.DataFrame:
    """Put the waiver in force in that month beside each finding it is for."""
    of_month = waivers().filter((pl.col("valid_from") <= period) & (pl.col("valid_to") >= period))
    out = ledger.with_columns(pl.lit(None, dtype=LEDGER_SCHEMA[c]).alias(c) for c in _WAIVED)
    for waiver in of_month.iter_rows(named=True):
        it = (pl.col("rule") == waiver["rule"]) & (pl.col("force_code") == waiver["force_code"])
        if waiver["field"]:
            it &= pl.col("field").eq_missing(pl.lit(waiver["field"]))
        said = (waiver["waiver_id"], waiver["owner"], waiver["valid_to"])
        out = out.with_columns(
            pl.when(it).then(pl.lit(v, dtype=LEDGER_SCHEMA[c])).otherwise(pl.col(c)).alias(c)
            for c, v in zip(_WAIVED, said, strict=True)
        )
    return out


_WAIVED = ("waiver_id", "waived_by", "waived_until")


def return_lines(ledger: pl.DataFrame, receipt: str) -> pl.DataFrame:
    """The return file: one line a finding, and the receipt as the last one, also where there is no finding."""
    lines = for_spreadsheets(ledger).with_columns(pl.lit("finding").alias("line")).select(RETURN_COLUMNS)
    last = pl.DataFrame({"line": ["receipt"], "message": [receipt]})
    return pl.concat([lines, last], how="diagonal")


@dataclass(frozen=True)
class Crimes:
    """What one submission for a `month` brought: crimes received, and those with an error of their own or of what travels with
    them. Of one that was held nobody knows: it has no rate.
    """

    n_received: int
    n_with_error: int
    month: date
    is_held: bool = False

    @property
    def error_rate(self) -> float | None:
        if self.is_held:
            return None
        return self.n_with_error / self.n_received if self.n_received else 0.0

    def keeps(self, limit: float) -> bool:
        return self.error_rate is not None and self.error_rate <= limit

    @property
    def sentence(self) -> str:
        if self.error_rate is None:
            return "The submission is held: no rate of error is given, and it counts in none."
        return f"{self.n_with_error:,} of {self.n_received:,} crimes have an error ({self.error_rate:.1%})"


@dataclass(frozen=True)
class Acceptance:
    """Whether the agreed error rates are kept. `phase`: onboarding or monthly; rates and limits are shares of crimes.

    `error_rate` and `is_kept` are None of a held submission. `year_error_rate` is that of the last version accepted of each of
    the last twelve months sent, None while there are fewer.
    """

    phase: str
    n_crimes: int
    n_crimes_with_error: int | None
    error_rate: float | None
    limit: float
    is_kept: bool | None
    n_files_kept: int
    year_error_rate: float | None
    year_limit: float
    year_is_kept: bool | None
    said_of_the_crimes: str

    def as_json(self) -> dict[str, Any]:
        found = asdict(self)
        found.pop("said_of_the_crimes")
        return found

    @property
    def sentences(self) -> list[str]:
        rate = self.said_of_the_crimes
        if self.is_kept is not None:
            rate += (
                f"; the agreed rate while {self.phase} is at most {self.limit:.0%}: {_kept(self.is_kept)}."
            )
        if self.year_error_rate is None:
            return [rate]
        year = f"Over the last twelve months sent it is {self.year_error_rate:.1%}; agreed is less than"
        return [rate, f"{year} {self.year_limit:.0%}: {_kept(bool(self.year_is_kept))}."]


def _kept(is_kept: bool) -> str:
    return "kept" if is_kept else "not kept"


def acceptance(submissions: Iterable[Crimes]) -> Acceptance:
    """Where a force stands after these submissions, in the order they were received; the last is the one answered.

    Onboarding ends with so many files in a row that keep its limit; one that was held keeps none. Raises ValueError without a
    submission.
    """
    limits = in_force("acceptance_limits", "phase")
    files = list(submissions)
    if not files:
        raise ValueError("acceptance is of a submission")
    onboarding, in_a_row, onboarded = float(limits["onboarding"]["limit_share"]), 0, False
    for file in files[:-1]:
        in_a_row = in_a_row + 1 if file.keeps(onboarding) else 0
        onboarded |= in_a_row >= int(limits["onboarding"]["n_files"])
    phase = "monthly" if onboarded else "onboarding"
    last, limit = files[-1], float(limits[phase]["limit_share"])
    year_rate, year_limit = (
        _year_error_rate(files, int(limits["yearly"]["n_files"])),
        float(limits["yearly"]["limit_share"]),
    )
    return Acceptance(
        phase=phase,
        n_crimes=last.n_received,
        n_crimes_with_error=None if last.is_held else last.n_with_error,
        error_rate=last.error_rate,
        limit=limit,
        is_kept=None if last.is_held else last.keeps(limit),
        n_files_kept=in_a_row + 1 if last.keeps(onboarding) else 0,
        year_error_rate=year_rate,
        year_limit=year_limit,
        year_is_kept=None if year_rate is None else year_rate < year_limit,
        said_of_the_crimes=last.sentence,
    )


def _year_error_rate(files: Iterable[Crimes], n_months: int) -> float | None:
    """What was sent again and accepted stands for its month; what was held stands for none."""
    accepted = {file.month: file for file in files if not file.is_held}
    year = [accepted[month] for month in sorted(accepted)[-n_months:]]
    n_crimes = sum(file.n_received for file in year)
    return sum(file.n_with_error for file in year) / n_crimes if len(year) == n_months and n_crimes else None


def without_past(crimes: Crimes) -> str:
    """How one submission alone stands to the rates: which of them is agreed depends on those before it."""
    if crimes.is_held:
        return crimes.sentence
    limits = in_force("acceptance_limits", "phase")
    told = [
        f"at most {float(limits[phase]['limit_share']):.0%} {said}: {_kept(crimes.keeps(float(limits[phase]['limit_share'])))}"
        for phase, said in (("onboarding", "while onboarding"), ("monthly", "after it"))
    ]
    return f"{crimes.sentence}; agreed is {', '.join(told)}. Name the submissions before with --previous to see which holds."


def state_sentence(ledger: pl.DataFrame) -> str:
    """How many findings are new, persist and were resolved, and how many of the open ones are waived."""
    counts = dict(ledger.group_by("state").len().iter_rows())
    n_waived = ledger.filter((pl.col("state") != "resolved") & pl.col("waiver_id").is_not_null()).height
    waived = f" {n_waived:,} of the open ones are waived." if n_waived else ""
    return (
        f"Since the submission before: {counts.get('new', 0):,} findings are new, {counts.get('persisting', 0):,} "
        f"persist, {counts.get('resolved', 0):,} were resolved.{waived}"
    )
