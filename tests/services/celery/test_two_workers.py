"""Two Celery workers: a task that the service makes wait, and the DAG of docs/scaling.md when a worker is lost."""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from psycopg2.extras import execute_values

from airflow_provider_teams_registration.emulator.store.journal import JournalEntry
from tests.run_dag import HAS_TASK_STATE_STORE
from tests.services.celery.airflow_cluster import airflow_cluster
from tests.services.celery.services import own_postgres_database, own_redis_database
from tests.services.celery.until import until

pytestmark = [
    pytest.mark.airflow,
    pytest.mark.skipif(not HAS_TASK_STATE_STORE, reason="written for the settings of Airflow 3.3"),
]

HOW_TO = Path(__file__).parents[3] / "docs" / "scaling.md"
PATIENCE = '{"retries": 2, "retry_delay": timedelta(minutes=1), "settle_after": 120}'
LITTLE_PATIENCE = '{"retries": 2, "retry_delay": timedelta(seconds=1), "settle_after": 5, "max_parallel_requests": 1}'
SOON = {
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "10",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "1",
    "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
    # For a task that had reached the lost worker and was not running yet.
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "30",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "2",
}
DAG, RUN = "many_events", "the_run"
PATIENT_DAG, POOL = "patient", "one_slot"
WAIT = float(os.environ.get("TEAMS_REGISTRATION_TEST_WAIT", "15"))
"""For how many seconds the service asks; a worker waits a third of that itself."""
KINDS = ("meeting", "webinar")
WORKERS = ("worker-one", "worker-two")
PEOPLE = [(f"crm-{number}", f"person{number}@example.org", "Person", str(number)) for number in range(1, 41)]
BY_EMAIL = {email: person for person, email, *_ in PEOPLE}
WRITE_LIMIT, WRITE_WINDOW = 15, 1.0
ALL = 6 * len(PEOPLE)
PATIENT = f"""
from datetime import datetime
from airflow.providers.common.compat.sdk import DAG, task
from airflow_provider_teams_registration.operators.enroll import EnrollRegistrantOperator

COLUMNS = ("id", "email", "first_name", "last_name")

@task(show_return_value_in_logs=False)
def attendees():
    return [dict(zip(COLUMNS, person)) for person in {PEOPLE!r}]

@task(pool={POOL!r})
def neighbour():
    pass

with DAG({PATIENT_DAG!r}, schedule=None, start_date=datetime(2026, 1, 1)):
    people = attendees()
    EnrollRegistrantOperator(
        task_id="enroll",
        webinar_id="{{{{ var.value.teams_webinar_id }}}}",
        registrants=people,
        preferred_timezone="Europe/Rome",
        preferred_language="en-us",
        ledger_conn_id="warehouse",
        settle_after=5,
        deferrable=True,
        defer_over={WAIT / 3},
        max_parallel_requests=1,
        pool={POOL!r},
        priority_weight=2,
    )
    people >> neighbour()
"""


@pytest.fixture(scope="module")
def metadata():
    with own_postgres_database() as url:
        yield url


@pytest.fixture(scope="module")
def broker():
    with own_redis_database() as url:
        yield url


@pytest.fixture(scope="module")
def airflow(tmp_path_factory, metadata, broker, environment):
    """Airflow with two workers of two slots each, in which no DAG has run yet."""
    home = tmp_path_factory.mktemp("airflow")
    with airflow_cluster(home, metadata, broker, environment) as cluster, cluster.showing_logs():
        write_dags(home / "dags")
        cluster.start(WORKERS, concurrency=2)
        for pool in ("teams_webinars", POOL):
            cluster.post("/pools", {"name": pool, "slots": 1})
        yield cluster


