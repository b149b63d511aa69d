"""The score against a table worked by hand and against the mart's own SQL; and that nobody looks ahead."""

from __future__ import annotations

from dataclasses import replace

import duckdb
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.monitoring.challenger import FEATURES, features
from assets.monitoring.events import Allegations, allegations_of, seconds
from assets.monitoring.parameters import monitoring, rfg_bands, score_parameters
from assets.monitoring.rankers import Snapshot, formula, later, month_end, months_before, peers, rfg, v100

T = np.datetime64("2026-06-30T23:59:59")
PARAMETERS = score_parameters()


def days_before(days: float) -> np.datetime64:
    return T - np.timedelta64(int(days * 86400), "s")


# person, age (days), severity, outcome weight, link, event, victim
HAND = [
    ("P1", 0, 100, 1, 1, "a", "v"),  # sqrt 100 = 10
    ("P2", 180, 100, 1, 1, "b", "w"),  # 10 halved = 5
    ("P2", 0, 400, 1, 1, "c", "w"),  # 20; N 2, V 1: (5 + 20) * sqrt 2
    ("P3", 0, 100, 1, 1, "d", "x"),
    ("P3", 0, 100, 1, 1, "e", "y"),  # N 2, V 2: (10 + 10) * 2
    ("P4", 180, 100, 1, 1, "f", "z"),  # 5
    ("P4", 0, 900, 0, 1, "g", "zz"),  # acquitted: adds nothing to sum, N or V
    ("P5", 720, 3600, 1, 0.8, "h", "u"),  # 60 / 16 * .8 = 3
    ("P5", 2300, 3600, 1, 1, "i", "u"),  # older than six years: out
    ("P6", 360, 900, 1, 1, "j", "s"),
    ("P6", 360, 900, 1, 1, "j", "t"),
    ("P6", 360, 900, 1, 1, "j", None),  # 30 / 4 = 7.5 once, with three victims
    ("P6", 540, 64, 1, 1, "k", None),  # 8 / 8 = 1; the victims without an id are one: V 3, N 2: 8.5 * sqrt 6
]
SCORES = {"P1": 10, "P2": 25 * 2**0.5, "P3": 40, "P4": 5, "P5": 3, "P6": 8.5 * 6**0.5}


def of_rows(
    rows: list[tuple[str, float, float, float, float, str, str | None]],
) -> tuple[Allegations, list[str]]:
    person, age, severity, outcome, link, event, victim = zip(*rows, strict=True)
    reported = np.array([days_before(a) for a in age])
    return allegations_of(person, reported, severity, outcome, link, event, victim)


def test_six_persons_worked_by_hand() -> None:
    allegations, persons = of_rows(HAND)
    scores = formula(allegations, int(seconds(T)), PARAMETERS)
    assert dict(zip(persons, scores, strict=True)) == pytest.approx(SCORES, abs=1e-9)


def test_shuffled_rows_give_the_same_bits() -> None:
    allegations, _ = of_rows(HAND)
    other, _ = of_rows(HAND[::-1])
    at = int(seconds(T))
    assert formula(allegations, at, PARAMETERS).tobytes() == formula(other, at, PARAMETERS).tobytes()


# As ranked_perpetrator_offences and ranked_perpetrators have it, on rows of person, event and victim.
MART = """
with allegations as (
    select person, event, reported_at, severity, outcome, link, date_diff('second', reported_at, t) / 86400.0 as age_days,
        reported_at > t - to_months(24) as is_in_window
    from (select distinct person, event, reported_at, severity, outcome, link from rows), (select $t::timestamp as t)
    where reported_at <= t and reported_at > t - to_months(72)
),
counted as (select * from allegations where outcome = 1 and is_in_window),
incidents as (select person, count(distinct event) as n from counted group by person),
victims as (
    select counted.person, count(distinct rows.victim) + max(case when rows.victim is null then 1 else 0 end) as v
    from counted join rows using (person, event) group by counted.person
)
select person, sum(
    power(
        least(greatest(coalesce(n, 0), 1), 10) * least(greatest(coalesce(v, 0), 1), 10), 0.5
    ) * power(severity, 0.5) * power(2::double, -age_days / 180) * outcome * link
) as score
from allegations left join incidents using (person) left join victims using (person)
group by person order by person
"""

