"""Movers: laws that hold for any two lists, on ten thousand made-up persons run through the model's own SQL.

The single causes are worked out by hand in the model's unit test; here the two lists are scored by a second
writing of the formula, and nothing but time, records, outcomes, links and new allegations lies between them.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest

N_PERSONS = 10_000
SEED = 20260630
MODEL = "compiled/vawg/models/marts/ranked_perpetrator_move_causes.sql"
MOVERS = "compiled/vawg/models/marts/ranked_perpetrator_movers.sql"

# S = m * SUM s^.5 * 2^(-age/180) * o * l, m = (N * V)^.5, N and V over 24 months and at most 10 (ranking 3.2).
SCORED = """
    with terms as (
        select
            *,
            date_diff('second', reported_at, ranked_at) / 86400.0 as age,
            reported_at > ranked_at - interval 24 months as is_in_window,
            o = 1 as is_counted
        from facts where side = '{side}' and reported_at <= ranked_at
            and reported_at > ranked_at - interval 72 months
    ),
    counts as (
        select person_id, count(*) as n_incidents,
            len(list_distinct(flatten(list(case when v = [] then [''] else v end)))) as n_victims
        from terms where is_counted and is_in_window group by 1
    ),
    multiplied as (
        select terms.*, coalesce(n_incidents, 0) as n_incidents, coalesce(n_victims, 0) as n_victims,
            power(least(greatest(coalesce(n_incidents, 0), 1), 10.0) * least(greatest(coalesce(n_victims, 0), 1), 10.0), 1.0 / 2)
                as multiplier,
            power(cast(2 as double), -age / 180.0) as decay
        from terms left join counts using (person_id)
    )
    select *, cast(multiplier * power(s, 0.5) * decay * o * l as decimal(28, 12)) as contribution from multiplied
