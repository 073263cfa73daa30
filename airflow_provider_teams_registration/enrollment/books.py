"""Where outcomes go: into the ledger, and on the list of those who are through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from airflow_provider_teams_registration.enrollment.ledger import FencedOff, Ledger, LedgerEntry
from airflow_provider_teams_registration.enrollment.outcome import Enrollment, Outcome
from airflow_provider_teams_registration.enrollment.person import Person
from airflow_provider_teams_registration.graph.errors import TeamsRegistrationError

Foreign = list[tuple[Person, LedgerEntry | None]]


@dataclass(frozen=True)
class Finished:
    """
    Somebody's outcome.

    :param person: who.
    :param enrollment: what became of them.
    :param error: what the service answered, where it refused them.
    """

    person: Person
    enrollment: Enrollment
    error: TeamsRegistrationError | None = None


class Books:
    """
    Writes what happens to people, first to the ledger.

    :param ledger: the ledger, begun.
    :ivar done: those who are through.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.done: list[Enrollment] = []

    def write(self, finished: Sequence[Finished], people: Sequence[Person] = ()) -> tuple[list[Person], Foreign]:
        """
        Write outcomes, and people as sent before they are, all at once: each write may be a call to another machine.

        :param finished: whose outcome is known.
        :param people: whom we are about to send.
        :return: those who are ours to send, and those whom another run took over meanwhile: what it wrote counts.
        :raises FencedOff: a younger attempt has begun, which alone says what became of whom.
        :raises LedgerFailure: the ledger is out of reach; nobody counts as through yet.
        """
        if not finished and not people:
            return [], []
        outcomes = [one.person.entry_for(one.enrollment, one.error) for one in finished]
        try:
            written = self._ledger.write([*outcomes, *(person.entry_in_flight() for person in people)])
        except FencedOff as error:
            self.done += [one.person.refused(error, Outcome.UNKNOWN) for one in finished]
            raise
        self.done += [one.enrollment for one in finished if one.person.key in written.stored]
        for person in people:
            person.entry = written.stored.get(person.key, person.entry)
        everybody = [*(one.person for one in finished), *people]
        foreign: Foreign = [(one, written.foreign[one.key]) for one in everybody if one.key in written.foreign]
        return [person for person in people if person.key in written.stored], foreign

    def note(self, enrollment: Enrollment) -> None:
        """Note somebody who is through, as the ledger has them."""
        self.done.append(enrollment)

    def take_done(self) -> list[Enrollment]:
        """Return those who are through since this was asked last."""
        done, self.done = self.done, []
        return done

    def recall(self, people: Sequence[Person]) -> Foreign:
        """Read what the ledger says of people."""
        entries = self._ledger.recall([person.key for person in people])
        return [(person, entries.get(person.key)) for person in people]

    def touch(self, people: Sequence[Person]) -> None:
        """Note that people whose outcome stands came up again."""
        if people:
            self._ledger.touch([person.key for person in people])
