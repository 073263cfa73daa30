"""What a run that was deferred knows when it goes on, and what it leaves to the next attempt."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider_teams_registration.core.event_facts import EventFacts, read_event_facts
from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.core.quota import ResumeTime
from airflow_provider_teams_registration.exceptions import TeamsRegistrationError

if TYPE_CHECKING:
    from airflow_provider_teams_registration.core.record import RegistrationRecord
    from airflow_provider_teams_registration.enrollment.sending_options import DeferRequested
    from airflow_provider_teams_registration.events.base import Event
    from airflow_provider_teams_registration.ledger.base import Ledger

log = logging.getLogger(__name__)

_LONGEST = 60_000
"""The longest note that every ledger can store, in characters of JSON."""


class Resumption:
    """
    The thread of a run through its deferrals.

    An attempt that asks to be deferred leaves a note in the ledger: the event's form, which lists it has read, and the
    moment when it wants to go on. The attempt that Airflow resumes takes it up. Any other attempt, as after a clear,
    starts afresh; of the write quota it learns from the ledger, too.

    :param deferred_by: the attempt that asked to be deferred; None in an attempt that was not resumed.
    :ivar since: the first attempt of the run, of those that deferrals connect; None in an attempt that was not resumed.
    :ivar time: how long a resume takes.
    :ivar facts: what the event is called and when it is, as the attempt that was deferred knew it.
    """

    def __init__(self, deferred_by: int | None = None) -> None:
        self._deferred_by = deferred_by
        self.since: int | None = None
        self.time = ResumeTime()
        self.facts: EventFacts | None = None
        self._until: datetime | None = None
        self._ledger: Ledger | None = None
        self._looked_up: set[str] = set()

    def begin(self, event: Event, ledger: Ledger) -> None:
        """
        Start the attempt, and read from Graph what a row must hold, or else from the note.

        :param event: the event.
        :param ledger: the ledger.
        :raises TeamsRegistrationError: the event or the ledger cannot be read, or the event is not open.
        """
        self._ledger = ledger
        if self._deferred_by is None:
            event.prepare()
            ledger.start_attempt(event.id)
            return
        ledger.start_attempt(event.id)
        note = ledger.load_deferral() or {}
        # Another attempt in between may have enrolled people, or taken them off.
        is_ours = note.get("attempt") == self._deferred_by == ledger.attempt - 1
        if not (is_ours and self._take_up(note) and event.restore(note.get("event"))):
            log.info("The ledger does not hold the state of the deferred attempt, so the task reads the event again.")
            self.since = self._until = None
            self._looked_up = set()
            event.prepare()

    def ready_to_send(self) -> None:
        """Measure, by the ledger's clock, how long the resume took. Only the first call counts."""
        if self._until is not None and self._ledger is not None:
            late = (self._ledger.now() - self._until).total_seconds()
            self._until = None
            self.time = self.time.after(late)
            log.debug("The resume took %.1f s. The next one is given %.1f s.", late, self.time.allowance)

    def has_looked_up(self, keys: Sequence[str]) -> bool:
        """
        Return whether an earlier attempt looked exactly these people up, so that those without a record were absent.

        Without a ledger that other runs share, they may have been enrolled meanwhile by a run that this one cannot see.
        """
        is_shared = self._ledger is not None and self._ledger.is_shared
        return is_shared and _digest(keys) in self._looked_up

    def was_unsent(self, record: RegistrationRecord | None) -> bool:
        """Return whether somebody who was looked up was absent, by their record, and has not been sent since."""
        if record is None:
            return True
        is_ours = self._ledger is not None and record.run == self._ledger.run
        is_of_this = is_ours and self.since is not None and record.attempt >= self.since
        return is_of_this and record.outcome is Outcome.NOT_SENT

    def note_look_up(self, keys: Sequence[str]) -> None:
        """Remember that these people were looked up before the first send."""
        self._looked_up.add(_digest(keys))

    def leave(self, event: Event, request: DeferRequested) -> None:
        """
        Leave a note to the attempt that resumes this one. Without it that attempt reads the event again.

        :param event: the event.
        :param request: how long the run wants to be deferred.
        """
        ledger = self._ledger
        if ledger is None or not ledger.is_durable:
            return
        try:
            until = ledger.now() + timedelta(seconds=request.left)
            facts = event.facts or self.facts
            note = {
                "attempt": ledger.attempt,
                "since": self.since or ledger.attempt,
                "event": event.remembered(),
                "facts": facts.as_json() if facts else None,
                "looked_up": sorted(self._looked_up),
                "until": until.isoformat() if request.is_for_quota else None,
                "resume": [self.time.mean, self.time.deviation],
            }
            if len(repr(note)) <= _LONGEST:
                ledger.save_deferral(note)
        except TeamsRegistrationError as error:
            log.warning("The ledger did not take a note for the resume: %s", error)

    def _take_up(self, note: Mapping[str, Any]) -> bool:
        try:
            mean, deviation = note["resume"]
            since, until = int(note["since"]), note["until"]
            self.time = ResumeTime(float(mean), float(deviation))
            self._until = datetime.fromisoformat(until) if until is not None else None
            self._looked_up = {str(one) for one in note["looked_up"]}
            self.facts = read_event_facts(note["facts"]) if note.get("facts") else None
        except (KeyError, TypeError, ValueError):
            return False
        self.since = since
        return True


def _digest(keys: Sequence[str]) -> str:
    told = "\0".join(sorted(keys))
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:32]
