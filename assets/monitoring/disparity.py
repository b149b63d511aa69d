"""Whether groups are selected at different rates: raw, and among people of the same recorded harm.

Rates, by group and by band of harm, are fairlearn's; their intervals Wilson's (statsmodels); ratios are of a group to everyone
else whose group is known. Conditioning on recorded harm removes differences in recorded harm, including those that came from
unequal recording.

An alert needs two things: the 95% interval of the ratio lies wholly outside the band (.8 to 1.25), and the ratio is outside it
at 5% after Benjamini-Hochberg over every test of the month. Where no group is treated differently that raises an alert in at
most 5% of months, whatever the number of groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import polars as pl
from fairlearn.metrics import MetricFrame, selection_rate
from scipy.stats import norm
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from assets.monitoring.events import Floats, Ints
from assets.monitoring.parameters import Monitoring
from assets.monitoring.rankers import Snapshot
from assets.monitoring.resampling import LEVEL, interval

MISSING = "not known"
CAVEAT = "Conditioning on recorded harm removes differences in recorded harm, including those that came from unequal recording."


@dataclass(frozen=True)
class Disparity:
    """Of one attribute and one list.

    `rates`: a row a group: n, n_selected, rate, rate_lower, rate_upper, hit_rate with its interval, is_suppressed. `ratios`: a
    row a group x basis (raw, conditional): ratio, lower, upper, p_value, bound_low, bound_high (where every missing group
    worked against or for the ratio). `by_band`: n and rate by band of harm and group. Figures of fewer than `min_cell`
    persons are null; so is what came after, where no time has passed to know it (`is_followed`). `cells`: the counts all of it
    rests on.
    """

    attribute: str
    cells: pl.DataFrame
    least: int
    ratios: pl.DataFrame
    missing_share: float
    missing_selected_share: float
    shows_bounds_only: bool

    @property
    def is_followed(self) -> bool:
        return self.cells["hit"].null_count() < self.cells.height

    @cached_property
    def rates(self) -> pl.DataFrame:
        return _rates(self.cells, _names(self.cells), self.least)

    @cached_property
    def by_band(self) -> pl.DataFrame:
        return _by_band(self.cells, self.least)


def harm_bands(snapshot: Snapshot, cut_months: int, pool: Ints, quantiles: Sequence[float]) -> Ints:
    """Band of recorded harm of each person of the pool: most severe counted allegation x counted incidents, cut at quantiles."""
    first = snapshot.since(cut_months)
    full = snapshot.allegations
    counted = snapshot.counted[first:]
    most = snapshot.max_by_person(full.severity[first : snapshot.n] * counted, first)[pool]
    size = most * snapshot.n_incidents(first)[pool]
    edges = np.unique(np.quantile(size, list(quantiles)))
    return np.searchsorted(edges, size, side="left").astype(np.int64)


def disparity(
    attribute: str,
    group: Sequence[str | None],
    is_selected: np.ndarray,
    band: Ints,
    monitored: Monitoring,
    *,
    hit: Floats | None = None,
    max_missing_share: float = 0.20,
    n_boot: int = 500,
    seed: int = 1,
) -> Disparity:
    """Compare groups over a pool of persons: `group` (None: missing), selected or not, band of harm, and whether any allegation
    followed (`hit`). Ratios are not tested, and shown as bounds only, where more than `max_missing_share` is missing.
    """
    cells = _cells(group, is_selected, band, hit)
    least = int(monitored.one("min_cell"))
    missing = _missing_share(cells)
    missing_selected = _missing_share(cells.filter("selected"))
    bounds_only = bool(missing > max_missing_share)
    return Disparity(
        attribute=attribute,
        cells=cells,
        least=least,
        ratios=_ratios(cells, _names(cells), monitored, least, bounds_only, n_boot, seed),
        missing_share=round(float(missing), 6),
        missing_selected_share=round(float(missing_selected), 6),
        shows_bounds_only=bounds_only,
    )


def hit_rates(group: Sequence[str | None], is_selected: np.ndarray, hit: Floats, least: int) -> pl.DataFrame:
    """Of the selected, by group: n_followed, hit_rate, hit_lower, hit_upper (Wilson); of fewer than `least` nothing."""
    cells = _cells(group, is_selected, np.zeros(len(group), dtype=np.int64), hit)
    return _rates(cells, _names(cells), least).select(
        "group", pl.col("n_selected").alias("n_followed"), "hit_rate", "hit_lower", "hit_upper"
    )


def judge(found: Sequence[tuple[str, Disparity]], monitored: Monitoring) -> pl.DataFrame:
    """All ratios of a month as one family: attribute, top, basis, group, ratio, ..., p_adjusted, is_alert.

    `found`: the name of the list with each comparison.
    """
    table = pl.concat(
        [d.ratios.with_columns(attribute=pl.lit(d.attribute), top=pl.lit(top)) for top, d in found]
    )
    tested = table["p_value"].is_not_null().to_numpy()
    adjusted = np.full(table.height, np.nan)
    if tested.any():
        adjusted[tested] = multipletests(
            table["p_value"].to_numpy()[tested], alpha=monitored.one("false_alarm_share"), method="fdr_bh"
        )[1]
    low, high = monitored.one("ratio_band_from"), monitored.one("ratio_band_to")
    return table.with_columns(p_adjusted=pl.Series(np.round(adjusted, 9)).fill_nan(None)).select(
        "attribute", "top", "basis", "group", "ratio", "lower", "upper", "bound_low", "bound_high", "p_value", "p_adjusted",
        is_alert=(
            (pl.col("p_adjusted") <= monitored.one("false_alarm_share"))
            & ((pl.col("lower") > high) | (pl.col("upper") < low))
        ).fill_null(False),
    )  # fmt: skip


def missing_by(place: Sequence[str | None], group: Sequence[str | None]) -> pl.DataFrame:
    """Share of persons whose group is missing, by place (a force): place, n, missing_share."""
    return (
        pl.DataFrame({"place": pl.Series(place, dtype=pl.String), "group": pl.Series(group, dtype=pl.String)})
        .group_by("place")
        .agg(n=pl.len(), missing_share=pl.col("group").is_null().mean().round(6))
        .sort("place")
    )


def _cells(
    group: Sequence[str | None], is_selected: np.ndarray, band: Ints, hit: Floats | None
) -> pl.DataFrame:
    """Counts of persons: group x band x selected x hit. All that follows needs no more, and resamples these counts."""
    return (
        pl.DataFrame(
            {
                "group": pl.Series(group, dtype=pl.String).fill_null(MISSING),
                "band": band,
                "selected": np.asarray(is_selected, dtype=bool),
                "hit": pl.repeat(None, len(band), dtype=pl.Boolean, eager=True) if hit is None else hit > 0,
            }
        )
        .group_by("group", "band", "selected", "hit")
        .agg(n=pl.len().cast(pl.Int64))
        .sort("group", "band", "selected", "hit")
    )


def _names(cells: pl.DataFrame) -> list[str]:
    """The groups in order, the missing last."""
    return sorted(set(cells["group"].to_list()), key=lambda name: (name == MISSING, name))


def _missing_share(cells: pl.DataFrame) -> float:
    return int(cells.filter(group=MISSING)["n"].sum()) / max(1, int(cells["n"].sum()))


def _frame(cells: pl.DataFrame, of: str, *, by_band: bool = False) -> pd.DataFrame:
    """Share of `of` by group (and band), from counted cells, with fairlearn."""
    weight = cells["n"].to_numpy()
    frame = MetricFrame(
        metrics={"rate": selection_rate},
        y_true=np.zeros(cells.height),
        y_pred=cells[of].to_numpy().astype(int),
        sensitive_features=pd.Series(cells["group"].to_list(), name="group"),
        control_features=pd.Series(cells["band"].to_list(), name="band") if by_band else None,
        sample_params={"rate": {"sample_weight": weight}},
    )
    return frame.by_group


def _rates(cells: pl.DataFrame, names: list[str], least: int) -> pl.DataFrame:
    rate = _frame(cells, "selected")["rate"]
    chosen = cells.filter("selected")
    followed = chosen.filter(pl.col("hit").is_not_null())
    hit_rate = _frame(followed, "hit")["rate"] if followed.height else pd.Series(dtype=float)
    rows = []
    for name in names:
        n = int(cells.filter(group=name)["n"].sum())
        k = int(chosen.filter(group=name)["n"].sum())
        lower, upper = proportion_confint(k, n, alpha=1 - LEVEL, method="wilson")
        of_group = followed.filter(group=name)
        hits, n_followed = int(of_group.filter("hit")["n"].sum()), int(of_group["n"].sum())
        hit_lower, hit_upper = proportion_confint(hits, max(n_followed, 1), alpha=1 - LEVEL, method="wilson")
        few, few_selected = n < least, k < least
        unknown = few_selected or not n_followed
        rows.append(
            {
                "group": name,
                "n": None if few else n,
                "n_selected": None if few or few_selected else k,
                "rate": None if few or few_selected else round(float(rate[name]), 6),
                "rate_lower": None if few or few_selected else round(max(0.0, float(lower)), 6),
                "rate_upper": None if few or few_selected else round(float(upper), 6),
                "hit_rate": None if unknown else round(max(0.0, float(hit_rate[name])), 6),
                "hit_lower": None if unknown else round(max(0.0, float(hit_lower)), 6),
                "hit_upper": None if unknown else round(max(0.0, float(hit_upper)), 6),
                "is_suppressed": few or few_selected,
            }
        )
    return pl.DataFrame(rows, schema=_RATES)


_RATES = {
    "group": pl.String,
    "n": pl.Int64,
    "n_selected": pl.Int64,
    **dict.fromkeys(("rate", "rate_lower", "rate_upper", "hit_rate", "hit_lower", "hit_upper"), pl.Float64),
    "is_suppressed": pl.Boolean,
}


def _by_band(cells: pl.DataFrame, least: int) -> pl.DataFrame:
    rate = _frame(cells, "selected", by_band=True)["rate"]
    flat = pl.DataFrame(
        {
            "band": [int(b) for b, _ in rate.index],
            "group": [str(g) for _, g in rate.index],
            "rate": rate.to_numpy(dtype=float),
        }
    )
    counts = cells.group_by("band", "group").agg(n=pl.col("n").sum())
    return (
        flat.join(counts, on=["band", "group"], how="inner")
        .with_columns(
            n=pl.when(pl.col("n") >= least).then("n"),
            rate=pl.when(pl.col("n") >= least).then(pl.col("rate").round(6)),
        )
        .sort("band", "group")
    )


def _ratios(
    cells: pl.DataFrame,
    names: list[str],
    monitored: Monitoring,
    least: int,
    bounds_only: bool,
    n_boot: int,
    seed: int,
) -> pl.DataFrame:
    counts = _array(cells, names)
    total = int(counts.sum())
    drawn = np.random.default_rng(seed).multinomial(total, counts.ravel() / total, n_boot)
    resampled = np.concatenate([counts[None], drawn.reshape(n_boot, *counts.shape)]).astype(float)
    known = [i for i, name in enumerate(names) if name != MISSING]
    rows = []
    for i in known:
        others = [j for j in known if j != i]
        low, high = _bounds(counts, i, others, names)
        for basis in ("raw", "conditional"):
            part = resampled if basis == "conditional" else resampled.sum(axis=2, keepdims=True)
            one, rest = part[:, i], part[:, others].sum(axis=1)
            shown = one[0].sum() >= least and rest[0].sum() >= least and not bounds_only
            ratio = _mantel_haenszel(one, rest)
            lower, upper = interval(ratio[1:])
            p = _outside(one[0], rest[0], monitored.one("ratio_band_from"), monitored.one("ratio_band_to"))
            rows.append(
                {
                    "group": names[i],
                    "basis": basis,
                    **{
                        key: round(float(value), 6) if shown and np.isfinite(value) else None
                        for key, value in (
                            ("ratio", ratio[0]),
                            ("lower", lower),
                            ("upper", upper),
                            ("p_value", p),
                        )
                    },
                    "bound_low": low if basis == "raw" else None,
                    "bound_high": high if basis == "raw" else None,
                }
            )
    return pl.DataFrame(rows, schema=_RATIOS)


_RATIOS = {
    "group": pl.String,
    "basis": pl.String,
    **dict.fromkeys(("ratio", "lower", "upper", "p_value", "bound_low", "bound_high"), pl.Float64),
}


def _array(cells: pl.DataFrame, names: list[str]) -> Ints:
    """Counts as groups x bands x (not selected, selected)."""
    band = cells["band"].to_numpy()
    counts = np.zeros((len(names), int(band.max()) + 1, 2), dtype=np.int64)
    group = np.array([names.index(name) for name in cells["group"]])
    np.add.at(counts, (group, band, cells["selected"].to_numpy().astype(int)), cells["n"].to_numpy())
    return counts


def _mantel_haenszel(one: Floats, rest: Floats) -> Floats:
    """Ratio of selection rates over strata, for each resample: [resample, band, (not, selected)]. One band: the raw ratio."""
    n_one, n_rest = one.sum(axis=-1), rest.sum(axis=-1)
    both = np.maximum(n_one + n_rest, 1)
    above = (one[..., 1] * n_rest / both).sum(axis=-1)
    below = (rest[..., 1] * n_one / both).sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below > 0, above / below, np.nan)


def _outside(one: Floats, rest: Floats, low: float, high: float) -> float:
    """p-value that the ratio lies within the band, given how many of each stratum were selected.

    Were the ratio r, each of those selected in a stratum would be of the group with probability r n / (r n + n of the rest):
    exact for rare selection, cautious for frequent one. Works where nobody of the group was selected, too.
    """
    chosen = one[:, 1] + rest[:, 1]
    n_one, n_rest = one.sum(axis=1), rest.sum(axis=1)
    observed = one[:, 1].sum()

    def tail(ratio: float, sign: int) -> float:
        odds = ratio * n_one / np.maximum(ratio * n_one + n_rest, 1e-12)
        spread = np.sqrt((chosen * odds * (1 - odds)).sum())
        if spread == 0:
            return 1.0
        return float(norm.sf((sign * (observed - (chosen * odds).sum()) - 0.5) / spread))

    return min(1.0, 2 * min(tail(high, 1), tail(low, -1)))


def _bounds(counts: Ints, i: int, others: list[int], names: list[str]) -> tuple[float | None, float | None]:
    """The raw ratio were everybody of missing group placed so as to make it smallest, and largest."""
    (out, chosen), (rest_out, rest_chosen) = counts[i].sum(axis=0), counts[others].sum(axis=(0, 1))
    lost_out, lost_chosen = counts[names.index(MISSING)].sum(axis=0) if MISSING in names else (0, 0)

    def ratio(a: float, b: float, c: float, d: float) -> float | None:
        return round(float(a / (a + b) / (c / (c + d))), 6) if a + b and c else None

    return (
        ratio(chosen, out + lost_out, rest_chosen + lost_chosen, rest_out),
        ratio(chosen + lost_chosen, out, rest_chosen, rest_out + lost_out),
    )
