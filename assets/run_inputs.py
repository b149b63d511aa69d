"""Fix what a national run is made from: the month, the knowledge cut, the submissions and decisions within it.

dbt reads these small tables instead of variables, so that a run for another month needs no new parse
and a release can be made again from the same facts.
"""

import calendar
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time

import dagster as dg
import polars as pl

from assets.clerical_flags import clerical_flags
from assets.encryption import ReleaseKey
from assets.intake import Receipt, receipts
from assets.partitions import ONE_MONTH_A_RUN, PERIODS
from assets.previous_release import PreviousRelease, find_previous, named, write_previous
from assets.storage import DataRoot, Layout, write_parquet
from data_contracts.code_lists import code_list
from decisions import review, sign_off
from decisions.identity import IdentityDecision, history
from decisions.refusals import DecidedPair
from decisions.review_entries import Entry
from decisions.store import Store

IDENTITY_DECISIONS_SCHEMA = {name: pl.String() for name in DecidedPair._fields}
REVIEW_DECISIONS_SCHEMA: dict[str, pl.DataType] = {
    "entry_id": pl.String(),
    "person_id": pl.String(),
    "record_id": pl.String(),
    "origin": pl.String(),
    "state": pl.String(),
    "is_frozen": pl.Boolean(),
    "reason_code": pl.String(),
    "decided_at": pl.Datetime("us"),
    "valid_until": pl.Datetime("us"),
}
REVIEW_REMOVALS_SCHEMA: dict[str, pl.DataType] = {"entry_id": pl.String(), "offence_id": pl.String()}


class NothingToRun(Exception):
    """There is no submission for the run; the message says what to do."""


@dataclass(frozen=True)
class RunInputs:
    """The facts of one national run. `as_of`: only what was received and decided by then is known to the run.

    `identity_decisions`: those in force at `as_of`, in the order they were taken. `review_entries`: those that people
    had moved by then, as they were, in the order they began. `previous`: the release that movers are measured against.
    """

    programme: str
    period: date
    as_of: datetime
    submissions: tuple[Receipt, ...]
    identity_decisions: tuple[IdentityDecision, ...] = ()
    review_entries: tuple[Entry, ...] = ()
    previous: PreviousRelease | None = None

    @property
    def period_end(self) -> date:
        return self.period.replace(day=calendar.monthrange(self.period.year, self.period.month)[1])

    @property
    def snapshot_key(self) -> str:
        """Orders exact ties in the ranking without using a name or an id; fixed per programme and month."""
        return hashlib.sha256(f"{self.programme}|{self.period:%Y-%m}".encode()).hexdigest()


def forces_of(programme: str) -> set[str]:
    """Codes of the reporting bodies of a programme. Raises ValueError on an unknown one."""
    register = code_list("forces")
    if programme not in (known := sorted(register["programme"].unique().to_list())):
        raise ValueError(f"there is no programme {programme}; choose one of {', '.join(known)}")
    return set(register.filter(register["programme"] == programme)["code"].to_list())


def latest_period(layout: Layout, programme: str) -> date:
    """The latest month that an accepted submission is for. Raises NothingToRun, ValueError as `gather`."""
    forces = forces_of(programme)
    accepted = [r for r in receipts(layout) if r.force_code in forces and r.status != "held" and r.period]
    if not accepted:
        raise _nothing(programme, "")
    return date.fromisoformat(f"{max(str(r.period) for r in accepted)}-01")


def gather(
    layout: Layout,
    *,
    programme: str,
    period: date,
    as_of: datetime | None = None,
    decisions: Store | None = None,
    compare_with: str | None = None,
    later_months: bool = False,
) -> RunInputs:
    """Find the submissions of a run, and what people decided about the nominals of its programme.

    `compare_with`: id of the release that movers are measured against, that of the month before if left out.
    `later_months`: returns for months after the period count as well, for what they say of crimes of before.
    Without `as_of`, it is the moment of the latest receipt in scope, decision, revocation, act of review or sign-off; without
    `decisions`, nobody decided anything. Raises NothingToRun where none of the month was accepted, ValueError on an unknown
    programme.
    """
    forces, last = forces_of(programme), f"{period:%Y-%m}"
    in_scope = [
        r
        for r in receipts(layout)
        if r.force_code in forces and r.period is not None and (later_months or r.period <= last)
    ]
    decided, reviewed, signed = _decided(decisions, forces) if decisions else ([], [], [])
    moments = [datetime.fromisoformat(r.received_at) for r in in_scope]
    moments += [moment for decision in decided for moment in decision.moments]
    moments += [moment for entry in reviewed for moment in entry.moments]
    moments += [moment for given in signed if given.period <= last for moment in given.moments]
    known_at = as_of or max(moments, default=None)
    known = tuple(r for r in in_scope if known_at and datetime.fromisoformat(r.received_at) <= known_at)
    if known_at is None or not any(r.status != "held" and r.period == last for r in known):
        raise _nothing(programme, f" for {last}")
    in_force = tuple(d for decision in decided if (d := decision.known(known_at)))
    entries = tuple(e for entry in reviewed if (e := entry.known(known_at)) and _says_something(e))
    previous = (
        named(layout.releases, compare_with)
        if compare_with
        else find_previous(layout.releases, programme=programme, period=period, as_of=known_at)
    )
    return RunInputs(programme, period, known_at, known, in_force, entries, previous)


