"""An event's argument takes a join URL, which is looked up once and shown nowhere."""

from __future__ import annotations

import json
import logging
import sqlite3
from contextlib import closing
from urllib.parse import quote

import pytest

from tests.run_dag import enroll_text, metadata_database, task_text

pytestmark = pytest.mark.airflow

PERSON = {
    "email": "ada@example.org",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "preferred_timezone": "Europe/Rome",
    "preferred_language": "en-us",
}
SAFE = "https://eur01.safelinks.protection.outlook.com/?url={}&reserved=0"
SHOWN = ("meetup-join", "safelinks", "thread.v2")


@pytest.fixture
def webinar_link(emulator):
    """The webinar's own link."""
    return emulator.store.webinars.webinar(emulator.webinar_id).join_web_url


@pytest.fixture
def rendered_link(monkeypatch, webinar_link):
    """A template that renders to the webinar's link, as a mail program wrapped it."""
    monkeypatch.setenv("AIRFLOW_VAR_LINK", SAFE.format(quote(webinar_link, safe="")))
    return "{{ var.value.link }}"


def lists(emulator):
    return [entry.path for entry in emulator.store.journal if entry.path.endswith("/webinars")]


def of_dag(dag_id):
    """What Airflow stored of a DAG, but for XCom and its source."""
    with closing(sqlite3.connect(metadata_database())) as airflow:
        present = {name for (name,) in airflow.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        tables = {"rendered_task_instance_fields", "serialized_dag", "task_instance"} & present
        found = [airflow.execute(f"SELECT * FROM {table} WHERE dag_id = ?", (dag_id,)).fetchall() for table in tables]
        whole = {"trigger", "log", "rtif_v2"} & present
        return str(found + [airflow.execute(f"SELECT * FROM {table}").fetchall() for table in whole])


def test_tasks_that_name_a_webinar_by_link_and_by_id_share_the_event(
    run_dag, emulator, ledger, capfd, caplog, webinar_link, rendered_link
):
    caplog.set_level(logging.INFO)
    first = enroll_text(emulator, [PERSON], webinar_id=rendered_link, ledger_conn_id="ledger")
    second = enroll_text(emulator, [PERSON], webinar_id=emulator.webinar_id, ledger_conn_id="ledger")
    third = task_text(
        "CancelRegistrantOperator",
        "cancel",
        {"registrants": "['ada@example.org']"},
        webinar_id=webinar_link,
        ledger_conn_id="ledger",
    )
    run = run_dag(
        f"""
        first = {first}
        second = {second.replace("'enroll'", "'again'")}
        third = {third}
        first >> second >> third
        """
    )
    said = "".join(capfd.readouterr()) + caplog.text

    assert run.tasks == {"enroll": "success", "again": "success", "cancel": "success"}
    assert run.summary("again")["outcomes"] == {"already_enrolled": 1}
    assert ledger.ask("SELECT outcome FROM teams_registration_ledger") == [("cancelled",)]
    assert len(lists(emulator)) == 2
    assert "The link in webinar_id leads to the webinar 'Open webinar', from 2027-03-01T09:00:00Z" in said
    assert f"Its id is {emulator.webinar_id}." in said
    assert [one for one in SHOWN if one in said or one in of_dag(run.dag_id)] == []


def test_a_meeting_is_opened_awaited_and_closed_by_its_link(run_dag, emulator, capfd):
    link = emulator.store.meeting(emulator.closed_meeting_id).join_web_url
    event = {"meeting_id": link, "organizer_id": emulator.organizer_id}
    run = run_dag(
        f"""
        opened = {task_text("OpenRegistrationOperator", "open", **event)}
        wait = {task_text("RegistrationOpenSensor", "wait", **event)}
        close = {task_text("CloseRegistrationOperator", "close", **event)}
        opened >> wait >> close
        """
    )
    said = "".join(capfd.readouterr())

    assert run.tasks == {"open": "success", "wait": "success", "close": "success"}
    assert [one for one in SHOWN if one in said or one in of_dag(run.dag_id)] == []


def test_a_link_that_leads_nowhere_fails_without_showing_it(run_dag, emulator, capfd):
    link = "https://teams.microsoft.com/l/meetup-join/19%3ameeting_canary%40thread.v2/0"
    tasks = [
        task_text("PublishWebinarOperator", "publish", webinar_id=link, retries=2),
        task_text("RegistrationOpenSensor", "wait", webinar_id=link, retries=2),
        enroll_text(emulator, [PERSON], webinar_id=link, retries=2),
    ]
    run = run_dag("\n".join(tasks))
    said = "".join(capfd.readouterr())

    assert set(run.tasks.values()) == {"failed"}
    assert set(run.tries.values()) == {1}
    assert said.count("The link leads to no webinar") >= 3
    assert "webinar_id (it looks like a join URL)" in said
    assert "canary" not in said


@pytest.mark.parametrize("is_mapped", [True, False], ids=["mapped", "XCom"])
def test_a_link_of_another_task_is_looked_up_when_the_task_runs(run_dag, emulator, webinar_link, is_mapped):
    mapped = "EnrollRegistrantOperator.partial(task_id='enroll', registrants=[{0!r}]).expand(webinar_id=links())"
    plain = "EnrollRegistrantOperator(task_id='enroll', registrants=[{0!r}], webinar_id=links())"
    run = run_dag(
        f"""
        @task
        def links():
            return {[webinar_link] if is_mapped else webinar_link!r}

        {(mapped if is_mapped else plain).format(PERSON)}
        """
    )

    assert run.state == "success"
    assert [one.email for one in emulator.store.webinars.registrations(emulator.webinar_id)] == [PERSON["email"]]


def test_a_deferral_carries_the_id_and_the_link_is_not_looked_up_again(
    run_dag, emulator, ledger, capfd, monkeypatch, rendered_link
):
    connection = emulator.connection()
    connection["extra"] |= {"write_limit": 5, "write_window": 6.0}
    monkeypatch.setenv("AIRFLOW_CONN_TEAMS_REGISTRATION_DEFAULT", json.dumps(connection))
    people = [PERSON | {"email": f"person{number}@example.org"} for number in range(8)]

    run = run_dag(
        enroll_text(emulator, people, webinar_id=rendered_link, ledger_conn_id="ledger", deferrable=True, defer_over=1)
    )

    assert run.state == "success"
    assert "Deferring the task" in "".join(capfd.readouterr())
    assert run.summary()["outcomes"] == {"enrolled": 8}
    assert len(lists(emulator)) == 1


def test_a_trigger_gets_the_id_and_no_link(emulator, webinar_link, monkeypatch):
    from airflow.providers.common.compat.sdk import TaskDeferred

    from airflow_provider_teams_registration.sensors.registration import RegistrationOpenSensor

    monkeypatch.setenv("AIRFLOW_CONN_TEAMS_REGISTRATION_DEFAULT", json.dumps(emulator.connection()))
    link = webinar_link.replace(emulator.webinar_id.partition("@")[0], emulator.draft_webinar_id.partition("@")[0])
    sensor = RegistrationOpenSensor(task_id="wait", webinar_id=link, deferrable=True)
    with pytest.raises(TaskDeferred) as deferred:
        sensor.execute({})

    _, kept = deferred.value.trigger.serialize()
    assert kept["webinar_id"] == emulator.draft_webinar_id
    assert "meetup-join" not in str(kept)
