"""Laws of the list, each held against ten thousand random persons at once, from the extracts to the marts.

What must never count adds nothing anywhere; an amendment never makes an old report new; nothing that is taken away raises
a score; ties always resolve, whatever order rows come in. What is expected is worked out here from the raw rows, by the
words of the design and not by the SQL, and the score by the formula that the monitoring runs on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest

from assets.monitoring.events import allegations_of, seconds
from assets.monitoring.parameters import ScoreParameters, rfg_bands, score_parameters
from assets.monitoring.rankers import Snapshot, formula, multiplier, rfg, v100
from tests.dbt.conftest import PROJECT, dbt
from tests.dbt.handmade import JUNE_END, T
from tests.dbt.random_nation import KEY, Nation, deleted, draw, sent_again

pytestmark = pytest.mark.heavy

N_PERSONS, SEED, SHUFFLE = 10_000, 20_260_630, 7
BUILT = (
    "+perpetrator_lists",
    "+ranked_perpetrator_offences",
    "+safeguarding_children",
    "+perpetrator_list_pools",
)
YEAR_AGO, WINDOW_FROM, CUT_FROM = (datetime(y, 6, 30, 23, 59, 59) for y in (2025, 2024, 2020))
VERSION = ["period", "sequence"]
SCORES = ("score", "score_grave", "score_gravest_harm", "score_rfg")
PLACES = {
    "score": "national_rank",
    "score_gravest_harm": "national_rank_gravest_harm",
    "score_rfg": "national_rank_rfg",
}
HELD = (
    "disputed",
    "identity_under_review",
    "deferred_by_review",
    "age_unknown",
    "in_custody",
    "outcome_unknown",
)


def build(root: Path) -> duckdb.DuckDBPyConnection:
    """Build what the laws read; the warehouse, read only."""
    built = dbt(root, "build", "--select", *BUILT, "--exclude-resource-type", "test", "unit_test")
    assert built.returncode == 0, built.stdout[-6000:]
    return duckdb.connect(str(root / "warehouse" / "vawg.duckdb"), read_only=True)


@pytest.fixture(scope="module")
def drawn() -> Nation:
    return draw(N_PERSONS, SEED)


@pytest.fixture(scope="module")
def base(drawn: Nation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    with build(drawn.write(tmp_path_factory.mktemp("drawn"))) as connection:
        yield connection


@pytest.fixture(scope="module")
def amended(drawn: Nation) -> Amended:
    return Amended(drawn)


@pytest.fixture(scope="module")
def after(amended: Amended, tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    with build(amended.nation.write(tmp_path_factory.mktemp("amended"))) as connection:
        yield connection


class Amended:
    """The same nation a submission later: crimes sent again, taken back, lessened, and new ones that weigh nothing.

    `lessened`: crimes of which something was taken away. `kept`: crimes amended in what no score is made of, their time of
    report among it. `added`: new crimes that do not count.
    """

    def __init__(self, drawn: Nation) -> None:
        rng = np.random.default_rng(SEED + 1)
        crimes, _, suspects, _ = standing(drawn)
        # What says that a suspect died stays: without it somebody would be alive again.
        free = crimes.filter(pl.col("outcome_code").ne_missing("5"))
        lot = pl.Series(rng.random(free.height))
        self.kept = free.filter(lot < 0.3)
        self.lessened = free.filter((lot >= 0.3) & (lot < 0.42))
        share = pl.Series(rng.random(self.lessened.height))
        parts = [self.lessened.filter((share >= i / 5) & (share < (i + 1) / 5)) for i in range(5)]
        days = pl.Series(rng.integers(1, 900, self.kept.height))
        later = pl.min_horizontal(pl.col("reported_at") + pl.duration(days=pl.lit(days)), pl.lit(T))
        known = pl.col("outcome_code").is_null() | pl.col("outcome_code").is_in(["0", "1", "8", "9", "15"])
        amended = sent_again(
            drawn,
            self.kept,
            2,
            # A time of report after T stays after T; the others come nearer to it.
            reported_at=pl.when(pl.col("reported_at") > T).then("reported_at").otherwise(later),
            recorded_at=pl.col("recorded_at") + pl.duration(days=3),
            outcome_code=pl.when(known).then(pl.lit("16")).otherwise("outcome_code"),
        )
        amended = sent_again(amended, parts[0], 2, status=pl.lit("cancelled"))
        amended = sent_again(amended, parts[1], 2, outcome_code=pl.lit("14"))
        # What was not yet reported at T stays so: it may not come in by the back door.
        reported = pl.col("reported_at")
        earlier = pl.when(reported > T).then(reported).otherwise(reported - pl.duration(days=100))
        amended = sent_again(amended, parts[2], 2, reported_at=earlier)
        amended = sent_again(amended, parts[3], 2)
        cleared = parts[3].select(*KEY, sequence=pl.lit(2, pl.Int32), is_cleared=pl.lit(value=True))
        rows = amended.suspects.join(cleared, on=[*KEY, "sequence"], how="left", maintain_order="left")
        amended = replace(
            amended,
            suspects=rows.with_columns(
                status=pl.when("is_cleared").then(pl.lit("eliminated")).otherwise("status")
            ).drop("is_cleared"),
            deletions=pl.concat([amended.deletions, deleted(parts[4], "offences", "crime_ref", 2)]),
        )
        self.nation, self.added = weightless(rng, amended, crimes, suspects)


def weightless(
    rng: np.random.Generator, drawn: Nation, crimes: pl.DataFrame, suspects: pl.DataFrame
) -> tuple[Nation, pl.DataFrame]:
    """The nation with new grave crimes of yesterday, none of which counts: for one suspect in ten, one each."""
    whom = (
        suspects.filter(pl.col("person_ref").is_not_null() & pl.Series(rng.random(suspects.height) < 0.1))
        .unique(["force_code", "person_ref"], keep="first", maintain_order=True)
        .with_columns(why=pl.int_range(pl.len()) % 7, crime_ref=pl.format("Z{}", pl.int_range(pl.len())))
    )
    at = {"period": pl.lit(crimes["period"].max()), "sequence": pl.lit(2, pl.Int32)}
    yesterday = pl.lit(datetime(2026, 6, 29, 12)).cast(pl.Datetime("us"))
    why = pl.col("why")
    new = whom.select(
        *KEY,
        **at,
        offence_code=pl.lit("19C"),
        committed_from=yesterday,
        reported_at=yesterday,
        recorded_at=yesterday,
        outcome_code=pl.when(why == 0)
        .then(pl.lit("14"))
        .when(why == 1)
        .then(pl.lit("18"))
        .when(why == 2)
        .then(pl.lit("11"))
        .otherwise(pl.lit("0")),
        status=pl.when(why == 3)
        .then(pl.lit("cancelled"))
        .when(why == 4)
        .then(pl.lit("transferred"))
        .otherwise(pl.lit("live")),
    )
    named = whom.select(
        *KEY,
        **at,
        person_ref="person_ref",
        suspect_no=pl.lit(1, pl.Int64),
        status=pl.when(why == 5)
        .then(pl.lit("eliminated"))
        .when(why == 6)
        .then(pl.lit("acquitted"))
        .otherwise(pl.lit("charged")),
        age=pl.lit(None, pl.Int64),
    )
    victims = new.select(
        *KEY,
        *VERSION,
        victim_no=pl.lit(1, pl.Int64),
        victim_type=pl.lit("person"),
        person_ref=pl.lit(None, pl.String),
        sex=pl.lit("F"),
        age=pl.lit(30, pl.Int64),
    )
    more = replace(
        drawn,
        crimes=pl.concat([drawn.crimes, new.select(drawn.crimes.columns)]),
        suspects=pl.concat([drawn.suspects, named.select(drawn.suspects.columns)]),
        victims=pl.concat([drawn.victims, victims.select(drawn.victims.columns)]),
    )
    return more, new


def standing(drawn: Nation) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """crimes, victims, suspects and persons in the version that stands; a crime with its first time of report."""

    def latest(frame: pl.DataFrame, extract: str, key: str) -> pl.DataFrame:
        gone = (
            drawn.deletions.filter(pl.col("extract") == extract)
            .sort(VERSION)
            .unique(["force_code", "record_ref"], keep="last")
            .select("force_code", pl.col("record_ref").alias(key), gone_in="period", gone_by="sequence")
        )
        rows = frame.sort(VERSION).unique(["force_code", key], keep="last", maintain_order=True)
        later = (pl.col("gone_in") > pl.col("period")) | (
            (pl.col("gone_in") == pl.col("period")) & (pl.col("gone_by") > pl.col("sequence"))
        )
        found = rows.join(gone, on=["force_code", key], how="left").filter(~later.fill_null(value=False))
        return found.drop("gone_in", "gone_by")

    first = drawn.crimes.group_by(KEY).agg(pl.col("reported_at").min())
    crimes = latest(drawn.crimes, "offences", "crime_ref").drop("reported_at").join(first, on=KEY)
    version = [*KEY, *VERSION]
    victims, suspects = (
        f.join(crimes.select(version), on=version, how="semi") for f in (drawn.victims, drawn.suspects)
    )
    # In a fixed order: what is drawn from them must be the same at each run.
    return (
        crimes.sort(KEY),
        victims.sort(*KEY, "victim_no"),
        suspects.sort(*KEY, "suspect_no"),
        latest(drawn.persons, "persons", "person_ref").sort("force_code", "person_ref"),
    )


def years(born: str, on: pl.Expr) -> pl.Expr:
    """Birthdays had by a day; one of 29 February is had on 1 March."""
    day, to = pl.col(born), on.dt
    had = (to.month() > day.dt.month()) | ((to.month() == day.dt.month()) & (to.day() >= day.dt.day()))
    return (to.year() - day.dt.year()).cast(pl.Int64) - (~had).cast(pl.Int64)


class Expected:
    """What the words of the design say of a nation.

    `allegations`: person x crime in scope, with `is_counted`. `persons_of_all`: a row a person with any, and the gates;
    `persons`: those with a score, N, V, and why they are not listed. `victims`: the women and girls of each crime.
    """

    def __init__(self, drawn: Nation) -> None:
        crimes, victims, suspects, persons = standing(drawn)
        birth = pl.col("date_of_birth")
        nominals = persons.with_columns(
            record_id=pl.col("force_code") + "|" + pl.col("person_ref"),
            date_of_birth=pl.when(birth != date(1900, 1, 1)).then(birth),
        ).join(drawn.links, on="record_id")
        self.allegations = self._allegations(crimes, victims, suspects, nominals)
        self.victims = victims.filter(pl.col("sex") == "F").join(
            nominals.select("force_code", "person_ref", victim_id="person_id"),
            on=["force_code", "person_ref"],
            how="left",
        )
        self.persons_of_all = self._gated(nominals)
        self.persons = self._judged(self._scored(self.persons_of_all), drawn)

    @staticmethod
    def _allegations(
        crimes: pl.DataFrame, victims: pl.DataFrame, suspects: pl.DataFrame, nominals: pl.DataFrame
    ) -> pl.DataFrame:
        harm = pl.read_csv(
            PROJECT.parent / "data_contracts" / "codes" / "harm_weights.csv",
            schema_overrides={"offence_code": pl.String},
        )
        of_women = victims.filter((pl.col("sex") == "F") & (pl.col("age").is_null() | (pl.col("age") >= 10)))
        in_scope = crimes.filter(~pl.col("offence_code").is_in(["39", "8S", "104"])).join(
            of_women, on=KEY, how="semi"
        )
        named = suspects.filter(pl.col("status") != "unidentified").group_by(KEY).agg(n_named=pl.len())
        who = ["force_code", "person_ref"]
        rows = (
            suspects.select(*KEY, "suspect_no", "person_ref", "age", suspect_status="status")
            .join(
                in_scope.select(
                    *KEY, "offence_code", "committed_from", "reported_at", "outcome_code", "status"
                ),
                on=KEY,
            )
            .join(nominals.select(*who, "person_id", "date_of_birth", "probability"), on=who)
            .join(harm.select("offence_code", severity="cchi_days"), on="offence_code")
            .join(named, on=KEY, how="left")
            .with_columns(
                offence_id=pl.col("force_code") + "|" + pl.col("crime_ref"),
                outcome=pl.col("outcome_code").fill_null("0"),
                youngest=pl.min_horizontal("age", years("date_of_birth", pl.col("committed_from"))),
            )
        )
        never = (
            pl.col("status").is_in(["cancelled", "transferred"])
            | pl.col("suspect_status").is_in(["acquitted", "eliminated", "unidentified"])
            | pl.col("outcome").is_in(["11", "14", "18"])
            | (pl.col("youngest") < 18).fill_null(value=False)
        )
        unknown = ["19", "", "99"]
        return (
            rows.with_columns(is_counted=~never, is_known=~pl.col("outcome").is_in(unknown))
            .sort("is_counted", "probability", "suspect_no", descending=[True, True, False])
            .unique(["person_id", "offence_id"], keep="first", maintain_order=True)
            .with_columns(
                is_within=(pl.col("reported_at") > CUT_FROM) & (pl.col("reported_at") <= T),
                days_ago=(pl.lit(T).dt.date() - pl.col("committed_from").dt.date()).dt.total_days(),
            )
        )

    def _gated(self, nominals: pl.DataFrame) -> pl.DataFrame:
        """Who is a child, dead, in custody or withheld, of all who stand against a crime in scope."""
        custody = (
            nominals.with_columns(is_said=pl.col("in_custody").is_in(["Y", "N"]).fill_null(value=False))
            .sort("is_said", *VERSION, "record_id", descending=[True, True, True, False])
            .unique("person_id", keep="first", maintain_order=True)
            .select("person_id", "in_custody")
        )
        facts = nominals.group_by("person_id").agg(
            born=pl.col("date_of_birth").max(),
            died=pl.col("deceased_on").min(),
            withheld=pl.col("withheld").any(),
        )
        told = self.allegations.group_by("person_id").agg(
            is_said_dead=((pl.col("outcome") == "5") & (pl.col("n_named").fill_null(1) == 1)).any(),
            implied_age=(pl.col("youngest") + (pl.col("days_ago") / 366).floor()).min(),
        )
        return (
            told.join(facts, on="person_id")
            .join(custody, on="person_id")
            .with_columns(age_now=pl.coalesce(years("born", pl.lit(T)).cast(pl.Float64), "implied_age"))
            .with_columns(
                is_dead=(pl.col("died") <= JUNE_END).fill_null(value=False) | pl.col("is_said_dead"),
                is_child=(pl.col("age_now") < 18).fill_null(value=False),
            )
        )

    def _scored(self, persons: pl.DataFrame) -> pl.DataFrame:
        """N, V, multiplier and the scores of every lens, by the code that the monitoring and back-tests run on."""
        rows = self.allegations.filter("is_within").join(
            self.victims.select(*KEY, "victim_id"), on=KEY, how="inner"
        )
        rows = rows.join(persons.filter(~pl.col("is_child") & ~pl.col("is_dead")), on="person_id", how="semi")
        found, ids = allegations_of(
            rows["person_id"].to_list(),
            rows["reported_at"].to_numpy(),
            rows["severity"].to_numpy(),
            rows["is_counted"].cast(pl.Float64).to_numpy(),
            rows["probability"].to_numpy(),
            rows["offence_id"].to_list(),
            rows["victim_id"].to_list(),
        )
        parameters, at = score_parameters(), int(seconds(np.datetime64(T)))
        grave = parameters.but(severity_exponent=parameters.severity_exponent_grave)
        snapshot = Snapshot(found, at)
        scores = pl.DataFrame(
            {
                "person_id": ids,
                "score": formula(found, at, parameters),
                "score_grave": formula(found, at, grave),
                "score_gravest_harm": v100(snapshot, 365, 0),
                "score_rfg": rfg(snapshot, rfg_bands(), parameters),
                "multiplier": multiplier(snapshot, parameters),
            }
        )
        unsure = unsure_terms(rows.filter(~pl.col("is_known")), parameters)
        counted = rows.filter(pl.col("is_counted"))
        window = counted.filter(pl.col("reported_at") > WINDOW_FROM)
        of_person = [
            counted.group_by("person_id").agg(
                n_counted=pl.col("offence_id").n_unique(),
                is_recent=(pl.col("reported_at") > YEAR_AGO).any(),
                best_link=pl.col("probability").max(),
            ),
            window.group_by("person_id").agg(
                n_incidents=pl.col("offence_id").n_unique(),
                n_victims=pl.col("victim_id").fill_null("").n_unique(),
            ),
            unsure,
        ]
        scored = persons.join(scores, on="person_id")
        for part in of_person:
            scored = scored.join(part, on="person_id", how="left")
        return scored.with_columns(
            pl.col("n_counted", "n_incidents", "n_victims", "unsure").fill_null(0),
            pl.col("is_recent").fill_null(value=False),
        )

    def _judged(self, scored: pl.DataFrame, drawn: Nation) -> pl.DataFrame:
        """Why each person is not listed; null: listed."""
        decided = pl.DataFrame(drawn.decisions).select("person_id", "entry_id", "state", "is_frozen").unique()
        removed = (
            self.allegations.filter(pl.col("is_counted") & pl.col("is_within"))
            .join(decided.filter(pl.col("state") == "removed"), on="person_id")
            .join(pl.DataFrame(drawn.removals), on=["entry_id", "offence_id"], how="anti")
        )
        is_new = pl.col("person_id").is_in(removed["person_id"].implode())
        reasons = [
            ((pl.col("state") == "removed") & ~is_new, "removed_by_review"),
            (pl.col("is_frozen"), "disputed"),
            (pl.col("withheld"), "identity_under_review"),
            (pl.col("state") == "deferred", "deferred_by_review"),
            (pl.col("age_now").is_null(), "age_unknown"),
            (pl.col("n_counted") == 0, "no_counted_allegation"),
            (pl.col("n_incidents") < 2, "too_few_incidents"),
            (~pl.col("is_recent"), "no_recent_incident"),
            (pl.col("best_link") < 0.9, "link_too_uncertain"),
            (pl.col("in_custody") == "Y", "in_custody"),
            (pl.col("unsure") * pl.col("multiplier") > pl.col("score") * 0.25, "outcome_unknown"),
        ]
        return scored.join(decided, on="person_id", how="left").with_columns(
            reason=pl.coalesce([pl.when(is_so).then(pl.lit(why)) for is_so, why in reasons])
        )


def unsure_terms(rows: pl.DataFrame, p: ScoreParameters) -> pl.DataFrame:
    """Of each person the sum of s^a 2^(-age/h) l over the allegations given that count: `unsure`."""
    age = (pl.lit(T) - pl.col("reported_at")).dt.total_seconds() / 86_400
    term = (
        pl.col("severity") ** p.severity_exponent * 2.0 ** (-age / p.half_life_days) * pl.col("probability")
    )
    once = rows.filter("is_counted").unique(["person_id", "offence_id"])
    return once.group_by("person_id").agg(unsure=term.sum())


@pytest.fixture(scope="module")
def expected(drawn: Nation) -> Expected:
    return Expected(drawn)


def read(connection: duckdb.DuckDBPyConnection, sql: str) -> pl.DataFrame:
    return connection.execute(sql).pl()


def persons_of(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    return read(
        connection,
        "select person_id, list_status, status_reason, n_incidents, n_victims, n_counted, n_not_counted, multiplier, "
        f"{', '.join(f'cast({s} as double) as {s}' for s in SCORES)}, {', '.join(PLACES.values())} "
        "from marts.ranked_perpetrators order by person_id",
    )


def test_every_person_is_scored_and_judged_as_the_words_say(
    base: duckdb.DuckDBPyConnection, expected: Expected
) -> None:
    """The mart and an account of the raw rows agree on who has a score at all, N, V, m, every lens, and why not listed."""
    assert_as_the_words_say(base, expected)


def assert_as_the_words_say(connection: duckdb.DuckDBPyConnection, expected: Expected) -> None:
    found = persons_of(connection)
    assert found.height > N_PERSONS / 2
    both = found.join(expected.persons, on="person_id", how="full", suffix="_expected")
    assert both.filter(pl.col("person_id").is_null() | pl.col("person_id_expected").is_null()).is_empty()
    for count in ("n_incidents", "n_victims", "n_counted"):
        assert both.filter(pl.col(count) != pl.col(f"{count}_expected")).is_empty(), count
    for number in (*SCORES, "multiplier"):
        worst = (both[number] - both[f"{number}_expected"]).abs().max()
        assert worst is not None and worst <= 1e-9, number  # type: ignore[operator]
    assert both.filter(pl.col("status_reason").ne_missing(pl.col("reason"))).is_empty()


def test_what_must_never_count_adds_nothing_under_any_lens(
    base: duckdb.DuckDBPyConnection, expected: Expected
) -> None:
    """Cancelled, transferred, eliminated, acquitted, unidentified, under 18: a row with its reason and three zeros."""
    rows = read(
        base,
        "select person_id, offence_id, is_counted, not_counted_reason, contribution, contribution_grave, "
        "contribution_gravest_harm, points_shown from marts.ranked_perpetrator_offences",
    )
    never = expected.allegations.filter(~pl.col("is_counted")).select("person_id", "offence_id")
    found = rows.join(never, on=["person_id", "offence_id"], how="semi")
    assert found.height > 2_000
    adds = ["contribution", "contribution_grave", "contribution_gravest_harm", "points_shown"]
    assert found.filter(pl.any_horizontal(pl.col(adds) != 0) | pl.col("is_counted")).is_empty()
    assert found["not_counted_reason"].null_count() == 0
    assert rows.filter("is_counted").join(never, on=["person_id", "offence_id"], how="semi").is_empty()


def test_children_and_the_dead_are_in_no_mart_of_the_list(
    base: duckdb.DuckDBPyConnection, expected: Expected
) -> None:
    out = expected.persons_of_all.filter(pl.col("is_child") | pl.col("is_dead"))
    assert out.filter("is_child").height > 100
    assert out.filter("is_dead").height > 100
    marts = (
        "ranked_perpetrators",
        "ranked_perpetrator_offences",
        "perpetrator_lists",
        "ranked_perpetrator_uncertainty",
    )
    for mart in marts:
        found = read(base, f"select distinct person_id from marts.{mart}")
        assert found.join(out, on="person_id", how="semi").is_empty(), mart
    dead = out.filter("is_dead")
    assert (
        read(base, "select person_id from marts.safeguarding_children")
        .join(dead, on="person_id", how="semi")
        .is_empty()
    )


def test_who_has_no_nominal_and_who_was_taken_back_is_nobody(
    base: duckdb.DuckDBPyConnection, drawn: Nation
) -> None:
    """An allegation that no nominal carries is on nobody's account: every row of the mart has one that stands."""
    crimes, _, suspects, persons = standing(drawn)
    carried = suspects.join(persons, on=["force_code", "person_ref"], how="semi").select(
        offence_id=pl.col("force_code") + "|" + pl.col("crime_ref")
    )
    nameless = crimes.select(offence_id=pl.col("force_code") + "|" + pl.col("crime_ref")).join(
        carried, on="offence_id", how="anti"
    )
    assert nameless.height > 100
    rows = read(base, "select offence_id from marts.ranked_perpetrator_offences")
    assert rows.join(nameless, on="offence_id", how="semi").is_empty()