def _decided(
    decisions: Store, forces: set[str]
) -> tuple[list[IdentityDecision], list[Entry], list[sign_off.SignOff]]:
    """Every decision and every entry about a nominal of one of the forces, and every sign-off by one of them, whatever
    became of it; of one moment.
    """
    with decisions.reading() as connection:
        identities, entries = history(connection), review.history(connection)
        sign_offs = sign_off.history(connection)
    return (
        [d for d in identities if _in_scope(d.record_ids, forces)],
        [e for e in entries if _in_scope(e.record_ids, forces)],
        [s for s in sign_offs if s.force_code in forces],
    )


def _in_scope(record_ids: Iterable[str], forces: set[str]) -> bool:
    return any(record_id.partition("|")[0] in forces for record_id in record_ids)


def _says_something(entry: Entry) -> bool:
    """Whether a list is told of an entry: not that somebody looked, nor of what ended and is shown no more."""
    if entry.state == "proposed" and not entry.is_frozen:
        return entry.opening.origin == "added_by_officer"
    return entry.state == "removed" or not entry.status_withheld


def _nothing(programme: str, when: str) -> NothingToRun:
    return NothingToRun(
        f"no submission of programme {programme}{when} was accepted; "
        "put submissions into the landing folder with `vawg land PATH...` first"
    )


def write(inputs: RunInputs, layout: Layout, key: str | None = None) -> None:
    """Write run_parameters, run_submissions, run_submission_rows, run_review_decisions and run_review_removals for
    dbt's `run` source, with the flags judged by people and the list of the previous release, and run_identity_decisions
    for linkage. `key` opens that release; raises as `write_previous` and `clerical_flags`.
    """
    parameters = pl.DataFrame(
        {
            "programme": [inputs.programme],
            "period": [inputs.period],
            "period_end": [inputs.period_end],
            "as_of": [inputs.as_of],
            "ranked_at": [datetime.combine(inputs.period_end, time(23, 59, 59))],
            "snapshot_key": [inputs.snapshot_key],
        }
    )
    submissions = pl.DataFrame(
        [
            {
                "submission_id": r.submission_id,
                "force_code": r.force_code,
                "period": date.fromisoformat(f"{r.period}-01"),
                "sequence": r.sequence,
                "status": r.status,
                "received_at": datetime.fromisoformat(r.received_at),
                "extracted_at": datetime.fromisoformat(r.extracted_at or r.received_at),
                "contract_version": r.contract_version,
                "content_hash": r.content_hash,
            }
            for r in inputs.submissions
        ]
    )
    rows = pl.DataFrame(
        [
            {"submission_id": r.submission_id, "extract": extract, **{f"n_{k}": n for k, n in count.items()}}
            for r in inputs.submissions
            for extract, count in r.counts.items()
        ]
    )
    write_parquet(parameters, layout.run / "run_parameters.parquet")
    write_parquet(submissions, layout.run / "run_submissions.parquet")
    write_parquet(rows, layout.run / "run_submission_rows.parquet")
    write_parquet(
        identity_decision_pairs(inputs.identity_decisions), layout.run / "run_identity_decisions.parquet"
    )
    write_parquet(review_decisions(inputs.review_entries), layout.run / "run_review_decisions.parquet")
    write_parquet(review_removals(inputs.review_entries), layout.run / "run_review_removals.parquet")
    write_parquet(clerical_flags(layout, inputs.as_of.date()), layout.run / "run_clerical_flags.parquet")
    write_previous(inputs.previous, layout.run, key)


