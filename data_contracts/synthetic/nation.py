"""A synthetic England and Wales: monthly submissions of every force, with the truth beside them.

This module tells the story, force by force and month by month; who the people are, what happens and how
it is written stand in the modules beside it. Each force depends on the seed, the scale and the first
month only, so a few forces alone come out as they do among all. Nothing here is about real people.
"""

from __future__ import annotations

import calendar
import shutil
from collections.abc import Callable, Iterator, Sequence
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
from data_contracts.synthetic.calibration import Calibration, adjusted, choose, features, managed
from data_contracts.synthetic.cases import RELATIONSHIPS, Cases, draw_cases
from data_contracts.synthetic.crimes import (
    FLAGS,
    Crimes,
    Month,
    as_known_on,
    bury,
    change_months,
    draw_crimes,
    dying_once,
    reclassified,
    without_the_dead,
)
from data_contracts.synthetic.draw import Bools, Generator, Ints, chance, generator
from data_contracts.synthetic.people import (
    VARIANTS,
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
    Settled,
    deletions,
    draw_incidents,
    draw_management,
    draw_orders,
    no_spells,
    order_ref,
    some_of,
)
from data_contracts.synthetic.wording import (
    SERIALS_A_YEAR,
    Habits,
    habits,
    in_name_case,
    offence_code,
    write_crimes,
)

