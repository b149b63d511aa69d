"""What a change does: findings, figures and lists before and after it, by their keys. Set-based, in DuckDB; writes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from assets.encryption import add_key, read_options
from assets.intake import receipts
from assets.publication.cells import FIGURE
from assets.storage import Layout

# They say how this release differs from another one, so they differ whatever happens.
_ABOUT_ANOTHER_RELEASE = frozenset(
    {
        "ranked_perpetrator_movers",
        "ranked_perpetrator_move_causes",
        "national_statistics_revisions",
        "person_identity_changes",
    }
)
_COMPARED = frozenset({"national_statistics", "perpetrator_lists"})


@dataclass(frozen=True)
class Comparison:
    """What would change. Each table is empty where nothing does.

    `rejected`: force x period x extract x rule x severity, findings that come or go and the records refused with them.
    `refused`: force that has other rows refused than before, with both numbers of rows and of crimes. `statistics`: one figure. `lists`: list x person.
    `other_marts`: names of further marts whose rows differ.
    """

    rejected: pl.DataFrame
    refused: pl.DataFrame
    statistics: pl.DataFrame
    lists: pl.DataFrame
    other_marts: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        tables = (self.rejected, self.statistics, self.lists)
        return not self.other_marts and all(table.is_empty() for table in tables)


def compare(release: Path, before: Layout, after: Layout, key: str | None = None) -> Comparison:
    """`release`, made from what lies in `before`, against the warehouse and the findings of `after`.

    `key` opens an encrypted release.
    """
    marts = json.loads((release / "manifest.json").read_text(encoding="utf-8"))["marts"]
    with duckdb.connect() as connection:
        if key:
            add_key(connection, key)
        # By the name it was written under: some marts are views, which speak of it so.
        connection.execute(f"attach '{after.warehouse}' as vawg (read_only)")
        connection.execute("create schema was")
        for name, mart in marts.items():
            options = read_options(encrypted=mart["encrypted"])
            connection.execute(
                f"create view was.{name} as select * from read_parquet('{release / mart['file']}'{options})"
            )
        for name, layout in (("findings_then", before), ("findings_now", after)):
            connection.execute(_FINDINGS.format(name=name, files=layout.findings / "*.parquet"))
        return Comparison(
            rejected=connection.execute(_REJECTED).pl(),
            refused=_refused(before, after),
            statistics=connection.execute(_STATISTICS).pl(),
            lists=connection.execute(_LISTS).pl(),
            other_marts=tuple(_other_marts(connection, marts)),
        )


def _other_marts(connection: duckdb.DuckDBPyConnection, names: Iterable[str]) -> list[str]:
    """Marts of both sides whose rows differ, whatever their order: count and digest, as a manifest has them."""
    there = {
        name
        for (name,) in connection.execute(
            "select table_name from information_schema.tables where table_catalog = 'vawg' and table_schema = 'marts'"
        ).fetchall()
    }
    found = []
    for name in sorted((set(names) & there) - _COMPARED - _ABOUT_ANOTHER_RELEASE):
        rows = [
            connection.execute(f"select count(*), bit_xor(hash(t)) from {relation} as t").fetchall()
            for relation in (f"was.{name}", f"vawg.marts.{name}")
        ]
        if rows[0] != rows[1]:
            found.append(name)
    return found


def _refused(before: Layout, after: Layout) -> pl.DataFrame:
    counts = []
    for layout in (before, after):
        rows = [
            {
                "force_code": r.force_code,
                "crimes": r.counts["offences"]["quarantined"],
                "rows": r.total("quarantined"),
                "held": int(r.status == "held"),
            }
            for r in receipts(layout)
            if r.force_code
        ]
        schema = {"force_code": pl.String, "crimes": pl.Int64, "rows": pl.Int64, "held": pl.Int64}
        counts.append(pl.DataFrame(rows, schema=schema).group_by("force_code").sum())
    both = counts[0].join(counts[1], on="force_code", how="full", coalesce=True, suffix="_after").fill_null(0)
    differs = pl.any_horizontal(pl.col(n) != pl.col(f"{n}_after") for n in ("crimes", "rows", "held"))
    return both.filter(differs).sort("force_code")


# A row a finding: which record it is on, and whether it takes that out.
_FINDINGS = """
create table {name} as
select
    submission_id, force_code, period, extract, rule, severity, finding_key, row_number,
    submission_id || '|' || extract || '|' || coalesce(record_ref, '') as record
from read_parquet('{files}')
"""

_REJECTED = """
with changed as (
    select now.*, 1 as sign
    from findings_now as now
    anti join findings_then as past
        on now.submission_id = past.submission_id and now.finding_key = past.finding_key
        and now.severity = past.severity and now.row_number is not distinct from past.row_number
    union all
    select past.*, -1 as sign
    from findings_then as past
    anti join findings_now as now
        on now.submission_id = past.submission_id and now.finding_key = past.finding_key
        and now.severity = past.severity and now.row_number is not distinct from past.row_number
),

