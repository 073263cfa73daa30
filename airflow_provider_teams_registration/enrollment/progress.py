"""Log the progress of a long run at intervals."""

from __future__ import annotations

import logging
import time

log = logging.getLogger(__name__)


class Progress:
    """
    Logs how many registrants are done.

    :param total: the number of registrants, if it is known.
    :param every: seconds between two log lines. Default 10.
    """

    def __init__(self, total: int | None, every: float = 10.0) -> None:
        self._every = every
        self._total = total
        self._started = self._told = time.monotonic()

    def tell(self, done: int) -> None:
        """Log how many registrants are done, unless the last log line is too recent."""
        now = time.monotonic()
        if now - self._told < self._every or not done:
            return
        self._told = now
        if self._total is None:
            log.info("%s registrants done.", f"{done:,}")
            return
        left = (now - self._started) / done * max(self._total - done, 0)
        log.info("%s of %s registrants done, about %.0f s left.", f"{done:,}", f"{self._total:,}", left)
