"""Reads, which are repeated, and writes, which never are."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise

import pytest

from airflow_provider_teams_registration.exceptions import (
    AnswerLost,
    Forbidden,
    NotFound,
    ServiceFailure,
    ServiceUnreachable,
    Throttled,
    Unauthorized,
)
from airflow_provider_teams_registration.graph.backoff import Backoff
from airflow_provider_teams_registration.graph.online_meeting import OnlineMeeting

BROKEN = [{"drop": True}, {"half": True}]


@pytest.fixture
def closed_meeting(graph_session, emulator):
    return OnlineMeeting(graph_session, emulator.closed_meeting_id, emulator.organizer_id)


def test_every_request_has_an_id_of_its_own(meeting, closed_meeting, emulator, no_backoff):
    emulator.add_fault("GET registration", status=503)
    emulator.add_fault("GET registration", status=401, nth=2)

    meeting.registration()
    meeting.registration()
    closed_meeting.open_registration()

    ids = [entry.client_request_id for entry in emulator.store.journal]
    assert len(ids) == len(set(ids)) == 5
    assert all(ids)


def test_refused_token_is_replaced_once_and_the_request_made_again(graph_session, meeting, emulator, calls):
    refused = graph_session.token()
    emulator.add_fault("GET registration", status=401)

    assert meeting.registration().allowed_registrant == "everyone"

    assert graph_session.token().value != refused.value
    assert calls() == ["GET registration"] * 2


def test_write_with_a_refused_token_is_made_again(closed_meeting, emulator, calls):
    emulator.add_fault("POST registration", status=401)

    closed_meeting.open_registration()

    assert calls() == ["POST registration"] * 2


def test_token_refused_twice_ends_with_a_sentence(meeting, emulator, calls):
    emulator.add_fault("GET registration", status=401, times=0, code="InvalidAuthenticationToken")

    with pytest.raises(Unauthorized, match=r"401 InvalidAuthenticationToken.*Check tenant_id"):
        meeting.registration()

    assert calls() == ["GET registration"] * 2


@pytest.mark.parametrize("status", [500, 503])
def test_read_is_repeated_while_the_service_is_in_trouble(status, meeting, emulator, no_backoff, calls):
    emulator.add_fault("GET registration", status=status, times=3, is_plain_text=True)

    assert meeting.registration().allowed_registrant == "everyone"
    assert calls() == ["GET registration"] * 4


def test_read_gives_up_after_four_failures(meeting, emulator, no_backoff, calls):
    emulator.add_fault("GET registration", status=503, times=0)

    with pytest.raises(ServiceFailure, match="503 ServiceUnavailable") as failure:
        meeting.registration()

    assert failure.value.transient
    assert calls() == ["GET registration"] * 4


def test_read_waits_as_long_as_a_service_in_trouble_asks(meeting, emulator, no_backoff):
    emulator.add_fault("GET registration", status=503, retry_after="0.2")

    meeting.registration()

    first, second = emulator.store.journal
    assert 0.2 <= second.at - first.at < 2


@pytest.mark.parametrize("broken", BROKEN)
def test_read_is_repeated_when_the_connection_breaks(broken, meeting, emulator, no_backoff, calls):
    emulator.add_fault("GET registration", times=3, when="after", **broken)

    assert meeting.registration().allowed_registrant == "everyone"
    assert calls() == ["GET registration"] * 4


@pytest.mark.parametrize("broken", BROKEN)
def test_read_whose_connection_always_breaks_ends_as_unreachable(broken, meeting, emulator, no_backoff):
    emulator.add_fault("GET registration", times=0, when="after", **broken)

    with pytest.raises(ServiceUnreachable, match="no answer to a read, several times in a row"):
        meeting.registration()


def test_read_that_is_refused_is_not_repeated(graph_session, emulator, calls):
    with pytest.raises(NotFound):
        OnlineMeeting(graph_session, "no such meeting", emulator.organizer_id).registration()

    assert calls() == ["GET registration"]


@pytest.mark.parametrize("status", [408, 500, 503])
@pytest.mark.parametrize("when", ["before", "after"])
def test_write_answered_with_trouble_is_lost_and_not_repeated(status, when, closed_meeting, emulator, calls):
    emulator.add_fault("POST registration", status=status, when=when)

    with pytest.raises(AnswerLost, match=f"Graph answered {status} to a write; whether it took effect") as failure:
        closed_meeting.open_registration()

    assert failure.value.status == status
    assert failure.value.request_id == emulator.store.journal[0].request_id
    assert not failure.value.transient
    assert calls() == ["POST registration"]
    effect = {"before": None, "after": "everyone"}[when]
    assert emulator.store.meeting(emulator.closed_meeting_id).allowed_registrant == effect


@pytest.mark.parametrize("broken", BROKEN)
def test_write_whose_connection_breaks_is_lost_and_not_repeated(broken, closed_meeting, emulator, calls):
    emulator.add_fault("POST registration", when="after", **broken)

    with pytest.raises(AnswerLost, match="The connection broke before the answer") as failure:
        closed_meeting.open_registration()

    assert failure.value.request_id == emulator.store.journal[0].client_request_id
    assert calls() == ["POST registration"]


def test_write_that_was_never_sent_is_no_lost_answer(open_session, settings, emulator, broken_proxy):
    session = open_session(replace(settings, base_url=broken_proxy.replace("http:", "https:")))

    with pytest.raises(ServiceUnreachable, match="could not be reached"):
        OnlineMeeting(session, emulator.closed_meeting_id, emulator.organizer_id).open_registration()


def test_throttled_write_is_made_again_after_the_wait(closed_meeting, emulator, calls):
    emulator.add_fault("POST registration", status=429, retry_after="0.15")

    closed_meeting.open_registration()

    assert calls() == ["POST registration"] * 2
    first, second = emulator.store.journal
    assert 0.15 <= second.at - first.at < 2


def test_throttled_read_is_made_again_after_the_wait(meeting, emulator):
    emulator.add_fault("GET registration", status=429, retry_after="0.15")

    meeting.registration()

    first, second = emulator.store.journal
    assert 0.15 <= second.at - first.at < 2


def test_throttled_without_a_named_wait_backs_off_longer_each_time(open_session, settings, emulator):
    session = open_session(replace(settings, backoff=Backoff(first=0.05)))
    meeting = OnlineMeeting(session, emulator.meeting_id, emulator.organizer_id)
    emulator.add_fault("GET registration", status=429, times=3)

    meeting.registration()

    at = [entry.at for entry in emulator.store.journal]
    first, second, third = (later - earlier for earlier, later in pairwise(at))
    assert first >= 0.0375
    assert second >= 0.075
    assert 0.15 <= third < 2


def test_endless_throttling_ends(meeting, emulator, calls, no_backoff):
    emulator.add_fault("GET registration", status=429, times=0, retry_after="0")

    with pytest.raises(Throttled) as failure:
        meeting.registration()

    assert failure.value.transient
    assert calls() == ["GET registration"] * 8


def test_no_request_of_the_session_goes_while_the_service_asks_for_patience(
    graph_session, meeting, closed_meeting, emulator
):
    graph_session.token()
    asked_at = time.monotonic()
    graph_session.rate_limiter.back_off(0.15)

    with ThreadPoolExecutor(2) as threads:
        threads.submit(meeting.registration)
        threads.submit(closed_meeting.open_registration)

    assert sorted(entry.method for entry in emulator.store.journal) == ["GET", "POST"]
    assert all(0.15 <= entry.at - asked_at < 2 for entry in emulator.store.journal)


def test_write_that_answers_in_plain_text_without_a_body_keeps_its_status(closed_meeting, emulator):
    emulator.add_fault("POST registration", status=403, is_plain_text=True)

    with pytest.raises(Forbidden, match=r"^403 Check the consent") as failure:
        closed_meeting.open_registration()

    assert failure.value.status == 403
