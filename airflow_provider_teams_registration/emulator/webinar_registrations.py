"""
Registrations for a webinar.

Service page: https://learn.microsoft.com/graph/api/resources/virtualeventregistration
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from airflow_provider_teams_registration.emulator.books import Books
from airflow_provider_teams_registration.emulator.exchange import GraphAnswer, GraphRequest, refusal
from airflow_provider_teams_registration.emulator.odata import read_equality
from airflow_provider_teams_registration.emulator.paging import one_page
from airflow_provider_teams_registration.emulator.registration import REGISTERED, Registration, look_up
from airflow_provider_teams_registration.emulator.registration_form import fault_in_form
from airflow_provider_teams_registration.emulator.seeded import ORGANIZER_EMAIL
from airflow_provider_teams_registration.emulator.switches import Switches
from airflow_provider_teams_registration.emulator.webinar import PUBLISHED, Webinar
from airflow_provider_teams_registration.emulator.webinar_bodies import (
    registration_body,
    registration_session_body,
    webinar_context,
)
from airflow_provider_teams_registration.emulator.webinar_books import EventFull
from airflow_provider_teams_registration.emulator.webinar_path import WebinarPath

_CODES: Mapping[str, tuple[int, str]] = {
    "bad_request": (400, "BadRequest"),
    "forbidden": (403, "Forbidden"),
    "not_found": (404, "NotFound"),
    "conflict": (409, "Conflict"),
}


class WebinarRegistrations:
    """
    Lists, reads, makes and cancels registrations.

    :param books: the state.
    :param switches: the switches in force.
    """

    def __init__(self, books: Books, switches: Callable[[], Switches]) -> None:
        self._books = books
        self._switches = switches

    def read_all(self, request: GraphRequest, webinar: Webinar, _: WebinarPath) -> GraphAnswer:
        """Answer with everybody, whatever their status, or with the one whom a filter names."""
        switches, registrations = self._switches(), self._visible(webinar)
        expression = request.query.get("$filter")
        if expression is not None and switches.registration_filter != "ignored":
            if switches.registration_filter == "refused":
                return refusal(400, "BadRequest", "Query option '$filter' is not allowed.")
            wanted = read_equality(expression)
            if wanted is None or wanted.name not in ("email", "userid"):
                return refusal(400, "BadRequest", "Only filters on email and userId are supported.")
            one = look_up(registrations, *wanted)
            registrations = [] if one is None else [one]
        bodies = [registration_body(request, webinar, one) for one in registrations]
        return one_page(request, switches, bodies, webinar_context(request, "/registrations"))

    def read(self, request: GraphRequest, webinar: Webinar, path: WebinarPath) -> GraphAnswer:
        """Answer with one registration."""
        one = self._named(self._visible(webinar), path)
        if one is None:
            return _not_found()
        return GraphAnswer(200, _entity(request, webinar, one))

    def read_sessions(self, request: GraphRequest, webinar: Webinar, path: WebinarPath) -> GraphAnswer:
        """Answer with the one session that a registration leads to."""
        one = self._named(self._visible(webinar), path)
        if one is None:
            return _not_found()
        context = webinar_context(request, "/registrations/sessions")
        return GraphAnswer(200, {"@odata.context": context, "value": [registration_session_body(webinar, one)]})

    def register(self, request: GraphRequest, webinar: Webinar, _: WebinarPath) -> GraphAnswer:
        """Register the person in the body, or the one who is signed in."""
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
        with self._books.lock:
            present = self._books.webinars.find(webinar.id, person["email"])
            if present is not None and self._switches().duplicate != "second_record":
                return self._register_again(request, webinar, present)
            return self._register(request, webinar, person)

    def _register(self, request: GraphRequest, webinar: Webinar, person: Mapping[str, Any]) -> GraphAnswer:
        status = self._switches().new_registration_status
        try:
            one = self._books.webinars.register(webinar.id, status=status, **person)
        except EventFull as error:
            return refusal(*_CODES[self._switches().event_full], str(error))
        return _made(request, webinar, one, "enrolled")

    def _register_again(self, request: GraphRequest, webinar: Webinar, present: Registration) -> GraphAnswer:
        duplicate = self._switches().duplicate
        if duplicate in _CODES:
            return refusal(*_CODES[duplicate], f"{present.email} is already registered.")
        if duplicate == "new_link" and present.status == REGISTERED:
            renewed = self._books.webinars.give_new_link(webinar.id, present.id)
            return _made(request, webinar, renewed, "renewed")
        return _made(request, webinar, present, None)

    def cancel(self, request: GraphRequest, webinar: Webinar, path: WebinarPath) -> GraphAnswer:
        """Take one person off."""
        one = self._named(self._books.webinars.registrations(webinar.id), path)
        if one is None:
            return _not_found()
        # Applications are for people from outside, users for those of the organization.
        if (request.caller.user_id is None) == (one.user_id is not None):
            return refusal(403, "Forbidden", "The registration cannot be canceled with this kind of permission.")
        if self._books.webinars.cancel(webinar.id, one.id):
            return GraphAnswer(204, effect="cancelled")
        refused = _CODES.get(self._switches().second_cancel)
        return GraphAnswer(204) if refused is None else refusal(*refused, "The registration is already canceled.")

    def _named(self, registrations: list[Registration], path: WebinarPath) -> Registration | None:
        finds = self._switches().registration_key_finds
        if path.key_name == "id" or finds == "active":
            return look_up(registrations, path.key_name, path.key)
        known = [] if finds == "nobody" else registrations
        return next((one for one in known if one.is_known_as(path.key_name, path.key)), None)

    def _visible(self, webinar: Webinar) -> list[Registration]:
        latest = time.monotonic() - self._switches().visibility_lag
        return [one for one in self._books.webinars.registrations(webinar.id) if one.registered_at <= latest]


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


def _made(request: GraphRequest, webinar: Webinar, one: Registration, effect: str | None) -> GraphAnswer:
    if request.caller.user_id is None:
        return GraphAnswer(204, effect=effect)
    return GraphAnswer(201, _entity(request, webinar, one), effect=effect)


def _entity(request: GraphRequest, webinar: Webinar, one: Registration) -> dict[str, Any]:
    context = webinar_context(request, "/registrations/$entity")
    return {"@odata.context": context, **registration_body(request, webinar, one)}


def _not_found() -> GraphAnswer:
    return refusal(404, "NotFound", "Registration was not found.")
