"""The `vawg` command. Heavy parts are imported by the command that needs them: `check` needs the base install only."""

from __future__ import annotations

import sys
from datetime import date, datetime
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from zipfile import BadZipFile

import click

from cli.exits import fail
from cli.hub import hub
from cli.identity import audit, identity
from cli.review import review
from cli.signoff import signoff
from data_contracts import adapters

# A module there is an adapter: it has write_submissions(archive, folder).
SYSTEMS = [module.name for module in iter_modules(adapters.__path__)]
PATH = click.Path(path_type=Path)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="vawg-data-platform", prog_name="vawg")
def main() -> None:
    """The national data platform on violence against women and girls.

    Forces use `check` before they send. The national team uses `land`, `run` and `releases`; its reviewers use
    `identity` and `review`, its auditors `audit`; a force signs off its figures with `signoff`.

    The data root is the folder named in the environment variable VAWG_DATA, or data/ in the repository.
    """


@main.command()
@click.argument("path", type=PATH)
@click.option(
    "--report", type=PATH, metavar="DIR", help="Write report.html, findings.csv and summary.json into DIR."
)
@click.option(
    "--received-on",
    type=click.DateTime(["%Y-%m-%d"]),
    default=None,
    metavar="DATE",
    help="Day of receipt to check against; today if left out.",
)
@click.option(
    "--previous",
    type=PATH,
    multiple=True,
    metavar="PATH",
    help="An earlier submission of the same force, for rules that compare months; may be given again.",
)
def check(path: Path, report: Path | None, received_on: datetime | None, previous: tuple[Path, ...]) -> None:
    """Check the submission at PATH (a folder or zip) with the platform's own rules.

    Runs offline and sends nothing. A submission of any size is checked in bounded memory; what does not fit lies in the
    folder for temporary files (TMPDIR), about as large as the submission, and is gone afterwards. How far it is goes to
    standard error.

    DIR gets report.html (what is wrong, what it means, how to mend it, ten examples with references masked),
    findings.csv (one line a finding, references in full) and summary.json (counts, for scripts).

    
    Examples
      vawg check E23000036_2026-02_1 --report out/
      vawg check E23000036_2026-02_1 --previous E23000036_2026-01_1

    Exit code 0: clean, or warnings only. 1: errors were found. 2: PATH cannot be used as a submission at all, or a
    --previous one is none of its force's earlier ones.
    """
    from cli.check import check_submission

    today = received_on.date() if received_on else date.today()
    sys.exit(check_submission(path, report, today, previous))


@main.command()
@click.option(
    "--out", "folder", type=PATH, required=True, help="Folder to write submissions/ and truth/ into."
)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same bytes.")
@click.option(
    "--scale",
    type=click.FloatRange(min=0, min_open=True),
    default=0.02,
    show_default=True,
    help="1.0 is a national year, about 5.2 million offences.",
)
@click.option(
    "--from",
    "first",
    type=click.DateTime(["%Y-%m"]),
    default="2026-01",
    show_default=True,
    help="First month, YYYY-MM.",
)
@click.option("--months", type=click.IntRange(1, 240), default=3, show_default=True)
@click.option(
    "--faults",
    type=click.FloatRange(0, 1),
    default=0.005,
    show_default=True,
    help="Share of crimes with a planted fault.",
)
def synthesise(folder: Path, seed: int, scale: float, first: datetime, months: int, faults: float) -> None:
    """Write a synthetic England and Wales as submissions of 43 forces, with the truth beside them."""
    from cli.national import synthesise_nation

    synthesise_nation(folder, seed=seed, scale=scale, first=first.date(), months=months, faults=faults)


