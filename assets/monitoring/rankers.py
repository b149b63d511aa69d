"""Scores of persons at a cut-off, from what was reported by then: the platform's formula and everything it is held against.

Every ranker gives one number a person; higher is ranked first. Nothing reported after the cut-off is read, but by the
oracle, whose purpose that is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from assets.monitoring.events import DAY, Allegations, Floats, Ints
from assets.monitoring.parameters import ListConditions, Monitoring, ScoreParameters

Bools = NDArray[np.bool_]


def month_end(month: np.datetime64) -> int:
    """The last second of a month, in seconds since 1970."""
    return int((month.astype("datetime64[M]") + 1).astype("datetime64[s]").astype(np.int64)) - 1


def months_before(at: int, months: int) -> int:
    """The same moment some months earlier; the last day of a shorter month stands in, as in SQL."""
    moment = np.datetime64(at, "s")
    month = moment.astype("datetime64[M]")
    day, time = (moment.astype("datetime64[D]") - month.astype("datetime64[D]")), at % DAY
    earlier = month - months
    last = (earlier + 1).astype("datetime64[D]") - np.timedelta64(1, "D")
    on = min(earlier.astype("datetime64[D]") + day, last)
    return int(on.astype("datetime64[s]").astype(np.int64)) + time


@dataclass(frozen=True)
class Snapshot:
    """What was known at the second `at`: the first `n` allegations in order of report."""

    allegations: Allegations
    at: int

    @cached_property
    def n(self) -> int:
        return int(np.searchsorted(self.allegations.reported_at, self.at, side="right"))

    @cached_property
    def weights(self) -> Floats:
        """Outcome weights of the known allegations, as known at the cut-off."""
        full = self.allegations
        return np.where(full.outcome_at[: self.n] <= self.at, full.outcome_weight[: self.n], 1.0)

    @cached_property
    def counted(self) -> Bools:
        return self.weights > 0

    def since(self, months: int) -> int:
        """The first allegation reported within so many months before the cut-off (the boundary itself is outside)."""
        lower = months_before(self.at, months)
        return int(np.searchsorted(self.allegations.reported_at[: self.n], lower, side="right"))

    def since_days(self, days: float) -> int:
        """The first allegation reported within so many days before the cut-off."""
        lower = self.at - int(days * DAY)
        return int(np.searchsorted(self.allegations.reported_at[: self.n], lower, side="left"))

    def sum_by_person(self, values: Floats, first: int = 0) -> Floats:
        """Sum of values (an entry an allegation from `first` on) of each person."""
        return _totals(self.allegations.person[first : self.n], values, self.allegations.n_persons)

    def n_allegations(self, first: int = 0) -> Floats:
        """Counted allegations of each person from `first` on."""
        return self.sum_by_person(self.counted[first:].astype(float), first)

    def n_incidents(self, first: int = 0) -> Floats:
        """Distinct counted incidents of each person from `first` on."""
        full = self.allegations
        return _distinct(
            full.incident[first : self.n][self.counted[first:]], full.incident_person, full.n_persons
        )

    def n_victims(self, first: int = 0) -> Floats:
        """Distinct victims of counted allegations of each person from `first` on."""
        full = self.allegations
        lower, upper = np.searchsorted(full.victim_of, (first, self.n))
        counted = self.counted[full.victim_of[lower:upper]]
        return _distinct(full.victim[lower:upper][counted], full.victim_person, full.n_persons)

    def max_by_person(self, values: Floats, first: int = 0) -> Floats:
        """Largest value of each person from `first` on; 0 where there is none."""
        most = np.zeros(self.allegations.n_persons)
        np.maximum.at(most, self.allegations.person[first : self.n], values)
        return most

    def pool(self, cut_months: int) -> Ints:
        """The persons who can be ranked: one counted allegation within the cut."""
        return np.flatnonzero(self.n_allegations(self.since(cut_months)) > 0)


def _totals(person: Ints, values: Floats, n_persons: int) -> Floats:
    # Without any entry NumPy counts in integers.
    return np.bincount(person, values, minlength=n_persons).astype(float, copy=False)


def _distinct(pairs: Ints, person: Ints, n_persons: int) -> Floats:
    seen = np.zeros(len(person), dtype=bool)
    seen[pairs] = True
    return np.bincount(person[seen], minlength=n_persons).astype(float)


def multiplier(snapshot: Snapshot, parameters: ScoreParameters) -> Floats:
    """m_p = (N_p * V_p)^(b/2): incidents and victims of the window, at least 1 and capped."""
    first = snapshot.since(parameters.window_months)
    incidents = np.clip(snapshot.n_incidents(first), 1, parameters.multiplier_cap)
    victims = np.clip(snapshot.n_victims(first), 1, parameters.multiplier_cap)
    return (incidents * victims) ** (parameters.multiplier_exponent / 2)


def meets(snapshot: Snapshot, parameters: ScoreParameters, conditions: ListConditions) -> Bools:
    """Whether each person met the conditions of the list at the cut-off, as far as allegations tell: custody, disputes and
    doubts about who somebody is are not known of the past."""
    first = snapshot.since(parameters.cut_months)
    link = snapshot.allegations.link_probability[first : snapshot.n] * snapshot.counted[first:]
    return (
        (snapshot.n_incidents(snapshot.since(parameters.window_months)) >= conditions.min_incidents)
        & (snapshot.n_allegations(snapshot.since(conditions.recent_months)) > 0)
        & (snapshot.max_by_person(link, first) >= conditions.min_link_probability)
    )


def contributions(
    snapshot: Snapshot, parameters: ScoreParameters, severity_factor: Floats | None = None
) -> tuple[Floats, int]:
    """c_i = s^a * 2^(-age/h) * o * l of the allegations within the cut, and the first of them.

    `severity_factor`: of every allegation, multiplies the severity; for perturbed weights.
    """
    full, first = snapshot.allegations, snapshot.since(parameters.cut_months)
    severity = full.severity[first : snapshot.n]
    if severity_factor is not None:
        severity = severity * severity_factor[first : snapshot.n]
    age_days = (snapshot.at - full.reported_at[first : snapshot.n]) / DAY
    return (
        severity**parameters.severity_exponent
        * np.exp2(-age_days / parameters.half_life_days)
        * snapshot.weights[first:]
        * full.link_probability[first : snapshot.n]
    ), first


def formula(allegations: Allegations, at: int, parameters: ScoreParameters) -> Floats:
    """The platform's score of every person at the second `at`: S = m * sum of c. The same as the mart's, to rounding."""
    snapshot = Snapshot(allegations, at)
    terms, first = contributions(snapshot, parameters)
    return multiplier(snapshot, parameters) * snapshot.sum_by_person(terms, first)


def v100(snapshot: Snapshot, days: float, at_least: float) -> Floats:
    """Sum of harm of the last `days` of those with enough counted allegations in them; 0 of others. After the V100."""
    first = snapshot.since_days(days)
    harm = snapshot.sum_by_person(
        snapshot.allegations.severity[first : snapshot.n] * snapshot.weights[first:], first
    )
    return np.where(snapshot.n_allegations(first) >= at_least, harm, 0.0)


def rfg(
    snapshot: Snapshot, bands: dict[str, tuple[list[float], list[float]]], parameters: ScoreParameters
) -> Floats:
    """Product of the points for recency, frequency and gravity."""
    full, n, first = snapshot.allegations, snapshot.n, snapshot.since(parameters.cut_months)
    counted = snapshot.counted[first:]
    latest = np.full(full.n_persons, ALWAYS_AGO)
    np.maximum.at(latest, full.person[first:n][counted], full.reported_at[first:n][counted].astype(float))
    return (
        _points((snapshot.at - latest) // DAY, bands["recency"])
        * _points(snapshot.n_incidents(snapshot.since(parameters.window_months)), bands["frequency"])
        * _points(snapshot.max_by_person(full.severity[first:n] * counted, first), bands["gravity"])
        * (snapshot.n_allegations(first) > 0)
    )


ALWAYS_AGO = -1e12


def _points(values: Floats, band: tuple[list[float], list[float]]) -> Floats:
    bounds, points = np.asarray(band[0]), np.asarray(band[1])
    at = np.searchsorted(bounds, np.maximum(values, 0), side="right") - 1
    return np.where(at >= 0, points[np.maximum(at, 0)], 0.0)


@dataclass(frozen=True)
class Later:
    """What came after a cut-off, a number a person: harm (days), n_events, n_incidents, is_serious, any."""

    harm: Floats
    n_events: Floats
    n_incidents: Floats
    gravest: Floats

    @property
    def any(self) -> Floats:
        return (self.n_events > 0).astype(float)


def later(allegations: Allegations, occurred_at: Ints, at: int, until: int) -> Later:
    """Counted allegations that occurred after `at` and were reported by `until`. Outcomes as finally known."""
    first, last = np.searchsorted(allegations.reported_at, (at, until), side="right")
    part = slice(first, last)
    is_later = (occurred_at[part] > at) & (allegations.outcome_weight[part] > 0)
    person, harm = allegations.person[part][is_later], allegations.severity[part][is_later]
    n = allegations.n_persons
    gravest = np.zeros(n)
    np.maximum.at(gravest, person, harm)
    return Later(
        harm=_totals(person, harm, n),
        n_events=np.bincount(person, minlength=n).astype(float),
        n_incidents=_distinct(allegations.incident[part][is_later], allegations.incident_person, n),
        gravest=gravest,
    )


Ranker = Callable[[Snapshot], Floats]


def peers(
    parameters: ScoreParameters,
    monitored: Monitoring,
    bands: dict[str, tuple[list[float], list[float]]],
    *,
    has_incidents: bool,
) -> dict[str, Ranker]:
    """The formula, both ends of its dial, and its peers that need nothing but the snapshot. Name -> scores."""
    grave = parameters.but(severity_exponent=parameters.severity_exponent_grave)
    found: dict[str, Ranker] = {
        "formula": lambda s: formula(s.allegations, s.at, parameters),
        "formula_grave": lambda s: formula(s.allegations, s.at, grave),
        "random": lambda s: np.zeros(s.allegations.n_persons),
        "count_offences": lambda s: s.n_allegations(),
        "severity": lambda s: s.sum_by_person(s.allegations.severity[: s.n] * s.weights),
        "v100_like": lambda s: v100(s, monitored.one("v100_days"), monitored.one("v100_min_allegations")),
        "rfg": lambda s: rfg(s, bands, parameters),
    }
    if has_incidents:
        found["count_incidents"] = lambda s: s.n_incidents()
    for months in (int(m) for m in monitored.all("count_months")):
        found[f"count_offences_{months}m"] = lambda s, months=months: s.n_allegations(s.since(months))  # type: ignore[misc]
        if has_incidents:
            found[f"count_incidents_{months}m"] = lambda s, months=months: s.n_incidents(s.since(months))  # type: ignore[misc]
    return found
