"""Ranking at national scale: millions of made-up allegations, scored, ranked and explained by the project's own SQL.

`python -m tests.bench_ranking [ALLEGATIONS]` measures and writes docs/benchmarks_ranking.md. A warehouse is filled by SQL
with what the ranking reads (about one person for three allegations, heavy-tailed), dbt compiles its models, and each is
built in a process of its own with 2 threads and 4 GB, several rounds over. Beside them stand floors: what any ranking has to do that tells a score
of every person and the terms of every allegation. Nothing here is a test.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import duckdb

REPOSITORY = Path(__file__).parents[1]
PROJECT = REPOSITORY / "dbt_project"
N_ALLEGATIONS = 5_000_000
THREADS = 2
MEMORY_LIMIT = "4GB"
TARGET_SECONDS = 30
N_ROUNDS = 5
N_RUNS = 3

# In the order they are built.
MODELS = (
    "person_multipliers",
    "scored_allegations",
    "scored_persons",
    "ranking_versions",
    "list_scopes",
    "person_places",
    "ranked_perpetrators",
    "ranking_draws",
    "ranked_perpetrator_uncertainty",
    "perpetrator_lists",
    "perpetrator_list_pools",
    "perpetrator_list_overlaps",
    "explained_allegations",
    "ranked_perpetrator_offences",
)
# The least that any ranking has to do: a score of severity and decay for every person in one aggregate; every column of
# every allegation read; a row for every person written.
FLOORS = {
    "floor_scores": """
    select person_id, sum(power(severity_days, 0.5) * power(2.0, -epoch(timestamp '2026-03-31 23:59:59' - reported_at) / 15552000))
    from repository.national_vawg_allegations
    where is_counted
    group by person_id
""",
    "floor_allegations": "select bit_xor(hash(made)) as content from repository.national_vawg_allegations as made",
    "floor_persons": "select * from ranking.scored_persons",
}

# Chance is a hash of the row number: the same nation every time. Persons are few with many allegations and many with one or
# two; four allegations in five are of the person's home force; grave classes are rare, as they are on record.
NATION = """
create schema repository;

create table repository.national_run as
select
    'england_wales' as programme,
    date '2026-03-01' as period,
    date '2026-03-31' as period_end,
    timestamp '2026-04-12 09:00:00' as as_of,
    timestamp '2026-03-31 23:59:59' as ranked_at,
    'bench' as snapshot_key;

create temp table bodies as
select code, row_number() over (order by code) - 1 as body_no from codes.forces where programme = 'england_wales';

create temp table classes as
select *, row_number() over (order by cchi_days, offence_code) - 1 as class_no
from codes.harm_weights where cchi_days between 1 and 4000;

create temp table numbered as
select
    range as no,
    cast(floor(pow(hash(range) % 1000000007 / 1000000007.0, 2.2) * {n} * 0.55) as bigint) as person_no,
    cast(hash(range * 7 + 1) % 2190 * 86400 + hash(range * 3) % 86400 as bigint) as age_seconds,
    hash(range * 11 + 3) as h1,
    hash(range * 13 + 5) as h2,
    -- A power of a uniform: two thirds of all allegations are of the lighter half of the classes.
    cast(
        floor(pow(hash(range * 17 + 9) % 100000 / 100000.0, 1.7) * (select count(*) from classes)) as bigint
    ) as class_no
from range({n});

