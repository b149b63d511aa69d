"""The back-test: lists as they would have stood at past month ends, against what those people were recorded for afterwards.

Parameters are frozen, or refitted on the past only. Later harm is harm that occurred after the cut-off and was reported
within the window, so that an old crime reported late is nobody's later harm.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import numpy as np
import polars as pl

from assets.monitoring.challenger import Challenger, Refit, past_of
from assets.monitoring.events import Events, Floats, Ints
from assets.monitoring.parameters import Monitoring, NoParameters, ScoreParameters, rfg_bands
from assets.monitoring.rankers import Later, Ranker, Snapshot, later, month_end, peers
from assets.monitoring.resampling import Multiplicities, captured, interval, multiplicities, places_of

# Of each measure, what it is divided by: its total over the pool, or the places of the list.
MEASURES = {
    "harm_share": "later harm held by the list",
    "capped_harm_share": "the same, each person's harm capped",
    "serious_person_share": "persons with grave later harm who are on the list",
    "incident_share": "later incidents by persons on the list",
    "hit_share": "persons on the list with any later allegation",
}
_OF_THE_LIST = ("hit_share",)
_COUNTS = "count_"


class TooShort(ValueError):
    """The table holds no month end with enough history before it and a closed window after it."""


@dataclass(frozen=True)
class Cutoff:
    """One month end of the back-test: the pool's numbers, what came later, and the scores of every ranker over the pool."""

    month: np.datetime64
    snapshot: Snapshot
    pool: Ints
    after: Later
    scores: dict[str, Floats]

    @property
    def on(self) -> date:
        return ((self.month + 1).astype("datetime64[D]") - np.timedelta64(1, "D")).astype(date)


@dataclass(frozen=True)
class Backtest:
    """The tables of a back-test.

    `table`: a row a cutoff_on (null: pooled) x window_months x ranker x top x measure with value, lower, upper, n_persons
    (places), n_pool. `differences`: formula less each other ranker, pooled, on the same resamples. `refits`: the parameters
    chosen at each cut-off. `cutoffs`: the cut-offs of the first window, for what else is asked of them.
    """

    table: pl.DataFrame
    differences: pl.DataFrame
    refits: pl.DataFrame
    cutoffs: list[Cutoff]
    drawn: Multiplicities
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Plan:
    """Which cut-offs a table allows: the months, and the first that has enough history to be learnt from."""

    months: list[np.datetime64]
    first: np.datetime64
    notes: list[str]


def plan(
    events: Events,
    monitored: Monitoring,
    window_months: int,
    start: date | None = None,
    end: date | None = None,
) -> Plan:
    """Monthly cut-offs with enough history before and a closed window after; the last `pooled_cutoffs` of them if no range is
    given. The table is taken to be complete from its first report to the end of its last full month. TooShort if none.
    """
    reported = events.allegations.reported_at
    first_seen, last_seen = (np.datetime64(int(s), "s").astype("datetime64[M]") for s in reported[[0, -1]])
    # The last month is complete only if it was reported in up to its last day; a table may also end earlier.
    last_full = last_seen if reported[-1] >= month_end(last_seen) - 86_400 * 3 else last_seen - 1
    first = first_seen + int(monitored.one("history_months")) - 1
    last = last_full - window_months
    notes = []
    if start or end:
        wanted_from = np.datetime64(start, "M") if start else first
        wanted_to = np.datetime64(end, "M") if end else last
        if wanted_from < first or wanted_to > last:
            notes.append(
                f"Cut-offs are kept within {first} to {last}: before there is too little history, after the window of "
                f"{window_months} months has not closed."
            )
        lower, upper = max(wanted_from, first), min(wanted_to, last)
    else:
        lower, upper = max(first, last - int(monitored.one("pooled_cutoffs")) + 1), last
    if upper < lower:
        raise TooShort(
            f"no month end has {monitored.one('history_months'):.0f} months of history before it and {window_months} after it "
            f"(reports run from {first_seen} to {last_seen}): bring a longer table or move --from and --to"
        )
    return Plan(list(np.arange(lower, upper + 1)), first, notes)


def backtest(
    events: Events,
    parameters: ScoreParameters,
    monitored: Monitoring,
    *,
    start: date | None = None,
    end: date | None = None,
    refit: bool = False,
    n_boot: int = 200,
    seed: int = 1,
    with_challenger: bool = True,
) -> Backtest:
    """Run every ranker at every cut-off and window and pool the last `pooled_cutoffs`. Raises TooShort, NoParameters."""
    drawn = multiplicities(events.allegations.n_persons, n_boot, seed)
    tables, differences, refits, notes = [], [], [], []
    kept: list[Cutoff] = []
    for window in (int(w) for w in monitored.all("window_months")):
        planned = plan(events, monitored, window, start, end)
        scorer = _Scorer(events, parameters, monitored, window, planned.first, refit, with_challenger, seed)
        cutoffs = [scorer.cutoff(month) for month in planned.months]
        table, difference = _tables(cutoffs, monitored, drawn, window)
        tables.append(table)
        differences.append(difference)
        refits += scorer.refits
        notes += [n for n in planned.notes + scorer.notes() if n not in notes]
        kept = kept or cutoffs
    return Backtest(
        pl.concat(tables),
        pl.concat(differences),
        pl.DataFrame(refits, schema=_REFITS, orient="row"),
        kept,
        drawn,
        notes,
    )


