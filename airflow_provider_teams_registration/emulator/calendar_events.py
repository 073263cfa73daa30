"""
Events in the organizer's calendar, which lead to their meetings.

Service page: https://learn.microsoft.com/graph/api/event-get
"""

from __future__ import annotations

from airflow_provider_teams_registration.emulator.books import Books, Meeting
from airflow_provider_teams_registration.emulator.exchange import (
    GraphAnswer,
    GraphRequest,
    no_such_method,
    no_such_segment,
    refusal,
)
from airflow_provider_teams_registration.emulator.seeded import ORGANIZER_EMAIL

_START = {"dateTime": "2027-03-01T09:00:00.0000000", "timeZone": "UTC"}
_END = {"dateTime": "2027-03-01T10:00:00.0000000", "timeZone": "UTC"}


class CalendarEvents:
    """
    Answers below ``/me/events`` and ``/users/{id}/events``.

    :param books: the state.
    """

    def __init__(self, books: Books) -> None:
        self._books = books

    def answer(self, request: GraphRequest, below: list[str]) -> GraphAnswer:
        """
        Answer a request. Permissions are those of calendars; the application access policy has no say here.

        :param request: the request.
        :param below: the segments after ``events``.
        """
        caller, segments = request.caller, request.segments
        owner = caller.user_id if segments[0].lower() == "me" else segments[1].lower()
        if owner is None:
            return refusal(400, "BadRequest", "/me request is only valid with delegated authentication flow.")
        if not caller.permissions & {"Calendars.Read", "Calendars.ReadWrite"} or caller.user_id not in (None, owner):
            return refusal(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
        if len(below) > 1:
            return no_such_segment(below[1])
        if not below or request.method != "GET":
            return no_such_method(request.method)
        meeting = self._books.meeting_of_event(below[0])
        if meeting is None or meeting.organizer_id != owner:
            return refusal(404, "ErrorItemNotFound", "The specified object was not found in the store.")
        return GraphAnswer(200, _event_body(request, meeting))


def _event_body(request: GraphRequest, meeting: Meeting) -> dict[str, object]:
    return {
        "@odata.context": f"{request.root}/{request.version}/$metadata#events/$entity",
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
