"""The time limit of a call: name look-up, connection, tunnel, TLS, request, headers and body end within it together."""

import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest

from airflow_provider_teams_registration.exceptions import AnswerLost, ServiceUnreachable
from airflow_provider_teams_registration.graph.online_meeting import OnlineMeeting
from airflow_provider_teams_registration.graph.online_meeting_bodies import ExternalMeetingRegistrant
from airflow_provider_teams_registration.graph.shapes import an_object

LIMIT = 1.0
SLACK = 2.0


@contextmanager
def ends_within(seconds):
    began_at = time.monotonic()
    yield
    assert time.monotonic() - began_at < seconds


@pytest.fixture
def serve():
    """Starts servers that do to each connection what they are told to."""
    listening, over = [], threading.Event()

    def start(act):
        server = socket.create_server(("127.0.0.1", 0))
        listening.append(server)

        def accept():
            try:
                while True:
                    connection, _ = server.accept()
                    listening.append(connection)
                    threading.Thread(target=run, args=[connection], daemon=True).start()
            except OSError:
                return

        def run(connection):
            try:
                act(connection, over)
            except OSError:
                return

        threading.Thread(target=accept, daemon=True).start()
        return f"127.0.0.1:{server.getsockname()[1]}"

    yield start
    over.set()
    for each in listening:
        each.close()


def say_nothing(connection, over):
    over.wait()


def drip(octets):
    def act(connection, over):
        for octet in octets:
            connection.sendall(bytes([octet]))
            if over.wait(0.1):
                return

    return act


TLS_RECORD = b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc" + bytes(1000)


@pytest.fixture
def limited(settings, open_session):
    """Settings with the limit, after a sign-in without it: all sessions share the token."""
    open_session(settings).token()
    return replace(settings, timeout=LIMIT)


def open_meeting(session, emulator):
    return OnlineMeeting(session, emulator.closed_meeting_id, emulator.organizer_id).open_registration()


@pytest.mark.parametrize("dripping", [{"drip": 0.05}, {"drip": 0.05, "drips_head": True}])
def test_read_that_drips_is_broken_off_and_read_again(dripping, open_session, limited, emulator, calls, no_backoff):
    session = open_session(limited)
    emulator.add_fault("GET registration", when="after", **dripping)

    with ends_within(LIMIT + SLACK):
        OnlineMeeting(session, emulator.meeting_id, emulator.organizer_id).registration()

    assert calls() == ["GET registration"] * 2


@pytest.mark.parametrize("dripping", [{"drip": 0.05}, {"drip": 0.05, "drips_head": True}])
def test_write_whose_answer_drips_is_lost_and_not_sent_again(dripping, open_session, limited, emulator, calls):
    session = open_session(limited)
    emulator.add_fault("POST $batch", when="after", **dripping)
    meeting = OnlineMeeting(session, emulator.meeting_id, emulator.organizer_id)

    with ends_within(LIMIT + SLACK):
        (answer,) = meeting.enroll([ExternalMeetingRegistrant("ada")])

    assert isinstance(answer, AnswerLost)
    assert calls() == ["POST $batch"]
    assert len(emulator.store.registrants(emulator.meeting_id)) == 1


@pytest.mark.parametrize("route", ["POST token", "GET openid-configuration"])
@pytest.mark.parametrize("dripping", [{"drip": 0.05}, {"drip": 0.05, "drips_head": True}])
def test_sign_in_that_drips_is_broken_off(route, dripping, open_session, settings, emulator):
    emulator.add_fault(route, when="after", **dripping)

    with ends_within(LIMIT + SLACK), pytest.raises(ServiceUnreachable, match="broke off its answer"):
        open_session(replace(settings, timeout=LIMIT)).token()


@pytest.mark.parametrize("act", [say_nothing, drip(TLS_RECORD)], ids=["silent", "drips"])
def test_write_is_not_sent_where_the_encryption_takes_too_long(act, open_session, limited, emulator, serve):
    session = open_session(replace(limited, base_url=f"https://{serve(act)}"))

    with ends_within(LIMIT + SLACK), pytest.raises(ServiceUnreachable, match="could not be reached"):
        open_meeting(session, emulator)


@pytest.mark.parametrize(
    "act",
    [say_nothing, drip(b"HTTP/1.1 200 Fine\r\n" + b"X-Header: x\r\n" * 100)],
    ids=["silent", "drips"],
)
def test_write_is_not_sent_where_the_proxy_takes_too_long(act, open_session, limited, emulator, serve):
    through_proxy = open_session(replace(limited, proxies={"https": f"http://{serve(act)}"}))

    with ends_within(LIMIT + SLACK), pytest.raises(ServiceUnreachable, match="could not be reached"):
        through_proxy.token()


def test_write_is_not_sent_where_the_name_is_looked_up_for_too_long(open_session, limited, emulator, monkeypatch):
    session = open_session(replace(limited, base_url="https://graph.example"))
    look_up, found = socket.getaddrinfo, threading.Event()

    def look_up_slowly(host, *args, **kwargs):
        if host == "graph.example":
            found.wait()
            host = "127.0.0.1"
        return look_up(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", look_up_slowly)

    with ends_within(LIMIT + SLACK), pytest.raises(ServiceUnreachable, match="could not be reached"):
        open_meeting(session, emulator)

    found.set()


def test_write_that_the_service_does_not_take_in_is_lost(open_session, limited, emulator, serve):
    session = open_session(replace(limited, base_url=f"http://{serve(say_nothing)}"))

    with ends_within(LIMIT + SLACK), pytest.raises(AnswerLost):
        session.write("POST", "beta", "/anything", {"text": "x" * 30_000_000})


def test_connection_serves_one_call_after_another_beyond_the_time_limit_of_the_first(
    open_session, settings, emulator, proxy
):
    through_proxy = replace(settings, proxies={"https": proxy.url})
    open_session(through_proxy).token()
    proxy.asked.clear()
    session = open_session(replace(through_proxy, timeout=LIMIT))
    meeting = OnlineMeeting(session, emulator.meeting_id, emulator.organizer_id)
    meeting.registration()
    emulator.add_fault("GET registration", delay=LIMIT / 2, times=0)

    for _ in range(3):
        meeting.registration()

    assert len(proxy.asked) == 1


def test_large_answer_that_comes_in_time_is_read_whole(open_session, settings, emulator):
    session = open_session(settings)
    emulator.add_fault("GET registration", body='{"text": "%s"}' % ("x" * 3_000_000), content_type="application/json")

    assert (
        len(session.read("beta", f"/users/{emulator.organizer_id}/onlineMeetings/x/registration", an_object)["text"])
        == 3_000_000
    )
