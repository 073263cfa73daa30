"""A mapped task takes no value that it is mapped over for a template, and names its instances by their event."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from tests.run_dag import AIRFLOW, metadata_database

pytestmark = pytest.mark.airflow

TYPED = "{{ 6 * 7 }}"


def mapped(emulator, made, arguments):
    return f"""
    @task
    def events():
        return {made!r}

    EnrollRegistrantOperator.partial(
        task_id="enroll", meeting_id={emulator.meeting_id!r}, organizer_id={emulator.organizer_id!r}
    ).{arguments}
    """


def enrolled(emulator):
    return sorted(record.id for record in emulator.store.enrolled(emulator.meeting_id))


@pytest.mark.parametrize(
    "registrants",
    [
        pytest.param([{"id": TYPED}], id="a list of dicts"),
        pytest.param({"id": TYPED}, id="one dict"),
        pytest.param([TYPED], id="a list of ids"),
        pytest.param(json.dumps([{"id": TYPED}]), id="text of JSON"),
    ],
)
@pytest.mark.parametrize(
    "arguments", ["expand_kwargs(events())", "expand_kwargs(events().map(lambda event: dict(event)))"]
)
def test_what_is_mapped_over_is_never_taken_for_a_template(run_dag, emulator, registrants, arguments):
    run = run_dag(mapped(emulator, [{"registrants": registrants}], arguments))
    assert run.tasks["enroll"] == ["success"]
    assert enrolled(emulator) == [TYPED]


def test_what_an_author_writes_into_partial_is_a_template(run_dag, emulator):
    run = run_dag(
        f"""
        EnrollRegistrantOperator.partial(
            task_id="enroll", organizer_id={emulator.organizer_id!r}, registrants=[{{"id": {TYPED!r}}}]
        ).expand(meeting_id=[{emulator.meeting_id!r}])
        """
    )
    assert run.tasks["enroll"] == ["success"]
    assert enrolled(emulator) == ["42"]


@pytest.mark.parametrize("parameters", [{"who": TYPED}, [TYPED]], ids=["by name", "by place"])
def test_a_querys_parameters_are_no_templates_where_a_task_is_mapped_over_them(
    run_dag, emulator, tmp_path, monkeypatch, parameters
):
    path = tmp_path / "warehouse.db"
    with closing(sqlite3.connect(path)) as warehouse:
        warehouse.execute("CREATE TABLE attendees (id TEXT)")
        warehouse.executemany("INSERT INTO attendees VALUES (?)", [(TYPED,), ("42",)])
        warehouse.commit()
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "sqlite", "host": str(path)}))
    place = ":who" if isinstance(parameters, dict) else "?"
    given = {
        "task_id": "enroll",
        "sql": f"SELECT id FROM attendees WHERE id = {place}",
        "sql_conn_id": "warehouse",
        "organizer_id": emulator.organizer_id,
        "meeting_id": emulator.meeting_id,
    }
    run = run_dag(
        f"""
        @task
        def queries():
            return [{{"parameters": {parameters!r}}}]

        SqlToTeamsRegistrationOperator.partial(**{given!r}).expand_kwargs(queries())
        """
    )
    assert run.tasks["enroll"] == ["success"]
    assert enrolled(emulator) == [TYPED]


def names_of_instances(run):
    query = "SELECT rendered_map_index FROM task_instance WHERE dag_id = ? AND task_id = 'enroll' ORDER BY 1"
    with closing(sqlite3.connect(metadata_database())) as airflow:
        return [name for (name,) in airflow.execute(query, (run.dag_id,))]


@pytest.mark.skipif(AIRFLOW < (3, 0), reason="Airflow 2 takes the template from the task only")
@pytest.mark.parametrize(
    ("template", "names"),
    [
        pytest.param({}, ["Launch {{ 6 * 7 }}", "Retrospective"], id="none"),
        pytest.param({"map_index_template": "row {{ ti.map_index }}"}, ["row 0", "row 1"], id="the author's"),
    ],
)
def test_mapped_instances_have_the_name_of_their_event(run_dag, emulator, template, names):
    titles = ["Launch {{ 6 * 7 }}", "Retrospective"]
    meetings = [emulator.store.add_meeting(title, allowed_registrant="everyone").id for title in titles]
    given = {"task_id": "enroll", "organizer_id": emulator.organizer_id, "registrants": ["crm-1", ""], **template}

    run = run_dag(f"EnrollRegistrantOperator.partial(**{given!r}).expand(meeting_id={meetings!r})")

    assert run.tasks["enroll"] == ["failed", "failed"]
    assert names_of_instances(run) == names
