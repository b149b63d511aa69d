"""The month's monitoring: every check over the run's own allegations, the list as it stands and the lists that came before.

Belongs here: putting the checks together, judging them, and saying what the history does not yet allow. What is asked of
the list of today (disparity, recording practice, sensitivity, drift, concentration) needs no later harm and is always
there; what needs it (back-test, calibration, the next hundred) begins once windows have closed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import duckdb
import numpy as np
import polars as pl

from assets.monitoring.backtest import Backtest, TooShort, backtest, lead_over_counts, top_name
from assets.monitoring.calibration import Calibration, no_band_probabilities
from assets.monitoring.concentration import Coverage, gini, lorenz, recorded_harm, top_shares
from assets.monitoring.disparity import Disparity, disparity, harm_bands, judge, missing_by
from assets.monitoring.drift import drift, inputs
from assets.monitoring.events import Events, Ints, seconds
from assets.monitoring.harness import Checks, disparity_verdicts, worst_input
from assets.monitoring.negatives import negative_tests
from assets.monitoring.null_programme import NullProgramme
from assets.monitoring.parameters import ListConditions, Monitoring, ScoreParameters, rank_bands
from assets.monitoring.people import People, agreement_by_group, people
from assets.monitoring.platform_events import ATTRIBUTES, allegations, groups_of, new_offence_codes
from assets.monitoring.rankers import Snapshot, formula, months_before
from assets.monitoring.recording import Recording, recording
from assets.monitoring.resampling import top_persons
from assets.monitoring.sensitivity import sensitivity
from assets.monitoring.stability import overlap, rbo_ext, retention
from assets.monitoring.thresholds import Thresholds, Verdict
from decisions.review_entries import Entry

YEAR = 12
NATIONAL_LIST = "national list"
NO_EARLIER_LIST = "There is no earlier list to hold this one against."


@dataclass(frozen=True)
class Month:
    """One month's monitoring. Fields as in `harness.Harness`, of the list as it stands; None where history is too short.

    `bands`: what stands beside a band of ranks, known or not. `hits`: who came again by group, of the latest lists whose window
    has closed. `certainty`: how many persons are on a list in which share of the draws. `gates`: the mart `ranking_data_gates`. `volume`: force_code, month, n_allegations (null: few). `verdicts`: a row of
    `monitoring_thresholds` each, whether it could be computed or not. `n_months`: of reports, up to the run's.
    """

    ranked_at: datetime
    n_months: int
    n_persons: int
    n_allegations: int
    n_pool: int
    window: int
    backtest: Backtest | None
    calibration: Calibration | None
    bands: pl.DataFrame
    hits: pl.DataFrame | None
    null_programme: NullProgramme | None
    coverage: Coverage | None
    lorenz: pl.DataFrame
    concentration: pl.DataFrame
    disparities: list[tuple[str, Disparity]]
    ratios: pl.DataFrame | None
    missing_by_force: dict[str, pl.DataFrame]
    recording: Recording | None
    sensitivity: pl.DataFrame
    drift: pl.DataFrame | None
    new_codes: pl.DataFrame | None
    volume: pl.DataFrame
    stability: pl.DataFrame
    certainty: pl.DataFrame
    gates: pl.DataFrame
    people: People
    agreement: pl.DataFrame
    negatives: pl.DataFrame
    verdicts: list[Verdict]
    notes: list[tuple[str, str]] = field(default_factory=list)

    @property
    def alerts(self) -> list[Verdict]:
        return [v for v in self.verdicts if v.is_alert]


def month_of(
    connection: duckdb.DuckDBPyConnection,
    entries: Sequence[Entry],
    previous: Path,
    parameters: ScoreParameters,
    monitored: Monitoring,
    conditions: ListConditions,
    *,
    seed: int = 1,
) -> Month:
    """All checks of the run in the warehouse. `entries`: the reviews known to the run; `previous`: the earlier month's
    `ranked_perpetrators`, where there is one. Raises NotEvents where no allegation of the run has a weight.
    """
    events = allegations(connection)
    ((ranked_at,),) = connection.execute("select ranked_at from repository.national_run").fetchall()
    now = _Now(events, parameters, monitored, int(seconds(ranked_at)), seed)
    past = _Past(events, parameters, monitored, conditions, now.n_months, seed)
    disparities = now.disparities(_listed(connection, events))
    ratios = judge(disparities, monitored) if disparities else None
    concentration, shift = now.concentration()
    drifted, recorded = now.drift(), now.recording()
    sensitive = pl.concat([now.sensitivity(), _other_weights(connection, events, now)])
    stable = _stability(connection, previous, monitored, now.notes)
    gates = connection.execute("from marts.ranking_data_gates order by force_code").pl()
    reviewed = people(
        entries,
        always_share=monitored.one("reviewer_agrees_share"),
        min_judgements=int(monitored.one("reviewer_min_decisions")),
    )
    negatives = negative_tests(connection)
    found: dict[str, tuple[float | None, str]] = {
        "backtest_beats_counts": (lead_over_counts(past.backtest, past.window) if past.backtest else None, ""),
        "calibration_top_bands": (past.calibration.n_outside_top if past.calibration else None, ""),
        "concentration_shift": (shift, ""),
        "sensitivity_weights": (_at_smallest_spread(sensitive, monitored), ""),
        "drift_psi": worst_input(drifted),
        "stability_retention": (stable["retention"][0] if stable.height else None, ""),
        "null_programme": (int(past.null_programme.says_effect) if past.null_programme else None, ""),
        "data_gates": (int(gates["has_caveat"].sum()), _few(gates.filter("has_caveat")["force_code"].to_list())),
        "reviewers_always_agreeing": (reviewed.n_always_agreeing if reviewed.reviewers.height else None, ""),
        "feedback_loop": (None, ""),
        "negative_tests": (int(negatives["n_found"].sum()), "; ".join(negatives.filter(pl.col("n_found") > 0)["must_never"])),
        **_recording_found(recorded),
    }  # fmt: skip
    notes = now.notes + past.notes + _standing_notes(reviewed)
    return Month(
        ranked_at=ranked_at,
        n_months=now.n_months,
        n_persons=events.allegations.n_persons,
        n_allegations=len(events.allegations.person),
        n_pool=len(now.pool),
        window=past.window,
        backtest=past.backtest,
        calibration=past.calibration,
        bands=past.bands,
        hits=past.hits,
        null_programme=past.null_programme,
        coverage=past.coverage,
        lorenz=lorenz(now.harm),
        concentration=concentration,
        disparities=disparities,
        ratios=ratios,
        missing_by_force=now.missing_by_force(),
        recording=recorded,
        sensitivity=sensitive,
        drift=drifted,
        new_codes=None if drifted is None else new_offence_codes(connection, months=YEAR),
        volume=now.volume(),
        stability=stable,
        certainty=_certainty(connection, int(monitored.one("min_cell"))),
        gates=gates,
        people=reviewed,
        agreement=agreement_by_group(
            entries, _nominals(connection, events), ATTRIBUTES, least=int(monitored.one("min_cell"))
        ),
        negatives=negatives,
        verdicts=_verdicts(found, disparity_verdicts(disparities, ratios)),
        notes=[*notes, *(("input", note) for note in _input_notes(events))],
    )


class _Now:
    """The checks of the list as it stands at the run's moment."""

    def __init__(
        self, events: Events, parameters: ScoreParameters, monitored: Monitoring, at: int, seed: int
    ) -> None:
        self._events, self._parameters, self._monitored, self._seed = events, parameters, monitored, seed
        self.at = at
        self.snapshot = Snapshot(events.allegations, at)
        self.pool: Ints = self.snapshot.pool(parameters.cut_months)
        self.scores = formula(events.allegations, at, parameters)[self.pool]
        self.harm = recorded_harm(self.snapshot, YEAR, self.pool)
        first = np.datetime64(int(events.allegations.reported_at[0]), "s").astype("datetime64[M]")
        self.n_months = int((np.datetime64(at, "s").astype("datetime64[M]") - first).astype(int)) + 1
        self.notes: list[tuple[str, str]] = []

    def top(self, place: int) -> Ints:
        return top_persons(self.scores, self.pool, place)

    def disparities(self, listed: Ints) -> list[tuple[str, Disparity]]:
        if not len(self.pool):
            self.notes.append(("4.4", "Nobody can be ranked, so nothing could be compared."))
            return []
        band = harm_bands(
            self.snapshot, self._parameters.cut_months, self.pool, self._monitored.all("harm_band_quantile")
        )
        lists = {
            top_name(share): self.top(max(1, round(share * len(self.pool))))
            for share in self._monitored.all("top_share")
        } | {NATIONAL_LIST: listed}
        return [
            (
                name,
                disparity(
                    words,
                    [of_person[person] for person in self.pool.tolist()],
                    np.isin(self.pool, chosen),
                    band,
                    self._monitored,
                    n_boot=int(self._monitored.one("monthly_draws")),
                    seed=self._seed,
                ),
            )
            for words, of_person in groups_of(self._events.persons).items()
            for name, chosen in lists.items()
        ]

    def missing_by_force(self) -> dict[str, pl.DataFrame]:
        """attribute -> force_code, n and missing_share; of forces with few persons neither."""
        persons, least = self._events.persons[self.pool.tolist()], int(self._monitored.one("min_cell"))
        return {
            words: missing_by(persons["force"].to_list(), persons[column].to_list())
            .rename({"place": "force_code"})
            .with_columns(pl.when(pl.col("n") >= least).then(pl.col("n", "missing_share")))
            for column, words in ATTRIBUTES.items()
            if column != "force"
        }

    def concentration(self) -> tuple[pl.DataFrame, float | None]:
        """Gini and top shares of the last year's recorded harm and, with history, of the year before; the change at 5%."""
        moments = [self.at]
        if self.n_months >= 2 * YEAR:
            moments.append(months_before(self.at, YEAR))
        else:
            self._needs("4.3", "The change of concentration", 2 * YEAR)
        shares = self._monitored.all("lorenz_share")
        rows = []
        for at in moments:
            snapshot = Snapshot(self._events.allegations, at)
            harm = recorded_harm(snapshot, YEAR, snapshot.pool(self._parameters.cut_months))
            held = top_shares(harm, shares) if len(harm) else dict.fromkeys(shares, float("nan"))
            rows.append(
                {
                    "cutoff_on": np.datetime64(at, "s").astype("datetime64[D]").item(),
                    "gini": round(gini(harm), 6) if len(harm) else float("nan"),
                    **{f"top_{top_name(share)}": round(value, 6) for share, value in held.items()},
                }
            )
        table = pl.DataFrame(rows)
        shift = float(table["top_5%"][0] - table["top_5%"][1]) if len(moments) > 1 else None
        return table, shift

    def drift(self) -> pl.DataFrame | None:
        before = Snapshot(self._events.allegations, months_before(self.at, YEAR))
        if self.n_months < 2 * YEAR or before.since(YEAR) == before.n:
            self._needs("4.8", "Drift of this year against the last", 2 * YEAR)
            return None
        return drift(inputs(before, YEAR), inputs(self.snapshot, YEAR))

    def volume(self) -> pl.DataFrame:
        """Allegations by force and month of report; counts of few are null."""
        least = int(self._monitored.one("min_cell"))
        full, first = self._events.allegations, self.snapshot.since(int(self._monitored.one("volume_months")))
        rows = pl.DataFrame(
            {
                "force_code": np.array(self._events.forces)[self._events.force[first : self.snapshot.n]],
                "month": full.reported_at[first : self.snapshot.n],
            },
            schema={"force_code": pl.String, "month": pl.Int64},
        ).with_columns(pl.from_epoch("month", "s").cast(pl.Date).dt.truncate("1mo"))
        return (
            rows.group_by("force_code", "month")
            .agg(n_allegations=pl.len().cast(pl.Int64))
            .with_columns(pl.when(pl.col("n_allegations") >= least).then("n_allegations"))
            .sort("force_code", "month")
        )

    def recording(self) -> Recording | None:
        if not len(self.pool) or not (
            found := recording(self._events, self.at, self._parameters, self._monitored, seed=self._seed)
        ):
            self.notes.append(("4.5", "Recording practice needs two forces with crimes that name nobody."))
            return None
        return found

    def sensitivity(self) -> pl.DataFrame:
        return sensitivity(
            self._events.allegations, self.at, self._parameters, self._monitored, seed=self._seed
        )

    def ranked_ids(self, place: int) -> list[str]:
        return self._events.persons["person_id"].gather(self.top(place)).to_list()

    def other(self, events: Events) -> _Now:
        """The same moment over other events."""
        return _Now(events, self._parameters, self._monitored, self.at, self._seed)

    def row_of(self, other: _Now) -> pl.DataFrame:
        """How much of this list another one has, as a row of the sensitivity table."""
        place, p = int(self._monitored.one("list_top")), self._monitored.one("rbo_p")
        one, two = self.ranked_ids(place * 10), other.ranked_ids(place * 10)
        return pl.DataFrame(
            {
                "variation": ["weights"],
                "setting": ["ONS CSS"],
                "rbo": [round(rbo_ext(one, two, p), 6)],
                "overlap": [round(overlap(one[:place], two[:place]), 6)],
                "n_draws": [1],
            }
        )

    def _needs(self, section: str, what: str, months: int) -> None:
        self.notes.append((section, f"{what} needs {months} months of reports; there are {self.n_months}."))


