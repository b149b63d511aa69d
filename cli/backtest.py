"""`vawg backtest`: the whole harness on anybody's table of events."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from cli.exits import fail

try:
    from threadpoolctl import threadpool_limits

    from assets.monitoring.backtest import TooShort
    from assets.monitoring.events import Events, NotEvents, read_events
    from assets.monitoring.harness import Harness, run
    from assets.monitoring.names import in_words
    from assets.monitoring.parameters import Monitoring, NoParameters, monitoring, score_parameters
    from assets.monitoring.report import pooled_table, write_report
except ModuleNotFoundError as missing:
    fail(f"{missing.name} is not installed; this command needs the platform: pip install '.[platform]'")


def backtest_events(
    events: Path,
    out: Path,
    *,
    start: date | None,
    end: date | None,
    refit: bool,
    groups: tuple[str, ...],
    parameters: Path | None,
    outcomes: Path | None,
    leave_out_faulty: bool,
    n_boot: int,
    seed: int,
) -> None:
    """Read, run, write, and say the pooled table. Ends with exit code 2 where the input cannot be used."""
    if out.exists() and not out.is_dir():
        fail(f"{out} is a file: name a folder to write into")
    try:
        score, monitored = score_parameters(parameters), monitoring()
        table = read_events(
            events, outcomes=outcomes, groups=groups or None, leave_out_faulty=leave_out_faulty
        )
        _say_read(table)
        compared = groups or tuple(c for c in ("group",) if c in table.persons.columns)
        # One thread: the order of summation is then fixed, and so are the bytes.
        with threadpool_limits(1):
            harness = run(
                table, score, monitored, start=start, end=end, refit=refit, groups=compared, n_boot=n_boot, seed=seed
            )  # fmt: skip
    except (NotEvents, NoParameters, TooShort) as error:
        fail(str(error))
    inputs = {"events": events, "parameters": parameters, "outcomes": outcomes}
    settings = {
        "from": start.isoformat() if start else None,
        "to": end.isoformat() if end else None,
        "refit": refit,
        "groups": list(compared),
        "leave_out_faulty": leave_out_faulty,
        "n_boot": n_boot,
        "seed": seed,
    }
    write_report(
        out,
        harness,
        table,
        score,
        monitored,
        settings,
        {name: p for name, p in inputs.items() if p is not None},
    )
    _say(harness, monitored, out)


def _say_read(events: Events) -> None:
    allegations = events.allegations
    click.echo(
        f"{events.n_rows:,} rows: {len(allegations.person):,} allegations against {allegations.n_persons:,} persons",
        err=True,
    )
    for reason, n in events.left_out.items():
        click.echo(f"  left out, {reason}: {n:,}", err=True)


def _say(harness: Harness, monitored: Monitoring, out: Path) -> None:
    window = int(monitored.all("window_months")[0])
    cutoffs = harness.backtest.cutoffs
    click.echo(
        f"Later harm held by the list, within {window} months of {len(cutoffs)} month ends "
        f"({cutoffs[0].on} to {cutoffs[-1].on}), 95% intervals\n"
    )
    held, again = (
        pooled_table(harness.backtest, window, "harm_share"),
        pooled_table(harness.backtest, window, "hit_share"),
    )
    tops = [c for c in held.columns if c != "ranker" and not c.endswith(("_lower", "_upper"))]
    hits = dict(again.select("ranker", tops[-1]).iter_rows())
    heads = [f"top {top}" for top in tops]
    last = f"hit@{tops[-1]}"
    click.echo(f"{'':34}{''.join(f'{head:>20}' for head in heads)}{last:>10}")
    for row in held.iter_rows(named=True):
        cells = "".join(f"{_ranged(row[t], row[f'{t}_lower'], row[f'{t}_upper']):>20}" for t in tops)
        click.echo(f"{in_words(row['ranker']):34}{cells}{_short(hits[row['ranker']]):>10}")
    click.echo("")
    for note in harness.notes:
        click.echo(f"Note: {note}")
    for alert in harness.alerts:
        click.echo(
            f"ALERT {alert.check_id} ({alert.owner}): {alert.value:.3f}, alert {alert.bounds}"
            + (f" [{alert.detail}]" if alert.detail else "")
        )
    click.echo(
        f"{len(harness.alerts)} of {len(harness.verdicts)} checks raised an alert. Read {out / 'report.html'}"
    )


def _ranged(value: float | None, lower: float | None, upper: float | None) -> str:
    if lower is None or upper is None:
        return _short(value)
    return f"{_short(value)} ({_short(lower)}-{_short(upper)})"


def _short(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}".removeprefix("0")
