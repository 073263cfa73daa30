"""Whether people can register for an online meeting."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from airflow_provider_teams_registration.exceptions import NotFound, Stopped, TeamsRegistrationError
from airflow_provider_teams_registration.graph.online_meeting import OnlineMeeting

if TYPE_CHECKING:
    from airflow_provider_teams_registration.events.reference import EventRef
    from airflow_provider_teams_registration.graph.session import GraphSession

log = logging.getLogger(__name__)


def look_if_open(session: GraphSession, reference: EventRef, allowed_registrant: str | None) -> dict[str, str] | None:
    """
    Read once whether a meeting is open for registration.

    :param session: the authorized session.
    :param reference: the meeting.
    :param allowed_registrant: the audience that it must be open to; None accepts each one.
    :return: the registration's ``id`` and ``allowed_registrant``. None if it is not open yet, if it is open to another
        audience, or if Graph has passing trouble.
    :raises TeamsRegistrationError: waiting cannot help.
    """
    try:
        registration = OnlineMeeting(session, reference.id, reference.organizer).registration()
    except NotFound:
        log.info("The registration is not open yet.")
        return None
    except TeamsRegistrationError as error:
        if isinstance(error, Stopped) or not error.transient:
            raise
        log.warning("The registration could not be read: %s", error)
        return None
    if allowed_registrant not in (None, registration.allowed_registrant):
        log.info("The registration is open to %s, not to %s.", registration.allowed_registrant, allowed_registrant)
        return None
    return {"id": registration.id, "allowed_registrant": registration.allowed_registrant}