class _Past:
    """What needs later harm: earlier lists against what came after them, as far as the history reaches."""

    def __init__(
        self,
        events: Events,
        parameters: ScoreParameters,
        monitored: Monitoring,
        conditions: ListConditions,
        n_months: int,
        seed: int,
    ) -> None:
        self.notes: list[tuple[str, str]] = []
        self.hits: pl.DataFrame | None = None
        self.backtest: Backtest | None = None
        self.calibration: Calibration | None = None
        self.null_programme: NullProgramme | None = None
        self.coverage: Coverage | None = None
        windows = sorted(monitored.all("window_months"), reverse=True)
        self.window = int(windows[0])
        n_boot, history = int(monitored.one("monthly_draws")), int(monitored.one("history_months"))
        while windows:
            try:
                self.backtest = backtest(
                    events, parameters, monitored.but(window_months=windows), n_boot=n_boot, seed=seed
                )
                break
            except TooShort:
                longest = int(windows.pop(0))
                said = (
                    f"The back-test over {longest} months needs {history + longest} months of reports, {history} before the "
                    f"list and {longest} after it; there are {n_months}."
                )
                self.notes.append(("4.1", said))
        if not self.backtest:
            said = (
                "Calibration, the probability beside a band, who came again, the coverage ceiling and the next hundred wait for "
                "the back-test."
            )
            self.notes.append(("4.1", said))
            least = int(min(monitored.all("window_months")))
            why = f"it needs {history + least} months of reports and there are {n_months}"
            self.bands = no_band_probabilities(rank_bands(), why)
            return
        self.window = int(windows[0])
        checks = Checks(
            events, parameters, monitored.but(window_months=windows), self.backtest, n_boot, seed, conditions
        )
        self.calibration, self.null_programme = checks.calibration(), checks.null_programme()
        self.coverage, self.bands = checks.coverage(), checks.band_probabilities()
        self.hits = checks.hits(groups_of(events.persons), NATIONAL_LIST)
        self.notes += [("4.1", note) for note in self.backtest.notes + checks.notes]


