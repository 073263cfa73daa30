"""Whatever answers, the doctor ends with sentences and an exit code, and shows nothing personal."""

from __future__ import annotations

import json
import ssl
import threading
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from airflow_provider_teams_registration.cli import main
from airflow_provider_teams_registration.emulator.http.certificate import certificate_files

HTML = "<!DOCTYPE html><html><body>Sign in to the guest network</body></html>"
BODIES = {
    "HTML": {"body": HTML, "content_type": "text/html"},
    "nothing": {"body": ""},
    "an empty object": {"body": "{}"},
    "a list": {"body": "[]"},
    "a number": {"body": "7"},
    "another list": {"body": '{"value": [7, null]}'},
    "deep JSON": {"body": "[" * 100_000},
    "a 404 in HTML": {"status": 404, "body": HTML},
    "a 401": {"status": 401, "body": '{"error": "no"}'},
    "a 418": {"status": 418, "body": '{"detail": {"error": 1}}'},
    "a 503": {"status": 503, "body": HTML},
    "a redirect": {"redirect": "https://elsewhere.example/"},
}


@pytest.mark.usefixtures("no_backoff")
@pytest.mark.parametrize("route", ["GET *", "POST $batch", "POST token"])
@pytest.mark.parametrize("kind", BODIES)
def test_an_answer_of_something_else_is_a_sentence(kind, route, doctor, emulator):
    emulator.store.webinars.register(emulator.webinar_id, "ada@example.org")
    emulator.add_fault(route, times=0, **BODIES[kind])

    examined = doctor("--webinar-id", emulator.webinar_id)

    assert examined.exit_code in (1, 2)
    assert "Traceback" not in examined.text
    assert "unforeseen" not in examined.text
    assert "guest network" not in examined.text
    assert all(len(one["sentence"]) > 10 for one in examined.findings)


@pytest.mark.usefixtures("no_backoff")
@pytest.mark.parametrize("kind", BODIES)
def test_an_answer_about_a_meeting_of_something_else_is_a_sentence(kind, doctor, emulator):
    emulator.add_fault("GET *", times=0, **BODIES[kind])

    examined = doctor("--meeting-id", emulator.meeting_id, "--organizer-id", emulator.organizer_id)

    assert examined.exit_code in (1, 2)
    assert "Traceback" not in examined.text
    assert "unforeseen" not in examined.text


FOREIGN = {
    "an HTML page": ("text/html", HTML),
    "another API's error": ("application/json", '{"message": "no Route matched with those values"}'),
    "another API's list": ("application/json", '{"items": [{"id": 1}], "total": 1}'),
    "a directory of users": ("application/json", '{"@odata.context": "$metadata#users", "value": [{"id": "canary"}]}'),
    "an XML document": ("application/xml", "<error><code>404</code></error>"),
}


