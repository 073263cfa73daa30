"""What waits in the triggerer for an event to open."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_teams_registration.graph.errors import NotFound, SettingsError, TeamsRegistrationError
from airflow_provider_teams_registration.hooks.connection import read_connection

if TYPE_CHECKING:
    from airflow_provider_teams_registration.graph.online_meeting import OnlineMeeting
    from airflow_provider_teams_registration.graph.session import GraphSession
    from airflow_provider_teams_registration.graph.webinar import Webinar

log = logging.getLogger(__name__)


class RegistrationOpenTrigger(BaseTrigger):
    """
    Poll an event until it is open. One trigger lives through the whole wait; it keeps no state, so a triggerer that
    restarts starts it again where it was.

    :param conn_id: the Airflow connection.
    :param poll_interval: seconds between two looks.
    :param meeting_id: the online meeting's ``id`` in Graph.
    :param webinar_id: the webinar's; one of the two.
    :param organizer_id: object id of the meeting's organizer; None is the signed-in user.
    :param allowed_registrant: the audience to wait for; None takes either.
    """

    def __init__(
        self,
        *,
        conn_id: str,
        poll_interval: float,
        meeting_id: str | None = None,
        webinar_id: str | None = None,
        organizer_id: str | None = None,
        allowed_registrant: str | None = None,
    ) -> None:
        super().__init__()
        self.conn_id = conn_id
        self.meeting_id = meeting_id
        self.webinar_id = webinar_id
        self.organizer_id = organizer_id
        self.allowed_registrant = allowed_registrant
        self.poll_interval = poll_interval

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what the triggerer makes this trigger from again."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "conn_id": self.conn_id,
                "meeting_id": self.meeting_id,
                "webinar_id": self.webinar_id,
                "organizer_id": self.organizer_id,
                "allowed_registrant": self.allowed_registrant,
                "poll_interval": self.poll_interval,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield ``registration`` once it is open, or ``failure`` where waiting cannot help."""
        session: GraphSession | None = None
        try:
            session = await self._session()
            while True:
                registration = await asyncio.to_thread(self._look, session)
                if registration is not None:
                    yield TriggerEvent({"registration": registration})
                    return
                await asyncio.sleep(max(self.poll_interval, session.pace.held()))
        except TeamsRegistrationError as error:
            yield TriggerEvent({"failure": str(error)})
        finally:
            if session is not None:
                session.close()

    def _look(self, session: GraphSession) -> dict[str, str] | None:
        from airflow_provider_teams_registration.graph.online_meeting import OnlineMeeting
        from airflow_provider_teams_registration.graph.webinar import Webinar

        if self.webinar_id:
            return published_webinar(Webinar(session, self.webinar_id))
        meeting = OnlineMeeting(session, self.meeting_id or "", self.organizer_id)
        return open_registration(meeting, self.allowed_registrant)

    async def _session(self) -> GraphSession:
        from airflow.providers.common.compat.connection import get_async_connection

        from airflow_provider_teams_registration.graph.session import GraphSession

        session = GraphSession(read_connection(await get_async_connection(self.conn_id)))
        # All triggers share few threads: a wait that the service asks for is not sat through in one.
        session.pace.patience = 0
        return session


def open_registration(meeting: OnlineMeeting, allowed_registrant: str | None) -> dict[str, str] | None:
    """
    Look once whether a meeting is open for registrants.

    :param meeting: the meeting.
    :param allowed_registrant: the audience it must be open to; None takes either.
    :return: the registration's ``id`` and ``allowed_registrant``; None where it is not open yet, or not to that
        audience, or the service is in passing trouble.
    :raises TeamsRegistrationError: waiting cannot help.
    """
    try:
        registration = meeting.registration()
    except NotFound:
        log.info("The registration is not open yet.")
        return None
    except TeamsRegistrationError as error:
        if not error.transient:
            raise
        log.warning("The registration could not be read: %s", error)
        return None
    if allowed_registrant not in (None, registration.allowed_registrant):
        log.info("The registration is open to %s, not to %s.", registration.allowed_registrant, allowed_registrant)
        return None
    return {"id": registration.id, "allowed_registrant": registration.allowed_registrant}


def published_webinar(webinar: Webinar) -> dict[str, str] | None:
    """
    Look once whether a webinar is published, which opens it for registrations.

    :param webinar: the webinar.
    :return: its ``id`` and ``status``; None where it is a draft, or the service is in passing trouble.
    :raises TeamsRegistrationError: waiting cannot help: it is cancelled, for one.
    """
    from airflow_provider_teams_registration.graph.webinar_bodies import CANCELED, PUBLISHED

    try:
        status = webinar.info().status
    except TeamsRegistrationError as error:
        if not error.transient:
            raise
        log.warning("The webinar could not be read: %s", error)
        return None
    if status == CANCELED:
        raise SettingsError("The webinar was cancelled, which is for good.")
    if status != PUBLISHED:
        log.info("The webinar is %s, not published yet.", status or "of no status")
        return None
    return {"id": webinar.webinar_id, "status": status}
