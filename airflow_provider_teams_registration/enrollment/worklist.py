"""The registrants of a run, queued by the effect that the runner executes next."""

from __future__ import annotations

import time
from collections import deque

from airflow_provider_teams_registration.core.record import PENDING
from airflow_provider_teams_registration.core.state import (
    BatchRefused,
    ClaimExpired,
    Effect,
    LedgerRead,
    Removed,
    State,
)
from airflow_provider_teams_registration.enrollment.recorder import Told
from airflow_provider_teams_registration.enrollment.tracked import Tracked

_BEFORE_A_REQUEST = frozenset({State.QUEUED, State.REMOVING})
_GO_FIRST = (Removed, ClaimExpired, BatchRefused)
"""After these inputs a registrant returns to the front of the queue, because they were next already."""


class Worklist:
    """
    Queues of registrants, one for each effect.

    :ivar queued: the registrants to claim for a send or a removal, in this order.
    :ivar has_begun: whether the run sent a person or found one with an outcome, so that its report must not be lost.
    """

    def __init__(self) -> None:
        self.queued: deque[Tracked] = deque()
        self.has_begun = False
        self._waiting: dict[Effect, list[Tracked]] = {}

    def apply(self, told: Told) -> list[Tracked]:
        """
        Advance registrants, and queue each for the next effect.

        :param told: the inputs, each with its registrant.
        :return: the registrants who are claimed now, for a send or a removal.
        """
        now = time.monotonic()
        ready: list[Tracked] = []
        first: list[Tracked] = []
        for one, event in told:
            effect = one.advance(event, now)
            state = one.state.state
            is_before_request = effect is Effect.CLAIM and state in _BEFORE_A_REQUEST
            if is_before_request:
                (first if isinstance(event, _GO_FIRST) else self.queued).append(one)
            elif effect in (Effect.SEND, Effect.REMOVE):
                ready.append(one)
            elif effect is not Effect.NOTHING:
                self._waiting.setdefault(effect, []).append(one)
            is_known = isinstance(event, LedgerRead) and (state is State.DONE or effect is Effect.CLAIM)
            self.has_begun = self.has_begun or (is_known and not is_before_request)
        self.queued.extendleft(reversed(first))
        self.has_begun = self.has_begun or bool(ready)
        return ready

    def count(self, effect: Effect) -> int:
        """Return how many registrants wait for an effect, without those in ``queued``."""
        return len(self._waiting.get(effect, ()))

    def take(self, effect: Effect) -> list[Tracked]:
        """Return the registrants who wait for an effect, and remove them from the list."""
        return self._waiting.pop(effect, [])

    def put_back(self, effect: Effect, people: list[Tracked]) -> None:
        """Put registrants back at the front of the list, because the effect failed."""
        self._waiting[effect] = people + self._waiting.get(effect, [])

    def drop_unclaimed(self) -> None:
        """Remove registrants who wait to be sent, or looked up before that, and of whom the ledger holds no claim."""
        self.queued = deque(one for one in self.queued if _is_claimed(one))
        waiting = [one for one in self.take(Effect.FIND_PRESENT) if _is_claimed(one)]
        if waiting:
            self.put_back(Effect.FIND_PRESENT, waiting)

    def clear(self) -> None:
        """Remove all registrants."""
        self.queued.clear()
        self._waiting.clear()


def _is_claimed(one: Tracked) -> bool:
    return one.state.record is not None and one.state.record.state in PENDING
