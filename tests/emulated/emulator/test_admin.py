"""The emulator's own API and its page, as a browser without scripts reads it."""

from dataclasses import asdict

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
    assert emulator.store.meeting(plain["id"]) is not None


@pytest.mark.parametrize("body", [{"allowedRegistrant": "nobody"}, {"id": 7}, {"id": "{seeded}"}])
def test_meeting_that_cannot_be_is_422(admin, emulator, body):
    body = {name: emulator.meeting_id if value == "{seeded}" else value for name, value in body.items()}

    assert admin("POST", "meetings", body).status_code == 422
    assert len(emulator.store.meetings()) == 3


def test_somebody_else_enrolls_a_person(admin, application, emulator):
    added = admin("POST", "registrants", {"meetingId": emulator.meeting_id, "id": "p1"})

    assert (added.status_code, added.json()["id"]) == (201, "p1")
    assert [one["id"] for one in application.listed()] == ["p1"]
    assert [entry.method for entry in emulator.store.journal] == ["GET"]
    for body in ({"meetingId": emulator.closed_meeting_id, "id": "p"}, {"meetingId": emulator.meeting_id}, {"id": "p"}):
        assert admin("POST", "registrants", body).status_code == 422


def test_somebody_else_registers_a_person(admin, webinar, other_webinar, emulator):
    path = f"webinars/{emulator.webinar_id}/registrations"

    added = admin("POST", path, {"email": "Ada@example.org", "firstName": "Ada", "externalRegistrationId": "crm-1"})

    assert (added.status_code, added.json()["status"]) == (201, "registered")
    (one,) = webinar.listed()
    assert (one["id"], one["firstName"]) == (added.json()["id"], "Ada")
    assert one["externalRegistrationInformation"]["registrationId"] == "crm-1"
    (told,) = next(
        one["registrations"] for one in admin("GET", "state").json()["webinars"] if one["id"] == emulator.webinar_id
    )
    assert told == added.json()
    for body in ({}, {"email": "x@y.z", "nonsense": 1}):
        assert admin("POST", path, body).status_code == 422
    assert admin("POST", "webinars/nobody/registrations", {"email": "x@y.z"}).status_code == 422
    assert [entry.method for entry in emulator.store.journal] == ["GET"]


def test_nobody_squeezes_into_a_full_webinar(admin, emulator):
    path = f"webinars/{emulator.small_webinar_id}/registrations"

    statuses = [admin("POST", path, {"email": f"p{number}@example.org"}).status_code for number in range(4)]

    assert statuses == [201, 201, 201, 422]


@pytest.mark.parametrize(
    ("before", "action", "after"),
    [
        ("pendingApproval", "approve", "registered"),
        ("pendingApproval", "reject", "rejectedByOrganizer"),
        ("waitlisted", "promote", "registered"),
        ("registered", "cancel", "canceled"),
    ],
)
def test_organizer_acts_on_a_registration(admin, emulator, before, action, after):
    one = emulator.store.webinars.register(emulator.webinar_id, "ada@example.org", before)
    path = f"webinars/{emulator.webinar_id}/registrations/{one.id}"

    assert admin("POST", f"{path}/{action}").status_code == 204

    assert emulator.store.webinars.registration(emulator.webinar_id, one.id).status == after
    again = admin("POST", f"{path}/{action}")
    assert again.status_code == (204 if action == "cancel" else 422)
    assert admin("POST", f"{path}/nonsense").status_code == 422
    assert admin("POST", f"webinars/{emulator.webinar_id}/registrations/nobody/{action}").status_code == 422


def test_organizer_acts_on_a_webinar(admin, emulator):
    path = f"webinars/{emulator.draft_webinar_id}"

    for action, status in (("publish", "published"), ("cancel", "canceled")):
        assert admin("POST", f"{path}/{action}").status_code == 204
        assert emulator.store.webinars.webinar(emulator.draft_webinar_id).status == status

    for wrong in (f"{path}/publish", f"{path}/nonsense", "webinars/nobody/publish"):
        assert admin("POST", wrong).status_code == 422


