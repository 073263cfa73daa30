"""The write quota as ledgers store it: moments by the ledger's clock, in JSON."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from airflow_provider_teams_registration.core.quota import SentWrites

_LONGEST_LEAD = 60.0


class QuotaTaken(Exception):
    """Another run has taken the room in the write quota. The ledger wrote nothing; claim again once there is room."""


class SharedQuota(Protocol):
    """
    The write quota of an app, of which this run and others send.

    :ivar key: what the runs of an app have in common, without secrets; None if no quota holds.
    :ivar limit: how many writes the service accepts in a window.
    :ivar window: the length of the window, in seconds.
    """

    @property
    def key(self) -> str | None: ...

    @property
    def limit(self) -> int: ...

    @property
    def window(self) -> float: ...

    def own_writes(self) -> Sequence[SentWrites]:
        """Return the writes of this run that count in the quota, and those that are about to leave."""

    def count_own(self, writes: Sequence[SentWrites]) -> None:
        """Count the writes that an earlier attempt of this run sent."""

    def count_others(self, writes: Sequence[SentWrites]) -> None:
        """Count the writes of other runs, in place of those that were told before."""

    def has_unclaimed(self) -> bool:
        """Return whether writes are reserved that the ledger has not granted yet."""

    def grant(self) -> None:
        """Note that the ledger granted the reserved writes."""


def to_json(writes: Iterable[SentWrites], now: datetime) -> list[list[Any]]:
    """
    Return writes as JSON holds them: pairs of moment and number.

    :param writes: the writes.
    :param now: the ledger's time.
    """
    return [[(now - timedelta(seconds=one.age)).isoformat(), one.count] for one in writes]


def from_json(stored: Any, now: datetime, window: float) -> list[SentWrites]:
    """
    Read stored writes.

    What cannot be read counts as no writes: the service still answers 429 to a write that is one too many.

    :param stored: what :func:`to_json` returned, or anything else.
    :param now: the ledger's time.
    :param window: older writes than this many seconds are left out.
    """
    writes = []
    for item in stored if isinstance(stored, list) else []:
        try:
            moment, count = item
            age = (now - datetime.fromisoformat(moment)).total_seconds()
        except (TypeError, ValueError, OverflowError):
            continue
        # A clock that was set back must not hold writes up for longer than a window.
        is_possible = math.isfinite(age) and -_LONGEST_LEAD <= age < window
        if is_possible and type(count) is int and count > 0:
            writes.append(SentWrites(age, count))
    return writes
