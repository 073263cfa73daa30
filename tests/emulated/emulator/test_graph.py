"""Who may call Graph, what it says of paths that it does not have, and the ids of it all."""

import uuid

import jwt
import pytest

from airflow_provider_teams_registration.emulator.server import Emulator

STRANGER = "99999999-9999-4999-8999-999999999999"


@pytest.mark.parametrize(
    ("authorization", "says"),
    [
        (None, "empty"),
        ("", "empty"),
        ("Bearer", "empty"),
        ("Basic dXNlcjpwYXNz", "empty"),
        ("Bearer garbage", "validation failure"),
        (f"Bearer {jwt.encode({'appid': 'x', 'roles': []}, 'k' * 64, 'HS256')}", "validation failure"),
    ],
)
def test_caller_without_a_good_token_is_turned_away(http, emulator, authorization, says):
    headers = {} if authorization is None else {"Authorization": authorization}

    answer = http.get(f"{emulator.url}/beta/me/onlineMeetings/x", headers=headers, timeout=10)

    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "InvalidAuthenticationToken"
    assert says in answer.json()["error"]["message"]
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert emulator.store.journal == []
    (turned_away,) = emulator.store.sign_ins
    assert (turned_away.method, turned_away.status) == ("GET", 401)
    assert turned_away.request_id == answer.headers["request-id"]


def test_token_of_another_emulator_is_no_good_here(application):
    with Emulator() as other:
        answer = application.http.get(
            f"{other.url}/beta{application.registration}",
            headers={"Authorization": f"Bearer {application.token}"},
            verify=other.ca_file,
            timeout=10,
        )

    assert answer.status_code == 401


def test_application_is_nobodys_me(application, emulator):
    answer = application.send("GET", f"/me/onlineMeetings/{emulator.meeting_id}/registration")

    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "/me request is only valid with delegated authentication flow."


def test_organizer_may_not_act_for_somebody_else(organizer, emulator):
    own = organizer.send("GET", f"/users/{emulator.organizer_id}/onlineMeetings/{emulator.meeting_id}/registration")
    foreign = organizer.send("GET", f"/users/{STRANGER}/onlineMeetings/{emulator.meeting_id}/registration")

    assert own.status_code == 200
    assert (foreign.status_code, foreign.json()["error"]["code"]) == (403, "Forbidden")


def test_meeting_is_only_found_with_its_organizer(application, emulator):
    assert application.send("GET", f"/users/{STRANGER}/onlineMeetings/{emulator.meeting_id}").status_code == 404
    assert application.send("GET", f"/users/{emulator.organizer_id}/onlineMeetings/other").status_code == 404
    assert application.send("POST", f"/users/{STRANGER}/onlineMeetings", json={}).status_code == 404
    upper = application.registration.replace(emulator.organizer_id, emulator.organizer_id.upper())
    assert application.send("GET", upper).status_code == 200


@pytest.mark.parametrize("version", ["v1.0", "beta"])
@pytest.mark.parametrize(
    ("path", "segment"),
    [
        ("/nonsense", "nonsense"),
        ("/me/messages", "messages"),
        ("/me", "me"),
        ("/users/x", "x"),
        ("/me/onlineMeetings/{meeting}/nonsense", "nonsense"),
        ("/me/onlineMeetings/{meeting}/nonsense/deeper", "nonsense"),
    ],
)
def test_unknown_route_names_the_segment(organizer, emulator, version, path, segment):
    answer = organizer.send("GET", path.format(meeting=emulator.meeting_id), version)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadRequest")
    assert answer.json()["error"]["message"] == f"Resource not found for the segment '{segment}'."


@pytest.mark.parametrize(("below", "segment"), [("/nonsense", "nonsense"), ("/registrants/p/more", "more")])
def test_unknown_route_below_the_registration_names_the_segment(organizer, below, segment):
    answer = organizer.send("GET", organizer.registration + below)

    assert answer.status_code == 400
    assert f"'{segment}'" in answer.json()["error"]["message"]


def test_registration_is_beta_only(organizer):
    answer = organizer.send("GET", organizer.registration, "v1.0")

    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "Resource not found for the segment 'registration'."


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/me/onlineMeetings"),
        ("PATCH", "{meeting}"),
        ("PATCH", "{meeting}/registration"),
        ("DELETE", "{meeting}/registration/registrants"),
        ("PATCH", "{meeting}/registration/registrants/p"),
    ],
)
def test_method_that_a_route_does_not_have_is_405(organizer, method, path):
    answer = organizer.send(method, path.format(meeting=organizer.meeting), json={})

    assert answer.status_code == 405
    assert method in answer.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/v2.0/me", "/nonsense", "/nonsense/deeper"])
def test_version_that_graph_does_not_have_is_named(http, emulator, path):
    answer = http.get(emulator.url + path, timeout=10)

    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == f"Invalid version: {path.split('/')[1]}."


def test_answers_carry_both_ids(application, emulator):
    asked = str(uuid.uuid4())

    with_mine = application.send("GET", application.registration, headers={"client-request-id": asked})
    without = application.send("GET", application.registration)

    assert with_mine.headers["client-request-id"] == asked
    assert with_mine.headers["request-id"] not in (asked, without.headers["request-id"])
    assert without.headers["client-request-id"] == without.headers["request-id"]
    assert [entry.client_request_id for entry in emulator.store.journal] == [asked, None]
    assert "Date" in without.headers


def test_errors_carry_both_ids_and_a_date_without_zone(application):
    answer = application.send("GET", "/me/nonsense", headers={"client-request-id": "mine"})

    inner = answer.json()["error"]["innerError"]
    assert (inner["request-id"], inner["client-request-id"]) == (answer.headers["request-id"], "mine")
    assert len(inner["date"]) == len("2026-01-01T00:00:00")