@pytest.fixture(scope="module")
def environment(teams_registration_server, metadata):
    """Connections, a variable, and timeouts that let a lost worker's tasks go on soon."""
    connection = teams_registration_server.connection()
    connection["extra"] |= {"write_limit": WRITE_LIMIT, "write_window": WRITE_WINDOW}
    warehouse = metadata.set(drivername="postgres").render_as_string(hide_password=False)
    return {
        **SOON,
        "AIRFLOW_CONN_TEAMS_REGISTRATION_DEFAULT": json.dumps(connection),
        "AIRFLOW_CONN_WAREHOUSE": warehouse,
        "AIRFLOW_VAR_TEAMS_ORGANIZER_ID": teams_registration_server.organizer_id,
        "AIRFLOW_VAR_TEAMS_WEBINAR_ID": teams_registration_server.webinar_id,
    }


@pytest.fixture
def events(emulator, metadata):
    """Kinds and ids of three meetings and three webinars; the warehouse has forty people for each."""
    emulator.set_switches(latency=0.5, write_limit=WRITE_LIMIT, write_window=WRITE_WINDOW, duplicate="second_record")
    store = emulator.store
    made = [("meeting", store.add_meeting("Meeting", allowed_registrant="everyone").id) for _ in range(3)]
    made += [("webinar", store.webinars.add("Webinar", capacity=1000).id) for _ in range(3)]
    columns = "kind text, event text, id text, email text, first_name text, last_name text"
    connection = psycopg2.connect(metadata.render_as_string(hide_password=False))
    with closing(connection), connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE attendees ({columns})")
        execute_values(
            cursor, "INSERT INTO attendees VALUES %s", [event + person for event in made for person in PEOPLE]
        )
    return made


def test_a_task_that_the_service_makes_wait_holds_no_slot_meanwhile(airflow, emulator, metadata):
    emulator.set_switches(write_limit=WRITE_LIMIT, write_window=WRITE_WINDOW, duplicate="second_record")
    emulator.add_fault("POST registrations", nth=21, times=3, status=429, retry_after=f"{WAIT:.0f}")
    with airflow.showing_logs():
        start(airflow, PATIENT_DAG)
        until("the task is deferred", lambda: states(metadata).get("enroll") == "deferred", 60)
        until("the task after it in the pool is through", lambda: is_passed_by(metadata), WAIT)
        pool = airflow.get(f"/pools/{POOL}")
        assert states(metadata)["enroll"] == "deferred"
        assert [pool[f"{kind}_slots"] for kind in ("deferred", "occupied", "running", "queued")] == [1, 0, 0, 0]
        state = until("the run has ended", lambda: end_of_the_run(airflow, PATIENT_DAG), WAIT + 60)

    before, after = around_the_wait(emulator)
    on_it = on_event(emulator, "webinar", emulator.webinar_id)
    assert state == "success"
    assert after[0].at - before[-1].at >= WAIT
    assert [sum(entry.effect == "enrolled" for entry in entries) for entries in (before, after)] == [27, 13]
    assert sorted(person for person, _ in on_it) == sorted(BY_EMAIL.values())
    assert {(row["id"], row["join_web_url"]) for row in xcom(airflow, PATIENT_DAG, "enroll")} == set(on_it)


def test_a_lost_worker_loses_nobody_and_doubles_nobody(airflow, emulator, events):
    with airflow.showing_logs():
        start(airflow, DAG)
        lost, interrupted = until(
            "a third is enrolled, and a task in the middle", lambda: in_the_middle(airflow, emulator), 120
        )
        airflow.kill(lost)
        state = until("the run has ended", lambda: end_of_the_run(airflow, DAG), 180)

        tasks = enrolling_tasks(airflow)
        assert state == "success"
        assert [tasks[event]["try_number"] > 1 for event in interrupted] == [True] * len(interrupted)
        assert {tasks[event]["hostname"] for event in interrupted} == set(WORKERS) - {lost}
        assert set(tasks) == set(events)
        for event, task in tasks.items():
            on_it = on_event(emulator, *event)
            rows = xcom(airflow, DAG, task["task_id"], task["map_index"])
            assert sorted(person for person, _ in on_it) == sorted(BY_EMAIL.values())
            assert len({link for _, link in on_it}) == len(PEOPLE)
            assert {(row["id"], row["join_web_url"]) for row in rows} == set(on_it)
            assert Counter(row["outcome"] for row in rows) == {"enrolled": len(PEOPLE)}
        assert not [entry for entry in emulator.store.journal if entry.status == 429]


