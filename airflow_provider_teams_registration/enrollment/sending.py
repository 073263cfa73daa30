"""The sending: ledger, call, ledger; lost answers settled by reading; nobody forgotten when it is cut short."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from airflow_provider_teams_registration.enrollment.books import Books, Finished, Foreign
from airflow_provider_teams_registration.enrollment.calls import TAKEN_OFF, Answer, Calls
from airflow_provider_teams_registration.enrollment.event import Standing
from airflow_provider_teams_registration.enrollment.ledger import utc_now
from airflow_provider_teams_registration.enrollment.outcome import Enrollment, Outcome
from airflow_provider_teams_registration.enrollment.person import NotTakenOff, Person
from airflow_provider_teams_registration.enrollment.recall import Recalled, mark_change, recall, recalled
from airflow_provider_teams_registration.enrollment.sending_options import Postponed, SendingOptions, Stopped
from airflow_provider_teams_registration.enrollment.settling import Settling, Step
from airflow_provider_teams_registration.graph.errors import (
    AnswerLost,
    BadRequest,
    Conflict,
    ServiceUnreachable,
    TeamsRegistrationError,
    Throttled,
)
from airflow_provider_teams_registration.graph.pace import LONGEST_WAIT

if TYPE_CHECKING:
    from airflow_provider_teams_registration.enrollment.event import Event, Registrant
    from airflow_provider_teams_registration.enrollment.ledger import Ledger
    from airflow_provider_teams_registration.enrollment.progress import Progress

MAX_TRIES = 8
_SECONDS_BETWEEN_LOOKS_AT_STOP = 0.5
_SECONDS_BETWEEN_LOOKS_AT_LEDGER = 1.0
_FIRST_LOOK_AT_EVENT = 0.5
_LONGEST_BETWEEN_LOOKS_AT_EVENT = 10.0
_NOT_SENT = "Not sent: the task was stopped before"
_NOT_SETTLED = "Sent or about to be sent when the task ended"
_NO_NEW_LINK = "on the event already, and could not be enrolled anew for a link"


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
        self._unsettled: list[Person] = []
        self._busy: list[Person] = []
        self._pause = 0.0
        self._next_look = 0.0

    def run(self, registrants: Sequence[Registrant]) -> tuple[list[Enrollment], BaseException | None]:
        """
        Send some people.

        :return: what became of each, and what cut the sending short, if anything did. Nothing is raised: whoever was
            enrolled by then must not be forgotten.
        """
        self._books.done = []
        people = [Person(registrant) for registrant in registrants]
        cut_short: BaseException | None = None
        calls = Calls(self._event, self._options.max_parallel_requests)
        try:
            with calls:
                self._decide(self._books.recall(people))
                self._send_all(calls)
        except Throttled as error:
            cut_short = error if error.retry_after is None else Postponed(error.retry_after)
        except BaseException as error:
            cut_short = error
        # Leaving the block has waited for the calls under way.
        for last_step in (*[lambda: self._take_answers(calls, timeout=0)] * calls.under_way, self._stop_waiting):
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

    def _send_all(self, calls: Calls) -> None:
        while self._waiting or calls.under_way or self._unsettled or self._busy:
            self._take_answers(calls, timeout=0)
            if self._stop.is_set():
                raise Stopped("the task was asked to stop")
            may_send = bool(self._waiting) and calls.is_one_free
            pause = self._event.pace.left()
            if may_send and not pause:
                self._send_next(calls)
            elif calls.under_way:
                # An answer that comes in meanwhile may ask for a longer wait.
                longest = _SECONDS_BETWEEN_LOOKS_AT_STOP
                self._take_answers(calls, timeout=min(pause, longest) if may_send else longest)
            elif self._waiting and not self._may_look():
                self._wait(pause)
            else:
                self._look()

    def _may_look(self) -> bool:
        """Whether a wait before the next send can be used to read."""
        is_due = bool(self._unsettled) and time.monotonic() >= self._next_look
        return is_due and not self._event.pace.held()

    def _wait(self, seconds: float) -> None:
        if self._options.defer_over is not None and seconds > self._options.defer_over:
            raise Postponed(seconds)
        self._stop.wait(min(seconds, _SECONDS_BETWEEN_LOOKS_AT_STOP))

    def _decide(self, people: Foreign) -> None:
        """Act on what the ledger says of people."""
        now = utc_now()
        groups: dict[Recalled, list[Person]] = {what: [] for what in Recalled}
        for person, entry in people:
            person.entry = entry
            groups[recall(entry, self._run, self._settle_after, now)].append(person)
        self.has_begun = self.has_begun or bool(groups[Recalled.DONE] or groups[Recalled.UNSETTLED])
        self._books.done += [recalled(person, self._run) for person in groups[Recalled.DONE]]
        self._books.touch(groups[Recalled.DONE])
        self._busy += groups[Recalled.BUSY]
        for person in groups[Recalled.UNSETTLED]:
            person.is_ours = True
            person.sent_at = person.entry.last_seen if person.entry else None
        self._unsettle(groups[Recalled.UNSETTLED])
        for person in groups[Recalled.LINKLESS]:
            self._decide_linkless(person)
        self._sort_out_present(groups[Recalled.NEW])

    def _decide_linkless(self, person: Person) -> None:
        if not self._event.hands_links_out_once:
            # They were on the event: whoever is not any more was taken off, and is sent anew.
            person.is_ours = True
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
        steps: list[tuple[Person, Enrollment | Step]] = []
        for person in new:
            standings = present.get(person.key)
            steps.append((person, self._settling.settle_others(person, standings) if standings else Step.SEND))
        self._follow(steps)

    def _follow(self, steps: Iterable[tuple[Person, Enrollment | Step]]) -> None:
        finished = []
        for person, step in steps:
            if step is Step.SEND:
                self._waiting.append(person)
            elif step is Step.LOOK_AGAIN:
                self._unsettled.append(person)
            else:
                finished.append(Finished(person, step, person.refusal))
        self._record(finished)

    def _record(self, finished: Sequence[Finished]) -> None:
        foreign = self._books.record(finished)
        self._progress.tell(self._through + len(self._books.done))
        if foreign:
            self._decide(foreign)

    def _unsettle(self, people: Sequence[Person]) -> None:
        """Take over people whom an older attempt, or a run that went silent, left without an outcome."""
        claimed, foreign = self._books.claim(people)
        self._unsettled += claimed
        if foreign:
            self._decide(foreign)

    def _send_next(self, calls: Calls) -> None:
        size = min(self._event.batch_size, len(self._waiting))
        # They leave the queue once the ledger has them: an exception in between must not lose them.
        batch = [self._waiting[place] for place in range(size)]
        claimed, foreign = self._books.claim(batch)
        for _ in range(size):
            self._waiting.popleft()
        if claimed:
            self.has_begun = True
            calls.make(claimed)
        if foreign:
            self._decide(foreign)

    def _take_answers(self, calls: Calls, timeout: float) -> None:
        for people, answers in calls.answers(timeout):
            self._take(people, answers)

    def _take(self, people: Sequence[Person], answers: Sequence[Answer]) -> None:
        not_executed: list[TeamsRegistrationError] = []
        finished: list[Finished] = []
        for person, answer in zip(people, answers, strict=True):
            if answer is TAKEN_OFF:
                self._waiting.appendleft(person)
            elif isinstance(answer, Throttled | ServiceUnreachable):
                person.times_refused += 1
                not_executed.append(answer)
                if person.times_refused < MAX_TRIES:
                    self._waiting.append(person)
                else:
                    finished.append(Finished(person, self._refused(person, answer), answer))
            elif (enrollment := self._outcome(person, answer)) is not None:
                finished.append(Finished(person, enrollment, None if isinstance(answer, Standing) else answer))
        # First what was achieved: heeding may end the run.
        self._record(finished)
        self._heed(not_executed, went_through=len(not_executed) < len(people))

    def _outcome(self, person: Person, answer: Answer) -> Enrollment | None:
        """What an answer means for a person; None where reading has to tell."""
        person.refusal = None
        if isinstance(answer, Standing):
            if answer.outcome is not Outcome.UNKNOWN and not answer.is_link_due:
                return person.enrolled(answer)
            person.is_accepted = True
        elif isinstance(answer, NotTakenOff):
            return self._refused(person, answer)
        elif isinstance(answer, BadRequest | Conflict):
            # It may mean that they are on the event already, whether by a send of ours or by somebody else.
            person.refusal = answer
            if isinstance(answer, Conflict) and not self._event.hands_links_out_once:
                # It is on the event that they show, or that it was about something else.
                person.sent_at = person.sent_at or utc_now()
        elif not isinstance(answer, AnswerLost):
            return self._refused(person, answer)
        if person.refusal is None:
            person.is_ours, person.sent_at = True, utc_now()
        self._unsettled.append(person)
        self._pause, self._next_look = 0.0, 0.0
        return None

    def _refused(self, person: Person, error: TeamsRegistrationError | str) -> Enrollment:
        # Whoever has records to go is still on the event, without anybody knowing the link.
        if person.records and not person.is_ours:
            return person.enrolled(Standing(Outcome.ALREADY_ENROLLED, error=_NO_NEW_LINK))
        return person.refused(error, Outcome.UNKNOWN if person.records else Outcome.REJECTED)

    def _heed(self, not_executed: Sequence[TeamsRegistrationError], went_through: bool) -> None:
        """Wait as the service asks, and give up where it asks for too much."""
        self._calls_in_vain = 0 if went_through else self._calls_in_vain + 1
        if went_through:
            self._event.pace.ease()
        if not not_executed:
            return
        asked = [seconds for error in not_executed if (seconds := getattr(error, "retry_after", None)) is not None]
        longest = max(asked, default=None)
        if self._calls_in_vain >= MAX_TRIES or (longest or 0) > LONGEST_WAIT:
            # Graph's wording was blanked for one person, and speaks to others here.
            what = "Graph throttles (429)" if isinstance(not_executed[0], Throttled) else "Graph is out of reach"
            self._give_up(f"Not sent: {what}; given up for now")
        if longest is not None and longest > LONGEST_WAIT:
            raise Postponed(longest)
        self._event.pace.hold(longest)

    def _look(self) -> None:
        """Read the event about those whose answer was lost, or the ledger about those whom another run is at."""
        left = self._next_look - time.monotonic()
        if left > 0:
            self._stop.wait(min(left, _SECONDS_BETWEEN_LOOKS_AT_STOP))
            return
        if self._unsettled:
            people, self._unsettled = self._unsettled, []
            try:
                found = self._event.find([person.registrant for person in people])
            except BaseException:
                self._unsettled = people
                raise
            now = utc_now()
            self._follow((person, self._settling.settle(person, found.get(person.key, ()), now)) for person in people)
            self._pause = min(max(self._pause * 2, _FIRST_LOOK_AT_EVENT), _LONGEST_BETWEEN_LOOKS_AT_EVENT)
        else:
            self._pause = _SECONDS_BETWEEN_LOOKS_AT_LEDGER
        if self._busy:
            people, self._busy = self._busy, []
            self._decide(self._books.recall(people))
        self._next_look = time.monotonic() + self._pause

    def _give_up(self, why: str) -> None:
        """Note that those who wait to be sent were not."""
        people = list(self._waiting)
        self._waiting.clear()
        self._record([Finished(person, self._refused(person, why)) for person in people])

    def _stop_waiting(self) -> None:
        self._give_up(_NOT_SENT)

    def _left_over(self, people: Sequence[Person]) -> list[Enrollment]:
        """Account for those of whom nothing more is known than that the sending ended."""
        done = {enrollment.position for enrollment in self._books.done}
        self._waiting.clear()
        self._unsettled, self._busy = [], []
        return [
            person.refused("Sent, and the answer was lost" if person.is_ours else _NOT_SETTLED, Outcome.UNKNOWN)
            for person in people
            if person.registrant.position not in done
        ]
