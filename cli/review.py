"""`vawg review`: what people decide of the persons on the list, from the first look to the plan's end.

Light to import; what a command needs is imported where it runs.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cli.decided import counted, data_paths, decisions_store, now, platform
from cli.exits import fail

if TYPE_CHECKING:
    from assets.review_subjects import Evidence
    from decisions.review_entries import Act, Entry, Subject
    from decisions.store import Store

Command = TypeVar("Command", bound=Callable[..., Any])

ENTRY_ID = re.compile(r"R\d{6,}")
MOMENT = click.DateTime()


class _InOrder(click.Group):
    """Commands in the order of the work, not of the alphabet."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=_InOrder)
def review() -> None:
    """Review the persons on the list: nobody is acted upon because of a score.

    \b
    An ENTRY is a person on one cycle of the list, R000001 and on:
      proposed   a release lists the person, or an officer proposed them
      triaged    somebody viewed the evidence and took it up
      deferred   put off until a day; triaged again from then
      confirmed  two people agreed, with a note on proportionality
      active     a plan is live, after a check of the victims' safety
      removed    two people agreed; off the list until a new allegation
      expired    nobody renewed it within three months

    PERSON is a person id of any release (one that was merged away is followed), or an ENTRY. What confirms, removes or
    renews is asked for by one person and approved by another, both after `view`: the evidence comes before the rank. A
    dispute freezes an entry, and the next run keeps the person off every list until it is closed. Who is deferred or
    removed is kept off from the next run on too.

    Every act takes --by (who), --reason (a code of the list that the command's refusal prints), --why (words that name
    no person) and, where it is a judgement, --agree or --disagree with the list. All of it goes into the audit log,
    which only grows; `vawg audit verify` checks it. The name in --by is taken at its word: access to this command is
    what stands behind it.

    Exit code 0: done. 2: refused, and nothing was written; the message says why.
    """


def _said(*names: str) -> Callable[[Command], Command]:
    """The options of an act, by name, beside --by and --at, which all take."""
    options = {
        "reason": click.option("--reason", required=True, metavar="CODE", help="The reason, from the list."),
        "why": click.option("--why", required=True, help="The reason in words that name no person."),
        "agrees": click.option(
            "--agree/--disagree",
            "agrees",
            default=None,
            help="Whether the evidence bears out the list. Must be said.",
        ),
    }

    def decorate(command: Command) -> Command:
        command = click.option(
            "--at",
            type=MOMENT,
            metavar="MOMENT",
            default=None,
            help="When it was, as 2026-05-01T09:00:00; now if left out. Never before the log's last entry.",
        )(command)
        for name in reversed(names):
            command = options[name](command)
        return click.option("--by", required=True, help="Who acts.")(command)

    return decorate


@review.command()
@click.option("--force", metavar="CODE", default=None, help="Only persons whom this force owns (E23000036).")
@click.option("--as-of", type=MOMENT, default=None, metavar="MOMENT", help="As of then; now if left out.")
def queue(force: str | None, as_of: datetime | None) -> None:
    """List whom somebody should look at: everybody on a list that is reviewed, and every live entry.

    In the order of person ids, which tells nothing of ranks. Parted by tabs: person, owner force, entry, state, until,
    what it waits for.
    """
    moment = as_of or now()
    with _reading():
        from assets.review_subjects import listed, persons_of
        from decisions.review import in_force

        with decisions_store() as store:
            entries = [e for e in in_force(store, moment) if e.is_live]
        people = listed(data_paths(), force, _key())
        holders = persons_of(data_paths(), [r for e in entries for r in e.record_ids])
    rows = {person_id: [(owner, "", "proposed", "", "view")] for person_id, owner in people.items()}
    for entry in entries:
        for person_id in sorted({holders[r] for r in entry.record_ids if r in holders}):
            if not force or person_id in people:
                row = (
                    people.get(person_id, ""),
                    entry.entry_id,
                    _state(entry),
                    _until(entry),
                    _waits_for(entry),
                )
                rows[person_id] = [r for r in rows.get(person_id, []) if r[1]] + [row]
    click.echo("person\tforce\tentry\tstate\tuntil\twaits_for")
    for person_id in sorted(rows):
        for row in rows[person_id]:
            click.echo("\t".join((person_id, *row)))


