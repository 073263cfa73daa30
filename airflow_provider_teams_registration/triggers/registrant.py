"""Wait in the triggerer until the next poke of a sensor."""

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
    Wait until a given time, and return the deadline of the sensor. The trigger holds no registrant.

    :param moment: the time of the next poke, in ISO 8601 with a time zone.
    :param deadline: the time at which the sensor times out, in the same format.
    :param webinar_id: the webinar's id, if the sensor looked it up by a link. None if its arguments name the id.
    """

    def __init__(self, *, moment: str, deadline: str, webinar_id: str | None = None) -> None:
        super().__init__()
        self.webinar_id = webinar_id
        self.moment = moment
        self.deadline = deadline

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the path and the arguments from which the triggerer creates this trigger."""
        path = f"{type(self).__module__}.{type(self).__qualname__}"
        return path, {"moment": self.moment, "deadline": self.deadline, "webinar_id": self.webinar_id}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield ``deadline`` and ``webinar_id`` at the given time."""
        moment = datetime.fromisoformat(self.moment)
        while (left := (moment - timezone.utcnow()).total_seconds()) > 0:
            await asyncio.sleep(min(left, _LONGEST_SLEEP))
        yield TriggerEvent({"deadline": self.deadline, "webinar_id": self.webinar_id})