def _listed(connection: duckdb.DuckDBPyConnection, events: Events) -> Ints:
    """Numbers of the persons on the nation's list, under the default lens."""
    rows = connection.execute("""
        select distinct person_id from marts.perpetrator_lists
        where list_kind = 'national_top' and lens = 'likely_harm'
    """).pl()
    is_on = events.persons["person_id"].is_in(rows["person_id"].implode())
    return np.flatnonzero(is_on.to_numpy()).astype(np.int64)


def _nominals(connection: duckdb.DuckDBPyConnection, events: Events) -> pl.DataFrame:
    """Of the run's nominals the groups of the person they belong to: record_id and the attributes."""
    records = connection.execute("select record_id, person_id from repository.national_person_records").pl()
    return records.join(events.persons, on="person_id", how="inner").select("record_id", *ATTRIBUTES)


def _other_weights(connection: duckdb.DuckDBPyConnection, events: Events, now: _Now) -> pl.DataFrame:
    """The list had offences been weighed by the other published weights."""
    return now.row_of(now.other(allegations(connection, "ONS CSS")))


def _stability(
    connection: duckdb.DuckDBPyConnection, previous: Path, monitored: Monitoring, notes: list[tuple[str, str]]
) -> pl.DataFrame:
    """The nation's list against that of the release before: one row, or none where there was no list."""
    schema = {"cutoff_on": pl.Date, "retention": pl.Float64, "rbo": pl.Float64}
    if not previous.is_file():
        notes.append(("4.9", NO_EARLIER_LIST))
        return pl.DataFrame(schema=schema)
    place = int(monitored.one("list_top"))
    ranked = "select person_id from {} where national_rank <= ? order by national_rank, person_id"
    before, now = (
        [p for (p,) in connection.execute(ranked.format(table), parameters).fetchall()]
        for table, parameters in (("read_parquet(?)", [str(previous), place]), ("marts.ranked_perpetrators", [place]))
    )  # fmt: skip
    if not before or not now:
        notes.append(
            (
                "4.9",
                NO_EARLIER_LIST if not before else "The list is empty: nothing can be said of what stayed.",
            )
        )
        return pl.DataFrame(schema=schema)
    ((day,),) = connection.execute("select period_end from repository.national_run").fetchall()
    row = (day, round(retention(before, now), 6), round(rbo_ext(before, now, monitored.one("rbo_p")), 6))
    return pl.DataFrame([row], schema=schema, orient="row")


