"""The batches under way: sent side by side, throttled ones again, and nobody's outcome lost when it is cut short."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections import deque
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from airflow_provider_teams_registration.enrollment.outcome import Enrollment, Outcome
from airflow_provider_teams_registration.enrollment.registrant import Registrant
from airflow_provider_teams_registration.enrollment.report import count_registrants
from airflow_provider_teams_registration.graph.batch import MAX_BATCH
from airflow_provider_teams_registration.graph.errors import (
    AnswerLost,
    GraphError,
    ServiceUnreachable,
    TeamsRegistrationError,
    Throttled,
)
from airflow_provider_teams_registration.graph.online_meeting import ExternalMeetingRegistrant
from airflow_provider_teams_registration.graph.pace import LONGEST_WAIT

if TYPE_CHECKING:
    from airflow_provider_teams_registration.graph.online_meeting import OnlineMeeting
    from airflow_provider_teams_registration.graph.pace import Pace

log = logging.getLogger(__name__)

MAX_TRIES = 8
_SECONDS_BETWEEN_PROGRESS = 10.0
_SECONDS_BETWEEN_LOOKS_AT_STOP = 0.5

Answer = ExternalMeetingRegistrant | TeamsRegistrationError


class Stopped(Exception):
    """Somebody asked for an end of the sending."""


class Sending:
    """
    Sends people to an event. Its own thread alone decides and waits; the others make one call each.

    :param event: the event.
    :param pace: the pace of the event's session.
    :param registrants: the people, each id once.
    :param max_parallel_requests: how many calls may be under way at once.
    :param stop: set from outside to end the sending.
    """

    def __init__(
        self,
        event: OnlineMeeting,
        pace: Pace,
        registrants: Sequence[Registrant],
        max_parallel_requests: int,
        stop: threading.Event,
    ) -> None:
        self._event = event
        self._pace = pace
        self._stop = stop
        self._waiting = deque(registrants)
        self._tries: dict[int, int] = {}
        self._calls_in_vain = 0
        self._under_way: dict[Future[list[Answer]], list[Registrant]] = {}
        self._done: list[Enrollment] = []
        self._max_parallel_requests = max_parallel_requests
        self._progress = _Progress(len(registrants))

    def run(self) -> tuple[list[Enrollment], BaseException | None]:
        """
        Send everybody.

        :return: what became of each, and what cut the sending short, if anything did. Nothing is raised: whoever was
            enrolled by then must not be forgotten.
        """
        cut_short: BaseException | None = None
        with ThreadPoolExecutor(self._max_parallel_requests, thread_name_prefix="enroll") as threads:
            try:
                self._send_all(threads)
            except BaseException as error:
                cut_short = error
        # Leaving the block has waited for the calls under way.
        self._take_answers(timeout=0)
        self._give_up("Not sent: the task was stopped before")
        return self._done, cut_short

    def _send_all(self, threads: ThreadPoolExecutor) -> None:
        while self._waiting or self._under_way:
            self._take_answers(timeout=0)
            if self._stop.is_set():
                raise Stopped("the task was asked to stop")
            may_send = bool(self._waiting) and len(self._under_way) < self._max_parallel_requests
            pause = self._pace.left()
            if may_send and not pause:
                self._send_next(threads)
            elif self._under_way:
                # An answer that comes in meanwhile may ask for a longer wait.
                longest = _SECONDS_BETWEEN_LOOKS_AT_STOP
                self._take_answers(timeout=min(pause, longest) if may_send else longest)
            else:
                self._stop.wait(min(pause, _SECONDS_BETWEEN_LOOKS_AT_STOP))

    def _send_next(self, threads: ThreadPoolExecutor) -> None:
        batch = [self._waiting.popleft() for _ in range(min(MAX_BATCH, len(self._waiting)))]
        call = threads.submit(self._event.enroll, [registrant.registrant for registrant in batch])
        self._under_way[call] = batch

    def _take_answers(self, timeout: float) -> None:
        finished, _ = wait(self._under_way, timeout, FIRST_COMPLETED)
        for call in finished:
            batch = self._under_way.pop(call)
            error = call.exception()
            self._take(batch, call.result() if error is None else [_failure_of_ours(error)] * len(batch))

    def _take(self, batch: Sequence[Registrant], answers: Sequence[Answer]) -> None:
        not_executed: list[TeamsRegistrationError] = []
        for registrant, answer in zip(batch, answers, strict=True):
            if isinstance(answer, Throttled | ServiceUnreachable) and self._may_go_again(registrant):
                self._waiting.append(registrant)
                not_executed.append(answer)
            else:
                self._done.append(_enrollment(registrant, answer))
        went_through = len(not_executed) < len(batch)
        self._calls_in_vain = 0 if went_through else self._calls_in_vain + 1
        if went_through:
            self._pace.ease()
        if not_executed:
            self._hold(not_executed)
        self._progress.tell(len(self._done))

    def _may_go_again(self, registrant: Registrant) -> bool:
        tries = self._tries[registrant.position] = self._tries.get(registrant.position, 0) + 1
        return tries < MAX_TRIES

    def _hold(self, not_executed: Sequence[TeamsRegistrationError]) -> None:
        asked = [seconds for error in not_executed if (seconds := getattr(error, "retry_after", None)) is not None]
        longest = max(asked, default=None)
        if self._calls_in_vain >= MAX_TRIES or (longest or 0) > LONGEST_WAIT:
            self._give_up(f"{not_executed[0]}; given up for now")
        else:
            self._pace.hold(longest)

    def _give_up(self, why: str) -> None:
        while self._waiting:
            registrant = self._waiting.popleft()
            self._done.append(
                Enrollment(registrant.position, registrant.row, Outcome.REJECTED, error=why, reason=why, transient=True)
            )


class _Progress:
    """Tells now and then how far a long run is."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._started = self._told = time.monotonic()

    def tell(self, done: int) -> None:
        now = time.monotonic()
        if now - self._told < _SECONDS_BETWEEN_PROGRESS or not done:
            return
        self._told = now
        left = (now - self._started) / done * (self._total - done)
        log.info("%s of %s through, about %.0f s to go.", f"{done:,}", count_registrants(self._total), left)


def _failure_of_ours(error: BaseException) -> TeamsRegistrationError:
    """What stands for a batch whose call broke down on our side: the others' rows must not go down with it."""
    if isinstance(error, TeamsRegistrationError):
        return error
    # The error's own text may hold what was sent.
    places = " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(traceback.extract_tb(error.__traceback__)))
    log.error("A call broke down with %s at %s.", type(error).__name__, places)
    return AnswerLost(f"The call broke down ({type(error).__name__})")


def _enrollment(registrant: Registrant, answer: Answer) -> Enrollment:
    if isinstance(answer, ExternalMeetingRegistrant):
        return Enrollment(registrant.position, registrant.row, Outcome.ENROLLED, join_web_url=answer.join_web_url)
    return Enrollment(
        registrant.position,
        registrant.row,
        Outcome.UNKNOWN if isinstance(answer, AnswerLost) else Outcome.REJECTED,
        error=str(answer),
        reason=_reason(answer),
        transient=answer.transient,
    )


def _reason(error: TeamsRegistrationError) -> str:
    if isinstance(error, AnswerLost):
        return error.what
    if isinstance(error, GraphError):
        return " ".join(filter(None, [error.reason, error.advice]))
    return str(error)