create table repository.national_vawg_allegations as
select
    'P' || substr(md5(cast(person_no as varchar)), 1, 20) as person_id,
    cast(1 + person_no as integer) as person_no,
    bodies.code || '|' || (2600000000 + no) as offence_id,
    bodies.code as force_code,
    cast(2600000000 + no as varchar) as crime_ref,
    cast(1 as bigint) as suspect_no,
    bodies.code || '|NOM' || person_no || '_' || (h1 % 3) as record_id,
    case when person_no % 5 > 0 then 1.0 else 0.9 + 0.0999 * (hash(person_no * 5 + h1 % 3) % 1000) / 1000 end
        as link_probability,
    'npcc_policing_scope' as definition_id,
    '1' as definition_version,
    classes.offence_code,
    timestamp '2026-03-31 23:59:59' - to_seconds(age_seconds) - interval 3 hour as committed_from,
    timestamp '2026-03-31 23:59:59' - to_seconds(age_seconds) as reported_at,
    'named' as suspect_status,
    cast(30 as bigint) as age_at_offence,
    '16' as outcome_code,
    cast(null as date) as outcome_on,
    h2 % 50 <> 0 as is_outcome_known,
    cast(case when h2 % 25 = 0 then 1 else 0 end as bigint) as n_co_suspects,
    classes.cchi_days as severity_days,
    classes.ons_css_weight,
    classes.mapping_status = 'mapped' as is_severity_mapped,
    classes.version as weights_version,
    case when h2 % 10 = 0 then 0 else 1 end as outcome_weight,
    h2 % 10 <> 0 as is_counted,
    h2 % 10 <> 0 as is_allegation_standing,
    case when h2 % 10 = 0 then 'the crime was cancelled' end as not_counted_reason
from numbered
inner join bodies on bodies.body_no = cast(case when h1 % 10 < 8 then person_no % 43 else h1 % 43 end as bigint)
inner join classes on classes.class_no = numbered.class_no;

create table repository.national_person_gates as
select
    person_id,
    person_no,
    person_id as person_group_id,
    'bench' as model_version,
    hash(person_id) % 200 = 7 as is_child,
    hash(person_id) % 300 = 7 as is_age_unknown,
    hash(person_id) % 400 = 7 as is_deceased,
    hash(person_id) % 500 = 7 as withheld,
    case when hash(person_id) % 60 = 0 then 'Y' when hash(person_id) % 60 < 40 then 'N' else 'U' end as in_custody
from (select distinct person_id, person_no from repository.national_vawg_allegations) as persons;

create table repository.national_persons as
select person_id, person_id as person_group_id, 'bench' as model_version, withheld from repository.national_person_gates;

-- One victim in ten has no nominal; a third of a person's crimes are against others than the same woman; a crime in five has a
-- male victim too.
create table repository.national_involvements as
select
    offence_id, 'suspect' as role, suspect_no as role_no, person_id, person_no, 'M' as sex, true as is_identified
from repository.national_vawg_allegations
union all
select
    offence_id, 'victim', 1,
    case when woman_no is not null then 'V' || substr(md5(cast(woman_no as varchar)), 1, 20) end,
    cast(1000000000 + woman_no as integer),
    'F', true
from (
    select
        offence_id,
        case when hash(offence_id) % 10 > 0 then cast(
            hash(person_id) % 100000000 + case when hash(offence_id) % 3 = 0 then hash(offence_id) % 4 else 0 end as bigint
        ) end as woman_no
    from repository.national_vawg_allegations
) as women
union all
select
    offence_id, 'victim', 2, 'V' || substr(md5(offence_id), 1, 20),
    cast(1500000000 + hash(offence_id) % 500000000 as integer), 'M', true
from repository.national_vawg_allegations where hash(offence_id) % 5 = 0;

create table repository.national_incidents as
select person_id as suspect_person_id, reported_at as occurred_at, 'I' || offence_id as incident_id
from repository.national_vawg_allegations where hash(offence_id) % 8 = 0;

create table repository.national_list_decisions as
select
    person_id,
    case hash(person_id) % 5
        when 0 then 'removed_on_these_facts' when 1 then 'frozen' when 2 then 'deferred' when 3 then 'let_back_in'
        else 'active'
    end as list_decision,
    hash(person_id) % 50 = 3 as is_added_by_officer,
    timestamp '2026-03-10 12:00:00' as decided_at,
    timestamp '2026-06-10 12:00:00' as valid_until,
    hash(person_id) as entry_id
from repository.national_person_gates where hash(person_id) % 1000 = 11;

create schema ranking;

create table ranking.withdrawn_allegations as
select person_id, min(offence_id) as offence_id, 'crime_cancelled' as withdrawn_as
from repository.national_vawg_allegations where hash(person_id) % 2000 = 17
group by person_id;

