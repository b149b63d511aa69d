"""Configured resources: with `environment.py`, all that reads the environment."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import dagster as dg
from dagster_dbt import DbtCliResource

from assets.encryption import ReleaseKey
from assets.storage import DataRoot, Layout
from assets.warehouse import dbt_project
from orchestration.environment import DECISIONS_URL, decisions_url, linkage_model
from orchestration.environment import data_root_path as data_root_path

RELEASE_KEY = "VAWG_RELEASE_KEY"


def data_root() -> DataRoot:
    # dbt is a process of its own and learns of the data root in the same way.
    os.environ["VAWG_DATA"] = str(data_root_path())
    os.environ["DBT_TARGET_PATH"] = str(Layout(data_root_path()).dbt_target)
    # By name, so that a password in it is never shown in the UI.
    url = {"decisions_url": dg.EnvVar(DECISIONS_URL)} if decisions_url() else {}
    return DataRoot(path=str(data_root_path()), linkage_model=linkage_model(), **url)


def release_key() -> ReleaseKey:
    # By name, so that the key itself is never shown in the UI.
    return ReleaseKey(key=dg.EnvVar(RELEASE_KEY)) if os.environ.get(RELEASE_KEY) else ReleaseKey()


def dbt() -> DbtCliResource:
    return DbtCliResource(
        project_dir=dbt_project,
        # The dbt beside this interpreter, whatever PATH says.
        dbt_executable=str(Path(sys.executable).parent / "dbt"),
        # Not a higher log level: Dagster learns from the log what was built.
        global_config_flags=["--no-use-colors"],
    )
