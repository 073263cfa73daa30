"""Runs a DAG in real Airflow, from its text to what it left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

_HEAD = """
from __future__ import annotations
from datetime import datetime, timedelta
from airflow.providers.common.compat.sdk import DAG, AirflowSkipException, task
from airflow_provider_teams_registration.operators.enroll import EnrollRegistrantOperator
from airflow_provider_teams_registration.sensors.registration import RegistrationOpenSensor

with DAG({dag_id!r}, schedule=None, start_date=datetime(2026, 1, 1)) as dag:
"""
_numbers = count(1)


@dataclass(frozen=True)
class DagRunResult:
    """
    What a run left behind.

    :param state: ``success`` or ``failed``.
    :param tasks: state by task; of a mapped task, the states of its instances.
    :param tries: how many tries each task took.
    :param xcoms: values by task and key; those of mapped instances are left out.
    :param rendered: what Airflow stored of each task's template fields.
    """

    state: str
    tasks: Mapping[str, Any]
    tries: Mapping[str, int]
    xcoms: Mapping[tuple[str, str], Any]
    rendered: Mapping[str, Any]

    def rows(self, task_id: str = "enroll") -> list[dict[str, Any]]:
        """The rows that a task returned."""
        return self.xcoms[(task_id, "return_value")]

    def summary(self, task_id: str = "enroll") -> dict[str, Any]:
        """The counts that a task pushed."""
        return self.xcoms[(task_id, "summary")]


def migrate_database() -> None:
    """Make the metadata database."""
    (Path(os.environ["AIRFLOW_HOME"]) / "dags").mkdir(exist_ok=True)
    airflow = Path(sys.executable).parent / "airflow"
    subprocess.run([airflow, "db", "migrate"], check=True, capture_output=True)


def run_dag_text(tasks: str) -> DagRunResult:
    """Run a DAG made of these tasks."""
    dag_id = f"dag_{next(_numbers)}"
    return run_dag_file(_write_dag(dag_id, _HEAD.format(dag_id=dag_id) + indent(dedent(tasks), "    ")), dag_id)


def write_dag_text(dag_id: str, tasks: str) -> Path:
    """Put a DAG made of these tasks into the DAGs folder, alone."""
    return _write_dag(dag_id, _HEAD.format(dag_id=dag_id) + indent(dedent(tasks), "    "))


def run_dag_file(path: Path, dag_id: str) -> DagRunResult:
    """Run a DAG of a file in the DAGs folder."""
    return _collect(load_dags(path)[dag_id].test())


def load_dags(path: Path) -> dict[str, Any]:
    """Parse a file as Airflow does."""
    try:
        from airflow.dag_processing.dagbag import DagBag
    except ImportError:
        from airflow.models.dagbag import DagBag

    bag = DagBag(str(path))
    assert not bag.import_errors, bag.import_errors
    return dict(bag.dags)


def _write_dag(dag_id: str, text: str) -> Path:
    folder = Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
    for other in folder.glob("*.py"):
        other.unlink()
    path = folder / f"{dag_id}.py"
    path.write_text(text)
    return path


def _collect(run: Any) -> DagRunResult:
    import sqlite3
    from contextlib import closing

    database = os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].removeprefix("sqlite:///")
    where = "WHERE dag_id = ? AND run_id = ?"
    key = (run.dag_id, run.run_id)
    with closing(sqlite3.connect(database)) as airflow:
        instances = airflow.execute(
            f"SELECT task_id, map_index, state, try_number FROM task_instance {where} ORDER BY map_index", key
        ).fetchall()
        xcoms = airflow.execute(f"SELECT task_id, key, value FROM xcom {where} AND map_index = -1", key).fetchall()
        rendered = airflow.execute(
            f"SELECT task_id, rendered_fields FROM rendered_task_instance_fields {where}", key
        ).fetchall()
    states: dict[str, Any] = {}
    for task_id, map_index, state, _ in instances:
        if map_index < 0:
            states[task_id] = state
        else:
            states.setdefault(task_id, []).append(state)
    return DagRunResult(
        state=str(run.state),
        tasks=states,
        tries={task_id: tries for task_id, _, _, tries in instances},
        xcoms={(task_id, name): _decoded(value) for task_id, name, value in xcoms},
        rendered={task_id: json.loads(fields) for task_id, fields in rendered},
    )


def _decoded(value: Any) -> Any:
    decoded = json.loads(value)
    return json.loads(decoded) if isinstance(decoded, str) and decoded.startswith(("[", "{")) else decoded
