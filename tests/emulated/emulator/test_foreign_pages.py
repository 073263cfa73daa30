"""A page of another site, open in the browser of somebody who runs the emulator, changes nothing."""

import re

import pytest


@pytest.fixture
def press(emulator, http):
    """Sends what a page sends; the origin may name the emulator's own address."""

    def send(path, origin, method="POST"):
        headers = {"Origin": origin.format(own=emulator.url, port=emulator.port)} if origin else {}
        return http.request(method, f"{emulator.url}/emulator/{path}", headers=headers, timeout=10)

    return send


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://127.0.0.1:{port}",
        "https://127.0.0.1",
        "https://localhost:{port}",
        "{own}.evil.example",
    ],
)
def test_page_of_another_site_is_refused_in_a_sentence(press, emulator, origin):
    emulator.add_fault("* *", status=500)

    answer = press("reset", origin)

    assert answer.status_code == 403
    assert answer.json()["error"].startswith(f"The Origin header names another site than {emulator.url}, so nothing")
    assert len(emulator.faults.in_force()) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "meetings"),
        ("POST", "registrants"),
        ("POST", "webinars"),
        ("POST", "webinars/{draft_webinar_id}/publish"),
        ("POST", "webinars/{webinar_id}/registrations"),
        ("POST", "webinars/{webinar_id}/registrations/{ada}/cancel"),
        ("POST", "faults"),
        ("DELETE", "faults"),
        ("DELETE", "journal"),
        ("PUT", "switches"),
    ],
)
def test_every_route_that_changes_something_refuses_it(press, emulator, method, path):
    ada = emulator.store.webinars.register(emulator.webinar_id, "ada@example.org")
    ids = {"draft_webinar_id": emulator.draft_webinar_id, "webinar_id": emulator.webinar_id, "ada": ada.id}

    assert press(path.format(**ids), "https://evil.example", method).status_code == 403

    assert emulator.store.webinars.webinar(emulator.draft_webinar_id).status == "draft"
    assert [one.status for one in emulator.store.webinars.registrations(emulator.webinar_id)] == ["registered"]


@pytest.mark.parametrize("origin", ["{own}", None])
def test_own_page_and_programs_are_let_through(press, emulator, origin):
    assert press(f"webinars/{emulator.draft_webinar_id}/publish", origin).status_code == 204


def test_own_page_is_known_by_the_name_that_the_browser_used(emulator, http):
    # As behind a forwarded port: the browser knows another address than the emulator listens on.
    headers = {"Host": "teams.test:9443", "Origin": "https://Teams.test:9443"}

    assert http.post(f"{emulator.url}/emulator/reset", headers=headers, timeout=10).status_code == 204


def test_page_cannot_be_framed_and_runs_its_own_script_only(emulator, http):
    emulator.store.webinars.register(emulator.webinar_id, "ada@example.org", join_web_url="javascript:alert(1)")

    first, second = (http.get(f"{emulator.url}/", timeout=10) for _ in range(2))

    assert "frame-ancestors 'none'" in first.headers["Content-Security-Policy"]
    (nonce,) = re.findall('<script nonce="([^"]+)">', first.text)
    assert f"script-src 'nonce-{nonce}';" in first.headers["Content-Security-Policy"]
    assert nonce not in second.headers["Content-Security-Policy"]


def test_reading_is_for_everybody(press):
    assert press("state", "https://evil.example", "GET").status_code == 200
