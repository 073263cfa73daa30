"""Who waits for what: to be sent, to be read about, for another run; and what ledger and event say of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from airflow_provider_teams_registration.enrollment.books import Books, Finished, Foreign
from airflow_provider_teams_registration.enrollment.ledger import utc_now
from airflow_provider_teams_registration.enrollment.outcome import Enrollment
from airflow_provider_teams_registration.enrollment.person import Person
from airflow_provider_teams_registration.enrollment.recall import (
    Recalled,
    is_enrolled_by_others,
    mark_change,
    recall,
    recalled,
)
from airflow_provider_teams_registration.enrollment.settling import Settling, Step

if TYPE_CHECKING:
    from airflow_provider_teams_registration.enrollment.event import Event, Found, Registrant
    from airflow_provider_teams_registration.enrollment.ledger import Run


class Queues:
    """
    Everybody whose outcome is open, by what they wait for.

    :param event: the event, prepared.
    :param books: where outcomes go.
    :param settling: the rules for those whose answer was lost.
    :param run: who enrolls.
    :param wait_to_read: returns once the event may be read.
    :ivar waiting: those who are to be sent.
    :ivar finished: those whose outcome the ledger does not know yet.
    :ivar accepted: those whom the service took without saying what came of it, which the ledger does not know yet.
    :ivar unsettled: those about whom the event is to be read.
    :ivar busy: those at whom another run is.
    :ivar has_begun: whether anybody was sent, or was through already: there is something to report.
    """

    def __init__(
        self, event: Event, books: Books, settling: Settling, run: Run, wait_to_read: Callable[[], None]
    ) -> None:
        self._event = event
        self._books = books
        self._settling = settling
        self._run = run
        self._wait_to_read = wait_to_read
        self._witness: Registrant | None = None
        self.waiting: deque[Person] = deque()
        self.finished: list[Finished] = []
        self.accepted: list[Person] = []
        self.unsettled: list[Person] = []
        self.busy: list[Person] = []
        self.has_begun = False

    @property
    def to_note(self) -> bool:
        """Whether there is something that the ledger does not know yet."""
        return bool(self.finished or self.accepted)

    @property
    def is_empty(self) -> bool:
        """Whether nobody waits for anything."""
        return not (self.waiting or self.to_note or self.unsettled or self.busy)

    def decide(self, people: Foreign) -> None:
        """Act on what the ledger says of people."""
        now = utc_now()
        groups: dict[Recalled, list[Person]] = {what: [] for what in Recalled}
        for person, entry in people:
            person.entry = entry
            groups[recall(entry, self._run, self._settling.settle_after, now)].append(person)
        self.has_begun = self.has_begun or bool(groups[Recalled.DONE] or groups[Recalled.UNSETTLED])
        for person in groups[Recalled.DONE]:
            self._books.note(recalled(person, self._run))
            self._witness = person.registrant
        self._books.touch(groups[Recalled.DONE])
        self.busy += groups[Recalled.BUSY]
        for person in groups[Recalled.UNSETTLED]:
            person.take_over()
        self._unsettle(groups[Recalled.UNSETTLED])
        for person in groups[Recalled.LINKLESS]:
            self._decide_linkless(person)
        self._sort_out_present(groups[Recalled.NEW])

    def read_about_unsettled(self) -> None:
        """Read the event about those whose answer was lost."""
        self._wait_to_read()
        people = self.unsettled
        found: Found = self._event.find([person.registrant for person in people], self._witness)
        now = utc_now()
        self.unsettled = []
        self._follow((person, self._settling.settle(person, found, now)) for person in people)

    def ask_about_busy(self) -> None:
        """Ask the ledger about those at whom another run is."""
        people, self.busy = self.busy, []
        self.decide(self._books.recall(people))

    def give_up(self, why: str) -> None:
        """Note that those who wait to be sent were not."""
        self.finished += [Finished(person, person.given_up(why)) for person in self.waiting]
        self.waiting.clear()

    def clear(self) -> None:
        """Forget everybody."""
        self.waiting.clear()
        self.finished, self.accepted, self.unsettled, self.busy = [], [], [], []

    def _decide_linkless(self, person: Person) -> None:
        if not self._event.hands_links_out_once:
            # They were on the event: whoever is not any more was taken off, and is sent anew.
            person.is_ours = person.entry is None or not is_enrolled_by_others(person.entry, self._run)
            self.unsettled.append(person)
            return
        step = self._settling.settle_linkless(person)
        if isinstance(step, Enrollment):
            self._books.note(mark_change(step, person))
        else:
            self.waiting.append(person)

    def _sort_out_present(self, new: Sequence[Person]) -> None:
        """Tell those who are on the event without our doing from those who are to be sent."""
        if not new:
            return
        self._wait_to_read()
        present = self._event.present([person.registrant for person in new])
        self._follow((person, self._settling.settle_new(person, present)) for person in new)

    def _follow(self, steps: Iterable[tuple[Person, Enrollment | Step]]) -> None:
        for person, step in steps:
            if step is Step.SEND:
                self.waiting.append(person)
            elif step is Step.LOOK_AGAIN:
                self.unsettled.append(person)
            else:
                self.finished.append(Finished(person, step, person.refusal))

    def _unsettle(self, people: Sequence[Person]) -> None:
        """Take over people whom an older attempt, or a run that went silent, left without an outcome."""
        claimed, foreign = self._books.write([], people)
        self.unsettled += claimed
        if foreign:
            self.decide(foreign)
