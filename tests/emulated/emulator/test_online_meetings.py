"""Registration and registrants, as the pages of Graph beta have them."""

import json
from urllib.parse import parse_qs, quote, urlsplit

import pytest

REGISTRATION_TYPE = "#microsoft.graph.externalMeetingRegistration"

TRICKY_IDS = [
    "a b/c",
    "/leading and trailing/",
    "q'\"%#+?&=;:@$,",
    "100%25",
    "registrants",
    "$batch",
    "\N{GRINNING FACE}" * 500,
    "x" * 1000,
    " ",
    "line\nbreak",
]


def link_context(link):
    return json.loads(parse_qs(urlsplit(link).query)["context"][0])


def test_meeting_shows_its_organizer(organizer, emulator):
    for version in ("beta", "v1.0"):
        answer = organizer.send("GET", organizer.meeting, version)

        assert answer.status_code == 200
        assert answer.json()["participants"]["organizer"]["identity"]["user"]["id"] == emulator.organizer_id


def test_created_meeting_is_there_and_not_open(organizer, emulator):
    created = organizer.send("POST", "/me/onlineMeetings", "v1.0", json={"subject": "Town hall"})

    assert created.status_code == 201
    assert created.json()["subject"] == "Town hall"
    path = f"/me/onlineMeetings/{created.json()['id']}/registration"
    assert organizer.send("GET", path).status_code == 404
    assert emulator.store.journal[0].effect == "created"


@pytest.mark.parametrize("audience", ["everyone", "organization"])
def test_registration_is_opened_read_and_closed(organizer, emulator, audience):
    path = f"/me/onlineMeetings/{emulator.closed_meeting_id}/registration"
    assert organizer.send("GET", path).status_code == 404

    opened = organizer.send("POST", path, json={"@odata.type": REGISTRATION_TYPE, "allowedRegistrant": audience})

    assert opened.status_code == 201
    assert opened.json()["allowedRegistrant"] == audience
    assert organizer.send("GET", path).json() == opened.json()
    closed = organizer.send("DELETE", path)
    assert (closed.status_code, closed.content) == (204, b"")
    assert organizer.send("GET", path).status_code == 404
    assert [entry.effect for entry in emulator.store.journal] == [None, "opened", None, "closed", None]


def test_closing_takes_everybody_off(organizer, emulator):
    organizer.enroll("p1")

    organizer.send("DELETE", organizer.registration)

    assert emulator.store.enrolled(emulator.meeting_id) == []
    assert [record.cancelled for record in emulator.store.registrants(emulator.meeting_id)] == [True]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (None, "Provide microsoft.graph.meetingRegistration or microsoft.graph.externalMeetingRegistration"),
        ({"allowedRegistrant": "everyone"}, "Provide microsoft.graph.meetingRegistration or"),
        ({"@odata.type": REGISTRATION_TYPE}, "allowedRegistrant"),
        ({"@odata.type": REGISTRATION_TYPE, "allowedRegistrant": "unknownFutureValue"}, "allowedRegistrant"),
    ],
)
def test_registration_of_no_known_kind_is_refused(organizer, emulator, body, says):
    path = f"/me/onlineMeetings/{emulator.closed_meeting_id}/registration"

    answer = organizer.send("POST", path, json=body)

    assert answer.status_code == 400
    assert says in answer.json()["error"]["message"]


def test_enrolled_person_gets_their_own_link_once(application, emulator):
    answer = application.enroll("crm-1")

    assert answer.status_code == 200
    body = answer.json()
    assert (body["id"], body["tenantId"], body["userId"]) == ("crm-1", None, None)
    assert body["@odata.context"].endswith("registration/registrants/$entity")
    context = link_context(body["joinWebUrl"])
    assert (context["prid"], context["isPublic"]) == ("crm-1", True)
    assert (context["Tid"], context["Oid"]) == (emulator.tenant_id, emulator.organizer_id)
    assert [(one["id"], one["joinWebUrl"]) for one in application.listed()] == [("crm-1", None)]


def test_person_of_the_organization_keeps_tenant_and_user_apart(application, emulator):
    path = f"/users/{emulator.organizer_id}/onlineMeetings/{emulator.organization_meeting_id}/registration/registrants"
    person = {"tenantId": emulator.tenant_id, "userId": "44444444-4444-4444-8444-444444444444"}

    answer = application.send(
        "POST", path, json={"@odata.type": "#microsoft.graph.externalMeetingRegistrant", "id": "p", **person}
    )

    assert answer.status_code == 200
    assert {name: answer.json()[name] for name in person} == person
    assert link_context(answer.json()["joinWebUrl"])["isPublic"] is False