@review.command()
@click.argument("person_id", metavar="PERSON")
@click.option(
    "--purpose",
    default="monthly_review",
    show_default=True,
    metavar="CODE",
    help="Why: monthly_review, second_look, dispute, appeal, subject_access or oversight.",
)
@_said()
def view(person_id: str, purpose: str, by: str, at: datetime | None) -> None:
    """Show the evidence on PERSON, and record that it was seen. Rank and points are shown from the second view on.

    A line an allegation, newest first: the crime, when it was reported, what it is, its outcome, and whether it counts.
    An allegation is not a finding of guilt.
    """
    moment = at or now()
    with decisions_store() as store:
        from decisions import review as api

        evidence = _evidence(store, person_id, moment)
        seen = api.may_see_rank(store, evidence.subject.record_ids, by=by, as_of=moment)
        entry_id = api.view(store, evidence.subject, by=by, at=moment, purpose=purpose)
        entry = api.entry_of(store, entry_id, moment)
    _show_evidence(evidence)
    click.echo(f"\n{entry_id} is {_state(entry)}{_until_words(entry)}. The view by {by} is recorded.")
    if seen:
        _show_standing(evidence)
    else:
        click.echo("The rank is shown from the next view on: the evidence comes first.")


@review.command()
@click.argument("person_id", metavar="PERSON")
@_said("reason", "why")
def propose(person_id: str, reason: str, why: str, by: str, at: datetime | None) -> None:
    """Propose PERSON, whom the list does not name. The entry is marked and reviewed like any other."""
    moment = at or now()
    with decisions_store() as store:
        from decisions.review import propose as act

        subject = _evidence(store, person_id, moment).subject
        _done(store, act(store, subject, by=by, at=moment, reason=reason, why=why), moment)


def _simple(name: str, doc: str, *said: str, reason: str = "reason") -> click.Command:
    """A command whose act takes an entry and nothing but what is said."""

    @click.argument("person_id", metavar="PERSON")
    @_said("reason", *said)
    def body(person_id: str, by: str, at: datetime | None, **given: Any) -> None:
        given[reason] = given.pop("reason")
        _take(name, person_id, by, at, **given)

    return review.command(name.replace("_", "-"), help=doc)(body)


_simple("triage", "Take up PERSON's proposed entry, having viewed the evidence.", "why", "agrees")


@review.command()
@click.argument("person_id", metavar="PERSON")
@click.option("--until", type=MOMENT, required=True, metavar="DATE", help="No more than three months on.")
@_said("reason", "why", "agrees")
def defer(person_id: str, until: datetime, by: str, at: datetime | None, **given: Any) -> None:
    """Put PERSON's triaged entry off until DATE: on no list until then, triaged again from then on."""
    _take("defer", person_id, by, at, until=until, **given)


@review.command()
@click.argument("person_id", metavar="PERSON")
@click.option("--proportionality", required=True, metavar="TEXT", help="Why no less would do.")
@click.option(
    "--role",
    default=None,
    metavar="TEXT",
    help="What the person did, apart from the others, in crimes of which others are suspected too; needed where there are any.",
)
@_said("reason", "why", "agrees")
def confirm(person_id: str, by: str, at: datetime | None, **given: Any) -> None:
    """Ask for PERSON's triaged entry to be confirmed. Somebody else approves or refuses."""
    moment = at or now()
    with decisions_store() as store:
        shared = _evidence(store, person_id, moment).shared_offence_ids
    _take("confirm", person_id, by, moment, shared_offence_ids=shared, **given)


@review.command()
@click.argument("person_id", metavar="PERSON")
@_said("reason", "why", "agrees")
def remove(person_id: str, by: str, at: datetime | None, **given: Any) -> None:
    """Ask for PERSON to be taken off the list on the allegations that count today. Somebody else approves or refuses.

    \b
    Reasons: not_suspect, link_wrong, disproved, child, dead, custody,
             victim_safety_risk, duplicates_live_plan, disproportionate

    Once approved, the same allegations never bring the person back; one that was not among them does.
    """
    _take("remove", person_id, by, at, with_subject=True, **given)


_simple(
    "approve", "Approve what somebody else asked for, having viewed the evidence oneself.", "why", "agrees"
)
_simple("refuse", "Refuse what somebody else asked for; PERSON's entry stays as it was.", "why", "agrees")
_simple(
    "check_safety",
    "Record a check of the victims' safety; --reason is what it found: no_added_risk, risk_managed or "
    "risk_too_high, which stops a live plan. None goes live without one.",
    "why",
    reason="result",
)


@review.command()
@click.argument("person_id", metavar="PERSON")
@click.option("--plan", required=True, metavar="TEXT", help="Its reference and owner.")
@_said("reason", "why")
def activate(person_id: str, plan: str, by: str, at: datetime | None, **given: Any) -> None:
    """Record that a plan for PERSON's confirmed entry is live. The months agreed to run on."""
    _take("activate", person_id, by, at, plan=plan, **given)


