"""Taking people off an event, as often as it takes: who is off already counts as taken off."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from airflow_provider_teams_registration.enrollment.answer import MAX_TRIES
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
    longest_wait,
)
from airflow_provider_teams_registration.graph.pace import LONGEST_WAIT

if TYPE_CHECKING:
    from airflow_provider_teams_registration.enrollment.event import Event
    from airflow_provider_teams_registration.enrollment.ledger import Ledger

CANCELLED = frozenset({Outcome.CANCELLED})
_AGAIN = (AnswerLost, ServiceUnreachable, Throttled)
_TOO_LONG = "Not taken off: the service asks for too much patience"
_STOPPED = "Not taken off: the task was stopped before"


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
    seen: set[str] = set()
    position = 0
    iterator = iter(rows)
    while given := list(islice(iterator, 1000)):
        people: list[Person] = []
        enrollments: list[Enrollment] = []
        repeated = 0
        is_anybody_off = report.counts.get(Outcome.CANCELLED.value, 0) > 0
        for place, (row, keys) in enumerate(_read(event, given, is_anybody_off), start=position + 1):
            if isinstance(keys, InvalidRow):
                enrollments.append(Enrollment(place, row, Outcome.INVALID, error=str(keys), reason=str(keys)))
                continue
            if isinstance(keys, TeamsRegistrationError):
                enrollments.append(Person(Registrant(place, row, "", None)).refused(keys))
                continue
            new = [key for key in keys if key not in seen]
            repeated += not new
            seen.update(new)
            people += [Person(Registrant(place, row, key, None)) for key in new]
        position += len(given)
        enrollments += _cancel_all(event, ledger, people, stop, is_anybody_off)
        report.add(_one_for_each_row(enrollments), repeated)
    return report


def _one_for_each_row(enrollments: Iterable[Enrollment]) -> list[Enrollment]:
    """Return, of a row that means several registrations, one that is still on, if any is."""
    by_row: dict[int, Enrollment] = {}
    for one in enrollments:
        if one.position not in by_row or by_row[one.position].outcome is Outcome.CANCELLED:
            by_row[one.position] = one
    return [by_row[position] for position in sorted(by_row)]


def _read(
    event: Event, given: Sequence[Any], is_anybody_off: bool
) -> Iterator[tuple[Mapping[str, Any], list[str] | InvalidRow | TeamsRegistrationError]]:
    rows = [one if isinstance(one, Mapping) else {"id": one} for one in given]
    keys: Sequence[list[str] | InvalidRow | TeamsRegistrationError]
    try:
        keys = event.keys_to_cancel(rows)
    except TeamsRegistrationError as error:
        if not is_anybody_off:
            raise
        keys = [error] * len(rows)
    return zip(rows, keys, strict=True)


def _cancel_all(
    event: Event, ledger: Ledger, people: Sequence[Person], stop: threading.Event, is_anybody_off: bool
) -> list[Enrollment]:
    waiting = deque(people)
    done: list[Enrollment] = []
    while waiting:
        why = _wait(event, stop)
        if why is not None:
            return done + [_outcome(person, person.refusal or why) for person in waiting]
        left_at = time.monotonic()
        batch = [waiting.popleft() for _ in range(min(event.batch_size, len(waiting)))]
        answers = _cancel_batch(event, batch, is_anybody_off)
        again = [error for error in answers if isinstance(error, _AGAIN)]
        finished: list[Enrollment] = []
        for person, error in zip(batch, answers, strict=True):
            person.refusal = error
            person.times_refused += error is not None
            if isinstance(error, _AGAIN) and person.times_refused < MAX_TRIES:
                waiting.append(person)
            else:
                finished.append(_outcome(person, error))
        off = [one.registrant for one in finished if one.outcome is Outcome.CANCELLED and one.registrant]
        _note(ledger, off)
        is_anybody_off = is_anybody_off or bool(off)
        done += finished
        if len(again) < len(batch):
            event.pace.ease()
        if again and waiting:
            event.pace.hold(longest_wait(again), left_at)
    return done


def _wait(event: Event, stop: threading.Event) -> str | None:
    """Return once the next may go, or why nobody goes any more."""
    while (left := event.pace.left()) and not stop.is_set():
        if event.pace.held() > LONGEST_WAIT:
            return _TOO_LONG
        stop.wait(left)
    return _STOPPED if stop.is_set() else None


def _cancel_batch(
    event: Event, people: Sequence[Person], is_anybody_off: bool
) -> Sequence[TeamsRegistrationError | None]:
    try:
        return event.cancel([person.registrant for person in people])
    except TeamsRegistrationError as error:
        if not is_anybody_off:
            raise
        # Those who are off already must not be forgotten.
        return [error] * len(people)


def _outcome(person: Person, error: TeamsRegistrationError | str | None) -> Enrollment:
    if error is not None:
        return person.refused(error, Outcome.UNKNOWN if isinstance(error, AnswerLost) else Outcome.REJECTED)
    registrant = person.registrant
    return Enrollment(registrant.position, registrant.row, Outcome.CANCELLED, registrant=person.key)


def _note(ledger: Ledger, keys: Sequence[str]) -> None:
    """Tell the ledger, whoever wrote there last: they are off now."""
    for _ in range(MAX_TRIES if keys else 0):
        known = ledger.recall(keys)
        entries = [
            LedgerEntry(
                key,
                known[key].fingerprint if key in known else "",
                Outcome.CANCELLED,
                version=known[key].version if key in known else 0,
            )
            for key in keys
        ]
        keys = list(ledger.write(entries).foreign)
        if not keys:
            return
