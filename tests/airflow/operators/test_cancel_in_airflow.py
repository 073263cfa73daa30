from __future__ import annotations

import json

import pytest

from tests.run_dag import enroll_text as enroll
from tests.run_dag import task_text

pytestmark = pytest.mark.airflow

PEOPLE = [
    {"id": f"crm-{number}", "email": f"person{number}@example.org", "first_name": "Person", "last_name": str(number)}
    for number in range(1, 5)
]
DEFAULTS = {"preferred_timezone": "Europe/Rome", "preferred_language": "en-us"}
KINDS = pytest.mark.parametrize("kind", ["meeting", "webinar"])


def event(emulator, kind):
    if kind == "webinar":
        return {"webinar_id": emulator.webinar_id}
    return {"meeting_id": emulator.meeting_id, "organizer_id": emulator.organizer_id}


def cancel(emulator, kind, registrants, **arguments):
    given = {"registrants": registrants if isinstance(registrants, str) else repr(registrants)}
    return task_text("CancelRegistrantOperator", "cancel", given, **(event(emulator, kind) | arguments))


@pytest.fixture
def on_event(emulator):
    """The ids of those who are on an event."""

    def read(kind):
        if kind == "meeting":
            return {record.id for record in emulator.store.enrolled(emulator.meeting_id)}
        webinars = emulator.store.webinars
        return {one.external_registration_id for one in webinars.registered(emulator.webinar_id)}

    return read


def enrolled_and_then(emulator, kind, task, **arguments):
    first = enroll(emulator, PEOPLE, **event(emulator, kind), **DEFAULTS, **arguments)
    return f"""
    enrolled = {first}
    enrolled >> {task}
    """


@KINDS
@pytest.mark.parametrize(
    "registrants",
    [
        pytest.param([{"id": "crm-1"}, {"id": "crm-3"}], id="rows of ids"),
        pytest.param(["crm-1", "crm-3"], id="ids"),
        pytest.param('\'[{"id": "crm-1"}, {"id": "crm-3"}]\'', id="text of JSON"),
        pytest.param("[{'id': '{{ \"crm\" }}-1'}, 'crm-3']", id="templates"),
    ],
)
def test_people_are_taken_off_by_our_id(run_dag, emulator, on_event, kind, registrants):
    run = run_dag(enrolled_and_then(emulator, kind, cancel(emulator, kind, registrants)))
    assert run.state == "success"
    assert on_event(kind) == {"crm-2", "crm-4"}
    assert [row["outcome"] for row in run.rows("cancel")] == ["cancelled"] * 2
    assert run.summary("cancel")["outcomes"] == {"cancelled": 2}
    assert run.summary("cancel")["event"] == run.summary()["event"]
    assert run.rendered["cancel"]["registrants"] == "2 registrants"


def test_a_meeting_that_may_not_be_read_is_named_by_its_id(run_dag, emulator):
    emulator.add_fault(f"GET {emulator.meeting_id.replace('=', '%3D')}", times=0, status=403)
    run = run_dag(enrolled_and_then(emulator, "meeting", cancel(emulator, "meeting", ["crm-1"])))
    assert run.state == "success"
    assert run.summary("cancel")["event"] == {"meeting_id": emulator.meeting_id}


def test_of_a_webinar_people_are_taken_off_by_their_address(run_dag, emulator, on_event):
    rows = [{"email": " Person2@Example.org ", "why": "ill"}]
    run = run_dag(enrolled_and_then(emulator, "webinar", cancel(emulator, "webinar", rows)))
    assert on_event("webinar") == {"crm-1", "crm-3", "crm-4"}
    assert run.rows("cancel") == [{**rows[0], "outcome": "cancelled", "join_web_url": None, "error": None}]


@KINDS
def test_what_was_enrolled_can_be_taken_off_as_it_was_returned(run_dag, emulator, on_event, kind):
    run = run_dag(enrolled_and_then(emulator, kind, cancel(emulator, kind, "enrolled.output")))
    assert run.state == "success"
    assert on_event(kind) == set()
    assert all(row["join_web_url"] is None for row in run.rows("cancel"))


@KINDS
def test_whoever_is_off_already_is_cancelled_all_the_same(run_dag, emulator, kind):
    run_dag(enrolled_and_then(emulator, kind, cancel(emulator, kind, ["crm-1"])))
    again = run_dag(cancel(emulator, kind, ["crm-1"]))
    assert again.state == "success"
    assert again.summary("cancel")["outcomes"] == {"cancelled": 1}


