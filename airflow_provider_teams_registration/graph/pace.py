"""How fast requests may go: every ``Retry-After`` obeyed, by everybody who shares the session."""

from __future__ import annotations

import logging
import math
import random
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TypeVar

from airflow_provider_teams_registration.graph.errors import TeamsRegistrationError, Throttled

log = logging.getLogger(__name__)

T = TypeVar("T")

MAX_THROTTLED_IN_A_ROW = 8
LONGEST_WAIT = 900.0
"""Seconds that a worker waits at most when it is asked to; asked for more, it gives up for now."""
HEAD_START = 0.2
"""Seconds before a write may go, from which on it may be begun: made ready, so that it goes on time."""
_FIRST_BACKOFF = 2.0
_LONGEST_BACKOFF = 120.0
_LONGEST_ASKED = 86_400.0
_WORTH_A_LOG_LINE = 5.0


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """
    Read a ``Retry-After`` header: an integer, a fraction, or an HTTP date.

    Service page: https://learn.microsoft.com/graph/throttling

    :param headers: the answer's headers; the name's case does not matter.
    :param now: what an HTTP date is measured from; the present moment by default.
    :return: seconds to wait, from 0 to a day; None where there is no such header or it makes no sense.
    """
    value = next((value for name, value in headers.items() if name.lower() == "retry-after"), None)
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            at = parsedate_to_datetime(value)
        except (TypeError, ValueError):
            return None
        at = at if at.tzinfo else at.replace(tzinfo=timezone.utc)
        seconds = (at - (now or datetime.now(timezone.utc))).total_seconds()
    return min(max(seconds, 0.0), _LONGEST_ASKED) if math.isfinite(seconds) else None


class Rounds:
    """How many rounds of requests were in vain, one after another. Requests that were under way together are one."""

    def __init__(self) -> None:
        self.in_vain = 0
        self._lock = threading.Lock()
        self._last = -math.inf

    def count(self, left_at: float) -> None:
        """
        Note a request that was in vain.

        :param left_at: when it left, by ``time.monotonic``.
        """
        with self._lock:
            if left_at >= self._last:
                self.in_vain += 1
                self._last = time.monotonic()

    def reset(self) -> None:
        """Note a request that was not."""
        with self._lock:
            self.in_vain = 0


class Pace:
    """
    Holds every request of a session back while the service asks for patience.

    :param patience: seconds beyond which :meth:`wait` and :meth:`obey` raise instead of waiting.
    """

    def __init__(self, patience: float = LONGEST_WAIT) -> None:
        self.patience = patience
        self._lock = threading.Lock()
        self._not_before = 0.0
        self._throttled = Rounds()

    def held(self) -> float:
        """Return the seconds for which the service wants no request."""
        return max(self._not_before - time.monotonic(), 0.0)

    def left(self) -> float:
        """Return the seconds until the next request may go; 0 where it may."""
        return self.held()

    def left_until_all_may(self) -> float:
        """Return the seconds until as many writes may go as if none had gone before."""
        return self.held()

    def begin(self, writes: int) -> None:
        """Note writes that go as soon as :meth:`left_for_begun` allows."""

    def left_for_begun(self) -> float:
        """Return the seconds until the writes that were begun may go."""
        return self.held()

    def forgo(self, writes: int) -> None:
        """Note that writes that were begun do not go."""

    def end(self, writes: int) -> None:
        """Note that writes were answered, or that their answer is lost."""

    def estimate(self, writes: int) -> float:
        """Return about how many seconds so many writes take; 0 where nothing is known to slow them."""
        return 0.0

    def wait(self) -> None:
        """
        Return once requests may go again.

        :raises Throttled: the service has asked for a wait beyond :attr:`patience`.
        """
        while left := self.left():
            held = self.held()
            if held > self.patience:
                error = Throttled(429, message=f"{held:.0f} s are left of the patience that was asked for")
                error.retry_after = held
                raise error
            time.sleep(left)

    def wait_for_begun(self) -> None:
        """Return once the writes that were begun may go."""
        while left := self.left_for_begun():
            time.sleep(left)

    def hold(self, seconds: float | None, left_at: float | None = None) -> None:
        """
        Let no request go for a while.

        :param seconds: what the service asked for; None or 0 backs off on our own, longer each round.
        :param left_at: when the request left that was answered so, by ``time.monotonic``; by default just now.
        """
        self._throttled.count(time.monotonic() if left_at is None else left_at)
        if not seconds:
            backoff = min(_FIRST_BACKOFF * 2 ** (self._throttled.in_vain - 1), _LONGEST_BACKOFF)
            seconds = backoff * random.uniform(0.75, 1.25)
        with self._lock:
            self._not_before = max(self._not_before, time.monotonic() + seconds)
        if seconds >= _WORTH_A_LOG_LINE:
            log.info("Graph asks for patience: no request for %.0f s.", seconds)

    def ease(self) -> None:
        """Note that a request went through."""
        self._throttled.reset()

    def obey(self, call: Callable[[], T], attempts: int = MAX_THROTTLED_IN_A_ROW) -> T:
        """
        Make a call, and make it again after the wait whenever it was throttled (and so not executed).

        :param call: the call.
        :param attempts: how often it is made at most.
        :raises Throttled: when it was throttled that often in a row, or the service asks for a wait beyond
            :attr:`patience`.
        """
        for attempt in range(1, attempts + 1):
            self.wait()
            left_at = time.monotonic()
            try:
                result = call()
            except TeamsRegistrationError as error:
                is_throttled, asked = isinstance(error, Throttled), error.retry_after or 0.0
                if asked or is_throttled:
                    self.hold(asked, left_at)
                if attempt == attempts or not is_throttled or asked > self.patience:
                    raise
            else:
                self.ease()
                return result
        raise AssertionError("unreachable")
