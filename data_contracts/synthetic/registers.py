"""What a force keeps beside its crimes: domestic incidents, protective orders, managed offenders, deletions.

Belongs here: drawing these registers month by month, consistent with the cases and crimes of the force.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from data_contracts.code_lists import codes
from data_contracts.extracts.catalogue import EXTRACTS
from data_contracts.synthetic.cases import IS_DOMESTIC, IS_INTIMATE, Cases
from data_contracts.synthetic.crimes import DAY, Crimes, Month
from data_contracts.synthetic.draw import Bools, Generator, Ints, chance, choose
from data_contracts.synthetic.people import MAN, Pool, age_on
from data_contracts.synthetic.profile import calibrated, table
from data_contracts.synthetic.wording import Habits

SCHEMES = tuple(codes("management_schemes"))
_COURTS = ("Magistrates' Court", "Family Court", "Crown Court")


def draw_incidents(
    rng: Generator, h: Habits, pool: Pool, cases: Cases, month: Month, scale: float
) -> pl.DataFrame:
    """Domestic incidents of the month that were not recorded as crimes, with the columns of the extract.

    Two columns more, `victim` and `suspect`, name the nominals.
    """
    n_days = month.last_day - month.first_day + 1
    expected = pool.force.annual.sum() * scale * n_days / 365.25 * calibrated("incident_per_offence")
    pair = _adult_pairs(rng, pool, cases, int(rng.poisson(expected)), month.first_day - 1, IS_DOMESTIC)
    n = len(pair)
    minute = np.sort(rng.integers(month.first_day * DAY, (month.last_day + 1) * DAY, n))
    victim = pool.nominal(rng, cases.victim[pair])
    suspect = pool.nominal(rng, cases.suspect[pair])
    frame = pl.DataFrame(
        {
            "n": np.arange(n) + 1,
            "minute": minute,
            "dash": choose(rng, np.array([[0.7, 0.23, 0.07]]), np.zeros(n, dtype=np.int64)),
            "graded": chance(rng, 0.95, n),
            "victim": victim,
            "suspect": suspect,
            "suspect_named": chance(rng, 0.93, n),
            "children": choose(rng, np.array([[0.55, 0.35, 0.1]]), np.zeros(n, dtype=np.int64)),
        }
    )
    stem = f"INC-{month.first:%Y%m}-"
    return frame.select(
        incident_ref=pl.lit(stem) + pl.col("n").cast(pl.String).str.zfill(6),
        occurred_at=(pl.col("minute") * 60_000_000).cast(pl.Datetime("us")),
        dash_risk=pl.when("graded").then(
            pl.col("dash").replace_strict([0, 1, 2], ["standard", "medium", "high"], return_dtype=pl.String)
        ),
        victim_person_ref=h.person_ref("victim"),
        suspect_person_ref=pl.when("suspect_named").then(h.person_ref("suspect")),
        children_present=pl.col("children").replace_strict(
            [0, 1, 2], ["N", "Y", "U"], return_dtype=pl.String
        ),
        victim="victim",
        suspect=pl.when("suspect_named").then("suspect"),
    )


def _adult_pairs(rng: Generator, pool: Pool, cases: Cases, n: int, day: int, which: Bools) -> Ints:
    """Cases of two living people of 16 or over, drawn by weight; `which` says which relationships count."""
    weight = cases.strata.weights
    born, died = pool.people.born, pool.died_on
    on = np.full(len(cases), day)
    fit = (
        which[cases.relationship]
        & (age_on(born[cases.victim], on) >= 16)
        & (age_on(born[cases.suspect], on) >= 16)
    )
    fit &= (died[cases.victim] > day + 31) & (died[cases.suspect] > day + 31)
    below = np.cumsum(weight * fit)
    if not len(below) or below[-1] == 0:
        return np.zeros(0, dtype=np.int64)
    return np.searchsorted(below, rng.random(n) * below[-1], side="right")


_ORDER_COLUMNS: dict[str, type[pl.DataType]] = {
    "order_no": pl.Int64,
    "order_type": pl.String,
    "respondent": pl.Int64,
    "protected": pl.Int64,
    "victim_person": pl.Int64,
    "suspect_person": pl.Int64,
    "court": pl.Int64,
    "granted": pl.Int64,
    "expires": pl.Int64,
}
_STATE_COLUMNS: dict[str, type[pl.DataType]] = {
    "order_no": pl.Int64,
    "state_no": pl.Int64,
    "varied": pl.Int64,
    "rescinded": pl.Int64,
    "breach": pl.Int64,
}


@dataclass
class Orders:
    """The protective orders a force knows of: `orders` one row an order, `states` one a state of it."""

    orders: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_ORDER_COLUMNS))
    states: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_STATE_COLUMNS))
    n_drawn: int = 0

    def without(self, gone: pl.DataFrame) -> Orders:
        """The register without the orders in the column `order_no` of another frame."""
        orders, states = (
            f.join(gone, on="order_no", how="anti", maintain_order="left") for f in (self.orders, self.states)
        )
        return Orders(orders, states, self.n_drawn)


def draw_orders(
    rng: Generator,
    h: Habits,
    pool: Pool,
    cases: Cases,
    crimes: Crimes,
    orders: Orders,
    month: Month,
    scale: float,
) -> tuple[Orders, pl.DataFrame]:
    """The register after this month, and the extract: every state of each order that is new or has changed.

    The first month also brings the orders of the year before. Columns `respondent` and `protected` of the
    extract name the nominals.
    """
    rows = table("order_types")
    n_days = month.last_day - month.first_day + 1
    backlog = 365 if month.number == 0 else 0
    expected = (
        pool.force.annual.sum() * scale * (n_days + backlog) / 365.25 * calibrated("orders_per_offence")
    )
    pair = _adult_pairs(
        rng, pool, cases, int(rng.poisson(expected)), month.first_day - backlog - 1, IS_INTIMATE
    )
    n = len(pair)
    kind = choose(rng, rows["share"].to_numpy()[None, :], np.zeros(n, dtype=np.int64))
    granted = np.sort(rng.integers(month.first_day - backlog, month.last_day + 1, n))
    first_no = orders.n_drawn + 1
    new = pl.DataFrame(
        {
            "order_no": first_no + np.arange(n),
            "order_type": rows["order_type"].gather(kind),
            "respondent": pool.main[cases.suspect[pair]],
            "protected": pl.Series(pool.main[cases.victim[pair]]).set(
                pl.Series(rows["protects"].to_numpy()[kind] == "N"), None
            ),
            "victim_person": cases.victim[pair],
            "suspect_person": cases.suspect[pair],
            "court": rows["court"].to_numpy()[kind],
            "granted": granted,
            "expires": granted + rows["days"].to_numpy()[kind],
        },
        schema=_ORDER_COLUMNS,
    )
    all_orders = pl.concat([orders.orders, new])
    first_states = new.select(
        "order_no",
        state_no=pl.lit(1, dtype=pl.Int64),
        varied=pl.lit(None, dtype=pl.Int64),
        rescinded=pl.lit(None, dtype=pl.Int64),
        breach=pl.lit(None, dtype=pl.Int64),
    )
    changes = _changes(rng, orders, month, pool, crimes, all_orders)
    states = pl.concat([orders.states, first_states])
    last = states.group_by("order_no").agg(last_no=pl.max("state_no"))
    numbered = changes.join(last, on="order_no", maintain_order="left").select(
        "order_no",
        state_no=pl.col("last_no") + pl.int_range(1, pl.len() + 1).over("order_no"),
        varied="varied",
        rescinded="rescinded",
        breach="breach",
    )
    states = pl.concat([states, numbered])
    touched = pl.concat([new.select("order_no"), numbered.select("order_no")]).unique(maintain_order=True)
    extract = (
        states.join(touched, on="order_no", how="semi", maintain_order="left")
        .join(all_orders, on="order_no", maintain_order="left")
        .sort("order_no", "state_no")
        .select(
            order_ref=order_ref(),
            state_no="state_no",
            order_type="order_type",
            respondent_person_ref=h.person_ref("respondent"),
            protected_person_ref=h.person_ref("protected"),
            court=pl.lit(f"{h.force.name} ")
            + pl.col("court").replace_strict([0, 1, 2], list(_COURTS), return_dtype=pl.String),
            granted_on=pl.col("granted").cast(pl.Int32).cast(pl.Date),
            varied_on=pl.col("varied").cast(pl.Int32).cast(pl.Date),
            rescinded_on=pl.col("rescinded").cast(pl.Int32).cast(pl.Date),
            expires_on=pl.col("expires").cast(pl.Int32).cast(pl.Date),
            breach_crime_ref=h.crime_ref("breach"),
            respondent="respondent",
            protected="protected",
        )
    )
    return Orders(all_orders, states, orders.n_drawn + n), extract


def order_ref() -> pl.Expr:
    """An order's number as a force writes it."""
    return pl.lit("PO-") + pl.col("order_no").cast(pl.String).str.zfill(6)


