"""The calls under way: each puts a batch of people on the event, in a thread of its own."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from airflow_provider_teams_registration.enrollment.event import Standing
from airflow_provider_teams_registration.enrollment.outcome import Outcome
from airflow_provider_teams_registration.enrollment.person import NotTakenOff, Person
from airflow_provider_teams_registration.graph.errors import AnswerLost, TeamsRegistrationError

if TYPE_CHECKING:
    from airflow_provider_teams_registration.enrollment.event import Event

log = logging.getLogger(__name__)

Answer = Standing | TeamsRegistrationError

TAKEN_OFF = Standing(Outcome.CANCELLED)
"""Answers for somebody whose old records are gone, and who can be put on now."""


class Calls:
    """
    Makes calls side by side. Leaving it as a context waits for those under way.

    :param event: the event.
    :param at_once: how many calls may be under way.
    """

    def __init__(self, event: Event, at_once: int) -> None:
        self._event = event
        self._at_once = at_once
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="enroll")
        self._under_way: dict[Future[list[Answer]], Sequence[Person]] = {}

    def __enter__(self) -> Calls:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown()

    @property
    def under_way(self) -> int:
        """How many answers are awaited."""
        return len(self._under_way)

    @property
    def is_one_free(self) -> bool:
        """Whether another call may be made."""
        return self.under_way < self._at_once

    def make(self, people: Sequence[Person]) -> None:
        """Put people on; those whose old records have to go are only taken off."""
        # Here, not in the thread: the next decision to send must know of these.
        self._event.pace.begin(len(people))
        self._under_way[self._threads.submit(_enroll, self._event, people)] = people

    def answers(self, timeout: float) -> Iterator[tuple[Sequence[Person], Sequence[Answer]]]:
        """Return what has been answered, after at most so many seconds."""
        finished, _ = wait(self._under_way, timeout, FIRST_COMPLETED)
        for call in finished:
            people = self._under_way.pop(call)
            error = call.exception()
            yield people, call.result() if error is None else [_failure_of_ours(error)] * len(people)


def _enroll(event: Event, people: Sequence[Person]) -> list[Answer]:
    try:
        # Taking off and putting on are two calls with the ledger in between: it must know that we still may.
        answers: dict[Person, Answer] = _take_off(event, [person for person in people if person.records])
        to_enroll = [person for person in people if person not in answers]
        if to_enroll:
            answers.update(zip(to_enroll, event.enroll([person.registrant for person in to_enroll]), strict=True))
        return [answers[person] for person in people]
    finally:
        event.pace.end(len(people))


def _take_off(event: Event, people: Sequence[Person]) -> dict[Person, Answer]:
    answers: dict[Person, Answer] = dict.fromkeys(people, TAKEN_OFF)
    left = list(people)
    while left:
        for person, error in zip(left, event.cancel([person.registrant for person in left]), strict=True):
            if error is None:
                person.records -= 1
            else:
                is_refused = not (isinstance(error, AnswerLost) or error.transient)
                answers[person] = NotTakenOff(error) if is_refused else error
        left = [person for person in left if person.records and answers[person] is TAKEN_OFF]
    return answers


def _failure_of_ours(error: BaseException) -> TeamsRegistrationError:
    """What stands for a batch whose call broke down on our side: the others' rows must not go down with it."""
    if isinstance(error, TeamsRegistrationError):
        return error
    # The error's own text may hold what was sent.
    places = " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(traceback.extract_tb(error.__traceback__)))
    log.error("A call broke down with %s at %s.", type(error).__name__, places)
    return AnswerLost(f"The call broke down ({type(error).__name__})")