@main.command()
@click.argument("system", type=click.Choice(SYSTEMS))
@click.option("--out", "folder", type=PATH, required=True, help="Folder to write the submissions into.")
@click.option(
    "--archive", type=PATH, help="The export to read; the one shipped with the adapter if left out."
)
def adapt(system: str, folder: Path, archive: Path | None) -> None:
    """Turn the export of another record SYSTEM into standard submissions.

    nibrs: a year of the FBI's National Incident-Based Reporting System, as the FBI publishes it for one state.
    """
    adapter = import_module(f"{adapters.__name__}.{system}")
    try:
        written = adapter.write_submissions(archive, folder)
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        fail(f"the {system} export cannot be read: {error}")
    click.echo(f"{len(written)} submissions lie in {folder}. Next: vawg land {folder}/*")


@main.command()
@click.argument("paths", type=PATH, nargs=-1, required=True, metavar="PATH...")
def land(paths: tuple[Path, ...]) -> None:
    """Put submissions (folders or zips) into the landing folder, each appearing there whole.

    `vawg run` takes them in, as does the landing sensor where Dagster is running.
    """
    from cli.national import land_submissions

    land_submissions(paths)


@main.command()
@click.option(
    "--period",
    type=click.DateTime(["%Y-%m"]),
    default=None,
    help="Month of the release, YYYY-MM; the latest received if left out.",
)
@click.option("--programme", default="england_wales", show_default=True, help="Which reporting bodies.")
@click.option(
    "--as-of", type=click.DateTime(), default=None, help="Know only what was received and decided by then."
)
@click.option(
    "--received-at",
    type=click.DateTime(),
    default=None,
    help="Moment of receipt of what lies in the landing folder; now if left out.",
)
@click.option(
    "--compare-with",
    metavar="RELEASE",
    help="Measure movers against this release; against that of the month before if left out.",
)
@click.option(
    "--later-months",
    is_flag=True,
    help="Take returns for later months too, for what they say of crimes of before.",
)
@click.option(
    "--resume", is_flag=True, help="Go on with the last run of the month from the station that failed."
)
@click.option("--marts-only", is_flag=True, help="Stop once the marts are made: nothing is released.")
def run(
    period: datetime | None,
    programme: str,
    as_of: datetime | None,
    received_at: datetime | None,
    compare_with: str | None,
    later_months: bool,
    resume: bool,
    marts_only: bool,
) -> None:
    """Take in what has landed and make the month's release, showing each station as it goes."""
    from cli.national import run_month

    sys.exit(
        run_month(
            period.date() if period else None,
            programme=programme,
            as_of=as_of,
            received_at=received_at,
            compare_with=compare_with,
            later_months=later_months,
            resume=resume,
            marts_only=marts_only,
        )
    )


@main.command()
def releases() -> None:
    """List the releases, the current one marked."""
    from cli.national import list_releases

    list_releases()


