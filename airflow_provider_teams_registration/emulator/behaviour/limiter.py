"""
The number of requests to virtual events that an app may make.

Service page: https://learn.microsoft.com/graph/throttling-limits
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable

from airflow_provider_teams_registration.emulator.behaviour.switches import Switches


class Limiter:
    """
    Counts reads and writes of each app in a sliding window. Refused requests count too, as they do at Graph.

    :param switches: returns the present switches, which hold limits and windows.
    """

    def __init__(self, switches: Callable[[], Switches]) -> None:
        self._switches = switches
        self._lock = threading.Lock()
        self._came_in: defaultdict[tuple[str, bool], deque[float]] = defaultdict(deque)

    def clear(self) -> None:
        """Forget the requests that were counted."""
        with self._lock:
            self._came_in.clear()

    def count(self, client_id: str, *, is_read: bool) -> float | None:
        """
        Count a request, sent alone or as an item of a batch.

        :param client_id: the app that sends it.
        :param is_read: whether it is a read.
        :return: None if the request is within the limit; otherwise the seconds until the next one is.
        """
        switches = self._switches()
        limit = switches.read_limit if is_read else switches.write_limit
        window = switches.read_window if is_read else switches.write_window
        if not limit:
            return None
        with self._lock:
            return _count(self._came_in[client_id, is_read], limit, window)


def _count(came_in: deque[float], limit: int, window: float) -> float | None:
    now = time.monotonic()
    while came_in and came_in[0] <= now - window:
        came_in.popleft()
    is_over = len(came_in) >= limit
    came_in.append(now)
    # The next request is within the limit as soon as fewer than the limit remain of those counted so far.
    return came_in[-limit] + window - now if is_over else None
