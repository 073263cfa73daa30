"""The trigger that ends the wait of a deferred task that enrolls people."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from airflow.providers.common.compat.sdk import timezone
from airflow.triggers.base import BaseTrigger, TriggerEvent

_LONGEST_SLEEP = 60.0


class ResumeTrigger(BaseTrigger):
    """
    Wait for a moment, to a fraction of a second, and say which attempt asked for it. It knows nobody.

    A triggerer that restarts makes it again from its arguments, so that it ends at the same moment. ``dag.test()``
    resumes a task with the event alone, so that the number travels in the event.

    :param moment: when to resume the task, in ISO format with a zone.
    :param deferred_by: the attempt, as the ledger counts them, that asked for the wait.
    :param event_id: the event's id, if the task looked it up by a link. None if its arguments name the id.
    """

    def __init__(self, *, moment: str, deferred_by: int, event_id: str | None = None) -> None:
        super().__init__()
        self.event_id = event_id
        self.moment = moment
        self.deferred_by = deferred_by

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what the triggerer makes this trigger from again."""
        path = f"{type(self).__module__}.{type(self).__qualname__}"
        return path, {"moment": self.moment, "deferred_by": self.deferred_by, "event_id": self.event_id}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield ``deferred_by`` and ``event_id`` at the moment."""
        moment = datetime.fromisoformat(self.moment)
        while (left := (moment - timezone.utcnow()).total_seconds()) > 0:
            await asyncio.sleep(min(left, _LONGEST_SLEEP))
        yield TriggerEvent({"deferred_by": self.deferred_by, "event_id": self.event_id})
