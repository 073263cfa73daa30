from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.run_dag import write_dag_text

pytestmark = pytest.mark.airflow

CANARIES = re.compile(r"canary|prid|eyJ[\w-]+\.|emulator-client-secret|emulator-refresh-token")


@pytest.fixture
def run_at_debug(airflow_database, emulator, monkeypatch):
    """Run tasks by Airflow's command line, everything logged; return all it said and stored, but for XCom."""

    def run(dag_id, tasks, auth="client_secret"):
        write_dag_text(dag_id, tasks)
        connection = emulator.connection(auth)
        environment = os.environ | {
            "AIRFLOW_CONN_TEAMS_REGISTRATION_DEFAULT": json.dumps(connection),
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


def stored(dag_id):
    database = os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(database)) as airflow:
        tables = ["rendered_task_instance_fields", "serialized_dag", "task_instance"]
        return str(
            [airflow.execute(f"SELECT * FROM {table} WHERE dag_id = ?", (dag_id,)).fetchall() for table in tables]
        )


def shown_of(said):
    # At DEBUG Airflow's in-process stand-in for the supervisor prints what it stores in XCom and what it masks. A task
    # under a real supervisor writes no such line into its log.
    lines = [line for line in said.splitlines() if "loc=supervisor.py" not in line]
    return [line for line in lines if CANARIES.search(line)]


def enroll(emulator, registrants, **arguments):
    named = {"meeting_id": emulator.meeting_id, "organizer_id": emulator.organizer_id, **arguments}
    written = ", ".join(f"{name}={value!r}" for name, value in named.items())
    return f"EnrollRegistrantOperator(task_id='enroll', registrants={registrants}, {written})"


def test_a_run_with_every_kind_of_trouble_shows_nothing_personal(run_at_debug, emulator):
    echo = "canary-3 canary@example.org https://teams.microsoft.com/l/meetup-join/x"
    emulator.add_fault("POST registrants", registrant_id="canary-3", status=400, code="BadRequest", message=echo)
    emulator.add_fault("POST registrants", registrant_id="canary-4", when="after", status=503, message=echo)
    emulator.add_fault("POST $batch", nth=2, drop=True)
    emulator.add_fault("POST $batch", nth=3, status=429, retry_after="0.1")
    rows = "[{'id': f'can' + f'ary-{number}', 'email': 'can' + 'ary@example.org'} for number in range(80)]"
    said = run_at_debug(
        "trouble",
        f"""
        @task(show_return_value_in_logs=False)
        def attendees():
            return {rows} + [{{"id": "", "outcome": "can" + "ary"}}, ["can" + "ary"], {{"id": 1.5}}]

        {enroll(emulator, "attendees()")}
        """,
    )
    assert "PermanentFailure" in said
    assert "registrants" in said
    assert shown_of(said) == []


def test_the_organizers_sign_in_shows_no_token(run_at_debug, emulator):
    emulator.set_switches(rotate_refresh_tokens="on")
    said = run_at_debug("organizer", enroll(emulator, "['can' 'ary']", organizer_id=None), auth="refresh_token")
    assert "1 enrolled" in said
    assert shown_of(said) == []


def test_what_a_template_rendered_to_is_not_shown_where_it_cannot_be_read(run_at_debug, emulator):
    said = run_at_debug("unreadable", enroll(emulator, "\"[{{ 'can' ~ 'ary' }}]\""))
    assert "registrants is neither" in said
    assert shown_of(said) == []
