from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from tests.run_dag import (
    AIRFLOW,
    HAS_TASK_STATE_STORE,
    load_dags,
    metadata_database,
    said_by_tasks,
    sql_to_teams_text,
    task_text,
    write_dag_text,
)
from tests.run_dag import enroll_text as enroll

pytestmark = pytest.mark.airflow

PEOPLE = [{"id": f"canary-{number}"} for number in range(5)]
IDS = [row["id"] for row in PEOPLE]
AGAIN = {"retries": 1, "retry_delay": timedelta(0)}
AS_LEDGER = "(table 'teams_registration_ledger' of ledger_conn_id 'ledger')"


@pytest.fixture
def airflows_database(airflow_database):
    """Put a trigger on what Airflow's database holds of XCom, which is dropped after the test."""

    def put(when, do):
        with closing(sqlite3.connect(metadata_database())) as airflow:
            airflow.executescript(
                f"CREATE TABLE pushes (key TEXT); CREATE TRIGGER ours {when} INSERT ON {_table(airflow)} {do} END;"
            )

    def pushes():
        with closing(sqlite3.connect(metadata_database())) as airflow:
            return [key for (key,) in airflow.execute("SELECT key FROM pushes")]

    put.pushes = pushes
    yield put
    with closing(sqlite3.connect(metadata_database())) as airflow:
        airflow.executescript("DROP TRIGGER IF EXISTS ours; DROP TABLE IF EXISTS pushes;")


@pytest.fixture
def refuse(airflows_database):
    """Let Airflow's database refuse values under some keys, in the first tries or always."""

    def refusal(*keys, tries=10):
        with closing(sqlite3.connect(metadata_database())) as airflow:
            mine = "task_id = NEW.task_id AND run_id = NEW.run_id AND dag_id = NEW.dag_id"
            if _table(airflow) == "xcom_v2":
                mine = "id = NEW.task_instance_id"
        named = ", ".join(f"'{key}'" for key in keys)
        airflows_database(
            "BEFORE",
            f"WHEN NEW.key IN ({named}) AND {tries} >= (SELECT try_number FROM task_instance WHERE {mine})"
            "BEGIN SELECT RAISE(FAIL, 'the value is too large');",
        )

    return refusal


def _table(airflow):
    present = {name for (name,) in airflow.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    return "xcom_v2" if "xcom_v2" in present else "xcom"


@pytest.fixture
def said(capfd):
    """What a task ended with, which names nobody."""

    def read():
        everything = said_by_tasks("".join(capfd.readouterr()))
        assert "canary" not in everything
        assert "prid" not in everything
        return re.findall(r"(?:TransientFailure|PermanentFailure): (.*)", everything)[-1]

    return read


@pytest.fixture
def on_event(emulator):
    """Lists the people on the event; fails if one of them is on it twice."""
    emulator.set_switches(duplicate="second_record")
    return lambda: sorted(record.id for record in emulator.store.registrants(emulator.meeting_id))


def test_rows_that_airflow_does_not_take_are_told_of_with_where_they_are(run_dag, emulator, ledger, refuse, said):
    refuse("return_value")
    run = run_dag(enroll(emulator, PEOPLE, ledger_conn_id="ledger"))
    assert run.state == "failed"
    assert said().startswith(
        "5 registrants: 5 enrolled. Airflow did not take the rows with the links into XCom ("
        f"{'ServerResponseError' if AIRFLOW >= (3, 0) else 'IntegrityError'}). "
        f"The ledger has the outcomes of all {AS_LEDGER}. A retry, or a clear of this task, returns the same rows"
    )
    assert ("enroll", "return_value") not in run.xcoms


def test_a_retry_hands_on_what_airflow_did_not_take(run_dag, emulator, ledger, refuse, on_event):
    refuse("return_value", tries=1)
    run = run_dag(enroll(emulator, PEOPLE, ledger_conn_id="ledger", **AGAIN))
    assert (run.state, run.tries["enroll"]) == ("success", 2)
    assert on_event() == IDS
    assert [row["outcome"] for row in run.rows()] == ["enrolled"] * 5
    assert all(row["join_web_url"] for row in run.rows())


def test_counts_that_airflow_does_not_take_keep_nobody_from_their_link(run_dag, emulator, ledger, refuse, said):
    refuse("summary")
    run = run_dag(enroll(emulator, PEOPLE, ledger_conn_id="ledger"))
    told = said()
    assert run.state == "failed"
    assert "Airflow did not take the counts (key 'summary') into XCom" in told
    assert "the rows with the links" not in told
    assert len(run.rows()) == 5


def test_a_reference_that_airflow_does_not_take_is_told_of(run_dag, emulator, ledger, refuse, said):
    refuse("return_value")
    run_dag(enroll(emulator, PEOPLE, ledger_conn_id="ledger", xcom_limit=2))
    assert "Airflow did not take the reference to the rows into XCom" in said()


def test_refusals_and_lost_rows_are_told_of_together(run_dag, emulator, ledger, refuse, said, on_event):
    refuse("return_value", "summary")
    run = run_dag(enroll(emulator, [*PEOPLE, ""], ledger_conn_id="ledger", **AGAIN))
    told = said()
    assert run.state == "failed"
    assert (
        "6 registrants: 5 enrolled, 1 invalid; max_rejected is 0. 1 invalid (row 6): id is empty. Airflow did" in told
    )
    assert "the counts (key 'summary') into XCom" in told
    assert "the rows with the links into XCom" in told
    assert "XCom holds all rows" not in told
    assert on_event() == IDS


def test_without_a_named_ledger_it_is_said_what_becomes_of_the_links(run_dag, emulator, refuse, said, on_event):
    refuse("return_value", tries=1)
    run = run_dag(enroll(emulator, PEOPLE, **AGAIN))
    assert on_event() == IDS
    if HAS_TASK_STATE_STORE:
        assert run.state == "success"
        assert all(row["join_web_url"] for row in run.rows())
        return
    assert (run.state, run.tries["enroll"]) == ("failed", 1)
    told = said()
    assert "No durable ledger has the outcomes with their links. A retry sends nobody again who is on the event" in told
    assert "name a ledger_conn_id and lower xcom_limit" in told


def test_a_query_that_enrolls_tells_of_it_too(run_dag, emulator, ledger, refuse, said, tmp_path, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "sqlite", "host": str(tmp_path / "w.db")}))
    with closing(sqlite3.connect(tmp_path / "w.db")) as warehouse:
        warehouse.executescript("CREATE TABLE people (id TEXT); INSERT INTO people VALUES ('canary-1');")
    refuse("return_value")
    run_dag(sql_to_teams_text(emulator, "SELECT id FROM people", ledger_conn_id="ledger"))
    assert f"The ledger has the outcomes of all {AS_LEDGER}" in said()


