"""The shape of the dbt project: types of seeds, portability, described columns, determinism."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
import yaml
from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.adapters.duckdb.environments.local import LocalEnvironment
from jinja2 import Environment

PROJECT = Path(__file__).parents[2] / "dbt_project"
SEEDS = sorted(
    [*(PROJECT / "seeds").glob("*.csv"), *(PROJECT.parent / "data_contracts" / "codes").glob("*.csv")]
)
MODELS = sorted((PROJECT / "models").rglob("*.sql"))
# What only DuckDB understands belongs in macros, where another engine's words can stand beside it.
DUCKDB_ONLY = {
    "cast by colons": r"::",
    "qualify": r"\bqualify\b",
    "group by all": r"\bgroup by all\b",
    "list functions": r"\blist_\w+\(|\blist\(",
    "argument of the extreme": r"\barg_(max|min)\(|\bmax_by\(|\bmin_by\(",
    "reading files": r"\bread_(parquet|csv)\(",
    "regular expressions": r"\bregexp_\w+\((?!.*\{\{)",
    "try_cast": r"\btry_cast\b",
    "exclude or replace in a star": r"\*\s+(exclude|replace)\b",
    "today": r"\b(now|current_date|current_timestamp|today)\b",
    "chance": r"\b(random|uuid|gen_random_uuid)\(",
}


def _seed_types() -> dict[str, dict[str, str]]:
    listed = yaml.safe_load((PROJECT / "seeds" / "_seeds.yml").read_text(encoding="utf-8"))["seeds"]
    return {seed["name"]: seed["config"]["column_types"] for seed in listed}


@pytest.mark.parametrize("path", SEEDS, ids=lambda p: p.stem)
def test_every_column_of_a_seed_has_a_written_type(path: Path) -> None:
    """A code list of digits must not become numbers: 04 is not 4, and 8N would fail the load."""
    with path.open(encoding="utf-8", newline="") as stream:
        header = next(csv.reader(stream))
    assert list(_seed_types()[path.stem]) == header


def test_codes_are_text() -> None:
    types = _seed_types()
    assert {types[s]["code"] for s in types if "code" in types[s]} == {"varchar"}


@pytest.mark.parametrize("construct", DUCKDB_ONLY)
def test_models_hold_no_sql_of_one_engine_only(construct: str) -> None:
    without_jinja = {
        m: re.sub(r"\{\{.*?\}\}|\{#.*?#\}|--[^\n]*", "", m.read_text(encoding="utf-8"), flags=re.S)
        for m in MODELS
    }
    found = [m.stem for m, sql in without_jinja.items() if re.search(DUCKDB_ONLY[construct], sql, re.I)]
    assert found == []


@pytest.mark.parametrize("folder", ["repository", "ranking", "statistics", "marts"])
def test_every_model_says_what_a_row_is_and_what_names_it(folder: str) -> None:
    listed = yaml.safe_load(
        (PROJECT / "models" / folder / f"_{folder}__models.yml").read_text(encoding="utf-8")
    )["models"]
    assert {m["name"] for m in listed} == {p.stem for p in (PROJECT / "models" / folder).glob("*.sql")}
    for model in listed:
        assert "primary_key" in model["data_tests"][0]
        assert all(c["description"] for c in model["columns"])


# What must never be an input of a score, whatever it might predict.
NEVER_SCORED = r"\b\w*(ethnic|disab|postcode|nationality|religion|date_of_birth|forename|surname|stop_search)\w*|\bage_at_\w+"
VICTIMS_OF_THE_SCOPE = r"role = 'victim'\s+and (victims\.)?sex = 'F'"


def test_nothing_about_who_a_suspect_is_reaches_a_score() -> None:
    """Of age only the gates of `national_person_gates`; of sex only that of victims, which the scope is about."""
    scoring = [
        *(PROJECT / "models" / "ranking").glob("*.sql"),
        PROJECT / "models/marts/ranked_perpetrators.sql",
    ]
    for model in scoring:
        sql = re.sub(r"--[^\n]*|\{#.*?#\}", "", model.read_text(encoding="utf-8"), flags=re.S).lower()
        assert re.findall(NEVER_SCORED, sql) == [], model.stem
        assert re.findall(r"\bsex\b", re.sub(VICTIMS_OF_THE_SCOPE, "", sql, flags=re.IGNORECASE)) == [], (
            model.stem
        )


def test_only_figures_about_no_person_are_released_as_statistical() -> None:
    listed = yaml.safe_load((PROJECT / "models/marts/_marts__models.yml").read_text(encoding="utf-8"))[
        "models"
    ]
    personal = {"person_id", "record_id", "crime_ref", "offence_id", "respondent_person_id"}
    for model in listed:
        holds_persons = bool(personal & {c["name"] for c in model["columns"]})
        about_persons = "victims" if model["name"].startswith("victim_") else "identifiable"
        assert model["config"]["meta"]["release"] == (about_persons if holds_persons else "statistical"), (
            model["name"]
        )


def test_the_scope_that_is_ranked_asks_for_no_flag() -> None:
    """A force that flags less than others must move nobody on the list; docs/monitoring.md says so."""
    with (PROJECT / "seeds" / "vawg_definition_conditions.csv").open(encoding="utf-8") as file:
        flags = [row["flag"] for row in csv.DictReader(file) if row["definition_id"] == "npcc_policing_scope"]
    assert flags and not any(flags)


def test_a_run_that_spills_to_disk_goes_on(tmp_path: Path) -> None:
    """More is kept than memory holds; what dbt opens after that must still be allowed to open."""
    (tmp_path / "warehouse").mkdir()
    given = {"VAWG_DATA": str(tmp_path), "VAWG_MEMORY_LIMIT": "40MB"}
    engine = Environment()
    engine.filters["as_number"] = int
    profile = engine.from_string((PROJECT / "profiles.yml").read_text(encoding="utf-8"))
    rendered = profile.render(env_var=lambda name, default="": given.get(name, default))
    warehouse = yaml.safe_load(rendered)["vawg"]["outputs"]["warehouse"]
    opened = LocalEnvironment(DuckDBCredentials.from_dict(warehouse))
    first = opened.handle().cursor()
    first.execute("create temp table kept as select hash(range) as n from range(10000000)")
    assert first.execute("select count(*) from duckdb_temporary_files()").fetchone() != (0,)
    assert opened.handle().cursor().execute("select 1").fetchone() == (1,)