def test_who_may_not_be_listed_is_on_no_list_with_a_place(
    base: duckdb.DuckDBPyConnection, expected: Expected
) -> None:
    """Places are for the listed alone, under every lens; the held stand on the held list; the removed on none."""
    lists = read(base, "select list_kind, lens, person_id, place, score from marts.perpetrator_lists")
    reasons = lists.join(expected.persons.select("person_id", "reason"), on="person_id", how="left")
    kinds = {
        None: [
            "force_top",
            "force_next",
            "national_top",
            "national_next",
            "national_quota",
            "serious_single",
        ],
        "removed_by_review": [],
    }
    one_kind = {reason: ["held"] for reason in HELD}
    for reason, allowed in (kinds | one_kind).items():
        found = reasons.filter(pl.col("reason").eq_missing(pl.lit(reason)))["list_kind"]
        assert set(found.unique()) <= set(allowed), reason
    assert reasons.filter(pl.col("place").is_not_null() & pl.col("reason").is_not_null()).is_empty()
    assert reasons.filter((pl.col("reason") == "age_unknown") & pl.col("score").is_not_null()).is_empty()
    # Everybody who is held is on the held list.
    held = expected.persons.filter(pl.col("reason").is_in(HELD))
    assert held.join(lists.filter(pl.col("list_kind") == "held"), on="person_id", how="anti").is_empty()
    assert {*held["reason"].unique()} == set(HELD)


