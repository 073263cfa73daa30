"""Writes that take effect some time after they were answered."""

from __future__ import annotations

import threading
from collections.abc import Callable


class DelayedWrites:
    """
    Writes that have not taken effect yet.

    :param lock: the lock of the store. A write takes effect entirely before a reset of the store, or not at all.
    """

    def __init__(self, lock: threading.RLock) -> None:
        self._lock = lock
        self._pending: dict[threading.Timer, Callable[[], object]] = {}

    def send(self, seconds: float, land: Callable[[], object]) -> None:
        """
        Let a write take effect later.

        :param seconds: how much later.
        :param land: carries out the write; called in a thread of its own that holds the lock.
        """
        timer = threading.Timer(seconds, lambda: self._land(timer))
        timer.daemon = True
        with self._lock:
            self._pending[timer] = land
        timer.start()

    def land_now(self) -> None:
        """Carry out every pending write at once, in the order of arrival, so that a test need not wait."""
        with self._lock:
            for timer in list(self._pending):
                timer.cancel()
                self._land(timer)

    def discard(self) -> None:
        """Drop every pending write."""
        with self._lock:
            for timer in self._pending:
                timer.cancel()
            self._pending.clear()

    def _land(self, timer: threading.Timer) -> None:
        with self._lock:
            # A timer that waits for the lock cannot be cancelled, so a write may have been dropped meanwhile.
            land = self._pending.pop(timer, None)
            if land is not None:
                land()
