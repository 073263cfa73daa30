"""Enrolling shows nothing personal in logs, in Airflow's tables or in a ledger without links."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from tests.airflow.operators.leaks import (
    CANARIES,
    KINDS,
    PEOPLE,
    SAID_AT_DEBUG,
    canaries_in,
    event,
    shown_of,
    task_states,
)
from tests.run_dag import HAS_TASK_STATE_STORE, sql_to_teams_text
from tests.run_dag import enroll_text as enroll

pytestmark = pytest.mark.airflow


@pytest.mark.skipif(not HAS_TASK_STATE_STORE, reason="Airflow keeps a task's state from 3.3 on")
@KINDS
def test_a_tasks_state_without_links_holds_neither_links_nor_ids(run_and_look, emulator, kind):
    before = task_states()
    said = run_and_look(enroll(emulator, PEOPLE, store_join_urls=False, **event(emulator, kind)))
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


@KINDS
def test_a_deferral_leaves_nothing_personal_behind(run_and_look, emulator, ledger, kind):
    emulator.add_fault("POST $batch", nth=2, status=429, retry_after="1.5")
    waiting = {"deferrable": True, "defer_over": 1, "settle_after": 1, "max_parallel_requests": 1}
    said = run_and_look(enroll(emulator, PEOPLE, ledger_conn_id="ledger", **waiting, **event(emulator, kind)))
    assert "Deferring the task, which frees its worker slot." in said
    assert SAID_AT_DEBUG in said
    assert "50 enrolled" in said
    assert shown_of(said) == []


@pytest.fixture
def warehouse(tmp_path, monkeypatch):
    path = tmp_path / "warehouse.db"
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "sqlite", "host": str(path)}))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE people (id TEXT, email TEXT, first_name TEXT, last_name TEXT)")
        people = [(f"canary-{number}", f"canary-{number}@example.org", "canary", str(number)) for number in range(50)]
        connection.executemany("INSERT INTO people VALUES (?, ?, ?, ?)", people)
        connection.commit()


@KINDS
def test_people_from_a_query_are_not_shown(run_and_look, emulator, warehouse, ledger, kind):
    long = {"ledger_conn_id": "ledger", "xcom_limit": 10, **event(emulator, kind)}
    said = run_and_look(
        f"""
        enrolled = {sql_to_teams_text(emulator, "SELECT * FROM people", **long)}

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
        pytest.param("SELECT email AS who FROM people", "id missing", id="wrong columns"),
    ],
)
def test_a_query_that_fails_shows_nobody(run_and_look, emulator, warehouse, sql, named):
    said = run_and_look(sql_to_teams_text(emulator, sql))
    assert named in said
    assert shown_of(said) == []


def test_people_of_somebody_else_are_not_named(run_and_look, emulator, ledger):
    emulator.store.enroll(emulator.store.meeting(emulator.meeting_id), "canary-3")
    said = run_and_look(enroll(emulator, PEOPLE, ledger_conn_id="ledger"))
    assert "on_missing_join_url" in said
    assert shown_of(said) == []


@KINDS
def test_a_service_that_asks_for_too_much_patience_shows_nobody(run_and_look, emulator, ledger, kind):
    echo = "canary-3 canary@example.org"
    emulator.add_fault("POST $batch", nth=2, times=0, status=429, retry_after="3600", message=echo)
    said = run_and_look(enroll(emulator, PEOPLE, ledger_conn_id="ledger", **event(emulator, kind)))
    assert "TransientFailure" in said
    assert shown_of(said) == []


# What happens between two calls of one task is done to its ledger from a database trigger.
LOSSES = {
    "fenced off": (
        "UPDATE teams_registration_ledger_runs SET attempt = attempt + 1",
        "A newer attempt of this task has taken over",
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
