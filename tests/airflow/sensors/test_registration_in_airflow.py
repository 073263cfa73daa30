from __future__ import annotations

import threading

import pytest

from tests.run_dag import task_text

pytestmark = pytest.mark.airflow

DEFERRABLE = pytest.mark.parametrize("deferrable", [False, True], ids=["in the worker", "in the triggerer"])


WAYS_TO_WAIT = pytest.mark.parametrize(
    "way",
    [{}, {"mode": "reschedule"}, {"deferrable": True}],
    ids=["in the worker", "rescheduled", "deferred"],
)


def wait_until_open(emulator, meeting_id, **arguments):
    named = {"meeting_id": meeting_id, "organizer_id": emulator.organizer_id, "poke_interval": 0.2, **arguments}
    written = ", ".join(f"{name}={value!r}" for name, value in named.items())
    return f"RegistrationOpenSensor(task_id='is_open', {written})"


def wait_until_published(webinar_id, **arguments):
    return task_text("RegistrationOpenSensor", "is_open", webinar_id=webinar_id, poke_interval=0.05, **arguments)


def asked(emulator):
    return [entry for entry in emulator.store.journal if entry.path.endswith("/registration")]


@DEFERRABLE
def test_an_open_registration_is_returned(run_dag, emulator, deferrable):
    run = run_dag(wait_until_open(emulator, emulator.meeting_id, deferrable=deferrable))
    registration = emulator.store.meeting(emulator.meeting_id).registration_id
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
    assert emulator.store.journal == []


def looks(emulator):
    return [entry.status for entry in emulator.store.journal if "/webinars/" in entry.path]


@pytest.fixture
def once_looked(emulator):
    """Do something once the sensor has looked at a webinar so many times, and goes on waiting."""
    ended = threading.Event()
    watchers = []

    def act(action, times=2):
        def watch():
            while not ended.wait(0.01):
                if len(looks(emulator)) >= times:
                    action()
                    return

        watchers.append(threading.Thread(target=watch))
        watchers[-1].start()

    yield act
    ended.set()
    for watcher in watchers:
        watcher.join()


@WAYS_TO_WAIT
def test_a_published_webinar_is_returned(run_dag, emulator, way):
    run = run_dag(wait_until_published(emulator.webinar_id, **way))
    assert run.state == "success"
    assert run.xcoms[("is_open", "return_value")] == {"id": emulator.webinar_id, "status": "published"}
    assert looks(emulator) == [200]


@WAYS_TO_WAIT
def test_a_draft_is_waited_for_until_it_is_published(run_dag, emulator, once_looked, way):
    once_looked(lambda: emulator.store.webinars.publish(emulator.draft_webinar_id))
    run = run_dag(wait_until_published(emulator.draft_webinar_id, timeout=30, **way))
    assert run.state == "success"
    assert run.xcoms[("is_open", "return_value")] == {"id": emulator.draft_webinar_id, "status": "published"}
    assert len(looks(emulator)) > 2


@pytest.mark.parametrize(
    ("event", "switches", "said"),
    [
        ("canceled_webinar_id", {}, "The webinar was cancelled. Nobody can publish it any more."),
        (None, {}, "404"),
        ("draft_webinar_id", {"application_access_policy": False}, "VirtualEvent.Read.All with an application access"),
        ("draft_webinar_id", {"roles": "OnlineMeetings.ReadWrite.All"}, "VirtualEvent.Read.All with an application"),
    ],
    ids=["cancelled", "not there", "no access policy", "no permission"],
)
@WAYS_TO_WAIT
def test_a_webinar_that_waiting_will_not_open_fails_at_once(run_dag, emulator, capfd, way, event, switches, said):
    emulator.set_switches(**switches)
    webinar_id = getattr(emulator, event) if event else "nobody-made-this-one"
    run = run_dag(wait_until_published(webinar_id, retries=2, **way))
    assert (run.tasks["is_open"], run.tries["is_open"]) == ("failed", 1)
    assert said in "".join(capfd.readouterr())
    assert len(looks(emulator)) == 1


@WAYS_TO_WAIT
def test_a_webinar_that_is_called_off_while_it_is_waited_for_ends_the_waiting(
    run_dag, emulator, once_looked, capfd, way
):
    once_looked(lambda: emulator.store.webinars.call_off(emulator.draft_webinar_id))
    run = run_dag(wait_until_published(emulator.draft_webinar_id, timeout=30, retries=2, **way))
    assert (run.tasks["is_open"], run.tries["is_open"]) == ("failed", 1)
    assert "The webinar was cancelled" in "".join(capfd.readouterr())


def test_a_permission_that_is_taken_away_while_it_waits_fails_the_deferred_sensor(run_dag, emulator, capfd):
    emulator.add_fault("GET webinars/*", nth=3, status=403, code="Forbidden")
    run = run_dag(wait_until_published(emulator.draft_webinar_id, timeout=30, retries=2, deferrable=True))
    assert (run.tasks["is_open"], run.tries["is_open"]) == ("failed", 1)
    assert "VirtualEvent.Read.All" in "".join(capfd.readouterr())


@WAYS_TO_WAIT
def test_a_service_in_trouble_is_asked_again_about_a_webinar(run_dag, emulator, no_backoff, way):
    emulator.add_fault("GET webinars/*", times=5, status=503)
    assert run_dag(wait_until_published(emulator.webinar_id, **way)).state == "success"
    assert looks(emulator) == [503] * 5 + [200]


@pytest.mark.parametrize(("soft_fail", "state"), [(False, "failed"), (True, "skipped")], ids=["fails", "skips"])
@pytest.mark.parametrize("way", [{}, {"mode": "reschedule"}], ids=["in the worker", "rescheduled"])
def test_the_timeout_ends_the_waiting_for_a_webinar(run_dag, emulator, way, soft_fail, state):
    text = wait_until_published(emulator.draft_webinar_id, timeout=2, retries=2, soft_fail=soft_fail, **way)
    run = run_dag(text)
    assert (run.tasks["is_open"], run.tries["is_open"]) == (state, 1)
    assert len(looks(emulator)) > 1


@pytest.mark.parametrize("event", ["meeting", "webinar"])
@WAYS_TO_WAIT
def test_soft_fail_skips_where_waiting_cannot_help(run_dag, emulator, way, event):
    emulator.set_switches(application_access_policy=False)
    if event == "webinar":
        text = wait_until_published(emulator.draft_webinar_id, soft_fail=True, **way)
    else:
        text = wait_until_open(emulator, emulator.closed_meeting_id, soft_fail=True, **way)
    assert run_dag(text).tasks["is_open"] == "skipped"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"allowed_registrant": "everyone"}, "allowed_registrant is given and the event is a webinar"),
        ({"webinar_id": "{{ none or '' }}"}, "No event is given"),
    ],
    ids=["an audience", "no event"],
)
def test_arguments_that_make_no_sense_of_a_webinar_are_refused_before_the_first_call(
    run_dag, emulator, capfd, arguments, said
):
    run = run_dag(wait_until_published(**{"webinar_id": emulator.webinar_id, "retries": 2, **arguments}))
    assert (run.tasks["is_open"], run.tries["is_open"]) == ("failed", 1)
    assert said in "".join(capfd.readouterr())
    assert emulator.store.journal == []