def write_dags(folder):
    """Put both DAGs where Airflow looks for them, that of the how-to with less patience than one has in earnest."""
    text = HOW_TO.read_text().split("```python\n")[1].split("```")[0]
    assert PATIENCE in text
    (folder / f"{DAG}.py").write_text(text.replace(PATIENCE, LITTLE_PATIENCE))
    (folder / f"{PATIENT_DAG}.py").write_text(PATIENT)


def start(airflow, dag_id):
    """Start a run, once Airflow knows the DAG."""
    until("the DAG is there", lambda: is_there(airflow, dag_id), 60)
    airflow.post(f"/dags/{dag_id}/dagRuns", {"dag_run_id": RUN, "logical_date": None})


def is_there(airflow, dag_id):
    errors = airflow.get("/importErrors")["import_errors"]
    assert not errors, errors
    return airflow.get(f"/dags/{dag_id}")


def states(metadata):
    """Return the states of the tasks of the one-slot pool, as Airflow's database has them at one moment."""
    connection = psycopg2.connect(metadata.render_as_string(hide_password=False))
    with closing(connection), connection, connection.cursor() as cursor:
        cursor.execute("SELECT task_id, state FROM task_instance WHERE pool = %s", (POOL,))
        return dict(cursor.fetchall())


def is_passed_by(metadata):
    """Whether the other task of the pool is through while the one that waits still does."""
    now = states(metadata)
    assert now["enroll"] == "deferred"
    return now["neighbour"] == "success"


def around_the_wait(emulator):
    """Return what reached Entra and Graph up to the call that was refused, and what came later, each in its order."""
    entries = sorted([*emulator.store.journal, *emulator.store.sign_ins], key=lambda entry: entry.at)
    refused = [entry for entry in entries if entry.status == 429]
    (call,) = {entry.batch for entry in refused}
    last = max(entry.at for entry in entries if isinstance(entry, JournalEntry) and entry.batch == call)
    return [entry for entry in entries if entry.at <= last], [entry for entry in entries if entry.at > last]


def enrollments(emulator):
    return sum(entry.effect == "enrolled" for entry in emulator.store.journal)


def in_the_middle(airflow, emulator):
    """Return a worker and its events that have some of their people and not all, once a third of all are enrolled."""
    assert end_of_the_run(airflow, DAG) is None, "nothing was in the middle"
    if enrollments(emulator) < ALL / 3:
        return None
    found = defaultdict(list)
    for event, task in enrolling_tasks(airflow).items():
        if task["state"] == "running" and 0 < len(on_event(emulator, *event)) < len(PEOPLE):
            found[task["hostname"]].append(event)
    return max(found.items(), key=lambda worker: len(worker[1]), default=None)


def enrolling_tasks(airflow):
    """Return the task instances that enroll, once they have started, by kind and id of their event."""
    found = airflow.get(f"/dags/{DAG}/dagRuns/{RUN}/taskInstances", limit=100)["task_instances"]
    named = {(kind, task["rendered_fields"].get(f"{kind}_id")): task for task in found for kind in KINDS}
    return {event: task for event, task in named.items() if event[1]}


def on_event(emulator, kind, event):
    """Return who is on an event, as often as they are, each with their link."""
    if kind == "meeting":
        return [(one.id, one.join_web_url) for one in emulator.store.enrolled(event)]
    live = [one for one in emulator.store.webinars.registrations(event) if not one.is_canceled]
    return [(BY_EMAIL[one.email], one.join_web_url) for one in live]


def end_of_the_run(airflow, dag_id):
    state = airflow.get(f"/dags/{dag_id}/dagRuns/{RUN}")["state"]
    return state if state in ("success", "failed") else None


def xcom(airflow, dag_id, task_id, map_index=-1):
    path = f"/dags/{dag_id}/dagRuns/{RUN}/taskInstances/{task_id}/xcomEntries/return_value"
    value = airflow.get(path, map_index=map_index)["value"]
    return json.loads(value) if isinstance(value, str) else value