@pytest.mark.parametrize("keys", [["return_value"], ["summary"]], ids=str)
def test_cancelling_tells_of_it_too_and_can_be_tried_again(run_dag, emulator, refuse, said, keys):
    cancel = task_text(
        "CancelRegistrantOperator",
        "cancel",
        registrants=PEOPLE,
        meeting_id=emulator.meeting_id,
        organizer_id=emulator.organizer_id,
    )
    refuse(*keys)
    run = run_dag(cancel)
    told = said()
    assert run.state == "failed"
    assert told.startswith("5 registrants: 5 cancelled. Airflow did not take the")
    assert "A retry cancels them once more and returns the same rows." in told


def test_rows_are_pushed_once(run_dag, emulator, ledger, airflows_database):
    airflows_database("AFTER", "BEGIN INSERT INTO pushes VALUES (NEW.key);")
    run = run_dag(enroll(emulator, PEOPLE, ledger_conn_id="ledger"))
    assert len(run.rows()) == 5
    assert airflows_database.pushes().count("return_value") == 1


def test_what_a_subclass_makes_of_the_rows_is_what_xcom_gets(run_dag, emulator):
    run = run_dag(
        f"""
        class Shorter(EnrollRegistrantOperator):
            def execute(self, context):
                return [row["id"] for row in super().execute(context)]

        {enroll(emulator, PEOPLE).replace("EnrollRegistrantOperator", "Shorter")}
        """
    )
    assert run.rows() == IDS


def test_rows_that_are_mapped_over_are_left_to_airflow_which_is_told_before(run_dag, emulator, ledger, capfd):
    run = run_dag(
        f"""
        enrolled = {enroll(emulator, PEOPLE, ledger_conn_id="ledger")}

        @task
        def mail(row):
            pass

        mail.expand(row=enrolled.output)
        """
    )
    assert run.tasks["mail"] == ["success"] * 5
    assert f"If it cannot: The ledger has the outcomes of all {AS_LEDGER}" in "".join(capfd.readouterr())


def test_a_dag_that_is_tested_twice_in_one_process_leaves_its_rows_twice(
    run_dag, emulator, ledger, airflows_database, monkeypatch
):
    run_dag("pass")
    airflows_database("AFTER", "BEGIN INSERT INTO pushes VALUES (NEW.key);")
    dag = load_dags(write_dag_text("twice", enroll(emulator, PEOPLE, ledger_conn_id="ledger")))["twice"]
    for _ in range(2):
        assert str(dag.test().state) == "success"
    assert airflows_database.pushes().count("return_value") == 2


def test_rows_that_are_not_to_be_in_xcom_are_not_pushed(run_dag, emulator, airflows_database):
    airflows_database("AFTER", "BEGIN INSERT INTO pushes VALUES (NEW.key);")
    run = run_dag(enroll(emulator, PEOPLE, do_xcom_push=False))
    assert run.state == "success"
    assert "return_value" not in airflows_database.pushes()


def test_a_ledger_that_somebody_has_to_change_takes_no_retries(run_dag, emulator, ledger, said):
    run = run_dag(enroll(emulator, PEOPLE, ledger_conn_id="ledger", ledger_table="nosuch.guests", **AGAIN))
    assert (run.state, run.tries["enroll"]) == ("failed", 1)
    assert "The schema nosuch of ledger_table does not exist" in said()
    assert not any(call.method == "POST" and call.registrant_id for call in emulator.store.journal)


def test_a_ledger_that_is_lost_for_good_on_the_way_takes_no_retries():
    from airflow_provider_teams_registration.core.outcome import Enrollment, Outcome
    from airflow_provider_teams_registration.core.report import Report
    from airflow_provider_teams_registration.enrollment.max_rejected import MaxRejected
    from airflow_provider_teams_registration.exceptions import LedgerFailure
    from airflow_provider_teams_registration.hooks.failures import PermanentFailure, TransientFailure
    from airflow_provider_teams_registration.operators.task_failure import task_failure

    def ending(*enrollments, transient):
        report = Report(enrollments, aborted_by=LedgerFailure("Grant what is missing.", transient=transient))
        return task_failure(report, MaxRejected.read(0), is_durable=True)

    assert isinstance(ending(Enrollment(1, {}, Outcome.UNKNOWN), transient=True), TransientFailure)
    lasting = ending(Enrollment(1, {}, Outcome.ENROLLED), transient=False)
    assert isinstance(lasting, PermanentFailure)
    assert str(lasting) == (
        "1 registrant: 1 enrolled. XCom holds all rows, or a reference to them. "
        "The task ended early: Grant what is missing."
    )
