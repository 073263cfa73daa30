"""A ledger's database, as Airflow and as the tests reach it, and runs of which everything that is shown is kept."""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.airflow.operators.leaks import connection_in_a_hurry, stored
from tests.run_dag import metadata_database, write_dag_text


@dataclass(frozen=True)
class LedgerDatabase:
    """
    The SQLite database behind the Airflow connection ``ledger``.

    :param path: its file.
    """

    path: Path

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Return what a query finds."""
        with closing(sqlite3.connect(self.path)) as connection:
            found = connection.execute(sql).fetchall()
            connection.commit()
        return found


@pytest.fixture
def ledger(tmp_path, monkeypatch):
    """A ledger that is still empty."""
    path = tmp_path / "ledger.db"
    monkeypatch.setenv("AIRFLOW_CONN_LEDGER", json.dumps({"conn_type": "sqlite", "host": str(path)}))
    return LedgerDatabase(path)


@pytest.fixture(scope="module")
def left_by_deferred_tasks(airflow_database):
    """Keeps what Airflow stores of deferred tasks to go on with, for it wipes that when they do."""
    with closing(sqlite3.connect(metadata_database())) as airflow, airflow:
        airflow.execute("CREATE TABLE left_by_deferred (dag_id TEXT, next_kwargs TEXT)")
        airflow.execute(
            "CREATE TRIGGER keep_next_kwargs AFTER UPDATE ON task_instance WHEN NEW.next_kwargs IS NOT NULL "
            "BEGIN INSERT INTO left_by_deferred VALUES (NEW.dag_id, NEW.next_kwargs); END"
        )
    yield
    with closing(sqlite3.connect(metadata_database())) as airflow, airflow:
        airflow.execute("DROP TRIGGER keep_next_kwargs")
        airflow.execute("DROP TABLE left_by_deferred")


@pytest.fixture
def run_at_debug(left_by_deferred_tasks, emulator, monkeypatch):
    """Run tasks by Airflow's command line, everything logged; return all it said and stored, but for XCom."""

    def run(dag_id, tasks, auth="client_secret"):
        write_dag_text(dag_id, tasks)
        environment = os.environ | {
            "AIRFLOW_CONN_TEAMS_REGISTRATION_DEFAULT": connection_in_a_hurry(emulator, auth),
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "DEBUG",
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": os.environ["AIRFLOW_HOME"] + "/logs",
        }
        airflow = Path(sys.executable).parent / "airflow"
        done = subprocess.run(
            [airflow, "dags", "test", dag_id], env=environment, capture_output=True, text=True, check=False
        )
        said = done.stdout + done.stderr
        logs = [path.read_text(errors="replace") for path in Path(os.environ["AIRFLOW_HOME"]).rglob("*.log")]
        return said + "".join(logs) + stored(dag_id)

    return run


@pytest.fixture
def run_and_look(run_dag, left_by_deferred_tasks, emulator, monkeypatch, capfd, caplog):
    """Run tasks in this process, everything logged; return all it said and stored, but for XCom."""

    # The first run of a process would set the level that was asked for when Airflow was imported.
    import airflow.settings

    airflow.settings.initialize()

    def run(tasks):
        monkeypatch.setenv("AIRFLOW_CONN_TEAMS_REGISTRATION_DEFAULT", connection_in_a_hurry(emulator))
        # Airflow sets the level anew for each task.
        monkeypatch.setenv("AIRFLOW__LOGGING__LOGGING_LEVEL", "DEBUG")
        capfd.readouterr()
        with caplog.at_level(logging.DEBUG):
            done = run_dag(tasks)
        return "".join(capfd.readouterr()) + caplog.text + stored(done.dag_id)

    yield run
    # What Airflow still says at the end of the process finds no output any more.
    for name in ("airflow", "airflow.task"):
        logging.getLogger(name).setLevel(logging.INFO)
