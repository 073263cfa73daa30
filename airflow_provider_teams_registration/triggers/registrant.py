"""What waits in the triggerer until registrants are to be looked at again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from airflow.providers.common.compat.sdk import timezone
from airflow.triggers.base import BaseTrigger, TriggerEvent

_LONGEST_SLEEP = 60.0


class NextLookTrigger(BaseTrigger):
    """
    Wait for a moment, and hand the deadline of the whole waiting back. It knows nobody.

    :param moment: when to look again, in ISO format with a zone.
    :param deadline: when the waiting ends, likewise.
    """

    def __init__(self, *, moment: str, deadline: str) -> None:
        super().__init__()
        self.moment = moment
        self.deadline = deadline

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what the triggerer makes this trigger from again."""
        path = f"{type(self).__module__}.{type(self).__qualname__}"
        return path, {"moment": self.moment, "deadline": self.deadline}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield ``deadline`` at the moment."""
        moment = datetime.fromisoformat(self.moment)
        while (left := (moment - timezone.utcnow()).total_seconds()) > 0:
            await asyncio.sleep(min(left, _LONGEST_SLEEP))
        yield TriggerEvent({"deadline": self.deadline})
