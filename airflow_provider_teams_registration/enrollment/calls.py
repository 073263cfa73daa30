"""The calls under way: each puts a batch of people on the event, in a thread of its own."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from airflow_provider_teams_registration.enrollment.answer import (
    NOT_SENT,
    TAKEN_OFF,
    Answer,
    was_not_executed,
)
from airflow_provider_teams_registration.enrollment.breakdown import breakdown
from airflow_provider_teams_registration.enrollment.ledger import utc_now
from airflow_provider_teams_registration.enrollment.person import NotTakenOff, Person
from airflow_provider_teams_registration.graph.errors import AnswerLost, TeamsRegistrationError, longest_wait
from airflow_provider_teams_registration.graph.pace import Rounds

if TYPE_CHECKING:
    from airflow_provider_teams_registration.enrollment.event import Event

log = logging.getLogger(__name__)

_GATHERING = 0.1


class Calls:
    """
    Makes calls side by side, with as many lined up behind them, so that none waits for the ledger.

    Whoever is lined up is in the ledger as sent. They go only while that is fresh: if it took too long, another run may
    have taken them over. Leaving this as a context drops who is lined up and waits for the calls under way.

    :param event: the event.
    :param at_once: how many calls may be under way.
    :param good_for: how long after the ledger's "sent" somebody may be sent.
    :param stop: set from outside to send nobody any more.
    :ivar rounds: how often in a row nobody was let through.
    """

    def __init__(self, event: Event, at_once: int, good_for: timedelta, stop: threading.Event) -> None:
        self._event = event
        self._at_once = at_once
        self._good_for = good_for
        self._stop = stop
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="enroll")
        self.rounds = Rounds()
        self._made: dict[Future[list[Answer]], Sequence[Person]] = {}

    def __enter__(self) -> Calls:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(cancel_futures=True)

    @property
    def unanswered(self) -> int:
        """How many answers are awaited."""
        return len(self._made)

    @property
    def room(self) -> int:
        """How many more calls may be made, or lined up."""
        return 2 * self._at_once - self.unanswered

    def make(self, people: Sequence[Person]) -> None:
        """
        Put people on, whose writes have begun. Where old records of some have to go, only one record of each does.

        :param people: those whom the ledger has as sent.
        """
        noted = min(person.noted_at for person in people)
        self._made[self._threads.submit(self._call, people, noted)] = people

    def answers(self, timeout: float) -> Iterator[tuple[Sequence[Person], Sequence[Answer]]]:
        """Return what has been answered, after at most so many seconds."""
        for call in self._gather(timeout):
            people = self._made.pop(call)
            if call.cancelled():
                self._event.pace.forgo(len(people))
                yield people, [NOT_SENT] * len(people)
                continue
            error = call.exception()
            yield people, call.result() if error is None else [_failure_of_ours(error)] * len(people)

    def _gather(self, timeout: float) -> Collection[Future[list[Answer]]]:
        """What is noted in the ledger together costs as much as each alone, so answers that are about to come may."""
        answered, open_ = wait(self._made, timeout, FIRST_COMPLETED)
        until = time.monotonic() + _GATHERING
        while answered and len(open_) > self._at_once and (left := until - time.monotonic()) > 0:
            more, open_ = wait(open_, left, FIRST_COMPLETED)
            answered |= more
        # What was dropped never counts as answered by itself.
        return answered | {call for call in open_ if call.cancelled()}

    def _call(self, people: Sequence[Person], noted: datetime) -> list[Answer]:
        pace = self._event.pace
        if not self._may_go(noted):
            pace.forgo(len(people))
            return [NOT_SENT] * len(people)
        left_at = time.monotonic()
        try:
            answers = _take_off(self._event, people) or _put_on(self._event, people)
        finally:
            pace.end(len(people))
        # Here, not where answers are taken: the next that is lined up must not go meanwhile.
        self._heed(answers, left_at)
        return answers

    def _may_go(self, noted: datetime) -> bool:
        """Wait out what is left of the pace's wait, unless the ledger's word gets too old over it."""
        while not self._stop.is_set():
            left = self._event.pace.left_for_begun()
            if utc_now() + timedelta(seconds=left) - noted > self._good_for:
                return False
            if not left:
                return True
            time.sleep(left)
        return False

    def _heed(self, answers: Sequence[Answer], left_at: float) -> None:
        errors = [answer for answer in answers if isinstance(answer, TeamsRegistrationError)]
        not_executed = [error for error in errors if was_not_executed(error)]
        if len(not_executed) < len(answers):
            self._event.pace.ease()
            self.rounds.reset()
        else:
            self.rounds.count(left_at)
        asked = longest_wait(errors)
        if not_executed or asked:
            self._event.pace.hold(asked, left_at)


def _put_on(event: Event, people: Sequence[Person]) -> list[Answer]:
    return list(event.enroll([person.registrant for person in people]))


def _take_off(event: Event, people: Sequence[Person]) -> list[Answer]:
    """Take one record off each of those who have any, and send nobody then: the ledger must know that we still may."""
    on_it = [person for person in people if person.records]
    if not on_it:
        return []
    answers: dict[Person, Answer] = dict.fromkeys(people, NOT_SENT)
    for person, error in zip(on_it, event.cancel([person.registrant for person in on_it]), strict=True):
        if error is None:
            person.records -= 1
            answers[person] = TAKEN_OFF
        else:
            is_refused = not (isinstance(error, AnswerLost) or error.transient)
            answers[person] = NotTakenOff(error) if is_refused else error
    return [answers[person] for person in people]


def _failure_of_ours(error: BaseException) -> TeamsRegistrationError:
    """What stands for a batch whose call broke down on our side: the others' rows must not go down with it."""
    if isinstance(error, TeamsRegistrationError):
        return error
    log.error("A call broke down with %s.", breakdown(error))
    return AnswerLost(f"The call broke down ({type(error).__name__})")
