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

from tests.run_dag import (
    HAS_TASK_STATE_STORE,
    metadata_database,
    said_by_tasks,
    sql_to_teams_text,
    task_text,
    write_dag_text,
)
from tests.run_dag import enroll_text as enroll

pytestmark = pytest.mark.airflow

CANARIES = re.compile(r"canary|organizer@|prid|eyJ[\w-]+\.|emulator-client-secret|emulator-(?:refresh|rotated)-token")
SAID_AT_DEBUG = "Graph answered 200 to a POST, client-request-id"
LINK = "https://teams.microsoft.com/l/meetup-join/x?context=prid"
KINDS = pytest.mark.parametrize("kind", ["meeting", "webinar"])
WAYS_TO_WAIT = pytest.mark.parametrize(
    "way",
    [{}, {"mode": "reschedule"}, {"deferrable": True}],
    ids=["in the worker", "rescheduled", "deferred"],
)


@pytest.fixture(scope="module", autouse=True)
def left_by_deferred_tasks(airflow_database):
    """Keeps what Airflow stores of deferred tasks to go on with, for it wipes that when they do."""
    with closing(sqlite3.connect(metadata_database())) as airflow, airflow:
        airflow.execute("CREATE TABLE left_by_deferred (dag_id TEXT, next_kwargs TEXT)")
        airflow.execute(
            "CREATE TRIGGER keep_next_kwargs AFTER UPDATE ON task_instance WHEN NEW.next_kwargs IS NOT NULL "
            "BEGIN INSERT INTO left_by_deferred VALUES (NEW.dag_id, NEW.next_kwargs); END"
        )
    yield
    with closing(sqlite3.connect(metadata_database())) as airflow, airflow:
        airflow.execute("DROP TRIGGER keep_next_kwargs")
        airflow.execute("DROP TABLE left_by_deferred")


def connection_in_a_hurry(emulator, auth="client_secret"):
    """The emulator's limiter is off; nor need a webinar's writes be spread over half a minute."""
    connection = emulator.connection(auth)
    connection["extra"]["write_limit"] = 1000
    return json.dumps(connection)


def event(emulator, kind):
    """Arguments that name an event; where they are none, it is the meeting that tasks take by default."""
    form = {"preferred_timezone": "Europe/Rome", "preferred_language": "en-us"}
    return {"webinar_id": emulator.webinar_id, **form} if kind == "webinar" else {}


