from __future__ import annotations

import json
import threading
import time
from datetime import timedelta

import pytest

from tests.run_dag import enroll_text, task_text

pytestmark = pytest.mark.airflow

WAYS_TO_WAIT = pytest.mark.parametrize(
    "way",
    [{}, {"mode": "reschedule"}, {"deferrable": True}],
    ids=["in the worker", "rescheduled", "deferred"],
)
LONG = 600
"""Seconds until a person who does not show is not registered, longer than a test waits."""
ROWS = [{"id": f"crm-{number}", "email": f"person{number}@example.org", "city": "Bern"} for number in range(1, 5)]


def wait_for(emulator, registrants, webinar_id=None, absent_for=0.3, **arguments):
    """The sensor, which looks less long than usual for people who do not show."""
    quick = {"absent_for": absent_for, "link_pauses": (0.01, 0.01)}
    sensor = f"type('QuickSensor', (RegistrantStatusSensor,), {quick})"
    given = {"registrants": registrants if isinstance(registrants, str) else repr(registrants)}
    named = {"webinar_id": webinar_id or emulator.webinar_id, "poke_interval": 0.05, "timeout": 30, **arguments}
    return task_text(sensor, "wait", given, **named)


@pytest.fixture
def register(emulator):
    """Somebody else registers the people of the rows, each with a status."""

    def add(*statuses, webinar_id=emulator.webinar_id):
        webinars = emulator.store.webinars
        return [
            webinars.register(webinar_id, row["email"], status, external_registration_id=row["id"])
            for row, status in zip(ROWS, statuses, strict=False)
        ]

    return add


@pytest.fixture
def links(emulator):
    """The links of those who have a seat, by address."""

    def read(webinar_id=emulator.webinar_id):
        return {one.email: one.join_web_url for one in emulator.store.webinars.registered(webinar_id)}

    return read


@pytest.fixture
def once_waiting(emulator):
    """Do something once the sensor has looked and goes on waiting: only then it looks at the webinar itself."""
    ended = threading.Event()
    watchers = []

    def act(action, webinar_id=emulator.webinar_id, looks=1):
        def waits():
            journal = list(emulator.store.journal)
            looked = [entry for entry in journal if entry.path.partition("/webinars/")[2].count("/") == 0]
            return len([entry for entry in looked if entry.method == "GET" and "webinars/" in entry.path]) >= looks

        def watch():
            while not ended.wait(0.01):
                if waits():
                    action()
                    return

        watchers.append(threading.Thread(target=watch))
        watchers[-1].start()

    yield act
    ended.set()
    for watcher in watchers:
        watcher.join()


@WAYS_TO_WAIT
def test_people_who_get_in_later_are_waited_for_and_returned_with_their_links(
    run_dag, emulator, register, links, once_waiting, way
):
    webinars = emulator.store.webinars
    _, waitlisted, pending = register("registered", "waitlisted", "pendingApproval")

    def let_in():
        webinars.promote(emulator.webinar_id, waitlisted.id)
        webinars.approve(emulator.webinar_id, pending.id)

    once_waiting(let_in)
    run = run_dag(wait_for(emulator, ROWS[:3], **way))
    assert run.state == "success"
    assert run.rows("wait") == [
        {**row, "outcome": "enrolled", "join_web_url": links()[row["email"]], "error": None} for row in ROWS[:3]
    ]
    assert len(set(links().values())) == 3
    assert run.rendered["wait"]["registrants"] == "3 registrants"


