"""Statistics at national scale: a made-up year of crimes, counted by the project's own SQL.

`python -m tests.bench_statistics [CRIMES]` measures and writes docs/benchmarks_statistics.md: seconds per model for a national
year, and of fewer crimes a month for one, two and three years, so that the cost against the length of history shows. A warehouse
is filled by SQL with what the statistics read, dbt compiles its models, and each is built in a process of its own, as are the
publication and the forecasts made of them. Nothing here is a test.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from tests.bench_ranking import MEMORY_LIMIT, REPOSITORY, THREADS, Built, built, connected, dbt

MODULE = "tests.bench_statistics"
N_CRIMES = 5_400_000
HISTORIES = (12, 24, 36)
N_CRIMES_OF_HISTORY = 50_000
# Seconds; the ratio of two shorter times says nothing.
WORTH_A_RATIO = 0.5
PERIOD_END = date(2026, 3, 31)

# In the order they are built.
MODELS = (
    "scope_bits",
    "offence_scope_bits",
    "scope_sets",
    "statistical_offences",
    "offence_counts",
    "person_counts",
    "relationship_counts",
    "other_monthly_counts",
    "national_monthly_counts",
    "statistics_periods",
    "statistics_coverage",
    "harm_figures",
    "period_figures",
    "national_statistics",
    "threat_overlaps",
    "national_statistics_changes",
    "recorded_crime_reconciliation",
    "offence_scope_states",
)

# Chance is a hash of the row number: the same nation every time. Two crimes in five are against the person or sexual, half of
# those against women and girls; threats overlap as they do on record.
NATION = """
create schema repository;
create schema standardised;
create schema statistics;
create schema ranking;
create schema marts;

create table repository.national_run as
select 'england_wales' as programme, date '2026-03-01' as period, date '2026-03-31' as period_end,
    timestamp '2026-04-12 09:00:00' as as_of, timestamp '2026-03-31 23:59:59' as ranked_at, 'bench' as snapshot_key;

create temp table bodies as
select code, row_number() over (order by code) - 1 as body_no from codes.forces where programme = 'england_wales';

create table repository.national_submissions as
select code || '|' || n as submission_id, code as force_code,
    cast(date '2026-03-01' - to_months(cast(n as integer)) as date) as period, 1 as sequence, true as is_in
from bodies cross join range({months}) as r(n);

create temp table classes as
select code, offence_group, offence_subgroup, is_against_a_person,
    offence_group in ('Violence against the person', 'Sexual offences') as is_violent,
    row_number() over (
        partition by offence_group in ('Violence against the person', 'Sexual offences') order by code
    ) - 1 as class_no,
    count(*) over (partition by offence_group in ('Violence against the person', 'Sexual offences')) as n_classes
from codes.offence_codes;

create temp table numbered as
select
    range as no,
    hash(range) as h,
    hash(range * 3 + 1) as h2,
    hash(range) % 5 < 2 as is_violent,
    date '2026-03-31' - to_days(cast(hash(range * 7) % ({months} * 30) as integer)) as recorded
from range({n});

create table repository.national_offences as
select
    bodies.code || '|C' || no as offence_id, bodies.code as force_code, 'C' || no as crime_ref,
    bodies.code || '|0' as submission_id, classes.code as offence_code, classes.offence_group, classes.offence_subgroup,
    classes.is_against_a_person, recorded as committed_from, recorded as committed_to, recorded as reported_at,
    recorded as recorded_at, cast(date_trunc('month', recorded) as date) as recorded_month, 'x' as location_type_raw,
    locations.code as location_type, outcomes.code as outcome_code, outcomes.outcome_group,
    case when outcomes.code <> '0' then cast(recorded as date) + cast(h2 % 200 as integer) end as outcome_on,
    outcomes.is_charge as is_charged, outcomes.code <> '0' as is_closed, 'live' as status, true as is_counted,
    cast(case when h2 % 9 = 0 then 1 else 0 end as bigint) as n_arrested_suspects,
    case when h2 % 2 = 0 then cast(12 + h2 % 50 as bigint) end as youngest_suspect_age,
    numbered.is_violent and h2 % 100 < 50 as is_scoped, h2 as chance
