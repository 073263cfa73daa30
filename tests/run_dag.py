"""Runs a DAG in real Airflow, from its text to what it left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from itertools import count
from pathlib import Path
from textwrap import dedent, indent
from typing import Any
from unittest.mock import patch

_IMPORTS = """
from __future__ import annotations
from datetime import datetime, timedelta
from airflow.providers.common.compat.sdk import DAG, AirflowSkipException, task
from airflow_provider_teams_registration.operators.cancel import CancelRegistrantOperator
from airflow_provider_teams_registration.operators.check_setup import CheckSetupOperator
from airflow_provider_teams_registration.operators.consent import ConsentForEventOperator
from airflow_provider_teams_registration.operators.enroll import EnrollRegistrantOperator
from airflow_provider_teams_registration.operators.mail import MailJoinLinksOperator, mail_join_links
from airflow_provider_teams_registration.operators.registration import (
    CloseRegistrationOperator, FindEventOperator, OpenRegistrationOperator, PublishWebinarOperator
)
from airflow_provider_teams_registration.read_enrollments import enrollment_pages, read_enrollments
from airflow_provider_teams_registration.sensors.registrant import RegistrantStatusSensor
from airflow_provider_teams_registration.sensors.registration import RegistrationOpenSensor
from airflow_provider_teams_registration.transfers.sql import SqlToTeamsRegistrationOperator
"""
_numbers = count(1)

AIRFLOW = tuple(int(part) for part in version("apache-airflow").split(".")[:2])
"""Which Airflow this is, such as ``(3, 3)``."""

HAS_TASK_STATE_STORE = AIRFLOW >= (3, 3)
"""Whether this Airflow keeps a task's state across its retries, and knows retry policies."""


@dataclass(frozen=True)
class DagRunResult:
    """
    What a run left behind.

    :param dag_id: whose run.
    :param state: ``success`` or ``failed``.
    :param tasks: state by task; of a mapped task, the states of its instances.
    :param tries: how many tries each task took.
    :param xcoms: values by task and key; those of mapped instances are left out.
    :param rendered: what Airflow stored of each task's template fields.
    """

    dag_id: str
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


def enroll_text(emulator: Any, registrants: Any, **arguments: Any) -> str:
    """
    Return a task ``enroll``, as text.

    :param emulator: its meeting is the event, unless the arguments name a webinar.
    :param registrants: an expression, as text, or a value that is written as one.
    :param arguments: the other arguments; of type ``timedelta`` or whatever is written as Python writes it.
    """
    return _operator_text("EnrollRegistrantOperator", emulator, {"registrants": registrants}, arguments)


def sql_to_teams_text(emulator: Any, sql: str, **arguments: Any) -> str:
    """Return a task ``enroll`` that takes its people from a query on the connection ``warehouse``, as text."""
    named = {"sql": sql, "sql_conn_id": "warehouse", **arguments}
    return _operator_text("SqlToTeamsRegistrationOperator", emulator, {}, named)


def task_text(name: str, task_id: str, expressions: Mapping[str, Any] | None = None, **arguments: Any) -> str:
    """
    Return a task, as text.

    :param name: the operator's name.
    :param task_id: the task's.
    :param expressions: arguments that are written as they stand.
    :param arguments: the other arguments; of type ``timedelta`` or whatever is written as Python writes it.
    """
    written = [f"{argument}={value}" for argument, value in (expressions or {}).items()]
    # The DAG's file knows timedelta by its bare name.
    written += [f"{argument}={value!r}".replace("=datetime.", "=") for argument, value in arguments.items()]
    return f"{name}(task_id={task_id!r}, {', '.join(written)})"


def _operator_text(name: str, emulator: Any, expressions: Mapping[str, Any], arguments: Mapping[str, Any]) -> str:
    event = {} if "webinar_id" in arguments else {"meeting_id": emulator.meeting_id}
    return task_text(name, "enroll", expressions, **{**event, "organizer_id": emulator.organizer_id, **arguments})


def migrate_database() -> None:
    """Make the metadata database."""
    (Path(os.environ["AIRFLOW_HOME"]) / "dags").mkdir(exist_ok=True)
    airflow = Path(sys.executable).parent / "airflow"
    subprocess.run([airflow, "db", "migrate"], check=True, capture_output=True)


def run_dag_text(tasks: str, imports: str = _IMPORTS) -> DagRunResult:
    """
    Run a DAG made of these tasks.

    :param tasks: the code within the DAG.
    :param imports: the code above the DAG. Default: everything that tests of this package use.
    """
    dag_id = f"dag_{next(_numbers)}"
    return run_dag_file(write_dag_text(dag_id, tasks, imports), dag_id)


def write_dag_text(dag_id: str, tasks: str, imports: str = _IMPORTS) -> Path:
    """Put a DAG made of these tasks into the DAGs folder, alone."""
    begins = f"with DAG({dag_id!r}, schedule=None, start_date=datetime(2026, 1, 1)) as dag:"
    return _write_dag(dag_id, f"{imports}\n{begins}\n{indent(dedent(tasks), '    ')}")


def run_dag_file(path: Path, dag_id: str) -> DagRunResult:
    """Run a DAG of a file in the DAGs folder."""
    with _test_mode_of_newer_airflow():
        return _collect(load_dags(path)[dag_id].test())


