"""
One attempt at a DAG run, within a process that may be killed.

The first attempt makes the DAG run. A later one continues it, as Airflow does after a worker was killed: tasks that
have ended stay as they are, a task that was under way is tried again, and its task state store is kept.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

_MAKES_RUN = (("airflow.models.dagrun", "get_or_create_dagrun"), ("airflow.models.dag", "_get_or_create_dagrun"))
"""Where versions of Airflow have the function with which ``dag.test()`` makes its run."""
_CLEARS_RUNS = (
    ("airflow.serialization.definitions.dag", "SerializedDAG", "clear_dags"),
    ("airflow.serialization.serialized_objects", "SerializedDAG", "clear_dags"),
    ("airflow.models.dag", "DAG", "clear_dags"),
    ("airflow.models.dag", "DAG", "clear"),
)
"""Where versions of Airflow have the function with which ``dag.test()`` clears an earlier run of the same date."""
_HOOK = "airflow_provider_teams_registration.hooks.teams_registration"
_UNDER_WAY = ("scheduled", "queued", "running", "restarting", "deferred")


class Unusable(Exception):
    """The DAG cannot be tested; the text says why."""


def import_airflow() -> None:
    """Import what every attempt needs, without touching the metadata database."""
    _dag_bag()
    for module in ("airflow.api_fastapi.execution_api.app", "airflow.sdk.execution_time.supervisor", _HOOK):
        # Airflow 2 has no API server.
        with contextlib.suppress(ImportError):
            importlib.import_module(module)


def migrate() -> None:
    """Make the metadata database."""
    from airflow.utils.db import initdb

    initdb()


def make_attempt(
    dag_file: str, dag_id: str, logical_date: str, settle_after: float, ending: str, connections: Mapping[str, str]
) -> None:
    """
    Make an attempt, and write how it ended.

    :param dag_file: the file with the DAG.
    :param dag_id: which of its DAGs; empty where it has one.
    :param logical_date: the run's date, in ISO format: the same for every attempt.
    :param settle_after: seconds for the argument of that name of each task that has it.
    :param ending: file for the ending: ``{"state": …}`` or ``{"unusable": …}``, as JSON.
    :param connections: environment variables with Airflow connections.
    """
    os.environ.update(connections)
    try:
        dag = _load(Path(dag_file), dag_id)
        _make_ready(dag, settle_after)
        ended = {"state": _run(dag, datetime.fromisoformat(logical_date))}
    except Unusable as error:
        ended = {"unusable": str(error)}
    Path(ending).write_text(json.dumps(ended))


def _dag_bag() -> Any:
    try:
        return importlib.import_module("airflow.dag_processing.dagbag").DagBag
    except (ImportError, AttributeError):
        return importlib.import_module("airflow.models.dagbag").DagBag


def _load(file: Path, dag_id: str) -> Any:
    bag = _dag_bag()(str(file))
    if bag.import_errors:
        raise Unusable(f"Airflow cannot import {file}: {_reason(next(iter(bag.import_errors.values())))}")
    if not bag.dags:
        raise Unusable(f"There is no DAG in {file}.")
    known = ", ".join(sorted(bag.dags))
    if dag_id and dag_id not in bag.dags:
        raise Unusable(f"There is no DAG {dag_id!r} in {file}; it has {known}.")
    if not dag_id and len(bag.dags) > 1:
        raise Unusable(f"{file} has several DAGs: {known}. Choose one with --dag-id.")
    return bag.dags[dag_id or known]


def _reason(traceback: str) -> str:
    """Return the first line of an error: the one after the frames, which are indented. Some errors have many lines."""
    lines = traceback.strip().splitlines() or ["no reason given"]
    frames = [number for number, line in enumerate(lines[:-1]) if line.startswith(" ")]
    return lines[frames[-1] + 1 if frames else 0].strip()


def _make_ready(dag: Any, settle_after: float) -> None:
    for task in dag.tasks:
        mapped = getattr(task, "partial_kwargs", {})
        if "settle_after" in mapped or hasattr(task, "settle_after"):
            _assign(task, mapped, "settle_after", settle_after)
        _assign(task, mapped, "retry_delay", timedelta(0))
        ledger_conn_id = mapped.get("ledger_conn_id") or getattr(task, "ledger_conn_id", None)
        if ledger_conn_id:
            _check_ledger(str(ledger_conn_id))


def _assign(task: Any, mapped: dict[str, Any], name: str, value: Any) -> None:
    if mapped:
        mapped[name] = value
    else:
        setattr(task, name, value)


def _check_ledger(conn_id: str) -> None:
    """Every run needs a ledger of its own, because the emulator forgets everybody between two runs."""
    name = f"AIRFLOW_CONN_{conn_id.upper()}"
    given = os.environ.get(name)
    if given is None:
        ledger = Path(os.environ["AIRFLOW_HOME"]) / f"{conn_id}.db"
        os.environ[name] = json.dumps({"conn_type": "sqlite", "host": str(ledger)})
    elif "sqlite" not in given:
        raise Unusable(
            f"The ledger's connection {conn_id!r} is not SQLite. The crash test starts every run with a fresh ledger "
            f"and does not write to your database: set {name} to a SQLite file with the tables that the DAG reads."
        )


def _run(dag: Any, logical_date: datetime) -> str:
    with _continued(dag.dag_id):
        try:
            run = dag.test(logical_date=logical_date)
        except TypeError:
            # Airflow 2 has the argument's older name.
            run = dag.test(execution_date=logical_date)
    return str(getattr(run.state, "value", run.state))


@contextmanager
def _continued(dag_id: str) -> Iterator[None]:
    """Let ``dag.test()`` continue the DAG's existing run, if it has one."""
    from airflow import settings
    from airflow.models.dagrun import DagRun

    session = settings.Session()
    existing = session.query(DagRun).filter(DagRun.dag_id == dag_id).first()
    with ExitStack() as patched:
        if existing is not None:
            for instance in existing.get_task_instances(session=session):
                if instance.state in _UNDER_WAY:
                    instance.state = instance.next_method = instance.next_kwargs = instance.trigger_id = None
            session.commit()
            for module, name in _MAKES_RUN:
                if _has(module, name):
                    patched.enter_context(patch(f"{module}.{name}", _existing_run))
            for module, owner, name in _CLEARS_RUNS:
                if _has(module, owner, name):
                    patched.enter_context(patch(f"{module}.{owner}.{name}", lambda *_, **__: 0))
        yield


def _existing_run(*, dag: Any, session: Any, **_: Any) -> Any:
    from airflow.models.dagrun import DagRun

    run = session.query(DagRun).filter(DagRun.dag_id == dag.dag_id).one()
    run.dag = dag
    return run


def _has(module: str, *names: str) -> bool:
    try:
        found: Any = importlib.import_module(module)
    except ImportError:
        return False
    for name in names:
        found = getattr(found, name, None)
    return found is not None