def review_decisions(entries: Iterable[Entry]) -> pl.DataFrame:
    """One row an entry and nominal that the person had when people decided: what is in force; sorted.

    `person_id` is that of the day the entry began. `reason_code` of a frozen entry is what is disputed. `valid_until`:
    the end of a deferral, or when the entry lapses; null where it is removed or frozen, or has lapsed.
    """
    rows = [
        {
            "entry_id": entry.entry_id,
            "person_id": entry.opening.person_id,
            "record_id": record_id,
            "origin": entry.opening.origin,
            "state": entry.state,
            "is_frozen": entry.is_frozen,
            "reason_code": entry.dispute.reason_code if entry.dispute else entry.reason_code,
            "decided_at": entry.dispute.at if entry.dispute else entry.since,
            "valid_until": entry.holds_until,
        }
        for entry in entries
        for record_id in entry.record_ids
    ]
    return pl.DataFrame(rows, schema=REVIEW_DECISIONS_SCHEMA, orient="row").sort("entry_id", "record_id")


def review_removals(entries: Iterable[Entry]) -> pl.DataFrame:
    """One row a removal and allegation that counted when it was asked for: entry_id, offence_id; sorted."""
    rows = [
        {"entry_id": entry.entry_id, "offence_id": offence_id}
        for entry in entries
        if entry.removal
        for offence_id in entry.removal.offence_ids
    ]
    return pl.DataFrame(rows, schema=REVIEW_REMOVALS_SCHEMA, orient="row").sort("entry_id", "offence_id")


def identity_decision_pairs(decisions: Iterable[IdentityDecision]) -> pl.DataFrame:
    """One row a pair of nominals that was decided about: decision_id, kind, record_id_l < record_id_r; sorted.

    Of decisions that say the same of a pair, the first one taken stands for all.
    """
    pairs: dict[tuple[str, str], DecidedPair] = {}
    for decision in decisions:
        for pair in decision.pairs():
            pairs.setdefault((pair.record_id_l, pair.record_id_r), pair)
    rows = pl.DataFrame(list(pairs.values()), schema=IDENTITY_DECISIONS_SCHEMA, orient="row")
    return rows.sort("decision_id", "record_id_l", "record_id_r")


class NationalRun(dg.Config):
    """`as_of`: knowledge cut, ISO 8601; left out, everything received and decided so far is known. `compare_with`: id of
    the release that movers are measured against; left out, that of the month before. `later_months`: take returns for
    months after the period too, for what they say of crimes of before.
    """

    programme: str = "england_wales"
    as_of: str | None = None
    compare_with: str | None = None
    later_months: bool = False


@dg.asset(
    group_name="run",
    owners=["team:data-engineering"],
    kinds={"python", "parquet"},
    partitions_def=PERIODS,
    backfill_policy=ONE_MONTH_A_RUN,
    deps=["submissions"],
    description=(
        "The facts a national run is made from: its month, its knowledge cut, the submissions within it, and what "
        "people decided about identities and about the list by then."
    ),
)
def run_inputs(
    context: dg.AssetExecutionContext, config: NationalRun, data_root: DataRoot, release_key: ReleaseKey
) -> dg.MaterializeResult:  # type: ignore[type-arg]
    layout = data_root.layout()
    inputs = gather(
        layout,
        programme=config.programme,
        period=date.fromisoformat(f"{context.partition_key}-01"),
        as_of=datetime.fromisoformat(config.as_of) if config.as_of else None,
        decisions=data_root.decisions(),
        compare_with=config.compare_with,
        later_months=config.later_months,
    )
    write(inputs, layout, release_key.key)
    return dg.MaterializeResult(
        metadata={
            "programme": inputs.programme,
            "as_of": inputs.as_of.isoformat(),
            "submissions": len(inputs.submissions),
            "identity_decisions": len(inputs.identity_decisions),
            "review_entries": len(inputs.review_entries),
            "previous_release": inputs.previous.release_id if inputs.previous else "none",
            "forces": len({r.force_code for r in inputs.submissions if r.status != "held"}),
            "dagster/row_count": sum(r.total("accepted") for r in inputs.submissions),
        }
    )


@dg.asset_check(
    asset=run_inputs,
    description="Every force of the programme has an accepted return for the month. A missing one is named; it stops nobody.",
)
def every_force_reported(data_root: DataRoot) -> dg.AssetCheckResult:
    run = data_root.layout().run
    parameters = pl.read_parquet(run / "run_parameters.parquet").row(0, named=True)
    reported = pl.read_parquet(run / "run_submissions.parquet").filter(
        (pl.col("period") == parameters["period"]) & (pl.col("status") != "held")
    )
    missing = sorted(forces_of(parameters["programme"]) - set(reported["force_code"].to_list()))
    return dg.AssetCheckResult(
        passed=not missing,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"n_missing": len(missing), "missing": missing},
    )
