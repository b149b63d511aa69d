"""The release: what readers see. A folder of Parquet with a manifest, made current in one atomic step.

A release's name is made of its month and a digest of everything it was made from, so the same inputs
give the same name, and the same name must hold the same content: a second run proves that, or fails.
"""

import hashlib
import json
import shutil
import time
from datetime import date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import polars as pl

from assets.bulletin.bulletin import Edition, write_bulletin
from assets.encryption import ReleaseKey, add_key, copy_options, read_options
from assets.forecasts.forecast import NO_FORECASTS, NO_OUTLOOK, Forecasts
from assets.forecasts.station import RUN
from assets.linkage.model import MODEL
from assets.monitoring.monthly import CHECKS, REPORT
from assets.monitoring.thresholds import Thresholds
from assets.pages import Edition as PageEdition
from assets.pages import write_pages, write_transparency_record
from assets.partitions import ONE_MONTH_A_RUN, PERIODS
from assets.previous_release import RELEASE_FILE, PreviousRelease, find_publication
from assets.public_record.record import Facts, decision_log_extract, measured, transparency_record
from assets.publication.cells import FIGURE
from assets.publication.publishing import publish
from assets.publication.rules import rules
from assets.run_inputs import forces_of
from assets.scorecards.pages import write_scorecards
from assets.seals import CODE, DECIDING, seal_code, seal_model
from assets.sign_offs import NotSignedOff, states
from assets.storage import DataRoot, Layout, write_json, write_parquet
from assets.text_flags.reading import version as text_version
from assets.threat_assessment.page import write_threat_assessment
from assets.warehouse import POOL, PROJECT_FOLDER, TRANSLATOR
from data_contracts.extracts.catalogue import CONTRACT_VERSION
from data_contracts.submission import sha256_of
from decisions import audit, sign_off
from decisions.store import Store

IDENTITY_DECISIONS = "run_identity_decisions.parquet"
REVIEW_DECISIONS = "run_review_decisions.parquet"
REVIEW_REMOVALS = "run_review_removals.parquet"
CLERICAL_FLAGS = "run_clerical_flags.parquet"
# What may leave the service: no dbt model says that of itself, it is made so (`assets.publication`).
PUBLISHABLE = "publishable"
# What every mart and column means, beside the marts.
DICTIONARY = "dictionary.json"
BASIS = "publication_basis"
# Kinds of mart by who may read them, each a folder of its own. What is about victims lies apart from what is about suspects:
# it is read by other people, for other purposes. All but the first are encrypted where there is a key.
SENSITIVITIES = ("statistical", "identifiable", "victims")
# Tables of versions that a reader needs to interpret the figures: seed -> manifest entry.
_VERSIONED = {
    "vawg_definitions": "definitions",
    "harm_weights": "weights",
    "ranking_parameters": "ranking",
    "flag_rules": "flag_rules",
}


# Tables that decide who is ranked and how, by file: of each the digest stands in the manifest.
_DECIDING_TABLES = (
    PROJECT_FOLDER / "seeds" / "vawg_definitions.csv",
    PROJECT_FOLDER / "seeds" / "vawg_definition_conditions.csv",
    PROJECT_FOLDER / "seeds" / "ranking_parameters.csv",
    PROJECT_FOLDER / "seeds" / "outcome_treatment.csv",
    PROJECT_FOLDER / "seeds" / "ranking_gates.csv",
    PROJECT_FOLDER / "seeds" / "rfg_bands.csv",
    CODE / "data_contracts" / "codes" / "harm_weights.csv",
)


class ReleaseDiffers(Exception):
    """The same inputs gave other content: something in the platform is not deterministic."""


def marts(project_folder: Path = PROJECT_FOLDER) -> dict[str, dict[str, Any]]:
    """Mart name -> its dbt manifest entry. `meta.release` says which of SENSITIVITIES it is."""
    manifest = json.loads((project_folder / "target" / "manifest.json").read_text(encoding="utf-8"))
    nodes = manifest["nodes"].values()
    found = {n["name"]: n for n in nodes if n["resource_type"] == "model" and n["fqn"][1] == "marts"}
    return dict(sorted(found.items()))


