"""The trigger that waits for an event to open."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowNotFoundException
from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_teams_registration.events.id_checks import ORGANIZER
from airflow_provider_teams_registration.events.kinds import KINDS
from airflow_provider_teams_registration.events.reference import EventRef
from airflow_provider_teams_registration.exceptions import TeamsRegistrationError
from airflow_provider_teams_registration.hooks.arguments import given
from airflow_provider_teams_registration.hooks.connection import read_connection
from airflow_provider_teams_registration.hooks.masking import mask_secret_in_triggerer
from airflow_provider_teams_registration.hooks.missing_connection import missing_connection
from airflow_provider_teams_registration.hooks.rotation import warn_of_rotation
from airflow_provider_teams_registration.triggers.shared_look import SharedLook

if TYPE_CHECKING:
    from airflow_provider_teams_registration.graph.settings import GraphSettings

log = logging.getLogger(__name__)


class RegistrationOpenTrigger(BaseTrigger):
    """
    Poll an event until it is open.

    One trigger serves the whole wait. It keeps no state, so that a triggerer can restart it at any time. Triggers of
    one triggerer that wait for the same event over the same connection share one read per interval.

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
        try:
            reference = EventRef.read(self.event)
            with SharedLook.of(await self._settings(), reference, self.allowed_registrant) as shared:
                while True:
                    try:
                        registration = await shared.look(self.poll_interval)
                    finally:
                        await self._mask_rotated(shared.rotated)
                    if registration is not None:
                        yield TriggerEvent({"registration": registration})
                        return
                    await asyncio.sleep(shared.pause(self.poll_interval))
        except (TeamsRegistrationError, ValueError) as error:
            yield TriggerEvent({"failure": str(error)})

    async def _mask_rotated(self, rotated: deque[str]) -> None:
        while rotated:
            await mask_secret_in_triggerer(rotated.popleft())
            warn_of_rotation(log, self.conn_id, serves="the rest of this wait in this triggerer")

    async def _settings(self) -> GraphSettings:
        from airflow.providers.common.compat.connection import get_async_connection

        try:
            connection = await get_async_connection(self.conn_id)
        except AirflowNotFoundException:
            raise missing_connection(self.conn_id) from None
        return read_connection(connection)
