"""What the list owes to numbers that nobody knows exactly: exponents and half-life over their plateau, and weights."""

from __future__ import annotations

import numpy as np
import polars as pl

from assets.monitoring.events import Allegations, Floats, Ints
from assets.monitoring.parameters import Monitoring, ScoreParameters
from assets.monitoring.rankers import Snapshot, contributions, formula, multiplier
from assets.monitoring.resampling import top_persons
from assets.monitoring.stability import overlap, rbo_ext


def sensitivity(
    allegations: Allegations, at: int, parameters: ScoreParameters, monitored: Monitoring, *, seed: int = 1
) -> pl.DataFrame:
    """A row a variation: variation, setting, rbo, overlap (of the top `list_top`), n_draws. Draws are averaged.

    Weights are perturbed lognormally, one factor a distinct severity: offences of one class share its weight, so they move
    together.
    """
    snapshot = Snapshot(allegations, at)
    pool = snapshot.pool(parameters.cut_months)
    top = int(monitored.one("list_top"))
    p = monitored.one("rbo_p")
    base = top_persons(formula(allegations, at, parameters)[pool], pool, top * 10)
    rows = []
    for name in ("severity_exponent", "half_life_days", "multiplier_exponent"):
        for value in monitored.all(f"plateau_{name}"):
            varied = top_persons(
                formula(allegations, at, parameters.but(**{name: value}))[pool], pool, top * 10
            )
            rows.append(_row(name, f"{value:g}", [(base, varied)], top, p))
    for spread in monitored.all("weights_ln_sd"):
        pairs = [
            (base, top_persons(scores[pool], pool, top * 10))
            for scores in _perturbed(snapshot, parameters, spread, int(monitored.one("weights_draws")), seed)
        ]
        rows.append(_row("weights_ln_sd", f"{spread:g}", pairs, top, p))
    return pl.DataFrame(rows)


def _row(
    variation: str, setting: str, pairs: list[tuple[Ints, Ints]], top: int, p: float
) -> dict[str, object]:
    return {
        "variation": variation,
        "setting": setting,
        "rbo": round(float(np.mean([rbo_ext(one, other, p) for one, other in pairs])), 6),
        "overlap": round(float(np.mean([overlap(one[:top], other[:top]) for one, other in pairs])), 6),
        "n_draws": len(pairs),
    }


def _perturbed(
    snapshot: Snapshot, parameters: ScoreParameters, spread: float, n_draws: int, seed: int
) -> list[Floats]:
    """Scores under drawn weights."""
    full = snapshot.allegations
    terms, first = contributions(snapshot, parameters)
    many = multiplier(snapshot, parameters)
    _, level = np.unique(full.severity[first : snapshot.n], return_inverse=True)
    rng = np.random.default_rng(seed)
    draws = rng.normal(0.0, spread, (n_draws, int(level.max(initial=0)) + 1))
    return [
        many * snapshot.sum_by_person(terms * np.exp(parameters.severity_exponent * draw)[level], first)
        for draw in draws
    ]