@main.command()
@click.argument("persons", type=PATH, metavar="[PERSONS]", required=False)
@click.option("--out", type=PATH, metavar="FILE", help="Where the links go; .csv or .parquet.")
@click.option(
    "--changes",
    type=PATH,
    metavar="FILE",
    help="Where only what this run changed goes, and what changed it; .csv or .parquet. Without --out, nothing else is written.",
)
@click.option(
    "--standing",
    type=PATH,
    metavar="INDEX",
    help="Link against this index and bring it up to date; made if it is not there.",
)
@click.option("--withdrawn", type=PATH, metavar="FILE", help="Ids of records to take back, one a line.")
@click.option(
    "--decisions",
    type=PATH,
    metavar="FILE",
    help="CSV of kind (must_link or cannot_link), record_id_l, record_id_r: what people decided.",
)
@click.option(
    "--model", type=PATH, metavar="FILE", help="The model to score with; the shipped one if left out."
)
@click.option(
    "--train",
    "training_seed",
    type=int,
    metavar="SEED",
    help="Train a model on the file first, kept beside FILE as .model.json.",
)
@click.option(
    "--details", type=PATH, metavar="DIR", help="Write evidence, pairs to review and ledger there too."
)
def link(
    persons: Path | None,
    out: Path | None,
    changes: Path | None,
    standing: Path | None,
    withdrawn: Path | None,
    decisions: Path | None,
    model: Path | None,
    training_seed: int | None,
    details: Path | None,
) -> None:
    """Find out which records of PERSONS are one person.

    PERSONS is CSV (with a header) or Parquet, one row a record, with the columns of the persons extract and record_id:

    \b
    record_id        required, the same id for the same record in every file
    forenames, surname, date_of_birth (YYYY-MM-DD, DD/MM/YYYY or YYYYMMDD), sex (M or F),
    postcode, pnc_id, cro_number, phone, force_code
    aliases          other full names, parted by |
    postcode_history earlier postcodes, parted by |

    FILE gets record_id, person_id, person_group_id, link_probability, n_records, withheld: one row a record that is
    known, PERSONS and standing index together. A person_id rests on the strict threshold; a person_group_id on the wider
    one, and contains it. With --standing only what is new or changed in PERSONS is scored; a record that comes again
    with other values is corrected, one that does not come again stays. The result is the same as that of linking all
    records from nothing.

    Decisions and withdrawals can be applied alone, without PERSONS. With --changes and without --out a nation's index is
    then brought up to date in a moment, in place; what else was written before can be brought up to date with the changes:

    \b
    vawg link --standing index.duckdb --decisions decisions.csv --changes changes.csv

    The decisions given are all that are in force: one that was given before and is not in the file is revoked.

    Exit code 0: done. 2: PERSONS cannot be used; the message says why.
    """
    from cli.link import link_persons

    link_persons(
        persons,
        out,
        standing=standing,
        withdrawn=withdrawn,
        decisions=decisions,
        model=model,
        training_seed=training_seed,
        details=details,
        changes=changes,
    )


main.add_command(identity)
main.add_command(review)
main.add_command(audit)
main.add_command(signoff)
main.add_command(hub)


@main.command()
@click.argument("subjects", nargs=-1, required=True, metavar="PERSON_ID | RECORD_ID RECORD_ID")
@click.option("--values", is_flag=True, help="Show what the records say: personal values.")
@click.option(
    "--html",
    type=PATH,
    metavar="FILE",
    help="Write the pair's chart into FILE, a page that needs no network.",
)
@click.option(
    "--index",
    type=PATH,
    metavar="FILE",
    help="The standing index to read; the platform's own, $VAWG_DATA/linkage/index.duckdb, if left out.",
)
@click.option(
    "--model",
    type=PATH,
    metavar="FILE",
    help="The model the index was made with; the shipped one if left out.",
)
def explain(
    subjects: tuple[str, ...], values: bool, html: Path | None, index: Path | None, model: Path | None
) -> None:
    """Show why records are one person, or are not.

    \b
    vawg explain PERSON_ID             the person: its records, the links that hold them
                                       together and the weakest of them, whether it is
                                       withheld and why, which persons are near and what
                                       kept them apart, and the history of its id
    vawg explain RECORD_ID RECORD_ID   the pair: what each field adds or takes away, what
                                       rarity is worth, the guard that applies, and why
                                       they are one person today or two

    A PERSON_ID may be retired: it is followed to the person it stands for today. So is the id of one record. A
    RECORD_ID is written FORCE|REFERENCE; quote it, as `|` means something to a shell.

    \b
    Weights are in bits: one more bit makes it twice as likely that two records are one
    person. A pair starts far below nought, as two records taken at random are hardly ever
    one person, and each field moves it. A guard holds a weight down whatever else agrees.

    No personal value is shown unless --values asks for it. Nothing is changed. What each allegation adds to a person's
    place on the list is shown by `vawg review view PERSON_ID`, after the evidence, and the look is recorded.

    \b
    Examples
      vawg explain P0123456789abcdef0123
      vawg explain 'E23000001|N00000020' 'E23000004|N00066826' --html pair.html

    Exit code 0, or 2 where there is no index or no such person or record.
    """
    from cli.explain import explain as explain_identity

    explain_identity(subjects, values=values, html=html, index=index, model=model)


