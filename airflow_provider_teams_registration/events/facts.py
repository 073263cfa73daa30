"""What an event is called, when it is, and whose it is, for tasks that do not enroll."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_teams_registration.core.event_facts import EventFacts
from airflow_provider_teams_registration.graph.online_meeting import OnlineMeeting
from airflow_provider_teams_registration.graph.webinar import Webinar

if TYPE_CHECKING:
    from airflow_provider_teams_registration.events.reference import EventRef
    from airflow_provider_teams_registration.graph.session import GraphSession


def read_meeting_facts(session: GraphSession, reference: EventRef) -> EventFacts:
    """
    Read the facts of an online meeting.

    Service page: https://learn.microsoft.com/graph/api/onlinemeeting-get

    :param session: the authorized session.
    :param reference: the meeting, with its organizer.
    :raises TeamsRegistrationError: the meeting cannot be read.
    """
    return OnlineMeeting(session, reference.id, reference.organizer).info().facts(reference.id)


def read_webinar_facts(session: GraphSession, reference: EventRef) -> EventFacts:
    """
    Read the facts of a webinar.

    Service page: https://learn.microsoft.com/graph/api/virtualeventwebinar-get

    :param session: the authorized session.
    :param reference: the webinar.
    :raises TeamsRegistrationError: the webinar cannot be read.
    """
    return Webinar(session, reference.id).info().facts(reference.id)
