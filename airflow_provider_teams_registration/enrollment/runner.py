"""
Execute the effects that the lifecycle decides, with threads, a clock, the ledger and the event.

One thread decides, waits and writes to the ledger. The dispatcher's threads make the calls. If something interrupts a
run, every registrant still gets a result.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from airflow_provider_teams_registration.core.scheduler import (
    Collect,
    Defer,
    Read,
    Sleep,
    Waits,
    Workload,
    Write,
    next_action,
)
from airflow_provider_teams_registration.core.state import (
    BatchRefused,
    ClaimExpired,
    Effect,
    Ended,
    GivenUp,
    Goal,
    Input,
    Policy,
    State,
)
from airflow_provider_teams_registration.enrollment.answers import (
    Answer,
    input_of_enrollment,
    input_of_removal,
)
from airflow_provider_teams_registration.enrollment.claim_expiry import ClaimExpiry
from airflow_provider_teams_registration.enrollment.dispatcher import BatchDispatcher
from airflow_provider_teams_registration.enrollment.ending import (
    NOT_SENT,
    what_aborted,
    why_not_begun,
    why_unfinished,
)
from airflow_provider_teams_registration.enrollment.giving_up import GivingUp
from airflow_provider_teams_registration.enrollment.lookups import Lookups
from airflow_provider_teams_registration.enrollment.pauses import Pauses
from airflow_provider_teams_registration.enrollment.recorder import OutcomeRecorder, Told
from airflow_provider_teams_registration.enrollment.resumption import Resumption
from airflow_provider_teams_registration.enrollment.sending_options import DeferRequested, SendingOptions
from airflow_provider_teams_registration.enrollment.tracked import Tracked
from airflow_provider_teams_registration.enrollment.worklist import Worklist
from airflow_provider_teams_registration.events.problems import problem_of
from airflow_provider_teams_registration.exceptions import Fenced, TeamsRegistrationError
from airflow_provider_teams_registration.graph.cutting import Cutting
from airflow_provider_teams_registration.graph.rate_limit import LONGEST_WAIT, PREPARE_AHEAD_SECONDS
from airflow_provider_teams_registration.ledger.shared_quota import QuotaTaken

if TYPE_CHECKING:
    from airflow_provider_teams_registration.core.outcome import Enrollment
    from airflow_provider_teams_registration.enrollment.progress import Progress
    from airflow_provider_teams_registration.events.base import Event, Registrant
    from airflow_provider_teams_registration.ledger.base import Ledger

log = logging.getLogger(__name__)


class EnrollmentRunner:
    """
    Enrolls people in an event, or cancels them.

    :param event: the event; prepared, if the run enrolls.
    :param ledger: the ledger, whose attempt has started.
    :param options: the options of the run.
    :param stop: an event that another thread sets to end the run.
    :param progress: logs how far the run is.
    :param goal: whether the run enrolls or cancels.
    :param resumption: what the run knows from before a deferral; None for a run that is never deferred.
    """

    def __init__(
        self,
        event: Event,
        ledger: Ledger,
        options: SendingOptions,
        stop: threading.Event,
        progress: Progress,
        goal: Goal = Goal.ENROLL,
        resumption: Resumption | None = None,
    ) -> None:
        self._event = event
        self._resumption = resumption or Resumption()
        self._recorder = OutcomeRecorder(ledger)
        self._options = options
        self._stop = stop
        self._progress = progress
        self._policy = Policy(
            ledger.run,
            event.links_are_readable,
            options.on_missing_join_url,
            options.settle_after,
            goal,
            event.removes_by_key,
            self._resumption.since,
        )
        self._work = Worklist()
        self._cutting: Cutting[Tracked] = Cutting()
        self._claims = ClaimExpiry(self._policy)
        self._pauses = Pauses(event.rate_limiter, options.defer_over, stop)
        self._giving_up = GivingUp(self._work, goal)
        self._lookups = Lookups(event, self._recorder, self._work, goal, options, self._pauses, self._resumption)
        self._earlier = 0
        self._done = 0

    @property
    def has_begun(self) -> bool:
        """Whether the run sent a request or found a person with an outcome, so that its report must not be lost."""
        return self._work.has_begun

    def run(self, registrants: Sequence[Registrant]) -> tuple[list[Enrollment], BaseException | None]:
        """
        Send some people, or take them off.

        This method raises nothing, because an error would lose the results of people who are enrolled already.

        :return: one enrollment per person, and the error that interrupted the run; None if nothing did.
        """
        people = [Tracked(registrant, self._policy) for registrant in registrants]
        self._lookups.begin_portion(people)
        aborted_by: BaseException | None = None
        dispatcher = BatchDispatcher(self._event, self._options.max_parallel_requests, self._stop)
        try:
            with dispatcher:
                self._lookups.ask_ledger(people)
                self._run(dispatcher)
        except BaseException as error:
            aborted_by = what_aborted(error)
        # The dispatcher has waited for the calls in flight. If one of these steps fails, the others still run.
        is_deferred = isinstance(aborted_by, DeferRequested) and self._options.defer_over is not None
        steps: list[Callable[[], None]] = [partial(self._collect, dispatcher, 0.0)] * dispatcher.unanswered
        steps.append(partial(self._stop_sending, is_deferred))
        for step in steps:
            try:
                step()
            except BaseException as error:
                aborted_by = aborted_by or error
        self._end(people, aborted_by)
        # From here on, everybody of earlier portions counts as done.
        self._earlier += len(people)
        self._done, self._lookups.done = self._earlier, 0
        return [one.enrollment() for one in people], aborted_by

    def outcomes_without_sending(self, registrants: Sequence[Registrant]) -> list[Enrollment]:
        """Return the outcomes that the ledger records for people who follow after the run was interrupted."""
        people = [Tracked(registrant, self._policy) for registrant in registrants]
        try:
            for one, event in self._recorder.load(people):
                one.advance(event, time.monotonic())
        except TeamsRegistrationError:
            log.debug("The ledger cannot be read any more.")
        for one in people:
            if one.state.state is not State.DONE:
                one.advance(Ended(why_not_begun(one)), time.monotonic())
        return [one.enrollment() for one in people]

    def _run(self, dispatcher: BatchDispatcher) -> None:
        while True:
            self._pauses.check_stop()
            if self._cutting.refusal is not None:
                self._giving_up.give_up(GivenUp(problem_of(self._cutting.refusal), is_refused=True))
            if self._work.count(Effect.FIND_PRESENT):
                self._lookups.find_present()
            batches = self._reserve_batches(dispatcher)
            action = next_action(self._workload(dispatcher, batches), self._waits)
            if isinstance(action, Write):
                self._write(dispatcher, batches)
            elif isinstance(action, Collect):
                self._collect(dispatcher, action.seconds)
            elif isinstance(action, Read):
                self._lookups.read()
            elif isinstance(action, Sleep | Defer):
                self._pauses.sleep(action)
            else:
                return

    @property
    def _waits(self) -> Waits:
        options, allowance = self._options, self._resumption.time.allowance
        return Waits(LONGEST_WAIT, options.defer_over, PREPARE_AHEAD_SECONDS, options.defer_quota_over, allowance)

    def _workload(self, dispatcher: BatchDispatcher, batches: Sequence[Sequence[Tracked]]) -> Workload:
        work, rate_limiter = self._work, self._event.rate_limiter
        if work.queued:
            self._resumption.ready_to_send()
        return Workload(
            unwritten=len(batches) + work.count(Effect.RECORD) + work.count(Effect.CLAIM),
            calls=dispatcher.unanswered,
            has_room=dispatcher.free_slots > 0,
            queued=len(work.queued),
            uncertain=work.count(Effect.LOOK_UP),
            claimed_elsewhere=work.count(Effect.POLL_LEDGER),
            send_wait=rate_limiter.send_wait(),
            back_off=rate_limiter.backoff_remaining(),
            resume_wait=rate_limiter.full_quota_wait(),
            read_wait=self._lookups.wait,
        )

    def _reserve_batches(self, dispatcher: BatchDispatcher) -> list[list[Tracked]]:
        """Return the batches to claim now. Their registrants stay queued until the ledger holds the claims."""
        batches: list[list[Tracked]] = []
        reserved = 0
        while len(batches) < dispatcher.free_slots and self._event.rate_limiter.send_wait() <= PREPARE_AHEAD_SECONDS:
            batch = self._cutting.first_batch(islice(self._work.queued, reserved, None), self._event.batch_size)
            is_held_back = self._cutting.is_in_doubt and len(batch) > 1 and (batches or dispatcher.unanswered)
            if not batch or is_held_back:
                break
            reserved += len(batch)
            # Reserve their quota now, because the next decision to send must count these writes.
            self._event.rate_limiter.reserve(len(batch))
            batches.append(batch)
        return batches

    def _write(self, dispatcher: BatchDispatcher, batches: Sequence[Sequence[Tracked]]) -> None:
        """Write results and claims to the ledger, and submit the calls for claimed registrants."""
        work = self._work
        decided, claiming = work.take(Effect.RECORD), work.take(Effect.CLAIM)
        queued = [one for batch in batches for one in batch]
        claimed_at = time.monotonic()
        try:
            told = self._recorder.write(decided, [*queued, *claiming])
        except BaseException as error:
            self._event.rate_limiter.release(len(queued))
            if not isinstance(error, Fenced):
                # The last write of the run tries these again.
                work.put_back(Effect.RECORD, decided)
                work.put_back(Effect.CLAIM, claiming)
            if isinstance(error, QuotaTaken):
                return
            raise
        for _ in queued:
            work.queued.popleft()
        ready = set(work.apply(told))
        expires_at = self._claims.expiry(claimed_at)
        for batch in batches:
            still_ours = [one for one in batch if one in ready]
            self._event.rate_limiter.release(len(batch) - len(still_ours))
            if still_ours:
                dispatcher.submit(still_ours, expires_at)
        self._done += sum(one.state.state is State.DONE for one, _ in told)
        self._progress.tell(self._done + self._lookups.done)
        if ready:
            self._claims.refuse_slow_ledger(expires_at)

    def _collect(self, dispatcher: BatchDispatcher, timeout: float) -> None:
        for batch, answers in dispatcher.answers(timeout):
            # A person whose claim expired was not sent, so nothing was learned about the service.
            sent = [(one, answer) for one, answer in zip(batch, answers, strict=True) if answer != ClaimExpired()]
            to_cut = self._cutting.judge([one for one, _ in sent], [answer for _, answer in sent])
            told: Told = []
            for one, answer in zip(batch, answers, strict=True):
                told.append((one, BatchRefused() if one in to_cut else self._input_of(one, answer)))
            if self._work.apply(told):
                raise AssertionError("an answer claims nobody")
            if any(one.effect is Effect.LOOK_UP or one.state.state is State.ACCEPTED for one in batch):
                self._lookups.read_soon()
            self._cutting.probe(self._work.queued)
            self._giving_up.if_hopeless(answers, dispatcher.rounds.consecutive_throttled)

    def _input_of(self, one: Tracked, answer: Answer) -> Input:
        if one.effect is Effect.REMOVE and isinstance(answer, TeamsRegistrationError):
            return input_of_removal(answer, self._policy.goal)
        return input_of_enrollment(answer)

    def _stop_sending(self, is_deferred: bool) -> None:
        """
        Give queued registrants up, and write the last results and claims to the ledger.

        :param is_deferred: whether the next attempt goes on. The ledger then needs to know nothing of registrants whom
            that attempt sends, except that their claims came to nothing.
        """
        if is_deferred:
            self._work.drop_unclaimed()
        self._giving_up.give_up(GivenUp(NOT_SENT[self._policy.goal]))
        decided, claiming = self._work.take(Effect.RECORD), self._work.take(Effect.CLAIM)
        self._work.apply(self._recorder.write(decided, claiming))

    def _end(self, people: Sequence[Tracked], aborted_by: BaseException | None) -> None:
        """Give a result to each registrant who has none, or whose result is not in the ledger."""
        self._work.clear()
        for one in people:
            if one.state.state is not State.DONE:
                one.advance(Ended(why_unfinished(one, aborted_by)), time.monotonic())
