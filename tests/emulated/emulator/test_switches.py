"""Each switch and each of its values."""

import time

import pytest

from airflow_provider_teams_registration.emulator.behaviour.switches import BadSwitch, Switches
from airflow_provider_teams_registration.emulator.server import Emulator


def enroll_twice(application):
    first = application.enroll("p").json()["joinWebUrl"]
    return first, application.enroll("p")


def test_second_post_gives_the_same_link(application, emulator):
    first, second = enroll_twice(application)

    assert second.json()["joinWebUrl"] == first
    assert len(emulator.store.enrolled(emulator.meeting_id)) == 1
    assert emulator.store.journal[-1].effect is None


def test_second_post_gives_a_new_link_for_the_old_one(application, emulator):
    emulator.set_switches(duplicate="new_link")

    first, second = enroll_twice(application)

    (record,) = emulator.store.enrolled(emulator.meeting_id)
    assert second.json()["joinWebUrl"] == record.join_web_url != first
    assert emulator.store.journal[-1].effect == "renewed"


@pytest.mark.parametrize(
    ("duplicate", "status", "code"), [("conflict", 409, "Conflict"), ("bad_request", 400, "BadRequest")]
)
def test_second_post_is_refused(application, emulator, duplicate, status, code):
    emulator.set_switches(duplicate=duplicate)

    _, second = enroll_twice(application)

    assert (second.status_code, second.json()["error"]["code"]) == (status, code)
    assert len(emulator.store.enrolled(emulator.meeting_id)) == 1


def test_second_post_makes_a_second_record(application, emulator):
    emulator.set_switches(duplicate="second_record")

    first, second = enroll_twice(application)

    assert second.json()["joinWebUrl"] != first
    assert [one["id"] for one in application.listed()] == ["p", "p"]
    application.cancel("p")
    assert [one.join_web_url for one in emulator.store.enrolled(emulator.meeting_id)] == [first]


def test_list_shows_links(application, emulator):
    link = application.enroll("p").json()["joinWebUrl"]
    assert application.send("GET", f"{application.registrants}/p").json()["joinWebUrl"] is None

    emulator.set_switches(list_shows_links=True)

    assert [one["joinWebUrl"] for one in application.listed()] == [link]
    assert application.send("GET", f"{application.registrants}/p").json()["joinWebUrl"] == link


def test_application_may_only_read(application, organizer, emulator):
    emulator.set_switches(application_may_enroll=False)

    refused = application.enroll("p")

    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "Forbidden")
    assert application.cancel("p").status_code == 403
    assert application.send("GET", application.registration).status_code == 200
    assert organizer.enroll("p").status_code == 200


def test_application_without_access_policy_is_told_so(application, organizer, emulator):
    emulator.set_switches(application_access_policy=False)

    refused = application.send("GET", application.registration)

    assert refused.status_code == 403
    assert refused.json()["error"]["message"] == (
        f"No application access policy found for this app {emulator.client_id} on the user {emulator.organizer_id}."
    )
    assert organizer.send("GET", organizer.registration).status_code == 200


@pytest.mark.parametrize(("second_registration", "status"), [("conflict", 409), ("same", 201)])
def test_open_registration_is_opened_again(organizer, emulator, second_registration, status):
    emulator.set_switches(second_registration=second_registration)
    before = emulator.store.meeting(emulator.meeting_id)

    answer = organizer.send(
        "POST",
        organizer.registration,
        json={"@odata.type": "#microsoft.graph.externalMeetingRegistration", "allowedRegistrant": "organization"},
    )

    assert answer.status_code == status
    assert emulator.store.meeting(emulator.meeting_id) == before


@pytest.mark.parametrize(
    ("retired", "status", "listed"),
    [("off", 200, 200), ("empty", 200, 200), ("not_found", 404, 404), ("gone", 410, 410)],
)
def test_retired_api_answers(organizer, emulator, retired, status, listed):
    emulator.set_switches(retired=retired)

    registration = organizer.send("GET", organizer.registration)

    assert registration.status_code == status
    assert bool(registration.content) == (retired != "empty")
    registrants = organizer.send("GET", organizer.registrants)
    assert registrants.status_code == listed
    assert registrants.json().get("value", []) == []
    organizer.enroll("p")
    assert len(emulator.store.enrolled(emulator.meeting_id)) == (1 if retired == "off" else 0)
    assert organizer.send("GET", organizer.meeting).status_code == 200


