"""
Checks of an online meeting with external registration (Graph beta).

Service page: https://learn.microsoft.com/graph/api/resources/externalmeetingregistration?view=graph-rest-beta
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from airflow_provider_teams_registration.doctor.examination import ACCESS_POLICY, Examination
from airflow_provider_teams_registration.doctor.finding import Finding, cannot_be_told, fine, missing
from airflow_provider_teams_registration.doctor.permissions import ENROLL, READ_MEETING
from airflow_provider_teams_registration.doctor.webinar import time_of
from airflow_provider_teams_registration.exceptions import Gone, NotFound, TeamsRegistrationError
from airflow_provider_teams_registration.graph.online_meeting import OnlineMeeting

_NOT_READ = ("event", ACCESS_POLICY, "time", "state", "list")


def check_online_meeting(examination: Examination, meeting_id: str) -> Iterator[Finding]:
    """
    Check an online meeting.

    :param examination: the examination.
    :param meeting_id: the meeting's ``id``.
    """
    meeting = OnlineMeeting(examination.session, meeting_id, examination.organizer_id)
    try:
        ends = meeting.info().end
    except TeamsRegistrationError as error:
        found = examination.refused("event", READ_MEETING, error)
        yield found
        yield from examination.waiting(found, _NOT_READ, "the meeting")
    else:
        yield fine("event", "The online meeting can be read.")
        needs_policy = not examination.is_delegated
        yield fine(
            ACCESS_POLICY,
            "It lets the app act for the organizer." if needs_policy else "A signed-in user needs none.",
        )
        yield time_of(ends)
        yield from _registration(examination, meeting)
    yield cannot_be_told("link", "Graph shows a link once only, in the answer to the enrollment.")
    yield _enrolling(examination)
    yield cannot_be_told("cancelling", "Cannot be told without writing.")


def _registration(examination: Examination, meeting: OnlineMeeting) -> Iterator[Finding]:
    try:
        audience = meeting.registration().allowed_registrant
    except NotFound:
        yield missing(
            "state",
            "The meeting is not open for registrants.",
            "OpenRegistrationOperator opens it, or TeamsRegistrationHook.online_meeting(...).open_registration().",
        )
        yield cannot_be_told("list", "Cannot be checked before the meeting is open for registrants.")
        return
    except Gone as error:
        yield missing("state", f"Graph answered {error.reason.rstrip('.')}.", Gone.advice)
        yield cannot_be_told("list", "There is no list where registration for meetings has been retired.")
        return
    except TeamsRegistrationError as error:
        yield examination.refused("state", READ_MEETING, error)
        yield cannot_be_told("list", "Cannot be checked before the meeting's registration can be read.")
        return
    yield fine("state", f"The meeting is open for registrants ({audience}).")
    try:
        list(islice(meeting.registrants(), 1))
    except TeamsRegistrationError as error:
        yield examination.refused("list", READ_MEETING, error)
    else:
        yield fine("list", "The registrants can be listed.")


def _enrolling(examination: Examination) -> Finding:
    if examination.lacks(ENROLL):
        return examination.no_permission("enrolling", ENROLL)
    if examination.is_delegated:
        return fine("enrolling", "The token has the permission to enroll people.")
    return cannot_be_told(
        "enrolling",
        "Cannot be told without writing: Microsoft's pages disagree on whether an application may enroll people in a "
        "meeting.",
    )
