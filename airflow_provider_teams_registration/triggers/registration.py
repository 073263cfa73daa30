"""The trigger that waits for an event to open."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowNotFoundException
from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_teams_registration.events.reference import KINDS, ORGANIZER, EventRef
from airflow_provider_teams_registration.exceptions import TeamsRegistrationError
from airflow_provider_teams_registration.hooks.arguments import given
from airflow_provider_teams_registration.hooks.connection import read_connection
from airflow_provider_teams_registration.hooks.masking import mask_secret_in_triggerer
from airflow_provider_teams_registration.hooks.missing_connection import missing_connection
from airflow_provider_teams_registration.hooks.rotation import warn_of_rotation

if TYPE_CHECKING:
    from airflow_provider_teams_registration.graph.session import GraphSession

log = logging.getLogger(__name__)


class RegistrationOpenTrigger(BaseTrigger):
    """
    Poll an event until it is open.

    One trigger serves the whole wait. It keeps no state, so that a triggerer can restart it at any time.

    :param conn_id: the Airflow connection.
    :param poll_interval: seconds between two reads.
    :param allowed_registrant: the audience to wait for; None accepts each one.
    :param event: the event arguments of the sensor: the id of exactly one event, such as ``meeting_id`` or
        ``webinar_id``, and ``organizer_id``.
    :raises TypeError: there is no such argument.
    """

    def __init__(
        self,
        *,
        conn_id: str,
        poll_interval: float,
        allowed_registrant: str | None = None,
        **event: str | None,
    ) -> None:
        super().__init__()
        names = (*(kind.argument for kind in KINDS), ORGANIZER)
        if unknown := event.keys() - names:
            raise TypeError(f"{type(self).__name__} takes no argument {min(unknown)!r}.")
        self.event: dict[str, str | None] = {name: given(event.get(name)) for name in names}
        self.conn_id: str = given(conn_id) or ""
        self.allowed_registrant: str | None = given(allowed_registrant)
        self.poll_interval = poll_interval

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class and the arguments from which the triggerer makes this trigger again."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "conn_id": self.conn_id,
                **self.event,
                "allowed_registrant": self.allowed_registrant,
                "poll_interval": self.poll_interval,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield ``registration`` once the event is open, or ``failure`` if waiting cannot help."""
        session: GraphSession | None = None
        # The reads run in a thread. Airflow's secrets masker of the triggerer must be called in the event loop.
        rotated: deque[str] = deque()
        try:
            reference = EventRef.read(self.event)
            session = await self._session(rotated.append)
            while True:
                try:
                    registration = await asyncio.to_thread(reference.look_if_open, session, self.allowed_registrant)
                finally:
                    await self._mask_rotated(rotated)
                if registration is not None:
                    yield TriggerEvent({"registration": registration})
                    return
                await asyncio.sleep(max(self.poll_interval, session.rate_limiter.backoff_remaining()))
        except (TeamsRegistrationError, ValueError) as error:
            yield TriggerEvent({"failure": str(error)})
        finally:
            if session is not None:
                # A read that is still running in its thread ends soon.
                session.stop.set()
                session.close()

    async def _mask_rotated(self, rotated: deque[str]) -> None:
        while rotated:
            await mask_secret_in_triggerer(rotated.popleft())
            warn_of_rotation(log, self.conn_id, serves="the rest of this wait in this triggerer")

    async def _session(self, on_new_refresh_token: Callable[[str], None]) -> GraphSession:
        from airflow.providers.common.compat.connection import get_async_connection

        from airflow_provider_teams_registration.graph.session import GraphSession

        try:
            connection = await get_async_connection(self.conn_id)
        except AirflowNotFoundException:
            raise missing_connection(self.conn_id) from None
        session = GraphSession(read_connection(connection), on_new_refresh_token)
        # All triggers share a few threads, so that no thread may sleep while Graph asks for a wait.
        session.rate_limiter.max_wait = 0
        return session
