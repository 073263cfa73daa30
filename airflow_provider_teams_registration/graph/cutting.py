"""
Cut batches that are refused as a whole, so that one item cannot keep the others from being executed.

A gateway in front of Graph may refuse a ``$batch`` because of something in one of its items. Graph executed nothing of
such a batch, so its halves may be sent, each like any other batch. A write goes again only after the ledger was told,
and within the quota. The item that is refused alone is the one at fault.

A refusal may as well concern every item, such as a missing permission. One call an item would be needed to show that.
Instead, once nothing but refusals has come for a while, some items from all over the list are sent alone. If all of
them are refused alike, so is everything else, without a call.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Generic, TypeVar

from airflow_provider_teams_registration.exceptions import (
    GraphError,
    TeamsRegistrationError,
    Throttled,
    Unauthorized,
)
from airflow_provider_teams_registration.graph.batch import MAX_BATCH

T = TypeVar("T", bound=Hashable)

PROBES = 8
"""Items that are sent alone to find out whether a refusal concerns all of them."""
_SUSPICIOUS_AT_FIRST = 3
"""Batches refused in a row, while the service has not taken one yet: a batch and its halves."""
_SUSPICIOUS_LATER = 20


class Cutting(Generic[T]):
    """
    Decides what becomes of items whose batch was refused as a whole. One thread uses it.

    An item is whatever tells one request of a batch from the others, such as the person whom it is about.

    :ivar refusal: the refusal that concerns every item, once it is recognized.
    """

    def __init__(self) -> None:
        self.refusal: GraphError | None = None
        self._most_together: dict[T, int] = {}
        self._said: tuple[int, str] | None = None
        self._in_a_row = 0
        self._probe_at = _SUSPICIOUS_AT_FIRST
        self._probes: set[T] = set()
        self._refused_probes = 0

    @property
    def is_in_doubt(self) -> bool:
        """Whether a refusal may concern every item: items are sent alone to find out, or are about to be."""
        return self.refusal is None and (bool(self._probes) or self._in_a_row >= self._probe_at)

    def first_batch(self, waiting: Iterable[T], size: int) -> list[T]:
        """
        Return the items at the front of a list that may be sent in one batch.

        :param waiting: the items that are to be sent.
        :param size: how many a batch holds at most.
        """
        batch: list[T] = []
        most = size
        for item in waiting:
            together = self._most_together.get(item, MAX_BATCH)
            if not batch:
                first, most = together, min(size, together)
            if len(batch) >= most or together != first:
                break
            batch.append(item)
        return batch

    def judge(self, items: Sequence[T], answers: Sequence[object]) -> set[T]:
        """
        Note what a call was answered.

        :param items: the items that were sent in the call.
        :param answers: for each of them, the error that stands for it, or anything else for a success.
        :return: the items that are to be sent again, in batches of at most half the size. The answers of the others
            stand.
        """
        refused: dict[T, GraphError] = {}
        for item, answer in zip(items, answers, strict=True):
            if isinstance(answer, GraphError) and answer.refused_together:
                refused[item] = answer
        if not refused:
            if any(_was_taken(answer) for answer in answers):
                self._reset(_SUSPICIOUS_LATER)
            return set()
        self._note(refused)
        if self.refusal is not None:
            return set()
        to_cut = {item: refusal for item, refusal in refused.items() if is_refused_with_others(refusal)}
        self._most_together.update((item, (refusal.refused_together + 1) // 2) for item, refusal in to_cut.items())
        return set(to_cut)

    def probe(self, waiting: deque[T]) -> None:
        """
        Put items from all over a list at its front, each to be sent alone, if a refusal may concern every item.

        :param waiting: the items that are to be sent.
        """
        if self.refusal is not None:
            return
        if self._in_a_row >= self._probe_at and len(waiting) >= PROBES:
            # At random: the items at fault may follow a pattern.
            probes = random.sample(list(waiting), PROBES)
            self._probes, self._refused_probes = set(probes), 0
            self._probe_at = self._in_a_row + _SUSPICIOUS_LATER
            self._most_together.update(dict.fromkeys(probes, 1))
        elif self._probes:
            # Batches that were under way have come back since, to be cut. They would go before the probes.
            probes = [item for item in waiting if item in self._probes]
        else:
            return
        others = [item for item in waiting if item not in self._probes]
        waiting.clear()
        waiting.extend([*probes, *others])

    def _note(self, refused: Mapping[T, GraphError]) -> None:
        refusal = next(iter(refused.values()))
        said = (refusal.status, refusal.code)
        if said != self._said:
            self._reset(self._probe_at - self._in_a_row)
            self._said = said
        self._in_a_row += 1
        self._refused_probes += len(self._probes & refused.keys())
        # A fresh token was refused as well, which no item can bring about.
        if isinstance(refusal, Unauthorized) or self._refused_probes == PROBES:
            self.refusal = self.refusal or refusal

    def _reset(self, probe_at: int) -> None:
        self._said = None
        self._in_a_row, self._probe_at = 0, max(probe_at, 1)
        self._probes, self._refused_probes = set(), 0


def is_refused_with_others(answer: object) -> bool:
    """Whether a refusal was given to a whole batch of several items, so that it need not be about this one."""
    return isinstance(answer, GraphError) and answer.refused_together > 1 and not isinstance(answer, Unauthorized)


def _was_taken(answer: object) -> bool:
    """Whether an answer shows that the service looked into the batch."""
    if isinstance(answer, GraphError):
        return not isinstance(answer, Throttled)
    return not isinstance(answer, TeamsRegistrationError)
