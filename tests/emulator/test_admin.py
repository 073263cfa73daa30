"""The emulator's own API and its page, as a browser without scripts reads it."""

import pytest


@pytest.fixture
def admin(emulator, http):
    """Calls the admin API."""
    return lambda method, path, body=None: http.request(
        method, f"{emulator.url}/emulator/{path}", json=body, timeout=10
    )


def test_state_shows_who_is_really_enrolled(admin, application, emulator):
    link = application.enroll("p1").json()["joinWebUrl"]
    application.cancel("p1")

    everyone, organization, closed = admin("GET", "state").json()["meetings"]

    assert (everyone["id"], everyone["allowed_registrant"]) == (emulator.meeting_id, "everyone")
    (registrant,) = everyone["registrants"]
    assert (registrant["id"], registrant["join_web_url"], registrant["cancelled"]) == ("p1", link, True)
    assert (organization["id"], organization["registrants"]) == (emulator.organization_meeting_id, [])
    assert (closed["id"], closed["allowed_registrant"]) == (emulator.closed_meeting_id, None)


def test_journal_is_shown_and_cleared(admin, application):
    application.enroll("p1")

    (entry,) = admin("GET", "journal").json()
    assert (entry["number"], entry["method"], entry["status"], entry["effect"]) == (1, "POST", 200, "enrolled")
    assert entry["registrant_id"] == "p1"
    assert [entry["path"].rsplit("/", 1)[-1] for entry in admin("GET", "sign-ins").json()] == ["token"]

    assert admin("DELETE", "journal").status_code == 204
    assert admin("GET", "journal").json() == admin("GET", "sign-ins").json() == []


def test_switches_are_read_and_set(admin, emulator):
    assert admin("GET", "switches").json()["duplicate"] == "same"

    changed = admin("PUT", "switches", {"duplicate": "conflict", "empty_page": "on"})

    assert (changed.status_code, changed.json()["duplicate"]) == (200, "conflict")
    assert (emulator.switches.duplicate, emulator.switches.empty_page) == ("conflict", True)


@pytest.mark.parametrize(
    ("values", "named"), [({"nonsense": 1}, "nonsense"), ({"duplicate": "x", "latency": 1}, "'x'")]
)
def test_bad_switch_is_422_and_changes_nothing(admin, emulator, values, named):
    before = emulator.switches

    answer = admin("PUT", "switches", values)

    assert answer.status_code == 422
    assert named in answer.json()["error"]
    assert emulator.switches == before


def test_faults_are_added_shown_and_cleared(admin, application):
    added = admin("POST", "faults", {"route": "POST registrants", "status": 429, "retry_after": "1"})

    assert added.status_code == 201
    assert [fault["status"] for fault in admin("GET", "faults").json()] == [429]
    assert application.enroll("p1").status_code == 429
    admin("POST", "faults", {"route": "POST registrants", "status": 500})
    assert admin("DELETE", "faults").status_code == 204
    assert admin("GET", "faults").json() == []
    assert application.enroll("p1").status_code == 200


@pytest.mark.parametrize(
    "rule", [{}, {"route": "registrants"}, {"route": "* *", "nonsense": 1}, {"route": "* *", "status": "429"}]
)
def test_bad_fault_is_422(admin, rule):
    answer = admin("POST", "faults", rule)

    assert answer.status_code == 422
    assert answer.json()["error"]
    assert admin("GET", "faults").json() == []


def test_meeting_is_added(admin, organizer, emulator):
    added = admin("POST", "meetings", {"subject": "Launch", "id": "launch", "allowedRegistrant": "everyone"})

    assert (added.status_code, added.json()["subject"]) == (201, "Launch")
    assert organizer.send("GET", "/me/onlineMeetings/launch/registration").status_code == 200
    plain = admin("POST", "meetings", {}).json()
    assert (plain["subject"], plain["allowed_registrant"]) == ("Untitled", None)
    assert emulator.books.meeting(plain["id"]) is not None


@pytest.mark.parametrize("body", [{"allowedRegistrant": "nobody"}, {"id": 7}, {"id": "{seeded}"}])
def test_meeting_that_cannot_be_is_422(admin, emulator, body):
    body = {name: emulator.meeting_id if value == "{seeded}" else value for name, value in body.items()}

    assert admin("POST", "meetings", body).status_code == 422
    assert len(emulator.books.meetings()) == 3


def test_reset_brings_the_beginning_back(admin, application, emulator):
    application.enroll("p1")
    emulator.books.add_meeting("Another")
    emulator.add_fault("* *", status=500)
    emulator.set_switches(duplicate="conflict")

    assert admin("POST", "reset").status_code == 204

    assert emulator.books.journal == emulator.books.sign_ins == emulator.faults.in_force() == []
    assert [emulator.books.registrants(meeting.id) for meeting in emulator.books.meetings()] == [[], [], []]
    assert emulator.switches.duplicate == "same"
    assert application.enroll("p1").status_code == 200


def test_admin_path_that_is_not_there_is_refused(admin):
    assert admin("GET", "nonsense").status_code == 400


def test_admin_calls_are_not_in_the_journal(admin, emulator):
    admin("GET", "state")

    assert emulator.books.journal == emulator.books.sign_ins == []


def test_page_escapes_what_callers_send(application, emulator, http):
    application.enroll("<script>alert(1)</script>")
    emulator.books.add_meeting("<b>bold</b>")

    page = http.get(f"{emulator.url}/", timeout=10).text

    assert "<script>" not in page
    assert "<b>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_page_of_an_untouched_emulator_says_so(emulator, http):
    page = http.get(f"{emulator.url}/", timeout=10).text

    assert page.count("0 enrolled") == 3
    assert "Nothing goes wrong." in page
    assert "No request yet." in page
