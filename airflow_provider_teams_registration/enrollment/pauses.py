"""The waits of a run, which a stop ends and for which a task may give up its worker slot."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from airflow_provider_teams_registration.core.scheduler import Defer, Sleep, Waits, Workload, wait
from airflow_provider_teams_registration.enrollment.sending_options import DeferRequested
from airflow_provider_teams_registration.exceptions import Stopped
from airflow_provider_teams_registration.graph.rate_limit import LONGEST_WAIT, PREPARE_AHEAD_SECONDS

if TYPE_CHECKING:
    from airflow_provider_teams_registration.graph.rate_limit import RateLimiter


class Pauses:
    """
    Waits, unless the run stops or the wait is too long.

    :param rate_limiter: the rate limit of the event's requests.
    :param defer_over: the run asks to be deferred for a longer back-off, in seconds; None never asks.
    :param stop: an event that another thread sets to end the run.
    """

    def __init__(self, rate_limiter: RateLimiter, defer_over: float | None, stop: threading.Event) -> None:
        self._rate_limiter = rate_limiter
        self._waits = Waits(LONGEST_WAIT, defer_over, PREPARE_AHEAD_SECONDS)
        self._stop = stop

    def sleep(self, action: Sleep | Defer) -> None:
        """
        Wait as the scheduler decided.

        :raises DeferRequested: the scheduler decided to defer.
        """
        if isinstance(action, Defer):
            raise DeferRequested(action.seconds, is_for_quota=action.is_for_quota)
        self._stop.wait(action.seconds)

    def wait_to_read(self) -> None:
        """
        Wait until Graph allows a read.

        :raises DeferRequested: the wait is too long.
        :raises Stopped: the run was asked to stop.
        """
        while held := self._rate_limiter.backoff_remaining():
            self.check_stop()
            load = Workload(back_off=held, resume_wait=self._rate_limiter.full_quota_wait())
            self.sleep(wait(held + PREPARE_AHEAD_SECONDS, load, self._waits))

    def check_stop(self) -> None:
        """
        Return if the run may go on.

        :raises Stopped: the run was asked to stop.
        """
        if self._stop.is_set():
            raise Stopped
