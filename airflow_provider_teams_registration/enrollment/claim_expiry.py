"""Until when a claimed registrant may be sent."""

from __future__ import annotations

import time

from airflow_provider_teams_registration.core.state import Goal, Policy
from airflow_provider_teams_registration.exceptions import LedgerFailure

_LONGEST, _SHORTEST = 1.0, 0.1
_MAX_SLOW_WRITES = 5


class ClaimExpiry:
    """
    Limits the time between a claim and its request, so that the request leaves long before another run takes over.

    :param policy: the settings of the run.
    """

    def __init__(self, policy: Policy) -> None:
        # A run that cancels with 0 waits for nobody who shows late. That says nothing about the runs that enroll, and a
        # write to a database that is far away takes longer than the shortest time.
        does_not_wait = policy.goal is Goal.CANCEL and not policy.settle_after
        self._longest = max(policy.settle_after / 2, _LONGEST if does_not_wait else _SHORTEST)
        self._slow_writes = 0

    def expiry(self, claimed_at: float) -> float:
        """
        Return until when registrants may be sent who are claimed by now, on the clock of ``time.monotonic``.

        :param claimed_at: when the write of the claims began.
        """
        # A ledger that takes its time leaves as much for sending as a quick one.
        return min(time.monotonic() + _LONGEST, claimed_at + self._longest)

    def refuse_slow_ledger(self, expires_at: float) -> None:
        """
        Give up if claims expire again and again while the ledger writes them.

        :param expires_at: when the claims expire that were written now.
        :raises LedgerFailure: nobody could ever be sent.
        """
        self._slow_writes = self._slow_writes + 1 if time.monotonic() > expires_at else 0
        if self._slow_writes >= _MAX_SLOW_WRITES:
            raise LedgerFailure(
                f"Each write to the ledger takes longer than the {self._longest:g} s that settle_after leaves for it, "
                "so that no request can be sent in time."
            )