_simple(
    "renew",
    "Ask for PERSON's confirmed or active entry to run on; somebody else approves or refuses. A year after it was "
    "confirmed it is renewed no further: the person is reviewed from the start.",
    "why",
    "agrees",
)


@review.command()
@click.argument("person_id", metavar="PERSON")
@click.option("--disputed-by", required=True, metavar="TEXT", help="In what capacity; no name.")
@_said("reason", "why")
def dispute(person_id: str, disputed_by: str, reason: str, why: str, by: str, at: datetime | None) -> None:
    """Record that what is held of PERSON is disputed. From the next run they are on no list until it is closed."""
    moment = at or now()
    with decisions_store() as store:
        from decisions.review import dispute as act

        subject = _evidence(store, person_id, moment).subject
        entry_id = act(store, subject, by=by, at=moment, ground=reason, why=why, disputed_by=disputed_by)
        _done(store, entry_id, moment)


@review.command("record-check")
@click.argument("person_id", metavar="PERSON")
@click.option(
    "--release",
    "releases",
    multiple=True,
    metavar="RELEASE",
    help="A sealed release to annotate; again for more. Left out: the one the entry began with.",
)
@_said("reason", "why")
def record_check(
    person_id: str, releases: tuple[str, ...], reason: str, why: str, by: str, at: datetime | None
) -> None:
    """Record what the force's check of a dispute found; --reason is corrected or upheld.

    Later releases follow the force's next submission. Sealed ones stay as they are, with an annotation.
    """
    moment = at or now()
    with decisions_store() as store:
        from decisions.review import entry_of
        from decisions.review import record_check as act

        entry_id = _entry_id(store, person_id, moment)
        began_with = entry_of(store, entry_id, moment).opening.release_id
        named = releases or ((began_with,) if began_with else ())
        act(store, entry_id, by=by, at=moment, result=reason, why=why, release_ids=named)
        _done(store, entry_id, moment)


_simple(
    "close_dispute",
    "Close a dispute that the force has checked; not by who recorded the check. Upheld, the entry goes on; corrected, "
    "it is proposed anew and looked at from the start. --reason: all_told or recipients_to_be_told.",
    "why",
)


@review.command()
@click.argument("person_id", metavar="PERSON")
@click.option("--appellant", required=True, metavar="TEXT", help="In what capacity; no name.")
@_said("reason", "why")
def appeal(person_id: str, appellant: str, reason: str, why: str, by: str, at: datetime | None) -> None:
    """Record an appeal against PERSON's entry."""
    _take("appeal", person_id, by, at, ground=reason, why=why, appellant=appellant)


@review.command("decide-appeal")
@click.argument("person_id", metavar="PERSON")
@click.option(
    "--unit", required=True, metavar="TEXT", help="The unit that decides: not the one that reviews."
)
@_said("reason", "why")
def decide_appeal(person_id: str, unit: str, reason: str, why: str, by: str, at: datetime | None) -> None:
    """Decide an appeal; --reason is allowed or dismissed. By somebody who had no hand in the entry.

    View the evidence with --purpose appeal first: that is not a hand in it. Allowed, it takes the person off the list
    on the allegations that count today.
    """
    _take("decide_appeal", person_id, by, at, with_subject=True, result=reason, why=why, unit=unit)


@review.command()
@click.argument("entry_id", metavar="ENTRY")
@_said("why")
def dispose(entry_id: str, why: str, by: str, at: datetime | None) -> None:
    """Certify that the status of an ENTRY that ended is shown no more; only once its retention is over."""
    _take("dispose", entry_id, by, at, why=why)


@review.command()
@click.argument("person_id", metavar="PERSON")
@click.option("--as-of", type=MOMENT, default=None, metavar="MOMENT", help="As of then; now if left out.")
@click.option("--reasons", is_flag=True, help="Show the words too; they are the reviewers' own.")
def status(person_id: str, as_of: datetime | None, reasons: bool) -> None:
    """Show PERSON's entries: where each stands, what it waits for, and every act. No rank is shown."""
    moment = as_of or now()
    with decisions_store() as store:
        from decisions.review import entries_of, entry_of

        if ENTRY_ID.fullmatch(person_id):
            entries = [entry_of(store, person_id, moment)]
        else:
            entries = entries_of(store, _evidence(store, person_id, moment).subject.record_ids, moment)
    for entry in entries:
        _show_entry(entry, reasons)
    if not entries:
        click.echo(f"Nobody has looked at {person_id} yet.")


