"""What the ledger says of people before anything is sent: who is done, who was sent without an answer, who is new."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum

from airflow_provider_teams_registration.enrollment.event import Standing
from airflow_provider_teams_registration.enrollment.ledger import LedgerEntry, Run
from airflow_provider_teams_registration.enrollment.outcome import Enrollment, Outcome
from airflow_provider_teams_registration.enrollment.person import Person

NOT_ON_THE_EVENT = frozenset({Outcome.INVALID, Outcome.REJECTED, Outcome.CANCELLED})


class Recalled(Enum):
    """What is to be done with a person."""

    NEW = "new"
    UNSETTLED = "unsettled"
    """A send of ours has no recorded outcome."""
    BUSY = "busy"
    """Another run is at them right now."""
    DONE = "done"
    LINKLESS = "linkless"
    """Enrolled by us, and the ledger holds no link."""


def recall(entry: LedgerEntry | None, run: Run, settle_after: timedelta, now: datetime) -> Recalled:
    """
    Read an entry of the ledger.

    :param entry: the entry; None where the person never came up.
    :param run: who asks.
    :param settle_after: how long another run may take from sending somebody to recording the outcome.
    :param now: the present moment.
    """
    if entry is None or entry.outcome in NOT_ON_THE_EVENT:
        return Recalled.NEW
    if entry.outcome is Outcome.UNKNOWN:
        is_at_work = entry.run != run and entry.last_seen is not None and now - entry.last_seen < settle_after
        return Recalled.BUSY if is_at_work else Recalled.UNSETTLED
    if entry.join_web_url:
        return Recalled.DONE
    # Of somebody else's people the ledger knows nothing that the event does not know better.
    return Recalled.NEW if entry.outcome is Outcome.ALREADY_ENROLLED else Recalled.LINKLESS


def recalled(person: Person, run: Run) -> Enrollment:
    """
    Return the enrollment of somebody whom the ledger shows as done.

    Whoever this very run enrolled is ``enrolled``, however often it is tried; to others they were there already.
    """
    entry = person.entry
    assert entry is not None
    is_of_others = is_enrolled_by_others(entry, run)
    standing = Standing(entry.outcome, entry.join_web_url)
    enrollment = person.enrolled(standing, Outcome.ALREADY_ENROLLED if is_of_others else None)
    return mark_change(enrollment, person)


def is_enrolled_by_others(entry: LedgerEntry, run: Run) -> bool:
    """
    Whether it was another run that enrolled somebody.

    Who was promoted since, or had a link that nobody could read, is enrolled by whoever finds them: so they are mailed.
    """
    return entry.outcome is Outcome.ENROLLED and entry.run != run and not entry.error


def mark_change(enrollment: Enrollment, person: Person) -> Enrollment:
    """Say so where the row differs from what the ledger has of the person."""
    if person.entry is None or person.entry.fingerprint == person.registrant.fingerprint:
        return enrollment
    said = "the row changed since they were enrolled; they were not sent again (cancel them first if it matters)"
    return replace(enrollment, error=said, reason=said, is_changed=True)
