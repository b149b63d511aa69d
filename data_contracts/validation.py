"""Check an opened submission: parse, then check, then part the accepted from the quarantined.

Parse first: a cell that cannot be read becomes null and is one finding, so it hides nothing else on
its row. Then the extract models (Pandera), then the rules. An error takes out the record it is on
with everything that travels with it, and nothing else; a submission error holds the submission.
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import Any, Literal

import polars as pl
from pandera.api.polars.types import PolarsData

from data_contracts.earlier import Before, no_history
from data_contracts.extracts.base import ExtractSpec, FieldSpec, Sensitivity
from data_contracts.extracts.catalogue import EXTRACTS
from data_contracts.findings import with_keys
from data_contracts.rules import catalogue
from data_contracts.rules.rule import Context, History, Rule, Tables
from data_contracts.rules.statistics import measures, no_measures
from data_contracts.submission import Manifest, Opened

ROW = "row_number"
# The rows are in memory already; streaming costs each of a submission's hundred small queries half a millisecond.
ENGINE: Literal["in-memory"] = "in-memory"
WITHHELD = "(withheld)"
COUNTS_SCHEMA = {
    "extract": pl.String(),
    "n_received": pl.Int64(),
    "n_accepted": pl.Int64(),
    "n_quarantined": pl.Int64(),
}


@dataclass(frozen=True)
class Checked:
    """What became of a submission.

    `status`: accepted, accepted_in_part, held or nil. `accepted` holds typed rows, `quarantined` the
    rows as text; both carry `row_number` (1 = first data row). `counts`: one row per extract with
    n_received = n_accepted + n_quarantined. `measures`: the figures of a submission that is not held.
    """

    opened: Opened
    status: str
    findings: pl.DataFrame
    accepted: dict[str, pl.DataFrame]
    quarantined: dict[str, pl.DataFrame]
    counts: pl.DataFrame
    measures: pl.DataFrame = field(default_factory=no_measures)


def check(
    opened: Opened,
    *,
    received_on: date,
    last_sequence: int | None = None,
    before: Before | None = None,
) -> Checked:
    """Check one submission.

    `received_on`: the day it came. `last_sequence`: highest sequence already accepted for the same
    force and period, if any. `before`: what the force sent earlier; without it, rules that compare with it are not asked.
    """
    rules = catalogue.rules()
    held = submission_findings(opened, received_on, last_sequence, rules)
    manifest = opened.manifest
    if manifest is None or any(f["severity"][0] == "error" for f in held):
        return _held(opened, held)
    context = context_of(manifest, received_on)
    raw = {name: _raw(opened, spec) for name, spec in EXTRACTS.items()}
    typed = {name: parse(raw[name], EXTRACTS[name]) for name in EXTRACTS}
    partial = list(held)
    for name, spec in EXTRACTS.items():
        partial += field_findings(raw[name], typed[name], spec, rules)
        partial += duplicate_findings(typed[name], spec, rules)
        partial += record_findings(typed[name], spec, context, rules)
    partial += cross_findings(typed, context, rules)
    tables = {name: rows.lazy() for name, rows in typed.items()}
    history = before.history(tables) if before else None
    if history:
        partial += history_findings(tables, history, context, rules)
    figures = measures(tables, history, context, manifest.sequence)
    judged = statistics_findings(figures, history, context, rules)
    if any(f["severity"][0] == "error" for f in judged):
        return _held(opened, partial + judged)
    partial += judged
    findings = stamp(partial, opened)
    accepted, quarantined = _part(raw, typed, findings)
    counts = pl.DataFrame(
        [(n, raw[n].height, accepted[n].height, quarantined[n].height) for n in EXTRACTS],
        schema=COUNTS_SCHEMA,
        orient="row",
    )
    _assert_nothing_lost(counts)
    n_quarantined = counts["n_quarantined"].sum()
    status = "nil" if manifest.nil_return else "accepted_in_part" if n_quarantined else "accepted"
    return Checked(opened, status, findings, accepted, quarantined, counts, figures)


def parse(raw: pl.DataFrame, spec: ExtractSpec) -> pl.DataFrame:
    """Text to the contract's types; what cannot be read becomes null. Keeps `row_number`."""
    if raw.height == 0:
        return _no_rows(spec.name)[1]
    return raw.select(ROW, *_casts(spec.name))


@cache
def _casts(extract: str) -> tuple[pl.Expr, ...]:
    return tuple(_cast(f) for f in EXTRACTS[extract].fields)


