from __future__ import annotations

import pytest

pytestmark = pytest.mark.airflow

DEFERRABLE = pytest.mark.parametrize("deferrable", [False, True], ids=["in the worker", "in the triggerer"])


def wait_until_open(emulator, meeting_id, **arguments):
    named = {"meeting_id": meeting_id, "organizer_id": emulator.organizer_id, "poke_interval": 0.2, **arguments}
    written = ", ".join(f"{name}={value!r}" for name, value in named.items())
    return f"RegistrationOpenSensor(task_id='is_open', {written})"


def asked(emulator):
    return [entry for entry in emulator.books.journal if entry.path.endswith("/registration")]


@DEFERRABLE
def test_an_open_registration_is_returned(run_dag, emulator, deferrable):
    run = run_dag(wait_until_open(emulator, emulator.meeting_id, deferrable=deferrable))
    registration = emulator.books.meeting(emulator.meeting_id).registration_id
    assert run.state == "success"
    assert run.xcoms[("is_open", "return_value")] == {"id": registration, "allowed_registrant": "everyone"}


@DEFERRABLE
def test_a_registration_that_opens_later_is_waited_for(run_dag, emulator, deferrable):
    emulator.add_fault("GET registration", times=3, status=404, code="NotFound")
    run = run_dag(wait_until_open(emulator, emulator.meeting_id, deferrable=deferrable))
    assert run.state == "success"
    assert [entry.status for entry in asked(emulator)] == [404, 404, 404, 200]


def test_another_audience_is_waited_out_until_the_timeout(run_dag, emulator):
    run = run_dag(wait_until_open(emulator, emulator.meeting_id, allowed_registrant="organization", timeout=1))
    assert run.tasks["is_open"] == "failed"
    assert len(asked(emulator)) > 1


def test_soft_fail_skips_after_the_timeout(run_dag, emulator):
    run = run_dag(wait_until_open(emulator, emulator.closed_meeting_id, timeout=1, soft_fail=True))
    assert run.tasks["is_open"] == "skipped"


@DEFERRABLE
def test_forbidden_fails_at_once_and_burns_no_retries(run_dag, emulator, deferrable):
    emulator.set_switches(application_access_policy=False)
    run = run_dag(wait_until_open(emulator, emulator.meeting_id, retries=2, deferrable=deferrable))
    assert run.tasks["is_open"] == "failed"
    assert run.tries["is_open"] == 1
    assert len(asked(emulator)) == 1


def test_forbidden_while_it_waits_fails_the_deferred_sensor(run_dag, emulator):
    emulator.add_fault("GET registration", nth=3, status=403, code="Forbidden")
    run = run_dag(wait_until_open(emulator, emulator.closed_meeting_id, retries=2, deferrable=True))
    assert run.tasks["is_open"] == "failed"
    assert run.tries["is_open"] == 1


@DEFERRABLE
def test_a_service_in_trouble_is_asked_again(run_dag, emulator, deferrable):
    emulator.add_fault("GET registration", times=5, status=503)
    run = run_dag(wait_until_open(emulator, emulator.meeting_id, deferrable=deferrable))
    assert run.state == "success"


def test_rescheduled_sensors_return_the_registration_too(run_dag, emulator):
    emulator.add_fault("GET registration", times=1, status=404, code="NotFound")
    run = run_dag(wait_until_open(emulator, emulator.meeting_id, mode="reschedule"))
    assert run.state == "success"
    assert run.xcoms[("is_open", "return_value")]["allowed_registrant"] == "everyone"


def test_an_unknown_audience_is_refused_before_the_first_call(run_dag, emulator):
    run = run_dag(wait_until_open(emulator, emulator.meeting_id, allowed_registrant="all", retries=2))
    assert run.tasks["is_open"] == "failed"
    assert run.tries["is_open"] == 1
    assert emulator.books.journal == []
