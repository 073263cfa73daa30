"""
Events in the organizer's calendar, which name their meetings.

Service page: https://learn.microsoft.com/graph/api/event-get
"""

from __future__ import annotations

from airflow_provider_teams_registration.emulator.graph_api.meeting_bodies import user_context
from airflow_provider_teams_registration.emulator.graph_api.query_options import SELECT, read_options
from airflow_provider_teams_registration.emulator.http.messages import (
    GraphAnswer,
    GraphRequest,
    no_such_method,
    no_such_segment,
    refusal,
)
from airflow_provider_teams_registration.emulator.store.meeting import Meeting
from airflow_provider_teams_registration.emulator.store.meeting_store import MeetingStore
from airflow_provider_teams_registration.emulator.store.seeded import ORGANIZER_EMAIL, ORGANIZER_ID

_START = {"dateTime": "2027-03-01T09:00:00.0000000", "timeZone": "UTC"}
_END = {"dateTime": "2027-03-01T10:00:00.0000000", "timeZone": "UTC"}


class CalendarEvents:
    """
    Answers below ``/me/events`` and ``/users/{id}/events``.

    :param store: the data.
    """

    def __init__(self, store: MeetingStore) -> None:
        self._store = store

    def answer(self, request: GraphRequest, below: list[str]) -> GraphAnswer:
        """
        Answer a request. It needs a permission for calendars. The application access policy does not apply here.

        :param request: the request.
        :param below: the segments after ``events``.
        """
        caller, segments = request.caller, request.segments
        owner = caller.user_id if segments[0].lower() == "me" else _object_id(segments[1].lower())
        if owner is None:
            return refusal(400, "BadRequest", "/me request is only valid with delegated authentication flow.")
        if not caller.permissions & {"Calendars.Read", "Calendars.ReadWrite"} or caller.user_id not in (None, owner):
            return refusal(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
        if len(below) > 1:
            return no_such_segment(below[1])
        if not below or request.method != "GET":
            return no_such_method(request.method)
        meeting = self._store.meeting_of_event(below[0])
        if meeting is None or meeting.organizer_id != owner:
            return refusal(404, "ErrorItemNotFound", "The specified object was not found in the store.")
        return _read(request, meeting)


def _object_id(user: str) -> str:
    """Return a user's object id. Calendars accept the sign-in name as well; online meetings do not."""
    return ORGANIZER_ID if user == ORGANIZER_EMAIL else user


def _read(request: GraphRequest, meeting: Meeting) -> GraphAnswer:
    options = read_options(request, (SELECT,))
    if isinstance(options, GraphAnswer):
        return options
    context = user_context(request, meeting.organizer_id, f"events{options.context}/$entity")
    return GraphAnswer(200, {"@odata.context": context, **options.chosen(_event_body(meeting), always=("id",))})


def _event_body(meeting: Meeting) -> dict[str, object]:
    return {
        "id": meeting.event_id,
        "subject": meeting.subject,
        "start": _START,
        "end": _END,
        "organizer": {"emailAddress": {"name": "Organizer", "address": ORGANIZER_EMAIL}},
        "isOrganizer": True,
        "isOnlineMeeting": True,
        "onlineMeetingProvider": "teamsForBusiness",
        "onlineMeeting": {"joinUrl": meeting.join_web_url},
    }