def _changes(
    rng: Generator, orders: Orders, month: Month, pool: Pool, crimes: Crimes, all_orders: pl.DataFrame
) -> pl.DataFrame:
    """This month's new states: breaches by the month's crimes of the same pair, variations, discharges."""
    person_of = pool.person_of
    suspects = crimes.suspects.filter(pl.col("nominal").is_not_null() & (pl.col("suspect_no") == 1))
    victims = crimes.victims.filter(pl.col("nominal").is_not_null() & (pl.col("victim_no") == 1))
    pairs = (
        crimes.offences.filter("domestic")
        .select("crime", day=pl.col("committed_from") // DAY)
        .join(victims.select("crime", v="nominal"), on="crime", maintain_order="left")
        .join(suspects.select("crime", s="nominal"), on="crime", maintain_order="left")
    )
    pairs = pairs.with_columns(
        victim_person=pl.Series(person_of[pairs["v"].to_numpy()]),
        suspect_person=pl.Series(person_of[pairs["s"].to_numpy()]),
    )
    open_ = all_orders.join(
        orders.states.drop_nulls("rescinded").select("order_no").unique(),
        on="order_no",
        how="anti",
        maintain_order="left",
    )
    breached = (
        open_.join(pairs, on=["victim_person", "suspect_person"], maintain_order="left")
        .filter((pl.col("day") >= pl.col("granted")) & (pl.col("day") <= pl.col("expires")))
        .unique("crime", maintain_order=True)
    )
    breached = breached.filter(
        pl.Series(chance(rng, calibrated("order_breach_share"), breached.height), dtype=pl.Boolean)
    )
    null = pl.lit(None, dtype=pl.Int64)
    breaches = breached.select("order_no", varied=null, rescinded=null, breach="crime")
    standing = (
        orders.orders.join(
            orders.states.drop_nulls("rescinded").select("order_no").unique(),
            on="order_no",
            how="anti",
            maintain_order="left",
        )
        .filter(pl.col("expires") > month.last_day)
        .join(breaches.select("order_no"), on="order_no", how="anti", maintain_order="left")
    )
    u = pl.Series(rng.random(standing.height))
    day = pl.Series(rng.integers(month.first_day, month.last_day + 1, standing.height))
    standing = standing.with_columns(u=u, day=day)
    varied = standing.filter(pl.col("u") < 0.02).select("order_no", varied="day", rescinded=null, breach=null)
    ended = standing.filter(pl.col("u") > 0.99).select("order_no", varied=null, rescinded="day", breach=null)
    return pl.concat([breaches, varied, ended]).sort("order_no", "breach", nulls_last=True)


@dataclass(frozen=True)
class Settled:
    """Persons of a pool of whom it is known beforehand that they are under offender management, or never are."""

    managed: Ints
    never: Ints


def draw_management(
    rng: Generator, h: Habits, pool: Pool, spells: pl.DataFrame, month: Month, settled: Settled | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The spells after this month, and the extract: all spells of each nominal whose spells changed.

    `spells`: nominal, scheme (index into SCHEMES), start, end (day or null). The first month brings the stock.
    `settled`: persons of whom it is known beforehand whether they are managed.
    """
    people = pool.people
    grown = np.flatnonzero((people.band >= 4) & (people.sex == MAN) & (people.home == pool.force.number))
    share = calibrated("managed_suspect_share") * (1.0 if month.number == 0 else 0.03)
    weight = people.suspect_weight[grown]
    chosen = grown[chance(rng, np.minimum(share * weight / weight.mean(), 0.5), len(grown))]
    chosen = np.union1d(np.setdiff1d(chosen, settled.never), settled.managed) if settled else chosen
    chosen = pool.main[chosen]
    if spells.height:
        chosen = np.setdiff1d(chosen, spells["nominal"].to_numpy())
    n = len(chosen)
    shares = table("management_schemes")["share"].to_numpy()
    start = month.first_day + rng.integers(0, 28, n) - (rng.integers(30, 2000, n) if month.number == 0 else 0)
    earlier = chance(rng, 0.1, n) & (month.number == 0)
    scheme = choose(rng, shares[None, :], np.zeros(n, dtype=np.int64))
    if settled:
        # Being on the sex offenders' register alone is not being managed.
        scheme[np.isin(chosen, pool.main[settled.managed])] = SCHEMES.index("IOM")
    new = pl.DataFrame(
        {
            "nominal": chosen,
            "scheme": scheme,
            "start": start,
            "end": pl.Series(np.zeros(n, dtype=np.int64)).set(pl.Series([True] * n, dtype=pl.Boolean), None),
        },
        schema=_SPELL_COLUMNS,
    )
    past = new.filter(pl.Series(earlier, dtype=pl.Boolean)).with_columns(
        start=pl.col("start") - 400, end=pl.col("start") - 30
    )
    running = spells.filter(pl.col("end").is_null())
    ending = running.filter(pl.Series(chance(rng, 0.02, running.height), dtype=pl.Boolean)).select("nominal")
    over = (
        spells.join(ending.with_columns(over=True), on="nominal", how="left", maintain_order="left")
        .with_columns(
            end=pl.when(pl.col("over") & pl.col("end").is_null())
            .then(pl.lit(month.last_day))
            .otherwise("end")
        )
        .drop("over")
    )
    after = pl.concat([over, past, new])
    touched = pl.concat([new.select("nominal"), ending]).unique(maintain_order=True)
    extract = (
        after.join(touched, on="nominal", how="semi", maintain_order="left")
        .sort("nominal", "start")
        .select(
            person_ref=h.person_ref(),
            scheme=pl.col("scheme").replace_strict(
                list(range(len(SCHEMES))), list(SCHEMES), return_dtype=pl.String
            ),
            managed_from=pl.col("start").cast(pl.Int32).cast(pl.Date),
            managed_to=pl.col("end").cast(pl.Int32).cast(pl.Date),
            nominal="nominal",
        )
    )
    return after, extract


_SPELL_COLUMNS: dict[str, type[pl.DataType]] = {
    "nominal": pl.Int64,
    "scheme": pl.Int64,
    "start": pl.Int64,
    "end": pl.Int64,
}


def no_spells() -> pl.DataFrame:
    """The register of managed offenders before the first month."""
    return pl.DataFrame(schema=_SPELL_COLUMNS)


# Of several reasons each is as likely as the next: judgement.
_REASONS = {
    "offences": ("recorded_in_error", "duplicate", "court_order"),
    "incidents": ("recorded_in_error", "duplicate"),
    "protective_orders": ("recorded_in_error",),
    "persons": ("recorded_in_error", "data_subject_request", "retention"),
}


def some_of(rng: Generator, rows: pl.DataFrame, share: float) -> pl.DataFrame:
    """That share of the rows, give or take, in their order."""
    n = min(rows.height, int(rng.poisson(rows.height * share)))
    return rows.gather(np.sort(rng.choice(rows.height, n, replace=False)))


def deletions(
    rng: Generator, extract: str, refs: pl.Series, month: Month, reason: str | None = None
) -> pl.DataFrame:
    """Records sent in earlier months that are taken back now, with the columns of the extract."""
    if refs.is_empty():
        return pl.DataFrame(schema=EXTRACTS["deletions"].schema)
    reasons = np.array([reason] if reason else _REASONS[extract])
    day = rng.integers(month.first_day, month.last_day + 1, len(refs))
    return pl.DataFrame(
        {"record_ref": refs, "reason": rng.choice(reasons, len(refs)), "day": day},
        schema={"record_ref": pl.String, "reason": pl.String, "day": pl.Int64},
    ).select(
        extract=pl.lit(extract),
        record_ref="record_ref",
        reason="reason",
        deleted_on=pl.col("day").cast(pl.Int32).cast(pl.Date),
    )
