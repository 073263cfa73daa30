"""
Routes of the registrations for a webinar.

Service page: https://learn.microsoft.com/graph/api/resources/virtualeventregistration
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from airflow_provider_teams_registration.emulator.behaviour.spelling import listed
from airflow_provider_teams_registration.emulator.behaviour.switches import Switches
from airflow_provider_teams_registration.emulator.graph_api.odata import read_equality
from airflow_provider_teams_registration.emulator.graph_api.paging import one_page
from airflow_provider_teams_registration.emulator.graph_api.query_options import option
from airflow_provider_teams_registration.emulator.graph_api.registration_form import fault_in_form
from airflow_provider_teams_registration.emulator.graph_api.webinar_bodies import (
    registration_body,
    registration_session_body,
    webinar_context,
)
from airflow_provider_teams_registration.emulator.graph_api.webinar_path import WebinarPath
from airflow_provider_teams_registration.emulator.http.messages import GraphAnswer, GraphRequest, refusal
from airflow_provider_teams_registration.emulator.store.meeting_store import MeetingStore
from airflow_provider_teams_registration.emulator.store.registration import REGISTERED, Registration, look_up
from airflow_provider_teams_registration.emulator.store.seeded import ORGANIZER_EMAIL
from airflow_provider_teams_registration.emulator.store.webinar import PUBLISHED, Webinar
from airflow_provider_teams_registration.emulator.store.webinar_store import EventFull

_CODES: Mapping[str, tuple[int, str]] = {
    "bad_request": (400, "BadRequest"),
    "forbidden": (403, "Forbidden"),
    "not_found": (404, "NotFound"),
    "conflict": (409, "Conflict"),
}


class WebinarRegistrations:
    """
    Lists, reads, makes and cancels registrations.

    :param store: the data.
    :param switches: returns the present switches.
    """

    def __init__(self, store: MeetingStore, switches: Callable[[], Switches]) -> None:
        self._store = store
        self._switches = switches

    def read_all(self, request: GraphRequest, webinar: Webinar, _: WebinarPath) -> GraphAnswer:
        """Answer with all registrations, whatever their status, or with the one that a filter names."""
        switches, registrations = self._switches(), self._visible(webinar)
        expression = option(request, "filter")
        if expression is not None and switches.registration_filter != "ignored":
            if switches.registration_filter == "refused":
                return refusal(400, "BadRequest", "Query option '$filter' is not allowed.")
            wanted = read_equality(expression)
            if wanted is None or wanted.name not in ("email", "userid"):
                return refusal(400, "BadRequest", "Only filters on email and userId are supported.")
            one = look_up(registrations, *wanted)
            registrations = [] if one is None else [one]
        bodies = [self._body(request, webinar, one) for one in registrations]
        return one_page(request, switches, bodies, webinar_context(request, "/registrations"))

    def read(self, request: GraphRequest, webinar: Webinar, path: WebinarPath) -> GraphAnswer:
        """Answer with one registration."""
        one = self._named(self._visible(webinar), path)
        if one is None:
            return _not_found()
        return GraphAnswer(200, self._entity(request, webinar, one))

    def read_sessions(self, request: GraphRequest, webinar: Webinar, path: WebinarPath) -> GraphAnswer:
        """Answer with the session below a registration."""
        one = self._named(self._visible(webinar), path)
        if one is None:
            return _not_found()
        context = webinar_context(request, "/registrations/sessions")
        return one_page(request, self._switches(), [registration_session_body(webinar, one)], context)

    def register(self, request: GraphRequest, webinar: Webinar, _: WebinarPath) -> GraphAnswer:
        """Register the person in the body, or the signed-in user."""
        body = request.body if isinstance(request.body, dict) else {}
        if webinar.status != PUBLISHED:
            return refusal(
                400, "BadRequest", f"The event is not open for registration: its status is {webinar.status}."
            )
        wrong = fault_in_form(
            body,
            webinar,
            is_application=request.caller.user_id is None,
            is_required_enforced=self._switches().required_questions_enforced,
        )
        if wrong is not None:
            return refusal(400, "BadRequest", wrong)
        person = _person(request, body)
        with self._store.lock:
            present = self._store.webinars.find(webinar.id, person["email"])
            if present is not None and self._switches().duplicate != "second_record":
                return self._register_again(request, webinar, present)
            return self._register(request, webinar, person)

    def _register(self, request: GraphRequest, webinar: Webinar, person: Mapping[str, Any]) -> GraphAnswer:
        status = self._switches().new_registration_status
        try:
            one = self._store.webinars.register(webinar.id, status=status, **person)
        except EventFull as error:
            return refusal(*_CODES[self._switches().event_full], str(error))
        return self._made(request, webinar, one, "enrolled")

    def _register_again(self, request: GraphRequest, webinar: Webinar, present: Registration) -> GraphAnswer:
        duplicate = self._switches().duplicate
        if duplicate in _CODES:
            return refusal(*_CODES[duplicate], f"{present.email} is already registered.")
        if duplicate == "new_link" and present.status == REGISTERED:
            renewed = self._store.webinars.give_new_link(webinar.id, present.id)
            return self._made(request, webinar, renewed, "renewed")
        return self._made(request, webinar, present, None)

    def cancel(self, request: GraphRequest, webinar: Webinar, path: WebinarPath) -> GraphAnswer:
        """Cancel a registration."""
        one = self._named(self._store.webinars.registrations(webinar.id), path)
        if one is None:
            return _not_found()
        # An application can cancel people from outside, and a user can cancel people of the organization.
        if (request.caller.user_id is None) == (one.user_id is not None):
            return refusal(403, "Forbidden", "The registration cannot be canceled with this kind of permission.")
        if self._store.webinars.cancel(webinar.id, one.id):
            return GraphAnswer(204, effect="cancelled")
        refused = _CODES.get(self._switches().second_cancel)
        return GraphAnswer(204) if refused is None else refusal(*refused, "The registration is already canceled.")

    def _made(self, request: GraphRequest, webinar: Webinar, one: Registration, effect: str | None) -> GraphAnswer:
        if request.caller.user_id is None:
            return GraphAnswer(204, effect=effect)
        return GraphAnswer(201, self._entity(request, webinar, one), effect=effect)

    def _entity(self, request: GraphRequest, webinar: Webinar, one: Registration) -> dict[str, Any]:
        context = webinar_context(request, "/registrations/$entity")
        return {"@odata.context": context, **self._body(request, webinar, one)}

    def _body(self, request: GraphRequest, webinar: Webinar, one: Registration) -> dict[str, Any]:
        # In v1.0 only the answer to a POST holds the text of the questions; in beta, reads hold it as well.
        with_wordings = request.version == "beta" or request.method == "POST"
        body = registration_body(webinar, one, with_wordings=with_wordings)
        return {**body, "email": listed(one.email, self._switches().listed_as)}

    def _named(self, registrations: list[Registration], path: WebinarPath) -> Registration | None:
        finds = self._switches().registration_key_finds
        if path.key_name == "id" or finds == "active":
            return look_up(registrations, path.key_name, path.key)
        known = [] if finds == "nobody" else registrations
        return next((one for one in known if one.is_known_as(path.key_name, path.key)), None)

    def _visible(self, webinar: Webinar) -> list[Registration]:
        latest = time.monotonic() - self._switches().visibility_lag
        return [one for one in self._store.webinars.registrations(webinar.id) if one.registered_at <= latest]


def _person(request: GraphRequest, body: Mapping[str, Any]) -> dict[str, Any]:
    external = body.get("externalRegistrationInformation") or {}
    user_id = request.caller.user_id
    return {
        "email": body["email"] if user_id is None else ORGANIZER_EMAIL,
        "first_name": body["firstName"] if user_id is None else "Organizer",
        "last_name": body["lastName"] if user_id is None else "Signed in",
        "user_id": user_id,
        "preferred_timezone": body["preferredTimezone"],
        "preferred_language": body["preferredLanguage"],
        "answers": tuple(body.get("registrationQuestionAnswers") or ()),
        "referrer": external.get("referrer"),
        "external_registration_id": external.get("registrationId"),
    }


def _not_found() -> GraphAnswer:
    return refusal(404, "NotFound", "Registration was not found.")