def _cast(f: FieldSpec) -> pl.Expr:
    text = _text(f.name)
    if f.dtype is int:
        return (
            pl.when(text.str.contains(r"^-?\d{1,15}$")).then(text).cast(pl.Int64, strict=False).alias(f.name)
        )
    if f.dtype is bool:
        return pl.when(text == "Y").then(True).when(text == "N").then(False).otherwise(None).alias(f.name)
    if f.dtype is date:
        shaped = pl.when(text.str.contains(r"^\d{4}-\d{2}-\d{2}$")).then(text)
        return shaped.str.to_date("%Y-%m-%d", strict=False).alias(f.name)
    if f.dtype is datetime:
        shaped = pl.when(text.str.contains(r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?$")).then(text)
        full = pl.when(shaped.str.len_chars() == 16).then(shaped + ":00").otherwise(shaped)
        return full.str.to_datetime("%Y-%m-%dT%H:%M:%S", strict=False, time_unit="us").alias(f.name)
    return text.alias(f.name)


def _text(name: str) -> pl.Expr:
    """The cell without surrounding blanks; null where nothing is left."""
    stripped = pl.col(name).str.strip_chars()
    return pl.when(stripped != "").then(stripped)


def context_of(manifest: Manifest, received_on: date) -> Context:
    """What rules may know of a submission."""
    return Context(
        force_code=manifest.force_code,
        period=manifest.period,
        period_end=_month_end(manifest.period),
        extracted_at=manifest.extracted_at,
        received_on=received_on,
    )


def _raw(opened: Opened, spec: ExtractSpec) -> pl.DataFrame:
    received = opened.files.get(spec.name)
    if received is None or received.rows is None or received.rows.height == 0:
        return _no_rows(spec.name)[0]
    return numbered(received.rows, spec)


def numbered(received: pl.DataFrame, spec: ExtractSpec, n_before: int = 0) -> pl.DataFrame:
    """The received rows, numbered on from `n_before`, with the contract's columns only; optional ones that were left out
    are blank.
    """
    names = list(spec.schema)
    absent = [pl.lit(None, dtype=pl.String).alias(n) for n in names if n not in received.columns]
    number = pl.int_range(n_before + 1, n_before + pl.len() + 1, dtype=pl.Int64).alias(ROW)
    return received.with_columns(absent).select(number, *names)


@cache
def _no_rows(extract: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """An extract without rows, as text and typed: most of a small submission's extracts."""
    schema = EXTRACTS[extract].schema
    text = dict.fromkeys(schema, pl.String())
    return pl.DataFrame(schema={ROW: pl.Int64(), **text}), pl.DataFrame(schema={ROW: pl.Int64(), **schema})


def submission_findings(
    opened: Opened, received_on: date, last_sequence: int | None, rules: Mapping[str, Rule]
) -> list[pl.DataFrame]:
    """What the submission rules say of the submission as a whole."""
    return [
        _of_the_whole(rule, extract, None, detail)
        for rule in rules.values()
        if rule.shape == "submission"
        for extract, detail in rule.check(opened, received_on=received_on, last_sequence=last_sequence)
    ]


def statistics_findings(
    now: pl.DataFrame, history: History | None, context: Context, rules: Mapping[str, Rule]
) -> list[pl.DataFrame]:
    """What the statistics rules say of a submission's measures."""
    beside = history or no_history()
    return [
        _of_the_whole(rule, extract, field_name, detail)
        for rule in rules.values()
        if rule.shape == "statistics"
        for extract, field_name, detail in rule.check(now, beside, context)
    ]


def _of_the_whole(rule: Rule, extract: str | None, field_name: str | None, detail: str) -> pl.DataFrame:
    said = {
        "extract": extract,
        "field": field_name,
        "rule": rule.name,
        "severity": rule.severity,
        "message": f"{rule.message} ({detail})" if detail else rule.message,
        "remedy": rule.remedy,
    }
    return pl.DataFrame([said], schema=dict.fromkeys(said, pl.String()))


def _record_ref(spec: ExtractSpec) -> pl.Expr:
    """What a finding calls the record: its reference, with the row's number or code within it."""
    within = [k for k in spec.key if k != spec.root_key and k not in _NAMES]
    parts = [pl.col(c).cast(pl.String).fill_null("") for c in (spec.root_key, *within)]
    return pl.concat_str(parts, separator="|").alias("record_ref")


# A reference in a finding never carries a name or a birth date.
_NAMES = {"forenames", "surname", "date_of_birth"}


def rows_found(rows: pl.DataFrame, spec: ExtractSpec, rule: Rule, field_name: str) -> pl.DataFrame:
    """Findings of one rule on these rows of `raw` or `typed`."""
    open_value = (
        pl.col(field_name).cast(pl.String).str.slice(0, 60)
        if field_name in rows.columns and spec.field(field_name).sensitivity is Sensitivity.OPEN
        else pl.lit(WITHHELD if field_name in rows.columns else None, dtype=pl.String)
    )
    return rows.select(
        ROW,
        _record_ref(spec),
        pl.lit(spec.name).alias("extract"),
        pl.lit(field_name).alias("field"),
        pl.lit(rule.name).alias("rule"),
        pl.lit(rule.severity).alias("severity"),
        pl.lit(rule.message.format(field=field_name)).alias("message"),
        pl.lit(rule.remedy.format(field=field_name)).alias("remedy"),
        open_value.alias("value"),
    )


def field_findings(
    raw: pl.DataFrame, typed: pl.DataFrame, spec: ExtractSpec, rules: Mapping[str, Rule]
) -> list[pl.DataFrame]:
    """What the extract's model says of single cells."""
    if raw.height == 0:
        return []
    # Raw cells, trimmed, so that blank means blank.
    text = raw.select(ROW, *(_text(n).alias(n) for n in spec.schema))
    broken = pl.concat(
        [*_cell_verdicts(text, typed, spec), *model_verdicts(typed, spec)], how="horizontal"
    ).collect(engine=ENGINE)
    found = []
    for verdict, any_broken in zip(broken.columns, broken.select(pl.all().any()).row(0), strict=True):
        if any_broken:
            rule, field_name, *_ = verdict.split("|")
            found.append(rows_found(text.filter(broken[verdict]), spec, rules[rule], field_name))
    return found


def duplicate_findings(
    typed: pl.DataFrame, spec: ExtractSpec, rules: Mapping[str, Rule]
) -> list[pl.DataFrame]:
    """Rows whose key another row of `typed` has."""
    duplicated = typed.select(
        pl.struct(spec.key).is_duplicated() & pl.col(spec.root_key).is_not_null()
    ).to_series()
    if not duplicated.any():
        return []
    return [rows_found(typed.filter(duplicated), spec, rules["key_duplicated"], spec.key[-1])]


def _cell_verdicts(text: pl.DataFrame, typed: pl.DataFrame, spec: ExtractSpec) -> list[pl.LazyFrame]:
    """Cells that are blank and must not be, or that could not be read; columns named rule|field."""
    required = [f.name for f in spec.fields if f.required]
    present = text.lazy().select(pl.col(n).is_not_null().alias(f"{n}|text") for n in spec.schema)
    read = typed.lazy().select(pl.col(n).is_not_null() for n in spec.schema)
    return [
        pl.concat([present, read], how="horizontal").select(
            *(~pl.col(f"{n}|text").alias(f"value_missing|{n}") for n in required),
            *((pl.col(f"{n}|text") & ~pl.col(n)).alias(f"value_not_readable|{n}") for n in spec.schema),
        )
    ]


_CHECK_RULES = {
    "in_code_list": "code_not_in_list",
    "str_matches": "value_malformed",
    "in_range": "value_out_of_range",
    "greater_than_or_equal_to": "value_out_of_range",
    "less_than_or_equal_to": "value_out_of_range",
}


def model_verdicts(typed: pl.DataFrame, spec: ExtractSpec) -> list[pl.LazyFrame]:
    """The model's own Pandera checks: per check one column rule|field|number, true on a row that fails it.

    `schema.validate` gives failure cases only, which take minutes and gigabytes on a file where every
    row fails; the checks themselves give a verdict a row.
    """
    verdicts = []
    rows = typed.lazy()
    for name, column in _columns(spec.name).items():
        for number, model_check in enumerate(column.checks):
            backend = model_check.get_backend(rows)(model_check)
            passed = backend.apply(PolarsData(rows, name))
            rule = _CHECK_RULES[model_check.name]
            # A blank passes every check; whether it may be blank is judged on its own.
            verdicts.append(passed.select(~pl.first().fill_null(True).alias(f"{rule}|{name}|{number}")))
    return verdicts


@cache
def _columns(extract: str) -> dict[str, Any]:
    """The model's columns, their checks bound to polars: Pandera does that on a check's first call."""
    columns = dict(EXTRACTS[extract].model.to_schema().columns)
    nothing = pl.LazyFrame(schema=EXTRACTS[extract].schema)
    for name, column in columns.items():
        for model_check in column.checks:
            model_check(nothing, name)
    return columns


def record_findings(
    typed: pl.DataFrame, spec: ExtractSpec, context: Context, rules: Mapping[str, Rule]
) -> list[pl.DataFrame]:
    """What the record rules say of rows by themselves."""
    own = [r for r in rules.values() if r.shape == "record" and r.extract == spec.name]
    if typed.height == 0 or not own:
        return []
    verdicts = typed.select(r.check(context).fill_null(False).alias(r.name) for r in own)
    return [
        rows_found(typed.filter(verdicts[r.name]), spec, r, r.fields[0])
        for r in own
        if verdicts[r.name].any()
    ]


def cross_findings(
    typed: dict[str, pl.DataFrame], context: Context, rules: Mapping[str, Rule]
) -> list[pl.DataFrame]:
    """What the cross rules say of rows together."""
    tables = {name: rows.lazy() for name, rows in typed.items()}
    own = [r for r in rules.values() if r.shape == "cross" and typed[str(r.extract)].height]
    return _of_rows(own, [r.check(tables, context) for r in own], tables)


def history_findings(
    tables: Tables, history: History, context: Context, rules: Mapping[str, Rule]
) -> list[pl.DataFrame]:
    """What the history rules say of rows beside what the force sent before."""
    own = [r for r in rules.values() if r.shape == "history"]
    return _of_rows(own, [r.check(tables, history.tables, context) for r in own], tables)


def _of_rows(own: list[Rule], broken: list[pl.LazyFrame], tables: Tables) -> list[pl.DataFrame]:
    outcomes = pl.collect_all([b.select(ROW).unique() for b in broken], engine=ENGINE)
    found = []
    for rule, rows in zip(own, outcomes, strict=True):
        if rows.height:
            spec = EXTRACTS[str(rule.extract)]
            found.append(rows_found(rows_of(tables[spec.name], rows), spec, rule, rule.fields[0]))
    return found


def rows_of(table: pl.LazyFrame, numbers: pl.DataFrame) -> pl.DataFrame:
    """The rows with these row numbers, in their order."""
    return table.join(numbers.lazy(), on=ROW, how="semi", maintain_order="left").collect(engine=ENGINE)


def stamp(partial: list[pl.DataFrame], opened: Opened) -> pl.DataFrame:
    """Findings of this submission as one table, in order, each with its key."""
    manifest = opened.manifest
    return with_keys(
        f.with_columns(
            pl.lit(manifest.force_code if manifest else None, dtype=pl.String).alias("force_code"),
            pl.lit(manifest.period if manifest else None, dtype=pl.Date).alias("period"),
            pl.lit(manifest.sequence if manifest else None, dtype=pl.Int64).alias("sequence"),
            pl.lit(opened.submission_id).alias("submission_id"),
        )
        for f in partial
    )


def _part(
    raw: dict[str, pl.DataFrame], typed: dict[str, pl.DataFrame], findings: pl.DataFrame
) -> tuple[dict[str, pl.DataFrame], dict[str, pl.DataFrame]]:
    """Split rows by whether the record they travel with has an error."""
    errors = findings.filter((pl.col("severity") == "error") & pl.col(ROW).is_not_null())
    if errors.height == 0:
        return dict(typed), {name: rows.clear() for name, rows in raw.items()}
    bad_rows = {
        name: typed[name].join(
            errors.filter(pl.col("extract") == name).select(ROW).unique(), on=ROW, how="semi"
        )
        for name in EXTRACTS
    }
    bad_keys = {
        root: pl.concat(
            bad_rows[n].select(pl.col(s.root_key).alias("key")) for n, s in EXTRACTS.items() if s.root == root
        )
        .drop_nulls()
        .unique()
        for root in {s.root for s in EXTRACTS.values()}
    }
    accepted, quarantined = {}, {}
    for name, spec in EXTRACTS.items():
        out = typed[name][spec.root_key].is_in(bad_keys[spec.root]["key"].implode()).fill_null(True) | typed[
            name
        ][ROW].is_in(bad_rows[name][ROW].implode())
        accepted[name], quarantined[name] = typed[name].filter(~out), raw[name].filter(out)
    return accepted, quarantined


def _held(opened: Opened, partial: list[pl.DataFrame]) -> Checked:
    accepted = {n: _no_rows(n)[1] for n in EXTRACTS}
    quarantined = {n: _raw(opened, s) for n, s in EXTRACTS.items()}
    n_received = {n: opened.files[n].n_rows if n in opened.files else 0 for n in EXTRACTS}
    counts = pl.DataFrame(
        [(n, n_received[n], 0, n_received[n]) for n in EXTRACTS], schema=COUNTS_SCHEMA, orient="row"
    )
    return Checked(opened, "held", stamp(partial, opened), accepted, quarantined, counts)


def _assert_nothing_lost(counts: pl.DataFrame) -> None:
    """Accepted + quarantined = received, for every extract; a breach is a fault of ours, not of the force."""
    lost = counts.filter(pl.col("n_accepted") + pl.col("n_quarantined") != pl.col("n_received"))
    if lost.height:
        raise AssertionError(f"rows were lost in {lost['extract'].to_list()}")


def _month_end(first: date) -> date:
    return first.replace(day=calendar.monthrange(first.year, first.month)[1])
