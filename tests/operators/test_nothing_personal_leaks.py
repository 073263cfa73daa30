from __future__ import annotations

import json
import logging
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.run_dag import HAS_TASK_STATE_STORE, metadata_database, sql_to_teams_text, write_dag_text
from tests.run_dag import enroll_text as enroll

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


@pytest.fixture
def run_and_look(run_dag, capfd, caplog):
    """Run tasks in this process, everything logged; return all it said and stored, but for XCom."""

    def run(tasks):
        capfd.readouterr()
        with caplog.at_level(logging.DEBUG):
            done = run_dag(tasks)
        return "".join(capfd.readouterr()) + caplog.text + stored(done.dag_id)

    return run


def stored(dag_id):
    """Rows of Airflow's tables that anybody may see who sees the UI, or the database."""
    with closing(sqlite3.connect(metadata_database())) as airflow:
        present = [name for (name,) in airflow.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        of_dag = [
            name for name in ("rendered_task_instance_fields", "serialized_dag", "task_instance") if name in present
        ]
        whole = [name for name in ("trigger", "log", "rtif_v2", "task_instance_note") if name in present]
        return str(
            [airflow.execute(f"SELECT * FROM {table} WHERE dag_id = ?", (dag_id,)).fetchall() for table in of_dag]
            + [airflow.execute(f"SELECT * FROM {table}").fetchall() for table in whole]
        )


def task_states():
    """What Airflow keeps of the state of tasks."""
    with closing(sqlite3.connect(metadata_database())) as airflow:
        present = [name for (name,) in airflow.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            str(row) for name in present if "task_state" in name for row in airflow.execute(f"SELECT * FROM {name}")
        }


def shown_of(said):
    # At DEBUG Airflow's in-process stand-in for the supervisor prints what it stores in XCom and what it masks. A task
    # under a real supervisor writes no such line into its log.
    lines = [line for line in said.splitlines() if "loc=supervisor.py" not in line]
    return [line for line in lines if CANARIES.search(line)]


def canaries_in(path):
    """What a database file holds, in its journals too, as far as it matters here."""
    raw = b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
    return set(CANARIES.findall(raw.decode("latin-1")))


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

        {enroll(emulator, "attendees()", settle_after=1)}
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


# Written so that the DAG's own text, which Airflow stores, holds no canary.
PEOPLE = "[{'id': f'can' + f'ary-{number}', 'email': 'can' + 'ary@example.org'} for number in range(50)]"


@pytest.mark.skipif(not HAS_TASK_STATE_STORE, reason="Airflow keeps a task's state from 3.3 on")
def test_a_tasks_state_without_links_holds_neither_links_nor_ids(run_and_look, emulator):
    before = task_states()
    said = run_and_look(enroll(emulator, PEOPLE, store_join_urls=False))
    kept = str(task_states() - before)
    assert "50 enrolled" in said
    assert shown_of(said) == []
    assert "teams_registration/" in kept
    assert CANARIES.findall(kept) == []


def test_a_ledger_without_links_holds_ids_and_no_link(run_and_look, emulator, ledger):
    said = run_and_look(enroll(emulator, PEOPLE, ledger_conn_id="ledger", store_join_urls=False))
    assert "50 enrolled" in said
    assert shown_of(said) == []
    assert canaries_in(ledger.path) == {"canary"}
    assert b"example.org" not in ledger.path.read_bytes()
    assert ledger.ask("SELECT COUNT(*) FROM teams_registration_ledger WHERE join_web_url IS NOT NULL") == [(0,)]


def test_a_deferral_leaves_nothing_personal_behind(run_and_look, emulator, ledger):
    emulator.add_fault("POST $batch", nth=2, status=429, retry_after="1.5")
    waiting = {"deferrable": True, "defer_over": 1, "settle_after": 1, "max_parallel_requests": 1}
    said = run_and_look(enroll(emulator, PEOPLE, ledger_conn_id="ledger", **waiting))
    assert "of patience: deferred." in said
    assert "50 enrolled" in said
    assert shown_of(said) == []


@pytest.fixture
def warehouse(tmp_path, monkeypatch):
    path = tmp_path / "warehouse.db"
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "sqlite", "host": str(path)}))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE people (id TEXT, email TEXT)")
        people = [(f"canary-{number}", "canary@example.org") for number in range(50)]
        connection.executemany("INSERT INTO people VALUES (?, ?)", people)
        connection.commit()


def test_people_from_a_query_are_not_shown(run_and_look, emulator, warehouse, ledger):
    said = run_and_look(
        f"""
        enrolled = {sql_to_teams_text(emulator, "SELECT * FROM people", ledger_conn_id="ledger", xcom_limit=10)}

        @task
        def pages(result):
            return enrollment_pages(result, page_size=20)

        @task
        def mail(page):
            assert all(row["join_web_url"] for row in read_enrollments(page))

        mail.expand(page=pages(enrolled.output))
        """,
    )
    assert "50 enrolled" in said
    assert shown_of(said) == []


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        pytest.param("SELECT nme FROM people", "no such column", id="bad SQL"),
        pytest.param("SELECT CAST(x'ff' || email AS TEXT) AS id FROM people", "Failure", id="rows that cannot be read"),
        pytest.param("SELECT email AS ID FROM people", "id missing", id="wrong columns"),
    ],
)
def test_a_query_that_fails_shows_nobody(run_and_look, emulator, warehouse, sql, named):
    said = run_and_look(sql_to_teams_text(emulator, sql))
    assert named in said
    assert shown_of(said) == []


def test_people_of_somebody_else_are_not_named(run_and_look, emulator, ledger):
    emulator.books.enroll(emulator.books.meeting(emulator.meeting_id), "canary-3")
    said = run_and_look(enroll(emulator, PEOPLE, ledger_conn_id="ledger"))
    assert "on_missing_join_url" in said
    assert shown_of(said) == []


def test_a_service_that_asks_for_too_much_patience_shows_nobody(run_and_look, emulator, ledger):
    echo = "canary-3 canary@example.org"
    emulator.add_fault("POST $batch", nth=2, times=0, status=429, retry_after="3600", message=echo)
    said = run_and_look(enroll(emulator, PEOPLE, ledger_conn_id="ledger"))
    assert "TransientFailure" in said
    assert shown_of(said) == []


# What happens between two calls of one task is done to its ledger from a database trigger.
LOSSES = {
    "fenced off": (
        "UPDATE teams_registration_ledger_runs SET attempt = attempt + 1",
        "A younger attempt of this task has taken over",
    ),
    "its ledger gone": ("SELECT RAISE(ABORT, 'canary')", "The ledger's database failed with IntegrityError"),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_a_task_that_loses_its_ledger_on_the_way_shows_nobody(run_and_look, emulator, ledger, loss):
    statement, named = LOSSES[loss]
    run_and_look(enroll(emulator, "['first' 'one']", ledger_conn_id="ledger"))
    ledger.ask(
        "CREATE TRIGGER loss AFTER UPDATE ON teams_registration_ledger WHEN NEW.outcome = 'enrolled' "
        f"AND NEW.registrant LIKE '%-3' BEGIN {statement}; END"
    )
    said = run_and_look(enroll(emulator, PEOPLE, ledger_conn_id="ledger", max_parallel_requests=1))
    assert named in said
    assert shown_of(said) == []