Progress = Callable[[str, date, int], None]
TRUTHS = ("person_truth", "person_changes", "offence_truth", "planted_faults")
PERSON_CHANGES_SCHEMA: dict[str, pl.DataType] = {
    "record_id": pl.String(),
    "force_code": pl.String(),
    "period": pl.Date(),
    "kind": pl.String(),
    "new_record_id": pl.String(),
    "fields": pl.String(),
}
# Slips that a force can put right; a move or a marriage is none.
_SLIPS = np.isin(
    VARIANTS,
    [
        "nickname",
        "typo_forename",
        "typo_surname",
        "other_spelling",
        "names_swapped",
        "birth_date_swapped",
        "birth_date_slip",
        "birth_date_missing",
        "no_ids",
        "wrong_id",
    ],
)
_IDENTITY = ("forenames", "surname", "date_of_birth", "pnc_id", "cro_number")
_ONCE, _CORRECTED, _NIL_FIRST = range(3)


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
    calibration: Calibration | None = None,
) -> NationSummary:
    """Write `folder/submissions/<force>_<YYYY-MM>_<sequence>/` and the truth in `folder/truth/*.parquet`.

    `scale`: 1.0 is a national year, about 5.2 million offences. `first_period`: first of a month.
    `fault_share`: planted violations for each crime sent; at 0 no finding is an error. `flag_error_share`:
    markers a force fails to set. `forces`: codes, or all 43. `workers`: processes to share the forces.
    `progress` is told force, period and rows after each submission. The same arguments write the same
    bytes, however many workers there are. `calibration`: figures the nation is to give back; its forces are drawn
    together then, by one worker, and none is the same alone.

    All but the last month may be drawn late, or be sent twice: as sequence 2 a force sends the whole month
    again without the faults planted in sequence 1, or after a nil return sent in error.

    truth/person_truth: one row a nominal that was sent, `record_id` (force|person_ref) to
    `true_person_id`, with the variants of its last version. truth/person_changes: one row a change of a
    nominal sent earlier, in the month that tells of it: `kind` is corrected (`fields` names what was put
    right), reidentified (deleted; from then on its crimes name `new_record_id`) or deleted.
    truth/offence_truth: one row a crime. truth/planted_faults: one row a planted fault; `record_ref` is null
    for a fault of the submission as a whole.

    Raises ValueError on an unknown force, a period that is not the first of a month, or a share outside 0..1;
    TargetsContradict where a calibration cannot be met.
    """
    chosen = _chosen(forces)
    if first_period.day != 1 or n_months < 1 or scale <= 0:
        raise ValueError("first_period must be the first of a month, n_months and scale above nought")
    if not (0 <= fault_share <= 1 and 0 <= flag_error_share <= 1):
        raise ValueError("shares lie between 0 and 1")
    if calibration and workers > 1:
        raise ValueError("the forces of a calibrated nation are drawn together, by one worker")
    shutil.rmtree(folder / "truth", ignore_errors=True)
    (folder / "truth" / "parts").mkdir(parents=True)
    order = _Order(folder, seed, scale, first_period, n_months, fault_share, flag_error_share)
    tally = _Tally()
    if calibration:
        for written in _write_calibrated(order, chosen, calibration, progress):
            tally.add(written)
    elif workers == 1:
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
                    progress(force.code, first_period, sum(written[name] for name in EXTRACTS))
    n_faults = _join_truth(folder / "truth", [f.code for f in chosen])
    return NationSummary(
        folder=folder,
        forces=tuple(f.code for f in chosen),
        periods=tuple(m.first for m in _months(order, chosen[0])),
        n_submissions=tally.rows[_SUBMISSIONS],
        n_offences=tally.rows[_FIRST_SENT],
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


_SUBMISSIONS, _FIRST_SENT = "submissions", "offences (first sent)"


class _Tally:
    """Rows by extract, submissions, and offences counted once."""

    def __init__(self) -> None:
        self.rows = dict.fromkeys([*EXTRACTS, _SUBMISSIONS, _FIRST_SENT], 0)

    def add(self, written: dict[str, int]) -> None:
        for name, n in written.items():
            self.rows[name] += n


def _months(order: _Order, force: Force) -> list[Month]:
    """The force's months; each is drawn from its systems between the 3rd and the 9th of the next, or late."""
    months, first = [], order.first_period
    for number in range(order.n_months):
        length = calendar.monthrange(first.year, first.month)[1]
        start = (first - date(1970, 1, 1)).days
        rng = generator(order.seed, "extraction", force.code, number)
        day = int(rng.integers(2, 9))
        # Even the late ones are drawn before the next month's.
        if rng.random() < calibrated("late_month_share") and number < order.n_months - 1:
            day = int(rng.integers(12, 19))
        months.append(Month(number, first, start, start + length - 1, start + length + day))
        first += timedelta(days=length)
    return months


def _write_force_alone(order: _Order, force: Force) -> dict[str, int]:
    return _write_force(order, force, draw_travellers(order.seed, order.scale, order.first_period), None)


def _write_force(
    order: _Order, force: Force, travellers: Travellers, progress: Progress | None
) -> dict[str, int]:
    """Every month of one force; returns rows by extract."""
    return _write_months(_begin(order, force, travellers), progress)


def _begin(order: _Order, force: Force, travellers: Travellers) -> _ForceState:
    """A force before its first month."""
    months = _months(order, force)
    pool = draw_pool(order.seed, force, order.scale, order.first_period, travellers)
    cases = draw_cases(order.seed, pool, order.scale, months[0].first_day)
    return _ForceState(order, force, habits(force, order.first_period), pool, cases, months)


def _write_months(state: _ForceState, progress: Progress | None) -> dict[str, int]:
    written = _Tally()
    for month in state.months:
        for rows in state.write_month(month):
            written.add(rows)
            if progress:
                progress(state.force.code, month.first, sum(rows.get(name, 0) for name in EXTRACTS))
    state.write_truth()
    return written.rows


def _write_calibrated(
    order: _Order, chosen: list[Force], calibration: Calibration, progress: Progress | None
) -> Iterator[dict[str, int]]:
    """Draw all crimes of all forces, choose those that meet the targets, and write those; yields rows of each force."""
    share = sum(adjusted(f, calibration).annual.sum() for f in forces()) / sum(
        f.annual.sum() for f in forces()
    )
    travellers = draw_travellers(order.seed, order.scale * share, order.first_period)
    states = [_begin(order, adjusted(f, calibration), travellers) for f in chosen]
    for state in states:
        state.draw_ahead(calibration)
    drawn = pl.concat([features(s.force.code, *s.drawn()) for s in states])
    sent = drawn.filter(pl.Series(choose(generator(order.seed, "choice"), drawn, calibration)))
    suspects = managed(generator(order.seed, "managed"), sent, calibration)
    for state in states:
        of_force = pl.col("force_code") == state.force.code
        state.keep(sent.filter(of_force), suspects.filter(of_force))
    for state in states:
        yield _write_months(state, progress)


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
        # Only what names a nominal that will be removed is kept: it is sent again then.
        self.fated_crimes: list[Crimes] = []
        self.fated_incidents: list[pl.DataFrame] = []
        self.last_incidents = pl.DataFrame(schema={"incident_ref": pl.String})
        self.replaced = _Replaced()
        self.never_delete = np.zeros(len(pool.people), dtype=bool)
        self.offence_truth: list[pl.DataFrame] = []
        self.fault_truth: list[pl.DataFrame] = []
        self.person_changes: list[pl.DataFrame] = []
        self.ahead: list[Crimes] = []
        self.settled_management: Settled | None = None

    def draw_ahead(self, calibration: Calibration) -> None:
        """Draw the crimes of all months before the first is written, and more of them than will be sent."""
        for month in self.months:
            rng, change_rng = (
                generator(self.order.seed, purpose, self.force.code, month.number)
                for purpose in ("crimes ahead", "changes ahead")
            )
            self.habits = habits(self.force, month.first)
            first = month.first.year % 100 * SERIALS_A_YEAR + self.serial + 1
            scale = self.order.scale * calibration.oversampling
            new = draw_crimes(rng, self.pool, self.cases, month, scale, first)
            self.serial += new.offences.height
            # Whoever dies in a crime drawn is in no later one, sent or not: no crime chosen is taken back for it.
            new = reclassified(change_rng, without_the_dead(self.pool, dying_once(new)))
            bury(self.pool, new)
            self.ahead.append(_with_force_flags(rng, self.habits, new, self.order.flag_error_share))

    def drawn(self) -> tuple[Crimes, int]:
        """The crimes drawn ahead, and the day the last month's extract is drawn."""
        return Crimes.joined(self.ahead), self.months[-1].cut

    def keep(self, chosen: pl.DataFrame, suspects: pl.DataFrame) -> None:
        """Of the crimes drawn ahead keep those in the column `crime` of another frame. `suspects`: see `managed`."""
        self.ahead = [crimes.only(chosen) for crimes in self.ahead]
        self.pool.resurrect()
        in_, out = suspects.filter("is_managed"), suspects.filter(~pl.col("is_managed"))
        self.settled_management = Settled(in_["suspect"].to_numpy(), out["suspect"].to_numpy())

    def _new_crimes(self, rng: Generator, change_rng: Generator, month: Month) -> Crimes:
        """The crimes first sent in this month; their victims who died are dead from then on."""
        order = self.order
        if self.ahead:
            bury(self.pool, self.ahead[month.number])
            return self.ahead[month.number]
        first = month.first.year % 100 * SERIALS_A_YEAR + self.serial + 1
        new = draw_crimes(rng, self.pool, self.cases, month, order.scale, first)
        bury(self.pool, new)
        self.serial += new.offences.height
        return _with_force_flags(rng, self.habits, reclassified(change_rng, new), order.flag_error_share)

    def write_month(self, month: Month) -> Iterator[dict[str, int]]:
        """Draw the month, write its submission, or two; yields rows by extract of each."""
        # A force that changes its record system writes the words of the new one from that month on.
        self.habits = habits(self.force, month.first)
        order, h, pool = self.order, self.habits, self.pool
        rng, change_rng = (
            generator(order.seed, purpose, self.force.code, month.number) for purpose in ("month", "changes")
        )
        removed = self._remove_nominals(change_rng, month)
        corrected, slips = self._correct_nominals(change_rng)
        new = self._new_crimes(rng, change_rng, month)
        again = self._naming(removed, new)
        deleted = some_of(rng, self.settled, calibrated("deleted_share")).join(
            again.offences, on="crime", how="anti", maintain_order="left"
        )
        known = self._to_send(new, again, month)
        self.fated_crimes = [c.without(deleted) for c in self.fated_crimes]
        incidents = self._incidents_to_send(
            draw_incidents(rng, h, pool, self.cases, month, order.scale), removed
        )
        gone_orders = some_of(
            change_rng, self.orders.orders.select("order_no"), calibrated("deleted_order_share")
        )
        gone_incidents = some_of(
            change_rng,
            self.last_incidents.join(incidents, on="incident_ref", how="anti", maintain_order="left"),
            calibrated("deleted_incident_share"),
        )
        self.fated_incidents = [
            f.join(gone_incidents, on="incident_ref", how="anti", maintain_order="left")
            for f in self.fated_incidents
        ]
        self.last_incidents = incidents.select("incident_ref")
        self.orders, orders = draw_orders(
            rng, h, pool, self.cases, new, self.orders.without(gone_orders), month, order.scale
        )
        self.spells, management = draw_management(rng, h, pool, self.spells, month, self.settled_management)
        used = [
            known.victims["nominal"],
            known.suspects["nominal"],
            incidents["victim"],
            incidents["suspect"],
            orders["respondent"],
            orders["protected"],
            management["nominal"],
        ]
        for role in (used[1], *used[3:]):
            self.never_delete[pool.person_of[role.drop_nulls().to_numpy()]] = True
        nominals = self._nominals_to_send(rng, pl.concat(used).drop_nulls().unique().sort().to_numpy(), known)
        merged = removed.filter(pl.col("becomes").is_not_null())
        dropped = removed.filter(pl.col("becomes").is_null())
        extracts = {
            **write_crimes(rng, h, known),
            "persons": in_name_case(h, self._written_nominals(month, nominals, corrected, slips)),
            "person_aliases": in_name_case(h, as_aliases(pool, nominals, h.person_ref())),
            "incidents": incidents.drop("victim", "suspect"),
            "protective_orders": orders.drop("respondent", "protected"),
            "offender_management": management.drop("nominal"),
            "deletions": pl.concat(
                [
                    deletions(rng, "offences", _refs(deleted, h.crime_ref()), month),
                    deletions(change_rng, "incidents", gone_incidents["incident_ref"], month),
                    deletions(change_rng, "protective_orders", _refs(gone_orders, order_ref()), month),
                    deletions(change_rng, "persons", _refs(merged, h.person_ref()), month, "duplicate"),
                    deletions(change_rng, "persons", _refs(dropped, h.person_ref()), month),
                ]
            ),
        }
        self._remember(new)
        yield from self._send_month(month, extracts, new.offences.height)

    def _remove_nominals(self, rng: Generator, month: Month) -> pl.DataFrame:
        """Remove some fated nominals; returns them as nominal, becomes."""
        pool = self.pool
        due = np.flatnonzero(pool.fated & pool.sent)
        due = due[chance(rng, calibrated("fate_month_share"), len(due))]
        person = pool.person_of[due]
        further = due != pool.main[person]
        # A duplicate is found out where the force has sent the other nominal too.
        removable = np.where(further, pool.sent[pool.main[person]], ~self.never_delete[person])
        due, person, further = due[removable], person[removable], further[removable]
        becomes = pool.main[person].copy()
        pool.second[person[further]] = -1
        pool.renew(rng, person[~further])
        pool.sent[due] = pool.changed[due] = pool.fated[due] = False
        pool.removed[due] = True
        removed = pl.DataFrame(
            {"nominal": due, "becomes": pl.Series(becomes, dtype=pl.Int64).set(pl.Series(~further), None)}
        )
        self.replaced.add(removed)
        h = self.habits
        self._changed(
            month,
            removed.select(
                person_ref=h.person_ref(),
                kind=pl.when(pl.col("becomes").is_null())
                .then(pl.lit("deleted"))
                .otherwise(pl.lit("reidentified")),
                new_person_ref=h.person_ref("becomes"),
                fields=pl.lit(None, dtype=pl.String),
            ),
        )
        return removed

    def _correct_nominals(self, rng: Generator) -> tuple[Ints, Bools]:
        """Put slips of some known nominals right; returns them with the variants they had until now."""
        pool = self.pool
        slipped = np.flatnonzero(pool.sent & pool.variants[:, _SLIPS].any(axis=1))
        chosen = slipped[chance(rng, calibrated("corrected_nominal_share"), len(slipped))]
        slips = pool.variants[chosen]
        pool.variants[chosen] = slips & ~_SLIPS
        pool.changed[chosen] = True
        return chosen, slips

    def _written_nominals(self, month: Month, nominals: Ints, corrected: Ints, slips: Bools) -> pl.DataFrame:
        """The nominals as sent this month, which tell what has become of those corrected."""
        rows = np.concatenate([nominals, corrected])
        variants = np.concatenate([self.pool.variants[nominals], slips])
        written = as_nominals(self.pool, rows, self.habits.person_ref(), variants)
        now, before = written.head(len(nominals)), written.tail(len(corrected)).select(_IDENTITY)
        told = now[np.searchsorted(nominals, corrected)].hstack(before.rename(lambda c: f"{c}_before"))
        told = told.select(
            "person_ref",
            kind=pl.lit("corrected"),
            new_person_ref=pl.lit(None, dtype=pl.String),
            fields=pl.concat_str(
                [pl.when(pl.col(c).ne_missing(pl.col(f"{c}_before"))).then(pl.lit(c)) for c in _IDENTITY],
                separator=",",
                ignore_nulls=True,
            ),
        )
        # A slip that did not show, as a nickname for a name without one, is no change.
        self._changed(month, told.filter(pl.col("fields") != ""))
        return now

    def _changed(self, month: Month, rows: pl.DataFrame) -> None:
        of_force = pl.lit(f"{self.force.code}|")
        self.person_changes.append(
            rows.select(
                record_id=of_force + pl.col("person_ref"),
                force_code=pl.lit(self.force.code),
                period=pl.lit(month.first),
                kind="kind",
                new_record_id=of_force + pl.col("new_person_ref"),
                fields="fields",
            )
        )

    def _naming(self, removed: pl.DataFrame, new: Crimes) -> Crimes:
        """Crimes sent earlier (before `new`) that name one of the removed nominals."""
        kept = Crimes.joined([new.only(new.offences.clear()), *self.fated_crimes])
        roles = pl.concat([kept.victims.select("crime", "nominal"), kept.suspects.select("crime", "nominal")])
        return kept.only(roles.join(removed, on="nominal", how="semi").select("crime"))

    def _to_send(self, new: Crimes, again: Crimes, month: Month) -> Crimes:
        """This month's crimes as they stand when the extract is drawn, and earlier ones that have changed."""
        cuts = [m.cut for m in self.months]
        changes = change_months(new, cuts)
        later = changes.filter(pl.col("month") > month.number)
        for number in range(month.number + 1, len(cuts)):
            due = later.filter(pl.col("month") == number)
            if due.height:
                self.changing.setdefault(number, []).append(new.only(due))
        self.settled = new.offences.select("crime").join(later, on="crime", how="anti", maintain_order="left")
        changed = self.changing.pop(month.number, [])
        for crimes in changed:
            again = again.without(crimes.offences)
        sent = as_known_on(Crimes.joined([new, *changed, again]), month.cut)
        roles = pl.concat([new.victims.select("crime", "nominal"), new.suspects.select("crime", "nominal")])
        fated = roles.filter(pl.Series(_at(self.pool.fated, roles["nominal"])))
        self.fated_crimes.append(new.only(fated))
        return self.replaced.in_crimes(sent)

    def _incidents_to_send(self, new: pl.DataFrame, removed: pl.DataFrame) -> pl.DataFrame:
        """This month's incidents, and earlier ones that name one of the removed nominals."""
        h, fated = self.habits, self.pool.fated
        old = pl.concat([new.clear(), *self.fated_incidents])
        gone = removed["nominal"].implode()
        again = self.replaced.in_columns(
            old.filter(pl.any_horizontal(pl.col("victim", "suspect").is_in(gone))), "victim", "suspect"
        ).with_columns(victim_person_ref=h.person_ref("victim"), suspect_person_ref=h.person_ref("suspect"))
        hit = _at(fated, new["victim"]) | _at(fated, new["suspect"])
        self.fated_incidents.append(new.filter(pl.Series(hit)))
        return pl.concat([new, again])

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

    def _send_month(
        self, month: Month, extracts: dict[str, pl.DataFrame], n_first_sent: int
    ) -> Iterator[dict[str, int]]:
        """Send the month once, or first in error and then as it should be; yields rows by extract of each."""
        # An earlier nation in the same folder may have sent the month more often.
        for stale in (self.order.folder / "submissions").glob(f"{self.force.code}_{month.first:%Y-%m}_*"):
            shutil.rmtree(stale)
        rng = generator(self.order.seed, "sendings", self.force.code, month.number)
        corrected, nil = calibrated("corrected_month_share"), calibrated("nil_month_share")
        draw = rng.random()
        # What is put right after the last month would come after the nation's end.
        last = month.number == self.order.n_months - 1
        way = _ONCE if last or draw >= corrected + nil else _CORRECTED if draw < corrected else _NIL_FIRST
        days_later = int(rng.integers(3, 9))
        first_sent = {_FIRST_SENT: n_first_sent}
        if way == _ONCE:
            yield self._send(month, 1, 0, extracts, faulty=True) | first_sent
        elif way == _CORRECTED:
            # The first export also broke off: the incidents are not all there.
            incidents = extracts["incidents"]
            short = extracts | {"incidents": incidents.head(incidents.height * 9 // 10)}
            yield self._send(month, 1, 0, short, faulty=True) | first_sent
            yield self._send(month, 2, days_later, extracts, faulty=False)
        else:
            yield self._send(month, 1, 0, {n: f.clear() for n, f in extracts.items()}, faulty=False)
            yield self._send(month, 2, days_later, extracts, faulty=True) | first_sent

    def _send(
        self, month: Month, sequence: int, days_later: int, extracts: dict[str, pl.DataFrame], *, faulty: bool
    ) -> dict[str, int]:
        """Write one submission; returns rows by extract."""
        order, code = self.order, self.force.code
        stray = False
        if faulty and order.fault_share:
            rng = generator(order.seed, "faults", code, month.number)
            extracts, planted = faults.plant(
                rng, extracts, order.fault_share, force_code=code, period=month.first
            )
            extracts, stray, on_submission = faults.plant_on_submission(rng, extracts, order.fault_share)
            self.fault_truth.append(
                pl.concat([planted, on_submission]).select(
                    force_code=pl.lit(code),
                    period=pl.lit(month.first),
                    sequence=pl.lit(sequence, dtype=pl.Int64),
                    extract="extract",
                    record_ref="record_ref",
                    rule="rule",
                )
            )
        drawn = datetime(1970, 1, 1) + timedelta(days=month.cut + days_later, minutes=90 + self.force.number)
        folder = write_submission(
            order.folder / "submissions" / f"{code}_{month.first:%Y-%m}_{sequence}",
            force_code=code,
            period=month.first,
            sequence=sequence,
            extracted_at=drawn,
            contact="data.quality@example.org",
            extracts={name: extracts[name] for name in EXTRACTS},
            contract_version=CONTRACT_VERSION,
            file_format=self.habits.file_format,
        )
        if stray:
            (folder / "read_me.txt").write_text("Questions to the data quality team.\n", encoding="utf-8")
        return {n: f.height for n, f in extracts.items()} | {_SUBMISSIONS: 1}

    def _remember(self, new: Crimes) -> None:
        words = pl.col("flag").replace_strict(list(range(len(FLAGS))), list(FLAGS), return_dtype=pl.String)
        true = (
            new.flags.select("crime", "is_true", flag=words)
            .group_by("crime", maintain_order=True)
            .agg(pl.col("flag").filter(pl.col("is_true")))
        )
        self.offence_truth.append(
            new.offences.select("crime", "relationship", "domestic", "online", "code", "first_code")
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
                true_offence_code=offence_code(),
                first_offence_code=offence_code("first_code"),
            )
        )

    def write_truth(self) -> None:
        """The force's part of the truth."""
        parts = self.order.folder / "truth" / "parts"
        sent = np.flatnonzero(self.pool.sent | self.pool.removed)
        found = {
            "person_truth": truth_of(self.pool, sent, self.habits.person_ref()),
            "person_changes": pl.concat([pl.DataFrame(schema=PERSON_CHANGES_SCHEMA), *self.person_changes]),
            "offence_truth": pl.concat(self.offence_truth),
            "planted_faults": pl.concat([faults.none_planted(), *self.fault_truth]),
        }
        for name, rows in found.items():
            rows.write_parquet(parts / f"{name}.{self.force.code}.parquet")


class _Replaced:
    """Nominals that a force has removed, and what stands in their place (null: nothing)."""

    def __init__(self) -> None:
        self.old: list[int] = []
        self.new: list[int | None] = []

    def add(self, removed: pl.DataFrame) -> None:
        """`removed`: nominal, becomes."""
        self.old += removed["nominal"].to_list()
        self.new += removed["becomes"].to_list()

    def in_columns(self, rows: pl.DataFrame, *columns: str) -> pl.DataFrame:
        if not self.old:
            return rows
        new = pl.Series(self.new, dtype=pl.Int64)
        return rows.with_columns(pl.col(columns).replace(pl.Series(self.old), new))

    def in_crimes(self, crimes: Crimes) -> Crimes:
        return Crimes(
            crimes.offences,
            self.in_columns(crimes.victims, "nominal"),
            self.in_columns(crimes.suspects, "nominal"),
            crimes.relationships,
            crimes.flags,
        )


def _at(true_of: Bools, nominals: pl.Series) -> Bools:
    """Whether it is true of each of these nominals; never of none."""
    rows = nominals.fill_null(-1).to_numpy()
    return np.where(rows >= 0, true_of[rows], False)


def _refs(rows: pl.DataFrame, ref: pl.Expr) -> pl.Series:
    return rows.select(ref).to_series()


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
