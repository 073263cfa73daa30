from __future__ import annotations

import json
import os
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from tests.run_dag import sql_to_teams_text as enroll
from tests.servers import POSTGRES, connect_or_skip

pytestmark = pytest.mark.airflow

MANY = 2_500


def sqlite_warehouse(folder):
    path = folder / "warehouse.db"
    return lambda: sqlite3.connect(path), "?", json.dumps({"conn_type": "sqlite", "host": str(path)})


def postgres_warehouse(folder):
    psycopg2 = pytest.importorskip("psycopg2")

    def connect():
        return psycopg2.connect(POSTGRES, connect_timeout=3)

    connect_or_skip("PostgreSQL", connect, psycopg2.OperationalError).close()
    return connect, "%s", POSTGRES.replace("postgresql://", "postgres://")


class Warehouse:
    """A database of people, behind the Airflow connection ``warehouse``."""

    def __init__(self, connect, placeholder):
        self.connect = connect
        self.placeholder = placeholder

    def ask(self, sql, values=None):
        """Run a statement, once for each of the values if there are any."""
        with closing(self.connect()) as connection:
            cursor = connection.cursor()
            cursor.executemany(sql, values) if values else cursor.execute(sql)
            found = cursor.fetchall() if cursor.description else []
            connection.commit()
        return found

    def clear(self):
        for table in ("people", *(f"sql_to_teams{ending}" for ending in ("", "_runs", "_rows", "_apps"))):
            self.ask(f"DROP TABLE IF EXISTS {table}")

    def fill(self, rows):
        self.ask("CREATE TABLE people (id VARCHAR(40), email VARCHAR(80))")
        self.ask(f"INSERT INTO people VALUES ({self.placeholder}, {self.placeholder})", rows)


@pytest.fixture(params=[sqlite_warehouse, postgres_warehouse], ids=["SQLite", "PostgreSQL"])
def warehouse(request, tmp_path, monkeypatch):
    connect, placeholder, connection = request.param(tmp_path)
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", connection)
    warehouse = Warehouse(connect, placeholder)
    warehouse.clear()
    warehouse.fill([("ada", "ada@example.org"), ("abe", "abe@example.org"), ("grace", "grace@example.org")])
    yield warehouse
    warehouse.clear()


@pytest.fixture
def sqlite_people(tmp_path, monkeypatch):
    connect, placeholder, connection = sqlite_warehouse(tmp_path)
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", connection)
    warehouse = Warehouse(connect, placeholder)
    warehouse.fill([("ada", "canary@example.org")])
    return warehouse


def enrolled(emulator):
    return sorted(record.id for record in emulator.store.registrants(emulator.meeting_id))


def test_rows_come_back_with_what_the_query_returned(run_dag, emulator, warehouse):
    run = run_dag(enroll(emulator, "SELECT id, email FROM people ORDER BY id DESC"))
    assert run.state == "success"
    assert [(row["id"], row["email"], row["outcome"]) for row in run.rows()] == [
        ("grace", "grace@example.org", "enrolled"),
        ("ada", "ada@example.org", "enrolled"),
        ("abe", "abe@example.org", "enrolled"),
    ]


def test_thousands_of_people_with_the_ledger_beside_them(run_dag, emulator, warehouse, calls):
    warehouse.ask("DELETE FROM people")
    warehouse.ask(
        f"INSERT INTO people VALUES ({warehouse.placeholder}, {warehouse.placeholder})",
        [(f"person-{number}", f"{number}@example.org") for number in range(MANY)],
    )
    tasks = f"""
        enrolled = {enroll(emulator, "SELECT * FROM people", ledger_conn_id="warehouse", ledger_table="sql_to_teams")}

        @task
        def read(result):
            return {{row["email"]: row["join_web_url"] for row in read_enrollments(result)}}

        read(enrolled.output)
    """
    run = run_dag(tasks)
    links = {record.id: record.join_web_url for record in emulator.store.enrolled(emulator.meeting_id)}
    assert run.state == "success"
    assert run.summary()["outcomes"] == {"enrolled": MANY}
    assert len(json.dumps(run.xcoms[("enroll", "return_value")])) < 10_000
    assert len(enrolled(emulator)) == len(links) == MANY
    assert run.xcoms[("read", "return_value")] == {f"{n}@example.org": links[f"person-{n}"] for n in range(MANY)}
    assert warehouse.ask("SELECT outcome, COUNT(*) FROM sql_to_teams GROUP BY outcome") == [("enrolled", MANY)]
    emulator.clear_journal()
    assert run_dag(tasks).summary()["outcomes"] == {"already_enrolled": MANY}
    assert calls("$batch") == []


