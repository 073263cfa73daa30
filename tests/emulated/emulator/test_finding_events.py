"""From a calendar event, a link or a number to the meeting."""

import pytest

STRANGER = "99999999-9999-4999-8999-999999999999"


def find(caller, expression, version="v1.0"):
    path = caller.meeting.rpartition("/")[0]
    return caller.send("GET", path, version, params={"$filter": expression})


@pytest.mark.parametrize("version", ["v1.0", "beta"])
@pytest.mark.parametrize("name", ["JoinWebUrl", "joinWebUrl"])
def test_link_finds_the_meeting(application, organizer, emulator, version, name):
    link = application.send("GET", application.meeting, version).json()["joinWebUrl"]

    for caller in (application, organizer):
        answer = find(caller, f"{name} eq '{link}'", version)
        assert answer.status_code == 200
        assert [meeting["id"] for meeting in answer.json()["value"]] == [emulator.meeting_id]


@pytest.mark.parametrize("version", ["v1.0", "beta"])
def test_number_finds_the_meeting(application, emulator, version):
    settings = application.send("GET", application.meeting, version).json()["joinMeetingIdSettings"]
    number = settings["joinMeetingId"]

    answer = find(application, f"joinMeetingIdSettings/joinMeetingId eq '{number}'", version)

    assert number.isdigit()
    assert [meeting["id"] for meeting in answer.json()["value"]] == [emulator.meeting_id]
    assert len({meeting.join_meeting_id for meeting in emulator.store.meetings()}) == 3


def test_nothing_is_found_for_others(application, emulator):
    link = application.send("GET", application.meeting).json()["joinWebUrl"]

    assert find(application, "JoinWebUrl eq 'https://teams.example/other'").json()["value"] == []
    path = f"/users/{STRANGER}/onlineMeetings"
    foreign = application.send("GET", path, params={"$filter": f"JoinWebUrl eq '{link}'"})
    assert foreign.json()["value"] == []


@pytest.mark.parametrize("expression", ["subject eq 'x'", "JoinWebUrl ne 'x'", "JoinWebUrl eq x", ""])
def test_filter_of_another_kind_is_refused(application, expression):
    answer = find(application, expression)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadRequest")


def test_finding_needs_permission_and_policy(application, as_application, emulator):
    emulator.set_switches(application_access_policy=False)
    assert find(application, "JoinWebUrl eq 'x'").status_code == 403

    emulator.set_switches(application_access_policy=True, roles="Calendars.Read")
    assert find(as_application(), "JoinWebUrl eq 'x'").status_code == 403


@pytest.mark.parametrize("version", ["v1.0", "beta"])
def test_event_leads_to_its_meeting(application, organizer, emulator, version):
    events = {
        emulator.event_id: emulator.meeting_id,
        emulator.organization_event_id: emulator.organization_meeting_id,
        emulator.closed_event_id: emulator.closed_meeting_id,
    }
    for caller, owner in ((application, f"/users/{emulator.organizer_id}"), (organizer, "/me")):
        for event_id, meeting_id in events.items():
            event = caller.send("GET", f"{owner}/events/{event_id}", version).json()
            assert (event["id"], event["isOnlineMeeting"]) == (event_id, True)
            (found,) = find(caller, f"JoinWebUrl eq '{event['onlineMeeting']['joinUrl']}'").json()["value"]
            assert found["id"] == meeting_id


def test_event_needs_no_access_policy(application, emulator):
    emulator.set_switches(application_access_policy=False)

    path = f"/users/{emulator.organizer_id}/events/{emulator.event_id}"
    assert application.send("GET", path).status_code == 200


@pytest.mark.parametrize(
    ("who", "method", "path", "status"),
    [
        ("organizer", "GET", "/me/events/other", 404),
        ("organizer", "GET", f"/users/{STRANGER}/events/other", 403),
        ("application", "GET", f"/users/{STRANGER}/events/{{event}}", 404),
        ("application", "GET", "/me/events/{event}", 400),
        ("organizer", "GET", "/me/events", 405),
        ("organizer", "DELETE", "/me/events/{event}", 405),
        ("organizer", "GET", "/me/events/{event}/instances", 400),
    ],
)
def test_event_that_cannot_be_read(request, emulator, who, method, path, status):
    caller = request.getfixturevalue(who)

    assert caller.send(method, path.format(event=emulator.event_id), "v1.0").status_code == status


def test_calendar_needs_permission(as_organizer, emulator):
    emulator.set_switches(scopes="OnlineMeetings.ReadWrite")

    assert as_organizer().send("GET", f"/me/events/{emulator.event_id}").status_code == 403
