"""Every test run has an Airflow of its own, which must be said before anything imports Airflow."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from airflow_provider_teams_registration.emulator.server import Emulator
    from tests.run_dag import DagRunResult

AIRFLOW_HOME = Path(tempfile.mkdtemp(prefix="teams-registration-tests-"))

for name in [name for name in os.environ if name.startswith("AIRFLOW")]:
    del os.environ[name]
os.environ |= {
    "AIRFLOW_HOME": str(AIRFLOW_HOME),
    "AIRFLOW__CORE__DAGS_FOLDER": str(AIRFLOW_HOME / "dags"),
    "AIRFLOW__CORE__EXECUTOR": "SequentialExecutor",
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{AIRFLOW_HOME}/airflow.db",
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    # A task asks Airflow's API again after a refusal, with up to 90 s between.
    "AIRFLOW__WORKERS__EXECUTION_API_RETRY_WAIT_MIN": "0",
    "AIRFLOW__WORKERS__EXECUTION_API_RETRY_WAIT_MAX": "0.1",
}


@pytest.fixture(scope="session")
def airflow_database() -> None:
    """Airflow's metadata database, empty."""
    from tests.run_dag import migrate_database

    migrate_database()


@pytest.fixture
def run_dag(
    airflow_database: None, teams_registration_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], DagRunResult]:
    """Run tasks, given as text, in real Airflow, whose default connection is the emulator's application."""
    from tests.run_dag import run_dag_text

    monkeypatch.setenv("AIRFLOW_CONN_TEAMS_REGISTRATION_DEFAULT", json.dumps(teams_registration_emulator.connection()))
    # Airflow 3.0 wraps what it prints at the width of the terminal.
    monkeypatch.setenv("COLUMNS", "1000")
    return run_dag_text
