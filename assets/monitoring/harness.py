"""The whole harness over one table of events: the back-test and every check of section 4 that such a table allows, judged.

What a table does not allow (no groups, no forces, too short) is said, not left out in silence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import polars as pl

from assets.monitoring.backtest import Backtest, Cutoff, backtest, lead_over_counts, plan, top_name
from assets.monitoring.calibration import (
    Calibration,
    Closed,
    Standings,
    band_probabilities,
    calibrate,
    standings,
)
from assets.monitoring.concentration import Coverage, coverage, gini, lorenz, recorded_harm, top_shares
from assets.monitoring.disparity import Disparity, disparity, harm_bands, hit_rates, judge, missing_by
from assets.monitoring.drift import drift, inputs
from assets.monitoring.events import Events, Floats, Ints
from assets.monitoring.null_programme import Compared, NullProgramme, null_programme
from assets.monitoring.parameters import ListConditions, Monitoring, ScoreParameters, rank_bands
from assets.monitoring.rankers import Bools, Snapshot, formula, later, meets, month_end
from assets.monitoring.recording import Recording, recording
from assets.monitoring.resampling import top_persons
from assets.monitoring.sensitivity import sensitivity
from assets.monitoring.stability import rbo_ext, retention
from assets.monitoring.thresholds import Thresholds, Verdict

YEAR = 12


@dataclass(frozen=True)
class Harness:
    """Everything a report is made of. None where the table does not allow it; `notes` says why."""

    backtest: Backtest
    calibration: Calibration | None
    lorenz: pl.DataFrame
    concentration: pl.DataFrame
    coverage: Coverage
    disparities: list[tuple[str, Disparity]]
    ratios: pl.DataFrame | None
    missing_by_force: dict[str, pl.DataFrame]
    recording: Recording | None
    sensitivity: pl.DataFrame
    drift: pl.DataFrame | None
    stability: pl.DataFrame
    null_programme: NullProgramme | None
    verdicts: list[Verdict]
    notes: list[str] = field(default_factory=list)

    @property
    def alerts(self) -> list[Verdict]:
        return [v for v in self.verdicts if v.is_alert]


def run(
    events: Events,
    parameters: ScoreParameters,
    monitored: Monitoring,
    *,
    start: date | None = None,
    end: date | None = None,
    refit: bool = False,
    groups: tuple[str, ...] = (),
    n_boot: int = 200,
    seed: int = 1,
) -> Harness:
    """Back-test, then the checks on the cut-offs of the first window. `groups`: columns of `events.persons` to compare by.

    Raises TooShort where no cut-off is possible.
    """
    tested = backtest(
        events, parameters, monitored, start=start, end=end, refit=refit, n_boot=n_boot, seed=seed
    )
    checks = Checks(events, parameters, monitored, tested, n_boot, seed)
    disparities = [(top, found) for column in groups for top, found in checks.disparities(column)]
    ratios = judge(disparities, monitored) if disparities else None
    concentration, shift = checks.concentration()
    drifted = checks.drift()
    recorded = checks.recording()
    calibrated = checks.calibration()
    stable = checks.stability()
    null = checks.null_programme()
    sensitive = sensitivity(events.allegations, checks.last.snapshot.at, parameters, monitored, seed=seed)
    last_year = checks.recorded_harm(checks.last.snapshot, checks.last.pool)
    verdicts = _verdicts(
        tested, calibrated, shift, disparities, ratios, recorded, sensitive, drifted, stable, null, monitored
    )
    return Harness(
        backtest=tested,
        calibration=calibrated,
        lorenz=lorenz(last_year),
        concentration=concentration,
        coverage=checks.coverage(),
        disparities=disparities,
        ratios=ratios,
        missing_by_force={
            c: checks.missing_by_force(c) for c in groups if "force_code" in events.persons.columns
        },
        recording=recorded,
        sensitivity=sensitive,
        drift=drifted,
        stability=stable,
        null_programme=null,
        verdicts=verdicts,
        notes=events.notes + tested.notes + checks.notes,
    )


class Checks:
    """The checks on the cut-offs of a finished back-test.

    `conditions`: what the list asks of a person; bands are then those of who met them, as on the list. Without it everybody
    who can be ranked has a place.
    """

    def __init__(
        self,
        events: Events,
        parameters: ScoreParameters,
        monitored: Monitoring,
        tested: Backtest,
        n_boot: int,
        seed: int,
        conditions: ListConditions | None = None,
    ) -> None:
        self._events, self._parameters, self._monitored = events, parameters, monitored
        self._tested, self._n_boot, self._seed, self._conditions = tested, n_boot, seed, conditions
        self._window = int(monitored.all("window_months")[0])
        self._pooled = tested.cutoffs[-int(monitored.one("pooled_cutoffs")) :]
        self._first = plan(events, monitored, self._window).first
        self.last: Cutoff = tested.cutoffs[-1]
        self.notes: list[str] = []

    def calibration(self) -> Calibration | None:
        """On the pooled cut-offs, with a line fitted on the twelve before whose windows had closed by the first of them; where
        there are none, on the newer half with a line from the older."""
        newer = [self._places(c.snapshot, c.scores["formula"], c.pool, c.after.any) for c in self._pooled]
        latest = self._pooled[0].month - self._window
        months = [m for m in np.arange(latest - YEAR + 1, latest + 1) if m >= self._first]
        if months:
            older = [self._standing(m) for m in months]
        elif len(newer) > 1:
            half = len(newer) // 2
            older, newer = newer[:half], newer[half:]
            self.notes.append(
                "Calibration: too little history for windows that had closed, so the older half of the cut-offs is tested on the "
                "newer; their windows overlap and the agreement is flattered."
            )
        else:
            self.notes.append("Calibration: needs two cut-offs.")
            return None
        fitted = Standings.join(older)
        if len(set(fitted.hit.tolist())) < 2 or not sum(len(places.hit) for places in newer):
            self.notes.append("Calibration: nobody, or everybody, came again.")
            return None
        return calibrate(
            fitted,
            Standings.join(newer),
            rank_bands(),
            self._tested.drawn,
            top_rank=int(self._monitored.one("list_top")),
        )

    def _standing(self, month: np.datetime64) -> Standings:
        full, at = self._events.allegations, month_end(month)
        pool = Snapshot(full, at).pool(self._parameters.cut_months)
        after = later(full, self._events.occurred_at, at, month_end(month + self._window))
        return self._places(Snapshot(full, at), formula(full, at, self._parameters)[pool], pool, after.any)

    def _places(self, snapshot: Snapshot, scores: Floats, pool: Ints, again: Floats) -> Standings:
        """Places at a cut-off, of the pool or of those in it who met the conditions. `scores`: an entry a person of the pool."""
        kept = self._met(snapshot)[pool]
        return standings(scores[kept], pool[kept], again[pool[kept]])

    def _met(self, snapshot: Snapshot) -> Bools:
        if self._conditions is None:
            return np.ones(snapshot.allegations.n_persons, dtype=bool)
        return meets(snapshot, self._parameters, self._conditions)

    def band_probabilities(self) -> pl.DataFrame:
        """Of the pooled cut-offs, as `calibration.band_probabilities`."""
        found = [self._places(c.snapshot, c.scores["formula"], c.pool, c.after.any) for c in self._pooled]
        closed = Closed(self._window, self._pooled[0].on, self._pooled[-1].on)
        return band_probabilities(
            Standings.join(found),
            rank_bands(),
            self._tested.drawn,
            closed,
            least=int(self._monitored.one("min_cell")),
        )

    def hits(self, groups: Mapping[str, Sequence[str | None]], listed: str) -> pl.DataFrame:
        """Who came again, by group, of the lists of the last month end whose window has closed: attribute, top, group,
        n_followed, hit_rate with its interval, hit_cutoff_on and hit_window_months.

        `groups`: attribute -> the group of every person of the events; `listed`: what the list itself is called, the first of
        those who met its conditions.
        """
        pool, scores, again = self.last.pool, self.last.scores["formula"], self.last.after.any[self.last.pool]
        met, place = self._met(self.last.snapshot)[pool], int(self._monitored.one("recording_top"))
        lists = {
            top_name(top): top_persons(scores, pool, max(1, round(top * len(pool))))
            for top in self._monitored.all("top_share")
        } | {listed: top_persons(scores[met], pool[met], place)}
        least = int(self._monitored.one("min_cell"))
        found = [
            hit_rates([of_person[p] for p in pool.tolist()], np.isin(pool, chosen), again, least).select(
                pl.lit(attribute).alias("attribute"), pl.lit(top).alias("top"), pl.all()
            )
            for attribute, of_person in groups.items()
            for top, chosen in lists.items()
        ]
        return pl.concat(found).with_columns(
            hit_cutoff_on=pl.lit(self.last.on), hit_window_months=pl.lit(self._window, dtype=pl.Int64)
        )

    def recorded_harm(self, snapshot: Snapshot, pool: Ints) -> Floats:
        return recorded_harm(snapshot, YEAR, pool)

    def concentration(self) -> tuple[pl.DataFrame, float | None]:
        """Gini and top shares of the harm recorded in the year before each cut-off; and the change over a year at 5%."""
        shares = self._monitored.all("lorenz_share")
        rows = []
        for c in self._tested.cutoffs:
            harm = self.recorded_harm(c.snapshot, c.pool)
            rows.append(self._concentrated(c.on, harm, shares))
        table = pl.DataFrame(rows)
        before = self.last.month - YEAR
        if before < self._first - int(self._monitored.one("history_months")) + YEAR:
            return table, None
        snapshot = Snapshot(self._events.allegations, month_end(before))
        pool = snapshot.pool(self._parameters.cut_months)
        earlier = top_shares(self.recorded_harm(snapshot, pool), [0.05])[0.05]
        now = top_shares(self.recorded_harm(self.last.snapshot, self.last.pool), [0.05])[0.05]
        return table, now - earlier

    @staticmethod
    def _concentrated(on: date, harm: Floats, shares: list[float]) -> dict[str, object]:
        held = top_shares(harm, shares)
        return {
            "cutoff_on": on,
            "gini": round(gini(harm), 6),
            **{f"top_{top_name(share)}": round(value, 6) for share, value in held.items()},
        }

    def coverage(self) -> Coverage:
        """Pooled over the cut-offs."""
        found = [
            coverage(
                self._events.allegations,
                self._events.occurred_at,
                c.snapshot.at,
                month_end(c.month + self._window),
                c.pool,
            )
            for c in self._pooled
        ]
        return Coverage(sum(f.harm_by_known for f in found), sum(f.harm_by_unknown for f in found))

    def disparities(self, column: str) -> list[tuple[str, Disparity]]:
        """At the last cut-off, at each share of the pool."""
        pool, after = self.last.pool, self.last.after
        group = self._events.persons[column].gather(pool).to_list()
        band = harm_bands(
            self.last.snapshot, self._parameters.cut_months, pool, self._monitored.all("harm_band_quantile")
        )
        found = []
        for top in self._monitored.all("top_share"):
            chosen = top_persons(self.last.scores["formula"], pool, max(1, round(top * len(pool))))
            one = disparity(
                column,
                group,
                np.isin(pool, chosen),
                band,
                self._monitored,
                hit=after.any[pool],
                n_boot=max(self._n_boot, 200),
                seed=self._seed,
            )
            found.append((top_name(top), one))
        return found

    def missing_by_force(self, column: str) -> pl.DataFrame:
        persons = self._events.persons[self.last.pool.tolist()]
        return missing_by(persons["force_code"].to_list(), persons[column].to_list())

    def recording(self) -> Recording | None:
        found = recording(
            self._events, self.last.snapshot.at, self._parameters, self._monitored, seed=self._seed
        )
        if found is None:
            self.notes.append(
                "Recording practice: needs a force_code of two or more forces, and the events for which nobody is named (rows with "
                "a blank person_id), to know how often each force names a suspect."
            )
        return found

    def drift(self) -> pl.DataFrame | None:
        """What went into the score over the last year against the year before."""
        before = Snapshot(self._events.allegations, month_end(self.last.month - YEAR))
        if before.since(YEAR) == before.n:
            self.notes.append("Drift: nothing was reported in the year before the last.")
            return None
        return drift(inputs(before, YEAR), inputs(self.last.snapshot, YEAR))

    def stability(self) -> pl.DataFrame:
        """Each cut-off's list against that of the month before: cutoff_on, retention, rbo."""
        place, p = int(self._monitored.one("list_top")), self._monitored.one("rbo_p")
        lists = [top_persons(c.scores["formula"], c.pool, place) for c in self._tested.cutoffs]
        rows = [
            {
                "cutoff_on": c.on,
                "retention": round(retention(before, now), 6),
                "rbo": round(rbo_ext(before, now, p), 6),
            }
            for c, before, now in zip(self._tested.cutoffs[1:], lists[:-1], lists[1:], strict=True)
        ]
        return pl.DataFrame(rows, schema={"cutoff_on": pl.Date, "retention": pl.Float64, "rbo": pl.Float64})

    def null_programme(self) -> NullProgramme | None:
        """On the pooled cut-offs, as if the list had been somebody's programme."""
        place = int(self._monitored.one("list_top"))
        if min(len(c.pool) for c in self._pooled) < 2 * place:
            self.notes.append(f"The null programme needs {2 * place} ranked persons at every cut-off.")
            return None
        found = [self._compared(c, 2 * place) for c in self._pooled]
        joined = Compared(
            *(np.concatenate([getattr(f, name) for f in found]) for name in Compared.__annotations__)
        )
        return null_programme(
            joined,
            place,
            self._tested.drawn,
            harm_cap=self._monitored.one("capped_harm_days"),
            bandwidth_share=self._monitored.one("jump_bandwidth_share"),
        )

    def _compared(self, cutoff: Cutoff, most: int) -> Compared:
        people = top_persons(cutoff.scores["formula"], cutoff.pool, most)
        full, snapshot = self._events.allegations, cutoff.snapshot
        harm = full.severity[: snapshot.n] * snapshot.weights
        one, two = snapshot.since(YEAR), snapshot.since(2 * YEAR)
        before = snapshot.sum_by_person(harm[one:], one)
        earlier = snapshot.sum_by_person(harm[two:], two) - before
        return Compared(
            people, np.arange(1, len(people) + 1), earlier[people], before[people], cutoff.after.harm[people]
        )


