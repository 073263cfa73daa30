"""Waiting for people and cancelling them shows nothing personal in logs or in Airflow's tables."""

from __future__ import annotations

import re

import pytest

from tests.airflow.operators.leaks import LINK, PEOPLE, SAID_AT_DEBUG, WAYS_TO_WAIT, shown_of
from tests.run_dag import task_text

pytestmark = pytest.mark.airflow


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