@main.command()
@click.argument("release", metavar="RELEASE")
@click.option("--seed", type=int, default=1, show_default=True, help="Another order of the inputs.")
@click.option(
    "--threads", type=click.IntRange(1, 64), default=1, show_default=True, help="Steps and threads at once."
)
@click.option("--keep", is_flag=True, help="Leave the release made again where it was made.")
@click.option(
    "--as-known-now",
    is_flag=True,
    help="Make the month with everything known now as well, and say who moved and why.",
)
def replay(release: str, seed: int, threads: int, keep: bool, as_known_now: bool) -> None:
    """Make a past RELEASE (its id, or `current`) again and show that it is the same.

    It is made from what was in force that day: the submissions, decisions, linkage model and state of who is who named
    in its manifest, and the code, weights and parameters kept with it, whatever they are today. The rows of every input
    are shuffled and another number of threads is used; every file must still be the same, byte for byte.

    Exit code 0: identical. 1: something differs; both are kept. 2: RELEASE cannot be made again; the message says why.
    """
    from cli.replay import replay as make_again

    sys.exit(make_again(release, seed=seed, threads=threads, keep=keep, as_known_now=as_known_now))


@main.command()
@click.option(
    "--with",
    "changed",
    type=PATH,
    required=True,
    metavar="DIR",
    help="The changed files, each at its place in the repository, or by its bare name.",
)
@click.option("--release", default="current", show_default=True, help="The release to compare with.")
@click.option(
    "--out", type=PATH, metavar="DIR", help="Folder to write into; rehearsals/ under the data root."
)
@click.option(
    "--all-months", is_flag=True, help="Check the submissions of every month anew, not of the release's only."
)
@click.option("--keep", is_flag=True, help="Leave the data root of the rehearsal where it was made.")
def rehearse(changed: Path, release: str, out: Path | None, all_months: bool, keep: bool) -> None:
    """Show what a changed contract, rule, mapping, definition or weight would do, before anybody releases it.

    DIR holds the changed files: at their place in the repository (data_contracts/codes/harm_weights.csv) or by their bare
    name (harm_weights.csv) where only one file of the project has it. A whole checkout will do. They are laid over a copy
    of the project; the month of RELEASE is made again from the same submissions and compared with it. Where something
    of data_contracts/ changes, the submissions are checked anew first.

    \b
    DIR/rehearsal.md    the summary
    DIR/rejected.csv    findings that would come or go, by force and rule
    DIR/statistics.csv  figures that would change, the most crimes or persons first
    DIR/lists.csv       who would enter, leave or move on which list, and why
                        (person_id only)

    Nothing that is made here is ever made current, and no force is told anything.

    \b
    Examples
      vawg rehearse --with changed/          changed/rule_settings.csv
      vawg rehearse --with ../other-checkout

    Exit code 0: nothing changes. 1: something does. 2: the change cannot be rehearsed; the message says why.
    """
    from cli.rehearse import rehearse as try_out

    sys.exit(try_out(changed, release=release, out=out, all_months=all_months, keep=keep))


@main.command()
@click.option(
    "--out", type=PATH, metavar="DIR", help="Folder to write into; consequences/ under the data root."
)
@click.option(
    "--defect",
    "defects",
    multiple=True,
    metavar="ID",
    help="This kind of defect; may be given again. All if left out.",
)
@click.option("--force", metavar="CODE", help="Show the sentences of this force.")
def consequences(out: Path | None, defects: tuple[str, ...], force: str | None) -> None:
    """Show what each kind of defect does to the nation's figures and to the lists: which error matters to a force.

    The latest run is taken. For each kind of defect (assets/consequences/defects.csv) the records of all forces are mended
    in a copy, as its repair says, and the models after it made again; then force by force: which figures of the force and
    of the nation would be others, and who would enter or leave a list. The last kind leaves a whole force out. A repair is
    an assumption; each sentence ends with what may not be claimed of it.

    \b
    DIR/statistical/defect_consequences          force x defect, in words too
    DIR/statistical/defect_consequence_figures   figures that would change
    DIR/identifiable/defect_consequence_persons  who would enter or leave
    returns/FORCE/consequences/                  a page and a CSV for each force; not with --defect or --out

    Beside the release, never part of it: this costs minutes, and nobody is told that they are listed by a guess.

    Exit code 0: done. 2: there is no run, or no such defect or force.
    """
    from cli.consequences import consequences as find

    sys.exit(find(out, defects, force))