@pytest.fixture
def foreign_service(tmp_path, emulator):
    """Start a service that answers everything in one way, whatever is asked; return its address and its CA file."""
    with ExitStack() as stack:

        def start(status, content_type, text):
            class Handler(BaseHTTPRequestHandler):
                def do_GET(self):
                    self.rfile.read(int(self.headers.get("Content-Length") or 0))
                    self.send_response(status)
                    self.send_header("Content-Type", content_type)
                    self.send_header("Content-Length", str(len(text)))
                    self.end_headers()
                    self.wfile.write(text.encode())

                def do_POST(self):
                    self.do_GET()

                def log_message(self, *_):
                    """Say nothing."""

            files = certificate_files(tmp_path, "127.0.0.1")
            server = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(files.certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            stack.callback(server.shutdown)
            trusted = tmp_path / "trusted.pem"
            trusted.write_text(files.ca.read_text() + Path(emulator.connection()["extra"]["verify"]).read_text())
            return f"https://127.0.0.1:{server.server_port}", str(trusted)

        yield start


@pytest.mark.usefixtures("no_backoff")
@pytest.mark.parametrize("part", ["base_url", "authority"])
@pytest.mark.parametrize("status", [200, 404])
@pytest.mark.parametrize("kind", FOREIGN)
def test_a_service_that_is_none_of_ours_is_a_sentence(kind, status, part, foreign_service, doctor, connect, emulator):
    address, ca_file = foreign_service(status, *FOREIGN[kind])
    connect(extra={part: address, "verify": ca_file})

    examined = doctor("--webinar-id", emulator.webinar_id)

    assert examined.exit_code in (1, 2)
    assert "Traceback" not in examined.text
    assert "unforeseen" not in examined.text
    assert "canary" not in examined.text
    assert all(len(one["sentence"]) > 10 for one in examined.findings)


@pytest.mark.usefixtures("no_backoff")
@pytest.mark.parametrize(
    "extra",
    [
        {"base_url": "https://127.0.0.1:1"},
        {"authority": "https://127.0.0.1:1"},
        {"base_url": "https://nowhere.invalid"},
    ],
    ids=["no Graph", "no Entra", "no such host"],
)
def test_a_service_that_cannot_be_reached_cannot_be_examined(extra, doctor, connect, emulator):
    connect(extra=extra)

    examined = doctor("--webinar-id", emulator.webinar_id)

    assert examined.exit_code == 2
    assert "could not be reached" in examined.text


def test_a_service_of_another_certificate_authority_is_named(doctor, connect, emulator):
    connect(extra={"verify": True})

    examined = doctor("--webinar-id", emulator.webinar_id)

    assert examined.exit_code in (1, 2)
    assert "certificate" in examined.text


@pytest.mark.parametrize(
    ("fields", "extra", "check", "said"),
    [
        ({"password": "wrong"}, {}, "sign-in", "AADSTS7000215"),
        ({}, {"tenant_id": ""}, "connection", "tenant_id is missing"),
        ({}, {"base_url": "https://graph.microsoft.us"}, "connection", "US Government L4"),
        ({}, {"auth": "certificate", "certificate_path": "/nowhere.pem"}, "sign-in", "certificate_path"),
    ],
)
def test_a_connection_that_cannot_work_is_explained(fields, extra, check, said, doctor, connect):
    connect(extra=extra, **fields)

    (missing,) = (examined := doctor()).missing

    assert (examined.exit_code, missing["check"]) == (1, check)
    assert said in missing["sentence"]
    assert missing["remedy"]


def test_an_unknown_connection_is_told_how_to_be_made(doctor):
    (missing,) = doctor("--conn-id", "nowhere").missing

    assert missing["check"] == "connection"
    assert missing["remedy"].startswith("airflow connections add nowhere --conn-type teams_registration")


def test_nothing_personal_is_shown(doctor, emulator):
    link = emulator.store.meeting(emulator.meeting_id).join_web_url
    registered = emulator.store.webinars.register(
        emulator.webinar_id, "ada@example.org", first_name="Adelheid", last_name="Lovelace"
    )
    shown = doctor("--webinar-id", emulator.webinar_id).text
    shown += doctor("--join-url", link, "--organizer-id", emulator.organizer_id).text
    shown += doctor("--join-url", f"{link}/other", "--organizer-id", emulator.organizer_id).text

    for personal in ("ada@", "Adelheid", "Lovelace", registered.join_web_url, "meetup-join", emulator.client_secret):
        assert personal not in shown


def test_an_event_that_is_named_twice_is_a_usage_error(connect, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "--webinar-id", "one", "--name", "another"])
    assert ended.value.code == 2


def test_text_has_a_line_for_each_check_and_the_remedy_on_one_line(connect, emulator, capsys):
    emulator.set_switches(roles="VirtualEvent.Read.All")
    exit_code = main(["doctor", "--webinar-id", emulator.webinar_id])
    lines = capsys.readouterr().out.splitlines()
    main(["doctor", "--json", "--webinar-id", emulator.webinar_id])
    remedies = [one["remedy"] for one in json.loads(capsys.readouterr().out)["findings"] if one["remedy"]]

    assert exit_code == 1
    assert any(line.startswith("event ") and " fine " in line for line in lines)
    assert any(line.startswith("registering ") and " missing " in line for line in lines)
    assert [line.partition("-> ")[2] for line in lines if "-> " in line] == remedies
