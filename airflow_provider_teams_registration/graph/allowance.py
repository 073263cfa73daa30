"""How many writes the service allows in a span of time, used up and never exceeded."""

from __future__ import annotations

import math
import threading
import time
from collections import deque

from airflow_provider_teams_registration.graph.pace import HEAD_START, Pace


class PacedWrites(Pace):
    """
    A session's pace, with an allowance for writes on top.

    A write counts from when it was answered: until then nobody knows when the service counted it.

    Service page: https://learn.microsoft.com/graph/throttling-limits

    :param pace: the session's own pace, which everybody keeps to.
    :param limit: how many writes the service takes in a window.
    :param window: seconds.
    """

    def __init__(self, pace: Pace, limit: int, window: float) -> None:
        super().__init__()
        self._pace = pace
        self._limit = limit
        self._window = window
        self._counts = threading.Lock()
        self._under_way = 0
        self._answered: deque[float] = deque()

    def held(self) -> float:
        """Return the seconds until the service lets anything go again."""
        return self._pace.held()

    def left(self) -> float:
        """Return the seconds until a write may go; 0 where one may."""
        return max(self.held(), self._until_room_for(1))

    def left_until_all_may(self) -> float:
        """Return the seconds until no write counts any more."""
        with self._counts:
            newest = self._answered[-1] if self._answered else -math.inf
        return max(self.held(), newest + self._window - time.monotonic())

    def left_for_begun(self) -> float:
        """Return the seconds until the writes that were begun may go."""
        return max(self.held(), self._until_room_for(0))

    def hold(self, seconds: float | None, left_at: float | None = None) -> None:
        """Let no request of the session go for a while."""
        self._pace.hold(seconds, left_at)

    def ease(self) -> None:
        """Note that a request went through."""
        self._pace.ease()

    @property
    def room(self) -> int:
        """How many writes may be begun now: they may go at once, or within the head start."""
        earliest = time.monotonic() + HEAD_START - self._window
        with self._counts:
            counting = sum(answered > earliest for answered in self._answered)
            return max(self._limit - self._under_way - counting, 0)

    def begin(self, writes: int) -> None:
        """Note writes that go as soon as :meth:`left_for_begun` allows."""
        with self._counts:
            self._under_way += writes

    def forgo(self, writes: int) -> None:
        """Note that writes that were begun do not go."""
        with self._counts:
            self._under_way -= writes

    def end(self, writes: int) -> None:
        """Note that writes were answered, or that their answer is lost."""
        with self._counts:
            self._under_way -= writes
            self._answered.extend([time.monotonic()] * writes)

    def estimate(self, writes: int) -> float:
        """Return about how many seconds so many writes take."""
        return max(math.ceil(writes / self._limit) - 1, 0) * self._window

    def _until_room_for(self, more: int) -> float:
        """Return the seconds until so many more fit beside those that were begun."""
        with self._counts:
            self._forget()
            too_many = self._under_way + len(self._answered) + more - self._limit
            if too_many <= 0:
                return 0.0
            # With all of it under way, the answers say when the next one may go.
            if too_many > len(self._answered):
                return self._window
            return max(self._answered[too_many - 1] + self._window - time.monotonic(), 0.001)

    def _forget(self) -> None:
        earliest = time.monotonic() - self._window
        while self._answered and self._answered[0] <= earliest:
            self._answered.popleft()
