"""One look at an event for all triggers of a triggerer that wait for it."""

from __future__ import annotations

import asyncio
import weakref
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_provider_teams_registration.events.reference import EventRef
    from airflow_provider_teams_registration.graph.settings import GraphSettings


class SharedLook:
    """
    The newest look at an event. Triggers take it until it is older than their interval, and join one that is under way.

    Use it in one event loop only.

    :param settings: the connection's settings.
    :param reference: the event.
    :param allowed_registrant: the audience to wait for; None accepts each one.
    :ivar rotated: refresh tokens that Entra returned and that nobody has masked yet. The reads run in a thread, and
        Airflow's secrets masker of the triggerer must be called in the event loop.
    """

    def __init__(self, settings: GraphSettings, reference: EventRef, allowed_registrant: str | None) -> None:
        from airflow_provider_teams_registration.graph.session import GraphSession

        self._key = (settings, reference, allowed_registrant)
        self._reference = reference
        self._allowed_registrant = allowed_registrant
        self.rotated: deque[str] = deque()
        self._session = GraphSession(settings, self.rotated.append)
        # All triggers share a few threads, so that no thread may sleep while Graph asks for a wait.
        self._session.rate_limiter.max_wait = 0
        self._users = 0
        self._newest: asyncio.Task[dict[str, str] | None] | None = None
        self._ended = 0.0

    async def look(self, poll_interval: float) -> dict[str, str] | None:
        """
        Return what Graph shows about the open event; None if it is not open yet.

        :param poll_interval: seconds up to which an earlier look is good enough.
        :raises TeamsRegistrationError: waiting cannot help.
        """
        if self._newest is None or (self._newest.done() and self.pause(poll_interval) <= 0):
            self._newest = asyncio.create_task(self._read())
            self._newest.add_done_callback(_note_result)
        # A trigger that is cancelled must not end the look of the others.
        return await asyncio.shield(self._newest)

    def pause(self, poll_interval: float) -> float:
        """
        Return the seconds until the next look is due.

        :param poll_interval: seconds between two looks.
        """
        due = self._ended + poll_interval - asyncio.get_running_loop().time()
        return max(due, self._session.rate_limiter.backoff_remaining())

    async def _read(self) -> dict[str, str] | None:
        look = self._reference.look_if_open
        try:
            return await asyncio.to_thread(look, self._session, self._allowed_registrant)
        finally:
            self._ended = asyncio.get_running_loop().time()

    def _close(self) -> None:
        # A read that is still running in its thread ends soon.
        self._session.stop.set()
        self._session.close()

    @classmethod
    @contextmanager
    def of(cls, settings: GraphSettings, reference: EventRef, allowed_registrant: str | None) -> Iterator[SharedLook]:
        """
        Take part in the looks at an event within the block. The last one that leaves closes the connections.

        :param settings: the connection's settings. Triggers share looks only if all settings are the same.
        :param reference: the event.
        :param allowed_registrant: the audience to wait for; None accepts each one.
        """
        in_use = _in_use.setdefault(asyncio.get_running_loop(), [])
        key = (settings, reference, allowed_registrant)
        shared = next((one for one in in_use if one._key == key), None)
        if shared is None:
            shared = cls(*key)
            in_use.append(shared)
        shared._users += 1
        try:
            yield shared
        finally:
            shared._users -= 1
            if shared._users == 0:
                in_use.remove(shared)
                shared._close()


_in_use: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, list[SharedLook]] = weakref.WeakKeyDictionary()


def _note_result(look: asyncio.Task[dict[str, str] | None]) -> None:
    """Keep asyncio from complaining about an error that no trigger waits for any more."""
    if not look.cancelled():
        look.exception()
