"""A task's time limit, and its end by a kill, whatever the service does meanwhile."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import threading
import time
from contextlib import closing
from datetime import timedelta

import pytest

from tests.run_dag import AIRFLOW, enroll_text, metadata_database, task_text

pytestmark = pytest.mark.airflow

TIMEOUT, TIME_LIMIT = 2, 4
PEOPLE = "list(range(100))"


@pytest.fixture
def run_in_short(run_dag, emulator, monkeypatch):
    """Runs tasks over a connection of a short timeout; returns the run and how many seconds the task took."""
    connection = emulator.connection()
    connection["extra"]["timeout"] = TIMEOUT
    monkeypatch.setenv("AIRFLOW_CONN_TEAMS_REGISTRATION_DEFAULT", json.dumps(connection))

    def run(tasks):
        # The first run of all loads Airflow.
        run_dag(enroll_text(emulator, "[]"))
        started = time.monotonic()
        result = run_dag(tasks)
        elapsed = time.monotonic() - started
        with closing(sqlite3.connect(metadata_database())) as airflow:
            ((duration,),) = airflow.execute("SELECT duration FROM task_instance WHERE dag_id = ?", [result.dag_id])
        # Airflow 2 records none where the time limit ended the task.
        return result, elapsed if duration is None else duration

    return run


def outcomes(run):
    return {str(row["id"]): row["outcome"] for row in run.rows()}


def enrolled(emulator):
    return [record.id for record in emulator.store.enrolled(emulator.meeting_id)]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"drip": 0.5, "when": "after"}, id="the answer drips"),
        pytest.param({"drip": 0.5, "drips_head": True, "when": "after"}, id="the head drips"),
        pytest.param({"status": 429, "retry_after": "60"}, id="a wait"),
    ],
)
@pytest.mark.parametrize(
    "route", [pytest.param("POST $batch", id="writes"), pytest.param("GET registrants", id="reads")]
)
def test_a_time_limit_ends_the_task_soon_and_forgets_nobody(run_in_short, emulator, route, fault):
    emulator.add_fault(route, nth=3 if route == "POST $batch" else 1, times=0, **fault)
    limit = timedelta(seconds=TIME_LIMIT)

    run, seconds = run_in_short(
        enroll_text(emulator, PEOPLE, execution_timeout=limit, max_parallel_requests=1, retries=0)
    )

    assert run.tasks["enroll"] == "failed"
    assert seconds < TIME_LIMIT + TIMEOUT + 2
    found = outcomes(run)
    assert len(found) == 100
    assert {found[name] for name in enrolled(emulator)} <= {"enrolled", "unknown"}
    assert sum(outcome == "enrolled" for outcome in found.values()) == (40 if route == "POST $batch" else 0)


@pytest.mark.skipif(AIRFLOW < (3, 0), reason="dag.test() of Airflow 2 lets through what a time limit raises")
@pytest.mark.parametrize("route", ["GET registration", "POST token"])
def test_a_time_limit_ends_a_task_that_has_not_begun_to_send(run_in_short, emulator, route):
    emulator.add_fault(route, drip=0.5, drips_head=True, when="after", times=0)
    limit = timedelta(seconds=TIME_LIMIT)

    run, seconds = run_in_short(enroll_text(emulator, PEOPLE, execution_timeout=limit, retries=0))

    assert run.tasks["enroll"] == "failed"
    assert seconds < TIME_LIMIT + TIMEOUT + 2
    assert enrolled(emulator) == []


@pytest.mark.parametrize(
    ("operator", "route", "fault"),
    [
        ("OpenRegistrationOperator", "GET registration", {"status": 429, "retry_after": "60"}),
        ("CancelRegistrantOperator", "POST $batch", {"status": 429, "retry_after": "60"}),
        ("RegistrationOpenSensor", "GET registration", {"drip": 0.5, "when": "after"}),
    ],
)
def test_a_kill_ends_every_task_soon(run_in_short, emulator, monkeypatch, operator, route, fault):
    """As Airflow 3 kills: on_kill alone, in a signal handler, with nothing raised."""
    from airflow_provider_teams_registration.operators.killable import StopsOnKill

    emulator.add_fault(route, times=0, **fault)
    event = {"meeting_id": emulator.meeting_id, "organizer_id": emulator.organizer_id}
    people = {"registrants": "['ada']"} if operator == "CancelRegistrantOperator" else {}
    waiting = {"poke_interval": 30, "timeout": 60} if operator == "RegistrationOpenSensor" else {}
    killed = []

    def kill_once_struck():
        while not any(entry.path.endswith(route.split()[1]) for entry in emulator.store.journal):
            time.sleep(0.01)
        killed.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGUSR1)

    tasks = []
    new_hook = StopsOnKill.new_hook
    monkeypatch.setattr(StopsOnKill, "new_hook", lambda task: tasks.append(task) or new_hook(task))
    before = signal.signal(signal.SIGUSR1, lambda *_: [task.on_kill() for task in tasks])
    threading.Thread(target=kill_once_struck, daemon=True).start()
    try:
        run, _ = run_in_short(task_text(operator, "killed", people, retries=0, **event, **waiting))
    finally:
        signal.signal(signal.SIGUSR1, before)

    assert run.tasks["killed"] == "failed"
    assert time.monotonic() - killed[0] < TIMEOUT + 2 + 3