def test_button_leads_back_to_the_page(emulator, http):
    one = emulator.store.webinars.register(emulator.approval_webinar_id, "ada@example.org")
    path = f"/emulator/webinars/{emulator.approval_webinar_id.replace('@', '%40')}/registrations/{one.id}/approve"
    assert f'action="{path}"' in http.get(f"{emulator.url}/", timeout=10).text

    pressed = http.post(emulator.url + path, headers={"Accept": "text/html"}, timeout=10)

    assert pressed.url == f"{emulator.url}/"
    assert "1 registered, 1000 seats" in pressed.text


def test_reset_button_leads_back_to_the_page(emulator, http):
    emulator.set_switches(duplicate="conflict")
    assert '<form method="post" action="/emulator/reset"' in http.get(f"{emulator.url}/", timeout=10).text

    pressed = http.post(f"{emulator.url}/emulator/reset", headers={"Accept": "text/html"}, timeout=10)

    assert pressed.url == f"{emulator.url}/"
    assert emulator.switches.duplicate == "same"


def test_page_has_a_field_for_every_switch(emulator, http):
    emulator.set_switches(duplicate="conflict", empty_page=True, latency=0.5, new_registration_status='"><b>')

    page = http.get(f"{emulator.url}/", timeout=10).text

    assert page.count('id="switch-') == len(asdict(emulator.switches))
    assert "<option selected>conflict</option>" in page
    assert "<option selected>True</option>" in page
    assert 'name="latency" value="0.5" autocomplete="off" type="number" min="0" step="any"' in page
    assert 'value="&#34;&gt;&lt;b&gt;"' in page
    assert page.count("changed from") == 4 + 2  # The fixture turns two limits off.


def test_webinar_is_added(admin, organizer, emulator):
    question = {"id": "q", "displayName": "Why?", "isRequired": True, "answerInputType": "text"}
    body = {"displayName": "Launch", "capacity": 5, "isWaitlistEnabled": True, "questions": [question]}

    added = admin("POST", "webinars", body)

    assert (added.status_code, added.json()["status"]) == (201, "published")
    path = f"/solutions/virtualEvents/webinars/{added.json()['id']}/registrationConfiguration"
    assert organizer.send("GET", path, "v1.0").json()["capacity"] == 5
    (asked,) = organizer.send("GET", f"{path}/questions", "v1.0").json()["value"]
    assert {name: asked[name] for name in question} == question
    for wrong in ({"id": emulator.webinar_id}, {"nonsense": 1}, {"questions": [{"nonsense": 1}]}):
        assert admin("POST", "webinars", wrong).status_code == 422


def test_reset_brings_the_beginning_back(admin, application, webinar, emulator):
    application.enroll("p1")
    webinar.register("ada")
    emulator.store.webinars.publish(emulator.draft_webinar_id)
    emulator.store.add_meeting("Another")
    emulator.add_fault("* *", status=500)
    emulator.set_switches(duplicate="conflict")

    assert admin("POST", "reset").status_code == 204

    assert emulator.store.journal == emulator.store.sign_ins == emulator.faults.in_force() == []
    assert [emulator.store.registrants(meeting.id) for meeting in emulator.store.meetings()] == [[], [], []]
    assert emulator.switches.duplicate == "same"
    assert application.enroll("p1").status_code == 200
    assert webinar.listed() == []
    assert emulator.store.webinars.webinar(emulator.draft_webinar_id).status == "draft"


def test_admin_path_that_is_not_there_is_refused(admin):
    assert admin("GET", "nonsense").status_code == 400


def test_admin_calls_are_not_in_the_journal(admin, emulator):
    admin("GET", "state")

    assert emulator.store.journal == emulator.store.sign_ins == []


def test_page_escapes_what_callers_send(application, emulator, http):
    application.enroll("<script>alert(1)</script>")
    emulator.store.webinars.register(emulator.webinar_id, "<script>@example.org", external_registration_id="<script>")
    emulator.store.add_meeting("<b>bold</b>")

    page = http.get(f"{emulator.url}/", timeout=10).text

    assert "<script>" not in page
    assert "<b>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_page_of_an_untouched_emulator_says_so(emulator, http):
    page = http.get(f"{emulator.url}/", timeout=10).text

    assert page.count("0 enrolled") == 3
    assert page.count("0 registered") == 7
    assert "No fault rules." in page
    assert "No request yet." in page
