"""One attempt of a task, in a process of its own, as Airflow would run it."""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from airflow.providers.common.compat.sdk import DAG, TaskDeferred

from airflow_provider_teams_registration.operators.enroll import EnrollRegistrantOperator
from proof import bugs
from proof.points import KeyValues, Points, StateStore


@dataclass(frozen=True)
class Attempt:
    """
    What an attempt needs to know.

    :param folder: where ledger, XCom and the attempt's own traces live.
    :param name: the attempt's name, for its traces.
    :param connection: the Airflow connection to the emulator.
    :param arguments: the operator's arguments, without the rows.
    :param rows: the people.
    :param ledger: ``sql`` or ``state store``.
    :param run_id: the DAG run.
    :param strike_at: name of the point at which the signal strikes, and which time it is passed; None is nowhere.
    :param signal_number: the signal.
    :param bug: name of a deliberate bug; None is the product as it is.
    """

    folder: Path
    name: str
    connection: Mapping[str, Any]
    arguments: Mapping[str, Any]
    rows: Sequence[Mapping[str, Any]]
    ledger: str
    run_id: str = "scheduled"
    strike_at: tuple[str, int] | None = None
    signal_number: int = 9
    bug: str | None = None

    @property
    def traces(self) -> Path:
        """File with the names of the points that were passed."""
        return self.folder / f"{self.name}.points"

    @property
    def ending(self) -> Path:
        """File that says how the attempt ended, once it has."""
        return self.folder / f"{self.name}.ending"


@dataclass
class TaskInstance:
    """The part of a task instance that the operator uses."""

    run_id: str
    xcom: KeyValues
    points: Points
    dag_id: str = "proof"
    task_id: str = "enroll"
    map_index: int = -1
    pushed: list[str] = field(default_factory=list)

    def xcom_push(self, key: str, value: Any) -> None:
        """Push, as Airflow does."""
        self.points.around(f"PUSH {key}", lambda: self.xcom.set(key, value))


def run(attempt: Attempt) -> None:
    """Make an attempt, and note how it ended. Whoever waits for it may find no ending: it was killed."""
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    os.environ["AIRFLOW_CONN_TEAMS_REGISTRATION_DEFAULT"] = json.dumps(attempt.connection)
    points = Points(attempt.strike_at, attempt.signal_number, attempt.traces)
    points.watch_network()
    points.watch_sql()
    bugs.plant(attempt.bug)
    xcom = KeyValues(attempt.folder / f"xcom-{attempt.run_id}.db")
    xcom.clear()
    ti = TaskInstance(attempt.run_id, xcom, points)
    context: dict[str, Any] = {"ti": ti}
    arguments = dict(attempt.arguments)
    if attempt.ledger == "sql":
        ledger_file = attempt.folder / "ledger.db"
        os.environ["AIRFLOW_CONN_PROOF_LEDGER"] = json.dumps({"conn_type": "sqlite", "host": str(ledger_file)})
        arguments["ledger_conn_id"] = "proof_ledger"
    else:
        context["task_state_store"] = StateStore(attempt.folder / f"state-{attempt.run_id}.db", points)
    attempt.ending.write_text(_end(arguments, attempt.rows, context, ti))


def _end(arguments: Mapping[str, Any], rows: Sequence[Any], context: Any, ti: TaskInstance) -> str:
    with DAG("proof"):
        operator = EnrollRegistrantOperator(task_id="enroll", registrants=list(rows), **arguments)
    try:
        value = operator.enroll_rows(context, list(rows))
        ti.xcom_push("return_value", value)
    except TaskDeferred:
        return "deferred"
    except Exception as error:
        return f"{type(error).__name__}: {error} {traceback.format_exc()[-1500:]}"
    return "success"