"""


def facts() -> pl.DataFrame:
    """Allegations of then (January) and now (February): the same crimes, but for what changed in every fourth of them."""
    chance = np.random.default_rng(SEED)
    n = N_PERSONS * 4
    january, february = np.datetime64("2026-01-31T23:59:59", "us"), np.datetime64("2026-02-28T23:59:59", "us")
    then = pl.DataFrame(
        {
            "person_id": [f"P{i // 4}" for i in range(n)],
            "offence_id": [f"O{i}" for i in range(n)],
            "record_id": [f"R{i // 4}" for i in range(n)],
            "s": chance.choice([2.0, 19.0, 84.0, 1825.0], n),
            "o": chance.choice([0, 1, 1, 1], n),
            "l": chance.choice([0.85, 0.98, 1.0], n),
            "v": [[f"V{i // 4}-{k}"] if k else [] for i, k in enumerate(chance.integers(0, 3, n))],
            "reported_at": january - (chance.random(n) ** 2 * 2300 * 86400).astype("timedelta64[s]"),
        }
    ).with_columns(ranked_at=pl.lit(january).cast(pl.Datetime("us")), side=pl.lit("then"))
    then = then.with_columns(pl.col("reported_at").cast(pl.Datetime("us")))
    changed = pl.Series(
        chance.choice(["outcome", "record", "link", "gone", "none", "none", "none", "none"], n)
    )
    now = (
        then.with_columns(
            changed=changed, ranked_at=pl.lit(february).cast(pl.Datetime("us")), side=pl.lit("now")
        )
        .filter(pl.col("changed") != "gone")
        .with_columns(
            o=pl.when(pl.col("changed") == "outcome").then(1 - pl.col("o")).otherwise("o"),
            s=pl.when(pl.col("changed") == "record").then(pl.col("s") * 2).otherwise("s"),
            l=pl.when(pl.col("changed") == "link").then(pl.col("l") * 0.9).otherwise("l"),
        )
        .drop("changed")
    )
    new = now.sample(N_PERSONS // 2, seed=SEED).with_columns(
        offence_id=pl.concat_str(pl.lit("new "), "offence_id"),
        reported_at=pl.lit(np.datetime64("2026-02-14T12:00:00", "us")).cast(pl.Datetime("us")),
    )
    return pl.concat([then, now, new], how="diagonal")


@pytest.fixture(scope="module")
def causes(warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """A copy of the built warehouse with two made-up lists in it, and what the model says of them as `found`."""
    copy = tmp_path_factory.mktemp("movers") / "vawg.duckdb"
    shutil.copyfile(warehouse / "warehouse" / "vawg.duckdb", copy)
    with duckdb.connect(str(copy)) as connection:
        connection.register("made_up", facts())
        connection.execute("create temp table facts as select * from made_up")
        for side in ("then", "now"):
            connection.execute(f"create temp table scored_{side} as {SCORED.format(side=side)}")
        fill(connection)
        connection.execute(
            f"create temp table found as {(warehouse / 'target' / MODEL).read_text(encoding='utf-8')}"
        )
        connection.execute(
            f"create temp table movers as {(warehouse / 'target' / MOVERS).read_text(encoding='utf-8')}"
        )
        yield connection


def fill(connection: duckdb.DuckDBPyConnection) -> None:
    """Put the two lists where the model reads them: everybody is on both."""

    def put(relation: str, select: str) -> None:
        """Exactly the columns of the relation; what the select does not give is null."""
        columns = [c[:2] for c in connection.execute(f"describe {relation}").fetchall()]
        given = {c[0] for c in connection.execute(f"describe {select}").fetchall()}
        listed = ", ".join(f"cast({c if c in given else 'null'} as {kind}) as {c}" for c, kind in columns)
        connection.execute(f"create temp table filled as select {listed} from ({select})")
        kind = connection.execute(
            "select table_type from information_schema.tables where table_schema || '.' || table_name = ?",
            [relation],
        ).fetchall()[0][0]
        connection.execute(f"drop {'view' if kind == 'VIEW' else 'table'} {relation} cascade")
        connection.execute(f"create table {relation} as select * from filled")
        connection.execute("drop table filled")

    versions = connection.execute(
        "select (select max(version) from codes.ranking_parameters), (select max(version) from codes.harm_weights)"
    ).fetchall()[0]
    person = f"""
        select person_id, 'listed' as list_status, cast(sum(contribution) as decimal(28, 12)) as score,
            max(n_incidents) as n_incidents, max(n_victims) as n_victims,
            row_number() over (order by sum(contribution) desc, person_id) as national_rank,
            row_number() over (
                partition by substr(person_id, 2, 1) order by sum(contribution) desc, person_id
            ) as list_place, 'region ' || substr(person_id, 2, 1) as list_scope_code,
            '{versions[0]}' as parameters_version, '{versions[1]}' as weights_version, 0 as n_non_crime_incidents
        from scored_{{side}} group by person_id
    """
    offence = """
        select person_id, offence_id, record_id, '8N' as offence_code, reported_at, age as age_days, s as severity_days,
            decay, o as outcome_weight, l as link_probability, is_in_window, is_counted, v as victim_ids
        from scored_{side}
    """
    put("marts.ranked_perpetrators", person.format(side="now"))
    put("marts.ranked_perpetrator_offences", offence.format(side="now"))
    put("staging.stg_run__previous_ranked_perpetrators", person.format(side="then"))
    put("staging.stg_run__previous_ranked_perpetrator_offences", offence.format(side="then"))
    put(
        "staging.stg_run__previous_release",
        "select '2026-01_0' as release_id, timestamp '2026-01-31 23:59:59' as ranked_at",
    )
    put(
        "repository.national_run",
        "select timestamp '2026-02-28 23:59:59' as ranked_at, date '2026-02-28' as period_end",
    )
    put("repository.national_persons", "select distinct person_id from facts")
    put("repository.national_person_records", "select distinct record_id, person_id from facts")
    put("repository.national_person_gates", "select '' as person_id where false")
    put("repository.national_previous_persons", "select '' as previous_person_id where false")
    put(
        "repository.national_involvements",
        "select distinct offence_id, 'victim' as role, 'F' as sex from facts where v = []",
    )


def test_causes_sum_to_the_change_exactly(causes: duckdb.DuckDBPyConnection) -> None:
    off = causes.execute("""
        with sums as (select person_id, sum(points) as points, sum(listed_points) as listed from found group by 1)
        select count(*), count(*) filter (
            coalesce(sums.points, 0) <> coalesce(n.score, 0) - coalesce(t.score, 0)
            or coalesce(sums.listed, 0) <> coalesce(n.score, 0) - coalesce(t.score, 0)
        )
        from marts.ranked_perpetrators as n
        full join staging.stg_run__previous_ranked_perpetrators as t using (person_id)
        left join sums using (person_id)
    """).fetchall()[0]
    assert off[0] > 0.95 * N_PERSONS
    assert off[1] == 0


def test_the_steps_arrive_at_the_score_of_now_and_leave_nothing_over(
    causes: duckdb.DuckDBPyConnection,
) -> None:
    """Nothing was gated and no parameter changed, so these two have nothing to explain: what they would hold is error."""
    assert (
        causes.execute(
            "select * from found where cause in ('gate', 'parameters', 'review') and points <> 0"
        ).fetchall()
        == []
    )


def test_time_never_adds_and_a_new_allegation_never_takes_away(causes: duckdb.DuckDBPyConnection) -> None:
    worst = dict(
        causes.execute(
            "select cause, max(points * if(cause = 'decay', 1, -1)) from found group by 1"
        ).fetchall()
    )
    assert worst["decay"] <= 0
    assert worst["new_allegation"] <= 0


@pytest.mark.parametrize("cause", ["record", "outcome", "link", "new_allegation"])
def test_a_cause_names_the_allegations_it_touched_and_no_others_have_it(
    causes: duckdb.DuckDBPyConnection, cause: str
) -> None:
    touched, moved = causes.execute(
        "select count(*) filter (len(offence_ids) > 0), count(*) filter (len(offence_ids) = 0) from found where cause = ?",
        [cause],
    ).fetchall()[0]
    assert touched > 1000
    assert moved == 0


def test_who_left_a_list_was_on_it_and_for_each_somebody_entered(causes: duckdb.DuckDBPyConnection) -> None:
    """All are eligible then and now, so `movement` has no exits; a list of 1,000 places, or 100, has as many as entries."""
    n_left, was_on, is_off, n_entered, moved_among_eligible = causes.execute("""
        select
            count(*) filter (national_list_movement = 'left'),
            bool_and(previous_national_rank <= 1000) filter (national_list_movement = 'left'),
            bool_and(national_rank > 1000) filter (national_list_movement = 'left'),
            count(*) filter (national_list_movement = 'entered'),
            count(*) filter (movement in ('entered', 'left'))
        from movers where person_id in (select person_id from scored_now)
    """).fetchall()[0]
    gone = causes.execute("select count(*) from movers where movement = 'left'").fetchall()[0][0]
    assert n_left > 100 and was_on and is_off and moved_among_eligible == 0
    assert n_left <= n_entered <= n_left + gone
    by_list = causes.execute("""
        select
            count(*) filter (was_on) as n_before, count(*) filter (is_on) as n_now,
            count(*) filter (force_list_movement is null and (was_on or is_on)) as n_untold,
            count(*) filter (force_list_movement = 'left' and is_on) as n_wrong
        from (
            select *, previous_list_place is not null as was_on, list_place is not null as is_on,
                coalesce(list_scope_code, previous_list_scope_code) as scope
            from movers
        ) group by scope
    """).fetchall()
    # P0 has a list for itself.
    assert sorted(by_list) == [(1, 1, 0, 0), *[(100, 100, 0, 0)] * 9]


def test_without_a_release_of_the_month_before_nobody_moves(warehouse: Path) -> None:
    with duckdb.connect(str(warehouse / "warehouse" / "vawg.duckdb"), read_only=True) as connection:
        for mart in ("ranked_perpetrator_movers", "ranked_perpetrator_move_causes"):
            assert connection.execute(f"select count(*) from marts.{mart}").fetchall() == [(0,)]


def test_the_steps_are_those_of_the_seed_in_its_order(warehouse: Path) -> None:
    """The model names its steps by number; who reads the seed must find the same order there."""
    with duckdb.connect(str(warehouse / "warehouse" / "vawg.duckdb"), read_only=True) as connection:
        rows = connection.execute(
            "select cause, cause_no from codes.move_causes order by cause_no"
        ).fetchall()
    model = (
        Path(__file__).parents[2] / "dbt_project/models/marts/ranked_perpetrator_move_causes.sql"
    ).read_text()
    written = model[model.index("{% set step = {") :].splitlines()[0]
    assert [f"'{cause}': {number}" in written for cause, number in rows] == [True] * 7 + [False]