create schema marts;

create table marts.ranking_data_gates as
select code as force_code, body_no % 10 = 3 as has_caveat, case when body_no % 10 = 3 then 'This force is late.' end as caveat
from bodies;
"""


@dataclass(frozen=True)
class Built:
    """One step: rows it leaves, wall and processor seconds of its statement, and the largest resident set of its process."""

    name: str
    rows: int
    wall_seconds: float
    cpu_seconds: float
    peak_mib: float


def connected(root: Path) -> duckdb.DuckDBPyConnection:
    """The bench's warehouse, opened as the project's dbt profile opens it."""
    connection = duckdb.connect(str(root / "warehouse" / "vawg.duckdb"))
    connection.execute(f"set threads = {THREADS}")
    connection.execute(f"set memory_limit = '{MEMORY_LIMIT}'")
    connection.execute(f"set temp_directory = '{root}/warehouse/temp'")
    connection.execute("set preserve_insertion_order = false")
    return connection


def dbt(root: Path, *arguments: str) -> None:
    """Run dbt on the bench's data root. Raises CalledProcessError where it fails."""
    subprocess.run(
        [
            str(Path(sys.executable).with_name("dbt")),
            *arguments,
            *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)),
            *("--target-path", str(root / "target"), "--log-level-file", "none", "--quiet"),
        ],
        env=os.environ | {"VAWG_DATA": str(root)},
        check=True,
        stdout=subprocess.DEVNULL,
    )


def prepare(root: Path, n_allegations: int) -> None:
    """A data root with the code lists and `n_allegations` made-up allegations in its warehouse, and the models compiled."""
    (root / "warehouse").mkdir(parents=True)
    dbt(root, "seed")
    with connected(root) as connection:
        for statement in NATION.format(n=n_allegations).split(";\n"):
            connection.execute(statement)
    compile_models(root)


def compile_models(root: Path) -> None:
    dbt(root, "compile", "--select", *MODELS)


def is_view(root: Path, name: str) -> bool:
    nodes = json.loads((root / "target" / "manifest.json").read_text(encoding="utf-8"))["nodes"]
    return name not in FLOORS and nodes[f"model.vawg.{name}"]["config"]["materialized"] == "view"


def statement(root: Path, name: str) -> tuple[str, str]:
    """Relation that a step leaves, and the query behind it."""
    if name in FLOORS:
        return f"main.{name}", FLOORS[name]
    (path,) = (root / "target" / "compiled" / "vawg" / "models").glob(f"*/{name}.sql")
    return f"{path.parent.name}.{name}", path.read_text(encoding="utf-8")


def step(root: Path, name: str) -> None:
    """Build one relation and say on standard output what it took. A mart that is a view is read whole, every column of every
    row: it has to be made once, for the release.
    """
    relation, query = statement(root, name)
    view = is_view(root, name)
    with connected(root) as connection:
        wall, cpu = time.monotonic(), time.process_time()
        connection.execute(f"create or replace {'view' if view else 'table'} {relation} as {query}")
        if view and relation.startswith("marts."):
            connection.execute(
                f"select bit_xor(hash(made)) from (select * from {relation}) as made"
            ).fetchall()
        connection.execute("checkpoint")
        wall, cpu = time.monotonic() - wall, time.process_time() - cpu
        rows = connection.execute(f"select count(*) from {relation}").fetchall()[0][0]
    print(json.dumps({"rows": rows, "wall_seconds": wall, "cpu_seconds": cpu}))


def built(root: Path, name: str, module: str = "tests.bench_ranking") -> Built:
    """Run a step of a bench in a process of its own. Raises CalledProcessError where it fails."""
    command = [sys.executable, "-m", module, "step", str(root), name]
    process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE)
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise subprocess.CalledProcessError(status, command)
    return Built(name, peak_mib=usage.ru_maxrss / 1024, **json.loads(said))


