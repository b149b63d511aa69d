"""What the list owes to recording practice: forces differ in how often they can name a suspect at all.

The list is made again as if every force named suspects at the same rate, once by weighting allegations up to the mean rate,
once by leaving allegations out at random down to the lowest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from assets.monitoring.events import Allegations, Events, Floats, Ints
from assets.monitoring.parameters import Monitoring, ScoreParameters
from assets.monitoring.rankers import Snapshot, contributions, formula, multiplier
from assets.monitoring.resampling import top_persons
from assets.monitoring.stability import overlap, rbo_ext


@dataclass(frozen=True)
class Recording:
    """`summary`: a row a method: overlap, rbo, n_draws, largest_force_shift. `forces`: force x method: named_share, n_listed,
    n_listed_equalised (mean over draws), relative_shift. A person counts for the force with the largest share of the score."""

    summary: pl.DataFrame
    forces: pl.DataFrame


def equalise(
    allegations: Allegations,
    at: int,
    parameters: ScoreParameters,
    force: Ints,
    forces: list[str],
    named_share: dict[str, float],
    *,
    top: int,
    n_draws: int,
    p: float,
    seed: int,
    min_listed: int,
) -> Recording:
    """`force`: of every allegation its index in `forces`. `named_share`: share of crimes with a named suspect, in (0, 1]; a
    force without one keeps its allegations as they are. Shifts of forces with fewer than `min_listed` places are not judged.
    """
    rates = np.array([named_share.get(name, np.nan) for name in forces])
    if np.nanmin(rates, initial=1.0) <= 0 or np.nanmax(rates, initial=0.0) > 1:
        raise ValueError("named_share lies above 0 and at most at 1")
    snapshot = Snapshot(allegations, at)
    pool = snapshot.pool(parameters.cut_months)
    top = min(top, max(1, len(pool) // 20))
    base = top_persons(formula(allegations, at, parameters)[pool], pool, top)
    owner = _owners(snapshot, parameters, force, len(forces))
    before = np.bincount(owner[base], minlength=len(forces)).astype(float)

    terms, first = contributions(snapshot, parameters)
    factor = np.nan_to_num(np.nanmean(rates) / rates, nan=1.0)[force[first : snapshot.n]]
    weighted = multiplier(snapshot, parameters) * snapshot.sum_by_person(terms * factor, first)
    lists = {"inverse_weights": [top_persons(weighted[pool], pool, top)]}

    keep = np.nan_to_num(np.nanmin(rates) / rates, nan=1.0)[force]
    rng = np.random.default_rng(seed)
    lists["down_sampling"] = [
        top_persons(
            formula(_thinned(allegations, rng.random(len(keep)) < keep), at, parameters)[pool], pool, top
        )
        for _ in range(n_draws)
    ]
    return _tables(base, before, lists, owner, forces, rates, p, min_listed)


def recording(
    events: Events, at: int, parameters: ScoreParameters, monitored: Monitoring, *, seed: int
) -> Recording | None:
    """The list of a moment equalised, by the numbers of the monitoring; None where fewer than two forces can be compared."""
    named = named_shares(events.unnamed)
    if len(named) < 2 or not events.unnamed["n_unnamed"].sum():
        return None
    return equalise(
        events.allegations,
        at,
        parameters,
        events.force,
        events.forces,
        named,
        top=int(monitored.one("recording_top")),
        n_draws=int(monitored.one("recording_draws")),
        p=monitored.one("rbo_p"),
        seed=seed,
        min_listed=int(monitored.one("min_cell")),
    )


def _tables(
    base: Ints,
    before: Floats,
    lists: dict[str, list[Ints]],
    owner: Ints,
    forces: list[str],
    rates: Floats,
    p: float,
    min_listed: int,
) -> Recording:
    summary, by_force = [], []
    for method, varied in lists.items():
        after = np.mean([np.bincount(owner[each], minlength=len(forces)) for each in varied], axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            shift = np.where(before > 0, after / before - 1, np.nan)
        judged = np.abs(shift[before >= min_listed])
        summary.append(
            {
                "method": method,
                "overlap": round(float(np.mean([overlap(base, each) for each in varied])), 6),
                "rbo": round(float(np.mean([rbo_ext(base, each, p) for each in varied])), 6),
                "largest_force_shift": round(float(judged.max()), 6) if len(judged) else None,
                "n_listed": len(base),
                "n_draws": len(varied),
            }
        )
        by_force.append(
            pl.DataFrame(
                {
                    "force_code": forces,
                    "method": [method] * len(forces),
                    "named_share": pl.Series(np.round(rates, 6)).fill_nan(None),
                    "n_listed": before.astype(np.int64),
                    "n_listed_equalised": np.round(after, 3),
                    "relative_shift": pl.Series(np.round(shift, 6)).fill_nan(None),
                }
            )
        )
    return Recording(pl.DataFrame(summary), pl.concat(by_force))


def named_shares(unnamed: pl.DataFrame) -> dict[str, float]:
    """force_code -> share of its events with a named person, from force_code, n_named, n_unnamed; forces naming nobody out."""
    rates = unnamed.filter(pl.col("n_named") > 0).with_columns(
        rate=pl.col("n_named") / (pl.col("n_named") + pl.col("n_unnamed"))
    )
    return dict(rates.select("force_code", "rate").iter_rows())


def _owners(snapshot: Snapshot, parameters: ScoreParameters, force: Ints, n_forces: int) -> Ints:
    """Of every person the force with the largest share of the score; ties to the first in order of code."""
    terms, first = contributions(snapshot, parameters)
    person = snapshot.allegations.person[first : snapshot.n]
    cell = person * n_forces + force[first : snapshot.n]
    cells, where = np.unique(cell, return_inverse=True)
    score = np.bincount(where, terms)
    order = np.lexsort((cells, -score, cells // n_forces))
    owners = np.zeros(snapshot.allegations.n_persons, dtype=np.int64)
    whose, at = np.unique(cells[order] // n_forces, return_index=True)
    owners[whose] = cells[order][at] % n_forces
    return owners


def _thinned(allegations: Allegations, kept: np.ndarray) -> Allegations:
    """With the allegations that are not kept adding nothing: an outcome weight of 0, from the start."""
    always = np.iinfo(np.int64).min
    return replace(
        allegations,
        outcome_weight=np.where(kept, allegations.outcome_weight, 0.0),
        outcome_at=np.where(kept, allegations.outcome_at, always),
    )
