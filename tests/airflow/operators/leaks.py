"""People who may show up nowhere, and what Airflow shows and stores."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing

import pytest

from tests.run_dag import metadata_database, said_by_tasks

CANARIES = re.compile(r"canary|organizer@|prid|eyJ[\w-]+\.|emulator-client-secret|emulator-(?:refresh|rotated)-token")
SAID_AT_DEBUG = "Graph answered 200 to a POST, client-request-id"
LINK = "https://teams.microsoft.com/l/meetup-join/x?context=prid"
KINDS = pytest.mark.parametrize("kind", ["meeting", "webinar"])
WAYS_TO_WAIT = pytest.mark.parametrize(
    "way",
    [{}, {"mode": "reschedule"}, {"deferrable": True}],
    ids=["in the worker", "rescheduled", "deferred"],
)


def connection_in_a_hurry(emulator, auth="client_secret"):
    """The emulator's limiter is off; nor need a webinar's writes be spread over half a minute."""
    connection = emulator.connection(auth)
    connection["extra"]["write_limit"] = 1000
    return json.dumps(connection)


def event(emulator, kind):
    """Arguments that name an event; where they are none, it is the meeting that tasks take by default."""
    form = {"preferred_timezone": "Europe/Rome", "preferred_language": "en-us"}
    return {"webinar_id": emulator.webinar_id, **form} if kind == "webinar" else {}


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
