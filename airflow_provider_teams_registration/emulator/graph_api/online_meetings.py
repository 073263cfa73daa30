"""
Routes of online meetings, their registration and their registrants.

Service pages: https://learn.microsoft.com/graph/api/onlinemeeting-get and
https://learn.microsoft.com/graph/api/resources/externalmeetingregistration?view=graph-rest-beta
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from airflow_provider_teams_registration.emulator.behaviour.switches import Switches
from airflow_provider_teams_registration.emulator.graph_api.meeting_bodies import (
    REGISTRANT_TYPE,
    REGISTRATION_TYPE,
    meeting_body,
    read_registrant_body,
    registrant_body,
    registration_body,
    registration_context,
    user_context,
)
from airflow_provider_teams_registration.emulator.graph_api.odata import read_equality
from airflow_provider_teams_registration.emulator.graph_api.paging import ListAnswer, one_page
from airflow_provider_teams_registration.emulator.graph_api.query_options import (
    ALL_OPTIONS,
    SELECT,
    option,
    read_options,
)
from airflow_provider_teams_registration.emulator.http.messages import (
    GraphAnswer,
    GraphRequest,
    no_such_method,
    no_such_segment,
    refusal,
)
from airflow_provider_teams_registration.emulator.store.meeting import Meeting, RegistrantRecord
from airflow_provider_teams_registration.emulator.store.meeting_store import MeetingStore
from airflow_provider_teams_registration.emulator.store.seeded import ORGANIZER_ID, TENANT_ID

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

    :param store: the data.
    :param switches: returns the present switches.
    """

    def __init__(self, store: MeetingStore, switches: Callable[[], Switches]) -> None:
        self._store = store
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
        meeting = self._store.meeting(below[0])
        if meeting is None or meeting.organizer_id != self._organizer(request):
            return refusal(404, "NotFound", "Online meeting was not found.")
        if len(below) == 1:
            return _read(request, meeting) if request.method == "GET" else no_such_method(request.method)
        if request.version != "beta" or below[1].lower() != "registration":
            return no_such_segment(below[1])
        return self._registration(request, meeting, below[2:])

    def _registration(self, request: GraphRequest, meeting: Meeting, below: list[str]) -> GraphAnswer:
        unknown = [segment for segment in below[:1] if segment.lower() != "registrants"] or below[2:]
        if unknown:
            return no_such_segment(unknown[0])
        routes: dict[tuple[str, int], Callable[[], GraphAnswer]] = {
            ("POST", 0): lambda: self._open(request, meeting),
            ("GET", 0): lambda: _read_registration(request, meeting),
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
        is_of_registration = "registration" in (segment.lower() for segment in request.segments[4:5])
        if request.method != "GET" and not switches.application_may_enroll and is_of_registration:
            return refusal(403, "Forbidden", "Application permission is not supported for this operation.")
        return None

    def _retired(self, request: GraphRequest) -> GraphAnswer | None:
        is_list = request.segments[-1].lower() == "registrants"
        answers = {
            "empty": ListAnswer(200, {"value": []}) if is_list else GraphAnswer(200),
            "not_found": refusal(404, "NotFound", "Resource not found."),
            "gone": refusal(410, "Gone", "The meeting registration API has been retired."),
        }
        return answers.get(self._switches().retired)

    def _find_or_create(self, request: GraphRequest) -> GraphAnswer:
        if request.method == "POST":
            return self._create(request)
        # Graph has no list of all meetings, so a read must name one by a filter.
        expression = option(request, "filter")
        if request.method != "GET" or expression is None:
            return no_such_method(request.method)
        wanted = read_equality(expression)
        if wanted is None or wanted.name not in _FOUND_BY:
            return refusal(400, "BadRequest", "Filter expression is not supported.")
        organizer = str(self._organizer(request))
        found = [
            meeting_body(meeting)
            for meeting in self._store.meetings()
            if meeting.organizer_id == organizer and _FOUND_BY[wanted.name](meeting) == wanted.value
        ]
        context = user_context(request, organizer, "onlineMeetings")
        return one_page(request, self._switches(), found, context, supported=ALL_OPTIONS)

    def _create(self, request: GraphRequest) -> GraphAnswer:
        if self._organizer(request) != ORGANIZER_ID:
            return refusal(404, "NotFound", "User was not found.")
        body = request.body if isinstance(request.body, dict) else {}
        meeting = self._store.add_meeting(str(body.get("subject") or "Untitled"))
        context = user_context(request, meeting.organizer_id, "onlineMeetings/$entity")
        return GraphAnswer(201, {"@odata.context": context, **meeting_body(meeting)}, effect="created")

    def _open(self, request: GraphRequest, meeting: Meeting) -> GraphAnswer:
        body = request.body if isinstance(request.body, dict) else {}
        if body.get("@odata.type") != REGISTRATION_TYPE:
            return refusal(400, "BadRequest", _WORDED_TYPE)
        if body.get("allowedRegistrant") not in ("everyone", "organization"):
            return refusal(400, "BadRequest", "allowedRegistrant must be everyone or organization.")
        if meeting.allowed_registrant is not None:
            if self._switches().second_registration == "same":
                return GraphAnswer(201, _registration(request, meeting))
            return refusal(409, "Conflict", "The meeting already has a registration.")
        opened = self._store.open(meeting.id, body["allowedRegistrant"])
        return GraphAnswer(201, _registration(request, opened), effect="opened")

    def _close(self, meeting: Meeting) -> GraphAnswer:
        self._store.close(meeting.id)
        return GraphAnswer(204, effect="closed")

    def _enroll(self, request: GraphRequest, meeting: Meeting) -> GraphAnswer:
        body = request.body if isinstance(request.body, dict) else {}
        wrong = _wrong_registrant(body, meeting, self._switches())
        if wrong:
            return refusal(400, "BadRequest", wrong)
        with self._store.lock:
            present = self._store.find(meeting.id, body["id"])
            if present is not None:
                return self._enroll_again(request, meeting, present)
            record = self._store.enroll(meeting, body["id"], body.get("tenantId"), body.get("userId"))
        return GraphAnswer(200, _registrant(request, meeting, record), effect="enrolled")

    def _enroll_again(self, request: GraphRequest, meeting: Meeting, present: RegistrantRecord) -> GraphAnswer:
        duplicate = self._switches().duplicate
        if duplicate == "conflict":
            return refusal(409, "Conflict", f"Registrant '{present.id}' is already registered.")
        if duplicate == "bad_request":
            return refusal(400, "BadRequest", f"Registrant '{present.id}' is already registered.")
        if duplicate == "new_link":
            record = self._store.give_new_link(meeting, present)
            return GraphAnswer(200, _registrant(request, meeting, record), effect="renewed")
        if duplicate == "second_record":
            record = self._store.enroll(meeting, present.id, present.tenant_id, present.user_id)
            return GraphAnswer(200, _registrant(request, meeting, record), effect="enrolled")
        return GraphAnswer(200, _registrant(request, meeting, present))

    def _visible(self, meeting: Meeting) -> dict[int, RegistrantRecord]:
        """Return the records that reads show, by their position among all records of the meeting."""
        latest = time.monotonic() - self._switches().visibility_lag
        return {
            place: record
            for place, record in enumerate(self._store.registrants(meeting.id))
            if not record.cancelled and record.enrolled_at <= latest
        }

    def _list(self, request: GraphRequest, meeting: Meeting) -> GraphAnswer:
        switches, visible = self._switches(), self._visible(meeting)
        bodies = [read_registrant_body(record, switches) for record in visible.values()]
        context = registration_context(request, meeting, "/registrants")
        return one_page(request, switches, bodies, context, list(visible), supported=ALL_OPTIONS)

    def _read_registrant(self, request: GraphRequest, meeting: Meeting, registrant_id: str) -> GraphAnswer:
        record = next((record for record in self._visible(meeting).values() if record.id == registrant_id), None)
        if record is None:
            return refusal(404, "NotFound", "Registrant was not found.")
        context = registration_context(request, meeting, "/registrants/$entity")
        return GraphAnswer(200, {"@odata.context": context, **read_registrant_body(record, self._switches())})

    def _cancel(self, meeting: Meeting, registrant_id: str) -> GraphAnswer:
        if not self._store.cancel(meeting.id, registrant_id):
            return refusal(404, "NotFound", "Registrant was not found.")
        return GraphAnswer(204, effect="cancelled")


def _wrong_registrant(body: dict[str, Any], meeting: Meeting, switches: Switches) -> str | None:
    if body.get("@odata.type") != REGISTRANT_TYPE:
        return "Invalid request. Provide microsoft.graph.externalMeetingRegistrant in request body."
    if not isinstance(body.get("id"), str) or not body["id"]:
        return "id must be a string that is not empty."
    identity = [body.get("tenantId"), body.get("userId")]
    if not all(isinstance(one, str | None) for one in identity):
        return "tenantId and userId must be strings."
    if meeting.allowed_registrant == "everyone":
        return "tenantId and userId are only for registrants of the organization." if any(identity) else None
    if not all(identity):
        return "tenantId and userId are required."
    is_foreign = switches.organization_is_one_tenant and body["tenantId"] != TENANT_ID
    return "The registrant is not of the organizer's organization." if is_foreign else None


def _read(request: GraphRequest, meeting: Meeting) -> GraphAnswer:
    options = read_options(request, (SELECT,))
    if isinstance(options, GraphAnswer):
        return options
    context = user_context(request, meeting.organizer_id, f"onlineMeetings{options.context}/$entity")
    return GraphAnswer(200, {"@odata.context": context, **options.chosen(meeting_body(meeting))})


def _read_registration(request: GraphRequest, meeting: Meeting) -> GraphAnswer:
    options = read_options(request, (SELECT,))
    if isinstance(options, GraphAnswer):
        return options
    context = registration_context(request, meeting, f"{options.context}/$entity")
    return GraphAnswer(200, {"@odata.context": context, **options.chosen(registration_body(meeting))})


def _registration(request: GraphRequest, meeting: Meeting) -> dict[str, Any]:
    return {"@odata.context": registration_context(request, meeting, "/$entity"), **registration_body(meeting)}


def _registrant(request: GraphRequest, meeting: Meeting, record: RegistrantRecord) -> dict[str, Any]:
    context = registration_context(request, meeting, "/registrants/$entity")
    return {"@odata.context": context, **registrant_body(record)}
