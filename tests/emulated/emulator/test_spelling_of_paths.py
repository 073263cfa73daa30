"""The spellings of a path that Microsoft's clients and pages use."""

import pytest

EVENTS = "/solutions/virtualEvents/events"


def shouted(path):
    """A path in upper case, but for its ids."""
    return "/".join(
        part if any(mark in part for mark in "=@") or part.count("-") == 4 else part.upper() for part in path.split("/")
    )


def test_segments_of_a_meeting_are_found_whatever_their_case(application, emulator):
    path = shouted(application.registrants)
    assert "/REGISTRATION/REGISTRANTS" in path

    body = {"@odata.type": "#microsoft.graph.externalMeetingRegistrant", "id": "Ada"}
    assert application.send("POST", path, json=body).status_code == 200
    assert application.send("GET", path, "BETA").json()["value"][0]["id"] == "Ada"
    assert application.send("GET", f"{path}/$COUNT").text == "1"
    assert application.send("GET", f"{path}/ADA").status_code == 404
    assert application.send("DELETE", f"{path}/Ada").status_code == 204
    enrolled, *_, cancelled = emulator.store.journal
    assert (enrolled.registrant_id, cancelled.registrant_id) == ("Ada", "Ada")


def test_application_may_only_read_whatever_the_case(application, emulator):
    emulator.set_switches(application_may_enroll=False)

    assert application.send("DELETE", shouted(application.registration)).status_code == 403


def test_segments_of_a_webinar_are_found_whatever_their_case(webinar, organizer, emulator):
    root, call = shouted(webinar.path), webinar.caller.send
    assert call("POST", f"{root}/REGISTRATIONS", "V1.0", json=webinar.form("ada")).status_code == 204
    (ada,) = webinar.listed()

    assert call("GET", f"{root}/REGISTRATIONS/{ada['id']}", "V1.0").json()["id"] == ada["id"]
    assert call("GET", f"{root}/Registrations(EMAIL='ada@example.org')/Sessions", "V1.0").status_code == 200
    assert call("GET", f"{root}/RegistrationConfiguration/QUESTIONS", "v1.0").status_code == 200
    assert call("POST", f"{root}/REGISTRATIONS/{ada['id']}/CANCEL", "v1.0").status_code == 204
    by_role = "/Solutions/VirtualEvents/Webinars/GETBYUSERROLE(Role='organizer')"
    assert len(organizer.send("GET", by_role, "v1.0").json()["value"]) == len(emulator.store.webinars.all())


def test_batch_is_found_whatever_its_case(application):
    body = {"requests": [application.item("1", "p")]}

    answer = application.send("POST", "/$BATCH", json=body)

    assert answer.json()["responses"][0]["status"] == 200


def test_organizer_publishes_and_cancels_where_generated_libraries_send_it(organizer, emulator):
    path = f"{EVENTS}/{emulator.draft_webinar_id}"

    for action, status in (("publish", "published"), ("cancel", "canceled")):
        acted = organizer.send("POST", f"{path}/{action}", "v1.0")
        assert (acted.status_code, acted.content) == (204, b"")
        assert emulator.store.webinars.webinar(emulator.draft_webinar_id).status == status
    assert [entry.effect for entry in emulator.store.journal] == ["published", "cancelled"]


@pytest.mark.parametrize(
    ("who", "method", "below", "status"),
    [
        ("application", "POST", "/{webinar}/publish", 403),
        ("organizer", "GET", "/{webinar}/publish", 405),
        ("organizer", "POST", "/other/publish", 404),
        ("organizer", "POST", "/{webinar}/nonsense", 400),
        ("organizer", "POST", "/{webinar}/publish/more", 400),
        ("organizer", "GET", "/{webinar}", 400),
        ("organizer", "GET", "", 400),
    ],
)
def test_events_of_any_kind_have_nothing_else(request, emulator, who, method, below, status):
    caller = request.getfixturevalue(who)

    answer = caller.send(method, EVENTS + below.format(webinar=emulator.draft_webinar_id), "v1.0")

    assert answer.status_code == status
    assert emulator.store.webinars.webinar(emulator.draft_webinar_id).status == "draft"


@pytest.mark.parametrize("who", ["application", "organizer"])
@pytest.mark.parametrize(
    "name", ["organizer@emulator.example", "Organizer@Emulator.Example", "organizer%40emulator.example"]
)
def test_calendar_goes_by_what_its_owner_signs_in_with(request, emulator, who, name):
    caller = request.getfixturevalue(who)

    answer = caller.send("GET", f"/users/{name}/events/{emulator.event_id}", "v1.0")

    assert answer.json()["id"] == emulator.event_id
    assert answer.json()["@odata.context"].endswith(f"#users('{emulator.organizer_id}')/events/$entity")


def test_calendar_of_somebody_else_is_not_found_by_name(application, organizer, emulator):
    path = f"/users/somebody@emulator.example/events/{emulator.event_id}"

    assert application.send("GET", path, "v1.0").status_code == 404
    assert organizer.send("GET", path, "v1.0").status_code == 403


def test_online_meetings_go_by_the_object_id_alone(application, emulator):
    path = f"/users/organizer@emulator.example/onlineMeetings/{emulator.meeting_id}"

    assert application.send("GET", path, "v1.0").status_code == 404
