"""`make bench-linkage`: measure who-is-who on nations nobody trained on, and write docs/benchmarks_linkage.md.

Every step runs in a process of its own, seen from outside (wall and processor seconds, largest resident set), and leaves
its figures as JSON: `python -m tests.bench_linkage step NAME ARGUMENTS FILE`. Nothing here is a test; the bounds that
must hold are in tests/assets/linkage. The page itself is written by `bench_linkage_report.py`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import polars as pl

from assets.linkage.decided import Decided
from assets.linkage.linker import link
from assets.linkage.model import read_model
from assets.linkage.rebuilding import find_components, find_persons, gather_scope, score_inside
from assets.linkage.standing import standing_index
from assets.linkage.training import train
from decisions.refusals import DecidedPair
from tests.assets.linkage.measures import by_group, pair_quality, quality, with_age_band, with_truth
from tests.bench_linkage_rivals import blocking_join, plain_rules, plain_splink

# No model, threshold or guard was looked at on this seed.
SEED = 29
STRICT_THRESHOLDS = (12.0, 14.0, 16.0, 18.0, 20.0)
Figures = dict[str, Any]


# The steps. Each takes and gives what JSON can hold.


def write_nation(folder: str, n: int) -> Figures:
    """`n` nominals that stand, and a month of a twentieth more; a file of both together."""
    from data_contracts.synthetic.nominals import write_nominals

    written = write_nominals(Path(folder), n_nominals=round(1.05 * n), seed=SEED, n_months=2)
    months = [pl.read_parquet(path) for path in written.records]
    pl.concat(months).write_parquet(Path(folder) / "all.parquet")
    return {"n_standing": months[0].height, "n_month": months[1].height, "n_people": written.n_people}


def link_records(records: str | None, out: str | None, **options: Any) -> Figures:
    """`linker.link`, with what it says of itself."""
    for name in ("standing", "keep", "changes"):
        options[name] = Path(options[name]) if options.get(name) else None
    pairs = (DecidedPair(*pair) for pair in options.pop("cannot_link", ()))
    started = time.perf_counter()
    summary = link(
        Path(records) if records else None, Path(out) if out else None, decided=Decided.of(pairs), **options
    )
    return asdict(summary) | {"link_seconds": time.perf_counter() - started}


def train_model(records: str, model: str) -> Figures:
    diagnostics = train(Path(records), Path(model), seed=1)
    return {"n_records": diagnostics["n_records"], "unseen_levels": diagnostics["unseen_levels"]}


def judge(links: str, truth: str) -> Figures:
    """Quality of the links as written, and who is wrongly merged, by what is true of them."""
    people = with_age_band(with_truth(pl.read_parquet(links), truth))
    identities = {"strict": "person_id", "wide": "person_group_id"}
    return {
        "quality": [quality(people, column, f"ours, {name}") for name, column in identities.items()],
        "groups": {
            name: {
                by: by_group(people, found=column, by=by).rename({by: "group"}).to_dicts()
                for by in ("true_ethnicity", "true_sex", "age_band")
            }
            for name, column in identities.items()
        },
    }


def other_thresholds(standing: str, copy: str, truth: str) -> Figures:
    """The same scored pairs, resolved again at other strict thresholds. The wider one follows where it would be stricter."""
    model, rows = read_model(), []
    with standing_index(Path(standing), Path(copy)) as connection:
        Decided().register(connection)
        connection.execute("CREATE TEMP TABLE scope AS SELECT record_key FROM standing.person_features")
        [(n_records,)] = connection.execute("SELECT count(*) FROM scope").fetchall()
        gather_scope(connection, model, n_records)
        for threshold in STRICT_THRESHOLDS:
            wider = min(threshold, model.thresholds.person_group)
            tried = replace(model.thresholds, person=threshold, person_group=wider)
            find_components(connection, tried)
            score_inside(connection, replace(model, thresholds=tried), n_records)
            find_persons(connection, tried)
            links = connection.execute(
                "SELECT record_id, person FROM labelled JOIN standing.person_features USING (record_key)"
            ).pl()
            rows.append(quality(with_truth(links, truth), "person", f"ours, strict at {threshold:g}"))
    return {"quality": rows}


def wrong_merge(links: str, truth: str) -> Figures:
    """The ids of two records of two people that share an id: the first such id, by name."""
    people = with_truth(pl.read_parquet(links), truth).sort("person_id", "record_id")
    wrong = people.filter(pl.col("true_person_id").n_unique().over("person_id") > 1)
    one = wrong.row(0, named=True)
    other = wrong.filter(
        pl.col("person_id") == one["person_id"], pl.col("true_person_id") != one["true_person_id"]
    )
    return {"record_ids": [one["record_id"], other["record_id"][0]]}


def undone(before: str, changes: str, record_ids: list[str]) -> Figures:
    """What the undoing of a merge did: whether the two are apart, and how many others bear another id than before."""
    was, changed = pl.read_parquet(before), pl.read_parquet(changes)
    two = was.filter(pl.col("record_id").is_in(record_ids)).join(
        changed, on="record_id", suffix="_after", how="left"
    )
    others = was.filter(~pl.col("person_id").is_in(two["person_id"].implode()))
    moved = changed.filter(pl.col("person_id").ne_missing(pl.col("former_person_id")))
    return {
        "apart": two["person_id_after"].fill_null(two["person_id"]).n_unique() == 2,
        "n_others_moved": others.join(moved, on="record_id", how="semi").height,
    }


def same_people(links: str, others: str) -> Figures:
    # Brings the whole of Dagster, which would weigh on every step.
    from assets.linkage.person_relink import n_with_other_fellows

    return {"n_differing": n_with_other_fellows(links, others)}


def labelled_sets(folder: str) -> Figures:
    """Public sets with known truth, mapped and adapted as the tests have it, trained on the spot."""
    from tests.assets.linkage import test_labelled_data as sets

    adapted: Figures = {"thresholds": sets.LOW, "expected_matches": 4.0}
    figures = {}
    for name, query, changed in (("FEBRL3", sets.FEBRL3, {}), ("fake_1000", sets.FAKE_1000, adapted)):
        (Path(folder) / name).mkdir()
        people = sets.train_and_link(query, Path(folder) / name, **changed)
        figures[name] = {
            identity: pair_quality(people, found=column, truth="person")._asdict()
            for identity, column in (("strict", "person_id"), ("wide", "person_group_id"))
        }
    return figures


STEPS: dict[str, Callable[..., Figures]] = {
    step.__name__: step
    for step in (
        *(write_nation, link_records, train_model, judge, other_thresholds, plain_rules, plain_splink),
        *(blocking_join, wrong_merge, undone, same_people, labelled_sets),
    )
}


def run(step: Callable[..., Figures], scratch: Path, **arguments: Any) -> Figures:
    """A step in a process of its own: its figures, and `process`, what it cost."""
    from tests.bench import measured

    said = scratch / "figures.json"
    command = [*(sys.executable, "-m", "tests.bench_linkage", "step", step.__name__)]
    try:
        process = measured([*command, json.dumps(arguments), str(said)], scratch)
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"{step.__name__} failed:\n{error.stderr.decode()}") from error
    print(f"  {step.__name__}: {process.wall_seconds:.1f} s, {process.cpu_seconds:.1f} cpu s", flush=True)
    return json.loads(said.read_text()) | {"process": asdict(process)}


def measure(n: int, scratch: Path, *, trains: bool) -> Figures:
    """All that is measured of a nation of `n` nominals."""
    print(f"{n:,} nominals", flush=True)
    at = {name: str(scratch / f"{name}.duckdb") for name in ("standing", "month", "undone", "again")}
    links = {
        name: str(scratch / name / "person_links.parquet") for name in ("full", "standing", "month", "relink")
    }
    nation = scratch / "nation"
    stand, month, whole, truth = (
        str(nation / f"{name}.parquet") for name in ("persons_0", "persons_1", "all", "truth")
    )

    figures = {"nation": run(write_nation, scratch, folder=str(nation), n=n)}
    if trains:
        figures["train"] = run(train_model, scratch, records=stand, model=str(scratch / "model.json"))
    figures["blocking"] = run(blocking_join, scratch, records=stand)
    figures["full"] = run(link_records, scratch, records=stand, out=links["full"])
    figures["standing"] = run(
        link_records, scratch, records=stand, out=links["standing"], keep=at["standing"]
    )
    figures["month"] = run(
        link_records,
        scratch,
        records=month,
        out=links["month"],
        standing=at["standing"],
        keep=at["month"],
        complete=False,
    )
    run(link_records, scratch, records=whole, out=links["relink"])
    figures["same"] = run(same_people, scratch, links=links["month"], others=links["relink"])
    wrong = run(wrong_merge, scratch, links=links["standing"], truth=truth)["record_ids"]
    decision = ("bench", "cannot_link", *wrong)
    # In place, as a decision is applied to a nation's index: to a copy, for the rest is measured on the first.
    shutil.copyfile(at["standing"], at["undone"])
    changes = str(scratch / "changes.parquet")
    figures["undo"] = run(
        link_records,
        scratch,
        records=None,
        out=None,
        standing=at["undone"],
        keep=at["undone"],
        changes=changes,
        cannot_link=[decision],
    )
    figures["undone"] = run(undone, scratch, before=links["standing"], changes=changes, record_ids=wrong)
    figures["judged"] = run(judge, scratch, links=links["full"], truth=truth)
    figures["thresholds"] = run(
        other_thresholds, scratch, standing=at["standing"], copy=at["again"], truth=truth
    )
    figures["rules"] = run(plain_rules, scratch, standing=at["standing"], truth=truth)
    figures["splink"] = run(plain_splink, scratch, standing=at["standing"], truth=truth)
    return figures


def main(sizes: list[int]) -> None:
    """Measure, keep the raw figures beside the data, and write the page; without sizes, the page again from those."""
    from tests.bench import REPOSITORY, commit
    from tests.bench_linkage_report import report

    raw = Path(os.environ.get("VAWG_DATA", REPOSITORY / "data")) / "benchmarks_linkage.json"
    if sizes:
        figures: Figures = {"sizes": {}, "commit": commit(), "seed": SEED}
        for n in sizes:
            with tempfile.TemporaryDirectory(prefix="vawg-bench-") as scratch:
                figures["sizes"][str(n)] = measure(n, Path(scratch), trains=n == sizes[0])
        with tempfile.TemporaryDirectory(prefix="vawg-bench-") as scratch:
            figures["labelled"] = run(labelled_sets, Path(scratch), folder=scratch)
        raw.parent.mkdir(parents=True, exist_ok=True)
        raw.write_text(json.dumps(figures, indent=1), encoding="utf-8")
    page = REPOSITORY / "docs" / "benchmarks_linkage.md"
    page.write_text(report(json.loads(raw.read_text(encoding="utf-8"))), encoding="utf-8")
    print(f"wrote {page.relative_to(REPOSITORY)}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["step"]:
        _, _, name, arguments, said = sys.argv
        Path(said).write_text(json.dumps(STEPS[name](**json.loads(arguments))))
    else:
        main([int(n) for n in sys.argv[1:]])