from numbered
inner join bodies on bodies.body_no = h % 43
inner join classes on numbered.is_violent = classes.is_violent and classes.class_no = h2 % classes.n_classes
inner join (select code, row_number() over (order by code) - 1 as n from codes.location_types) as locations
    on locations.n = h % 14
inner join (
    select code, outcome_group, is_charge, row_number() over (order by code) - 1 as n from codes.outcome_codes
) as outcomes on outcomes.n = (h // 7) % 23;

create table repository.national_offence_flags as
select offence_id, flag, case when chance % 3 = 0 then 'Y' end as force_value
from repository.national_offences cross join (values ('DA'), ('ONL')) as f(flag) where chance % 100 < 15;

create temp table threatened as
select offence_id, 'domestic_abuse' as threat from repository.national_offences where chance % 100 < 17
union all select offence_id, 'stalking_and_harassment' from repository.national_offences
    where offence_subgroup = 'Stalking and harassment'
union all select offence_id, 'rape_and_serious_sexual_offences' from repository.national_offences
    where offence_subgroup = 'Rape offences'
union all select offence_id, 'child_sexual_abuse_and_exploitation' from repository.national_offences where chance % 31 = 5
union all select offence_id, 'online_and_technology_enabled' from repository.national_offences where chance % 37 = 5
union all select offence_id, 'honour_based_abuse' from repository.national_offences where chance % 307 = 5;

create temp table meeting as
select offence_id, 'all_recorded_crime' as definition_id from repository.national_offences
union all select offence_id, d from repository.national_offences
    cross join (values ('npcc_policing_scope'), ('strategic_assessment_2023'), ('national_statement_2024'),
        ('female_victims_wide')) as v(d) where is_scoped
union all select offence_id, 'hmicfrs_2021' from repository.national_offences where is_scoped and chance % 2 = 0;

create table repository.national_offence_scopes as
select offence_id, definition_id, 'all' as threat, '1' as definition_version, true as is_counted from meeting
union all
select meeting.offence_id, definition_id, threat, '1', true
from meeting inner join threatened on meeting.offence_id = threatened.offence_id;

create table repository.national_involvements as
select offence_id || '|victim|1' as involvement_id, offence_id, 'victim' as role, cast(1 as bigint) as role_no, force_code,
    force_code || '|V' || chance % ({n} // 2) as record_id,
    case when chance % 10 < 7 then 'V' || chance % ({n} // 2) end as person_id,
    cast(case when chance % 10 < 7 then {n} + chance % ({n} // 2) end as integer) as person_no, true as is_person,
    case when is_scoped or chance % 2 = 0 then 'F' else 'M' end as sex, cast(10 + chance % 70 as bigint) as age,
    case when chance % 4 = 0 then '25-34' else '35-44' end as age_band, null as is_identified, null as allegation_stands
from repository.national_offences where is_against_a_person
union all
select offence_id || '|suspect|1', offence_id, 'suspect', 1, force_code, force_code || '|S' || chance % ({n} // 3),
    'S' || chance % ({n} // 3), cast(1 + chance % ({n} // 3) as integer), true, 'M', 15 + chance % 50, case when chance % 4 = 0 then '25-34' else '35-44' end, true, true
from repository.national_offences where chance % 100 < 45;

create table repository.national_relationships as
select offence_id, 1 as victim_no, 1 as suspect_no, 'EXP' as relationship, 'intimate' as relationship_group, 'F' as victim_sex
from repository.national_offences where chance % 100 < 30;

create table repository.national_offender_management as
select distinct person_id, record_id, 'IOM' as scheme, date '2025-06-01' as managed_from_on, cast(null as date) as managed_to_on
from repository.national_involvements where role = 'suspect' and hash(person_id) % 100 = 1;

create table repository.national_incidents as
select 'I' || offence_id as incident_id, force_code, recorded_at as occurred_at, 'high' as dash_risk,
    'V' || chance % ({n} // 2) as victim_person_id, 'S' || chance % ({n} // 3) as suspect_person_id
from repository.national_offences where chance % 10 = 3;

create table repository.national_protective_orders as
select 'O' || offence_id as order_id, force_code, 'NMO' as order_type, cast(recorded_at as date) as granted_on,
    cast(null as date) as rescinded_on, cast(recorded_at as date) + 365 as expires_on
from repository.national_offences where chance % 70 = 3;

create table repository.national_protective_order_states as
select order_id, 1 as state_no, force_code, order_type, substr(order_id, 2) as breach_offence_id
from repository.national_protective_orders;

create table standardised.std_victims as
select offence_id, role_no as victim_no, case when hash(offence_id) % 3 = 0 then 'A2' else 'W1' end as ethnicity
from repository.national_involvements where role = 'victim';

create table standardised.std_persons as
select distinct record_id, 'W1' as ethnicity_self_defined, 'IC1' as ethnicity_officer_defined
from repository.national_involvements;

create table ranking.person_places as
select person_id, row_number() over (order by person_id) as national_rank
from (select distinct person_id from repository.national_involvements where role = 'suspect');

create table ranking.list_scopes as
select force_code, case when chance % 7 = 0 then 'region' else 'force' end as list_scope,
    case when chance % 7 = 0 then 'E12000007' else force_code end as list_scope_code
from (select distinct force_code, hash(force_code) as chance from repository.national_submissions);

create table marts.perpetrator_lists as
select 'national_top' as list_kind, 'likely_harm' as lens, 'national' as list_scope, 'national' as list_scope_code, person_id
from ranking.person_places where national_rank <= 1000;

create table main.floor as
select recorded_month, force_code, offence_code, count(*) as n from repository.national_offences group by all
"""


def prepare(root: Path, n_crimes: int, n_months: int) -> None:
    """A data root with the code lists and `n_crimes` made-up crimes in its warehouse, and the models compiled."""
    (root / "warehouse").mkdir(parents=True)
    dbt(root, "seed")
    with connected(root) as connection:
        for statement in NATION.format(n=n_crimes, months=n_months).split(";\n"):
            connection.execute(statement)
    dbt(root, "compile", "--select", *MODELS)


def published(root: Path) -> int:
    """Figures of the publication made of the warehouse's statistics."""
    # Here: a child starts with the peak of its parent, and the parent of all steps has to be small.
    from assets.publication.publishing import publish
    from assets.publication.rules import rules

    with connected(root) as connection:
        statistics = connection.execute("select * from marts.national_statistics").pl()
    return publish(statistics, rules(PERIOD_END)).figures.height


def forecast(root: Path) -> int:
    """Series of a threat and a force, or of a threat and the nation, that are forecast and back-tested."""
    from assets.forecasts.forecast import forecasts
    from assets.forecasts.parameters import forecasting
    from assets.forecasts.station import series_of

    using = forecasting()
    with connected(root) as connection:
        series = series_of(connection, using)
    return forecasts(series, using).outlook.height


STATIONS: dict[str, Callable[[Path], int]] = {"publication": published, "forecasts": forecast}


def step(root: Path, name: str) -> None:
    """Run one station and say on standard output what it took."""
    wall, cpu = time.monotonic(), time.process_time()
    rows = STATIONS[name](root)
    took = {"wall_seconds": time.monotonic() - wall, "cpu_seconds": time.process_time() - cpu}
    print(json.dumps({"rows": rows, **took}))


def measure(root: Path, n_crimes: int, n_months: int) -> list[Built]:
    """Every model of the statistics in order, then the stations."""
    # In a process of its own: a child starts with the peak of its parent.
    command = [sys.executable, "-m", MODULE, "prepare", str(root), str(n_crimes), str(n_months)]
    subprocess.run(command, cwd=REPOSITORY, check=True)
    steps = []
    for name in (*MODELS, *STATIONS):
        steps.append(built(root, name, MODULE) if name in STATIONS else built(root, name))
        print(steps[-1], flush=True)
    return steps


def _row(name: str, steps: Sequence[Built]) -> str:
    cells = [f"{s.rows:,} | {s.wall_seconds:.1f} | {s.cpu_seconds:.1f} | {s.peak_mib:,.0f}" for s in steps]
    return f"| {name} | {' | '.join(cells)} |"


def _national(steps: list[Built]) -> str:
    wall, cpu = sum(s.wall_seconds for s in steps), sum(s.cpu_seconds for s in steps)
    peak = max(s.peak_mib for s in steps)
    return "\n".join(
        [
            "| step | rows | wall s | cpu s | peak MiB |",
            "| --- | --: | --: | --: | --: |",
            *(_row(s.name, [s]) for s in steps),
            f"| **all** | | **{wall:.1f}** | **{cpu:.1f}** | **{peak:,.0f}** |",
        ]
    )


def _against_history(runs: dict[int, list[Built]]) -> str:
    """Processor seconds of every step by months of history, and the last over the first."""
    months = list(runs)

    def line(name: str, seconds: Sequence[float]) -> str:
        times = f"{seconds[-1] / seconds[0]:.1f}" if seconds[0] >= WORTH_A_RATIO else ""
        return f"| {name} | {' | '.join(f'{s:.1f}' for s in seconds)} | {times} |"

    lines = [line(s[0].name, [one.cpu_seconds for one in s]) for s in zip(*runs.values(), strict=True)]
    total = line("**all**", [sum(s.cpu_seconds for s in steps) for steps in runs.values()])
    heads = " | ".join(f"{m} months: cpu s" for m in months)
    return "\n".join(
        [
            f"| step | {heads} | {months[-1]} over {months[0]} |",
            "| --- |" + " --: |" * (len(months) + 1),
            *lines,
            total,
        ]
    )


def report(n_crimes: int, national: list[Built], runs: dict[int, list[Built]]) -> str:
    """The page: what every step took for a national year, and what history costs."""
    return f"""# Benchmarks of the statistics

Written by `make bench-statistics` on {os.cpu_count()} cores. Made-up crimes of 43 forces, counted by the project's own SQL in
DuckDB with {THREADS} threads and {MEMORY_LIMIT}; every step in a process of its own. Publication and forecasts stand below the
models they are made of. Wall time that is far over half of the processor time is the machine's other work.

## A year of {n_crimes:,} crimes

{_national(national)}

## Against the length of history

{N_CRIMES_OF_HISTORY:,} crimes a year. What a step costs more on the right is what history costs it: the same crimes a month.

{_against_history(runs)}
"""


def main() -> None:
    arguments = sys.argv[1:]
    if arguments[:1] == ["prepare"]:
        prepare(Path(arguments[1]), int(arguments[2]), int(arguments[3]))
        return
    if arguments[:1] == ["step"]:
        step(Path(arguments[1]), arguments[2])
        return
    n_crimes = int(arguments[0]) if arguments else N_CRIMES

    def measured(n: int, n_months: int) -> list[Built]:
        with tempfile.TemporaryDirectory(prefix="vawg-bench-statistics-") as scratch:
            print(f"{n:,} crimes of {n_months} months", flush=True)
            return measure(Path(scratch) / "root", n, n_months)

    national = measured(n_crimes, HISTORIES[0])
    runs = {months: measured(N_CRIMES_OF_HISTORY * months // 12, months) for months in HISTORIES}
    page = report(n_crimes, national, runs)
    (REPOSITORY / "docs" / "benchmarks_statistics.md").write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