def test_new_registrant_shows_after_the_lag(application, emulator):
    emulator.set_switches(visibility_lag=60)
    application.enroll("p")
    assert application.listed() == []
    assert application.send("GET", f"{application.registrants}/p").status_code == 404

    emulator.set_switches(visibility_lag=0)

    assert [one["id"] for one in application.listed()] == ["p"]


@pytest.mark.parametrize(("page_size", "pages"), [(0, 1), (1, 3), (2, 2), (3, 1)])
def test_list_comes_in_pages(application, emulator, page_size, pages):
    emulator.set_switches(page_size=page_size)
    for number in range(3):
        application.enroll(f"p{number}")

    seen, link = 0, f"{emulator.url}/beta{application.registrants}"
    while link:
        link = application.send("GET", link.removeprefix(f"{emulator.url}/beta")).json().get("@odata.nextLink")
        seen += 1

    assert seen == pages


def test_every_call_takes_the_latency(application, emulator, ask_for_token):
    emulator.set_switches(latency=0.15)

    for call in (lambda: application.enroll("p"), lambda: application.batch(application.item("1", "q")), ask_for_token):
        began = time.monotonic()
        assert call().ok
        assert time.monotonic() - began >= 0.15


def test_token_lives_as_long_as_told(emulator, as_application):
    emulator.set_switches(token_lifetime=0)
    expired = as_application().send("GET", "/me")

    assert expired.status_code == 401
    assert "expired" in expired.json()["error"]["message"]


@pytest.mark.parametrize("rotation", ["off", "on", "old_one_dies"])
def test_refresh_token_rotates(emulator, ask_for_token, rotation):
    emulator.set_switches(rotate_refresh_tokens=rotation)

    def refresh(token):
        return ask_for_token(grant_type="refresh_token", refresh_token=token)

    handed_out = refresh(emulator.refresh_token).json()["refresh_token"]

    assert (handed_out == emulator.refresh_token) == (rotation == "off")
    assert refresh(handed_out).status_code == 200
    assert refresh(emulator.refresh_token).status_code == (400 if rotation == "old_one_dies" else 200)


@pytest.mark.parametrize(
    ("roles", "read", "write"),
    [
        ("OnlineMeetings.ReadWrite.All", 200, 200),
        ("OnlineMeetings.Read.All User.Read.All", 200, 403),
        ("OnlineMeetings.ReadWrite", 403, 403),
        ("", 403, 403),
    ],
)
def test_roles_say_what_the_application_may_do(emulator, as_application, roles, read, write):
    emulator.set_switches(roles=roles)
    application = as_application()

    assert application.send("GET", application.registration).status_code == read
    assert application.enroll("p").status_code == write


@pytest.mark.parametrize(
    ("scopes", "read", "write"),
    [("OnlineMeetings.ReadWrite User.Read", 200, 200), ("OnlineMeetings.Read", 200, 403), ("User.Read", 403, 403)],
)
def test_scopes_say_what_the_organizer_may_do(emulator, as_organizer, scopes, read, write):
    emulator.set_switches(scopes=scopes)
    organizer = as_organizer()

    assert organizer.send("GET", organizer.registration).status_code == read
    refused = organizer.enroll("p")
    assert refused.status_code == write
    assert write == 200 or refused.json()["error"]["code"] == "Authorization_RequestDenied"


def test_reset_brings_the_first_switches_back(tmp_path):
    emulator = Emulator(directory=tmp_path, switches={"duplicate": "conflict"})
    emulator.set_switches(duplicate="same", page_size=7)

    emulator.reset()

    assert emulator.switches == Switches(duplicate="conflict")


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("nonsense", 1, "There is no switch 'nonsense'; there are application_access_policy"),
        ("duplicate", "other", "one of same, new_link, conflict, bad_request, second_record, not 'other'"),
        ("empty_page", "maybe", "takes bool, not 'maybe'"),
        ("page_size", "many", "takes int, not 'many'"),
        ("page_size", -1, "a number from 0 up"),
        ("latency", "inf", "a number from 0 up"),
        ("latency", None, "takes float, not None"),
    ],
)
def test_bad_switch_is_named(name, value, says):
    with pytest.raises(BadSwitch, match=says):
        Switches().changed({name: value})


@pytest.mark.parametrize(("text", "value"), [("on", True), ("TRUE", True), ("1", True), ("off", False), ("0", False)])
def test_switch_reads_text(text, value):
    assert Switches().changed({"empty_page": text}).empty_page is value
    assert Switches().changed({"latency": "0.5", "page_size": "3"}) == Switches(latency=0.5, page_size=3)
