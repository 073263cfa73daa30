"""Answers about a webinar's registrations that cannot be the person's own: reading settles what became of them."""

import json

import pytest

from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.core.record import RegistrationRecord, TaskRun

pytestmark = pytest.mark.usefixtures("no_backoff")
NEXT_RUN = TaskRun("dag", "run 2", "enroll")
REGISTRATIONS = "POST registrations"
SESSIONS = "GET sessions"
DUPLICATES = ["same", "new_link", "conflict", "bad_request", "second_record"]
PEOPLE = [
    {"id": f"crm {one}", "email": f"person{one}@example.org", "first_name": "Ada", "last_name": f"Example {one}"}
    for one in range(6)
]
OTHER = {"id": "r-other", "status": "registered", "email": "somebody.else@example.org"}
LIES = {
    "a page of HTML": {"body": "<html>Sign in</html>", "content_type": "text/html"},
    "nothing": {"body": ""},
    "an empty object": {"body": "{}"},
    "null": {"body": "null"},
    "a list": {"body": "[]"},
    "half a JSON text": {"body": '{"id": "r-1", "status": '},
    "base64": {"body": "eyJ2YWx1ZSI6IFtdfQ=="},
    "somebody else's address": {"body": json.dumps(OTHER)},
    "somebody else's id": {
        "body": json.dumps({**OTHER, "email": None, "externalRegistrationInformation": {"registrationId": "crm 99"}})
    },
    "no status": {"body": json.dumps({"id": "r-1", "email": PEOPLE[1]["email"]})},
}
NO_LINKS = {
    "plain http": "http://teams.example.com/l/1",
    "script": "javascript:alert(1)",
    "user info": "https://teams.example.com:secret@evil.example/1",
    "no host": "https:///l/1",
    "white space": "https://teams.example.com/l/meetup join",
    "too long": "https://teams.example.com/" + "x" * 40_000,
    "number": 5,
    "bad port": "https://teams.example.com:abc/l",
}
every_duplicate = pytest.mark.parametrize("duplicate", DUPLICATES)


def links(report):
    return {row["email"]: row["join_web_url"] for row in report.rows() if row["join_web_url"]}


def sessions(link):
    return json.dumps({"value": [{"id": "session", "joinWebUrl": link}]})


@pytest.mark.parametrize("status", [200, 201])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("lie", LIES)
def test_lie_about_a_registration_is_settled_by_reading(lie, when, status, register_all, emulator, live_links, sent):
    emulator.set_switches(duplicate="second_record")
    emulator.add_fault(REGISTRATIONS, registrant_id="crm 1", when=when, status=status, **LIES[lie])

    report = register_all(PEOPLE, settle_after=0.3)

    assert report.counts == {"enrolled": len(PEOPLE)}
    assert links(report) == live_links()
    assert sent().count("crm 1") == (2 if when == "before" else 1)


@pytest.mark.parametrize("status", [200, 201])
@every_duplicate
def test_lies_about_everybody_enroll_nobody_twice(duplicate, status, register_all, emulator, live_links):
    emulator.set_switches(duplicate=duplicate)
    emulator.add_fault(REGISTRATIONS, when="after", status=status, body=json.dumps(OTHER), times=0)

    report = register_all(PEOPLE, settle_after=0.3)

    assert report.counts == {"enrolled": len(PEOPLE)}
    assert links(report) == live_links()


@pytest.mark.parametrize("nth", [1, 2, 3, 4])
@pytest.mark.parametrize("how", ["swap", "rotate", "same", "repeat", "reverse"])
@pytest.mark.parametrize("duplicate", ["same", "second_record"])
def test_look_ups_and_sends_whose_answers_changed_places_swap_nobodys_link(
    duplicate, how, nth, register_all, emulator, live_links
):
    emulator.set_switches(duplicate=duplicate)
    # Two look-ups, the sending, and a look-up. A list of sessions names nobody, so that a swap there does not show.
    emulator.add_fault("POST $batch", nth=nth, answers=how)

    report = register_all(PEOPLE, settle_after=0.5)

    assert report.counts == {"enrolled": len(PEOPLE)}
    assert links(report) == live_links()


