"""The rate limit of a session: every ``Retry-After`` is obeyed by all requests that share the session."""

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

from airflow_provider_teams_registration.core.service_text import storable
from airflow_provider_teams_registration.exceptions import Stopped, TeamsRegistrationError, Throttled
from airflow_provider_teams_registration.graph.backoff import Backoff

log = logging.getLogger(__name__)

T = TypeVar("T")

MAX_THROTTLED_IN_A_ROW = 8
LONGEST_WAIT = 900.0
"""The longest wait that a worker accepts, in seconds. If the service asks for more, the worker gives up for now."""
PREPARE_AHEAD_SECONDS = 0.2
"""How long before the rate limit allows a write the runner may reserve and prepare it, in seconds."""
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
    value = storable(value)
    try:
        seconds = float(value)
    except ValueError:
        try:
            at = parsedate_to_datetime(value)
        except (IndexError, OverflowError, TypeError, ValueError):
            return None
        at = at if at.tzinfo else at.replace(tzinfo=timezone.utc)
        seconds = (at - (now or datetime.now(timezone.utc))).total_seconds()
    return min(max(seconds, 0.0), _LONGEST_ASKED) if math.isfinite(seconds) else None


class ThrottledRounds:
    """
    Count consecutive rounds of throttled requests. Requests that were under way together are one round.

    :param clock: returns the seconds of a clock that never goes back.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.consecutive_throttled = 0
        self._lock = threading.Lock()
        self._last = -math.inf

    def count(self, left_at: float) -> None:
        """
        Count a throttled request.

        :param left_at: when it left, by the clock.
        """
        with self._lock:
            if left_at >= self._last:
                self.consecutive_throttled += 1
                self._last = self._clock()

    def reset(self) -> None:
        """Note a request that was not throttled."""
        with self._lock:
            self.consecutive_throttled = 0


class RateLimiter:
    """
    Holds back every request of a session while the service asks for a wait.

    :param max_wait: seconds beyond which :meth:`wait` and :meth:`retry_throttled` raise instead of waiting.
    :param stop: ends every wait once it is set. By default it never is.
    :param backoff: the waits where the service names none.
    :param clock: returns the seconds of a clock that never goes back. Default ``time.monotonic``.
    :cvar key: what the runs have in common that share a write quota; None where there is no quota.
    """

    key: str | None = None

    def __init__(
        self,
        max_wait: float = LONGEST_WAIT,
        stop: threading.Event | None = None,
        backoff: Backoff | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.max_wait = max_wait
        self.stop = stop or threading.Event()
        self.clock = clock
        self._backoff = backoff or Backoff()
        self._lock = threading.Lock()
        self._not_before = 0.0
        self._throttled = ThrottledRounds(clock)

    def backoff_remaining(self) -> float:
        """Return the seconds for which the service wants no request."""
        return max(self._not_before - self.clock(), 0.0)

    def send_wait(self) -> float:
        """Return the seconds until the next request may go; 0 where it may."""
        return self.backoff_remaining()

    def full_quota_wait(self) -> float:
        """Return the seconds until as many writes may go as if none had gone before."""
        return self.backoff_remaining()

    def reserve(self, writes: int) -> None:
        """Note writes that go as soon as :meth:`reserved_wait` allows."""

    def reserved_wait(self) -> float:
        """Return the seconds until the reserved writes may go."""
        return self.backoff_remaining()

    def release(self, writes: int) -> None:
        """Note that reserved writes do not go."""

    def commit(self, writes: int) -> None:
        """Note that writes were answered, or that their answer is lost."""

    def estimate(self, writes: int) -> float:
        """Return about how many seconds so many writes take; 0 where nothing is known to slow them."""
        return 0.0

    def wait(self) -> None:
        """
        Return once requests may go again.

        :raises Throttled: the service has asked for a wait beyond :attr:`max_wait`.
        :raises Stopped: the task was asked to stop, before the wait or during it.
        """
        self._check_stop()
        while left := self.send_wait():
            held = self.backoff_remaining()
            if held > self.max_wait:
                error = Throttled(429, message=f"{held:.0f} s are left of the wait that the service asked for")
                error.retry_after = held
                raise error
            self.stop.wait(left)
            self._check_stop()

    def _check_stop(self) -> None:
        if self.stop.is_set():
            raise Stopped

    def back_off(self, seconds: float | None, left_at: float | None = None) -> None:
        """
        Let no request go for a while.

        :param seconds: what the service asked for; None or 0 backs off on our own, longer each round.
        :param left_at: when the request left that was answered so, by :attr:`clock`; by default just now.
        """
        self._throttled.count(self.clock() if left_at is None else left_at)
        if not seconds:
            seconds = self._backoff.after_rounds(self._throttled.consecutive_throttled) * random.uniform(0.75, 1.25)
        with self._lock:
            self._not_before = max(self._not_before, self.clock() + seconds)
        if seconds >= _WORTH_A_LOG_LINE:
            log.info("Sending no requests to Graph for %.0f s, because it throttles or fails.", seconds)

    def reset(self) -> None:
        """Note that a request went through."""
        self._throttled.reset()

    def retry_throttled(self, call: Callable[[], T], attempts: int = MAX_THROTTLED_IN_A_ROW) -> T:
        """
        Make a call, and make it again after the wait whenever it was throttled (and so not executed).

        :param call: the call.
        :param attempts: how often it is made at most.
        :raises Throttled: when it was throttled that often in a row, or the service asks for a wait beyond
            :attr:`max_wait`.
        """
        for attempt in range(1, attempts + 1):
            self.wait()
            left_at = self.clock()
            try:
                result = call()
            except TeamsRegistrationError as error:
                is_throttled, asked = isinstance(error, Throttled), error.retry_after or 0.0
                if asked or is_throttled:
                    self.back_off(asked, left_at)
                if attempt == attempts or not is_throttled or asked > self.max_wait:
                    raise
            else:
                self.reset()
                return result
        raise AssertionError("unreachable")
