"""How far a long run is, told now and then."""

from __future__ import annotations

import logging
import time

log = logging.getLogger(__name__)

_SECONDS_BETWEEN_LINES = 10.0


class Progress:
    """
    Tells how many are through.

    :param total: how many there are, where that is known.
    """

    def __init__(self, total: int | None) -> None:
        self._total = total
        self._started = self._told = time.monotonic()

    def tell(self, done: int) -> None:
        """Log how many are through, if the last time was long ago."""
        now = time.monotonic()
        if now - self._told < _SECONDS_BETWEEN_LINES or not done:
            return
        self._told = now
        if self._total is None:
            log.info("%s through.", f"{done:,}")
            return
        left = (now - self._started) / done * max(self._total - done, 0)
        log.info("%s of %s through, about %.0f s to go.", f"{done:,}", f"{self._total:,}", left)