@main.command()
@click.argument("events", type=PATH, metavar="EVENTS")
@click.option("--out", type=PATH, required=True, metavar="DIR", help="Folder to write into.")
@click.option(
    "--from",
    "start",
    type=click.DateTime(["%Y-%m"]),
    help="First month end, YYYY-MM; the last twelve that are possible if left out.",
)
@click.option("--to", "end", type=click.DateTime(["%Y-%m"]), help="Last month end, YYYY-MM.")
@click.option("--refit", is_flag=True, help="Also refit a, h and b at each month end, on the past only.")
@click.option(
    "--groups",
    multiple=True,
    metavar="COLUMN",
    help="Compare selection by this column; may be given again. The column `group` if left out.",
)
@click.option(
    "--parameters",
    type=PATH,
    metavar="FILE",
    help="The score's parameters, as ranking_parameters.csv has them.",
)
@click.option(
    "--outcomes",
    type=PATH,
    metavar="FILE",
    help="CSV of outcome, outcome_weight (0 to 1) for one's own codes.",
)
@click.option(
    "--leave-out-faulty", is_flag=True, help="Leave rows with a fault out, counted, instead of stopping."
)
@click.option(
    "--n-boot", type=click.IntRange(20, 5000), default=200, show_default=True, help="Resamples of persons."
)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same bytes.")
def backtest(
    events: Path,
    out: Path,
    start: datetime | None,
    end: datetime | None,
    refit: bool,
    groups: tuple[str, ...],
    parameters: Path | None,
    outcomes: Path | None,
    leave_out_faulty: bool,
    n_boot: int,
    seed: int,
) -> None:
    """Test the ranking on a table of EVENTS: would the list have held the harm that followed?

    EVENTS is CSV (with a header) or Parquet, a row a person and event (and victim), dates as YYYY-MM-DD:

    \b
    person_id, event_id
    reported_on      when it was reported; the score's clock
    occurred_on      when it happened; blank: the day of report
    harm_days        its weight in days, such as the Cambridge index
    victim_id        optional; one event may have several rows
    incident_id      optional; events that are one incident
    outcome          optional; a code of the platform, or of --outcomes
    outcome_on       optional; from when the outcome was known
    link_probability optional; 0 to 1
    force_code       optional; with blank person_id for events where
                     nobody is named, recording practice is tested
    group            optional; see --groups

    At each month end everybody is ranked from what had been reported by then: by the platform's formula, by counts, severity,
    a V100-like sum, banded RFG, gradient boosting learnt from the past, at random, and by the later harm itself. What
    occurred afterwards and was reported within 12 (and 6) months tells how much each list held, with intervals over
    resampled persons. Then: calibration, concentration, disparity, sensitivity, drift, stability, recording practice, and
    the comparison with the next hundred.

    \b
    DIR/report.html    the report: one page, nothing fetched
    DIR/backtest.csv   every share at every month end and pooled, with
                       intervals; backtest.parquet is the same
    DIR/tables, plots  the rest
    DIR/run.json       what it was run on

    Exit code 0: done, whatever was found. 2: EVENTS cannot be used; the message says why.
    """
    from cli.backtest import backtest_events

    backtest_events(
        events,
        out,
        start=start.date() if start else None,
        end=end.date() if end else None,
        refit=refit,
        groups=groups,
        parameters=parameters,
        outcomes=outcomes,
        leave_out_faulty=leave_out_faulty,
        n_boot=n_boot,
        seed=seed,
    )


if __name__ == "__main__":
    main()
