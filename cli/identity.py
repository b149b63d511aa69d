"""`vawg identity` and `vawg audit`: what people decide about who is who, and the log of it.

Light to import; what a command needs is imported where it runs.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cli.decided import counted, data_paths, decisions_store, now, platform
from cli.exits import CLEAN, ERRORS, fail

if TYPE_CHECKING:
    from decisions.refusals import Kind

Command = TypeVar("Command", bound=Callable[..., Any])

# A force's code, then the reference of a nominal in its system.
RECORD_ID = re.compile(r"(?P<force>[A-Z][A-Z0-9]{8})\|[A-Za-z0-9][A-Za-z0-9/_.:-]{1,39}")


@click.group()
def identity() -> None:
    """Decide who is who, where linkage cannot know or was wrong.

    A RECORD is a nominal as the platform knows it, FORCE|REFERENCE, to be quoted in a shell:
    'E23000036|N123456'. The person ids are those of the releases.

    Every decision says who took it and why, is written into the audit log, and holds in every run from then on until
    it is revoked; what was released before stays as it was. One that contradicts a decision in force is refused and
    nothing is written. Decisions lie in decisions.sqlite under the data root, or in the database that the
    environment variable VAWG_DECISIONS_URL names (postgresql://...).

    Exit code 0: done. 2: refused; the message says why.
    """


def _by_and_why(command: Command) -> Command:
    """The options that every decision takes."""
    for option in (
        click.option(
            "--at",
            type=click.DateTime(),
            metavar="MOMENT",
            default=None,
            help="When it was decided, as 2026-05-01T09:00:00; now if left out. Never before the log's last entry.",
        ),
        click.option("--why", required=True, help="The reason, in words that name no person."),
        click.option("--by", required=True, help="Who decides."),
    ):
        command = option(command)
    return command


@identity.command("must-link")
@click.argument("record")
@click.argument("records", nargs=-1, required=True, metavar="RECORD...")
@_by_and_why
def must_link(record: str, records: tuple[str, ...], by: str, why: str, at: datetime | None) -> None:
    """These RECORDs, two or more, are one person.

    \b
    vawg identity must-link 'E23000036|N1' 'E23000026|N77' --by 'A. Reviewer' --why 'fingerprints'
    """
    _decide("must_link", (record,), records, by, why, at)


@identity.command("cannot-link")
@click.argument("records", metavar="RECORD[,RECORD...]")
@click.argument("other_records", metavar="RECORD[,RECORD...]")
@_by_and_why
def cannot_link(records: str, other_records: str, by: str, why: str, at: datetime | None) -> None:
    """None of the first records is the person of any of the second.

    It says nothing about records on the same side.

    \b
    vawg identity cannot-link 'E23000036|N1,E23000036|N2' 'E23000026|N77' --by 'A. Reviewer' --why 'twins'
    """
    _decide("cannot_link", _listed(records), _listed(other_records), by, why, at)


@identity.command()
@click.argument("decision_id", metavar="ID")
@_by_and_why
def revoke(decision_id: str, by: str, why: str, at: datetime | None) -> None:
    """End the decision with this ID (I000001, see `vawg identity list`).

    What it held together or apart is linked by the evidence again. The decision and its end stay on record.
    """
    with decisions_store() as store:
        from decisions import identity as decided

        decided.revoke(store, decision_id, revoked_by=by, reason=why, revoked_at=at or now())
    click.echo(f"{decision_id} is revoked. Next: vawg run")


@identity.command()
@click.argument("person_id")
@click.argument("retired_person_id")
@_by_and_why
def undo(person_id: str, retired_person_id: str, by: str, why: str, at: datetime | None) -> None:
    """Take apart the merge by which RETIRED_PERSON_ID went into PERSON_ID.

    Writes one cannot-link decision between the records that moved and the others that PERSON_ID had after that run.
    The next run gives the records that moved a new person id (no id is ever used twice), and every mart follows.
    """
    with platform():
        from assets.linkage.ledger import NotInLedger, merged
    paths = data_paths()
    try:
        merge = merged(paths.person_ledger, person_id, retired_person_id)
    except NotInLedger as error:
        fail(str(error))
    if not merge.still_together:
        fail(f"what was {retired_person_id} and the rest of {person_id} are no longer one person")
    decision_id = _take("cannot_link", merge.moved, merge.others, by, why, at)
    click.echo(
        f"{decision_id} keeps {counted(len(merge.moved), 'record')} that made up {retired_person_id} apart from the "
        f"other {len(merge.others)} of {person_id}. Next: vawg run"
    )


@identity.command("list")
@click.option(
    "--as-of",
    type=click.DateTime(),
    default=None,
    metavar="MOMENT",
    help="As of that moment; now if left out.",
)
@click.option("--reasons", is_flag=True, help="Show the reasons too; they are the reviewers' own words.")
def list_decisions(as_of: datetime | None, reasons: bool) -> None:
    """List the decisions in force, oldest first: id, kind, when, by whom, the records of either side."""
    with decisions_store() as store:
        from decisions.identity import in_force

        found = in_force(store, as_of or datetime.max)
    for decision in found:
        sign = "is" if decision.kind == "must_link" else "is not"
        click.echo(
            f"{decision.decision_id}  {decision.kind:<11}  {decision.decided_at:%Y-%m-%d %H:%M:%S}  "
            f"by {decision.decided_by}"
        )
        click.echo(f"    {', '.join(decision.records)} {sign} {', '.join(decision.other_records)}")
        if reasons:
            click.echo(f"    {decision.reason}")
    click.echo(f"{counted(len(found), 'decision')} in force")


@identity.command()
@click.argument("force")
@click.option(
    "--since", type=click.DateTime(), default=None, metavar="DATE", help="From then on; ever if left out."
)
def affected(force: str, since: datetime | None) -> None:
    """List the records of a FORCE (E23000036) whose person id was changed by a merge or a split.

    One line a change, parted by tabs: record, event, cause, old person id, new person id, the knowledge cut of the run
    (`vawg run --as-of`), the decision that caused it.
    """
    with platform():
        from assets.linkage.ledger import NotInLedger, changes_for_force
    _require_force(force)
    try:
        changes = changes_for_force(data_paths().person_ledger, force, since)
    except NotInLedger as error:
        fail(str(error))
    if not changes:
        click.echo(f"No record of {force} changed its person id by a merge or split.", err=True)
        return
    click.echo("record\tevent\tcause\tfrom\tto\twhen\tdecision")
    for c in changes:
        fields = (c.record_id, c.event, c.cause, c.from_person_id, c.to_person_id, c.as_of.isoformat())
        click.echo("\t".join((*fields, c.decision_id or "")))


@click.group()
def audit() -> None:
    """The audit log of everything that people decided."""


@audit.command()
@click.option("--head", "shown", default=None, metavar="NO:HASH", help="An entry that must be in the log.")
def verify(shown: str | None) -> None:
    """Check that the log is whole, and that the decisions are what it says.

    Every entry holds the hash of the one before it, so that an entry that was changed, put in or taken out breaks the
    chain there. That the last entries were cut off, the chain alone cannot show: keep the last entry that this command
    prints, and give it as --head the next time.

    Exit code 0: whole. 1: broken; the first entry that does not follow is named. 2: it cannot be read.
    """
    with decisions_store() as store:
        from decisions.audit import Head, head
        from decisions.identity import verify as verify_identity
        from decisions.review import verify as verify_review
        from decisions.sign_off import verify as verify_sign_offs

        try:
            kept = Head.parse(shown) if shown else None
        except ValueError as error:
            fail(str(error))
        broken = verify_identity(store, kept) or verify_review(store) or verify_sign_offs(store)
        with store.reading() as connection:
            last = head(connection)
    if broken:
        click.echo(f"broken: {broken}")
        sys.exit(ERRORS)
    click.echo(f"ok: {counted(last.no, 'entry', 'entries')}; the last is {last}")
    sys.exit(CLEAN)


def _decide(
    kind: Kind, records: tuple[str, ...], other: tuple[str, ...], by: str, why: str, at: datetime | None
) -> None:
    _require_records((*records, *other))
    decision_id = _take(kind, records, other, by, why, at)
    click.echo(f"{decision_id} is in force. Next: vawg run")


def _take(
    kind: Kind, records: tuple[str, ...], other: tuple[str, ...], by: str, why: str, at: datetime | None
) -> str:
    with decisions_store() as store:
        from decisions.identity import decide

        return decide(store, kind, records, other, decided_by=by, reason=why, decided_at=at or now())


def _listed(records: str) -> tuple[str, ...]:
    return tuple(record.strip() for record in records.split(","))


def _require_records(record_ids: tuple[str, ...]) -> None:
    """A record id mistyped would be obeyed silently: it must have the form, and have been linked once."""
    with platform():
        from assets.linkage.ledger import NotInLedger, never_linked
    for record_id in record_ids:
        if not (parts := RECORD_ID.fullmatch(record_id)):
            fail(f"{record_id!r} is not a record; write 'FORCE|REFERENCE', as in 'E23000036|N123456'")
        _require_force(parts["force"])
    try:
        if unknown := never_linked(data_paths().person_ledger, record_ids):
            fail(f"no run has linked {', '.join(unknown)}; look for it in the person_links of a release")
    except NotInLedger as error:
        fail(str(error))


def _require_force(code: str) -> None:
    from data_contracts.code_lists import attribute

    if code not in attribute("forces", "label"):
        fail(f"there is no force {code}; the codes are in data_contracts/codes/forces.csv")
