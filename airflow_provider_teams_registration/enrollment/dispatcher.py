"""Make calls in threads, each for one batch of registrants."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from airflow_provider_teams_registration.core.state import ClaimExpired, Effect, Removed
from airflow_provider_teams_registration.enrollment.answers import Answer, was_not_executed
from airflow_provider_teams_registration.enrollment.redacted_traceback import redacted_traceback
from airflow_provider_teams_registration.enrollment.tracked import Tracked
from airflow_provider_teams_registration.events.base import NotOnTheEvent
from airflow_provider_teams_registration.exceptions import AnswerLost, TeamsRegistrationError, longest_wait
from airflow_provider_teams_registration.graph.rate_limit import ThrottledRounds
from airflow_provider_teams_registration.graph.write_quota import may_count

if TYPE_CHECKING:
    from airflow_provider_teams_registration.events.base import Event

log = logging.getLogger(__name__)

_GATHERING = 0.1


class BatchDispatcher:
    """
    Makes calls in parallel, and queues as many again, so that no call waits for the ledger.

    The ledger already records queued registrants as claimed. A queued call starts only until that claim expires,
    because later another run may have taken the registrants over. On exit, the context manager cancels queued calls and
    waits for running ones.

    :param event: the event.
    :param at_once: how many calls may be under way.
    :param stop: set from outside to send nothing any more.
    :ivar rounds: how often in a row nothing was executed.
    """

    def __init__(self, event: Event, at_once: int, stop: threading.Event) -> None:
        self._event = event
        self._at_once = at_once
        self._stop = stop
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="enroll")
        self.rounds = ThrottledRounds(time.monotonic)
        self._calls: dict[Future[list[Answer]], Sequence[Tracked]] = {}

    def __enter__(self) -> BatchDispatcher:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            # Queued calls must not start, and running ones must not wait for the rate limit.
            self._stop.set()
        self._threads.shutdown(cancel_futures=True)

    @property
    def unanswered(self) -> int:
        """How many calls are running or queued."""
        return len(self._calls)

    @property
    def free_slots(self) -> int:
        """How many more calls may be queued."""
        return 2 * self._at_once - self.unanswered

    def submit(self, batch: Sequence[Tracked], expires_at: float) -> None:
        """
        Queue a call for a batch whose writes are reserved in the quota.

        If registrants of the batch have registrations to remove, the call removes one of each and enrolls nobody.

        :param batch: registrants whom the ledger has as claimed.
        :param expires_at: until when they may be sent, by ``time.monotonic``.
        """
        self._calls[self._threads.submit(self._call, batch, expires_at)] = batch

    def answers(self, timeout: float) -> Iterator[tuple[Sequence[Tracked], Sequence[Answer]]]:
        """Yield each batch that was answered, with its answers. Wait at most ``timeout`` seconds for the first."""
        for call in self._collect(timeout):
            batch = self._calls.pop(call)
            if call.cancelled():
                self._event.rate_limiter.release(len(batch))
                yield batch, [ClaimExpired()] * len(batch)
                continue
            error = call.exception()
            yield batch, call.result() if error is None else [_failure_of_ours(error)] * len(batch)

    def _collect(self, timeout: float) -> Collection[Future[list[Answer]]]:
        """Wait briefly for further answers, because one write to the ledger serves all of them."""
        answered, open_ = wait(self._calls, timeout, FIRST_COMPLETED)
        until = time.monotonic() + _GATHERING
        while answered and len(open_) > self._at_once and (left := until - time.monotonic()) > 0:
            more, open_ = wait(open_, left, FIRST_COMPLETED)
            answered |= more
        # ``wait`` does not report a cancelled call whose thread pool is shut down.
        return answered | {call for call in open_ if call.cancelled()}

    def _call(self, batch: Sequence[Tracked], expires_at: float) -> list[Answer]:
        rate_limiter = self._event.rate_limiter
        if not self._may_go(expires_at):
            rate_limiter.release(len(batch))
            return [ClaimExpired()] * len(batch)
        left_at = time.monotonic()
        uncounted = 0
        try:
            answers = _remove_registrations(self._event, batch) or _enroll_batch(self._event, batch)
            uncounted = sum(isinstance(answer, ClaimExpired) or not may_count(answer) for answer in answers)
        finally:
            rate_limiter.release(uncounted)
            rate_limiter.commit(len(batch) - uncounted)
        # Apply it in this thread, before its next queued call can start.
        self._apply_retry_after(answers, left_at, is_removal=any(one.effect is Effect.REMOVE for one in batch))
        return answers

    def _may_go(self, expires_at: float) -> bool:
        """Wait until the rate limit lets the call go, unless the claim gets too old over it."""
        while not self._stop.is_set():
            left = self._event.rate_limiter.reserved_wait()
            if time.monotonic() + left > expires_at:
                return False
            if not left:
                return True
            self._stop.wait(left)
        return False

    def _apply_retry_after(self, answers: Sequence[Answer], left_at: float, *, is_removal: bool) -> None:
        errors = [answer for answer in answers if isinstance(answer, TeamsRegistrationError)]
        # A lost removal is sent again, without the wait of a lost enrollment.
        failed = [error for error in errors if was_not_executed(error) or (is_removal and _is_lost(error))]
        if len(failed) < len(answers):
            self._event.rate_limiter.reset()
            self.rounds.reset()
        else:
            self.rounds.count(left_at)
        asked = longest_wait(errors)
        if failed or asked:
            self._event.rate_limiter.back_off(asked, left_at)


def _enroll_batch(event: Event, batch: Sequence[Tracked]) -> list[Answer]:
    return list(event.enroll([one.registrant for one in batch]))


def _remove_registrations(event: Event, batch: Sequence[Tracked]) -> list[Answer]:
    """Remove one registration of each registrant who has any. The others count as not sent, and are claimed again."""
    to_remove = [one for one in batch if one.effect is Effect.REMOVE]
    if not to_remove:
        return []
    answers: dict[Tracked, Answer] = dict.fromkeys(batch, ClaimExpired())
    for one, error in zip(to_remove, event.cancel([one.registrant for one in to_remove]), strict=True):
        is_absent = isinstance(error, NotOnTheEvent)
        answers[one] = Removed(was_there=not is_absent) if error is None or is_absent else error
    return [answers[one] for one in batch]


def _is_lost(answer: TeamsRegistrationError) -> bool:
    return isinstance(answer, AnswerLost)


def _failure_of_ours(error: BaseException) -> TeamsRegistrationError:
    """Return an error for a batch whose call failed in our code, so that the other batches keep their answers."""
    if isinstance(error, TeamsRegistrationError):
        return error
    log.error("A call broke down with %s.", redacted_traceback(error))
    return AnswerLost(f"The call broke down ({type(error).__name__})")