def _certainty(connection: duckdb.DuckDBPyConnection, least: int) -> pl.DataFrame:
    """Of those drawn, how many are on a list in which share of the draws: list, p_from (tenths; 1: in every draw), n_persons;
    a count of few is null."""
    drawn = connection.execute("""
        select list, floor(share * 10) / 10 as p_from, count(*) as n_persons
        from (
            select unnest(['nation', 'force or region']) as list, unnest([p_in_national_top, p_in_force_top]) as share
            from marts.ranked_perpetrator_uncertainty
        ) as told
        where share is not null
        group by all
    """).pl()
    everywhere = pl.DataFrame({"list": ["nation", "force or region"]}).join(
        pl.DataFrame({"p_from": [tenth / 10 for tenth in range(11)]}), how="cross"
    )
    return (
        everywhere.join(drawn, on=["list", "p_from"], how="left", maintain_order="left")
        .with_columns(pl.col("n_persons").fill_null(0).cast(pl.Int64))
        .with_columns(pl.when(~pl.col("n_persons").is_between(1, least - 1)).then("n_persons"))
    )


def _at_smallest_spread(sensitive: pl.DataFrame, monitored: Monitoring) -> float | None:
    least = f"{min(monitored.all('weights_ln_sd')):g}"
    return sensitive.filter(variation="weights_ln_sd", setting=least)["rbo"].first()  # type: ignore[return-value]


