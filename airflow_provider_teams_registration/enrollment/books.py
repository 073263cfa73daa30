"""Where outcomes go: into the ledger, and on the list of those who are through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from airflow_provider_teams_registration.enrollment.ledger import FencedOff, Ledger, LedgerEntry, LedgerFailure
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
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.done: list[Enrollment] = []

    def claim(self, people: Sequence[Person]) -> tuple[list[Person], Foreign]:
        """
        Write people as sent, before they are.

        :return: those who are ours to send, and those whom another run got hold of meanwhile.
        """
        if not people:
            return [], []
        written = self._ledger.write([person.entry_in_flight() for person in people])
        for person in people:
            person.entry = written.stored.get(person.key, person.entry)
        foreign: Foreign = [(person, written.foreign[person.key]) for person in people if person.key in written.foreign]
        return [person for person in people if person.key in written.stored], foreign

    def record(self, finished: Sequence[Finished]) -> Foreign:
        """
        Write outcomes.

        :return: those whom another run took over meanwhile: its outcome counts, not ours.
        """
        if not finished:
            return []
        try:
            written = self._ledger.write([one.person.entry_for(one.enrollment, one.error) for one in finished])
        except FencedOff as error:
            self.done += [one.person.refused(error, Outcome.UNKNOWN) for one in finished]
            raise
        except LedgerFailure:
            self.done += [one.enrollment for one in finished]
            raise
        self.done += [one.enrollment for one in finished if one.person.key in written.stored]
        return [(one.person, written.foreign[one.person.key]) for one in finished if one.person.key in written.foreign]

    def recall(self, people: Sequence[Person]) -> Foreign:
        """Read what the ledger says of people."""
        entries = self._ledger.recall([person.key for person in people])
        return [(person, entries.get(person.key)) for person in people]

    def touch(self, people: Sequence[Person]) -> None:
        """Note that people whose outcome stands came up again."""
        if people:
            self._ledger.touch([person.key for person in people])
