"""The sending: ledger, call, ledger; lost answers settled by reading; nobody forgotten when it is cut short."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from airflow_provider_teams_registration.enrollment.answer import (
    MAX_TRIES,
    Answer,
    read_answer,
    was_not_executed,
)
from airflow_provider_teams_registration.enrollment.books import Books, Finished
from airflow_provider_teams_registration.enrollment.breakdown import breakdown
from airflow_provider_teams_registration.enrollment.calls import Calls
from airflow_provider_teams_registration.enrollment.event import Standing
from airflow_provider_teams_registration.enrollment.ledger import FencedOff, utc_now
from airflow_provider_teams_registration.enrollment.outcome import Enrollment, Outcome
from airflow_provider_teams_registration.enrollment.person import Person
from airflow_provider_teams_registration.enrollment.queues import Queues
from airflow_provider_teams_registration.enrollment.recall import Recalled, recall, recalled
from airflow_provider_teams_registration.enrollment.sending_options import Postponed, SendingOptions, Stopped
from airflow_provider_teams_registration.enrollment.settling import Settling, Step
from airflow_provider_teams_registration.graph.errors import (
    SignInError,
    TeamsRegistrationError,
    Throttled,
    longest_wait,
)
from airflow_provider_teams_registration.graph.pace import HEAD_START, LONGEST_WAIT

if TYPE_CHECKING:
    from airflow_provider_teams_registration.enrollment.event import Event, Registrant
    from airflow_provider_teams_registration.enrollment.ledger import Ledger
    from airflow_provider_teams_registration.enrollment.progress import Progress

log = logging.getLogger(__name__)

_SECONDS_BETWEEN_LOOKS_AT_STOP = 0.5
_SECONDS_BETWEEN_LOOKS_AT_LEDGER = 1.0
_FIRST_LOOK_AT_EVENT = 0.5
_LONGEST_BETWEEN_LOOKS_AT_EVENT = 10.0
_NOT_SENT = "Not sent: the task was stopped before"
_NOT_SETTLED = "Sent or about to be sent when the task ended"
_LONGEST_GOOD_FOR, _SHORTEST_GOOD_FOR = timedelta(seconds=1), timedelta(seconds=0.1)


class Sending:
    """
    Sends people to an event. Its own thread alone decides, waits and writes the ledger; the others make the calls.

    :param event: the event, prepared.
    :param ledger: the ledger, begun.
    :param options: how.
    :param stop: set from outside to end the sending.
    :param progress: tells how far it is.
    """

    def __init__(
        self, event: Event, ledger: Ledger, options: SendingOptions, stop: threading.Event, progress: Progress
    ) -> None:
        self._event = event
        self._run = ledger.run
        self._books = Books(ledger)
        self._options = options
        self._stop = stop
        self._progress = progress
        self._settle_after = timedelta(seconds=options.settle_after)
        settling = Settling(event.hands_links_out_once, options.on_missing_join_url, self._settle_after)
        self._queues = Queues(event, self._books, settling, ledger.run, self._wait_to_read)
        self._through = 0
        self._pause = 0.0
        self._next_look = 0.0

    @property
    def has_begun(self) -> bool:
        """Whether anybody was sent, or was through already: there is something to report."""
        return self._queues.has_begun

    def run(self, registrants: Sequence[Registrant]) -> tuple[list[Enrollment], BaseException | None]:
        """
        Send some people.

        :return: what became of each, and what cut the sending short, if anything did. Nothing is raised: whoever was
            enrolled by then must not be forgotten.
        """
        people = [Person(registrant) for registrant in registrants]
        cut_short: BaseException | None = None
        calls = Calls(self._event, self._options.max_parallel_requests, self._good_for, self._stop)
        try:
            with calls:
                self._queues.decide(self._books.recall(people))
                self._send_all(calls)
        except Throttled as error:
            cut_short = error if error.retry_after is None else Postponed(error.retry_after)
        except BaseException as error:
            cut_short = error
            if isinstance(error, Exception) and not isinstance(error, TeamsRegistrationError | Stopped | Postponed):
                log.error("The sending broke down with %s.", breakdown(error))
        # Leaving the block has waited for the calls under way. Whichever of these breaks down, the others must follow.
        steps = [partial(self._take_answers, calls, 0.0)] * calls.unanswered + [partial(self._stop_waiting, calls)]
        for step in steps:
            try:
                step()
            except BaseException as error:
                cut_short = cut_short or error
        done = self._books.take_done()
        done += self._left_over(people, done)
        self._through += len(done)
        return done, cut_short

    def leave(self, registrants: Sequence[Registrant]) -> list[Enrollment]:
        """Account for people who come after the sending was cut short, as the ledger knows them, and send nobody."""
        people = [Person(registrant) for registrant in registrants]
        try:
            known = self._books.recall(people)
        except TeamsRegistrationError:
            return [person.refused(_NOT_SETTLED, Outcome.UNKNOWN) for person in people]
        now = utc_now()
        left: list[Enrollment] = []
        for person, entry in known:
            person.entry = entry
            what = recall(entry, self._run, self._settle_after, now)
            if what is Recalled.DONE:
                left.append(recalled(person, self._run))
            elif what is Recalled.NEW:
                left.append(person.refused(_NOT_SENT))
            else:
                left.append(person.refused(_NOT_SETTLED, Outcome.UNKNOWN))
        return left

    @property
    def _good_for(self) -> timedelta:
        """How long after the ledger's "sent" somebody may go: long before another run may think that they did not."""
        return max(min(self._settle_after / 2, _LONGEST_GOOD_FOR), _SHORTEST_GOOD_FOR)

    def _send_all(self, calls: Calls) -> None:
        while not self._queues.is_empty or calls.unanswered:
            self._look_at_stop()
            batches = self._begin_batches(calls)
            if batches or self._queues.to_note:
                self._write(batches, calls)
                continue
            pause = self._event.pace.left()
            if calls.unanswered:
                # An answer that comes in meanwhile may ask for a longer wait.
                longest = _SECONDS_BETWEEN_LOOKS_AT_STOP
                is_held_up = bool(self._queues.waiting) and calls.room > 0
                self._take_answers(calls, min(max(pause - HEAD_START, 0), longest) if is_held_up else longest)
            elif self._queues.waiting and not self._may_look():
                self._wait(pause)
            else:
                self._look()

    def _begin_batches(self, calls: Calls) -> list[list[Person]]:
        """Those who can be sent now, or lined up, call by call. They wait on until the ledger has them."""
        batches: list[list[Person]] = []
        waiting = iter(self._queues.waiting)
        while len(batches) < calls.room and self._event.pace.left() <= HEAD_START:
            batch = list(islice(waiting, self._event.batch_size))
            if not batch:
                break
            # Now, not when they go: the next decision to send must know of these.
            self._event.pace.begin(len(batch))
            batches.append(batch)
        return batches

    def _write(self, batches: Sequence[Sequence[Person]], calls: Calls) -> None:
        """Note what is known and who is sent next, and send them."""
        queues = self._queues
        finished, queues.finished = queues.finished, []
        accepted, queues.accepted = queues.accepted, []
        people = [person for batch in batches for person in batch]
        try:
            claimed, foreign = self._books.write(finished, [*people, *accepted])
        except FencedOff:
            raise
        except BaseException:
            # The last write of all tries it once more.
            queues.finished, queues.accepted = finished + queues.finished, accepted + queues.accepted
            raise
        for _ in people:
            queues.waiting.popleft()
        queues.has_begun = queues.has_begun or bool(claimed)
        ours = set(claimed)
        queues.unsettled += [person for person in accepted if person in ours]
        for batch in batches:
            still_ours = [person for person in batch if person in ours]
            self._event.pace.forgo(len(batch) - len(still_ours))
            if still_ours:
                calls.make(still_ours)
        self._progress.tell(self._through + len(self._books.done))
        if foreign:
            queues.decide(foreign)

    def _may_look(self) -> bool:
        """Whether a wait before the next send can be used to read."""
        is_due = bool(self._queues.unsettled) and time.monotonic() >= self._next_look
        return is_due and not self._event.pace.held()

    def _look_at_stop(self) -> None:
        if self._stop.is_set():
            raise Stopped("the task was asked to stop")

    def _wait(self, seconds: float) -> None:
        defer_over = self._options.defer_over
        is_too_long = self._event.pace.held() > LONGEST_WAIT if defer_over is None else seconds > defer_over
        if is_too_long:
            # Whoever goes on then knows nothing of what was written before.
            raise Postponed(self._event.pace.left_until_all_may())
        self._stop.wait(min(max(seconds - HEAD_START, 0), _SECONDS_BETWEEN_LOOKS_AT_STOP))

    def _wait_to_read(self) -> None:
        while held := self._event.pace.held():
            self._look_at_stop()
            self._wait(held + HEAD_START)

    def _take_answers(self, calls: Calls, timeout: float) -> None:
        for people, answers in calls.answers(timeout):
            self._take(people, answers)
            self._give_up_in_vain(answers, calls.rounds.in_vain)

    def _take(self, people: Sequence[Person], answers: Sequence[Answer]) -> None:
        go_on: list[Person] = []
        for person, answer in zip(people, answers, strict=True):
            step = read_answer(person, answer, hands_links_out_once=self._event.hands_links_out_once)
            if step is Step.LOOK_AGAIN:
                # A yes must not be forgotten while what came of it is looked for.
                (self._queues.accepted if person.is_accepted else self._queues.unsettled).append(person)
                self._pause, self._next_look = 0.0, 0.0
            elif step is not Step.SEND:
                error = None if isinstance(answer, Standing) else answer
                self._queues.finished.append(Finished(person, step, error))
            elif isinstance(answer, Standing):
                # Taken off, or not sent yet: they were next.
                go_on.append(person)
            else:
                self._queues.waiting.append(person)
        self._queues.waiting.extendleft(reversed(go_on))

    def _give_up_in_vain(self, answers: Sequence[Answer], rounds_in_vain: int) -> None:
        """Give up where Entra refuses, or where the service asks for too much patience, or too often."""
        refused = next((one for one in answers if isinstance(one, SignInError) and not one.transient), None)
        if refused is not None:
            self._queues.give_up("Not sent: Microsoft Entra gives no token any more")
            raise refused
        not_executed = [one for one in answers if was_not_executed(one)]
        longest = longest_wait(not_executed) or 0
        if not_executed and (rounds_in_vain >= MAX_TRIES or longest > LONGEST_WAIT):
            # Graph's wording was blanked for one person, and speaks to others here.
            what = "Graph throttles (429)" if isinstance(not_executed[0], Throttled) else "Graph is out of reach"
            self._queues.give_up(f"Not sent: {what}; given up for now")
        if longest > LONGEST_WAIT:
            raise Postponed(longest)

    def _look(self) -> None:
        """Read the event about those whose answer was lost, or the ledger about those whom another run is at."""
        left = self._next_look - time.monotonic()
        if left > 0:
            self._stop.wait(min(left, _SECONDS_BETWEEN_LOOKS_AT_STOP))
            return
        if self._queues.unsettled:
            self._queues.read_about_unsettled()
            self._pause = min(max(self._pause * 2, _FIRST_LOOK_AT_EVENT), _LONGEST_BETWEEN_LOOKS_AT_EVENT)
        else:
            self._pause = _SECONDS_BETWEEN_LOOKS_AT_LEDGER
        if self._queues.busy:
            self._queues.ask_about_busy()
        self._next_look = time.monotonic() + self._pause

    def _stop_waiting(self, calls: Calls) -> None:
        self._queues.give_up(_NOT_SENT)
        self._write([], calls)

    def _left_over(self, people: Sequence[Person], done: Sequence[Enrollment]) -> list[Enrollment]:
        """Account for those whose outcome the ledger could not be told, and for those who have none."""
        untold = [one.enrollment for one in self._queues.finished]
        self._queues.clear()
        through = {enrollment.position for enrollment in [*done, *untold]}
        return untold + [_left_open(person) for person in people if person.registrant.position not in through]


def _left_open(person: Person) -> Enrollment:
    if person.is_accepted:
        return person.not_shown()
    return person.refused("Sent, and the answer was lost" if person.is_ours else _NOT_SETTLED, Outcome.UNKNOWN)