def _few(names: list[str], most: int = 8) -> str:
    """Names, or nothing where they are too many to read in a sentence."""
    return ", ".join(names) if len(names) <= most else ""


def _recording_found(recorded: Recording | None) -> dict[str, tuple[float | None, str]]:
    if recorded is None:
        return {}
    summary = recorded.summary
    return {
        "recording_overlap": (summary["overlap"].min(), ""),  # type: ignore[dict-item]
        "recording_force_shift": (summary["largest_force_shift"].max(), ""),  # type: ignore[dict-item]
    }


def _verdicts(found: dict[str, tuple[float | None, str]], compared: list[Verdict]) -> list[Verdict]:
    """One a threshold, in the order of sections; what was not computed says so."""
    thresholds = Thresholds()
    done = {verdict.check_id: verdict for verdict in compared}
    return [
        done.get(check_id) or thresholds.judge(check_id, *found.get(check_id, (None, "")))
        for check_id in thresholds.ids
    ]


def _standing_notes(reviewed: People) -> list[tuple[str, str]]:
    no_source = (
        "No field of the extracts tells an allegation that police activity generated from one that was reported, so the "
        "feedback loop cannot be measured."
    )
    notes = [
        ("4.12", no_source),
        ("4.11", "No field tells which listed persons a programme worked with, so no effect is estimated."),
    ]
    if not reviewed.reviewers.height:
        notes.append(("4.10", "Nobody has judged an entry of the list yet."))
    return notes


def _input_notes(events: Events) -> list[str]:
    left_out = [f"{n:,} rows left out: {reason}." for reason, n in events.left_out.items()]
    said = (
        "Children and the dead are in no part of this; that a crime was cancelled or a suspect eliminated has no date and is "
        "taken to have been known throughout."
    )
    return [said, *left_out, *events.notes]
