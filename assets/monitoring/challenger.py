"""Rankers that learn: gradient boosting as a challenger, and the formula refitted. Both learn from the past only.

A past cut-off may be learnt from when its outcome window has closed by the cut-off that is ranked. The challenger is never
the production ranker: it shows what the formula leaves on the table.
"""

from __future__ import annotations

from itertools import product

import lightgbm as lgb
import numpy as np

from assets.monitoring.events import DAY, Floats, Ints
from assets.monitoring.parameters import Monitoring, ScoreParameters
from assets.monitoring.rankers import Later, Snapshot, contributions, formula, multiplier
from assets.monitoring.resampling import captured_share

FEATURES = (
    "n_3m", "n_6m", "n_12m", "n_24m", "n_36m", "n_all", "harm_12m", "harm_36m", "harm_all", "max_harm", "max_harm_12m",
    "n_incidents_24m", "n_victims_24m", "n_victims_all", "days_since_latest", "days_since_first",
    "decayed_90", "decayed_365", "score",
)  # fmt: skip

_SETTINGS = {
    "objective": "tweedie",
    "tweedie_variance_power": 1.5,
    "num_leaves": 31,
    "min_data_in_leaf": 50,
    "learning_rate": 0.08,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}
_ROUNDS = 80


def features(snapshot: Snapshot, parameters: ScoreParameters) -> Floats:
    """A row a person, a column each of FEATURES: what was reported by the cut-off, nothing later."""
    full, n = snapshot.allegations, snapshot.n
    harm = full.severity[:n] * snapshot.weights
    counted, person = snapshot.counted, full.person[:n]
    since = {months: snapshot.since(months) for months in (3, 6, 12, 24, 36)}
    latest, first = np.full(full.n_persons, np.nan), np.full(full.n_persons, np.nan)
    # In order of report: the last assignment to a person stands.
    latest[person[counted]] = full.reported_at[:n][counted]
    first[person[counted][::-1]] = full.reported_at[:n][counted][::-1]
    decayed = []
    for half_life in (90, 365):
        terms, start = contributions(snapshot, parameters.but(half_life_days=half_life))
        decayed.append(snapshot.sum_by_person(terms, start))
    terms, start = contributions(snapshot, parameters)
    columns = [
        *(snapshot.n_allegations(first) for first in since.values()),
        snapshot.n_allegations(),
        *(snapshot.sum_by_person(harm[since[m] :], since[m]) for m in (12, 36)),
        snapshot.sum_by_person(harm),
        snapshot.max_by_person(harm),
        snapshot.max_by_person(harm[since[12] :], since[12]),
        snapshot.n_incidents(since[24]),
        snapshot.n_victims(since[24]),
        snapshot.n_victims(),
        (snapshot.at - latest) / DAY,
        (snapshot.at - first) / DAY,
        *decayed,
        multiplier(snapshot, parameters) * snapshot.sum_by_person(terms, start),
    ]
    return np.column_stack(columns)


class Challenger:
    """Expected later harm by gradient boosting, learnt at each cut-off anew from past ones.

    At most `challenger_persons` rows in all are learnt from, drawn with the seed, equally from each past cut-off.
    """

    def __init__(self, parameters: ScoreParameters, monitored: Monitoring, *, seed: int) -> None:
        self._parameters, self._monitored, self._seed = parameters, monitored, seed
        self._lessons: dict[int, tuple[Floats, Floats]] = {}

    def scores(self, snapshot: Snapshot, past: list[tuple[Snapshot, Later]]) -> Floats:
        """Of every person; 0 outside the pool. `past`: snapshots with what came after them, windows closed."""
        lessons = [self._lesson(known, after) for known, after in past]
        table, harm = (np.concatenate(parts) for parts in zip(*lessons, strict=True))
        scores = np.zeros(snapshot.allegations.n_persons)
        if not harm.any():
            return scores
        data = lgb.Dataset(table, harm, feature_name=list(FEATURES))
        model = lgb.train({**_SETTINGS, "seed": self._seed}, data, num_boost_round=_ROUNDS)
        pool = snapshot.pool(self._parameters.cut_months)
        scores[pool] = model.predict(features(snapshot, self._parameters)[pool], num_threads=1)
        return scores

    def _lesson(self, known: Snapshot, after: Later) -> tuple[Floats, Floats]:
        if known.at not in self._lessons:
            pool = known.pool(self._parameters.cut_months)
            most = int(self._monitored.one("challenger_persons") / self._monitored.one("challenger_cutoffs"))
            if len(pool) > most:
                pool = np.sort(np.random.default_rng(self._seed).choice(pool, most, replace=False))
            harm = np.minimum(after.harm[pool], self._monitored.one("capped_harm_days"))
            self._lessons[known.at] = features(known, self._parameters)[pool], harm
        return self._lessons[known.at]


class Refit:
    """Chooses a, h and b on earlier cut-offs by the harm that their top 5% went on to do."""

    def __init__(self, parameters: ScoreParameters, monitored: Monitoring, top_share: float = 0.05) -> None:
        self._parameters, self._top_share = parameters, top_share
        self._grid = [
            parameters.but(severity_exponent=a, half_life_days=h, multiplier_exponent=b)
            for a, h, b in product(
                monitored.all("refit_severity_exponent"),
                monitored.all("refit_half_life_days"),
                monitored.all("refit_multiplier_exponent"),
            )
        ]
        self._captured: dict[int, Floats] = {}

    def choose(self, past: list[tuple[Snapshot, Later]]) -> ScoreParameters:
        """The point of the grid that held most harm over the past cut-offs; the frozen one among equals, then the first."""
        total = np.zeros(len(self._grid))
        for known, after in past:
            if known.at not in self._captured:
                self._captured[known.at] = self._try(known, after)
            total += self._captured[known.at]
        best = np.flatnonzero(total >= total.max() - 1e-12)
        frozen = [i for i in best if self._grid[i] == self._parameters]
        return self._grid[frozen[0] if frozen else best[0]]

    def _try(self, known: Snapshot, after: Later) -> Floats:
        pool: Ints = known.pool(self._parameters.cut_months)
        return np.array(
            [
                captured_share(
                    formula(known.allegations, known.at, point)[pool], after.harm[pool], self._top_share
                )
                for point in self._grid
            ]
        )


def past_of(
    at_months: np.datetime64, first_month: np.datetime64, window_months: int, step: int, most: int
) -> list[np.datetime64]:
    """Months whose cut-offs may be learnt from at a month: window closed, enough history, latest first, `step` apart."""
    latest = at_months - window_months
    return [m for m in (latest - step * i for i in range(most)) if m >= first_month]
