"""Writes that take effect after they were answered."""

from __future__ import annotations

import threading
from collections.abc import Callable


class LateWrites:
    """
    Writes on their way.

    :param lock: the lock of the books: a write lands wholly before they are reset, or not at all.
    """

    def __init__(self, lock: threading.RLock) -> None:
        self._lock = lock
        self._on_their_way: dict[threading.Timer, Callable[[], object]] = {}

    def send(self, seconds: float, land: Callable[[], object]) -> None:
        """
        Let a write take effect later.

        :param seconds: how much later.
        :param land: what takes effect; called in a thread of its own, which holds the lock.
        """
        timer = threading.Timer(seconds, lambda: self._land(timer))
        timer.daemon = True
        with self._lock:
            self._on_their_way[timer] = land
        timer.start()

    def land_now(self) -> None:
        """Let every write that is on its way take effect at once, in the order they came in: tests need not wait."""
        with self._lock:
            for timer in list(self._on_their_way):
                timer.cancel()
                self._land(timer)

    def discard(self) -> None:
        """Lose every write that has not landed."""
        with self._lock:
            for timer in self._on_their_way:
                timer.cancel()
            self._on_their_way.clear()

    def _land(self, timer: threading.Timer) -> None:
        with self._lock:
            # A timer that was discarded while it waited for the lock was past cancelling.
            land = self._on_their_way.pop(timer, None)
            if land is not None:
                land()
