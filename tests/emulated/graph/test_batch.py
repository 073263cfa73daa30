"""Twenty writes in one call, and an answer for each."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest

from airflow_provider_teams_registration.exceptions import (
    AnswerLost,
    BadRequest,
    Forbidden,
    ServiceUnreachable,
    SignInError,
    Throttled,
    Unauthorized,
)
from airflow_provider_teams_registration.graph.batch import BatchRequest, batch_body, match_answers
from airflow_provider_teams_registration.graph.online_meeting import OnlineMeeting
from airflow_provider_teams_registration.graph.online_meeting_bodies import ExternalMeetingRegistrant

REGISTRANTS = "POST registration/registrants"


def people(number):
    return [ExternalMeetingRegistrant(f"person {n}") for n in range(number)]


def test_twenty_people_go_in_one_call_and_get_their_own_links(meeting, emulator, person_in_link, calls):
    answers = meeting.enroll(people(20))

    assert [person_in_link(answer.join_web_url) for answer in answers] == [f"person {n}" for n in range(20)]
    assert {record.id: record.join_web_url for record in emulator.store.enrolled(emulator.meeting_id)} == {
        answer.id: answer.join_web_url for answer in answers
    }
    assert calls() == ["POST $batch"]


def test_more_than_twenty_are_refused_before_anything_is_sent(meeting, emulator):
    with pytest.raises(ValueError, match="at most 20 requests, not 21"):
        meeting.enroll(people(21))

    assert emulator.store.enrolled(emulator.meeting_id) == []


def test_answers_in_any_order_are_matched_by_id():
    requests = [BatchRequest("POST", f"/{n}") for n in range(3)]
    ids = [item["id"] for item in batch_body(requests)["requests"]]
    shuffled = [{"id": ids[n], "status": 200, "body": n} for n in (2, 0, 1)]

    assert [answer.body for answer in match_answers(requests, {"responses": shuffled})] == [0, 1, 2]


def test_item_with_a_body_says_that_it_is_json_and_one_without_does_not():
    items = batch_body([BatchRequest("POST", "/a", {"id": "1"}), BatchRequest("DELETE", "/b")])["requests"]

    assert items[0]["headers"] == {"Content-Type": "application/json"}
    assert items[1].keys() == {"id", "method", "url"}


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "text",
        {},
        {"responses": None},
        {"responses": {}},
        {"responses": ["text", None]},
        {"responses": [{"id": "1"}, {"status": 200}]},
        {"responses": [{"id": "1", "status": None}]},
        {"responses": [{"id": "1", "status": "soon"}]},
        {"responses": [{"id": "2", "status": 200}]},
        {"responses": 5},
    ],
)
def test_batch_answer_without_the_item_is_a_lost_answer(body):
    (answer,) = match_answers([BatchRequest("POST", "/a")], body)

    assert isinstance(answer, AnswerLost)


@pytest.mark.parametrize("when", ["before", "after"])
def test_person_left_out_of_the_answer_is_lost_and_the_others_are_not(when, meeting, emulator):
    emulator.add_fault(REGISTRANTS, registrant_id="person 1", omit=True, when=when)

    first, second, third = meeting.enroll(people(3))

    assert first.join_web_url
    assert third.join_web_url
    assert isinstance(second, AnswerLost)
    assert "Graph left this request out of its batch answer; whether it took effect is not known" in str(second)


@pytest.mark.parametrize(("header", "seconds"), [("7", 7.0), ("0.25", 0.25), (None, None), ("soon", None)])
def test_throttled_person_carries_the_wait(header, seconds, meeting, emulator):
    emulator.add_fault(REGISTRANTS, registrant_id="person 1", status=429, retry_after=header)

    first, second = meeting.enroll(people(2))

    assert first.join_web_url
    assert isinstance(second, Throttled)
    assert second.transient
    assert second.retry_after == seconds
    assert len(emulator.store.enrolled(emulator.meeting_id)) == 1


def test_throttled_person_carries_the_wait_until_a_date(meeting, emulator):
    later = datetime.now(timezone.utc) + timedelta(hours=1)
    emulator.add_fault(REGISTRANTS, status=429, retry_after=format_datetime(later, usegmt=True))

    (answer,) = meeting.enroll(people(1))

    assert 3590 < answer.retry_after <= 3600


def test_throttled_call_stands_for_everybody_in_it(meeting, emulator, calls):
    emulator.add_fault("POST $batch", status=429, retry_after="3")

    answers = meeting.enroll(people(3))

    assert [type(answer) for answer in answers] == [Throttled] * 3
    assert [answer.retry_after for answer in answers] == [3.0] * 3
    assert emulator.store.enrolled(emulator.meeting_id) == []
    assert calls() == ["POST $batch"]


@pytest.mark.parametrize(
    "fault", [{"status": 503}, {"status": 504, "is_plain_text": True}, {"status": 408}, {"drop": True}, {"half": True}]
)
@pytest.mark.parametrize("when", ["before", "after"])
def test_call_without_a_clear_answer_is_lost_for_everybody_and_not_repeated(fault, when, meeting, emulator, calls):
    emulator.add_fault("POST $batch", when=when, **fault)

    answers = meeting.enroll(people(3))

    assert [type(answer) for answer in answers] == [AnswerLost] * 3
    assert len(emulator.store.enrolled(emulator.meeting_id)) == {"before": 0, "after": 3}[when]
    assert calls() == ["POST $batch"]


def test_call_that_takes_too_long_is_lost_and_not_repeated(open_session, settings, emulator, calls):
    open_session(settings).token()
    session = open_session(replace(settings, timeout=1))
    emulator.add_fault("POST $batch", delay=3)

    answers = OnlineMeeting(session, emulator.meeting_id, emulator.organizer_id).enroll(people(2))

    assert [type(answer) for answer in answers] == [AnswerLost] * 2
    assert len(emulator.store.enrolled(emulator.meeting_id)) == 2
    assert calls() == ["POST $batch"]


def test_call_that_was_never_sent_is_no_lost_answer(emulator, open_session, settings):
    nowhere = open_session(replace(settings, base_url="https://127.0.0.1:1"))

    answers = OnlineMeeting(nowhere, emulator.meeting_id, emulator.organizer_id).enroll(people(2))

    assert [type(answer) for answer in answers] == [ServiceUnreachable] * 2


@pytest.mark.parametrize("status", [408, 500, 503])
@pytest.mark.parametrize("when", ["before", "after"])
def test_person_whose_item_met_trouble_is_lost(status, when, meeting, emulator):
    emulator.add_fault(REGISTRANTS, registrant_id="person 1", status=status, when=when)

    first, second = meeting.enroll(people(2))

    assert first.join_web_url
    assert isinstance(second, AnswerLost)
    assert second.status == status


def test_each_person_has_an_error_of_their_own(meeting, emulator):
    emulator.add_fault(REGISTRANTS, registrant_id="person 0", status=400, code="Bad", message="No.")
    emulator.add_fault(REGISTRANTS, registrant_id="person 2", status=403)

    first, second, third = meeting.enroll(people(3))

    assert isinstance(first, BadRequest)
    assert (first.status, first.code, first.message) == (400, "Bad", "No.")
    assert second.join_web_url
    assert isinstance(third, Forbidden)
    entries = {entry.registrant_id: entry.request_id for entry in emulator.store.journal}
    assert (first.request_id, third.request_id) == (entries["person 0"], entries["person 2"])


def test_refused_token_is_replaced_once_for_the_whole_call(meeting, emulator, calls):
    emulator.add_fault("POST $batch", status=401)

    answers = meeting.enroll(people(2))

    assert all(answer.join_web_url for answer in answers)
    assert calls() == ["POST $batch"] * 2


def test_token_refused_twice_stands_for_everybody(meeting, emulator, calls):
    emulator.add_fault("POST $batch", status=401, times=0)

    answers = meeting.enroll(people(2))

    assert [type(answer) for answer in answers] == [Unauthorized] * 2
    assert calls() == ["POST $batch"] * 2


def test_sign_in_that_is_refused_stands_for_everybody(open_session, settings, emulator):
    session = open_session(replace(settings, client_secret="wrong"))

    answers = OnlineMeeting(session, emulator.meeting_id, emulator.organizer_id).enroll(people(2))

    assert [type(answer) for answer in answers] == [SignInError] * 2
    assert emulator.store.journal == []


def test_answers_that_came_are_kept_though_the_token_has_run_out_meanwhile(meeting, emulator):
    emulator.set_switches(token_lifetime=2)
    emulator.add_fault("POST token", nth=2, times=0, status=500)
    emulator.add_fault(
        REGISTRANTS,
        registrant_id="person 1",
        status=403,
        message="No application access policy found for this app on the user.",
        delay=1.1,
    )

    first, second = meeting.enroll(people(2))

    assert first.join_web_url
    assert isinstance(second, Forbidden)


def test_success_that_names_neither_the_person_nor_a_link_is_a_lost_answer(meeting, emulator):
    emulator.set_switches(retired="empty")

    (answer,) = meeting.enroll(people(1))

    assert isinstance(answer, AnswerLost)
    assert "neither the id nor a joinWebUrl" in str(answer)