@pytest.fixture
def run_at_debug(airflow_database, emulator, monkeypatch):
    """Run tasks by Airflow's command line, everything logged; return all it said and stored, but for XCom."""

    def run(dag_id, tasks, auth="client_secret"):
        write_dag_text(dag_id, tasks)
        environment = os.environ | {
            "AIRFLOW_CONN_TEAMS_REGISTRATION_DEFAULT": connection_in_a_hurry(emulator, auth),
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
def run_and_look(run_dag, emulator, monkeypatch, capfd, caplog):
    """Run tasks in this process, everything logged; return all it said and stored, but for XCom."""

    # The first run of a process would set the level that was asked for when Airflow was imported.
    import airflow.settings

    airflow.settings.initialize()

    def run(tasks):
        monkeypatch.setenv("AIRFLOW_CONN_TEAMS_REGISTRATION_DEFAULT", connection_in_a_hurry(emulator))
        # Airflow sets the level anew for each task.
        monkeypatch.setenv("AIRFLOW__LOGGING__LOGGING_LEVEL", "DEBUG")
        capfd.readouterr()
        with caplog.at_level(logging.DEBUG):
            done = run_dag(tasks)
        return "".join(capfd.readouterr()) + caplog.text + stored(done.dag_id)

    yield run
    # What Airflow still says at the end of the process finds no output any more.
    for name in ("airflow", "airflow.task"):
        logging.getLogger(name).setLevel(logging.INFO)


def stored(dag_id):
    """Rows of Airflow's tables that anybody may see who sees the UI, or the database."""
    with closing(sqlite3.connect(metadata_database())) as airflow:
        present = [name for (name,) in airflow.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        of_dag = [
            name
            for name in ("rendered_task_instance_fields", "serialized_dag", "task_instance", "left_by_deferred")
            if name in present
        ]
        whole = [name for name in ("trigger", "log", "task_instance_note") if name in present]
        # From Airflow 3.4 on these know their task instance alone.
        of_task = (
            "SELECT rtif_v2.* FROM rtif_v2 JOIN task_instance ON task_instance.id = task_instance_id WHERE dag_id = ?"
        )
        rendered = airflow.execute(of_task, (dag_id,)).fetchall() if "rtif_v2" in present else []
        return str(
            [airflow.execute(f"SELECT * FROM {table} WHERE dag_id = ?", (dag_id,)).fetchall() for table in of_dag]
            + [airflow.execute(f"SELECT * FROM {table}").fetchall() for table in whole]
            + rendered
        )


def task_states():
    """What Airflow keeps of the state of tasks."""
    with closing(sqlite3.connect(metadata_database())) as airflow:
        present = [name for (name,) in airflow.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            str(row) for name in present if "task_state" in name for row in airflow.execute(f"SELECT * FROM {name}")
        }


def shown_of(said):
    return [line for line in said_by_tasks(said).splitlines() if CANARIES.search(line)]


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
    assert re.search("(Permanent|Transient)Failure", said)
    assert "registrants" in said
    assert shown_of(said) == []


def test_a_webinars_run_with_every_kind_of_trouble_shows_nothing_personal(run_at_debug, emulator):
    def echo(number):
        return f"canary-{number} (canary o'{number}), canary.o'{number}@example.org, told by a canary: {LINK}"

    emulator.add_fault("POST registrations", registrant_id="canary-3", status=400, code="BadRequest", message=echo(3))
    emulator.add_fault("POST registrations", registrant_id="canary-4", when="after", status=503, message=echo(4))
    emulator.add_fault("POST registrations", registrant_id="canary-5", status=403, code="Forbidden", message=echo(5))
    emulator.add_fault("POST $batch", nth=2, drop=True)
    emulator.add_fault("POST $batch", nth=3, status=429, retry_after="0.1")
    emulator.add_fault("GET registrations", nth=2, status=503, message="canary.o'1@example.org")
    emulator.add_fault("GET registrations(email=*", status=400, message=echo(6))
    emulator.add_fault("GET sessions", nth=2, status=403, code="Forbidden", message="canary.o'2@example.org")
    said = run_at_debug(
        "webinar_trouble",
        f"""
        @task(show_return_value_in_logs=False)
        def attendees():
            canary = "can" + "ary"
            rows = [
                {{
                    "id": f"{{canary}}-{{number}}",
                    "email": f"{{canary}}.o'{{number}}@example.org",
                    "first_name": canary,
                    "last_name": f"o'{{number}}",
                    "Who told you of us?": f"a {{canary}}",
                    "Which track?": "Data",
                }}
                for number in range(80)
            ]
            return rows + [
                {{**rows[0], "email": canary}},
                {{**rows[0], "email": f"{{canary}}@example.org", "Which track?": canary}},
                {{**rows[0], "email": f"{{canary}}@example.org", "preferred_timezone": canary}},
                {{**rows[0], "email": f"{{canary}}@example.org", "answers": {{canary: canary}}}},
                {{**rows[0], "outcome": canary}},
                [canary],
            ]

        {
            enroll(
                emulator,
                "attendees()",
                **event(emulator, "webinar") | {"webinar_id": emulator.questions_webinar_id},
                settle_after=1,
                max_parallel_requests=1,
            )
        }
        """,
    )
    assert re.search("(Permanent|Transient)Failure", said)
    assert "1 rejected (row 4): 400 BadRequest: … (… …), …, told by …: …" in said
    assert "1 rejected (row 6): 403 Forbidden: … (… …), …, told by …: …" in said
    assert "is none of its choices" in said
    assert shown_of(said) == []


def test_the_organizers_sign_in_shows_no_token(run_at_debug, emulator):
    emulator.set_switches(rotate_refresh_tokens="on")
    said = run_at_debug("organizer", enroll(emulator, "['can' 'ary']", organizer_id=None), auth="refresh_token")
    assert "1 enrolled" in said
    assert shown_of(said) == []


def test_a_user_who_cannot_register_others_shows_neither_them_nor_a_token(run_at_debug, emulator):
    organizer = "[{'email': 'organizer@' 'emulator.example'}, {'email': 'can' 'ary@example.org'}]"
    webinar = event(emulator, "webinar")
    said = run_at_debug("user", enroll(emulator, organizer, **webinar), auth="refresh_token")
    assert "1 enrolled, 1 invalid" in said
    assert "can register only themselves" in said
    assert shown_of(said) == []


def test_what_a_template_rendered_to_is_not_shown_where_it_cannot_be_read(run_at_debug, emulator):
    said = run_at_debug("unreadable", enroll(emulator, "\"[{{ 'can' ~ 'ary' }}]\""))
    assert "registrants is neither" in said
    assert shown_of(said) == []


# Written so that the DAG's own text, which Airflow stores, holds no canary.
PEOPLE = """[
    {
        'id': 'can' + f'ary-{number}',
        'email': 'can' + f'ary-{number}@example.org',
        'first_name': 'can' + 'ary',
        'last_name': f'number {number}',
    }
    for number in range(50)
]""".replace("\n", "")


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


@pytest.fixture
def canaries_on_it(emulator):
    """People of the rows who are on either event, put there by somebody else."""
    meeting = emulator.store.meeting(emulator.meeting_id)
    for number in range(4):
        emulator.store.enroll(meeting, f"canary-{number}")
        emulator.store.webinars.register(
            emulator.webinar_id,
            f"canary-{number}@example.org",
            first_name="canary",
            last_name=str(number),
            external_registration_id=f"canary-{number}",
        )


LEFT_FOR_THE_NEXT_LOOK = re.compile(r'"event": \{("__var": \{)?"deadline"')


SENSOR = "type('QuickSensor', (RegistrantStatusSensor,), {'absent_for': 4})"


def wait_text(emulator, **arguments):
    """People handed over by a task, and the sensor that waits for them."""
    given = {"webinar_id": emulator.webinar_id, "poke_interval": 0.05, "timeout": 30, **arguments}
    return f"""
    @task(show_return_value_in_logs=False)
    def attendees():
        return {PEOPLE}[:5] + [{{"id": "can" + "ary-2"}}, {{"email": "can" + "ary"}}]

    {task_text(SENSOR, "wait", {"registrants": "attendees()"}, **given)}
    """


@WAYS_TO_WAIT
def test_a_sensor_that_waits_for_people_shows_none_of_them(run_and_look, emulator, canaries_on_it, way):
    emulator.add_fault("GET registrations", nth=2, status=503, message="canary-1@example.org")
    emulator.add_fault("GET registrations(email=*", status=503, message="canary-2@example.org")
    emulator.add_fault("GET sessions", times=2, status=404, message="canary-3@example.org is not there yet")
    said = run_and_look(wait_text(emulator, **way))
    assert "7 registrants: 5 enrolled, 1 invalid, 1 rejected" in said
    assert SAID_AT_DEBUG in said
    assert bool(LEFT_FOR_THE_NEXT_LOOK.search(said)) == ("deferrable" in way)
    assert shown_of(said) == []


@WAYS_TO_WAIT
def test_a_sensor_that_waits_in_vain_shows_nobody(run_and_look, emulator, canaries_on_it, way):
    emulator.store.webinars.register(emulator.webinar_id, "canary-4@example.org", "waitlisted")
    said = run_and_look(wait_text(emulator, **way | {"timeout": 0.2}))
    assert "1 waitlisted" in said
    assert "AirflowSensorTimeout" in said
    assert shown_of(said) == []


@WAYS_TO_WAIT
def test_a_sensor_that_may_not_look_shows_nobody(run_and_look, emulator, canaries_on_it, way):
    echo = "canary.o'1@example.org may not be read"
    emulator.add_fault("GET registrations*", times=0, status=403, code="Forbidden", message=echo)
    said = run_and_look(wait_text(emulator, **way))
    assert "403 Forbidden: … may not be read" in said
    assert "PermanentFailure" in said
    assert shown_of(said) == []


BY = pytest.mark.parametrize(
    ("kind", "column"), [("meeting", "id"), ("webinar", "id"), ("webinar", "email")], ids=lambda value: value
)
CANCEL_ROUTES = {"meeting": "DELETE registrants/*", "webinar": "POST cancel"}


def cancel_text(emulator, kind, column, **arguments):
    named = {"webinar_id": emulator.webinar_id}
    if kind == "meeting":
        named = {"meeting_id": emulator.meeting_id, "organizer_id": emulator.organizer_id}
    given = {"registrants": f"[{{'{column}': row['{column}']}} for row in {PEOPLE}[:5]] + [{{}}]"}
    return task_text("CancelRegistrantOperator", "cancel", given, **named, **arguments)


@BY
def test_taking_people_off_shows_none_of_them(run_and_look, emulator, ledger, canaries_on_it, kind, column):
    emulator.add_fault(CANCEL_ROUTES[kind], nth=2, status=429, retry_after="0.1", message="canary-1@example.org")
    emulator.add_fault(CANCEL_ROUTES[kind], nth=3, when="after", status=503, message="canary-2@example.org")
    said = run_and_look(cancel_text(emulator, kind, column, ledger_conn_id="ledger", max_rejected=2))
    assert "cancelled" in said
    assert SAID_AT_DEBUG in said
    assert shown_of(said) == []


@BY
@pytest.mark.parametrize("status", [400, 403])
def test_a_refusal_to_take_somebody_off_shows_nobody(run_and_look, emulator, canaries_on_it, kind, column, status):
    echo = f"canary-1 (canary-1@example.org, {LINK}) stays"
    emulator.add_fault(CANCEL_ROUTES[kind], nth=2, status=status, code="No", message=echo)
    said = run_and_look(cancel_text(emulator, kind, column))
    assert f"1 rejected (row 2): {status} No: …" in said
    assert "PermanentFailure" in said
    assert shown_of(said) == []
