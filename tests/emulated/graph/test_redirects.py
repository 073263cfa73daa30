"""Nobody follows a redirect: the client secret, the refresh token and the access token stay where they belong."""

import socket
import threading
from dataclasses import replace

import pytest

from airflow_provider_teams_registration.exceptions import AnswerLost, Redirected, ServiceUnreachable, SettingsError
from airflow_provider_teams_registration.graph.online_meeting import OnlineMeeting


@pytest.fixture
def elsewhere():
    """Another host, and how many connected to it."""
    connected = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def accept():
            try:
                while True:
                    connected.append(listening.accept())
            except OSError:
                return

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/", connected
        listening.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("route", ["POST token", "GET openid-configuration"])
@pytest.mark.parametrize("way", ["application", "organizer"])
def test_no_secret_goes_where_entra_redirects(
    status, route, way, open_session, settings, delegated_settings, emulator, elsewhere
):
    url, connected = elsewhere
    emulator.add_fault(route, redirect=url, status=status)

    with pytest.raises(ServiceUnreachable, match=rf"a redirect \({status}\), which is never followed") as failure:
        open_session({"application": settings, "organizer": delegated_settings}[way]).token()

    assert connected == []
    assert failure.value.transient
    assert url not in str(failure.value)


def test_token_in_the_body_of_a_redirect_is_not_used(open_session, settings, emulator, elsewhere):
    url, _ = elsewhere
    body = '{"token_type": "Bearer", "expires_in": 3599, "access_token": "CANARY"}'
    emulator.add_fault("POST token", redirect=url, body=body, content_type="application/json")

    with pytest.raises(ServiceUnreachable):
        open_session(settings).token()


@pytest.mark.parametrize("address", ["http://other.example", "HTTP://other.example"])
def test_no_secret_goes_to_a_token_endpoint_without_encryption(address, open_session, settings, emulator):
    document = (
        f'{{"issuer": "x", "authorization_endpoint": "{settings.authority}/t/authorize", '
        f'"token_endpoint": "{address}/{emulator.tenant_id}/token"}}'
    )
    emulator.add_fault("GET openid-configuration", body=document, content_type="application/json")

    with pytest.raises(SettingsError, match="Check tenant_id and authority"):
        open_session(settings).token()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_read_that_is_redirected_is_read_again_and_never_elsewhere(
    status, meeting, emulator, elsewhere, calls, no_backoff
):
    url, connected = elsewhere
    emulator.add_fault("GET registration", redirect=url, status=status, times=0)

    with pytest.raises(Redirected, match=rf"^{status} .*This is a redirect, which is never followed") as failure:
        meeting.registration()

    assert connected == []
    assert calls() == ["GET registration"] * 4
    assert failure.value.transient


def test_read_that_is_redirected_once_is_read(meeting, emulator, elsewhere, no_backoff):
    emulator.add_fault("GET registration", redirect=elsewhere[0])

    assert meeting.registration().allowed_registrant == "everyone"


@pytest.mark.parametrize("location", ["http://[", "//", "https://user:password@"])
def test_redirect_to_nowhere_is_a_redirect(location, meeting, emulator, no_backoff):
    emulator.add_fault("GET registration", redirect=location, times=0)

    with pytest.raises(Redirected):
        meeting.registration()


@pytest.mark.parametrize("when", ["before", "after"])
def test_write_that_is_redirected_is_lost_and_not_sent_again(when, open_session, settings, emulator, elsewhere, calls):
    url, connected = elsewhere
    session = open_session(replace(settings))
    emulator.add_fault("POST registration", redirect=url, when=when, times=0)

    with pytest.raises(AnswerLost, match="Graph answered 307 to a write"):
        OnlineMeeting(session, emulator.closed_meeting_id, emulator.organizer_id).open_registration()

    assert connected == []
    assert calls() == ["POST registration"]
