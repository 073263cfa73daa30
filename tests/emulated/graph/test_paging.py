"""Collections that come in pages."""

import json
import ssl
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from airflow_provider_teams_registration.emulator.http.certificate import certificate_files
from airflow_provider_teams_registration.exceptions import GraphError, ServiceFailure, ServiceUnreachable
from airflow_provider_teams_registration.graph.online_meeting import OnlineMeeting
from airflow_provider_teams_registration.graph.online_meeting_bodies import ExternalMeetingRegistrant
from airflow_provider_teams_registration.graph.paging import Page, read_pages

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
        disable_nagle_algorithm = True

        def do_GET(self):
            self.server.asked.append((self.path, "Authorization" in self.headers))
            link = self.server.next_link
            link = link(len(self.server.asked)) if callable(link) else link
            page = {"value": self.server.items, "@odata.nextLink": link}
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
        server.items = [{"id": "person 0"}]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def graph_session_there(one_page, open_session, settings, emulator, tmp_path):
    """A session where Graph is the one-page server and Entra is the emulator."""
    both = tmp_path / "both.pem"
    both.write_text(Path(emulator.ca_file).read_text() + Path(one_page.ca_file).read_text())
    return open_session(replace(settings, base_url=one_page.url, verify=str(both)))


@pytest.fixture
def meeting_there(graph_session_there, emulator):
    """The meeting there."""
    return OnlineMeeting(graph_session_there, emulator.meeting_id, emulator.organizer_id)


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
    _, throttled, again = emulator.store.journal
    assert again.at - throttled.at >= 0.2


def test_token_stays_here_when_the_next_page_lies_on_another_host(meeting_there, one_page, emulator):
    one_page.next_link = f"{emulator.url}/beta/users/{emulator.organizer_id}/onlineMeetings"

    with pytest.raises(ServiceFailure, match="lies on another host"):
        list(meeting_there.registrants())

    assert len(one_page.asked) == 1
    assert emulator.store.journal == []


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

    links = {record.id: record.join_web_url for record in emulator.store.enrolled(emulator.meeting_id)}
    assert {registrant.id: registrant.join_web_url for registrant in meeting.registrants()} == links


@pytest.mark.parametrize(
    "next_link",
    [
        5,
        True,
        "",
        " ",
        ["/beta/next"],
        {"href": "/beta/next"},
        "https://localhost:port/beta/next",
        "https://localhost:99999/beta/next",
        "https://localhost:0/beta/next",
        "https://[/beta/next",
        "https://ada@localhost/beta/next",
        "/beta/next\r\nX-Header: value",
        "/beta/\ud800",
    ],
)
def test_next_link_that_is_none_is_read_again_and_never_the_end(meeting_there, one_page, no_backoff, next_link):
    one_page.next_link = next_link

    with pytest.raises(ServiceUnreachable, match=r"@odata\.nextLink"):
        list(meeting_there.registrants())

    assert len(one_page.asked) == 4


@pytest.mark.parametrize(
    "next_link", ["ftp://localhost/beta/next", "//elsewhere.example/beta/next", "mailto:ada@example.org"]
)
def test_next_link_to_elsewhere_is_not_followed(meeting_there, one_page, next_link):
    one_page.next_link = next_link

    with pytest.raises(ServiceFailure, match="lies on another host"):
        list(meeting_there.registrants())

    assert len(one_page.asked) == 1


def test_default_port_in_a_next_link_is_the_same_host():
    read = {
        "https://graph.example/a": Page(["ada"], "https://graph.example:443/b"),
        "https://graph.example:443/b": Page(["bob"], None),
    }

    assert list(read_pages(read.__getitem__, "https://graph.example/a")) == ["ada", "bob"]


def test_pages_that_never_end_end_in_a_failure(graph_session_there, one_page):
    one_page.next_link = lambda asked: f"/beta/next?page={asked}"

    with pytest.raises(ServiceFailure, match="do not end: 20 of them were read") as failure:
        list(graph_session_there.pages("beta", "/list", dict, max_pages=20))

    assert failure.value.transient
    assert len(one_page.asked) == 20


def test_empty_pages_that_never_end_end_in_a_failure(meeting_there, one_page):
    one_page.items = []
    one_page.next_link = lambda asked: f"/beta/next?page={asked}"

    with pytest.raises(ServiceFailure, match="do not end: 100 of them were read"):
        list(meeting_there.registrants())


def test_list_of_a_great_many_pages_is_read(graph_session_there, one_page):
    one_page.next_link = lambda asked: f"/beta/next?page={asked}" if asked < 500 else None

    assert len(list(graph_session_there.pages("beta", "/list", dict))) == 500
