from __future__ import annotations

import json

import pytest

from airflow_provider_teams_registration.events.kinds import MEETING
from airflow_provider_teams_registration.events.reference import EventRef
from airflow_provider_teams_registration.hooks.teams_registration import TeamsRegistrationHook
from tests.run_dag import task_text

pytestmark = pytest.mark.airflow


def check(**arguments):
    return task_text("CheckSetupOperator", "check", retries=2, **arguments)


def test_a_good_setup_is_checked_and_nothing_is_written(run_dag, emulator):
    run = run_dag(check(webinar_id=emulator.webinar_id, organizer_id=emulator.organizer_id))

    assert run.state == "success"
    assert {one["verdict"] for one in run.rows("check")} == {"fine", "cannot be told", "missing"}
    assert [one["check"] for one in run.rows("check") if one["verdict"] == "missing" and one["required"]] == []
    assert [entry.path for entry in emulator.store.journal if entry.effect] == []


def test_a_missing_access_policy_fails_the_task_for_good(run_dag, emulator, capfd):
    emulator.set_switches(application_access_policy=False)

    run = run_dag(check(webinar_id=emulator.webinar_id))

    assert (run.state, run.tries["check"]) == ("failed", 1)
    assert [one["check"] for one in run.rows("check") if one["verdict"] == "missing" and one["required"]] == [
        "access policy"
    ]
    said = "".join(capfd.readouterr())
    assert "No application access policy lets the app act" in said
    assert f'-Identity "{emulator.organizer_id}"' in said


@pytest.mark.parametrize("way", ["webinar_id", "meeting_id", "join_web_url", "join_meeting_id", "webinar_name"])
def test_an_event_is_checked_by_what_people_know_of_it(run_dag, emulator, capfd, way):
    meeting = emulator.store.meeting(emulator.meeting_id)
    known = {
        "webinar_id": emulator.store.webinars.webinar(emulator.webinar_id).join_web_url,
        "meeting_id": meeting.join_web_url,
        "join_web_url": meeting.join_web_url,
        "join_meeting_id": meeting.join_meeting_id,
        "webinar_name": "Open webinar",
    }
    run = run_dag(check(**{way: known[way]}, organizer_id=emulator.organizer_id))

    assert run.state == "success"
    event = emulator.webinar_id if "webinar" in way else emulator.meeting_id
    assert event in str([one["sentence"] for one in run.rows("check")])
    assert "meetup-join" not in "".join(capfd.readouterr()) + str(run.rendered)


def test_the_hook_checks_an_event_reference(emulator, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_TEAMS_REGISTRATION_DEFAULT", json.dumps(emulator.connection()))
    findings = TeamsRegistrationHook().check(EventRef(MEETING, emulator.meeting_id, emulator.organizer_id))

    assert "The online meeting can be read." in [one.sentence for one in findings]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"webinar_id": "{{ params.nothing }}", "params": {"nothing": None}}, "name the event to check"),
        ({"webinar_id": "one", "meeting_id": "another"}, "Name the event in one way"),
    ],
    ids=["nothing", "two"],
)
def test_an_event_that_is_not_named_once_fails_the_task_for_good(run_dag, emulator, capfd, arguments, said):
    run = run_dag(check(**arguments))

    assert (run.state, run.tries["check"]) == ("failed", 1)
    assert said in "".join(capfd.readouterr())
    assert emulator.store.journal == []