_REFITS = {
    "cutoff_on": pl.Date,
    "window_months": pl.Int64,
    "severity_exponent": pl.Float64,
    "half_life_days": pl.Float64,
    "multiplier_exponent": pl.Float64,
    "n_past_cutoffs": pl.Int64,
}


class _Scorer:
    """Scores of all rankers at one cut-off after the other."""

    def __init__(
        self,
        events: Events,
        parameters: ScoreParameters,
        monitored: Monitoring,
        window: int,
        first: np.datetime64,
        refit: bool,
        with_challenger: bool,
        seed: int,
    ) -> None:
        if window < 1:
            raise NoParameters("window_months must be at least 1")
        self._events, self._parameters, self._monitored = events, parameters, monitored
        self._window, self._first = window, first
        self._with_challenger = with_challenger
        self._challenger = Challenger(parameters, monitored, seed=seed)
        self._refit = Refit(parameters, monitored) if refit else None
        self._peers = peers(parameters, monitored, rfg_bands(), has_incidents=events.has_incidents)
        self._past: dict[np.datetime64, tuple[Snapshot, Later]] = {}
        self.refits: list[tuple[object, ...]] = []
        self._without_past: list[str] = []

    def after(self, month: np.datetime64) -> tuple[Snapshot, Later]:
        full, at = self._events.allegations, month_end(month)
        return Snapshot(full, at), later(full, self._events.occurred_at, at, month_end(month + self._window))

    def past(self, month: np.datetime64, most: int) -> list[tuple[Snapshot, Later]]:
        step = int(self._monitored.one("challenger_step_months"))
        months = past_of(month, self._first, self._window, step, most)
        for m in months:
            if m not in self._past:
                self._past[m] = self.after(m)
        return [self._past[m] for m in months]

    def cutoff(self, month: np.datetime64) -> Cutoff:
        snapshot, after = self.after(month)
        pool = snapshot.pool(self._parameters.cut_months)
        scores = {name: ranker(snapshot)[pool] for name, ranker in self._peers.items()}
        found = Cutoff(month, snapshot, pool, after, scores)
        self._learn(found)
        scores["oracle"] = after.harm[pool]
        return found

    def _learn(self, cutoff: Cutoff) -> None:
        learnt = self.past(cutoff.month, int(self._monitored.one("challenger_cutoffs")))
        if self._with_challenger and learnt:
            cutoff.scores["challenger"] = self._challenger.scores(cutoff.snapshot, learnt)[cutoff.pool]
        if not learnt:
            self._without_past.append(str(cutoff.month))
        if self._refit:
            past = self.past(cutoff.month, int(self._monitored.one("refit_cutoffs")))
            chosen = self._refit.choose(past) if past else self._parameters
            ranker: Ranker = peers(chosen, self._monitored, {}, has_incidents=False)["formula"]
            cutoff.scores["formula_refitted"] = ranker(cutoff.snapshot)[cutoff.pool]
            self.refits.append(
                (
                    cutoff.on,
                    self._window,
                    chosen.severity_exponent,
                    chosen.half_life_days,
                    chosen.multiplier_exponent,
                    len(past),
                )
            )

    def notes(self) -> list[str]:
        if not self._without_past:
            return []
        said = (
            f"Window of {self._window} months: {len(self._without_past)} cut-offs have no earlier one whose window had closed; "
            "there the challenger is absent, and a refit keeps the frozen parameters."
        )
        return [said]


def outcomes_of(cutoff: Cutoff, monitored: Monitoring) -> Floats:
    """What the list is measured by, persons of the pool x MEASURES."""
    after, pool = cutoff.after, cutoff.pool
    harm = after.harm[pool]
    return np.column_stack(
        [
            harm,
            np.minimum(harm, monitored.one("capped_harm_days")),
            harm >= monitored.one("serious_harm_days"),
            after.n_incidents[pool],
            after.any[pool],
        ]
    )