rejected as (
    select record, max(before) as was_rejected, max(after) as is_rejected
    from (
        select record, 1 as before, 0 as after from findings_then where severity = 'error'
        union all
        select record, 0, 1 from findings_now where severity = 'error'
    )
    group by record
)

select
    changed.force_code,
    changed.period,
    changed.extract,
    changed.rule,
    changed.severity,
    count(*) filter (changed.sign = 1) as n_findings_new,
    count(*) filter (changed.sign = -1) as n_findings_gone,
    count(distinct changed.record) filter (
        changed.sign = 1 and changed.severity = 'error' and rejected.was_rejected = 0
    ) as n_records_newly_rejected,
    count(distinct changed.record) filter (
        changed.sign = -1 and changed.severity = 'error' and rejected.is_rejected = 0
    ) as n_records_no_longer_rejected
from changed
left join rejected on changed.record = rejected.record
group by changed.force_code, changed.period, changed.extract, changed.rule, changed.severity
order by
    n_records_newly_rejected + n_records_no_longer_rejected desc,
    n_findings_new + n_findings_gone desc,
    changed.force_code, changed.period, changed.extract, changed.rule, changed.severity
"""

_STATISTICS = f"""
select
    {", ".join(f"coalesce(past.{c}, now.{c}) as {c}" for c in FIGURE)},
    case when past.measure is null then 'new' when now.measure is null then 'gone' else 'changed' end as change,
    past.value as value_before,
    now.value as value_after,
    now.value - past.value as difference,
    case when past.value <> 0 then (now.value - past.value) / abs(past.value) end as difference_share,
    past.numerator as numerator_before,
    now.numerator as numerator_after,
    past.denominator as denominator_before,
    now.denominator as denominator_after
from was.national_statistics as past
full outer join vawg.marts.national_statistics as now
    on {" and ".join(f"past.{c} = now.{c}" for c in FIGURE)}
where
    past.value is distinct from now.value
    or past.numerator is distinct from now.numerator
    or past.denominator is distinct from now.denominator
order by
    -- Counts before shares and means: a sum of ages is larger than any number of crimes.
    coalesce(now.value = now.numerator, past.value = past.numerator, false) desc,
    abs(coalesce(now.numerator, 0) - coalesce(past.numerator, 0)) desc,
    abs(coalesce(difference_share, 0)) desc,
    {", ".join(str(i) for i in range(1, len(FIGURE) + 1))}
"""

_LISTS = """
with both_lists as (
    select
        coalesce(past.list_kind, now.list_kind) as list_kind,
        coalesce(past.lens, now.lens) as lens,
        coalesce(past.list_scope_code, now.list_scope_code) as list_scope_code,
        coalesce(past.person_id, now.person_id) as person_id,
        case when past.person_id is null then 'entered' when now.person_id is null then 'left' else 'moved' end
            as movement,
        past.place as place_before,
        now.place as place_after,
        past.reason as reason_before,
        now.reason as reason_after
    from was.perpetrator_lists as past
    full outer join vawg.marts.perpetrator_lists as now
        on past.list_kind = now.list_kind and past.lens = now.lens
        and past.list_scope_code = now.list_scope_code and past.person_id = now.person_id
    where past.person_id is null or now.person_id is null or past.place is distinct from now.place
        or past.reason is distinct from now.reason
),

-- Both are of one moment, so no time has passed: what movers call so is a parameter that changed under its old version.
causes as (
    select
        person_id,
        replace(causes_in_words, 'Time ', 'Parameters and weights (version not raised) ') as in_words
    from vawg.marts.ranked_perpetrator_movers
)

select
    both_lists.list_kind,
    both_lists.lens,
    both_lists.list_scope_code,
    both_lists.person_id,
    both_lists.movement,
    both_lists.place_before,
    both_lists.place_after,
    case
        when movers.movement in ('entered', 'left')
            then coalesce(movers.reason_in_words, movers.status_reason, movers.previous_status_reason, '')
                || ' (' || causes.in_words || ')'
        when movers.score_change <> 0 then causes.in_words
        when after.status_reason is distinct from before.status_reason
            then 'status ' || coalesce(before.status_reason, before.list_status, 'not considered')
                || ' -> ' || coalesce(after.status_reason, after.list_status, 'not considered')
        when after.score is distinct from before.score then 'the score changed'
        else 'others moved'
    end as cause
from both_lists
left join vawg.marts.ranked_perpetrator_movers as movers on both_lists.person_id = movers.person_id
left join causes on both_lists.person_id = causes.person_id
left join was.ranked_perpetrators as before on both_lists.person_id = before.person_id
left join vawg.marts.ranked_perpetrators as after on both_lists.person_id = after.person_id
order by list_kind, lens, list_scope_code, movement, coalesce(place_after, place_before), person_id
"""
