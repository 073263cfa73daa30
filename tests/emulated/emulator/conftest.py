"""Those who call the emulator: plain requests, so that what is tested is the wire."""

import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
import requests

from airflow_provider_teams_registration.emulator.server import Emulator

REGISTRATION_TYPE = "#microsoft.graph.externalMeetingRegistration"
REGISTRANT_TYPE = "#microsoft.graph.externalMeetingRegistrant"


class Caller:
    """One who calls Graph with a token, about one meeting."""

    def __init__(self, emulator: Emulator, http: requests.Session, token: str, owner: str) -> None:
        self.emulator = emulator
        self.http = http
        self.token = token
        self.meeting = f"/{owner}/onlineMeetings/{emulator.meeting_id}"
        self.registration = f"{self.meeting}/registration"
        self.registrants = f"{self.registration}/registrants"

    def send(self, method: str, path: str, version: str = "beta", **how: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}", **how.pop("headers", {})}
        return self.http.request(method, f"{self.emulator.url}/{version}{path}", headers=headers, timeout=10, **how)

    def enroll(self, registrant_id: Any, **more: Any) -> requests.Response:
        return self.send("POST", self.registrants, json={"@odata.type": REGISTRANT_TYPE, "id": registrant_id, **more})

    def cancel(self, registrant_id: str) -> requests.Response:
        return self.send("DELETE", f"{self.registrants}/{quote(registrant_id, safe='')}")

    def listed(self) -> list[dict[str, Any]]:
        return list(self.send("GET", self.registrants).json()["value"])

    def item(self, item_id: str, registrant_id: str, **more: Any) -> dict[str, Any]:
        """An item of a batch that enrolls somebody."""
        return {
            "id": item_id,
            "method": "POST",
            "url": self.registrants,
            "headers": {"Content-Type": "application/json"},
            "body": {"@odata.type": REGISTRANT_TYPE, "id": registrant_id},
            **more,
        }

    def batch(self, *items: Any) -> requests.Response:
        return self.send("POST", "/$batch", json={"requests": items})


class WebinarCaller:
    """One who calls Graph about one webinar."""

    def __init__(self, caller: Caller, webinar_id: str) -> None:
        self.caller = caller
        self.path = f"/solutions/virtualEvents/webinars/{webinar_id}"

    def send(self, method: str, below: str = "", version: str = "v1.0", **how: Any) -> requests.Response:
        return self.caller.send(method, f"{self.path}{below}", version, **how)

    def form(self, name: str, **more: Any) -> dict[str, Any]:
        """What an application sends to register somebody."""
        person = {"firstName": name, "lastName": "Example", "email": f"{name}@example.org"}
        return {**person, "preferredTimezone": "UTC", "preferredLanguage": "en-us", **more}

    def register(self, name: str = "ada", **more: Any) -> requests.Response:
        return self.send("POST", "/registrations", json=self.form(name, **more))

    def item(self, item_id: str, name: str, **more: Any) -> dict[str, Any]:
        """An item of a batch that registers somebody."""
        return {
            "id": item_id,
            "method": "POST",
            "url": f"{self.path}/registrations",
            "headers": {"Content-Type": "application/json"},
            "body": self.form(name, **more),
        }

    def listed(self, query: str = "") -> list[dict[str, Any]]:
        return list(self.send("GET", f"/registrations{query}").json()["value"])

    def session(self, registration_id: str) -> dict[str, Any]:
        (session,) = self.send("GET", f"/registrations/{registration_id}/sessions").json()["value"]
        return dict(session)

    def cancel(self, registration_id: str) -> requests.Response:
        return self.send("POST", f"/registrations/{registration_id}/cancel")


@pytest.fixture
def http(emulator: Emulator) -> Iterator[requests.Session]:
    """A session that trusts the emulator, whatever the environment says."""
    with requests.Session() as session:
        session.trust_env = False
        session.verify = emulator.ca_file
        yield session


@pytest.fixture
def ask_for_token(emulator: Emulator, http: requests.Session) -> Callable[..., requests.Response]:
    """Posts a form to the token endpoint; the application's secret is in it unless told otherwise."""

    def ask(tenant: str = emulator.tenant_id, **form: str | None) -> requests.Response:
        usual = {
            "grant_type": "client_credentials",
            "client_id": emulator.client_id,
            "client_secret": emulator.client_secret,
            "scope": "https://graph.microsoft.com/.default",
        }
        return http.post(f"{emulator.url}/{tenant}/oauth2/v2.0/token", data={**usual, **form}, timeout=10)

    return ask


@pytest.fixture
def as_application(
    emulator: Emulator, http: requests.Session, ask_for_token: Callable[..., requests.Response]
) -> Callable[[], Caller]:
    """Signs in as the application under the switches of the moment."""
    return lambda: Caller(emulator, http, ask_for_token().json()["access_token"], f"users/{emulator.organizer_id}")


@pytest.fixture
def as_organizer(
    emulator: Emulator, http: requests.Session, ask_for_token: Callable[..., requests.Response]
) -> Callable[[], Caller]:
    """Signs in as the organizer under the switches of the moment."""

    def sign_in() -> Caller:
        answer = ask_for_token(grant_type="refresh_token", refresh_token=emulator.refresh_token).json()
        return Caller(emulator, http, answer["access_token"], "me")

    return sign_in


@pytest.fixture
def application(as_application: Callable[[], Caller]) -> Caller:
    """The application."""
    return as_application()


@pytest.fixture
def organizer(as_organizer: Callable[[], Caller]) -> Caller:
    """The signed-in organizer."""
    return as_organizer()


@pytest.fixture
def webinar(application: Caller, emulator: Emulator) -> WebinarCaller:
    """The webinar with seats for all, as the application sees it."""
    return WebinarCaller(application, emulator.webinar_id)


@pytest.fixture
def delegated_webinar(organizer: Caller, emulator: Emulator) -> WebinarCaller:
    """The webinar with seats for all, as its organizer sees it."""
    return WebinarCaller(organizer, emulator.webinar_id)


@pytest.fixture
def other_webinar(application: Caller) -> Callable[..., WebinarCaller]:
    """Any webinar, by its id, as the application or another caller sees it."""
    return lambda webinar_id, caller=application: WebinarCaller(caller, webinar_id)


@pytest.fixture
def poll() -> Callable[[Callable[[], object]], None]:
    """Waits for something to come true, for ten seconds at most."""

    def until(is_true: Callable[[], object]) -> None:
        deadline = time.monotonic() + 10
        while not is_true():
            assert time.monotonic() < deadline, "it did not come true"
            time.sleep(0.005)

    return until
