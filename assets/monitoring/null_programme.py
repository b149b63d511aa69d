"""The comparison of the list with the next hundred, run where no programme ran: what it reports then is an artefact.

Whoever is selected for recent harm does less afterwards, programme or not. So a raw before and after is never an effect. Two
designs are: the change of the selected against the change of the next hundred, and the jump at the cut. An effect is reported
only where both exclude none, in the same direction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import statsmodels.api as sm

from assets.monitoring.events import Floats, Ints
from assets.monitoring.resampling import LEVEL, Multiplicities, interval


@dataclass(frozen=True)
class Compared:
    """People on lists and just behind them, an entry a person x cut-off: rank from 1, harm in the year before last, the year
    before and the year after the cut-off."""

    person: Ints
    rank: Ints
    earlier: Floats
    before: Floats
    after: Floats


@dataclass(frozen=True)
class NullProgramme:
    """`fall_selected`, `fall_next`: share by which mean harm fell from before to after, with no programme at all.

    `change_ratio`: (after / before of the selected) / (the same of the next), 1 is none; `pre_trend`: the same of the year
    before. `jump`: harm after (days, capped) just above the cut less just behind it, with its interval. `says_effect`: both
    designs exclude none in the same direction.
    """

    n_selected: int
    n_next: int
    fall_selected: float
    fall_next: float
    change_ratio: float
    change_lower: float
    change_upper: float
    pre_trend: float
    jump: float
    jump_lower: float
    jump_upper: float
    says_effect: bool


def null_programme(
    compared: Compared, place: int, drawn: Multiplicities, *, harm_cap: float, bandwidth_share: float = 0.5
) -> NullProgramme:
    """Compare ranks 1 to `place` with the next as many. `drawn`: persons x resamples, column 0 the data. The jump is looked
    for among ranks within `bandwidth_share` of the list's length on either side of the cut."""
    selected = compared.rank <= place
    near = ~selected & (compared.rank <= 2 * place)
    change = _change(compared.before, compared.after, compared, selected, near, drawn, harm_cap)
    lower, upper = interval(change[1:])
    trend = _change(compared.earlier, compared.before, compared, selected, near, drawn[:, :1], harm_cap)
    jump, jump_lower, jump_upper = _jump(compared, place, bandwidth_share * place, harm_cap)
    falls = (upper < 1 and jump_upper < 0) or (lower > 1 and jump_lower > 0)
    return NullProgramme(
        n_selected=int(selected.sum()),
        n_next=int(near.sum()),
        fall_selected=_fall(compared, selected),
        fall_next=_fall(compared, near),
        change_ratio=round(float(change[0]), 6),
        change_lower=round(float(lower), 6),
        change_upper=round(float(upper), 6),
        pre_trend=round(float(trend[0]), 6),
        jump=jump,
        jump_lower=jump_lower,
        jump_upper=jump_upper,
        says_effect=bool(falls),
    )


def _fall(compared: Compared, who: np.ndarray) -> float:
    before = compared.before[who].sum()
    return round(float(1 - compared.after[who].sum() / before), 6) if before else float("nan")


def _change(
    first: Floats,
    second: Floats,
    compared: Compared,
    selected: np.ndarray,
    near: np.ndarray,
    drawn: Multiplicities,
    harm_cap: float,
) -> Floats:
    """Ratio of relative changes, in every resample of persons."""
    sums = []
    for who in (selected, near):
        weights = drawn[compared.person[who]].astype(float)
        sums += [np.minimum(values[who], harm_cap) @ weights for values in (first, second)]
    before, after, before_next, after_next = sums
    with np.errstate(divide="ignore", invalid="ignore"):
        return (after / before) / (after_next / before_next)


def _jump(compared: Compared, place: int, bandwidth: float, harm_cap: float) -> tuple[float, float, float]:
    """Local linear regression on the rank, on both sides of the cut, the nearest weighing most; errors clustered by person.

    Local, because harm after falls steeply at the very top of a list: a line through all of it jumps at the cut by itself.
    """
    away = compared.rank - (place + 0.5)
    weight = 1 - np.abs(away) / bandwidth
    used = weight > 0
    away, on = away[used], (away[used] < 0).astype(float)
    if len(np.unique(on)) < 2:
        return float("nan"), float("nan"), float("nan")
    fitted = sm.WLS(
        np.minimum(compared.after[used], harm_cap),
        np.column_stack([np.ones(len(on)), on, away, away * on]),
        weights=weight[used],
    ).fit(cov_type="cluster", cov_kwds={"groups": compared.person[used]})
    lower, upper = fitted.conf_int(alpha=1 - LEVEL)[1]
    return round(float(fitted.params[1]), 6), round(float(lower), 6), round(float(upper), 6)