def test_the_rows_of_a_person_sum_to_the_score(base: duckdb.DuckDBPyConnection) -> None:
    """To the score; and, for whoever stands on a list, the points shown to the score shown."""
    wrong = read(
        base,
        """
        select persons.person_id
        from marts.ranked_perpetrators as persons
        left join (
            select
                person_id,
                sum(contribution) as score,
                sum(contribution_grave) as score_grave,
                sum(contribution_gravest_harm) as score_gravest_harm,
                sum(points_shown) as score_shown,
                count(*) as n_rows
            from marts.ranked_perpetrator_offences
            group by person_id
        ) as sums on persons.person_id = sums.person_id
        where
            sums.score is distinct from persons.score
            or sums.score_grave is distinct from persons.score_grave
            or sums.score_gravest_harm is distinct from persons.score_gravest_harm
            or sums.score_shown <> persons.score_shown
            or (sums.score_shown is null and persons.person_id in (select person_id from marts.perpetrator_lists))
            or sums.n_rows <> persons.n_allegations
        """,
    )
    assert wrong.is_empty()


LADDERS = {"force_next": "force_top", "national_next": "national_top"}


def test_ties_always_resolve(base: duckdb.DuckDBPyConnection, expected: Expected) -> None:
    """Hundreds share score, date, gravity, V and N to the last digit; still every list is 1, 2, 3 ... and a person once."""
    listed = expected.persons.filter(pl.col("reason").is_null())
    tied = listed.filter(pl.len().over(pl.col("score").round(9)) > 1)
    assert tied.height > 500
    lists = read(base, "select * from marts.perpetrator_lists where place is not null").with_columns(
        ladder=pl.col("list_kind").replace(LADDERS)
    )
    of_list = ["ladder", "lens", "list_scope", "list_scope_code"]
    for part in lists.partition_by(of_list):
        assert part["place"].sort().to_list() == list(range(1, part.height + 1))
        assert part["person_id"].n_unique() == part.height
    everywhere = read(
        base,
        "select list_kind, lens, list_scope, list_scope_code, count(*) as n, count(distinct person_id) as n_persons, "
        "count(distinct shown_order) as n_orders, min(shown_order) as first, max(shown_order) as last, "
        "max(n_on_list) as n_on_list from marts.perpetrator_lists group by all",
    )
    n = pl.col("n")
    counts = (
        (n == pl.col("n_persons"))
        & (n == pl.col("n_orders"))
        & (n == pl.col("last"))
        & (n == pl.col("n_on_list"))
    )
    assert everywhere.filter(~(counts & (pl.col("first") == 1))).is_empty()
    ranks = read(base, "select national_rank from marts.ranked_perpetrators where list_status = 'listed'")
    assert ranks["national_rank"].sort().to_list() == list(range(1, listed.height + 1))
    # Higher scores come first: a place never goes against the score.
    for score, rank in PLACES.items():
        order = read(
            base,
            f"select {score} < lead({score}) over (order by {rank}) as is_upside_down from marts.ranked_perpetrators "
            f"where {rank} is not null",
        )
        assert not order["is_upside_down"].any(), score


