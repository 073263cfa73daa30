"""Reads that are answered 200 with something else than was asked for: none of that is believed."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from airflow_provider_teams_registration.exceptions import AnswerLost, Gone, ServiceUnreachable, Unauthorized
from airflow_provider_teams_registration.graph import event_search as finding
from airflow_provider_teams_registration.graph.online_meeting import OnlineMeeting
from airflow_provider_teams_registration.graph.online_meeting_bodies import ExternalMeetingRegistrant
from airflow_provider_teams_registration.graph.webinar import Webinar

LIES: dict[str, dict[str, Any]] = {
    "a page of HTML": {"body": "<html><body>Sign in to the guest network</body></html>", "content_type": "text/html"},
    "nothing": {"body": ""},
    "no content": {"status": 204, "body": ""},
    "an empty object": {"body": "{}"},
    "value null": {"body": '{"value": null}'},
    "value an object": {"body": '{"value": {}}'},
    "value text": {"body": '{"value": "nobody"}'},
    "null items": {"body": '{"value": [null]}'},
    "items of text": {"body": '{"value": ["ada@example.org"]}'},
    "items of another type": {"body": '{"value": [{"name": "Ada"}]}'},
    "items with numbers for ids": {"body": '{"value": [{"id": 7, "status": "registered", "email": null}], "id": 7}'},
    "a list": {"body": "[]"},
    "null": {"body": "null"},
    "text": {"body": '"nobody"'},
    "a number": {"body": "0"},
    "half a JSON text": {"body": '{"value": ['},
    "base64": {"body": "eyJ2YWx1ZSI6IFtdfQ=="},
    "bytes": {"body_base64": "/wD/AA=="},
    "an error": {"body": '{"error": {"code": "generalException"}}'},
    "another status": {"status": 202, "body": '{"value": []}'},
}


NO_IDS = ["\ud800", "a\0b", "a\nb", "..", "x" * 70_000]


@dataclass(frozen=True)
class Read:
    """
    One read of the client.

    :param route: what the emulator is asked for by it.
    :param make: makes it.
    """

    route: str
    make: Callable[[Any, Any], Any]


def meeting(session, emulator):
    return OnlineMeeting(session, emulator.meeting_id, emulator.organizer_id)


def webinar(session, emulator):
    return Webinar(session, emulator.questions_webinar_id)


def registration_ids(emulator):
    return [one.id for one in emulator.store.webinars.registered(emulator.questions_webinar_id)]


OBJECTS = {
    "a meeting": Read("GET onlineMeetings/*", lambda s, e: meeting(s, e).join_web_url()),
    "a meeting's registration": Read("GET registration", lambda s, e: meeting(s, e).registration()),
    "a webinar": Read("GET webinars/*", lambda s, e: webinar(s, e).info()),
    "a webinar's configuration": Read("GET registrationConfiguration", lambda s, e: webinar(s, e).configuration()),
    "a calendar event": Read(
        "GET events/*", lambda s, e: finding.meeting_by_calendar_event(s, e.event_id, e.organizer_id)
    ),
    "a registration by id": Read(
        "GET registrations/*", lambda s, e: webinar(s, e).registrations_by_id(registration_ids(e)[:1])
    ),
    "a registration by address": Read(
        "GET registrations(email=*", lambda s, e: webinar(s, e).registrations_by_email(["a@x.org"], by_filter=False)
    ),
}
LISTS = {
    "a meeting's registrants": Read("GET registrants", lambda s, e: list(meeting(s, e).registrants())),
    "a webinar's registrations": Read("GET registrations", lambda s, e: list(webinar(s, e).registrations())),
    "a webinar's questions": Read("GET questions", lambda s, e: webinar(s, e).questions()),
    "an organizer's webinars": Read(
        "GET webinars/getByUserIdAndRole*",
        lambda s, e: finding.webinar_by_name(s, "Webinar with approval", e.organizer_id),
    ),
}
LISTS_OF_ONE_PAGE = {
    "a registration by filter": Read(
        "GET registrations*", lambda s, e: webinar(s, e).registrations_by_email(["a@x.org"], by_filter=True)
    ),
    "a registration's sessions": Read(
        "GET sessions", lambda s, e: webinar(s, e).join_web_urls(registration_ids(e)[:1])
    ),
    "a meeting by its number": Read(
        "GET onlineMeetings*",
        lambda s, e: finding.meeting_by_join_meeting_id(
            s, e.store.meeting(e.meeting_id).join_meeting_id, e.organizer_id
        ),
    ),
    "a meeting by its link": Read(
        "GET onlineMeetings*",
        lambda s, e: finding.meeting_by_join_web_url(s, e.store.meeting(e.meeting_id).join_web_url, e.organizer_id),
    ),
}
READS = {**OBJECTS, **LISTS, **LISTS_OF_ONE_PAGE}
pytestmark = pytest.mark.usefixtures("no_backoff")


@pytest.fixture(autouse=True)
def people(emulator):
    """Three on each of the events that are read."""
    for name in "abc":
        emulator.store.enroll(emulator.store.meeting(emulator.meeting_id), name)
        emulator.store.webinars.register(emulator.questions_webinar_id, f"{name}@x.org")
    emulator.clear_journal()


@pytest.fixture
def asked(emulator):
    """Counts the requests of a read, whether in a batch or not."""
    return lambda: sum(entry.method == "GET" for entry in emulator.store.journal)


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("read", READS)
def test_lie_is_read_again_until_the_truth_comes(read, lie, graph_session, emulator):
    truth = READS[read].make(graph_session, emulator)
    emulator.add_fault(READS[read].route, times=3, **LIES[lie])

    assert READS[read].make(graph_session, emulator) == truth


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("read", READS)
def test_lie_that_lasts_is_an_unreachable_service(read, lie, graph_session, emulator, asked):
    emulator.add_fault(READS[read].route, times=0, **LIES[lie])
    is_retired = read == "a meeting's registration" and lie in ("nothing", "no content", "null")

    with pytest.raises(Gone if is_retired else ServiceUnreachable) as failure:
        READS[read].make(graph_session, emulator)

    assert asked() == 4
    assert failure.value.transient is not is_retired
    assert "@" not in str(failure.value)


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("read", LISTS)
def test_lie_on_a_later_page_is_no_end_of_the_list(read, lie, graph_session, emulator):
    emulator.set_switches(page_size=1)
    truth = LISTS[read].make(graph_session, emulator)
    emulator.add_fault(LISTS[read].route, nth=2, times=2, **LIES[lie])
    emulator.add_fault(LISTS[read].route, nth=5, times=0, **LIES[lie])

    with pytest.raises(ServiceUnreachable):
        LISTS[read].make(graph_session, emulator)
    emulator.clear_faults()
    assert LISTS[read].make(graph_session, emulator) == truth


@pytest.mark.parametrize("read", OBJECTS)
def test_list_is_not_the_object_that_was_asked_for(read, graph_session, emulator):
    emulator.add_fault(OBJECTS[read].route, times=3, body='{"value": []}')
    if read == "a registration by address":
        (nobody,) = OBJECTS[read].make(graph_session, emulator)
        assert "ignores the key" in str(nobody)
    else:
        assert OBJECTS[read].make(graph_session, emulator)


@pytest.mark.parametrize(
    ("read", "item"),
    [
        ("a meeting's registrants", '{"id": "a", "joinWebUrl": "javascript:alert(1)"}'),
        ("a meeting's registrants", '{"id": "a", "tenantId": 5}'),
        ("a meeting's registrants", '{"id": ""}'),
        ("a meeting's registrants", '{"id": null}'),
        ("a webinar's registrations", '{"id": "a", "status": "registered"}'),
        ("a webinar's registrations", '{"id": "a", "status": "", "email": "a@x.org"}'),
        ("a webinar's registrations", '{"id": "a", "status": "registered", "email": ["a@x.org"]}'),
        ("a webinar's registrations", '{"id": "", "status": "registered", "email": "a@x.org"}'),
        (
            "a webinar's registrations",
            '{"id": "a", "status": "registered", "email": "a@x.org", "externalRegistrationInformation": "crm 1"}',
        ),
        *[
            ("a webinar's registrations", json.dumps({"id": no_id, "status": "registered", "email": "a@x.org"}))
            for no_id in NO_IDS
        ],
        *[("a meeting by its number", json.dumps({"id": no_id})) for no_id in NO_IDS],
        *[("an organizer's webinars", json.dumps({"id": no_id, "status": "draft"})) for no_id in NO_IDS],
        ("a webinar's questions", '{"displayName": "Why?"}'),
        ("a webinar's questions", '{"id": "q", "displayName": "Why?", "isRequired": "maybe"}'),
        ("a webinar's questions", '{"id": "q", "displayName": "Why?", "answerChoices": [null]}'),
        ("a registration's sessions", '{"id": "s", "joinWebUrl": "http://teams.example/in-clear-text"}'),
        ("a registration's sessions", '{"id": "s", "joinWebUrl": "https://user:password@teams.example/"}'),
        ("a registration's sessions", '{"id": "s", "joinWebUrl": 5}'),
        ("a meeting by its number", '{"id": 5}'),
    ],
)
def test_item_without_what_it_is_read_for_makes_the_page_unreadable(read, item, graph_session, emulator):
    truth = READS[read].make(graph_session, emulator)
    emulator.add_fault(READS[read].route, times=1, body=f'{{"value": [{item}]}}')

    assert READS[read].make(graph_session, emulator) == truth


def test_registration_of_somebody_else_is_not_the_one_that_was_asked_for_by_id(graph_session, emulator):
    emulator.add_fault("POST $batch", answers="swap")
    first, second, _ = registration_ids(emulator)

    found = webinar(graph_session, emulator).registrations_by_id([first, second])

    assert [one.id for one in found] == [first, second]


def test_registration_of_somebody_else_does_not_answer_a_look_up_by_key(graph_session, emulator):
    emulator.add_fault("POST $batch", answers="swap")

    found = webinar(graph_session, emulator).registrations_by_email(["a@x.org", "b@x.org"], by_filter=False)

    assert all("ignores" in str(one) for one in found)


EMPTY_AND_MORE = '{"value": [], "@odata.nextLink": "https://graph.example/next"}'


def test_empty_page_that_is_not_the_last_proves_nobody_absent(graph_session, emulator):
    emulator.add_fault("GET registrations", times=0, body=EMPTY_AND_MORE)

    (found,) = webinar(graph_session, emulator).registrations_by_email(["a@x.org"], by_filter=True)

    assert "over several pages" in str(found)


@pytest.mark.parametrize("read", ["a meeting by its number", "a meeting by its link"])
def test_empty_page_that_is_not_the_last_proves_no_meeting_absent(read, graph_session, emulator):
    truth = READS[read].make(graph_session, emulator)
    emulator.add_fault(READS[read].route, body=EMPTY_AND_MORE)

    assert READS[read].make(graph_session, emulator) == truth


def test_batch_without_answers_is_read_again(graph_session, emulator):
    for body in ("{}", '{"responses": null}', '{"responses": [null]}'):
        emulator.add_fault("POST $batch", body=body)
        emulator.clear_journal()

        (found,) = webinar(graph_session, emulator).registrations_by_email(["a@x.org"], by_filter=False)

        assert found.email == "a@x.org"
        emulator.clear_faults()


def test_request_timeout_is_read_again(graph_session, emulator):
    emulator.add_fault("GET registrants", status=408, times=2)
    emulator.add_fault("GET registrations(email=*", status=408, times=2)

    assert len(list(meeting(graph_session, emulator).registrants())) == 3
    (found,) = webinar(graph_session, emulator).registrations_by_email(["a@x.org"], by_filter=False)
    assert found.email == "a@x.org"


def test_item_that_is_refused_for_its_token_is_asked_once_more_with_a_fresh_one(graph_session, emulator, asked):
    refused = graph_session.token()
    emulator.add_fault("GET registrations(email=*", nth=2, status=401)
    people = ["a@x.org", "b@x.org", "c@x.org"]

    found = webinar(graph_session, emulator).registrations_by_email(people, by_filter=False)

    assert [one.email for one in found] == people
    assert graph_session.token().value != refused.value
    assert asked() == 4


def test_item_that_is_refused_for_a_fresh_token_too_stays_refused(graph_session, emulator, asked):
    emulator.add_fault("GET registrations(email=*", status=401, times=0)

    (found,) = webinar(graph_session, emulator).registrations_by_email(["a@x.org"], by_filter=False)

    assert isinstance(found, Unauthorized)
    assert asked() == 2


def test_registration_opened_with_an_unreadable_answer_is_looked_up(graph_session, emulator):
    closed = OnlineMeeting(graph_session, emulator.closed_meeting_id, emulator.organizer_id)
    emulator.add_fault("POST registration", when="after", body="<html></html>", content_type="text/html")
    with pytest.raises(AnswerLost):
        closed.open_registration()

    assert closed.registration().allowed_registrant == "everyone"


def test_addresses_of_the_user_are_not_taken_from_a_lie(delegated_session, emulator):
    emulator.set_switches(token_names_user=False)
    emulator.store.webinars.register(emulator.webinar_id, "organizer@emulator.example", user_id=emulator.organizer_id)
    delegated = Webinar(delegated_session, emulator.webinar_id)
    assert delegated.user_addresses() == {"organizer@emulator.example"}
    for lie in LIES.values():
        emulator.add_fault("GET registrations(userId=*", times=0, **lie)
        with pytest.raises(ServiceUnreachable):
            delegated.user_addresses()
        emulator.clear_faults()


def test_registrant_keeps_the_id_that_the_service_shows(graph_session, emulator):
    meeting(graph_session, emulator).enroll([ExternalMeetingRegistrant(" padded ")])

    assert " padded " in [one.id for one in meeting(graph_session, emulator).registrants()]
