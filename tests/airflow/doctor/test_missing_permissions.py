"""What is taken away is named, alone, with the one thing to do about it."""

from __future__ import annotations

import pytest

ROLES = "OnlineMeetings.ReadWrite.All VirtualEvent.Read.All VirtualEventRegistration-Anon.ReadWrite.All Calendars.Read"
SCOPES = "OnlineMeetings.ReadWrite VirtualEvent.ReadWrite Calendars.Read"
WEBINAR = ("--webinar-id", "{webinar_id}")
BY_NAME = ("--name", "Open webinar", "--organizer-id", "{organizer_id}")
MEETING = ("--meeting-id", "{meeting_id}", "--organizer-id", "{organizer_id}")
BY_NUMBER = ("--meeting-number", "{number}", "--organizer-id", "{organizer_id}")
BY_LINK = ("--join-url", "{link}", "--organizer-id", "{organizer_id}")
BY_CALENDAR = ("--event-id", "{event_id}", "--organizer-id", "{organizer_id}")
REGISTER = "VirtualEventRegistration-Anon.ReadWrite.All"
ROLE_IDS = {
    "VirtualEvent.Read.All": "1dccb351-c4e4-4e09-a8d1-7a9ecbf027cc=Role",
    REGISTER: "23211fc1-f9d1-4e8e-8e9e-08a5d0a109bb=Role",
    "OnlineMeetings.ReadWrite.All": "b8bb2037-6e08-44ac-a4ea-4674e010e2a4=Role",
    "OnlineMeetingArtifact.Read.All": "df01ed3b-eb61-4eca-9965-6b3d789751b2=Role",
    "Calendars.Read": "798ee544-9d2d-430c-a058-570e29e34338=Role",
}
SCOPE_IDS = {
    "VirtualEvent.ReadWrite": "d38d189c-e29b-4344-8b3b-829bfa81380b=Scope",
    "OnlineMeetings.ReadWrite": "a65f2972-a4f8-4f5e-afd7-69ccb046d5dc=Scope",
    "Calendars.Read": "465a38f9-76ea-45b9-9f34-9e8b0d4b0b42=Scope",
    "OnlineMeetingArtifact.Read.All": "110e5abb-a10c-4b59-8b55-9b4daa4ef743=Scope",
}


@pytest.fixture
def named(emulator):
    """Fill the emulator's ids into arguments."""
    meeting = emulator.store.meeting(emulator.meeting_id)

    def fill(arguments):
        return [
            one.format(
                webinar_id=emulator.webinar_id,
                meeting_id=emulator.meeting_id,
                organizer_id=emulator.organizer_id,
                event_id=emulator.event_id,
                number=meeting.join_meeting_id,
                link=meeting.join_web_url,
                webinar_link=emulator.store.webinars.webinar(emulator.webinar_id).join_web_url,
            )
            for one in arguments
        ]

    return fill


@pytest.fixture
def somebody(emulator):
    """Somebody is registered, whose link can be read."""
    return emulator.store.webinars.register(emulator.webinar_id, "ada@example.org")


@pytest.mark.parametrize(
    "event",
    [(), WEBINAR, BY_NAME, MEETING, BY_NUMBER, BY_LINK, BY_CALENDAR],
    ids=["none", "webinar", "name", "meeting", "number", "link", "calendar"],
)
def test_an_application_that_lacks_nothing_is_told_so(event, doctor, named, somebody):
    examined = doctor(*named(event))

    assert (examined.exit_code, examined.missing) == (0, [])


@pytest.mark.parametrize("event", [(), WEBINAR, MEETING], ids=["none", "webinar", "meeting"])
def test_an_organizer_who_lacks_nothing_is_told_so(event, doctor, named, connect):
    connect("refresh_token")

    assert doctor(*named(event)).missing == []


@pytest.mark.parametrize(
    ("permission", "event"),
    [
        ("VirtualEvent.Read.All", WEBINAR),
        ("VirtualEvent.Read.All", BY_NAME),
        ("VirtualEvent.Read.All", ("--webinar-id", "{webinar_link}")),
        (REGISTER, WEBINAR),
        (REGISTER, BY_NAME),
        ("OnlineMeetings.ReadWrite.All", MEETING),
        ("OnlineMeetings.ReadWrite.All", BY_NUMBER),
        ("OnlineMeetings.ReadWrite.All", BY_LINK),
        ("OnlineMeetings.ReadWrite.All", BY_CALENDAR),
        ("Calendars.Read", BY_CALENDAR),
        ("OnlineMeetingArtifact.Read.All", (*WEBINAR, "--attendance")),
        ("OnlineMeetingArtifact.Read.All", (*MEETING, "--attendance")),
    ],
)
def test_a_permission_of_the_application_that_is_taken_away_is_named(permission, event, doctor, named, emulator):
    emulator.set_switches(roles=ROLES.replace(permission, ""))

    examined = doctor(*named(event))

    (missing,) = examined.missing
    assert examined.exit_code == 1
    assert f"application permission {permission}," in missing["sentence"]
    assert f"az ad app permission add --id {emulator.client_id}" in missing["remedy"]
    assert ROLE_IDS[permission] in missing["remedy"]
    consent = f"{emulator.url}/{emulator.tenant_id}/adminconsent?client_id={emulator.client_id}"
    assert consent in missing["remedy"]