def test_parameters_are_the_drivers(run_dag, emulator, warehouse):
    named = ":name" if warehouse.placeholder == "?" else "%(name)s"
    run = run_dag(enroll(emulator, f"SELECT id FROM people WHERE id = {named}", parameters={"name": "grace"}))
    assert run.state == "success"
    assert enrolled(emulator) == ["grace"]


def test_parameters_may_stand_in_order(run_dag, emulator, warehouse):
    sql = f"SELECT id FROM people WHERE id IN ({warehouse.placeholder}, {warehouse.placeholder})"
    run = run_dag(enroll(emulator, sql, parameters=["grace", "{{ 'ada' }}"]))
    assert run.state == "success"
    assert enrolled(emulator) == ["ada", "grace"]


def test_a_per_cent_sign_is_one(run_dag, emulator, warehouse):
    run = run_dag(enroll(emulator, "SELECT id FROM people WHERE id LIKE 'a%'"))
    assert run.state == "success"
    assert enrolled(emulator) == ["abe", "ada"]


def test_the_query_may_be_a_template_and_a_file(run_dag, emulator, warehouse):
    file = Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"]) / "people.sql"
    file.write_text("SELECT id FROM people WHERE id = '{{ params.name }}'")
    run = run_dag(enroll(emulator, "people.sql", params={"name": "grace"}))
    assert run.state == "success"
    assert enrolled(emulator) == ["grace"]
    assert run.rendered["enroll"]["sql"] == "SELECT id FROM people WHERE id = 'grace'"


def test_a_result_of_nobody_is_a_success_without_a_call(run_dag, emulator, warehouse):
    run = run_dag(enroll(emulator, "SELECT id FROM people WHERE id = 'nobody'"))
    assert run.state == "success"
    assert run.rows() == []
    assert emulator.store.journal == []


def test_what_is_no_query_changes_nothing(run_dag, emulator, warehouse):
    assert run_dag(enroll(emulator, "DELETE FROM people")).state == "failed"
    assert warehouse.ask("SELECT COUNT(*) FROM people") == [(3,)]


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        pytest.param("SELECT nme FROM people", "nme", id="no such column"),
        pytest.param("SELECT id FROM nowhere", "nowhere", id="no such table"),
        pytest.param("SELECT a.id, b.id FROM people a, people b", "more than one column of the name id", id="twice"),
    ],
)
def test_a_query_that_cannot_work_is_explained(run_dag, emulator, warehouse, capfd, sql, said):
    run = run_dag(enroll(emulator, sql))
    shown = "".join(capfd.readouterr())
    assert run.state == "failed"
    assert any(said in line for line in shown.splitlines() if "Failure: " in line)
    assert "example.org" not in shown
    assert emulator.store.journal == []


def test_a_failure_among_the_rows_quotes_none_of_them(run_dag, emulator, sqlite_people, capfd):
    # SQLite's driver quotes text that is no UTF-8.
    sqlite_people.ask("INSERT INTO people VALUES (CAST(x'ff63616e617279' AS TEXT), 'x')")
    run = run_dag(enroll(emulator, "SELECT id FROM people"))
    shown = "".join(capfd.readouterr())
    assert run.state == "failed"
    assert "The query failed with OperationalError" in shown
    assert "canary" not in shown


def test_a_value_that_postgresql_cannot_convert_is_not_quoted(run_dag, emulator, warehouse, capfd):
    if warehouse.placeholder == "?":
        pytest.skip("SQLite converts anything")
    run = run_dag(enroll(emulator, "SELECT CAST(email AS INTEGER) AS id FROM people", retries=1))
    shown = "".join(capfd.readouterr())
    assert (run.state, run.tries["enroll"]) == ("failed", 1)
    assert "The query failed with InvalidTextRepresentation" in shown
    assert "example.org" not in shown


def test_columns_are_taken_in_upper_case_and_come_back_as_the_query_named_them(run_dag, emulator, sqlite_people):
    run = run_dag(enroll(emulator, "SELECT id AS ID FROM people"))
    assert run.state == "success"
    assert [(row["ID"], row["outcome"]) for row in run.rows()] == [("ada", "enrolled")]


