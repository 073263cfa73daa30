"""
Online meetings, their registration and their registrants, as Graph beta has them.

Service pages: https://learn.microsoft.com/graph/api/onlinemeeting-get and
https://learn.microsoft.com/graph/api/resources/externalmeetingregistration?view=graph-rest-beta
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from airflow_provider_teams_registration.emulator.books import Books, Meeting, RegistrantRecord
from airflow_provider_teams_registration.emulator.exchange import (
    GraphAnswer,
    GraphRequest,
    no_such_method,
    no_such_segment,
    refusal,
)
from airflow_provider_teams_registration.emulator.odata import read_equality
from airflow_provider_teams_registration.emulator.paging import one_page
from airflow_provider_teams_registration.emulator.seeded import ORGANIZER_ID, TENANT_ID
from airflow_provider_teams_registration.emulator.switches import Switches

REGISTRATION_TYPE = "#microsoft.graph.externalMeetingRegistration"
REGISTRANT_TYPE = "#microsoft.graph.externalMeetingRegistrant"
_WORDED_TYPE = (
    "Invalid request. Provide microsoft.graph.meetingRegistration or "
    "microsoft.graph.externalMeetingRegistration in request body."
)
_FOUND_BY: Mapping[str, Callable[[Meeting], str]] = {
    "joinweburl": lambda meeting: meeting.join_web_url,
    "joinmeetingidsettings/joinmeetingid": lambda meeting: meeting.join_meeting_id,
}


class OnlineMeetings:
    """
    Answers below ``/me/onlineMeetings`` and ``/users/{id}/onlineMeetings``.

    :param books: the state.
    :param switches: the switches in force.
    """

    def __init__(self, books: Books, switches: Callable[[], Switches]) -> None:
        self._books = books
        self._switches = switches

    def answer(self, request: GraphRequest, below: list[str]) -> GraphAnswer:
        """
        Answer a request.

        :param request: the request.
        :param below: the segments after ``onlineMeetings``.
        """
        refused = self._refuse_caller(request)
        if refused is not None:
            return refused
        if not below:
            return self._find_or_create(request)
        meeting = self._books.meeting(below[0])
        if meeting is None or meeting.organizer_id != self._organizer(request):
            return refusal(404, "NotFound", "Online meeting was not found.")
        if len(below) == 1:
            is_read = request.method == "GET"
            return GraphAnswer(200, _meeting_body(meeting)) if is_read else no_such_method(request.method)
        if request.version != "beta" or below[1] != "registration":
            return no_such_segment(below[1])
        return self._registration(request, meeting, below[2:])

    def _registration(self, request: GraphRequest, meeting: Meeting, below: list[str]) -> GraphAnswer:
        unknown = [segment for segment in below[:1] if segment != "registrants"] or below[2:]
        if unknown:
            return no_such_segment(unknown[0])
        routes: dict[tuple[str, int], Callable[[], GraphAnswer]] = {
            ("POST", 0): lambda: self._open(request, meeting),
            ("GET", 0): lambda: GraphAnswer(200, _registration_body(request, meeting)),
            ("DELETE", 0): lambda: self._close(meeting),
            ("GET", 1): lambda: self._list(request, meeting),
            ("POST", 1): lambda: self._enroll(request, meeting),
            ("GET", 2): lambda: self._read_registrant(request, meeting, below[1]),
            ("DELETE", 2): lambda: self._cancel(meeting, below[1]),
        }
        route = routes.get((request.method, len(below)))
        if route is None:
            return no_such_method(request.method)
        retired = self._retired(request)
        if retired is not None:
            return retired
        is_opening = route is routes["POST", 0]
        if meeting.allowed_registrant is None and not is_opening:
            return refusal(404, "NotFound", "The meeting has no registration.")
        return route()

    def _organizer(self, request: GraphRequest) -> str | None:
        segments = request.segments
        return request.caller.user_id if segments[0].lower() == "me" else segments[1].lower()

    def _refuse_caller(self, request: GraphRequest) -> GraphAnswer | None:
        caller, switches = request.caller, self._switches()
        organizer = self._organizer(request)
        if organizer is None:
            return refusal(400, "BadRequest", "/me request is only valid with delegated authentication flow.")
        of_all = "" if caller.user_id is not None else ".All"
        writing = {f"OnlineMeetings.ReadWrite{of_all}"}
        needed = writing | {f"OnlineMeetings.Read{of_all}"} if request.method == "GET" else writing
        if not caller.permissions & needed:
            return refusal(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
        if caller.user_id is not None:
            return None if caller.user_id == organizer else refusal(403, "Forbidden", "Forbidden")
        if not switches.application_access_policy:
            return refusal(
                403,
                "Forbidden",
                f"No application access policy found for this app {caller.client_id} on the user {organizer}.",
            )
        if request.method != "GET" and not switches.application_may_enroll and "registration" in request.segments:
            return refusal(403, "Forbidden", "Application permission is not supported for this operation.")
        return None

    def _retired(self, request: GraphRequest) -> GraphAnswer | None:
        answers = {
            "empty": GraphAnswer(200, {"value": []} if request.segments[-1] == "registrants" else None),
            "not_found": refusal(404, "NotFound", "Resource not found."),
            "gone": refusal(410, "Gone", "The meeting registration API has been retired."),
        }
        return answers.get(self._switches().retired)

    def _find_or_create(self, request: GraphRequest) -> GraphAnswer:
        if request.method == "POST":
            return self._create(request)
        # There is no list of all meetings: a read must say which one it is after.
        if request.method != "GET" or "$filter" not in request.query:
            return no_such_method(request.method)
        wanted = read_equality(request.query["$filter"])
        if wanted is None or wanted.name not in _FOUND_BY:
            return refusal(400, "BadRequest", "Filter expression is not supported.")
        found = [
            _meeting_body(meeting)
            for meeting in self._books.meetings()
            if meeting.organizer_id == self._organizer(request) and _FOUND_BY[wanted.name](meeting) == wanted.value
        ]
        context = f"{request.root}/{request.version}/$metadata#onlineMeetings"
        return GraphAnswer(200, {"@odata.context": context, "value": found})

    def _create(self, request: GraphRequest) -> GraphAnswer:
        if self._organizer(request) != ORGANIZER_ID:
            return refusal(404, "NotFound", "User was not found.")
        body = request.body if isinstance(request.body, dict) else {}
        meeting = self._books.add_meeting(str(body.get("subject") or "Untitled"))
        return GraphAnswer(201, _meeting_body(meeting), effect="created")

    def _open(self, request: GraphRequest, meeting: Meeting) -> GraphAnswer:
        body = request.body if isinstance(request.body, dict) else {}
        if body.get("@odata.type") != REGISTRATION_TYPE:
            return refusal(400, "BadRequest", _WORDED_TYPE)
        if body.get("allowedRegistrant") not in ("everyone", "organization"):
            return refusal(400, "BadRequest", "allowedRegistrant must be everyone or organization.")
        if meeting.allowed_registrant is not None:
            if self._switches().second_registration == "same":
                return GraphAnswer(201, _registration_body(request, meeting))
            return refusal(409, "Conflict", "The meeting already has a registration.")
        opened = self._books.open(meeting.id, body["allowedRegistrant"])
        return GraphAnswer(201, _registration_body(request, opened), effect="opened")

    def _close(self, meeting: Meeting) -> GraphAnswer:
        self._books.close(meeting.id)
        return GraphAnswer(204, effect="closed")

    def _enroll(self, request: GraphRequest, meeting: Meeting) -> GraphAnswer:
        body = request.body if isinstance(request.body, dict) else {}
        wrong = _wrong_registrant(body, meeting)
        if wrong:
            return refusal(400, "BadRequest", wrong)
        with self._books.lock:
            present = self._books.find(meeting.id, body["id"])
            if present is not None:
                return self._enroll_again(request, meeting, present)
            record = self._books.enroll(meeting, body["id"], body.get("tenantId"), body.get("userId"))
        return GraphAnswer(200, _entity(request, record, with_link=True), effect="enrolled")

    def _enroll_again(self, request: GraphRequest, meeting: Meeting, present: RegistrantRecord) -> GraphAnswer:
        duplicate = self._switches().duplicate
        if duplicate == "conflict":
            return refusal(409, "Conflict", f"Registrant '{present.id}' is already registered.")
        if duplicate == "bad_request":
            return refusal(400, "BadRequest", f"Registrant '{present.id}' is already registered.")
        if duplicate == "new_link":
            record = self._books.give_new_link(meeting, present)
            return GraphAnswer(200, _entity(request, record, with_link=True), effect="renewed")
        if duplicate == "second_record":
            record = self._books.enroll(meeting, present.id, present.tenant_id, present.user_id)
            return GraphAnswer(200, _entity(request, record, with_link=True), effect="enrolled")
        return GraphAnswer(200, _entity(request, present, with_link=True))

    def _visible(self, meeting: Meeting) -> list[RegistrantRecord]:
        latest = time.monotonic() - self._switches().visibility_lag
        return [record for record in self._books.enrolled(meeting.id) if record.enrolled_at <= latest]

    def _list(self, request: GraphRequest, meeting: Meeting) -> GraphAnswer:
        switches = self._switches()
        bodies = [_registrant_body(record, with_link=switches.list_shows_links) for record in self._visible(meeting)]
        return one_page(request, switches, bodies, _context(request, "registration/registrants"))

    def _read_registrant(self, request: GraphRequest, meeting: Meeting, registrant_id: str) -> GraphAnswer:
        record = next((record for record in self._visible(meeting) if record.id == registrant_id), None)
        if record is None:
            return refusal(404, "NotFound", "Registrant was not found.")
        return GraphAnswer(200, _entity(request, record, with_link=self._switches().list_shows_links))

    def _cancel(self, meeting: Meeting, registrant_id: str) -> GraphAnswer:
        if not self._books.cancel(meeting.id, registrant_id):
            return refusal(404, "NotFound", "Registrant was not found.")
        return GraphAnswer(204, effect="cancelled")


def _wrong_registrant(body: dict[str, Any], meeting: Meeting) -> str | None:
    if body.get("@odata.type") != REGISTRANT_TYPE:
        return "Invalid request. Provide microsoft.graph.externalMeetingRegistrant in request body."
    if not isinstance(body.get("id"), str) or not body["id"]:
        return "id must be a string that is not empty."
    identity = [body.get("tenantId"), body.get("userId")]
    if meeting.allowed_registrant == "everyone":
        return "tenantId and userId are only for registrants of the organization." if any(identity) else None
    if not all(identity):
        return "tenantId and userId are required."
    return None if body["tenantId"] == TENANT_ID else "The registrant is not of the organizer's organization."


def _meeting_body(meeting: Meeting) -> dict[str, Any]:
    return {
        "id": meeting.id,
        "subject": meeting.subject,
        "joinWebUrl": meeting.join_web_url,
        "joinMeetingIdSettings": {
            "joinMeetingId": meeting.join_meeting_id,
            "isPasscodeRequired": False,
            "passcode": None,
        },
        "participants": {"organizer": {"identity": {"user": {"id": meeting.organizer_id, "tenantId": TENANT_ID}}}},
    }


def _registration_body(request: GraphRequest, meeting: Meeting) -> dict[str, Any]:
    return {
        "@odata.context": _context(request, "registration/$entity"),
        "@odata.type": REGISTRATION_TYPE,
        "id": meeting.registration_id,
        "allowedRegistrant": meeting.allowed_registrant,
    }


def _registrant_body(record: RegistrantRecord, *, with_link: bool) -> dict[str, Any]:
    return {
        "@odata.type": REGISTRANT_TYPE,
        "id": record.id,
        "joinWebUrl": record.join_web_url if with_link else None,
        "tenantId": record.tenant_id,
        "userId": record.user_id,
    }


def _entity(request: GraphRequest, record: RegistrantRecord, *, with_link: bool) -> dict[str, Any]:
    context = _context(request, "registration/registrants/$entity")
    return {"@odata.context": context, **_registrant_body(record, with_link=with_link)}


def _context(request: GraphRequest, what: str) -> str:
    return f"{request.root}/{request.version}/$metadata#onlineMeetings/{what}"
