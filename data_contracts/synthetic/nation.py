"""A synthetic England and Wales: monthly submissions of every force, with the truth beside them.

This module tells the story, force by force and month by month; who the people are, what happens and how
it is written stand in the modules beside it. Each force depends on the seed, the scale and the first
month only, so a few forces alone come out as they do among all. Nothing here is about real people.
"""

from __future__ import annotations

import calendar
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import polars as pl

from data_contracts.extracts.catalogue import CONTRACT_VERSION, EXTRACTS
from data_contracts.submission import write_submission
from data_contracts.synthetic import faults
from data_contracts.synthetic.cases import RELATIONSHIPS, Cases, draw_cases
from data_contracts.synthetic.crimes import FLAGS, Crimes, Month, as_known_on, change_months, draw_crimes
from data_contracts.synthetic.draw import Generator, Ints, chance, generator
from data_contracts.synthetic.people import (
    Pool,
    Travellers,
    as_aliases,
    as_nominals,
    draw_pool,
    draw_travellers,
    truth_of,
)
from data_contracts.synthetic.profile import Force, calibrated, forces
from data_contracts.synthetic.registers import (
    Orders,
    draw_deletions,
    draw_incidents,
    draw_management,
    draw_orders,
    no_spells,
)
from data_contracts.synthetic.wording import SERIALS_A_YEAR, Habits, habits, in_name_case, write_crimes

Progress = Callable[[str, date, int], None]
TRUTHS = ("person_truth", "offence_truth", "planted_faults")


@dataclass(frozen=True)
class NationSummary:
    """What was written. `n_rows`: rows by extract over all submissions; `n_faults`: planted violations."""

    folder: Path
    forces: tuple[str, ...]
    periods: tuple[date, ...]
    n_submissions: int
    n_offences: int
    n_faults: int
    n_rows: dict[str, int]


@dataclass(frozen=True)
class _Order:
    """What one force's months are made from; small, so that it travels to another process."""

    folder: Path
    seed: int
    scale: float
    first_period: date
    n_months: int
    fault_share: float
    flag_error_share: float