def test_missing_column_is_named_beside_the_columns_that_came(run_dag, emulator, sqlite_people):
    run = run_dag(enroll(emulator, "SELECT id AS code FROM people"))
    assert run.state == "failed"
    assert [row["outcome"] for row in run.rows()] == ["invalid"]
    assert "id missing" in run.rows()[0]["error"]
    assert "code" in run.rows()[0]["error"]


@pytest.mark.parametrize(
    ("conn_id", "problem"),
    [
        ("nowhere", "Airflow knows no such connection"),
        ("teams_registration_default", "which is not a SQL database"),
    ],
)
def test_a_warehouse_that_is_none_fails_at_once(run_dag, emulator, capfd, conn_id, problem):
    run = run_dag(enroll(emulator, "SELECT id FROM people", sql_conn_id=conn_id, retries=1))
    assert (run.state, run.tries["enroll"]) == ("failed", 1)
    said = "".join(capfd.readouterr())
    assert f"sql_conn_id is '{conn_id}'" in said
    assert problem in said


def test_more_people_than_xcom_may_hold_are_refused_without_a_ledger(run_dag, emulator, warehouse):
    run = run_dag(enroll(emulator, "SELECT id FROM people", xcom_limit=2))
    assert run.state == "failed"
    assert emulator.store.journal == []


def while_deferred(emulator, sql, statement, **arguments):
    """Return a DAG's text: a task that is deferred once, while somebody changes the warehouse."""
    operator = enroll(
        emulator,
        sql,
        ledger_conn_id="warehouse",
        ledger_table="sql_to_teams",
        deferrable=True,
        defer_over=1,
        **arguments,
    )
    return f"""
        from airflow.providers.common.compat.sdk import BaseHook

        class Interrupted(SqlToTeamsRegistrationOperator):
            def postpone(self, request, attempt):
                BaseHook.get_connection("warehouse").get_hook().run({statement!r})
                super().postpone(request, attempt)

        {operator.replace("SqlToTeamsRegistrationOperator", "Interrupted")}
        """


def test_a_person_who_leaves_the_query_during_a_wait_is_enrolled_and_returned(run_dag, emulator, warehouse):
    emulator.add_fault("POST $batch", status=429, retry_after="1.2")

    run = run_dag(while_deferred(emulator, "SELECT id, email FROM people", "DELETE FROM people WHERE id = 'abe'"))

    assert run.state == "success"
    assert Counter(enrolled(emulator)) == Counter(["ada", "abe", "grace"])
    assert sorted((row["id"], row["email"], bool(row["join_web_url"])) for row in run.rows()) == [
        ("abe", "abe@example.org", True),
        ("ada", "ada@example.org", True),
        ("grace", "grace@example.org", True),
    ]
    # The rows were kept for the wait only.
    assert warehouse.ask("SELECT COUNT(*) FROM sql_to_teams_rows") == [(0,)]


@pytest.mark.parametrize(
    ("sql", "arguments"),
    [
        ("SELECT id, CURRENT_TIMESTAMP AS asked FROM people", {}),
        ("SELECT id FROM people", {"xcom_limit": 2}),
    ],
    ids=["values that are no JSON", "more rows than xcom_limit"],
)
def test_a_query_whose_rows_cannot_be_kept_runs_again_after_a_wait(run_dag, emulator, warehouse, sql, arguments):
    if "CURRENT_TIMESTAMP" in sql and warehouse.placeholder == "?":
        pytest.skip("SQLite returns times as text")
    emulator.add_fault("POST $batch", status=429, retry_after="1.2")

    run = run_dag(while_deferred(emulator, sql, "DELETE FROM people WHERE id = 'abe'", **arguments))

    assert run.state == "success"
    assert Counter(enrolled(emulator)) == Counter(["ada", "grace"])


def test_rows_that_somebody_changed_during_a_wait_are_not_believed(run_dag, emulator, warehouse):
    emulator.add_fault("POST $batch", status=429, retry_after="1.2")
    broken = "DELETE FROM sql_to_teams_rows WHERE position = 2"

    run = run_dag(while_deferred(emulator, "SELECT id FROM people", broken))

    assert run.state == "success"
    assert Counter(enrolled(emulator)) == Counter(["ada", "abe", "grace"])