def measure(root: Path, n_allegations: int) -> list[list[Built]]:
    """Every model of the ranking in order, then the floors; all of it once a round, so that a slow minute of the machine does
    not fall on one step alone.
    """
    # In a process of its own: a child starts with the peak of its parent.
    command = [sys.executable, "-m", "tests.bench_ranking", "prepare", str(root), str(n_allegations)]
    subprocess.run(command, cwd=REPOSITORY, check=True)
    rounds = []
    for number in range(N_ROUNDS):
        rounds.append([built(root, name) for name in (*MODELS, *FLOORS)])
        print(f"round {number + 1}: {_wall(rounds[-1]):.1f} s", flush=True)
    return rounds


def report(rounds: list[list[Built]], n_allegations: int) -> str:
    """The page: what every step took in its quickest round and in the middle one, and all of it beside floors and target."""
    steps = [
        replace(
            min(made, key=lambda m: m.wall_seconds),
            cpu_seconds=min(m.cpu_seconds for m in made),
            peak_mib=max(m.peak_mib for m in made),
        )
        for made in zip(*rounds, strict=True)
    ]
    middles = [median(m.wall_seconds for m in made) for made in zip(*rounds, strict=True)]
    models, floors = steps[: len(MODELS)], steps[len(MODELS) :]
    walls = sorted(map(_wall, rounds))
    cpu, floor = sum(m.cpu_seconds for m in models), sum(f.cpu_seconds for f in floors)
    peak = max(m.peak_mib for m in models)
    total = (
        f"| **all models** | | **{sum(m.wall_seconds for m in models):.1f}** | **{sum(middles[: len(models)]):.1f}** "
        f"| **{cpu:.1f}** | **{peak:,.0f}** |"
    )
    lines = [_row(*step) for step in zip(steps, middles, strict=True)]
    rows = "\n".join([*lines[: len(models)], total, *lines[len(models) :]])
    verdict = "met" if median(walls) <= TARGET_SECONDS else "not met"
    n_met = sum(wall <= TARGET_SECONDS for wall in walls)
    return f"""# Benchmarks of the ranking

Written by `make bench-ranking` on {os.cpu_count()} cores. {n_allegations:,} made-up allegations, scored, ranked and explained by
the project's own SQL in DuckDB with {THREADS} threads and {MEMORY_LIMIT}; every step in a process of its own, {len(rounds)} rounds
over. A view costs nothing by itself: a mart that is one is read whole, every column of every row. Another's work on the
machine only ever adds, so the least of the rounds is what a step takes, and the middle what one may meet.

| step | rows | least wall s | middle wall s | least cpu s | peak MiB |
| --- | --: | --: | --: | --: | --: |
{rows}

Whole rounds took {", ".join(f"{wall:.1f}" for wall in walls)} s. **The target, {TARGET_SECONDS} s of wall time, is {verdict} by the
middle round**, and met by {n_met} of the {len(rounds)}. {cpu / n_allegations * 1e6:.1f} cpu s were needed a million allegations.

The floors are the least that any ranking has to do, whatever its rules: sum one term a person, read what stands of every
allegation, write a row of every person. They take {floor:.0f} cpu s together; the models take {cpu / floor:.1f} times that.
"""


def _wall(steps: list[Built]) -> float:
    """Wall seconds of the models of a round, without the floors."""
    return sum(step.wall_seconds for step in steps[: len(MODELS)])


def _row(made: Built, middle_seconds: float) -> str:
    return (
        f"| {made.name} | {made.rows:,} | {made.wall_seconds:.1f} | {middle_seconds:.1f} | {made.cpu_seconds:.1f} "
        f"| {made.peak_mib:,.0f} |"
    )


def main() -> None:
    arguments = sys.argv[1:]
    if arguments[:1] == ["step"]:
        step(Path(arguments[1]), arguments[2])
        return
    if arguments[:1] == ["prepare"]:
        prepare(Path(arguments[1]), int(arguments[2]))
        return
    n_allegations = int(arguments[0]) if arguments else N_ALLEGATIONS
    with tempfile.TemporaryDirectory(prefix="vawg-bench-ranking-") as scratch:
        page = report(measure(Path(scratch) / "root", n_allegations), n_allegations)
    (REPOSITORY / "docs" / "benchmarks_ranking.md").write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