def write_nation(
    folder: Path,
    *,
    seed: int,
    scale: float,
    first_period: date,
    n_months: int,
    fault_share: float = 0.01,
    flag_error_share: float = 0.12,
    forces: Sequence[str] | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> NationSummary:
    """Write `folder/submissions/<force>_<YYYY-MM>_<sequence>/` and the truth in `folder/truth/*.parquet`.

    `scale`: 1.0 is a national year, about 5.2 million offences. `first_period`: first of a month.
    `fault_share`: planted violations for each crime sent; at 0 no finding is an error. `flag_error_share`:
    markers a force fails to set. `forces`: codes, or all 43. `workers`: processes to share the forces.
    `progress` is told force, period and rows after each submission. The same arguments write the same
    bytes, however many workers there are.

    truth/person_truth: one row a nominal that was sent, `record_id` (force|person_ref) to
    `true_person_id`. truth/offence_truth: one row a crime. truth/planted_faults: one row a planted fault.

    Raises ValueError on an unknown force, a period that is not the first of a month, or a share outside 0..1.
    """
    chosen = _chosen(forces)
    if first_period.day != 1 or n_months < 1 or scale <= 0:
        raise ValueError("first_period must be the first of a month, n_months and scale above nought")
    if not (0 <= fault_share <= 1 and 0 <= flag_error_share <= 1):
        raise ValueError("shares lie between 0 and 1")
    shutil.rmtree(folder / "truth", ignore_errors=True)
    (folder / "truth" / "parts").mkdir(parents=True)
    order = _Order(folder, seed, scale, first_period, n_months, fault_share, flag_error_share)
    tally = _Tally()
    if workers == 1:
        travellers = draw_travellers(seed, scale, first_period)
        for force in chosen:
            tally.add(_write_force(order, force, travellers, progress))
    else:
        # Largest first, so that no worker is left with London at the end.
        by_size = sorted(chosen, key=lambda f: -f.annual.sum())
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            for force, written in zip(
                by_size, pool.map(_write_force_alone, [order] * len(by_size), by_size), strict=True
            ):
                tally.add(written)
                if progress:
                    progress(force.code, first_period, sum(written.values()))
    n_faults = _join_truth(folder / "truth", [f.code for f in chosen])
    return NationSummary(
        folder=folder,
        forces=tuple(f.code for f in chosen),
        periods=tuple(m.first for m in _months(order, chosen[0])),
        n_submissions=len(chosen) * n_months,
        n_offences=tally.rows["offences (first sent)"],
        n_faults=n_faults,
        n_rows={name: tally.rows[name] for name in EXTRACTS},
    )


def _chosen(codes: Sequence[str] | None) -> list[Force]:
    known = {f.code: f for f in forces()}
    if codes is None:
        return list(known.values())
    if unknown := [c for c in codes if c not in known]:
        raise ValueError(f"not forces of England and Wales: {', '.join(unknown)}")
    return [known[c] for c in dict.fromkeys(codes)]


class _Tally:
    def __init__(self) -> None:
        self.rows = dict.fromkeys([*EXTRACTS, "offences (first sent)"], 0)

    def add(self, written: dict[str, int]) -> None:
        for name, n in written.items():
            self.rows[name] += n


def _months(order: _Order, force: Force) -> list[Month]:
    """The force's months; each is drawn from its systems between the 3rd and the 9th of the next."""
    months, first = [], order.first_period
    for number in range(order.n_months):
        length = calendar.monthrange(first.year, first.month)[1]
        start = (first - date(1970, 1, 1)).days
        rng = generator(order.seed, "extraction", force.code, number)
        months.append(
            Month(number, first, start, start + length - 1, start + length + int(rng.integers(2, 9)))
        )
        first += timedelta(days=length)
    return months


def _write_force_alone(order: _Order, force: Force) -> dict[str, int]:
    return _write_force(order, force, draw_travellers(order.seed, order.scale, order.first_period), None)


def _write_force(
    order: _Order, force: Force, travellers: Travellers, progress: Progress | None
) -> dict[str, int]:
    """Every month of one force; returns rows by extract."""
    months = _months(order, force)
    pool = draw_pool(order.seed, force, order.scale, order.first_period, travellers)
    cases = draw_cases(order.seed, pool, order.scale, months[0].first_day)
    force_state = _ForceState(order, force, habits(force, order.first_period), pool, cases, months)
    written: dict[str, int] = {}
    for month in months:
        rows = force_state.write_month(month)
        for name, n in rows.items():
            written[name] = written.get(name, 0) + n
        if progress:
            progress(force.code, month.first, sum(rows.values()))
    force_state.write_truth()
    return written


class _ForceState:
    """A force between its months: who has been sent, which crimes will change, which orders run."""

    def __init__(
        self, order: _Order, force: Force, h: Habits, pool: Pool, cases: Cases, months: list[Month]
    ) -> None:
        self.order, self.force, self.habits, self.pool, self.cases, self.months = (
            order,
            force,
            h,
            pool,
            cases,
            months,
        )
        self.serial = 0
        self.orders = Orders()
        self.spells = no_spells()
        self.changing: dict[int, list[Crimes]] = {}
        self.settled = pl.DataFrame(schema={"crime": pl.Int64})
        self.offence_truth: list[pl.DataFrame] = []
        self.fault_truth: list[pl.DataFrame] = []

    def write_month(self, month: Month) -> dict[str, int]:
        """Draw the month, write its submission; returns rows by extract."""
        order, h, pool = self.order, self.habits, self.pool
        rng = generator(order.seed, "month", self.force.code, month.number)
        first = month.first.year % 100 * SERIALS_A_YEAR + self.serial + 1
        new = draw_crimes(rng, pool, self.cases, month, order.scale, first)
        self.serial += new.offences.height
        new = _with_force_flags(rng, h, new, order.flag_error_share)
        deletions = draw_deletions(rng, h, self.settled, month)
        known = self._to_send(new, month)
        incidents = draw_incidents(rng, h, pool, self.cases, month, order.scale)
        self.orders, orders = draw_orders(rng, h, pool, self.cases, new, self.orders, month, order.scale)
        self.spells, management = draw_management(rng, h, pool, self.spells, month)
        used = [
            known.victims["nominal"],
            known.suspects["nominal"],
            incidents["victim"],
            incidents["suspect"],
            orders["respondent"],
            orders["protected"],
            management["nominal"],
        ]
        nominals = self._nominals_to_send(rng, pl.concat(used).drop_nulls().unique().sort().to_numpy(), known)
        extracts = {
            **write_crimes(rng, h, known),
            "persons": in_name_case(h, as_nominals(pool, nominals, h.person_ref())),
            "person_aliases": in_name_case(h, as_aliases(pool, nominals, h.person_ref())),
            "incidents": incidents.drop("victim", "suspect"),
            "protective_orders": orders.drop("respondent", "protected"),
            "offender_management": management.drop("nominal"),
            "deletions": deletions,
        }
        if order.fault_share:
            fault_rng = generator(order.seed, "faults", self.force.code, month.number)
            extracts, planted = faults.plant(
                fault_rng, extracts, order.fault_share, force_code=self.force.code
            )
            self.fault_truth.append(
                planted.select(
                    force_code=pl.lit(self.force.code),
                    period=pl.lit(month.first),
                    sequence=pl.lit(1, dtype=pl.Int64),
                    extract="extract",
                    record_ref="record_ref",
                    rule="rule",
                )
            )
        self._remember(new)
        self._send(month, extracts)
        return {n: f.height for n, f in extracts.items()} | {"offences (first sent)": new.offences.height}

    def _to_send(self, new: Crimes, month: Month) -> Crimes:
        """This month's crimes as they stand when the extract is drawn, and earlier ones that have changed."""
        cuts = [m.cut for m in self.months]
        changes = change_months(new, cuts)
        later = changes.filter(pl.col("month") > month.number)
        for number in range(month.number + 1, len(cuts)):
            due = later.filter(pl.col("month") == number)
            if due.height:
                self.changing.setdefault(number, []).append(new.only(due))
        self.settled = new.offences.select("crime").join(later, on="crime", how="anti", maintain_order="left")
        return as_known_on(Crimes.joined([new, *self.changing.pop(month.number, [])]), month.cut)

    def _nominals_to_send(self, rng: Generator, used: Ints, known: Crimes) -> Ints:
        """New nominals, and known ones that moved, went into custody or came out, or died."""
        pool = self.pool
        standing = np.flatnonzero(pool.sent)
        moved = standing[chance(rng, 0.004, len(standing))]
        pool.moves[moved] += 1
        charged = (
            known.suspects.filter(pl.col("status") == "charged")["nominal"]
            .drop_nulls()
            .unique()
            .sort()
            .to_numpy()
        )
        held = charged[chance(rng, 0.15, len(charged))]
        freed = np.flatnonzero(pool.in_custody)
        freed = freed[chance(rng, 0.15, len(freed))]
        pool.in_custody[freed] = False
        pool.in_custody[held] = True
        pool.changed[np.concatenate([moved, held, freed])] = True
        first_seen = used[~pool.sent[used]]
        pool.sent[first_seen] = True
        again = np.flatnonzero(pool.changed & pool.sent)
        pool.changed[:] = False
        return np.union1d(first_seen, again)

    def _send(self, month: Month, extracts: dict[str, pl.DataFrame]) -> None:
        drawn = datetime(1970, 1, 1) + timedelta(days=month.cut, minutes=90 + self.force.number)
        write_submission(
            self.order.folder / "submissions" / f"{self.force.code}_{month.first:%Y-%m}_1",
            force_code=self.force.code,
            period=month.first,
            sequence=1,
            extracted_at=drawn,
            contact="data.quality@example.org",
            extracts={name: extracts[name] for name in EXTRACTS},
            contract_version=CONTRACT_VERSION,
            file_format=self.habits.file_format,
        )

    def _remember(self, new: Crimes) -> None:
        true = new.flags.group_by("crime", maintain_order=True).agg(
            pl.col("flag")
            .filter(pl.col("is_true"))
            .replace_strict(list(range(len(FLAGS))), list(FLAGS), return_dtype=pl.String)
        )
        self.offence_truth.append(
            new.offences.select("crime", "relationship", "domestic", "online")
            .join(true, on="crime", how="left", maintain_order="left")
            .select(
                force_code=pl.lit(self.force.code),
                crime_ref=self.habits.crime_ref(),
                true_relationship=pl.col("relationship").replace_strict(
                    list(range(len(RELATIONSHIPS))), list(RELATIONSHIPS), return_dtype=pl.String
                ),
                is_domestic_abuse="domestic",
                is_online="online",
                true_flags=pl.col("flag").list.join(","),
            )
        )

    def write_truth(self) -> None:
        """The force's part of the truth."""
        parts = self.order.folder / "truth" / "parts"
        sent = np.flatnonzero(
            self.pool.sent | (self.pool.died_on[self.pool.person_of] < np.iinfo(np.int64).max)
        )
        truth_of(self.pool, sent, self.habits.person_ref()).write_parquet(
            parts / f"person_truth.{self.force.code}.parquet"
        )
        pl.concat(self.offence_truth).write_parquet(parts / f"offence_truth.{self.force.code}.parquet")
        found = self.fault_truth or [faults.none_planted()]
        pl.concat(found).write_parquet(parts / f"planted_faults.{self.force.code}.parquet")


def _with_force_flags(rng: Generator, h: Habits, crimes: Crimes, error_share: float) -> Crimes:
    """The markers as the force sets them by hand: value (0 N, 1 Y, 2 U), beside what is true.

    Misses differ by force and by marker; some forces also send a marker that was looked at and not set.
    """
    true = crimes.flags.with_columns(is_true=True)
    n = true.height
    miss = np.full(n, error_share * h.missed_flags_factor)
    number = true["flag"].to_numpy()
    miss[number == FLAGS.index("ONL")] *= calibrated("flag_miss_online")
    children = np.isin(number, [FLAGS.index("CSA"), FLAGS.index("CSE")])
    miss[children] *= calibrated("flag_miss_abuse_of_children")
    missed = pl.Series(rng.random(n) < np.minimum(miss, 0.9), dtype=pl.Boolean)
    silent = pl.Series(chance(rng, 0.7, n), dtype=pl.Boolean)
    # A missed marker stays in the truth, with value null where nothing is sent.
    true = true.with_columns(
        value=pl.when(~missed).then(pl.lit(1, dtype=pl.Int64)).when(~silent).then(pl.lit(0, dtype=pl.Int64))
    )
    domestic = FLAGS.index("DA")
    others = crimes.offences.filter(~pl.col("domestic") & (pl.col("victim_sex") >= 0)).select("crime")
    u = pl.Series(rng.random(others.height))
    looked_at = 0.5 if h.sends_explicit_no else 0.0
    wrongly = error_share * calibrated("flag_false_share")
    others = others.with_columns(
        flag=pl.lit(domestic, dtype=pl.Int64),
        is_true=pl.lit(False),
        value=pl.when(u < wrongly)
        .then(pl.lit(1, dtype=pl.Int64))
        .when(u < wrongly + looked_at * 0.97)
        .then(pl.lit(0, dtype=pl.Int64))
        .when(u < wrongly + looked_at)
        .then(pl.lit(2, dtype=pl.Int64)),
    ).drop_nulls("value")
    flags = pl.concat([true, others], how="vertical").sort("crime", "flag")
    return Crimes(crimes.offences, crimes.victims, crimes.suspects, crimes.relationships, flags)


def _join_truth(truth: Path, codes: list[str]) -> int:
    """Join the forces' parts in register order; returns the number of planted faults."""
    parts = truth / "parts"
    n_faults = 0
    for name in TRUTHS:
        pl.concat([pl.scan_parquet(parts / f"{name}.{code}.parquet") for code in codes]).sink_parquet(
            truth / f"{name}.parquet", maintain_order=True
        )
        if name == "planted_faults":
            n_faults = pl.scan_parquet(truth / f"{name}.parquet").select(pl.len()).collect().item()
    shutil.rmtree(parts)
    return n_faults
