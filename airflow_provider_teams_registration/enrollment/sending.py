"""The sending: ledger, call, ledger; lost answers settled by reading; nobody forgotten when it is cut short."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from airflow_provider_teams_registration.enrollment.answer import (
    MAX_TRIES,
    NOT_EXECUTED,
    NOT_SENT,
    Answer,
    longest_wait,
    read_answer,
)
from airflow_provider_teams_registration.enrollment.books import Books, Finished, Foreign
from airflow_provider_teams_registration.enrollment.calls import Calls
from airflow_provider_teams_registration.enrollment.event import Standing
from airflow_provider_teams_registration.enrollment.ledger import utc_now
from airflow_provider_teams_registration.enrollment.outcome import Enrollment, Outcome
from airflow_provider_teams_registration.enrollment.person import Person
from airflow_provider_teams_registration.enrollment.recall import (
    Recalled,
    is_enrolled_by_others,
    mark_change,
    recall,
    recalled,
)
from airflow_provider_teams_registration.enrollment.sending_options import Postponed, SendingOptions, Stopped
from airflow_provider_teams_registration.enrollment.settling import Settling, Step
from airflow_provider_teams_registration.graph.errors import TeamsRegistrationError, Throttled
from airflow_provider_teams_registration.graph.pace import HEAD_START, LONGEST_WAIT

if TYPE_CHECKING:
    from airflow_provider_teams_registration.enrollment.event import Event, Registrant
    from airflow_provider_teams_registration.enrollment.ledger import Ledger
    from airflow_provider_teams_registration.enrollment.progress import Progress

_SECONDS_BETWEEN_LOOKS_AT_STOP = 0.5
_SECONDS_BETWEEN_LOOKS_AT_LEDGER = 1.0
_FIRST_LOOK_AT_EVENT = 0.5
_LONGEST_BETWEEN_LOOKS_AT_EVENT = 10.0
_NOT_SENT = "Not sent: the task was stopped before"
_NOT_SETTLED = "Sent or about to be sent when the task ended"
_LONGEST_GOOD_FOR, _SHORTEST_GOOD_FOR = timedelta(seconds=1), timedelta(seconds=0.1)


class Sending:
    """
    Sends people to an event. Its own thread alone decides, waits and writes the ledger; the others make one call each.

    :param event: the event, prepared.
    :param ledger: the ledger, begun.
    :param options: how.
    :param stop: set from outside to end the sending.
    :param progress: tells how far it is.
    :ivar has_begun: whether anybody was sent, or was through already: there is something to report.
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
        self._settling = Settling(event.hands_links_out_once, options.on_missing_join_url, self._settle_after)
        self.has_begun = False
        self._through = 0
        self._calls_in_vain = 0
        self._waiting: deque[Person] = deque()
        self._finished: list[Finished] = []
        self._accepted: list[Person] = []
        self._unsettled: list[Person] = []
        self._busy: list[Person] = []
        self._pause = 0.0
        self._next_look = 0.0
        self._witness: Registrant | None = None

    def run(self, registrants: Sequence[Registrant]) -> tuple[list[Enrollment], BaseException | None]:
        """
        Send some people.

        :return: what became of each, and what cut the sending short, if anything did. Nothing is raised: whoever was
            enrolled by then must not be forgotten.
        """
        self._books.done = []
        people = [Person(registrant) for registrant in registrants]
        cut_short: BaseException | None = None
        calls = Calls(self._event, self._options.max_parallel_requests, self._good_for, self._stop)
        try:
            with calls:
                self._decide(self._books.recall(people))
                self._send_all(calls)
        except Throttled as error:
            cut_short = error if error.retry_after is None else Postponed(error.retry_after)
        except BaseException as error:
            cut_short = error
        # Leaving the block has waited for the calls under way.
        taking_answers = [partial(self._take_answers, calls, timeout=0)] * calls.unanswered
        for last_step in [*taking_answers, partial(self._stop_waiting, calls)]:
            try:
                last_step()
            except BaseException as error:
                cut_short = cut_short or error
        done = self._books.done + self._left_over(people)
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
        while self._waiting or self._to_note or calls.unanswered or self._unsettled or self._busy:
            if self._stop.is_set():
                raise Stopped("the task was asked to stop")
            batches = self._begin_batches(calls)
            if batches or self._to_note:
                self._write(batches, calls)
                continue
            pause = self._event.pace.left()
            if calls.unanswered:
                # An answer that comes in meanwhile may ask for a longer wait.
                longest = _SECONDS_BETWEEN_LOOKS_AT_STOP
                is_held_up = bool(self._waiting) and calls.room > 0
                self._take_answers(calls, timeout=min(max(pause - HEAD_START, 0), longest) if is_held_up else longest)
            elif self._waiting and not self._may_look():
                self._wait(pause)
            else:
                self._look()

    @property
    def _to_note(self) -> bool:
        """Whether there is something that the ledger does not know yet."""
        return bool(self._finished or self._accepted)

    def _begin_batches(self, calls: Calls) -> list[list[Person]]:
        """Those who can be sent now, or lined up, call by call. They wait on until the ledger has them."""
        batches: list[list[Person]] = []
        waiting = iter(self._waiting)
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
        finished, self._finished = self._finished, []
        accepted, self._accepted = self._accepted, []
        people = [person for batch in batches for person in batch]
        claimed, foreign = self._books.write(finished, [*people, *accepted])
        for _ in people:
            self._waiting.popleft()
        self.has_begun = self.has_begun or bool(claimed)
        ours = set(claimed)
        self._unsettled += [person for person in accepted if person in ours]
        for batch in batches:
            still_ours = [person for person in batch if person in ours]
            self._event.pace.forgo(len(batch) - len(still_ours))
            if still_ours:
                calls.make(still_ours)
        self._progress.tell(self._through + len(self._books.done))
        if foreign:
            self._decide(foreign)

    def _may_look(self) -> bool:
        """Whether a wait before the next send can be used to read."""
        is_due = bool(self._unsettled) and time.monotonic() >= self._next_look
        return is_due and not self._event.pace.held()

    def _wait(self, seconds: float) -> None:
        if self._options.defer_over is not None and seconds > self._options.defer_over:
            # Whoever goes on then knows nothing of what was written before.
            raise Postponed(self._event.pace.left_until_all_may())
        self._stop.wait(min(max(seconds - HEAD_START, 0), _SECONDS_BETWEEN_LOOKS_AT_STOP))

    def _decide(self, people: Foreign) -> None:
        """Act on what the ledger says of people."""
        now = utc_now()
        groups: dict[Recalled, list[Person]] = {what: [] for what in Recalled}
        for person, entry in people:
            person.entry = entry
            groups[recall(entry, self._run, self._settle_after, now)].append(person)
        self.has_begun = self.has_begun or bool(groups[Recalled.DONE] or groups[Recalled.UNSETTLED])
        for person in groups[Recalled.DONE]:
            self._books.done.append(recalled(person, self._run))
            self._witness = person.registrant
        self._books.touch(groups[Recalled.DONE])
        self._busy += groups[Recalled.BUSY]
        for person in groups[Recalled.UNSETTLED]:
            person.take_over()
        self._unsettle(groups[Recalled.UNSETTLED])
        for person in groups[Recalled.LINKLESS]:
            self._decide_linkless(person)
        self._sort_out_present(groups[Recalled.NEW])

    def _decide_linkless(self, person: Person) -> None:
        if not self._event.hands_links_out_once:
            # They were on the event: whoever is not any more was taken off, and is sent anew.
            person.is_ours = person.entry is None or not is_enrolled_by_others(person.entry, self._run)
            self._unsettled.append(person)
            return
        step = self._settling.settle_linkless(person)
        if isinstance(step, Enrollment):
            self._books.done.append(mark_change(step, person))
        else:
            self._waiting.append(person)

    def _sort_out_present(self, new: Sequence[Person]) -> None:
        """Tell those who are on the event without our doing from those who are to be sent."""
        if not new:
            return
        present = self._event.present([person.registrant for person in new])
        self._follow((person, self._settling.settle_new(person, present)) for person in new)

    def _follow(self, steps: Iterable[tuple[Person, Enrollment | Step]]) -> None:
        for person, step in steps:
            if step is Step.SEND:
                self._waiting.append(person)
            elif step is Step.LOOK_AGAIN:
                self._unsettled.append(person)
            else:
                self._finished.append(Finished(person, step, person.refusal))

    def _unsettle(self, people: Sequence[Person]) -> None:
        """Take over people whom an older attempt, or a run that went silent, left without an outcome."""
        claimed, foreign = self._books.write([], people)
        self._unsettled += claimed
        if foreign:
            self._decide(foreign)

    def _take_answers(self, calls: Calls, timeout: float) -> None:
        for people, answers in calls.answers(timeout):
            self._take(people, answers)

    def _take(self, people: Sequence[Person], answers: Sequence[Answer]) -> None:
        first: list[Person] = []
        for person, answer in zip(people, answers, strict=True):
            step = read_answer(person, answer, hands_links_out_once=self._event.hands_links_out_once)
            if step is Step.LOOK_AGAIN:
                # A yes must not be forgotten while what came of it is looked for.
                (self._accepted if person.is_accepted else self._unsettled).append(person)
                self._pause, self._next_look = 0.0, 0.0
            elif step is not Step.SEND:
                self._finished.append(Finished(person, step, None if isinstance(answer, Standing) else answer))
            elif isinstance(answer, Standing):
                first.append(person)
            else:
                self._waiting.append(person)
        self._waiting.extendleft(reversed(first))
        if any(answer is not NOT_SENT for answer in answers):
            not_executed = [answer for answer in answers if isinstance(answer, NOT_EXECUTED)]
            self._count_in_vain(not_executed, went_through=len(not_executed) < len(answers))

    def _count_in_vain(self, not_executed: Sequence[TeamsRegistrationError], went_through: bool) -> None:
        """Give up where the service asks for too much patience, or too often."""
        self._calls_in_vain = 0 if went_through else self._calls_in_vain + 1
        if not not_executed:
            return
        longest = longest_wait(not_executed) or 0
        if self._calls_in_vain >= MAX_TRIES or longest > LONGEST_WAIT:
            # Graph's wording was blanked for one person, and speaks to others here.
            what = "Graph throttles (429)" if isinstance(not_executed[0], Throttled) else "Graph is out of reach"
            self._give_up(f"Not sent: {what}; given up for now")
        if longest > LONGEST_WAIT:
            raise Postponed(longest)

    def _look(self) -> None:
        """Read the event about those whose answer was lost, or the ledger about those whom another run is at."""
        left = self._next_look - time.monotonic()
        if left > 0:
            self._stop.wait(min(left, _SECONDS_BETWEEN_LOOKS_AT_STOP))
            return
        if self._unsettled:
            people, self._unsettled = self._unsettled, []
            try:
                found = self._event.find([person.registrant for person in people], self._witness)
            except BaseException:
                self._unsettled = people
                raise
            now = utc_now()
            self._follow((person, self._settling.settle(person, found, now)) for person in people)
            self._pause = min(max(self._pause * 2, _FIRST_LOOK_AT_EVENT), _LONGEST_BETWEEN_LOOKS_AT_EVENT)
        else:
            self._pause = _SECONDS_BETWEEN_LOOKS_AT_LEDGER
        if self._busy:
            people, self._busy = self._busy, []
            self._decide(self._books.recall(people))
        self._next_look = time.monotonic() + self._pause

    def _give_up(self, why: str) -> None:
        """Note that those who wait to be sent were not."""
        self._finished += [Finished(person, person.given_up(why)) for person in self._waiting]
        self._waiting.clear()

    def _stop_waiting(self, calls: Calls) -> None:
        self._give_up(_NOT_SENT)
        self._write([], calls)

    def _left_over(self, people: Sequence[Person]) -> list[Enrollment]:
        """Account for those of whom nothing more is known than that the sending ended."""
        done = {enrollment.position for enrollment in self._books.done}
        self._waiting.clear()
        self._accepted, self._unsettled, self._busy = [], [], []
        return [_left_open(person) for person in people if person.registrant.position not in done]


def _left_open(person: Person) -> Enrollment:
    if person.is_accepted:
        return person.not_shown()
    return person.refused("Sent, and the answer was lost" if person.is_ours else _NOT_SETTLED, Outcome.UNKNOWN)