@review.command("log-extract")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="FILE", help="CSV.")
@click.option("--purpose", required=True, metavar="CODE", help="oversight, subject_access, appeal, ...")
@click.option(
    "--expires-on", type=MOMENT, required=True, metavar="DATE", help="When FILE is to be destroyed."
)
@click.option("--since", type=MOMENT, default=None, metavar="MOMENT", help="Entries from then on.")
@_said()
def log_extract(
    out: Path, purpose: str, expires_on: datetime, since: datetime | None, by: str, at: datetime | None
) -> None:
    """Write the log of accesses and decisions into FILE, without anybody's words.

    The export is itself written into the log. Every row of FILE says who took it and by when it is to be destroyed.
    """
    moment = at or now()
    with decisions_store() as store:
        from decisions import audit
        from decisions.access import log_access

        log_access(
            store,
            who=by,
            at=moment,
            kind="export",
            subject="audit_log",
            purpose=purpose,
            expires_on=expires_on,
        )
        with store.reading() as connection:
            entries = [e for e in audit.entries(connection) if since is None or e.at >= since]
    said = ("reason_code", "agrees", "purpose")
    with out.open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream, lineterminator="\n")
        rows.writerow(("no", "at", "who", "action", "subject", *said, "exported_by", "destroy_by"))
        for entry in entries:
            detail = ["" if entry.detail.get(name) is None else entry.detail[name] for name in said]
            rows.writerow(
                (
                    *(entry.no, entry.at.isoformat(), entry.who, entry.action, entry.subject),
                    *detail,
                    *(by, expires_on.date()),
                )
            )
    click.echo(f"{counted(len(entries), 'entry', 'entries')} in {out}; destroy it by {expires_on:%Y-%m-%d}")


def _take(
    name: str, person_id: str, by: str, at: datetime | None, *, with_subject: bool = False, **said: Any
) -> None:
    moment = at or now()
    with decisions_store() as store:
        from decisions import review as api

        entry_id = _entry_id(store, person_id, moment, any_state=name in ("dispose", "appeal"))
        about = (_subject_of(store, person_id, entry_id, moment),) if with_subject else ()
        getattr(api, name)(store, entry_id, *about, by=by, at=moment, **said)
        _done(store, entry_id, moment)


def _entry_id(store: Store, person_id: str, at: datetime, *, any_state: bool = False) -> str:
    """The entry that is meant: the one named, or the person's that is live."""
    from decisions.review import entries_of

    if ENTRY_ID.fullmatch(person_id):
        return person_id
    subject = _evidence(store, person_id, at).subject
    found = [e for e in entries_of(store, subject.record_ids, at) if e.is_live or any_state]
    if not found:
        fail(f"{person_id} has no live entry; it begins with: vawg review view {person_id} --by NAME")
    if len(found) > 1 and not any_state:
        fail(
            f"{person_id} has several entries since persons were merged: {', '.join(e.entry_id for e in found)}"
        )
    return found[-1].entry_id


def _subject_of(store: Store, asked: str, entry_id: str, at: datetime) -> Subject:
    """Whom an act on an entry is about, as the current release has them."""
    if not ENTRY_ID.fullmatch(asked):
        return _evidence(store, asked, at).subject
    with _reading():
        from assets.review_subjects import persons_of
        from decisions.review import entry_of

        holders = set(persons_of(data_paths(), entry_of(store, entry_id, at).record_ids).values())
    if len(holders) != 1:
        fail(
            f"{entry_id} is about {len(holders)} persons today: {', '.join(sorted(holders))}; name one of them"
        )
    return _evidence(store, holders.pop(), at).subject


def _evidence(store: Store, person_id: str, at: datetime) -> Evidence:
    """What the current release holds of a person, or of the one person an entry is about today."""
    with _reading():
        from assets.review_subjects import evidence_on, persons_of
        from decisions.review import entry_of

        if ENTRY_ID.fullmatch(person_id):
            records = entry_of(store, person_id, at).record_ids
            holders = sorted(set(persons_of(data_paths(), records).values()))
            if len(holders) != 1:
                fail(
                    f"{person_id} is about {len(holders)} persons today: {', '.join(holders)}; name one of them"
                )
            person_id = holders[0]
        return evidence_on(data_paths(), person_id, _key())


