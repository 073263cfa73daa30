"""Consent for one event, from the package to the enrollment."""

from __future__ import annotations

import json

import pytest
import requests

from airflow_provider_teams_registration.graph.teams_app_package import EVENT_PERMISSIONS, TeamsAppSettings, package
from tests.run_dag import enroll_text, task_text

pytestmark = pytest.mark.airflow

PERSON = {
    "email": "ada@example.org",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "preferred_timezone": "Europe/Rome",
    "preferred_language": "en-us",
}
ADMINISTRATOR = "AppCatalog.Submit AppCatalog.ReadWrite.All"
ORGANIZER = "AppCatalog.Read.All TeamsAppInstallation.ReadWriteAndConsentForChat VirtualEvent.Read"


@pytest.fixture
def upload(emulator, open_session, delegated_settings):
    """Upload a package as a signed-in administrator; return the answer."""

    def send(content):
        emulator.set_switches(scopes=ADMINISTRATOR)
        token = open_session(delegated_settings).token(fresh=True)
        return requests.post(
            f"{emulator.url}/v1.0/appCatalogs/teamsApps",
            data=content,
            headers={"Authorization": f"Bearer {token.value}", "Content-Type": "application/zip"},
            verify=delegated_settings.verify,
            timeout=30,
        )

    return send


@pytest.fixture
def teams_app(emulator, upload, monkeypatch):
    """The app in the catalog. From now on nobody has a permission but the organizer, to install it."""
    settings = TeamsAppSettings(emulator.client_id)
    answer = upload(package(settings))
    assert answer.status_code == 201, answer.text
    monkeypatch.setenv("AIRFLOW_CONN_ORGANIZER", json.dumps(emulator.connection("refresh_token")))
    emulator.set_switches(roles="User.Read.All", application_access_policy=False, scopes=ORGANIZER)
    emulator.expire_tokens()
    emulator.clear_journal()
    return settings.app_id


def consent(emulator, app_id, **arguments):
    named = {"webinar_id": emulator.webinar_id, "conn_id": "organizer"} | arguments
    return task_text("ConsentForEventOperator", "consent", teams_app_id=app_id, retries=2, **named)


def test_before_consent_graph_refuses_and_after_it_people_are_enrolled(run_dag, emulator, teams_app, capfd):
    enroll = enroll_text(emulator, [PERSON], webinar_id=emulator.webinar_id)
    before = run_dag(enroll)
    said = "".join(capfd.readouterr())
    consented = run_dag(consent(emulator, teams_app))
    after = run_dag(enroll)

    assert before.state == "failed"
    assert "VirtualEvent.Read.Chat" in said
    assert consented.rows("consent") == list(EVENT_PERMISSIONS)
    assert after.state == "success"
    (row,) = after.rows()
    assert (row["outcome"], bool(row["join_web_url"])) == ("enrolled", True)


def test_consent_is_for_one_event_only(run_dag, emulator, teams_app):
    assert run_dag(consent(emulator, teams_app)).state == "success"

    other = run_dag(enroll_text(emulator, [PERSON], webinar_id=emulator.questions_webinar_id))

    assert other.state == "failed"
    assert emulator.store.webinars.registrations(emulator.questions_webinar_id) == []


def test_consent_that_is_there_stays_as_it_is(run_dag, emulator, teams_app, capfd):
    run = run_dag(f"{consent(emulator, teams_app)} >> {consent(emulator, teams_app).replace('consent', 'again', 1)}")
    assert run.state == "success"
    effects = [one.effect for one in emulator.store.journal if one.effect]
    assert effects == ["installed"]


def test_a_link_names_the_event_and_a_chat_may_be_named_instead(run_dag, emulator, teams_app):
    webinar = emulator.store.webinars.webinar(emulator.webinar_id)
    by_link = run_dag(consent(emulator, teams_app, webinar_id=webinar.join_web_url))
    by_chat = run_dag(consent(emulator, teams_app, webinar_id=None, chat_id=webinar.thread_id))

    assert (by_link.state, by_chat.state) == ("success", "success")


@pytest.mark.parametrize(
    ("scopes", "arguments", "said"),
    [
        (ORGANIZER.replace("TeamsAppInstallation.ReadWriteAndConsentForChat", ""), {}, "ReadWriteAndConsentForChat"),
        (ORGANIZER.replace("AppCatalog.Read.All", ""), {}, "user needs AppCatalog.Read.All"),
        (ORGANIZER.replace("VirtualEvent.Read", ""), {}, "user needs VirtualEvent.Read"),
        (ORGANIZER, {"teams_app_id": "nowhere"}, "no such Teams app"),
        (ORGANIZER, {"chat_id": "19:x@thread.v2"}, "Give exactly one of webinar_id and chat_id"),
        (ORGANIZER, {"webinar_id": None, "chat_id": "https://teams.example/meet/1234567"}, "chat_id is a link"),
    ],
)
def test_what_stands_in_the_way_of_consent_is_named(run_dag, emulator, teams_app, capfd, scopes, arguments, said):
    emulator.set_switches(scopes=scopes)
    app_id = arguments.pop("teams_app_id", teams_app)

    run = run_dag(consent(emulator, app_id, **arguments))

    assert (run.state, run.tries["consent"]) == ("failed", 1)
    assert said in "".join(capfd.readouterr())


def test_a_package_that_cannot_be_read_is_refused(upload):
    answer = upload(b"no zip")

    assert (answer.status_code, answer.json()["error"]["message"]) == (400, "UnableToParseTeamsAppManifest")