def _tables(
    cutoffs: list[Cutoff], monitored: Monitoring, drawn: Multiplicities, window: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Shares of every cut-off and pooled, with intervals; and the pooled differences from the formula."""
    tops = monitored.all("top_persons") + monitored.all("top_share")
    names = [top_name(top) for top in tops]
    pooled_from = max(0, len(cutoffs) - int(monitored.one("pooled_cutoffs")))
    rankers = list(cutoffs[-1].scores)
    pooled: dict[str, list[Floats]] = {name: [] for name in rankers}
    rows = []
    for i, cutoff in enumerate(cutoffs):
        values = outcomes_of(cutoff, monitored)
        weights = drawn[cutoff.pool]
        n_pool = weights.sum(axis=0, dtype=np.int64).astype(float)
        places = places_of(tops, n_pool)
        some = np.flatnonzero(values.any(axis=1))
        total = values[some].T @ weights[some].astype(float)
        below = _below(total, places)
        for name, scores in cutoff.scores.items():
            if name == "random":
                # What chance gives on average: everybody ties.
                above = np.stack([total * (p / n_pool) for p in places])
            else:
                above = captured(scores, cutoff.pool, values, places, drawn)
            rows.append(_rows(cutoff.on, window, name, names, above, below, places, n_pool))
            if i >= pooled_from and name in pooled:
                pooled[name].append(np.stack([above, below]))
        n_and_places = (n_pool[0], [p[0] for p in places])
    whole = {
        name: np.sum(parts, axis=0)
        for name, parts in pooled.items()
        if len(parts) == len(cutoffs) - pooled_from
    }
    size, places_at = n_and_places
    for name, (above, below) in whole.items():
        rows.append(
            _rows(
                None, window, name, names, above, below, [np.array([p]) for p in places_at], np.array([size])
            )
        )
    shares = {name: _share(above, below) for name, (above, below) in whole.items()}
    difference = [
        _difference(window, name, names, shares["formula"] - share)
        for name, share in shares.items()
        if name != "formula"
    ]
    return pl.concat(rows), pl.concat(difference)


def top_name(top: float) -> str:
    """100 -> "100", .05 -> "5%"."""
    return f"{top:.0f}" if top >= 1 else f"{top * 100:g}%"


def _below(total: Floats, places: list[Floats]) -> Floats:
    below = np.broadcast_to(total, (len(places), *total.shape)).copy()
    for i, name in enumerate(MEASURES):
        if name in _OF_THE_LIST:
            below[:, i] = np.stack(places)
    return below


def _share(above: Floats, below: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(below > 0, above / below, np.nan)


def _rows(
    cutoff_on: date | None,
    window: int,
    ranker: str,
    tops: list[str],
    above: Floats,
    below: Floats,
    places: list[Floats],
    n_pool: Floats,
) -> pl.DataFrame:
    share = _share(above, below)
    lower, upper = interval(share[..., 1:])
    n = len(MEASURES)
    return pl.DataFrame(
        {
            "cutoff_on": pl.Series([cutoff_on] * len(tops) * n, dtype=pl.Date),
            "window_months": [window] * len(tops) * n,
            "ranker": [ranker] * len(tops) * n,
            "top": [top for top in tops for _ in MEASURES],
            "measure": list(MEASURES) * len(tops),
            **_rounded(share[..., 0], lower, upper),
            "n_persons": [int(p[0]) for p in places for _ in MEASURES],
            "n_pool": [int(n_pool[0])] * len(tops) * n,
        }
    )


def _difference(window: int, ranker: str, tops: list[str], share: Floats) -> pl.DataFrame:
    lower, upper = interval(share[..., 1:])
    n = len(MEASURES)
    return pl.DataFrame(
        {
            "window_months": [window] * len(tops) * n,
            "ranker": [ranker] * len(tops) * n,
            "top": [top for top in tops for _ in MEASURES],
            "measure": list(MEASURES) * len(tops),
            **_rounded(share[..., 0], lower, upper),
        }
    )


def _rounded(*columns: Floats) -> dict[str, pl.Series]:
    """Nine places: what another machine's order of summation may change is not written."""
    return {
        name: pl.Series(np.round(column.ravel(), 9)).fill_nan(None)
        for name, column in zip(("value", "lower", "upper"), columns, strict=True)
    }


def pooled_value(result: Backtest, ranker: str, top: str, measure: str, window: int) -> float | None:
    """One figure of the pooled table; None where the ranker was not there at every cut-off."""
    found = result.table.filter(
        pl.col("cutoff_on").is_null(), ranker=ranker, top=top, measure=measure, window_months=window
    )
    return found["value"][0] if found.height else None


def lead_over_counts(result: Backtest, window: int, top: str = "5%") -> float | None:
    """Formula less the best of the counts: pooled share of later harm. What the alert of section 4.1 looks at."""
    found = result.differences.filter(
        pl.col("ranker").str.starts_with(_COUNTS), window_months=window, top=top, measure="harm_share"
    )["value"]
    return found.min() if len(found) else None  # type: ignore[return-value]