def digests(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Of every table and view of ranking and marts a digest of its rows in their own order."""
    tables = connection.execute(
        "select table_schema || '.' || table_name from information_schema.tables "
        "where table_schema in ('ranking', 'marts') order by 1"
    ).fetchall()
    sql = "select md5(string_agg(t::varchar, chr(10) order by t::varchar)) from {table} as t"
    return {table: connection.execute(sql.format(table=table)).fetchall()[0][0] for (table,) in tables}


def test_the_order_of_rows_and_files_and_the_number_of_threads_change_nothing(
    base: duckdb.DuckDBPyConnection,
    drawn: Nation,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("VAWG_THREADS", "1")
    with build(drawn.write(tmp_path, shuffled_by=SHUFFLE)) as shuffled:
        was, found = digests(base), digests(shuffled)
    assert "marts.perpetrator_lists" in was
    assert {table for table in was if was[table] != found.get(table)} == set()


def of_persons(crimes: pl.DataFrame, drawn: Nation) -> pl.DataFrame:
    """The persons whom any version of these crimes names: person_id."""
    return (
        drawn.suspects.join(crimes.select(KEY), on=KEY, how="semi")
        .select(record_id=pl.col("force_code") + "|" + pl.col("person_ref"))
        .join(drawn.links, on="record_id")
        .select("person_id")
        .unique()
    )


def test_an_amendment_of_an_old_report_raises_nothing(
    base: duckdb.DuckDBPyConnection, after: duckdb.DuckDBPyConnection, amended: Amended
) -> None:
    """Who had crimes amended in what no score is made of, or sent again with a later time of report, or got new ones that do
    not count, has the same N, V and scores to the last digit, and stands to the others as before."""
    touched = (
        of_persons(amended.kept, amended.nation).height,
        of_persons(amended.added, amended.nation).height,
    )
    assert min(touched) > 1_000
    lessened = of_persons(amended.lessened, amended.nation)
    was, now = (persons_of(c).join(lessened, on="person_id", how="anti") for c in (base, after))
    both = was.join(now, on="person_id", how="left", suffix="_now")
    assert both.height > 3_000
    for fact in (
        *SCORES,
        "n_incidents",
        "n_victims",
        "n_counted",
        "multiplier",
        "list_status",
        "status_reason",
    ):
        assert both.filter(pl.col(fact).ne_missing(pl.col(f"{fact}_now"))).is_empty(), fact
    assert both.filter(pl.col("n_not_counted_now") > pl.col("n_not_counted")).height > 500
    for rank in PLACES.values():
        then, since = (f.drop_nulls(rank).sort(rank)["person_id"].to_list() for f in (was, now))
        assert then == since, rank
    # Who is new has nothing but what does not count.
    new = now.join(was, on="person_id", how="anti")
    assert new.filter((pl.col("score") != 0) | (pl.col("n_counted") != 0)).is_empty()


def test_new_allegations_that_do_not_count_are_shown_and_add_nothing(
    after: duckdb.DuckDBPyConnection, amended: Amended
) -> None:
    ids = amended.added.select(offence_id=pl.col("force_code") + "|" + pl.col("crime_ref"))
    rows = read(
        after,
        "select offence_id, not_counted_reason, contribution + contribution_grave + contribution_gravest_harm as adds "
        "from marts.ranked_perpetrator_offences",
    ).join(ids, on="offence_id", how="semi")
    assert rows.height > 500
    assert rows["not_counted_reason"].null_count() == 0
    assert rows["not_counted_reason"].n_unique() >= 5
    assert rows.filter(pl.col("adds") != 0).is_empty()


def test_taking_anything_away_raises_no_score(
    base: duckdb.DuckDBPyConnection, after: duckdb.DuckDBPyConnection, amended: Amended
) -> None:
    """Crimes cancelled, taken back, cleared of their suspects or reported earlier than was said: N, V and scores fall or stay."""
    lessened = of_persons(amended.lessened, amended.nation)
    was, now = (persons_of(c).join(lessened, on="person_id", how="semi") for c in (base, after))
    both = was.join(now, on="person_id", suffix="_now")
    assert both.height > 1_000
    for fact in (*SCORES, "n_incidents", "n_victims", "n_counted", "multiplier"):
        assert both.filter(pl.col(f"{fact}_now") > pl.col(fact)).is_empty(), fact
    assert both.filter(pl.col("score_now") < pl.col("score")).height > 500


def test_the_amended_nation_too_is_as_the_words_say(
    after: duckdb.DuckDBPyConnection, amended: Amended
) -> None:
    assert_as_the_words_say(after, Expected(amended.nation))