@WAYS_TO_WAIT
def test_what_the_enrolling_task_returned_is_handed_over_as_it_is(run_dag, emulator, links, once_waiting, way):
    webinar_id = emulator.waitlist_webinar_id
    webinars = emulator.store.webinars
    people = [{**row, "first_name": "Person", "last_name": row["id"]} for row in ROWS]
    form = {"preferred_timezone": "Europe/Rome", "preferred_language": "en-us"}

    def let_in():
        (last,) = [one for one in webinars.registrations(webinar_id) if one.status == "waitlisted"]
        webinars.promote(webinar_id, last.id)

    once_waiting(let_in, webinar_id, looks=2)
    run = run_dag(
        f"""
        enrolled = {enroll_text(emulator, people, webinar_id=webinar_id, **form)}
        {wait_for(emulator, "enrolled.output", webinar_id, **way)}
        """
    )
    assert [row["outcome"] for row in run.rows()] == ["enrolled"] * 3 + ["waitlisted"]
    assert [list(row) for row in run.rows("wait")] == [list(row) for row in run.rows()]
    assert [row["outcome"] for row in run.rows("wait")] == ["enrolled"] * 4
    assert [row["join_web_url"] for row in run.rows("wait")] == [links(webinar_id)[row["email"]] for row in ROWS]
    assert run.summary("wait")["outcomes"] == {"enrolled": 4}
    assert run.summary("wait")["event"] == run.summary()["event"]


