"""The options of a run, and the exception with which it asks to be deferred."""

from __future__ import annotations

import time
from dataclasses import dataclass

from airflow_provider_teams_registration.core.state import DEFAULT_SETTLE_AFTER, OnMissingJoinUrl


class DeferRequested(Exception):
    """
    A wait lies ahead for which the task should give up its worker slot.

    :param seconds: the length of the wait.
    :param is_for_quota: whether our own write quota imposes the wait, and not an answer of Graph.
    """

    def __init__(self, seconds: float, *, is_for_quota: bool = False) -> None:
        super().__init__(f"a wait of {seconds:.0f} s lies ahead")
        self.seconds = seconds
        self.is_for_quota = is_for_quota
        self._until = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """The rest of the wait, in seconds."""
        return max(self._until - time.monotonic(), 0.0)


@dataclass(frozen=True)
class SendingOptions:
    """
    The options of a run.

    :param max_parallel_requests: how many calls may be under way at once.
    :param on_missing_join_url: what to do about people on the event whose link cannot be read.
    :param settle_after: seconds until a send that does not show on the event counts as never landed.
    :param defer_over: seconds of a wait that Graph imposes beyond which the run ends with :class:`DeferRequested`; None
        never does.
    :param defer_quota_over: seconds of a wait for the write quota from which on it does; None never does.
    :param finds_double_enrollments: whether the run reads the event once more at its end, to find people whom another
        run enrolled at the same time.
    :param read_pause: seconds between the first two reads of the event about the same people; each further pause is
        twice as long.
    :param longest_read_pause: seconds between two such reads at most.
    :param ledger_pause: seconds between two reads of the ledger about people whom another run works on.
    :param rows_at_once: how many rows are read, and kept in memory, at once.
    :param progress_every: seconds between two lines in the log about how far the run is.
    """

    max_parallel_requests: int = 8
    on_missing_join_url: OnMissingJoinUrl = OnMissingJoinUrl.FAIL
    settle_after: float = DEFAULT_SETTLE_AFTER
    defer_over: float | None = None
    defer_quota_over: float | None = None
    finds_double_enrollments: bool = False
    read_pause: float = 0.5
    longest_read_pause: float = 10.0
    ledger_pause: float = 1.0
    rows_at_once: int = 4000
    progress_every: float = 10.0
