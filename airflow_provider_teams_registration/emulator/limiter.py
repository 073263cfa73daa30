"""
How many requests to virtual events an app may make.

Service page: https://learn.microsoft.com/graph/throttling-limits
"""

from __future__ import annotations

import math
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import replace

from airflow_provider_teams_registration.emulator.exchange import GraphAnswer, GraphRequest, refusal
from airflow_provider_teams_registration.emulator.switches import Switches
from airflow_provider_teams_registration.emulator.webinar_path import is_virtual_event


class Limiter:
    """
    Counts reads and writes of each app over a window that slides. Refused requests count too, as they do at Graph.

    :param switches: the switches in force: limits and windows.
    """

    def __init__(self, switches: Callable[[], Switches]) -> None:
        self._switches = switches
        self._lock = threading.Lock()
        self._came_in: defaultdict[tuple[str, bool], deque[float]] = defaultdict(deque)

    def clear(self) -> None:
        """Forget what was counted."""
        with self._lock:
            self._came_in.clear()

    def refuse(self, request: GraphRequest) -> GraphAnswer | None:
        """
        Count a request, alone or an item of a batch.

        :param request: the request.
        :return: 429 where it is one too many; ``Retry-After`` says when the next one is let through.
        """
        if not is_virtual_event(request.segments):
            return None
        switches, is_read = self._switches(), request.method == "GET"
        limit = switches.read_limit if is_read else switches.write_limit
        window = switches.read_window if is_read else switches.write_window
        if not limit:
            return None
        with self._lock:
            wait = _count(self._came_in[request.caller.client_id, is_read], limit, window)
        if wait is None:
            return None
        said = refusal(429, "TooManyRequests", "Too many requests. Retry after the interval that is asked for.")
        return replace(said, headers={"Retry-After": str(max(1, math.ceil(wait)))})


def _count(came_in: deque[float], limit: int, window: float) -> float | None:
    """Return None for a request that is let through, or else the seconds until one is."""
    now = time.monotonic()
    while came_in and came_in[0] <= now - window:
        came_in.popleft()
    is_over = len(came_in) >= limit
    came_in.append(now)
    # The next is let through once fewer than the limit are left of those counted so far.
    return came_in[-limit] + window - now if is_over else None