def test_a_result_that_was_too_long_for_xcom_is_read_from_its_ledger(run_dag, emulator, tmp_path, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_LEDGER", json.dumps({"conn_type": "sqlite", "host": str(tmp_path / "ledger.db")}))
    people = [{**row, "first_name": "Person", "last_name": row["id"]} for row in ROWS]
    webinar = {"webinar_id": emulator.webinar_id, "preferred_timezone": "UTC", "preferred_language": "en-us"}
    run = run_dag(
        f"""
        enrolled = {enroll_text(emulator, people, ledger_conn_id="ledger", xcom_limit=2, **webinar)}
        {wait_for(emulator, "enrolled.output")}
        """
    )
    assert run.xcoms[("enroll", "return_value")]["rows"] == 4
    assert [row["email"] for row in run.rows("wait")] == [row["email"] for row in ROWS]
    assert all(row["join_web_url"] for row in run.rows("wait"))


@WAYS_TO_WAIT
def test_nobody_who_will_not_get_in_is_waited_for(run_dag, emulator, register, way):
    register("rejectedByOrganizer", "canceled", "somethingNew")
    run = run_dag(wait_for(emulator, ROWS, **way))
    outcomes = {row["email"]: (row["outcome"], row["join_web_url"], row["error"]) for row in run.rows("wait")}
    assert run.state == "success"
    assert outcomes == {
        "person1@example.org": ("declined", None, None),
        "person2@example.org": ("cancelled", None, "taken off the webinar"),
        "person3@example.org": (
            "unknown",
            None,
            "Graph shows a registration status that this version does not know",
        ),
        "person4@example.org": ("rejected", None, "not registered for the webinar"),
    }


def test_where_the_list_may_not_be_read_a_cancelled_registration_leaves_unknown_and_is_not_waited_for(
    run_dag, emulator, register
):
    emulator.set_switches(application_may_list_registrations=False)
    register("registered", "canceled")
    run = run_dag(wait_for(emulator, ROWS[:3]))
    # A cancelled registration that a look-up by address shows may hide a newer one; the list would tell.
    assert [row["outcome"] for row in run.rows("wait")] == ["enrolled", "unknown", "rejected"]


def test_whoever_is_rejected_while_others_wait_ends_the_waiting_for_themselves(
    run_dag, emulator, register, once_waiting
):
    webinars = emulator.store.webinars
    first, second = register("pendingApproval", "pendingApproval")

    def decide():
        webinars.reject(emulator.webinar_id, first.id)
        webinars.cancel(emulator.webinar_id, second.id)

    once_waiting(decide)
    run = run_dag(wait_for(emulator, ROWS[:2]))
    assert [row["outcome"] for row in run.rows("wait")] == ["declined", "cancelled"]


@pytest.mark.parametrize(
    ("registrants", "outcomes"),
    [
        pytest.param([{"email": " Person1@EXAMPLE.org"}], ["enrolled"], id="an address as people write it"),
        pytest.param(["person1@example.org"], ["enrolled"], id="plain addresses"),
        pytest.param([{"id": "crm-1"}, {"id": "crm-9"}], ["enrolled", "invalid"], id="our ids"),
        pytest.param([{"email": "nobody"}, {}, ROWS[0]], ["invalid", "invalid", "enrolled"], id="bad rows among them"),
        pytest.param([ROWS[0], ROWS[0]], ["enrolled", "enrolled"], id="somebody twice"),
        pytest.param([], [], id="nobody"),
    ],
)
def test_people_are_named_in_many_ways(run_dag, emulator, register, registrants, outcomes):
    register("registered")
    run = run_dag(wait_for(emulator, registrants))
    assert run.state == "success"
    assert [row["outcome"] for row in run.rows("wait")] == outcomes


@pytest.fixture
def shows_later(emulator):
    """New registrations do not show until the sensor has looked more than once."""
    emulator.set_switches(visibility_lag=600)
    ended = threading.Event()

    def watch():
        while not ended.wait(0.01):
            lists = [entry for entry in list(emulator.store.journal) if entry.path.endswith("/registrations")]
            # One look makes three of them at most.
            if len(lists) > 6:
                emulator.set_switches(visibility_lag=0)
                return

    watcher = threading.Thread(target=watch)
    watcher.start()
    yield
    ended.set()
    watcher.join()


@pytest.mark.parametrize("named", [ROWS[0], {"id": "crm-1"}], ids=["by address", "by our id"])
@WAYS_TO_WAIT
def test_people_who_do_not_show_yet_are_looked_for(run_dag, emulator, register, links, shows_later, way, named):
    register("registered", "registered")
    run = run_dag(wait_for(emulator, [named], absent_for=LONG, **way))
    (row,) = run.rows("wait")
    assert (row["outcome"], row["join_web_url"]) == ("enrolled", links()["person1@example.org"])


@WAYS_TO_WAIT
def test_whoever_never_shows_is_looked_for_until_the_timeout_at_the_latest(run_dag, emulator, way):
    run = run_dag(wait_for(emulator, [ROWS[0], {"id": "crm-2"}], absent_for=LONG, timeout=0.5, **way))
    assert run.state == "success"
    assert [(row["outcome"], row["error"]) for row in run.rows("wait")] == [
        ("rejected", "not registered for the webinar"),
        ("invalid", "nobody is registered with this id. Give the e-mail address instead"),
    ]


@WAYS_TO_WAIT
def test_nobody_is_looked_for_any_longer_than_it_takes_to_be_sure(run_dag, emulator, way):
    began = time.monotonic()
    run = run_dag(wait_for(emulator, ROWS[:1], timeout=600, **way))
    assert [row["outcome"] for row in run.rows("wait")] == ["rejected"]
    assert time.monotonic() - began < 60


def test_a_row_that_means_nobody_is_not_looked_for(run_dag, emulator, register):
    register("registered")
    run = run_dag(wait_for(emulator, [{"email": "nobody"}, ROWS[0]], absent_for=LONG, timeout=600))
    assert [row["outcome"] for row in run.rows("wait")] == ["invalid", "enrolled"]


def test_an_id_that_looks_like_an_address_is_an_id(run_dag, emulator, links, once_waiting):
    webinars = emulator.store.webinars
    one = webinars.register(
        emulator.webinar_id, "person1@example.org", "waitlisted", external_registration_id="ada@corp.example"
    )
    once_waiting(lambda: webinars.promote(emulator.webinar_id, one.id))
    run = run_dag(wait_for(emulator, [{"id": "ada@corp.example"}]))
    (row,) = run.rows("wait")
    assert (row["outcome"], row["join_web_url"]) == ("enrolled", links()["person1@example.org"])


def test_a_link_that_does_not_show_yet_is_waited_for(run_dag, emulator, register, links):
    register("registered")
    emulator.add_fault("GET sessions", times=2, status=404, code="NotFound")
    run = run_dag(wait_for(emulator, ROWS[:1]))
    assert run.rows("wait")[0]["join_web_url"] == links()["person1@example.org"]


@pytest.mark.parametrize("status", [400, 404, 405])
@WAYS_TO_WAIT
def test_a_link_that_stays_refused_is_not_waited_for(run_dag, emulator, register, status, way):
    register("registered", "waitlisted")
    emulator.add_fault(
        "GET sessions", times=0, status=status, code="Nope", message="No sessions for person1@example.org"
    )
    run = run_dag(wait_for(emulator, ROWS[:1], **way))
    (row,) = run.rows("wait")
    assert (row["outcome"], row["join_web_url"]) == ("enrolled", None)
    assert row["error"].startswith(f"registered, but the link cannot be read: {status} Nope")
    assert "person1" not in row["error"]
    assert len([entry for entry in emulator.store.journal if entry.path.endswith("/sessions")]) == 3


def test_a_link_that_is_refused_does_not_end_the_waiting_for_others(run_dag, emulator, register, once_waiting):
    webinars = emulator.store.webinars
    _, waiting = register("registered", "waitlisted")
    emulator.add_fault("GET sessions", times=3, status=404, code="NotFound")
    once_waiting(lambda: webinars.promote(emulator.webinar_id, waiting.id))
    run = run_dag(wait_for(emulator, ROWS[:2]))
    assert all(row["join_web_url"] for row in run.rows("wait"))


def test_a_link_that_may_not_be_read_is_not_waited_for(run_dag, emulator, register):
    emulator.set_switches(application_may_read_registration_sessions=False)
    register("registered")
    run = run_dag(wait_for(emulator, ROWS[:1]))
    (row,) = run.rows("wait")
    assert (row["outcome"], row["join_web_url"]) == ("enrolled", None)
    assert "VirtualEvent.Read.Chat" in row["error"]


@WAYS_TO_WAIT
def test_a_webinar_that_is_called_off_ends_the_waiting(run_dag, emulator, register, once_waiting, capfd, way):
    register("waitlisted")
    once_waiting(lambda: emulator.store.webinars.call_off(emulator.webinar_id))
    run = run_dag(wait_for(emulator, ROWS[:1], retries=2, **way))
    assert (run.state, run.tries["wait"]) == ("failed", 1)
    assert "The webinar was cancelled" in "".join(capfd.readouterr())


@WAYS_TO_WAIT
def test_a_service_in_trouble_is_asked_again(run_dag, emulator, register, no_backoff, way):
    register("registered")
    emulator.add_fault("POST $batch", times=5, status=503)
    assert run_dag(wait_for(emulator, ROWS[:1], **way)).state == "success"


@WAYS_TO_WAIT
def test_what_waiting_cannot_mend_fails_at_once(run_dag, emulator, register, capfd, way):
    emulator.set_switches(application_access_policy=False)
    register("waitlisted")
    run = run_dag(wait_for(emulator, ROWS[:1], retries=2, **way))
    assert (run.state, run.tries["wait"]) == ("failed", 1)
    assert "application access policy" in "".join(capfd.readouterr())


@WAYS_TO_WAIT
def test_ids_that_may_not_be_looked_up_end_the_waiting_in_failure(run_dag, emulator, register, capfd, way):
    emulator.set_switches(application_may_list_registrations=False)
    register("waitlisted", "waitlisted")
    run = run_dag(wait_for(emulator, [ROWS[0], {"id": "crm-2"}], retries=2, **way))
    assert (run.state, run.tries["wait"]) == ("failed", 1)
    said = "".join(capfd.readouterr())
    assert "VirtualEvent.Read.Chat" in said
    assert "Or name e-mail addresses" in said


@pytest.mark.parametrize(("soft_fail", "state"), [(False, "failed"), (True, "skipped")], ids=["fails", "skips"])
@WAYS_TO_WAIT
def test_the_timeout_ends_the_waiting(run_dag, emulator, register, way, soft_fail, state):
    register("waitlisted")
    run = run_dag(wait_for(emulator, ROWS[:1], timeout=0.2, retries=2, soft_fail=soft_fail, **way))
    assert (run.tasks["wait"], run.tries["wait"]) == (state, 1)


@pytest.mark.parametrize(
    ("registrants", "arguments", "said"),
    [
        ("'{{ 1 }} people'", {}, "registrants is neither"),
        ("['a@example.org']", {"webinar_id": "{{ none or '' }}"}, "webinar_id is empty"),
        (
            "{'run_key': 'r', 'attempt': 1, 'rows': 1, 'ledger_conn_id': 'none', 'ledger_table': 't'}",
            {},
            "is 'none', and Airflow knows no such connection",
        ),
    ],
    ids=["nobody that can be read", "no webinar", "no ledger"],
)
def test_arguments_that_cannot_be_right_fail_at_once(run_dag, emulator, capfd, registrants, arguments, said):
    run = run_dag(wait_for(emulator, registrants, retries=2, **arguments))
    assert (run.state, run.tries["wait"]) == ("failed", 1)
    assert said in "".join(capfd.readouterr())
    assert emulator.store.journal == []


@pytest.fixture
def deferred(emulator, register, monkeypatch):
    """A sensor that waits for one person, and what it left with the triggerer."""
    from airflow.providers.common.compat.sdk import TaskDeferred

    from airflow_provider_teams_registration.sensors.registrant import RegistrantStatusSensor

    monkeypatch.setenv("AIRFLOW_CONN_TEAMS_REGISTRATION_DEFAULT", json.dumps(emulator.connection()))
    register("waitlisted")

    def defer(**arguments):
        sensor = RegistrantStatusSensor(
            task_id="wait",
            registrants=ROWS[:1],
            webinar_id=emulator.webinar_id,
            deferrable=True,
            **{"poke_interval": 600, "timeout": 7200, **arguments},
        )
        with pytest.raises(TaskDeferred) as raised:
            sensor.execute({})
        return sensor, raised.value

    return defer


def test_what_is_left_with_the_triggerer_is_a_moment_and_nobody(deferred):
    _, left = deferred()
    path, kept = left.trigger.serialize()
    assert path.rpartition(".")[2] == "NextLookTrigger"
    assert set(kept) == {"moment", "deadline", "webinar_id"}
    assert kept["webinar_id"] is None
    assert not left.kwargs
    assert "person" not in str(kept)


def test_the_deadline_stays_the_same_from_look_to_look(deferred):
    from airflow.providers.common.compat.sdk import TaskDeferred

    sensor, first = deferred()
    with pytest.raises(TaskDeferred) as second:
        sensor.resume_execution(first.method_name, {"event": {"deadline": first.trigger.deadline}}, {})
    assert second.value.trigger.deadline == first.trigger.deadline
    assert second.value.trigger.moment > first.trigger.moment


def test_the_last_look_is_at_the_deadline(deferred):
    _, left = deferred(poke_interval=86400)
    assert left.trigger.moment == left.trigger.deadline


@pytest.mark.parametrize(
    ("soft_fail", "raised"), [(False, "AirflowSensorTimeout"), (True, "AirflowSkipException")], ids=["fails", "skips"]
)
def test_a_deadline_that_has_passed_ends_as_a_sensor_does(deferred, soft_fail, raised):
    from airflow.providers.common.compat import sdk

    sensor, left = deferred(soft_fail=soft_fail)
    passed = sdk.timezone.utcnow() - timedelta(seconds=1)
    with pytest.raises(getattr(sdk, raised)):
        sensor.resume_execution(left.method_name, {"event": {"deadline": passed.isoformat()}}, {})


def test_whoever_gets_in_by_the_deadline_is_returned_even_if_it_has_passed(deferred, emulator):
    sensor, left = deferred()
    (one,) = emulator.store.webinars.registrations(emulator.webinar_id)
    emulator.store.webinars.promote(emulator.webinar_id, one.id)
    rows = sensor.resume_execution(left.method_name, {"event": {"deadline": "2026-01-01T00:00:00+00:00"}}, {})
    assert [row["outcome"] for row in rows] == ["enrolled"]
