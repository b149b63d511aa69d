"""The recipes of CONTRIBUTING name files, commands and tests: what they name must be there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cli.main import main

REPOSITORY = Path(__file__).parents[1]
TEXT = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
RECIPES = TEXT[TEXT.index("## Recipes") : TEXT.index("## Habits")]
QUOTED = re.findall(r"`([^`]+)`", RECIPES)
# A folder and a name, or a file: what can be looked for. What stands in <> is the reader's to fill in.
PATHS = sorted(
    {
        word
        for quoted in QUOTED
        for word in quoted.split()
        if "/" in word and "<" not in word and "::" not in word
    }
)
COMMANDS = sorted({quoted.split()[1] for quoted in QUOTED if quoted.startswith("vawg ")})
TARGETS = sorted({quoted.split()[1] for quoted in QUOTED if quoted.startswith("make ")})


@pytest.mark.parametrize("path", PATHS)
def test_what_a_recipe_names_is_there(path: str) -> None:
    # The environment is there once it was set up, and no part of the repository.
    if not path.startswith((".venv/", "linkage/models/")):
        assert (REPOSITORY / path).exists(), f"{path} is named in CONTRIBUTING and is gone"


@pytest.mark.parametrize("module", re.findall(r"python -m ([\w.]+)", RECIPES))
def test_a_module_that_a_recipe_runs_is_there(module: str) -> None:
    assert (REPOSITORY / f"{module.replace('.', '/')}.py").is_file()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_a_recipe_exists(command: str) -> None:
    assert command in main.commands


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_of_a_recipe_exists(target: str) -> None:
    assert f"\n{target}: " in (REPOSITORY / "Makefile").read_text(encoding="utf-8")


def test_the_recipes_that_forces_wait_for_are_there() -> None:
    named = set(re.findall(r"^\*\*(.+?)\.\*\*", RECIPES, flags=re.MULTILINE))
    assert {"A force", "A record system", "A code list", "A rule"} <= named
    assert len(PATHS) > 20 and {"check", "rehearse"} <= set(COMMANDS)


@pytest.mark.parametrize("named", sorted({w for q in QUOTED for w in q.split() if "::" in w}))
def test_a_test_that_a_recipe_names_is_there(named: str) -> None:
    path, test = named.split("::")
    assert f"def {test}(" in (REPOSITORY / path).read_text(encoding="utf-8")


# What has a row for each force, system or rule, and fails or falls silent without one.
NEEDED = {
    "A force": ["codes/forces.csv", "force_record_systems.csv", "population_by_force.csv", "force_peer_groups.csv", "force_habits.csv"],
    "A record system": ["code_mappings.csv", "force_record_systems.csv"],
    "A rule": ["rule_settings.csv", "scorecard_rules.csv", "faults.py"],
    "A code list": ["_seeds.yml", "make publish", "data_contracts/extracts/"],
}  # fmt: skip


@pytest.mark.parametrize("recipe", NEEDED)
def test_a_recipe_names_every_place_that_needs_a_row(recipe: str) -> None:
    text = RECIPES[RECIPES.index(f"**{recipe}.**") :].split("\n**")[0]
    assert [place for place in NEEDED[recipe] if place not in text] == []