@KINDS
def test_a_ledger_lets_them_be_enrolled_anew(run_dag, emulator, ledger, on_event, kind):
    ledgered = {"ledger_conn_id": "ledger"}
    first = run_dag(enrolled_and_then(emulator, kind, cancel(emulator, kind, PEOPLE[:1], **ledgered), **ledgered))
    assert first.state == "success"
    assert len(on_event(kind)) == 3
    again = run_dag(enroll(emulator, PEOPLE, **event(emulator, kind), **DEFAULTS, **ledgered))
    assert again.summary()["outcomes"] == {"enrolled": 1, "already_enrolled": 3}
    assert len(on_event(kind)) == 4


def test_a_missing_permission_is_named_and_the_rows_are_kept(run_dag, emulator, on_event, capfd):
    emulator.set_switches(application_may_cancel_registrations=False)
    run = run_dag(enrolled_and_then(emulator, "webinar", cancel(emulator, "webinar", PEOPLE[:2], retries=2)))
    assert (run.tasks["cancel"], run.tries["cancel"]) == ("failed", 1)
    assert "VirtualEventRegistration-Anon.ReadWrite.Chat" in "".join(capfd.readouterr())
    assert [row["outcome"] for row in run.rows("cancel")] == ["rejected"] * 2
    assert len(on_event("webinar")) == 4


@KINDS
def test_one_bad_row_stops_nobody(run_dag, emulator, on_event, kind):
    run = run_dag(enrolled_and_then(emulator, kind, cancel(emulator, kind, ["crm-1", {"id": ""}], max_rejected=1)))
    assert run.state == "success"
    assert [row["outcome"] for row in run.rows("cancel")] == ["cancelled", "invalid"]
    assert len(on_event(kind)) == 3


@KINDS
def test_a_service_in_trouble_is_asked_again(run_dag, emulator, on_event, kind):
    route = {"meeting": "DELETE registrants/*", "webinar": "POST cancel"}[kind]
    emulator.add_fault(route, status=429, retry_after="0.1")
    emulator.add_fault(route, nth=3, when="after", status=503)
    run = run_dag(enrolled_and_then(emulator, kind, cancel(emulator, kind, PEOPLE)))
    assert run.state == "success"
    assert on_event(kind) == set()


def test_the_signed_in_organizer_takes_people_off_a_meeting(run_dag, emulator, on_event, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_ORGANIZER", json.dumps(emulator.connection("refresh_token")))
    own = {"organizer_id": None, "conn_id": "organizer"}
    run = run_dag(enrolled_and_then(emulator, "meeting", cancel(emulator, "meeting", ["crm-1"], **own)))
    assert run.state == "success"
    assert on_event("meeting") == {"crm-2", "crm-3", "crm-4"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"registrants": "'{{ 1 }} people'"}, "registrants is neither"),
        ({"registrants": "['crm-1']", "webinar_id": "'{{ none or \"\" }}'"}, "No event is given"),
        ({"registrants": "['crm-1']", "webinar_id": "'w'", "max_rejected": "'many'"}, "max_rejected is 'many'"),
    ],
    ids=["nobody that can be read", "no event", "no number"],
)
def test_arguments_that_cannot_be_right_fail_at_once(run_dag, emulator, capfd, arguments, said):
    text = task_text("CancelRegistrantOperator", "cancel", {"webinar_id": "'w'"} | arguments, retries=2)
    run = run_dag(text)
    assert (run.state, run.tries["cancel"]) == ("failed", 1)
    assert said in "".join(capfd.readouterr())
    assert emulator.store.journal == []


def test_rows_that_are_not_to_be_in_xcom_are_not_there_after_a_failure_either(run_dag, emulator, capfd):
    emulator.add_fault("DELETE *", times=0, status=403, code="Forbidden")
    run = run_dag(enrolled_and_then(emulator, "meeting", cancel(emulator, "meeting", PEOPLE, do_xcom_push=False)))
    assert run.tasks["cancel"] == "failed"
    assert ("cancel", "return_value") not in run.xcoms
    assert "XCom holds all rows" not in "".join(capfd.readouterr())


@KINDS
def test_what_xcom_cannot_hold_is_said_before_anybody_is_taken_off(run_dag, emulator, on_event, kind, capfd):
    rows = [PEOPLE[0], {**PEOPLE[1], "photo": b"canary"}]
    run = run_dag(enrolled_and_then(emulator, kind, cancel(emulator, kind, rows)))
    assert run.tasks["cancel"] == "failed"
    assert "row 2 holds a bytes in column 'photo'" in "".join(capfd.readouterr())
    assert on_event(kind) == {row["id"] for row in PEOPLE}


@KINDS
def test_the_reference_of_a_long_list_stands_for_its_people(run_dag, emulator, ledger, on_event, kind):
    kept = {"ledger_conn_id": "ledger"}
    task = cancel(emulator, kind, "enrolled.output", **kept)
    run = run_dag(enrolled_and_then(emulator, kind, task, xcom_limit=1, **kept))
    assert run.summary("cancel")["outcomes"] == {"cancelled": len(PEOPLE)}
    assert on_event(kind) == set()