@pytest.mark.parametrize("link", NO_LINKS.values(), ids=NO_LINKS)
def test_what_is_no_link_is_not_handed_on(link, register_all, emulator, live_links):
    emulator.add_fault(SESSIONS, registrant_id="crm 1", body=sessions(link))

    report = register_all(PEOPLE)

    assert report.counts == {"enrolled": len(PEOPLE)}
    assert links(report) == live_links()


def test_one_link_that_two_people_are_shown_is_handed_to_neither(register_all, emulator, live_links):
    for person in PEOPLE[1:3]:
        emulator.add_fault(SESSIONS, registrant_id=person["id"], body=sessions("https://teams.example.com/x"), times=0)

    report = register_all(PEOPLE, settle_after=0.3)

    real = live_links()
    assert links(report) == {row["email"]: real[row["email"]] for row in [PEOPLE[0], *PEOPLE[3:]]}
    assert report.counts == {"enrolled": len(PEOPLE)}
    assert report.links_missing == 2


def test_one_link_that_two_people_are_shown_for_a_while_is_read_again(register_all, emulator, live_links):
    for person in PEOPLE[1:3]:
        emulator.add_fault(SESSIONS, registrant_id=person["id"], body=sessions("https://teams.example.com/x"), times=2)

    report = register_all(PEOPLE)

    assert report.counts == {"enrolled": len(PEOPLE)}
    assert links(report) == live_links()


def test_one_link_that_two_people_of_a_long_list_are_shown_is_handed_to_one_at_most(register_all, emulator, live_links):
    everybody = [{**PEOPLE[0], "id": f"crm {one}", "email": f"person{one}@example.org"} for one in range(45)]
    for one in (3, 41):
        emulator.add_fault(SESSIONS, registrant_id=f"crm {one}", body=sessions("https://teams.example.com/x"), times=0)

    report = register_all(everybody, settle_after=0.3)

    handed_on = links(report)
    real = live_links()
    assert len(set(handed_on.values())) == len(handed_on)
    assert {email: link for email, link in handed_on.items() if link != real[email]}.keys() <= {
        "person3@example.org",
        "person41@example.org",
    }
    assert report.counts == {"enrolled": 45}


def test_link_that_the_ledger_holds_for_somebody_else_is_not_handed_on(register_all, open_ledger, emulator, live_links):
    link = "https://teams.example.com/l/theirs"
    earlier = open_ledger(TaskRun("dag", "run 0", "enroll"))
    earlier.start_attempt(emulator.webinar_id)
    earlier.write([RegistrationRecord("somebody@example.org", "f" * 32, Outcome.ENROLLED, join_web_url=link)])
    emulator.add_fault(SESSIONS, registrant_id="crm 1", body=sessions(link), times=2)

    report = register_all(PEOPLE)

    assert report.counts == {"enrolled": len(PEOPLE)}
    assert links(report) == live_links()


def test_link_that_was_doubted_is_handed_on_by_the_next_run_that_reads_it(register_all, emulator, live_links):
    for person in PEOPLE[1:3]:
        emulator.add_fault(SESSIONS, registrant_id=person["id"], body=sessions("https://teams.example.com/x"), times=0)
    register_all(PEOPLE, settle_after=0.3)
    emulator.clear_faults()

    report = register_all(PEOPLE, as_run=NEXT_RUN)

    assert links(report) == live_links()


def test_user_whose_registration_is_answered_with_a_lie_is_registered_once(
    enroll_all, open_event, delegated_session, emulator, live
):
    emulator.set_switches(duplicate="second_record")
    emulator.add_fault(REGISTRATIONS, when="after", body="{}")
    me = {"email": "organizer@emulator.example"}

    report = enroll_all([me], on=open_event(session=delegated_session), settle_after=0.5)

    assert report.counts == {"enrolled": 1}
    assert report.rows()[0]["join_web_url"] == live()[me["email"]].join_web_url