ALLEGATIONS = st.lists(
    st.tuples(
        st.integers(0, 4),
        # On and about the boundaries of the window (730 days) and the cut (2191) more often than chance would.
        st.integers(-400, 2400) | st.sampled_from([0, 729, 730, 731, 760, 2190, 2191, 2192, 2220]),
        st.sampled_from([1.0, 84.0, 1825.0, 5475.0]),
        st.sampled_from([0.0, 1.0]),
        st.sampled_from([0.5, 1.0]),
        st.lists(st.sampled_from(["v1", "v2", "v3", None]), min_size=1, max_size=3, unique=True),
    ),
    min_size=1,
    max_size=30,
)


@settings(max_examples=60, deadline=None)
@given(ALLEGATIONS)
def test_the_score_is_that_of_the_mart(
    drawn: list[tuple[int, int, float, float, float, list[str | None]]],
) -> None:
    rows = [
        (f"P{person}", age, severity, outcome, link, f"e{i}", victim)
        for i, (person, age, severity, outcome, link, victims) in enumerate(drawn)
        for victim in victims
    ]
    allegations, persons = of_rows(rows)
    mine = dict(zip(persons, formula(allegations, int(seconds(T)), PARAMETERS), strict=True))
    frame = pl.DataFrame(
        {
            **{
                name: [row[i] for row in rows]
                for name, i in (("person", 0), ("severity", 2), ("outcome", 3), ("link", 4), ("event", 5))
            },
            "victim": pl.Series([row[6] for row in rows], dtype=pl.String),
            "reported_at": np.array([days_before(row[1]) for row in rows]).astype("datetime64[us]"),
        }
    )
    with duckdb.connect() as connection:
        connection.register("rows", frame.to_arrow())
        theirs = dict(connection.execute(MART, {"t": str(T)}).fetchall())
    assert {p: mine[p] for p in theirs} == pytest.approx(theirs, rel=1e-9, abs=1e-12)
    assert all(mine[p] == 0 for p in mine if p not in theirs)


@settings(max_examples=60, deadline=None)
@given(ALLEGATIONS, st.integers(1, 300))
def test_what_is_reported_later_changes_no_score(
    drawn: list[tuple[int, int, float, float, float, list[str | None]]], shift: int
) -> None:
    """The future is moved, made graver and its outcomes turned: every ranker and every feature stays bit for bit."""
    rows = [
        (f"P{person}", age, severity, outcome, link, f"e{i}", victim)
        for i, (person, age, severity, outcome, link, victims) in enumerate(drawn)
        for victim in victims
    ]
    moved = [
        (p, age - shift, severity * 3, 1 - outcome, link, event, victim) if age < 0 else (p, age, severity, outcome, link, event, victim)
        for p, age, severity, outcome, link, event, victim in rows
    ]  # fmt: skip
    at, bands = int(seconds(T)), rfg_bands()
    known, other = Snapshot(of_rows(rows)[0], at), Snapshot(of_rows(moved)[0], at)
    for name, ranker in peers(PARAMETERS, monitoring(), bands, has_incidents=True).items():
        assert ranker(known).tobytes() == ranker(other).tobytes(), name
    assert features(known, PARAMETERS).tobytes() == features(other, PARAMETERS).tobytes()


def test_the_edges_of_the_window_and_of_the_cut_are_outside() -> None:
    """Two incidents now and then: only one reported after T less 24 months multiplies, and only after 72 does it add."""
    now = ("P", "2026-06-30T23:59:59", "a")
    for then, counted, adds in (
        ("2024-06-30T23:59:59", 1, True),
        ("2024-07-01T00:00:00", 2, True),
        ("2020-06-30T23:59:59", 1, False),
        ("2020-07-01T00:00:00", 1, True),
    ):
        rows = [now, ("P", then, "b")]
        allegations, _ = allegations_of(
            [r[0] for r in rows], np.array([r[1] for r in rows], "datetime64[s]"), [100, 100], [1, 1], [1, 1],
            [r[2] for r in rows],
        )  # fmt: skip
        snapshot = Snapshot(allegations, int(seconds(T)))
        assert snapshot.n_incidents(snapshot.since(24))[0] == counted, then
        score = formula(allegations, snapshot.at, PARAMETERS)[0]
        assert (score > 10 * counted**0.5 + 1e-9) == adds, then


