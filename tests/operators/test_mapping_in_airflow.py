"""What strangers typed into a form stays what they typed, however a task is mapped over it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

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
    return sorted(record.id for record in emulator.books.enrolled(emulator.meeting_id))


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
