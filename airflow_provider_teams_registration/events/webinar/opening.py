"""Whether people can register for a webinar."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from airflow_provider_teams_registration.exceptions import SettingsError, Stopped, TeamsRegistrationError
from airflow_provider_teams_registration.graph.webinar import Webinar
from airflow_provider_teams_registration.graph.webinar_bodies import CANCELED, PUBLISHED

if TYPE_CHECKING:
    from airflow_provider_teams_registration.events.reference import EventRef
    from airflow_provider_teams_registration.graph.session import GraphSession

log = logging.getLogger(__name__)


def look_if_open(session: GraphSession, reference: EventRef, allowed_registrant: str | None) -> dict[str, str] | None:
    """
    Read once whether a webinar is published. Publishing opens it for registration.

    :param session: the authorized session.
    :param reference: the webinar.
    :param allowed_registrant: ignored, because the organizer decides who can register for a webinar.
    :return: the webinar's ``id`` and ``status``. None if it is a draft, or if Graph has passing trouble.
    :raises TeamsRegistrationError: waiting cannot help, for example because the webinar is cancelled.
    """
    try:
        status = Webinar(session, reference.id).info().status
    except TeamsRegistrationError as error:
        if isinstance(error, Stopped) or not error.transient:
            raise
        log.warning("The webinar could not be read: %s", error)
        return None
    if status == CANCELED:
        raise SettingsError("The webinar was cancelled. Nobody can publish it any more.")
    if status != PUBLISHED:
        log.info("The webinar is %s, not published yet.", status or "without a status")
        return None
    return {"id": reference.id, "status": status}
