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

from airflow_provider_teams_registration.enrollment.cancel import cancel
from airflow_provider_teams_registration.events.reference import EventRef
from airflow_provider_teams_registration.hooks.ledger import open_ledger
from airflow_provider_teams_registration.hooks.teams_registration import TeamsRegistrationHook
from airflow_provider_teams_registration.operators.enroll import EnrollRegistrantOperator
from airflow_provider_teams_registration.operators.enrolling import DEFAULT_LEDGER_TABLE
from dev.crash_matrix import bugs
from dev.crash_matrix.breakpoints import Breakpoints, KeyValues, StateStore
from dev.crash_matrix.mailing_attempt import end_mailing, watch_smtp


@dataclass(frozen=True)
class Attempt:
    """
    What an attempt needs to know.

    :param folder: where ledger, XCom and the attempt's own traces live.
    :param name: the attempt's name, for its traces.
    :param connection: the Airflow connection to the emulator.
    :param arguments: the operator's arguments, without the rows.
    :param rows: the people.
    :param ledger: ``sql``, ``state store`` or ``memory``.
    :param run_id: the DAG run.
    :param inject_at: name of the point at which the signal is sent, and which time it is passed; None is nowhere.
    :param signal_number: the signal.
    :param bug: name of a deliberate bug; None is the product as it is.
    :param action: ``enroll``, ``cancel`` or ``mail``.
    """

    folder: Path
    name: str
    connection: Mapping[str, Any]
    arguments: Mapping[str, Any]
    rows: Sequence[Mapping[str, Any]]
    ledger: str
    run_id: str = "scheduled"
    inject_at: tuple[str, int] | None = None
    signal_number: int = 9
    bug: str | None = None
    action: str = "enroll"

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
    breakpoints: Breakpoints
    dag_id: str = "crash_matrix"
    task_id: str = "enroll"
    map_index: int = -1
    pushed: list[str] = field(default_factory=list)

    def xcom_push(self, key: str, value: Any) -> None:
        """Push, as Airflow does."""
        self.breakpoints.around(f"PUSH {key}", lambda: self.xcom.set(key, value))


def run(attempt: Attempt) -> None:
    """Make an attempt, and note how it ended. Whoever waits for it may find no ending: it was killed."""
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    os.environ["AIRFLOW_CONN_TEAMS_REGISTRATION_DEFAULT"] = json.dumps(attempt.connection)
    breakpoints = Breakpoints(attempt.inject_at, attempt.signal_number, attempt.traces)
    breakpoints.watch_network()
    breakpoints.watch_sql()
    # The attempt's number stands for its machine.
    bugs.plant(attempt.bug, int(attempt.name.rpartition("-")[2]))
    xcom = KeyValues(attempt.folder / f"xcom-{attempt.run_id}.db")
    xcom.clear()
    ti = TaskInstance(attempt.run_id, xcom, breakpoints)
    context: dict[str, Any] = {"ti": ti}
    arguments = dict(attempt.arguments)
    if attempt.ledger == "sql":
        ledger_file = attempt.folder / "ledger.db"
        os.environ["AIRFLOW_CONN_CRASH_MATRIX_LEDGER"] = json.dumps({"conn_type": "sqlite", "host": str(ledger_file)})
        arguments["ledger_conn_id"] = "crash_matrix_ledger"
    elif attempt.ledger == "state store":
        context["task_state_store"] = StateStore(attempt.folder / f"state-{attempt.run_id}.db", breakpoints)
    if attempt.action == "mail":
        watch_smtp(breakpoints)
    end = {"enroll": _end, "cancel": _end_cancelling, "mail": end_mailing}[attempt.action]
    attempt.ending.write_text(end(arguments, attempt.rows, context, ti))


def _end(arguments: Mapping[str, Any], rows: Sequence[Any], context: Any, ti: TaskInstance) -> str:
    with DAG("crash_matrix"):
        operator = EnrollRegistrantOperator(task_id="enroll", registrants=list(rows), **arguments)
    try:
        value = operator.enroll_rows(context, list(rows))
        if operator.do_xcom_push:
            ti.xcom_push("return_value", value)
    except TaskDeferred:
        return "deferred"
    except Exception as error:
        return f"{type(error).__name__}: {error} {traceback.format_exc()[-1500:]}"
    return "success"


def _end_cancelling(arguments: Mapping[str, Any], rows: Sequence[Any], context: Any, ti: TaskInstance) -> str:
    """Take people off by the function, because the operator has no argument for how long to settle."""
    hook = TeamsRegistrationHook()
    ledger = open_ledger(context, arguments.get("ledger_conn_id"), DEFAULT_LEDGER_TABLE)
    named = {name: arguments.get(name) for name in ("meeting_id", "webinar_id", "organizer_id")}
    try:
        report = cancel(hook.event(EventRef.read(named)), rows, ledger=ledger, settle_after=arguments["settle_after"])
        ti.xcom_push("return_value", report.rows())
    except Exception as error:
        return f"{type(error).__name__}: {error} {traceback.format_exc()[-1500:]}"
    finally:
        ledger.close()
        hook.session.close()
    return "success" if set(report.counts) == {"cancelled"} else f"cancelled only {dict(report.counts)}"
