from __future__ import annotations

import asyncio
import importlib
import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest


@pytest.fixture
def deferred(emulator, monkeypatch):
    """A sensor for an event that is not open, and what it left with the triggerer."""
    from airflow.providers.common.compat.sdk import TaskDeferred

    from airflow_provider_teams_registration.sensors.registration import RegistrationOpenSensor

    monkeypatch.setenv("AIRFLOW_CONN_TEAMS_REGISTRATION_DEFAULT", json.dumps(emulator.connection()))

    def defer(kind="meeting", **arguments):
        event = {"meeting_id": emulator.closed_meeting_id, "organizer_id": emulator.organizer_id}
        if kind == "webinar":
            event = {"webinar_id": emulator.draft_webinar_id}
        sensor = RegistrationOpenSensor(
            task_id="is_open", **event, poke_interval=0.05, timeout=7200, deferrable=True, **arguments
        )
        with pytest.raises(TaskDeferred) as raised:
            sensor.execute({})
        return sensor, raised.value

    return defer


def test_the_triggerer_gives_up_when_the_sensor_would(deferred):
    _, left = deferred()
    assert left.timeout == timedelta(hours=2)


@pytest.mark.parametrize(
    ("soft_fail", "raised"), [(False, "AirflowException"), (True, "AirflowSkipException")], ids=["fails", "skips"]
)
def test_a_wait_that_timed_out_ends_as_a_sensor_does(deferred, soft_fail, raised):
    from airflow.providers.common.compat import sdk

    sensor, _ = deferred(soft_fail=soft_fail)
    with pytest.raises(getattr(sdk, raised)):
        sensor.resume_execution("__fail__", {"error": "Trigger timeout"}, {})


def open_meeting(emulator):
    emulator.store.open(emulator.closed_meeting_id, "everyone")


def publish_webinar(emulator):
    emulator.store.webinars.publish(emulator.draft_webinar_id)


@pytest.mark.parametrize(
    ("kind", "open_it", "found"),
    [
        ("meeting", open_meeting, ("allowed_registrant", "everyone")),
        ("webinar", publish_webinar, ("status", "published")),
    ],
    ids=["meeting", "webinar"],
)
def test_a_trigger_made_again_after_a_restart_still_finds_the_opening(deferred, emulator, kind, open_it, found):
    _, left = deferred(kind)
    path, arguments = left.trigger.serialize()
    module, _, name = path.rpartition(".")
    again = getattr(__import__(module, fromlist=[name]), name)(**json.loads(json.dumps(arguments)))

    async def wait_for_event():
        events = again.run()
        event = asyncio.ensure_future(events.__anext__())
        await asyncio.wait_for(looked_twice(), 10)
        open_it(emulator)
        return await asyncio.wait_for(event, 10)

    async def looked_twice():
        while not emulator.store.journal[2:]:
            await asyncio.sleep(0.01)

    name, value = found
    assert asyncio.run(wait_for_event()).payload["registration"][name] == value


def test_a_wait_that_the_service_asks_for_holds_no_thread_of_the_triggerer(deferred, emulator):
    _, left = deferred()
    emulator.add_fault("GET registration", times=0, status=429, retry_after="5")
    arguments = left.trigger.serialize()[1]
    # Triggers of one event share their reads.
    others = [type(left.trigger)(**arguments | {"meeting_id": f"meeting{number}"}) for number in range(7)]
    triggers = [left.trigger, *others]

    async def others_go_on():
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2))
        waits = [asyncio.ensure_future(trigger.run().__anext__()) for trigger in triggers]
        while len(emulator.store.journal) < 1 + len(triggers):
            await asyncio.sleep(0.01)
        await asyncio.to_thread(lambda: None)
        for wait in waits:
            wait.cancel()

    asyncio.run(asyncio.wait_for(others_go_on(), 20))
    # Nobody asked once more before the time was over.
    assert len(emulator.store.journal) == 1 + len(triggers)


def test_a_sensor_ends_in_time_whatever_patience_the_service_asks_for(emulator, monkeypatch):
    from airflow.providers.common.compat.sdk import AirflowSensorTimeout

    from airflow_provider_teams_registration.sensors.registration import RegistrationOpenSensor

    monkeypatch.setenv("AIRFLOW_CONN_TEAMS_REGISTRATION_DEFAULT", json.dumps(emulator.connection()))
    emulator.add_fault("GET registration", times=0, status=429, retry_after="60")
    sensor = RegistrationOpenSensor(
        task_id="is_open",
        meeting_id=emulator.meeting_id,
        organizer_id=emulator.organizer_id,
        poke_interval=0.05,
        timeout=0.5,
    )
    asked_at = time.monotonic()

    with pytest.raises(AirflowSensorTimeout):
        sensor.execute({})

    assert time.monotonic() - asked_at < 10


def redacted(text):
    """What Airflow's masker makes of a text."""
    for home in ("airflow.sdk._shared.secrets_masker", "airflow.sdk.execution_time.secrets_masker"):
        try:
            return importlib.import_module(home).redact(text)
        except (ImportError, AttributeError):
            continue
    return importlib.import_module("airflow.utils.log.secrets_masker").redact(text)


@pytest.fixture
def trigger_class():
    """The trigger's class, loaded before the test: Airflow sets logging up then."""
    from airflow_provider_teams_registration.triggers.registration import RegistrationOpenTrigger

    return RegistrationOpenTrigger


def test_a_connection_that_is_missing_in_the_triggerer_ends_the_wait(trigger_class):
    trigger = trigger_class(conn_id="nowhere", poll_interval=1, webinar_id="w")

    found = asyncio.run(asyncio.wait_for(anext(trigger.run()), 10))

    assert "airflow connections add nowhere" in found.payload["failure"]


@pytest.mark.parametrize("kind", ["meeting", "webinar"])
def test_a_refresh_token_that_is_rotated_in_the_triggerer_is_masked_and_told_of(
    trigger_class, emulator, monkeypatch, caplog, kind
):
    event = {"meeting_id": emulator.meeting_id} if kind == "meeting" else {"webinar_id": emulator.webinar_id}
    monkeypatch.setenv("AIRFLOW_CONN_TEAMS_REGISTRATION_DEFAULT", json.dumps(emulator.connection("refresh_token")))
    emulator.set_switches(rotate_refresh_tokens="on")
    before = set(emulator.store.refresh_tokens)
    trigger = trigger_class(conn_id="teams_registration_default", poll_interval=1, **event)

    found = asyncio.run(asyncio.wait_for(anext(trigger.run()), 10))

    (rotated,) = emulator.store.refresh_tokens - before
    assert "registration" in found.payload
    assert [
        record.levelname for record in caplog.records if "has rotated the refresh token" in record.getMessage()
    ] == ["WARNING"]
    assert rotated not in caplog.text
    assert redacted(f"the token {rotated}.") == "the token ***."
