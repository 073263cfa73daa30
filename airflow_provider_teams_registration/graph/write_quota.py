"""The quota for writes: how many the service accepts in a window of time."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Sequence

from airflow_provider_teams_registration.core.quota import SentWrites, grouped
from airflow_provider_teams_registration.exceptions import GraphError, ServiceUnreachable, SignInError, Stopped
from airflow_provider_teams_registration.graph.rate_limit import PREPARE_AHEAD_SECONDS, RateLimiter

_LEAVES_WITHIN = 1.0
"""A claimed write leaves within this time or not at all, in seconds."""


class WriteQuota(RateLimiter):
    """
    The rate limit of a session, and a quota for its writes.

    A write counts from when it was answered: until then nobody knows when the service counted it. A ledger may share
    the quota with other runs of the same app: it tells what they and earlier attempts sent.

    Service page: https://learn.microsoft.com/graph/throttling-limits

    :param rate_limiter: the rate limit of the session, which all its requests share.
    :param limit: how many writes the service takes in a window.
    :param window: seconds.
    :param key: what the runs have in common that share the quota, without secrets; None if no ledger shares it.
    """

    def __init__(self, rate_limiter: RateLimiter, limit: int, window: float, key: str | None = None) -> None:
        super().__init__(stop=rate_limiter.stop, clock=rate_limiter.clock)
        self.key = key
        self.limit = limit
        self.window = window
        self._rate_limiter = rate_limiter
        self._counts = threading.Lock()
        self._under_way = 0
        self._unclaimed = 0
        self._answered: deque[float] = deque()
        self._of_others: list[float] = []

    def backoff_remaining(self) -> float:
        """Return the seconds until the service lets anything go again."""
        return self._rate_limiter.backoff_remaining()

    def send_wait(self) -> float:
        """Return the seconds until a write may go; 0 where one may."""
        return max(self.backoff_remaining(), self._until_room_for(1))

    def full_quota_wait(self) -> float:
        """Return the seconds until no write counts any more."""
        with self._counts:
            newest = max(self._counted(), default=-math.inf)
        return max(self.backoff_remaining(), newest + self.window - self.clock())

    def reserved_wait(self) -> float:
        """Return the seconds until the reserved writes may go."""
        return max(self.backoff_remaining(), self._until_room_for(0))

    def back_off(self, seconds: float | None, left_at: float | None = None) -> None:
        """Let no request of the session go for a while."""
        self._rate_limiter.back_off(seconds, left_at)

    def reset(self) -> None:
        """Note that a request went through."""
        self._rate_limiter.reset()

    @property
    def room(self) -> int:
        """How many writes may be reserved now: they may go at once, or within the head start."""
        earliest = self.clock() + PREPARE_AHEAD_SECONDS - self.window
        with self._counts:
            counting = sum(counted > earliest for counted in self._counted())
            return max(self.limit - self._under_way - counting, 0)

    def reserve(self, writes: int) -> None:
        """Note writes that go as soon as :meth:`reserved_wait` allows."""
        with self._counts:
            self._under_way += writes
            self._unclaimed += writes

    def release(self, writes: int) -> None:
        """Note that reserved writes do not go."""
        with self._counts:
            self._under_way -= writes
            self._unclaimed = max(self._unclaimed - writes, 0)

    def commit(self, writes: int) -> None:
        """Note that writes were answered, or that their answer is lost."""
        with self._counts:
            self._under_way -= writes
            self._answered.extend([self.clock()] * writes)

    def estimate(self, writes: int) -> float:
        """Return about how many seconds so many writes take."""
        return max(math.ceil(writes / self.limit) - 1, 0) * self.window

    def own_writes(self) -> Sequence[SentWrites]:
        """Return the writes of this run that count, and those that are about to leave, for the ledger."""
        now = self.clock()
        with self._counts:
            self._forget()
            leaving = [SentWrites(-_LEAVES_WITHIN, self._under_way)] if self._under_way else []
            return [*grouped(now - answered for answered in self._answered), *leaving]

    def count_own(self, writes: Sequence[SentWrites]) -> None:
        """Count the writes that an earlier attempt of this run sent."""
        with self._counts:
            self._answered = deque(sorted([*self._answered, *self._moments(writes)]))

    def count_others(self, writes: Sequence[SentWrites]) -> None:
        """Count the writes of other runs, in place of those that were told before."""
        with self._counts:
            self._of_others = self._moments(writes)

    def has_unclaimed(self) -> bool:
        """Return whether writes are reserved that the ledger has not granted yet."""
        with self._counts:
            return self._unclaimed > 0

    def grant(self) -> None:
        """Note that the ledger granted the reserved writes."""
        with self._counts:
            self._unclaimed = 0

    def _until_room_for(self, more: int) -> float:
        """Return the seconds until so many more fit beside the reserved ones."""
        with self._counts:
            counted = self._counted()
            too_many = self._under_way + len(counted) + more - self.limit
            if too_many <= 0:
                return 0.0
            # With all of it under way, the answers say when the next one may go.
            if too_many > len(counted):
                return self.window
            return max(counted[too_many - 1] + self.window - self.clock(), 0.001)

    def _counted(self) -> Sequence[float]:
        """Return when the writes were answered that count, the oldest first. The caller holds the lock."""
        self._forget()
        return sorted([*self._answered, *self._of_others]) if self._of_others else self._answered

    def _forget(self) -> None:
        earliest = self.clock() - self.window
        while self._answered and self._answered[0] <= earliest:
            self._answered.popleft()
        if self._of_others:
            self._of_others = [moment for moment in self._of_others if moment > earliest]

    def _moments(self, writes: Sequence[SentWrites]) -> list[float]:
        now = self.clock()
        return [now - one.age for one in writes for _ in range(one.count)]


def may_count(answer: object) -> bool:
    """
    Return whether the service may count a write against the write quota.

    It counts neither what never left nor the items of a batch that it, or a gateway, refused as a whole. It does count
    what it throttles.

    :param answer: the error that stands for the write, or anything else for a success.
    """
    if isinstance(answer, GraphError):
        return not answer.refused_together
    return not isinstance(answer, ServiceUnreachable | SignInError | Stopped)