@contextmanager
def _test_mode_of_newer_airflow() -> Iterator[None]:
    """
    Run ``dag.test()`` of Airflow 3.0 to 3.2 as that of newer versions does.

    Before 3.3 it makes an API server anew for each task, which takes seconds. In 3.0 it hands a rescheduled sensor the
    text of the moment it began at, at which every sensor of Airflow fails; where a supervisor runs the task, the text
    becomes a moment on the way to it. And its console shows no variables beneath a traceback.
    """
    with ExitStack() as mended:
        if (3, 0) <= AIRFLOW < (3, 3):
            mended.enter_context(patch("airflow.sdk.execution_time.supervisor.in_process_api_server", _api_server))
        if AIRFLOW == (3, 0):
            from airflow.sdk.api.client import TaskInstanceOperations
            from airflow.sdk.execution_time.comms import TaskRescheduleStartDate

            def ask(operations: Any, ti_id: Any, try_number: int = 1) -> Any:
                found = as_shipped(operations, ti_id, try_number)
                return TaskRescheduleStartDate(start_date=found.start_date)

            as_shipped = TaskInstanceOperations.get_reschedule_start_date
            mended.enter_context(patch.object(TaskInstanceOperations, "get_reschedule_start_date", ask))
            mended.enter_context(_plain_tracebacks())
        yield


@contextmanager
def _plain_tracebacks() -> Iterator[None]:
    # One of the API server's with all its variables, as the console shows it by default, takes ten seconds to lay out.
    import structlog

    before = structlog.get_config()["processors"]
    renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*before[:-1], renderer])
    yield
    structlog.configure(processors=before)


@cache
def _api_server() -> Any:
    from airflow.api_fastapi.execution_api.app import InProcessExecutionAPI

    return InProcessExecutionAPI()


def said_by_tasks(said: str) -> str:
    """
    Drop what the stand-in for the supervisor prints, which ``dag.test()`` runs tasks in.

    It prints what it stores in XCom and what it masks, and the API server within it what the database refuses. In 3.0
    it does not name itself, and the console shows the variables beneath a traceback. A task under a real supervisor
    writes none of this into its log.
    """
    return "\n".join(line for line in said.splitlines() if not _is_of_the_stand_in(line))


def _is_of_the_stand_in(line: str) -> bool:
    # Airflow 2 has no stand-in.
    if AIRFLOW >= (3, 0) and line.lstrip().startswith("[parameters: "):
        return True
    if AIRFLOW != (3, 0):
        return "loc=supervisor.py" in line
    is_frame = line.lstrip().startswith(("│", "╭", "╰"))
    return is_frame or "Sending request " in line or "Received message from task runner" in line


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

    key = (run.dag_id, run.run_id)
    with closing(sqlite3.connect(metadata_database())) as airflow:
        index = _map_index(airflow)
        instances = airflow.execute(
            f"SELECT task_id, {index}, state, try_number FROM task_instance WHERE dag_id = ? AND run_id = ? "
            f"ORDER BY {index}, try_number",
            key,
        ).fetchall()
        xcoms = _of_run(airflow, ("xcom_v2", "xcom"), "key, value", key)
        rendered = _of_run(airflow, ("rtif_v2", "rendered_task_instance_fields"), "rendered_fields", key)
    states: dict[str, Any] = {}
    for task_id, map_index, state, _ in instances:
        if map_index < 0:
            states[task_id] = state
        else:
            states.setdefault(task_id, []).append(state)
    return DagRunResult(
        dag_id=run.dag_id,
        state=str(run.state),
        tasks=states,
        tries={task_id: tries for task_id, _, _, tries in instances},
        xcoms={(task_id, name): _decoded(value) for task_id, map_index, name, value in xcoms if map_index < 0},
        rendered={task_id: json.loads(fields) for task_id, _, fields in rendered},
    )


def metadata_database() -> str:
    """Return the path of Airflow's database."""
    return os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].removeprefix("sqlite:///")


def _map_index(airflow: Any) -> str:
    # Airflow 3.4 renamed it.
    columns = {column for _, column, *_ in airflow.execute("PRAGMA table_info(task_instance)")}
    return "region_index" if "region_index" in columns else "map_index"


def _of_run(airflow: Any, tables: tuple[str, ...], columns: str, key: tuple[str, str]) -> list[Any]:
    """Rows of the first of the tables that is there: task, map index, and the columns asked for."""
    present = {name for (name,) in airflow.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    table = next(name for name in tables if name in present)
    where = "dag_id = ? AND run_id = ?"
    # From Airflow 3.4 on such tables know their task instance alone.
    if table.endswith("_v2"):
        joined = f"{table} JOIN task_instance ON task_instance.id = {table}.task_instance_id"
        named = ", ".join(f"{table}.{column.strip()}" for column in columns.split(","))
    else:
        joined, named = table, columns
    index = _map_index(airflow) if table.endswith("_v2") else "map_index"
    found = airflow.execute(f"SELECT task_id, {index}, {named} FROM {joined} WHERE {where}", key)
    return list(found.fetchall())


def _decoded(value: Any) -> Any:
    # SQLite takes a JSON number for one of its own.
    decoded = json.loads(value) if isinstance(value, str | bytes) else value
    return json.loads(decoded) if isinstance(decoded, str) and decoded.startswith(("[", "{")) else decoded
