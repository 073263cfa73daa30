"""
Check that the attendance of an event can be read.

Service page: https://learn.microsoft.com/graph/api/meetingattendancereport-list
"""

from __future__ import annotations

from typing import Any

from airflow_provider_teams_registration.doctor.examination import Examination
from airflow_provider_teams_registration.doctor.finding import Finding, cannot_be_told, fine
from airflow_provider_teams_registration.doctor.permissions import READ_ATTENDANCE, READ_WEBINAR
from airflow_provider_teams_registration.exceptions import Forbidden, GraphError, TeamsRegistrationError
from airflow_provider_teams_registration.graph.address import segment
from airflow_provider_teams_registration.graph.online_meeting import OnlineMeeting
from airflow_provider_teams_registration.graph.shapes import an_id, objects
from airflow_provider_teams_registration.graph.webinar import Webinar

CHECK = "attendance"


def check_attendance(
    examination: Examination, *, webinar_id: str | None, meeting_id: str | None, is_required: bool
) -> Finding:
    """
    Check that the attendance of an event can be read.

    :param examination: the examination.
    :param webinar_id: the webinar's ``id``.
    :param meeting_id: or the meeting's.
    :param is_required: whether the user wants attendance; enrolling needs none.
    """
    if examination.lacks(READ_ATTENDANCE):
        return examination.no_permission(CHECK, READ_ATTENDANCE, is_required=is_required)
    try:
        found = _reports(examination, webinar_id, meeting_id)
    except Forbidden as error:
        return examination.refused(CHECK, READ_ATTENDANCE, error)
    except GraphError as error:
        if error.transient:
            return examination.refused(CHECK, READ_ATTENDANCE, error)
        return cannot_be_told(CHECK, f"Graph answered {error.reason.rstrip('.')}, as it may before the event was held.")
    except TeamsRegistrationError as error:
        return examination.refused(CHECK, READ_WEBINAR, error)
    if found is None:
        return cannot_be_told(CHECK, "Graph shows no session of the webinar.")
    return fine(CHECK, f"The attendance reports can be listed; there are {found}.")


def _reports(examination: Examination, webinar_id: str | None, meeting_id: str | None) -> int | None:
    if webinar_id is None:
        meeting = OnlineMeeting(examination.session, meeting_id or "", examination.organizer_id)
        return len(meeting.read(_items, "/attendanceReports"))
    webinar = Webinar(examination.session, webinar_id)
    sessions = webinar.read(_ids, "/sessions")
    if not sessions:
        return None
    return len(webinar.read(_items, f"/sessions/{segment('session id', sessions[0])}/attendanceReports"))


def _items(body: Any) -> list[Any]:
    return list(objects(body))


def _ids(body: Any) -> list[str]:
    return [an_id(item) for item in objects(body)]
