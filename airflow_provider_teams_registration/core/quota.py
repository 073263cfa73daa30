"""The write quota as a ledger keeps it, and the time that Airflow takes to resume a deferred run."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

WORTH_DEFERRING = 10.0
"""A wait for the write quota frees the worker slot from this length on, in seconds. A resume costs about a third."""
_LONGEST_RESUME = 60.0
_WEIGHT, _DEVIATION_WEIGHT = 0.25, 0.25


@dataclass(frozen=True)
class SentWrites:
    """
    Writes that count in the quota.

    :param age: how many seconds ago they were answered. A negative age is of writes that may leave within so many
        seconds.
    :param count: how many.
    """

    age: float
    count: int


def counting(writes: Iterable[SentWrites], window: float, ahead: float = 0.0) -> int:
    """
    Return how many writes count in the quota.

    :param writes: the writes.
    :param window: the length of the quota's window, in seconds.
    :param ahead: count as many seconds ahead.
    """
    return sum(one.count for one in writes if one.age + ahead < window)


def grouped(ages: Iterable[float]) -> Sequence[SentWrites]:
    """Return writes grouped by age, the oldest first."""
    groups: dict[float, int] = {}
    for age in ages:
        groups[age] = groups.get(age, 0) + 1
    return [SentWrites(age, count) for age, count in sorted(groups.items(), reverse=True)]


@dataclass(frozen=True)
class ResumeTime:
    """
    How long a deferred run takes from the moment that it named until it can send again. All times are in seconds.

    The estimate follows the measured times, as TCP follows round trips: a resume that takes turns is given more time.

    :param mean: the smoothed time. Default 3.5, which is the median on a small Airflow.
    :param deviation: the smoothed deviation from it.
    """

    mean: float = 3.5
    deviation: float = 0.5

    @property
    def allowance(self) -> float:
        """How long before the quota opens a run asks to be resumed."""
        return self.mean + 2 * self.deviation

    def after(self, measured: float) -> ResumeTime:
        """
        Return the estimate that takes a measured time into account.

        :param measured: the time by one clock, the ledger's. Where it is impossible, some clock was wrong.
        """
        if not math.isfinite(measured):
            return self
        measured = min(max(measured, 0.0), _LONGEST_RESUME)
        deviation = self.deviation + _DEVIATION_WEIGHT * (abs(measured - self.mean) - self.deviation)
        return ResumeTime(self.mean + _WEIGHT * (measured - self.mean), deviation)
