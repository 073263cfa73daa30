"""Taking people off an event, as often as it takes: who is off already counts as taken off."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from airflow_provider_teams_registration.enrollment.event import InvalidRow, Registrant
from airflow_provider_teams_registration.enrollment.ledger import LedgerEntry
from airflow_provider_teams_registration.enrollment.outcome import Enrollment, Outcome
from airflow_provider_teams_registration.enrollment.person import Person
from airflow_provider_teams_registration.enrollment.report import Report
from airflow_provider_teams_registration.graph.errors import (
    AnswerLost,
    ServiceUnreachable,
    TeamsRegistrationError,
    Throttled,
)

if TYPE_CHECKING:
    from airflow_provider_teams_registration.enrollment.event import Event
    from airflow_provider_teams_registration.enrollment.ledger import Ledger

CANCELLED = frozenset({Outcome.CANCELLED})
MAX_TRIES = 8
_AGAIN = (AnswerLost, ServiceUnreachable, Throttled)


def cancel(event: Event, rows: Iterable[Any], *, ledger: Ledger, stop: threading.Event | None = None) -> Report:
    """
    Take people off an event.

    :param event: the event.
    :param rows: dicts of column and value, or plain ids (of a webinar, ids or e-mail addresses).
    :param ledger: notes who is off, so that they may be enrolled anew.
    :param stop: set from outside to end the work early.
    :return: one enrollment per row, ``cancelled`` where all is well.
    :raises TeamsRegistrationError: the event or the ledger cannot be read; nobody was taken off.
    """
    ledger.begin(event.id)
    report = Report(success_outcomes=CANCELLED)
    stop = stop or threading.Event()
    seen: dict[str, None] = {}
    position = 0
    iterator = iter(rows)
    while given := list(islice(iterator, 1000)):
        people: list[Person] = []
        enrollments: list[Enrollment] = []
        repeated = 0
        for place, (row, found) in enumerate(_read(event, given), start=position + 1):
            if isinstance(found, str):
                enrollments.append(Enrollment(place, row, Outcome.INVALID, error=found, reason=found))
            elif found.key in seen:
                repeated += 1
            else:
                seen[found.key] = None
                people.append(Person(replace(found, position=place)))
        position += len(given)
        for batch in _batches(event, people):
            enrollments += _cancel_batch(event, ledger, batch, stop)
        report.add(sorted(enrollments, key=lambda one: one.position), repeated)
    return report


def _read(event: Event, given: Sequence[Any]) -> Iterator[tuple[Mapping[str, Any], Registrant | str]]:
    rows = [one if isinstance(one, Mapping) else {"id": one} for one in given]
    keys = event.keys_to_cancel(rows)
    for row, key in zip(rows, keys, strict=True):
        yield row, str(key) if isinstance(key, InvalidRow) else Registrant(0, row, key, None)


def _batches(event: Event, people: Sequence[Person]) -> Iterator[list[Person]]:
    left = list(people)
    while left:
        event.pace.wait()
        size = event.batch_size
        yield left[:size]
        left = left[size:]


def _cancel_batch(event: Event, ledger: Ledger, people: list[Person], stop: threading.Event) -> list[Enrollment]:
    done: list[Enrollment] = []
    for attempt in range(1, MAX_TRIES + 1):
        event.pace.wait()
        again: list[Person] = []
        errors: list[TeamsRegistrationError] = []
        answers = event.cancel([person.registrant for person in people])
        for person, error in zip(people, answers, strict=True):
            if isinstance(error, _AGAIN) and attempt < MAX_TRIES and not stop.is_set():
                again.append(person)
                errors.append(error)
            else:
                done.append(_outcome(person, error))
        if not again:
            break
        asked = [seconds for error in errors if (seconds := getattr(error, "retry_after", None)) is not None]
        event.pace.hold(max(asked, default=None))
        people = again
    _note(ledger, [one.registrant for one in done if one.outcome is Outcome.CANCELLED and one.registrant])
    return done


def _outcome(person: Person, error: TeamsRegistrationError | None) -> Enrollment:
    if error is not None:
        return person.refused(error, Outcome.UNKNOWN if isinstance(error, AnswerLost) else Outcome.REJECTED)
    registrant = person.registrant
    return Enrollment(registrant.position, registrant.row, Outcome.CANCELLED, registrant=person.key)


def _note(ledger: Ledger, keys: Sequence[str]) -> None:
    """Tell the ledger, whoever wrote there last: they are off now."""
    for _ in range(MAX_TRIES):
        known = ledger.recall(keys)
        entries = [
            LedgerEntry(key, known[key].fingerprint if key in known else "", Outcome.CANCELLED, version=version)
            for key in keys
            if (version := known[key].version if key in known else 0) >= 0
        ]
        keys = list(ledger.write(entries).foreign) if entries else []
        if not keys:
            return
