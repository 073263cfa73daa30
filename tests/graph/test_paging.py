"""Collections that come in pages."""

import json
import ssl
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from airflow_provider_teams_registration.emulator.certificate import certificate_files
from airflow_provider_teams_registration.graph.errors import GraphError, ServiceFailure
from airflow_provider_teams_registration.graph.online_meeting import ExternalMeetingRegistrant, OnlineMeeting

PEOPLE = [f"person {n}" for n in range(7)]


@pytest.fixture
def seven_people(meeting, emulator):
    meeting.enroll([ExternalMeetingRegistrant(registrant_id) for registrant_id in PEOPLE])
    emulator.clear_journal()


@pytest.fixture
def one_page(tmp_path):
    """
    A server on https whose every answer is one page, with the next link of one's choice.

    It has the certificate of an emulator, and notes the paths asked for and whether a token came along.
    """
    files = certificate_files(tmp_path, "127.0.0.1")

    class OnePage(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self.server.asked.append((self.path, "Authorization" in self.headers))
            page = {"value": [{"id": "person 0"}], "@odata.nextLink": self.server.next_link}
            body = json.dumps(page).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), OnePage) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files.certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.url = f"https://localhost:{server.server_port}"
        server.ca_file = str(files.ca)
        server.asked = []
        server.next_link = None
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def meeting_there(one_page, open_session, settings, emulator, tmp_path):
    """The meeting, where Graph is the one-page server and Entra is the emulator."""
    both = tmp_path / "both.pem"
    both.write_text(Path(emulator.ca_file).read_text() + Path(one_page.ca_file).read_text())
    session = open_session(replace(settings, base_url=one_page.url, verify=str(both)))
    return OnlineMeeting(session, emulator.meeting_id, emulator.organizer_id)


@pytest.mark.parametrize("page_size", [0, 1, 2, 3, 7, 8])
def test_everybody_is_listed_whatever_the_page_size(page_size, meeting, seven_people, emulator):
    emulator.set_switches(page_size=page_size)

    assert [registrant.id for registrant in meeting.registrants()] == PEOPLE


def test_empty_page_in_between_is_not_the_end(meeting, seven_people, emulator, calls):
    emulator.set_switches(page_size=3, empty_page=True)

    assert [registrant.id for registrant in meeting.registrants()] == PEOPLE
    assert calls() == ["GET registrants"] * 4


def test_nobody_is_an_empty_list(meeting):
    assert list(meeting.registrants()) == []


def test_pages_are_fetched_only_as_far_as_they_are_read(meeting, seven_people, emulator, calls):
    emulator.set_switches(page_size=2)

    assert next(meeting.registrants()).id == "person 0"
    assert calls() == ["GET registrants"]


def test_page_that_fails_is_repeated_and_nobody_is_listed_twice(meeting, seven_people, emulator, no_backoff):
    emulator.set_switches(page_size=3)
    emulator.add_fault("GET registrants", nth=2, status=503)
    emulator.add_fault("GET registrants", nth=4, drop=True)

    assert [registrant.id for registrant in meeting.registrants()] == PEOPLE


def test_page_that_is_throttled_comes_after_the_wait(meeting, seven_people, emulator):
    emulator.set_switches(page_size=4)
    emulator.add_fault("GET registrants", nth=2, status=429, retry_after="0.2")

    assert [registrant.id for registrant in meeting.registrants()] == PEOPLE
    _, throttled, again = emulator.books.journal
    assert again.at - throttled.at >= 0.2


def test_token_stays_here_when_the_next_page_lies_on_another_host(meeting_there, one_page, emulator):
    one_page.next_link = f"{emulator.url}/beta/users/{emulator.organizer_id}/onlineMeetings"

    with pytest.raises(ServiceFailure, match="lies on another host"):
        list(meeting_there.registrants())

    assert len(one_page.asked) == 1
    assert emulator.books.journal == []


def test_token_stays_here_when_the_next_page_is_not_encrypted(meeting_there, one_page):
    one_page.next_link = one_page.url.replace("https:", "http:") + "/beta/next"

    with pytest.raises(ServiceFailure, match="lies on another host"):
        list(meeting_there.registrants())

    assert len(one_page.asked) == 1


def test_next_link_without_a_host_belongs_to_the_same_one(meeting_there, one_page):
    one_page.next_link = "/beta/next?$skiptoken=a%2Fb"
    listed = meeting_there.registrants()

    next(listed)
    next(listed)

    assert one_page.asked[1] == ("/beta/next?$skiptoken=a%2Fb", True)


def test_next_link_is_followed_whatever_the_case_of_its_host(meeting_there, one_page):
    one_page.next_link = one_page.url.replace("localhost", "LocalHost") + "/beta/next"
    listed = meeting_there.registrants()

    next(listed)
    next(listed)

    assert [path for path, _ in one_page.asked][1:] == ["/beta/next"]


def test_pages_in_a_circle_end(meeting_there, one_page):
    one_page.next_link = "/beta/next"

    with pytest.raises(GraphError, match="in a circle"):
        list(meeting_there.registrants())

    assert len(one_page.asked) == 2


def test_list_shows_links_only_where_the_service_does(meeting, seven_people, emulator):
    assert {registrant.join_web_url for registrant in meeting.registrants()} == {None}

    emulator.set_switches(list_shows_links=True)

    links = {record.id: record.join_web_url for record in emulator.books.enrolled(emulator.meeting_id)}
    assert {registrant.id: registrant.join_web_url for registrant in meeting.registrants()} == links