def sensitivity(mart: dict[str, Any]) -> str:
    """Folder a mart is released in, one of SENSITIVITIES. A mart that names none of them is identifiable."""
    says = mart["config"].get("meta", {}).get("release")
    return says if isinstance(says, str) and says in SENSITIVITIES else "identifiable"


def dictionary(catalogue: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Mart -> what it holds, and of each column type and meaning: in the words of the dbt contract."""
    return {
        name: {
            "description": mart.get("description", "").strip(),
            "columns": {
                column: {k: str(about.get(k) or "").strip() for k in ("data_type", "description")}
                for column, about in mart["columns"].items()
            },
        }
        for name, mart in catalogue.items()
    }


def code_digest(root: Path = CODE) -> str:
    """Digest of the code, definitions, weights, mappings and model that decide a release's content."""
    digest = hashlib.sha256()
    for folder in DECIDING:
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(f"{path.relative_to(root).as_posix()}\0{sha256_of(path)}\n".encode())
    return digest.hexdigest()


def write_release(
    layout: Layout,
    catalogue: dict[str, dict[str, Any]],
    key: str | None = None,
    *,
    decisions: Store | None = None,
    model: Path = MODEL,
) -> Path:
    """Write the release of the run in the warehouse and make it current. Returns its folder.

    The code and the linkage `model` it was made with are sealed beside it, so that it can be made again.

    With `key` (16, 24 or 32 characters) the marts about persons are encrypted at rest (AES, Parquet's own).
    With `decisions` the manifest holds the head of their audit log as it was at the run's knowledge cut.
    Raises ReleaseDiffers where a release of the same inputs exists and holds something else; NotSignedOff where forces
    have to sign off their figures first, with the release written and the last one still current.
    """
    parameters = pl.read_parquet(layout.run / "run_parameters.parquet").row(0, named=True)
    submissions = pl.read_parquet(layout.run / "run_submissions.parquet").sort("submission_id")
    code = code_digest()
    # What was decided later is no part of the run.
    log = _log(decisions, parameters["as_of"]) if decisions else []
    audit_head = str(audit.Head(log[-1].entry.no, log[-1].hash)) if log else None
    # Two runs may have the same submissions, and another history of who is who or of what was decided of the list.
    decided = [sha256_of(layout.run / n) for n in (IDENTITY_DECISIONS, REVIEW_DECISIONS, REVIEW_REMOVALS)]
    decided.append(sha256_of(layout.run / CLERICAL_FLAGS))
    history = [sha256_of(layout.person_ledger), *decided, audit_head]
    previous = pl.read_parquet(layout.run / RELEASE_FILE).to_dicts()
    made_from = [parameters, submissions["submission_id"].to_list(), code, history, previous]
    published_before = find_publication(
        layout.releases,
        programme=parameters["programme"],
        period=parameters["period"],
        as_of=parameters["as_of"],
        basis=BASIS,
    )
    if published_before and [published_before.release_id] != [p["release_id"] for p in previous]:
        made_from.append(published_before.release_id)
    inputs = hashlib.sha256(json.dumps(made_from, default=str).encode()).hexdigest()
    release_id = f"{parameters['period']:%Y-%m}_{inputs[:12]}"
    final, partial = layout.releases / release_id, layout.releases / f".{release_id}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    held = _export(layout.warehouse, catalogue, partial, key)
    published = _publication(catalogue, parameters["period_end"], published_before, partial)
    held |= published["tables"]
    held["decision_log_extract"] = _add(decision_log_extract(log), "decision_log_extract", partial)
    monitored = _monitoring(layout, parameters, partial)
    held |= monitored["tables"] | _forecasts(layout, parameters, partial)
    manifest = {
        "release_id": release_id,
        "programme": parameters["programme"],
        "period": f"{parameters['period']:%Y-%m}",
        "as_of": parameters["as_of"],
        "versions": {
            "contract": CONTRACT_VERSION,
            "code": code,
            "publication": rules(parameters["period_end"]).version,
            **_versions(layout),
        },
        "tables": {path.stem: sha256_of(path) for path in _DECIDING_TABLES},
        "marts": held,
        "coverage": _coverage(layout, parameters, submissions),
        "identity": {**_identity(layout, parameters["as_of"]), "audit_head": audit_head},
        "review": _review(layout),
        "previous_release": previous[0] if previous else None,
        "ranked_list": _ranked_list(layout, catalogue),
        "monitoring": monitored["checks"],
        "publication": published["counts"],
        "sign_off": _sign_off(partial, held, parameters, submissions, decisions),
        "inputs": submissions.select(
            "submission_id",
            "content_hash",
            "force_code",
            pl.col("period").dt.strftime("%Y-%m"),
            "sequence",
            "status",
        ).to_dicts(),
        "notes": _notes(held, layout, compared=bool(previous), published=published["counts"]),
    }
    seal_code(layout.seals, code, CODE, DECIDING)
    seal_model(layout.seals, model)
    write_json(manifest, partial / "manifest.json")
    write_json(dictionary(catalogue), partial / DICTIONARY)
    write_pages(partial, manifest)
    _bulletin(manifest, parameters["period_end"], partial)
    _scorecards(manifest, parameters["period"], partial)
    _threat_assessment(manifest, parameters["period"], partial)
    write_transparency_record(partial, transparency_record(_facts(layout, manifest, model, log, partial)))
    if final.exists():
        _assert_same(final, partial)
        shutil.rmtree(partial)
    else:
        partial.rename(final)
    unsigned = [f["force_code"] for f in manifest["sign_off"]["forces"] if f["state"] != "signed_off"]
    if manifest["sign_off"]["is_needed"] and unsigned:
        raise NotSignedOff(
            f"release {release_id} is written and not current: {len(unsigned)} forces have not signed off its figures "
            f"({', '.join(unsigned)}); vawg signoff give FORCE --release {release_id}, then vawg run"
        )
    _make_current(layout, release_id)
    return final


def _export(
    warehouse: Path, catalogue: dict[str, dict[str, Any]], folder: Path, key: str | None
) -> dict[str, dict[str, Any]]:
    """Write each mart, in a total order; say how many rows it has, and digests of its content and its file."""
    held = {}
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        if key:
            add_key(connection, key)
        for name, mart in catalogue.items():
            path = folder / sensitivity(mart) / f"{name}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            columns = ", ".join(f'"{c}"' for c in mart["columns"])
            encrypted = bool(key) and sensitivity(mart) != "statistical"
            connection.execute(
                f"copy (select {columns} from {mart['relation_name']} order by all) "
                f"to '{path}' (format parquet, compression zstd{copy_options(encrypted=encrypted)})"
            )
            # Of the file: a mart that is a view is made once.
            rows, content = connection.execute(
                "select count(*), coalesce(bit_xor(hash(t)), 0) "
                f"from read_parquet('{path}'{read_options(encrypted=encrypted)}) as t"
            ).fetchall()[0]
            held[name] = {
                "file": f"{sensitivity(mart)}/{name}.parquet",
                "rows": rows,
                "encrypted": encrypted,
                "content": f"{content:016x}",
                "sha256": sha256_of(path),
            }
    return held


def _add(frame: pl.DataFrame, name: str, folder: Path, room: str = "statistical") -> dict[str, Any]:
    """Put a table that no dbt model made into the release; what `_export` says of a mart. Nothing of it is encrypted."""
    path = write_parquet(frame, folder / room / f"{name}.parquet")
    digest = sha256_of(path)
    file = path.relative_to(folder).as_posix()
    return {"file": file, "rows": frame.height, "encrypted": False, "content": digest[:16], "sha256": digest}


def _publication(
    catalogue: dict[str, dict[str, Any]], on: date, before: PreviousRelease | None, folder: Path
) -> dict[str, Any]:
    """Make what may leave the service of the statistics in `folder`, measured against the publication before: the figures,
    also as CSV, and what they rest on, which stays inside. `counts`: how many figures, and how many are withheld.
    """
    if not set(FIGURE) <= catalogue.get("national_statistics", {"columns": {}})["columns"].keys():
        return {"tables": {}, "counts": None}
    publication = publish(
        pl.read_parquet(folder / "statistical" / "national_statistics.parquet"),
        rules(on),
        pl.read_parquet(before.folder / before.manifest["marts"][BASIS]["file"]) if before else None,
    )
    name = "national_statistics"
    tables = {
        f"published_{name}": _add(publication.figures, name, folder, PUBLISHABLE),
        BASIS: _add(publication.basis, BASIS, folder),
    }
    publication.figures.write_csv(folder / PUBLISHABLE / f"{name}.csv")
    counts = {
        "figures": publication.figures.height,
        "figures_withheld": int(publication.figures["suppressed"].sum()),
        "cells_of_withheld_tables": publication.n_cells_of_withheld_tables,
        "measured_against": before.release_id if before else None,
    }
    return {"tables": tables, "counts": counts}


def _bulletin(manifest: dict[str, Any], on: date, folder: Path) -> None:
    """Write the bulletin from what the release at `folder` publishes, if it publishes anything."""
    figures = folder / PUBLISHABLE / "national_statistics.parquet"
    outlook = folder / "statistical" / "threat_outlook.parquet"
    if not figures.is_file():
        return
    edition = Edition(
        manifest["release_id"], manifest["programme"], on, str(manifest["as_of"]), rules(on).in_words
    )
    forecasts = pl.read_parquet(outlook) if outlook.is_file() else NO_OUTLOOK
    write_bulletin(
        folder / "pages", folder / PUBLISHABLE / "tables", pl.read_parquet(figures), forecasts, edition
    )


def _scorecards(manifest: dict[str, Any], period: date, folder: Path) -> None:
    """Write the pages of the scorecards, if the release at `folder` holds any."""
    graded = folder / "statistical" / "data_quality_scorecards.parquet"
    if not graded.is_file():
        return
    write_scorecards(folder / "pages", pl.read_parquet(graded), _page_edition(manifest, period))


def _page_edition(manifest: dict[str, Any], period: date) -> PageEdition:
    return PageEdition(manifest["release_id"], manifest["programme"], period, str(manifest["as_of"]))


def _threat_assessment(manifest: dict[str, Any], period: date, folder: Path) -> None:
    """Write the page of the threat assessment, if the release at `folder` holds one, with the forecasts of the run."""
    inside = folder / "statistical"
    if "threat_assessment" not in manifest["marts"] or "national_statistics" not in manifest["marts"]:
        return
    tables = ("threat_forecasts", "threat_outlook", "threat_forecast_backtest", "threat_forecasts_left_out")
    is_forecast = set(tables) <= manifest["marts"].keys()
    found = (
        Forecasts(*(pl.read_parquet(inside / f"{name}.parquet") for name in tables))
        if is_forecast
        else NO_FORECASTS
    )
    months = (
        pl.scan_parquet(inside / "national_statistics.parquet")
        .filter(
            period_kind="month",
            force_code="national",
            definition_id="npcc_policing_scope",
            threat="all",
            measure="offences",
            breakdown="none",
        )
        .select("period", "value")
        .collect()
    )
    write_threat_assessment(
        folder / "pages",
        pl.read_parquet(inside / "threat_assessment.parquet"),
        found,
        months,
        _page_edition(manifest, period),
    )


def _monitoring(layout: Layout, parameters: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Take the run's monitoring into the release: its tables and its page. `checks`: None where the run was not monitored,
    or how many checks there are, how many were computed, and the alerts.
    """
    found = layout.monitoring / CHECKS
    checks = pl.read_parquet(found) if found.is_file() else None
    of_the_run = (parameters["period"], parameters["as_of"])
    if checks is None or checks.select("period", "as_of").unique().rows() != [of_the_run]:
        return {"tables": {}, "checks": None}
    tables = {
        f"monitoring_{path.stem}": _add(pl.read_parquet(path), f"monitoring_{path.stem}", folder)
        for path in sorted(layout.monitoring.glob("*.parquet"))
    }
    page = folder / "pages" / "monitoring.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(layout.monitoring / REPORT, page)
    alerts = checks.filter("is_alert").select("check_id", "section", "owner", "sentence")
    return {
        "tables": tables,
        "checks": {
            "checks": checks.height,
            "computed": checks["value"].count(),
            "alerts": alerts.to_dicts(),
        },
    }


def _forecasts(layout: Layout, parameters: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Take the run's forecasts into the release; those of another run are none."""
    made_for = layout.forecasts / RUN
    of_the_run = {name: str(parameters[name]) for name in ("period", "as_of")}
    if not made_for.is_file() or json.loads(made_for.read_text(encoding="utf-8")) != of_the_run:
        return {}
    tables = sorted(layout.forecasts.glob("*.parquet"))
    return {path.stem: _add(pl.read_parquet(path), path.stem, folder) for path in tables}


def _versions(layout: Layout) -> dict[str, Any]:
    """Versions of definitions, weights, ranking parameters, flag rules, linkage model and reading of texts behind this run."""
    found: dict[str, Any] = {}
    with duckdb.connect(str(layout.warehouse), read_only=True) as connection:
        for seed, entry in _VERSIONED.items():
            rows = connection.execute(f"select distinct version from codes.{seed} order by 1").fetchall()
            found[entry] = [r[0] for r in rows]
    links = pl.scan_parquet(layout.person_links).select(pl.col("model_version").unique().sort())
    return found | {"linkage_model": links.collect()["model_version"].to_list(), "text_signs": text_version()}


def _coverage(layout: Layout, parameters: dict[str, Any], submissions: pl.DataFrame) -> dict[str, Any]:
    """Forces in and out, rows received and refused, findings: what the release rests on."""
    rows = pl.read_parquet(layout.run / "run_submission_rows.parquet")
    expected = forces_of(parameters["programme"])
    this_month = submissions.filter((pl.col("period") == parameters["period"]) & (pl.col("status") != "held"))
    findings = (
        pl.scan_parquet(layout.findings / "*.parquet")
        .filter(pl.col("submission_id").is_in(submissions["submission_id"].implode()))
        .group_by("severity")
        .len()
        .collect()
    )
    counts = dict(findings.iter_rows())
    return {
        "forces_expected": len(expected),
        "forces_in": this_month["force_code"].n_unique(),
        "forces_out": sorted(expected - set(this_month["force_code"].to_list())),
        "months": sorted({f"{p:%Y-%m}" for p in submissions["period"]}),
        "submissions": submissions.height,
        "submissions_held": submissions.filter(pl.col("status") == "held").height,
        **{f"rows_{k}": int(rows[f"n_{k}"].sum()) for k in ("received", "accepted", "quarantined")},
        "errors": counts.get("error", 0),
        "warnings": counts.get("warning", 0),
    }


def _identity(layout: Layout, as_of: datetime) -> dict[str, Any]:
    """Who is who in this run: nominals and the persons they are, those withheld by reason, what happened to ids since the
    run before, and the decisions in force.
    """
    links = pl.scan_parquet(layout.person_links)
    totals = links.select(
        pl.len().alias("records"),
        pl.col("person_id").n_unique().alias("persons"),
        pl.col("person_id").filter("withheld").n_unique().alias("persons_withheld"),
        pl.col("model_version").max(),
    )
    withheld = (
        links.filter("withheld")
        .explode("withheld_reasons")
        .group_by("withheld_reasons")
        .agg(pl.col("person_id").n_unique().alias("n"))
        .sort("withheld_reasons")
    )
    # A run in which nothing happened to anybody leaves no row: the last rows are then those of a run before.
    events = (
        pl.scan_parquet(layout.person_ledger)
        .filter((pl.col("run_no") == pl.col("run_no").max()) & (pl.col("as_of") == as_of))
        .group_by("event")
        .len()
        .sort("event")
    )
    decided = pl.scan_parquet(layout.run / IDENTITY_DECISIONS).select(pl.col("decision_id").unique().sort())
    return {
        **totals.collect().row(0, named=True),
        "withheld_by_reason": dict(withheld.collect().iter_rows()),
        "events": dict(events.collect().iter_rows()),
        "decisions": decided.collect()["decision_id"].to_list(),
    }


def _sign_off(
    folder: Path,
    held: dict[str, dict[str, Any]],
    parameters: dict[str, Any],
    submissions: pl.DataFrame,
    decisions: Store | None,
) -> dict[str, Any]:
    """Whether sign-off is needed, and for each force that is in whether it signed off the figures of this release."""
    this_month = submissions.filter((pl.col("period") == parameters["period"]) & (pl.col("status") != "held"))
    in_force = sign_off.in_force(decisions, parameters["as_of"]) if decisions else {}
    forces = this_month["force_code"].unique().to_list() if "national_statistics" in held else []
    return {
        "is_needed": sign_off.is_needed(parameters["period"]),
        "forces": states(folder, f"{parameters['period']:%Y-%m}", forces, in_force),
    }


def _review(layout: Layout) -> dict[str, Any]:
    """What people had decided of the list by the run's knowledge cut: entries by state, those frozen, those added."""
    entries = pl.scan_parquet(layout.run / REVIEW_DECISIONS).unique("entry_id")
    totals = entries.select(
        pl.len().alias("entries"),
        pl.col("entry_id").filter("is_frozen").len().alias("frozen"),
        pl.col("entry_id").filter(pl.col("origin") == "added_by_officer").len().alias("added_by_officer"),
    )
    by_state = entries.group_by("state").len().sort("state")
    return {**totals.collect().row(0, named=True), "by_state": dict(by_state.collect().iter_rows())}


def _log(decisions: Store, as_of: datetime) -> list[audit.Logged]:
    with decisions.reading() as connection:
        return audit.chain(connection, as_of)


def _facts(
    layout: Layout, manifest: dict[str, Any], model: Path, log: list[audit.Logged], folder: Path
) -> Facts:
    """What the transparency record speaks of, read where the release reads it, and from what it holds at `folder`."""
    monitored = {
        name.removeprefix("monitoring_"): pl.read_parquet(folder / mart["file"])
        for name, mart in manifest["marts"].items()
        if name.startswith("monitoring_")
    }
    with duckdb.connect(str(layout.warehouse), read_only=True) as connection:
        parameters = connection.execute(
            "select parameter, number, version from codes.ranking_parameters where ?::date >= valid_from::date "
            "and (valid_to is null or ?::date <= valid_to::date)",
            [f"{manifest['period']}-01"] * 2,
        ).fetchall()
        statements = connection.execute(
            "select statement from codes.ranking_statements order by statement_no"
        ).fetchall()
    return Facts(
        manifest=manifest,
        parameters={name: number for name, number, _ in parameters}
        | {"parameters_version": max((version for *_, version in parameters), default="none")},
        statements=[statement for (statement,) in statements],
        owners=Thresholds().owners,
        model=json.loads(model.read_text(encoding="utf-8")),
        log=log,
        measured=measured(monitored),
    )


def _ranked_list(layout: Layout, catalogue: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Persons considered for the ranked list by status and reason: who is not on it, and why."""
    mart = catalogue.get("ranked_perpetrators")
    if mart is None or "list_status" not in mart["columns"]:
        return []
    with duckdb.connect(str(layout.warehouse), read_only=True) as connection:
        rows = connection.execute(f"""
            select list_status, status_reason, count(*)
            from {mart["relation_name"]}
            group by list_status, status_reason
            order by list_position(['listed', 'held', 'ineligible'], list_status), status_reason nulls first
        """).fetchall()
    return [{"list_status": status, "status_reason": reason, "persons": n} for status, reason, n in rows]


def _notes(
    held: dict[str, dict[str, Any]], layout: Layout, *, compared: bool, published: dict[str, Any] | None
) -> list[str]:
    """What a reader must know before believing an absence."""
    notes = ["A suspect is not an offender: an allegation is listed here, not a finding of guilt."]
    if held.get("ranked_perpetrators", {}).get("rows") == 0:
        n_nominals = pl.scan_parquet(layout.person_links).select(pl.len()).collect().item()
        why = (
            f"none of the {n_nominals:,} nominals is an adult suspect of an offence in scope"
            if n_nominals
            else "no submission in this run names anybody (no nominals), so nobody can be followed or ranked"
        )
        notes.append(f"ranked_perpetrators is empty: {why}.")
    if "ranked_perpetrator_movers" in held and not compared:
        notes.append(
            "ranked_perpetrator_movers is empty: there is no release of the month before, with a list, to compare with."
        )
    if published and not published["measured_against"]:
        notes.append(
            "What is publishable is measured against no earlier publication: none is here. If figures of an earlier month were "
            "published, put that release back and run again, or small differences to it would tell of single records."
        )
    return notes


def differing(one: Path, other: Path) -> list[str]:
    """Files in which two releases differ, byte by byte; of an encrypted one, never twice the same, the rows' content."""
    before, now = _digests(one), _digests(other)
    return sorted(n for n in before.keys() | now.keys() if before.get(n) != now.get(n))


def _digests(folder: Path) -> dict[str, str]:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    encrypted = {}
    for mart in manifest["marts"].values():
        if mart["encrypted"]:
            encrypted[mart["file"]] = mart["content"]
            del mart["sha256"]
    files = {p.relative_to(folder).as_posix(): p for p in sorted(folder.rglob("*")) if p.is_file()}
    plain = {n: sha256_of(p) for n, p in files.items() if n not in encrypted}
    return plain | encrypted | {"manifest.json": json.dumps(manifest)}


def _assert_same(final: Path, partial: Path) -> None:
    if names := differing(final, partial):
        raise ReleaseDiffers(
            f"release {final.name} exists and the same inputs now give other content in {', '.join(names)}; "
            f"the new one lies in {partial.name} beside it"
        )


def _make_current(layout: Layout, release_id: str) -> None:
    """Point `current` at the release: one rename, so a reader sees the old one or the new one, whole."""
    pointer = layout.releases / ".current.partial"
    pointer.unlink(missing_ok=True)
    pointer.symlink_to(release_id, target_is_directory=True)
    pointer.replace(layout.current_release)


@dg.asset(
    group_name="release",
    owners=["team:national-analysis"],
    kinds={"duckdb", "parquet"},
    partitions_def=PERIODS,
    backfill_policy=ONE_MONTH_A_RUN,
    deps=[TRANSLATOR.get_asset_key(m) for m in marts().values()]
    + ["person_links", "ranking_monitoring", "threat_forecasts"],
    pool=POOL,
    description=(
        "The month's release: every mart as Parquet, statistical apart from identifiable and from what is about "
        "victims, with the manifest of what it was made from. Written beside the last one and made current in one step."
    ),
)
def release(data_root: DataRoot, release_key: ReleaseKey) -> dg.MaterializeResult:  # type: ignore[type-arg]
    started = time.monotonic()
    folder = write_release(
        data_root.layout(),
        marts(),
        release_key.key,
        decisions=data_root.decisions(),
        model=data_root.model(),
    )
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return dg.MaterializeResult(
        metadata={
            "release_id": manifest["release_id"],
            "dagster/row_count": sum(m["rows"] for m in manifest["marts"].values()),
            "rows_per_mart": {name: mart["rows"] for name, mart in manifest["marts"].items()},
            "coverage": manifest["coverage"],
            "identity": manifest["identity"],
            "seconds": round(time.monotonic() - started, 2),
        }
    )


@dg.asset_check(
    asset=release,
    blocking=True,
    description="What lies in the current release is what its manifest says: every file there, with its digest.",
)
def release_matches_its_manifest(data_root: DataRoot) -> dg.AssetCheckResult:
    folder = data_root.layout().current_release
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    wrong = [
        name
        for name, mart in manifest["marts"].items()
        if not (folder / mart["file"]).is_file() or sha256_of(folder / mart["file"]) != mart["sha256"]
    ]
    return dg.AssetCheckResult(passed=not wrong, metadata={"wrong": wrong, "n_marts": len(manifest["marts"])})