@pytest.mark.parametrize("given", [{}, {"tenantId": "t"}, {"userId": "u"}])
def test_organization_wants_tenant_and_user(application, emulator, given):
    path = f"/users/{emulator.organizer_id}/onlineMeetings/{emulator.organization_meeting_id}/registration/registrants"
    body = {"@odata.type": "#microsoft.graph.externalMeetingRegistrant", "id": "p", **given}

    assert application.send("POST", path, json=body).status_code == 400


@pytest.mark.parametrize("given", [{"tenantId": "t"}, {"userId": "u"}])
def test_everyone_takes_no_tenant_and_no_user(application, given):
    assert application.enroll("p", **given).status_code == 400


@pytest.mark.parametrize("registrant_id", ["", None, 7, ["p"]])
def test_id_that_is_no_text_is_refused(application, registrant_id):
    assert application.enroll(registrant_id).status_code == 400


def test_registrant_of_no_known_kind_is_refused(application):
    answer = application.send("POST", application.registrants, json={"id": "p"})

    assert answer.status_code == 400
    assert "microsoft.graph.externalMeetingRegistrant" in answer.json()["error"]["message"]


def test_body_that_is_no_json_is_refused(application):
    assert application.send("POST", application.registrants, data=b"{").status_code == 400


@pytest.mark.parametrize("registrant_id", TRICKY_IDS)
def test_id_of_any_form_survives_body_path_and_batch(application, emulator, registrant_id):
    enrolled = application.enroll(registrant_id).json()
    path = f"{application.registrants}/{quote(registrant_id, safe='')}"

    assert enrolled["id"] == link_context(enrolled["joinWebUrl"])["prid"] == registrant_id
    assert application.send("GET", path).json()["id"] == registrant_id
    assert application.send("DELETE", path).status_code == 204
    assert application.send("GET", path).status_code == 404
    assert application.batch(application.item("1", registrant_id)).json()["responses"][0]["status"] == 200
    by_batch = application.batch({"id": "1", "method": "DELETE", "url": path}).json()["responses"][0]
    assert by_batch["status"] == 204
    assert {entry.registrant_id for entry in emulator.store.journal if entry.path != "/beta/$batch"} == {registrant_id}


def test_person_who_was_taken_off_may_enroll_again(application, emulator):
    first = application.enroll("p").json()["joinWebUrl"]
    assert application.cancel("p").status_code == 204
    assert application.cancel("p").status_code == 404

    again = application.enroll("p").json()["joinWebUrl"]

    assert again != first
    assert [record.cancelled for record in emulator.store.registrants(emulator.meeting_id)] == [True, False]


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_registrants_of_a_meeting_that_is_not_open_are_not_found(organizer, emulator, method):
    path = f"/me/onlineMeetings/{emulator.closed_meeting_id}/registration/registrants"
    path = f"{path}/p" if method == "DELETE" else path

    assert organizer.send(method, path, json={}).status_code == 404


def test_pages_follow_each_other_across_an_empty_one(application, emulator):
    emulator.set_switches(page_size=2, empty_page=True)
    for number in range(5):
        application.enroll(f"p{number}")

    pages, path = [], application.registrants
    while path:
        page = application.send("GET", path).json()
        pages.append([one["id"] for one in page["value"]])
        path = page.get("@odata.nextLink", "").removeprefix(f"{emulator.url}/beta")

    assert pages == [["p0", "p1"], [], ["p2", "p3"], ["p4"]]


@pytest.mark.parametrize("token", ["nonsense", "aGVsbG8=", "\N{SNOWMAN}"])
def test_skip_token_that_is_not_ours_is_refused(application, token):
    assert application.send("GET", application.registrants, params={"$skiptoken": token}).status_code == 400


def test_next_link_leads_to_the_name_that_the_caller_used(application, emulator):
    emulator.set_switches(page_size=1)
    application.enroll("p1")
    application.enroll("p2")
    by_name = f"https://localhost:{emulator.port}"
    headers = {"Authorization": f"Bearer {application.token}"}

    page = application.http.get(f"{by_name}/beta{application.registrants}", headers=headers, timeout=10)

    assert page.json()["@odata.nextLink"].startswith(f"{by_name}/beta/users/")
