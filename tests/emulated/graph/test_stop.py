"""A session's stop is heard by everything that waits, and lets nothing new be sent."""

import threading
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest

from airflow_provider_teams_registration.exceptions import AnswerLost, Stopped
from airflow_provider_teams_registration.graph.backoff import Backoff
from airflow_provider_teams_registration.graph.online_meeting import OnlineMeeting
from airflow_provider_teams_registration.graph.online_meeting_bodies import ExternalMeetingRegistrant
from airflow_provider_teams_registration.graph.shapes import BatchRead, an_object
from airflow_provider_teams_registration.graph.write_quota import WriteQuota


@contextmanager
def stopped_soon(session, within=2.0):
    """Stops the session shortly; what is in the block must end soon after."""
    timer = threading.Timer(0.3, session.stop.set)
    timer.start()
    began_at = time.monotonic()
    try:
        yield
    finally:
        timer.join()
    assert 0.2 < time.monotonic() - began_at < within


@pytest.mark.parametrize(
    "call",
    [
        lambda meeting, session: meeting.registration(),
        lambda meeting, session: meeting.open_registration(),
        lambda meeting, session: list(meeting.registrants()),
        lambda meeting, session: session.read_batch("beta", [BatchRead("/me/onlineMeetings/x", an_object)]),
        lambda meeting, session: WriteQuota(session.rate_limiter, 1, 60).wait(),
    ],
    ids=["read", "write", "list", "batch of reads", "paced writes"],
)
def test_wait_that_the_service_asked_for_ends(call, graph_session, meeting, emulator):
    graph_session.token()
    graph_session.rate_limiter.back_off(60)

    with stopped_soon(graph_session), pytest.raises(Stopped) as failure:
        call(meeting, graph_session)

    assert failure.value.transient
    assert emulator.store.journal == []


def test_wait_for_room_for_a_write_ends(graph_session):
    writes = WriteQuota(graph_session.rate_limiter, 1, 60)
    writes.reserve(1)
    writes.commit(1)

    with stopped_soon(graph_session), pytest.raises(Stopped):
        writes.wait()


def test_wait_before_a_read_is_repeated_ends(open_session, settings, emulator, calls):
    # The wait is a random part of this, and hardly ever one of seconds.
    session = open_session(replace(settings, backoff=Backoff(read_multiplier=1e6, read_longest=1e6)))
    meeting = OnlineMeeting(session, emulator.meeting_id, emulator.organizer_id)
    session.token()
    emulator.add_fault("GET registration", drop=True, times=0)

    with stopped_soon(session), pytest.raises(Stopped):
        meeting.registration()

    assert calls() == ["GET registration"]


def test_wait_before_a_batch_of_reads_is_repeated_ends(graph_session, emulator, calls):
    graph_session.token()
    emulator.add_fault("POST $batch", status=503, retry_after="60", times=0)

    with stopped_soon(graph_session), pytest.raises(Stopped):
        graph_session.read_batch("beta", [BatchRead("/me/onlineMeetings/x", an_object)])

    assert calls() == ["POST $batch"]


def test_no_page_is_read_after_the_stop(graph_session, meeting, emulator, calls):
    emulator.set_switches(page_size=2)
    meeting.enroll([ExternalMeetingRegistrant(f"person {number}") for number in range(9)])
    emulator.clear_journal()
    listed = meeting.registrants()
    next(listed)
    graph_session.stop.set()

    with pytest.raises(Stopped):
        list(listed)

    assert calls() == ["GET registrants"]


def test_nothing_is_sent_after_the_stop(graph_session, meeting, emulator):
    graph_session.stop.set()

    answers = meeting.enroll([ExternalMeetingRegistrant("ada"), ExternalMeetingRegistrant("bob")])

    assert [type(answer) for answer in answers] == [Stopped] * 2
    assert emulator.store.journal == []
    assert emulator.store.sign_ins == []


def test_request_under_way_ends_within_its_time_limit_and_is_not_made_again(open_session, settings, emulator, calls):
    open_session(settings).token()
    session = open_session(replace(settings, timeout=0.8))
    emulator.add_fault("GET registration", drip=0.05, when="after", times=0)

    with stopped_soon(session, within=1.5), pytest.raises(Stopped):
        OnlineMeeting(session, emulator.meeting_id, emulator.organizer_id).registration()

    assert calls() == ["GET registration"]


def test_answer_to_a_write_under_way_is_waited_for(open_session, settings, emulator):
    session = open_session(settings)
    session.token()
    emulator.add_fault("POST $batch", delay=0.6)
    meeting = OnlineMeeting(session, emulator.meeting_id, emulator.organizer_id)

    with stopped_soon(session):
        (answer,) = meeting.enroll([ExternalMeetingRegistrant("ada")])

    assert not isinstance(answer, AnswerLost | Stopped)


def test_write_that_was_refused_for_its_token_is_not_made_again_after_the_stop(graph_session, meeting, emulator):
    graph_session.token()
    emulator.add_fault("POST $batch", status=401, delay=0.6)

    with stopped_soon(graph_session):
        (answer,) = meeting.enroll([ExternalMeetingRegistrant("ada")])

    assert isinstance(answer, Stopped)
    assert emulator.store.registrants(emulator.meeting_id) == []