def _verdicts(
    tested: Backtest,
    calibrated: Calibration | None,
    shift: float | None,
    disparities: list[tuple[str, Disparity]],
    ratios: pl.DataFrame | None,
    recorded: Recording | None,
    sensitive: pl.DataFrame,
    drifted: pl.DataFrame | None,
    stable: pl.DataFrame,
    null: NullProgramme | None,
    monitored: Monitoring,
) -> list[Verdict]:
    judged = Thresholds().judge
    window = int(monitored.all("window_months")[0])
    weights = sensitive.filter(variation="weights_ln_sd", setting=f"{min(monitored.all('weights_ln_sd')):g}")[
        "rbo"
    ][0]
    found = [
        judged("backtest_beats_counts", lead_over_counts(tested, window)),
        judged("calibration_top_bands", calibrated.n_outside_top if calibrated else None),
        judged("concentration_shift", shift),
        *disparity_verdicts(disparities, ratios),
        judged("sensitivity_weights", weights),
        judged("stability_retention", stable["retention"].mean() if stable.height else None),  # type: ignore[arg-type]
        judged("drift_psi", *worst_input(drifted)),
        judged("null_programme", int(null.says_effect) if null else None),
    ]
    if recorded:
        summary = recorded.summary
        found += [
            judged("recording_overlap", summary["overlap"].min()),  # type: ignore[arg-type]
            judged("recording_force_shift", summary["largest_force_shift"].max()),  # type: ignore[arg-type]
        ]
    return sorted(found, key=lambda v: (int(v.section.strip("ab").partition(".")[2]), v.section, v.check_id))


def worst_input(drifted: pl.DataFrame | None) -> tuple[float | None, str]:
    """Largest population stability index, and whose; None without a comparison."""
    if drifted is None:
        return None, ""
    worst = drifted.sort("psi", "input", descending=[True, False], nulls_last=True).row(0, named=True)
    return worst["psi"], worst["input"]


def disparity_verdicts(
    disparities: list[tuple[str, Disparity]], ratios: pl.DataFrame | None
) -> list[Verdict]:
    """Alerts by basis, and the largest share of a missing attribute; none where nothing was compared."""
    if ratios is None:
        return []
    judged = Thresholds().judge
    found = []
    for basis in ("raw", "conditional"):
        alerts = ratios.filter(pl.col("is_alert") & (pl.col("basis") == basis))
        said = "; ".join(
            f"{attribute} {group}, top {top}: {ratio:.2f}"
            for attribute, group, top, ratio in alerts.select(
                "attribute", "group", "top", "ratio"
            ).iter_rows()
        )
        found.append(judged(f"disparity_{basis}", alerts.height, said))
    missing = max(disparities, key=lambda pair: pair[1].missing_share)[1]
    return [*found, judged("group_missing", missing.missing_share, missing.attribute)]