@pytest.mark.parametrize(
    ("permission", "event"),
    [
        ("VirtualEvent.ReadWrite", WEBINAR),
        ("VirtualEvent.ReadWrite", ("--name", "Open webinar")),
        ("OnlineMeetings.ReadWrite", ("--meeting-id", "{meeting_id}")),
        ("OnlineMeetings.ReadWrite", ("--meeting-number", "{number}")),
        ("OnlineMeetings.ReadWrite", ("--join-url", "{link}")),
        ("OnlineMeetings.ReadWrite", ("--event-id", "{event_id}")),
        ("Calendars.Read", ("--event-id", "{event_id}")),
        ("VirtualEvent.ReadWrite", ("--webinar-id", "{webinar_link}")),
        ("OnlineMeetingArtifact.Read.All", ("--webinar-id", "{webinar_id}", "--attendance")),
        ("OnlineMeetingArtifact.Read.All", ("--meeting-id", "{meeting_id}", "--attendance")),
    ],
)
def test_a_permission_of_the_user_that_is_taken_away_is_named(permission, event, doctor, named, emulator, connect):
    connect("refresh_token")
    emulator.set_switches(scopes=SCOPES.replace(permission, ""))

    examined = doctor(*named(event))

    (missing,) = examined.missing
    assert examined.exit_code == 1
    assert f"delegated permission {permission}," in missing["sentence"]
    assert SCOPE_IDS[permission] in missing["remedy"]
    assert f"refresh-token --tenant-id {emulator.tenant_id} --client-id {emulator.client_id}" in missing["remedy"]
    assert ("adminconsent" in missing["remedy"]) == permission.startswith("VirtualEvent")


def test_reading_without_writing_is_no_enrolling(doctor, named, emulator, connect):
    emulator.set_switches(roles="OnlineMeetings.Read.All")
    (of_meeting,) = doctor(*named(MEETING)).missing
    connect("refresh_token")
    emulator.set_switches(scopes="VirtualEvent.Read")
    (of_webinar,) = doctor(*named(WEBINAR)).missing

    assert "OnlineMeetings.ReadWrite.All" in of_meeting["sentence"]
    assert "VirtualEvent.ReadWrite" in of_webinar["sentence"]


@pytest.mark.parametrize(
    ("switch", "check"),
    [
        ("application_may_list_registrations", "list"),
        ("application_may_read_registration_sessions", "link"),
    ],
)
def test_what_takes_the_events_own_consent_is_named(switch, check, doctor, named, emulator, somebody):
    emulator.set_switches(**{switch: False})

    examined = doctor(*named(WEBINAR))

    (missing,) = examined.missing
    assert (examined.exit_code, missing["check"]) == (1, check)
    assert f"teams-registration teams-app --client-id {emulator.client_id}" in missing["remedy"]
    assert "VirtualEvent.Read.Chat" in missing["remedy"]


def test_consent_for_one_event_is_no_missing_permission(doctor, named, emulator, somebody):
    emulator.set_switches(roles="VirtualEvent.Read.Chat VirtualEventRegistration-Anon.ReadWrite.Chat")

    examined = doctor(*named(WEBINAR))

    assert examined.missing == []
    assert "the webinar has its own consent" in examined.of("registering")["sentence"]


@pytest.mark.parametrize("event", [WEBINAR, BY_NAME, MEETING, BY_NUMBER, BY_LINK])
def test_a_missing_access_policy_is_named_with_the_cmdlets_filled_in(event, doctor, named, emulator):
    emulator.set_switches(application_access_policy=False)

    examined = doctor(*named(event))

    (missing,) = examined.missing
    assert (examined.exit_code, missing["check"]) == (1, "access policy")
    assert (
        f'New-CsApplicationAccessPolicy -Identity TeamsRegistration -AppIds "{emulator.client_id}"'
        in (missing["remedy"])
    )
    assert f'-PolicyName TeamsRegistration -Identity "{emulator.organizer_id}"' in missing["remedy"]
    assert "30 minutes" in missing["remedy"]


def test_without_an_event_the_doctor_asks_for_what_enrolls_anybody(doctor, emulator):
    emulator.set_switches(roles="Calendars.Read")

    examined = doctor()

    (missing,) = examined.missing
    assert examined.exit_code == 1
    assert "OnlineMeetings.ReadWrite.All for online meetings or VirtualEventRegistration-Anon" in missing["sentence"]


def test_a_managed_identity_is_granted_app_roles(doctor, named, emulator, connect, monkeypatch):
    for name, value in emulator.machine_environment().items():
        monkeypatch.setenv(name, value)
    connect("managed_identity")
    emulator.set_switches(roles=ROLES.replace("VirtualEvent.Read.All", ""))

    (missing,) = doctor(*named(WEBINAR)).missing

    assert "New-MgServicePrincipalAppRoleAssignment" in missing["remedy"]
    assert "1dccb351-c4e4-4e09-a8d1-7a9ecbf027cc" in missing["remedy"]
    assert "<application (client) id>" not in missing["remedy"]