@contextmanager
def _reading() -> Iterator[None]:
    """What release and ledger cannot tell ends the command."""
    with platform():
        from assets.review_subjects import NoSuchSubject
    try:
        yield
    except NoSuchSubject as error:
        fail(str(error))


def _key() -> str | None:
    from orchestration.environment import release_key

    return release_key()


def _done(store: Store, entry_id: str, at: datetime) -> None:
    from decisions.review import entry_of

    entry = entry_of(store, entry_id, at)
    waits = _waits_for(entry)
    click.echo(f"{entry_id} is {_state(entry)}{_until_words(entry)}." + (f" Next: {waits}." if waits else ""))


def _state(entry: Entry) -> str:
    return f"frozen ({entry.state})" if entry.is_frozen else entry.state


def _until(entry: Entry) -> str:
    return f"{entry.holds_until:%Y-%m-%d}" if entry.holds_until else ""


def _until_words(entry: Entry) -> str:
    return f" until {_until(entry)}" if entry.holds_until else ""


def _waits_for(entry: Entry) -> str:
    if entry.is_frozen:
        return "closing of the dispute" if entry.check else "the force's check"
    if entry.request:
        return f"a second person on: {entry.request.name}"
    if entry.appeal:
        return "decision of the appeal"
    return {
        "proposed": "triage",
        "triaged": "confirm, defer or remove",
        "confirmed": "check of safety, then activate",
        "active": "renew or lapse",
    }.get(entry.state, "")


def _show_evidence(evidence: Evidence) -> None:
    subject = evidence.subject
    click.echo(
        f"{subject.person_id}: {counted(len(subject.record_ids), 'nominal')}, "
        f"{counted(len(evidence.allegations), 'allegation')}, {len(subject.offence_ids)} of them counted "
        f"({subject.period})"
    )
    if as_victim := evidence.listing.get("n_offences_as_victim"):
        click.echo(f"Also recorded as a victim, of {counted(int(as_victim), 'offence')}.")
    for row in evidence.allegations:
        counts = "counts" if row["is_counted"] else f"not counted: {row['not_counted_reason']}"
        click.echo(
            f"  {row['force_code']}  {row['crime_ref']}  reported {row['reported_at']:%Y-%m-%d}  "
            f"offence {row['offence_code']}  outcome {row['outcome_code'] or 'open'}  "
            f"suspect {row['suspect_status']}  with {row['n_co_suspects']} others  {counts}"
        )
    click.echo("An allegation is not a finding of guilt.")


def _show_standing(evidence: Evidence) -> None:
    """Where the lists have a person, what each allegation adds to it, and the sentences that must stand beside it."""
    listing = evidence.listing
    if not listing:
        click.echo("No list considered this person.")
        return
    reason = f" ({listing['status_reason'].replace('_', ' ')})" if listing["status_reason"] else ""
    rank, band = (listing[name] or "none" for name in ("national_rank", "rank_band"))
    # Who may be a child has no score, nor what allegations add to it.
    is_scored = listing["status_reason"] != "age_unknown"
    points = f", {listing['score']:,.1f} points" if is_scored else ""
    click.echo(f"On the list: {listing['list_status']}{reason}, rank {rank}, band {band}{points}.")
    if evidence.band:
        click.echo(f"How often people in this band come again: {evidence.band}.")
    for row in evidence.allegations:
        if is_scored and row["explanation"]:
            click.echo(f"  {row['explanation']}")
    click.echo(listing["statement"])


def _show_entry(entry: Entry, reasons: bool) -> None:
    click.echo(
        f"{entry.entry_id}  {_state(entry)}{_until_words(entry)}  {entry.opening.origin.replace('_', ' ')}"
        f"  {entry.opening.period}".rstrip()
    )
    if entry.status_withheld:
        click.echo("    its retention has ended: no more is shown")
    if entry.removal:
        click.echo(
            f"    holds on {counted(len(entry.removal.offence_ids), 'allegation')}, "
            f"fingerprint {entry.removal.fingerprint[:12]}"
        )
    if waits := _waits_for(entry):
        click.echo(f"    waits for: {waits}")
    for act in entry.acts:
        _show_act(act, reasons)


def _show_act(act: Act, reasons: bool) -> None:
    agreed = {True: ", agrees with the list", False: ", disagrees with the list", None: ""}[act.agrees]
    click.echo(
        f"    {act.at:%Y-%m-%d %H:%M:%S}  {act.name.replace('_', ' '):<13}  by {act.by}: {act.reason_code}{agreed}"
    )
    if reasons:
        for words in (act.why, act.note):
            if words:
                click.echo(f"        {words}")