def test_an_outcome_counts_from_when_it_was_known() -> None:
    allegations, persons = of_rows([("P1", 10, 100, 0, 1, "a", "v")])
    at = int(seconds(T))
    before = replace(allegations, outcome_at=np.array([at + 1]))
    assert formula(allegations, at, PARAMETERS).tolist() == [0] and persons == ["P1"]
    assert formula(before, at, PARAMETERS)[0] == pytest.approx(10 * 2 ** (-10 / 180))


def test_months_before_and_month_ends_are_those_of_sql() -> None:
    for moment, months in (
        ("2026-06-30T23:59:59", 24),
        ("2026-03-31T23:59:59", 1),
        ("2024-02-29T10:00:00", 12),
    ):
        (there,) = duckdb.execute(
            "select $m::timestamp - to_months($n)", {"m": moment, "n": months}
        ).fetchall()[0]
        assert months_before(int(seconds(moment)), months) == int(seconds(there))
    assert month_end(np.datetime64("2024-02", "M")) == int(seconds("2024-02-29T23:59:59"))


def test_v100_wants_two_within_a_year() -> None:
    allegations, persons = of_rows(
        [("P1", 10, 500, 1, 1, "a", None), ("P2", 10, 50, 1, 1, "b", None), ("P2", 364, 60, 1, 1, "c", None),
         ("P3", 10, 50, 1, 1, "d", None), ("P3", 366, 60, 1, 1, "e", None), ("P4", 10, 50, 1, 1, "f", None),
         ("P4", 11, 50, 0, 1, "g", None)]
    )  # fmt: skip
    scores = v100(Snapshot(allegations, int(seconds(T))), 365, 2)
    assert dict(zip(persons, scores, strict=True)) == {"P1": 0, "P2": 110, "P3": 0, "P4": 0}


def test_rfg_is_the_product_of_its_bands() -> None:
    allegations, persons = of_rows(
        [("P1", 10, 500, 1, 1, "a", None),  # 5 x 1 x 4
         ("P2", 200, 10, 1, 1, "b", None), ("P2", 300, 5000, 1, 1, "c", None),  # 2 x 2 x 5
         ("P3", 800, 10, 1, 1, "d", None),  # 1 x 1 x 2: older than two years
         ("P4", 5, 900, 0, 1, "e", None)]  # acquitted: nobody
    )  # fmt: skip
    scores = rfg(Snapshot(allegations, int(seconds(T))), rfg_bands(), PARAMETERS)
    assert dict(zip(persons, scores, strict=True)) == {"P1": 20, "P2": 20, "P3": 2, "P4": 0}


def test_later_harm_occurred_afterwards_and_was_reported_in_the_window() -> None:
    allegations, _ = of_rows(
        [("P1", 5, 1, 1, 1, "known", None), ("P1", -5, 10, 1, 1, "later", None), ("P1", -9, 100, 1, 1, "old, late", None),
         ("P1", -40, 1000, 1, 1, "too late", None), ("P1", -6, 5000, 0, 1, "disproved", None)]
    )  # fmt: skip
    occurred = allegations.reported_at.copy()
    at = int(seconds(T))
    occurred[allegations.severity == 100] = at
    after = later(allegations, occurred, at, at + 30 * 86400)
    assert (after.harm[0], after.n_events[0], after.gravest[0]) == (10, 1, 10)


def test_features_are_as_many_as_their_names() -> None:
    allegations, _ = of_rows(HAND)
    assert features(Snapshot(allegations, int(seconds(T))), PARAMETERS).shape == (6, len(FEATURES))


def test_the_parameters_are_those_of_the_seed() -> None:
    assert (PARAMETERS.severity_exponent, PARAMETERS.half_life_days, PARAMETERS.multiplier_exponent) == (
        0.5,
        180,
        1,
    )
    assert (PARAMETERS.multiplier_cap, PARAMETERS.window_months, PARAMETERS.cut_months) == (10, 24, 72)
