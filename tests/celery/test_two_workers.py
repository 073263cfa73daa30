"""The DAG of docs/scaling.md on two Celery workers, one of which is lost in the middle."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from psycopg2.extras import execute_values

from tests.celery.airflow_cluster import airflow_cluster
from tests.celery.services import own_postgres_database, own_redis_database
from tests.celery.until import until
from tests.run_dag import HAS_TASK_STATE_STORE

pytestmark = [
    pytest.mark.airflow,
    pytest.mark.skipif(not HAS_TASK_STATE_STORE, reason="written for the settings of Airflow 3.3"),
]

HOW_TO = Path(__file__).parents[2] / "docs" / "scaling.md"
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
KINDS = ("meeting", "webinar")
WORKERS = ("worker-one", "worker-two")
PEOPLE = [(f"crm-{number}", f"person{number}@example.org", "Person", str(number)) for number in range(1, 41)]
BY_EMAIL = {email: person for person, email, *_ in PEOPLE}
WRITE_LIMIT, WRITE_WINDOW = 15, 1.0
ALL = 6 * len(PEOPLE)


@pytest.fixture
def metadata():
    with own_postgres_database() as url:
        yield url


@pytest.fixture
def broker():
    with own_redis_database() as url:
        yield url


@pytest.fixture
def events(emulator, metadata):
    """Kinds and ids of three meetings and three webinars; the warehouse has forty people for each."""
    emulator.set_switches(latency=0.5, write_limit=WRITE_LIMIT, write_window=WRITE_WINDOW, duplicate="second_record")
    books = emulator.books
    made = [("meeting", books.add_meeting("Meeting", allowed_registrant="everyone").id) for _ in range(3)]
    made += [("webinar", books.webinars.add("Webinar", capacity=1000).id) for _ in range(3)]
    columns = "kind text, event text, id text, email text, first_name text, last_name text"
    connection = psycopg2.connect(metadata.render_as_string(hide_password=False))
    with closing(connection), connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE attendees ({columns})")
        execute_values(
            cursor, "INSERT INTO attendees VALUES %s", [event + person for event in made for person in PEOPLE]
        )
    return made


@pytest.fixture
def environment(emulator, metadata):
    """Connections, a variable, and timeouts that let a lost worker's tasks go on soon."""
    connection = emulator.connection()
    connection["extra"] |= {"write_limit": WRITE_LIMIT, "write_window": WRITE_WINDOW}
    warehouse = metadata.set(drivername="postgres").render_as_string(hide_password=False)
    return {
        **SOON,
        "AIRFLOW_CONN_TEAMS_REGISTRATION_DEFAULT": json.dumps(connection),
        "AIRFLOW_CONN_WAREHOUSE": warehouse,
        "AIRFLOW_VAR_TEAMS_ORGANIZER_ID": emulator.organizer_id,
    }


def test_a_lost_worker_loses_nobody_and_doubles_nobody(tmp_path, metadata, broker, emulator, events, environment):
    with airflow_cluster(tmp_path, metadata, broker, environment) as airflow:
        write_dag(tmp_path / "dags" / f"{DAG}.py")
        airflow.start(WORKERS, concurrency=2)
        airflow.post("/pools", {"name": "teams_webinars", "slots": 1})
        until("the DAG is there", lambda: is_there(airflow), 60)
        airflow.post(f"/dags/{DAG}/dagRuns", {"dag_run_id": RUN, "logical_date": None})

        lost, interrupted = until(
            "a third is enrolled, and a task in the middle", lambda: in_the_middle(airflow, emulator), 120
        )
        airflow.kill(lost)
        state = until("the run has ended", lambda: end_of_the_run(airflow), 180)

        tasks = enrolling_tasks(airflow)
        assert state == "success"
        assert [tasks[event]["try_number"] > 1 for event in interrupted] == [True] * len(interrupted)
        assert {tasks[event]["hostname"] for event in interrupted} == set(WORKERS) - {lost}
        assert set(tasks) == set(events)
        for event, task in tasks.items():
            on_it = on_event(emulator, *event)
            rows = xcom(airflow, task["task_id"], task["map_index"])
            assert sorted(person for person, _ in on_it) == sorted(BY_EMAIL.values())
            assert len({link for _, link in on_it}) == len(PEOPLE)
            assert {(row["id"], row["join_web_url"]) for row in rows} == set(on_it)
            assert Counter(row["outcome"] for row in rows) == {"enrolled": len(PEOPLE)}
        assert not [entry for entry in emulator.books.journal if entry.status == 429]


def write_dag(path):
    """Put the how-to's DAG where Airflow looks for it, with less patience than one has in earnest."""
    text = HOW_TO.read_text().split("```python\n")[1].split("```")[0]
    assert PATIENCE in text
    path.write_text(text.replace(PATIENCE, LITTLE_PATIENCE))


def is_there(airflow):
    errors = airflow.get("/importErrors")["import_errors"]
    assert not errors, errors
    return airflow.get(f"/dags/{DAG}")


def enrollments(emulator):
    return sum(entry.effect == "enrolled" for entry in emulator.books.journal)


def in_the_middle(airflow, emulator):
    """Return a worker and its events that have some of their people and not all, once a third of all are enrolled."""
    assert end_of_the_run(airflow) is None, "nothing was in the middle"
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
        return [(one.id, one.join_web_url) for one in emulator.books.enrolled(event)]
    live = [one for one in emulator.books.webinars.registrations(event) if not one.is_canceled]
    return [(BY_EMAIL[one.email], one.join_web_url) for one in live]


def end_of_the_run(airflow):
    state = airflow.get(f"/dags/{DAG}/dagRuns/{RUN}")["state"]
    return state if state in ("success", "failed") else None


def xcom(airflow, task_id, map_index=-1):
    path = f"/dags/{DAG}/dagRuns/{RUN}/taskInstances/{task_id}/xcomEntries/return_value"
    value = airflow.get(path, map_index=map_index)["value"]
    return json.loads(value) if isinstance(value, str) else value
